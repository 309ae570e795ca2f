"""The problems of a sweep, a row each: their sizes, their minimum and how sure it is, where they come from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.results.labels import task_labels
from lrbench.results.text import MISSING, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

BESIDE_DATA = {
    "steps": 0,
    "batch_size": 0,
    "batch_order": "",
    "init": "",
}  # what tells tasks apart, and no problems
DIGITS = {"float64": 16, "float32": 7}  # that a number has


def problems(results: "Results") -> pd.DataFrame:
    """Return a row a problem (data, loss and dtype) in the order of the tasks.

    problem: a label of what tells the problems apart; table: file and target of one's own, else empty; standardized: what columns then have, else
    empty; n, d, kappa, L; noise: as it was asked for, else NaN; loss, dtype; dropped: rows left out for
    missing values; minimum: how it was found; digits: of the constant model's gap to which it is certain, no more than the dtype has; loss_star;
    gap_floor; source.
    """
    first = results.runs.drop_duplicates("problem_id")
    labels = task_labels(first.assign(**BESIDE_DATA)).set_axis(first["problem_id"])
    tasks = results.tasks.drop_duplicates("problem_id")
    settings = [json.loads(one) for one in tasks["settings"]]
    method = tasks["method"].where(
        tasks["attained"].astype(bool), tasks["method"] + ", attained by no weights"
    )
    return pd.DataFrame(
        {
            "problem": tasks["problem_id"].map(labels),
            "table": [_table(one) for one in settings],
            "standardized": [_standardized(one) for _, one in tasks.iterrows()],
            **{name: tasks[name] for name in ("n", "d", "kappa", "L")},
            "noise": [one.get("noise") for one in settings],
            **{name: tasks[name] for name in ("loss", "dtype", "dropped")},
            "minimum": method,
            "digits": tasks["digits"].clip(upper=tasks["dtype"].map(DIGITS)),
            **{name: tasks[name] for name in ("loss_star", "gap_floor")},
            "source": tasks["note"].str.removesuffix("."),
        }
    ).astype({"noise": float})


def _table(settings: dict[str, Any]) -> str:
    """Write file and target of a table: "houses.csv, price"."""
    return (
        f"{Path(str(settings['path'])).name}, {settings['target']}"
        if {"path", "target"} <= settings.keys()
        else ""
    )


def _standardized(task: pd.Series) -> str:
    """Say what standardized columns have; without an intercept they keep their mean."""
    return "" if task["x_scale"] is None else f"{'mean 0, ' * bool(task['intercept'])}standard deviation 1"


def problems_text(problems: pd.DataFrame) -> pd.DataFrame:
    """Write the problems, a column a heading; noise, rows left out and sources only where some problem has them."""
    cells = {
        "problem": problems["problem"],
        **{
            heading: problems[name].map(number)
            for heading, name in (("n", "n"), ("d", "d"), ("κ", "kappa"), ("L", "L"))
        },
        "noise": problems["noise"].map(lambda noise: MISSING if pd.isna(noise) else setting_value(noise)),
        **{name: problems[name] for name in ("loss", "dtype")},
        "rows left out": problems["dropped"].map(number),
        "minimum": problems["minimum"],
        "digits": problems["digits"].map(lambda digits: MISSING if pd.isna(digits) else f"{digits:.0f}"),
        "loss at the minimum": problems["loss_star"].map(number),
        "gap floor": problems["gap_floor"].map(number),
        "source": problems["source"].replace("", MISSING),
    }
    empty = {
        "noise": problems["noise"].isna(),
        "rows left out": problems["dropped"] == 0,
        "source": problems["source"] == "",
    }
    return pd.DataFrame(cells, dtype=object).drop(
        columns=[heading for heading, rows in empty.items() if rows.all()]
    )
