"""p values of paired differences. x are differences (logarithms of ratios); 0 is no difference."""

import math
from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.ranks import midranks

ALPHA = 0.05
# differences of which an exact test can show anything: with five, even five of five has p = 2 / 2**5 > ALPHA
FEWEST_SIGNS = 6


class TTest(NamedTuple):
    """Student's t test of mean differences: low and high are the ends of the interval, p is two-sided."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def t_value(mean: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return mean / error: +-inf where the error is 0, but 0 where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean == 0, 0.0, mean / error)


def standard_error(x: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean of x, (..., n) -> (...), n >= 2."""
    n = x.shape[-1]
    return x.std(axis=-1, ddof=1) / math.sqrt(n)


def paired_t(x: np.ndarray, alpha: float = ALPHA) -> TTest:
    """Return Student's paired t test (1908), (..., n) -> (...) each; low and high cover 1 - alpha.

    Raises ValueError for n < 2.
    """
    from scipy.special import stdtr, stdtrit

    n = x.shape[-1]
    if n < 2:
        raise ValueError(f"paired_t needs two differences or more, got {n}")
    mean = x.mean(axis=-1)
    error = standard_error(x)
    quantile = stdtrit(n - 1, 1 - alpha / 2)
    half_width = quantile * error
    t = t_value(mean, error)
    one_tail = stdtr(n - 1, -np.abs(t))
    return TTest(mean, mean - half_width, mean + half_width, 2 * one_tail)


def binomial_tail(n: int, most: int) -> float:
    """Return the probability of at most `most` heads in n throws of a fair coin."""
    ways = sum(math.comb(n, heads) for heads in range(most + 1))
    return ways / 2**n


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p of the sign test (Arbuthnott, 1710; ties are left out): 1 for 0 + 0."""
    tail = binomial_tail(wins + losses, min(wins, losses))
    return min(1.0, 2 * tail)


def signed_ranks(x: np.ndarray) -> np.ndarray:
    """Return the midranks of |x| with the sign of x, zeros dropped; all +-inf are tied, as the largest."""
    x = x[x != 0]
    return np.sign(x) * midranks(np.abs(x))


def wilcoxon(x: np.ndarray) -> float:
    """Return the exact two-sided p of the signed-rank test (Wilcoxon, 1945): 1 if all differences are 0.

    All 2^n sign flips are counted, ties included: chance[s] is the probability that the positive ranks,
    doubled to make them integers, sum to s.
    """
    ranks = np.rint(2 * signed_ranks(x)).astype(int)
    positive = ranks[ranks > 0].sum()
    negative = -ranks[ranks < 0].sum()
    smaller = min(positive, negative)
    # sums above the smaller one are not in the tail, so they need no place
    chance = np.zeros(smaller + 1)
    chance[0] = 1.0
    for rank in np.abs(ranks):
        shifted = np.zeros_like(chance)
        reached = max(len(chance) - rank, 0)
        shifted[rank:] = chance[:reached]
        chance = (chance + shifted) / 2
    return min(1.0, 2 * float(chance.sum()))


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values (m,) adjusted for the family that they are: Holm (1979).

    The chance of any false rejection then stays below the level. NaN stay NaN and do not count.
    """
    tests = np.isfinite(p).sum()
    order = np.argsort(p)[:tests]  # NaN are sorted last
    # the smallest p stands against all tests, the next against one less, and none comes before a smaller one
    against = np.arange(tests, 0, -1)
    increasing = np.maximum.accumulate(p[order] * against)
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(1.0, increasing)
    return adjusted
