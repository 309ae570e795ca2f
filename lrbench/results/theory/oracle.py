"""The best constant hyperparameters for one problem, one start and one budget: what tuning could reach with perfect foresight.

Other than the constants of the textbooks these depend on the start and on the number of steps. Notation and validity as in descent.py.
"""

import numpy as np

from lrbench.results.theory.descent import asymptotic_heavy_ball, final_polynomial

HALVINGS = 60  # of a bracket in log lr: at most 1e16 wide, so to the last digit

NUMBERS = 2_000_000  # of the grid: its points times eigenvalues
BLOCK = 5  # the best of each block of 5 x 5 points is where a refinement may start
STARTS = 40_000  # refinements at first, times eigenvalues
STAGES = (
    (500, 3),
    (100, 6),
    (1, 25),
)  # Levenberg-Marquardt steps; how many of the refinements go on after them
TINY = 1e-30  # step of the complex-step derivative (Squire and Trapp 1998), which loses no digits however small it is


@np.errstate(all="ignore")
def best_gradient_descent(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> np.ndarray:
    """Return the lr (...) with the smallest gap after `steps` >= 1 steps of gradient descent from each c (..., p), to 1e-12 of itself.

    The gap, 1/2 sum lambda c^2 (1 - lr lambda)^(2 steps), is convex in lr; its derivative is bisected between 1 / lambda of the steepest and of the
    flattest direction that the start has. After one step this is Cauchy's lr, g'g / g'Hg (1847). It lies beyond 2 / L where the start has little
    along the steepest direction, and is nan for a start in the minimum.
    """
    slopes = eigenvalues**2 * np.square(c)
    moved = np.where(slopes > 0, eigenvalues, np.nan)
    low, high = 1 / np.fmax.reduce(moved, axis=-1), 1 / np.fmin.reduce(moved, axis=-1)
    for _ in range(HALVINGS):
        lr = np.sqrt(low) * np.sqrt(high)
        falls = _falls(slopes, 1 - lr[..., None] * eigenvalues, 2 * steps - 1)
        low, high = np.where(falls, lr, low), np.where(falls, high, lr)
    return np.sqrt(low) * np.sqrt(high)


def _falls(slopes: np.ndarray, factor: np.ndarray, power: int) -> np.ndarray:
    """Return where sum slopes factor^power > 0, an odd power, in a scale that neither overflows nor vanishes."""
    factor = np.where(slopes > 0, factor, 0.0)
    scale = np.abs(factor).max(axis=-1, keepdims=True)
    return (slopes * (factor / np.where(scale > 0, scale, 1.0)) ** power).sum(axis=-1) > 0


@np.errstate(all="ignore")
def best_heavy_ball(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return lr (...) and momentum (...), 0 to 1, with the smallest gap found after `steps` >= 1 steps of heavy ball from each c (..., p).

    Never worse than Polyak's constants or the best gradient descent. The gap oscillates in both numbers, with a narrow minimum wherever P_steps
    vanishes on two eigenvalues: hundreds of them. The best points of a grid's blocks, over the region of stability, are refined by
    Levenberg-Marquardt steps (Levenberg 1944, Marquardt 1963). No search of this size is certain to find the least gap: against searches on other
    grids, of up to six times the size, over 37 problems of 1 to 1000 eigenvalues, the gap found was above the best known for one problem in five, by
    31 % at most. The grid, 0.3 s, is shared by all starts; each takes some 0.1 s.
    """
    seen = eigenvalues > 0
    eigenvalues, c = eigenvalues[seen], np.asarray(c)[..., seen]
    grid = _grid(eigenvalues, steps)
    squares = np.square(_final(eigenvalues, steps, grid))
    polyak = asymptotic_heavy_ball(eigenvalues.max(), eigenvalues.min())
    found = np.empty((*c.shape[:-1], 2))
    for start in np.ndindex(c.shape[:-1]):
        weights = 0.5 * eigenvalues * np.square(c[start])
        known = [
            [float(best_gradient_descent(eigenvalues, c[start], steps)), 0.0],
            [polyak.lr, polyak.momentum],
        ]
        promising = _promising(grid, squares @ weights, STARTS // len(eigenvalues) + 1)
        found[start] = _refined(eigenvalues, np.sqrt(weights), steps, np.vstack([promising, known]))
    return found[..., 0], found[..., 1]


def _grid(eigenvalues: np.ndarray, steps: int) -> np.ndarray:
    """Return (lr, momentum) (blocks, points of a block, 2) over 0 < lr < 2 (1 + momentum) / L, 0 <= momentum <= 1.

    1 - momentum is spaced as its logarithm. lr is spaced as the angle a in (1 - cos a)(1 + momentum) / L, as the phase of P_t at L is.
    """
    half = BLOCK * int(np.ceil((NUMBERS / len(eigenvalues) / 2) ** 0.5 / BLOCK))
    momentum = 1 - np.append(np.geomspace(1, 0.1 / steps, half - 1), 0.0)
    angle = (np.arange(2 * half)[:, None] + 0.5) * np.pi / (2 * half)
    lr = (1 - np.cos(angle)) * (1 + momentum) / eigenvalues.max()
    grid = np.stack(np.broadcast_arrays(lr, momentum), axis=-1)
    return (
        grid.reshape(2 * half // BLOCK, BLOCK, half // BLOCK, BLOCK, 2)
        .swapaxes(1, 2)
        .reshape(-1, BLOCK**2, 2)
    )


def _promising(grid: np.ndarray, gaps: np.ndarray, starts: int) -> np.ndarray:
    """Return the best point of each of the best blocks (starts, 2)."""
    best = gaps.argmin(axis=1)
    order = np.argsort(gaps.min(axis=1))[:starts]
    return grid[order, best[order]]


def _refined(eigenvalues: np.ndarray, roots: np.ndarray, steps: int, x: np.ndarray) -> np.ndarray:
    """Return the best (2,) of what Levenberg-Marquardt reaches from the points x (starts, 2); it only goes down, and the best is never dropped."""
    for keep, rounds in STAGES:
        r, J = _residuals(eigenvalues, roots, steps, x)
        damping = np.full(len(x), 1e-3)
        for _ in range(rounds):
            trial = _moved(x, r, J, damping)
            r_trial, J_trial = _residuals(eigenvalues, roots, steps, trial)
            better = (r_trial**2).sum(axis=-1) < (r**2).sum(axis=-1)
            x, r = np.where(better[:, None], trial, x), np.where(better[:, None], r_trial, r)
            J = np.where(better[:, None], J_trial, J)
            damping = np.where(better, damping / 5, damping * 5)
        x = x[np.argsort((r**2).sum(axis=-1))[:keep]]
    return x[0]


def _residuals(
    eigenvalues: np.ndarray, roots: np.ndarray, steps: int, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return r (starts, p), whose square is the gap, and its derivatives (2, starts, p) by lr and momentum."""
    r = roots * _final(eigenvalues, steps, x + 1j * TINY * np.eye(2)[:, None])
    return r[0].real, r.imag / TINY


def _moved(x: np.ndarray, r: np.ndarray, J: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Return x less the solution of (J'J + damping diag(J'J)) step = J'r; where momentum would leave [0, 1] it stops, and lr is best for that."""
    a, b, d = ((J[i] * J[j]).sum(axis=-1) for i, j in ((0, 0), (0, 1), (1, 1)))
    f, g = (J * r).sum(axis=-1)
    a, d = a * (1 + damping), d * (1 + damping)
    momentum = np.clip(x[:, 1] - (a * g - b * f) / (a * d - b * b), 0.0, 1.0)
    lr = x[:, 0] - (f - b * (x[:, 1] - momentum)) / a
    return np.stack([np.maximum(lr, 0.0), momentum], axis=-1)


def _final(eigenvalues: np.ndarray, steps: int, x: np.ndarray) -> np.ndarray:
    """Return P_steps (..., p) at (lr, momentum) (..., 2)."""
    return final_polynomial(x[..., :1] * eigenvalues, x[..., 1:], steps)
