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


def stretch_around(lr: np.ndarray, works: np.ndarray, best: float) -> tuple[float, float]:
    """Return the ends of the stretch of neighbouring lrs (m,) around the best that all work.

    NaN where the best itself does not. lr: distinct, in any order; best is one of them.
    """
    order = np.argsort(lr)
    rates = lr[order]
    fails = ~works[order]
    place = np.searchsorted(rates, best)
    if fails[place]:
        return math.nan, math.nan
    failing = np.flatnonzero(fails)
    below = failing[failing < place].max(initial=-1)
    above = failing[failing > place].min(initial=len(rates))
    return float(rates[below + 1]), float(rates[above - 1])
