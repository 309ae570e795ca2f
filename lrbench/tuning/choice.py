"""The best of the settings that an optimizer tried: by how often it is lost, then by its score.

Where a search is tuned it goes on round the best trial; where nothing is tuned, the best setting is the one
that is compared. T settings, S tuning seeds, R runs.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lrbench.plan import Group, Plan
from lrbench.tuning.competitors import Trial, competitor_of
from lrbench.tuning.policy import LR

MOST_ALIKE = 20  # settings of an optimizer that are all its best
ROUNDING = 1e-12  # of a mean score
RISE = 100.0  # as conf/tune/ has it: the limit where nothing is tuned, so that nobody could say another


def choose(trials: Sequence[Trial], limit: float | None, outcomes: pa.Table) -> int:
    """Return the place of the best trial.

    That with the fewest lost seeds, then the least mean score over the seeds that are not lost, then the
    smallest learning rate, then the first. One whose gap rises above `limit` times where it began, on any
    seed, counts as lost on all: it may arrive early, but is no advice.
    """
    runs = np.stack([trial.runs for trial in trials])  # (T, S)
    setting = np.repeat(np.arange(len(trials)), runs.shape[1])
    rate = np.array([trial.leaves.get(LR, 0.0) for trial in trials])  # the same for all where it is not tuned
    scored = _scored(setting, _Outcomes.of(outcomes).reached(runs.ravel()), limit)
    return int(_best_first(rate, scored)[0])


def best_settings(plan: Plan, outcomes: pa.Table, limit: float | None = RISE) -> np.ndarray:
    """Return the ids of the runs of each optimizer's best setting in each task, where nothing is tuned.

    In the same order. Whole costs often tie: those that are as good but for rounding are best too, MOST_ALIKE
    at most. Which of them is compared is decided on the other side of the store.
    """
    parts_of_competitors = defaultdict(list)
    for group in plan.groups:
        for start, part in _by_start(group):
            leaves = part.shared | {"init": start}
            key = competitor_of(part.problem_id, part.labels["optimizer"], leaves)
            parts_of_competitors[key].append(part)
    known = _Outcomes.of(outcomes)
    best = [_best_runs(parts, known, limit) for parts in parts_of_competitors.values()]
    return np.concatenate([*best, np.zeros(0, "S32")])


def _by_start(group: Group) -> Iterator[tuple[object, Group]]:
    """Cut a group where its runs start otherwise: that is another task."""
    init = group.column("init")
    for code in np.unique(init.codes):
        yield init.values[code], group.take(np.flatnonzero(init.codes == code))


def _best_runs(parts: Sequence[Group], known: "_Outcomes", limit: float | None) -> np.ndarray:
    """Return the ids of the runs of a competitor's best setting."""
    run_id = np.concatenate([part.run_id for part in parts])
    setting_id = np.concatenate([part.setting_id for part in parts])
    rate = np.concatenate([_rates(part) for part in parts])
    _, first, setting = np.unique(setting_id, return_index=True, return_inverse=True)
    scored = _scored(setting, known.reached(run_id), limit)
    order = _best_first(rate[first], scored)
    alike = order[scored.are_as_good_as(order[0])[order]]
    return run_id[np.isin(setting, alike[:MOST_ALIKE])]


def _rates(group: Group) -> np.ndarray:
    """Return the learning rate of each run, (R,); nan where it is no number."""
    column = group.column(LR)
    is_number = [isinstance(value, int | float) for value in column.values]
    rates = [value if known else np.nan for value, known in zip(column.values, is_number, strict=True)]
    return np.array(rates, dtype=float)[column.codes]


class _Reached(NamedTuple):
    """What R runs reached.

    Attributes:
        score: (R,) log(cost / budget) <= 0 where it arrived, log(level / target) > 0 elsewhere; inf: lost.
        rise: (R,) largest gap over the larger of start and constant model.
    """

    score: np.ndarray
    rise: np.ndarray


class _Outcomes(NamedTuple):
    """The stored outcomes, in the order of their ids."""

    run_id: np.ndarray
    score: np.ndarray
    rise: np.ndarray

    @classmethod
    def of(cls, outcomes: pa.Table) -> "_Outcomes":
        run_id = outcomes["run_id"].to_numpy().astype("S32")
        order = np.argsort(run_id)
        completed = outcomes["status"].to_numpy() == "completed"
        score = np.where(completed, _or_inf(outcomes["score"]), np.inf)
        return cls(run_id[order], score[order], _or_inf(outcomes["rise"])[order])

    def reached(self, runs: np.ndarray) -> _Reached:
        """Return what the runs with these ids (R,) reached."""
        # looked up in their order, as the memory of many ids is then read once
        order = np.argsort(runs)
        places = np.empty(len(runs), np.int64)
        places[order] = np.searchsorted(self.run_id, runs[order])
        return _Reached(self.score[places], self.rise[places])


def _or_inf(column: pa.ChunkedArray) -> np.ndarray:
    return np.nan_to_num(column.fill_null(np.inf).to_numpy(), nan=np.inf, posinf=np.inf)


class _Scored(NamedTuple):
    """How good T settings are.

    Attributes:
        lost: (T,) seeds that are lost; all, where the gap rises too high.
        mean: (T,) mean score over the others.
    """

    lost: np.ndarray
    mean: np.ndarray

    def are_as_good_as(self, place: int) -> np.ndarray:
        """Say which settings are as good as one of them but for rounding, (T,) bool."""
        apart = np.abs(self.mean - self.mean[place])
        return (self.lost == self.lost[place]) & (apart <= ROUNDING)


def _scored(setting: np.ndarray, reached: _Reached, limit: float | None) -> _Scored:
    """Return how good settings are; `setting` (R,) says of which of them a run is."""
    lost = np.isinf(reached.score)
    if limit is not None:
        rises = np.bincount(setting, reached.rise > limit) > 0  # (T,)
        lost |= rises[setting]
    lost_seeds = np.bincount(setting, lost)
    kept_seeds = np.maximum(np.bincount(setting) - lost_seeds, 1)
    mean = np.bincount(setting, np.where(lost, 0.0, reached.score)) / kept_seeds
    return _Scored(lost_seeds, mean)


def _best_first(rate: np.ndarray, scored: _Scored) -> np.ndarray:
    """Return the places of settings with these rates (T,), best first."""
    # of lexsort's keys the last one decides first
    return np.lexsort((np.arange(len(rate)), rate, scored.mean, scored.lost))
