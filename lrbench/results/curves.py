"""What the figures draw, as frames: curves at the chosen settings, where runs stopped, gaps over the learning rate, shares solved. No ink here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.search import TARGETS, scattered
from lrbench.results.statistics import at_least_floor, performance_profile, quantile, solved_share
from lrbench.results.tables import best_first, first_hits

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

BEYOND = 30
FEWEST_PROFILED = 3  # tasks of a performance profile


def best_curves(results: "Results") -> pd.DataFrame:
    """Return the curve of every optimizer at its chosen setting, quantiles over its seeds at each recorded step.

    task, optimizer, setting, diverged, failed, seeds (at that setting), step, evaluations (median), median, q25, q75 of the gap: not below the floor,
    inf where so many runs had stopped. Empty where no run left a curve.
    """
    rows = list(_best_curves(results))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["task"])


def _best_curves(results: "Results") -> Iterator[pd.DataFrame]:
    chosen, entries = results.chosen.set_index(["task", "optimizer"], drop=False), results.reported
    curves = results.curves_of(entries["run_id"]).merge(
        entries[["run_id", "task", "name", "gap_floor"]], on="run_id"
    )
    for key, group in curves.groupby(["task", "name"], sort=False):
        setting = chosen.loc[key]
        gap = group.pivot(index="step", columns="run_id", values="gap").dropna()
        evaluations = (
            group.pivot(index="step", columns="run_id", values="evaluations").loc[gap.index].median(axis=1)
        )
        lost = np.full((len(gap), int(setting["seeds"]) - gap.shape[1]), np.inf)  # failed runs leave no curve
        values = at_least_floor(
            np.hstack([gap.to_numpy(), lost]), group["gap_floor"].iloc[0]
        )  # (T + 1, seeds)
        shares = {"median": 0.5, "q25": 0.25, "q75": 0.75}
        labels = setting[["task", "optimizer", "setting", "diverged", "failed", "seeds"]].to_dict()
        quantiles = {column: quantile(values, q) for column, q in shares.items()}
        yield pd.DataFrame({**labels, "step": gap.index, "evaluations": evaluations.to_numpy(), **quantiles})


def thinned(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the rows of `best_curves` that a reader of the figure can tell apart: of each optimizer and task so many at most.

    All where it has fewer. Else the evaluations are cut into stretches of one width, in log from the first update on, and of each stretch the lowest
    and the highest median stay; the start and the last step are stretches of their own.
    """
    competitors = [frame["task"], frame["optimizer"]]
    few = frame.groupby(competitors)["step"].transform("size") <= most
    first = frame["evaluations"].where(frame["evaluations"] > 0).groupby(competitors).transform("min")
    way = np.log1p(frame["evaluations"] / first)
    stretch = np.floor(way / way.groupby(competitors).transform("max") * (most // 2 - 1))
    runs = frame.groupby([*competitors, stretch], sort=False)["median"]
    return frame[few | frame.index.isin(runs.idxmin()) | frame.index.isin(runs.idxmax())]


def stops(results: "Results") -> pd.DataFrame:
    """Return where the diverged runs of the chosen settings leave the figure: task, optimizer, run_id, evaluations and gap.

    That is their first step with a gap above BEYOND times the start's, or else their last.
    """
    entries = results.reported
    diverged = entries.loc[entries["status"] == "diverged", ["run_id", "task", "name", "start_gap"]].rename(
        columns={"name": "optimizer"}
    )
    rows = results.curves_of(diverged["run_id"]).merge(diverged, on="run_id")
    runs = rows.groupby(["optimizer", "run_id"], sort=False)
    beyond, last = rows["gap"] > BEYOND * rows["start_gap"], runs.cumcount(ascending=False) == 0
    return rows[beyond | last].drop_duplicates(["optimizer", "run_id"])[
        ["task", "optimizer", "run_id", "evaluations", "gap"]
    ]


# ---- over the learning rate


def sensitivity(results: "Results") -> pd.DataFrame:
    """Return the best setting of every optimizer at each of its learning rates, in tasks where some optimizer has two or more.

    The columns of `tables.settings` and best: this one is the optimizer's chosen one; edge: that of the ranking; scattered: the other hyperparameters
    were drawn anew at each rate, so that neighbours are not steps of one curve. Empty where nobody has two learning rates.
    """
    settings = results.settings
    ordered = best_first(settings[settings["lr"] > 0])
    rows = ordered.drop_duplicates(["task", "optimizer", "lr"]).sort_values(
        ["task", "optimizer", "lr"], ignore_index=True
    )
    chosen = results.ranking[["task", "optimizer", "setting_id", "edge"]].rename(
        columns={"setting_id": "chosen"}
    )
    rows = rows.merge(chosen, on=["task", "optimizer"])
    no_curve = {key: scattered(group) for key, group in ordered.groupby(["task", "optimizer"], sort=False)}
    rows = rows.assign(
        best=rows["setting_id"] == rows["chosen"],
        scattered=[no_curve[key] for key in zip(rows["task"], rows["optimizer"], strict=True)],
    ).drop(columns="chosen")
    lrs = rows.groupby(["task", "optimizer"])["lr"].transform("size").groupby(rows["task"]).transform("max")
    return rows[lrs >= 2]


def spread_seeds(seeds: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the completed runs of one optimizer that are drawn as dots: all, or where there are more than so many, some of them.

    Then of each rate the lowest and the highest gap and others evenly between in rank; of rates evenly many.
    """
    runs = seeds[np.isfinite(seeds["gap"])].sort_values(["lr", "gap"], kind="stable")
    if len(runs) <= most:
        return runs
    rates = runs["lr"].unique()
    runs = runs[runs["lr"].isin(rates[evenly(len(rates), most // 2)])]
    each = max(2, most // runs["lr"].nunique())
    return runs.groupby("lr", group_keys=False)[runs.columns.tolist()].apply(
        lambda rate: rate.iloc[evenly(len(rate), each)]
    )


def evenly(count: int, most: int) -> np.ndarray:
    """Return at most so many places of `count`, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `sensitivity` with lost (runs that did not complete), left and right: each rate's cell, half way (in log) to its neighbours."""
    logs = np.log(frame["lr"]).groupby([frame["task"], frame["optimizer"]])
    below, above = logs.diff() / 2, logs.diff(-1).abs() / 2
    alone = below.groupby(frame["task"]).transform("median").fillna(0.5)
    left, right = below.fillna(above).fillna(alone), above.fillna(below).fillna(alone)
    lost = frame["diverged"] + frame["failed"]
    return frame.assign(lost=lost, left=frame["lr"] * np.exp(-left), right=frame["lr"] * np.exp(right))


def default_rates(results: "Results") -> pd.DataFrame:
    """Return task, optimizer and lr of the default settings; empty where the sweep was not tuned."""
    rows = results.defaults[["task", "name", "lr"]].drop_duplicates().rename(columns={"name": "optimizer"})
    return rows[rows["lr"] > 0]


# ---- at the end of the budget


def gains(results: "Results") -> pd.DataFrame:
    """Return `results.tuned_against_default` with lost and seeds of the tuned setting, default_lost and default_seeds of the default one."""
    key, defaults = (
        ["task", "optimizer"],
        results.defaults[["task", "name", "status"]].rename(columns={"name": "optimizer"}),
    )
    tuned = results.chosen.assign(lost=results.chosen["diverged"] + results.chosen["failed"])[
        [*key, "lost", "seeds"]
    ]
    lost = defaults.assign(default_lost=defaults["status"] != "completed").groupby(key)["default_lost"]
    default = lost.agg(default_lost="sum", default_seeds="size").reset_index()
    return results.tuned_against_default.drop(columns=["n"]).merge(tuned, on=key).merge(default, on=key)


def finals(results: "Results") -> pd.DataFrame:
    """Return the compared runs, a row a seed: task, optimizer, seed, gap, and of the setting median, at_floor, lost and seeds; best first."""
    chosen = results.ranking[["task", "optimizer", "median", "seeds"]]
    runs = results.reported[["task", "name", "seed", "gap"]].rename(columns={"name": "optimizer"})
    rows = chosen.merge(runs, on=["task", "optimizer"])
    return rows.assign(lost=np.isinf(rows["gap"]).groupby([rows["task"], rows["optimizer"]]).transform("sum"))


# ---- targets


def solved(results: "Results") -> pd.DataFrame:
    """Return the share of (seed, target) pairs solved against gradient evaluations, over all TARGETS: task, optimizer, evaluations, share, pairs.

    A step at each row, from the start to the task's budget. A run that did not complete solves nothing, so the share ends below 1. No rows for tasks
    whose relative gaps are undefined.
    """
    entries = results.reported[results.reported["scale"].notna()]
    budgets = entries.groupby("task")["evaluations"].max()
    rows = [
        _solved(task, name, group, budgets[task])
        for (task, name), group in entries.groupby(["task", "name"], sort=False)
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["task"])


def _solved(task: str, name: str, runs: pd.DataFrame, budget: float) -> pd.DataFrame:
    hits = np.concatenate([first_hits(runs, f"evaluations_to_{target}") for target in TARGETS])
    x, share = solved_share(hits)
    known = [] if len(x) and x[0] == 0 else [0.0]  # before the first hit
    share = np.concatenate([known, share])
    points = {"evaluations": np.concatenate([known, x, [budget]]), "share": np.append(share, share[-1])}
    return pd.DataFrame({"task": task, "optimizer": name, **points, "pairs": hits.size})


def profile(results: "Results") -> pd.DataFrame:
    """Return the performance profile over the tasks on evaluations to the target: optimizer, ratio, share, tasks (their number).

    Of the optimizers that ran on all tasks. A task whose relative gaps are undefined does not count. Empty below FEWEST_PROFILED tasks.
    """
    ranking = results.ranking
    everywhere = ranking.groupby("optimizer")["task"].transform("nunique") == ranking["task"].nunique()
    costs = (
        ranking[everywhere].pivot(index="task", columns="optimizer", values="evaluations_to_target").dropna()
    )
    if len(costs) < FEWEST_PROFILED or costs.empty:
        return pd.DataFrame(columns=["optimizer"])
    x, shares = performance_profile(costs.to_numpy())
    ratio = np.concatenate([x, [2 * x[-1] if len(x) else 2.0]])  # room for the last step
    shares = np.hstack([shares, shares[:, -1:] if len(x) else np.zeros((costs.shape[1], 1))])
    lines = [
        pd.DataFrame({"optimizer": name, "ratio": ratio, "share": share})
        for name, share in zip(costs.columns, shares, strict=True)
    ]
    return pd.concat(lines, ignore_index=True).assign(tasks=len(costs))


# ---- over tasks


def mean_ranks(across: pd.DataFrame) -> pd.Series:
    """Return the mean rank of each optimizer of `results.across`, lowest first."""
    ranks = dict(zip(across["a"], across["rank_a"], strict=True)) | dict(
        zip(across["b"], across["rank_b"], strict=True)
    )
    return pd.Series(ranks, dtype=float).sort_values(kind="stable")


def not_separated(across: pd.DataFrame) -> list[list[str]]:
    """Return the longest stretches of optimizers, in order of mean rank, of which no two are shown different (Demšar, 2006)."""
    names = mean_ranks(across).index.tolist()
    shown = {
        frozenset(pair) for pair in across.loc[across["better"] != "", ["a", "b"]].itertuples(index=False)
    }
    stretches: list[list[str]] = []
    for first in range(len(names)):
        last = first + 1
        while last < len(names) and not any(
            frozenset((name, names[last])) in shown for name in names[first:last]
        ):
            last += 1
        if last - first > 1 and not (stretches and names[last - 1] in stretches[-1]):
            stretches.append(names[first:last])
    return stretches
