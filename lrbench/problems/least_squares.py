"""Least squares that keep their digits, however different the columns' units are.

They do so also where columns depend on each other.
A'A squares the condition number and is never formed. Instead A (n, p) of rank r is written as

    A = Q R E D

D (p,)    column scales, powers of two, so that scaling rounds nothing
Q R       the r most independent columns of A / D: Q (n, r) orthonormal, R (r, r) triangular
E (r, p)  how every column of A / D is made of these r, a permutation where r = p. Entries below rounding are
          set to 0, as the rank decision sets small singular values to 0: otherwise noise of 1e-16 would tie a
          column of 1e12 to one of 1e-12.

The rows are factorised block by block, each while it is in the processor's cache, and Q is kept as the
reflections that make it: as much memory as A.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

EPS = float(np.finfo(np.float64).eps)
ROWS = 1000  # of a block
PANEL = 16  # columns that are reflected at once
JACOBI = 1000  # singular values that Jacobi finds in 3 s, eight times as long for twice as many
FULL = 5000  # singular values that are found in a minute


@dataclass(frozen=True, eq=False)
class Factors:
    """A = Q R E D."""

    A: np.ndarray  # (n, p)
    basis: "_Basis"  # Q (n, r)
    R: np.ndarray  # (r, r)
    E: np.ndarray  # (r, p)
    D: np.ndarray  # (p,)

    @property
    def rank(self) -> int:
        return len(self.R)

    @cached_property
    def Q(self) -> np.ndarray:
        """The orthonormal columns (n, r) written out."""
        return self.basis.columns()

    def project(self, y: np.ndarray) -> np.ndarray:
        """Return Q'y (r,) without writing Q out."""
        return self.basis.project(y[:, None])[:, 0]

    def root(self) -> np.ndarray:
        """Return S (r, p) with S'S = A'A."""
        return self.R @ (self.E * self.D)

    def minimiser(self, y: np.ndarray) -> np.ndarray:
        """Return the w (p,) of least norm among those that minimise |y - A w|.

        The residual keeps its digits in any case, the least norm at least ten of them where the sizes of
        dependent columns differ by up to 1e18.
        """
        w = self._rows.shortest(self._fit(y))
        residual = y - self.A @ w
        # Iterative refinement leaves a third of the rounding error.
        return w + self._rows.shortest(self._fit(residual))

    def singular_values(self, jacobi: int = JACOBI) -> np.ndarray:
        """Return the r non-zero singular values of A, descending, each with its digits.

        Up to `jacobi` of them come from one-sided Jacobi, with a proven relative accuracy (Drmac and Veselic
        2008). More come from a pivoted QR and a bidiagonalisation, six times as fast: what is small since a
        column is small keeps its digits there too, which is measured, not proven.
        """
        if not self.rank:
            return np.zeros(0)
        # A = Q core V'; well conditioned but for the scale of its columns: what gejsv asks for.
        rows = self._rows
        core = self.R[:, rows.order] @ rows.T.T
        if self.rank > jacobi:
            _, R, _ = _pivoted_qr(core)
            return np.asarray(linalg.svdvals(R))
        values, _, _, scaling, _, info = lapack("gejsv")(core, joba=0, jobu=3, jobv=3, jobr=0)
        assert info == 0, f"gejsv: {info}"
        return values * (scaling[0] / scaling[1])

    def ends(self, full: int = FULL) -> tuple[float, float]:
        """Return the largest and the smallest non-zero singular value of A.

        They are of all of them where there are up to `full`, else by Lanczos.
        Lanczos multiplies with the triangular factors for the largest and divides by them for the smallest,
        so that both keep their digits.
        """
        if self.rank <= full:
            values = self.singular_values()
            return float(values[0]), float(values[-1])
        R, T = self.R, self._rows.T
        order = self._rows.order
        back = np.argsort(order)
        largest = _norm(
            self.rank,
            times=lambda x: R @ (T.T @ x)[back],
            transposed=lambda x: T @ (R.T @ x)[order],
        )
        inverse = _norm(
            self.rank,
            times=lambda x: _solve(T, _solve(R, x)[order], trans=1),
            transposed=lambda x: _solve(R, _solve(T, x)[back], trans=1),
        )
        return largest, 1 / inverse

    @cached_property
    def _rows(self) -> "_RowSpace":
        return _RowSpace.of(self.E, self.D)

    def _fit(self, y: np.ndarray) -> np.ndarray:
        """Return the coefficients (r,) of y on the r independent columns."""
        return linalg.solve_triangular(self.R, self.project(y))


@dataclass(frozen=True, eq=False)
class _Basis:
    """Orthonormal columns Q (n, r).

    Those of the rows at the top, the reflections that take in a block of rows after the other, and a choice
    of r.
    """

    top: np.ndarray  # (k, k) with k = min(n, p)
    # Reflections (rows, p) of LAPACK's tpqrt, and how a panel of them combines (panel, p).
    blocks: list[tuple[np.ndarray, np.ndarray]]
    choice: np.ndarray  # (k, r)

    def project(self, Y: np.ndarray) -> np.ndarray:
        """Return Q'Y (r, m) for Y (n, m)."""
        done = len(self.top)
        kept = self.top.T @ Y[:done]
        for V, T in self.blocks:
            block = Y[done : done + len(V)]
            kept, _, _ = lapack("tpmqrt")(0, V, T, kept, block, trans="T")
            done += len(V)
        return self.choice.T @ kept

    def columns(self) -> np.ndarray:
        """Return Q."""
        kept = self.choice
        if not kept.size:  # which LAPACK refuses
            n = len(self.top) + sum(len(V) for V, _ in self.blocks)
            return np.zeros((n, 0))
        blocks = []
        for V, T in reversed(self.blocks):
            zeros = np.zeros((len(V), kept.shape[1]), order="F")
            kept, block, _ = lapack("tpmqrt")(0, V, T, kept, zeros, overwrite_b=1)
            blocks.append(block)
        return np.concatenate([self.top @ kept, *reversed(blocks)])


@dataclass(frozen=True, eq=False)
class _RowSpace:
    """(E D)' = V T, its columns taken in an order.

    Rows sorted by size and pivoted columns keep the digits of every row (Cox and Higham 1998).
    """

    V: np.ndarray  # (p, r) orthonormal
    T: np.ndarray  # (r, r) triangular
    order: np.ndarray  # (r,)

    @classmethod
    def of(cls, E: np.ndarray, D: np.ndarray) -> "_RowSpace":
        if len(E) == len(D):  # a permutation
            return cls(E.T, np.diag(E @ D), np.arange(len(D)))
        M = E * D
        rows = np.argsort(-np.abs(M).max(axis=0, initial=0), kind="stable")
        V, T, order = _pivoted_qr(M.T[rows])
        return cls(V[np.argsort(rows)], T, order)

    def shortest(self, u: np.ndarray) -> np.ndarray:
        """Return the w of least norm with E D w = u."""
        return self.V @ linalg.solve_triangular(self.T, u[self.order], trans=1)


def factorise(A: np.ndarray) -> Factors:
    """Factorise A (n, p).

    Its rank is the number of singular values of A / D above max(n, p) eps times the largest.
    """
    D = _column_scales(A)
    tolerance = max(A.shape) * EPS
    top, blocks, R = _reflections(A, D)
    choice, R, order = _pivoted_qr(R)
    rank = _rank(R, tolerance)
    basis = _Basis(top, blocks, choice[:, :rank])
    R = R[:rank, :rank]
    E = _combinations(A, D, basis, R, order)
    E[np.abs(E) <= tolerance] = 0
    return Factors(A, basis, R, E, D)


def with_penalty(A: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return A (n, p) with a row below for each penalised parameter.

    The squares of these rows times w are the sum of penalties w^2.
    """
    rows = np.diag(np.sqrt(penalties))[penalties > 0]
    return np.vstack([A, rows]) if len(rows) else A


def _reflections(
    A: np.ndarray, D: np.ndarray
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Return the top and the blocks of a basis of A / D, and its triangle (k, p).

    One block of rows after the other is reflected into it. This is TSQR along a chain (Demmel, Grigori,
    Hoemmen and Langou 2012).
    """
    n, p = A.shape
    top, R = np.linalg.qr(A[:p] / D)
    blocks = []
    for start in range(p, n, ROWS):
        rows = np.asfortranarray(A[start : start + ROWS] / D)
        R, V, T, _ = lapack("tpqrt")(0, min(PANEL, p), R, rows, overwrite_a=1, overwrite_b=1)
        blocks.append((V, T))
    return top, blocks, R


def _rank(R: np.ndarray, tolerance: float) -> int:
    """Return how many singular values of R (k, p) are above the tolerance times the largest.

    Where the norm of the inverse proves that all of them are, none is computed.
    """
    if len(R) == R.shape[1]:
        inverse, singular = lapack("trtri")(R)
        if not singular:
            kappa = np.linalg.norm(inverse) * np.linalg.norm(R)
            if kappa * tolerance < 1:
                return len(R)
    sizes = linalg.svdvals(R)
    return int(np.count_nonzero(sizes > tolerance * sizes[0]))


def _combinations(
    A: np.ndarray, D: np.ndarray, basis: _Basis, R: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Return E (r, p) for a basis of the columns that come first in the order."""
    p, rank = len(order), len(R)
    first, others = order[:rank], order[rank:]
    E = np.zeros((rank, p))
    E[:, first] = np.eye(rank)
    if rank == p:
        return E
    left = np.zeros((p, p - rank))  # A / D @ left is what the basis does not yet explain of the other columns
    left[others] = np.eye(p - rank)
    # The second time refines: what is exact in the data, such as a column that stands there twice, becomes
    # exact in E.
    for _ in range(2):
        unexplained = A @ (left / D[:, None])
        left[first] -= linalg.solve_triangular(R, basis.project(unexplained))
    E[:, others] = -left[first]
    return E


def _norm(
    size: int, times: Callable[[np.ndarray], np.ndarray], transposed: Callable[[np.ndarray], np.ndarray]
) -> float:
    """Return the largest singular value of a matrix (size, size) known by its products with a vector."""
    # Slow to import, and needed by very large problems only.
    from scipy.sparse.linalg import LinearOperator, svds

    operator: Any = LinearOperator
    start = np.random.default_rng(0).normal(size=size)
    matrix = operator((size, size), matvec=times, rmatvec=transposed, dtype=np.float64)
    (value,) = np.asarray(svds(matrix, k=1, v0=start, return_singular_vectors=False))
    return float(value)


def _solve(T: np.ndarray, x: np.ndarray, trans: int = 0) -> np.ndarray:
    return linalg.solve_triangular(T, x, trans=trans, check_finite=False)


def lapack(name: str) -> Any:
    return linalg.get_lapack_funcs(name, dtype=np.float64)


def _pivoted_qr(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return linalg.qr(A, mode="economic", pivoting=True)  # pyright: ignore[reportReturnType]


def _column_scales(A: np.ndarray) -> np.ndarray:
    """Return the power of two above each column's norm (p,), 1 for a column of zeros."""
    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    _, exponents = np.frexp(norms)
    return np.ldexp(1.0, exponents)
