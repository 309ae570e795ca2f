"""Seconds: every run once more in the reference engine's rhythm, with a clock round it.

They belong to one machine and one moment: none is stored. Given a request, it gives a row a run:

    optimizer  status     steps_to_target  repeat_steps  step_seconds  step_spread  seconds_to_target
    adam       completed  212              500           0.000061      0.03         0.0129
"""

import math
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch

from lrbench import schedules
from lrbench.bench.progress import Progress, no_progress
from lrbench.config import Leaves, under
from lrbench.engines import reference
from lrbench.errors import RequestError
from lrbench.options import TrainOptions
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

# signs of other work on the machine
MOST_WAITING = 1.1  # wall time over this thread's CPU time
MOST_SPREAD = 0.2  # of the repeats, as a share of their median


@dataclass(frozen=True)
class Timings:
    """What was measured.

    Attributes:
        runs: a row each, as the store has it of an untimed training, and beside that, null where it failed:
            repeat_steps: the steps of a repeat;
            step_seconds, step_spread: the median over the repeats of the wall time of a step, and their
                interquartile range over that median;
            seconds_to_target: the median of what the repeats took until there; where they end before it, the
                steps to the target times step_seconds.
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


def measure(request: Request, progress: Progress = no_progress) -> Timings:
    """Train each run of a request once untimed, for its status and its first hit of the target, then time it.

    All are warmed up first, and timed by turns, so that what else the machine does meets all alike.

    progress: called between the timed parts with the trainings done and planned.

    Raises:
        RequestError: for a wrong request, more than `MOST_RUNS` runs, another engine than the reference one.
    """
    planned = _planned(request)
    load = _load_average()
    done = count(1)

    def tick() -> None:
        progress("timing", next(done), len(planned) * (2 + REPEATS))

    runs = []
    for run in _trained(planned, request.options.target):
        tick()
        runs.append(run)
    with _undisturbed() as pinned:
        timed = _timed_by_turns(runs, tick)
    problems = problem_rows(planned)
    rows = [run.row() for run in runs]
    return Timings(rows, problems, _conditions(timed, pinned), _signs(timed, load), planned.warnings)


def busy(wall: float, cpu: float, spread: float, load: float, processors: int) -> list[str]:
    """Say what speaks for other work on the machine.

    wall, cpu: seconds in the timed parts, and of them those in which this thread computed;
    spread: the largest of the runs, as a share of the median; load: the load average at the beginning.
    """
    signs = []
    if wall > MOST_WAITING * cpu:
        waited = wall / cpu - 1 if cpu > 0 else 0.0
        signs.append(f"wall time {100 * waited:.0f} % above this thread's CPU time")
    if spread > MOST_SPREAD:
        signs.append(f"a spread of {100 * spread:.0f} %")
    if load > processors - 1:  # one of them is ours
        having = f"with {processors} processor{'' if processors == 1 else 's'}"
        signs.append(f"a load average of {load:.2f} at the beginning, {having}")
    return signs


def _planned(request: Request) -> Plan:
    """Plan what may be timed."""
    if request.options.engine == "fused":
        allowed = "time measures torch's own steps, so auto or reference is allowed"
        raise RequestError(f"engine: {allowed}, but fused came. Leave engine out.")
    if request.tune:
        advice = "Leave it out, and give the settings that it chose."
        raise RequestError(f"tune: time measures settings as they are given. {advice}")
    if not request.native:
        reason = "time trains one run after the other in this process"
        raise RequestError(f"hydra/launcher, hydra/sweeper: {reason}. Leave them out.")
    planned = plan(request.blocks)
    if len(planned) > MOST_RUNS:
        allowed = f"time takes a few settings, at most {MOST_RUNS} runs"
        raise RequestError(f"{allowed}, but {len(planned)} came. Ask for fewer values, or one seed.")
    check_optimizers(planned, "reference")
    return planned


def _timed_by_turns(runs: "list[_Run]", tick: Callable[[], None]) -> "list[_Run]":
    """Warm all runs up, time those that did not fail, and return these."""
    for run in runs:
        run.warm_up()
        tick()
    timed = [run for run in runs if run.steps]
    for _ in range(REPEATS):
        for run in timed:
            run.repeat()
            tick()
    return timed


def _signs(timed: "list[_Run]", load: float) -> list[str]:
    wall = sum(sum(run.wall) for run in timed)
    cpu = sum(sum(run.cpu) for run in timed)
    spread = max((run.spread for run in timed), default=0.0)
    return busy(wall, cpu, spread, load, os.cpu_count() or 1)


# ---- runs


class _Clocks(NamedTuple):
    """What one training took, without what stands before its loop.

    Attributes:
        steps: how many there were.
        wall, cpu: seconds of the loop.
        until: wall seconds until the first hit of the target; nan where that lies beyond the last step.
    """

    steps: int
    wall: float
    cpu: float
    until: float


class _Parts(NamedTuple):
    """What torch's own loop is made of."""

    model: reference.LinearModel
    criterion: Any
    optimizer: torch.optim.Optimizer
    scheduler: Any
    X: torch.Tensor  # (n, d)
    y: torch.Tensor  # (n, 1)


@dataclass
class _Run:
    """A run between its untimed training and its row.

    Attributes:
        stored: its row, as for the store.
        losses: (steps + 1,) its loss curve; a schedule may want to see it.
        steps: the steps of a repeat; 0 before the warm-up, and where the run failed.
        wall, cpu, until: those of `_Clocks`, of each repeat.
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
            self.steps = self._timed(_for_seconds(MOST_SECONDS, self._batches())).steps
        # a third party's: beyond the first state that is not finite no training has been before
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")

    def repeat(self) -> None:
        """Train the steps of the warm-up."""
        clocks = self._timed(list(islice(self._batches(), self.steps)))
        self.wall.append(clocks.wall)
        self.cpu.append(clocks.cpu)
        self.until.append(clocks.until)

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
            place = self.stored.column_names.index(name)
            self.stored = self.stored.set_column(place, name, pa.array([value]))

    def _batches(self) -> Iterator[Rows]:
        run = self.leaves
        return batches(self.problem.data.n, run["batch_size"], run["batch_order"], run["seed"], run["steps"])

    def _parts(self) -> _Parts:
        """Make model, criterion, optimizer and scheduler at the run's start."""
        run, data = self.leaves, self.problem.data
        dtype = getattr(torch, run["dtype"])
        model = reference.LinearModel(data.d, data.intercept, dtype)
        reference.set_weights(model, start(run["init"], run["seed"], data.d, data.p), dtype)
        criterion = reference.make_criterion(run, self.problem, model)
        optimizer = reference.build(under(run, "optimizer"), model.parameters())
        scheduler = schedules.make(optimizer, under(run, "schedule"), run["steps"])
        reference.set_mode(optimizer, "train")
        X = torch.tensor(data.X, dtype=dtype)
        y = torch.tensor(data.y, dtype=dtype).reshape(-1, 1)
        return _Parts(model, criterion, optimizer, scheduler, X, y)

    def _timed(self, rows: Iterable[Rows]) -> _Clocks:
        """Train from the start."""
        model, criterion, optimizer, scheduler, X, y = self._parts()
        wants_loss = scheduler is not None and reference.wants_loss(scheduler)
        step = reference.update_with_closure if reference.wants_closure(optimizer) else reference.update
        # nothing is looked up in the loop that could be looked up here: it would be timed
        hit, last, losses = self._hit, self.leaves["steps"], self.losses
        t, until = 0, math.nan
        wall, cpu = perf_counter(), thread_time()
        for t, batch in enumerate(rows, start=1):
            step(model, criterion, optimizer, X[batch], y[batch])
            if t == hit:
                until = perf_counter() - wall
            if scheduler is not None and t < last:
                scheduler.step(losses[t]) if wants_loss else scheduler.step()
        return _Clocks(t, perf_counter() - wall, thread_time() - cpu, until)


def _trained(planned: Plan, target: str | float) -> Iterator[_Run]:
    """Train each run untimed, as a sweep with engine=reference does."""
    trained = train(planned, TrainOptions("reference", "all", target, executor="local"))
    for (problem, leaves), (stored, curve) in zip(_runs(planned), trained, strict=True):
        yield _Run(problem, leaves, stored, curve["loss"][0].as_py())


def _runs(planned: Plan) -> Iterator[tuple[Problem, Leaves]]:
    for group in planned.groups:
        for row in range(len(group)):
            yield planned.problems[group.problem_id], group.run(row)


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
    threads = torch.get_num_threads()
    allowed = _allowed_processors()
    torch.set_num_threads(1)
    try:
        yield _pin({max(allowed, default=0)})
    finally:
        torch.set_num_threads(threads)
        _pin(allowed)


def _allowed_processors() -> set[int]:
    """Return those that this thread may run on; none where the system does not say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


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
    fewest, most = steps[0], steps[-1]
    span = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    where = "pinned to one processor" if pinned else "not pinned to a processor"
    machine = f"{_processor()}, torch {torch.__version__}"
    return f"Medians of {REPEATS} repeats of {span} steps, on one thread, {where}: {machine}."


def _processor() -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    names = [*models, platform.processor(), platform.machine()]
    return next(filter(None, names), "a processor without a name")
