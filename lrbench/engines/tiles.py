"""R runs packed into the lanes of tiles, and what came out of the program brought back.

Letters of shapes: arguments.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lrbench.engines.arguments import BLOCK, Gathered, Moved, Passes, Records, Runs, Scratch, Task, Watch
from lrbench.engines.geometry import Geometry
from lrbench.engines.outcome import NEVER
from lrbench.engines.readings import SHARES
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


def to_watch(goals: np.ndarray, geometry: Geometry, lanes: Lanes) -> Watch:
    """Return what is looked for, with nothing found; `goals` (H,) are gaps, descending."""
    tiles, width = lanes.run.shape
    return Watch(
        largest=geometry.largest_gap,
        goals=goals,
        guard=geometry.guard,
        hits=np.full((tiles, len(goals), width), NEVER),
        arrivals=np.full((tiles, len(SHARES), len(goals), width), NEVER),
        bad=np.full((tiles, width), NEVER),
        peak=np.zeros((tiles, width)),
        mark=np.zeros((tiles, width), dtype=np.uint64),
        stopped=np.zeros((tiles, width), dtype=np.int64),
    )


def to_keep(states: tuple[np.ndarray, np.ndarray, np.ndarray], lanes: Lanes, p: int) -> Records:
    """Return what is kept, with nothing in it; `states` are those recorded, in windows, and traced."""
    step, windows, traced = states
    tiles, width = lanes.run.shape
    return Records(
        step=step,
        windows=windows,
        traced=traced,
        gaps=np.full((tiles, len(step), width), np.inf),
        sums=np.zeros((tiles, len(windows), width)),
        ends=np.full((tiles, len(windows), width), np.inf),
        paths=np.full((tiles, len(traced), p, width), np.nan),
    )


# ---- room for one tile at work


def room(task: Task, runs: Runs, largest_batch: int, epoch: int) -> Scratch:
    """Return room for one tile at work, and none for what this task does without.

    `epoch` is how many steps a pass over the rows takes.
    """
    _, p, lanes = runs.W.shape
    real = runs.W.dtype
    float64 = np.dtype(np.float64)
    rank = len(task.quadratic.R.A) if task.quadratic else 0
    exact_rank = len(task.exact_quadratic.R.A) if task.exact_quadratic else rank
    # A pass over all rows takes a block at a time: over `samples` for gap and gradient, over `exact_samples`
    # for the gap alone.
    block = BLOCK if task.samples else 0
    exact_block = BLOCK if task.exact_samples else 0
    # A gradient needs its rows transposed, and a minibatch is copied first; a gap needs neither.
    gathered = max(block, largest_batch)
    longest = max(gathered, exact_block)  # of all matrices of rows, each a full one
    exact_rows = max(exact_rank, block, exact_block)
    exact_lanes = lanes if task.measures_in_float64 else 0
    gap = np.empty(lanes)
    news = np.empty(lanes, np.uint8)
    return Scratch(
        weights=np.empty((2, p * lanes), real),
        g=np.empty(p * lanes, real),
        moved=_moved(p, max(rank, gathered), lanes, real),
        moved64=_moved(p, exact_rows, exact_lanes, float64),
        gathered=_gathered(gathered, longest, runs),
        of_step=np.empty(runs.table.shape[1] * lanes, real),
        gap=gap,
        bits=gap.view(np.uint64),
        passes=_passes(min(epoch, len(runs.table) + 1), lanes) if task.batches else None,
        mean=np.empty(lanes) if task.batches else gap,
        news=news,
        news_of_eight=news.view(np.uint64),
        within=np.empty(lanes),
        arrived=np.empty(lanes, np.int64),
        enter=np.empty(lanes),
        leave=np.empty(lanes),
        place=np.empty(2, np.int64),
    )


def _moved(p: int, rows: int, lanes: int, real: np.dtype) -> Moved:
    return Moved(e=np.empty(p * lanes, real), u=np.empty(rows * lanes, real))


def _passes(states: int, lanes: int) -> Passes:
    return Passes(block=np.zeros((states, lanes)), since=np.empty(lanes))


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
    level: np.ndarray  # (R, 2) mean gap of each window; inf where a state until its end is not finite
    last_gap: np.ndarray  # (R, 2) at the end of each window; inf likewise
    hits: np.ndarray  # (R, H)
    arrivals: np.ndarray  # (R, 2, H) states
    bad: np.ndarray  # (R,)
    peak: np.ndarray  # (R,)
    fingerprint: np.ndarray  # (R,) int64
    stopped: np.ndarray  # (R,) bool
    weights: np.ndarray  # (R, p) last finite ones, nan if there were none
    path: np.ndarray  # (R, K', p)

    @classmethod
    def unpacked(cls, lanes: Lanes, runs: Runs, watch: Watch, records: Records) -> "Trained":
        """Bring what came out back from the lanes."""
        bad = lanes.unpack(watch.bad)
        weights = lanes.unpack(runs.W).astype(np.float64)
        weights[bad == 0] = np.nan
        lasts = records.windows[:, 1]
        reached = (bad == NEVER)[:, None] | (bad[:, None] > lasts)
        states = np.ptp(records.windows, axis=1) + 1
        return cls(
            gap=lanes.unpack(records.gaps),
            level=np.where(reached, lanes.unpack(records.sums) / states, np.inf),
            last_gap=np.where(reached, lanes.unpack(records.ends), np.inf),
            hits=lanes.unpack(watch.hits),
            arrivals=lanes.unpack(watch.arrivals),
            bad=bad,
            peak=lanes.unpack(watch.peak),
            fingerprint=lanes.unpack(watch.mark).view(np.int64),
            stopped=lanes.unpack(watch.stopped) == 1,
            weights=weights,
            path=lanes.unpack(records.paths),
        )

    def reordered(self, order: np.ndarray, goal: np.ndarray) -> "Trained":
        """Return parameters and goals in the order in which they were asked for.

        Args:
            order: (p,) the parameters as the program took them.
            goal: which of the program's goals is each that was asked for.
        """
        own = np.argsort(order)
        return self._replace(
            hits=self.hits[:, goal],
            arrivals=self.arrivals[:, :, goal],
            weights=self.weights[:, own],
            path=self.path[:, :, own],
        )
