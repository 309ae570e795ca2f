"""What changed between paired runs of A and B, setting by setting: statistics, what is shown, what got lost.

One row: task "lecture", optimizer "adam", setting "lr=0.1", role "evaluation", differs "", cost_a 88.0,
cost_b 130.0, unit "evaluations", ratio 1.5 (B over A), low 1.4, high 1.6, n 10, test "t", p 0.001, p_holm
0.003, word "clear", change "worse", runs 10, lost 0, recovered 0.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.statistics import by_group, geometric_mean, holm
from lrbench.results.statistics.pairs import Pairs, compare_groups
from lrbench.results.statistics.readings import Readings
from lrbench.results.statistics.verdicts import words
from lrbench.results.tables.tasks import COMPETITOR

# of a setting without a pair of runs; its numbers are NaN
UNPAIRED = {"test": "unpaired", "change": "", "word": "", "n": 0, "runs": 0, "lost": 0, "recovered": 0}
COUNTS = ["n", "runs", "lost", "recovered"]


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: what is shown first, then by the size of the ratio, what is identical last.

    settings, pairs: as `pairing.paired_settings` with `differs`, and `pairing.paired_runs`.
    """
    measured = settings.join(_measures(pairs))
    rows = measured.fillna(UNPAIRED).astype(dict.fromkeys(COUNTS, int))
    is_paired = (rows["test"] != "unpaired").to_numpy()
    said = rows[is_paired]
    compared = Pairs(**{field: said[field].to_numpy() for field in Pairs._fields})
    p_holm, beyond_holm = holm(compared.p), holm(compared.beyond)
    word, side = words(compared, p_holm, beyond_holm, int(np.isfinite(compared.p).sum()))
    rows.loc[is_paired, "p_holm"] = p_holm
    rows.loc[is_paired, "word"] = word
    # a ratio is B over A, so A is better where it is above 1
    rows.loc[is_paired, "change"] = np.select([side > 0, side < 0], ["worse", "better"], said["change"])
    return typed([_shown_first(rows)], "difference.rows")


def _measures(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what the pairs of each setting say, by its place among the settings."""
    present, places = np.unique(pairs["row"], return_inverse=True)
    identical = by_group(_all, same_bits(pairs), places).astype(bool)
    comparisons = compare_groups(_readings(pairs, "a"), _readings(pairs, "b"), places)
    completed_a = pairs["status_a"] == "completed"
    completed_b = pairs["status_b"] == "completed"
    measures = pd.DataFrame(comparisons._asdict(), index=present)
    return measures.assign(
        change=np.where(identical, "identical", ""),
        cost_a=by_group(geometric_mean, pairs["cost_a"].to_numpy(), places),
        cost_b=by_group(geometric_mean, pairs["cost_b"].to_numpy(), places),
        gap_a=by_group(geometric_mean, pairs["gap_a"].to_numpy(), places),
        gap_b=by_group(geometric_mean, pairs["gap_b"].to_numpy(), places),
        runs=np.bincount(places),
        lost=np.bincount(places, completed_a & ~completed_b),
        recovered=np.bincount(places, completed_b & ~completed_a),
    )


def _readings(pairs: pd.DataFrame, side: str) -> Readings:
    """Return what the runs of one side are worth, scored by A's goal: of one task both have the same."""
    lost = pairs[f"lost_{side}"].to_numpy(bool)
    arrived = pairs[f"arrived_{side}"].to_numpy(bool)
    cost = pairs[f"cost_{side}"].to_numpy(float)
    level = pairs[f"gap_{side}"].to_numpy(float)
    budget = pairs[["cost_a", "cost_b"]].max(axis=1).groupby(pairs["row"]).transform("max").to_numpy()
    goal = pairs["goal_a"].to_numpy(float)
    of_level = np.log(np.where(arrived | lost, goal, level)) - np.log(goal)
    score = np.where(arrived, np.log(cost / budget), of_level)
    return Readings(
        lost=lost,
        arrived=arrived,
        cost=cost,
        level=level,
        score=np.where(lost, np.inf, score),
        step=pairs[f"evaluations_per_step_{side}"].to_numpy(float),
        curve=pairs[f"fingerprint_{side}"].to_numpy(np.int64),
        left=np.zeros(len(pairs), dtype=bool),
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
    ratio = rows["ratio"].fillna(1.0)
    with np.errstate(divide="ignore"):
        size = np.abs(np.log(ratio))
    ordered = rows.assign(place=place, size=-size)
    return ordered.sort_values(["place", "size"], kind="stable", ignore_index=True)
