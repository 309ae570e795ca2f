"""The runs with what the tables need beside each.

One row of `entries`: a stored run (all its columns, but `optimizer` is its name for people), and task
"lecture", setting "lr=0.1", lr 0.1, gap 3.2e-9 (its level), half 4.1e-5, goal 8e-6, arrived True, hit 88.0
(evaluations until arrival), cost 88.0, left False, role "evaluation", trial 17.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.names import optimizer_names, setting_texts
from lrbench.results.statistics import Readings, at_least_floor
from lrbench.results.tables.tasks import TASK

SETTING = ["optimizer", "setting_id"]  # one setting of one competitor
RUN = ["optimizer", "run_id"]  # a run may stand there for several optimizers, and in several roles
# Times the goal: what a run that arrived may not exceed any more. The same as in engines/readings.py, on the
# other side of the store.
LEAVES = 2.0
TINY = np.finfo(float).tiny  # of a floor of 0, whose logarithm is wanted


def entries(
    runs: pd.DataFrame,
    tasks: pd.DataFrame,
    roles: pd.DataFrame | None = None,
    beyond: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the runs in the order of the tasks; of a tuned sweep a row a run and role.

    beyond: run_id, and the highest mean gap of a pass between the budget and twice of it, of some runs.
    """
    rows = tasks[["task", *TASK, "gap_floor", "scale"]].merge(_with_roles(runs, roles), on=TASK)
    floor = rows["gap_floor"].to_numpy()
    target = rows["relative_target"].to_numpy() * rows["scale"].to_numpy()  # NaN without a scale
    rows["optimizer"] = optimizer_names(rows)
    rows["lr"] = _learning_rates(rows)
    rows["gap"] = at_least_floor(rows["level"].to_numpy(), floor)
    rows["half"] = at_least_floor(rows["half_level"].to_numpy(), floor)
    rows["lost"] = np.isinf(rows["score"])
    rows["goal"] = np.fmax(target, np.maximum(floor, TINY))
    rows["hit"] = arrivals(rows, "cost_target")
    rows["arrived"] = np.isfinite(rows["hit"])
    rows["cost"] = rows["hit"].where(rows["arrived"], rows["budget"])
    rows["left"] = rows["arrived"] & (_highest_beyond(rows, beyond) > LEAVES * rows["goal"])
    # a text a setting, not a run: a setting may have thousands of seeds
    places = rows.groupby(SETTING, sort=False).ngroup().to_numpy()
    texts = setting_texts(rows.drop_duplicates(SETTING)).to_numpy()
    rows["setting"] = texts[places]
    return rows


def _learning_rates(runs: pd.DataFrame) -> pd.Series:
    """Return the lr of each run; NaN where it is no number, or the optimizer has none."""
    if "optimizer.lr" not in runs:
        return pd.Series(np.nan, index=runs.index)
    return pd.to_numeric(runs["optimizer.lr"], errors="coerce").astype(float)


def _with_roles(runs: pd.DataFrame, roles: pd.DataFrame | None) -> pd.DataFrame:
    """Return the runs, each as often as it has roles, under the optimizer that it has the role for."""
    if roles is None:
        return runs.assign(role="grid", trial=np.nan, lr_low=np.nan, lr_high=np.nan)
    return runs.drop(columns="optimizer").merge(roles, on="run_id")


def _highest_beyond(rows: pd.DataFrame, beyond: pd.DataFrame | None) -> pd.Series:
    """Return the highest mean gap beyond the budget of each run; NaN where nothing is known."""
    if beyond is None:
        return pd.Series(np.nan, index=rows.index)
    return rows["run_id"].map(beyond.set_index("run_id")["beyond"])


def arrivals(entries: pd.DataFrame, column: str) -> pd.Series:
    """Return the evaluations until arrival at a target, from a column of costs: inf where there was none."""
    return entries[column].astype(float).fillna(np.inf)


def readings(runs: pd.DataFrame) -> Readings:
    """Return what some entries are worth, row by row, as the statistics take them."""
    return Readings(
        lost=runs["lost"].to_numpy(bool),
        arrived=runs["arrived"].to_numpy(bool),
        cost=runs["cost"].to_numpy(float),
        level=runs["gap"].to_numpy(float),
        score=runs["score"].to_numpy(float),
        step=runs["evaluations_per_step"].to_numpy(float),
        curve=runs["fingerprint"].to_numpy(np.int64),
        left=runs["left"].to_numpy(bool),
    )
