"""Train the runs of a plan: the one place that chooses an engine.

Given a plan and how it is trained, it gives chunk by chunk a table for runs/ and one for curves/ of the
store, with a row a run. An optimizer that raises becomes a row that says why.

    run_id   optimizer  optimizer.lr  status     final_gap  ...
    3f2a...  sgd        0.1           completed  0.2

    run_id   step       evaluations      loss             gap
    3f2a...  [0, 1, 2]  [0.0, 1.0, 2.0]  [4.3, 1.0, 0.4]  [4.1, 0.8, 0.2]

Letters of shapes: R runs, K recorded states, p weights.
"""

import inspect
import math
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from multiprocessing import current_process
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lrbench.batches import Batch, Left
from lrbench.config import EXAMPLES, Leaves, under
from lrbench.engines.outcome import Outcome, recorded_steps
from lrbench.errors import RequestError, did_you_mean
from lrbench.optimizers import FAMILIES, Rule
from lrbench.options import TrainOptions
from lrbench.plan import Group, Plan
from lrbench.problems.solve import Problem
from lrbench.records import curve_rows, path_rows, run_rows, targets
from lrbench.seeds import evaluations
from lrbench.workers import Task, as_done, processors

Rows = tuple[pa.Table, pa.Table]  # for runs/ and curves/ of the store
MOST_TRACED = 100  # states of a path

# of torch's own loops
BATCH_SECONDS = 1.0  # that a worker is at work before it hands in what it has
BATCH_RUNS = 256  # at most ...
BATCH_BYTES = 2**26  # ... and about what their curves may take
BYTES_OF_STATE = 32  # step, evaluations, loss and gap
# Workers are started where the rest would take longer than this, in one process. On two idle cores it takes
# 2.5 s until both have imported torch and taken a first step, and 0.5 s to end them; they save half of the
# rest. So it pays from 6 s on.
WORKERS_FROM = {"auto": 10.0, "local": math.inf, "processes": -1.0}


def train(plan: Plan, options: TrainOptions) -> Iterator[Rows]:
    """Train all runs of a plan; yield their rows as they are done.

    Raises:
        RequestError: a worker process died, or cannot import what this one can.
    """
    by_fused = [_is_fused(group, options.engine) for group in plan.groups]
    yield from _train_fused(plan, _parts(plan, by_fused), options)
    yield from _train_reference(plan, _parts(plan, [~fused for fused in by_fused]), options)


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
    for path in _lambdas(group):
        _resolve("schedule.lr_lambda", path, "a function such as mymodule.warm_up")
    if "schedule._target_" in group.shared:
        _check_arguments("schedule", group)


def _lambdas(group: Group) -> list[str]:
    return [path for path in group.column("schedule.lr_lambda").values if path is not None]


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
    """What one thread trains at once."""

    rule: Rule
    chunk: Group
    problem: Problem


def _is_fused(group: Group, engine: str) -> np.ndarray:
    """Say which runs the fused engine trains, (R,) bool."""
    if engine == "reference" or group.shared["optimizer._target_"] not in FAMILIES:
        return np.zeros(len(group), dtype=bool)
    from lrbench.engines import fused  # it imports numba, which is slow

    return fused.covers(group)


def _train_fused(plan: Plan, groups: list[Group], options: TrainOptions) -> Iterator[Rows]:
    """Train chunk after chunk on all processors, a few ahead of those that are taken."""
    if not groups:
        return
    from lrbench.engines import fused

    # (1,) the kernel looks at it: how a thread in compiled code is told; worker processes are ended instead
    stop = np.zeros(1, dtype=np.int64)
    jobs = _fused_jobs(plan, groups, options)
    tasks = (Task(_name(job.chunk), _fused_rows, (job, options, stop)) for job in jobs)
    executor = "processes" if options.executor == "processes" else "local"
    try:
        with closing(as_done(executor, partial(next, tasks, None), most=fused.workers() + 1)) as done:
            for _, rows in done:
                yield rows
    finally:
        stop[0] = 1


def _name(group: Group) -> str:
    return f"optimizer={group.labels['optimizer']} ({group.shared['optimizer._target_']})"


def _fused_jobs(plan: Plan, groups: list[Group], options: TrainOptions) -> Iterator[_Job]:
    from lrbench.engines import fused

    for group in groups:
        problem = plan.problems[group.problem_id]
        states = len(recorded_steps(group.shared["steps"], options.record))
        for rule, chunk in fused.chunks(group, problem, states):
            yield _Job(rule, chunk, problem)


def _fused_rows(job: _Job, options: TrainOptions, stop: np.ndarray) -> Rows:
    from lrbench.engines import fused

    states = recorded_steps(job.chunk.shared["steps"], options.record)
    kept = fused.Kept(states, _targets(job.chunk, options))
    outcome = fused.train(job.rule, job.chunk, job.problem, kept, stop)
    return _rows(job.chunk, outcome, job.problem, options, "fused")


Path = tuple[np.ndarray, np.ndarray]  # states (K,), and the weights of one run there (1, K, p)


def _fused_path(single: Group, problem: Problem, options: TrainOptions, states: np.ndarray) -> Path:
    from lrbench.engines import fused

    never = np.zeros(1, dtype=np.int64)
    [(rule, chunk)] = fused.chunks(single, problem, 0)
    kept = fused.Kept(states, _targets(chunk, options), traced=states)
    return states, fused.train(rule, chunk, problem, kept, stop=never).path


# ---- reference


def _train_reference(plan: Plan, groups: list[Group], options: TrainOptions) -> Iterator[Rows]:
    """Train run after run in this process, and from where it pays on in others.

    Where nothing else is asked, the runs that are trained here tell how long the others take.
    """
    if not groups:
        return
    left = Left(_batch(group, plan, options) for group in groups)
    executor = options.executor
    if executor == "auto" and not _may_leave(groups):
        executor = "local"
    while left.seconds <= WORKERS_FROM[executor]:
        batch = left.take_one()
        if batch is None:
            return
        rows, seconds = _train_batch(batch.runs(), batch.problem, options)
        left.note(batch, len(rows), seconds)
        yield from rows
    yield from _train_in_workers(left, options)


def _train_in_workers(left: Left, options: TrainOptions) -> Iterator[Rows]:
    workers = processors()

    def next_task() -> Task | None:
        batch = left.take(workers)
        if batch is None:
            return None
        arguments = (batch.runs(), batch.problem, options)
        return Task(_name(batch.group), _train_in_worker, arguments, subject=batch)

    # each has the next one at hand while this process stores what came
    with closing(as_done("processes", next_task, most=2 * workers)) as done:
        for task, (rows, seconds) in done:
            left.note(task.subject, len(rows), seconds)
            yield from rows


def _may_leave(groups: list[Group]) -> bool:
    """Say whether there are cores for workers, and they can be started and train this."""
    can_start = not current_process().daemon  # as a worker of multiprocessing is
    return processors() > 1 and can_start and not any(map(_is_of_main, groups))


def _is_of_main(group: Group) -> bool:
    """Say whether a class was typed into a notebook, say: workers have no module to import it from."""
    return any(path.startswith("__main__.") for path in _imports(group))


def _imports(group: Group) -> list[str]:
    """Return the dotted paths that torch's own loop imports for a group."""
    targets = [group.shared.get(f"{kind}._target_") for kind in ("optimizer", "schedule")]
    return [*filter(None, targets), *_lambdas(group)]


def _batch(group: Group, plan: Plan, options: TrainOptions) -> Batch:
    """Return a whole group, to be handed out in parts whose curves take little memory."""
    states = len(recorded_steps(group.shared["steps"], options.record))
    most = max(1, min(BATCH_RUNS, BATCH_BYTES // (BYTES_OF_STATE * states)))
    return Batch(group, plan.problems[group.problem_id], 0, len(group), most)


def _train_in_worker(runs: Group, problem: Problem, options: TrainOptions) -> tuple[list[Rows], float]:
    """Do what `_train_batch` does in a worker process.

    Raises:
        RequestError: this process cannot import what the one that asks could.
    """
    for path in _imports(runs):
        try:
            pkgutil.resolve_name(path)
        except Exception as error:  # whatever the user's module raises when it is imported
            reason = f"{path} cannot be had in a worker process: {type(error).__name__}: {error}"
            raise RequestError(f"executor: {reason}. Type executor=local.") from None
    return _train_batch(runs, problem, options)


def _train_batch(runs: Group, problem: Problem, options: TrainOptions) -> tuple[list[Rows], float]:
    """Train runs one after the other; return the rows of those that it got to, and the seconds that took."""
    _warm_up()
    began = perf_counter()
    done: list[Rows] = []
    seconds = 0.0
    for single in _one_by_one(runs):
        outcome = _reference_outcome(single, problem, options)
        done.append(_rows(single, outcome, problem, options, "reference"))
        seconds = perf_counter() - began
        if seconds > BATCH_SECONDS:
            break
    return done, seconds


@cache
def _warm_up() -> None:
    """Take one step, at which torch imports for a second: the pace of the runs is then their own."""
    import torch

    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight])
    weight.sum().backward()
    optimizer.step()


def _reference_path(single: Group, problem: Problem, options: TrainOptions, states: np.ndarray) -> Path:
    """Return the weights of one run at those of these states that its budget holds, and at its last one."""
    outcome = _reference_outcome(single, problem, options, states.tolist())
    last = outcome.step[-1]
    within = np.flatnonzero(states < last)
    after = np.searchsorted(states, last)  # where the last state stands, or is the last one
    places = np.append(within, after)
    return np.minimum(states[places], last), outcome.path[:, places]


def _reference_outcome(
    single: Group, problem: Problem, options: TrainOptions, traced: Sequence[int] = ()
) -> Outcome:
    """Train one run in the lecture's loop."""
    from lrbench.engines import reference  # it imports torch, which is slow
    from lrbench.engines.curve import Curve, outcome

    run: Leaves = single.run(0)
    budget = evaluations(problem.data.n, run["batch_size"], run["batch_order"], run["steps"])[-1]
    curve = Curve(run["steps"], budget, traced=dict.fromkeys(traced))
    with _one_thread(), np.errstate(over="ignore", invalid="ignore"):
        try:
            reference.train(problem, run, curve)
        # a third party's construction and steps may raise anything; the run becomes a row that says why
        except Exception as error:
            curve.failure = f"{type(error).__name__}: {error}"
    return outcome(curve, problem, run, options.record, _targets(single, options))


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
