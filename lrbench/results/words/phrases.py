"""Phrases of many sentences: over which seeds, and what these vary."""

import pandas as pd

from lrbench.results.notation import counted
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, batches_vary, starts_vary


def seeds_compared(sweep: Sweep) -> str:
    """Say over how many seeds the compared runs go, and what a seed varies: "10 seeds (what varies: start and
    minibatches)".
    """
    of_each = sweep.reported.groupby(COMPETITOR)["seed"].nunique()
    fewest, most = of_each.min(), of_each.max()
    seeds = counted(most, "seed")
    if fewest != most:
        seeds = f"{fewest} to {seeds}"
    if most == 1:
        return seeds
    varying = []
    if starts_vary(sweep.tasks).any():
        varying.append("start")
    if batches_vary(sweep.tasks).any():
        varying.append("minibatches")
    return f"{seeds} (what varies: {' and '.join(varying) or 'nothing'})"


def what_varied(task: pd.Series, seeds: int) -> str:
    """Name what differs between the seeds of a setting: "10 starts", "10 batch orders", "10 starts and batch
    orders", "1 seed".
    """
    varying = []
    if task["init"] == "torch":
        varying.append("starts")
    if pd.notna(task["batch_size"]) and task["batch_order"] != "sequential":
        varying.append("batch orders")
    if seeds == 1 or not varying:
        return counted(seeds, "seed")
    return f"{seeds} {' and '.join(varying)}"


def over_what(difference: Difference, rows: pd.DataFrame, count: str) -> str:
    """Say over how many starts or batch orders rows of a difference go, "10 starts", or "2 to 10 pairs" where
    they differ; count: the column with the number.
    """
    tasks = difference.tasks
    in_a = difference.a.tasks.set_index("task").loc[tasks["task_a"]].set_axis(tasks["task"])
    counts = set(zip(rows["task"], rows[count], strict=True))
    varied = {what_varied(in_a.loc[task], number) for task, number in counts}
    if len(varied) == 1:
        return varied.pop()
    return f"{rows[count].min()} to {rows[count].max()} pairs"
