"""The range of a learning rate: as it is given, or in a unit that knows the answer of the problem."""

from collections.abc import Sequence

import numpy as np

from lrbench.config import Leaves
from lrbench.errors import RequestError
from lrbench.problems.solve import Problem
from lrbench.seeds import start
from lrbench.tuning.policy import LrRange, Tune


def range_of_lr(tune: Tune, optimizer: str, problem: Problem, leaves: Leaves) -> LrRange:
    """Return where the learning rate of an optimizer may lie on this problem.

    Raises:
        RequestError: where the problem has no unit for it.
    """
    unit = 1.0
    if tune.units == "oracle":
        unit = oracle_unit(tune.unit(optimizer), problem, leaves, tune.seeds)
    low, high = tune.lr
    return LrRange(low * unit, high * unit)


def oracle_unit(kind: str, problem: Problem, leaves: Leaves, seeds: Sequence[int]) -> float:
    """Return the learning rate that counts as 1 for a kind of update, from the answer of the problem.

    gradient     1 / L
    normalised   max|w0 - w*| / sqrt(steps), w0 the median of the starts of these seeds
    none         1

    Raises:
        RequestError: where the problem has no curvature, or no minimiser, or starts there.
    """
    if kind == "none":
        return 1.0
    if kind == "gradient":
        return _usable(_inverse_curvature(problem), leaves)
    return _usable(_size_of_a_step(problem, leaves, seeds), leaves)


def _usable(unit: float, leaves: Leaves) -> float:
    if not 0 < unit < np.inf:
        raise RequestError(
            "tune.units: oracle needs a minimiser, a curvature and a start apart from it, "
            f"and {leaves['problem._target_']} has not all. Use absolute."
        )
    return float(unit)


def _inverse_curvature(problem: Problem) -> float:
    """Return 1 / L; of a loss that is flat at its minimiser, with the largest curvature of all places."""
    curvature = problem.L or problem.smoothness
    return 1 / curvature if curvature else np.inf


def _size_of_a_step(problem: Problem, leaves: Leaves, seeds: Sequence[int]) -> float:
    """Return the way to the minimiser over sqrt(steps): as far as that many steps of random direction go."""
    if not problem.optimum.attained:
        return np.inf
    init, data = leaves["init"], problem.data
    starts = [start(init, seed, data.d, data.p) for seed in seeds]
    way = np.median(starts, axis=0) - problem.w_star  # (p,)
    longest = float(np.abs(way).max())
    return longest / np.sqrt(leaves["steps"])
