"""The order of k optimizers: who leads, who is as good, who is shown better; on one problem and over several.

Of three optimizers, led by number 0, the pairs of the Standings may be

    a  b  family  p_holm  beyond_holm  word     side
    0  1  leader  0.0002  0.011        clear    1
    0  2  leader  0.31    0.98         as good  0
    1  2  rest    0.0004  0.17         close    -1
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lrbench.results.statistics.location import geometric_mean
from lrbench.results.statistics.pairs import MARGIN, Pair, compare_groups, differences
from lrbench.results.statistics.pvalues import ALPHA, FEWEST_SIGNS, holm, signed_ranks, wilcoxon
from lrbench.results.statistics.ranks import friedman_ranks
from lrbench.results.statistics.readings import Readings, stacked
from lrbench.results.statistics.verdicts import (
    ALIKE,
    BETTER,
    CLEAR,
    PASSES,
    UNDECIDED,
    behind_who_stays,
    words,
)

TARGETS = np.array([10.0**-k for k in range(1, 9)])  # relative to the scale of a problem
SAME_TARGET = 0.1  # two targets whose logarithms differ by less are one


@dataclass(frozen=True, eq=False)
class Judged:
    """What is said of m pairs of optimizers, (m,) each.

    a, b: their numbers, a < b. family: "leader" against "rest" where the leader was chosen on other seeds,
    else "all". p_holm, beyond_holm: p of the pairs, adjusted within the family, NaN where there is no test.
    word, side: what is said; 1 where a is better, or stays where b passes through, -1 where b, else 0.
    """

    a: np.ndarray
    b: np.ndarray
    pairs: list[Pair]
    family: np.ndarray
    p_holm: np.ndarray
    beyond_holm: np.ndarray
    word: np.ndarray
    side: np.ndarray

    @property
    def better(self) -> np.ndarray:
        """Return 1 where a is shown better, -1 where b is, else 0, (m,): to stand behind for passing through
        is no win of who stays.
        """
        return np.where(np.isin(self.word, BETTER), self.side, 0)


@dataclass(frozen=True, eq=False)
class Standings(Judged):
    """k optimizers, and what is said of all their pairs.

    passing (k,): who passes through. against_leader (k,): word and side of each against the leader, 1 where
    the leader is better, or stays; the leader's own word is empty. rank (k,): one more than how many stand
    before each, by any word. Who is lost on every seed does not stay.
    """

    leader: int
    passing: np.ndarray
    against_leader: list[tuple[str, int]]
    rank: np.ndarray

    @property
    def first(self) -> list[int]:
        """Return the leader and all that are as good: who leads among them is chance."""
        return [self.leader, *self.said_to_be(ALIKE)]

    @property
    def open(self) -> list[int]:
        """Return those that are neither shown behind the leader nor as good."""
        return self.said_to_be(UNDECIDED)

    def said_to_be(self, names: Sequence[str]) -> list[int]:
        """Return those against whom the leader has one of these words, whoever is better."""
        return [rival for rival, (word, _) in enumerate(self.against_leader) if word in names]

    def pair_with(self, rival: int) -> Pair:
        """Return the pair of the leader and a rival, as the leader sees it."""
        pair = self.pairs[self.row_with(rival)]
        return pair if self.leader < rival else pair.turned()

    def row_with(self, rival: int) -> int:
        """Return which pair is that of the leader and a rival."""
        a, b = sorted([self.leader, rival])
        (row,) = np.flatnonzero((self.a == a) & (self.b == b))
        return int(row)


def standings(readings: Sequence[Readings], tuned: Sequence[float] | None = None) -> Standings:
    """Say who of k optimizers is better, by their readings on the same n seeds, in order.

    tuned (k,): the mean scores of their chosen trials on the tuning seeds. They choose the leader, and its
    k - 1 pairs are a family of their own. None: the leader is chosen on the seeds that it is tested on, so
    all pairs are one family. Raises ValueError where they have not the same number of seeds, or none.
    """
    k = len(readings)
    seeds = [len(own) for own in readings]
    if min(seeds) == 0 or min(seeds) != max(seeds):
        raise ValueError(f"optimizers need the same seeds, one or more, got {seeds} of them")
    leader = leading(readings, tuned)
    a, b = np.triu_indices(k, 1)
    family = families(a, b, None if tuned is None else leader)
    judged = judge(readings, a, b, family)

    passing = np.array([own.passes_through() for own in readings])
    lost = np.array([own.all_lost() for own in readings])
    stays = ~passing & ~lost
    word, side = behind_who_stays(judged.word, judged.side, (passing[a], passing[b]), (stays[a], stays[b]))
    judged = replace(judged, word=word, side=side)

    against_leader = facing(judged, leader, k)
    behind = np.where(side == 1, b, a)[side != 0]
    rank = 1 + np.bincount(behind, minlength=k)
    return Standings(**vars(judged), leader=leader, passing=passing, against_leader=against_leader, rank=rank)


def leading(readings: Sequence[Readings], tuned: Sequence[float] | None) -> int:
    """Return the number of the leader: that with the least score, the first of equal ones.

    Who is lost on every seed leads nobody, and who only passes through nobody who stays, arrived or not.
    """
    scores = [own.mean_score() for own in readings] if tuned is None else tuned
    lost = [own.all_lost() for own in readings]
    passing = [own.passes_through() for own in readings]
    order = np.lexsort([scores, passing, lost])  # by the last key first
    return int(order[0])


def families(a: np.ndarray, b: np.ndarray, leader: int | None) -> np.ndarray:
    """Return the family (pairs,) of each pair: the pairs of a leader and the rest, or all."""
    if leader is None:
        return np.full(len(a), "all")
    leads = (a == leader) | (b == leader)
    return np.where(leads, "leader", "rest")


def judge(readings: Sequence[Readings], a: np.ndarray, b: np.ndarray, family: np.ndarray) -> Judged:
    """Compare the pairs a, b (m,) of optimizers, each family at one error rate: Holm (1979)."""
    m = len(a)
    pairs = np.empty(m, dtype=object)
    p_holm = np.empty(m)
    beyond_holm = np.empty(m)
    word = np.empty(m, dtype=object)
    side = np.empty(m, dtype=int)
    for name in np.unique(family):
        rows = np.flatnonzero(family == name)
        size = len(rows)
        compared = compare_groups(*pairs_of_runs(readings, a[rows], b[rows]), family=size)
        pairs[rows] = compared.rows()
        p_holm[rows] = holm(compared.p)
        beyond_holm[rows] = holm(compared.beyond)
        word[rows], side[rows] = words(compared, p_holm[rows], beyond_holm[rows], size)
    return Judged(a, b, pairs.tolist(), family, p_holm, beyond_holm, word, side)


def pairs_of_runs(
    readings: Sequence[Readings], a: np.ndarray, b: np.ndarray
) -> tuple[Readings, Readings, np.ndarray]:
    """Return the runs of pairs a, b (m,) of optimizers, (m n,) on either side, and the pair of each."""
    n = len(readings[0])
    runs = stacked(readings)
    seeds = np.arange(n)
    rows_a = a[:, None] * n + seeds
    rows_b = b[:, None] * n + seeds
    codes = np.repeat(np.arange(len(a)), n)
    return runs.take(rows_a.ravel()), runs.take(rows_b.ravel()), codes


def facing(judged: Judged, leader: int, k: int) -> list[tuple[str, int]]:
    """Return the word of each of k optimizers against the leader, and 1 where the leader stands before it."""
    against = [("", 0)] * k
    for row in np.flatnonzero(judged.a == leader):
        against[judged.b[row]] = (judged.word[row], int(judged.side[row]))
    for row in np.flatnonzero(judged.b == leader):
        against[judged.a[row]] = (judged.word[row], -int(judged.side[row]))
    return against


# ---- other targets


def turns(found: Standings, profiles: np.ndarray, target: float) -> np.ndarray:
    """Return for each optimizer the target at which it arrives before the leader, (k,); NaN where at none.

    profiles (k, 8): mean costs at each of TARGETS, where a miss counts the budget. target: the verdict's own,
    relative to the scale. Named are those whose mean cost over all targets is smaller than the leader's by
    more than the margin, unless the leader is clearly better, or they pass through.
    """
    overall = geometric_mean(profiles)
    cheaper = overall * MARGIN < overall[found.leader]
    turning = np.full(len(profiles), math.nan)
    for rival, (word, side) in enumerate(found.against_leader):
        vetoes = word != PASSES and side >= 0 and (word, side) != (CLEAR, 1)
        if vetoes and cheaper[rival]:
            turning[rival] = crossing(profiles[found.leader], profiles[rival], target)
    return turning


def crossing(leader: np.ndarray, rival: np.ndarray, target: float) -> float:
    """Return the target, nearest to the verdict's own and not that itself, at which the rival arrives first.

    leader, rival (8,): mean costs at each of TARGETS. target: relative to the scale, as these are; inf or NaN
    where the problem has no scale. NaN where there is no such target.
    """
    if not 0 < target < math.inf:
        return math.nan
    distance = np.abs(np.log(TARGETS / target))
    turned = (rival < leader) & (distance > SAME_TARGET)
    if not turned.any():
        return math.nan
    # rounded, so that of two that are equally far, as 1e-4 and 1e-8 are from 1e-6, it is always the rougher
    far = np.where(turned, distance.round(6), math.inf)
    return float(TARGETS[far.argmin()])


# ---- several problems


@dataclass(frozen=True, eq=False)
class OverProblems:
    """k optimizers over P problems.

    mean_rank (k,): their places by mean score, averaged. Of the pairs a < b, (pairs,) each: wins, losses:
    problems on which a, or b, has the smaller mean score; p: two-sided, NaN with fewer than six problems;
    p_holm: adjusted for all pairs; side: 1 where a is shown better, -1 where b is, else 0.
    """

    mean_rank: np.ndarray
    a: np.ndarray
    b: np.ndarray
    wins: np.ndarray
    losses: np.ndarray
    p: np.ndarray
    p_holm: np.ndarray
    side: np.ndarray


def over_problems(scores: np.ndarray) -> OverProblems:
    """Compare k optimizers over P problems by their mean scores on each, scores (P, k), smallest first.

    The block is the problem. Those that are lost on every seed have the same, largest score: tied and last.
    Exact signed-rank tests (Wilcoxon, 1945) of all pairs, which are one family (Holm, 1979).
    """
    problems, k = scores.shape
    a, b = np.triu_indices(k, 1)
    x = differences(scores[:, a], scores[:, b]).T  # (pairs, P)
    enough = problems >= FEWEST_SIGNS
    p = np.array([wilcoxon(own) if enough else math.nan for own in x])
    leaning = np.array([np.sign(signed_ranks(own).sum()) for own in x])
    p_holm = holm(p)
    return OverProblems(
        mean_rank=friedman_ranks(scores),
        a=a,
        b=b,
        wins=(x > 0).sum(axis=1),
        losses=(x < 0).sum(axis=1),
        p=p,
        p_holm=p_holm,
        side=np.where(p_holm < ALPHA, leaning, 0).astype(int),
    )


def worst_ratios(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the worst ratio of each setting to a problem's best cost, and on which problem that is, (S,).

    costs (P, S): mean costs, where a miss counts the budget; NaN where a setting was not tried. NaN, and any
    problem, for a setting that was not tried on every problem. One setting for all is that whose worst ratio
    is least.
    """
    best = np.fmin.reduce(costs, axis=1)  # NaN stand back, unless all are
    ratios = costs / best[:, None]
    worst_on = ratios.argmax(axis=0)
    return ratios.max(axis=0), worst_on
