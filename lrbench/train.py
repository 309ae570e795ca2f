"""Train the runs of a plan: the one place that chooses an engine. An optimizer that raises becomes a row that says why."""

import inspect
import pkgutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from lrbench.config import EXAMPLES, Leaves, under
from lrbench.engines.outcome import Outcome, recorded_steps
from lrbench.errors import RequestError, did_you_mean
from lrbench.optimizers import FAMILIES, Rule
from lrbench.plan import Group, Plan
from lrbench.problems.solve import Problem
from lrbench.records import curve_rows, path_rows, run_rows, targets
from lrbench.seeds import steps_per_epoch

Rows = tuple[pa.Table, pa.Table]  # for runs/ and curves/ of the store
MOST_TRACED = 100  # states of a path


def train(plan: Plan, ask: Leaves) -> Iterator[Rows]:
    """Train all runs of a plan; yield their rows as they are done. `ask` says with which engine, what to record, and the target."""
    halves = [(group, _fused(group, ask["engine"])) for group in plan.groups]
    yield from _train_fused(
        plan, [group.take(np.flatnonzero(fused)) for group, fused in halves if fused.any()], ask
    )
    for group in (group.take(np.flatnonzero(~fused)) for group, fused in halves if not fused.all()):
        for row in range(len(group)):
            one = group.take(np.array([row]))
            yield _rows(
                one,
                _reference(one.run(0), plan.problems[group.problem_id], ask),
                plan.problems[group.problem_id],
                ask,
                "reference",
            )


def trace(plan: Plan, ask: Leaves) -> Iterator[pa.Table]:
    """Train the few runs of a plan once more, and yield the weights on their way: run_id, and step and weights as lists."""
    for group in plan.groups:
        problem, fused = plan.problems[group.problem_id], _fused(group, ask["engine"])
        step = recorded_steps(group.shared["steps"], MOST_TRACED)
        for row in range(len(group)):
            one = group.take(np.array([row]))
            yield path_rows(
                one,
                step,
                _traced(one, problem, ask, step)
                if fused[row]
                else _reference(one.run(0), problem, ask, step.tolist()).path,
            )


def check_optimizers(plan: Plan, engine: str) -> None:
    """Refuse optimizers and schedules that do not exist, hyperparameters that they do not have, and an engine that cannot train them.

    Raises:
        RequestError: naming the dotted path, or the hyperparameter and those that there are.
    """
    for group in plan.groups:
        for path in group.column("schedule.lr_lambda").values:
            if path is not None:
                _resolve("schedule.lr_lambda", path, "a function such as mymodule.warm_up")
        if "schedule._target_" in group.shared:
            _check_arguments("schedule", group)
        if engine != "reference" and _fused(group, "auto").all():
            continue
        if engine == "fused":
            choices = ", ".join(
                f"{kind}={group.labels[kind]} ({group.shared.get(f'{kind}._target_', 'none')})"
                for kind in ("optimizer", "schedule")
            )
            raise RequestError(f"engine: fused has no rule for some runs of {choices}. Use engine=auto.")
        _check_arguments("optimizer", group)


def _check_arguments(kind: str, group: Group) -> None:
    target = group.shared[f"{kind}._target_"]
    parameters = inspect.signature(
        _resolve(f"{kind}._target_", target, f"a class such as {EXAMPLES[kind]}")
    ).parameters
    names = list(parameters)[1:]  # the first takes the model's parameters, or the optimizer
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in under(group.shared | group.columns, kind):
        if key != "_target_" and key not in names:
            raise RequestError(
                f"{kind}.{key}: {target} has no hyperparameter '{key}'. {did_you_mean(key, names)}"
            )


def _resolve(path: str, target: str, example: str):
    allowed = f"the dotted path of {example} is allowed"
    try:
        found = pkgutil.resolve_name(target)
    except Exception as error:  # whatever the user's module raises when it is imported
        raise RequestError(
            f"{path}: {allowed}, but {target} cannot be had: {type(error).__name__}: {error}."
        ) from error
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


def _train_fused(plan: Plan, groups: list[Group], ask: Leaves) -> Iterator[Rows]:
    """Train chunk after chunk on all processors, a few ahead of those that are taken."""
    if not groups:
        return
    from lrbench.engines import fused

    stop = np.zeros(1, dtype=np.int64)

    def work(rule: Rule, chunk: Group, problem: Problem) -> Rows:
        step = recorded_steps(chunk.shared["steps"], ask["record"])
        return _rows(
            chunk,
            fused.train(rule, chunk, problem, fused.Kept(step, targets(ask["target"])), stop),
            problem,
            ask,
            "fused",
        )

    jobs = (
        (rule, chunk, problem)
        for group in groups
        for problem in [plan.problems[group.problem_id]]
        for rule, chunk in fused.chunks(
            group, problem, len(recorded_steps(group.shared["steps"], ask["record"]))
        )
    )
    under_way: deque[Future[Rows]] = deque()
    with ThreadPoolExecutor(fused.workers()) as pool:
        try:
            for job in jobs:
                under_way.append(pool.submit(work, *job))
                if len(under_way) > fused.workers():
                    yield under_way[0].result()
                    under_way.popleft()
            while under_way:
                yield under_way[0].result()
                under_way.popleft()
        except KeyboardInterrupt:
            yield from (future.result() for future in under_way if future.done() and not future.exception())
            raise
        finally:
            stop[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)


def _traced(one: Group, problem: Problem, ask: Leaves, step: np.ndarray) -> np.ndarray:
    from lrbench.engines import fused

    [(rule, chunk)] = fused.chunks(one, problem, 0)
    kept = fused.Kept(step, targets(ask["target"]), traced=step)
    return fused.train(rule, chunk, problem, kept, stop=np.zeros(1, dtype=np.int64)).path


# ---- reference


def _reference(run: Leaves, problem: Problem, ask: Leaves, traced: Sequence[int] = ()) -> Outcome:
    from lrbench.engines import reference
    from lrbench.engines.curve import Curve, outcome

    curve = Curve(run["steps"], traced=dict.fromkeys(traced))
    with _one_thread(), np.errstate(over="ignore", invalid="ignore"):
        try:
            reference.train(problem, run, curve)
        except (
            Exception
        ) as error:  # a third party's construction and steps; the run becomes a row that says why
            curve.failure = f"{type(error).__name__}: {error}"
    epoch = steps_per_epoch(problem.data.n, run["batch_size"])
    return outcome(
        [curve], problem, recorded_steps(run["steps"], ask["record"]), targets(ask["target"]), epoch
    )


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
