"""Gap and gradient of one state of a tile.

A quadratic gap and its gradient come from R with H = R'R, at a cost that does not depend on n. Any other loss
is a sum over the rows, block by block. A stage whose part of the task is None is left out of the program
(arguments.py).
"""

import numpy as np
from numpy import uintp

from lrbench.engines.arguments import BLOCK
from lrbench.engines.jit import part
from lrbench.engines.products import Matrix


@part
def measure(quadratic, w, moved, gap, multiply):
    """e = w - w*, u = R e, gap = half |u|^2 in float64. The gradient of that gap is R'u."""
    if quadratic is None:
        return
    w_star, R = quadratic
    e, u = moved
    lanes = gap.size
    n = uintp(lanes)
    half = 0.5
    for j in range(w_star.size):
        row = uintp(j) * n
        center = w_star[j]
        for l in range(n):
            e[row + l] = w[row + l] - center
    multiply(R, e, u, lanes)
    for l in range(n):
        v = np.float64(u[l])
        gap[l] = half * v * v
    for i in range(1, R.A.shape[0]):
        row = uintp(i) * n
        for l in range(n):
            v = np.float64(u[row + l])
            gap[l] += half * v * v


@part
def gradient(R_T, moved, g, lanes, multiply):
    """g = R'u, from the u that `measure` left."""
    if R_T is None:
        return
    multiply(R_T, moved.u, g, lanes)


@part
def exact_gap(quadratic, w, u, lane, lanes):
    """Return the gap of one lane, to the bit what `measure` makes of it in float64.

    Row by row the sums are the same, but all rows of R are added up at once.
    """
    w_star, R = quadratic
    rank = R.A.shape[0]
    u[:rank] = 0.0
    for j in range(w_star.size):
        at = uintp(j) * uintp(lanes) + lane
        e = w[at] - w_star[j]
        for i in range(min(j + 1, rank)):
            u[i] += R.A[i, j] * e
    half = 0.5
    gap = 0.0
    for i in range(rank):
        gap += half * u[i] * u[i]
    return gap


@part
def sharpen(exact, w, u, gap, lane):
    """Compute the gap of one lane again, where it came from rounded numbers."""
    if exact is None:
        return
    gap[lane] = exact_gap(exact, w, u, lane, gap.size)


@part
def measure_rows(samples, w, moved, g, scratch, functions):
    """Gap and gradient g of a sum over the rows; no gradient where g is None."""
    if samples is None:
        return
    lanes, multiply, excess = functions
    gap = scratch.gap
    gathered = scratch.gathered
    move(samples, w, moved.e, g, gap)
    n = samples.y.size
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        X = samples.X[first:last]
        multiply(Matrix(X, gathered.zeros, gathered.p), moved.e, moved.u, lanes)
        excess(moved.u, samples, first, last, gap)  # moved.u becomes the slopes there
        add_gradient(g, X, moved.u, gathered, lanes, multiply)


@part
def move(samples, w, e, g, gap):
    """e = w - w*; gap and gradient start with those of the penalty."""
    n = uintp(gap.size)
    half = 0.5
    gap[:] = 0.0
    for j in range(samples.w_star.size):
        row = uintp(j) * n
        center = samples.w_star[j]
        weight = samples.penalty[j]
        for l in range(n):
            moved = w[row + l] - center
            e[row + l] = moved
            gap[l] += half * weight * moved * moved
    start_gradient(g, w, samples.penalty, gap.size)


@part
def start_gradient(g, w, penalty, lanes):
    """g = the gradient of the penalty."""
    if g is None:
        return
    n = uintp(lanes)
    for j in range(penalty.size):
        row = uintp(j) * n
        weight = penalty[j]
        for l in range(n):
            g[row + l] = weight * w[row + l]


@part
def add_gradient(g, X, u, gathered, lanes, multiply):
    """g += X'u over a block of rows, whose slopes are in u."""
    if g is None:
        return
    gathered.rows[:] = X.shape[0]
    X_T = gathered.X_T[: X.size].reshape(X.shape[1], X.shape[0])
    transpose(X, X_T)
    multiply(Matrix(X_T, gathered.zeros, gathered.rows), u, gathered.g, lanes)
    for l in range(g.size):
        g[l] += gathered.g[l]


@part
def sampled_gradient(batches, stream, t, w, scratch, functions):
    """g = c sum_i slope_i x_i over the rows of step t, and their share of the penalty's gradient."""
    if batches is None:
        return
    lanes, multiply, slopes = functions
    first, last = batches.starts[t], batches.starts[t + 1]
    rows = batches.order[stream, first:last]
    size = rows.size
    p = batches.X.shape[1]
    gathered = scratch.gathered
    u = scratch.moved.u
    X = gathered.X[: size * p].reshape(size, p)
    X_T = gathered.X_T[: size * p].reshape(p, size)
    y = gathered.y[:size]
    gather(batches, rows, X, y)
    multiply(Matrix(X, gathered.zeros, gathered.p), w, u, lanes)
    slopes(u, y, batches.factors[t], batches.k)  # u becomes the slopes there
    gathered.rows[:] = size
    transpose(X, X_T)
    multiply(Matrix(X_T, gathered.zeros, gathered.rows), u, scratch.g, lanes)
    add_penalty(batches.penalty, batches.shares[t], w, scratch.g, lanes)


@part
def transpose(A, A_T):
    """Write A (m, k) into A_T (k, m)."""
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A_T[j, i] = A[i, j]


@part
def gather(batches, rows, X, y):
    """Write these rows into X (size, p) and y (size,)."""
    for i in range(rows.size):
        row = rows[i]
        y[i] = batches.y[row]
        for j in range(X.shape[1]):
            X[i, j] = batches.X[row, j]


@part
def add_penalty(penalty, share, w, g, lanes):
    """g += a share of the gradient of the penalty."""
    n = uintp(lanes)
    for j in range(penalty.size):
        if penalty[j] != 0:
            row = uintp(j) * n
            weight = share * penalty[j]
            for l in range(n):
                g[row + l] += weight * w[row + l]
