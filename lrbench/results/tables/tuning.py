"""What tuning brought: each tuned setting beside the optimizer's own default, and the best of some trials.

One row of `gains`: task "lecture", optimizer "adam", setting "lr=0.3", gap 1e-9, default_gap 2.0, gain 2e9
(default over tuned), low 1e9, high 4e9, n 10, test "t", p 1e-9. Of `budget`: task "lecture", optimizer
"adam", trials 8, q25 1e-9, median 3e-9, q75 1e-5.
"""

from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import PairedComparison, best_of_subsets, compare, geometric_mean, shown
from lrbench.results.tables.entries import RUN
from lrbench.results.tables.settings import lost_count
from lrbench.results.tables.tasks import COMPETITOR

FEWEST_TRIALS = 4
# How a search shares out its trials: each of two zooms gets two of eight. The same as in tuning/policy.py, on
# the other side of the store.
ZOOMS = 2
EIGHTH = 8
NO_PAIR = PairedComparison(0, "none", 0, 0, 0)


# ---- the search


def stages(trials: int) -> list[int]:
    """Return how many of its trials a search has over the box, and how many in each of its zooms."""
    zoom = 2 * (trials // EIGHTH)
    zooms = [zoom] * ZOOMS if zoom else []
    return [trials - sum(zooms), *zooms]


# ---- against the default


def gains(reported: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer that ran at its default too: how many times lower the gap ends at the
    tuned setting.

    low, high, at_least, n, test and p are of this row alone, as in `statistics.compare`.
    """
    if defaults.empty:
        return typed([], "tuned_against_default")
    once = defaults.drop_duplicates(RUN)[[*COMPETITOR, "seed", "gap"]]
    tuned = reported[[*COMPETITOR, "seed", "setting", "gap", "gap_floor"]]
    both = tuned.merge(once, how="outer", on=[*COMPETITOR, "seed"], suffixes=("", "_default"))
    counts = both.groupby(COMPETITOR)[["gap", "gap_default"]].transform("count")
    ran_both = both[counts.min(axis=1) > 0]
    groups = ran_both.groupby(COMPETITOR, sort=False)
    rows = [_gain(runs) for _, runs in groups]
    return typed(rows, "tuned_against_default")


def _gain(runs: pd.DataFrame) -> dict[str, Any]:
    """Return the row of one competitor; runs: a row a seed, with `gap` and `gap_default`."""
    tuned = runs.dropna(subset="gap")
    default = runs["gap_default"].dropna()
    pairs = tuned.dropna(subset="gap_default")
    first = tuned.iloc[0]
    found = NO_PAIR
    if len(pairs):
        found = compare(pairs["gap"].to_numpy(), pairs["gap_default"].to_numpy(), first["gap_floor"])
    return {
        "task": first["task"],
        "optimizer": first["optimizer"],
        "setting": first["setting"],
        "gap": float(geometric_mean(tuned["gap"].to_numpy())),
        "default_gap": float(geometric_mean(default.to_numpy())),
        "gain": found.ratio,
        "low": found.low,
        "high": found.high,
        "at_least": found.at_least,
        "n": found.n,
        "test": found.test,
        "p": found.p,
    }


def shown_sides(gains: pd.DataFrame) -> np.ndarray:
    """Return 1 where the tuned setting is shown better, -1 where the default one is, else 0, (G,)."""
    measures = gains[["p", "low", "high", "at_least"]].astype(float).to_numpy()
    return shown(*measures.T)


def with_lost(gains: pd.DataFrame, chosen: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return `gains` with how many of its seeds the tuned setting lost, and the default one."""
    lost = chosen.assign(lost=lost_count(chosen))[[*COMPETITOR, "lost", "seeds"]]
    not_completed = defaults.assign(default_lost=defaults["status"] != "completed")
    counts = not_completed.groupby(COMPETITOR)["default_lost"]
    default_lost = counts.agg(default_lost="sum", default_seeds="size").reset_index()
    return gains.drop(columns=["n"]).merge(lost, on=COMPETITOR).merge(default_lost, on=COMPETITOR)


def default_rates(defaults: pd.DataFrame) -> pd.DataFrame:
    """Return task, optimizer and lr of the default settings; empty where the sweep was not tuned."""
    rates = defaults[[*COMPETITOR, "lr"]].drop_duplicates()
    return rates[rates["lr"] > 0]


# ---- the best of some trials


def budget(settings: pd.DataFrame) -> pd.DataFrame:
    """Return quartiles of the lowest gap of m of T settings: m = 1, 2, 4, ... and T; only from T = 4 on.

    Of a search that zoomed, many of the T lie near the best: one of m trials alone would find less.
    """
    rows = []
    for (task, optimizer), gaps in settings.groupby(COMPETITOR, sort=False)["gap"]:
        if len(gaps) < FEWEST_TRIALS:
            continue
        sizes = _sizes(len(gaps))
        quartiles = best_of_subsets(gaps.to_numpy(), sizes)
        rows += [(task, optimizer, size, *three) for size, three in zip(sizes, quartiles, strict=True)]
    return typed(rows, "budget_curve")


def _sizes(trials: int) -> list[int]:
    """Return the powers of two below a number, and the number."""
    powers = [2**k for k in range((trials - 1).bit_length())]
    return [*powers, trials]
