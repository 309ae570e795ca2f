"""Typical values and spreads. Every statistic reduces the last axis, (..., n) -> (...)."""

import math

import numpy as np


def at_least_floor(gap: np.ndarray, gap_floor: np.ndarray | float) -> np.ndarray:
    """Count gaps below the floor as the floor: what lies below is rounding, so all are tied there."""
    return np.maximum(gap, gap_floor)


def geometric_mean(x: np.ndarray) -> np.ndarray:
    """Return exp of the mean logarithm of x >= 0: inf where any is inf, else 0 where any is 0.

    Equal values return exactly that value.
    """
    smallest = np.min(x, axis=-1, keepdims=True)
    infinite = np.any(np.isinf(x), axis=-1, keepdims=True)
    # The logarithms are relative to the smallest value: of equal values all are 0, without rounding.
    anchor = np.where((smallest > 0) & ~infinite, smallest, 1.0)
    finite = np.where(infinite, 1.0, x)
    with np.errstate(divide="ignore"):
        logs = np.log(finite) - np.log(anchor)
    means = anchor * np.exp(logs.mean(axis=-1, keepdims=True))
    return np.where(infinite, np.inf, means)[..., 0]


def geometric_spread(x: np.ndarray) -> np.ndarray:
    """Return exp of the standard deviation (ddof = 1) of log x, a factor >= 1.

    NaN for a single value, inf where any is 0 or inf.
    """
    if x.shape[-1] < 2:
        return np.full(x.shape[:-1], np.nan)
    positive = np.isfinite(x) & (x > 0)
    usable = np.all(positive, axis=-1, keepdims=True)
    logs = np.log(np.where(usable, x, 1.0))
    spreads = np.exp(logs.std(axis=-1, ddof=1, keepdims=True))
    return np.where(usable, spreads, np.inf)[..., 0]


def quantile(x: np.ndarray, q: float) -> np.ndarray:
    """Return the q-quantile, 0 <= q <= 1, with inf as the largest value.

    Linear between the two neighbours in order, as numpy's default; where the upper neighbour takes part and
    is inf, the quantile is inf.
    """
    ordered = np.sort(x, axis=-1)
    position = q * (x.shape[-1] - 1)
    place = math.floor(position)
    lower = ordered[..., place]
    upper = ordered[..., math.ceil(position)]
    finite = np.isfinite(upper)
    # inf - inf would warn, although its result is never taken
    step = np.where(finite, upper, 0.0) - np.where(finite, lower, 0.0)
    between = lower + (position - place) * step
    return np.where(finite, between, np.inf)


def interquartile_mean(x: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half: inf where an inf takes part in it.

    A value that a quarter's end cuts counts by its part inside; for n a multiple of 4 this is the 25 %
    trimmed mean (Agarwal et al., 2021).
    """
    n = x.shape[-1]
    quarter = n / 4
    edges = np.clip(np.arange(n + 1), quarter, 3 * quarter)
    weights = np.diff(edges) / (n / 2)
    # an inf outside the middle half has the weight 0, and inf times 0 is NaN
    ordered = np.sort(x, axis=-1)
    middle = np.where(weights > 0, ordered, 0.0)
    return (middle * weights).sum(axis=-1)
