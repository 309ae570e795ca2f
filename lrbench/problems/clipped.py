"""Losses whose slope is a residual clipped to an interval.

They are Huber's, smooth L1, L1, quantiles, squares, and the rows of a penalty:

    f_i'(v) = clip((v - y_i) / width_i, low_i, high_i)

With a width of 0 the slope jumps, as for L1 and quantiles. Wide ones are easy for Newton's method, so widths
shrink by a factor from stage to stage (Madsen and Nielsen 1993 for L1; Chen 2007 for quantiles). A solution
at a small enough width names the rows that are fitted exactly and the sides of the others, and what remains
is linear algebra: the exact answer of the linear programme, or with a penalty of the quadratic one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from lrbench.problems.newton import EPS, Terms, descend, principal
from lrbench.problems.separation import movable, still

SHRINK = 0.1  # of widths from a stage to the next
EDGE = 1e-9  # a slope this close to the end of its interval, relative to its length, is at the end
TINY = 1e-300
WIDEST = 1e6  # times rounding: where the first stage starts at least
BASE_NOISE = 4  # roundings of every row's loss that a duality gap may consist of

# Relative to the width: residuals within it, less or plus this, are tried as those of rows fitted exactly.
SLACKS = (-1e-6, 1e-6)
# Times the largest singular value: directions below are tried as those that exactly fitted rows leave open.
INDEPENDENT = (1e-11, 1e-7)


@dataclass(frozen=True, eq=False)
class Clipped:
    """The numbers of m such losses, (m,) each."""

    y: np.ndarray
    width: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def linear(self) -> np.ndarray:
        """Which rows have a kink."""
        return self.width == 0

    def terms(self) -> Terms:
        """Return the losses as Newton's method takes them; no width is 0."""
        return Terms(
            slope=self.slope,
            curvature=lambda v: self.inside(v) / self.width,
            excess=lambda move, v: self.excess(move, v, self.slope(v)),
        )

    def slope(self, v: np.ndarray) -> np.ndarray:
        """Return f'(v); 0 at a kink."""
        residuals = (v - self.y) / np.maximum(self.width, TINY)
        return np.clip(residuals, self.low, self.high)

    def inside(self, v: np.ndarray) -> np.ndarray:
        """Return which slopes are not clipped."""
        x = (v - self.y) / self.width
        return (x >= self.low) & (x <= self.high)

    def excess(self, move: np.ndarray, v: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return how far f(v + move) lies above its tangent at v, whose slope is s; no width is 0."""
        b = self.slope(v + move)
        r = v - self.y + move
        bent = (b - s) * (r - 0.5 * self.width * (s + b))
        quadratic = self.inside(v) & self.inside(v + move)
        return np.where(quadratic, 0.5 * move * move / self.width, bent)

    def fenchel(self, v: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return f(v) + f*(s) - v s, at least 0, and 0 where s is a slope at v; s within its interval."""
        b = self.slope(v)
        from_middle = v - self.y - 0.5 * self.width * (b + s)
        return np.maximum((b - s) * from_middle, 0.0)

    def within(self, s: np.ndarray) -> np.ndarray:
        """Return s times the largest number up to 1 that brings it into the intervals; it stays balanced."""
        beyond = np.maximum(s / self.high, s / self.low).max(initial=1.0)
        return s / beyond


@dataclass(frozen=True, eq=False)
class Fit:
    """A point u (r,), slopes s (m,) that balance, Q's = 0, and a bound of the sum at u above the infimum."""

    u: np.ndarray
    s: np.ndarray
    bound: float


def smooth_fit(Q: np.ndarray, rows: Clipped) -> tuple[np.ndarray, np.ndarray]:
    """Return where no width is 0 a minimiser's coordinates u (r,), and balanced slopes s (m,), Q's = 0."""
    u = Q.T @ rows.y
    for stage in _stages(Q @ u, rows):
        step = descend(Q, u, stage.terms())
        u = step.u
    curvatures = rows.inside(Q @ u) / rows.width
    return u, step.s + curvatures * step.shift


def kinked_fit(Q: np.ndarray, rows: Clipped) -> tuple[np.ndarray, np.ndarray]:
    """Return u and s where some widths are 0.

    Stages follow each other until the rows that are fitted exactly are known, which the duality gap tells.
    """
    u = Q.T @ rows.y
    best = None
    for stage in _stages(Q @ u, rows):
        step = descend(Q, u, stage.terms())
        u = step.u
        v = Q @ u
        noise = _noise(rows, v, step.s)
        for slack, independent in product(SLACKS, INDEPENDENT):
            exact = _fitted_exactly(rows, v, stage.width, slack)
            fit = _polished(Q, rows, u, step.s, exact, independent)
            if best is None or fit.bound < best.bound:
                best = fit
            if best.bound <= noise:
                return best.u, best.s
    assert best is not None
    return best.u, best.s


def _noise(rows: Clipped, v: np.ndarray, s: np.ndarray) -> float:
    """Return the duality gap that rounding makes in rows with a kink."""
    sizes = np.abs(s) * (np.abs(v) + np.abs(rows.y))
    return BASE_NOISE * EPS * float(sizes[rows.linear].sum())


def _fitted_exactly(rows: Clipped, v: np.ndarray, width: np.ndarray, slack: float) -> np.ndarray:
    """Return which rows (m,) with a kink have a residual within the width that a stage gave them."""
    ends = width * np.where(v > rows.y, rows.high, -rows.low)
    distances = np.abs(v - rows.y)
    return rows.linear & (distances <= ends * (1 + slack))


def duality_gap(rows: Clipped, v: np.ndarray, s: np.ndarray) -> float:
    """Return a bound of the sum at v above the infimum, from balanced slopes s: the duality gap."""
    return float(rows.fenchel(v, rows.within(s)).sum())


def unique(Q: np.ndarray, rows: Clipped, v: np.ndarray, s: np.ndarray) -> bool:
    """Return whether v are the predictions of all minimisers, given those of one and balanced slopes.

    Every minimiser has these slopes. Where they are between the ends of their interval the prediction is
    given; at an end it may go on, away from y.
    """
    to_end = np.minimum(rows.high - s, s - rows.low)
    length = rows.high - rows.low
    at_end = np.isfinite(rows.high) & (to_end <= EDGE * length)
    # A row whose residual is at the end too may move one way only, beyond it; any other is free to move.
    reach = rows.width * s
    from_edge = np.abs(v - (rows.y + reach))
    rounding = EPS / EDGE * 16 * (np.abs(v) + np.abs(rows.y))
    sided = at_end & (from_edge <= EDGE * (np.abs(reach) + rounding))
    if still(Q[~at_end | sided]).shape[1]:
        return False
    signs = np.where(sided, np.sign(s), 0.0)
    return not movable(Q, ~at_end, signs).any()


def _stages(v: np.ndarray, rows: Clipped) -> Iterator[Clipped]:
    """Yield the losses with ever smaller widths, from about the residuals (m,) at v down to their own.

    Where their own is 0 rounding is the last.
    """
    clips = np.isfinite(rows.high)
    floor = EPS * float(np.abs(rows.y).max(initial=0)) or TINY
    ends = np.maximum(rows.high, -rows.low)
    steepest = float(ends[clips].max(initial=0) or 1)
    residuals = np.abs(v - rows.y)
    start = residuals[clips].max(initial=0) / steepest
    width = max(float(start), WIDEST * floor)
    while clips.any() and width > max(float(rows.width[clips].max()), floor):
        yield replace(rows, width=np.where(clips, width, rows.width))
        width *= SHRINK
    if not rows.linear.any():
        yield rows


# ---- linear algebra
#
# Fitting and balancing are done twice: the second time leaves only the rounding of what the first left.


class Directions(NamedTuple):
    """The directions of u (r,) beside the rows that are fitted exactly."""

    free: np.ndarray  # (r, f) orthonormal: these rows do not see them
    held: np.ndarray  # (r, r - f) the others, each over its singular value

    def spread(self, g: np.ndarray) -> np.ndarray:
        """Return the pseudo-inverse of E'E times g (r,), where E are the exact rows of Q."""
        return self.held @ (self.held.T @ g)


def _polished(
    Q: np.ndarray, rows: Clipped, u: np.ndarray, s: np.ndarray, exact: np.ndarray, independent: float
) -> Fit:
    """Fit the rows `exact`, the others on the side of their residual, and balance the slopes."""
    directions = _directions(Q, exact, independent)
    u = _fitted(Q[exact], rows.y[exact], u, directions)
    others = rows.linear & ~exact
    ends = np.where(s > 0, rows.high, rows.low)
    s = np.where(others, ends, s)
    curved = ~rows.linear  # the rows of a penalty
    if curved.any():
        push = directions.free.T @ (Q[others].T @ s[others])
        u = _lowest(Q[curved], rows.y[curved], u, directions.free, push)
        s[curved] = Q[curved] @ u - rows.y[curved]
    for _ in range(2):
        s[exact] -= Q[exact] @ directions.spread(Q.T @ s)
    # slopes that do not quite balance change the sum by their product with u at most
    unbalanced = float(np.linalg.norm(Q.T @ s))
    gap = duality_gap(rows, Q @ u, s)
    return Fit(u, s, gap + unbalanced * float(np.linalg.norm(u)))


def _directions(Q: np.ndarray, exact: np.ndarray, independent: float) -> Directions:
    """Tell the directions that the exact rows hold from those that they leave free."""
    sizes, axes = principal(Q, exact.astype(float))
    is_held = sizes > independent * max(sizes.max(initial=0), TINY)
    return Directions(free=axes[~is_held].T, held=axes[is_held].T / sizes[is_held])


def _fitted(E: np.ndarray, y: np.ndarray, u: np.ndarray, directions: Directions) -> np.ndarray:
    """Move u (r,) by as little as fits the exact rows E (e, r), whose targets are y (e,)."""
    for _ in range(2):
        residuals = y - E @ u
        u = u + directions.spread(E.T @ residuals)
    return u


def _lowest(C: np.ndarray, y: np.ndarray, u: np.ndarray, free: np.ndarray, push: np.ndarray) -> np.ndarray:
    """Move u along the free directions to the minimum of the quadratic of the curved rows C (c, r).

    y (c,) are their targets; push (f,) is the gradient of the other rows along the free directions.
    """
    J = C @ free
    root = np.linalg.pinv(J, rcond=EPS * len(J))
    slopes = C @ u - y
    return u - free @ (root @ (slopes + root.T @ push))
