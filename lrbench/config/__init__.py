"""What a run is: its fields, the values they take, and its identity.

A configuration is a flat dict of leaves, "path in the YAML" -> value: {"optimizer.lr": 0.01, "steps": 500,
...}.

    leaves.py      nested YAML as leaves, and back into words
    values.py      the values that a field may take: in words, and as a test
    fields.py      every field with its values, and where conf/ lies
    checking.py    what no run can have is refused
    identity.py    hashes of leaves, and the ids that are their sums
"""

from lrbench.config.checking import check, check_leaf, check_value
from lrbench.config.fields import (
    CONF,
    EXAMPLES,
    GROUPS,
    HYPERPARAMETERS,
    OPTIONAL,
    REQUEST,
    RUN,
    SCHEDULES,
    SETTINGS,
)
from lrbench.config.identity import fingerprint, identifiers
from lrbench.config.leaves import Leaves, flatten, show, under
from lrbench.config.values import LARGEST_WHOLE, NULL, Rule, either, list_of, number, one_of, whole

__all__ = [
    "CONF",
    "EXAMPLES",
    "GROUPS",
    "HYPERPARAMETERS",
    "LARGEST_WHOLE",
    "NULL",
    "OPTIONAL",
    "REQUEST",
    "RUN",
    "SCHEDULES",
    "SETTINGS",
    "Leaves",
    "Rule",
    "check",
    "check_leaf",
    "check_value",
    "either",
    "fingerprint",
    "flatten",
    "identifiers",
    "list_of",
    "number",
    "one_of",
    "show",
    "under",
    "whole",
]
