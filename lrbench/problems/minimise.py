"""The exact minimiser of a loss that is not quadratic, and what is certain about it.

The objective is c times a sum over rows: n rows of the data with their loss, and for each penalised parameter a row sqrt(pen_j / c) e_j with half the
square as its loss. Their matrix is factorised once, and all else happens in the orthonormal coordinates of its columns.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lrbench.losses import Loss
from lrbench.problems.clipped import Clipped, duality_gap, kinked_fit, smooth_fit, unique
from lrbench.problems.least_squares import Factors, factorise, with_penalty
from lrbench.problems.newton import EPS, Step, Terms, descend, step_from
from lrbench.problems.separation import movable

WIDTHS = {  # width, low and high of the clipped slopes, given the loss's own number
    "squared": lambda k: (0.5, -np.inf, np.inf),
    "huber": lambda k: (1.0, -k, k),
    "smooth_l1": lambda k: (k, -1.0, 1.0),
    "l1": lambda k: (0.0, -1.0, 1.0),
    "quantile": lambda k: (0.0, -k, 1 - k),
}
BENDS = {"logistic": 1.0, "poisson": 1.0, "log_cosh": 2.0}  # M with |f'''| <= M f''
PRODUCT_ROWS = 4096
TRIAL = 40  # Newton steps before it is asked whether the infimum is attained


@dataclass(frozen=True, eq=False)
class Minimiser:
    """A minimiser of F(w) = c sum_i l(a_i'w, y_i) + 1/2 sum_j pen_j w_j^2.

    Where the infimum is not attained, some rows have a loss that only vanishes in the limit, along a direction that leaves the others alone; w and
    bound are then of the sum over the others.

    Attributes:
        w: (p,) a minimiser, the one of least norm where the others are w + null(A).
        attained: whether F has a minimiser.
        star: (n,) predictions there; inf or -inf for a row whose loss only vanishes in the limit.
        tangent: (n,) slopes there, at a kink one between those on both sides, 0 at infinity: c A'tangent + pen w = 0 but for rounding.
        infimum: of F.
        bound: of F(w) - infimum, from above.
        kind: "unique"; "affine": all w + null(A), also where that is penalised in part; "set": more, of a loss that has straight pieces; "none": not
            attained.
        method: what the bound stands on. "Newton": half the squared decrement over 1 - M |shift|, for |f'''| <= M f'' (as in Bach 2010), with the
            rounding of the gradient counted; or the duality gap, where log cosh is too flat for that. "Newton in pieces" and "active set": the
            duality gap. "linear programme": nothing was left to minimise.
    """

    w: np.ndarray
    attained: bool
    star: np.ndarray
    tangent: np.ndarray
    infimum: float
    bound: float
    kind: str
    method: str


def minimise(A: np.ndarray, y: np.ndarray, loss: Loss, pen: np.ndarray) -> Minimiser:
    """Minimise F over w (p,) for rows A (n, p), targets y (n,) and weights pen (p,) of the penalty, 0 or more."""
    solver = _clipped if loss.kind.name in WIDTHS else _exponential
    with np.errstate(all="ignore"):
        return solver(A, y, loss, pen, loss.factor(len(y)))


def _value(z: np.ndarray, y: np.ndarray, loss: Loss, c: float, pen: np.ndarray, w: np.ndarray) -> float:
    return c * math.fsum(loss.values(z, y)) + 0.5 * math.fsum(pen * w * w)


def _product(A: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return A w, summed in extended precision where the machine has it: weights found to rounding cost the loss nothing, predictions would."""
    blocks = range(0, len(A), PRODUCT_ROWS)
    return np.concatenate(
        [(A[first : first + PRODUCT_ROWS].astype(np.longdouble) @ w).astype(float) for first in blocks]
    )


def _kind(factors: Factors) -> str:
    return "unique" if factors.rank == factors.A.shape[1] else "affine"


# ---- slopes that are clipped


def _clipped(A: np.ndarray, y: np.ndarray, loss: Loss, pen: np.ndarray, c: float) -> Minimiser:
    n, factors = len(y), factorise(with_penalty(A, pen / c))
    Q, rows = factors.Q, _rows(y, len(factors.A), *WIDTHS[loss.kind.name](loss.k))
    u, s = kinked_fit(Q, rows) if rows.linear.any() else smooth_fit(Q, rows)
    w = factors.minimiser(Q @ u)
    v = _product(factors.A, w)
    fitted = rows.linear & (np.abs(v - rows.y) <= 64 * EPS * (np.abs(factors.A) @ np.abs(w) + np.abs(rows.y)))
    star = np.where(fitted, rows.y, v)[:n]
    return Minimiser(
        w=w,
        attained=True,
        star=star,
        tangent=s[:n] if rows.linear.any() else loss.slopes(star, y),
        infimum=_value(star, y, loss, c, pen, w),
        bound=c * duality_gap(rows, v, s),
        kind=_kind(factors) if unique(Q, rows, v, s) else "set",
        method="active set" if rows.linear.any() else "Newton in pieces",
    )


def _rows(y: np.ndarray, m: int, width: float, low: float, high: float) -> Clipped:
    """Return m rows, those of the data with these numbers first, then those of the penalty."""
    numbers = ((y, 0.0), (width, 1.0), (low, -np.inf), (high, np.inf))
    return Clipped(
        *(np.append(np.broadcast_to(data, len(y)), np.full(m - len(y), penalty)) for data, penalty in numbers)
    )


# ---- exponentials


def _exponential(A: np.ndarray, y: np.ndarray, loss: Loss, pen: np.ndarray, c: float) -> Minimiser:
    factors = factorise(with_penalty(A, pen / c))
    Q, terms = factors.Q, _terms(y, loss)
    step = descend(Q, _start(Q, y, loss), terms, TRIAL)
    if not _is_interior(step, loss):
        leaving = _leaving(Q, y, loss)
        if leaving.any():
            return _without(leaving, A, y, loss, pen, c)
        step = descend(Q, step.u, terms)
    w = factors.minimiser(Q @ step.u)
    v = _product(factors.A, w)
    star = v[: len(y)]
    return Minimiser(
        w=w,
        attained=True,
        star=star,
        tangent=loss.slopes(star, y),
        infimum=_value(star, y, loss, c, pen, w),
        bound=c * _bound(Q, y, step_from(Q, Q.T @ v, terms), loss),
        kind=_kind(factors),
        method="Newton",
    )


def _without(
    leaving: np.ndarray, A: np.ndarray, y: np.ndarray, loss: Loss, pen: np.ndarray, c: float
) -> Minimiser:
    """Minimise over the rows that do not leave (n,); the others go to infinity, where their loss vanishes."""
    stay = ~leaving
    if stay.any():
        part = _exponential(A[stay], y[stay], loss, pen, c)
    else:
        w = np.zeros(A.shape[1])
        part = Minimiser(w, True, w[:0], w[:0], 0.0, 0.0, "none", "linear programme")
    star, tangent = np.where(_signs(y, loss) > 0, np.inf, -np.inf), np.zeros(len(y))
    star[stay], tangent[stay] = part.star, part.tangent
    return replace(part, attained=False, star=star, tangent=tangent, kind="none")


def _start(Q: np.ndarray, y: np.ndarray, loss: Loss) -> np.ndarray:
    """Return where Newton's method starts (r,): at 0, but for log cosh, which is straight far away, at the minimiser of Huber's loss."""
    if loss.kind.name != "log_cosh":
        return np.zeros(Q.shape[1])
    return smooth_fit(Q, _rows(y, len(Q), *WIDTHS["huber"](1.0)))[0]


def _terms(y: np.ndarray, loss: Loss) -> Terms:
    """Return the terms of the rows of the data, and of a penalty's below them."""
    n = len(y)
    return Terms(
        slope=lambda v: np.append(loss.slopes(v[:n], y), v[n:]),
        curvature=lambda v: np.append(loss.curvatures(v[:n], y), np.ones(len(v) - n)),
        excess=lambda move, v: np.append(
            loss.excesses(move[:n], v[:n] + move[:n], y, v[:n], loss.slopes(v[:n], y)),
            0.5 * move[n:] ** 2,
        ),
    )


def _bound(Q: np.ndarray, y: np.ndarray, step: Step, loss: Loss) -> float:
    """Return how far the point of a step is above the infimum at most.

    The slopes s + h shift balance, so the sum of f + f* - v s is a bound, and f* bends by no more than 1 / (h (1 - M |shift|)) in between.
    """
    bent = 1 - BENDS[loss.kind.name] * float(np.abs(step.shift).max(initial=0))
    bound = 0.5 * (step.decrement + step.noise) ** 2 / bent if bent > 0 else math.inf
    return min(bound, _log_cosh_gap(Q, y, step, loss)) if loss.kind.name == "log_cosh" else bound


def _log_cosh_gap(Q: np.ndarray, y: np.ndarray, step: Step, loss: Loss) -> float:
    """Return the duality gap of log cosh, for where it is so flat that Newton's model holds nowhere: its error is eps times the residuals."""
    n, v, s = len(y), Q @ step.u, step.s
    for _ in range(2):
        s = s - Q @ (Q.T @ s)
    s = s / max(1.0, np.abs(s[:n]).max())
    at = np.arctanh(np.clip(s[:n], EPS / 2 - 1, 1 - EPS / 2))
    gaps = loss.excesses(v[:n] - y - at, v[:n], y, y + at, np.tanh(at))
    return float(gaps.sum() + 0.5 * ((v - s)[n:] ** 2).sum())


def _is_interior(step: Step, loss: Loss) -> bool:
    """Return whether the balanced slopes s + h shift are clearly those of a finite point: then the infimum is attained."""
    return loss.kind.name == "log_cosh" or (
        step.blur < 1e-3 and float(np.abs(step.shift).max(initial=0)) < 1e-3
    )


def _leaving(Q: np.ndarray, y: np.ndarray, loss: Loss) -> np.ndarray:
    """Return which rows (n,) leave for infinity: a penalised direction leaves nothing."""
    signs = np.append(_signs(y, loss), np.zeros(len(Q) - len(y)))
    return movable(Q, signs == 0, signs)[: len(y)]


def _signs(y: np.ndarray, loss: Loss) -> np.ndarray:
    """Return the direction (n,) in which a row's loss falls to 0: of a label both have one, of counts only 0; 0 where it has none."""
    return np.where(y > 0.5, 1.0, -1.0) if loss.kind.name == "logistic" else np.where(y > 0, 0.0, -1.0)
