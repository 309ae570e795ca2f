"""What each learning rate gave, and which of them work.

One row of `rates`: a setting (see settings.py), the best one of its optimizer at this lr, and works True,
best True, edge "", scattered False. Of `tolerances`: task "lecture", optimizer "adam", lrs 32, tolerance 1.4
(decades that work), open_low False, open_high False, lowest_lr 0.03, highest_lr 0.7, best_lr 0.33.
"""

import re

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import RISE, stretch_around
from lrbench.results.tables.settings import best_first, highest
from lrbench.results.tables.tasks import COMPETITOR

FEWEST_RATES = 2  # of an optimizer, where rates are compared
# A rate works that costs at most so many times what the best one does, or ends at most so many times as high
# where that does not arrive.
WORKS = 2.0


def at_each_rate(settings: pd.DataFrame, limit: float | None = RISE) -> pd.DataFrame:
    """Return the best setting of every optimizer at each of its learning rates, best first, with two columns.

    works: it loses no seed, first rises no higher than the limit, and its mean score is at most log(WORKS)
    above the best one's; where that arrives, so does it. scattered: as the function of this name says.
    """
    ordered = best_first(settings[settings["lr"] > 0], limit)
    rows = ordered.drop_duplicates([*COMPETITOR, "lr"])
    rows = rows.assign(arrives=rows["evaluations_to_target"] < np.inf)
    best = rows.groupby(COMPETITOR, sort=False)[["score", "arrives"]].transform("first")
    as_good = rows["score"] <= best["score"] + np.log(WORKS)
    sound = (rows["lost"] == 0) & (rows["rise"] <= highest(limit))
    works = sound & as_good & (rows["arrives"] == best["arrives"])
    return rows.assign(works=works, scattered=_scattered(ordered, rows)).drop(columns="arrives")


def _scattered(settings: pd.DataFrame, rows: pd.DataFrame) -> list[bool]:
    """Say of some rows whether the settings of their optimizer are scattered."""
    groups = settings.groupby(COMPETITOR, sort=False)
    no_curve = {competitor: scattered(own) for competitor, own in groups}
    return [no_curve[competitor] for competitor in zip(rows["task"], rows["optimizer"], strict=True)]


def scattered(settings: pd.DataFrame) -> bool:
    """Say of an optimizer's settings whether there is but one a learning rate, and they differ in more than
    that.

    Then neighbouring rates are not steps of one curve.
    """
    if not settings["lr"].is_unique:
        return False
    beside_lr = {re.sub(r"\blr=\S+ ?", "", text) for text in settings["setting"]}
    return len(beside_lr) > 1


def tolerances(at_each_rate: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer with a learning rate: the rates around the best one that work.

    None works where the best one does not, and where neighbours are no curve.
    """
    groups = at_each_rate.groupby(COMPETITOR, sort=False)
    rows = [(task, optimizer, *_tolerance(own)) for (task, optimizer), own in groups]
    return typed(rows, "sensitivity_table")


def _tolerance(best: pd.DataFrame) -> tuple[int, float, bool, bool, float, float, float]:
    """Return what `tolerances` says of one competitor, whose rates come best first."""
    lr = best["lr"].to_numpy()
    works = best["works"].to_numpy() & ~best["scattered"].to_numpy()
    low, high = stretch_around(lr, works, lr[0])
    decades = np.log10(high / low)
    return len(lr), decades, low == lr.min(), high == lr.max(), low, high, lr[0]


def rates(at_each_rate: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return `at_each_rate` in the order of the rates, with those that are chosen, in tasks where some
    optimizer has two or more.

    Empty where nobody has two learning rates.
    """
    ordered = at_each_rate.sort_values([*COMPETITOR, "lr"], ignore_index=True)
    chosen = ranking[[*COMPETITOR, "setting_id", "edge"]].rename(columns={"setting_id": "chosen"})
    rows = ordered.merge(chosen, on=COMPETITOR)
    rows["best"] = rows["setting_id"] == rows["chosen"]
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
