"""All optimizers against each other: which are shown better, at one error rate for a family of comparisons.

Given are the gaps (k, n) of k optimizers on n seeds, or their mean log gaps (P, k) over P problems. A Contest
has the pairs of optimizers, a < b, and a rank an optimizer.
"""

import math
from dataclasses import dataclass

import numpy as np

from lrbench.results.statistics.paired import PairedComparison, compare, ratio_of, record
from lrbench.results.statistics.pvalues import ALPHA, FEWEST_SIGNS, holm, signed_ranks, wilcoxon

MARGIN = 1.25


@dataclass(frozen=True)
class Contest:
    """k optimizers in pairs.

    a, b: their numbers, a < b. p_holm: p, adjusted within the family, NaN where there is no test. family:
    "leader" against "rest" where the leader was chosen on other data, else "all". better: 1 where a is shown
    better, -1 where b is, else 0. rank (k,): 1 + the number of optimizers shown better.
    """

    a: np.ndarray
    b: np.ndarray
    comparisons: list[PairedComparison]
    p_holm: np.ndarray
    family: np.ndarray
    better: np.ndarray
    rank: np.ndarray


def contest(gaps: np.ndarray, floor: float, leader: int | None) -> Contest:
    """Compare k optimizers on n seeds, gaps (k, n), >= 0 or inf.

    leader: the optimizer that other seeds chose: its k - 1 pairs are a family of their own. None: all pairs
    are one family, since a leader that is chosen and tested on the same seeds is called better too often (in
    7.7 % of null cases for k = 5, in 13 % for k = 15).
    """
    k = len(gaps)
    a, b = np.triu_indices(k, 1)
    pairs = zip(gaps[a], gaps[b], strict=True)
    comparisons = [compare(gaps_a, gaps_b, floor) for gaps_a, gaps_b in pairs]
    family = families(a, b, leader)
    p_holm = adjusted(column(comparisons, "p"), family)
    better = better_of_seeds(comparisons, p_holm)
    rank = places(a, b, better, k)
    return Contest(a, b, comparisons, p_holm, family, better, rank)


def across(logs: np.ndarray) -> Contest:
    """Compare k optimizers over P problems, logs (P, k): the mean log gap over a problem's seeds.

    It is inf where a seed failed. The block is the problem. Exact Wilcoxon tests; ratio is exp of the median
    difference, and it must lie beyond the margin on the side to which the signed ranks lean. Fewer than six
    problems give no p value, so nobody is shown better.
    """
    k = logs.shape[1]
    a, b = np.triu_indices(k, 1)
    differences = log_ratios(logs[:, a], logs[:, b]).T  # (pairs, P)
    comparisons = [over_blocks(x) for x in differences]
    family = families(a, b, leader=None)
    p_holm = adjusted(column(comparisons, "p"), family)
    # over problems there is no interval: the ratio itself must lie beyond the margin
    ratio = column(comparisons, "ratio")
    better = shown(p_holm, low=ratio, high=ratio, at_least=ratio)
    rank_sums = np.array([signed_ranks(x).sum() for x in differences])
    better[better != np.sign(rank_sums)] = 0
    rank = places(a, b, better, k)
    return Contest(a, b, comparisons, p_holm, family, better, rank)


def column(comparisons: list[PairedComparison], field: str) -> np.ndarray:
    """Return a field of comparisons as an array (pairs,) of floats."""
    return np.array([getattr(comparison, field) for comparison in comparisons], dtype=float)


def log_ratios(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return b - a, where inf - inf is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, b - a)


def over_blocks(x: np.ndarray) -> PairedComparison:
    """Return what the differences x (P,) of blocks say."""
    problems = len(x)
    losses, wins = record(x, np.zeros(problems))  # x is b - a: below 0 where a loses
    ties = problems - wins - losses
    ratio = median_of_blocks(x)
    p = wilcoxon(x) if problems >= FEWEST_SIGNS else math.nan
    return PairedComparison(problems, "wilcoxon", wins, losses, ties, ratio=ratio, p=p)


def median_of_blocks(x: np.ndarray) -> float:
    """Return exp of the median of x (P,); two middle differences of -inf and inf give the ratio 1."""
    ordered = np.sort(x)
    P = len(x)
    low = ordered[(P - 1) // 2]
    high = ordered[P // 2]
    if low == -math.inf and high == math.inf:
        return 1.0
    return float(ratio_of((low + high) / 2))


# ---- families of tests, and what they show


def families(a: np.ndarray, b: np.ndarray, leader: int | None) -> np.ndarray:
    """Return the family (pairs,) of each pair: the pairs of a leader and the rest, or all."""
    if leader is None:
        return np.full(len(a), "all")
    leads = (a == leader) | (b == leader)
    return np.where(leads, "leader", "rest")


def adjusted(p: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Return the p values (pairs,) after Holm within each family."""
    p_holm = np.empty(len(p))
    for name in np.unique(family):
        members = family == name
        p_holm[members] = holm(p[members])
    return p_holm


def shown(p_holm: np.ndarray, low: np.ndarray, high: np.ndarray, at_least: np.ndarray) -> np.ndarray:
    """Return 1 where a is shown better, -1 where b is, else 0, (pairs,).

    Shown is what is significant in its family and leaves no ratio of b over a within the margin: low and high
    are the ends of an interval, at_least is claimed where there is none. NaN do not apply, and show nothing.
    """
    a_better = (low > MARGIN) | (at_least > MARGIN)
    b_margin = 1 / MARGIN
    b_better = (high < b_margin) | (at_least < b_margin)
    sides = a_better.astype(int) - b_better.astype(int)
    return np.where(p_holm < ALPHA, sides, 0)


def better_of_seeds(comparisons: list[PairedComparison], p_holm: np.ndarray) -> np.ndarray:
    """Return what comparisons on seeds show.

    A single pair has no test: the digits decide, and say something of this one start only.
    """
    low = column(comparisons, "low")
    high = column(comparisons, "high")
    at_least = column(comparisons, "at_least")
    by_test = shown(p_holm, low, high, at_least)
    by_digits = column(comparisons, "wins") - column(comparisons, "losses")
    tests = [comparison.test for comparison in comparisons]
    single = np.array(tests, dtype=object) == "none"
    return np.where(single, by_digits, by_test).astype(int)


def places(a: np.ndarray, b: np.ndarray, better: np.ndarray, k: int) -> np.ndarray:
    """Return 1 + the number of optimizers shown better than each, (k,)."""
    behind_a = b[better == 1]
    behind_b = a[better == -1]
    beaten = np.concatenate([behind_a, behind_b])
    return 1 + np.bincount(beaten, minlength=k)
