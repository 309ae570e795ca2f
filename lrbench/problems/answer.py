"""The minimiser of a problem, and the factors of its Hessian.

From these its spectrum follows, and what rounding costs. n samples, p parameters; c is the factor of the
loss's reduction.
"""

from time import perf_counter
from typing import NamedTuple

import numpy as np
from scipy import linalg

from lrbench.losses import Loss
from lrbench.problems.data import Data
from lrbench.problems.least_squares import FULL, Factors, factorise, with_penalty
from lrbench.problems.minimise import Minimiser, minimise

MOST_SCALED = 500  # parameters up to which another decomposition costs little


class Answer(NamedTuple):
    """A minimiser, and the factors of what its Hessian is made of: curvature S'S = H."""

    optimum: Minimiser
    curvature: float
    factors: Factors  # S, of A with each row by the root of its curvature, and of the penalty
    design: Factors  # A, and of a quadratic the penalty too
    seconds: float


def of_quadratic(data: Data, loss: Loss) -> Answer:
    A = data.design()
    c = loss.factor(data.n)
    penalties = loss.penalties(data.d, data.p)
    begin = perf_counter()
    factors = factorise(with_penalty(A, penalties / (2 * c)))
    optimum = _least_squares(factors, data.y, c)
    seconds = perf_counter() - begin
    return Answer(optimum, 2 * c, factors, factors, seconds)


def of_any_other(data: Data, loss: Loss) -> Answer:
    A = data.design()
    c = loss.factor(data.n)
    penalties = loss.penalties(data.d, data.p)
    begin = perf_counter()
    optimum = minimise(A, data.y, loss, penalties)
    seconds = perf_counter() - begin
    roots = np.sqrt(loss.curvatures(optimum.star, data.y))
    factors = factorise(with_penalty(roots[:, None] * A, penalties / c))
    return Answer(optimum, c, factors, factorise(A), seconds)


def smoothness(data: Data, loss: Loss, eigenvalues: np.ndarray, largest: float) -> float:
    """Return a bound of the Hessian's eigenvalues anywhere.

    largest is the largest singular value of the design.
    """
    if loss.is_quadratic:
        return float(eigenvalues[0])
    penalties = loss.penalties(data.d, data.p)
    of_rows = loss.factor(data.n) * loss.kind.steepest(loss.k) * largest**2
    return of_rows + float(penalties.max())


def singular_values(factors: Factors) -> np.ndarray:
    """Return the singular values (rank,) that are not 0, descending.

    Of very many only the two ends, and nan between.
    """
    if factors.rank <= FULL:
        return factors.singular_values()
    values = np.full(factors.rank, np.nan)
    values[0], values[-1] = factors.ends()
    return values


def _least_squares(factors: Factors, y: np.ndarray, c: float) -> Minimiser:
    """Minimise c |y - A w|^2, the rows of a penalty included.

    The bound is half the squared Newton decrement, exact for a quadratic.
    """
    n = len(y)
    of_penalty = np.zeros(len(factors.A) - n)
    stacked = np.append(y, of_penalty)
    w = factors.minimiser(stacked)
    residual = stacked - factors.A @ w
    left = factors.project(residual)
    return Minimiser(
        w=w,
        attained=True,
        star=factors.A[:n] @ w,
        tangent=-2 * residual[:n],
        infimum=c * float(residual @ residual),
        bound=c * float(left @ left),
        kind="unique" if factors.rank == factors.A.shape[1] else "affine",
        method="QR",
    )


def rounding(answer: Answer, c: float, largest: float, values: np.ndarray) -> float:
    """Return L |w|^2 + half |slopes|^2 |A|^2 / mu, for H = S'S with eigenvalues from mu to L.

    The first is what rounding the minimiser costs, the second what rounding in gradients does, since slopes
    (n,) wrong by their own size make this gap. With each column over its size both are other bounds, and the
    smaller counts (van der Sluis 1969).

    largest is the largest singular value of A, values (rank,) are those of S.
    """
    factors = answer.factors
    if not factors.rank:
        return 0.0
    root = np.sqrt(answer.curvature)
    w = root * answer.optimum.w
    slopes = c / root * answer.optimum.tangent

    def bound(sizes: np.ndarray | float, of_A: float, of_S: np.ndarray) -> float:
        """Return it for the largest singular value of A and those of S, each column over its size."""
        of_w = of_S[0] ** 2 * np.sum((sizes * w) ** 2)
        amplified = of_A / of_S[-1]
        of_gradients = 0.5 * slopes @ slopes * amplified**2
        return float(of_w + of_gradients)

    A, S = answer.design.root(), factors.root()
    sizes = np.sqrt((S**2).sum(axis=0))
    plain = bound(1.0, largest, values)
    if len(sizes) > MOST_SCALED or not (sizes > 0).all():
        return plain
    of_A = linalg.svdvals(A / sizes)[0]
    of_S = np.asarray(linalg.svdvals(S / sizes))[: factors.rank]
    return min(plain, bound(sizes, of_A, of_S))
