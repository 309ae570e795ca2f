"""The rule before this one, to measure both on the same runs: whose gap ends lower.

Settings are chosen by the mean log gap at the last step, and a pair is shown where the paired t test of the
log gaps is significant after Holm (1979) and its interval lies beyond the margin. Where a gap is lost or at
the floor the sign test of the order stands for it, with the median ratio as what is claimed at least.
"""

from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.order import families
from lrbench.results.statistics.pairs import MARGIN
from lrbench.results.statistics.pvalues import ALPHA, holm, paired_t, sign_test


class Earlier(NamedTuple):
    """The pairs a < b of k optimizers, (pairs,) each.

    Attributes:
        side: 1 where a is shown better, -1 where b is, else 0.
        log_ratio: mean log of b's gap over a's; NaN where the order alone was tested.
    """

    side: np.ndarray
    log_ratio: np.ndarray


def earlier(gaps: np.ndarray, floor: float, leader: int) -> Earlier:
    """Compare k optimizers on n seeds by their last gaps (k, n), inf where lost, under a leader."""
    floored = np.log(np.maximum(gaps, floor))
    a, b = np.triu_indices(len(gaps), 1)
    with np.errstate(invalid="ignore"):
        x = np.where(floored[a] == floored[b], 0.0, floored[b] - floored[a])  # two lost ones are tied
    is_known = (gaps > floor) & np.isfinite(gaps)
    by_size = (is_known[a] & is_known[b]).all(axis=1)
    p = np.array([sign_test(int((own > 0).sum()), int((own < 0).sum())) for own in x])
    low = high = _nearer_to_one(x)
    log_ratio = np.full(len(a), np.nan)
    if by_size.any():
        tested = paired_t(x[by_size])
        p[by_size] = tested.p
        low, high = low.copy(), high.copy()
        low[by_size], high[by_size] = tested.low, tested.high
        log_ratio[by_size] = tested.mean
    return Earlier(_sides(_adjusted(p, a, b, leader), low, high), log_ratio)


def _nearer_to_one(x: np.ndarray) -> np.ndarray:
    """Return the middle one of the log ratios (m, n); of two middle ones that nearer to 0, or 0 between."""
    ordered = np.sort(x, axis=1)
    n = ordered.shape[1]
    return np.maximum(ordered[:, (n - 1) // 2], np.minimum(0.0, ordered[:, n // 2]))


def _adjusted(p: np.ndarray, a: np.ndarray, b: np.ndarray, leader: int) -> np.ndarray:
    family = families(a, b, leader)
    adjusted = np.empty(len(p))
    for name in np.unique(family):
        members = family == name
        adjusted[members] = holm(p[members])
    return adjusted


def _sides(p: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    margin = np.log(MARGIN)
    sides = (low > margin).astype(int) - (high < -margin).astype(int)
    return np.where(p < ALPHA, sides, 0)
