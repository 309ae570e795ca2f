"""The runs that all competitors train, and the arrays that the fused engine makes of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from unittest import mock

import numpy as np

from lrbench.engines import compiled, fused
from lrbench.engines.arguments import Records, Runs, Scratch, Task, Watch
from lrbench.engines.outcome import TARGETS, Outcome, recorded_steps
from lrbench.optimizers import Rule
from lrbench.plan import Group, plan
from lrbench.problems.solve import Problem
from lrbench.seeds import start
from lrbench.sweeper.request import read

RECORD = 50
TARGET = 1e-6
NOTED = ("hits", "arrivals", "bad", "peak", "mark", "stopped")  # of Watch, what the kernel writes
KEPT = ("gaps", "sums", "ends")  # of Records
LR = {"sgd": (0.01, 1.9), "adam": (0.001, 1.0)}


class Call(NamedTuple):
    """What the kernel is called with."""

    task: Task
    runs: Runs
    watch: Watch
    records: Records
    scratch: Scratch
    functions: tuple

    def copied(self) -> "Call":
        """Return a call whose changing arrays are its own."""
        runs, watch, records = self.runs, self.watch, self.records
        return self._replace(
            runs=runs._replace(W=runs.W.copy(), state=runs.state.copy()),
            watch=watch._replace(**{name: getattr(watch, name).copy() for name in NOTED}),
            records=records._replace(**{name: getattr(records, name).copy() for name in KEPT}),
        )


@dataclass(frozen=True)
class Case:
    """R runs of one optimizer on a synthetic problem: learning rates spaced in log, 10 seeds or 100."""

    optimizer: str
    d: int
    runs: int
    batch: int | None = None
    dtype: str = "float64"
    steps: int = 500
    betas: int = 1  # distinct ones side by side, for Adam

    @property
    def seeds(self) -> int:
        return 10 if self.runs <= 10_000 else 100

    @property
    def n(self) -> int:
        return 1000 if self.batch else max(100, 2 * self.d)

    @property
    def run_steps(self) -> int:
        return self.runs * self.steps

    def lines(self) -> list[str]:
        """Write the request.

        The last line moves fastest, so that a tile holds as many distinct betas as it can.
        """
        betas = [f"[{beta1:.6f},0.999]" for beta1 in np.linspace(0.8, 0.95, self.betas)]
        rates = np.geomspace(*LR[self.optimizer], self.runs // self.seeds // self.betas)
        lines = [
            "problem=synthetic",
            f"problem.n={self.n}",
            f"problem.d={self.d}",
            f"steps={self.steps}",
            f"dtype={self.dtype}",
        ]
        if self.batch:
            lines += [f"batch_size={self.batch}", "batch_order=replacement"]
        lines += [
            f"optimizer={self.optimizer}",
            f"seed=range({self.seeds})",
            f"optimizer.lr={','.join(map(repr, rates.tolist()))}",
        ]
        if self.betas > 1:
            lines.append(f"optimizer.betas={','.join(betas)}")
        return lines


class Planned:
    """A case with its runs, problem and chunks."""

    def __init__(self, case: Case):
        self.case = case
        todo = plan(read(case.lines(), multirun=True).blocks)
        (self.group,) = todo.groups
        self.problem: Problem = todo.problems[self.group.problem_id]
        self.step = recorded_steps(case.steps, RECORD)
        self.chunks: list[tuple[Rule, Group]] = list(fused.chunks(self.group, self.problem, len(self.step)))

    def train(self, map: Callable[..., Iterator[Outcome]] = map) -> list[Outcome]:
        """Train all runs as the engine does, chunk by chunk."""
        return list(map(self._train, self.chunks))

    def _train(self, chunk: tuple[Rule, Group]) -> Outcome:
        kept = fused.Kept(self.step, (*TARGETS, TARGET))
        return fused.train(*chunk, self.problem, kept, stop=np.zeros(1, np.int64))

    def calls(self) -> list[Call]:
        """Return what the kernel is called with, chunk by chunk; nothing is trained."""
        calls: list[Call] = []

        def keep(*arguments) -> None:
            calls.append(Call(*arguments))

        with mock.patch.object(compiled, "train", return_value=keep):
            self.train()
        return calls

    @cached_property
    def gaps(self) -> np.ndarray:
        """(R, K) the gaps that the fused engine recorded."""
        return np.concatenate([outcome.gap for outcome in self.train()])

    @cached_property
    def lr(self) -> np.ndarray:
        """(R,)"""
        column = self.group.column("optimizer.lr")
        return np.array(column.values)[column.codes]

    @cached_property
    def starts(self) -> np.ndarray:
        """(R, p) first weights."""
        seed, data = self.group.column("seed"), self.problem.data
        return np.stack([start("torch", value, data.d, data.p) for value in seed.values])[seed.codes]

    @cached_property
    def hessian(self) -> np.ndarray:
        return self.problem.R.T @ self.problem.R

    def rows(self) -> np.ndarray:
        """(steps, seeds, batch) the rows of each minibatch."""
        order = np.concatenate([call.task.batches.order for call in self.calls()])
        _, first = np.unique(order, axis=0, return_index=True)
        of_seeds = order[np.sort(first)].reshape(self.case.seeds, self.case.steps, self.case.batch)
        return of_seeds.transpose(1, 0, 2)


def copied(calls: list[Call]) -> tuple[list[Call]]:
    """Return calls whose changing arrays are their own, as the one argument of a job."""
    return ([call.copied() for call in calls],)


def run_kernel(dtype: str, calls: list[Call]) -> None:
    for call in calls:
        compiled.train(call.task, dtype)(*call)
