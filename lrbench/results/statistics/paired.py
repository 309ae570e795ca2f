"""Two optimizers on the same seeds: by how much the one ends lower, and whether that is more than chance."""

import math
from dataclasses import dataclass

import numpy as np

from lrbench.results.statistics.location import at_least_floor
from lrbench.results.statistics.pvalues import binomial_tail, paired_t, sign_test, t_value


@dataclass(frozen=True)
class Comparison:
    """What n distinct pairs of gaps (a, b) say. Ratios are b over a, so above 1 where a is better; NaN where they do not apply.

    test: "t" paired t test of the log ratios; "sign" exact sign test of the order; or why there is none: "none" one pair only, "identical" equal
    everywhere, "floor" both at the floor everywhere, "lost" nobody ever completed; "wilcoxon" over problems instead of seeds.
    ratio, low, high: geometric mean of the ratios and its 95 % interval. at_least: median of the floored ratios, of two middle ones that nearer to 1.
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


def distinct(a: np.ndarray, b: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct pairs a, b (n,) in order, and where their ratio is known: both gaps are finite and above the floor.

    A known pair that repeats bit for bit is one run. The others all stay: at the floor or failed, runs may look alike and differ.
    """
    pairs = np.stack([a, b])[:, np.lexsort([b, a])]
    known = (pairs.min(axis=0) > floor) & np.isfinite(pairs).all(axis=0)
    repeats = np.append(False, (pairs[:, 1:] == pairs[:, :-1]).all(axis=0))
    kept = ~(repeats & known)
    return pairs[0, kept], pairs[1, kept], known[kept]


def floored_ratios(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return b / a, where inf / inf and 0 / 0 are 1."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(a == b, 1.0, b / a)


def nearest_to_one(low: float, high: float) -> float:
    """Return the ratio in low <= high that is nearest to 1: what is claimed at least."""
    return max(low, min(1.0, high))


def median_ratio(ratios: np.ndarray) -> float:
    """Return the middle one of the ratios (n,); of two middle ones that nearer to 1, and 1 if they lie on either side of it."""
    ordered, n = np.sort(ratios), len(ratios)
    return nearest_to_one(float(ordered[(n - 1) // 2]), float(ordered[n // 2]))


def kind(a: np.ndarray, b: np.ndarray, floor: float, known: np.ndarray) -> str:
    """Return the test that the pairs allow, or the reason why there is none. Both failed or both at the floor does not make two runs identical."""
    reasons = {
        "floor": max(a.max(), b.max()) <= floor,
        "lost": np.isinf(min(a.min(), b.min())),
        "identical": known.any() and (a == b).all(),
        "none": len(a) == 1,
        "t": known.all(),
    }
    return next((name for name, holds in reasons.items() if holds), "sign")


def compare(a: np.ndarray, b: np.ndarray, floor: float) -> Comparison:
    """Return what the paired gaps a, b (n,), >= 0 or inf, say. Raises ValueError where one is NaN.

    A ratio and its interval need all values finite and above the floor: with one side floored the 95 % interval covered 49 % (n = 5). Else the order
    decides: two at the floor or two that failed are tied, one that failed has lost.
    """
    if np.isnan([a, b]).any():
        raise ValueError("compare needs gaps >= 0 or inf, got NaN: a run that did not complete counts as inf")
    a, b, known = distinct(a, b, floor)
    test = kind(a, b, floor, known)
    a, b = at_least_floor(a, floor), at_least_floor(b, floor)
    wins, losses = int((a < b).sum()), int((a > b).sum())
    return Comparison(
        len(a), test, wins, losses, len(a) - wins - losses, **NUMBERS.get(test, no_numbers)(a, b)
    )


def no_numbers(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    return {}


def ratio_of(log: float) -> float:
    """Return exp(log): inf beyond the largest float, where two seeds that contradict each other by many decades leave the interval open."""
    with np.errstate(over="ignore"):
        return float(np.exp(log))


def t_numbers(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    mean, low, high, p = paired_t(np.log(b) - np.log(a))
    return {"ratio": ratio_of(mean), "low": ratio_of(low), "high": ratio_of(high), "p": float(p)}


def sign_numbers(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    return {
        "at_least": median_ratio(floored_ratios(a, b)),
        "p": sign_test(int((a < b).sum()), int((a > b).sum())),
    }


def one_ratio(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    return {"ratio": float(floored_ratios(a, b)[0])}


TESTED = ["t", "sign"]  # of Comparison.test, where a difference can be shown
NUMBERS = {"t": t_numbers, "sign": sign_numbers, "none": one_ratio}


def visible_ratio(a: np.ndarray, b: np.ndarray, floor: float) -> float:
    """Return the ratio below which these pairs show no difference: half the width of the 95 % interval, a factor >= 1.

    inf for one pair, NaN where there is no interval.
    """
    found = compare(a, b, floor)
    return math.inf if found.n < 2 else found.high / found.ratio


def below_target(gaps: np.ndarray, target: float, floor: float) -> float:
    """Return the one-sided p of the typical gap not being below the target, gaps (n,): NaN for fewer than two distinct gaps.

    t test of log(gap / target) where all of them are finite and above the floor, else the exact sign test; a gap on the target is a tie there.
    """
    from scipy.special import stdtr

    gaps, targets, known = distinct(gaps, np.full(len(gaps), target), floor)
    n = len(gaps)
    if n < 2:
        return math.nan
    if known.all():
        x = np.log(gaps) - math.log(target)
        return float(stdtr(n - 1, t_value(x.mean(), x.std(ddof=1) / math.sqrt(n))))
    gaps = at_least_floor(gaps, floor)
    below, above = int((gaps < targets).sum()), int((gaps > targets).sum())
    return binomial_tail(below + above, above)
