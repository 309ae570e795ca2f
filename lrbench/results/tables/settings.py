"""Settings, which are runs without their seeds: their statistics, and which of them is compared.

One row of `settings`: task "lecture", optimizer "adam", setting "lr=0.1", lr 0.1, seeds 3, gap 4.0e-9
(geometric mean), spread 2.1, median 3.9e-9, evaluations_to_target 91.0, hits 3, completed 3, diverged 0,
trial 17.
"""

from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.statistics import (
    by_group,
    geometric_mean,
    geometric_spread,
    interquartile_mean,
    median_first_hit,
    quantile,
)
from lrbench.results.tables.entries import RUN, SETTING
from lrbench.results.tables.tasks import COMPETITOR

LOST = ["diverged", "failed"]  # how a run may end that did not complete
BEST_FIRST = ["gap", "lost", "evaluations_to_target", "setting", "setting_id"]


def settings(entries: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer and setting, statistics over its seeds; a run that has several roles
    counts once.
    """
    runs = entries.drop_duplicates(RUN)
    places = runs.groupby(SETTING, sort=False).ngroup().to_numpy()
    first = runs.drop_duplicates(SETTING)
    each = partial(by_group, codes=places)
    count = partial(np.bincount, places)
    middle, lower, upper = (partial(quantile, q=share) for share in (0.5, 0.25, 0.75))
    gap = runs["gap"].to_numpy()
    hit = runs["hit"].to_numpy()
    test_loss = runs["final_test_loss"].astype(float).fillna(np.inf).to_numpy()
    mean = each(geometric_mean, gap)
    columns = {
        "task": first["task"],
        "optimizer": first["optimizer"],
        "setting": first["setting"],
        "lr": first["lr"],
        "seeds": count(),
        "gap": mean,
        "spread": each(geometric_spread, gap),
        "median": each(middle, gap),
        "q25": each(lower, gap),
        "q75": each(upper, gap),
        "iqm": each(interquartile_mean, gap),
        "relative_gap": mean / first["scale"].to_numpy(),
        "evaluations_to_target": each(median_first_hit, hit),
        "steps_to_target": each(median_first_hit, runs["hit_step"].to_numpy()),
        "evaluations": each(middle, runs["evaluations"].to_numpy()),
        "test_loss": np.where(first["final_test_loss"].notna(), each(middle, test_loss), np.nan),
        "hits": count(np.isfinite(hit)).astype(int),
        "holds": count(runs["holds"]).astype(int),
        "completed": count(runs["status"] == "completed").astype(int),
        "diverged": count(runs["status"] == "diverged").astype(int),
        "failed": count(runs["status"] == "failed").astype(int),
        "at_floor": count(gap <= runs["gap_floor"]) == count(),
        "trial": each(_first_trial, runs["trial"].to_numpy()),
        "setting_id": first["setting_id"],
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _first_trial(trials: np.ndarray) -> np.ndarray:
    return trials.min(axis=-1)


def best_first(settings: pd.DataFrame) -> pd.DataFrame:
    """Sort settings: lowest gap; on equal gaps most seeds completed, fewest evaluations to the target, the
    setting's text.
    """
    lost = settings["seeds"] - settings["completed"]
    return settings.assign(lost=lost).sort_values(BEST_FIRST, kind="stable").drop(columns="lost")


def reported(entries: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that are compared.

    Of a tuned sweep those on the evaluation seeds, else those of each optimizer's best setting.
    """
    if (entries["role"] != "grid").any():
        return entries[entries["role"] == "evaluation"].drop_duplicates(RUN)
    best = best_first(settings).drop_duplicates(COMPETITOR)
    chosen = pd.MultiIndex.from_frame(best[SETTING])
    return entries[pd.MultiIndex.from_frame(entries[SETTING]).isin(chosen)]
