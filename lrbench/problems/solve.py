"""A problem and its exact answer: the minimiser, the infimum of the loss and the whole spectrum of its Hessian."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrbench.errors import RequestError
from lrbench.losses import Loss
from lrbench.problems.data import Data
from lrbench.problems.least_squares import factorise
from lrbench.problems.threads import one_thread

LARGEST, SMALLEST = 1e40, 1e-40  # of a column: all that is computed from it then fits float64


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, a loss c |y - A w|^2 on it with Hessian H = 2 c A'A (p, p), and the exact solution."""

    data: Data
    loss: Loss
    w_star: np.ndarray  # (p,) the minimiser; the one of least norm where there are many
    loss_star: float
    eigenvalues: np.ndarray  # (p,) of H, descending; exactly 0 from the rank on
    rank: int
    R: np.ndarray  # (rank, p) with H = R'R

    @property
    def L(self) -> float:
        """Largest eigenvalue: the smoothness."""
        return float(self.eigenvalues[0])

    @property
    def mu(self) -> float:
        """Smallest eigenvalue that is not 0: the strong convexity, across the directions that the loss sees."""
        return float(self.eigenvalues[self.rank - 1])

    @property
    def kappa(self) -> float:
        return self.L / self.mu

    @cached_property
    def scale(self) -> float | None:
        """Gap of the constant model (the mean of y as intercept; w = 0 where there is none), the unit of relative gaps.

        None where float64 cannot tell it from 0 (a constant target, a single sample): relative gaps are then undefined.
        """
        w = np.zeros(self.data.p)
        w[self.data.d :] = self.data.y.mean()
        scale = float(self.gap(w))
        return scale if scale > self.gap_floor("float64") else None

    def gap(self, w: np.ndarray) -> np.ndarray:
        """Return loss - infimum at w (..., p), shape (...): half |R (w - w*)|^2, so never negative; inf where w is not finite or the gap overflows.

        Computed in float64. A row's bits do not depend on the other rows.
        """
        with np.errstate(all="ignore"):
            moved = _rowwise(self.R, w - self.w_star)
            gap = 0.5 * (moved * moved).sum(axis=-1)
        return np.where(np.isfinite(gap), gap, np.inf)

    def loss_at(self, w: np.ndarray) -> np.ndarray:
        """Return the loss over all samples at w (..., p), shape (...); inf where w is not finite or the loss overflows. Computed in float64."""
        with np.errstate(all="ignore"):
            residual = self.data.y - _rowwise(self.data.design(), np.asarray(w, dtype=np.float64))
            loss = self.loss.factor(self.data.n) * (residual * residual).sum(axis=-1)
        return np.where(np.isfinite(loss), loss, np.inf)

    def gap_floor(self, dtype: str) -> float:
        """Return the gap below which the arithmetic of "float32" or "float64" decides, not the optimizer: 10 eps^2 (L |w*|^2 + kappa loss_star)."""
        eps = float(np.finfo(dtype).eps)
        return 10 * eps**2 * (self.L * float(self.w_star @ self.w_star) + self.kappa * self.loss_star)


@one_thread()
def solve(data: Data, loss: Loss) -> Problem:
    """Solve the problem exactly, up to rounding.

    Raises:
        RequestError: a column whose size is out of range, or only zeros to fit with.
    """
    A, c = data.design(), loss.factor(data.n)
    loss.check_target(data.y, data.target)
    _check_sizes(data)
    factors = factorise(A)
    w_star = factors.minimiser(data.y)
    residual = data.y - A @ w_star
    eigenvalues = np.zeros(data.p)
    eigenvalues[: factors.rank] = 2 * c * factors.singular_values() ** 2
    return Problem(data, loss, w_star, c * float(residual @ residual), eigenvalues, factors.rank, np.sqrt(2 * c) * factors.root())


def _check_sizes(data: Data) -> None:
    sizes = (*np.abs(data.X).max(axis=0), np.abs(data.y).max())
    for name, size in zip((*data.features, data.target), sizes, strict=True):
        if size and not SMALLEST <= size <= LARGEST:
            raise RequestError(
                f"problem: the largest magnitude in column '{name}' must be from {SMALLEST:g} to {LARGEST:g}, or 0, but is {size:g}. "
                "Choose other units; csv and diabetes do so with problem.standardize=true."
            )
    if not data.intercept and not data.X.any():
        raise RequestError("problem: all features are 0 and there is no intercept, so there is nothing to fit. Use problem.intercept=true.")


def _rowwise(matrix: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return matrix @ w for each w (..., p); not by BLAS, whose rounding of one row depends on how many there are."""
    return np.einsum("rp,...p->...r", matrix, np.ascontiguousarray(w))
