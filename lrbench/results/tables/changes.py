"""What changed between paired runs of A and B, setting by setting: statistics, what is shown, what got lost.

One row: task "lecture", optimizer "adam", setting "lr=0.1", role "evaluation", differs "", gap_a 1e-9, gap_b
4e-9, ratio 4.0 (B over A), low 2.1, high 7.6, n 10, test "t", p 0.001, p_holm 0.003, change "worse", runs 10,
lost 0, recovered 0.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.statistics import ALPHA, MARGIN, by_group, compare, geometric_mean, holm, paired_t

NUMBERS = ["ratio", "low", "high", "at_least", "p"]
COUNTS = ["n", "runs", "lost", "recovered"]
# of a setting without a pair of runs; its numbers are NaN
UNPAIRED = {"test": "unpaired", "change": "", "n": 0, "runs": 0, "lost": 0, "recovered": 0}


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: what is shown first, then by the size of the ratio, what is identical last.

    settings, pairs: as `pairing.paired_settings` with `differs`, and `pairing.paired_runs`.
    """
    present, places = np.unique(pairs["row"], return_inverse=True)
    identical = by_group(_all, same_bits(pairs), places).astype(bool)
    completed_a = pairs["status_a"] == "completed"
    completed_b = pairs["status_b"] == "completed"
    numbers = _comparisons(pairs, places, identical).set_axis(present)
    numbers["change"] = np.where(identical, "identical", "")
    numbers["gap_a"] = by_group(geometric_mean, pairs["gap_a"].to_numpy(), places)
    numbers["gap_b"] = by_group(geometric_mean, pairs["gap_b"].to_numpy(), places)
    numbers["runs"] = np.bincount(places)
    numbers["lost"] = np.bincount(places, completed_a & ~completed_b)
    numbers["recovered"] = np.bincount(places, completed_b & ~completed_a)
    rows = settings.join(numbers).fillna(UNPAIRED).astype(dict.fromkeys(COUNTS, int))
    rows["p_holm"] = holm(rows["p"].to_numpy())
    rows["change"] = np.select([_shown_worse(rows), _shown_better(rows)], ["worse", "better"], rows["change"])
    return typed([_shown_first(rows)], "difference.rows")


def same_bits(pairs: pd.DataFrame) -> np.ndarray:
    """Say of each pair of runs whether all that they reached is the same, bit for bit."""
    same = np.ones(len(pairs), dtype=bool)
    for column in BITS:
        in_a, in_b = pairs[f"{column}_a"], pairs[f"{column}_b"]
        both_missing = in_a.isna() & in_b.isna()
        same &= ((in_a == in_b).fillna(False) | both_missing).to_numpy(dtype=bool)
    return same


def losses(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer of both: how many of all runs, with a partner or without, did not
    complete.

    a, b: as `pairing.compared_runs`.
    """
    return _losses(a, "a").join(_losses(b, "b"), how="inner").reset_index()


def _losses(runs: pd.DataFrame, side: str) -> pd.DataFrame:
    once = runs.drop_duplicates(["task", "run_id"])
    lost = once["status"] != "completed"
    counts = lost.groupby([once["task"], once["optimizer"]], sort=False).agg(["sum", "size"])
    return counts.set_axis([f"lost_{side}", f"runs_{side}"], axis=1)


def _comparisons(pairs: pd.DataFrame, codes: np.ndarray, identical: np.ndarray) -> pd.DataFrame:
    """Return n, test and NUMBERS of each group of pairs, as `statistics.compare` does of one.

    codes (R,): the group of each pair, ascending; identical (G,). Groups whose ratios are all known and
    distinct are computed together: of a sweep with thousands of settings one by one takes seconds.
    """
    a, b, floor = (pairs[column].to_numpy() for column in ("gap_a", "gap_b", "gap_floor"))
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    is_plain = _plain(pairs, codes) & ~identical
    tests = np.select([identical, sizes == 1], ["identical", "none"], "t")
    rows = pd.DataFrame({"n": sizes, "test": tests}).assign(**dict.fromkeys(NUMBERS, np.nan))
    for size in np.unique(sizes[is_plain]):
        groups = np.flatnonzero(is_plain & (sizes == size))
        runs = starts[groups, None] + np.arange(size)
        rows.loc[groups, NUMBERS] = _measured(np.log(b[runs]) - np.log(a[runs]))
    for group in np.flatnonzero(~is_plain & ~identical):
        runs = slice(starts[group], starts[group] + sizes[group])
        found = compare(a[runs], b[runs], floor[starts[group]])
        numbers = [getattr(found, name) for name in NUMBERS]
        rows.loc[group, ["n", "test", *NUMBERS]] = [found.n, found.test, *numbers]
    return rows


def _plain(pairs: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
    """Say of each group (G,) whether all ratios are known and distinct, and some differ from 1."""
    a, b, floor = (pairs[column].to_numpy() for column in ("gap_a", "gap_b", "gap_floor"))
    known = (np.minimum(a, b) > floor) & np.isfinite(np.maximum(a, b))
    distinct = ~pairs[["row", "gap_a", "gap_b"]].duplicated().to_numpy()
    all_known = by_group(_all, known & distinct, codes).astype(bool)
    all_equal = by_group(_all, a == b, codes).astype(bool)
    return all_known & ~all_equal


def _measured(x: np.ndarray) -> np.ndarray:
    """Return NUMBERS (G, 5) of log ratios (G, n)."""
    if x.shape[1] == 1:
        return np.exp(x) * [1.0, np.nan, np.nan, np.nan, np.nan]
    mean, low, high, p = paired_t(x)
    no_bound = np.full(len(x), np.nan)
    return np.column_stack([np.exp(mean), np.exp(low), np.exp(high), no_bound, p])


def _all(values: np.ndarray) -> np.ndarray:
    return values.all(axis=-1)


def _shown_worse(rows: pd.DataFrame) -> pd.Series:
    return (rows["p_holm"] < ALPHA) & ((rows["low"] > MARGIN) | (rows["at_least"] > MARGIN))


def _shown_better(rows: pd.DataFrame) -> pd.Series:
    return (rows["p_holm"] < ALPHA) & ((rows["high"] < 1 / MARGIN) | (rows["at_least"] < 1 / MARGIN))


def _shown_first(rows: pd.DataFrame) -> pd.DataFrame:
    change = rows["change"]
    gravest_first = [
        change == "worse",
        rows["lost"] > 0,
        change == "better",
        rows["recovered"] > 0,
        change == "",
    ]
    place = np.select(gravest_first, range(len(gravest_first)), len(gravest_first))
    ratio = rows["ratio"].fillna(rows["at_least"]).fillna(1.0)
    with np.errstate(divide="ignore"):
        size = np.abs(np.log(ratio))
    ordered = rows.assign(place=place, size=-size)
    return ordered.sort_values(["place", "size"], kind="stable", ignore_index=True)
