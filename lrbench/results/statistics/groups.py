"""Many groups of values: all groups of a size are one array, so that 100 000 of them cost a few calls.

Given are values (R,) and `codes` (R,), the group 0 .. G-1 of each, none empty.
"""

from collections.abc import Callable, Iterator

import numpy as np


def by_group(
    statistic: Callable[[np.ndarray], np.ndarray], values: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Apply a statistic to each group of values (R,); codes (R,) number the groups 0 .. G-1. Returns (G,)."""
    result = np.empty(len(np.bincount(codes)))
    for groups, rows in groups_by_size(codes):
        result[groups] = statistic(values[rows])
    return result


def groups_by_size(codes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each size the groups (g,) of that size, and where their values lie (g, size), in order.

    codes (R,) number the groups 0 .. G-1, none empty. Groups of the same size are one array, so that a
    statistic of a hundred thousand settings costs a few calls.
    """
    order = np.argsort(codes, kind="stable")  # within a group the order stays, and so the rounding of sums
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes):
        groups = np.flatnonzero(sizes == size)
        places = starts[groups, None] + np.arange(size)
        yield groups, order[places]
