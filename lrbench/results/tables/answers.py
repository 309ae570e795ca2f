"""What the trained models answer: each optimizer's predictions, at its chosen setting, beside the exact ones.

One row of `answers`: task "lecture", optimizer "sgd", given "x = 4", answer 7.98 (the median over the seeds),
lowest 7.96, highest 8.03, seeds 10, lost 0 (of them, which answer nothing), exact 8.0.
"""

from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.notation import listed, setting_value
from lrbench.results.tables.models import exact, predicted, weights
from lrbench.results.tables.tasks import of_task

Asked = dict[str, list[list[float]]]  # problem -> rows to predict, in the units of the data as they came


def asked(manifest: dict[str, Any]) -> Asked:
    """Return the rows that were asked for, a key of the request or of the problem's own configuration."""
    rows = {}
    for block in manifest["blocks"]:
        if block["base"]["predict"]:
            rows.setdefault(block["choices"]["problem"], block["base"]["predict"])
    return rows


def answers(reported: pd.DataFrame, tasks: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Return a row a task, optimizer and row that was asked for; none of a problem without such rows.

    tasks: with the facts of their problems.
    """
    found = []
    for _, task in tasks.iterrows():
        if task["problem"] in asked:
            found += _of_task(of_task(reported, task["task"]), task, asked[task["problem"]])
    return typed(found, "answers")


def _of_task(runs: pd.DataFrame, task: pd.Series, asked: list[list[float]]) -> list[dict[str, Any]]:
    rows = np.array(asked, dtype=float)  # (k, d)
    w_star = exact(task)
    exactly = np.full(len(rows), np.nan) if w_star is None else predicted(task, w_star, rows)
    found = []
    for optimizer, own in runs.groupby("optimizer", sort=False):
        finished = own[~own["lost"]]
        answered = predicted(task, weights(finished, task["p"]), rows)  # (k, seeds)
        for row, answer, right in zip(rows, answered, exactly, strict=True):
            counts = {"seeds": len(own), "lost": len(own) - len(finished), "exact": right}
            given = {"task": task["task"], "optimizer": optimizer, "given": _given(task, row)}
            found.append(given | _over_seeds(answer) | counts)
    return found


def _over_seeds(answer: np.ndarray) -> dict[str, float]:
    """Return median, lowest and highest of the answers (seeds,); NaN where all are lost."""
    if not len(answer):
        return dict.fromkeys(("answer", "lowest", "highest"), np.nan)
    return {"answer": np.median(answer), "lowest": answer.min(), "highest": answer.max()}


def _given(task: pd.Series, row: np.ndarray) -> str:
    """Write a row with its features' names: "x = 4"."""
    pairs = zip(task["features"], row, strict=True)
    return listed([f"{feature} = {setting_value(float(value))}" for feature, value in pairs])
