"""Two optimizers on the same seeds: by how much the one ends lower, and whether that is more than chance.

Given are paired gaps a, b (n,), >= 0 or inf, and the floor below which a gap is rounding. What they say is a
PairedComparison, such as

    n   test   wins  losses  ties  ratio   low    high   at_least   p
    10  t      9     1       0     1.52    1.21   1.91   NaN        0.0024
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.location import at_least_floor
from lrbench.results.statistics.pvalues import binomial_tail, paired_t, sign_test, standard_error, t_value

TESTED = ["t", "sign"]  # of PairedComparison.test, where a difference can be shown


@dataclass(frozen=True)
class PairedComparison:
    """What n distinct pairs of gaps (a, b) say. Ratios are b over a, so above 1 where a is better.

    test: "t" paired t test of the log ratios; "sign" exact sign test of the order; or why there is none:
    "none" one pair only, "identical" equal everywhere, "floor" both at the floor everywhere, "lost" nobody
    ever completed; "wilcoxon" over problems instead of seeds. ratio, low, high: geometric mean of the ratios
    and its 95 % interval. at_least: median of the floored ratios, of two middle ones that nearer to 1. All
    are NaN where they do not apply.
    """

    n: int
    test: str
    wins: int
    losses: int
    ties: int
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    at_least: float = math.nan
    p: float = math.nan


class Pairs(NamedTuple):
    """Distinct pairs of gaps in order, (n,) each."""

    a: np.ndarray
    b: np.ndarray
    known: np.ndarray  # whether both are finite and above the floor, so that their ratio is known


def compare(a: np.ndarray, b: np.ndarray, floor: float) -> PairedComparison:
    """Return what the paired gaps a, b (n,), >= 0 or inf, say. Raises ValueError where one is NaN.

    A ratio and its interval need all values finite and above the floor: with one side floored the 95 %
    interval covered 49 % (n = 5). Else the order decides: two at the floor or two that failed are tied, one
    that failed has lost.
    """
    if np.isnan([a, b]).any():
        raise ValueError("compare needs gaps >= 0 or inf, got NaN: a run that did not complete counts as inf")
    pairs = distinct(a, b, floor)
    n = len(pairs.known)
    test = choose_test(pairs, floor)
    a = at_least_floor(pairs.a, floor)
    b = at_least_floor(pairs.b, floor)
    wins, losses = record(a, b)
    ties = n - wins - losses
    if test not in MEASURES:
        return PairedComparison(n, test, wins, losses, ties)
    measures = MEASURES[test](a, b)
    numbers = {name: float(measure) for name, measure in measures.items()}
    return PairedComparison(n, test, wins, losses, ties, **numbers)


def distinct(a: np.ndarray, b: np.ndarray, floor: float) -> Pairs:
    """Return the distinct pairs of a, b (n,).

    A known pair that repeats bit for bit is one run. The others all stay: at the floor or failed, runs may
    look alike and differ.
    """
    order = np.lexsort([b, a])
    a, b = a[order], b[order]
    known = ratio_known(a, b, floor)
    kept = ~(repeats(a, b) & known)
    return Pairs(a[kept], b[kept], known[kept])


def ratio_known(a: np.ndarray, b: np.ndarray, floor: np.ndarray | float) -> np.ndarray:
    """Say of each pair whether both of its gaps are finite and above the floor."""
    lower = np.minimum(a, b)
    higher = np.maximum(a, b)
    return (lower > floor) & np.isfinite(higher)


def repeats(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Say of each pair, in order along the last axis, whether it equals the one before."""
    pairs = np.stack([a, b])  # (2, ..., n)
    later, earlier = pairs[..., 1:], pairs[..., :-1]
    same = later == earlier
    again = np.zeros(a.shape, dtype=bool)
    again[..., 1:] = same.all(axis=0)
    return again


def choose_test(pairs: Pairs, floor: float) -> str:
    """Return the test that the pairs allow, or the reason why there is none."""
    a, b, known = pairs
    # The first that holds. Both failed or both at the floor does not make two runs identical.
    largest = max(a.max(), b.max())
    smallest = min(a.min(), b.min())
    conditions = {
        "floor": largest <= floor,
        "lost": np.isinf(smallest),
        "identical": known.any() and (a == b).all(),
        "none": len(a) == 1,
        "t": known.all(),
        "sign": True,
    }
    return next(test for test, holds in conditions.items() if holds)


def record(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Return how often a is below b, and how often above."""
    below = (a < b).sum()
    above = (a > b).sum()
    return int(below), int(above)


# ---- what a test measures, of floored gaps a, b


def t_measures(a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Return the paired t test of the log ratios, (..., n) -> (...) each."""
    log_ratios = np.log(b) - np.log(a)
    t_test = paired_t(log_ratios)
    return {
        "ratio": ratio_of(t_test.mean),
        "low": ratio_of(t_test.low),
        "high": ratio_of(t_test.high),
        "p": t_test.p,
    }


def sign_measures(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    ratios = floored_ratios(a, b)
    wins, losses = record(a, b)
    return {"at_least": median_ratio(ratios), "p": sign_test(wins, losses)}


def one_ratio(a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    (ratio,) = floored_ratios(a, b)
    return {"ratio": ratio}


MEASURES: dict[str, Callable] = {"t": t_measures, "sign": sign_measures, "none": one_ratio}


def ratio_of(log: np.ndarray) -> np.ndarray:
    """Return exp(log): inf beyond the largest float.

    There two seeds that contradict each other by many decades leave the interval open.
    """
    with np.errstate(over="ignore"):
        return np.exp(log)


def floored_ratios(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return b / a, where inf / inf and 0 / 0 are 1."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(a == b, 1.0, b / a)


def median_ratio(ratios: np.ndarray) -> float:
    """Return the middle one of the ratios (n,).

    Of two middle ones that nearer to 1, and 1 if they lie on either side of it: what is claimed at least.
    """
    ordered = np.sort(ratios)
    n = len(ordered)
    low = float(ordered[(n - 1) // 2])
    high = float(ordered[n // 2])
    return max(low, min(1.0, high))


# ---- one optimizer against a number


def below_target(gaps: np.ndarray, target: float, floor: float) -> float:
    """Return the one-sided p of the typical gap not being below the target, gaps (n,).

    NaN for fewer than two distinct gaps. t test of log(gap / target) where all of them are finite and above
    the floor, else the exact sign test; a gap on the target is a tie there.
    """
    from scipy.special import stdtr

    pairs = distinct(gaps, np.full(len(gaps), target), floor)
    n = len(pairs.known)
    if n < 2:
        return math.nan
    if pairs.known.all():
        logs = np.log(pairs.a) - math.log(target)
        t = t_value(logs.mean(), standard_error(logs))
        return float(stdtr(n - 1, t))
    floored = at_least_floor(pairs.a, floor)
    below, above = record(floored, pairs.b)
    return binomial_tail(below + above, above)
