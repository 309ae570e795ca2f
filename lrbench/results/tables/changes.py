"""What changed between paired runs of A and B, setting by setting: statistics, what is shown, what got lost.

One row: task "lecture", optimizer "adam", setting "lr=0.1", role "evaluation", differs "", cost_a 88.0,
cost_b 132.0, unit "evaluations", ratio 1.5 (B over A), low 1.4, high 1.6, n 10, test "t", p 0.001, p_holm
0.003, word "clear", change "worse", runs 10, arrived_a 10, arrived_b 10, lost 0, recovered 0.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.statistics import by_group, geometric_mean, holm
from lrbench.results.statistics.pairs import Pair, compare_groups, differences, starts_needed
from lrbench.results.statistics.readings import LOST_SCORE, Readings, most_leave
from lrbench.results.statistics.verdicts import BETTER, CLEAR, PASSES, UNDECIDED, behind_who_stays, words
from lrbench.results.tables.settings import TINY, mean_where
from lrbench.results.tables.tasks import COMPETITOR

COUNTS = ["n", "wins", "losses", "runs", "lost", "recovered"]
COUNTS += [f"{count}_{side}" for count in ("arrived", "left", "lost") for side in "ab"]
# of a setting without a pair of runs; its numbers are NaN
UNPAIRED = {"test": "unpaired", "change": "", "word": "", "size": 0.0} | dict.fromkeys(COUNTS, 0)
# what of a pair stands in a row
SHOWN = ["test", "n", "wins", "losses", "unit", "ratio", "low", "high", "error", "p", "beyond"]


def changes(settings: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: what is clearly worse first, what is identical last, and of those the larger
    change first.

    settings, pairs: as `pairing.paired_settings` with `differs`, and `pairing.paired_runs`.
    """
    # codes (R,): the setting of each pair of runs, among those that have one
    present, codes = np.unique(pairs["row"], return_inverse=True)
    measured = pd.DataFrame(_typical(pairs, codes), index=present)
    counts = _counts(pairs, codes)
    said = _said(pairs, codes, counts)
    rows = settings.join(measured.assign(**counts, **said))
    rows = rows.fillna(UNPAIRED).astype(dict.fromkeys(COUNTS, int))
    return typed([_gravest_first(rows)], "difference.rows")


# ---- what runs are worth


def _typical(pairs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean cost, level and gap of each setting on either side, (G,) a column."""
    columns = {}
    for side in "ab":
        arrived = pairs[f"arrived_{side}"].to_numpy()
        completed = ~pairs[f"lost_{side}"].to_numpy()
        cost = np.log(pairs[f"cost_{side}"].to_numpy())
        level = np.log(np.maximum(pairs[f"relative_gap_{side}"].to_numpy(), TINY))
        columns[f"cost_{side}"] = np.exp(mean_where(arrived, cost, codes))
        columns[f"relative_level_{side}"] = np.exp(mean_where(completed, level, codes))
        columns[f"gap_{side}"] = by_group(geometric_mean, pairs[f"gap_{side}"].to_numpy(), codes)
    moved = differences(pairs["score_a"].to_numpy(), pairs["score_b"].to_numpy())
    mean_move = np.bincount(codes, np.clip(moved, -LOST_SCORE, LOST_SCORE)) / np.bincount(codes)
    return columns | {"size": np.abs(mean_move)}


def _counts(pairs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return how many runs of each setting arrive, leave again and are lost, (G,) a column."""
    lost_a, lost_b = pairs["lost_a"].to_numpy(), pairs["lost_b"].to_numpy()
    counted = {"lost": lost_b & ~lost_a, "recovered": lost_a & ~lost_b}
    for count in ("arrived", "left", "lost"):
        for side in "ab":
            counted[f"{count}_{side}"] = pairs[f"{count}_{side}"].to_numpy()
    counts = {name: np.bincount(codes, is_so).astype(int) for name, is_so in counted.items()}
    return counts | {"runs": np.bincount(codes)}


# ---- what is said


def _said(pairs: pd.DataFrame, codes: np.ndarray, counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return of each setting what its test measures and what is said of it, (G,) a column."""
    identical = by_group(_all, same_bits(pairs), codes).astype(bool)
    family = _family(identical, counts["runs"])
    compared = compare_groups(_readings(pairs, "a"), _readings(pairs, "b"), codes, family)
    p_holm, beyond_holm = holm(compared.p), holm(compared.beyond)
    word, side = words(compared, p_holm, beyond_holm, family)
    word, side = behind_who_stays(word, side, *_passing_and_staying(counts))
    # a ratio is B over A, so A is better where it is above 1; to stand behind by passing through is no change
    better = np.where(np.isin(word, BETTER), side, 0)
    change = np.select([identical, better > 0, better < 0], ["identical", "worse", "better"], "")
    measures = {name: getattr(compared, name) for name in SHOWN}
    said = {"p_holm": p_holm, "beyond_holm": beyond_holm, "word": word, "change": change}
    return measures | said


def _passing_and_staying(counts: dict[str, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Say of each setting whether it passes through, and whether it stays; (G,) for A and for B each."""
    passing = [most_leave(counts[f"left_{side}"], counts[f"arrived_{side}"]) for side in "ab"]
    all_lost = [counts[f"lost_{side}"] == counts["runs"] for side in "ab"]
    stays = [~passes & ~lost for passes, lost in zip(passing, all_lost, strict=True)]
    return passing, stays


def family_of(rows: pd.DataFrame) -> int:
    """Return how many settings share the error rate: the others have no test."""
    return _family((rows["change"] == "identical").to_numpy(), rows["runs"].to_numpy())


def _family(identical: np.ndarray, runs: np.ndarray) -> int:
    return int((~identical & (runs > 1)).sum())


def starts(row: Mapping[Any, Any], family: int) -> int | None:
    """Return how many seeds would about settle a setting that is not settled; None where no number would."""
    pair = Pair(**{name: row[name] for name in SHOWN})
    return starts_needed(pair, family)


def _readings(pairs: pd.DataFrame, side: str) -> Readings:
    """Return what the runs of one side are worth, as the statistics take them."""
    return Readings(
        lost=pairs[f"lost_{side}"].to_numpy(bool),
        arrived=pairs[f"arrived_{side}"].to_numpy(bool),
        cost=pairs[f"cost_{side}"].to_numpy(float),
        level=pairs[f"gap_{side}"].to_numpy(float),
        score=pairs[f"score_{side}"].to_numpy(float),
        step=pairs[f"evaluations_per_step_{side}"].to_numpy(float),
        curve=pairs[f"fingerprint_{side}"].to_numpy(np.int64),
        left=pairs[f"left_{side}"].to_numpy(bool),
    )


def same_bits(pairs: pd.DataFrame) -> np.ndarray:
    """Say of each pair of runs whether all that they reached is the same, bit for bit."""
    same = np.ones(len(pairs), dtype=bool)
    for column in BITS:
        in_a, in_b = pairs[f"{column}_a"], pairs[f"{column}_b"]
        both_missing = in_a.isna() & in_b.isna()
        same &= ((in_a == in_b).fillna(False) | both_missing).to_numpy(dtype=bool)
    return same


def _all(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.all(axis=-1))


# ---- what got lost, with a partner or without


def losses(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer of both: how many of all runs, with a partner or without, are lost.

    a, b: as `pairing.compared_runs`.
    """
    return _losses(a, "a").join(_losses(b, "b"), how="inner").reset_index()


def _losses(runs: pd.DataFrame, side: str) -> pd.DataFrame:
    once = runs.drop_duplicates(["task", "run_id"])
    counts = once.groupby(COMPETITOR, sort=False)["lost"].agg(["sum", "size"])
    return counts.set_axis([f"lost_{side}", f"runs_{side}"], axis=1)


# ---- in which order


def _gravest_first(rows: pd.DataFrame) -> pd.DataFrame:
    change, word = rows["change"], rows["word"]
    gravest_first = [
        (change == "worse") & (word == CLEAR),
        rows["lost"] > 0,
        change == "worse",
        word == PASSES,
        change == "better",
        rows["recovered"] > 0,
        word.isin(UNDECIDED),
        change == "",
    ]
    place = np.select(gravest_first, range(len(gravest_first)), len(gravest_first))
    ordered = rows.assign(place=place, size=-rows["size"])
    return ordered.sort_values(["place", "size"], kind="stable", ignore_index=True)
