"""Loss curves at the chosen settings: their medians over the seeds, and where runs left them.

One row of `best_curves`: task "lecture", optimizer "adam", setting "lr=0.3", diverged 0, failed 0, seeds 10,
step 40, evaluations 40.0, median 3.1e-4, q25 1.2e-4, q75 8.8e-4.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import names, typed
from lrbench.results.statistics import at_least_floor, quantile
from lrbench.results.tables.tasks import COMPETITOR

BEYOND = 30  # times the start's gap: above that a run has left the figure
QUARTILES = {"median": 0.5, "q25": 0.25, "q75": 0.75}
LABELS = [*COMPETITOR, "setting", "diverged", "failed", "seeds"]  # of a curve

ReadCurves = Callable[[pd.Series], pd.DataFrame]  # run ids -> their curves; see `frames.read.curves`


def best_curves(chosen: pd.DataFrame, reported: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return the curve of every optimizer at its chosen setting, quantiles over its seeds at each recorded
    step.

    Empty where no run left a curve.
    """
    labels = chosen[LABELS].to_dict("records")
    settings = {(setting["task"], setting["optimizer"]): setting for setting in labels}
    runs = reported[["run_id", *COMPETITOR, "gap_floor"]]
    curves = read(reported["run_id"]).merge(runs, on="run_id")
    lines = []
    for (task, optimizer), own in curves.groupby(COMPETITOR, sort=False):
        setting = settings[task, optimizer]
        line = over_seeds(own, int(setting["seeds"]), QUARTILES)
        for label in LABELS:
            line[label] = setting[label]
        lines.append(line)
    return typed(lines, "best_curves")


def over_seeds(curves: pd.DataFrame, seeds: int, shares: dict[str, float]) -> pd.DataFrame:
    """Return a row a recorded step of one setting: step, evaluations (median), and quantiles of the gap as
    `shares` names them.

    curves: of its runs, with gap_floor. Runs that failed leave no curve and count as inf, up to so many
    seeds. Gaps are not below the floor.
    """
    gap = curves.pivot(index="step", columns="run_id", values="gap").dropna()
    each = curves.pivot(index="step", columns="run_id", values="evaluations")
    evaluations = each.loc[gap.index].median(axis=1)
    failed = np.full((len(gap), seeds - gap.shape[1]), np.inf)
    gaps = np.hstack([gap.to_numpy(), failed])  # (T + 1, seeds)
    floored = at_least_floor(gaps, curves["gap_floor"].iloc[0])
    quantiles = {name: quantile(floored, share) for name, share in shares.items()}
    return pd.DataFrame({"step": gap.index, "evaluations": evaluations.to_numpy(), **quantiles})


def stops(reported: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return where the diverged runs of the chosen settings leave the figure.

    That is their first step with a gap above BEYOND times the start's, or else their last.
    """
    diverged = reported.loc[reported["status"] == "diverged", ["run_id", *COMPETITOR, "start_gap"]]
    rows = read(diverged["run_id"]).merge(diverged, on="run_id")
    run = ["optimizer", "run_id"]
    is_beyond = rows["gap"] > BEYOND * rows["start_gap"]
    is_last = rows.groupby(run, sort=False).cumcount(ascending=False) == 0
    left = rows[is_beyond | is_last].drop_duplicates(run)
    return left[names("stops")]


def finals(reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the compared runs, a row a seed, best optimizer first."""
    chosen = ranking[[*COMPETITOR, "median", "seeds", "lost"]]
    runs = reported[[*COMPETITOR, "seed", "gap", "arrived", "hit"]]
    return chosen.merge(runs, on=COMPETITOR)[names("finals")]
