"""What a search over settings costs and how sensitive its outcome is."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

QUARTILES = (0.25, 0.5, 0.75)


def best_of_subsets(values: np.ndarray, sizes: Sequence[int], q: Sequence[float] = QUARTILES) -> np.ndarray:
    """Return the q-quantiles of the least of m of T values drawn without replacement, for each m in sizes.

    (T,) -> (len(sizes), len(q)), 1 <= m <= T. Exact, nothing is drawn: the least lies above the i-th smallest
    value in C(T - i, m) of C(T, m) cases. A quantile is the smallest value whose cumulative probability
    reaches q; inf is the largest value.
    """
    ordered = np.sort(values)

    def quantiles(m: int) -> np.ndarray:
        return ordered[[place(len(ordered), m, share) for share in q]]

    return np.array([quantiles(int(m)) for m in sizes])


def place(count: int, m: int, q: float) -> int:
    """Return the least i such that the least of m values is among the i + 1 smallest with probability >= q.

    The m are drawn of `count` values.
    """
    # whole numbers and fractions: binomials of a hundred trials are beyond what a float holds exactly
    allowed = (1 - Fraction(q)) * math.comb(count, m)
    return bisect_left(range(1, count), True, key=lambda i: math.comb(count - i, m) <= allowed)


def widest_stretch(lr: np.ndarray, reached: np.ndarray) -> tuple[float, float]:
    """Return the ends of the widest stretch (in decades) of neighbouring lrs (m,) that all reach.

    Of equally wide ones the lowest. NaN if none. lr: distinct and > 0, in any order.
    """
    order = np.argsort(lr)
    rates = lr[order]
    hits = reached[order].astype(int)
    # 1 where a stretch begins and -1 one beyond its end; a stretch may touch either end of the grid
    turns = np.diff(hits, prepend=0, append=0)
    first = np.flatnonzero(turns == 1)
    last = np.flatnonzero(turns == -1) - 1
    if len(first) == 0:
        return math.nan, math.nan
    lowest = rates[first]
    highest = rates[last]
    decades = np.log10(highest) - np.log10(lowest)
    widest = np.argmax(decades)
    return float(lowest[widest]), float(highest[widest])


def lr_tolerance(lr: np.ndarray, reached: np.ndarray) -> tuple[float, bool, bool]:
    """Return the width in decades of the widest stretch of lrs (m,) that reach, and which ends it touches.

    The ends are the lower and the upper end of the grid. NaN if none reaches, 0 for a single lr. Where the
    stretch touches an end, the tolerance is at least this wide.
    """
    low, high = widest_stretch(lr, reached)
    decades = math.log10(high / low)
    at_lower_end = bool(low == lr.min())
    at_upper_end = bool(high == lr.max())
    return decades, at_lower_end, at_upper_end


def flips(half: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return which pairs change their order between half and whole budget, (k,), (k,) -> (k, k), symmetric.

    A tie at either is no flip.
    """
    ahead_at_half = half[:, None] < half
    behind_at_last = whole[:, None] > whole
    overtaken = ahead_at_half & behind_at_last
    return overtaken | overtaken.T
