"""Two optimizers on the same seeds: by how much the one ends lower, and whether that is more than chance.

Given are paired gaps a, b (n,), >= 0 or inf, and the floor below which a gap is rounding. What they say is a
PairedComparison; of many groups of pairs it is GroupComparisons, a column a field. An example of a row:

    n   test   ratio   low    high   at_least   p
    10  t      1.52    1.21   1.91   NaN        0.0024
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.location import at_least_floor, groups_by_size
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


class GroupComparisons(NamedTuple):
    """The fields of PairedComparison for G groups of pairs, (G,) each."""

    n: np.ndarray
    test: np.ndarray
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_least: np.ndarray
    p: np.ndarray


# ---- one group of pairs


def compare(a: np.ndarray, b: np.ndarray, floor: float) -> PairedComparison:
    """Return what the paired gaps a, b (n,), >= 0 or inf, say. Raises ValueError where one is NaN.

    A ratio and its interval need all values finite and above the floor: with one side floored the 95 %
    interval covered 49 % (n = 5). Else the order decides: two at the floor or two that failed are tied, one
    that failed has lost.
    """
    if np.isnan([a, b]).any():
        raise ValueError("compare needs gaps >= 0 or inf, got NaN: a run that did not complete counts as inf")
    a, b, known = distinct(a, b, floor)
    test = choose_test(a, b, floor, known)
    a, b = at_least_floor(a, floor), at_least_floor(b, floor)
    wins, losses = record(a, b)
    ties = len(a) - wins - losses
    if test not in MEASURES:
        return PairedComparison(len(a), test, wins, losses, ties)
    measures = MEASURES[test](a, b)
    numbers = {name: float(measure) for name, measure in measures.items()}
    return PairedComparison(len(a), test, wins, losses, ties, **numbers)


def distinct(a: np.ndarray, b: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct pairs a, b (n,) in order, and where their ratio is known.

    A known pair that repeats bit for bit is one run. The others all stay: at the floor or failed, runs may
    look alike and differ.
    """
    order = np.lexsort([b, a])
    a, b = a[order], b[order]
    known = ratio_known(a, b, floor)
    kept = ~(repeats(a, b) & known)
    return a[kept], b[kept], known[kept]


def ratio_known(a: np.ndarray, b: np.ndarray, floor: np.ndarray | float) -> np.ndarray:
    """Say of each pair whether both of its gaps are finite and above the floor."""
    lower, higher = np.minimum(a, b), np.maximum(a, b)
    return (lower > floor) & np.isfinite(higher)


def repeats(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Say of each pair, in order along the last axis, whether it equals the one before."""
    pairs = np.stack([a, b])
    same = pairs[..., 1:] == pairs[..., :-1]
    again = np.zeros(a.shape, dtype=bool)
    again[..., 1:] = same.all(axis=0)
    return again


def choose_test(a: np.ndarray, b: np.ndarray, floor: float, known: np.ndarray) -> str:
    """Return the test that the pairs allow, or the reason why there is none."""
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
    mean, low, high, p = paired_t(log_ratios)
    return {"ratio": ratio_of(mean), "low": ratio_of(low), "high": ratio_of(high), "p": p}


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


# ---- many groups of pairs


def compare_groups(
    a: np.ndarray, b: np.ndarray, floor: np.ndarray, codes: np.ndarray, identical: np.ndarray
) -> GroupComparisons:
    """Return what `compare` says of each group of the pairs a, b (R,).

    floor (R,): the same within a group. codes (R,): the pairs' groups 0 .. G-1, none empty. identical (G,):
    where runs agree in more than their gaps, bit for bit: these are not tested, and all of their pairs count.

    One t test takes all groups of a size whose ratios are known and whose pairs are distinct, so that a
    hundred thousand settings cost a few; the other groups are compared one by one. `compare` adds up in the
    order of the gaps, the common test in that of the pairs, so the two may differ by rounding.
    """
    columns = no_comparisons(len(identical))
    for groups, pairs in groups_by_size(codes):
        columns.n[groups] = pairs.shape[1]
        tested = ~identical[groups]
        plain = all_plain(a[pairs], b[pairs], floor[pairs])

        together = pairs[tested & plain]
        put(columns, groups[tested & plain], plain_measures(a[together], b[together]))

        alone = tested & ~plain
        for group, own in zip(groups[alone], pairs[alone], strict=True):
            own_floor = float(floor[own[0]])
            comparison = compare(a[own], b[own], own_floor)
            put(columns, group, vars(comparison))
    return columns


def no_comparisons(count: int) -> GroupComparisons:
    """Return the columns of `count` groups that are not tested."""
    n = np.zeros(count, dtype=int)
    test = np.full(count, "identical", dtype=object)  # object, lest a longer name be cut
    ratio, low, high, at_least, p = np.full((5, count), np.nan)
    return GroupComparisons(n, test, ratio, low, high, at_least, p)


def all_plain(a: np.ndarray, b: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Say of each group (g, n) whether all ratios are known, all pairs distinct, and not all gaps equal."""
    order = np.lexsort([b, a], axis=-1)
    ordered_a = np.take_along_axis(a, order, axis=-1)
    ordered_b = np.take_along_axis(b, order, axis=-1)
    repeated = repeats(ordered_a, ordered_b).any(axis=-1)
    known = ratio_known(a, b, floor).all(axis=-1)
    differ = (a != b).any(axis=-1)
    return known & differ & ~repeated


def plain_measures(a: np.ndarray, b: np.ndarray) -> dict[str, object]:
    """Return the columns of groups a, b (g, n) of known, distinct pairs: a t test, or one pair's ratio."""
    if a.shape[1] > 1:
        return {"test": "t", **t_measures(a, b)}
    log_ratio = np.log(b[:, 0]) - np.log(a[:, 0])
    return {"test": "none", "ratio": ratio_of(log_ratio)}


def put(columns: GroupComparisons, groups: np.ndarray, values: dict[str, object]) -> None:
    """Write the values that are columns into the rows of some groups."""
    for name, column in columns._asdict().items():
        if name in values:
            column[groups] = values[name]


# ---- one optimizer against a number


def below_target(gaps: np.ndarray, target: float, floor: float) -> float:
    """Return the one-sided p of the typical gap not being below the target, gaps (n,).

    NaN for fewer than two distinct gaps. t test of log(gap / target) where all of them are finite and above
    the floor, else the exact sign test; a gap on the target is a tie there.
    """
    from scipy.special import stdtr

    targets = np.full(len(gaps), target)
    gaps, targets, known = distinct(gaps, targets, floor)
    n = len(gaps)
    if n < 2:
        return math.nan
    if known.all():
        logs = np.log(gaps) - math.log(target)
        t = t_value(logs.mean(), standard_error(logs))
        return float(stdtr(n - 1, t))
    below, above = record(at_least_floor(gaps, floor), targets)
    return binomial_tail(below + above, above)
