"""Swept override lines into blocks: one composition per combination of group choices, the rest as columns.

Hydra composes a configuration in about 30 ms; here what can be a column is never composed. Given
["optimizer=sgd,adam", "optimizer.lr=0.1,0.2", "seed=range(100)"], it gives two blocks of 200 runs, for sgd
and for adam: each one composition, and the axes {"optimizer.lr": [0.1, 0.2]} and {"seed": [0, 1, ..., 99]}.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from lrbench.config import Leaves, fingerprint, show
from lrbench.errors import RequestError
from lrbench.plan import Block
from lrbench.sweeper.axes import (
    Axis,
    Lines,
    Variant,
    combinations,
    first_choices,
    line_of,
    name_of,
    read_axis,
)
from lrbench.sweeper.compose import choices, compose, leaves, parse, without_hydra
from lrbench.sweeper.grids import join_with_command_line, sweep_block, zip_axes
from lrbench.sweeper.messages import twice


def expand(lines: Sequence[str], loader: ConfigLoaderImpl) -> list[Block]:
    """Expand override lines, swept ones among them, into blocks."""
    return [block for variant in variants(lines, loader) for block in _blocks(variant, loader)]


def variants(lines: Sequence[str], loader: ConfigLoaderImpl) -> list[Variant]:
    """Return a variant for each experiment and each choice that has a grid of its own."""
    parsed = parse(lines, loader)
    swept = [read_axis(override) for override in parsed if override.is_sweep_override()]
    experiments = [axis for axis in swept if name_of(axis) == "experiment"]
    if experiments:
        return _variants_of_experiments(experiments, parsed, loader)
    fixed = [line_of(override) for override in parsed if not override.is_sweep_override()]
    block = sweep_block([*fixed, *first_choices(parsed, loader)], loader)
    together = block.pop("zip", None) or []
    expanded = []
    for variant in join_with_command_line(block, fixed, swept, loader):
        _refuse_swept_tune(variant.axes)
        expanded.append(Variant(variant.fixed, zip_axes(variant.axes, together)))
    return expanded


def _variants_of_experiments(
    experiments: list[Axis], parsed: list[Override], loader: ConfigLoaderImpl
) -> list[Variant]:
    """Read the lines once with each experiment, which may bring a block of its own."""
    others = [line_of(override) for override in parsed if override.key_or_group != "experiment"]
    of_each = [variants([*others, *points], loader) for points in combinations(experiments)]
    return list(chain(*of_each))


def _refuse_swept_tune(axes: list[Axis]) -> None:
    for key in chain(*[axis.keys for axis in axes]):
        if key.partition(".")[0] == "tune":
            reason = "how a sweep is tuned has one value for all of it, but it is swept here"
            raise RequestError(f"{key}: {reason}. Give one, and each its name=...")


def _blocks(variant: Variant, loader: ConfigLoaderImpl) -> Iterator[Block]:
    """Compose once per combination of what must be composed; the other axes become columns."""
    columns = _columns(variant, loader)
    composed = [axis for axis in variant.axes if axis not in columns]
    first_values = list(chain(*[axis.points[0] for axis in columns]))
    for points in combinations(composed):
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


def _columns(variant: Variant, loader: ConfigLoaderImpl) -> list[Axis]:
    """Return the axes that may become columns."""
    names = [override.key_or_group for override in parse(variant.fixed, loader)]
    names += chain(*[axis.keys for axis in variant.axes])
    keys = [name for name in names if not loader.get_group_options(name)]
    return [axis for axis in variant.axes if _may_be_columns(axis, keys)]


def _may_be_columns(axis: Axis, keys: Lines) -> bool:
    """Accept plain keys, with values that Hydra would take as they stand.

    Plain keys are no config groups, and have no other override on their path.
    """
    if not all(_is_plain_key(key, keys) for key in axis.keys):
        return False
    text = "\n".join(chain(*axis.points))
    return "{" not in text and "???" not in text  # what is interpolated, and what is missing


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
    hashes = fingerprint(key, values)  # (len(values), 2)
    _, first_places, counts = np.unique(hashes, axis=0, return_index=True, return_counts=True)
    repeated = first_places[counts > 1]
    if len(repeated):
        raise twice(key, show(values[repeated[0]]))
