"""Gradient descent, heavy ball and Nesterov's momentum on a quadratic: curves, edges, rates and constants.

With a fixed learning rate s and momentum m the error along an eigenvector moves by itself: after t steps it
is P_t(lambda) c, with a polynomial P_t that does not know the start. So a curve is gap_t = 1/2 sum lambda c^2
P_t(lambda)^2. All follow torch.optim.SGD with its buffer v = 0 at the start and dampening 0; what they say
holds for steps on all rows, in exact arithmetic.

eigenvalues (p,)    of the Hessian, in any order; a direction with eigenvalue 0 never moves and has no gap
c (..., p)          error of the start in the eigenbasis, V'(w_0 - w*)
steps               updates; a curve has steps + 1 values, the first of them the start's gap
"""

from typing import NamedTuple

import numpy as np


class Constants(NamedTuple):
    """Hyperparameters and the rate that they give, as what it lacks to 1.

    In the long run the error shrinks by 1 - lag a step, the gap by its square. The lag keeps its digits where
    the rate rounds to 1.
    """

    lr: float
    momentum: float
    lag: float


class _Motion(NamedTuple):
    """The 2x2 matrix of a step along each eigenvector: w <- a w + b u, u <- d w + e u."""

    a: np.ndarray
    b: np.ndarray
    d: np.ndarray
    e: np.ndarray


def gradient_descent(eigenvalues: np.ndarray, c: np.ndarray, steps: int, lr: float) -> np.ndarray:
    """Return the gaps (..., steps + 1) of w <- w - lr g: P_t = (1 - lr lambda)^t, at any lr (Cauchy 1847).

    Where it diverges, inf from the step where (1 - lr lambda)^2t passes the largest float64.
    """
    t = np.arange(steps + 1)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        polynomials = (1 - lr * eigenvalues) ** t  # (steps + 1, p)
    return _gaps(eigenvalues, c, polynomials)


def heavy_ball(eigenvalues: np.ndarray, c: np.ndarray, steps: int, lr: float, momentum: float) -> np.ndarray:
    """Return the gaps (..., steps + 1) of v <- momentum v + g; w <- w - lr v (Polyak 1964).

    At any lr and momentum; inf where P_t^2 overflows.
    """
    motion = _motion(lr * eigenvalues, momentum, nesterov=False)
    return _gaps(eigenvalues, c, _polynomials(motion, steps))


def nesterov(eigenvalues: np.ndarray, c: np.ndarray, steps: int, lr: float, momentum: float) -> np.ndarray:
    """Return the gaps (..., steps + 1) of v <- momentum v + g; w <- w - lr (g + momentum v).

    At any lr and momentum. The method of Nesterov (1983) with constant momentum, as Sutskever et al. (2013)
    write it; w is the point where the gradient is taken. inf where P_t^2 overflows.
    """
    motion = _motion(lr * eigenvalues, momentum, nesterov=True)
    return _gaps(eigenvalues, c, _polynomials(motion, steps))


def edge_gradient_descent(L: float) -> float:
    """Return the lr below which gradient descent converges from every start: 2 / L."""
    return 2 / L


def edge_heavy_ball(L: float, momentum: float) -> float:
    """Return the lr below which heavy ball with 0 <= momentum < 1 converges from every start.

    2 (1 + momentum) / L (Polyak 1964).
    """
    return 2 * (1 + momentum) / L


def edge_nesterov(L: float, momentum: float) -> float:
    """Return the lr below which Nesterov's method with 0 <= momentum < 1 converges from every start.

    2 (1 + momentum) / ((1 + 2 momentum) L). Both roots of z^2 - (1 + m)(1 - lr L) z + m (1 - lr L) lie in the
    unit circle up to there; see O'Donoghue and Candes (2015) for the roots.
    """
    return 2 * (1 + momentum) / ((1 + 2 * momentum) * L)


def rate(eigenvalues: np.ndarray, lr: float, momentum: float = 0.0, *, nesterov: bool = False) -> float:
    """Return by how much the error shrinks a step in the long run.

    It is the largest spectral radius among the eigenvalues above 0. From almost every start; 1 or more where
    the method does not converge. Where two roots meet, as at Polyak's constants, rounding moves the rate by
    up to the root of eps, 1e-8.
    """
    moving = eigenvalues[eigenvalues > 0]
    motion = _motion(lr * moving, momentum, nesterov=nesterov)
    half_trace = np.abs(motion.a + motion.e) / 2
    determinant = motion.a * motion.e - motion.b * motion.d
    discriminant = half_trace**2 - determinant
    of_a_complex_pair = np.sqrt(np.abs(determinant))
    of_the_larger_root = half_trace + np.sqrt(np.maximum(discriminant, 0))
    radius = np.where(discriminant < 0, of_a_complex_pair, of_the_larger_root)
    return float(radius.max())


def asymptotic_gradient_descent(L: float, mu: float) -> Constants:
    """Return the constant lr with the best rate on eigenvalues from mu to L.

    2 / (L + mu), rate (kappa - 1) / (kappa + 1) (Polyak 1987). Best in the long run and for the worst start;
    at a given budget and start another lr may be better.
    """
    lr = 2 / (L + mu)
    return Constants(lr, momentum=0.0, lag=2 * mu / (L + mu))


def asymptotic_heavy_ball(L: float, mu: float) -> Constants:
    """Return lr and momentum with the best rate of heavy ball: 4 / (sqrt L + sqrt mu)^2 and q^2.

    The rate is q = (sqrt kappa - 1) / (sqrt kappa + 1) (Polyak 1964). Best in the long run and for the worst
    start: the gap may first grow, to about kappa times the start's.
    """
    root_L, root_mu = L**0.5, mu**0.5
    q = (root_L - root_mu) / (root_L + root_mu)
    lr = 4 / (root_L + root_mu) ** 2
    return Constants(lr, q**2, lag=2 * root_mu / (root_L + root_mu))


def asymptotic_nesterov(L: float, mu: float) -> Constants:
    """Return lr and momentum with the best rate of Nesterov's method on quadratics.

    4 / (3 L + mu) and (z - 2) / (z + 2) with z = sqrt(3 kappa + 1), rate 1 - 2 / z (Lessard, Recht and
    Packard 2016, table 1). Best in the long run and for the worst start.
    """
    z = (3 * L / mu + 1) ** 0.5
    lr = 4 / (3 * L + mu)
    momentum = (z - 2) / (z + 2)
    return Constants(lr, momentum, lag=2 / z)


def final_polynomial(lr_eigenvalues: np.ndarray, momentum: np.ndarray, steps: int) -> np.ndarray:
    """Return P_steps of heavy ball at lr lambda for every entry of the two arrays, broadcast.

    By squaring, so in some log2(steps) products.
    """
    motion = _motion(lr_eigenvalues, momentum, nesterov=False)
    w = np.ones_like(motion.a)
    u = np.zeros_like(w)
    remaining = steps
    while remaining:
        if remaining % 2:
            w, u = _moved(motion, w, u)
        motion = _twice(motion)
        remaining //= 2
    return w


def _motion(s: np.ndarray, momentum: np.ndarray | float, *, nesterov: bool) -> _Motion:
    """Return the motion at s = lr lambda >= 0.

    u is the buffer in the scale that makes the motion almost a rotation.
    u = lr v / sqrt s:  u <- momentum u + sqrt(s) w, then  w <- w - sqrt(s) u, or with Nesterov
    w <- w - s w - momentum sqrt(s) u.
    """
    root = np.sqrt(s)
    e = momentum + 0 * s  # as many as there are s
    if nesterov:
        a = 1 - s - momentum * s
        b = -(momentum**2) * root
    else:
        a = 1 - s
        b = -momentum * root
    return _Motion(a, b, root, e)


def _moved(motion: _Motion, w: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return w and u after a step."""
    w_next = motion.a * w + motion.b * u
    u_next = motion.d * w + motion.e * u
    return w_next, u_next


def _twice(motion: _Motion) -> _Motion:
    """Return the motion of two steps: the square of the matrix."""
    trace = motion.a + motion.e
    corner = motion.b * motion.d
    a = motion.a * motion.a + corner
    e = motion.e * motion.e + corner
    return _Motion(a, motion.b * trace, motion.d * trace, e)


def _polynomials(motion: _Motion, steps: int) -> np.ndarray:
    """Return P_0 .. P_steps (steps + 1, p) of a method from its motion."""
    w = np.ones_like(motion.a)
    u = np.zeros_like(w)  # the buffer of the start
    P = np.empty((steps + 1, *w.shape))
    P[0] = w
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for t in range(steps):
            w, u = _moved(motion, w, u)
            P[t + 1] = w
    return P


def _gaps(eigenvalues: np.ndarray, c: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Return 1/2 sum lambda c^2 P^2 (..., steps + 1): inf where a P^2 that counts overflows."""
    weights = 0.5 * eigenvalues * np.square(c)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        squares = P * P
        overflow = ~np.isfinite(squares)
        finite = np.where(overflow, 0.0, squares)
        gaps = weights @ finite.T
    # Only where it counts: a direction that the start lacks has no weight, and 0 times inf is NaN.
    lost = (weights > 0) @ overflow.T
    return np.where(lost, np.inf, gaps)
