"""Many groups of values or of pairs: all groups of a size are one array, so 100 000 of them cost a few calls.

Given are values or pairs (R,) and `codes` (R,), the group 0 .. G-1 of each, none empty. What `compare` says
of the groups is a GroupComparisons, a column (G,) a field; its first row may be

    n   test   ratio   low    high   at_least   p
    10  t      1.52    1.21   1.91   NaN        0.0024
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lrbench.results.statistics.paired import compare, ratio_known, ratio_of, repeats, t_measures


class GroupComparisons(NamedTuple):
    """The fields of PairedComparison for G groups of pairs, (G,) each."""

    n: np.ndarray
    test: np.ndarray
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_least: np.ndarray
    p: np.ndarray


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


def compare_groups(
    a: np.ndarray,  # (R,)
    b: np.ndarray,  # (R,)
    floor: np.ndarray,  # (R,), the same within a group
    codes: np.ndarray,  # (R,), the group of each pair: 0 .. G-1, none empty
    identical: np.ndarray,  # (G,)
) -> GroupComparisons:
    """Return what `compare` says of each group of pairs.

    identical: where runs agree in more than their gaps, bit for bit. These are not tested, and all of their
    pairs count.

    One t test takes all groups of a size whose ratios are known and whose pairs are distinct, so that a
    hundred thousand settings cost a few; the other groups are compared one by one. `compare` adds up in the
    order of the gaps, the common test in that of the pairs, so the two may differ by rounding.
    """
    columns = no_comparisons(len(identical))
    for groups, pairs in groups_by_size(codes):
        columns.n[groups] = pairs.shape[1]
        tested = ~identical[groups]
        plain = all_plain(a[pairs], b[pairs], floor[pairs])

        together = tested & plain
        common = pairs[together]
        measures = plain_measures(a[common], b[common])
        put(columns, groups[together], measures)

        alone = tested & ~plain
        for group, own in zip(groups[alone], pairs[alone], strict=True):
            own_floor = float(floor[own[0]])
            comparison = compare(a[own], b[own], own_floor)
            put(columns, group, vars(comparison))
    return columns


def no_comparisons(count: int) -> GroupComparisons:
    """Return the columns of `count` groups that are not tested."""
    n = np.zeros(count, dtype=int)
    test = np.full(count, "identical", dtype=object)  # object, lest a longer name be cut
    measures = np.full((5, count), np.nan)  # a row a field
    return GroupComparisons(n, test, *measures)


def all_plain(a: np.ndarray, b: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Say of each group (g, n) whether all ratios are known, all pairs distinct, and not all gaps equal."""
    order = np.lexsort([b, a], axis=-1)
    ordered_a = np.take_along_axis(a, order, axis=-1)
    ordered_b = np.take_along_axis(b, order, axis=-1)
    repeated = repeats(ordered_a, ordered_b).any(axis=-1)
    known = ratio_known(a, b, floor).all(axis=-1)
    differ = (a != b).any(axis=-1)
    return known & differ & ~repeated


def plain_measures(a: np.ndarray, b: np.ndarray) -> dict[str, object]:
    """Return the columns of groups a, b (g, n) of known, distinct pairs: a t test, or one pair's ratio."""
    if a.shape[1] > 1:
        return {"test": "t", **t_measures(a, b)}
    log_ratios = np.log(b) - np.log(a)
    return {"test": "none", "ratio": ratio_of(log_ratios[:, 0])}


def put(columns: GroupComparisons, groups: np.ndarray, values: dict[str, object]) -> None:
    """Write the values that are columns into the rows of some groups."""
    for name, column in columns._asdict().items():
        if name in values:
            column[groups] = values[name]
