"""R runs packed into the lanes of tiles, and what came out of the program brought back.

Letters of shapes: arguments.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrbench.engines.arguments import BLOCK, Gathered, Moved, Records, Runs, Scratch, Task, Watch
from lrbench.engines.geometry import Geometry
from lrbench.engines.outcome import NEVER
from lrbench.engines.steps import StepTable, alike, step_table
from lrbench.optimizers import FAMILIES, Rule
from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.seeds import start


class Lanes(NamedTuple):
    """Where runs lie.

    Attributes:
        run: (tiles, lanes) which run each lane trains.
        place: (R,) the lane of each run, as a place among all lanes.
        stream: (tiles,) which sequence of batches is a tile's.
    """

    run: np.ndarray
    place: np.ndarray
    stream: np.ndarray

    @classmethod
    def of(cls, stream: np.ndarray, widths: Sequence[int]) -> "Lanes":
        """Fill tiles with runs of one stream each.

        A tile that they do not fill repeats its last run. `stream` (R,) says which sequence of batches is a
        run's.
        """
        counts = np.bincount(stream)
        lanes = next((width for width in widths if width >= counts.max()), widths[-1])
        firsts = np.cumsum(counts) - counts
        of_streams = []
        for first, count in zip(firsts, counts, strict=True):
            tiles = -(-count // lanes)
            padded = np.minimum(np.arange(tiles * lanes), count - 1)
            of_streams.append(first + padded)
        by_stream = np.argsort(stream, kind="stable")
        run = by_stream[np.concatenate(of_streams)]
        place = np.empty(len(stream), dtype=np.int64)
        place[run] = np.arange(run.size)
        tiled = run.reshape(-1, lanes)
        return cls(tiled, place, stream[tiled[:, 0]])

    def pack(self, values: np.ndarray, real: np.dtype) -> np.ndarray:
        """Bring (R, ...) into (tiles, ..., lanes)."""
        of_lanes = values.astype(real)[self.run]
        return np.ascontiguousarray(np.moveaxis(of_lanes, 1, -1))

    def unpack(self, tiles: np.ndarray) -> np.ndarray:
        """Bring (tiles, ..., lanes) back into (R, ...)."""
        of_lanes = np.moveaxis(tiles, -1, 1)
        shape = of_lanes.shape[2:]
        return of_lanes.reshape(self.run.size, *shape)[self.place]


# ---- what goes in


def packed(
    rule: Rule, group: Group, problem: Problem, lanes: Lanes, order: np.ndarray, stop: np.ndarray
) -> Runs:
    """Pack the starts of R runs, the states of their rule and its numbers.

    `order` (p,) is the order of the parameters; `stop` (1,) is passed on.
    """
    real = np.dtype(group.shared["dtype"])
    tiles = len(lanes.run)
    table = step_table(group, FAMILIES[group.shared["optimizer._target_"]], rule)
    of_run = np.broadcast_arrays(*rule.run(table.run))
    starts = _starts(group, problem)[:, order]
    states = _first_states(rule, table, problem.data.p)
    with np.errstate(over="ignore"):  # a start that float32 does not hold diverges at once
        return Runs(
            W=lanes.pack(starts, real),
            state=lanes.pack(states, real).reshape(tiles, -1),
            numbers=lanes.pack(np.stack(of_run, axis=1), real).reshape(tiles, -1),
            table=table.coefficients.astype(real),
            column=table.column[lanes.run],
            stream=lanes.stream,
            stop=stop,
        )


def _starts(group: Group, problem: Problem) -> np.ndarray:
    """Return the first weights of each run, (R, p)."""
    init, seed = group.column("init"), group.column("seed")
    first_rows, which = alike([init.codes, seed.codes])
    distinct = []
    for row in first_rows:
        own_init = init.values[init.codes[row]]
        own_seed = seed.values[seed.codes[row]]
        distinct.append(start(own_init, own_seed, problem.data.d, problem.data.p))
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


def to_watch(targets: np.ndarray, geometry: Geometry, lanes: Lanes) -> Watch:
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


def to_keep(states: tuple[np.ndarray, np.ndarray, np.ndarray], lanes: Lanes, p: int) -> Records:
    """Return what is kept, with nothing in it; `states` are those recorded, summed and traced."""
    step, summed, traced = states
    tiles, width = lanes.run.shape
    return Records(
        step=step,
        summed=summed,
        traced=traced,
        gaps=np.full((tiles, len(step), width), np.inf),
        sums=np.zeros((tiles, len(summed), width)),
        paths=np.full((tiles, len(traced), p, width), np.nan),
    )


# ---- room for one tile at work


def room(task: Task, runs: Runs, largest_batch: int) -> Scratch:
    """Return room for one tile at work, and none for what this task does without."""
    _, p, lanes = runs.W.shape
    real = runs.W.dtype
    float64 = np.dtype(np.float64)
    rank = len(task.quadratic.R.A) if task.quadratic else 0
    # A pass over all rows takes a block at a time: over `samples` for gap and gradient, over `exact_samples`
    # for the gap alone.
    block = BLOCK if task.samples else 0
    exact_block = BLOCK if task.exact_samples else 0
    # A gradient needs its rows transposed, and a minibatch is copied first; a gap needs neither.
    gathered = max(block, largest_batch)
    longest = max(gathered, exact_block)  # of all matrices of rows, each a full one
    exact_rows = max(rank, block, exact_block)
    exact_lanes = lanes if task.measures_in_float64 else 0
    return Scratch(
        weights=np.empty((2, p * lanes), real),
        g=np.empty(p * lanes, real),
        moved=_moved(p, max(rank, gathered), lanes, real),
        moved64=_moved(p, exact_rows, exact_lanes, float64),
        gathered=_gathered(gathered, longest, runs),
        of_step=np.empty(runs.table.shape[1] * lanes, real),
        gap=np.empty(lanes),
        within=np.empty(lanes),
        near=np.empty(lanes),
        place=np.empty(2, np.int64),
    )


def _moved(p: int, rows: int, lanes: int, real: np.dtype) -> Moved:
    return Moved(e=np.empty(p * lanes, real), u=np.empty(rows * lanes, real))


def _gathered(rows: int, longest: int, runs: Runs) -> Gathered:
    """Return room for so many rows; a full matrix has at most `longest` of them, or p."""
    _, p, lanes = runs.W.shape
    real = runs.W.dtype
    extent = max(p, longest)
    return Gathered(
        X=np.empty(rows * p, real),
        y=np.empty(rows, real),
        X_T=np.empty(rows * p, real),
        g=np.empty(p * lanes, real),
        zeros=np.zeros(extent, np.int64),
        p=np.full(extent, p),
        rows=np.empty(extent, np.int64),
    )


# ---- what comes out


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
        bad = lanes.unpack(watch.bad)
        weights = lanes.unpack(runs.W).astype(np.float64)
        weights[bad == 0] = np.nan
        sums = lanes.unpack(records.sums)
        return cls(
            gap=lanes.unpack(records.gaps),
            means=_means(sums, records.summed, bad),
            hits=lanes.unpack(watch.hits),
            bad=bad,
            peak=lanes.unpack(watch.peak),
            weights=weights,
            path=lanes.unpack(records.paths),
        )

    def reordered(self, order: np.ndarray, target: np.ndarray) -> "Trained":
        """Return parameters and targets in the order in which they were asked for.

        Args:
            order: (p,) the parameters as the program took them.
            target: which of the program's targets is each that was asked for.
        """
        own = np.argsort(order)
        return self._replace(
            hits=self.hits[:, target],
            weights=self.weights[:, own],
            path=self.path[:, :, own],
        )


def _means(sums: np.ndarray, summed: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Return the mean gap of each span, (R, 2); inf where a state in it is not finite."""
    lasts = summed[:, 1]
    reached = (bad == NEVER)[:, None] | (bad[:, None] > lasts)
    states = np.ptp(summed, axis=1) + 1
    return np.where(reached, sums / states, np.inf)
