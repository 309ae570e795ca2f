"""A problem as the program wants it.

A quadratic becomes H = R'R with R in triangular form, any other loss the rows that it is a sum over.
"""

from typing import NamedTuple

import numpy as np

from lrbench.engines.arguments import Quadratic, Samples, Task
from lrbench.engines.minibatches import Minibatches
from lrbench.engines.products import Matrix
from lrbench.problems.solve import Problem


class Geometry(NamedTuple):
    """What gap and gradient are made of.

    A quadratic gap is half |R (w - w*)|^2 with gradient R'R (w - w*), both without the numbers of R that are
    0. R'R is never formed. That costs nothing, as R is triangular, and keeps the digits of the gap whatever
    the condition number, where half e'He loses eps kappa of them and can become negative. The gap of any
    other loss is the sum of its excesses over the rows.

    Attributes:
        order: (p,) the coordinates in the order that makes R (rank, p) an upper triangle.
        task: how gaps and gradients are computed, its parameters in that order.
        largest_gap: what counts as finite: where the sum of the losses, as torch adds it up in the run's
            dtype, still is.
        guard: how much larger a gap computed from a rounded R may be than the true one; 1 in float64.
    """

    order: np.ndarray
    task: Task
    largest_gap: float
    guard: float

    @classmethod
    def of(cls, problem: Problem, dtype: str, minibatches: Minibatches) -> "Geometry":
        """Prepare a problem for runs of one dtype, which take their steps on these minibatches."""
        real = np.dtype(dtype)
        prepare = _quadratic if problem.loss.is_quadratic else _by_rows
        order, task, guard = prepare(problem, real, minibatches)
        largest = problem.loss.factor(problem.data.n) * float(np.finfo(real).max)
        largest_float64 = float(np.finfo(np.float64).max)
        return cls(order, task, min(largest, largest_float64 / 2), guard)


def _quadratic(problem: Problem, real: np.dtype, minibatches: Minibatches) -> tuple[np.ndarray, Task, float]:
    """Return order, task and guard of a quadratic."""
    row = np.arange(problem.rank)[:, None]
    last_row = np.where(problem.R != 0, row, 0).max(axis=0)
    order = np.argsort(last_row, kind="stable")
    w_star = problem.w_star[order]
    R = np.ascontiguousarray(problem.R[:, order])
    with np.errstate(over="ignore"):
        rounded = R.astype(real)
    extent = _extent(R)
    exact = Quadratic(w_star, Matrix(R, *extent))
    R_T = Matrix(np.ascontiguousarray(rounded.T), *_extent(R.T))
    # A mean over a pass has no digits that its gaps lack, so minibatches in float32 measure in float64.
    is_rounded = real != np.float64
    of_all_rows = minibatches.of_all_rows
    task = Task(
        quadratic=Quadratic(w_star, Matrix(rounded, *extent)) if of_all_rows or not is_rounded else None,
        exact=exact if of_all_rows and is_rounded else None,
        exact_quadratic=exact if is_rounded and not of_all_rows else None,
        R_T=R_T if of_all_rows else None,
        samples=None,
        exact_samples=None,
        batches=minibatches.batches(real, order),
    )
    return order, task, _guard(problem, real) if of_all_rows else 1.0


def _guard(problem: Problem, real: np.dtype) -> float:
    """Return by what factor a gap from R in this dtype may be too large.

    Without full rank rounding reaches where R does not.
    """
    if real == np.float64:
        return 1.0
    p = problem.data.p
    if problem.rank < p:
        return np.inf
    eps = float(np.finfo(real).eps)
    kappa = problem.kappa or 1.0
    relative = eps * (p + 3) * np.sqrt(p * kappa)
    return (1 + relative) ** 2


def _by_rows(problem: Problem, real: np.dtype, minibatches: Minibatches) -> tuple[np.ndarray, Task, float]:
    """Return order, task and guard of a loss that has no R."""
    order = np.arange(problem.data.p)
    # A pass over all rows for the gradient gives the gap too, exact where it is one in float64.
    gap_is_exact = minibatches.of_all_rows and real == np.float64
    float64 = np.dtype(np.float64)
    task = Task(
        quadratic=None,
        exact=None,
        exact_quadratic=None,
        R_T=None,
        samples=_samples(problem, real) if minibatches.of_all_rows else None,
        exact_samples=None if gap_is_exact else _samples(problem, float64),
        batches=minibatches.batches(real, order),
    )
    return order, task, 1.0


def _samples(problem: Problem, real: np.dtype) -> Samples:
    """Return the rows of a problem in one dtype."""
    data, loss = problem.data, problem.loss
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(data.design().astype(real))
        y = data.y.astype(real)
    return Samples(
        w_star=problem.w_star,
        penalty=loss.penalties(data.d, data.p),
        X=X,
        y=y,
        star=problem.optimum.star,
        centre=problem.centre,
        tangent=problem.optimum.tangent,
        c=loss.factor(data.n),
        k=loss.k,
    )


def _extent(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is not 0 of each row of A (m, k) and the next three: the first column, and the one after
    the last, (m,) each.
    """
    m, k = A.shape
    columns = np.arange(k)
    first = np.where(A != 0, columns, k - 1).min(axis=1)
    last = np.where(A != 0, columns, 0).max(axis=1) + 1
    first_of_four = np.empty(m, np.int64)
    last_of_four = np.empty(m, np.int64)
    for i in range(m):
        first_of_four[i] = first[i : i + 4].min()
        last_of_four[i] = last[i : i + 4].max()
    return first_of_four, last_of_four
