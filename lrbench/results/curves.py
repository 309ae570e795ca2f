"""What the figures draw, as frames: curves at the best settings, where runs stopped, final gaps over the learning rate. No ink here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.statistics import at_least_floor, quantile
from lrbench.results.tables import best_first

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

BEYOND = 30


def best_curves(results: "Results") -> pd.DataFrame:
    """Return the curve of every optimizer at its best setting, quantiles over its seeds at each recorded step.

    task, optimizer, setting, diverged, failed, seeds (at that setting), step, evaluations (median), median, q25, q75 of the gap: not below the floor,
    inf where so many runs had stopped. Empty where no run left a curve.
    """
    rows = list(_best_curves(results))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["task"])


def _best_curves(results: "Results") -> Iterator[pd.DataFrame]:
    best = results.settings[results.settings["setting_id"].isin(results.ranking["setting_id"])].set_index("setting_id")
    entries = results.entries[results.entries["setting_id"].isin(best.index)]
    curves = results.curves_of(entries["run_id"]).merge(entries[["run_id", "setting_id", "gap_floor"]], on="run_id")
    for setting_id, group in curves.groupby("setting_id", sort=False):
        setting = best.loc[setting_id]
        gap = group.pivot(index="step", columns="run_id", values="gap").dropna()
        evaluations = group.pivot(index="step", columns="run_id", values="evaluations").loc[gap.index].median(axis=1)
        lost = np.full((len(gap), int(setting["seeds"]) - gap.shape[1]), np.inf)  # failed runs leave no curve
        values = at_least_floor(np.hstack([gap.to_numpy(), lost]), group["gap_floor"].iloc[0])  # (T + 1, seeds)
        shares = {"median": 0.5, "q25": 0.25, "q75": 0.75}
        labels = setting[["task", "optimizer", "setting", "diverged", "failed", "seeds"]].to_dict()
        quantiles = {column: quantile(values, q) for column, q in shares.items()}
        yield pd.DataFrame({**labels, "step": gap.index, "evaluations": evaluations.to_numpy(), **quantiles})


def stops(results: "Results") -> pd.DataFrame:
    """Return where the diverged runs of the best settings leave the figure: task, optimizer, run_id, evaluations and gap.

    That is their first step with a gap above BEYOND times the start's, or else their last.
    """
    entries = results.entries
    chosen = entries[entries["setting_id"].isin(results.ranking["setting_id"]) & (entries["status"] == "diverged")]
    rows = results.curves_of(chosen["run_id"]).merge(chosen[["run_id", "task", "name", "start_gap"]], on="run_id")
    beyond = rows["gap"] > BEYOND * rows["start_gap"]
    last = rows.groupby("run_id", sort=False).cumcount(ascending=False) == 0
    stops = rows[beyond | last].drop_duplicates("run_id")
    return stops.rename(columns={"name": "optimizer"})[["task", "optimizer", "run_id", "evaluations", "gap"]]


def sensitivity(results: "Results") -> pd.DataFrame:
    """Return the best setting of every optimizer at each of its learning rates, in tasks where some optimizer has two or more.

    The columns of `tables.settings` and `best`: this one is the optimizer's best of all. Empty where nobody has two learning rates.
    """
    ordered = best_first(results.settings.dropna(subset="lr"))
    rows = ordered.drop_duplicates(["task", "optimizer", "lr"]).sort_values(["task", "optimizer", "lr"], ignore_index=True)
    lrs = rows.groupby(["task", "optimizer"])["lr"].transform("size").groupby(rows["task"]).transform("max")
    return rows.assign(best=rows["setting_id"].isin(results.ranking["setting_id"]))[lrs >= 2]
