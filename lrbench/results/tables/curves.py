"""Loss curves at the chosen settings: their medians over the seeds, and where runs left them.

One row of `best_curves`: task "lecture", optimizer "adam", setting "lr=0.3", diverged 0, failed 0, seeds 10,
step 40, evaluations 40.0, median 3.1e-4, q25 1.2e-4, q75 8.8e-4.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from lrbench.results.statistics import at_least_floor, quantile
from lrbench.results.tables.tasks import COMPETITOR

BEYOND = 30  # times the start's gap: above that a run has left the figure
QUARTILES = {"median": 0.5, "q25": 0.25, "q75": 0.75}

ReadCurves = Callable[[pd.Series], pd.DataFrame]  # run ids -> their curves; see `frames.read.curves`


def best_curves(chosen: pd.DataFrame, reported: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return the curve of every optimizer at its chosen setting, quantiles over its seeds at each recorded
    step.

    task, optimizer, setting, diverged, failed, seeds (at that setting), step, evaluations (median), median,
    q25, q75 of the gap: not below the floor, inf where so many runs had stopped. Empty where no run left a
    curve.
    """
    rows = list(_best_curves(chosen, reported, read))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["task"])


def _best_curves(chosen: pd.DataFrame, reported: pd.DataFrame, read: ReadCurves) -> Iterator[pd.DataFrame]:
    settings = chosen.set_index(COMPETITOR, drop=False)
    curves = read(reported["run_id"]).merge(reported[["run_id", *COMPETITOR, "gap_floor"]], on="run_id")
    for competitor, own in curves.groupby(COMPETITOR, sort=False):
        setting = settings.loc[competitor]
        labels = setting[[*COMPETITOR, "setting", "diverged", "failed", "seeds"]].to_dict()
        yield over_seeds(own, int(setting["seeds"]), QUARTILES).assign(**labels)[
            [*labels, *CURVE, *QUARTILES]
        ]


CURVE = ["step", "evaluations"]


def over_seeds(curves: pd.DataFrame, seeds: int, shares: dict[str, float]) -> pd.DataFrame:
    """Return a row a recorded step of one setting: step, evaluations (median), and quantiles of the gap as
    `shares` names them.

    curves: of its runs, with gap_floor. Runs that failed leave no curve and count as inf, up to so many
    seeds. Gaps are not below the floor.
    """
    gap = curves.pivot(index="step", columns="run_id", values="gap").dropna()
    evaluations = (
        curves.pivot(index="step", columns="run_id", values="evaluations").loc[gap.index].median(axis=1)
    )
    failed = np.full((len(gap), seeds - gap.shape[1]), np.inf)
    values = at_least_floor(
        np.hstack([gap.to_numpy(), failed]), curves["gap_floor"].iloc[0]
    )  # (T + 1, seeds)
    quantiles = {name: quantile(values, share) for name, share in shares.items()}
    return pd.DataFrame({"step": gap.index, "evaluations": evaluations.to_numpy(), **quantiles})


def stops(reported: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return where the diverged runs of the chosen settings leave the figure: task, optimizer, run_id,
    evaluations and gap.

    That is their first step with a gap above BEYOND times the start's, or else their last.
    """
    diverged = reported.loc[reported["status"] == "diverged", ["run_id", *COMPETITOR, "start_gap"]]
    rows = read(diverged["run_id"]).merge(diverged, on="run_id")
    run = ["optimizer", "run_id"]
    is_beyond = rows["gap"] > BEYOND * rows["start_gap"]
    is_last = rows.groupby(run, sort=False).cumcount(ascending=False) == 0
    left = rows[is_beyond | is_last].drop_duplicates(run)
    return left[[*COMPETITOR, "run_id", "evaluations", "gap"]]


def finals(reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the compared runs, a row a seed: task, optimizer, seed, gap, and of the setting median, lost
    and seeds; best first.
    """
    chosen = ranking[[*COMPETITOR, "median", "seeds"]]
    rows = chosen.merge(reported[[*COMPETITOR, "seed", "gap"]], on=COMPETITOR)
    lost = np.isinf(rows["gap"]).groupby([rows["task"], rows["optimizer"]]).transform("sum")
    return rows.assign(lost=lost)
