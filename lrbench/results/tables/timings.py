"""Measured times. Seconds are shown only: no stored result has any.

One row: what `entries` gives of a run, and step_seconds 2.1e-5, step_spread 0.03, seconds_to_target 0.0019.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from lrbench.results.frames import read
from lrbench.results.tables.entries import entries
from lrbench.results.tables.tasks import tasks


def timings(runs: Iterable[pa.Table], problems: pa.Table) -> pd.DataFrame:
    """Return a row a run with what `entries` gives, in the order of the tasks; within one the first at the
    target first, then the fastest.

    runs: rows of the store with step_seconds, step_spread and seconds_to_target.
    hit, seconds_to_target: inf if never reached or not completed, NaN if failed or undefined.
    """
    stored = read.joined(runs)
    ordered_tasks = tasks(stored, read.with_tuples(problems))
    rows = entries(stored, ordered_tasks)
    rows["hit"] = rows["hit"].mask(rows["status"] == "failed")
    seconds = rows["seconds_to_target"].astype(float)
    rows["seconds_to_target"] = seconds.where(np.isfinite(rows["hit"]), rows["hit"])
    if rows["seed"].nunique() > 1:
        rows["setting"] += " seed=" + rows["seed"].astype(str)
        rows["setting"] = rows["setting"].str.strip()
    places = pd.Series(np.arange(len(ordered_tasks)), index=ordered_tasks["task"])
    rows["place"] = rows["task"].map(places)
    return rows.sort_values(["place", "seconds_to_target", "step_seconds"], kind="stable", ignore_index=True)
