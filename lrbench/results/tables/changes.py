"""What changed between paired runs of A and B, setting by setting: statistics, what is shown, what got lost.

One row: task "lecture", optimizer "adam", setting "lr=0.1", role "evaluation", differs "", gap_a 1e-9, gap_b
4e-9, ratio 4.0 (B over A), low 2.1, high 7.6, n 10, test "t", p 0.001, p_holm 0.003, change "worse", runs 10,
lost 0, recovered 0.
"""

import numpy as np
import pandas as pd

from lrbench.results.statistics import ALPHA, MARGIN, by_group, compare, geometric_mean, holm, paired_t
from lrbench.results.tables.pairing import BITS

COLUMNS = [
    *("task", "optimizer", "setting", "role", "differs", "gap_a", "gap_b"),
    *("ratio", "low", "high", "at_least", "n", "test", "p", "p_holm"),
    *("change", "runs", "lost", "recovered"),
]
NUMBERS = ["ratio", "low", "high", "at_least", "p"]
COUNTS = ["n", "runs", "lost", "recovered"]


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: what is shown first, then by the size of the ratio, what is identical last.

    settings, pairs: as `pairing.paired_settings` with `differs`, and `pairing.paired_runs`.
    """
    present, places = np.unique(pairs["row"], return_inverse=True)
    identical = by_group(_all, same_bits(pairs), places).astype(bool)
    found = _comparisons(pairs, places, identical).set_axis(present)
    found["change"] = np.where(identical, "identical", "")
    found["gap_a"] = by_group(geometric_mean, pairs["gap_a"].to_numpy(), places)
    found["gap_b"] = by_group(geometric_mean, pairs["gap_b"].to_numpy(), places)
    completed_a = pairs["status_a"] == "completed"
    completed_b = pairs["status_b"] == "completed"
    found["runs"] = np.bincount(places)
    found["lost"] = np.bincount(places, completed_a & ~completed_b)
    found["recovered"] = np.bincount(places, completed_b & ~completed_a)
    rows = settings.join(found)
    unpaired = {"test": "unpaired", "change": "", **dict.fromkeys(COUNTS, 0)}
    rows = rows.fillna(unpaired).astype(dict.fromkeys(COUNTS, int))
    rows["p_holm"] = holm(rows["p"].to_numpy())
    rows["change"] = np.select([_shown_worse(rows), _shown_better(rows)], ["worse", "better"], rows["change"])
    return _shown_first(rows)[COLUMNS]


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

    lost_a, runs_a, lost_b, runs_b. a, b: as `pairing.compared_runs`.
    """
    return _losses(a, "a").join(_losses(b, "b"), how="inner").reset_index()


def _losses(runs: pd.DataFrame, side: str) -> pd.DataFrame:
    once = runs.drop_duplicates(["task", "run_id"])
    lost = once["status"] != "completed"
    counts = lost.groupby([once["task"], once["optimizer"]], sort=False).agg(["sum", "size"])
    return counts.set_axis([f"lost_{side}", f"runs_{side}"], axis=1)


def _comparisons(pairs: pd.DataFrame, codes: np.ndarray, identical: np.ndarray) -> pd.DataFrame:
    a, b, floor = (pairs[column].to_numpy() for column in ("gap_a", "gap_b", "gap_floor"))
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    known = (np.minimum(a, b) > floor) & np.isfinite(np.maximum(a, b))
    distinct = ~pairs[["row", "gap_a", "gap_b"]].duplicated().to_numpy()
    plain = (
        by_group(_all, known & distinct, codes).astype(bool)
        & ~by_group(_all, a == b, codes).astype(bool)
        & ~identical
    )
    found = pd.DataFrame(
        {
            "n": sizes,
            "test": np.where(identical, "identical", np.where(sizes == 1, "none", "t")),
            **dict.fromkeys(NUMBERS, np.nan),
        }
    )
    for size in np.unique(sizes[plain]):
        groups = np.flatnonzero(plain & (sizes == size))
        runs = starts[groups, None] + np.arange(size)
        found.loc[groups, NUMBERS] = _measured(np.log(b[runs]) - np.log(a[runs]))
    for group in np.flatnonzero(~plain & ~identical):
        runs = slice(starts[group], starts[group] + sizes[group])
        one = compare(a[runs], b[runs], floor[starts[group]])
        found.loc[group, ["n", "test", *NUMBERS]] = [
            one.n,
            one.test,
            *(getattr(one, name) for name in NUMBERS),
        ]
    return found


def _measured(x: np.ndarray) -> np.ndarray:
    if x.shape[1] == 1:
        return np.exp(x) * [1.0, np.nan, np.nan, np.nan, np.nan]
    mean, low, high, p = paired_t(x)
    return np.column_stack([np.exp(mean), np.exp(low), np.exp(high), np.full(len(x), np.nan), p])


def _all(values: np.ndarray) -> np.ndarray:
    return values.all(axis=-1)


def _shown_worse(rows: pd.DataFrame) -> pd.Series:
    return (rows["p_holm"] < ALPHA) & ((rows["low"] > MARGIN) | (rows["at_least"] > MARGIN))


def _shown_better(rows: pd.DataFrame) -> pd.Series:
    return (rows["p_holm"] < ALPHA) & ((rows["high"] < 1 / MARGIN) | (rows["at_least"] < 1 / MARGIN))


def _shown_first(rows: pd.DataFrame) -> pd.DataFrame:
    change = rows["change"]
    kinds = [
        change == "worse",
        rows["lost"] > 0,
        change == "better",
        rows["recovered"] > 0,
        change == "",
    ]
    ratio = rows["ratio"].fillna(rows["at_least"]).fillna(1.0)
    with np.errstate(divide="ignore"):
        size = np.abs(np.log(ratio))
    ordered = rows.assign(place=np.select(kinds, range(len(kinds)), len(kinds)), size=-size)
    return ordered.sort_values(["place", "size"], kind="stable", ignore_index=True)
