"""Swept override lines and the sweep: block into blocks: one composition per combination of group choices, the rest as columns.

Hydra composes a configuration in about 40 ms and has one grid for all. Here what can be a column is never composed, each optimizer may have its own
grid, and keys may move together, all in Hydra's own grammar:

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
    fixed = [_line(override) for override in parsed if not override.is_sweep_override()]
    experiments = [axis for axis in swept if axis.keys[0].lstrip("+") == "experiment"]
    if experiments:  # each may bring a block of its own
        rest = [_line(override) for override in parsed if override.key_or_group != "experiment"]
        return [
            variant for points in _combinations(experiments) for variant in variants([*rest, *points], loader)
        ]
    block = _sweep_block([*fixed, *first_choices(parsed, loader)], loader)
    together = block.pop("zip", None) or []
    found = [
        Variant(variant.fixed, _zipped(variant.axes, together))
        for variant in _with_block(block, fixed, swept, loader)
    ]
    for key in (
        key
        for variant in found
        for axis in variant.axes
        for key in axis.keys
        if key.partition(".")[0] == "tune"
    ):
        raise RequestError(
            f"{key}: how a sweep is tuned has one value for all of it, but it is swept here. Give one, and each its name=..."
        )
    return found


def first_choices(parsed: list[Override], loader: ConfigLoaderImpl) -> Lines:
    """Return the first choice of each swept group but experiments: lines that do not fit lrbench's own choice compose beside them."""
    groups = [
        override
        for override in parsed
        if override.is_sweep_override() and loader.get_group_options(override.key_or_group)
    ]
    return [_axis(override).points[0][0] for override in groups if override.key_or_group != "experiment"]


def is_plain(lines: Sequence[str], loader: ConfigLoaderImpl) -> bool:
    """Say whether lines can bring neither a sweep: block nor settings of Hydra's: then nothing need be composed to see them (40 ms)."""
    own = any("command-line" in source.provider for source in loader.get_sources())
    return not own and not any(
        line.lstrip("+~").startswith(("experiment", "sweep", "hydra")) for line in lines
    )


def into_block(line: str) -> str:
    """Let `sweep.optimizer.sgd.lr=0.1,1` write its text into the sweep: block, which no configuration holds unless an experiment brings one."""
    key, _, text = line.partition("=")
    if not key.startswith("sweep."):
        return line
    return f"++{key}={text if text.startswith('[') else _as_text(text)}"


# ---- the sweep: block


def _sweep_block(fixed: Lines, loader: ConfigLoaderImpl) -> dict[str, Any]:
    if is_plain(fixed, loader):
        return {}
    block = compose(loader, fixed).get("sweep")
    return OmegaConf.to_container(block, resolve=True) if block else {}  # type: ignore[return-value]


def _with_block(
    block: dict[str, Any], fixed: Lines, swept: list[Axis], loader: ConfigLoaderImpl
) -> Iterator[Variant]:
    """Join the block with the command line, which wins; a variant for each combination of choices with grids of their own."""
    given = {override.key_or_group: [_line(override)] for override in parse(fixed, loader)}
    given |= {axis.keys[0].lstrip("+"): [point[0] for point in axis.points] for axis in swept}
    grids = {group: grid for group, grid in block.items() if isinstance(grid, dict)}
    _check_grids(grids, loader)
    common = [
        _block_axis(key, value, loader)
        for key, value in block.items()
        if key not in grids and key not in given
    ]
    others = [axis for axis in swept if axis.keys[0] not in grids]
    choices_of = {
        group: given.get(group) or [f"{group}={choice}" for choice in grid] for group, grid in grids.items()
    }
    for chosen in product(*choices_of.values()):
        own = [
            _block_axis(f"{group}.{key}", value, loader)
            for group, line in zip(grids, chosen, strict=True)
            for key, value in (grids[group].get(line.partition("=")[2]) or {}).items()
            if f"{group}.{key}" not in given
        ]
        yield Variant([*fixed, *[line for line in chosen if line not in fixed]], [*common, *own, *others])


def _check_grids(grids: dict[str, dict[str, Any]], loader: ConfigLoaderImpl) -> None:
    for group, grid in grids.items():
        options = loader.get_group_options(group)
        for choice in grid:
            if not options:
                raise RequestError(
                    f"sweep.{group}: {group} is no config group, so it has no choice '{choice}'."
                )
            if choice not in options:
                there_are = did_you_mean(choice, options)
                raise RequestError(
                    f"sweep.{group}: {group} has no choice '{choice}'. {there_are} To sweep a key of every choice: {group}.key=a,b"
                )


def _block_axis(key: str, value: Any, loader: ConfigLoaderImpl) -> Axis:
    if isinstance(value, list):
        value = ",".join(map(_as_text, value))
    return _axis(parse([f"{key}={value if isinstance(value, str) else show(value)}"], loader)[0])


def _as_text(value: Any) -> str:
    """Write a value in Hydra's override grammar."""
    if isinstance(value, list):
        return f"[{','.join(map(_as_text, value))}]"
    return (
        QuotedString(text=value, quote=Quote.single).with_quotes() if isinstance(value, str) else show(value)
    )


def _zipped(axes: list[Axis], keys: list[str]) -> list[Axis]:
    """Let the axes of these keys move together."""
    if not keys:
        return axes
    together = {axis.keys[0]: axis for axis in axes if axis.keys[0] in keys}
    if missing := [key for key in keys if key not in together]:
        raise RequestError(
            f"sweep.zip: {missing[0]} is not swept here, so it cannot move together with {', '.join(together) or 'anything'}."
        )
    if len({len(axis.points) for axis in together.values()}) > 1:
        lengths = ", ".join(f"{key} has {len(axis.points)}" for key, axis in together.items())
        raise RequestError(f"sweep.zip: values that move together need lists of one length, but {lengths}.")
    points = [
        tuple(chain(*point)) for point in zip(*[axis.points for axis in together.values()], strict=True)
    ]
    return [Axis(tuple(together), points), *[axis for axis in axes if axis.keys[0] not in together]]


# ---- axes and blocks


def _line(override: Override) -> str:
    return override.input_line or ""


def _combinations(axes: list[Axis]) -> Iterator[Lines]:
    for points in product(*[axis.points for axis in axes]):
        yield list(chain(*points))


def _axis(override: Override) -> Axis:
    """Print each value and read it again, as Hydra's own sweeper does."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return Axis((key,), [(_line(override),)])
    if not override.is_discrete_sweep():
        raise RequestError(
            f"{override.input_line}: an interval holds no values to try; use range(), choice() or a list, or hydra/sweeper=optuna."
        )
    texts = list(override.sweep_string_iterator())
    if not texts:
        raise RequestError(f"{override.input_line}: there is no value in it; give at least one.")
    text, count = Counter(texts).most_common(1)[0]
    if count > 1:
        raise twice(key, text)
    return Axis((key,), [(f"{key}={text}",) for text in texts])


def _blocks(variant: Variant, loader: ConfigLoaderImpl) -> Iterator[Block]:
    """Compose once per combination of what must be composed; the other axes become columns."""
    names = [override.key_or_group for override in parse(variant.fixed, loader)] + [
        key for axis in variant.axes for key in axis.keys
    ]
    keys = [name for name in names if not loader.get_group_options(name)]
    columns = [axis for axis in variant.axes if _may_be_columns(axis, keys)]
    composed = [axis for axis in variant.axes if axis not in columns]
    for points in _combinations(composed):
        lines = [*variant.fixed, *points]
        config = compose(loader, [*lines, *chain(*[axis.points[0] for axis in columns])])
        base = leaves(config)
        if _are_columns(config, base, columns):
            yield Block(choices(config), base, [_values(axis, loader) for axis in columns])
        else:
            for job in Variant(lines, columns).jobs():
                config = compose(loader, job)
                yield Block(choices(config), leaves(config), [])


def _may_be_columns(axis: Axis, keys: Lines) -> bool:
    """Accept plain keys (no config groups) that have no other override on their path, with values that Hydra would take as they stand."""

    def alone(key: str) -> bool:
        return (
            sum(other == key or other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in keys)
            == 1
        )

    plain = all(re.fullmatch(r"[\w.]+", key) and key in keys and alone(key) for key in axis.keys)
    return plain and not any(mark in line for point in axis.points for line in point for mark in ("{", "???"))


def _are_columns(config: DictConfig, base: Leaves, columns: list[Axis]) -> bool:
    """Say whether every column is a leaf, and no interpolation could look at one."""
    return all(key in base for axis in columns for key in axis.keys) and "${" not in repr(
        OmegaConf.to_container(without_hydra(config))
    )


def _values(axis: Axis, loader: ConfigLoaderImpl) -> dict[str, list[Any]]:
    """Read the values of an axis, a list for each of its keys."""
    parsed = parse(list(chain(*axis.points)), loader)
    values = {
        key: [override.value() for override in parsed[position :: len(axis.keys)]]
        for position, key in enumerate(axis.keys)
    }
    if len(axis.keys) == 1:
        (key,) = axis.keys
        first, counts = np.unique(
            fingerprint(key, values[key]), axis=0, return_index=True, return_counts=True
        )[1:]
        if (counts > 1).any():
            raise twice(key, show(values[key][first[counts > 1][0]]))
    return values
