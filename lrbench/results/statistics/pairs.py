"""Two optimizers on the same seeds: who is ahead, by how much, and whether that is more than chance.

Given are readings a and b, seed by seed. What they say is a Pair, such as

    test  n   wins  losses  unit         ratio  low   high  p       beyond  side
    t     10  9     0       evaluations  1.45   1.27  1.66  0.0001  0.016   1
    sign  10  9     0       None         NaN    NaN   NaN   0.002   0.004   1

`compare_groups` says the same of many groups of pairs, a column a field.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.groups import groups_by_size
from lrbench.results.statistics.pvalues import ALPHA, paired_t, sign_test, standard_error, t_value
from lrbench.results.statistics.readings import Readings

MARGIN = 1.25  # smaller ratios do not matter
ROUNDING = 1e-12  # whole costs are often exactly the margin apart, as 4 and 5: that is not beyond it
LOG_MARGIN = math.log(MARGIN) + ROUNDING
STEPS = 2  # nor do differences of fewer steps
SIGNS = 10  # seeds from which on the sign test has more power than the ranks
POWER = 0.84  # quantile of the normal distribution that is exceeded in four cases of five
LARGEST_LOG = 700.0  # exp of it and of its negative are floats


@dataclass(frozen=True)
class Pair:
    """What n distinct pairs of runs (a, b) say. Ratios are b over a, so above 1 where a is better.

    test: "t" paired t test of the scores' differences; "sign" exact sign test; "ranks" exact rank sum test;
    or why there is none: "none" one pair only, "same" equal bit for bit, "lost" all runs are lost. wins,
    losses: seeds on which a, or b, is ahead by more than the margin. unit: what ratio, low and high compare,
    "evaluations" or the "gap"; None where the order alone is known. p: two-sided, against no difference.
    beyond: against a difference of the margin. error: standard error of log(ratio). few_steps: on average
    they are apart by fewer than two steps. side: who is ahead, 1 for a, -1 for b. Numbers are NaN where they
    do not apply.
    """

    test: str
    n: int
    wins: int
    losses: int
    unit: str | None = None
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    beyond: float = math.nan
    error: float = math.nan
    few_steps: bool = False
    side: int = 0

    def turned(self) -> "Pair":
        """Return the pair as b sees it."""
        seen = replace(self, wins=self.losses, losses=self.wins, side=-self.side)
        return replace(seen, ratio=1 / self.ratio, low=1 / self.high, high=1 / self.low)


class Pairs(NamedTuple):
    """The fields of Pair for G groups, (G,) each."""

    test: np.ndarray
    n: np.ndarray
    wins: np.ndarray
    losses: np.ndarray
    unit: np.ndarray
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    beyond: np.ndarray
    error: np.ndarray
    few_steps: np.ndarray
    side: np.ndarray

    def rows(self) -> list[Pair]:
        """Return a Pair a group."""
        columns = [column.tolist() for column in self]
        return [Pair(*values) for values in zip(*columns, strict=True)]


# how a column is kept; the default of its field stands where a test says nothing
TYPES = {"test": object, "n": int, "wins": int, "losses": int, "unit": object, "few_steps": bool, "side": int}
EMPTY = Pair("", 0, 0, 0)


def no_pairs(count: int) -> Pairs:
    """Return the columns of so many groups, with nothing said yet."""
    columns = []
    for field in fields(Pair):
        kind = TYPES.get(field.name, float)
        columns.append(np.full(count, getattr(EMPTY, field.name), dtype=kind))
    return Pairs(*columns)


def columns_of(pairs: Sequence[Pair]) -> Pairs:
    """Return pairs as columns, the other way round than `rows`."""
    columns = no_pairs(len(pairs))
    for name, column in columns._asdict().items():
        column[:] = [getattr(pair, name) for pair in pairs]
    return columns


def compare(a: Readings, b: Readings, family: int = 1) -> Pair:
    """Return what the runs a, b (n,) of two optimizers on the same seeds, in order, say.

    family: of so many pairs is this one. All arrived: paired t test of log(cost), (Student, 1908). None
    arrived and none lost: that of log(level). Mixed: the order decides, by the sign test, which keeps the
    pairing, or by the ranks of all scores (Wilcoxon, 1945; Mann and Whitney, 1947) where there are fewer than
    ten seeds, or where a clean sweep of the signs could not show anything in this family. Which of the two
    depends on n and the family alone. Raises ValueError where there is no seed.
    """
    if len(a) == 0:
        raise ValueError("compare needs a seed or more, got none")
    one_group = np.zeros(len(a), dtype=int)
    return compare_groups(a, b, one_group, family).rows()[0]


def compare_groups(a: Readings, b: Readings, codes: np.ndarray, family: int = 1) -> Pairs:
    """Return what `compare` says of each group of pairs; codes (R,) number the groups 0 .. G-1, none empty.

    Groups of the same size are one array, so that a hundred thousand settings cost a few calls. Raises
    ValueError where a has not as many runs as b, or a score is NaN.
    """
    if len(a) != len(b) or len(a) != len(codes):
        raise ValueError(f"pairs need as many runs on either side, got {len(a)} and {len(b)}")
    if np.isnan([a.score, b.score]).any():
        raise ValueError("pairs need scores, got NaN: a run that is lost has the score inf")
    # never by costs, which are whole numbers, or by levels, which the floor makes alike
    kept = first_of_each(codes, a.curve, b.curve)
    columns = no_pairs(len(np.bincount(codes)))
    for groups, places in groups_by_size(codes[kept]):
        pairs = kept[places]  # (g, n)
        measure(columns, groups, a.take(pairs), b.take(pairs), family)
    return columns


def first_of_each(*keys: np.ndarray) -> np.ndarray:
    """Return the rows, in order, whose keys, (R,) each, do not stand in an earlier row."""
    order = np.lexsort(keys)  # stable: of equal rows the first comes first
    again = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        ordered = key[order]
        again &= ordered[1:] == ordered[:-1]
    repeated = order[1:][again]
    kept = np.ones(len(order), dtype=bool)
    kept[repeated] = False
    return np.flatnonzero(kept)


def measure(columns: Pairs, groups: np.ndarray, a: Readings, b: Readings, family: int) -> None:
    """Write what g groups of n distinct pairs, a and b (g, n), say into their rows of the columns."""
    x = differences(a.score, b.score)
    tests = choose_tests(a, b, family)
    columns.test[groups] = tests
    columns.n[groups] = x.shape[1]
    columns.wins[groups] = (x > LOG_MARGIN).sum(axis=1)
    columns.losses[groups] = (x < -LOG_MARGIN).sum(axis=1)
    for test, measures_of in MEASURES.items():
        members = tests == test
        if members.any():
            measures = measures_of(a.take(members), b.take(members))
            put(columns, groups[members], measures)


def put(columns: Pairs, groups: np.ndarray, values: dict[str, np.ndarray]) -> None:
    """Write the values, a column each, into the rows of some groups."""
    for name, value in values.items():
        getattr(columns, name)[groups] = value


def differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the scores b - a, where inf - inf is 0: two that are lost are tied."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, b - a)


def choose_tests(a: Readings, b: Readings, family: int) -> np.ndarray:
    """Return the test that each group a, b (g, n) allows, or the reason why there is none, (g,)."""
    n = a.lost.shape[1]
    all_lost = (a.lost & b.lost).all(axis=1)
    same = (a.curve == b.curve).all(axis=1)
    all_arrived = (a.arrived & b.arrived).all(axis=1)
    anybody = (a.arrived | b.arrived | a.lost | b.lost).any(axis=1)
    # the first that holds
    conditions = {
        "lost": all_lost,
        "same": same,
        "none": np.full(len(same), n == 1),
        "t": all_arrived | ~anybody,
        "sign": np.full(len(same), signs_can_show(n, family)),
    }
    return np.select(list(conditions.values()), list(conditions), default="ranks")


def signs_can_show(n: int, family: int) -> bool:
    """Say whether n signs have more power than the ranks, and their clean sweep is shown in the family."""
    clean_sweep = 2.0 ** (1 - n)
    return n >= SIGNS and family * clean_sweep < ALPHA


# ---- what a test measures of groups a, b (g, n), as columns (g,)


def t_measures(a: Readings, b: Readings) -> dict[str, np.ndarray]:
    from scipy.special import stdtr

    x = differences(a.score, b.score)
    n = x.shape[1]
    t_test = paired_t(x)
    error = standard_error(x)
    # one-sided: no ratio is on both sides of the margin
    above_margin = t_value(np.abs(t_test.mean) - LOG_MARGIN, error)
    arrived = a.arrived.all(axis=1)
    return {
        "unit": np.where(arrived, "evaluations", "gap"),
        "ratio": ratio_of(t_test.mean),
        "low": ratio_of(t_test.low),
        "high": ratio_of(t_test.high),
        "p": t_test.p,
        "beyond": stdtr(n - 1, -above_margin),
        "error": error,
        "few_steps": arrived & few_steps_apart(a, b),
        "side": np.sign(t_test.mean),
    }


def sign_measures(a: Readings, b: Readings) -> dict[str, np.ndarray]:
    # beyond is two-sided too, as in the ranks: arrived or not is a jump that no margin parts
    x = differences(a.score, b.score)
    ahead = (x > 0).sum(axis=1)
    behind = (x < 0).sum(axis=1)
    wins = (x > LOG_MARGIN).sum(axis=1)
    losses = (x < -LOG_MARGIN).sum(axis=1)
    return {
        "p": sign_tests(ahead, behind),
        "beyond": sign_tests(wins, losses),
        "side": np.sign(ahead - behind),
    }


def rank_measures(a: Readings, b: Readings) -> dict[str, np.ndarray]:
    ahead = rank_tail(a.score, b.score)
    behind = rank_tail(b.score, a.score)
    ahead_beyond = rank_tail(a.score + LOG_MARGIN, b.score)
    behind_beyond = rank_tail(b.score + LOG_MARGIN, a.score)
    return {
        "p": both_tails(ahead, behind),
        "beyond": both_tails(ahead_beyond, behind_beyond),
        "side": np.where(ahead <= behind, 1, -1),
    }


MEASURES: dict[str, Callable] = {"t": t_measures, "sign": sign_measures, "ranks": rank_measures}


def few_steps_apart(a: Readings, b: Readings) -> np.ndarray:
    """Say of each group a, b (g, n) whether its costs differ by fewer than two steps on average."""
    apart = np.abs((b.cost - a.cost).mean(axis=1))
    longest = np.maximum(a.step, b.step).max(axis=1)
    return apart < STEPS * longest - 1e-9  # steps are sums of shares of the rows: whole but for rounding


def ratio_of(log: np.ndarray) -> np.ndarray:
    """Return exp(log), kept within the floats on either side, so that it can be turned."""
    return np.exp(np.clip(log, -LARGEST_LOG, LARGEST_LOG))


def sign_tests(wins: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return the exact two-sided p of so many sign tests, (g,), (g,) -> (g,)."""
    known = cache(sign_test)
    counts = zip(wins.tolist(), losses.tolist(), strict=True)
    return np.array([known(*both) for both in counts])


def both_tails(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    return np.minimum(1.0, 2 * np.minimum(lower, upper))


def rank_tail(better: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """Return the exact one-sided p of n scores lying below n others, (..., n), (..., n) -> (...).

    Wilcoxon (1945), Mann and Whitney (1947): U counts the pairs in the wrong order, a tie half. It is rounded
    up, so that ties make p larger, never smaller.
    """
    n = better.shape[-1]
    own = better[..., :, None]
    others = worse[..., None, :]
    wrong = (own > others).sum(axis=(-2, -1))
    tied = (own == others).sum(axis=(-2, -1))
    u = wrong + (tied + 1) // 2
    return u_tails(n)[u]


@cache
def u_tails(n: int) -> np.ndarray:
    """Return the probability of U <= u for u = 0 .. n^2 where n scores and n others are alike.

    The number of arrangements with U = u is the coefficient of x^u in the Gaussian binomial of 2n over n, the
    product of (1 - x^(n+i)) / (1 - x^i) over i = 1 .. n. In whole numbers: only the quotient is rounded.
    """
    largest = n * n
    counts = [1] + [0] * largest
    for i in range(1, n + 1):
        for u in range(largest, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, largest + 1):
            counts[u] += counts[u - i]
    arrangements = math.comb(2 * n, n)
    at_most = 0
    tails = []
    for count in counts:
        at_most += count
        tails.append(at_most / arrangements)
    return np.array(tails)


# ---- how many seeds it takes


def seeds_needed(family: int) -> int:
    """Return how many seeds the ranks need to show anything in a family of so many pairs.

    4 for 1 pair, 5 for 2 to 6, 6 to 23, 7 to 85.
    """
    n = 2
    while family * 2 / math.comb(2 * n, n) >= ALPHA:
        n += 1
    return n


def starts_needed(pair: Pair, family: int) -> int | None:
    """Return how many starts would settle an open pair in four cases of five; None where no number would.

    That is, were its ratio and scatter what they seem. Settled is a ratio off 1, or one within the margin,
    whichever takes fewer.
    """
    distance, spread = apart(pair)
    if not distance:
        return None
    n = float(pair.n)
    for _ in range(9):  # the quantile depends on n; it settles in two or three rounds
        error = spread / distance
        starts = min(math.ceil(n), 200)  # from there on the quantile is that of the normal distribution
        n = max(pair.n + 1, ((quantile_of(starts, family) + POWER) * error) ** 2)
    least = 0 if pair.test == "t" else seeds_needed(family)
    return max(math.ceil(n), least)


def apart(pair: Pair) -> tuple[float, float]:
    """Return how far a pair is off what it could be shown to differ from, and its scatter over the seeds."""
    if pair.test == "t":
        log = abs(math.log(pair.ratio))
        return max(log, LOG_MARGIN - log), pair.error * math.sqrt(pair.n)
    decided = (pair.wins + pair.losses) / pair.n
    log = abs(pair.wins - pair.losses) / pair.n
    return log, math.sqrt(max(decided - log * log, 0.0))


@cache
def quantile_of(starts: int, family: int) -> float:
    """Return the two-sided quantile of Student's t for so many starts, in a family of so many pairs."""
    from scipy.special import stdtrit

    return float(stdtrit(starts - 1, 1 - ALPHA / family / 2))
