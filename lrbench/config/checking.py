"""What no run can have is refused: with the key, what is allowed and what came."""

from typing import Any

from lrbench.config.fields import (
    CHECKED,
    EXAMPLES,
    GROUPS,
    OPTIONAL,
    OWN_HYPERPARAMETERS,
    REQUEST,
    RUN,
    SETTINGS,
)
from lrbench.config.leaves import Leaves, show, under
from lrbench.config.values import Rule
from lrbench.errors import RequestError, did_you_mean


def check(leaves: Leaves) -> None:
    """Refuse what no run can have.

    Raises:
        RequestError: naming the key, what is allowed and what came.
    """
    for group in GROUPS:
        may_be_absent = group in OPTIONAL and not under(leaves, group)
        if f"{group}._target_" not in leaves and not may_be_absent:
            check_leaf(f"{group}._target_", None, leaves)
    for path, value in leaves.items():
        check_leaf(path, value, leaves)


def check_leaf(path: str, value: Any, leaves: Leaves) -> None:
    """Refuse one wrong value of the configuration `leaves`.

    Settings of torch's own optimizers and schedulers, and of lrbench's, are checked here; other classes,
    problems and losses judge theirs themselves.
    """
    group, _, key = path.partition(".")
    if path in RUN:
        check_value(path, value, RUN[path])
    elif path in REQUEST:
        check_value(path, value, REQUEST[path])
    elif group not in GROUPS or not key:
        meant = did_you_mean(path, [*RUN, *REQUEST, *GROUPS])
        raise RequestError(f"{path}: lrbench has no such key. {meant}")
    elif key == "_target_":
        _check_target(group, value)
    elif group in SETTINGS:
        _check_setting(group, key, value, target=leaves.get(f"{group}._target_", ""))


def _check_target(group: str, target: Any) -> None:
    if not isinstance(target, str):
        raise RequestError(
            f"{group}._target_: the dotted path of a {group}, such as {EXAMPLES[group]}, is allowed, "
            f"but {show(target)} came."
        )


def _check_setting(group: str, key: str, value: Any, target: str) -> None:
    """Refuse a wrong setting of a class that is known; a key without a rule is left to the class."""
    if not target.startswith(CHECKED):
        return
    rule = OWN_HYPERPARAMETERS.get(target, {}).get(key) or SETTINGS[group].get(key)
    if rule:
        check_value(f"{group}.{key}", value, rule, for_whom=f" for {target}")


def check_value(path: str, value: Any, rule: Rule, for_whom: str = "") -> None:
    """Refuse a value that is not of the rule's."""
    if not rule.accepts(value):
        raise RequestError(f"{path}: {rule.allowed} is allowed{for_whom}, but {show(value)} came.")
