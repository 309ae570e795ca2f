"""What each optimizer costs at its best setting, until the target and until the end, on every axis that is
exact.

One row: task "lecture", optimizer "adam", steps 500.0, evaluations 500.0, samples 1500.0, epochs 500.0, flops
12000.0 and the same until the target: steps_to_target 88.0, evaluations_to_target 88.0 ...
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lrbench import seeds
from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.costs import AXES
from lrbench.results.statistics import by_group, median_first_hit
from lrbench.results.tables.tasks import COMPETITOR, of_task

__all__ = ["AXES", "costs"]

# of the gradient of one row: d products and sums for the prediction, and as many for each partial derivative
FLOPS_A_FEATURE = 4
FLOPS_A_ROW = 2
FLOPS_OF_AN_INTERCEPT = 2
SLACK = 1e-9  # evaluations are sums of shares of the rows, and rounded


def costs(ranking: pd.DataFrame, reported: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: `<axis>` of a whole run and `<axis>_to_target`, medians over the
    seeds of its best setting.

        steps        updates
        evaluations  gradients, a minibatch by its share of the rows; LBFGS takes several a step
        samples      rows that gradients were taken on: evaluations times n
        epochs       steps over the steps of a pass
        flops        of the gradients: 4 d + 2, + 2 with an intercept, a row; what the update itself takes,
                     some operations a parameter, is left out

    To the target inf where fewer than half of the seeds arrive.
    """
    rows = ranking.merge(_steps_to_target(reported, tasks), on=COMPETITOR)
    task = tasks.set_index("task").loc[rows["task"]].reset_index()
    whole = _axes(rows["steps_taken"], rows["evaluations"], task)
    to_target = _axes(rows["steps"], rows["evaluations_to_target"], task)
    columns = pd.concat([rows[COMPETITOR], whole, to_target.add_suffix("_to_target")], axis=1)
    return typed([columns], "costs")


def _steps_to_target(reported: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return task, optimizer and the median of the steps until arrival."""
    steps = pd.Series(np.inf, index=reported.index)
    for task in tasks.to_dict("records"):
        runs = of_task(reported, task["task"])
        steps[runs.index] = _steps_until_arrival(runs, task)
    places = reported.groupby(COMPETITOR, sort=False).ngroup().to_numpy()
    medians = by_group(median_first_hit, steps.to_numpy(), places)
    return reported[COMPETITOR].drop_duplicates().assign(steps=medians)


def _steps_until_arrival(runs: pd.DataFrame, task: Mapping[Hashable, Any]) -> np.ndarray:
    """Return after how many steps each run of a task arrives; inf where it does not.

    Exact where every step took one gradient: then all runs were as far after as many steps. Where a step
    takes several, it is their mean share.
    """
    batch_size = None if pd.isna(task["batch_size"]) else int(task["batch_size"])
    until = seeds.evaluations(task["n"], batch_size, task["batch_order"], task["steps"])  # (steps + 1,)
    arrives = runs["arrived"].to_numpy()
    hit = np.where(arrives, runs["hit"], 0.0)
    steps_taken = runs["steps_taken"].to_numpy()
    evaluations = runs["evaluations"].to_numpy()
    one_a_step = np.abs(evaluations - until[steps_taken]) < SLACK
    exact = np.searchsorted(until, hit - SLACK)
    share = np.round(hit * steps_taken / np.maximum(evaluations, SLACK))
    return np.where(arrives, np.where(one_a_step, exact, share), np.inf)


def _axes(steps: pd.Series, evaluations: pd.Series, task: pd.DataFrame) -> pd.DataFrame:
    rows_a_step = task["batch_size"].fillna(task["n"]).astype(float)
    steps_a_pass = np.ceil(task["n"] / rows_a_step)
    flops_a_row = FLOPS_A_FEATURE * task["d"] + FLOPS_A_ROW + FLOPS_OF_AN_INTERCEPT * task["intercept"]
    samples = evaluations * task["n"]
    columns = {
        "steps": steps,
        "evaluations": evaluations,
        "samples": samples,
        "epochs": steps / steps_a_pass,
        "flops": samples * flops_a_row,
    }
    return pd.DataFrame(columns).astype(float)
