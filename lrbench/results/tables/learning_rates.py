"""What each learning rate gave.

One row of `rates`: a setting (see settings.py), the best one of its optimizer at this lr, and best True, edge
"", scattered False. Of `tolerances`: task "lecture", optimizer "adam", lrs 32, tolerance 1.4 (decades at
which the target is reached), open_low False, open_high False, lowest_lr 0.03, highest_lr 0.7, best_lr 0.33.
"""

import re

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import at_least_half, lr_tolerance, widest_stretch
from lrbench.results.tables.settings import best_first, lost_count
from lrbench.results.tables.tasks import COMPETITOR

FEWEST_RATES = 2  # of an optimizer, where rates are compared


def scattered(settings: pd.DataFrame) -> bool:
    """Say of an optimizer's settings whether there is but one a learning rate, and they differ in more than
    that.

    Then neighbouring rates are not steps of one curve.
    """
    beside_lr = {re.sub(r"\blr=\S+ ?", "", text) for text in settings["setting"]}
    return settings["lr"].is_unique and len(beside_lr) > 1


def tolerances(settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer with a learning rate: over how many decades of it the target is
    reached.

    At each rate the best setting counts.
    """
    with_lr = best_first(settings.dropna(subset="lr"))
    groups = with_lr.groupby(COMPETITOR, sort=False)
    rows = [(task, optimizer, *_tolerance(own)) for (task, optimizer), own in groups]
    return typed(rows, "sensitivity_table")


def _tolerance(settings: pd.DataFrame) -> tuple[int, float, bool, bool, float, float, float]:
    """Return what `tolerances` says of one competitor, whose settings come best first."""
    best = settings[~settings["lr"].duplicated()]
    lr = best["lr"].to_numpy()
    reached = at_least_half(best["holds"].to_numpy(), best["seeds"].to_numpy())
    if scattered(settings):
        reached = np.zeros(len(lr), dtype=bool)
    width, open_low, open_high = lr_tolerance(lr, reached)
    lowest, highest = widest_stretch(lr, reached)
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
        lost=lost_count(rates),
        left=rates["lr"] * np.exp(-left),
        right=rates["lr"] * np.exp(right),
    )
