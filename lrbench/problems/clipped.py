"""Losses whose slope is a residual clipped to an interval: Huber's, smooth L1, L1, quantiles, squares, and the rows of a penalty.

    f_i'(v) = clip((v - y_i) / width_i, low_i, high_i)

With a width of 0 the slope jumps, as for L1 and quantiles. Wide ones are easy for Newton's method, so widths shrink by a factor from stage to stage
(Madsen and Nielsen 1993 for L1; Chen 2007 for quantiles). A solution at a small enough width names the rows that are fitted exactly and the sides of
the others, and what remains is linear algebra: the exact answer of the linear programme, or with a penalty of the quadratic one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from lrbench.problems.newton import EPS, Terms, descend, principal
from lrbench.problems.separation import movable, still

SHRINK = 0.1  # of widths from a stage to the next
EDGE = 1e-9  # a slope this close to the end of its interval, relative to its length, is at the end
TINY = 1e-300
SLACKS = (
    -1e-6,
    1e-6,
)  # relative: residuals within the width less or plus this are tried as those of rows that are fitted exactly
INDEPENDENT = (
    1e-11,
    1e-7,
)  # times the largest singular value: directions below it are tried as those that the exactly fitted rows leave open


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
        return Terms(
            self.slope,
            lambda v: self.inside(v) / self.width,
            lambda move, v: self.excess(move, v, self.slope(v)),
        )

    def slope(self, v: np.ndarray) -> np.ndarray:
        """Return f'(v); 0 at a kink."""
        return np.clip((v - self.y) / np.maximum(self.width, TINY), self.low, self.high)

    def inside(self, v: np.ndarray) -> np.ndarray:
        x = (v - self.y) / self.width
        return (x >= self.low) & (x <= self.high)

    def excess(self, move: np.ndarray, v: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return how far f(v + move) lies above its tangent at v, whose slope is s; no width is 0."""
        b, r = self.slope(v + move), v - self.y + move
        bent = (b - s) * (r - 0.5 * self.width * (s + b))
        return np.where(self.inside(v) & self.inside(v + move), 0.5 * move * move / self.width, bent)

    def fenchel(self, v: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return f(v) + f*(s) - v s, at least 0, and 0 where s is a slope at v; s within its interval."""
        b = self.slope(v)
        return np.maximum((b - s) * (v - self.y - 0.5 * self.width * (b + s)), 0.0)

    def within(self, s: np.ndarray) -> np.ndarray:
        """Return s times the largest number up to 1 that brings it into the intervals: balanced slopes stay balanced."""
        beyond = np.maximum(s / self.high, s / self.low).max(initial=1.0)
        return s / beyond


@dataclass(frozen=True, eq=False)
class Fit:
    """A point u (r,), slopes s (m,) that balance, Q's = 0, and a bound of the sum at u above the infimum."""

    u: np.ndarray
    s: np.ndarray
    bound: float


def smooth_fit(Q: np.ndarray, rows: Clipped) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates u (r,) of a minimiser where no width is 0, and slopes s (m,) there that balance, Q's = 0."""
    u = Q.T @ rows.y
    for stage in _stages(Q @ u, rows):
        step = descend(Q, u, stage.terms())
        u = step.u
    return u, step.s + rows.inside(Q @ u) / rows.width * step.shift


def kinked_fit(Q: np.ndarray, rows: Clipped) -> tuple[np.ndarray, np.ndarray]:
    """Return u and s where some widths are 0: stages until the rows that are fitted exactly are known, told by the duality gap."""
    u, best = Q.T @ rows.y, None
    for stage in _stages(Q @ u, rows):
        step = descend(Q, u, stage.terms())
        u, v = step.u, Q @ step.u
        noise = 4 * EPS * float((np.abs(step.s) * (np.abs(v) + np.abs(rows.y)))[rows.linear].sum())
        for slack, independent in product(SLACKS, INDEPENDENT):
            exact = rows.linear & (
                np.abs(v - rows.y) <= stage.width * np.where(v > rows.y, rows.high, -rows.low) * (1 + slack)
            )
            fit = _polished(Q, rows, u, step.s, exact, independent)
            best = fit if best is None or fit.bound < best.bound else best
            if best.bound <= noise:
                return best.u, best.s
    assert best is not None
    return best.u, best.s


def duality_gap(rows: Clipped, v: np.ndarray, s: np.ndarray) -> float:
    """Return a bound of the sum at v above the infimum, from balanced slopes s: the duality gap."""
    return float(rows.fenchel(v, rows.within(s)).sum())


def unique(Q: np.ndarray, rows: Clipped, v: np.ndarray, s: np.ndarray) -> bool:
    """Return whether v are the predictions of all minimisers, given those of one and balanced slopes.

    Every minimiser has these slopes. Where they are between the ends of their interval the prediction is given; at an end it may go on, away from y.
    """
    at_end = np.isfinite(rows.high) & (
        np.minimum(rows.high - s, s - rows.low) <= EDGE * (rows.high - rows.low)
    )
    edge = rows.y + rows.width * s
    sided = at_end & (
        np.abs(v - edge) <= EDGE * (np.abs(rows.width * s) + EPS / EDGE * 16 * (np.abs(v) + np.abs(rows.y)))
    )
    if still(Q[~at_end | sided]).shape[1]:
        return False
    return not movable(Q, ~at_end, np.where(sided, np.sign(s), 0.0)).any()


def _stages(v: np.ndarray, rows: Clipped) -> Iterator[Clipped]:
    """Yield the losses with widths from about the residuals (m,) at v on down to their own, or to rounding where that is 0."""
    clips = np.isfinite(rows.high)
    floor = EPS * float(np.abs(rows.y).max(initial=0)) or TINY
    start = np.abs(v - rows.y)[clips].max(initial=0) / float(
        np.maximum(rows.high, -rows.low)[clips].max(initial=0) or 1
    )
    width = max(float(start), 1e6 * floor)
    while clips.any() and width > max(float(rows.width[clips].max()), floor):
        yield replace(rows, width=np.where(clips, width, rows.width))
        width *= SHRINK
    if not rows.linear.any():
        yield rows


def _polished(
    Q: np.ndarray, rows: Clipped, u: np.ndarray, s: np.ndarray, exact: np.ndarray, independent: float
) -> Fit:
    """Fit the rows `exact`, with the others on the side of their residual, and balance the slopes of these rows; all by linear algebra."""
    sizes, axes = principal(Q, exact.astype(float))
    bound = sizes > independent * max(sizes.max(initial=0), TINY)
    free, held = axes[~bound].T, axes[bound].T / sizes[bound]

    def spread(g: np.ndarray) -> np.ndarray:
        return held @ (held.T @ g)

    for _ in range(2):
        u = u + spread(Q[exact].T @ (rows.y - Q @ u)[exact])
    others = rows.linear & ~exact
    s = np.where(others, np.where(s > 0, rows.high, rows.low), s)
    curved = ~rows.linear
    if curved.any():
        J = Q[curved] @ free
        push = free.T @ (Q[others].T @ s[others])
        root = np.linalg.pinv(J, rcond=EPS * len(J))
        u = u - free @ (root @ (Q[curved] @ u - rows.y[curved] + root.T @ push))
        s[curved] = Q[curved] @ u - rows.y[curved]
    for _ in range(2):
        s[exact] -= Q[exact] @ spread(Q.T @ s)
    return Fit(u, s, duality_gap(rows, Q @ u, s) + float(np.linalg.norm(Q.T @ s)) * float(np.linalg.norm(u)))
