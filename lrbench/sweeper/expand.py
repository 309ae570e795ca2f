"""Swept override lines and the sweep: block into blocks: one composition per combination of
group choices, the rest as columns.

Hydra composes a configuration in about 40 ms and has one grid for all. Here what can be a column is never composed,
each optimizer may have its own grid, and keys may move together, all in Hydra's own grammar:

    sweep:
      seed: range(10)                             # text in Hydra's sweep grammar, or a list of values
      optimizer:                                  # a config group with a mapping: each choice has its own grid
        sgd:  {lr: [0.01, 0.1], momentum: [0, 0.9]}
        adam: {lr: "0.001,0.01"}
      zip: [steps, batch_size]                    # these move together

The command line wins over the block; there, `sweep.optimizer.sgd.lr=0.1,1` writes into it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override, Quote, QuotedString
from omegaconf import DictConfig, OmegaConf

from lrbench.config import Leaves, fingerprint, show
from lrbench.errors import RequestError, did_you_mean
from lrbench.plan import Block
from lrbench.sweeper.compose import choices, compose, leaves, parse, without_hydra
from lrbench.sweeper.messages import twice

Lines = list[str]
Grids = dict[
    str, dict[str, Any]
]  # by group, and there by choice: the settings that are swept, and their values


@dataclass(frozen=True)
class Axis:
    """Keys that are swept together, and the override lines of each point."""

    keys: tuple[str, ...]
    points: list[tuple[str, ...]]


@dataclass(frozen=True)
class Variant:
    """What is fixed and what is swept; the product of its axes are the jobs."""

    fixed: Lines
    axes: list[Axis]

    def jobs(self) -> Iterator[Lines]:
        for points in _combinations(self.axes):
            yield [*self.fixed, *points]


def expand(lines: Sequence[str], loader: ConfigLoaderImpl) -> list[Block]:
    """Expand override lines, swept ones among them, into blocks."""
    return [block for variant in variants(lines, loader) for block in _blocks(variant, loader)]


def variants(lines: Sequence[str], loader: ConfigLoaderImpl) -> list[Variant]:
    """Return a variant for each experiment and each choice that has a grid of its own."""
    parsed = parse(lines, loader)
    swept = [_axis(override) for override in parsed if override.is_sweep_override()]
    experiments = [axis for axis in swept if _name(axis) == "experiment"]
    if experiments:
        return _variants_of_experiments(experiments, parsed, loader)
    fixed = [line_of(override) for override in parsed if not override.is_sweep_override()]
    block = _sweep_block([*fixed, *first_choices(parsed, loader)], loader)
    together = block.pop("zip", None) or []
    zipped = []
    for variant in _with_block(block, fixed, swept, loader):
        zipped.append(Variant(variant.fixed, _zipped(variant.axes, together)))
    _refuse_swept_tune(zipped)
    return zipped


def _variants_of_experiments(
    experiments: list[Axis], parsed: list[Override], loader: ConfigLoaderImpl
) -> list[Variant]:
    """Read the lines once with each experiment, which may bring a block of its own."""
    others = [line_of(override) for override in parsed if override.key_or_group != "experiment"]
    of_each = [variants([*others, *points], loader) for points in _combinations(experiments)]
    return list(chain(*of_each))


def _refuse_swept_tune(zipped: list[Variant]) -> None:
    axes = (axis for variant in zipped for axis in variant.axes)
    for key in chain(*[axis.keys for axis in axes]):
        if key.partition(".")[0] == "tune":
            reason = "how a sweep is tuned has one value for all of it, but it is swept here"
            raise RequestError(f"{key}: {reason}. Give one, and each its name=...")


def first_choices(parsed: list[Override], loader: ConfigLoaderImpl) -> Lines:
    """Return the first choice of each swept group but experiments.

    Lines that do not fit lrbench's own choice compose beside them.
    """
    lines = []
    for override in parsed:
        group = override.key_or_group
        if override.is_sweep_override() and group != "experiment" and loader.get_group_options(group):
            lines.append(_axis(override).points[0][0])
    return lines


def is_plain(lines: Sequence[str], loader: ConfigLoaderImpl) -> bool:
    """Say whether lines can bring neither a sweep: block nor settings of Hydra's.

    Then nothing need be composed to see them (40 ms).
    """
    if any("command-line" in source.provider for source in loader.get_sources()):
        return False  # a folder of the user's may hold anything
    keys = [line.lstrip("+~") for line in lines]
    return not any(key.startswith(("experiment", "sweep", "hydra")) for key in keys)


def into_block(line: str) -> str:
    """Let `sweep.optimizer.sgd.lr=0.1,1` write its text into the sweep: block.

    No configuration holds the block unless an experiment brings one, so Hydra is told to add the key.
    """
    key, _, text = line.partition("=")
    if not key.startswith("sweep."):
        return line
    return f"++{key}={text if text.startswith('[') else _as_text(text)}"


def line_of(override: Override) -> str:
    return override.input_line or ""


# ---- the sweep: block


def _sweep_block(fixed: Lines, loader: ConfigLoaderImpl) -> dict[str, Any]:
    if is_plain(fixed, loader):
        return {}
    block = compose(loader, fixed).get("sweep")
    return OmegaConf.to_container(block, resolve=True) if block else {}  # type: ignore[return-value]


def _with_block(
    block: dict[str, Any], fixed: Lines, swept: list[Axis], loader: ConfigLoaderImpl
) -> Iterator[Variant]:
    """Join the block with the command line, which wins.

    There is a variant for each combination of choices with grids of their own.
    """
    given = {override.key_or_group: [line_of(override)] for override in parse(fixed, loader)}
    given |= {_name(axis): [point[0] for point in axis.points] for axis in swept}
    grids: Grids = {group: grid for group, grid in block.items() if isinstance(grid, dict)}
    _check_grids(grids, loader)
    common = []
    for key, value in block.items():
        if key not in grids and key not in given:
            common.append(_block_axis(key, value, loader))
    others = [axis for axis in swept if axis.keys[0] not in grids]
    for chosen in product(*_choices_of(grids, given)):
        own = []
        for key, value in _own_settings(grids, chosen):
            if key not in given:
                own.append(_block_axis(key, value, loader))
        new = [line for line in chosen if line not in fixed]
        yield Variant([*fixed, *new], [*common, *own, *others])


def _choices_of(grids: Grids, given: dict[str, Lines]) -> list[Lines]:
    """Return for each group with grids the lines that choose in it: those of the command line, or all with a grid."""
    lines = []
    for group, grid in grids.items():
        lines.append(given.get(group) or [f"{group}={choice}" for choice in grid])
    return lines


def _own_settings(grids: Grids, chosen: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield what the chosen lines, one a group such as optimizer=sgd, have in their grids: full keys and values."""
    for (group, grid), line in zip(grids.items(), chosen, strict=True):
        choice = line.partition("=")[2]
        for key, value in (grid.get(choice) or {}).items():
            yield f"{group}.{key}", value


def _check_grids(grids: Grids, loader: ConfigLoaderImpl) -> None:
    for group, grid in grids.items():
        options = loader.get_group_options(group)
        for choice in grid:
            if not options:
                reason = f"{group} is no config group, so it has no choice '{choice}'"
                raise RequestError(f"sweep.{group}: {reason}.")
            if choice not in options:
                there_are = did_you_mean(choice, options)
                advice = f"{there_are} To sweep a key of every choice: {group}.key=a,b"
                raise RequestError(f"sweep.{group}: {group} has no choice '{choice}'. {advice}")


def _block_axis(key: str, value: Any, loader: ConfigLoaderImpl) -> Axis:
    if isinstance(value, list):
        value = ",".join(map(_as_text, value))
    text = value if isinstance(value, str) else show(value)
    [override] = parse([f"{key}={text}"], loader)
    return _axis(override)


def _as_text(value: Any) -> str:
    """Write a value in Hydra's override grammar."""
    if isinstance(value, list):
        return f"[{','.join(map(_as_text, value))}]"
    if isinstance(value, str):
        return QuotedString(text=value, quote=Quote.single).with_quotes()
    return show(value)


def _zipped(axes: list[Axis], keys: list[str]) -> list[Axis]:
    """Let the axes of these keys move together."""
    if not keys:
        return axes
    together = {axis.keys[0]: axis for axis in axes if axis.keys[0] in keys}
    if missing := [key for key in keys if key not in together]:
        names = ", ".join(together) or "anything"
        reason = f"{missing[0]} is not swept here, so it cannot move together with {names}"
        raise RequestError(f"sweep.zip: {reason}.")
    if len({len(axis.points) for axis in together.values()}) > 1:
        lengths = ", ".join(f"{key} has {len(axis.points)}" for key, axis in together.items())
        raise RequestError(f"sweep.zip: values that move together need lists of one length, but {lengths}.")
    side_by_side = zip(*[axis.points for axis in together.values()], strict=True)
    points = [tuple(chain(*point)) for point in side_by_side]
    apart = [axis for axis in axes if axis.keys[0] not in together]
    return [Axis(tuple(together), points), *apart]


# ---- axes and blocks


def _name(axis: Axis) -> str:
    """Return the key of an axis as it was given, without Hydra's sign of addition."""
    return axis.keys[0].lstrip("+")


def _combinations(axes: list[Axis]) -> Iterator[Lines]:
    for points in product(*[axis.points for axis in axes]):
        yield list(chain(*points))


def _axis(override: Override) -> Axis:
    """Print each value and read it again, as Hydra's own sweeper does."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return Axis((key,), [(line_of(override),)])
    if not override.is_discrete_sweep():
        advice = "use range(), choice() or a list, or hydra/sweeper=optuna"
        raise RequestError(f"{override.input_line}: an interval holds no values to try; {advice}.")
    texts = list(override.sweep_string_iterator())
    if not texts:
        raise RequestError(f"{override.input_line}: there is no value in it; give at least one.")
    text, count = Counter(texts).most_common(1)[0]
    if count > 1:
        raise twice(key, text)
    return Axis((key,), [(f"{key}={text}",) for text in texts])


def _blocks(variant: Variant, loader: ConfigLoaderImpl) -> Iterator[Block]:
    """Compose once per combination of what must be composed; the other axes become columns."""
    names = [override.key_or_group for override in parse(variant.fixed, loader)]
    names += chain(*[axis.keys for axis in variant.axes])
    keys = [name for name in names if not loader.get_group_options(name)]
    columns = [axis for axis in variant.axes if _may_be_columns(axis, keys)]
    first_values = list(chain(*[axis.points[0] for axis in columns]))
    for points in _combinations([axis for axis in variant.axes if axis not in columns]):
        lines = [*variant.fixed, *points]
        config = compose(loader, [*lines, *first_values])
        base = leaves(config)
        if _are_columns(config, base, columns):
            yield Block(choices(config), base, [_values(axis, loader) for axis in columns])
        else:
            yield from _composed_blocks(Variant(lines, columns), loader)


def _composed_blocks(variant: Variant, loader: ConfigLoaderImpl) -> Iterator[Block]:
    """Compose each run by itself."""
    for job in variant.jobs():
        config = compose(loader, job)
        yield Block(choices(config), leaves(config), [])


def _may_be_columns(axis: Axis, keys: Lines) -> bool:
    """Accept plain keys, with values that Hydra would take as they stand.

    Plain keys are no config groups, and have no other override on their path.
    """
    if not all(_is_plain_key(key, keys) for key in axis.keys):
        return False
    lines = "\n".join(chain(*axis.points))
    return "{" not in lines and "???" not in lines  # what is interpolated, and what is missing


def _is_plain_key(key: str, keys: Lines) -> bool:
    if not re.fullmatch(r"[\w.]+", key):
        return False
    on_its_path = [other for other in keys if _is_within(other, key) or _is_within(key, other)]
    return on_its_path == [key]


def _is_within(key: str, other: str) -> bool:
    return key == other or key.startswith(f"{other}.")


def _are_columns(config: DictConfig, base: Leaves, columns: list[Axis]) -> bool:
    """Say whether every column is a leaf, and no interpolation could look at one."""
    keys = chain(*[axis.keys for axis in columns])
    if not all(key in base for key in keys):
        return False
    return "${" not in repr(OmegaConf.to_container(without_hydra(config)))


def _values(axis: Axis, loader: ConfigLoaderImpl) -> dict[str, list[Any]]:
    """Read the values of an axis, a list for each of its keys."""
    parsed = parse(list(chain(*axis.points)), loader)
    values = {}
    for position, key in enumerate(axis.keys):
        values[key] = [override.value() for override in parsed[position :: len(axis.keys)]]
    if len(axis.keys) == 1:  # of keys that move together one may repeat
        _refuse_twice(axis.keys[0], values[axis.keys[0]])
    return values


def _refuse_twice(key: str, values: list[Any]) -> None:
    """Refuse values that are the same though they were written otherwise, such as 0.1 and 1e-1."""
    _, first_places, counts = np.unique(
        fingerprint(key, values), axis=0, return_index=True, return_counts=True
    )
    repeated = first_places[counts > 1]
    if len(repeated):
        raise twice(key, show(values[repeated[0]]))
