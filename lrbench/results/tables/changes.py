"""What changed between paired runs of A and B, setting by setting: statistics, what is shown, what got lost.

One row: task "lecture", optimizer "adam", setting "lr=0.1", role "evaluation", differs "", gap_a 1e-9, gap_b
4e-9, ratio 4.0 (B over A), low 2.1, high 7.6, n 10, test "t", p 0.001, p_holm 0.003, change "worse", runs 10,
lost 0, recovered 0.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.statistics import by_group, compare_groups, geometric_mean, holm, shown
from lrbench.results.tables.tasks import COMPETITOR

# of a setting without a pair of runs; its numbers are NaN
UNPAIRED = {"test": "unpaired", "change": "", "n": 0, "runs": 0, "lost": 0, "recovered": 0}
COUNTS = ["n", "runs", "lost", "recovered"]


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: what is shown first, then by the size of the ratio, what is identical last.

    settings, pairs: as `pairing.paired_settings` with `differs`, and `pairing.paired_runs`.
    """
    measured = settings.join(_measures(pairs))
    rows = measured.fillna(UNPAIRED).astype(dict.fromkeys(COUNTS, int))
    rows["p_holm"] = holm(rows["p"].to_numpy())
    numbers = (rows[name].to_numpy() for name in ("p_holm", "low", "high", "at_least"))
    side = shown(*numbers)  # a ratio is B over A, so A is better where it is above 1
    rows["change"] = np.select([side > 0, side < 0], ["worse", "better"], rows["change"])
    return typed([_shown_first(rows)], "difference.rows")


def _measures(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what the pairs of each setting say, by its place among the settings."""
    present, places = np.unique(pairs["row"], return_inverse=True)
    gap_a, gap_b, floor = (pairs[name].to_numpy() for name in ("gap_a", "gap_b", "gap_floor"))
    identical = by_group(_all, same_bits(pairs), places).astype(bool)
    comparisons = compare_groups(gap_a, gap_b, floor, places, identical)
    completed_a = pairs["status_a"] == "completed"
    completed_b = pairs["status_b"] == "completed"
    measures = pd.DataFrame(comparisons._asdict(), index=present)
    return measures.assign(
        change=np.where(identical, "identical", ""),
        gap_a=by_group(geometric_mean, gap_a, places),
        gap_b=by_group(geometric_mean, gap_b, places),
        runs=np.bincount(places),
        lost=np.bincount(places, completed_a & ~completed_b),
        recovered=np.bincount(places, completed_b & ~completed_a),
    )


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
    lost = once.assign(lost=once["status"] != "completed")
    counts = lost.groupby(COMPETITOR, sort=False)["lost"].agg(["sum", "size"])
    return counts.set_axis([f"lost_{side}", f"runs_{side}"], axis=1)


def _all(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.all(axis=-1))


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
