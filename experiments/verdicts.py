"""Verdicts on draws of seeds, by the rule of lrbench and by the one before, and what many of them say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from earlier import earlier
from numpy.random import Generator
from trained import Chosen, Runs, Search, Setting, Truth

from lrbench.results.statistics.order import leading, standings
from lrbench.results.statistics.pairs import LOG_MARGIN, compare
from lrbench.results.statistics.pvalues import ALPHA
from lrbench.results.statistics.readings import Readings
from lrbench.results.statistics.verdicts import CLEAR

EVALUATION = 10  # seeds of a verdict, as lrbench has them where nothing is said


class Measured(NamedTuple):
    """A task with its searches, their settings on a pool of evaluation seeds, and the best there is."""

    name: str
    held_out: bool
    optimizers: tuple[str, ...]
    searches: list[Search]
    pool: dict[Setting, Runs]
    truth: Truth | None = None

    @property
    def seeds(self) -> int:
        return len(next(iter(self.pool.values())).gaps)

    def runs(self, chosen: Chosen) -> list[Runs]:
        """Return the runs of what a search chose, in the order of the optimizers."""
        return [self.pool[Setting(name, chosen.lr[name])] for name in self.optimizers]

    def worth(self, chosen: Chosen) -> list[float]:
        return [chosen.worth[name] for name in self.optimizers]


class Verdict(NamedTuple):
    """What is said of the pairs a < b of k optimizers, (pairs,) each.

    Attributes:
        leader: its number.
        side: 1 where a is shown better, -1 where b is, else 0.
        clear: whether that is beyond the margin; the rule before this one shows nothing else.
        log_ratio: natural logarithm of b's cost over a's; NaN where the order alone is known.
        of_leader: whether the pair is one of the leader's.
    """

    leader: int
    side: np.ndarray
    clear: np.ndarray
    log_ratio: np.ndarray
    of_leader: np.ndarray


def by_arrival(runs: Sequence[Runs], worth: Sequence[float], rows: np.ndarray) -> Verdict:
    """Judge optimizers on some of their seeds as lrbench does, under the leader of the tuning seeds.

    Who is behind for passing through alone is not shown worse.
    """
    return of_readings([own.readings.take(rows) for own in runs], worth)


def of_readings(readings: Sequence[Readings], worth: Sequence[float]) -> Verdict:
    """Judge readings on the same seeds as lrbench does."""
    found = standings(readings, worth)
    of_leader = (found.a == found.leader) | (found.b == found.leader)
    ratios = np.array([pair.ratio for pair in found.pairs])
    return Verdict(found.leader, found.better, found.word == CLEAR, np.log(ratios), of_leader)


def by_gap(runs: Sequence[Runs], worth: Sequence[float], rows: np.ndarray) -> Verdict:
    """Judge them by the rule before."""
    leader = int(np.argmin(worth))
    gaps = np.array([own.gaps[rows] for own in runs])
    found = earlier(gaps, runs[0].floor, leader)
    a, b = np.triu_indices(len(runs), 1)
    return Verdict(leader, found.side, found.side != 0, found.log_ratio, (a == leader) | (b == leader))


def drawn(measured: Measured, rng: Generator, draws: int) -> list[np.ndarray]:
    """Return draws of evaluation seeds, rows of the pool."""
    return [rng.choice(measured.seeds, EVALUATION, replace=False) for _ in range(draws)]


# ---- many verdicts


@dataclass(frozen=True)
class Verdicts:
    """Verdicts (V,) on the same pairs, stacked: leader (V,), the others (V, pairs)."""

    leader: np.ndarray
    side: np.ndarray
    clear: np.ndarray
    log_ratio: np.ndarray
    of_leader: np.ndarray

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> "Verdicts":
        return cls(*map(np.array, zip(*verdicts, strict=True)))

    def sides(self, clear: bool) -> np.ndarray:
        """Return who is shown better, (V, pairs); with `clear`, beyond the margin."""
        return np.where(self.clear, self.side, 0) if clear else self.side

    def decided(self, clear: bool) -> float:
        return float((self.sides(clear) != 0).mean())

    def contradict(self, clear: bool) -> float:
        """Return the chance that two decided verdicts on a pair contradict, the mean over the pairs; NaN
        where no pair is decided twice.
        """
        sides = self.sides(clear)
        first, second = (sides == 1).sum(axis=0), (sides == -1).sum(axis=0)
        both = first + second
        twice = both > 1
        if not twice.any():
            return np.nan
        chances = 2 * first * second / np.maximum(both * (both - 1), 1)
        return float(chances[twice].mean())

    def spread(self) -> float:
        """Return the standard deviation of the log10 ratio, the mean over the pairs; NaN without ratios."""
        logs = self.log_ratio / np.log(10)
        enough = (~np.isnan(logs)).sum(axis=0) > 1
        if not enough.any():
            return np.nan
        return float(np.nanstd(logs[:, enough], axis=0, ddof=1).mean())


def both_rules(measured: Measured, rng: Generator, draws: int) -> tuple[Verdicts, Verdicts]:
    """Return the verdicts of all searches, each on so many draws of seeds: by arrival, and by the gap."""
    arrival, gap = [], []
    for search in measured.searches:
        for rows in drawn(measured, rng, draws):
            new, old = search.by_arrival, search.by_gap
            arrival.append(by_arrival(measured.runs(new), measured.worth(new), rows))
            gap.append(by_gap(measured.runs(old), measured.worth(old), rows))
    return Verdicts.of(arrival), Verdicts.of(gap)


# ---- beside the truth


class Known(NamedTuple):
    """What is true of the pairs a < b, (pairs,) each, and who is within the margin of the best, (k,).

    Attributes:
        side: who is better, 0 where all fresh seeds do not tell.
        beyond: whether it is by more than the margin.
    """

    side: np.ndarray
    beyond: np.ndarray
    near_best: np.ndarray


def known_by_arrival(best: Sequence[Runs]) -> Known:
    """Return what the best settings on all fresh seeds say, by `compare` and by their mean scores."""
    readings = [runs.readings for runs in best]
    a, b = np.triu_indices(len(best), 1)
    pairs = [compare(readings[i], readings[j]) for i, j in zip(a, b, strict=True)]
    means = np.array([own.mean_score() for own in readings])
    few_steps = np.array([pair.few_steps for pair in pairs])
    first = leading(readings, None)
    near = [_is_near(readings[first], own) for own in readings]
    side = [pair.side if pair.p < ALPHA else 0 for pair in pairs]
    return Known(np.array(side), (np.abs(means[b] - means[a]) > LOG_MARGIN) & ~few_steps, np.array(near))


def _is_near(best: Readings, own: Readings) -> bool:
    """Say whether an optimizer is within the margin of the best, or fewer than two steps behind."""
    return own.mean_score() - best.mean_score() <= LOG_MARGIN or compare(best, own).few_steps


def known_by_gap(best: Sequence[Runs]) -> Known:
    """Return the same by the last gaps."""
    floored = np.array([np.log(np.maximum(runs.gaps, runs.floor)) for runs in best])
    means = floored.mean(axis=1)
    a, b = np.triu_indices(len(best), 1)
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(means[b] - means[a], nan=0.0)
        behind = np.nan_to_num(means - means.min(), nan=0.0)
    side = earlier(np.array([runs.gaps for runs in best]), best[0].floor, int(means.argmin())).side
    side = np.where(side, side, np.sign(apart))
    return Known(side, np.abs(apart) > LOG_MARGIN, behind <= LOG_MARGIN)


class Score(NamedTuple):
    """Verdicts beside the truth, shares: of the decided ones opposite to it, or where it is within the
    margin; of the pairs truly beyond it decided rightly; of the leaders within the margin of the best.
    """

    opposite: float
    within: float
    power: float
    leader: float


def scored(verdicts: Verdicts, known: Known, clear: bool) -> Score:
    sides = verdicts.sides(clear)
    decided = sides != 0
    opposite = decided & (known.side != 0) & (sides != known.side)
    right = (sides == known.side)[:, known.beyond]
    return Score(
        opposite=_share(opposite, decided),
        within=_share(decided & ~known.beyond, decided),
        power=float(right.mean()) if right.size else np.nan,
        leader=float(known.near_best[verdicts.leader].mean()),
    )


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else np.nan
