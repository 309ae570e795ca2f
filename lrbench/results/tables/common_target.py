"""The target at which a task of A and one of B are both read, and what runs are worth there.

A cost until one target is no cost until another. Where A and B were asked for different ones, the runs of one
are read again at the target of the other: every run is stored with its costs until 1e-1 ... 1e-8 too.

One row of `worth_at`: goal 8e-6, arrived True, cost 88.0, score -1.7, left False.
"""

import numpy as np
import pandas as pd

from lrbench.results.tables.entries import arrivals
from lrbench.results.tables.targets import TARGETS

STORED = {float(target): f"cost_{target}" for target in TARGETS}  # target -> the column of costs until it


def common_target(a: float, b: float) -> float:
    """Return at which target runs are read of which some were asked for a and some for b.

    A's, or B's if the costs until A's are not stored in B; where neither is, the stored one nearest to A's.
    """
    if a == b or a in STORED:
        return a
    if b in STORED:
        return b
    return min(STORED, key=lambda target: abs(np.log(target / a)))


def worth_at(entries: pd.DataFrame, target: pd.Series, budget: pd.Series) -> pd.DataFrame:
    """Return what runs are worth, each at its target and within its budget, as in `entries`.

    budget: of the score alone. Runs on both sides of a comparison have the same one there, so that their
    scores differ by the ratio of their costs. Nothing is known of who leaves another target than the runs'
    own.
    """
    is_own = target == entries["relative_target"]
    hit = arrivals(entries, "cost_target")
    for stored, column in STORED.items():
        is_here = ~is_own & (target == stored)
        if is_here.any():
            hit = hit.mask(is_here, arrivals(entries, column))
    arrived = np.isfinite(hit) & ~entries["lost"]
    cost = hit.where(arrived, entries["budget"])
    goal = np.fmax(target * entries["scale"], entries["gap_floor"])
    # of a lost run log(inf); of one that arrived the level is not asked, which may be 0
    of_level = np.log(entries["gap"].mask(arrived, goal)) - np.log(goal)
    score = np.where(arrived, np.log(cost / budget), of_level)
    worth = {
        "goal": goal,
        "arrived": arrived,
        "cost": cost,
        "score": score,
        "left": entries["left"] & is_own,
    }
    return pd.DataFrame(worth, index=entries.index)
