"""The ranking: each optimizer at its chosen setting, best first.

One row: task "lecture", rank 2, optimizer "sgd", setting "lr=0.05", arrived 10 (of seeds 10), cost 123.0,
level 1.3e-9, leader False, first False, word "clear", unit "evaluations", ratio 1.7 (of the leader's cost),
ratio_low 1.6, ratio_high 1.8, p 0.0004, trials 32.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import FRAMES, names
from lrbench.results.tables.entries import RUN
from lrbench.results.tables.settings import LOST_STATUSES
from lrbench.results.tables.tasks import COMPETITOR

# what depends on who else is in the sweep
RELATIVE = tuple(column.name for column in FRAMES["ranking"] if column.relative)
# learning rates; of a search whose box has these rates at its ends two suffice
SMALLEST_GRID_WITH_EDGES, SMALLEST_SEARCH_WITH_EDGES = 3, 2
# Of the width of a box, in log: a chosen lr of Sobol points there may have a better one beyond. The same
# number as in tuning/zooming.py, on the other side of the store, by which such boxes grow.
OUTER = 0.1
# what makes an order of optimizers of one rank; a name last, so that it is always the same
BEST_FIRST = ["rank", "behind", "order", "optimizer"]


# ---- who competes


def competitors(
    entries: pd.DataFrame, settings: pd.DataFrame, chosen: pd.DataFrame, scattered: bool = False
) -> pd.DataFrame:
    """Return a row a task and optimizer: its chosen setting, and what its search was.

    completed counts its `seeds`; diverged, failed and runs all its runs. edge is empty if nothing completed.
    scattered: whether trials are Sobol points of their box, which leave its ends out.
    """
    rows = chosen.drop(columns=LOST_STATUSES)
    for counts in (_run_counts(entries), _search_sizes(settings), _boxes(entries)):
        rows = rows.merge(counts, on=COMPETITOR, how="left")
    return rows.assign(edge=_edges(rows, scattered), trials=rows["settings"])


def _run_counts(entries: pd.DataFrame) -> pd.DataFrame:
    """Count how an optimizer's runs ended, each once whatever its roles."""
    runs = entries[["task", *RUN, "status"]].drop_duplicates(RUN)
    diverged = runs["status"] == "diverged"
    failed = runs["status"] == "failed"
    ended = runs.assign(diverged=diverged, failed=failed, runs=True)
    counts = ended.groupby(COMPETITOR, sort=False)[[*LOST_STATUSES, "runs"]].sum()
    return counts.reset_index()


def _search_sizes(settings: pd.DataFrame) -> pd.DataFrame:
    rates = settings.groupby(COMPETITOR)["lr"]
    return rates.agg(settings="size", lrs="nunique", lowest="min", highest="max").reset_index()


def _boxes(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the final box of each optimizer's lr: what all its trials were drawn from."""
    trials = entries[entries["role"] == "trial"]
    boxes = trials.groupby(COMPETITOR).agg(lr_low=("lr_low", "min"), lr_high=("lr_high", "max"))
    return boxes.reset_index()


def _edges(rows: pd.DataFrame, scattered: bool) -> np.ndarray:
    """Say at which edge of its search the chosen lr lies: at an end of what was tried, which of a grid is an
    end of its box too, or with scattered trials in the outer tenth of the box.
    """
    boxed = rows["lr_low"].notna()
    width = np.log(rows["lr_high"] / rows["lr_low"])
    place = np.log(rows["lr"] / rows["lr_low"]) / width  # 0 to 1
    in_tenths = boxed & scattered
    lowest = np.where(in_tenths, place < OUTER, rows["lr"] == rows["lowest"])
    highest = np.where(in_tenths, place > 1 - OUTER, rows["lr"] == rows["highest"])
    fewest = np.where(boxed, SMALLEST_SEARCH_WITH_EDGES, SMALLEST_GRID_WITH_EDGES)
    small_grid = (rows["lrs"] < fewest) & ~in_tenths
    nowhere = small_grid | (rows["completed"] == 0)
    return np.select([nowhere, lowest, highest], ["", "lowest", "highest"], "")


# ---- in which order


def ranking(competitors: pd.DataFrame, standings: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer at its chosen setting, best first: by rank, then by its score.

    Of one rank the leader stands first; who is lost on every seed has none, and stands last.

    competitors: as the function of this name gives; standings: as `tables.pairs`; beside: what stands there
    of an optimizer alone, default_gap, gain, tolerance, tolerance_open.
    """
    rows = competitors.merge(standings, on=COMPETITOR).merge(beside, on=COMPETITOR, how="left")
    place = pd.factorize(rows["task"])[0]
    ordered = rows.assign(place=place, behind=~rows["leader"])
    ordered = ordered.sort_values(["place", *BEST_FIRST], kind="stable", ignore_index=True)
    return ordered[names("ranking")]
