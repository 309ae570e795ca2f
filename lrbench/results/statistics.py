"""Statistics of gaps and first hits: arrays in, arrays out, inf-aware.

A run that diverged or failed has the gap inf; a target that was never reached has the first hit inf. inf is the largest value, never a missing one:
leaving it out would flatter the optimizer. Every statistic reduces the last axis, (..., n) -> (...), and expects no NaN.
"""

import math
from collections.abc import Callable

import numpy as np


def at_least_floor(gap: np.ndarray, gap_floor: np.ndarray) -> np.ndarray:
    """Count gaps below the floor as the floor: what lies below is rounding, so all are tied there."""
    return np.maximum(gap, gap_floor)


def geometric_mean(x: np.ndarray) -> np.ndarray:
    """Return exp of the mean logarithm of x >= 0: inf where any is inf, else 0 where any is 0; equal values return exactly that value."""
    smallest = x.min(axis=-1, keepdims=True)
    anchor = np.where(np.isfinite(smallest) & (smallest > 0), smallest, 1.0)
    infinite = np.isinf(x).any(axis=-1)
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(infinite[..., None], 1.0, x)) - np.log(anchor)
    return np.where(infinite, np.inf, anchor[..., 0] * np.exp(logs.mean(axis=-1)))


def geometric_spread(x: np.ndarray) -> np.ndarray:
    """Return exp of the standard deviation (ddof = 1) of log x, a factor >= 1: NaN for a single value, inf where any is 0 or inf."""
    if x.shape[-1] < 2:
        return np.full(x.shape[:-1], np.nan)
    usable = (np.isfinite(x) & (x > 0)).all(axis=-1)
    logs = np.log(np.where(usable[..., None], x, 1.0))
    return np.where(usable, np.exp(logs.std(axis=-1, ddof=1)), np.inf)


def quantile(x: np.ndarray, q: float) -> np.ndarray:
    """Return the q-quantile, 0 <= q <= 1, with inf as the largest value.

    Linear between the two neighbours in order, as numpy's default; where the upper neighbour takes part and is inf, the quantile is inf.
    """
    ordered = np.sort(x, axis=-1)
    position = q * (x.shape[-1] - 1)
    lower, upper = ordered[..., math.floor(position)], ordered[..., math.ceil(position)]
    finite = np.isfinite(upper)
    step = np.where(finite, upper, 0.0) - np.where(finite, lower, 0.0)
    return np.where(finite, lower + (position - math.floor(position)) * step, np.inf)


def median_first_hit(hits: np.ndarray) -> np.ndarray:
    """Return the cost by which at least half of the runs had reached the target: inf exactly where fewer than half ever do."""
    return np.sort(hits, axis=-1)[..., (hits.shape[-1] - 1) // 2]


def by_group(statistic: Callable[[np.ndarray], np.ndarray], values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Apply a statistic to each group of values (R,); codes (R,) number the groups 0 .. G-1, none empty. Returns (G,).

    Groups of the same size are one call, so that a hundred thousand settings cost a few.
    """
    ordered = values[np.argsort(codes, kind="stable")]
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    result = np.empty(len(sizes))
    for size in np.unique(sizes):
        groups = np.flatnonzero(sizes == size)
        result[groups] = statistic(ordered[starts[groups, None] + np.arange(size)])
    return result
