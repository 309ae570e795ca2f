"""What the compiled program is given, as tuples of arrays.

Letters of shapes: R runs, T steps, n samples, d features, p parameters (d, and 1 for an intercept),
H targets, K recorded and K' traced states, C columns of the step table. Runs are lanes: a tile holds
`lanes` runs side by side, and a matrix over lanes, (k, lanes), is one flat array, (k * lanes,).
"real" is the runs' dtype.

None stands for a part of a task that its runs do without. numba knows the type of None, so that a function
which begins with `if part is None: return` compiles to nothing, and the program has no stage for that part.
"""

from typing import NamedTuple

import numpy as np

from lrbench.engines.products import Matrix

BLOCK = 256  # rows that a pass over the data takes at once


class Quadratic(NamedTuple):
    """A gap of half |R (w - w*)|^2. Its H is R'R."""

    w_star: np.ndarray  # (p,) float64
    R: Matrix  # (rank, p) upper triangle


class Samples(NamedTuple):
    """A gap that is a sum over the rows: c sum_i excess_i + sum_j penalty_j (w_j - w*_j)^2 / 2."""

    w_star: np.ndarray  # (p,) float64
    penalty: np.ndarray  # (p,) float64, the weight of each parameter's square
    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    star: np.ndarray  # (n,) float64, predictions of w*, and ...
    centre: np.ndarray  # (n,) ... those that moves are counted from, and ...
    tangent: np.ndarray  # (n,) ... the slopes there
    c: float  # 1 / n or 1, by the loss's reduction
    k: float  # the loss's own number


class Batches(NamedTuple):
    """The rows of every step."""

    X: np.ndarray  # (n, p) real
    y: np.ndarray  # (n,) real
    penalty: np.ndarray  # (p,) float64
    order: np.ndarray  # (streams, total) the rows of all steps, one step after another
    starts: np.ndarray  # (T + 1,) where those of a step begin
    factors: np.ndarray  # (T,) real, c of a step
    shares: np.ndarray  # (T,) float64, how much of the penalty a step counts
    k: float  # the loss's own number


class Task(NamedTuple):
    """What all runs share: how their gaps and gradients are computed."""

    quadratic: Quadratic | None  # real
    exact: Quadratic | None  # the same in float64, where `quadratic` is rounded: for gaps that matter
    exact_quadratic: Quadratic | None  # float64, in place of `quadratic` where every gap must be exact
    R_T: Matrix | None  # R' (p, rank), where a step sees all rows of a quadratic
    samples: Samples | None  # real, where a step sees all rows of another loss
    exact_samples: Samples | None  # float64, where no pass over `samples` gives an exact gap
    batches: Batches | None  # where a step sees a part of the rows

    @property
    def measures_in_float64(self) -> bool:
        """Whether gaps are also computed in float64, beside the runs' dtype."""
        exact = (self.exact, self.exact_quadratic, self.exact_samples)
        return any(part is not None for part in exact)


class Runs(NamedTuple):
    """R runs in tiles."""

    W: np.ndarray  # (tiles, p, lanes) real: first weights; becomes the last finite ones
    state: np.ndarray  # (tiles, p * states * lanes) real: of the rule, the first; becomes the last
    numbers: np.ndarray  # (tiles, k * lanes) real: those of a run
    table: np.ndarray  # (T, k, C) real: those of a step
    column: np.ndarray  # (tiles, lanes): which column of the table is a run's
    stream: np.ndarray  # (tiles,): which sequence of minibatches is a tile's
    stop: np.ndarray  # (1,): another thread ends the work by making it 1


class Watch(NamedTuple):
    """What is looked for at every step, and where it is noted."""

    largest: float  # gap that counts as finite
    goals: np.ndarray  # (H,) gaps, descending
    guard: float  # how many times too large a gap of rounded numbers may be
    hits: np.ndarray  # (tiles, H, lanes) first state within each goal
    arrivals: np.ndarray  # (tiles, 2, H, lanes) states of arrival: within half the budget, and within all
    bad: np.ndarray  # (tiles, lanes) first state that is not finite
    peak: np.ndarray  # (tiles, lanes) largest finite gap
    mark: np.ndarray  # (tiles, lanes) fingerprint of the curve, uint64
    stopped: np.ndarray  # (tiles, lanes) 1 where the last step changed no bit of the weights


class Records(NamedTuple):
    """Which states are kept, and what is kept of them."""

    step: np.ndarray  # (K,) states whose gaps are kept
    windows: np.ndarray  # (2, 2) first and last of those whose gaps are added up, for either budget
    traced: np.ndarray  # (K',) states whose weights are kept
    gaps: np.ndarray  # (tiles, K, lanes)
    sums: np.ndarray  # (tiles, 2, lanes) of each window
    ends: np.ndarray  # (tiles, 2, lanes) the last gap of each window
    paths: np.ndarray  # (tiles, K', p, lanes)


class Moved(NamedTuple):
    """Where weights have moved from w*."""

    e: np.ndarray  # (p * lanes,) w - w*
    u: np.ndarray  # (rows * lanes,) R e, or the predictions of a block of rows; then their slopes


class Gathered(NamedTuple):
    """A block of rows, as products want it."""

    X: np.ndarray  # (rows * p,) real
    y: np.ndarray  # (rows,) real
    X_T: np.ndarray  # (rows * p,) real
    g: np.ndarray  # (p * lanes,) real, what a block adds to the gradient
    zeros: np.ndarray  # (longest,) first columns of a full matrix, and ...
    p: np.ndarray  # (longest,) ... the end of its rows, and ...
    rows: np.ndarray  # (longest,) ... the end of those of its transpose


class Passes(NamedTuple):
    """The mean gap over the last pass of the rows, as a queue of two stacks: sums are never subtracted from.

    The m states of a pass are a block. In rows beyond the current state stand sums of the block before, each
    from its row to the block's end; together with the sum since the current block began they are a pass.
    """

    block: np.ndarray  # (m, lanes) gaps of the current block, then sums of the one before
    since: np.ndarray  # (lanes,) sum of the current block until now


class Scratch(NamedTuple):
    """One tile at work."""

    weights: np.ndarray  # (2, p * lanes) real: of state t in row t % 2, of the state before or after beside
    g: np.ndarray  # (p * lanes,) real
    moved: Moved  # real
    moved64: Moved  # float64, for gaps that the runs' dtype would round
    gathered: Gathered
    of_step: np.ndarray  # (k * lanes,) real: the numbers of the step
    gap: np.ndarray  # (lanes,)
    bits: np.ndarray  # (lanes,) the same memory as uint64
    passes: Passes | None  # where a step sees a part of the rows
    mean: np.ndarray  # (lanes,) gap over the last pass; without passes the same memory as `gap`
    news: np.ndarray  # (lanes,) uint8, 1 where something has happened, and ...
    news_of_eight: np.ndarray  # (lanes / 8,) ... the same memory as uint64
    within: np.ndarray  # (lanes,) largest gap that counts as finite; -inf of a run that has ended
    arrived: np.ndarray  # (lanes,) at how many of the goals a run is
    enter: np.ndarray  # (lanes,) mean at which the next goal may be reached, and ...
    leave: np.ndarray  # (lanes,) ... beyond which the last one may be left
    place: np.ndarray  # (2,) places of the next recorded and of the next traced state
