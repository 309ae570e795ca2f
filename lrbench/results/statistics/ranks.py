"""Order instead of size: inf is the largest value, and all inf are tied."""

import numpy as np


def midranks(x: np.ndarray) -> np.ndarray:
    """Return the ranks from 1 along the last axis, (..., n) -> (..., n); ties share the mean of their places."""
    lower, upper = x[..., None, :] < x[..., :, None], x[..., None, :] <= x[..., :, None]
    return (lower.sum(axis=-1) + upper.sum(axis=-1) + 1) / 2


def friedman_ranks(x: np.ndarray) -> np.ndarray:
    """Return the mean ranks (k,) of k optimizers over P blocks, x (P, k), the smallest value first (Friedman, 1937)."""
    return midranks(x).mean(axis=0)


def probability_of_improvement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the probability that a value of a (n,) is below one of b (m,), over all n m pairs; a tie counts half (Mann and Whitney, 1947)."""
    b = np.sort(b)
    above = 2 * len(b) - np.searchsorted(b, a, side="left") - np.searchsorted(b, a, side="right")
    return float(above.mean() / (2 * len(b)))
