"""The runs that all competitors train, and the arrays that the fused engine makes of them."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from unittest import mock

import numpy as np

from lrbench.engines import fused, kernels
from lrbench.engines.outcome import TARGETS, Outcome, recorded_steps
from lrbench.optimizers import Rule
from lrbench.plan import Group, plan
from lrbench.problems.solve import Problem
from lrbench.seeds import start
from lrbench.sweeper.request import read

RECORD = 50
TARGET = 1e-6
LR = {"sgd": (0.01, 1.9), "adam": (0.001, 1.0)}
CHANGED = ("W", "state", "gaps", "sums", "hits", "bad", "peak")  # by the kernel

Call = dict[str, np.ndarray]  # the kernel's arguments by name


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
        lrs = np.geomspace(*LR[self.optimizer], self.runs // self.seeds // self.betas)
        return [
            *(
                "problem=synthetic",
                f"problem.n={self.n}",
                f"problem.d={self.d}",
                f"steps={self.steps}",
                f"dtype={self.dtype}",
            ),
            *([f"batch_size={self.batch}", "batch_order=replacement"] if self.batch else []),
            *(
                f"optimizer={self.optimizer}",
                f"seed=range({self.seeds})",
                f"optimizer.lr={','.join(map(repr, lrs.tolist()))}",
            ),
            *([f"optimizer.betas={','.join(betas)}"] if self.betas > 1 else []),
        ]


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
        return fused.train(*chunk, self.problem, self.step, (*TARGETS, TARGET), np.zeros(1, np.int64))

    def calls(self) -> list[Call]:
        """Return what the kernel is called with, chunk by chunk; nothing is trained."""
        calls: list[Call] = []
        names = inspect.signature(kernels._run).parameters

        def keep(*arguments) -> None:
            calls.append(dict(zip(names, arguments, strict=True)))

        with mock.patch.object(kernels, "run", return_value=keep):
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
        order = np.concatenate([call["order"] for call in self.calls()])
        _, first = np.unique(order, axis=0, return_index=True)
        return (
            order[np.sort(first)]
            .reshape(self.case.seeds, self.case.steps, self.case.batch)
            .transpose(1, 0, 2)
        )


def copied(calls: list[Call]) -> tuple[list[Call]]:
    """Return calls whose changing arrays are their own."""
    return (
        [
            {name: value.copy() if name in CHANGED else value for name, value in call.items()}
            for call in calls
        ],
    )


def run_kernel(dtype: str, calls: list[Call]) -> None:
    kernel = kernels.run(dtype)
    for call in calls:
        kernel(*call.values())
