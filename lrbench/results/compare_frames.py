"""What the figures of a comparison draw, as frames: curves, last gaps and learning rates of A and of B, by task. No ink here.

Curves and gaps show each optimizer once a task: at the setting that A chose where B has it too, else each side at its own; over the seeds of both.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results import curves
from lrbench.results.compare import compared_runs, differing, paired_runs, paired_settings
from lrbench.results.compare_changes import changes
from lrbench.results.statistics import at_least_floor, by_group, quantile

if TYPE_CHECKING:
    from lrbench.results.compare import Difference
    from lrbench.results.result_set import Results

COMPETITOR = ["task", "optimizer"]
FEWEST_RATES = 2  # of a grid


def shown(difference: "Difference") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the settings that are shown, a row a task and optimizer as `Difference.rows`, and their pairs of runs.

    Pairs: task, optimizer, *_a and *_b as `compare.paired_runs`. Settings without a pair are left out.
    """
    a, b = difference.a, difference.b
    of_a, of_b = compared_runs(a, b, difference.tasks)
    settings = paired_settings(of_a[of_a["chosen"] & (of_a["role"] != "default")], of_b)
    settings = settings.assign(differs=differing(a, b, settings))
    pairs = paired_runs(of_a, of_b, settings)
    if pairs.empty:
        return settings.head(0), pairs.assign(task="", optimizer="")
    return changes(settings, pairs).query("n > 0"), pairs.join(settings[COMPETITOR], on="row")


def median_curves(difference: "Difference") -> pd.DataFrame:
    """Return the median curve of every optimizer on either side: task, optimizer, side ("A" or "B"), step, evaluations, median of the gap.

    A median is not below the floor, and inf where so many runs had stopped. No rows of a side whose median is nowhere finite.
    """
    _, pairs = difference.shown
    lines = [line for side, results in _sides(difference) for line in _median_curves(results, pairs, side)]
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=[*COMPETITOR, "side"])


def _median_curves(results: "Results", pairs: pd.DataFrame, side: str) -> Iterator[pd.DataFrame]:
    runs = pairs[[*COMPETITOR, "gap_floor"]].assign(run_id=pairs[f"run_id_{side.lower()}"])
    counts = runs.groupby(COMPETITOR).size()
    found = results.curves_of(runs["run_id"]).merge(runs, on="run_id")
    for key, group in found.groupby(COMPETITOR, sort=False):
        gap = group.pivot(index="step", columns="run_id", values="gap").dropna()  # (T + 1, runs)
        evaluations = (
            group.pivot(index="step", columns="run_id", values="evaluations").loc[gap.index].median(axis=1)
        )
        lost = np.full((len(gap), counts[key] - gap.shape[1]), np.inf)  # failed runs leave no curve
        values = at_least_floor(np.hstack([gap.to_numpy(), lost]), group["gap_floor"].iloc[0])
        labels = dict(zip(COMPETITOR, key, strict=True)) | {"side": side}
        line = pd.DataFrame(
            {
                **labels,
                "step": gap.index,
                "evaluations": evaluations.to_numpy(),
                "median": quantile(values, 0.5),
            }
        )
        if np.isfinite(line["median"]).any():
            yield line


def finals(difference: "Difference") -> pd.DataFrame:
    """Return a row a run of the pairs that are shown: task, optimizer, side, gap, and over the side's runs median, lost and runs."""
    _, pairs = difference.shown
    sides = [pairs[[*COMPETITOR, "row"]].assign(side=side, gap=pairs[f"gap_{side.lower()}"]) for side in "AB"]
    rows = pd.concat(sides, ignore_index=True)
    codes = rows.groupby(["row", "side"]).ngroup().to_numpy()
    median = by_group(lambda gaps: quantile(gaps, 0.5), rows["gap"].to_numpy(), codes)[codes]
    return rows.assign(
        median=median,
        lost=np.bincount(codes, np.isinf(rows["gap"])).astype(int)[codes],
        runs=np.bincount(codes)[codes],
    )


def sensitivity(difference: "Difference") -> pd.DataFrame:
    """Return `curves.sensitivity` of A and of B, with side, where both searched a task with an optimizer at two learning rates or more."""
    sides = []
    for side, results in _sides(difference):
        labels = dict(zip(difference.tasks[f"task_{side.lower()}"], difference.tasks["task"], strict=True))
        rows = curves.sensitivity(results)
        sides.append(
            rows.assign(
                side=side, task=rows["task"].map(labels), lost=rows["diverged"] + rows["failed"]
            ).dropna(subset="task")
        )
    both = pd.concat(sides, ignore_index=True)
    rates = (
        both.groupby([*COMPETITOR, "side"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=["A", "B"], fill_value=0)
    )
    gridded = rates.index[rates.min(axis=1) >= FEWEST_RATES]
    compared = pd.MultiIndex.from_frame(difference.rows[COMPETITOR])
    keys = pd.MultiIndex.from_frame(both[COMPETITOR])
    return both[keys.isin(gridded) & keys.isin(compared)]


def _sides(difference: "Difference") -> tuple[tuple[str, "Results"], ...]:
    return ("A", difference.a), ("B", difference.b)
