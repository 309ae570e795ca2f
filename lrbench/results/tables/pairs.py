"""Every pair of optimizers within a task, on the seeds that all have.

One row: task "lecture", a "adam", b "sgd", n 10, test "t", ratio 31.0 (b's gap over a's), low 12.0, high
80.0, wins 10 (of a), losses 0, ties 0, p 0.0001, p_holm 0.0002, family "leader", better "adam", improvement
1.0.
"""

from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import (
    TESTED,
    Contest,
    PairedComparison,
    contest,
    geometric_mean,
    probability_of_improvement,
)
from lrbench.results.tables.tasks import COMPETITOR

# of a paired comparison, as a column each
NUMBERS = ["n", "test", "ratio", "low", "high", "at_least", "wins", "losses", "ties", "p"]


def leaders(settings: pd.DataFrame, chosen: pd.DataFrame) -> pd.Series:
    """Return task -> optimizer: whose chosen setting had the lowest gap on the seeds that it was chosen on.

    On equal gaps most seeds completed, fewest evaluations to the target, the name. Only who completed a seed
    there and a seed of those compared.
    """
    evaluated = chosen.loc[chosen["completed"] > 0, [*COMPETITOR, "setting_id"]]
    searched = settings.merge(evaluated)
    searched = searched[searched["completed"] > 0]
    searched = searched.assign(lost=searched["seeds"] - searched["completed"])
    ordered = searched.sort_values(["gap", "lost", "evaluations_to_target", "optimizer"])
    return ordered.drop_duplicates("task").set_index("task")["optimizer"]


def pairs(reported: pd.DataFrame, competitors: pd.DataFrame, leaders: pd.Series) -> pd.DataFrame:
    """Return a row a pair of optimizers of a task that completed a seed, a before b by name; see
    `statistics.contest`.

    better: also by the digits, where there is no test. Only seeds count that all have. Where there is none
    each optimizer's mean is its one block: an order by digits, with n = 0. leaders: task -> the optimizer
    that other seeds chose.
    """
    completed = competitors[competitors["completed"] > 0]
    gaps = reported.merge(completed[COMPETITOR], on=COMPETITOR)
    groups = gaps.groupby("task", sort=False)
    tasks = [_pairs(runs, leaders.get(task)).assign(task=task) for task, runs in groups]
    return typed(tasks, "pairwise")


def _pairs(runs: pd.DataFrame, leader: str | None) -> pd.DataFrame:
    """Return the pairs of one task."""
    grid = runs.pivot(index="optimizer", columns="seed", values="gap")
    names = grid.index.to_numpy()
    shared = grid.dropna(axis=1).to_numpy()  # (k, n)
    has_seeds = shared.shape[1] > 0
    blocks = shared if has_seeds else geometric_mean_of_rows(grid.to_numpy())
    leader_place = None if leader is None else names.tolist().index(leader)
    result = contest(blocks, runs["gap_floor"].iloc[0], leader_place)
    places = zip(result.a, result.b, strict=True)
    improvement = [probability_of_improvement(blocks[a], blocks[b]) for a, b in places]
    pairs = pd.DataFrame(named_columns(result, names)).assign(improvement=improvement)
    return pairs if has_seeds else pairs.assign(n=0)


def geometric_mean_of_rows(gaps: np.ndarray) -> np.ndarray:
    """Return the geometric mean of each row, (k, n) -> (k, 1); NaN is no run."""
    means = [geometric_mean(row[~np.isnan(row)]) for row in gaps]
    return np.array(means, dtype=float)[:, None]


def named_columns(contest: Contest, names: np.ndarray) -> dict[str, Any]:
    """Return the pairs of a contest as columns."""
    a = names[contest.a]
    b = names[contest.b]
    return {
        "a": a,
        "b": b,
        **_numbers(contest.comparisons),
        "p_holm": contest.p_holm,
        "family": contest.family,
        "better": np.select([contest.better > 0, contest.better < 0], [a, b], ""),
    }


def _numbers(comparisons: list[PairedComparison]) -> dict[str, list]:
    columns = {}
    for name in NUMBERS:
        columns[name] = [getattr(comparison, name) for comparison in comparisons]
    return columns


def oriented(pairs: pd.DataFrame, turn: pd.Series) -> pd.DataFrame:
    """Return the pairs with a and b exchanged where `turn` says so: ratios inverted, wins and losses
    exchanged.
    """
    turned = turn.to_numpy()
    with np.errstate(divide="ignore"):
        opposite = pairs.assign(
            a=pairs["b"],
            b=pairs["a"],
            wins=pairs["losses"],
            losses=pairs["wins"],
            improvement=1 - pairs["improvement"],
            ratio=1 / pairs["ratio"],
            low=1 / pairs["high"],
            high=1 / pairs["low"],
            at_least=1 / pairs["at_least"],
        )
    rows = pairs.copy()
    rows[turned] = opposite[turned]
    return rows


def pairwise(pairs: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` with a ranked before b, in the order of the ranking.

    better: only where a test shows it, not by the digits of one run.
    """
    competitors = pd.MultiIndex.from_frame(ranking[COMPETITOR])
    place = pd.Series(np.arange(len(ranking)), index=competitors)
    place_a = place.reindex(pd.MultiIndex.from_frame(pairs[["task", "a"]])).to_numpy()
    place_b = place.reindex(pd.MultiIndex.from_frame(pairs[["task", "b"]])).to_numpy()
    rows = oriented(pairs, pd.Series(place_a > place_b))
    shown = rows.assign(better=rows["better"].where(rows["test"].isin(TESTED), ""))
    order = np.lexsort([np.maximum(place_a, place_b), np.minimum(place_a, place_b)])
    return shown.iloc[order].reset_index(drop=True)
