"""A problem and its exact answer.

The answer is the minimiser, the infimum of the loss, how sure they are, and the whole spectrum of the Hessian
there. n samples of d features, p parameters.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from lrbench.errors import RequestError
from lrbench.losses import Loss
from lrbench.problems.answer import of_any_other, of_quadratic, rounding, singular_values, smoothness
from lrbench.problems.data import Data
from lrbench.problems.minimise import Minimiser
from lrbench.problems.threads import one_thread

LARGEST, SMALLEST = 1e40, 1e-40  # of a column: all that is computed from it then fits float64
MOST_DIRECTIONS = 500  # parameters up to which eigenvectors are kept
FLOOR = 10  # times what rounding does to the gap: below that, arithmetic decides


@dataclass(frozen=True, eq=False)
class Problem:
    """Data and a loss on it, F(w) = c sum_i l(a_i'w, y_i) + l2 / 2 |w|^2, and the exact solution.

    The a_i are rows of the design A. H (p, p) is the Hessian of F at the minimiser; of a quadratic
    everywhere.
    """

    data: Data
    loss: Loss
    optimum: Minimiser
    # (p,) of H, descending; exactly 0 from the rank on; of more than 5,000 only the two ends, nan between
    eigenvalues: np.ndarray
    rank: int
    R: np.ndarray  # (rank, p) with H = R'R
    smoothness: float  # largest eigenvalue that the Hessian has anywhere; inf where there is no bound
    rounding: float  # eps^2 of it is the gap that rounding makes
    solve_seconds: float  # that the minimiser took, without the spectrum; differs from time to time

    @property
    def w_star(self) -> np.ndarray:
        """(p,) the minimiser; the one of least norm where there are many.

        Where the infimum is not attained, that of the rows that have one.
        """
        return self.optimum.w

    @property
    def loss_star(self) -> float:
        """The infimum."""
        return self.optimum.infimum

    @property
    def L(self) -> float:
        """Largest eigenvalue of H: the smoothness."""
        return float(self.eigenvalues[0])

    @property
    def mu(self) -> float | None:
        """Smallest eigenvalue that is not 0: the strong convexity, across the directions that the loss sees.

        None where H is 0.
        """
        return float(self.eigenvalues[self.rank - 1]) if self.rank else None

    @property
    def kappa(self) -> float | None:
        return self.L / self.mu if self.mu else None

    @property
    def trace(self) -> float:
        return float((self.R**2).sum())

    @property
    def effective_rank(self) -> float | None:
        """Trace of H over its largest eigenvalue, from 1 to the rank (Vershynin 2012)."""
        return self.trace / self.L if self.rank else None

    @cached_property
    def eigenvectors(self) -> np.ndarray | None:
        """(rank, p) a unit eigenvector of H for each eigenvalue that is not 0, its largest entry positive.

        None where they are too many to keep.
        """
        if self.data.p > MOST_DIRECTIONS:
            return None
        if not self.rank:
            return np.zeros((0, self.data.p))
        _, _, vectors = linalg.svd(self.R, full_matrices=False)
        places = np.abs(vectors).argmax(axis=1, keepdims=True)
        largest = np.take_along_axis(vectors, places, axis=1)
        return vectors * np.sign(largest)

    @cached_property
    def gradient_noise(self) -> float:
        """Variance of the gradient of one sample's loss at the minimiser.

        The trace of its covariance (p, p) over the samples.
        """
        X, n = self.data.X, self.data.n
        slopes = self.optimum.tangent
        ones = float(self.data.intercept)
        lengths = np.einsum("ij,ij->i", X, X) + ones
        squares = slopes**2 @ lengths
        mean = np.append(slopes @ X, slopes.sum() * ones) / n
        return float(squares) / n - float(mean @ mean)

    @cached_property
    def centre(self) -> np.ndarray:
        """(n,) predictions of w_star."""
        star = self.optimum.star
        return np.where(np.isfinite(star), star, self._design @ self.w_star)

    @cached_property
    def scale(self) -> float | None:
        """Gap of the constant model, the best intercept alone, in which relative gaps are measured.

        Without an intercept it is that of w = 0. None where float64 cannot tell it from 0 (a constant target,
        a single sample): relative gaps are then undefined.
        """
        scale = self._gap_of_constant
        if scale is None or not np.isfinite(scale):
            return None
        return scale if scale > self._rounding_floor("float64") else None

    @cached_property
    def _gap_of_constant(self) -> float | None:
        """Gap of the constant model; None where none is the best, as of labels that are all of one class."""
        w = np.zeros(self.data.p)
        if self.data.intercept:
            constant = self._constant_model()
            if not constant.optimum.attained:
                return None
            w[-1] = constant.w_star[0]
        return float(self.gap(w))

    def _constant_model(self) -> "Problem":
        """Solve for the intercept alone, which is penalised only where the penalty counts it."""
        ones = np.ones((self.data.n, 1))
        data = Data(
            X=ones,
            y=self.data.y,
            intercept=False,
            features=("1",),
            target=self.data.target,
        )
        l2 = self.loss.l2 if self.loss.penalize_intercept else 0.0
        return solve(data, replace(self.loss, l2=l2))

    @property
    def digits(self) -> float | None:
        """How many digits of the constant model's gap the infimum is certain to."""
        last_digit = np.finfo(np.float64).eps * abs(self.loss_star)
        error = self.optimum.bound + last_digit
        if not (self.scale and error):
            return None
        return float(np.log10(self.scale / error))

    def gap(self, w: np.ndarray) -> np.ndarray:
        """Return loss - infimum at w (..., p), shape (...).

        Never negative; inf where w is not finite or the gap overflows. Of a quadratic it is half
        |R (w - w*)|^2, of any other loss the sum of its excesses. Computed in float64. A row's bits do not
        depend on the other rows.
        """
        with np.errstate(all="ignore"):
            moved = w - self.w_star
            if self.loss.is_quadratic:
                gap = 0.5 * (_rowwise(self.R, moved) ** 2).sum(axis=-1)
            else:
                gap = self._excess(moved) + self._penalty(moved)
        return np.where(np.isfinite(gap), gap, np.inf)

    @cached_property
    def _design(self) -> np.ndarray:
        return self.data.design()

    def _excess(self, moved: np.ndarray) -> np.ndarray:
        shift = _rowwise(self._design, moved)
        star, tangent = self.optimum.star, self.optimum.tangent
        excess = self.loss.excesses(shift, self.centre + shift, self.data.y, star, tangent)
        return self.loss.factor(self.data.n) * excess.sum(axis=-1)

    def _penalty(self, w: np.ndarray) -> np.ndarray:
        penalties = self.loss.penalties(self.data.d, self.data.p)
        return 0.5 * (penalties * w**2).sum(axis=-1)

    def loss_at(self, w: np.ndarray) -> np.ndarray:
        """Return the loss over all samples at w (..., p), shape (...).

        It is inf where w is not finite or the loss overflows. Computed in float64.
        """
        w = np.asarray(w, dtype=np.float64)
        with np.errstate(all="ignore"):
            losses = self.loss.values(_rowwise(self._design, w), self.data.y)
            total = self.loss.factor(self.data.n) * losses.sum(axis=-1)
            loss = total + self._penalty(w)
        return np.where(np.isfinite(loss), loss, np.inf)

    def test_loss(self, w: np.ndarray) -> np.ndarray | None:
        """Return the loss over the test rows, without the penalty, at w (..., p), shape (...).

        None where there are no test rows.
        """
        if self.data.test is None:
            return None
        X, y = self.data.test
        with np.errstate(all="ignore"):
            z = _rowwise(self.data.design(X), w)
            losses = self.loss.values(z, y)
            loss = self.loss.factor(len(y)) * losses.sum(axis=-1)
        return np.where(np.isfinite(loss), loss, np.inf)

    def gap_floor(self, dtype: str) -> float:
        """Return the gap below which the arithmetic of "float32" or "float64" decides, not the optimizer.

        10 eps^2 (L |w*|^2 + noise): the first is what rounding the minimiser costs, the second what rounding
        in gradients does, kappa loss_star for squared errors; both for the columns as they are or for each
        over its size, whichever is smaller. At a kink of the loss the gap is linear in the error, and so is
        the floor: 10 eps c sum_i sum_j |a_ij w*_j| over the rows there.

        Where no weights attain the infimum there is nothing to round to: weights grow without end, and a gap
        of 1e-132 is as good as one of 1e-20. The floor is then eps times the gap of the constant model, or of
        w = 0 where none is the best: what is left of the way could not be seen in a loss.
        """
        floor = self._rounding_floor(dtype)
        if self.optimum.attained:
            return floor
        way = self._gap_of_constant
        if way is None:
            way = float(self.gap(np.zeros(self.data.p)))
        return max(floor, float(np.finfo(dtype).eps) * way)

    def _rounding_floor(self, dtype: str) -> float:
        """Return what rounding the minimiser and gradients costs."""
        eps = float(np.finfo(dtype).eps)
        floor = FLOOR * eps**2 * self.rounding
        if self.loss.kind.shape == "linear":
            at_kinks = self._design[self.optimum.star == self.data.y]
            sizes = np.abs(at_kinks) @ np.abs(self.w_star)
            c = self.loss.factor(self.data.n)
            floor += FLOOR * eps * c * float(sizes.sum())
        return floor


@one_thread()
def solve(data: Data, loss: Loss) -> Problem:
    """Solve the problem exactly, up to rounding.

    Raises:
        RequestError: a target that the loss cannot take, a column whose size is out of range, or only zeros
            to fit with.
    """
    loss.check_target(data.y, data.target)
    _check_sizes(data)
    answer = of_quadratic(data, loss) if loss.is_quadratic else of_any_other(data, loss)
    factors, curvature = answer.factors, answer.curvature
    values = singular_values(factors)
    largest, _ = answer.design.ends()
    zeros = np.zeros(data.p - factors.rank)
    eigenvalues = np.append(curvature * values**2, zeros)
    return Problem(
        data=data,
        loss=loss,
        optimum=answer.optimum,
        eigenvalues=eigenvalues,
        rank=factors.rank,
        R=np.sqrt(curvature) * factors.root(),
        smoothness=smoothness(data, loss, eigenvalues, largest),
        rounding=rounding(answer, loss.factor(data.n), largest, values),
        solve_seconds=answer.seconds,
    )


def _check_sizes(data: Data) -> None:
    of_features = np.maximum(data.X.max(axis=0), -data.X.min(axis=0))
    sizes = (*of_features, np.abs(data.y).max())
    names = (*data.features, data.target)
    for name, size in zip(names, sizes, strict=True):
        if size and not SMALLEST <= size <= LARGEST:
            raise RequestError(
                f"problem: the largest magnitude in column '{name}' must be from {SMALLEST:g} to "
                f"{LARGEST:g}, or 0, but is {size:g}. "
                "Choose other units; problem.standardize=true does so for tables and real data."
            )
    if not data.intercept and not data.X.any():
        raise RequestError(
            "problem: all features are 0 and there is no intercept, so there is nothing to fit. "
            "Use problem.intercept=true."
        )


def _rowwise(matrix: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return matrix @ w for each w (..., p).

    Not by BLAS, whose rounding of one row depends on how many there are.
    """
    return np.einsum("rp,...p->...r", matrix, np.ascontiguousarray(w))
