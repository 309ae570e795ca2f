"""Settings, which are runs without their seeds: their statistics, and which of them is compared.

One row of `settings`: task "lecture", optimizer "adam", setting "lr=0.1", lr 0.1, seeds 3, score -1.7, lost
0, arrived 3, cost 91.0, level 4.0e-9, rise 1.2, spread 2.1, median 3.9e-9, completed 3, diverged 0, trial 17.
"""

from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import names
from lrbench.results.statistics import (
    RISE,
    by_group,
    geometric_mean,
    geometric_spread,
    interquartile_mean,
    median_first_hit,
    quantile,
)
from lrbench.results.tables.entries import RUN, SETTING, TINY
from lrbench.results.tables.tasks import COMPETITOR

LOST_STATUSES = ["diverged", "failed"]  # how a run may end that did not complete
LABELS = ["task", "optimizer", "setting", "lr", "setting_id"]
_median = partial(quantile, q=0.5)
GAP_STATISTICS = {
    "gap": geometric_mean,
    "spread": geometric_spread,
    "median": _median,
    "q25": partial(quantile, q=0.25),
    "q75": partial(quantile, q=0.75),
    "iqm": interquartile_mean,
}
BEST_FIRST = ["hopeless", "lost", "score", "lr", "setting", "setting_id"]


def settings(entries: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer and setting, statistics over its seeds; a run that has several roles
    counts once.
    """
    runs = entries.drop_duplicates(RUN)
    codes = runs.groupby(SETTING, sort=False).ngroup().to_numpy()  # (R,), the setting of each run
    first = runs.drop_duplicates(SETTING).reset_index(drop=True)  # a row a setting, in their order
    columns = _worth(runs, codes) | _gaps(runs, codes) | _costs(runs, codes) | _ends(runs, codes)
    columns["relative_gap"] = columns["gap"] / first["scale"].to_numpy()
    columns["relative_level"] = columns["level"] / first["scale"].to_numpy()
    has_test = first["final_test_loss"].notna()
    columns["test_loss"] = np.where(has_test, _test_losses(runs, codes), np.nan)
    columns["trial"] = by_group(_first_trial, runs["trial"].to_numpy(), codes)
    return first[LABELS].assign(**columns)[names("settings")]


def _worth(runs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return by what each setting is compared, (G,) a column."""
    kept = ~runs["lost"].to_numpy()
    arrived = runs["arrived"].to_numpy()
    log_cost = np.log(runs["cost"].to_numpy())
    log_level = np.log(np.maximum(runs["gap"].to_numpy(), TINY))
    score = mean_where(kept, runs["score"].to_numpy(), codes)
    return {
        "score": np.where(np.isnan(score), np.inf, score),
        "lost": np.bincount(codes, ~kept).astype(int),
        "arrived": np.bincount(codes, arrived).astype(int),
        "cost": np.exp(mean_where(arrived, log_cost, codes)),
        "level": np.exp(mean_where(kept, log_level, codes)),
        "rise": by_group(_largest, runs["rise"].to_numpy(), codes),
    }


def mean_where(counts: np.ndarray, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the mean of those values (R,) of each group that count, (G,); NaN where none does."""
    sums = np.bincount(codes, np.where(counts, values, 0.0))
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(codes, counts)


def _gaps(runs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is said of the final gaps of each setting, (G,) a column."""
    gap = runs["gap"].to_numpy()
    return {name: by_group(statistic, gap, codes) for name, statistic in GAP_STATISTICS.items()}


def _costs(runs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Return what each setting costs: to the target, and in all."""
    return {
        "evaluations_to_target": by_group(median_first_hit, runs["hit"].to_numpy(), codes),
        "evaluations": by_group(_median, runs["evaluations"].to_numpy(), codes),
        "steps_taken": by_group(_median, runs["steps_taken"].to_numpy(), codes),
    }


def _ends(runs: pd.DataFrame, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Count the seeds of each setting, and how they ended."""
    seeds = np.bincount(codes)
    at_floor = np.bincount(codes, runs["gap"] <= runs["gap_floor"])
    counted = {
        "completed": runs["status"] == "completed",
        "diverged": runs["status"] == "diverged",
        "failed": runs["status"] == "failed",
    }
    # bincount of weights adds up floats
    counts = {name: np.bincount(codes, is_so).astype(int) for name, is_so in counted.items()}
    return {"seeds": seeds, "at_floor": at_floor == seeds} | counts


def _test_losses(runs: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
    """Return the median test loss of each setting, (G,); a run that has none counts as inf."""
    losses = runs["final_test_loss"].astype(float).fillna(np.inf)
    return by_group(_median, losses.to_numpy(), codes)


def _first_trial(trials: np.ndarray) -> np.ndarray:
    return trials.min(axis=-1)


def _largest(rises: np.ndarray) -> np.ndarray:
    return rises.max(axis=-1)


# ---- which one is compared


def highest(limit: float | None) -> float:
    """Return the highest rise of a setting that may be chosen; above it one may arrive early, but is no
    advice.
    """
    return np.inf if limit is None else limit


def best_first(settings: pd.DataFrame, limit: float | None = RISE) -> pd.DataFrame:
    """Sort settings as `statistics.readings.choose` does: fewest lost seeds, least mean score, lowest lr.

    What first rises above the limit counts as lost on every seed; of such the lowest lr comes first.
    """
    hopeless = (settings["rise"] > highest(limit)) | (settings["lost"] == settings["seeds"])
    lost = settings["lost"].where(~hopeless, 0)
    score = settings["score"].where(~hopeless, 0.0)
    keys = settings.assign(hopeless=hopeless, lost=lost, score=score)
    return settings.loc[keys.sort_values(BEST_FIRST, kind="stable").index]


def lost_count(frame: pd.DataFrame) -> pd.Series:
    """Return how many runs each row of a frame lost, whichever way."""
    return frame["diverged"] + frame["failed"]


def reported(entries: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that are compared.

    Of a tuned sweep those on the evaluation seeds, else those of each optimizer's best setting.
    """
    if (entries["role"] != "grid").any():
        return entries[entries["role"] == "evaluation"].drop_duplicates(RUN)
    best = best_first(settings).drop_duplicates(COMPETITOR)
    chosen = pd.MultiIndex.from_frame(best[SETTING])
    return entries[pd.MultiIndex.from_frame(entries[SETTING]).isin(chosen)]
