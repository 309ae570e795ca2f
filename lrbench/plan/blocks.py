"""What is asked: a composition of conf/ and the axes that are swept over it, as columns over R runs.

The axes [{"optimizer.lr": [0.1, 0.2]}, {"seed": [0, 1, 2]}] make six runs of one base, with the columns

    optimizer.lr   values [0.1, 0.2]   codes [0, 0, 0, 1, 1, 1]
    seed           values [0, 1, 2]    codes [0, 1, 2, 0, 1, 2]
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrbench.config import Leaves, fingerprint

Axis = dict[str, list[Any]]  # the values of settings that move together, by path


@dataclass(frozen=True)
class Column:
    """One setting over R runs: run i has values[codes[i]]."""

    values: list[Any]
    codes: np.ndarray  # (R,) integers

    def take(self, places: np.ndarray) -> "Column":
        return replace(self, codes=self.codes[places])

    def value(self, place: int) -> Any:
        return self.values[self.codes[place]]

    def to_list(self) -> list[Any]:
        return [self.values[code] for code in self.codes]

    def fingerprints(self, path: str) -> np.ndarray:
        """Return the hash of the setting at `path` of each run, (R, 2) uint64; each value is hashed once."""
        return fingerprint(path, self.values)[self.codes]


def constant(value: Any, count: int) -> Column:
    """Return the column of `count` runs that all have one value."""
    return Column([value], np.zeros(count, dtype=np.int64))


@dataclass(frozen=True)
class Block:
    """One composition: group choices, a flat base, and axes.

    Settings of one axis move together; different axes multiply, the last one fastest.
    """

    choices: dict[str, str]
    base: Leaves
    axes: list[Axis]

    @property
    def size(self) -> int:
        return int(np.prod(self._lengths, dtype=np.int64))

    @property
    def columns(self) -> dict[str, Column]:
        if not self.axes:
            return {}
        # the digits of each run's number, one an axis: no run is ever written out
        runs = np.arange(self.size)
        codes_of_axes = np.unravel_index(runs, self._lengths)
        columns = {}
        for axis, codes in zip(self.axes, codes_of_axes, strict=True):
            for path, values in axis.items():
                columns[path] = Column(values, codes)
        return columns

    @property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(map(length, self.axes))


def length(axis: Axis) -> int:
    """Return how many values each setting of an axis takes; they move together, so the first tells."""
    return len(next(iter(axis.values())))


# ---- pieces of a block


@dataclass(frozen=True)
class Piece:
    """The runs of a block that have every setting in common which a group shares.

    Attributes:
        choices: the block's.
        leaves: the settings of the composition, with the piece's own values of those that a group shares.
        columns: what still differs between its runs.
        size: their number R.
    """

    choices: dict[str, str]
    leaves: Leaves
    columns: dict[str, Column]
    size: int

    def column(self, path: str) -> Column:
        """Return a setting as a column, be it swept or not."""
        return self.columns.get(path) or constant(self.leaves[path], self.size)


def is_shared(path: str) -> bool:
    """Say whether all runs of a group have the same value there."""
    if path in ("init", "seed"):
        return False
    of_a_setting = path.startswith(("optimizer.", "schedule."))
    return not of_a_setting or path.endswith("._target_")


def pieces(block: Block) -> Iterator[Piece]:
    """Cut a block where settings that a group shares change."""
    shared, free = {}, {}
    for path, column in block.columns.items():
        kind = shared if is_shared(path) else free
        kind[path] = column
    if not shared:  # the rule: nothing to sort
        yield Piece(block.choices, block.base, free, block.size)
        return

    codes = np.stack([column.codes for column in shared.values()])  # (shared settings, R)
    combinations, piece_of_run = np.unique(codes, axis=1, return_inverse=True)
    for number, combination in enumerate(combinations.T):
        places = np.flatnonzero(piece_of_run == number)
        own_values = {}
        for (path, column), code in zip(shared.items(), combination, strict=True):
            own_values[path] = column.values[code]
        columns = {path: column.take(places) for path, column in free.items()}
        yield Piece(block.choices, block.base | own_values, columns, len(places))
