"""A problem as the kernel wants it: H = R'R with R in triangular form."""

from dataclasses import dataclass

import numpy as np

from lrbench.problems.solve import Problem


@dataclass(frozen=True)
class Geometry:
    """The quadratic gap half |R (w - w*)|^2 with gradient R'R (w - w*), both without the numbers of R that are 0.

    R'R is never formed. That costs nothing, as R is triangular, and keeps the digits of the gap whatever the condition number, where half e'He loses
    eps kappa of them and can become negative.

    Attributes:
        order: (p,) the coordinates in the order that makes R (rank, p) an upper triangle.
        arrays: w*, R, first and last columns of R's rows, R', first and last columns of its rows, and R in float64 where it is rounded.
        largest_gap: what counts as finite: where the sum of squared residuals, as torch adds it up in the run's dtype, still is.
        guard: how much larger a gap computed from a rounded R may be than the true one; 1 where R is not rounded.
    """

    order: np.ndarray
    arrays: tuple[np.ndarray, ...]
    largest_gap: float
    guard: float

    @classmethod
    def of(cls, problem: Problem, dtype: str) -> "Geometry":
        real, rank, p = np.dtype(dtype), problem.rank, problem.data.p
        last_row = np.where(problem.R != 0, np.arange(rank)[:, None], 0).max(axis=0)
        order = np.argsort(last_row, kind="stable")
        R = np.ascontiguousarray(problem.R[:, order])
        exact = real == np.float64
        with np.errstate(over="ignore"):
            rounded = R.astype(real)
        relative = 0.0 if exact else float(np.finfo(real).eps) * (p + 3) * np.sqrt(p * problem.kappa)
        return cls(
            order=order,
            arrays=(problem.w_star[order], rounded, *_extent(R), np.ascontiguousarray(rounded.T), *_extent(R.T), np.zeros((0, 0)) if exact else R),
            largest_gap=min(problem.loss.factor(problem.data.n) * float(np.finfo(real).max), float(np.finfo(np.float64).max) / 2),
            guard=(1 + relative) ** 2 if exact or rank == p else np.inf,
        )


def _extent(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of A (m, k) the first column, and the one after the last, that are not 0 in it and the next three rows."""
    m, k = A.shape
    columns = np.arange(k)
    first = np.where(A != 0, columns, k - 1).min(axis=1)
    last = np.where(A != 0, columns, 0).max(axis=1) + 1
    blocks = [slice(i, i + 4) for i in range(m)]
    return np.array([first[block].min() for block in blocks]), np.array([last[block].max() for block in blocks])
