"""The best trial of a competitor, and more trials where its learning rate lies at an end of its range.

T trials, S tuning seeds.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lrbench.config import Leaves
from lrbench.tuning.competitors import Competitor, Trial
from lrbench.tuning.policy import LR, LrRange, Tune
from lrbench.tuning.sampling import draw

# Of a range, in the logarithm: a best lr there may have a better one beyond. results/, on the other side of
# the store, has the same number in tables/ranking.py, by which it warns of an edge.
OUTER = 0.1
MOST_GROWTHS = 2  # of a range, a decade each; the reserve of trials is shared among them
TINY = np.finfo(float).tiny  # of a gap and a floor of 0, whose logarithm is wanted


def choose(competitor: Competitor, metric: str, outcomes: pa.Table) -> int:
    """Return the number of the best trial.

    By the geometric mean over the tuning seeds of the last epoch's gap (inf if one is lost: diverged or
    failed; not below the floor), then by the fewest lost, the fewest evaluations to the target (median),
    the lowest number; with metric evaluations these come before the gap.
    """
    runs = np.stack([trial.runs for trial in competitor.trials])  # (T, S)
    reached = _reached(outcomes, runs)
    floor = max(competitor.floor, TINY)
    gap = _geometric_mean(np.maximum(reached.gap, floor))
    lost = reached.lost.sum(axis=1)
    evaluations = _lower_median(reached.evaluations)
    number = np.arange(len(competitor.trials))
    # of lexsort's keys the last one decides first
    if metric == "gap":
        best_first = np.lexsort((number, evaluations, lost, gap))
    else:
        best_first = np.lexsort((number, gap, lost, evaluations))
    return int(best_first[0])


class _Reached(NamedTuple):
    """What trials reached on each seed, (T, S)."""

    gap: np.ndarray  # mean over the last epoch; inf where the run is lost
    evaluations: np.ndarray  # to the target; inf where the run is lost or never there
    lost: np.ndarray  # diverged or failed


def _reached(outcomes: pa.Table, runs: np.ndarray) -> _Reached:
    """Look up run ids (T, S) in the stored outcomes, which are in no order."""
    stored = outcomes["run_id"].to_numpy().astype("S32")
    order = np.argsort(stored)
    places = order[np.searchsorted(stored, runs, sorter=order)]  # (T, S)
    status = outcomes["status"].to_numpy()[places]
    lost = status != "completed"
    gap = _or_inf(outcomes["level"])[places]
    evaluations = _or_inf(outcomes["evaluations_to_target"])[places]
    gap[lost] = np.inf
    evaluations[lost] = np.inf  # also where it was at the target before it was lost
    return _Reached(gap, evaluations, lost)


def _or_inf(column: pa.ChunkedArray) -> np.ndarray:
    return column.fill_null(np.inf).to_numpy()


def _geometric_mean(gaps: np.ndarray) -> np.ndarray:
    """Return the mean over the seeds of (T, S) gaps, (T,); inf where one of them is, or exp overflows."""
    with np.errstate(over="ignore"):
        return np.exp(np.log(gaps).mean(axis=1))


def _lower_median(evaluations: np.ndarray) -> np.ndarray:
    """Return the median over the seeds of (T, S), (T,): finite where half or more reach the target."""
    middle = (evaluations.shape[1] - 1) // 2
    return np.sort(evaluations, axis=1)[:, middle]


# ---- growth


def grow(competitor: Competitor, best: Trial, tune: Tune, growth: int) -> Competitor:
    """Return one whose best lr is in the outer tenth of its range with a decade more and trials there.

    Any other is returned as it is. `growth`: how many times ranges have grown before.
    """
    if not tune.tunes_lr(competitor.optimizer):
        return competitor
    place = competitor.lr_range.place(best.leaves[LR])
    if OUTER <= place <= 1 - OUTER:
        return competitor
    before = competitor.lr_range
    is_low = place < OUTER
    decade = before.decade_below() if is_low else before.decade_above()
    settings = _settings_in(decade, is_low, competitor.optimizer, tune, growth)
    grown = competitor.trying(settings, decade)
    return replace(grown, lr_range=before.with_decade(decade))


def _settings_in(decade: LrRange, is_low: bool, optimizer: str, tune: Tune, growth: int) -> list[Leaves]:
    """Draw the trials of a decade below the range (`is_low`) or above it."""
    count = tune.reserve // MOST_GROWTHS
    if tune.sampler == "grid":
        settings = draw(tune, optimizer, count + 1, decade)
        # the end that the decade shares with the range has been tried
        return settings[:-1] if is_low else settings[1:]
    used_up = tune.trials + growth * count  # of the sequence, by the range and the decades before
    return draw(tune, optimizer, count, decade, skip=used_up)
