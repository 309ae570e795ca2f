"""What a search over settings costs and how sensitive its outcome is."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

import numpy as np


def best_of_subsets(
    values: np.ndarray, sizes: Sequence[int], q: Sequence[float] = (0.25, 0.5, 0.75)
) -> np.ndarray:
    """Return the q-quantiles of the least of m of T values drawn without replacement, for each m in sizes, 1 <= m <= T: (T,) -> (len(sizes), len(q)).

    Exact, nothing is drawn: the least lies above the i-th smallest value in C(T - i, m) of C(T, m) cases. A quantile is the smallest value whose
    cumulative probability reaches q; inf is the largest value.
    """
    ordered = np.sort(values)
    return np.array([[ordered[place(len(values), int(m), share)] for share in q] for m in sizes])


def place(count: int, m: int, q: float) -> int:
    """Return the least i such that the least of m of `count` values is among the i + 1 smallest with probability >= q."""
    allowed = (1 - Fraction(q)) * math.comb(count, m)
    return bisect_left(range(1, count), True, key=lambda i: math.comb(count - i, m) <= allowed)


def widest_stretch(lr: np.ndarray, reached: np.ndarray) -> tuple[float, float]:
    """Return the ends of the widest stretch (in decades) of neighbouring lrs (m,) that all reach; of equally wide ones the lowest. NaN if none.

    lr: distinct and > 0, in any order.
    """
    order = np.argsort(lr)
    rates, hits = lr[order], reached[order].astype(int)
    turns = np.diff(hits, prepend=0, append=0)
    lowest, highest = rates[np.flatnonzero(turns == 1)], rates[np.flatnonzero(turns == -1) - 1]
    if len(lowest) == 0:
        return math.nan, math.nan
    widest = np.argmax(np.log10(highest) - np.log10(lowest))
    return float(lowest[widest]), float(highest[widest])


def lr_tolerance(lr: np.ndarray, reached: np.ndarray) -> tuple[float, bool, bool]:
    """Return the width of the widest stretch of lrs (m,) that reach, in decades, and whether it touches the lower and the upper end of the grid.

    NaN if none reaches, 0 for a single lr. Where the stretch touches an end, the tolerance is at least this wide.
    """
    low, high = widest_stretch(lr, reached)
    return math.log10(high / low), bool(low == lr.min()), bool(high == lr.max())


def flips(half: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return which pairs change their order between half and whole budget, (k,), (k,) -> (k, k), symmetric. A tie at either is no flip."""
    ahead = (half[:, None] < half) & (whole[:, None] > whole)
    return ahead | ahead.T
