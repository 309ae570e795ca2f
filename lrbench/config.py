"""What a run is: its fields, the values they take, and its identity.

A configuration is a flat dict of leaves, "path in the YAML" -> value: {"optimizer.lr": 0.01, "optimizer.betas": [0.9, 0.999], "steps": 500, ...}.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from lrbench.errors import RequestError, did_you_mean

Leaves = dict[str, Any]

_PACKAGED = Path(__file__).parent / "conf"
CONF = (
    _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "conf"
)  # in a wheel, else in the repository

GROUPS = ("problem", "loss", "optimizer", "schedule")
LARGEST_WHOLE = 2**53  # up to which float64 tells whole numbers apart
OPTIONAL = ("schedule",)  # groups whose default choice is nothing, and leaves nothing


@dataclass(frozen=True)
class Rule:
    """The values a field takes: in words for the message, and as a test."""

    allowed: str
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def number(
    low: float = -math.inf, high: float = math.inf, *, above: bool = False, below: bool = False
) -> Rule:
    """Finite numbers in [low, high]; `above` and `below` exclude the ends."""
    bounds = [f"{'>' if above else '>='} {low:g}"] * math.isfinite(low) + [
        f"{'<' if below else '<='} {high:g}"
    ] * math.isfinite(high)
    return Rule(
        " ".join(["a finite number", " and ".join(bounds)]).strip(),
        lambda v: _is_number(v) and (low < v if above else low <= v) and (v < high if below else v <= high),
    )


def whole(low: int, high: float = math.inf) -> Rule:
    """Whole numbers in [low, high]."""
    bound = f" and <= {high}" * math.isfinite(high)
    return Rule(
        f"a whole number >= {low}{bound}",
        lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high,
    )


def one_of(*choices: str) -> Rule:
    return Rule(" or ".join(choices), lambda v: isinstance(v, str) and v in choices)


def sequence(*rules: Rule) -> Rule:
    return Rule(
        f"[{', '.join(rule.allowed for rule in rules)}]",
        lambda v: (
            isinstance(v, list)
            and len(v) == len(rules)
            and all(rule.accepts(x) for rule, x in zip(rules, v, strict=True))
        ),
    )


def either(*rules: Rule) -> Rule:
    return Rule(
        ", or ".join(rule.allowed for rule in rules), lambda v: any(rule.accepts(v) for rule in rules)
    )


NULL = Rule("null", lambda v: v is None)
BOOLEAN = Rule("true or false", lambda v: isinstance(v, bool))
NUMBERS = Rule(
    "a list of finite numbers", lambda v: isinstance(v, list) and len(v) > 0 and all(map(_is_number, v))
)
ROWS = Rule(
    "a list of rows of numbers such as [[4]]",
    lambda v: isinstance(v, list) and len(v) > 0 and all(map(NUMBERS.accepts, v)),
)
FOLDER = Rule(
    "a folder's name: no / or \\, not . or .., at most 200 characters",
    lambda v: isinstance(v, str) and 0 < len(v) <= 200 and v not in (".", "..") and not set(v) & set("/\\\0"),
)

RUN = {
    "epochs": whole(1),
    "steps": either(NULL, whole(1)),
    "batch_size": either(NULL, whole(1)),
    "batch_order": one_of("shuffled", "sequential", "replacement"),
    "init": either(one_of("torch", "zeros"), NUMBERS),
    "dtype": one_of("float64", "float32"),
    "seed": whole(0, LARGEST_WHOLE),
}

REQUEST = {
    "name": either(NULL, FOLDER),
    "results_dir": Rule("a folder's path", lambda v: isinstance(v, str) and v != ""),
    "report": BOOLEAN,
    "fresh": BOOLEAN,
    "baselines": BOOLEAN,
    "engine": one_of("auto", "reference", "fused"),
    "record": either(one_of("all"), whole(2)),
    "target": number(0, 1, above=True, below=True),
    "predict": either(NULL, ROWS),
}

_FRACTION = number(0, 1, below=True)
_NOT_NEGATIVE = number(0)

HYPERPARAMETERS = {
    "lr": _NOT_NEGATIVE,
    "momentum": _NOT_NEGATIVE,
    "dampening": number(),
    "weight_decay": _NOT_NEGATIVE,
    "nesterov": BOOLEAN,
    "maximize": BOOLEAN,
    "betas": sequence(_FRACTION, _FRACTION),
    "eps": _NOT_NEGATIVE,
    "amsgrad": BOOLEAN,
    "decoupled_weight_decay": BOOLEAN,
    "alpha": _NOT_NEGATIVE,
    "centered": BOOLEAN,
    "lr_decay": _NOT_NEGATIVE,
    "initial_accumulator_value": _NOT_NEGATIVE,
    "rho": number(0, 1),
    "momentum_decay": _NOT_NEGATIVE,
    "etas": sequence(number(0, 1, above=True, below=True), number(1, above=True)),
    "step_sizes": sequence(number(0, above=True), number(0, above=True)),
    "lambd": number(),
    "t0": number(),
    "beta2_decay": number(high=0),
    "d": number(1),
    "max_iter": whole(1),
    "max_eval": either(NULL, whole(1)),
    "tolerance_grad": _NOT_NEGATIVE,
    "tolerance_change": _NOT_NEGATIVE,
    "history_size": whole(1),
    "line_search_fn": either(NULL, one_of("strong_wolfe")),
    "ns_coefficients": sequence(number(), number(), number()),
    "ns_steps": whole(1),
    "adjust_lr_fn": either(NULL, one_of("original", "match_rms_adamw")),
}

SCHEDULES = {
    "step_size": whole(1),
    "gamma": _NOT_NEGATIVE,
    "milestones": Rule(
        "a list of whole numbers",
        lambda v: isinstance(v, list) and len(v) > 0 and all(whole(0).accepts(x) for x in v),
    ),
    "T_max": either(NULL, whole(1)),
    "eta_min": _NOT_NEGATIVE,
    "start_factor": number(0, 1, above=True),
    "end_factor": number(0, 1),
    "factor": number(0, 1),
    "total_iters": whole(1),
    "power": _NOT_NEGATIVE,
    "T_0": whole(1),
    "T_mult": whole(1),
    "max_lr": _NOT_NEGATIVE,
    "total_steps": either(NULL, whole(1)),
    "pct_start": number(0, 1),
    "anneal_strategy": one_of("cos", "linear"),
    "cycle_momentum": BOOLEAN,
    "base_momentum": _FRACTION,
    "max_momentum": _FRACTION,
    "div_factor": number(0, above=True),
    "final_div_factor": number(0, above=True),
    "three_phase": BOOLEAN,
    "lr_lambda": Rule("the dotted path of a function of the step", lambda v: isinstance(v, str) and v != ""),
}

SETTINGS = {"optimizer": HYPERPARAMETERS, "schedule": SCHEDULES}
EXAMPLES = {
    "problem": "lrbench.problems.synthetic",
    "loss": "torch.nn.MSELoss",
    "optimizer": "torch.optim.Adam",
    "schedule": "torch.optim.lr_scheduler.StepLR",
}

# whose settings are checked by their names: torch's optimizers and schedulers, and optimizers of our own
CHECKED = ("torch.optim.", "lrbench.optimizers.classes.")

# where a class of torch.optim gives a name another meaning
OWN_HYPERPARAMETERS = {"torch.optim.Adafactor": {"eps": sequence(either(NULL, _NOT_NEGATIVE), _NOT_NEGATIVE)}}


def check(leaves: Leaves) -> None:
    """Refuse what no run can have.

    Raises:
        RequestError: naming the key, what is allowed and what came.
    """
    for group in GROUPS:
        if f"{group}._target_" not in leaves and (group not in OPTIONAL or under(leaves, group)):
            check_leaf(f"{group}._target_", None, leaves)
    for path, value in leaves.items():
        check_leaf(path, value, leaves)


def check_leaf(path: str, value: Any, leaves: Leaves) -> None:
    """Refuse one wrong value of the configuration `leaves`.

    Settings of torch's own optimizers and schedulers, and of lrbench's, are checked here; other classes,
    problems and losses judge theirs themselves.
    """
    group, _, key = path.partition(".")
    rule = RUN.get(path) or REQUEST.get(path)
    target = leaves.get(f"{group}._target_", "")
    if rule:
        check_value(path, value, rule)
    elif key == "_target_" and group in GROUPS and not isinstance(value, str):
        raise RequestError(
            f"{path}: the dotted path of a {group}, such as {EXAMPLES[group]}, is allowed, but {show(value)} came."
        )
    elif group in SETTINGS and target.startswith(CHECKED):
        rule = OWN_HYPERPARAMETERS.get(target, {}).get(key) or SETTINGS[group].get(key)
        if rule:
            check_value(path, value, rule, of=f" for {target}")
    elif not (group in GROUPS and key):
        raise RequestError(
            f"{path}: lrbench has no such key. {did_you_mean(path, [*RUN, *REQUEST, *GROUPS])}"
        )


def check_value(path: str, value: Any, rule: Rule, of: str = "") -> None:
    """Refuse a value that is not of the rule's."""
    if not rule.accepts(value):
        raise RequestError(f"{path}: {rule.allowed} is allowed{of}, but {show(value)} came.")


def show(value: Any) -> str:
    """Write a value as it would stand in YAML."""
    return json.dumps(value, ensure_ascii=False, default=str)


def flatten(tree: dict, prefix: str = "") -> Leaves:
    """Turn nested mappings into leaves; lists are leaves, and so are empty mappings."""
    leaves: Leaves = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        leaves |= flatten(value, f"{path}.") if isinstance(value, dict) and value else {path: value}
    return leaves


def under(leaves: Leaves, group: str) -> Leaves:
    """Return the leaves of one group without its prefix."""
    return {
        path.removeprefix(f"{group}."): value
        for path, value in leaves.items()
        if path.startswith(f"{group}.")
    }


def fingerprint(path: str, values: Iterable[Any]) -> np.ndarray:
    """Return the hashes of "path = value", shape (len(values), 2), uint64.

    A run's id is the sum of the hashes of its leaves (mod 2^64 in each half): it does not depend on their order, nor on whether a value was swept,
    given or a default.
    """
    digests = b"".join(
        blake2b(f"{path}={_canonical(value)}".encode(), digest_size=16).digest() for value in values
    )
    return np.frombuffer(digests, dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _canonical(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))
    return json.dumps(value, default=str)


def identifiers(sums: np.ndarray) -> np.ndarray:
    """Write sums of fingerprints, (R, 2) uint64, as (R,) bytes of 32 hexadecimal digits."""
    return np.frombuffer(np.ascontiguousarray(sums.astype(">u8")).tobytes().hex().encode(), dtype="S32")
