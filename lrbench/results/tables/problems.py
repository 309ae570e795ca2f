"""The problems of a sweep: their sizes, their minimum and how sure it is, where they come from.

One row: problem "diabetes", table "", standardized "mean 0, standard deviation 1", n 442, d 10, kappa 21.7, L
4.0, noise NaN, loss "mse", dtype "float64", dropped 0, minimum "QR", digits 15.0, loss_star 0.482, gap_floor
1.1e-30, source "scikit-learn".
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.names import HOW_RUN, task_labels

DIGITS = {"float64": 16, "float32": 7}  # that a number has


def problem_list(runs: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a problem (data, loss and dtype) in the order of the tasks."""
    first = runs.drop_duplicates("problem_id")
    # a label that tells problems apart, and no tasks: what else makes a task is the same for all
    of_one_task = first.copy()
    of_one_task[HOW_RUN] = ""
    labels = task_labels(of_one_task).set_axis(first["problem_id"])
    problems = tasks.drop_duplicates("problem_id")
    settings = [json.loads(text) for text in problems["settings"]]
    not_attained = problems["method"] + ", attained by no weights"
    columns = {
        "problem": problems["problem_id"].map(labels),
        "table": [_table(own) for own in settings],
        "standardized": [_standardized(problem) for _, problem in problems.iterrows()],
        "n": problems["n"],
        "d": problems["d"],
        "kappa": problems["kappa"],
        "L": problems["L"],
        "noise": [own.get("noise") for own in settings],
        "loss": problems["loss"],
        "dtype": problems["dtype"],
        "dropped": problems["dropped"],
        "minimum": problems["method"].where(problems["attained"].astype(bool), not_attained),
        "digits": problems["digits"].clip(upper=problems["dtype"].map(DIGITS)),
        "loss_star": problems["loss_star"],
        "gap_floor": problems["gap_floor"],
        "source": problems["note"].str.removesuffix("."),
    }
    return typed([pd.DataFrame(columns)], "problem_list")


def _table(settings: dict[str, Any]) -> str:
    """Write file and target of a table: "houses.csv, price"."""
    if not {"path", "target"} <= settings.keys():
        return ""
    return f"{Path(str(settings['path'])).name}, {settings['target']}"


def _standardized(problem: pd.Series) -> str:
    """Say what standardized columns have; without an intercept they keep their mean."""
    if problem["x_scale"] is None:
        return ""
    return "mean 0, standard deviation 1" if problem["intercept"] else "standard deviation 1"
