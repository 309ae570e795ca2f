"""The best constant hyperparameters for one problem, start and budget: what tuning can reach with foresight.

Other than the constants of the textbooks these depend on the start and on the number of steps. Notation and
validity as in descent.py.
"""

from typing import NamedTuple

import numpy as np

from lrbench.results.theory.descent import asymptotic_heavy_ball, final_polynomial

HALVINGS = 60  # of a bracket in log lr: at most 1e16 wide, so to the last digit

NUMBERS = 2_000_000  # of the grid: its points times eigenvalues
BLOCK = 5  # the best of each block of 5 x 5 points is where a refinement may start
STARTS = 40_000  # refinements at first, times eigenvalues
STAGES = ((500, 3), (100, 6), (1, 25))  # how many refinements go on after how many Levenberg-Marquardt steps
DAMPING = 1e-3  # at first
DAMPING_STEP = 5  # by which damping falls after a step that went down, and grows after one that did not
TINY = 1e-30  # complex-step derivative (Squire and Trapp 1998): it loses no digits, however small the step


class _Problem(NamedTuple):
    """What the gap after a budget of steps depends on, for one start."""

    eigenvalues: np.ndarray  # (p,)
    roots: np.ndarray  # (p,) of the weights 1/2 lambda c^2
    steps: int


@np.errstate(all="ignore")
def best_gradient_descent(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> np.ndarray:
    """Return the lr (...) with the smallest gap after `steps` >= 1 steps of gradient descent from c (..., p).

    It is right to 1e-12 of itself. The gap, 1/2 sum lambda c^2 (1 - lr lambda)^(2 steps), is convex in lr;
    its derivative is bisected between 1 / lambda of the steepest and of the flattest direction that the start
    has. After one step this is Cauchy's lr, g'g / g'Hg (1847). It lies beyond 2 / L where the start has
    little along the steepest direction, and is nan for a start in the minimum.
    """
    slopes = eigenvalues**2 * np.square(c)
    moving = np.where(slopes > 0, eigenvalues, np.nan)
    low = 1 / np.fmax.reduce(moving, axis=-1)
    high = 1 / np.fmin.reduce(moving, axis=-1)
    for _ in range(HALVINGS):
        # the middle of the logarithms; low * high may overflow
        lr = np.sqrt(low) * np.sqrt(high)
        factor = 1 - lr[..., None] * eigenvalues
        falls = _falls(slopes, factor, 2 * steps - 1)
        low = np.where(falls, lr, low)
        high = np.where(falls, high, lr)
    return np.sqrt(low) * np.sqrt(high)


def _falls(slopes: np.ndarray, factor: np.ndarray, power: int) -> np.ndarray:
    """Say where sum slopes factor^power > 0, an odd power, in a scale that neither overflows nor vanishes."""
    factor = np.where(slopes > 0, factor, 0.0)
    largest = np.abs(factor).max(axis=-1, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0)
    terms = slopes * (factor / scale) ** power
    return terms.sum(axis=-1) > 0


@np.errstate(all="ignore")
def best_heavy_ball(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return lr (...) and momentum (...) with the smallest gap found after `steps` >= 1 steps of heavy ball.

    From each c (..., p); momentum from 0 to 1. Never worse than Polyak's constants or the best gradient
    descent. The gap oscillates in both numbers, with a narrow minimum wherever P_steps vanishes on two
    eigenvalues: hundreds of them. The best points of a grid's blocks, over the region of stability, are
    refined by Levenberg-Marquardt steps (Levenberg 1944, Marquardt 1963). No search of this size is certain
    to find the least gap: against searches on other grids, of up to six times the size, over 37 problems of 1
    to 1000 eigenvalues, the gap found was above the best known for one problem in five, by 31 % at most. The
    grid, 0.3 s, is shared by all starts; each takes some 0.1 s.
    """
    moving = eigenvalues > 0
    eigenvalues = eigenvalues[moving]
    c = np.asarray(c)[..., moving]
    grid = _grid(eigenvalues, steps)
    squares = np.square(_final(eigenvalues, steps, grid))
    refinements = STARTS // len(eigenvalues) + 1
    best = np.empty((*c.shape[:-1], 2))
    for start in np.ndindex(c.shape[:-1]):
        weights = 0.5 * eigenvalues * np.square(c[start])
        promising = _promising(grid, squares @ weights, refinements)
        known = _known(eigenvalues, c[start], steps)
        problem = _Problem(eigenvalues, np.sqrt(weights), steps)
        points = np.vstack([promising, known])
        best[start] = _refined(problem, points)
    return best[..., 0], best[..., 1]


def _known(eigenvalues: np.ndarray, c: np.ndarray, steps: int) -> np.ndarray:
    """Return (lr, momentum) (2, 2) that no search may stay behind: the best gradient descent and Polyak's."""
    plain = best_gradient_descent(eigenvalues, c, steps)
    polyak = asymptotic_heavy_ball(eigenvalues.max(), eigenvalues.min())
    lrs = [float(plain), polyak.lr]
    momenta = [0.0, polyak.momentum]
    return np.column_stack([lrs, momenta])


def _grid(eigenvalues: np.ndarray, steps: int) -> np.ndarray:
    """Return (lr, momentum) (blocks, points of a block, 2) over the region of stability.

    It is 0 < lr < 2 (1 + momentum) / L, 0 <= momentum <= 1. 1 - momentum is spaced as its logarithm. lr is
    spaced as the angle a in (1 - cos a)(1 + momentum) / L, as the phase of P_t at L is.
    """
    points = NUMBERS / len(eigenvalues)
    blocks = int(np.ceil((points / 2) ** 0.5 / BLOCK))  # along momentum; along lr there are twice as many
    momenta = BLOCK * blocks
    lrs = 2 * momenta
    distance = np.geomspace(1, 0.1 / steps, momenta - 1)
    momentum = 1 - np.append(distance, 0.0)
    centres = np.arange(lrs)[:, None] + 0.5
    angle = centres * np.pi / lrs
    lr = (1 - np.cos(angle)) * (1 + momentum) / eigenvalues.max()
    grid = np.stack(np.broadcast_arrays(lr, momentum), axis=-1)  # (lrs, momenta, 2)
    cut = grid.reshape(2 * blocks, BLOCK, blocks, BLOCK, 2)
    return cut.swapaxes(1, 2).reshape(-1, BLOCK**2, 2)


def _promising(grid: np.ndarray, gaps: np.ndarray, count: int) -> np.ndarray:
    """Return the best points (count, 2) of the best blocks, one of each; gaps (blocks, points of a block)."""
    best = gaps.argmin(axis=1)
    order = np.argsort(gaps.min(axis=1))[:count]
    return grid[order, best[order]]


def _refined(problem: _Problem, x: np.ndarray) -> np.ndarray:
    """Return the best (2,) of what Levenberg-Marquardt reaches from the points x (starts, 2).

    It only goes down, and the best is never dropped.
    """
    for keep, rounds in STAGES:
        r, J = _residuals(problem, x)
        damping = np.full(len(x), DAMPING)
        for _ in range(rounds):
            trial = _moved(x, r, J, damping)
            r_trial, J_trial = _residuals(problem, trial)
            better = _gap(r_trial) < _gap(r)
            went_down = better[:, None]
            x = np.where(went_down, trial, x)
            r = np.where(went_down, r_trial, r)
            J = np.where(went_down, J_trial, J)
            damping = np.where(better, damping / DAMPING_STEP, damping * DAMPING_STEP)
        order = np.argsort(_gap(r))
        x = x[order[:keep]]
    return x[0]


def _gap(r: np.ndarray) -> np.ndarray:
    """Return the gaps (starts,) of residuals (starts, p)."""
    return (r**2).sum(axis=-1)


def _residuals(problem: _Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return r (starts, p), whose square is the gap, and its slopes along lr and momentum (2, starts, p)."""
    # along lr, then along momentum: the imaginary part of f(x + ih) is h f'(x)
    nudges = 1j * TINY * np.eye(2)[:, None]  # (2, 1, 2)
    final = _final(problem.eigenvalues, problem.steps, x + nudges)
    r = problem.roots * final  # (2, starts, p)
    return np.real(r[0]), np.imag(r) / TINY


def _moved(x: np.ndarray, r: np.ndarray, J: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Return x less the solution of (J'J + damping diag(J'J)) step = J'r.

    Where momentum would leave [0, 1] it stops, and lr is best for that.
    """
    by_lr, by_momentum = J
    stretch = 1 + damping
    a = (by_lr * by_lr).sum(axis=-1) * stretch
    b = (by_lr * by_momentum).sum(axis=-1)
    d = (by_momentum * by_momentum).sum(axis=-1) * stretch
    f, g = (J * r).sum(axis=-1)
    determinant = a * d - b * b
    step = (a * g - b * f) / determinant
    momentum = np.clip(x[:, 1] - step, 0.0, 1.0)
    momentum_step = x[:, 1] - momentum  # as far as it was let
    lr_step = (f - b * momentum_step) / a
    lr = np.maximum(x[:, 0] - lr_step, 0.0)
    return np.stack([lr, momentum], axis=-1)


def _final(eigenvalues: np.ndarray, steps: int, x: np.ndarray) -> np.ndarray:
    """Return P_steps (..., p) at (lr, momentum) (..., 2)."""
    lr = x[..., :1]
    momentum = x[..., 1:]
    return final_polynomial(lr * eigenvalues, momentum, steps)
