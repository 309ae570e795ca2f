"""Newton's method for a sum of convex terms f(u) = sum_i f_i(v_i) over v = Q u, in orthonormal coordinates: Q (m, r) has Q'Q = I.

Hessians Q'diag(h)Q are never formed; their roots come from the rows sqrt(h_i) q_i by QR. Differences of f are never taken either: a step is judged by
how far f lies above its tangent, so that line searches work to the last digit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrbench.problems.least_squares import EPS, PANEL, ROWS, lapack

FLAT = 1e-12  # a singular value below this times the largest one counts as 0
SUFFICIENT, STEEP = 0.9, 0.9  # of the line search (weak Wolfe conditions)


@dataclass(frozen=True, eq=False)
class Terms:
    """The f_i, all at once: arrays (m,) in and out."""

    slope: Callable[[np.ndarray], np.ndarray]  # f_i'(v_i)
    curvature: Callable[[np.ndarray], np.ndarray]  # f_i''(v_i)
    excess: Callable[
        [np.ndarray, np.ndarray], np.ndarray
    ]  # (move, v): how far f_i(v_i + move_i) lies above its tangent at v_i


@dataclass(frozen=True, eq=False)
class Step:
    """A step of Newton's method from a point.

    Attributes:
        u: the point (r,).
        s: the slopes there (m,).
        move: of u (r,).
        shift: what it does to v (m,).
        decrement: sqrt(g' H^-1 g), half of whose square the step gains by Newton's model.
        noise: what rounding in g contributes to the decrement.
        blur: and to the move; inf where H is flat in some direction.
        steady: whether every slope changes as the model says, and H is not flat where g is not 0.
    """

    u: np.ndarray
    s: np.ndarray
    move: np.ndarray
    shift: np.ndarray
    decrement: float
    noise: float
    blur: float
    steady: bool


def descend(Q: np.ndarray, u: np.ndarray, terms: Terms, limit: int = 200) -> Step:
    """Go down from u until rounding decides; return the step that would come next.

    Each step is chosen by a line search, so f falls in every one. The end is where the decrement is noise, or steps that do what Newton's model says
    no longer halve it.
    """
    step = step_from(Q, u, terms)
    for _ in range(limit):
        if step.decrement <= step.noise:
            break
        length = _length(terms, Q @ step.u, step.s, step.shift)
        if not length:
            break
        following = step_from(Q, step.u + length * step.move, terms)
        if step.steady and following.steady and following.decrement >= step.decrement / 2:
            break
        step = following
    return step


def step_from(Q: np.ndarray, u: np.ndarray, terms: Terms) -> Step:
    """Return Newton's step from u. Where H is flat but f is not, it is a step along the flat directions alone."""
    v = Q @ u
    s, h = terms.slope(v), terms.curvature(v)
    sizes, axes = principal(Q, h)
    largest = sizes.max(initial=0.0)
    steep = sizes > FLAT * largest
    g = axes @ (Q.T @ s)
    error = EPS * float(np.linalg.norm(s))
    if np.linalg.norm(g[~steep]) > 16 * error:
        move = -axes[~steep].T @ g[~steep] / (largest**2 or 1.0)
        return Step(u, s, move, Q @ move, np.inf, 0.0, np.inf, False)
    scaled = g[steep] / sizes[steep]
    move = -axes[steep].T @ (scaled / sizes[steep])
    shift = Q @ move
    off = np.abs(terms.slope(v + shift) - s - h * shift)
    steady = bool((off <= 0.1 * np.abs(h * shift) + 4 * EPS * (np.abs(s) + h * np.abs(v))).all())
    least = float(sizes[steep].min(initial=np.inf))
    return Step(
        u,
        s,
        move,
        shift,
        float(np.linalg.norm(scaled)),
        error / least,
        error / least**2 if steep.all() else np.inf,
        steady,
    )


def principal(Q: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the square roots of the eigenvalues of Q'diag(h)Q, descending (r,), and its eigenvectors as rows (r, r)."""
    r, rows = Q.shape[1], np.flatnonzero(h)
    R = np.zeros((r, r), order="F")
    if r:
        for start in range(0, len(rows), ROWS):
            block = rows[start : start + ROWS]
            R = lapack("tpqrt")(
                0,
                min(PANEL, r),
                R,
                np.asfortranarray(np.sqrt(h[block])[:, None] * Q[block]),
                overwrite_a=1,
                overwrite_b=1,
            )[0]
    _, sizes, axes = np.linalg.svd(R)
    return sizes, axes


def _length(terms: Terms, v: np.ndarray, s: np.ndarray, shift: np.ndarray) -> float:
    """Return how much of a step to take, 0 where rounding hides any gain: the weak Wolfe conditions by bisection (Lewis and Overton 2013)."""
    low, high, t, slope = 0.0, np.inf, 1.0, float(s @ shift)
    for _ in range(100):
        moved = t * shift
        if not terms.excess(moved, v).sum() <= -SUFFICIENT * t * slope:
            high = t
        elif terms.slope(v + moved) @ shift < STEEP * slope:
            low = t
        else:
            return t
        t = (low + high) / 2 if np.isfinite(high) else 2 * t
    return low
