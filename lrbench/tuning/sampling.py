"""Points of a box: evenly in log, or scrambled Sobol (Sobol 1967, Owen 1998), and the settings that they are.

A place of [0, 1] is where a value lies on the scale of its dimension: of lr from 0.001 to 10, 0.1 has 0.5.
Values have three significant digits, so that they read and copy well, or more where a zoom comes so close
that two of them would be one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from lrbench.config import Leaves
from lrbench.seeds import TUNING, stream
from lrbench.tuning.policy import Dimension, Lists

SCRAMBLING = 1  # substream of the tuning seed; the seeds of the trials themselves come from the stream
FEWEST_DIGITS, MOST_DIGITS = 3, 17  # of a value; seventeen tell all numbers of float64 apart


# ---- points


def grid(count: int) -> np.ndarray:
    """Return `count` places of [0, 1], both ends among them, (count, 1); the middle where it is one."""
    if count == 1:
        return np.array([[0.5]])
    return np.linspace(0, 1, count)[:, None]


def grid_around(place: float, count: int) -> np.ndarray:
    """Return `count` (even) places between 0, a tried place and 1, (count, 1): half below it, half above.

    0 and 1 are its neighbours, which have been tried; where it is one of them, all lie on the other side.
    """
    if place in (0, 1):
        return np.linspace(0, 1, count + 2)[1:-1, None]
    half = count // 2
    below = np.linspace(0, place, half + 2)[1:-1]
    above = np.linspace(place, 1, half + 2)[1:-1]
    return np.concatenate([below, above])[:, None]


def sobol(count: int, numbers: int, seed: int, skip: int = 0) -> np.ndarray:
    """Return `count` points of [0, 1)^numbers after the first `skip`, (count, numbers).

    A seed scrambles alike for every optimizer.
    """
    from scipy.stats import qmc  # half a second

    sequence = qmc.Sobol(numbers, rng=stream(seed, TUNING, SCRAMBLING))
    # a net only where its length is a power of two
    doublings = (skip + count - 1).bit_length()
    return sequence.random_base2(doublings)[skip : skip + count]


# ---- settings


def settings(
    points: np.ndarray, box: Sequence[Dimension], lists: Lists, tried: Iterable[Leaves] = ()
) -> list[Leaves]:
    """Return the settings at points (count, numbers) of a box, each the leaves that are tuned.

    All are distinct and other than those `tried`, unless two points are one number of float64.

    lists: by path, the hyperparameters that are lists, of which the box holds some numbers or all.
    """
    old = set(map(_written, tried))
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        drawn = [_setting(point, box, lists, digits) for point in points]
        new = {_written(leaves): leaves for leaves in drawn if _written(leaves) not in old}
        if len(new) == len(points):
            break
    return list(new.values())


def _written(leaves: Leaves) -> str:
    return repr(sorted(leaves.items()))


def _setting(point: np.ndarray, box: Sequence[Dimension], lists: Lists, digits: int) -> Leaves:
    leaves: Leaves = {path: list(values) for path, values in lists.items()}
    for place, dimension in zip(point, box, strict=True):
        value = _value(float(place), dimension, digits)
        if dimension.place is None:
            leaves[dimension.path] = value
        else:
            leaves[dimension.path][dimension.place] = value
    return leaves


def _value(place: float, dimension: Dimension, digits: int) -> float:
    rounded = float(f"{counted_at(place, dimension):.{digits}g}")
    inside = min(max(rounded, dimension.low), dimension.high)
    return _one_minus(inside) if dimension.scale == "one_minus" else inside


def counted_at(place: float, dimension: Dimension) -> float:
    """Return what lies at a place of a dimension, as its range counts: of a memory 1 - x."""
    low, high = dimension.low, dimension.high
    exact = low + place * (high - low) if dimension.scale == "linear" else low * (high / low) ** place
    return min(max(exact, low), high)  # at a place of 1, low * (high / low) may be a last digit more


def counted(leaves: Leaves, dimension: Dimension) -> float:
    """Return the value that a setting has of a dimension, as its range counts: of a memory 1 - x."""
    value = leaves[dimension.path]
    if dimension.place is not None:
        value = value[dimension.place]
    return _one_minus(value) if dimension.scale == "one_minus" else value


def place_of(value: float, dimension: Dimension) -> float:
    """Return the place in a dimension of a value as its range counts; of either end it is exactly 0 or 1."""
    low, high = dimension.low, dimension.high
    if dimension.scale == "linear":
        return (value - low) / (high - low)
    return float(np.log(value / low) / np.log(high / low))


def _one_minus(value: float) -> float:
    return float(1 - Decimal(repr(value)))  # in float64, 1 - 0.003 is no number of three digits
