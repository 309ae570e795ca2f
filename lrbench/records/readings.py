"""What runs are worth, as columns: their level, cost and score within the budget, and within half of it.

A run has *arrived* at a target where its level is within it, and costs what it had taken by its arrival, or
the whole budget where its gap never came to rest below twice the target. Its *score* is the one number that
orders runs: log(cost / budget) <= 0 of one that arrived, log(level / target) > 0 of one that did not, inf of
one that is lost.

R runs, H targets; of the targets the last one is the request's own.
"""

from typing import NamedTuple

import numpy as np

from lrbench.engines.outcome import Outcome, goals_of
from lrbench.engines.readings import SHARES
from lrbench.problems.solve import Problem


class Readings(NamedTuple):
    """R runs within one budget.

    Attributes:
        level: (R,) mean gap over the last tenth of the budget; inf of a run that is lost.
        cost: (R, H) evaluations until arrival at each target; inf where there was none.
        score: (R,) of the last target.
    """

    level: np.ndarray
    cost: np.ndarray
    score: np.ndarray


def readings(outcome: Outcome, problem: Problem, dtype: str, targets: tuple[float, ...]) -> list[Readings]:
    """Return what runs are worth within half of their budget, and within all of it."""
    goals = goals_of(targets, problem, dtype)  # (H,)
    began = outcome.began(problem, dtype)
    failed = np.isin(np.arange(len(began)), list(outcome.failures))
    found = []
    for place, share in enumerate(SHARES):
        lost = failed | ~(outcome.last_gap[:, place] <= began)
        level = np.where(lost, np.inf, outcome.level[:, place])
        budget = share * outcome.budget
        cost = _costs(level, outcome.arrivals[:, place], goals, outcome.evaluations_per_step, budget)
        found.append(Readings(level, cost, _scores(level, cost[:, -1], goals[-1], budget)))
    return found


def _costs(
    level: np.ndarray, arrivals: np.ndarray, goals: np.ndarray, per_step: np.ndarray, budget: float
) -> np.ndarray:
    """Return the evaluations until arrival, (R, H): at least those of a step, at most the budget."""
    arrived = level[:, None] <= goals
    at_least = np.minimum(per_step, budget)[:, None]
    cost = np.clip(arrivals, at_least, budget)
    return np.where(arrived, cost, np.inf)


def _scores(level: np.ndarray, cost: np.ndarray, goal: float, budget: float) -> np.ndarray:
    arrived = np.isfinite(cost)
    of_cost = np.log(np.where(arrived, cost, budget) / budget)
    of_level = np.log(np.where(arrived, goal, level)) - np.log(goal)
    return np.where(arrived, of_cost, of_level)


def rises(outcome: Outcome, problem: Problem, dtype: str) -> np.ndarray:
    """Return the largest gap over where a run began, (R,); inf where a state is not finite."""
    whole = outcome.first_bad < 0
    with np.errstate(over="ignore"):
        rise = outcome.peak / outcome.began(problem, dtype)
    return np.where(whole, rise, np.inf)
