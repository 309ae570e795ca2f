"""The tables of the search and of the targets: tolerance of the learning rate, budget of trials, who reaches what, who leads where. Frames out."""

import re
from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.frames import typed
from lrbench.results.statistics import (
    best_of_subsets,
    by_group,
    expected_running_time,
    lr_tolerance,
    median_first_hit,
    widest_stretch,
)
from lrbench.results.tables import best_first, first_hits

FEWEST_TRIALS = 4
TARGETS = [f"1e-{digits}" for digits in range(1, 9)]
TOLERANCES = {
    "task": str,
    "optimizer": str,
    "lrs": int,
    "tolerance": float,
    "open_low": bool,
    "open_high": bool,
}
TOLERANCES |= dict.fromkeys(("lowest_lr", "highest_lr", "best_lr"), float)
BUDGETS = {"task": str, "optimizer": str, "trials": int, "q25": float, "median": float, "q75": float}
REACHED = {
    "task": str,
    "optimizer": str,
    "target": float,
    "hits": int,
    "seeds": int,
    "evaluations": float,
    "ert": float,
}
SUCCESS = {
    "task": str,
    "optimizer": str,
    "solved": bool,
    "hits": int,
    "seeds": int,
    "trials_to_success": float,
    "trials": float,
}
COMPETENCE = {"task": str, "family": str, "kappa": float, "steps": int, "optimizers": object, "gap": float}


def sensitivity(settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer with a learning rate: over how many decades of it the target is reached.

    lrs: how many; tolerance: decades of the widest stretch of neighbouring lrs, each with its best setting, at which at least half of the seeds reach
    the target and end there, 0 for one lr alone, NaN for none, and where each lr has other hyperparameters, so that neighbours are no curve;
    open_low, open_high: it touches that end of the lrs; lowest_lr, highest_lr: its ends; best_lr.
    """
    found = []
    for (task, optimizer), group in best_first(settings.dropna(subset="lr")).groupby(
        ["task", "optimizer"], sort=False
    ):
        rows = group[~group["lr"].duplicated()]
        lr, reached = rows["lr"].to_numpy(), (2 * rows["holds"] >= rows["seeds"]).to_numpy()
        if scattered(group):
            reached = np.zeros(len(lr), dtype=bool)
        decades, open_low, open_high = lr_tolerance(lr, reached)
        low, high = widest_stretch(lr, reached)
        found.append((task, optimizer, len(lr), decades, open_low, open_high, low, high, lr[0]))
    return typed(found, TOLERANCES)


def scattered(settings: pd.DataFrame) -> bool:
    """Say of an optimizer's settings whether there is but one a learning rate, and they differ in more than that."""
    return (
        settings["lr"].is_unique
        and len({re.sub(r"\blr=\S+ ?", "", text) for text in settings["setting"]}) > 1
    )


def budget_curve(settings: pd.DataFrame) -> pd.DataFrame:
    """Return what fewer trials would have found: quartiles of the lowest gap of m of T settings, m = 1, 2, 4, ... and T; only from T = 4 on."""
    rows = []
    for (task, optimizer), gaps in settings.groupby(["task", "optimizer"], sort=False)["gap"]:
        if (trials := len(gaps)) >= FEWEST_TRIALS:
            sizes = [*(2**k for k in range((trials - 1).bit_length())), trials]
            rows += [
                (task, optimizer, m, *quartiles)
                for m, quartiles in zip(sizes, best_of_subsets(gaps.to_numpy(), sizes), strict=True)
            ]
    return typed(rows, BUDGETS)


def targets(reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer (in the order of the ranking) and target, a relative gap of 1e-1 ... 1e-8; none where these are undefined.

    hits, seeds; evaluations: gradient evaluations until then, the median over the seeds, inf if fewer than half get there; ert: expected running time
    of minibatch tasks where some seeds hit and some miss (a miss costs the longest run's evaluations), else NaN.
    """
    rows = reported[reported["scale"].notna()]
    if not len(rows):
        return typed([], REACHED)
    codes, keys = pd.factorize(pd.MultiIndex.from_frame(rows[["task", "name"]]))
    seeds, batches = np.bincount(codes), np.bincount(codes, rows["batch_size"].notna()) > 0
    budget = (
        rows.groupby(codes)["evaluations"].transform("max").to_numpy()
    )  # also of those that stopped early
    parts = []
    for target in TARGETS:
        hit = first_hits(rows, f"evaluations_to_{target}").to_numpy()
        hits = np.bincount(codes, np.isfinite(hit)).astype(int)
        running = by_group(partial(_running_time, hit, budget), np.arange(len(rows)), codes)
        ert = np.where(batches & (hits > 0) & (hits < seeds), running, np.nan)
        columns = {
            "target": float(target),
            "hits": hits,
            "seeds": seeds,
            "evaluations": by_group(median_first_hit, hit, codes),
            "ert": ert,
        }
        parts.append(
            pd.DataFrame({"task": keys.get_level_values(0), "optimizer": keys.get_level_values(1), **columns})
        )
    return ranking[["task", "optimizer"]].merge(typed(parts, REACHED), on=["task", "optimizer"])


def _running_time(hit: np.ndarray, budget: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return expected_running_time(hit[rows], budget[rows])


def success(ranking: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: whether at least half of the seeds reach the target; none where relative gaps are undefined.

    solved, hits, seeds; trials_to_success: how many of its settings, in random order, it takes on average until one reaches the target in the
    median of its own seeds, (trials + 1) / (successes + 1), NaN where none does; trials: how many settings.
    """
    succeeds = np.isfinite(settings["evaluations_to_target"])
    counts = succeeds.groupby([settings["task"], settings["optimizer"]]).agg(["size", "sum"])
    expected = (
        ((counts["size"] + 1) / (counts["sum"] + 1))
        .where(counts["sum"] > 0)
        .rename("trials_to_success")
        .reset_index()
    )
    rows = ranking.dropna(subset="evaluations_to_target").merge(
        expected, on=["task", "optimizer"], how="left"
    )
    return typed([rows.assign(solved=np.isfinite(rows["evaluations_to_target"]))], SUCCESS)


def competence(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return who leads where: a row a task of a problem that ran at several condition numbers or budgets of steps; empty else.

    task, family (the problem), kappa, steps, optimizers (tuple: who is not shown worse than the leader, best first), gap (of the first of them).
    """
    several = tasks.groupby("problem")[["kappa", "steps"]].transform("nunique").max(axis=1) > 1
    best = (
        ranking[ranking["first"]]
        .groupby("task")
        .agg(optimizers=("optimizer", tuple), gap=("gap", "first"))
        .reset_index()
    )
    rows = tasks[several].rename(columns={"problem": "family"}).merge(best, on="task")
    return typed(
        [rows.sort_values(["family", "kappa", "steps"], kind="stable", ignore_index=True)], COMPETENCE
    )
