"""What runs are worth, and which trial of a search is chosen by it.

The readings of one optimizer, or of one setting, are arrays over its seeds, in the order of the seeds. With a
budget B of 100 evaluations and the target 1e-6 the first two rows may be

    lost   arrived  cost  level  score  step  curve      left
    False  True     47    1e-9   -0.76  1     825300124  False
    False  False    100   3e-6   1.10   1     -62077331  False
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

RISE = 100.0  # a setting whose gap first rises above this many times where it began is not chosen
LOST_SCORE = (
    1e3  # what a lost run counts in a mean: exp(1000) times the target, beyond what any level reaches
)


@dataclass(frozen=True, eq=False)
class Readings:
    """The runs of one optimizer, or of one setting, on n seeds; (n,) each, or (g, n) of g groups.

    lost: not finite, or ended above where it began. arrived: within the target at the end of the budget B.
    cost: evaluations until arrival, B where there is none. level: mean gap at the end of the budget. score:
    log(cost / B) <= 0 if arrived, log(level / target) > 0 if not, inf if lost. step: evaluations of a step.
    curve: fingerprint of the whole curve until B; two runs with the same one are one run. left: arrived, and
    above twice the target between B and 2 B; False where nothing is known beyond B.
    """

    lost: np.ndarray
    arrived: np.ndarray
    cost: np.ndarray
    level: np.ndarray
    score: np.ndarray
    step: np.ndarray
    curve: np.ndarray
    left: np.ndarray

    def __len__(self) -> int:
        return len(self.lost)

    def take(self, rows: np.ndarray | slice) -> "Readings":
        """Return the readings of some rows: numbers, a mask, or numbers (g, n) of g groups of n runs."""
        columns = [getattr(self, field.name)[rows] for field in fields(self)]
        return Readings(*columns)

    def all_lost(self) -> bool:
        return bool(self.lost.all())

    def passes_through(self) -> bool:
        """Say whether, of the runs that arrive within the budget, most leave again within twice of it."""
        return bool(most_leave(self.left.sum(), self.arrived.sum()))

    def mean_score(self) -> float:
        """Return the mean score, by which optimizers are ordered; all that are lost everywhere are tied."""
        return float(np.minimum(self.score, LOST_SCORE).mean())


def most_leave(left: np.ndarray, arrived: np.ndarray) -> np.ndarray:
    """Say whether of so many runs that arrive most leave again: such a setting passes through."""
    return 2 * left > arrived


def stacked(readings: Sequence[Readings]) -> Readings:
    """Return the readings of k optimizers on n seeds each as those of k n runs, one below the other."""
    columns = []
    for field in fields(Readings):
        parts = [getattr(own, field.name) for own in readings]
        columns.append(np.concatenate(parts))
    return Readings(*columns)


# ---- the choice of a trial


def too_high(rises: np.ndarray, limit: float | None = RISE) -> np.ndarray:
    """Say of each trial whether it rises above the limit on any seed, rises (T, S) -> (T,).

    rises: the largest gap over where the run began, the larger of start and constant model. Such a trial is
    neither chosen nor among the rates that work: Adagrad at lr = 100 arrives in 4 evaluations, but only after
    its gap rose 83,000-fold, and that is no advice. limit None: any may be chosen.
    """
    highest = math.inf if limit is None else limit
    above = np.asarray(rises, dtype=float) > highest
    return np.any(above, axis=1)


def choose(scores: np.ndarray, rises: np.ndarray | None = None, limit: float | None = RISE) -> int:
    """Return the best of T trials on S seeds, scores (T, S), inf where lost.

    That with the fewest lost seeds, then with the least mean score of the others, then the first, which is
    the smallest rate. A trial that rises too high counts as lost on every seed.
    """
    scores = np.asarray(scores, dtype=float)
    lost = np.isinf(scores)
    if rises is not None:
        lost |= too_high(rises, limit)[:, None]
    completed = (~lost).sum(axis=1)
    sums = np.where(lost, 0.0, scores).sum(axis=1)
    means = sums / np.maximum(completed, 1)
    order = np.lexsort([means, -completed])  # stable: of equal ones the first
    return int(order[0])
