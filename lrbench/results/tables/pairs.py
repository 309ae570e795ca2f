"""Every pair of optimizers within a task, on the seeds that all have.

One row: task "lecture", a "adam", b "sgd", n 10, test "t", ratio 31.0 (b's gap over a's), low 12.0, high
80.0, wins 10 (of a), losses 0, ties 0, p 0.0001, p_holm 0.0002, family "leader", better "adam", improvement
1.0.
"""

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

# of a paired comparison
NUMBERS = {
    "n": int,
    "test": str,
    "ratio": float,
    "low": float,
    "high": float,
    "at_least": float,
    "wins": int,
    "losses": int,
    "ties": int,
    "p": float,
}
PAIRS = {
    "task": str,
    "a": str,
    "b": str,
    **NUMBERS,
    "p_holm": float,
    "family": str,
    "better": str,
    "improvement": float,
}


def leaders(settings: pd.DataFrame, chosen: pd.DataFrame) -> pd.Series:
    """Return task -> optimizer: whose chosen setting had the lowest gap on the seeds that it was chosen on.

    On equal gaps most seeds completed, fewest evaluations to the target, the name. Only who completed a seed
    there and a seed of those compared.
    """
    evaluated = chosen.loc[chosen["completed"] > 0, [*COMPETITOR, "setting_id"]]
    found = settings.merge(evaluated)
    found = found[found["completed"] > 0]
    found = found.assign(lost=found["seeds"] - found["completed"])
    ordered = found.sort_values(["gap", "lost", "evaluations_to_target", "optimizer"])
    return ordered.drop_duplicates("task").set_index("task")["optimizer"]


def pairs(reported: pd.DataFrame, competitors: pd.DataFrame, leaders: pd.Series) -> pd.DataFrame:
    """Return a row a pair of optimizers of a task that completed a seed, a before b by name; see
    `statistics.contest`.

    better: a name or empty, without a test by the digits; improvement: the probability that a run of a ends
    below one of b. leaders: task -> the optimizer that other seeds chose. Only seeds count that all have.
    Where there is none each optimizer's mean is its one block: an order by digits, with n = 0.
    """
    completed = competitors[competitors["completed"] > 0]
    gaps = reported.merge(completed[COMPETITOR], on=COMPETITOR)
    groups = gaps.groupby("task", sort=False)
    return typed([_pairs(task, runs, leaders.get(task)) for task, runs in groups], PAIRS)


def _pairs(task: object, runs: pd.DataFrame, leader: str | None) -> pd.DataFrame:
    grid = runs.pivot(index="optimizer", columns="seed", values="gap")
    shared = grid.dropna(axis=1).to_numpy()  # (k, n)
    has_seeds = shared.shape[1] > 0
    blocks = shared if has_seeds else geometric_mean_of_rows(grid.to_numpy())
    place = None if leader is None else int(grid.index.get_loc(leader))
    found = contest(blocks, runs["gap_floor"].iloc[0], place)
    improvement = [
        probability_of_improvement(blocks[a], blocks[b]) for a, b in zip(found.a, found.b, strict=True)
    ]
    rows = pd.DataFrame(
        {"task": task, **named_columns(found, grid.index.to_numpy()), "improvement": improvement}
    )
    return rows if has_seeds else rows.assign(n=0)


def geometric_mean_of_rows(gaps: np.ndarray) -> np.ndarray:
    """Return the geometric mean of each row, (k, n) -> (k, 1); NaN is no run."""
    return np.array([[float(geometric_mean(row[~np.isnan(row)]))] for row in gaps])


def named_columns(found: Contest, names: np.ndarray) -> dict[str, object]:
    """Return the pairs of a contest as columns."""
    a, b = names[found.a], names[found.b]
    return {
        "a": a,
        "b": b,
        **_numbers(found.comparisons),
        "p_holm": found.p_holm,
        "family": found.family,
        "better": np.select([found.better > 0, found.better < 0], [a, b], ""),
    }


def _numbers(comparisons: list[PairedComparison]) -> dict[str, list]:
    return {name: [getattr(comparison, name) for comparison in comparisons] for name in NUMBERS}


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
