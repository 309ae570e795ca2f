"""Points of a box: evenly in log, or scrambled Sobol (Sobol 1967, Owen 1998).

Values have three significant digits, so that they read and copy well.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from lrbench.config import Leaves
from lrbench.seeds import TUNING, stream
from lrbench.tuning.policy import Dimension, Lists, LrRange, Tune, dimensions, lists

SCRAMBLING = 1  # substream of the tuning seed; the seeds of the trials themselves come from the stream


def draw(tune: Tune, optimizer: str, count: int, lr_range: LrRange, skip: int = 0) -> list[Leaves]:
    """Return the distinct settings of `count` points of an optimizer's box, each the leaves that are tuned.

    `skip`: how many points of the sequence are used up. A grid has no sequence: it starts again in each
    range.
    """
    box = dimensions(tune, optimizer, lr_range)
    whole_lists = lists(tune, optimizer)
    if tune.sampler == "grid":
        return settings(grid(count), box, whole_lists)
    points = sobol(count, len(box), tune.seed, skip)
    return settings(points, box, whole_lists)


def grid(count: int) -> np.ndarray:
    """Return `count` places of [0, 1], both ends among them, (count, 1); the middle where it is one."""
    if count == 1:
        return np.array([[0.5]])
    return np.linspace(0, 1, count)[:, None]


def sobol(count: int, numbers: int, seed: int, skip: int = 0) -> np.ndarray:
    """Return `count` points of [0, 1)^numbers after the first `skip`, (count, numbers).

    A seed scrambles alike for every optimizer.
    """
    from scipy.stats import qmc  # half a second

    sequence = qmc.Sobol(numbers, rng=stream(seed, TUNING, SCRAMBLING))
    # a net only where its length is a power of two
    doublings = (skip + count - 1).bit_length()
    return sequence.random_base2(doublings)[skip : skip + count]


def settings(points: np.ndarray, box: Sequence[Dimension], lists: Lists) -> list[Leaves]:
    """Return the distinct settings at points (count, numbers) of a box, each the leaves that are tuned.

    lists: by path, the hyperparameters that are lists, of which the box holds some numbers or all.
    """
    distinct: dict[str, Leaves] = {}
    for point in points:
        leaves: Leaves = {path: list(values) for path, values in lists.items()}
        for place, dimension in zip(point, box, strict=True):
            value = _value(float(place), dimension)
            if dimension.place is None:
                leaves[dimension.path] = value
            else:
                leaves[dimension.path][dimension.place] = value
        # digits that are rounded away may make two points one setting
        written = repr(sorted(leaves.items()))
        distinct.setdefault(written, leaves)
    return list(distinct.values())


def _value(place: float, dimension: Dimension) -> float:
    rounded = float(f"{_exact(place, dimension):.3g}")
    inside = min(max(rounded, dimension.low), dimension.high)
    if dimension.scale == "one_minus":
        return float(1 - Decimal(repr(inside)))  # in float64, 1 - 0.003 is no number of three digits
    return inside


def _exact(place: float, dimension: Dimension) -> float:
    low, high = dimension.low, dimension.high
    if dimension.scale == "linear":
        return low + place * (high - low)
    return low * (high / low) ** place
