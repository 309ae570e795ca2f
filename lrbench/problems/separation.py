"""Directions along which a convex loss never rises.

They say whether its infimum is attained, and whether its minimiser is the only one.
"""

import numpy as np

from lrbench.problems.newton import principal

TOLERANCE = 1e-10  # of a margin of a row of norm 1 that counts as 0
CLEAR = 1e-7  # of a margin that counts as above 0


def movable(Q: np.ndarray, fixed: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return which rows (m,) some direction d moves the way of their sign.

    It moves no row against its sign, and no fixed one at all. A linear programme finds d; the rows that it
    moves are set aside and it looks again, until no more are found (for a logistic loss these are the
    separated observations of Albert and Anderson 1984). A row counts as moved only where the solution proves
    it: with the rows that stand still held exactly, every other one has a margin signs_i q_i'd / |q_i| above
    CLEAR |d|, and none is below -TOLERANCE |d|. So a tolerance never makes well-behaved data separable; what
    differs from that by less than CLEAR counts as not separable.

    Args:
        Q: (m, r) rows q_i with orthonormal columns.
        fixed: (m,) which rows must not move.
        signs: (m,) 1 or -1, or 0 for a row that may move anyhow.
    """
    sizes = np.linalg.norm(Q, axis=1)
    norms = np.where(sizes > 0, sizes, 1.0)[:, None]
    rows = signs[:, None] * Q / norms
    free = still(Q[fixed] / norms[fixed])
    candidates = (signs != 0) & ~fixed & (sizes > TOLERANCE)
    moved = np.zeros(len(Q), dtype=bool)
    while free.shape[1] and candidates.any():
        margins = _margins(rows[candidates] @ free)
        clear = margins > CLEAR
        if not clear.any():
            break
        moved[np.flatnonzero(candidates)[clear]] = True
        candidates &= ~moved
    return moved


def still(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (r, k) of the directions that move no row (m, r), of norm <= 1."""
    sizes, axes = principal(rows, np.ones(len(rows)))
    return axes[sizes <= TOLERANCE].T


def _margins(G: np.ndarray) -> np.ndarray:
    """Return G d for a d of norm 1 with G d >= 0 and as many positive entries as a linear programme finds.

    Zeros where there is none.
    """
    from scipy.optimize import linprog  # half a second to import, and seldom needed

    G, index = np.unique(np.round(G, 15), axis=0, return_inverse=True)
    none = np.zeros(len(index))
    solution = linprog(
        -G.sum(axis=0),
        A_ub=-G,
        b_ub=np.zeros(len(G)),
        bounds=(-1, 1),
        method="highs",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    ).x
    if solution is None or not solution.any():
        return none
    d = solution / np.linalg.norm(solution)
    free = still(G[G @ d <= CLEAR])
    d = free @ (free.T @ d)
    margins = G @ (d / (np.linalg.norm(d) or 1.0))
    is_clear = margins > CLEAR
    is_still = np.abs(margins) <= TOLERANCE
    return margins[index] if (is_clear | is_still).all() else none
