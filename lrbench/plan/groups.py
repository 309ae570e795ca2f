"""What is trained: groups of runs that one program can train together, and the plan that holds them all.

Six runs of SGD on the lecture's problem, two learning rates on three seeds, are a group with

    labels    {"problem": "lecture", "loss": "mse_sum", "optimizer": "sgd", "schedule": "none"}
    shared    {"optimizer._target_": "torch.optim.SGD", "steps": 500, "dtype": "float64", ...}
    columns   optimizer.lr and seed, as in blocks.py
    run_id    b"3aec...", b"e87f...", ...: six; of setting_id two, each three times
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrbench.config import Leaves, identifiers
from lrbench.plan.blocks import Column, constant
from lrbench.problems.solve import Problem


@dataclass(frozen=True)
class Group:
    """R runs that share problem, loss, optimizer class, batches, budget and dtype; the rest are columns."""

    labels: dict[str, str]
    problem_id: str
    shared: Leaves
    columns: dict[str, Column]
    runs: np.ndarray  # (R, 2) uint64, the fingerprints of the runs
    settings: np.ndarray  # (R, 2) uint64; a setting is a run without its seed

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def run_id(self) -> np.ndarray:
        """(R,) ids, bytes of 32 hexadecimal digits."""
        return identifiers(self.runs)

    @property
    def setting_id(self) -> np.ndarray:
        """(R,) ids, bytes of 32 hexadecimal digits."""
        return identifiers(self.settings)

    def take(self, places: np.ndarray) -> "Group":
        columns = {path: column.take(places) for path, column in self.columns.items()}
        runs, settings = self.runs[places], self.settings[places]
        return replace(self, columns=columns, runs=runs, settings=settings)

    def column(self, path: str, default: Any = None) -> Column:
        """Return a setting as a column, be it swept, shared or not given."""
        if path in self.columns:
            return self.columns[path]
        return constant(self.shared.get(path, default), len(self))

    def run(self, place: int) -> Leaves:
        """Return all settings of one run."""
        own = {path: column.value(place) for path, column in self.columns.items()}
        return self.shared | own


@dataclass(frozen=True)
class Plan:
    """All runs of a request, and the problems that they are about."""

    groups: list[Group]
    problems: dict[str, Problem]  # by problem_id
    warnings: list[str]

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    def without(self, run_ids: np.ndarray) -> "Plan":
        """Return the plan of all other runs."""
        if len(run_ids) == 0:  # nothing is stored yet: no ids to write and compare
            return self
        return self._where(lambda group: ~np.isin(group.run_id, run_ids))

    def only(self, run_ids: np.ndarray) -> "Plan":
        """Return the plan of these runs."""
        return self._where(lambda group: np.isin(group.run_id, run_ids))

    def _where(self, wanted: Callable[[Group], np.ndarray]) -> "Plan":
        parts = [group.take(np.flatnonzero(wanted(group))) for group in self.groups]
        return replace(self, groups=[part for part in parts if len(part)])

    def fingerprint(self) -> list[int]:
        """Return what identifies the set of runs, whatever their order.

        These are their number, and the two halves of the sum of their fingerprints.
        """
        total = np.zeros(2, dtype=np.uint64)
        for group in self.groups:
            total += group.runs.sum(axis=0)
        return [len(self), *total.tolist()]
