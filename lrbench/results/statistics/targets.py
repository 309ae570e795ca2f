"""First hits of a target as costs (steps or gradient evaluations): inf where a run never reaches it."""

import numpy as np


def median_first_hit(hits: np.ndarray) -> np.ndarray:
    """Return the cost by which at least half of the runs had reached the target, (..., n) -> (...).

    inf exactly where fewer than half ever do.
    """
    middle = (hits.shape[-1] - 1) // 2
    return np.sort(hits, axis=-1)[..., middle]


def expected_running_time(hits: np.ndarray, budget: np.ndarray | float) -> np.ndarray:
    """Return what a hit costs on average, with a restart after each miss, (..., n) -> (...).

    inf where no run hits (Hansen et al., 2021, COCO). budget: what a run that missed has spent, (..., n) or
    one number for all; a run that diverged has spent its whole budget too.
    """
    reached = np.isfinite(hits)
    spent = np.where(reached, hits, budget).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_cost = spent / reached.sum(axis=-1)
    return np.where(reached.any(axis=-1), mean_cost, np.inf)


def solved_share(hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the empirical distribution of hits (m,): costs, and the share of all m solved by then.

    The costs are the distinct finite ones, in order. The share ends below 1 where some are never reached.
    """
    reached = hits[np.isfinite(hits)]
    costs, counts = np.unique(reached, return_counts=True)
    return costs, np.cumsum(counts) / len(hits)


def performance_profile(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the performance profile of k solvers on P problems, costs (P, k) (Dolan and Moré, 2002).

    Gives x, the distinct finite ratios to the best of each problem in order, and shares (k, len(x)): how many
    of all P problems a solver solves within x times the best. A problem that nobody solves counts as one that
    nobody solves.
    """
    best = costs.min(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients = costs / best
    # inf / inf and 0 / 0 are NaN: nobody solves the problem, or the best costs nothing
    conditions = [np.isinf(costs), costs == best]
    ratios = np.select(conditions, [np.inf, 1.0], quotients)
    x = np.unique(ratios[np.isfinite(ratios)])
    solved = ratios[:, :, None] <= x  # (P, k, len(x))
    return x, solved.mean(axis=0)
