"""Measured times as a frame. Seconds are shown only: no stored result has any."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from lrbench.results import frames, tables


def timings(runs: Iterable[pa.Table], problems: pa.Table, target: float) -> pd.DataFrame:
    """Return a row a run with what `tables.entries` gives, in the order of the tasks; within one the first at the target first, then the fastest.

    runs: rows of the store with step_seconds, step_spread and seconds_to_target. target: a relative gap.
    hit, seconds_to_target: inf if never reached or not completed, NaN if failed or undefined.
    """
    frame = frames.joined(runs)
    tasks = tables.tasks(frame, frames.with_tuples(problems))
    rows = tables.entries(frame, tasks, target)
    rows["hit"] = rows["hit"].mask(rows["status"] == "failed")
    rows["seconds_to_target"] = (
        rows["seconds_to_target"].astype(float).where(np.isfinite(rows["hit"]), rows["hit"])
    )
    if rows["seed"].nunique() > 1:
        rows["setting"] = (rows["setting"] + " seed=" + rows["seed"].astype(str)).str.strip()
    place = pd.Series(np.arange(len(tasks)), index=tasks["task"])
    return rows.assign(place=rows["task"].map(place)).sort_values(
        ["place", "seconds_to_target", "step_seconds"], kind="stable", ignore_index=True
    )
