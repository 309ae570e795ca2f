"""The runs with what the tables need beside each.

One row of `entries`: a stored run (all its columns, but `optimizer` is its name for people), and task
"lecture", setting "lr=0.1", lr 0.1, gap 3.2e-9, half 4.1e-5, hit 88.0, hit_step 88.0, holds True, role
"evaluation", trial 17.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.names import optimizer_names, setting_texts
from lrbench.results.statistics import at_least_floor
from lrbench.results.tables.tasks import TASK

SETTING = ["optimizer", "setting_id"]  # one setting of one competitor
RUN = ["optimizer", "run_id"]  # a run may stand there for several optimizers, and in several roles


def entries(runs: pd.DataFrame, tasks: pd.DataFrame, roles: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the runs in the order of the tasks; of a tuned sweep a row a run and role."""
    rows = tasks[["task", *TASK, "gap_floor", "scale"]].merge(_with_roles(runs, roles), on=TASK)
    completed = rows["status"] == "completed"
    floor = rows["gap_floor"].to_numpy()
    last = rows["level"].where(completed, np.inf).to_numpy()
    half = rows["half_level"].fillna(np.inf).to_numpy()
    rows["optimizer"] = optimizer_names(rows)
    rows["lr"] = _learning_rates(rows)
    rows["gap"] = at_least_floor(last, floor)
    rows["half"] = at_least_floor(half, floor)
    rows["hit"] = first_hits(rows, "evaluations_to_target")
    rows["hit_step"] = first_hits(rows, "steps_to_target")
    stays_below = rows["gap"] <= rows["relative_target"] * rows["scale"]
    rows["holds"] = np.isfinite(rows["hit"]) & stays_below
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


def first_hits(entries: pd.DataFrame, column: str) -> pd.Series:
    """Return a cost until a target: inf if never reached or not completed, NaN where relative gaps are
    undefined.
    """
    cost = entries[column].astype(float).fillna(np.inf)
    completed = entries["status"] == "completed"
    return cost.where(completed, np.inf).where(entries["scale"].notna())
