"""Where a search goes on: closer around its best trial, or beyond an end of its learning rates' range.

Of 32 trials with tune=lr, 16 lie over the box, from 1e-5 to 100. Where the best of them is 0.0541,

    stage   count   where
    2       8       between its neighbours 0.0185 and 0.158, four on either side
    3       8       between the neighbours that the best of these 24 has, four on either side

and where it is 100, the last of them, the second stage is in the decade beyond, the third around the best of
these 24. So each search has as many trials, whether its box grows or not.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lrbench.config import Leaves
from lrbench.tuning.competitors import Draw, Trial
from lrbench.tuning.policy import LR, Dimension, LrRange, Tune, dimensions, lists
from lrbench.tuning.sampling import counted, counted_at, grid, grid_around, place_of, settings, sobol

# Of a range, in the logarithm: a best lr of Sobol points there may have a better one beyond. results/, on the
# other side of the store, has the same number in tables/ranking.py, by which it warns of an edge.
OUTER = 0.1
SHRINK = 3  # a zoom of Sobol points has a third of each side, the next one a ninth


def go_on(own: Sequence[Trial], best: Trial, tune: Tune, stage: int) -> Draw:
    """Return what a search tries next, given its own trials and the best of them.

    stage: of `tune.stages`, from 1 on, as the first is over the box.
    """
    decade = _decade_beyond(own, best, tune) if stage == 1 else None
    if decade:
        return _in_decade(decade, own, best, tune)
    box = dimensions(tune, best.optimizer, _range_of(own))
    if tune.sampler == "grid":
        narrow, points = _between_neighbours(box, own, best, tune.stages[stage])
    else:
        narrow, points = _around(box, best, tune, stage, zooms=stage - _has_grown(own))
    new = _settings(points, narrow, own, tune)
    return Draw(best.cell, new, _range_in(narrow))


def _range_of(own: Sequence[Trial]) -> LrRange:
    """Return the range of a search's rates as far as it has grown; any range where lr is not tuned."""
    drawn_from = [trial.lr_range for trial in own if trial.lr_range]
    return drawn_from[0].and_all(drawn_from) if drawn_from else LrRange(1, 2)


def _range_in(box: Sequence[Dimension]) -> LrRange | None:
    """Return the range of the learning rate in a box, None where it is not tuned."""
    ranges = [LrRange(dimension.low, dimension.high) for dimension in box if dimension.path == LR]
    return ranges[0] if ranges else None


def _has_grown(own: Sequence[Trial]) -> bool:
    return own[0].lr_range is not None and _range_of(own) != own[0].lr_range


def _settings(points: np.ndarray, box: Sequence[Dimension], own: Sequence[Trial], tune: Tune) -> list[Leaves]:
    """Return the settings at these points of a box, none of which has been tried."""
    fixed = lists(tune, own[0].optimizer)
    return settings(points, box, fixed, tried=[trial.tuned for trial in own])


# ---- beyond an end of the range


def _decade_beyond(own: Sequence[Trial], best: Trial, tune: Tune) -> LrRange | None:
    """Return the decade beside the range at whose end the best lies; None elsewhere.

    At an end is the first or the last rate of a grid, of Sobol points one in the outer tenth.
    """
    box = best.lr_range
    if not box:
        return None
    rates = [trial.tuned[LR] for trial in own]
    place = box.place(best.tuned[LR])
    if tune.sampler == "grid":
        is_low, is_high = best.tuned[LR] == min(rates), best.tuned[LR] == max(rates)
    else:
        is_low, is_high = place < OUTER, place > 1 - OUTER
    if not is_low and not is_high:
        return None
    decade = box.decade_below() if is_low else box.decade_above()
    return decade if decade.is_usable() else None


def _in_decade(decade: LrRange, own: Sequence[Trial], best: Trial, tune: Tune) -> Draw:
    """Draw as many trials in a decade beside the range as the last zoom has, in place of it."""
    box = dimensions(tune, best.optimizer, decade)
    count = tune.stages[-1]
    if tune.sampler == "grid":
        points = grid(count + 1)
        # the end that the decade shares with the range has been tried
        is_below = decade.low < _range_of(own).low
        points = points[:-1] if is_below else points[1:]
    else:
        points = sobol(count, len(box), tune.seed, skip=tune.stages[0])
    return Draw(best.cell, _settings(points, box, own, tune), decade)


# ---- around the best


def _between_neighbours(
    box: Sequence[Dimension], own: Sequence[Trial], best: Trial, count: int
) -> tuple[list[Dimension], np.ndarray]:
    """Return the part of a one-dimensional box between the neighbours of the best, and points in it."""
    [dimension] = box
    tried = sorted({counted(trial.tuned, dimension) for trial in own})
    at = tried.index(counted(best.tuned, dimension))
    neighbours = tried[max(at - 1, 0) : at + 2]
    narrow = replace(dimension, low=neighbours[0], high=neighbours[-1])
    place = place_of(tried[at], narrow)
    return [narrow], grid_around(place, count)


def _around(
    box: Sequence[Dimension], best: Trial, tune: Tune, stage: int, zooms: int
) -> tuple[list[Dimension], np.ndarray]:
    """Return the part of a box around the best, as narrow as after so many zooms, and Sobol points in it."""
    half = 0.5 / SHRINK**zooms
    narrow = [
        _narrowed(dimension, place_of(counted(best.tuned, dimension), dimension), half) for dimension in box
    ]
    skip = sum(tune.stages[:stage])  # of the sequence, by the stages before
    return narrow, sobol(tune.stages[stage], len(box), tune.seed, skip)


def _narrowed(dimension: Dimension, place: float, half: float) -> Dimension:
    """Return the part of a dimension that goes `half` of it to either side of a place, inside."""
    low = counted_at(max(place - half, 0), dimension)
    high = counted_at(min(place + half, 1), dimension)
    return replace(dimension, low=low, high=high)
