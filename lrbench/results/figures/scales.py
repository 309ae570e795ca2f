"""What an axis of a task counts: evaluations until arrival where some run arrives, else levels.

A miss counts the budget in a mean, so that a setting that misses with all its seeds stands there; what was
lost has no place, which is inf. A score up to 0 is log(evaluations / budget), one above it log(level / goal).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lrbench.results.figures.ink import REFERENCE, SMALLEST
from lrbench.results.figures.marks import DASHED

TINY = np.finfo(float).tiny  # of a goal of 0, whose logarithm is wanted
UNITS = {"evaluations": "evaluations", "gap": "level"}  # of a ratio, in a student's words


class Scale(NamedTuple):
    """What an axis counts."""

    arrives: bool  # whether it counts evaluations until arrival, else levels
    budget: float  # evaluations
    goal: float  # the gap that is the target

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        return "evaluations until it arrives" if self.arrives else "level  (mean gap at the end)"

    @property
    def unit(self) -> str:
        """What it counts, in a word."""
        return "evaluations" if self.arrives else "level"

    def of_runs(self, runs: pd.DataFrame) -> pd.Series:
        """Return where runs stand, inf where they do not arrive; columns hit and gap."""
        return runs["hit"] if self.arrives else runs["gap"]

    def of_settings(self, settings: pd.DataFrame) -> pd.Series:
        """Return where settings stand, inf where one lost a seed; columns cost, arrived, seeds, lost, gap."""
        if not self.arrives:
            return settings["gap"]
        share = settings["arrived"] / settings["seeds"]
        part_of_budget = settings["cost"].fillna(self.budget) / self.budget
        evaluations = self.budget * part_of_budget**share
        return evaluations.where(settings["lost"] == 0, np.inf)

    def of_scores(self, scores: pd.Series) -> pd.Series:
        """Return where scores stand, inf where they are."""
        if self.arrives:
            evaluations = pd.Series(self.budget * np.exp(scores.clip(upper=0.0)))
            return evaluations.where(scores < np.inf, np.inf)
        return np.exp(scores + np.log(max(self.goal, TINY)))

    def miss(self, settings: pd.DataFrame) -> pd.Series:
        """Say of each setting whether some seed misses and none is lost, where evaluations are counted;
        columns arrived, lost and seeds.
        """
        return self.arrives & (settings["lost"] == 0) & (settings["arrived"] < settings["seeds"])


def scale_of(runs: pd.DataFrame) -> Scale:
    """Return the scale of some runs of a task, with arrived, budget and goal of each."""
    return Scale(bool(runs["arrived"].any()), float(runs["budget"].max()), float(runs["goal"].max()))


def scales_of(runs: pd.DataFrame) -> dict[str, Scale]:
    """Return task -> the scale of its runs."""
    return {str(task): scale_of(own) for task, own in runs.groupby("task", sort=False)}


def counted_on(scales: Iterable[Scale]) -> str:
    """Say what the axes of a figure count, as the beginning of its caption."""
    arrives = {scale.arrives for scale in scales}
    if arrives == {True}:
        return "Gradient evaluations until arrival at the target"
    if arrives == {False}:
        return "Level (the mean gap at the end; nobody arrives at the target)"
    elsewhere = "where nobody arrives the level, the mean gap at the end"
    return f"Gradient evaluations until arrival at the target ({elsewhere})"


def budget_line(ax: Axes, budget: float) -> None:
    """Draw where the budget ends, over a y axis of evaluations; what stands there misses."""
    ax.axhline(budget, linestyle=DASHED, **REFERENCE)
    ax.annotate(
        "misses",
        (0, budget),
        (4, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=SMALLEST,
        alpha=0.8,
    )
