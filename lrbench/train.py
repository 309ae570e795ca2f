"""Train the runs of a plan: the one place that chooses an engine. An optimizer that raises becomes a row that says why."""

import inspect
import pkgutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from lrbench import schedules
from lrbench.config import EXAMPLES, Leaves, under
from lrbench.engines.outcome import Outcome, recorded_steps
from lrbench.errors import RequestError, did_you_mean
from lrbench.optimizers import FAMILIES, Rule
from lrbench.plan import Group, Plan
from lrbench.problems.solve import Problem
from lrbench.records import curve_rows, run_rows, targets

Rows = tuple[pa.Table, pa.Table]  # for runs/ and curves/ of the store


def train(plan: Plan, ask: Leaves) -> Iterator[Rows]:
    """Train all runs of a plan; yield their rows as they are done. `ask` says with which engine, what to record, and the target."""
    halves = [(group, _fused(group, ask["engine"])) for group in plan.groups]
    left: list[Group] = []
    yield from _train_fused(plan, [group.take(np.flatnonzero(fused)) for group, fused in halves if fused.any()], ask, left)
    for group in [*(group.take(np.flatnonzero(~fused)) for group, fused in halves if not fused.all()), *left]:
        for row in range(len(group)):
            one = group.take(np.array([row]))
            yield _rows(one, _reference(one.run(0), plan.problems[group.problem_id], ask), plan.problems[group.problem_id], ask, "reference")


def check_optimizers(plan: Plan, engine: str) -> None:
    """Refuse optimizers and schedules that do not exist, hyperparameters that they do not have, and an engine that cannot train them.

    Raises:
        RequestError: naming the dotted path, or the hyperparameter and those that there are.
    """
    for group in plan.groups:
        for path in group.column("schedule.lr_lambda").values:
            if path is not None:
                _resolve("schedule.lr_lambda", path, "a function such as mymodule.warm_up")
        if engine != "reference" and _fused(group, "auto").all():
            continue
        if engine == "fused":
            target, optimizer = group.shared["optimizer._target_"], group.labels["optimizer"]
            raise RequestError(f"engine: fused has no rule for some runs of optimizer={optimizer} ({target}). Use engine=auto.")
        _check_arguments("optimizer", group)
        if "schedule._target_" in group.shared:
            _check_arguments("schedule", group)


def _check_arguments(kind: str, group: Group) -> None:
    target = group.shared[f"{kind}._target_"]
    parameters = inspect.signature(_resolve(f"{kind}._target_", target, f"a class such as {EXAMPLES[kind]}")).parameters
    names = list(parameters)[1:]  # the first takes the model's parameters, or the optimizer
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in under(group.shared | group.columns, kind):
        if key != "_target_" and key not in names:
            raise RequestError(f"{kind}.{key}: {target} has no hyperparameter '{key}'. {did_you_mean(key, names)}")


def _resolve(path: str, target: str, example: str):
    allowed = f"the dotted path of {example} is allowed"
    try:
        found = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise RequestError(f"{path}: {allowed}, but {target} cannot be had: {error}.") from error
    if not callable(found):
        raise RequestError(f"{path}: {allowed}, but {target} is a {type(found).__name__}.")
    return found


# ---- fused


def _fused(group: Group, engine: str) -> np.ndarray:
    """Say which runs the fused engine trains, (R,) bool."""
    if engine == "reference" or group.shared["optimizer._target_"] not in FAMILIES:
        return np.zeros(len(group), dtype=bool)
    from lrbench.engines import fused

    return fused.covers(group)


def _train_fused(plan: Plan, groups: list[Group], ask: Leaves, left: list[Group]) -> Iterator[Rows]:
    """Train chunk after chunk on all processors, a few ahead of those that are taken; put those whose schedule torch refuses into `left`."""
    if not groups:
        return
    from lrbench.engines import fused

    def work(rule: Rule, chunk: Group, problem: Problem) -> Rows | None:
        try:
            outcome = fused.train(rule, chunk, problem, recorded_steps(chunk.shared["steps"], ask["record"]), targets(ask["target"]), stop)
        except schedules.Refused:
            return None
        return _rows(chunk, outcome, problem, ask, "fused")

    stop, ahead = np.zeros(1, dtype=np.int64), fused.workers() + 1
    jobs = (
        (rule, chunk, problem)
        for group in groups
        for problem in [plan.problems[group.problem_id]]
        for rule, chunk in fused.chunks(group, problem.data.p, len(recorded_steps(group.shared["steps"], ask["record"])))
    )
    under_way: deque[tuple[Group, Future[Rows | None]]] = deque()
    with ThreadPoolExecutor(fused.workers()) as pool:
        try:
            for rule, chunk, problem in jobs:
                under_way.append((chunk, pool.submit(work, rule, chunk, problem)))
                if len(under_way) == ahead:
                    yield from _taken(*under_way.popleft(), left)
            while under_way:
                yield from _taken(*under_way.popleft(), left)
        except BaseException:  # interrupted, above all: what the threads are at is given up
            stop[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _taken(chunk: Group, future: "Future[Rows | None]", left: list[Group]) -> Iterator[Rows]:
    rows = future.result()
    if rows is None:
        left.append(chunk)
    else:
        yield rows


# ---- reference


def _reference(run: Leaves, problem: Problem, ask: Leaves) -> Outcome:
    from lrbench.engines import reference
    from lrbench.engines.curve import Curve, outcome

    curve = Curve(run["steps"])
    with _one_thread(), np.errstate(over="ignore", invalid="ignore"):
        try:
            reference.train(problem, run, curve)
        except Exception as error:  # a third party's construction and steps; the run becomes a row that says why
            curve.failure = f"{type(error).__name__}: {error}"
    return outcome([curve], problem, recorded_steps(run["steps"], ask["record"]), targets(ask["target"]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over many rows come out the same on every machine only if one thread makes them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _rows(group: Group, outcome: Outcome, problem: Problem, ask: Leaves, engine: str) -> Rows:
    return run_rows(group, outcome, problem, ask["target"], engine), curve_rows(group, outcome)
