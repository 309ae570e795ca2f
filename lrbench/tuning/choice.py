"""The best of the trials: by how often it is lost, then by its score.

T trials, S tuning seeds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lrbench.tuning.competitors import Trial
from lrbench.tuning.policy import LR


def choose(trials: Sequence[Trial], limit: float | None, outcomes: pa.Table) -> int:
    """Return the place of the best trial.

    That with the fewest lost seeds, then the least mean score over the seeds that are not lost, then the
    smallest learning rate, then the first. One whose gap rises above `limit` times where it began, on any
    seed, counts as lost on all: it may arrive early, but is no advice.
    """
    runs = np.stack([trial.runs for trial in trials])  # (T, S)
    reached = _reached(outcomes, runs)
    lost = np.isinf(reached.score)
    if limit is not None:
        lost |= np.any(reached.rise > limit, axis=1, keepdims=True)
    lost_seeds = lost.sum(axis=1)
    kept_seeds = np.maximum(lost.shape[1] - lost_seeds, 1)
    mean = np.where(lost, 0.0, reached.score).sum(axis=1) / kept_seeds
    rate = [trial.leaves.get(LR, 0.0) for trial in trials]  # the same for all where it is not tuned
    number = np.arange(len(trials))
    # of lexsort's keys the last one decides first
    best_first = np.lexsort((number, rate, mean, lost_seeds))
    return int(best_first[0])


class _Reached(NamedTuple):
    """What trials reached on each seed, (T, S)."""

    score: (
        np.ndarray
    )  # log(cost / budget) <= 0 where it arrived, log(level / target) > 0 elsewhere; inf: lost
    rise: np.ndarray  # largest gap over the larger of start and constant model


def _reached(outcomes: pa.Table, runs: np.ndarray) -> _Reached:
    """Look up run ids (T, S) in the stored outcomes, which are in no order."""
    stored = outcomes["run_id"].to_numpy().astype("S32")
    order = np.argsort(stored)
    places = order[np.searchsorted(stored, runs, sorter=order)]  # (T, S)
    completed = outcomes["status"].to_numpy()[places] == "completed"
    score = np.where(completed, _or_inf(outcomes["score"])[places], np.inf)
    return _Reached(score, _or_inf(outcomes["rise"])[places])


def _or_inf(column: pa.ChunkedArray) -> np.ndarray:
    return np.nan_to_num(column.fill_null(np.inf).to_numpy(), nan=np.inf, posinf=np.inf)
