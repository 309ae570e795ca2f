"""What tuning brought: each tuned setting beside the optimizer's own default, and the best of some trials.

One row of `gains`: task "lecture", optimizer "adam", setting "lr=0.3", cost 110.0, default_cost 390.0, unit
"evaluations", gain 3.5 (default over tuned), low 3.3, high 3.8, word "clear", n 10, test "t", p 1e-9. Of
`budget`: task "lecture", optimizer "adam", trials 8, q25 -1.4, median -1.3, q75 0.2 (scores).
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import RISE, UNTOLD, best_of_subsets, compare_groups, words
from lrbench.results.tables.entries import readings
from lrbench.results.tables.settings import settings as settings_of
from lrbench.results.tables.tasks import COMPETITOR

FEWEST_TRIALS = 4
# How a search shares out its trials: each of two zooms gets two of eight. The same as in tuning/policy.py, on
# the other side of the store.
ZOOMS = 2
EIGHTH = 8
BESIDE = ["gap", "cost", "arrived"]  # what stands of the tuned setting, and of the default
UNPAIRED = {"test": "none", "word": UNTOLD, "n": 0, "side": 0}  # where no seed ran both


# ---- the search


def stages(trials: int) -> list[int]:
    """Return how many of its trials a search has over the box, and how many in each of its zooms."""
    zoom = 2 * (trials // EIGHTH)
    zooms = [zoom] * ZOOMS if zoom else []
    return [trials - sum(zooms), *zooms]


# ---- against the default


def gains(reported: pd.DataFrame, chosen: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer that ran at its default too: how much better the tuned setting is.

    reported, chosen: the runs that are compared, and their settings. defaults: the runs at the defaults.
    gain is the default's cost, or level, over the tuned one's; low, high, n, test, p, word and side are of
    this row alone, as in `statistics.pairs`. n is 0 where no seed ran both.
    """
    if defaults.empty:
        return typed([], "tuned_against_default")
    tuned = chosen.drop_duplicates(COMPETITOR)
    default = settings_of(defaults).drop_duplicates(COMPETITOR)
    beside = default[BESIDE].set_axis([f"default_{name}" for name in BESIDE], axis=1)
    rows = tuned.merge(default[COMPETITOR].join(beside), on=COMPETITOR)
    both = rows[[*COMPETITOR, "setting", *BESIDE, *beside]].merge(
        _compared(reported, defaults), on=COMPETITOR, how="left"
    )
    return typed([both.fillna(UNPAIRED)], "tuned_against_default")


def _compared(reported: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return task, optimizer and what tuned setting and default say on the seeds that ran both."""
    pairs = _numbered(reported).merge(
        _numbered(defaults), on=[*COMPETITOR, "seed"], suffixes=("", "_default")
    )
    groups = pairs.groupby(COMPETITOR, sort=False)
    tuned = readings(reported).take(pairs["row"].to_numpy())
    default = readings(defaults).take(pairs["row_default"].to_numpy())
    found = compare_groups(tuned, default, groups.ngroup().to_numpy())
    word, side = words(found, found.p, found.beyond, family=1)
    columns = found._asdict() | {"gain": found.ratio, "word": word, "side": side}
    return pairs[COMPETITOR].drop_duplicates(ignore_index=True).assign(**columns)


def _numbered(runs: pd.DataFrame) -> pd.DataFrame:
    """Return task, optimizer, seed and the place of each run; a seed once."""
    return runs[[*COMPETITOR, "seed"]].assign(row=np.arange(len(runs))).drop_duplicates([*COMPETITOR, "seed"])


def with_lost(gains: pd.DataFrame, chosen: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """Return `gains` with how many of its seeds the tuned setting lost, and the default one."""
    lost = chosen[[*COMPETITOR, "lost", "seeds"]]
    counts = defaults.groupby(COMPETITOR)["lost"]
    default_lost = counts.agg(default_lost="sum", default_seeds="size").reset_index()
    return gains.drop(columns=["n"]).merge(lost, on=COMPETITOR).merge(default_lost, on=COMPETITOR)


def default_rates(defaults: pd.DataFrame) -> pd.DataFrame:
    """Return task, optimizer and lr of the default settings; empty where the sweep was not tuned."""
    rates = defaults[[*COMPETITOR, "lr"]].drop_duplicates()
    return rates[rates["lr"] > 0]


# ---- the best of some trials


def budget(settings: pd.DataFrame, limit: float | None = RISE) -> pd.DataFrame:
    """Return quartiles of the least score of m of T settings: m = 1, 2, 4, ... and T; only from T = 4 on.

    A setting that lost a seed, or first rises above the limit, is not found: its score is inf. Of a search
    that zoomed, many of the T lie near the best: one of m trials alone would find less.
    """
    highest = np.inf if limit is None else limit
    found = (settings["lost"] == 0) & (settings["rise"] <= highest)
    scores = settings[COMPETITOR].assign(score=settings["score"].where(found, np.inf))
    rows = []
    for (task, optimizer), own in scores.groupby(COMPETITOR, sort=False)["score"]:
        if len(own) < FEWEST_TRIALS:
            continue
        sizes = _sizes(len(own))
        quartiles = best_of_subsets(own.to_numpy(), sizes)
        rows += [(task, optimizer, size, *three) for size, three in zip(sizes, quartiles, strict=True)]
    return typed(rows, "budget_curve")


def _sizes(trials: int) -> list[int]:
    """Return the powers of two below a number, and the number."""
    powers = [2**k for k in range((trials - 1).bit_length())]
    return [*powers, trials]
