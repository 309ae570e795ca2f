"""Newton's method for a sum of convex terms f(u) = sum_i f_i(v_i) over v = Q u.

The coordinates are orthonormal: Q (m, r), of m terms and r columns, has Q'Q = I. Hessians Q'diag(h)Q are
never formed; their roots come from the rows sqrt(h_i) q_i by QR. Differences of f are never taken either: a
step is judged by how far f lies above its tangent, so that line searches work to the last digit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrbench.problems.least_squares import EPS, PANEL, ROWS, lapack

FLAT = 1e-12  # a singular value below this times the largest one counts as 0
SUFFICIENT, STEEP = 0.9, 0.9  # of the line search (weak Wolfe conditions)
STEPS, HALVINGS = 200, 100  # at most: what rounding allows is reached long before
STEADY = 0.1  # how far from what the model says the slopes may change, as a share of their change
CLEAR = 16  # roundings of the gradient beyond which a flat direction has a slope


@dataclass(frozen=True, eq=False)
class Terms:
    """The f_i, all at once: arrays (m,) in and out."""

    slope: Callable[[np.ndarray], np.ndarray]  # f_i'(v_i)
    curvature: Callable[[np.ndarray], np.ndarray]  # f_i''(v_i)
    # (move, v): how far f_i(v_i + move_i) lies above its tangent at v_i
    excess: Callable[[np.ndarray, np.ndarray], np.ndarray]


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

    @property
    def longest(self) -> float:
        """How far it moves any v."""
        return float(np.abs(self.shift).max(initial=0))


def descend(Q: np.ndarray, u: np.ndarray, terms: Terms, limit: int = STEPS) -> Step:
    """Go down from u until rounding decides; return the step that would come next.

    Each step is chosen by a line search, so f falls in every one. The end is where the decrement is noise, or
    steps that do what Newton's model says no longer halve it.
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
    """Return Newton's step from u; where H is flat but f is not, one along the flat directions alone."""
    v = Q @ u
    s = terms.slope(v)
    h = terms.curvature(v)
    sizes, axes = principal(Q, h)
    largest = sizes.max(initial=0.0)
    steep = sizes > FLAT * largest
    g = axes @ (Q.T @ s)
    error = EPS * float(np.linalg.norm(s))
    if np.linalg.norm(g[~steep]) > CLEAR * error:
        flat = axes[~steep].T
        move = -flat @ g[~steep] / (largest**2 or 1.0)
        return _along_flat(u, s, move, Q @ move)
    scaled = g[steep] / sizes[steep]
    move = -axes[steep].T @ (scaled / sizes[steep])
    shift = Q @ move
    least = float(sizes[steep].min(initial=np.inf))
    return Step(
        u=u,
        s=s,
        move=move,
        shift=shift,
        decrement=float(np.linalg.norm(scaled)),
        noise=error / least,
        blur=error / least**2 if steep.all() else np.inf,
        steady=_is_steady(terms.slope(v + shift) - s, h * shift, EPS * (np.abs(s) + h * np.abs(v))),
    )


def _along_flat(u: np.ndarray, s: np.ndarray, move: np.ndarray, shift: np.ndarray) -> Step:
    """Return a step of which Newton's model says nothing."""
    return Step(u, s, move, shift, decrement=np.inf, noise=0.0, blur=np.inf, steady=False)


def _is_steady(change: np.ndarray, predicted: np.ndarray, rounding: np.ndarray) -> bool:
    """Return whether all slopes (m,) change as their curvatures say, but for a few roundings."""
    error = np.abs(change - predicted)
    return bool((error <= STEADY * np.abs(predicted) + 4 * rounding).all())


def principal(Q: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the roots of Q'diag(h)Q's eigenvalues, descending (r,), and its eigenvectors as rows (r, r)."""
    r = Q.shape[1]
    R = np.zeros((r, r), order="F")
    tpqrt, panel = lapack("tpqrt"), min(PANEL, r)
    bent = np.flatnonzero(h)
    starts = range(0, len(bent), ROWS) if r else ()  # LAPACK refuses what is empty
    for start in starts:
        bent_rows = bent[start : start + ROWS]
        block = np.asfortranarray(np.sqrt(h[bent_rows])[:, None] * Q[bent_rows])
        R, *_ = tpqrt(0, panel, R, block, overwrite_a=1, overwrite_b=1)
    _, sizes, axes = np.linalg.svd(R)
    return sizes, axes


def _length(terms: Terms, v: np.ndarray, s: np.ndarray, shift: np.ndarray) -> float:
    """Return how much of a step to take, 0 where rounding hides any gain.

    The weak Wolfe conditions, by bisection (Lewis and Overton 2013).
    """
    slope = float(s @ shift)
    low, high = 0.0, np.inf
    t = 1.0
    for _ in range(HALVINGS):
        moved = t * shift
        if not terms.excess(moved, v).sum() <= -SUFFICIENT * t * slope:
            high = t
        elif terms.slope(v + moved) @ shift < STEEP * slope:
            low = t
        else:
            return t
        t = (low + high) / 2 if np.isfinite(high) else 2 * t
    return low
