"""Order instead of size: inf is the largest value, and all inf are tied."""

import numpy as np


def midranks(x: np.ndarray) -> np.ndarray:
    """Return ranks from 1 along the last axis, (..., n) -> (..., n); ties share the mean of their places."""
    others = x[..., None, :]
    own = x[..., :, None]
    lower = (others < own).sum(axis=-1)
    upper = (others <= own).sum(axis=-1)
    # the places of a tie are lower + 1 .. upper
    return (lower + upper + 1) / 2


def friedman_ranks(x: np.ndarray) -> np.ndarray:
    """Return the mean ranks (k,) of k optimizers over P blocks, x (P, k), smallest first (Friedman, 1937)."""
    return midranks(x).mean(axis=0)


def probability_of_improvement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the probability that a value of a (n,) is below one of b (m,), over all n m pairs.

    A tie counts half (Mann and Whitney, 1947).
    """
    ordered = np.sort(b)
    m = len(ordered)
    below = np.searchsorted(ordered, a, side="left")
    not_above = np.searchsorted(ordered, a, side="right")
    # twice the values above each a, ties once: integers, so that no sum rounds
    doubled = 2 * m - below - not_above
    return float(doubled.mean() / (2 * m))
