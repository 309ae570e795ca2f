"""The policy as conf/tune/ holds it: read, each key checked, and checked against the sweep that it is for."""

from collections.abc import Iterable, Sequence
from typing import Any

from lrbench.config import (
    LARGEST_WHOLE,
    NULL,
    Leaves,
    Rule,
    check_leaf,
    check_value,
    either,
    number,
    one_of,
    show,
    whole,
)
from lrbench.errors import RequestError, did_you_mean
from lrbench.plan import Block
from lrbench.seeds import tuning_seeds
from lrbench.tuning.policy import (
    SCALES,
    UNITS,
    Box,
    LrRange,
    Tune,
    dimensions,
    hyperparameters,
)

# ---- what each key may hold


def _distinct(rule: Rule, allowed: str) -> Rule:
    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or not value:
            return False
        every = all(map(rule.accepts, value))
        return every and len(set(value)) == len(value)

    return Rule(allowed, accepts)


def _interval(ends: Rule) -> Rule:
    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or len(value) != 2:
            return False
        low, high = value
        return ends.accepts(low) and ends.accepts(high) and low < high

    return Rule(f"[low, high] with low < high, each {ends.allowed}", accepts)


_SEED = whole(0, LARGEST_WHOLE)
_NUMBER = number()
_MAPPING = Rule("a mapping", lambda value: isinstance(value, dict))
_WORD = Rule("a word", lambda value: isinstance(value, str))
_POSITIVE = _interval(number(0, above=True))

RANGES = {
    "log": _POSITIVE,
    "linear": _interval(_NUMBER),
    "one_minus": _interval(number(0, 1, above=True)),
}
POLICY = {
    "trials": whole(1),
    "seeds": either(whole(1), _distinct(_SEED, "a list of distinct seeds")),
    "seed": _SEED,
    "sampler": one_of("grid", "sobol"),
    "rise": either(NULL, number(1)),
    "units": one_of("absolute", "oracle"),
    "keys": either(NULL, _distinct(_WORD, "a list of hyperparameters such as [lr]")),
}
GONE = {
    "tune.metric": (
        "Settings are chosen by a score: how early a run arrives at the target (target=...), and where it "
        "does not, how near it ends."
    ),
    "tune.reserve": "A box grows within tune.trials, so that all have the same number.",
}
_LR_RANGES = Rule("a mapping of absolute and oracle, each [low, high],", _MAPPING.accepts)


# ---- reading


def read(choice: str, node: dict[str, Any], optimizers: Sequence[str]) -> Tune:
    """Read the configuration of the group tune. `optimizers`: the choices that there are, and may have a box.

    Raises:
        RequestError: naming the key, what is allowed and what came.
    """
    _check_policy(node)
    units = node["units"]
    check_value("tune.lr", node.get("lr"), _LR_RANGES)
    check_value(f"tune.lr.{units}", node["lr"].get(units), _POSITIVE)
    _check_boxes(node.get("boxes"), optimizers)
    _check_keys(node["keys"], node["boxes"])

    policy: dict[str, Any] = {key: node[key] for key in POLICY}
    if not isinstance(node["seeds"], list):
        policy["seeds"] = tuning_seeds(node["seed"], count=node["seeds"])
    lr = [float(end) for end in node["lr"][units]]
    return Tune(choice=choice, **policy, lr=lr, boxes=node["boxes"])


def _check_policy(node: dict[str, Any]) -> None:
    known = [*POLICY, "lr", "boxes"]
    refuse_gone(f"tune.{key}" for key in node)
    for key in node:
        if key not in known:
            raise RequestError(f"tune.{key}: there is no such key. {did_you_mean(str(key), known)}")
    for key, rule in POLICY.items():
        check_value(f"tune.{key}", node.get(key), rule)


def refuse_gone(paths: Iterable[str]) -> None:
    """Refuse a key that there was once, with what stands in its place."""
    for path in paths:
        if path in GONE:
            raise RequestError(f"{path}: there is no such key any more. {GONE[path]} Leave it out.")


def _check_keys(keys: list[str] | None, boxes: dict[str, Box]) -> None:
    names = {"lr"}.union(*map(hyperparameters, boxes.values()))
    for key in keys or []:
        if key not in names:
            raise RequestError(f"tune.keys: no box holds '{key}'. {did_you_mean(key, sorted(names))}")


def _check_boxes(boxes: Any, optimizers: Sequence[str]) -> None:
    check_value("tune.boxes", boxes, _MAPPING)
    for optimizer, box in boxes.items():
        if optimizer not in optimizers:
            meant = did_you_mean(optimizer, list(optimizers))
            raise RequestError(f"tune.boxes.{optimizer}: there is no optimizer={optimizer}. {meant}")
        _check_box(f"tune.boxes.{optimizer}", box)


def _check_box(where: str, box: Any) -> None:
    check_value(where, box, _MAPPING)
    check_value(f"{where}.unit", box.get("unit", "none"), one_of(*UNITS))
    check_value(f"{where}.default", box.get("default", {}), _MAPPING)
    if "lr" in box:
        raise RequestError(
            f"{where}.lr: the range of lr is the same for all optimizers; give tune.lr.absolute=[low,high]."
        )
    for name in hyperparameters(box):
        _check_ranges(f"{where}.{name}", box[name])


def _check_ranges(where: str, box: Any) -> None:
    """Refuse what is no range and no list with a range in it, where a number is one that is not tuned."""
    ranges = [box]
    if isinstance(box, list):
        # a list of numbers alone tunes nothing, so it is refused as what it is
        not_numbers = [part for part in box if not _NUMBER.accepts(part)]
        ranges = not_numbers or [box]
    for scaled_range in ranges:
        if not _has_one_scale(scaled_range):
            raise RequestError(
                f"{where}: {', '.join(SCALES)} with [low, high] are allowed, such as {{log: [0.001, 1]}}, "
                f"but {show(scaled_range)} came."
            )
        [(scale, ends)] = scaled_range.items()
        check_value(f"{where}.{scale}", ends, RANGES[scale])


def _has_one_scale(scaled_range: Any) -> bool:
    if not isinstance(scaled_range, dict) or len(scaled_range) != 1:
        return False
    [scale] = scaled_range
    return scale in SCALES


# ---- a policy and the sweep that it is for


def check_blocks(tune: Tune, blocks: Iterable[Block], given: Iterable[str]) -> None:
    """Refuse what cannot be tuned in these blocks. `given`: the keys of the override lines.

    Raises:
        RequestError: naming the key and what to do.
    """
    given = set(given)
    for block in blocks:
        optimizer = block.choices["optimizer"]
        _check_defaults(tune, block)
        _check_something_is_tuned(tune, optimizer)
        for name in tune.names(optimizer):
            _check_name(name, optimizer, block.base)
            _check_not_given(f"optimizer.{name}", tune, block, given)
        _check_sampler(tune, optimizer)
        _check_seeds(tune, block)


def _check_defaults(tune: Tune, block: Block) -> None:
    optimizer = block.choices["optimizer"]
    for name, value in tune.class_defaults(optimizer).items():
        path = f"optimizer.{name}"
        if path not in block.base:
            raise RequestError(
                f"tune.boxes.{optimizer}.default: the optimizer has no hyperparameter '{name}'."
            )
        check_leaf(path, value, block.base)


def _check_something_is_tuned(tune: Tune, optimizer: str) -> None:
    if not tune.names(optimizer):
        possible = ", ".join(tune.possible_names(optimizer))
        raise RequestError(
            f"tune.keys: nothing of {optimizer} is tuned by {show(tune.keys)}. There are: {possible}."
        )


def _check_name(name: str, optimizer: str, leaves: Leaves) -> None:
    """Refuse a tuned hyperparameter that the configuration of the optimizer lacks."""
    settings = [path.removeprefix("optimizer.") for path in leaves if path.startswith("optimizer.")]
    own = [setting for setting in settings if setting != "_target_"]
    if name in own:
        return
    # a class of the user's own is configured by nothing but what its lines add
    if name == "lr" or not own:
        raise RequestError(
            f"optimizer.{name}: it is tuned, but not in the configuration of optimizer={optimizer}. "
            f"Add +optimizer.{name}=<its default>."
        )
    raise RequestError(
        f"tune.boxes.{optimizer}.{name}: optimizer={optimizer} has no such hyperparameter. "
        f"{did_you_mean(name, own)}"
    )


def _check_not_given(path: str, tune: Tune, block: Block, given: set[str]) -> None:
    """Refuse a value for what is tuned, but of a class of the user's own: there a line gives the default."""
    optimizer = block.choices["optimizer"]
    swept = any(path in axis for axis in block.axes)
    if swept or (path in given and optimizer != "custom"):
        raise RequestError(
            f"{path}: tune={tune.choice} tries values of its own for {optimizer}. Leave it out; "
            "where they may lie is tune.lr.absolute=[low,high] and tune.boxes, what is tuned tune.keys."
        )


def _check_sampler(tune: Tune, optimizer: str) -> None:
    any_range = LrRange(*tune.lr)
    count = len(dimensions(tune, optimizer, any_range))
    if tune.sampler == "grid" and count > 1:
        names = ", ".join(tune.names(optimizer))
        raise RequestError(
            f"tune.sampler: a grid is for one number, and {optimizer} has {count} ({names}). "
            "Use tune.sampler=sobol."
        )


def _check_seeds(tune: Tune, block: Block) -> None:
    for axis in block.axes:
        if "seed" in axis and len(axis) > 1:
            others = ", ".join(key for key in axis if key != "seed")
            raise RequestError(
                f"sweep.zip: seed moves together with {others}, but in a tuned sweep every setting runs on "
                "every seed. Leave it out of zip."
            )
    both = set(tune.seeds).intersection(evaluation_seeds([block]))
    if both:
        raise RequestError(
            f"tune.seeds: {min(both)} is also a seed of the evaluation (seed=), and what is chosen on it "
            "must be reported on others."
        )


def evaluation_seeds(blocks: Iterable[Block]) -> list[int]:
    """Return the seeds that a request asks for, each once."""
    seeds: list[int] = []
    for block in blocks:
        swept = [axis["seed"] for axis in block.axes if "seed" in axis]
        seeds += swept[0] if swept else [block.base["seed"]]
    return list(dict.fromkeys(seeds))
