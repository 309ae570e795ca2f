"""The tables that compare two: every pair of optimizers within a task and across tasks, and each tuned setting against its default. Frames out.

Within a task the block is the seed, across tasks the task. Ratios are b's gap over a's.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames import typed
from lrbench.results.statistics import (
    TESTED,
    Contest,
    PairedComparison,
    compare,
    contest,
    friedman_ranks,
    geometric_mean,
    probability_of_improvement,
)
from lrbench.results.statistics import across as across_contest

NUMBERS = {
    **{"n": int, "test": str},
    **dict.fromkeys(("ratio", "low", "high", "at_least"), float),
    **dict.fromkeys(("wins", "losses", "ties"), int),
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
ACROSS = {
    "a": str,
    "b": str,
    "problems": int,
    "ratio": float,
    "wins": int,
    "losses": int,
    "p": float,
    "p_holm": float,
    "better": str,
}
ACROSS |= {"rank_a": float, "rank_b": float}
OVERALL = {
    "optimizer": str,
    "mean_rank": float,
    **dict.fromkeys(("tasks", "led", "solved", "targets", "lost"), int),
}
GAINS = {
    "task": str,
    "optimizer": str,
    "setting": str,
    **dict.fromkeys(("gap", "default_gap", "gain", "low", "high", "at_least"), float),
}
GAINS |= {"n": int, "test": str, "p": float}


def leaders(settings: pd.DataFrame, chosen: pd.DataFrame) -> pd.Series:
    """Return task -> optimizer: whose chosen setting had the lowest gap on the seeds that it was chosen on.

    On equal gaps most seeds completed, fewest evaluations to the target, the name. Only who completed a seed there and a seed of those compared.
    """
    found = settings.merge(chosen.loc[chosen["completed"] > 0, ["task", "optimizer", "setting_id"]])
    found = found[found["completed"] > 0].assign(lost=found["seeds"] - found["completed"])
    return (
        found.sort_values(["gap", "lost", "evaluations_to_target", "optimizer"])
        .drop_duplicates("task")
        .set_index("task")["optimizer"]
    )


def pairs(reported: pd.DataFrame, competitors: pd.DataFrame, leaders: pd.Series) -> pd.DataFrame:
    """Return a row a pair of optimizers of a task that completed a seed, a before b by name; see `statistics.contest`.

    task, a, b, n, test, ratio, low, high, at_least, wins, losses, ties (of a), p, p_holm, family; better: a name or empty, without a test by the
    digits; improvement: the probability that a run of a ends below one of b. leaders: task -> the optimizer that other seeds chose.
    Only seeds count that all have. Where there is none each optimizer's mean is its one block: an order by digits, with n = 0.
    """
    completed = competitors[competitors["completed"] > 0]
    gaps = reported.merge(
        completed[["task", "optimizer"]], left_on=["task", "name"], right_on=["task", "optimizer"]
    )
    return typed(
        [_pairs(task, rows, leaders.get(task)) for task, rows in gaps.groupby("task", sort=False)], PAIRS
    )


def _pairs(task: object, entries: pd.DataFrame, leader: str | None) -> pd.DataFrame:
    grid = entries.pivot(index="name", columns="seed", values="gap")
    shared = grid.dropna(axis=1).to_numpy()  # (k, n)
    blocks = shared if shared.shape[1] else geometric_mean_of_rows(grid.to_numpy())
    names = grid.index.to_numpy()
    found = contest(
        blocks, entries["gap_floor"].iloc[0], None if leader is None else int(grid.index.get_loc(leader))
    )
    improvement = [
        probability_of_improvement(blocks[a], blocks[b]) for a, b in zip(found.a, found.b, strict=True)
    ]
    rows = pd.DataFrame({"task": task, **_named(found, names), "improvement": improvement})
    return rows if shared.shape[1] else rows.assign(n=0)


def geometric_mean_of_rows(gaps: np.ndarray) -> np.ndarray:
    """Return the geometric mean of each row, (k, n) -> (k, 1); NaN is no run."""
    return np.array([[float(geometric_mean(row[~np.isnan(row)]))] for row in gaps])


def _named(found: Contest, names: np.ndarray) -> dict[str, object]:
    """Return the pairs of a contest as columns."""
    numbers = _columns(found.comparisons)
    a, b = names[found.a], names[found.b]
    better = np.select([found.better > 0, found.better < 0], [a, b], "")
    return {"a": a, "b": b, **numbers, "p_holm": found.p_holm, "family": found.family, "better": better}


def _columns(comparisons: list[PairedComparison]) -> dict[str, list]:
    return {name: [getattr(comparison, name) for comparison in comparisons] for name in NUMBERS}


def oriented(pairs: pd.DataFrame, turn: pd.Series) -> pd.DataFrame:
    """Return the pairs with a and b exchanged where `turn` says so: ratios inverted, wins and losses exchanged."""
    rows, turned = pairs.copy(), turn.to_numpy()
    with np.errstate(divide="ignore"):
        opposite = pairs.assign(
            **{
                "a": pairs["b"],
                "b": pairs["a"],
                "wins": pairs["losses"],
                "losses": pairs["wins"],
                "improvement": 1 - pairs["improvement"],
            },
            **{
                "ratio": 1 / pairs["ratio"],
                "low": 1 / pairs["high"],
                "high": 1 / pairs["low"],
                "at_least": 1 / pairs["at_least"],
            },
        )
    rows[turned] = opposite[turned]
    return rows


def pairwise(pairs: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` with a ranked before b, in the order of the ranking; better only where a test shows it, not by the digits of one run."""
    place = pd.Series(np.arange(len(ranking)), index=pd.MultiIndex.from_frame(ranking[["task", "optimizer"]]))
    a, b = (place.reindex(pd.MultiIndex.from_frame(pairs[["task", name]])).to_numpy() for name in ("a", "b"))
    rows = oriented(pairs, pd.Series(a > b))
    order = np.lexsort([np.maximum(a, b), np.minimum(a, b)])
    shown = rows.assign(better=rows["better"].where(rows["test"].isin(TESTED), ""))
    return shown.iloc[order].reset_index(drop=True)


def across(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a pair of the optimizers that ran on all of two problems or more, a the one with the lower mean rank; empty else.

    The block is the problem, data and loss: other budgets, batches, starts or dtypes are no other evidence, so its tasks are averaged first.
    problems; ratio: exp of the median difference of their mean log gaps, b over a; wins, losses (of a) over the problems; p, p_holm: Wilcoxon's
    exact test, from six problems on; better: a name or empty; rank_a, rank_b: Friedman's mean ranks.
    """
    gaps = ranking.pivot(index="task", columns="optimizer", values="gap").dropna(axis=1)
    block = tasks.set_index("task")[["problem", "settings", "loss"]].agg("\n".join, axis=1)
    with np.errstate(divide="ignore"):
        logs = np.log(gaps).groupby(block.reindex(gaps.index).to_numpy()).mean()  # (P, k)
    if min(logs.shape) < 2:
        return typed([], ACROSS)
    ranks = pd.Series(friedman_ranks(logs.to_numpy()), index=logs.columns).sort_values(kind="stable")
    found = across_contest(logs[ranks.index].to_numpy())
    names = ranks.index.to_numpy()
    rows = pd.DataFrame({**_named(found, names), "problems": len(logs)})
    return typed([rows.assign(rank_a=rows["a"].map(ranks), rank_b=rows["b"].map(ranks))], ACROSS)


def overall(ranking: pd.DataFrame, across: pd.DataFrame) -> pd.DataFrame:
    """Return a row an optimizer over two tasks or more, lowest mean rank first; empty else.

    mean_rank: over the problems, as in `across`, NaN where it did not run on all; tasks: on which it ran; led: on how many it is not shown worse than
    the leader; solved: on how many at least half of its seeds reach the target, of `targets` that have one; lost: on how many it lost a seed.
    """
    if ranking["task"].nunique() < 2:
        return typed([], OVERALL)
    ranks = pd.concat([across.set_index(side)[f"rank_{side}"] for side in "ab"]).groupby(level=0).first()
    reached = ranking["evaluations_to_target"]
    counts = {
        "tasks": 1,
        "led": ranking["first"],
        "solved": np.isfinite(reached),
        "targets": reached.notna(),
        "lost": np.isinf(ranking["gap"]),
    }
    rows = ranking[["optimizer"]].assign(**counts).groupby("optimizer", sort=False).sum().reset_index()
    rows = rows.assign(mean_rank=rows["optimizer"].map(ranks))
    return typed(
        [rows.sort_values(["mean_rank", "led"], ascending=[True, False], kind="stable", ignore_index=True)],
        OVERALL,
    )


def tuned_against_default(reported: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer that ran at its default too: how many times lower the gap ends at the tuned setting.

    task, optimizer, setting; gap, default_gap: geometric means; gain: the default's gap over the tuned one's, paired by seed, with low, high,
    at_least, n, test and p of this row alone as in `statistics.compare`. n is 0 where no seed ran both.
    """
    if defaults.empty:
        return typed([], GAINS)
    keys = ["task", "name"]
    defaults = defaults.drop_duplicates(["name", "run_id"])[[*keys, "seed", "gap"]]
    both = reported[[*keys, "seed", "setting", "gap", "gap_floor"]].merge(
        defaults, how="outer", on=[*keys, "seed"], suffixes=("", "_default")
    )
    ran = both.groupby(keys)[["gap", "gap_default"]].transform("count").min(axis=1) > 0
    return typed(
        [_gain(task, name, rows) for (task, name), rows in both[ran].groupby(keys, sort=False)], GAINS
    )


def _gain(task: object, optimizer: object, rows: pd.DataFrame) -> dict[str, object]:
    tuned, default = rows.dropna(subset="gap"), rows["gap_default"].dropna()
    pairs = tuned.dropna(subset="gap_default")
    found = (
        compare(pairs["gap"].to_numpy(), pairs["gap_default"].to_numpy(), tuned["gap_floor"].iloc[0])
        if len(pairs)
        else NO_PAIR
    )
    means = {
        "gap": float(geometric_mean(tuned["gap"].to_numpy())),
        "default_gap": float(geometric_mean(default.to_numpy())),
    }
    numbers = {name: getattr(found, name) for name in ("low", "high", "at_least", "n", "test", "p")}
    return {
        "task": task,
        "optimizer": optimizer,
        "setting": tuned["setting"].iloc[0],
        **means,
        "gain": found.ratio,
        **numbers,
    }


NO_PAIR = PairedComparison(0, "none", 0, 0, 0)
