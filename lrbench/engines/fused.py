"""The fused engine: thousands of runs of one optimizer class as one program.

It says which runs have an update rule, cuts them into chunks, and trains a chunk. tiles.py packs its runs
into the lanes of tiles; what a step computes is in program.py and in the rules of optimizers/. Letters of
shapes: arguments.py.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrbench.config import Leaves, under
from lrbench.engines import compiled
from lrbench.engines.arguments import Runs, Task
from lrbench.engines.geometry import Geometry
from lrbench.engines.minibatches import Minibatches
from lrbench.engines.outcome import NEVER, Outcome, goals_of
from lrbench.engines.readings import windows
from lrbench.engines.signatures import Functions
from lrbench.engines.steps import distinct_schedules, numbers
from lrbench.engines.tiles import Lanes, Trained, packed, room, to_keep, to_watch
from lrbench.optimizers import FAMILIES, Family, Rule
from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.schedules import BY_STEP, accepted, cycles_momentum
from lrbench.seeds import is_fixed
from lrbench.workers import processors

WIDTHS = (8, 64, 256)  # runs side by side: the smallest that holds them all, else the largest ...
WIDTHS_BY_ROWS = WIDTHS[:2]  # ... of a sum over the rows: an idle lane costs more than a wide tile saves
CHUNK = 16384  # runs at once, at most ...
CHUNK_BYTES = 2**26  # ... and about what they may take
MOST_NUMBERS_OF_STEP = 8  # that a rule has
FLOAT_BYTES = 8
NO_STEPS = np.zeros(0, dtype=np.int64)


# ---- which runs


def covers(group: Group) -> np.ndarray:
    """Say which runs of a group have an update rule, (R,) bool."""
    settings = group.shared | group.columns
    none = np.zeros(len(group), dtype=bool)
    if settings.get("schedule._target_") not in {None, *BY_STEP}:
        return none
    family = FAMILIES.get(group.shared["optimizer._target_"])
    if family is None:
        return none
    names = set(under(settings, "optimizer")) - {"_target_"}
    if not names <= set(family.defaults):
        return none
    schedules, schedule = distinct_schedules(group)
    followed = np.array([_follows(each, family, group) for each in schedules])
    return family.covers(numbers(group, family)) & followed[schedule]


def _follows(schedule: Leaves, family: Family, group: Group) -> bool:
    """Say whether the rules of a family can follow a schedule, {} for none.

    Where torch refuses it, the reference engine has the words. Where OneCycleLR sets momentum to 0, torch
    lets the buffers of SGD and RMSprop rest, and the rules do not.
    """
    if not schedule:
        return True
    momenta = schedule.get("base_momentum"), schedule.get("max_momentum")
    if "momentum" in family.defaults and 0 in momenta:
        return False
    return accepted(schedule, group.shared["optimizer._target_"], group.shared["steps"])


# ---- chunks


def chunks(group: Group, problem: Problem, records: int) -> Iterator[tuple[Rule, Group]]:
    """Cut a group into parts that are trained at once, of one rule each.

    Runs of a seed lie side by side, as they share minibatches.
    """
    family = FAMILIES[group.shared["optimizer._target_"]]
    seed = group.column("seed")
    seeds = np.array(seed.values)[seed.codes]
    switched = _switched(group)
    for rule, has_rule in ((family.rule, ~switched), (family.switched, switched)):
        rows = np.flatnonzero(has_rule)
        if rule is None or not len(rows):
            continue
        by_seed = rows[np.argsort(seeds[rows], kind="stable")]
        size = _chunk_size(group, rule, problem.data.p, records)
        full_tiles = math.ceil(len(rows) / _widths(problem)[-1])
        # No processor idles as long as each can have a full tile.
        parts = max(math.ceil(len(rows) / size), min(processors(), full_tiles))
        for part in np.array_split(by_seed, parts):
            yield rule, group.take(part)


def _switched(group: Group) -> np.ndarray:
    """Say which runs of a group follow the second rule of their family, (R,) bool.

    A schedule can bring the momentum that they lack.
    """
    family = FAMILIES[group.shared["optimizer._target_"]]
    if family.switch is None:
        return np.zeros(len(group), dtype=bool)
    switched = getattr(numbers(group, family), family.switch) != 0
    schedule = group.shared.get("schedule._target_")
    if family.switch != "momentum" or schedule is None:
        return switched
    cycle = group.column("schedule.cycle_momentum", True)
    moved = np.array([cycles_momentum(schedule, value) for value in cycle.values])
    return switched | moved[cycle.codes]


def _chunk_size(group: Group, rule: Rule, p: int, records: int) -> int:
    """Return how many runs take about CHUNK_BYTES, with their shares of step tables and minibatches."""
    run = group.shared
    steps = run["steps"]
    floats = p * (len(rule.state) + 2) + 4 * records
    if _may_have_own_columns(group, rule):
        floats += steps * MOST_NUMBERS_OF_STEP
    if not is_fixed(run["batch_size"], run["batch_order"]):
        seeds = len(set(group.column("seed").codes.tolist()))
        floats += steps * run["batch_size"] * seeds / len(group)
    return int(np.clip(CHUNK_BYTES / FLOAT_BYTES / floats, WIDTHS[0], CHUNK))


def _may_have_own_columns(group: Group, rule: Rule) -> bool:
    """Say whether runs may differ in the numbers of their steps, and so need columns of their own."""
    if "lr" in rule.column or "schedule._target_" in group.shared:
        return True
    swept = under(group.columns, "optimizer")
    return bool(swept.keys() - {"lr"})


def _widths(problem: Problem) -> tuple[int, ...]:
    return WIDTHS if problem.loss.is_quadratic else WIDTHS_BY_ROWS


# ---- training


class Kept(NamedTuple):
    """What to keep of runs, beside their last states.

    Attributes:
        step: (K,) states whose gaps are kept. What is read of a run counts every step, kept or not.
        targets: relative gaps, whose first hits and arrivals are noted.
        traced: (K',) states whose weights are kept.
    """

    step: np.ndarray
    targets: Sequence[float]
    traced: np.ndarray = NO_STEPS


def train(rule: Rule, group: Group, problem: Problem, kept: Kept, stop: np.ndarray) -> Outcome:
    """Train runs that share a rule.

    `stop` (1,) ends the work early when another thread sets it; what comes back is then worthless.
    """
    dtype = group.shared["dtype"]
    minibatches = Minibatches(group, problem)
    geometry = Geometry.of(problem, dtype, minibatches)
    task = geometry.task
    lanes = Lanes.of(minibatches.stream, _widths(problem))

    runs = packed(rule, group, problem, lanes, geometry.order, stop)
    # The program wants goals in descending order, each once.
    goals = goals_of(kept.targets, problem, dtype)
    ascending, place_of_goal = np.unique(-goals, return_inverse=True)
    watch = to_watch(-ascending, geometry, lanes)
    evaluations = minibatches.evaluations
    in_windows = windows(evaluations, budget=evaluations[-1])
    records = to_keep((kept.step, in_windows, kept.traced), lanes, problem.data.p)
    scratch = room(task, runs, minibatches.largest, minibatches.epoch)
    program = compiled.train(task, dtype)
    program(task, runs, watch, records, scratch, _functions(task, rule, problem, runs))

    trained = Trained.unpacked(lanes, runs, watch, records)
    trained = trained.reordered(geometry.order, place_of_goal)
    return _outcome(problem, evaluations, kept.step, trained)


def _functions(task: Task, rule: Rule, problem: Problem, runs: Runs) -> tuple:
    """Return what differs from optimizer to optimizer and from loss to loss, compiled."""
    loss = problem.loss
    real = runs.W.dtype.name
    lanes = runs.W.shape[2]
    numbers_of_run = runs.numbers.shape[1] // lanes
    numbers_of_step = runs.table.shape[1]
    functions = Functions(
        lanes=lanes,
        update=compiled.update(rule, numbers_of_run, numbers_of_step, lanes, real),
        multiply=compiled.multiply(real),
        exact_multiply=compiled.multiply("float64") if task.measures_in_float64 else None,
        slopes=compiled.slopes(loss, lanes, real) if task.batches else None,
        excess=compiled.excess(loss, lanes, real) if task.samples else None,
        exact_excess=compiled.excess(loss, lanes, "float64") if task.exact_samples else None,
    )
    return tuple(functions)  # numba takes no functions in a NamedTuple


def _outcome(problem: Problem, evaluations: np.ndarray, step: np.ndarray, trained: Trained) -> Outcome:
    """Return all that is known of the runs, recorded at `step`.

    `evaluations` (T + 1,) are those until each state.
    """
    gap, bad, weights = trained.gap, trained.bad, trained.weights
    is_bad = bad != NEVER
    is_bad_at_once = bad == 0
    ends = np.where(is_bad, bad, len(evaluations) - 1)
    last_gap = gap[:, -1].copy()
    last_gap[is_bad] = problem.gap(weights[is_bad])
    fewest_until = np.minimum.accumulate(np.concatenate([[np.inf], np.diff(evaluations)]))
    start_gap = np.where(is_bad_at_once, 0.0, gap[:, 0])
    return Outcome(
        step=step,
        loss=gap + problem.loss_star,
        gap=gap,
        evaluations=evaluations[np.minimum(step, ends[:, None])],
        budget=float(evaluations[-1]),
        steps_taken=ends,
        evaluations_per_step=fewest_until[ends],
        all_evaluations=evaluations[ends],
        last_gap=trained.last_gap,
        level=trained.level,
        hits=trained.hits,
        evaluations_to_hits=evaluations[trained.hits],
        arrivals=np.where(trained.arrivals == NEVER, np.inf, evaluations[trained.arrivals]),
        first_bad=bad,
        peak=np.maximum(trained.peak, start_gap),
        fingerprint=trained.fingerprint,
        stopped=trained.stopped,
        last_loss=np.where(is_bad_at_once, np.nan, last_gap + problem.loss_star),
        weights=weights,
        path=trained.path,
        failures={},
    )
