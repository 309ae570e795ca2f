"""The fused engine: thousands of runs of one optimizer class as one program.

Here runs are cut into chunks, packed into the lanes of tiles, and unpacked. What a step computes: program.py,
and the rules of optimizers/. The letters of shapes: arguments.py.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lrbench.config import Leaves, under
from lrbench.engines import compiled
from lrbench.engines.arguments import BLOCK, Gathered, Moved, Records, Runs, Scratch, Task, Watch
from lrbench.engines.geometry import Geometry
from lrbench.engines.minibatches import Minibatches
from lrbench.engines.outcome import NEVER, Outcome, gaps_of, spans
from lrbench.engines.signatures import Functions
from lrbench.engines.steps import StepTable, alike, distinct_schedules, numbers, step_table
from lrbench.optimizers import FAMILIES, Family, Rule
from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.schedules import BY_STEP, accepted, cycles_momentum
from lrbench.seeds import is_fixed, start

WIDTHS = (8, 64, 256)  # runs side by side: the smallest that holds them all, else the largest ...
WIDTHS_BY_ROWS = WIDTHS[:2]  # ... of a sum over the rows: an idle lane costs more than a wide tile saves
CHUNK = 16384  # runs at once, at most ...
CHUNK_BYTES = 2**26  # ... and about what they may take
MOST_NUMBERS_OF_STEP = 8  # that a rule has
NO_STEPS = np.zeros(0, dtype=np.int64)


class Kept(NamedTuple):
    """What to keep of runs, beside their last states.

    Attributes:
        step: (K,) states whose gaps are kept. Every step of an epoch enters its mean gap, kept or not.
        targets: relative gaps whose first hits are counted at every step.
        traced: (K',) states whose weights are kept.
    """

    step: np.ndarray
    targets: Sequence[float]
    traced: np.ndarray = NO_STEPS


# ---- which runs, and in which chunks


def covers(group: Group) -> np.ndarray:
    """Say which runs of a group have an update rule, (R,) bool."""
    settings = group.shared | group.columns
    family = FAMILIES.get(group.shared["optimizer._target_"])
    names = set(under(settings, "optimizer")) - {"_target_"}
    has_schedule = settings.get("schedule._target_") in {None, *BY_STEP}
    if family is None or not names <= set(family.defaults) or not has_schedule:
        return np.zeros(len(group), dtype=bool)
    schedules, schedule = distinct_schedules(group)
    followed = np.array([not settings or _follows(settings, family, group) for settings in schedules])
    return family.covers(numbers(group, family)) & followed[schedule]


def _follows(schedule: Leaves, family: Family, group: Group) -> bool:
    """Say whether the rules of a family can follow a schedule.

    Where torch refuses it, the reference engine has the words.

    Where OneCycleLR sets momentum to 0, torch lets the buffers of SGD and RMSprop rest, and the rules do not.
    """
    momenta = schedule.get("base_momentum"), schedule.get("max_momentum")
    rests = "momentum" in family.defaults and 0 in momenta
    return not rests and accepted(schedule, group.shared["optimizer._target_"], group.shared["steps"])


def chunks(group: Group, problem: Problem, records: int) -> Iterator[tuple[Rule, Group]]:
    """Cut a group into parts that are trained at once, of one rule each.

    Runs of a seed lie side by side, as they share minibatches.
    """
    family, seed = FAMILIES[group.shared["optimizer._target_"]], group.column("seed")
    seeds = np.array(seed.values)[seed.codes]
    switched = _switched(group)
    for rule, rows in ((family.rule, np.flatnonzero(~switched)), (family.switched, np.flatnonzero(switched))):
        if rule is None or not len(rows):
            continue
        by_seed = rows[np.argsort(seeds[rows], kind="stable")]
        size = _chunk_size(group, rule, problem.data.p, records)
        # No processor idles as long as each can have a full tile.
        full_tiles = -(-len(rows) // _widths(problem)[-1])
        parts = max(-(-len(rows) // size), min(workers(), full_tiles))
        for part in np.array_split(by_seed, parts):
            yield rule, group.take(part)


def _switched(group: Group) -> np.ndarray:
    """Say which runs of a group follow the second rule of their family, (R,) bool.

    A schedule can bring the momentum that they lack.
    """
    family, target = FAMILIES[group.shared["optimizer._target_"]], group.shared.get("schedule._target_")
    if family.switch is None:
        return np.zeros(len(group), dtype=bool)
    switched = getattr(numbers(group, family), family.switch) != 0
    if family.switch != "momentum" or target is None:
        return switched
    cycle = group.column("schedule.cycle_momentum", True)
    moved = np.array([cycles_momentum(target, value) for value in cycle.values])
    return switched | moved[cycle.codes]


def _chunk_size(group: Group, rule: Rule, p: int, records: int) -> int:
    """Return how many runs are trained at once: as many as take about CHUNK_BYTES.

    With them count their shares of step tables and minibatches.
    """
    run, steps = group.shared, group.shared["steps"]
    floats = p * (len(rule.state) + 2) + 4 * records
    if _may_have_columns_of_their_own(group, rule):
        floats += steps * MOST_NUMBERS_OF_STEP
    if not is_fixed(run["batch_size"], run["batch_order"]):
        seeds = len(set(group.column("seed").codes.tolist()))
        floats += steps * run["batch_size"] * seeds / len(group)
    return int(np.clip(CHUNK_BYTES / 8 / floats, WIDTHS[0], CHUNK))


def _may_have_columns_of_their_own(group: Group, rule: Rule) -> bool:
    """Say whether runs may differ in the numbers of their steps: each then has a column of its own."""
    swept = [path for path in group.columns if path.startswith("optimizer.") and path != "optimizer.lr"]
    return "lr" in rule.column or "schedule._target_" in group.shared or bool(swept)


def _widths(problem: Problem) -> tuple[int, ...]:
    return WIDTHS if problem.loss.is_quadratic else WIDTHS_BY_ROWS


def workers() -> int:
    """Return how many threads train: the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# ---- training


def train(rule: Rule, group: Group, problem: Problem, kept: Kept, stop: np.ndarray) -> Outcome:
    """Train runs that share a rule.

    `stop` (1,) ends the work early when another thread sets it; what comes back is then worthless.
    """
    real = np.dtype(group.shared["dtype"])
    minibatches = Minibatches(group, problem)
    geometry = Geometry.of(problem, real.name, sampled=not minibatches.of_all_rows)
    task = geometry.task._replace(batches=minibatches.batches(real, geometry.order))
    lanes = Lanes.of(minibatches.stream, _widths(problem))

    runs = _runs(rule, group, problem, lanes, geometry.order)
    runs = runs._replace(stream=minibatches.stream[lanes.run[:, 0]], stop=stop)
    targets, target = np.unique(-gaps_of(kept.targets, problem), return_inverse=True)
    watch = _watch(-targets, geometry, lanes)
    records = _records(kept, spans(group.shared["steps"], minibatches.epoch), lanes, problem.data.p)
    scratch = _scratch(task, runs, minibatches.largest)
    functions = _functions(task, rule, problem, runs)
    compiled.train(task, real.name)(task, runs, watch, records, scratch, functions)

    trained = Trained.unpacked(lanes, runs, watch, records)
    return _outcome(problem, minibatches.evaluations, kept.step, trained.reordered(geometry.order, target))


class Lanes(NamedTuple):
    """Where runs lie.

    Attributes:
        run: (tiles, lanes) which run each lane trains.
        place: (R,) the lane of each run, as a place among all lanes.
    """

    run: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, stream: np.ndarray, widths: Sequence[int]) -> "Lanes":
        """Fill tiles with runs of one stream each; a tile repeats its last run where they do not fill it."""
        counts = np.bincount(stream)
        lanes = next((width for width in widths if width >= counts.max()), widths[-1])
        tiles = []
        for first, count in zip(np.cumsum(counts) - counts, counts, strict=True):
            padded = np.arange(-(-count // lanes) * lanes)
            tiles.append(first + np.minimum(padded, count - 1))
        run = np.argsort(stream, kind="stable")[np.concatenate(tiles)]
        place = np.empty(len(stream), dtype=np.int64)
        place[run] = np.arange(run.size)
        return cls(run.reshape(-1, lanes), place)

    def pack(self, values: np.ndarray, real: np.dtype) -> np.ndarray:
        """Bring (R, ...) into (tiles, ..., lanes)."""
        return np.ascontiguousarray(np.moveaxis(values.astype(real)[self.run], 1, -1))

    def unpack(self, tiles: np.ndarray) -> np.ndarray:
        """Bring (tiles, ..., lanes) back into (R, ...)."""
        of_lanes = np.moveaxis(tiles, -1, 1)
        return of_lanes.reshape(self.run.size, *of_lanes.shape[2:])[self.place]


def _runs(rule: Rule, group: Group, problem: Problem, lanes: Lanes, order: np.ndarray) -> Runs:
    """Pack the starts of R runs, the states of their rule and its numbers."""
    real, tiles = np.dtype(group.shared["dtype"]), len(lanes.run)
    table = step_table(group, FAMILIES[group.shared["optimizer._target_"]], rule)
    of_run = np.stack(np.broadcast_arrays(*rule.run(table.run)), axis=1)  # (R, k)
    with np.errstate(over="ignore"):  # a start that float32 does not hold is a run that diverges at once
        return Runs(
            W=lanes.pack(_starts(group, problem)[:, order], real),
            state=lanes.pack(_first_states(rule, table, problem.data.p), real).reshape(tiles, -1),
            numbers=lanes.pack(of_run, real).reshape(tiles, -1),
            table=table.coefficients.astype(real),
            column=table.column[lanes.run],
            stream=NO_STEPS,
            stop=NO_STEPS,
        )


def _starts(group: Group, problem: Problem) -> np.ndarray:
    """Return the first weights of each run, (R, p)."""
    init, seed = group.column("init"), group.column("seed")
    first_rows, which = alike([init.codes, seed.codes])
    inits = [init.values[code] for code in init.codes[first_rows]]
    seeds = [seed.values[code] for code in seed.codes[first_rows]]
    distinct = [start(*both, problem.data.d, problem.data.p) for both in zip(inits, seeds, strict=True)]
    return np.stack(distinct)[which]


def _first_states(rule: Rule, table: StepTable, p: int) -> np.ndarray:
    """Return the states before the first step, (R, p, states)."""
    states = np.empty((len(table.column), p, len(rule.state)))
    for place, begin in enumerate(rule.state.values()):
        states[:, :, place] = _first_state(begin, table)[:, None]
    return states


def _first_state(begin: float | str, table: StepTable) -> np.ndarray:
    """Return where a state tensor begins, (R,)."""
    if begin == "lr":
        return table.first_lr
    if isinstance(begin, str):
        return getattr(table.run, begin)
    return np.full(len(table.column), begin)


def _watch(targets: np.ndarray, geometry: Geometry, lanes: Lanes) -> Watch:
    """Return what is looked for, with nothing found; `targets` (H,) are gaps, descending."""
    tiles, width = lanes.run.shape
    return Watch(
        largest=geometry.largest_gap,
        targets=targets,
        guard=geometry.guard,
        hits=np.full((tiles, len(targets), width), NEVER),
        bad=np.full((tiles, width), NEVER),
        peak=np.zeros((tiles, width)),
    )


def _records(kept: Kept, summed: np.ndarray, lanes: Lanes, p: int) -> Records:
    """Return what is kept, with nothing in it; `summed` are the spans whose gaps are added up."""
    tiles, width = lanes.run.shape
    return Records(
        step=kept.step,
        summed=summed,
        traced=kept.traced,
        gaps=np.full((tiles, len(kept.step), width), np.inf),
        sums=np.zeros((tiles, len(summed), width)),
        paths=np.full((tiles, len(kept.traced), p, width), np.nan),
    )


def _scratch(task: Task, runs: Runs, largest_batch: int) -> Scratch:
    """Return room for one tile at work; none for what this task does without."""
    _, p, lanes = runs.W.shape
    real = runs.W.dtype
    rank = 0 if task.quadratic is None else task.quadratic.R.A.shape[0]
    block = 0 if task.quadratic is not None else BLOCK
    gathers = task.batches is not None or task.samples is not None
    rows = max(block, largest_batch) if gathers else 0
    exact_e = 0 if task.exact is None and task.exact_samples is None else p
    exact_u = 0 if exact_e == 0 else max(rank, block)
    longest = max(p, block, largest_batch)
    gathered = Gathered(
        X=np.empty(rows * p, real),
        y=np.empty(rows, real),
        X_T=np.empty(rows * p, real),
        g=np.empty(p * lanes, real),
        zeros=np.zeros(longest, np.int64),
        p=np.full(longest, p),
        rows=np.empty(longest, np.int64),
    )
    return Scratch(
        weights=np.empty((2, p * lanes), real),
        g=np.empty(p * lanes, real),
        moved=Moved(np.empty(p * lanes, real), np.empty(max(rank, rows) * lanes, real)),
        exact=Moved(np.empty(exact_e * lanes), np.empty(exact_u * lanes)),
        gathered=gathered,
        of_step=np.empty(runs.table.shape[1] * lanes, real),
        gap=np.empty(lanes),
        within=np.empty(lanes),
        near=np.empty(lanes),
        place=np.empty(2, np.int64),
    )


def _functions(task: Task, rule: Rule, problem: Problem, runs: Runs) -> tuple:
    """Return what differs from optimizer to optimizer and from loss to loss, compiled."""
    lanes, numbers = runs.W.shape[2], runs.numbers.shape[1]
    real, loss = runs.W.dtype.name, problem.loss
    has_exact = task.exact is not None or task.exact_samples is not None
    functions = Functions(
        lanes=lanes,
        update=compiled.update(rule, numbers // lanes, runs.table.shape[1], lanes, real),
        multiply=compiled.multiply(real),
        exact_multiply=compiled.multiply("float64") if has_exact else None,
        slopes=compiled.slopes(loss, lanes, real) if task.batches is not None else None,
        excess=compiled.excess(loss, lanes, real) if task.samples is not None else None,
        exact_excess=compiled.excess(loss, lanes, "float64") if task.exact_samples is not None else None,
    )
    return tuple(functions)  # numba takes no functions in a NamedTuple


# ---- what is known of them


class Trained(NamedTuple):
    """What the program found out of R runs."""

    gap: np.ndarray  # (R, K)
    means: np.ndarray  # (R, 2) mean gaps of the spans; inf where a state in it is not finite
    hits: np.ndarray  # (R, H)
    bad: np.ndarray  # (R,)
    peak: np.ndarray  # (R,)
    weights: np.ndarray  # (R, p) last finite ones, nan if there were none
    path: np.ndarray  # (R, K', p)

    @classmethod
    def unpacked(cls, lanes: Lanes, runs: Runs, watch: Watch, records: Records) -> "Trained":
        """Bring what came out back from the lanes."""
        bad, weights = lanes.unpack(watch.bad), lanes.unpack(runs.W)
        weights = weights.astype(np.float64)
        weights[bad == 0] = np.nan
        summed = records.summed
        reached = (bad == NEVER)[:, None] | (bad[:, None] > summed[:, 1])
        means = lanes.unpack(records.sums) / (np.ptp(summed, axis=1) + 1)
        return cls(
            gap=lanes.unpack(records.gaps),
            means=np.where(reached, means, np.inf),
            hits=lanes.unpack(watch.hits),
            bad=bad,
            peak=lanes.unpack(watch.peak),
            weights=weights,
            path=lanes.unpack(records.paths),
        )

    def reordered(self, order: np.ndarray, target: np.ndarray) -> "Trained":
        """Return weights in the problem's own order, and hits in that of the targets that were asked for.

        Args:
            order: (p,) the parameters as the program took them.
            target: (H',) which of its H targets is each that was asked for.
        """
        own = np.argsort(order)
        return self._replace(
            hits=self.hits[:, target], weights=self.weights[:, own], path=self.path[:, :, own]
        )


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
    return Outcome(
        step=step,
        loss=gap + problem.loss_star,
        gap=gap,
        evaluations=evaluations[np.minimum(step, ends[:, None])],
        half_gap=trained.means[:, 0],
        last_epoch_gap=trained.means[:, 1],
        hits=trained.hits,
        evaluations_to_hits=evaluations[trained.hits],
        all_evaluations=evaluations[ends],
        first_bad=bad,
        peak=np.maximum(trained.peak, np.where(is_bad_at_once, 0.0, gap[:, 0])),
        last_loss=np.where(is_bad_at_once, np.nan, last_gap + problem.loss_star),
        weights=weights,
        path=trained.path,
        failures={},
    )
