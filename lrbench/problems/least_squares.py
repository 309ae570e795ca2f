"""Least squares that keep their digits, however different the columns' units are and also where columns depend on each other.

A'A squares the condition number and is never formed. Instead A (n, p) of rank r is written as

    A = Q R E D

D (p,)    column scales, powers of two, so that scaling rounds nothing
Q R       the r most independent columns of A / D: Q (n, r) orthonormal, R (r, r) triangular
E (r, p)  how every column of A / D is made of these r, a permutation where r = p. Entries below rounding are set to 0, as the rank decision sets
          small singular values to 0: otherwise noise of 1e-16 would tie a column of 1e12 to one of 1e-12.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Factors:
    """A = Q R E D."""

    A: np.ndarray  # (n, p)
    Q: np.ndarray  # (n, r)
    R: np.ndarray  # (r, r)
    E: np.ndarray  # (r, p)
    D: np.ndarray  # (p,)

    @property
    def rank(self) -> int:
        return len(self.R)

    def root(self) -> np.ndarray:
        """Return S (r, p) with S'S = A'A."""
        return self.R @ (self.E * self.D)

    def minimiser(self, y: np.ndarray) -> np.ndarray:
        """Return the w (p,) of least norm among those that minimise |y - A w|.

        The residual keeps its digits in any case, the least norm at least ten of them where the sizes of dependent columns differ by up to 1e18.
        """
        w = self._row_space.shortest(self._fit(y))
        return w + self._row_space.shortest(self._fit(y - self.A @ w))  # iterative refinement leaves a third of the rounding error

    def singular_values(self) -> np.ndarray:
        """Return the r non-zero singular values of A, descending, each to high relative accuracy (one-sided Jacobi; Drmac and Veselic 2008)."""
        rows = self._row_space
        core = self.R[:, rows.order] @ rows.T.T  # A = Q core V', and core is well conditioned but for the scale of its columns: what gejsv asks for
        gejsv: Any = linalg.get_lapack_funcs("gejsv", (core,))
        values, _, _, scaling, _, info = gejsv(core, joba=0, jobu=3, jobv=3, jobr=0)
        assert info == 0, f"gejsv: {info}"
        return values * (scaling[0] / scaling[1])

    @cached_property
    def _row_space(self) -> "_RowSpace":
        return _RowSpace.of(self.E * self.D)

    def _fit(self, y: np.ndarray) -> np.ndarray:
        """Return the coefficients (r,) of y on the r independent columns."""
        return linalg.solve_triangular(self.R, self.Q.T @ y)


@dataclass(frozen=True, eq=False)
class _RowSpace:
    """(E D)' = V T, its columns taken in an order. Rows sorted by size and pivoted columns keep the digits of every row (Cox and Higham 1998)."""

    V: np.ndarray  # (p, r) orthonormal
    T: np.ndarray  # (r, r) triangular
    order: np.ndarray  # (r,)

    @classmethod
    def of(cls, M: np.ndarray) -> "_RowSpace":
        rows = np.argsort(-np.abs(M).max(axis=0), kind="stable")
        V, T, order = _pivoted_qr(M.T[rows])
        return cls(V[np.argsort(rows)], T, order)

    def shortest(self, u: np.ndarray) -> np.ndarray:
        """Return the w of least norm with E D w = u."""
        return self.V @ linalg.solve_triangular(self.T, u[self.order], trans=1)


def factorise(A: np.ndarray) -> Factors:
    """Factorise A (n, p). Its rank is the number of singular values of A / D above max(n, p) eps times the largest."""
    n, p = A.shape
    D = _column_scales(A)
    scaled = A / D
    Q, R = np.linalg.qr(scaled) if n > p else (np.eye(n), scaled)
    Q2, R, order = _pivoted_qr(R)
    tolerance = max(n, p) * EPS
    sizes = linalg.svdvals(R)
    rank = int(np.count_nonzero(sizes > tolerance * sizes[0]))
    Q, R, basis, others = Q @ Q2[:, :rank], R[:rank, :rank], order[:rank], order[rank:]
    E = np.zeros((rank, p))
    E[:, basis] = np.eye(rank)
    for _ in range(2):  # the second time refines: what is exact in the data, such as a column that stands there twice, becomes exact in E
        E[:, others] += linalg.solve_triangular(R, Q.T @ (scaled[:, others] - scaled[:, basis] @ E[:, others]))
    E[np.abs(E) <= tolerance] = 0
    return Factors(A, Q, R, E, D)


def _pivoted_qr(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return linalg.qr(A, mode="economic", pivoting=True)  # pyright: ignore[reportReturnType]


def _column_scales(A: np.ndarray) -> np.ndarray:
    """Return the power of two above each column's norm (p,), 1 for a column of zeros."""
    return np.ldexp(1.0, np.frexp(np.linalg.norm(A, axis=0))[1])
