"""What each learning rate gave.

One row of `rates`: a setting (see settings.py), the best one of its optimizer at this lr, and best True, edge
"", scattered False. Of `tolerances`: task "lecture", optimizer "adam", lrs 32, tolerance 1.4 (decades that
work), open_low False, open_high False, lowest_lr 0.03, highest_lr 0.7, best_lr 0.33.
"""

import re

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import at_least_half, lr_tolerance, widest_stretch
from lrbench.results.statistics.readings import RISE
from lrbench.results.tables.settings import best_first
from lrbench.results.tables.tasks import COMPETITOR

FEWEST_RATES = 2  # of an optimizer, where rates are compared
WORKS = np.log(
    2
)  # a setting works whose cost, or level where nobody arrives, is at most twice the best one's


def scattered(settings: pd.DataFrame) -> bool:
    """Say of an optimizer's settings whether there is but one a learning rate, and they differ in more than
    that.

    Then neighbouring rates are not steps of one curve.
    """
    beside_lr = {re.sub(r"\blr=\S+ ?", "", text) for text in settings["setting"]}
    return settings["lr"].is_unique and len(beside_lr) > 1


def works(settings: pd.DataFrame, limit: float | None = RISE) -> np.ndarray:
    """Say which settings of an optimizer, best first, work: they lose no seed, first rise no higher than the
    limit, and cost at most twice the best one; or end at most twice as high where that does not arrive.
    """
    arrives = at_least_half(settings["arrived"].to_numpy(), settings["seeds"].to_numpy())
    as_good = settings["score"] <= settings["score"].iloc[0] + WORKS
    whole = (settings["lost"] == 0) & (settings["rise"] <= (np.inf if limit is None else limit))
    return (whole & as_good & (arrives == arrives[0])).to_numpy()


def tolerances(settings: pd.DataFrame, limit: float | None = RISE) -> pd.DataFrame:
    """Return a row a task and optimizer with a learning rate: over how many decades of it the settings work.

    At each rate the best setting counts. limit: of the rise, above which none works.
    """
    with_lr = best_first(settings.dropna(subset="lr"), limit)
    groups = with_lr.groupby(COMPETITOR, sort=False)
    rows = [(task, optimizer, *_tolerance(own, limit)) for (task, optimizer), own in groups]
    return typed(rows, "sensitivity_table")


def _tolerance(
    settings: pd.DataFrame, limit: float | None
) -> tuple[int, float, bool, bool, float, float, float]:
    """Return what `tolerances` says of one competitor, whose settings come best first."""
    best = settings[~settings["lr"].duplicated()]
    lr = best["lr"].to_numpy()
    working = works(best, limit)
    if scattered(settings):
        working = np.zeros(len(lr), dtype=bool)
    width, open_low, open_high = lr_tolerance(lr, working)
    lowest, highest = widest_stretch(lr, working)
    return len(lr), width, open_low, open_high, lowest, highest, lr[0]


def rates(settings: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the best setting of every optimizer at each of its learning rates, in tasks where some optimizer
    has two or more.

    Empty where nobody has two learning rates.
    """
    ordered = best_first(settings[settings["lr"] > 0])
    at_each = ordered.drop_duplicates([*COMPETITOR, "lr"])
    at_each = at_each.sort_values([*COMPETITOR, "lr"], ignore_index=True)
    chosen = ranking[[*COMPETITOR, "setting_id", "edge"]].rename(columns={"setting_id": "chosen"})
    rows = at_each.merge(chosen, on=COMPETITOR)
    groups = ordered.groupby(COMPETITOR, sort=False)
    no_curve = {competitor: scattered(own) for competitor, own in groups}
    competitors = zip(rows["task"], rows["optimizer"], strict=True)
    rows["best"] = rows["setting_id"] == rows["chosen"]
    rows["scattered"] = [no_curve[competitor] for competitor in competitors]
    rates_of_each = rows.groupby(COMPETITOR)["lr"].transform("size")
    most_of_task = rates_of_each.groupby(rows["task"]).transform("max")
    return typed([rows[most_of_task >= FEWEST_RATES]], "rates")


def cells(rates: pd.DataFrame) -> pd.DataFrame:
    """Return `rates` with the cell of each, which goes half way (in log) to its neighbours."""
    log_lr = pd.Series(np.log(rates["lr"]), index=rates.index)
    logs = log_lr.groupby([rates["task"], rates["optimizer"]])
    below = logs.diff() / 2
    above = logs.diff(-1).abs() / 2
    # a rate alone gets the width that is usual in its task
    usual = below.groupby(rates["task"]).transform("median").fillna(0.5)
    left = below.fillna(above).fillna(usual)
    right = above.fillna(below).fillna(usual)
    return rates.assign(
        left=rates["lr"] * np.exp(-left),
        right=rates["lr"] * np.exp(right),
    )
