"""Points of a box: evenly in log, or scrambled Sobol (Sobol 1967, Owen 1998), with three significant digits, so that they read and copy well."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from lrbench.config import Leaves
from lrbench.seeds import TUNING, stream
from lrbench.tuning.boxes import Dimension


def grid(count: int) -> np.ndarray:
    """Return `count` places of [0, 1], both ends among them, (count, 1); the middle where it is one."""
    return np.linspace(0, 1, count)[:, None] if count > 1 else np.array([[0.5]])


def sobol(count: int, numbers: int, seed: int, skip: int = 0) -> np.ndarray:
    """Return `count` points of [0, 1)^numbers after the first `skip`, (count, numbers). A seed scrambles alike for every optimizer."""
    from scipy.stats import qmc  # half a second

    sequence = qmc.Sobol(numbers, rng=stream(seed, TUNING, 1))
    return sequence.random_base2((skip + count - 1).bit_length())[skip : skip + count]


def settings(places: np.ndarray, box: Sequence[Dimension], lists: dict[str, list[Any]]) -> list[Leaves]:
    """Return the distinct settings at places (count, numbers) of a box, each the leaves that are tuned.

    lists: by path, the hyperparameters that are lists, of which the box holds some numbers or all.
    """
    found = []
    for row in places:
        leaves: Leaves = {path: list(values) for path, values in lists.items()}
        for place, number in zip(row, box, strict=True):
            value = _value(float(place), number)
            if number.place is None:
                leaves[number.path] = value
            else:
                leaves[number.path][number.place] = value
        found.append(leaves)
    return list({repr(sorted(leaves.items())): leaves for leaves in found}.values())


def _value(place: float, number: Dimension) -> float:
    low, high = number.low, number.high
    exact = low + place * (high - low) if number.scale == "linear" else low * (high / low) ** place
    value = min(max(float(f"{exact:.3g}"), low), high)
    return float(1 - Decimal(repr(value))) if number.scale == "one_minus" else value
