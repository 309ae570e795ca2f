"""Seconds: every run once more in the reference engine's rhythm, with a clock round it. They belong to one machine and one moment: none is stored."""

import math
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
import pyarrow as pa
import torch

from lrbench import schedules
from lrbench.bench import Progress
from lrbench.config import Leaves, under
from lrbench.engines import reference
from lrbench.errors import RequestError
from lrbench.plan import Plan, plan
from lrbench.problems.solve import Problem
from lrbench.records import problem_rows
from lrbench.seeds import Rows, batches, start
from lrbench.sweeper.request import Request
from lrbench.train import check_optimizers, train

REPEATS = 7
MOST_SECONDS = 0.5  # of a repeat, about
LEAST_STEPS = 20  # of a repeat, where the run has so many
MOST_RUNS = 200
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Timings:
    """What was measured.

    Attributes:
        runs: a row each, as the store has it of an untimed training, and beside that, null where the run failed:
            repeat_steps: the steps of a repeat;
            step_seconds, step_spread: the median over the repeats of the wall time of a step, and their interquartile range over that median;
            seconds_to_target: the median of what the repeats took until there; where they end before it, the steps to the target times step_seconds.
        problems: a row a problem, as the store has it.
        conditions: under what the times were taken, a sentence.
        busy: why they may be worth little, in words; empty where nothing was seen.
        warnings: those of the plan.
    """

    runs: list[pa.Table]
    problems: pa.Table
    conditions: str
    busy: list[str]
    warnings: list[str]


def measure(request: Request, progress: Progress = lambda done, planned: None) -> Timings:
    """Train each run of a request once untimed, for its status and its first hit of the target, then warm up and time it, the runs by turns.

    progress: called between the timed parts with the trainings done and planned.

    Raises:
        RequestError: for a wrong request, for more than `MOST_RUNS` runs, and for an engine or launcher other than the reference engine here.
    """
    todo = _planned(request)
    load, done = _load_average(), count(1)

    def tick() -> None:
        progress(next(done), len(todo) * (2 + REPEATS))

    runs = list(_trained(todo, request.ask, tick))
    with _undisturbed() as pinned:
        for run in runs:
            run.warm_up()
            tick()
        timed = [run for run in runs if run.steps]
        for _ in range(REPEATS):
            for run in timed:
                run.repeat()
                tick()
    wall, cpu = (sum(sum(getattr(run, clock)) for run in timed) for clock in ("wall", "cpu"))
    seen = busy(wall, cpu, max((run.spread for run in timed), default=0.0), load, os.cpu_count() or 1)
    return Timings(
        [run.row() for run in runs], problem_rows(todo), _conditions(timed, pinned), seen, todo.warnings
    )


def busy(wall: float, cpu: float, spread: float, load: float, processors: int) -> list[str]:
    """Say what speaks for other work on the machine.

    wall, cpu: seconds in the timed parts, and of them those in which this thread computed; spread: the largest of the runs, as a share of the median;
    load: the load average at the beginning.
    """
    waited = wall / cpu - 1 if cpu > 0 else 0.0
    signs = {
        f"wall time {100 * waited:.0f} % above this thread's CPU time": wall > 1.1 * cpu,
        f"a spread of {100 * spread:.0f} %": spread > 0.2,
        f"a load average of {load:.2f} at the beginning, with {processors} processor{'s' * (processors != 1)}": load
        > processors - 1,
    }
    return [words for words, seen in signs.items() if seen]


def _planned(request: Request) -> Plan:
    if request.ask["engine"] == "fused":
        raise RequestError(
            "engine: time measures torch's own steps, so auto or reference is allowed, but fused came. Leave engine out."
        )
    if request.tune:
        raise RequestError(
            "tune: time measures settings as they are given. Leave it out, and give the settings that it chose."
        )
    if not request.native:
        raise RequestError(
            "hydra/launcher, hydra/sweeper: time trains one run after the other in this process. Leave them out."
        )
    todo = plan(request.blocks)
    if len(todo) > MOST_RUNS:
        raise RequestError(
            f"time takes a few settings, at most {MOST_RUNS} runs, but {len(todo)} came. Ask for fewer values, or one seed."
        )
    check_optimizers(todo, "reference")
    return todo


# ---- runs


@dataclass
class _Run:
    """A run between its untimed training and its row.

    Attributes:
        stored: its row, as for the store.
        losses: (steps + 1,) its loss curve; a schedule may want to see it.
        steps: the steps of a repeat; 0 before the warm-up, and where the run failed.
        wall, cpu: seconds of each repeat.
        until: wall seconds until the first hit of the target in each repeat; nan where that lies beyond it.
    """

    problem: Problem
    leaves: Leaves
    stored: pa.Table
    losses: list[float]
    steps: int = 0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    until: list[float] = field(default_factory=list)

    def warm_up(self) -> None:
        """Train as long as a repeat may take, which says how many steps it has."""
        if self.stored["status"][0].as_py() == "failed":
            return
        try:
            self.steps, *_ = self._timed(_for_seconds(MOST_SECONDS, self._batches()))
        except (
            Exception
        ) as error:  # a third party's: beyond the first state that is not finite no training has been before
            self._fail(f"{type(error).__name__}: {error}")

    def repeat(self) -> None:
        """Train the steps of the warm-up."""
        _, *seconds = self._timed(list(islice(self._batches(), self.steps)))
        for clock, value in zip((self.wall, self.cpu, self.until), seconds, strict=True):
            clock.append(value)

    @property
    def spread(self) -> float:
        """Interquartile range over median."""
        lower, median, upper = np.quantile(self.wall, [0.25, 0.5, 0.75])
        return float((upper - lower) / median)

    def row(self) -> pa.Table:
        """Return the stored row with the columns that `Timings` names."""
        step = float(np.median(self.wall)) / self.steps if self.steps else None
        measured = {
            "step_seconds": step,
            "step_spread": self.spread if self.steps else None,
            "seconds_to_target": self._seconds_to_target(step),
        }
        row = self.stored.append_column("repeat_steps", pa.array([self.steps or None], pa.int64()))
        for name, value in measured.items():
            row = row.append_column(name, pa.array([value], pa.float64()))
        return row

    @property
    def _hit(self) -> int | None:
        return self.stored["steps_to_target"][0].as_py()

    def _seconds_to_target(self, step: float | None) -> float | None:
        if step is None or self._hit is None:
            return None
        return float(np.median(self.until)) if 0 < self._hit <= self.steps else self._hit * step

    def _fail(self, reason: str) -> None:
        for name, value in {"status": "failed", "reason": reason}.items():
            self.stored = self.stored.set_column(
                self.stored.column_names.index(name), name, pa.array([value])
            )

    def _batches(self) -> Iterator[Rows]:
        return batches(
            self.problem.data.n, *(self.leaves[key] for key in ("batch_size", "batch_order", "seed", "steps"))
        )

    def _timed(self, rows: Iterable[Rows]) -> tuple[int, float, float, float]:
        """Train from the start; return how many steps it were, and of the loop alone the wall and CPU seconds, and the wall seconds to the target."""
        run, data = self.leaves, self.problem.data
        dtype = getattr(torch, run["dtype"])
        X = torch.tensor(data.X, dtype=dtype)
        y = torch.tensor(data.y, dtype=dtype).reshape(-1, 1)
        model = reference.LinearModel(data.d, data.intercept, dtype)
        reference.set_weights(model, start(run["init"], run["seed"], data.d, data.p), dtype)
        criterion = reference.make_criterion(run, self.problem, model)
        optimizer = reference.build(under(run, "optimizer"), model.parameters())
        scheduler = schedules.make(optimizer, under(run, "schedule"), run["steps"])
        wants_loss = scheduler is not None and reference.wants_loss(scheduler)
        step = reference.update_with_closure if reference.wants_closure(optimizer) else reference.update
        reference.set_mode(optimizer, "train")

        t, hit, until = 0, self._hit, math.nan
        wall, cpu = perf_counter(), thread_time()
        for t, batch in enumerate(rows, start=1):
            step(model, criterion, optimizer, X[batch], y[batch])
            if t == hit:
                until = perf_counter() - wall
            if scheduler is not None and t < run["steps"]:
                scheduler.step(self.losses[t]) if wants_loss else scheduler.step()
        return t, perf_counter() - wall, thread_time() - cpu, until


def _trained(todo: Plan, ask: Leaves, tick) -> Iterator[_Run]:
    """Train each run untimed, as a sweep with engine=reference does."""
    runs = (
        (todo.problems[group.problem_id], group.run(row))
        for group in todo.groups
        for row in range(len(group))
    )
    rows = train(todo, ask | {"engine": "reference", "record": "all"})
    for (problem, leaves), (stored, curve) in zip(runs, rows, strict=True):
        tick()
        yield _Run(problem, leaves, stored, curve["loss"][0].as_py())


def _for_seconds(seconds: float, rows: Iterable[Rows]) -> Iterator[Rows]:
    began = perf_counter()
    for step, batch in enumerate(rows):
        if step >= LEAST_STEPS and perf_counter() - began > seconds:
            return
        yield batch


# ---- the machine


@contextmanager
def _undisturbed() -> Iterator[bool]:
    """Give torch one thread, and this thread one processor; yield whether the system could do the latter."""
    threads, allowed = torch.get_num_threads(), getattr(os, "sched_getaffinity", lambda pid: set())(0)
    torch.set_num_threads(1)
    try:
        yield _pin({max(allowed, default=0)})
    finally:
        torch.set_num_threads(threads)
        _pin(allowed)


def _pin(processors: set[int]) -> bool:
    try:
        os.sched_setaffinity(0, processors)
    except (AttributeError, OSError):  # macOS and Windows; a system that forbids it
        return False
    return True


def _load_average() -> float:
    """Return that of the last minute; 0 where the system has none."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


def _conditions(timed: list[_Run], pinned: bool) -> str:
    steps = sorted({run.steps for run in timed}) or [0]
    span = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    where = "pinned to one processor" if pinned else "not pinned to a processor"
    return f"Medians of {REPEATS} repeats of {span} steps, on one thread, {where}: {_processor()}, torch {torch.__version__}."


def _processor() -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(
        filter(None, [*names, platform.processor(), platform.machine()]), "a processor without a name"
    )
