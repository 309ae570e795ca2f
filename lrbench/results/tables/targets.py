"""Who reaches which target, at what cost.

One row of `targets`: task "lecture", optimizer "adam", target 1e-6, hits 10, seeds 10, evaluations 88.0, ert
NaN. Of `success`: task "lecture", optimizer "adam", solved True, hits 10, seeds 10, trials_to_success 1.4,
trials 32. Of `solved`, a step of a line: task "lecture", optimizer "adam", evaluations 88.0, share 0.75,
pairs 80.
"""

from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import (
    by_group,
    expected_running_time,
    median_first_hit,
    performance_profile,
    solved_share,
)
from lrbench.results.tables.entries import arrivals
from lrbench.results.tables.tasks import COMPETITOR

TARGETS = [f"1e-{digits}" for digits in range(1, 9)]  # relative gaps whose arrivals are stored
FEWEST_PROFILED = 3  # tasks of a performance profile


# ---- each target


def targets(reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer (in the order of the ranking) and target; none where relative gaps are
    undefined, as all targets are the floor then.

    ert: expected running time; a miss costs the longest run's evaluations.
    """
    runs = reported[reported["scale"].notna()]
    if not len(runs):
        return typed([], "targets")
    places, keys = pd.factorize(pd.MultiIndex.from_frame(runs[COMPETITOR]))
    who = pd.DataFrame(list(keys), columns=COMPETITOR)
    parts = [_target(runs, places, target) for target in TARGETS]
    rows = typed([pd.concat([who, part], axis=1) for part in parts], "targets")
    return ranking[COMPETITOR].merge(rows, on=COMPETITOR)


def _target(runs: pd.DataFrame, places: np.ndarray, target: str) -> pd.DataFrame:
    """Return what `targets` says of one target, a row a competitor; places (R,): which one a run is of."""
    hit = arrivals(runs, f"cost_{target}").to_numpy()
    seeds = np.bincount(places)
    hits = np.bincount(places, np.isfinite(hit)).astype(int)
    in_batches = np.bincount(places, runs["batch_size"].notna()) > 0
    # the longest run's: also of those that stopped early
    budget = runs.groupby(places)["evaluations"].transform("max").to_numpy()
    running_time = by_group(partial(_running_time, hit, budget), np.arange(len(runs)), places)
    some_miss = in_batches & (hits > 0) & (hits < seeds)
    columns = {
        "target": float(target),
        "hits": hits,
        "seeds": seeds,
        "evaluations": by_group(median_first_hit, hit, places),
        "ert": np.where(some_miss, running_time, np.nan),
    }
    return pd.DataFrame(columns)


def _running_time(hit: np.ndarray, budget: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return expected_running_time(hit[rows], budget[rows])


# ---- the asked target


def success(ranking: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: whether at least half of the seeds arrive at the target.

    trials_to_success: how many of its settings, in random order, it takes on average until one reaches the
    target in the median of its own seeds: (trials + 1) / (successes + 1).
    """
    succeeds = settings["evaluations_to_target"] < np.inf
    counts = succeeds.groupby([settings["task"], settings["optimizer"]]).agg(["size", "sum"])
    trials = ((counts["size"] + 1) / (counts["sum"] + 1)).where(counts["sum"] > 0)
    expected = trials.rename("trials_to_success").reset_index()
    rows = ranking.merge(expected, on=COMPETITOR, how="left")
    rows["solved"] = np.isfinite(rows["evaluations_to_target"])
    return typed([rows.rename(columns={"arrived": "hits"})], "success")


# ---- shares


def solved(reported: pd.DataFrame) -> pd.DataFrame:
    """Return the share of (seed, target) pairs solved against gradient evaluations, over all TARGETS.

    A run that is lost solves nothing, so the share ends below 1. No rows for tasks whose relative gaps are
    undefined.
    """
    runs = reported[reported["scale"].notna()]
    budgets = runs.groupby("task")["evaluations"].max().to_dict()
    groups = runs.groupby(COMPETITOR, sort=False)
    lines = []
    for (task, optimizer), own in groups:
        line = _solved(own, budgets[task])
        lines.append(line.assign(task=str(task), optimizer=str(optimizer)))
    return typed(lines, "solved")


def _solved(runs: pd.DataFrame, budget: float) -> pd.DataFrame:
    """Return the line of one competitor, a row a step of it."""
    hits = np.concatenate([arrivals(runs, f"cost_{target}") for target in TARGETS])
    evaluations, share = solved_share(hits)
    from_the_start = len(evaluations) and evaluations[0] == 0
    before = [] if from_the_start else [0.0]  # nothing is solved before the first hit
    share = np.concatenate([before, share])
    points = {
        "evaluations": np.concatenate([before, evaluations, [budget]]),
        "share": np.append(share, share[-1]),
    }
    return pd.DataFrame(points).assign(pairs=hits.size)


def profile(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the performance profile over the tasks on evaluations to the target: a row a step of a line.

    Of the optimizers that ran on all tasks. Empty below FEWEST_PROFILED tasks.
    """
    costs = ranking.pivot(index="task", columns="optimizer", values="evaluations_to_target").dropna(axis=1)
    if len(costs) < FEWEST_PROFILED or costs.empty:
        return typed([], "profile")
    ratio, shares = performance_profile(costs.to_numpy())
    any_solved = len(ratio) > 0
    last_share = shares[:, -1:] if any_solved else np.zeros((costs.shape[1], 1))
    beyond = 2 * ratio[-1] if any_solved else 2.0  # room for the last step
    ratio = np.append(ratio, beyond)
    shares = np.hstack([shares, last_share])
    lines = []
    for optimizer, share in zip(costs.columns, shares, strict=True):
        line = pd.DataFrame({"ratio": ratio, "share": share})
        lines.append(line.assign(optimizer=optimizer, tasks=len(costs)))
    return typed(lines, "profile")
