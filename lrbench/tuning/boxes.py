"""What is tuned, and where it may lie: the policy of conf/tune/, read and checked.

A policy is the same for every optimizer; a box holds what is an optimizer's own: the unit of its learning rate, its other hyperparameters and their
ranges. conf/tune/all.yaml says why they are as they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

LR = "optimizer.lr"
UNITS = ("gradient", "normalised", "none")
SCALES = ("log", "linear", "one_minus")
_FACTS = ("unit", "default")  # what a box holds beside hyperparameters
_SEED = whole(0, LARGEST_WHOLE)
_NUMBER = number()


def _distinct(rule: Rule, allowed: str) -> Rule:
    return Rule(
        allowed, lambda v: isinstance(v, list) and all(map(rule.accepts, v)) and len({*v}) == len(v) > 0
    )


def _interval(ends: Rule) -> Rule:
    return Rule(
        f"[low, high] with low < high, each {ends.allowed}",
        lambda v: isinstance(v, list) and len(v) == 2 and all(map(ends.accepts, v)) and v[0] < v[1],
    )


_MAPPING = Rule("a mapping", lambda v: isinstance(v, dict))
_POSITIVE = _interval(number(0, above=True))
RANGES = {"log": _POSITIVE, "linear": _interval(_NUMBER), "one_minus": _interval(number(0, 1, above=True))}
POLICY = {
    "trials": whole(1),
    "reserve": whole(0),
    "seeds": either(whole(1), _distinct(_SEED, "a list of distinct seeds")),
    "seed": _SEED,
    "sampler": one_of("grid", "sobol"),
    "metric": one_of("gap", "evaluations"),
    "units": one_of("absolute", "oracle"),
    "keys": either(
        NULL,
        _distinct(Rule("a word", lambda v: isinstance(v, str)), "a list of hyperparameters such as [lr]"),
    ),
}


@dataclass(frozen=True)
class Tune:
    """The policy of a tuned sweep, as the manifest keeps it.

    Attributes:
        choice: of the group tune.
        keys: the hyperparameters that are tuned; None for all of each box.
        trials, reserve: settings an optimizer may try, and more of them where its box grows.
        seeds: those of the trials.
        seed: of the stream that `seeds` came from, and of the sampler.
        lr: the range of the learning rate in `units`.
        boxes: by optimizer, as configured.
    """

    choice: str
    keys: list[str] | None
    trials: int
    reserve: int
    seeds: list[int]
    seed: int
    sampler: str
    metric: str
    units: str
    lr: list[float]
    boxes: dict[str, dict[str, Any]]

    def names(self, optimizer: str) -> list[str]:
        """Return the hyperparameters of an optimizer that are tuned, lr first."""
        own = ["lr", *(name for name in self.boxes.get(optimizer, {}) if name not in _FACTS)]
        return [name for name in own if self.keys is None or name in self.keys]

    def unit(self, optimizer: str) -> str:
        """Return one of UNITS: what a learning rate of 1 means with units: oracle."""
        return self.boxes.get(optimizer, {}).get("unit", "none")

    def defaults(self, optimizer: str, base: Leaves) -> Leaves:
        """Return the tuned leaves as the class has them: the box's `default`, else what the configuration holds."""
        default = self.boxes.get(optimizer, {}).get("default", {})
        return {
            f"optimizer.{name}": default.get(name, base[f"optimizer.{name}"])
            for name in self.names(optimizer)
        }


@dataclass(frozen=True)
class Dimension:
    """A number that is tuned: the hyperparameter at `path`, or one number of its list; evenly on a scale of SCALES between low and high."""

    path: str
    place: int | None
    scale: str
    low: float
    high: float


def dimensions(tune: Tune, optimizer: str, low: float, high: float) -> list[Dimension]:
    """Return the numbers of an optimizer that are tuned, with lr in [low, high]."""
    found = []
    for name in tune.names(optimizer):
        path, box = f"optimizer.{name}", {"log": [low, high]} if name == "lr" else tune.boxes[optimizer][name]
        for place, part in enumerate(box) if isinstance(box, list) else [(None, box)]:
            if isinstance(part, dict):
                [(scale, ends)] = part.items()
                found.append(Dimension(path, place, scale, *ends))
    return found


def lists(tune: Tune, optimizer: str) -> dict[str, list[Any]]:
    """Return, by path, the boxes that are lists: what is no range in them, a beta2 that stays as it is, is the value."""
    boxes = {
        f"optimizer.{name}": tune.boxes[optimizer][name] for name in tune.names(optimizer) if name != "lr"
    }
    return {path: box for path, box in boxes.items() if isinstance(box, list)}


# ---- reading


def read(choice: str, node: dict[str, Any], optimizers: Sequence[str]) -> Tune:
    """Read the configuration of the group tune. `optimizers`: the choices that there are, which may have a box.

    Raises:
        RequestError: naming the key, what is allowed and what came.
    """
    known = [*POLICY, "lr", "boxes"]
    for key in node:
        if key not in known:
            raise RequestError(f"tune.{key}: there is no such key. {did_you_mean(str(key), known)}")
    for key, rule in POLICY.items():
        check_value(f"tune.{key}", node.get(key), rule)
    units = node["units"]
    check_value(
        "tune.lr",
        node.get("lr"),
        Rule("a mapping of absolute and oracle, each [low, high],", _MAPPING.accepts),
    )
    check_value(f"tune.lr.{units}", node["lr"].get(units), _POSITIVE)
    _check_boxes(node.get("boxes"), optimizers)
    names = sorted({"lr", *(name for box in node["boxes"].values() for name in box if name not in _FACTS)})
    for key in node["keys"] or []:
        if key not in names:
            raise RequestError(f"tune.keys: no box holds '{key}'. {did_you_mean(key, names)}")
    seeds = node["seeds"] if isinstance(node["seeds"], list) else tuning_seeds(node["seed"], node["seeds"])
    policy: dict[str, Any] = {key: node[key] for key in POLICY} | {"seeds": seeds}
    return Tune(choice=choice, **policy, lr=[float(end) for end in node["lr"][units]], boxes=node["boxes"])


def _check_boxes(boxes: Any, optimizers: Sequence[str]) -> None:
    check_value("tune.boxes", boxes, _MAPPING)
    for optimizer, box in boxes.items():
        where = f"tune.boxes.{optimizer}"
        if optimizer not in optimizers:
            raise RequestError(
                f"{where}: there is no optimizer={optimizer}. {did_you_mean(optimizer, list(optimizers))}"
            )
        check_value(where, box, _MAPPING)
        check_value(f"{where}.unit", box.get("unit", "none"), one_of(*UNITS))
        check_value(f"{where}.default", box.get("default", {}), _MAPPING)
        if "lr" in box:
            raise RequestError(
                f"{where}.lr: the range of lr is the same for all optimizers; give tune.lr.absolute=[low,high]."
            )
        for name in (name for name in box if name not in _FACTS):
            _check_ranges(f"{where}.{name}", box[name])


def _check_ranges(where: str, box: Any) -> None:
    """Refuse what is neither a range nor a list with a range in it, where a number stands for one that is not tuned."""
    parts = [part for part in box if not _NUMBER.accepts(part)] if isinstance(box, list) else [box]
    for part in parts or [box]:
        if not isinstance(part, dict) or len(part) != 1 or next(iter(part)) not in SCALES:
            raise RequestError(
                f"{where}: {', '.join(SCALES)} with [low, high] are allowed, such as {{log: [0.001, 1]}}, but {show(part)} came."
            )
        [(scale, ends)] = part.items()
        check_value(f"{where}.{scale}", ends, RANGES[scale])


# ---- a policy and the sweep that it is for


def check_blocks(tune: Tune, blocks: Iterable[Block], given: Iterable[str]) -> None:
    """Refuse what cannot be tuned in these blocks. `given`: the keys of the override lines.

    Raises:
        RequestError: naming the key and what to do.
    """
    given = set(given)
    for block in blocks:
        optimizer = block.choices["optimizer"]
        names = tune.names(optimizer)
        _check_defaults(tune, block)
        if not names:
            raise RequestError(
                f"tune.keys: nothing of {optimizer} is tuned by {show(tune.keys)}. There are: lr{_others(tune, optimizer)}."
            )
        for name in names:
            _check_name(name, optimizer, block.base)
            _check_not_given(f"optimizer.{name}", tune, block, given)
        count = len(dimensions(tune, optimizer, *tune.lr))
        if tune.sampler == "grid" and count > 1:
            raise RequestError(
                f"tune.sampler: a grid is for one number, and {optimizer} has {count} ({', '.join(names)}). Use tune.sampler=sobol."
            )
        _check_seeds(tune, block)


def _check_defaults(tune: Tune, block: Block) -> None:
    for name, value in tune.boxes.get(block.choices["optimizer"], {}).get("default", {}).items():
        if f"optimizer.{name}" not in block.base:
            raise RequestError(
                f"tune.boxes.{block.choices['optimizer']}.default: the optimizer has no hyperparameter '{name}'."
            )
        check_leaf(f"optimizer.{name}", value, block.base)


def _others(tune: Tune, optimizer: str) -> str:
    return "".join(f", {name}" for name in tune.boxes.get(optimizer, {}) if name not in _FACTS)


def _check_name(name: str, optimizer: str, leaves: Iterable[str]) -> None:
    own = [
        path.removeprefix("optimizer.")
        for path in leaves
        if path.startswith("optimizer.") and path != "optimizer._target_"
    ]
    if name not in own and (name == "lr" or not own):
        raise RequestError(
            f"optimizer.{name}: it is tuned, but not in the configuration of optimizer={optimizer}. Add +optimizer.{name}=<its default>."
        )
    if name not in own:
        raise RequestError(
            f"tune.boxes.{optimizer}.{name}: optimizer={optimizer} has no such hyperparameter. {did_you_mean(name, own)}"
        )


def _check_not_given(path: str, tune: Tune, block: Block, given: set[str]) -> None:
    optimizer = block.choices["optimizer"]
    swept = any(path in axis for axis in block.axes)
    if swept or (path in given and optimizer != "custom"):
        what = f"tune={tune.choice} tries values of its own for {optimizer}"
        raise RequestError(
            f"{path}: {what}. Leave it out; where they may lie is tune.lr.absolute=[low,high] and tune.boxes, what is tuned tune.keys."
        )


def _check_seeds(tune: Tune, block: Block) -> None:
    for axis in block.axes:
        if "seed" in axis and len(axis) > 1:
            others = ", ".join(key for key in axis if key != "seed")
            raise RequestError(
                f"sweep.zip: seed moves together with {others}, but in a tuned sweep every setting runs on every seed. Leave it out of zip."
            )
    if twice := sorted({*tune.seeds} & {*evaluation_seeds([block])}):
        raise RequestError(
            f"tune.seeds: {twice[0]} is also a seed of the evaluation (seed=), and what is chosen on it must be reported on others."
        )


def evaluation_seeds(blocks: Iterable[Block]) -> list[int]:
    """Return the seeds that a request asks for, each once."""
    return list(
        dict.fromkeys(
            seed
            for block in blocks
            for seed in next((axis["seed"] for axis in block.axes if "seed" in axis), [block.base["seed"]])
        )
    )
