"""Warnings on the target, the number of steps and the end of a curve: where a result would be another at another budget."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.statistics import at_least_floor, flips, geometric_mean
from lrbench.results.text import listed, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

LEVEL, MOVED = (
    1.25,
    0.5,
)  # times apart at half and at the end: no longer moving; of the start's gap: and not for want of a step
FALLING = 2.0  # times lower at the end than at half of the steps: still falling
LAST_QUARTER, OSCILLATES = 0.75, 0.2  # where a tail begins, and the share of its steps that may rise
MOST_READ = 20_000  # runs whose curves are held at once


def targets(results: "Results") -> Iterator[str]:
    defined = results.ranking.dropna(subset="evaluations_to_target")
    short = defined[2 * defined["hits"] < defined["seeds"]]
    target = f"the target, a relative gap of {setting_value(results.manifest['target'])}"
    if len(defined) and not defined["hits"].any():
        yield f"No optimizer reached {target}, at its {choice(results)} setting."
    elif len(short):
        cases = names(results, short, lambda row: f" ({row['hits']}/{row['seeds']})")
        yield f"Fewer than half of the seeds reached {target}: {cases}."


def too_easy(results: "Results") -> Iterator[str]:
    slowest = results.reported.groupby("task", sort=False)["hit_step"].max()
    easy = slowest.index[slowest <= 1]
    if len(easy):
        yield f"Every run reached the target within one step{_tasks(results, list(easy))}: it is too easy to tell optimizers apart."


def short(results: "Results") -> Iterator[str]:
    """Say of those that miss the target whether more steps would bring them nearer."""
    rows = results.ranking
    missed = rows[np.isinf(rows["evaluations_to_target"]) & np.isfinite(rows["gap"]) & ~rows["at_floor"]]
    if missed.empty:
        return
    missed = missed.merge(results.tasks[["task", "batch_size"]]).merge(_halves(results))
    falling = missed["half"] > FALLING * missed["gap"]
    if falling.any():
        cases = names(results, missed[falling])
        yield f"Short of the target with the gap still falling at the last step, more than twofold in the second half: {cases}."
    level = np.abs(np.log(missed["half"] / missed["gap"])) < np.log(LEVEL)
    noisy = missed[level & missed["batch_size"].notna() & (missed["gap"] < MOVED * missed["start"])]
    if len(noisy):
        yield f"Short of the target with the gap level in the second half, as at the noise floor of a learning rate: {names(results, noisy)}."


def flipped(results: "Results") -> Iterator[str]:
    """Say which order that is shown at the end was the other way round at half of the steps."""
    shown = results.pairwise[results.pairwise["better"] != ""]
    if shown.empty:
        return
    halves, cases = results.ranking.merge(_halves(results)), []
    for task, rows in halves.groupby("task", sort=False):
        turned = flips(rows["half"].to_numpy(), rows["gap"].to_numpy())
        place = {name: i for i, name in enumerate(rows["optimizer"])}
        for pair in shown[shown["task"] == task].to_dict("records"):
            worse = pair["b"] if pair["better"] == pair["a"] else pair["a"]
            if turned[place[pair["a"]], place[pair["b"]]]:
                cases.append(f"{worse} before {pair['better']}{on(results, pair)}")
    if cases:
        yield f"At half of the steps the order was another: {listed(cases)}."


def at_floor(results: "Results") -> Iterator[str]:
    floor = results.ranking[results.ranking["at_floor"]]
    if len(floor):
        cases = names(results, floor, lambda row: f" ({number(row['gap'])})")
        yield f"At the gap floor, where differences are rounding and all are tied: {cases}."


def oscillating(results: "Results") -> Iterator[str]:
    """Say whose gap goes up and down at the end, on all rows: with intervals of ten seeds the true ratio was inside in 84 to 90 %, not 95 %."""
    rows = results.reported[
        results.reported["batch_size"].isna() & (results.reported["status"] == "completed")
    ]
    parts = [
        _rises(results, rows.iloc[first : first + MOST_READ]) for first in range(0, len(rows), MOST_READ)
    ]
    if not parts:
        return
    counts = pd.concat(parts).groupby(["task", "optimizer"], sort=False).sum().reset_index()
    restless = counts[counts["rises"] > OSCILLATES * counts["steps"]]
    if len(restless):
        cases = names(results, restless)
        yield f"The gap still goes up and down in the last quarter of the steps; read a 95 % interval as one of 84 to 90 %: {cases}."


def _rises(results: "Results", runs: pd.DataFrame) -> pd.DataFrame:
    """Count in the last quarter of each run the recorded steps and those that end higher than the one before; below the floor nothing rises."""
    curves = results.curves_of(runs["run_id"]).merge(
        runs[["run_id", "task", "name", "steps", "gap_floor"]], on="run_id"
    )
    tail = curves[curves["step"] >= LAST_QUARTER * curves["steps"]]
    gap = at_least_floor(tail["gap"].to_numpy(), tail["gap_floor"].to_numpy())
    follows = tail["run_id"].eq(tail["run_id"].shift()).to_numpy()
    rises = follows & (gap > np.append(np.inf, gap[:-1]))
    return pd.DataFrame({"task": tail["task"], "optimizer": tail["name"], "steps": follows, "rises": rises})


# ---- words


def choice(results: "Results") -> str:
    return "chosen" if results.tuned else "best"


def names(results: "Results", rows: pd.DataFrame, detail: Callable[[pd.Series], str] = lambda row: "") -> str:
    """Write the optimizers, of several tasks with the one and its detail or with how many: "sgd on wine (0/10) and adam on 2 of 3 tasks"."""
    groups = rows.groupby("optimizer", sort=False)
    return listed(
        [
            f"{name}{_tasks(results, list(own['task']))}{detail(own.iloc[0]) if len(own) == 1 else ''}"
            for name, own in groups
        ]
    )


def on(results: "Results", row: dict) -> str:
    return f" on {row['task']}" if len(results.tasks) > 1 else ""


def _tasks(results: "Results", tasks: Sequence[str]) -> str:
    return (
        on(results, {"task": tasks[0]})
        if len(tasks) == 1
        else f" on {len(tasks)} of {len(results.tasks)} tasks"
    )


def _halves(results: "Results") -> pd.DataFrame:
    """Return task, optimizer, and of the reported runs half: the geometric mean of the gaps at half of the steps, and start: their median first."""
    groups = results.reported.groupby(["task", "name"], sort=False)
    halves = groups["half"].agg(lambda gaps: float(geometric_mean(gaps.to_numpy())))
    return (
        pd.DataFrame({"half": halves, "start": groups["start_gap"].median()})
        .rename_axis(["task", "optimizer"])
        .reset_index()
    )
