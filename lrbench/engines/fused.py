"""The fused engine: thousands of runs of one optimizer class as one program. What a step computes: kernels.py, and the rules of optimizers/."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from lrbench.config import Leaves, under
from lrbench.engines import kernels
from lrbench.engines.geometry import Geometry
from lrbench.engines.minibatches import Minibatches
from lrbench.engines.outcome import NEVER, Outcome, gaps_of, spans
from lrbench.engines.steps import StepTable, alike, distinct_schedules, numbers, step_table
from lrbench.optimizers import FAMILIES, Family, Rule
from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.schedules import BY_STEP, accepted, cycles_momentum
from lrbench.seeds import is_fixed, start

WIDTHS = (8, 64, 256)  # runs side by side: the smallest that holds them all, else the largest ...
WIDTHS_BY_ROWS = (
    8,
    64,
)  # ... of a loss that is a sum over the rows, where an idle lane costs more than a wide tile saves
CHUNK = 16384  # runs at once, at most ...
CHUNK_BYTES = 2**26  # ... and about what they may take
MOST_NUMBERS_OF_STEP = 8  # that a rule has
NO_STEPS = np.zeros(0, dtype=np.int64)


def covers(group: Group) -> np.ndarray:
    """Say which runs of a group have an update rule, (R,) bool."""
    settings = group.shared | group.columns
    family, names = (
        FAMILIES.get(group.shared["optimizer._target_"]),
        set(under(settings, "optimizer")) - {"_target_"},
    )
    if (
        family is None
        or not names <= set(family.defaults)
        or settings.get("schedule._target_") not in {None, *BY_STEP}
    ):
        return np.zeros(len(group), dtype=bool)
    schedules, schedule = distinct_schedules(group)
    followed = np.array([not one or _follows(one, family, group) for one in schedules])[schedule]
    return family.covers(numbers(group, family)) & followed


def _follows(schedule: Leaves, family: Family, group: Group) -> bool:
    """Say whether the rules of a family can follow a schedule. Where torch refuses it, the reference engine has the words.

    Where OneCycleLR sets momentum to 0, torch lets the buffers of SGD and RMSprop rest, and the rules do not.
    """
    rests = "momentum" in family.defaults and 0 in (
        schedule.get("base_momentum"),
        schedule.get("max_momentum"),
    )
    return not rests and accepted(schedule, group.shared["optimizer._target_"], group.shared["steps"])


def chunks(group: Group, problem: Problem, records: int) -> Iterator[tuple[Rule, Group]]:
    """Cut a group into parts that are trained at once: one rule each, runs of a seed side by side, as they share minibatches."""
    family, seed = FAMILIES[group.shared["optimizer._target_"]], group.column("seed")
    switched = _switched(group)
    for rule, rows in ((family.rule, np.flatnonzero(~switched)), (family.switched, np.flatnonzero(switched))):
        if rule is not None and len(rows):
            rows = rows[np.argsort(np.array(seed.values)[seed.codes[rows]], kind="stable")]
            size = _chunk_size(group, rule, problem.data.p, records)
            parts = max(-(-len(rows) // size), min(workers(), -(-len(rows) // _widths(problem)[-1])))
            for part in np.array_split(rows, parts):
                yield rule, group.take(part)


def _widths(problem: Problem) -> tuple[int, ...]:
    return WIDTHS if problem.loss.is_quadratic else WIDTHS_BY_ROWS


def workers() -> int:
    """Return how many threads train: the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def train(
    rule: Rule,
    group: Group,
    problem: Problem,
    step: np.ndarray,
    targets: Sequence[float],
    stop: np.ndarray,
    traced: np.ndarray = NO_STEPS,
) -> Outcome:
    """Train runs that share a rule; record their states at `step` and count the first hits of `targets` (relative gaps) at every step.

    Every step of an epoch enters its mean gap, recorded or not. The weights are kept at the steps `traced`.
    `stop` (1,) ends the work early when another thread sets it; what comes back is then worthless.
    """
    real = np.dtype(group.shared["dtype"])
    table = step_table(group, FAMILIES[group.shared["optimizer._target_"]], rule)
    minibatches = Minibatches(group, problem)
    geometry = Geometry.of(problem, real.name, sampled=not minibatches.of_all_rows)
    slots = _slots(minibatches.stream, _widths(problem))
    tiles, lanes = slots.shape

    with np.errstate(over="ignore"):
        W = _packed(_starts(group, problem)[:, geometry.order], slots, real)
        state = _packed(_first_states(rule, table, problem.data.p), slots, real)
        of_run = _packed(np.stack(np.broadcast_arrays(*rule.run(table.run)), axis=1), slots, real)
        coefficients = table.coefficients.astype(real)
    gap_targets, target_of = np.unique(-gaps_of(targets, problem), return_inverse=True)
    gaps, hits = np.full((tiles, len(step), lanes), np.inf), np.full((tiles, len(gap_targets), lanes), NEVER)
    summed = spans(group.shared["steps"], minibatches.epoch)
    sums = np.zeros((tiles, len(summed), lanes))
    paths = np.full((tiles, len(traced), problem.data.p, lanes), np.nan)
    bad, peak = np.full((tiles, lanes), NEVER), np.zeros((tiles, lanes))
    kernels.run(real.name)(
        stop,
        *geometry.quadratic, *geometry.rows, *geometry.others, *minibatches.arrays(real), minibatches.stream[slots[:, 0]],
        W, state.reshape(tiles, -1), of_run.reshape(tiles, -1), coefficients, table.column[slots],
        step, summed, traced, geometry.largest_gap, -gap_targets, geometry.guard,
        gaps, sums, paths, hits, bad, peak,
        kernels.update(rule, of_run.shape[1], coefficients.shape[1], lanes, real.name),
        *(kernels.excess(problem.loss, lanes, dtype) for dtype in (real.name, "float64")), kernels.slopes(problem.loss, lanes, real.name),
    )  # fmt: skip

    place = _places(slots, len(group))
    weights = np.empty((len(group), problem.data.p))
    weights[:, geometry.order] = _unpacked(W, place)
    gap, hits, bad, peak = (
        _unpacked(gaps, place),
        _unpacked(hits, place)[:, target_of],
        bad.ravel()[place],
        peak.ravel()[place],
    )
    weights[bad == 0] = np.nan
    reached = (bad == NEVER)[:, None] | (bad[:, None] > summed[:, 1])
    means = np.where(reached, _unpacked(sums, place) / (np.ptp(summed, axis=1) + 1), np.inf)
    path = np.empty((len(group), len(traced), problem.data.p))
    path[:, :, geometry.order] = np.moveaxis(paths, -1, 1).reshape(slots.size, len(traced), problem.data.p)[
        place
    ]
    return _outcome(problem, minibatches.evaluations, step, gap, means, hits, bad, peak, weights, path)


def _outcome(
    problem: Problem, evaluations: np.ndarray, step, gap, means, hits, bad, peak, weights, path
) -> Outcome:
    ends = np.where(bad == NEVER, len(evaluations) - 1, bad)
    last_gap = gap[:, -1].copy()
    last_gap[bad != NEVER] = problem.gap(weights[bad != NEVER])
    return Outcome(
        step=step,
        loss=gap + problem.loss_star,
        gap=gap,
        evaluations=evaluations[np.minimum(step, ends[:, None])],
        half_gap=means[:, 0],
        last_epoch_gap=means[:, 1],
        hits=hits,
        evaluations_to_hits=evaluations[hits],
        all_evaluations=evaluations[ends],
        first_bad=bad,
        peak=np.maximum(peak, np.where(bad == 0, 0.0, gap[:, 0])),
        last_loss=np.where(bad == 0, np.nan, last_gap + problem.loss_star),
        weights=weights,
        path=path,
        failures={},
    )


def _switched(group: Group) -> np.ndarray:
    """Say which runs of a group follow the second rule of their family, (R,) bool; a schedule can bring the momentum that they lack."""
    family = FAMILIES[group.shared["optimizer._target_"]]
    if family.switch is None:
        return np.zeros(len(group), dtype=bool)
    switched = getattr(numbers(group, family), family.switch) != 0
    if family.switch == "momentum" and "schedule._target_" in group.shared:
        cycle = group.column("schedule.cycle_momentum", True)
        moved = np.array(
            [cycles_momentum(group.shared["schedule._target_"], value) for value in cycle.values]
        )
        switched = switched | moved[cycle.codes]
    return switched


def _chunk_size(group: Group, rule: Rule, p: int, records: int) -> int:
    """Return how many runs are trained at once, so that they and their shares of step tables and minibatches take about CHUNK_BYTES."""
    run, steps = group.shared, group.shared["steps"]
    floats = p * (len(rule.state) + 2) + 4 * records
    if (
        "lr" in rule.column
        or "schedule._target_" in run
        or any(path.startswith("optimizer.") and path != "optimizer.lr" for path in group.columns)
    ):
        floats += steps * MOST_NUMBERS_OF_STEP
    if not is_fixed(run["batch_size"], run["batch_order"]):
        floats += steps * run["batch_size"] * len(set(group.column("seed").codes.tolist())) / len(group)
    return int(np.clip(CHUNK_BYTES / 8 / floats, WIDTHS[0], CHUNK))


def _slots(stream: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Return which row each lane trains, (tiles, lanes): a tile holds runs of one stream, and repeats its last run where they do not fill it."""
    counts = np.bincount(stream)
    lanes = next((width for width in widths if width >= counts.max()), widths[-1])
    tiles = []
    for first, count in zip(np.cumsum(counts) - counts, counts, strict=True):
        tiles.append(first + np.minimum(np.arange(-(-count // lanes) * lanes), count - 1))
    return np.argsort(stream, kind="stable")[np.concatenate(tiles)].reshape(-1, lanes)


def _places(slots: np.ndarray, runs: int) -> np.ndarray:
    """Return the lane of each run, as a place among all lanes."""
    place = np.empty(runs, dtype=np.int64)
    place[slots.ravel()] = np.arange(slots.size)
    return place


def _packed(rows: np.ndarray, slots: np.ndarray, real: np.dtype) -> np.ndarray:
    """Bring (R, ...) into (tiles, ..., lanes)."""
    return np.ascontiguousarray(np.moveaxis(rows.astype(real)[slots], 1, -1))


def _unpacked(tiles: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Bring (tiles, k, lanes) back into (R, k)."""
    return tiles.transpose(0, 2, 1).reshape(-1, tiles.shape[1])[place]


def _starts(group: Group, problem: Problem) -> np.ndarray:
    """Return the first weights of each run, (R, p)."""
    init, seed = group.column("init"), group.column("seed")
    rows, which = alike([init.codes, seed.codes])
    first = [
        start(init.values[i], seed.values[s], problem.data.d, problem.data.p)
        for i, s in zip(init.codes[rows], seed.codes[rows], strict=True)
    ]
    return np.stack(first)[which]


def _first_states(rule: Rule, table: StepTable, p: int) -> np.ndarray:
    """Return the states before the first step, (R, p, states)."""
    runs = len(table.column)
    states = np.empty((runs, p, len(rule.state)))
    for place, begin in enumerate(rule.state.values()):
        of_run = (
            table.first_lr
            if begin == "lr"
            else getattr(table.run, begin)
            if isinstance(begin, str)
            else np.full(runs, begin)
        )
        states[:, :, place] = of_run[:, None]
    return states
