"""What several sentences share: on which task, over which seeds, at which setting, how sure."""

from collections.abc import Callable, Sequence

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed, p_value, setting_value
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, batches_vary, starts_vary

# how a sweep that is not complete came to its end, by the state in its manifest: as the beginning of a line,
# and after "The sweep"
ENDED = {"interrupted": "Interrupted", "running": "Still running, or stopped"}
SWEEP_ENDED = {"interrupted": "was interrupted", "running": "is still running or was stopped"}


def stored_of_planned(sweep: Sweep, stored: str) -> str:
    """Say how many of the planned runs there are: "7 of 12 planned runs are stored".

    stored: the number of the stored ones, as the place writes its numbers.
    """
    return f"{stored} of {counted(sweep.planned, 'planned run')} are stored"


# ---- over which seeds


def varying(tasks: pd.DataFrame, start: str, batches: str) -> list[str]:
    """Return which of two a seed varies in some of these tasks, in these words for them; empty where
    neither.
    """
    varied = []
    if starts_vary(tasks).any():
        varied.append(start)
    if batches_vary(tasks).any():
        varied.append(batches)
    return varied


def what_varied(task: pd.Series, seeds: int) -> str:
    """Name what differs between the seeds of a setting: "10 starts", "10 batch orders", "10 starts and batch
    orders", "1 seed".
    """
    varied = varying(pd.DataFrame([task]), "starts", "batch orders")
    if seeds == 1 or not varied:
        return counted(seeds, "seed")
    return f"{seeds} {' and '.join(varied)}"


def seeds_compared(sweep: Sweep) -> str:
    """Say over how many seeds the compared runs go, and what a seed varies: "10 seeds (what varies: start
    and minibatches)".
    """
    of_each = sweep.reported.groupby(COMPETITOR)["seed"].nunique()
    fewest, most = of_each.min(), of_each.max()
    seeds = counted(most, "seed") if fewest == most else f"{fewest} to {counted(most, 'seed')}"
    if most == 1:
        return seeds
    varied = varying(sweep.tasks, "start", "minibatches")
    return f"{seeds} (what varies: {' and '.join(varied) or 'nothing'})"


def over_what(difference: Difference, rows: pd.DataFrame, count: str) -> str:
    """Say over how many starts or batch orders rows go, "10 starts", or "2 to 10 pairs" where they differ.

    count: the column with the number.
    """
    tasks = difference.tasks
    in_a = difference.a.tasks.set_index("task").loc[tasks["task_a"]].set_axis(tasks["task"])
    counts = set(zip(rows["task"], rows[count], strict=True))
    varied = {what_varied(in_a.loc[task], n) for task, n in counts}
    if len(varied) == 1:
        return varied.pop()
    return f"{rows[count].min()} to {rows[count].max()} pairs"


# ---- on which task, and who


def on_task(sweep: Sweep, task: object) -> str:
    """Write " on lecture", nothing where there is but one task."""
    return f" on {task}" if len(sweep.tasks) > 1 else ""


def on_tasks(sweep: Sweep, tasks: Sequence[str]) -> str:
    """Write the one task, or on how many of all: " on wine", " on 2 of 3 tasks"."""
    if len(tasks) == 1:
        return on_task(sweep, tasks[0])
    return f" on {len(tasks)} of {len(sweep.tasks)} tasks"


def target_on(tasks: pd.DataFrame, labels: Sequence[str]) -> str:
    """Write the target of these tasks, relative to the scale of each: "1e-6", or "the target of its task
    (0.01 and 1e-6)".
    """
    found = tasks.loc[tasks["task"].isin(labels), "relative_target"].unique()
    written = listed(list(map(setting_value, sorted(found, reverse=True))))
    return written if len(found) == 1 else f"the target of its task ({written})"


MOST_NAMED = 3


def names(optimizers: Sequence[str]) -> str:
    """Name at most three optimizers: "SGD, Adam, RMSprop and 2 more"; four rather than "1 more"."""
    return alternatives(optimizers, "and")


def alternatives(optimizers: Sequence[str], last: str = "or") -> str:
    """Name optimizers as `names` does, with another last word."""
    shown = list(map(displayed, optimizers))
    if len(shown) > MOST_NAMED + 1:
        shown = [*shown[:MOST_NAMED], f"{len(shown) - MOST_NAMED} more"]
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _nothing(row: pd.Series) -> str:
    return ""


def optimizers_on_tasks(
    sweep: Sweep, rows: pd.DataFrame, detail: Callable[[pd.Series], str] = _nothing
) -> str:
    """Write the optimizers of rows, each with its one task and a detail or with how many: "SGD on wine
    (0/10) and Adam on 2 of 3 tasks".
    """
    cases = []
    for optimizer, own in rows.groupby("optimizer", sort=False):
        where = on_tasks(sweep, list(own["task"]))
        beside = detail(own.iloc[0]) if len(own) == 1 else ""
        cases.append(f"{displayed(str(optimizer))}{where}{beside}")
    return listed(cases)


def choice(sweep: Sweep) -> str:
    """Say which setting an optimizer is compared at: its "chosen" one, or without tuning its "best"."""
    return "chosen" if sweep.tuned else "best"


# ---- how sure


def stated(p: float) -> str:
    """Write a p value in a sentence: "p = 0.032", "p < 0.001"."""
    written = p_value(p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"
