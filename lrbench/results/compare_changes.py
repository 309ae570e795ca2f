"""What changed between paired runs of A and B, a row a setting: statistics, what is shown, what got lost."""

import numpy as np
import pandas as pd

from lrbench.results.statistics import ALPHA, MARGIN, by_group, compare, geometric_mean, holm, paired_t

# what two runs must share to be identical
BITS = [
    "status",
    "final_loss",
    "final_gap",
    "last_epoch_gap",
    "half_gap",
    "peak_ratio",
    "first_bad_step",
    "last_finite_loss",
    "evaluations",
]
COLUMNS = [
    "task",
    "optimizer",
    "setting",
    "role",
    "differs",
    "gap_a",
    "gap_b",
    "ratio",
    "low",
    "high",
    "at_least",
    "n",
    "test",
    "p",
    "p_holm",
]
COLUMNS += ["change", "runs", "lost", "recovered"]
NUMBERS = ["ratio", "low", "high", "at_least", "p"]


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `compare.Difference`: what is shown first, then by the size of the ratio, what is identical last.

    settings, pairs: as `compare.paired_settings` and `compare.paired_runs`, with `differs`.
    """
    present, codes = np.unique(pairs["row"], return_inverse=True)
    identical = by_group(all_of, same_bits(pairs), codes).astype(bool)
    found = comparisons(pairs, codes, identical).set_axis(present)
    found["change"] = np.where(identical, "identical", "")
    found["gap_a"], found["gap_b"] = (
        by_group(geometric_mean, pairs[f"gap_{side}"].to_numpy(), codes) for side in "ab"
    )
    completed_a, completed_b = (pairs[f"status_{side}"] == "completed" for side in "ab")
    for column, runs in {
        "runs": completed_a | True,
        "lost": completed_a & ~completed_b,
        "recovered": completed_b & ~completed_a,
    }.items():
        found[column] = np.bincount(codes, runs)
    rows = settings.join(found)
    counts = ["n", "runs", "lost", "recovered"]
    rows = rows.fillna({"test": "unpaired", "change": "", **dict.fromkeys(counts, 0)}).astype(
        dict.fromkeys(counts, int)
    )
    rows["p_holm"] = holm(rows["p"].to_numpy())
    rows["change"] = np.select([shown_worse(rows), shown_better(rows)], ["worse", "better"], rows["change"])
    return shown_first(rows)[COLUMNS]


def losses(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer of both: how many of all runs, with a partner or without, did not complete (lost_a, runs_a, lost_b, runs_b).

    a, b: as `compare.compared_runs`.
    """
    sides = []
    for runs, side in ((a, "a"), (b, "b")):
        once = runs.drop_duplicates(["task", "run_id"])
        counts = (
            (once["status"] != "completed")
            .groupby([once["task"], once["optimizer"]], sort=False)
            .agg(["sum", "size"])
        )
        sides.append(counts.set_axis([f"lost_{side}", f"runs_{side}"], axis=1))
    return sides[0].join(sides[1], how="inner").reset_index()


def same_bits(pairs: pd.DataFrame) -> np.ndarray:
    """Say of each pair of runs whether all that they reached is the same, bit for bit."""
    same = np.ones(len(pairs), dtype=bool)
    for column in BITS:
        one, other = pairs[f"{column}_a"], pairs[f"{column}_b"]
        same &= ((one == other).fillna(False) | (one.isna() & other.isna())).to_numpy(dtype=bool)
    return same


def comparisons(pairs: pd.DataFrame, codes: np.ndarray, identical: np.ndarray) -> pd.DataFrame:
    """Return n, test and NUMBERS of `statistics.compare`, a row a group of pairs; codes (R,) ascending: which pair is of which group.

    Where all gaps are known and distinct, one t test takes all groups of a size, so that a hundred thousand settings cost a few; the others are
    compared one by one. Identical runs are no test, and all count.
    """
    a, b, floor = (pairs[column].to_numpy() for column in ("gap_a", "gap_b", "gap_floor"))
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    known = (np.minimum(a, b) > floor) & np.isfinite(np.maximum(a, b))
    distinct = ~pairs[["row", "gap_a", "gap_b"]].duplicated().to_numpy()
    plain = (
        by_group(all_of, known & distinct, codes).astype(bool)
        & ~by_group(all_of, a == b, codes).astype(bool)
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
        found.loc[groups, NUMBERS] = measured(np.log(b[runs]) - np.log(a[runs]))
    for group in np.flatnonzero(~plain & ~identical):
        runs = slice(starts[group], starts[group] + sizes[group])
        one = compare(a[runs], b[runs], floor[starts[group]])
        found.loc[group, ["n", "test", *NUMBERS]] = [
            one.n,
            one.test,
            *(getattr(one, name) for name in NUMBERS),
        ]
    return found


def measured(x: np.ndarray) -> np.ndarray:
    """Return NUMBERS of paired log ratios (G, n) as (G, 5); one pair has a ratio alone."""
    if x.shape[1] == 1:
        return np.exp(x) * [1.0, np.nan, np.nan, np.nan, np.nan]
    mean, low, high, p = paired_t(x)
    return np.column_stack([np.exp(mean), np.exp(low), np.exp(high), np.full(len(x), np.nan), p])


def all_of(values: np.ndarray) -> np.ndarray:
    return values.all(axis=-1)


def shown_worse(rows: pd.DataFrame) -> pd.Series:
    """Say where B is shown worse: significant after Holm, and by more than the margin."""
    return (rows["p_holm"] < ALPHA) & ((rows["low"] > MARGIN) | (rows["at_least"] > MARGIN))


def shown_better(rows: pd.DataFrame) -> pd.Series:
    return (rows["p_holm"] < ALPHA) & ((rows["high"] < 1 / MARGIN) | (rows["at_least"] < 1 / MARGIN))


def shown_first(rows: pd.DataFrame) -> pd.DataFrame:
    change = rows["change"]
    order = [change == "worse", rows["lost"] > 0, change == "better", rows["recovered"] > 0, change == ""]
    with np.errstate(divide="ignore"):
        size = np.abs(np.log(rows["ratio"].fillna(rows["at_least"]).fillna(1.0)))
    ordered = rows.assign(place=np.select(order, range(len(order)), len(order)), size=-size)
    return ordered.sort_values(["place", "size"], kind="stable", ignore_index=True)
