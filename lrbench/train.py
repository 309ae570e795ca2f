"""Train the runs of a plan: the one place that chooses an engine.

Given a plan and how it is trained, it gives chunk by chunk a table for runs/ and one for curves/ of the
store, with a row a run. An optimizer that raises becomes a row that says why.

    run_id   optimizer  optimizer.lr  status     final_gap  ...
    3f2a...  sgd        0.1           completed  0.2

    run_id   step       evaluations      loss             gap
    3f2a...  [0, 1, 2]  [0.0, 1.0, 2.0]  [4.3, 1.0, 0.4]  [4.1, 0.8, 0.2]

What few runs need beside that is found by training them once more, to the same bits: the weights on their way
(`trace`), and how they go on after their budget (`go_on`).

Letters of shapes: R runs, K recorded states, p weights.
"""

import inspect
import pkgutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from lrbench.config import EXAMPLES, Leaves, under
from lrbench.engines.curve import Curve, outcome
from lrbench.engines.outcome import Outcome, recorded_steps
from lrbench.engines.readings import going_on, highest_beyond
from lrbench.errors import RequestError, did_you_mean
from lrbench.optimizers import FAMILIES, Rule
from lrbench.options import TrainOptions
from lrbench.plan import Group, Plan
from lrbench.problems.solve import Problem
from lrbench.records import beyond_rows, curve_rows, path_rows, run_rows, targets
from lrbench.seeds import evaluations

Rows = tuple[pa.Table, pa.Table]  # for runs/ and curves/ of the store
Made = TypeVar("Made")  # of a chunk of runs
MOST_TRACED = 100  # states of a path
LONGER = 2  # times the budget: how far runs go on


def train(plan: Plan, options: TrainOptions) -> Iterator[Rows]:
    """Train all runs of a plan; yield their rows as they are done."""
    by_fused = [_is_fused(group, options.engine) for group in plan.groups]
    yield from _train_fused(plan, _parts(plan, by_fused), options)
    for group in _parts(plan, [~fused for fused in by_fused]):
        problem = plan.problems[group.problem_id]
        for single in _one_by_one(group):
            outcome = _reference_outcome(single, problem, options)
            yield _rows(single, outcome, problem, options, "reference")


def trace(plan: Plan, options: TrainOptions) -> Iterator[pa.Table]:
    """Train the few runs of a plan once more, and yield the weights on their way.

    A row a run: run_id, and step and weights as lists.
    """
    for group in plan.groups:
        problem = plan.problems[group.problem_id]
        states = recorded_steps(group.shared["steps"], MOST_TRACED)  # (K,)
        by_fused = _is_fused(group, options.engine)
        for single, fused in zip(_one_by_one(group), by_fused, strict=True):
            path_of = _fused_path if fused else _reference_path
            step, path = path_of(single, problem, options, states)
            yield path_rows(single, step, path)


def go_on(plan: Plan, options: TrainOptions) -> Iterator[pa.Table]:
    """Train the few runs of a plan once more and LONGER, and yield how they go on after their budget.

    A row a run, as they are done: run_id, and beyond, the highest mean gap of a pass over the rows that ends
    after the budget; inf where a state there is not finite, null where a run has no state there.
    """
    by_fused = [_is_fused(group, options.engine) for group in plan.groups]
    longer = [_longer(group) for group in _parts(plan, by_fused)]
    jobs = _fused_jobs(plan, longer, partial(_states_going_on, plan))
    yield from _in_threads(jobs, partial(_fused_beyond, options))
    for group in _parts(plan, [~fused for fused in by_fused]):
        problem = plan.problems[group.problem_id]
        for single in _one_by_one(_longer(group)):
            yield beyond_rows(single, _reference_beyond(single, problem))


def _longer(group: Group) -> Group:
    """Return these runs, by their own ids, with LONGER as many steps."""
    return replace(group, shared=group.shared | {"steps": LONGER * group.shared["steps"]})


def _evaluations(group: Group, problem: Problem) -> np.ndarray:
    """Return the gradient evaluations until each state, (steps + 1,), where each step takes one."""
    run = group.shared
    return evaluations(problem.data.n, run["batch_size"], run["batch_order"], run["steps"])


def _budget_before(longer: Group, problem: Problem) -> float:
    """Return the budget that runs had before they went on."""
    return float(_evaluations(longer, problem)[longer.shared["steps"] // LONGER])


def _parts(plan: Plan, chosen: list[np.ndarray]) -> list[Group]:
    """Return of each group the chosen runs, without groups that have none."""
    parts = []
    for group, runs in zip(plan.groups, chosen, strict=True):
        if runs.any():
            parts.append(group.take(np.flatnonzero(runs)))
    return parts


def _one_by_one(group: Group) -> Iterator[Group]:
    for row in range(len(group)):
        yield group.take(np.array([row]))


def _rows(group: Group, outcome: Outcome, problem: Problem, options: TrainOptions, engine: str) -> Rows:
    target = options.target_of(group.shared["batch_size"])
    return run_rows(group, outcome, problem, target, engine), curve_rows(group, outcome)


def _targets(group: Group, options: TrainOptions) -> tuple[float, ...]:
    """Return the relative gaps whose arrivals are noted."""
    return targets(options.target_of(group.shared["batch_size"]))


# ---- what cannot be trained


def check_optimizers(plan: Plan, engine: str) -> None:
    """Refuse unknown optimizers, schedules and hyperparameters, and an engine that cannot train them.

    Raises:
        RequestError: naming the dotted path, or the hyperparameter and those that there are.
    """
    for group in plan.groups:
        _check_schedule(group)
        # the fused engine's own optimizers are known, and torch is imported for others alone
        if engine != "reference" and _is_fused(group, "auto").all():
            continue
        if engine == "fused":
            raise _without_rule(group)
        _check_arguments("optimizer", group)


def _check_schedule(group: Group) -> None:
    for path in group.column("schedule.lr_lambda").values:
        if path is not None:
            _resolve("schedule.lr_lambda", path, "a function such as mymodule.warm_up")
    if "schedule._target_" in group.shared:
        _check_arguments("schedule", group)


def _without_rule(group: Group) -> RequestError:
    choices = []
    for kind in ("optimizer", "schedule"):
        target = group.shared.get(f"{kind}._target_", "none")
        choices.append(f"{kind}={group.labels[kind]} ({target})")
    return RequestError(f"engine: fused has no rule for some runs of {', '.join(choices)}. Use engine=auto.")


def _check_arguments(kind: str, group: Group) -> None:
    target = group.shared[f"{kind}._target_"]
    cls = _resolve(f"{kind}._target_", target, f"a class such as {EXAMPLES[kind]}")
    parameters = inspect.signature(cls).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    names = list(parameters)[1:]  # the first takes the model's parameters, or the optimizer
    for key in under(group.shared | group.columns, kind):
        if key != "_target_" and key not in names:
            hint = did_you_mean(key, names)
            raise RequestError(f"{kind}.{key}: {target} has no hyperparameter '{key}'. {hint}")


def _resolve(path: str, target: str, example: str) -> Callable[..., Any]:
    """Import what the key `path` names."""
    allowed = f"the dotted path of {example} is allowed"
    try:
        imported = pkgutil.resolve_name(target)
    except Exception as error:  # whatever the user's module raises when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise RequestError(f"{path}: {allowed}, but {target} cannot be had: {reason}.") from error
    if not callable(imported):
        raise RequestError(f"{path}: {allowed}, but {target} is a {type(imported).__name__}.")
    return imported


# ---- fused


class _Job(NamedTuple):
    """What one thread trains at once, and the states (K,) whose gaps it keeps."""

    rule: Rule
    chunk: Group
    problem: Problem
    states: np.ndarray


def _is_fused(group: Group, engine: str) -> np.ndarray:
    """Say which runs the fused engine trains, (R,) bool."""
    if engine == "reference" or group.shared["optimizer._target_"] not in FAMILIES:
        return np.zeros(len(group), dtype=bool)
    from lrbench.engines import fused  # it imports numba, which is slow

    return fused.covers(group)


def _train_fused(plan: Plan, groups: list[Group], options: TrainOptions) -> Iterator[Rows]:
    def states(group: Group) -> np.ndarray:
        return recorded_steps(group.shared["steps"], options.record)

    yield from _in_threads(_fused_jobs(plan, groups, states), partial(_fused_rows, options))


def _in_threads(jobs: Iterator[_Job], work: Callable[[_Job, np.ndarray], Made]) -> Iterator[Made]:
    """Train chunk after chunk on all processors, a few ahead of those that are taken."""
    first = next(jobs, None)
    if first is None:
        return
    from lrbench.engines import fused

    stop = np.zeros(1, dtype=np.int64)  # (1,) the kernel looks at it: how a thread in compiled code is told
    under_way: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(fused.workers()) as pool:
        try:
            for job in chain([first], jobs):
                under_way.append(pool.submit(work, job, stop))
                if len(under_way) > fused.workers():
                    yield from _first_of(under_way)
            while under_way:
                yield from _first_of(under_way)
        except KeyboardInterrupt:
            yield from (future.result() for future in under_way if future.done() and not future.exception())
            raise
        finally:
            stop[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)


def _first_of(under_way: deque[Future[Made]]) -> Iterator[Made]:
    """Wait for the first. It leaves the queue only when it is taken: an interruption does not lose it."""
    yield under_way[0].result()
    under_way.popleft()


def _fused_jobs(plan: Plan, groups: list[Group], states_of: Callable[[Group], np.ndarray]) -> Iterator[_Job]:
    if not groups:
        return
    from lrbench.engines import fused

    for group in groups:
        problem = plan.problems[group.problem_id]
        states = states_of(group)
        for rule, chunk in fused.chunks(group, problem, len(states)):
            yield _Job(rule, chunk, problem, states)


def _fused_outcome(options: TrainOptions, job: _Job, stop: np.ndarray) -> Outcome:
    from lrbench.engines import fused

    kept = fused.Kept(job.states, _targets(job.chunk, options))
    return fused.train(job.rule, job.chunk, job.problem, kept, stop)


def _fused_rows(options: TrainOptions, job: _Job, stop: np.ndarray) -> Rows:
    return _rows(job.chunk, _fused_outcome(options, job, stop), job.problem, options, "fused")


def _states_going_on(plan: Plan, longer: Group) -> np.ndarray:
    problem = plan.problems[longer.problem_id]
    return going_on(_evaluations(longer, problem), _budget_before(longer, problem))


def _fused_beyond(options: TrainOptions, job: _Job, stop: np.ndarray) -> pa.Table:
    gap = _fused_outcome(options, job, stop).gap  # (R, K)
    until = _evaluations(job.chunk, job.problem)[job.states]
    budget = _budget_before(job.chunk, job.problem)
    return beyond_rows(job.chunk, highest_beyond(gap, until, budget))


Path = tuple[np.ndarray, np.ndarray]  # states (K,), and the weights of one run there (1, K, p)


def _fused_path(single: Group, problem: Problem, options: TrainOptions, states: np.ndarray) -> Path:
    from lrbench.engines import fused

    never = np.zeros(1, dtype=np.int64)
    [(rule, chunk)] = fused.chunks(single, problem, 0)
    kept = fused.Kept(states, _targets(chunk, options), traced=states)
    return states, fused.train(rule, chunk, problem, kept, stop=never).path


# ---- reference


def _reference_path(single: Group, problem: Problem, options: TrainOptions, states: np.ndarray) -> Path:
    """Return the weights of one run at those of these states that its budget holds, and at its last one."""
    outcome = _reference_outcome(single, problem, options, states.tolist())
    last = outcome.step[-1]
    within = np.flatnonzero(states < last)
    after = np.searchsorted(states, last)  # where the last state stands, or is the last one
    places = np.append(within, after)
    return np.minimum(states[places], last), outcome.path[:, places]


def _reference_beyond(longer: Group, problem: Problem) -> np.ndarray:
    """Return how one run goes on after its budget, (1,)."""
    budget = _budget_before(longer, problem)
    curve = _reference_curve(longer, problem, LONGER * budget)
    if not curve.is_whole:
        return np.array([np.inf])
    states = curve.taken + 1
    return highest_beyond(curve.gap[None, :states], curve.evaluations[:states], budget)


def _reference_outcome(
    single: Group, problem: Problem, options: TrainOptions, traced: Sequence[int] = ()
) -> Outcome:
    """Train one run in the lecture's loop."""
    budget = float(_evaluations(single, problem)[-1])
    curve = _reference_curve(single, problem, budget, traced)
    return outcome(curve, problem, single.run(0), options.record, _targets(single, options))


def _reference_curve(single: Group, problem: Problem, budget: float, traced: Sequence[int] = ()) -> Curve:
    """Train one run until this budget, in gradient evaluations."""
    from lrbench.engines import reference  # it imports torch, which is slow

    run: Leaves = single.run(0)
    curve = Curve(run["steps"], budget, traced=dict.fromkeys(traced))
    with _one_thread(), np.errstate(over="ignore", invalid="ignore"):
        try:
            reference.train(problem, run, curve)
        # a third party's construction and steps may raise anything; the run becomes a row that says why
        except Exception as error:
            curve.failure = f"{type(error).__name__}: {error}"
    return curve


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
