"""A problem as the kernel wants it: a quadratic as H = R'R with R in triangular form, any other loss as the rows that it is a sum over."""

from dataclasses import dataclass

import numpy as np

from lrbench.problems.solve import Problem

NOTHING = np.zeros(0)


@dataclass(frozen=True)
class Geometry:
    """What gap and gradient are made of.

    A quadratic gap is half |R (w - w*)|^2 with gradient R'R (w - w*), both without the numbers of R that are 0. R'R is never formed. That costs
    nothing, as R is triangular, and keeps the digits of the gap whatever the condition number, where half e'He loses eps kappa of them and can become
    negative. The gap of any other loss is the sum of its excesses over the rows.

    Attributes:
        order: (p,) the coordinates in the order that makes R (rank, p) an upper triangle.
        quadratic: w*, R, first and last columns of R's rows, R', first and last columns of its rows, and R in float64 where it is rounded.
        rows: X (n, p) and y (n,) where some pass goes over the rows, the weights of the penalty (p,), the loss's own number.
        others: of a loss that is not quadratic star, centre, tangent (n,) in float64, c, and X and y in float64 where they are rounded.
        largest_gap: what counts as finite: where the sum of the losses, as torch adds it up in the run's dtype, still is.
        guard: how much larger a gap computed from a rounded R may be than the true one; 1 where it is computed in float64.
    """

    order: np.ndarray
    quadratic: tuple[np.ndarray, ...]
    rows: tuple
    others: tuple
    largest_gap: float
    guard: float

    @classmethod
    def of(cls, problem: Problem, dtype: str, sampled: bool) -> "Geometry":
        """Prepare a problem for runs of one dtype, which take their steps on minibatches where `sampled`."""
        data, loss, real = problem.data, problem.loss, np.dtype(dtype)
        by_rows, rounded = not loss.is_quadratic, real != np.float64
        order, quadratic, guard = _by_rows(problem, real) if by_rows else _quadratic(problem, real)
        X, y = (
            (np.ascontiguousarray(data.design()[:, order]), data.y)
            if by_rows or sampled
            else (np.zeros((0, 0)), NOTHING)
        )
        in_float64 = (X, y) if by_rows and rounded else (np.zeros((0, 0)), NOTHING)
        star, centre, tangent = (
            (problem.optimum.star, problem.centre, problem.optimum.tangent) if by_rows else (NOTHING,) * 3
        )
        with np.errstate(over="ignore"):
            rows = X.astype(real, copy=False), y.astype(real), loss.penalties(data.d, data.p)[order], loss.k
        return cls(
            order=order,
            quadratic=quadratic,
            rows=rows,
            others=(star, centre, tangent, loss.factor(data.n), *in_float64),
            largest_gap=min(
                loss.factor(data.n) * float(np.finfo(real).max), float(np.finfo(np.float64).max) / 2
            ),
            guard=guard,
        )


def _quadratic(problem: Problem, real: np.dtype) -> tuple[np.ndarray, tuple[np.ndarray, ...], float]:
    """Return order, arrays and guard of a quadratic."""
    rank, p, exact = problem.rank, problem.data.p, real == np.float64
    last_row = np.where(problem.R != 0, np.arange(rank)[:, None], 0).max(axis=0)
    order = np.argsort(last_row, kind="stable")
    R = np.ascontiguousarray(problem.R[:, order])
    with np.errstate(over="ignore"):
        rounded = R.astype(real)
    relative = 0.0 if exact else float(np.finfo(real).eps) * (p + 3) * np.sqrt(p * (problem.kappa or 1.0))
    arrays = (
        problem.w_star[order],
        rounded,
        *_extent(R),
        np.ascontiguousarray(rounded.T),
        *_extent(R.T),
        np.zeros((0, 0)) if exact else R,
    )
    return order, arrays, (1 + relative) ** 2 if exact or rank == p else np.inf


def _by_rows(problem: Problem, real: np.dtype) -> tuple[np.ndarray, tuple[np.ndarray, ...], float]:
    """Return order, arrays and guard of a loss that has no R."""
    none, no_matrix = np.zeros(0, np.int64), np.zeros((0, 0), real)
    return (
        np.arange(problem.data.p),
        (problem.w_star, no_matrix, none, none, no_matrix, none, none, np.zeros((0, 0))),
        1.0,
    )


def _extent(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of A (m, k) the first column, and the one after the last, that are not 0 in it and the next three rows."""
    m, k = A.shape
    columns = np.arange(k)
    first = np.where(A != 0, columns, k - 1).min(axis=1)
    last = np.where(A != 0, columns, 0).max(axis=1) + 1
    blocks = [slice(i, i + 4) for i in range(m)]
    return np.array([first[block].min() for block in blocks]), np.array(
        [last[block].max() for block in blocks]
    )
