"""All optimizers against each other: which are shown better, at one error rate for the whole family of comparisons."""

import math
from dataclasses import dataclass

import numpy as np

from lrbench.results.statistics.paired import Comparison, compare, nearest_to_one, ratio_of
from lrbench.results.statistics.pvalues import ALPHA, holm, signed_ranks, wilcoxon

MARGIN = 1.25
FEWEST_BLOCKS = 6  # with five, even a clean sweep has p = 2 / 2**5 > ALPHA


@dataclass(frozen=True)
class Contest:
    """k optimizers in pairs. a, b: their numbers, a < b. p_holm: p, adjusted within the family, NaN where there is no test.

    family: "leader" against "rest" where the leader was chosen on other data, else "all". better: 1 where a is shown better, -1 where b is, else 0.
    rank (k,): 1 + the number of optimizers shown better.
    """

    a: np.ndarray
    b: np.ndarray
    comparisons: list[Comparison]
    p_holm: np.ndarray
    family: np.ndarray
    better: np.ndarray
    rank: np.ndarray


def contest(gaps: np.ndarray, floor: float, leader: int | None) -> Contest:
    """Compare k optimizers on n seeds, gaps (k, n), >= 0 or inf.

    leader: the optimizer that other seeds chose: its k - 1 pairs are a family of their own. None: all pairs are one family, since a leader that is
    chosen and tested on the same seeds is called better too often (in 7.7 % of null cases for k = 5, in 13 % for k = 15).
    """
    first, second = np.triu_indices(len(gaps), 1)
    comparisons = [compare(gaps[a], gaps[b], floor) for a, b in zip(first, second, strict=True)]
    p_holm, family = adjusted(first, second, np.array([c.p for c in comparisons]), leader)
    better = np.array([shown(c, p) for c, p in zip(comparisons, p_holm, strict=True)], dtype=int)
    return Contest(
        first, second, comparisons, p_holm, family, better, places(first, second, better, len(gaps))
    )


def across(logs: np.ndarray) -> Contest:
    """Compare k optimizers over P problems, logs (P, k): the mean log gap over the seeds of each, inf where a seed failed. The block is the problem.

    Exact Wilcoxon tests; ratio is exp of the median difference, and it must lie beyond the margin on the side to which the signed ranks lean.
    Fewer than six problems give no p value, so nobody is shown better.
    """
    first, second = np.triu_indices(logs.shape[1], 1)
    differences = [log_ratios(logs[:, a], logs[:, b]) for a, b in zip(first, second, strict=True)]
    comparisons = [over_blocks(x) for x in differences]
    p_holm, family = adjusted(first, second, np.array([c.p for c in comparisons]), None)
    leans = np.array([np.sign(signed_ranks(x).sum()) for x in differences])
    better = np.array([shown(c, p) for c, p in zip(comparisons, p_holm, strict=True)], dtype=int)
    better[better != leans] = 0
    return Contest(
        first, second, comparisons, p_holm, family, better, places(first, second, better, logs.shape[1])
    )


def log_ratios(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return b - a, where inf - inf is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, b - a)


def over_blocks(x: np.ndarray) -> Comparison:
    """Return what the differences x (P,) of blocks say; two middle differences of -inf and inf give the ratio 1."""
    wins, losses = int((x > 0).sum()), int((x < 0).sum())
    middle = np.sort(x)[[(len(x) - 1) // 2, len(x) // 2]]
    ratio = 1.0 if np.isinf(middle).all() and middle[0] < middle[1] else ratio_of(middle.mean())
    p = wilcoxon(x) if len(x) >= FEWEST_BLOCKS else math.nan
    return Comparison(len(x), "wilcoxon", wins, losses, len(x) - wins - losses, ratio=ratio, p=p)


def adjusted(
    a: np.ndarray, b: np.ndarray, p: np.ndarray, leader: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the p values (pairs,) after Holm within each family, and the family (pairs,) of each pair."""
    family = (
        np.full(len(p), "all")
        if leader is None
        else np.where((a == leader) | (b == leader), "leader", "rest")
    )
    p_holm = np.empty(len(p))
    for name in np.unique(family):
        p_holm[family == name] = holm(p[family == name])
    return p_holm, family


def shown(comparison: Comparison, p_holm: float) -> int:
    """Return 1 if a is shown better, -1 if b is, else 0: significant in its family, and no ratio within the margin is left.

    A single pair has no test: the digits decide, and say something of this one start only.
    """
    if comparison.test == "none":
        return comparison.wins - comparison.losses
    least = {
        "t": nearest_to_one(comparison.low, comparison.high),
        "sign": comparison.at_least,
        "wilcoxon": comparison.ratio,
    }
    ratio = least.get(comparison.test, 1.0)
    return int(p_holm < ALPHA) * (int(ratio > MARGIN) - int(ratio < 1 / MARGIN))


def places(a: np.ndarray, b: np.ndarray, better: np.ndarray, k: int) -> np.ndarray:
    """Return 1 + the number of optimizers shown better than each, (k,)."""
    beaten = np.concatenate([b[better == 1], a[better == -1]])
    return 1 + np.bincount(beaten, minlength=k)
