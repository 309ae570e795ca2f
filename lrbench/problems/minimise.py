"""The exact minimiser of a loss that is not quadratic, and what is certain about it.

The objective is c times a sum over rows: n rows of the data with their loss, and for each penalised parameter
a row sqrt(pen_j / c) e_j with half the square as its loss. Their matrix is factorised once, and all else
happens in the orthonormal coordinates of its columns.

n samples, p parameters; m rows, those of the data first, then those of the penalty; r independent columns. A
(n, p) is the design, Q (m, r) the orthonormal columns, u (r,) coordinates, v = Q u (m,) predictions.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lrbench.losses import Loss
from lrbench.losses.kind import ClippedSlope, SelfConcordant, Straight
from lrbench.problems.clipped import Clipped, duality_gap, kinked_fit, smooth_fit, unique
from lrbench.problems.least_squares import Factors, factorise, with_penalty
from lrbench.problems.newton import EPS, Step, Terms, descend, step_from
from lrbench.problems.separation import movable

PRODUCT_ROWS = 4096  # of a block in extended precision, which takes twice the memory
TRIAL = 40  # Newton steps before it is asked whether the infimum is attained
CLEARLY = 1e-3  # how small the next step and its rounding are at a point that is clearly finite
FITTED = 64  # roundings of a prediction within which it is its target


@dataclass(frozen=True, eq=False)
class Minimiser:
    """A minimiser of F(w) = c sum_i l(a_i'w, y_i) + 1/2 sum_j pen_j w_j^2.

    Where the infimum is not attained, some rows have a loss that only vanishes in the limit, along a
    direction that leaves the others alone; w and bound are then of the sum over the others.

    Attributes:
        w: (p,) a minimiser, the one of least norm where the others are w + null(A).
        attained: whether F has a minimiser.
        star: (n,) predictions there; inf or -inf for a row whose loss only vanishes in the limit.
        tangent: (n,) slopes there, at a kink one between those on both sides, 0 at infinity: c A'tangent +
            pen w = 0 but for rounding.
        infimum: of F.
        bound: of F(w) - infimum, from above.
        kind: "unique"; "affine": all w + null(A), also where that is penalised in part; "set": more, of a
            loss that has straight pieces; "none": not attained.
        method: what the bound stands on. "Newton": half the squared decrement over 1 - M |shift|, for |f'''|
            <= M f'' (as in Bach 2010), with the rounding of the gradient counted; or the duality gap, where
            log cosh is too flat for that. "Newton in pieces" and "active set": the duality gap. "linear
            programme": nothing was left to minimise.
    """

    w: np.ndarray
    attained: bool
    star: np.ndarray
    tangent: np.ndarray
    infimum: float
    bound: float
    kind: str
    method: str


@dataclass(frozen=True, eq=False)
class Objective:
    """F, whose minimiser is looked for."""

    A: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    loss: Loss
    pen: np.ndarray  # (p,)
    c: float

    def factors(self) -> Factors:
        """Factorise the rows of the data and of the penalty."""
        return factorise(with_penalty(self.A, self.pen / self.c))

    def value(self, z: np.ndarray, w: np.ndarray) -> float:
        """Return F at w, whose predictions are z (n,)."""
        losses = math.fsum(self.loss.values(z, self.y))
        penalty = math.fsum(self.pen * w * w)
        return self.c * losses + 0.5 * penalty

    def take(self, rows: np.ndarray) -> "Objective":
        """Return the objective of some rows (n,) bool alone, with c as it is."""
        return replace(self, A=self.A[rows], y=self.y[rows])


def minimise(A: np.ndarray, y: np.ndarray, loss: Loss, pen: np.ndarray) -> Minimiser:
    """Minimise F over w (p,) for rows A (n, p), targets y (n,) and weights pen (p,) of the penalty, >= 0."""
    objective = Objective(A, y, loss, pen, loss.factor(len(y)))
    behaviour = loss.minimiser
    with np.errstate(all="ignore"):
        if isinstance(behaviour, ClippedSlope):
            return _in_pieces(objective, behaviour)
        return _by_newton(objective, behaviour)


def _product(A: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return A w, summed in extended precision where the machine has it.

    Weights found to rounding cost the loss nothing, predictions would.
    """
    predictions = np.empty(len(A))
    for start in range(0, len(A), PRODUCT_ROWS):
        block = slice(start, start + PRODUCT_ROWS)
        predictions[block] = A[block].astype(np.longdouble) @ w
    return predictions


def _kind(factors: Factors) -> str:
    return "unique" if factors.rank == factors.A.shape[1] else "affine"


# ---- slopes that are clipped


def _in_pieces(objective: Objective, slope: ClippedSlope) -> Minimiser:
    y, n = objective.y, len(objective.y)
    factors = objective.factors()
    Q = factors.Q
    rows = _clipped_rows(y, len(factors.A), slope)
    has_kinks = rows.linear.any()
    u, s = kinked_fit(Q, rows) if has_kinks else smooth_fit(Q, rows)
    w = factors.minimiser(Q @ u)
    v = _product(factors.A, w)
    sizes = np.abs(factors.A) @ np.abs(w)
    star = _at_kinks(rows, v, sizes)[:n]
    return Minimiser(
        w=w,
        attained=True,
        star=star,
        tangent=s[:n] if has_kinks else objective.loss.slopes(star, y),
        infimum=objective.value(star, w),
        bound=objective.c * duality_gap(rows, v, s),
        kind=_kind(factors) if unique(Q, rows, v, s) else "set",
        method="active set" if has_kinks else "Newton in pieces",
    )


def _clipped_rows(y: np.ndarray, m: int, slope: ClippedSlope) -> Clipped:
    """Return m rows, those of the data with this slope first, then those of the penalty."""

    def column(data: np.ndarray | float, penalty: float) -> np.ndarray:
        of_data = np.broadcast_to(data, len(y))
        return np.append(of_data, np.full(m - len(y), penalty))

    return Clipped(
        y=column(y, 0.0),
        width=column(slope.width, 1.0),
        low=column(slope.low, -np.inf),
        high=column(slope.high, np.inf),
    )


def _at_kinks(rows: Clipped, v: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return predictions v (m,), those moved onto their kink that only rounding keeps from it.

    sizes (m,): of the terms that they are sums of.
    """
    rounding = EPS * (sizes + np.abs(rows.y))
    fitted = rows.linear & (np.abs(v - rows.y) <= FITTED * rounding)
    return np.where(fitted, rows.y, v)


# ---- losses that bend everywhere


def _by_newton(objective: Objective, behaviour: SelfConcordant) -> Minimiser:
    y, loss = objective.y, objective.loss
    factors = objective.factors()
    Q, terms = factors.Q, _terms(y, loss)
    step = descend(Q, _start(Q, y, behaviour), terms, TRIAL)
    if behaviour.vanishes is not None and not _is_interior(step):
        leaving = _leaving(Q, behaviour.vanishes(y))
        if leaving.any():
            return _without(leaving, objective, behaviour)
        step = descend(Q, step.u, terms)
    w = factors.minimiser(Q @ step.u)
    v = _product(factors.A, w)
    star = v[: len(y)]
    return Minimiser(
        w=w,
        attained=True,
        star=star,
        tangent=loss.slopes(star, y),
        infimum=objective.value(star, w),
        bound=objective.c * _bound(Q, y, step_from(Q, Q.T @ v, terms), loss),
        kind=_kind(factors),
        method="Newton",
    )


def _without(leaving: np.ndarray, objective: Objective, behaviour: SelfConcordant) -> Minimiser:
    """Minimise over the rows that do not leave (n,); the others go to infinity, where their loss vanishes."""
    assert behaviour.vanishes is not None
    stay = ~leaving
    others = objective.take(stay)
    part = _by_newton(others, behaviour) if stay.any() else _nothing_left(objective.A.shape[1])
    directions = behaviour.vanishes(objective.y)
    star = np.where(directions > 0, np.inf, -np.inf)
    tangent = np.zeros(len(star))
    star[stay] = part.star
    tangent[stay] = part.tangent
    return replace(part, attained=False, star=star, tangent=tangent, kind="none")


def _nothing_left(p: int) -> Minimiser:
    """Return the minimiser of a sum over no rows."""
    none = np.zeros(0)
    return Minimiser(
        w=np.zeros(p),
        attained=True,
        star=none,
        tangent=none,
        infimum=0.0,
        bound=0.0,
        kind="none",
        method="linear programme",
    )


def _start(Q: np.ndarray, y: np.ndarray, behaviour: SelfConcordant) -> np.ndarray:
    """Return where Newton's method starts (r,).

    At 0, but for a loss that is straight far away at the minimiser of one like it.
    """
    if behaviour.straight is None:
        return np.zeros(Q.shape[1])
    u, _ = smooth_fit(Q, _clipped_rows(y, len(Q), behaviour.straight.like))
    return u


def _terms(y: np.ndarray, loss: Loss) -> Terms:
    """Return the terms of the rows of the data, and of a penalty's below them, half the square."""
    n = len(y)

    def slope(v: np.ndarray) -> np.ndarray:
        return np.append(loss.slopes(v[:n], y), v[n:])

    def curvature(v: np.ndarray) -> np.ndarray:
        of_penalty = np.ones(len(v) - n)
        return np.append(loss.curvatures(v[:n], y), of_penalty)

    def excess(move: np.ndarray, v: np.ndarray) -> np.ndarray:
        star, moved = v[:n], move[:n]
        of_data = loss.excesses(moved, star + moved, y, star, loss.slopes(star, y))
        return np.append(of_data, 0.5 * move[n:] ** 2)

    return Terms(slope, curvature, excess)


def _bound(Q: np.ndarray, y: np.ndarray, step: Step, loss: Loss) -> float:
    """Return how far the point of a step is above the infimum at most.

    The slopes s + h shift balance, so the sum of f + f* - v s is a bound, and f* bends by no more than 1 / (h
    (1 - M |shift|)) in
    between.
    """
    behaviour = loss.minimiser
    assert isinstance(behaviour, SelfConcordant)
    bent = 1 - behaviour.bend * step.longest
    gain = 0.5 * (step.decrement + step.noise) ** 2
    bound = gain / bent if bent > 0 else math.inf
    if behaviour.straight is None:
        return bound
    return min(bound, _duality_gap(Q, y, step, loss, behaviour.straight))


def _duality_gap(Q: np.ndarray, y: np.ndarray, step: Step, loss: Loss, straight: Straight) -> float:
    """Return the duality gap, for where a loss is so flat that Newton's model holds nowhere.

    Its error is eps times the residuals.
    """
    n = len(y)
    v = Q @ step.u
    s = step.s
    # Twice: the first time leaves what rounding does to slopes that are much larger than their sum.
    for _ in range(2):
        s = s - Q @ (Q.T @ s)
    steepest = straight.like.high
    s = s / max(steepest, np.abs(s[:n]).max())
    finite = steepest - EPS / 2  # a slope as steep as the loss ever is would lie at infinity
    residual = straight.residual(np.clip(s[:n], -finite, finite))
    star, z = y + residual, v[:n]
    of_data = loss.excesses(z - y - residual, z, y, star, loss.slopes(star, y))
    of_penalty = 0.5 * ((v - s)[n:] ** 2).sum()
    return float(of_data.sum() + of_penalty)


def _is_interior(step: Step) -> bool:
    """Return whether the balanced slopes s + h shift are clearly those of a finite point.

    Then the infimum is attained.
    """
    return step.blur < CLEARLY and step.longest < CLEARLY


def _leaving(Q: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return which rows (n,) leave for infinity, each in its direction; a penalised one leaves nothing."""
    n = len(directions)
    signs = np.append(directions, np.zeros(len(Q) - n))
    return movable(Q, signs == 0, signs)[:n]
