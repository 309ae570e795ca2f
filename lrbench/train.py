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
import math
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache, partial
from multiprocessing import current_process
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from lrbench.batches import Batch, Left
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
from lrbench.workers import Task, as_done, processors

Rows = tuple[pa.Table, pa.Table]  # for runs/ and curves/ of the store
Made = TypeVar("Made")  # of trained runs
MOST_TRACED = 100  # states of a path
LONGER = 2  # times the budget: how far runs go on

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
    yield from _train(plan, options, _ROWS)


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
    longer = replace(plan, groups=[_longer(group) for group in plan.groups])
    yield from _train(longer, options, _BEYOND)


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


def _train(plan: Plan, options: TrainOptions, work: "_Work[Made]") -> Iterator[Made]:
    """Train all runs of a plan, and yield what is made of them as they are done."""
    by_fused = [_is_fused(group, options.engine) for group in plan.groups]
    yield from _train_fused(plan, _parts(plan, by_fused), options, work)
    yield from _train_reference(plan, _parts(plan, [~fused for fused in by_fused]), options, work)


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
        _check_closure(group)


def _check_schedule(group: Group) -> None:
    for path in _lambdas(group):
        _resolve("schedule.lr_lambda", path, "a function such as mymodule.warm_up")
    if "schedule._target_" in group.shared:
        _check_arguments("schedule", group)


def _check_closure(group: Group) -> None:
    """Refuse a schedule where the budget holds nobody knows how many steps."""
    if "schedule._target_" not in group.shared:
        return
    from lrbench.engines.reference import NO_END, wants_closure

    target = group.shared["optimizer._target_"]
    # a function that makes an optimizer cannot be asked: its runs fail, in the same words
    if wants_closure(pkgutil.resolve_name(target)):
        came = (
            f"schedule={group.labels['schedule']} came for optimizer={group.labels['optimizer']} ({target})"
        )
        raise RequestError(f"schedule: {came}. {NO_END} Type schedule=none for it.")


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


def _train_fused(
    plan: Plan, groups: list[Group], options: TrainOptions, work: "_Work[Made]"
) -> Iterator[Made]:
    """Train chunk after chunk on all processors, a few ahead of those that are taken."""
    if not groups:
        return

    # (1,) the kernel looks at it: how a thread in compiled code is told; worker processes are ended instead
    stop = np.zeros(1, dtype=np.int64)
    jobs = _fused_jobs(plan, groups, options, work)
    tasks = (Task(_name(job.chunk), _train_chunk, (job, options, work, stop)) for job in jobs)
    executor = "processes" if options.executor == "processes" else "local"
    try:
        with closing(as_done(executor, partial(next, tasks, None), most=processors() + 1)) as done:
            for _, made in done:
                yield made
    finally:
        stop[0] = 1


def _name(group: Group) -> str:
    return f"optimizer={group.labels['optimizer']} ({group.shared['optimizer._target_']})"


def _fused_jobs(plan: Plan, groups: list[Group], options: TrainOptions, work: "_Work[Any]") -> Iterator[_Job]:
    from lrbench.engines import fused

    for group in groups:
        problem = plan.problems[group.problem_id]
        states = work.states(group, problem, options)
        for rule, chunk in fused.chunks(group, problem, len(states)):
            yield _Job(rule, chunk, problem, states)


def _train_chunk(job: _Job, options: TrainOptions, work: "_Work[Made]", stop: np.ndarray) -> Made:
    from lrbench.engines import fused

    kept = fused.Kept(job.states, _targets(job.chunk, options))
    outcome = fused.train(job.rule, job.chunk, job.problem, kept, stop)
    return work.of_chunk(job, outcome, options)


Path = tuple[np.ndarray, np.ndarray]  # states (K,), and the weights of one run there (1, K, p)


def _fused_path(single: Group, problem: Problem, options: TrainOptions, states: np.ndarray) -> Path:
    from lrbench.engines import fused

    never = np.zeros(1, dtype=np.int64)
    [(rule, chunk)] = fused.chunks(single, problem, 0)
    kept = fused.Kept(states, _targets(chunk, options), traced=states)
    return states, fused.train(rule, chunk, problem, kept, stop=never).path


# ---- reference


def _train_reference(
    plan: Plan, groups: list[Group], options: TrainOptions, work: "_Work[Made]"
) -> Iterator[Made]:
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
        made, seconds = _train_batch(batch.runs(), batch.problem, options, work)
        left.note(batch, len(made), seconds)
        yield from made
    yield from _train_in_workers(left, options, work)


def _train_in_workers(left: Left, options: TrainOptions, work: "_Work[Made]") -> Iterator[Made]:
    workers = processors()

    def next_task() -> Task | None:
        batch = left.take(workers)
        if batch is None:
            return None
        arguments = (batch.runs(), batch.problem, options, work)
        return Task(_name(batch.group), _train_in_worker, arguments, subject=batch)

    # each has the next one at hand while this process stores what came
    with closing(as_done("processes", next_task, most=2 * workers)) as done:
        for task, (made, seconds) in done:
            left.note(task.subject, len(made), seconds)
            yield from made


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


def _train_in_worker(
    runs: Group, problem: Problem, options: TrainOptions, work: "_Work[Made]"
) -> tuple[list[Made], float]:
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
    return _train_batch(runs, problem, options, work)


def _train_batch(
    runs: Group, problem: Problem, options: TrainOptions, work: "_Work[Made]"
) -> tuple[list[Made], float]:
    """Train runs one after the other; return what is made of those that it got to, and the seconds."""
    _warm_up()
    began = perf_counter()
    done: list[Made] = []
    seconds = 0.0
    for single in _one_by_one(runs):
        done.append(work.of_run(single, problem, options))
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


# ---- what is made of trained runs


class _Work(NamedTuple, Generic[Made]):
    """What is made of trained runs. Its functions travel to worker processes, so that they are a module's.

    Attributes:
        states: of runs, those whose gaps the fused engine keeps, (K,).
        of_chunk: of what the fused engine knows of a chunk.
        of_run: of one run, which it lets the reference engine train.
    """

    states: Callable[[Group, Problem, TrainOptions], np.ndarray]
    of_chunk: Callable[[_Job, Outcome, TrainOptions], Made]
    of_run: Callable[[Group, Problem, TrainOptions], Made]


def _recorded(group: Group, problem: Problem, options: TrainOptions) -> np.ndarray:
    return recorded_steps(group.shared["steps"], options.record)


def _chunk_rows(job: _Job, outcome: Outcome, options: TrainOptions) -> Rows:
    return _rows(job.chunk, outcome, job.problem, options, "fused")


def _reference_rows(single: Group, problem: Problem, options: TrainOptions) -> Rows:
    return _rows(single, _reference_outcome(single, problem, options), problem, options, "reference")


def _states_going_on(longer: Group, problem: Problem, options: TrainOptions) -> np.ndarray:
    return going_on(_evaluations(longer, problem), _budget_before(longer, problem))


def _chunk_beyond(job: _Job, outcome: Outcome, options: TrainOptions) -> pa.Table:
    until = _evaluations(job.chunk, job.problem)[job.states]
    budget = _budget_before(job.chunk, job.problem)
    return beyond_rows(job.chunk, highest_beyond(outcome.gap, until, budget))


def _reference_beyond(longer: Group, problem: Problem, options: TrainOptions) -> pa.Table:
    budget = _budget_before(longer, problem)
    curve = _reference_curve(longer, problem, LONGER * budget)
    if not curve.is_whole:
        return beyond_rows(longer, np.array([np.inf]))
    states = curve.taken + 1
    gap, until = curve.gap[:states], curve.evaluations[:states]
    return beyond_rows(longer, highest_beyond(gap[None], until, budget))


_ROWS = _Work(_recorded, _chunk_rows, _reference_rows)
_BEYOND = _Work(_states_going_on, _chunk_beyond, _reference_beyond)
