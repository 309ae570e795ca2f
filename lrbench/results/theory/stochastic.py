"""Gradient descent on random batches: the expected gap, the noise floor it ends on, the largest stable lr.

For torch.optim.SGD without momentum on the mean squared error, each batch drawn with replacement: b samples,
independent and uniform. Shuffled epochs, which draw without replacement, have less noise (Mishchenko, Khaled
and Richtarik 2020), so that for these all is an estimate.

With e = w - w*, H the Hessian and M = E[e e'], one step is linear in (E e, M):

    E e  <- (I - lr H) E e
    M    <- M - lr (H M + M H) + lr^2 (H M H + (F M - H M H - T E e + S) / b)

where F M = E[4 (x'M x) x x'], T e = E[8 r (x'e) x x'] and S = E[4 r^2 x x'] come from
lrbench/problems/moments.py. (Bach and Moulines 2013, Defossez and Bach 2015, Ma, Bassily and Belkin 2018.)

moments             as problems.moments gives them: flat arrays; p is that of its design
c (..., p)          error of the start, w_0 - w*, in the basis of that design; directions with eigenvalue 0
                    are in neither
reduction           "mean", or "sum" for the loss that adds up its samples: a batch's gradient is then b times
                    as long, so lr acts as lr b, and the gap, over all n rows, counts n times

All is linear algebra on q = p (p + 1) / 2 numbers: q^2 operations a step, q^3 for the floor and the edge;
meant for p up to 16.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import linalg

Moments = Mapping[str, np.ndarray]


class _Operators(NamedTuple):
    """How (E e, svec M) moves in a step of lr: svec M - lr A svec M + lr^2 (B svec M + (S - T E e) / b)."""

    H: np.ndarray  # (p, p)
    curvature: np.ndarray  # (q,) svec H
    A: np.ndarray  # (q, q) M -> H M + M H, positive definite
    B: np.ndarray  # (q, q) M -> H M H + (F M - H M H) / b, positive semidefinite
    T: np.ndarray  # (q, p) third moments over b
    S: np.ndarray  # (q,) noise over b


def expected_gaps(
    moments: Moments, c: np.ndarray, steps: int, lr: float, batch_size: int, reduction: str = "mean"
) -> np.ndarray:
    """Return E[gap_t] (..., steps + 1) from c (..., p), exact for any lr and batch size; inf on overflow."""
    lr, unit = _of_the_mean(moments, lr, batch_size, reduction)
    o = _operators(moments, batch_size)
    identity = np.eye(len(o.A))
    step = identity - lr * o.A + lr**2 * o.B
    error = np.asarray(c)
    outer = error[..., :, None] * error[..., None, :]
    M = _svec(outer)
    doubled = np.empty((*error.shape[:-1], steps + 1))  # tr HM is twice the gap
    with np.errstate(all="ignore"):
        doubled[..., 0] = M @ o.curvature
        for t in range(steps):
            noise = o.S - error @ o.T.T
            M = M @ step + lr**2 * noise
            error = error - lr * error @ o.H
            doubled[..., t + 1] = M @ o.curvature
    gaps = unit / 2 * doubled
    return np.where(np.isfinite(doubled), gaps, np.inf)


def noise_floor(moments: Moments, lr: float, batch_size: int, reduction: str = "mean") -> float:
    """Return the E[gap] that every start ends on; inf where lr is not below the stable one.

    To first order in lr it is lr tr(S) / (4 b).
    """
    lr, unit = _of_the_mean(moments, lr, batch_size, reduction)
    o = _operators(moments, batch_size)
    if lr >= _edge(o):
        return np.inf
    contraction = o.A - lr * o.B
    M = linalg.solve(contraction, lr * o.S, assume_a="pos")  # what a step leaves as it is
    return float(unit / 2 * o.curvature @ M)


def stable_lr(moments: Moments, batch_size: int, reduction: str = "mean") -> float:
    """Return the lr below which E[gap] stays bounded from every start.

    It is never above 2 / L, which it reaches as batches grow. The operator I - lr A + lr^2 B maps positive
    matrices to positive ones, so its spectral radius is its largest eigenvalue, and that is below 1 just
    where A - lr B is positive definite: for lr below 1 over the largest generalised eigenvalue of (B, A)
    (Defossez and Bach 2015).
    """
    edge = _edge(_operators(moments, batch_size))
    stretch, _ = _of_the_mean(moments, 1.0, batch_size, reduction)
    return edge / stretch


def _edge(o: _Operators) -> float:
    eigenvalues = linalg.eigh(o.B, o.A, eigvals_only=True)  # ascending
    return float(1 / eigenvalues[-1])


def _of_the_mean(moments: Moments, lr: float, batch_size: int, reduction: str) -> tuple[float, float]:
    """Return the lr that steps alike on the mean loss, and how many of its gaps a gap of this loss counts."""
    samples = float(moments["samples"][0])
    ways = {"mean": (lr, 1.0), "sum": (lr * batch_size, samples)}
    return ways[reduction]


def _operators(moments: Moments, batch_size: int) -> _Operators:
    curvature = np.asarray(moments["curvature"])
    noise = np.asarray(moments["noise"])
    H = _smat(curvature)
    p, q = len(H), len(curvature)
    basis = _smat(np.eye(q))  # (q, p, p)
    A = _svec(H @ basis + basis @ H)
    HMH = _svec(H @ basis @ H)
    F = np.reshape(moments["fourth"], (q, q))
    T = np.reshape(moments["third"], (q, p))
    B = HMH + (F - HMH) / batch_size
    return _Operators(H, curvature, A, B, T / batch_size, noise / batch_size)


def _svec(M: np.ndarray) -> np.ndarray:
    """Return the upper triangle of symmetric matrices (..., p, p) row by row, (..., q).

    Off the diagonal times sqrt 2, so that products of vectors are those of matrices.
    """
    row, column, scale = _triangle(M.shape[-1])
    return M[..., row, column] * scale


def _smat(v: np.ndarray) -> np.ndarray:
    """Return the symmetric matrices (..., p, p) of vectors (..., q)."""
    q = v.shape[-1]
    p = int((2 * q) ** 0.5)
    row, column, scale = _triangle(p)
    M = np.zeros((*v.shape[:-1], p, p))
    entries = v / scale
    M[..., row, column] = entries
    M[..., column, row] = entries
    return M


def _triangle(p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows and columns of the upper triangle (q,), and by what `_svec` multiplies its entries."""
    row, column = np.triu_indices(p)
    scale = np.where(row == column, 1.0, np.sqrt(2))
    return row, column, scale
