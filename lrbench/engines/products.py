"""y = A x for all lanes: the one product that gaps and gradients are made of.

A matrix over lanes, (k, lanes), is one flat array. Indices are unsigned (`uintp`): numba would check signed ones for negative values,
and the check costs the vectorisation.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy import uintp

JIT = {"error_model": "numpy", "nogil": True}
# Put into its caller before types are inferred: compiled as one function, all blocks of a product take half the time.
INLINE = JIT | {"inline": "always"}


class Matrix(NamedTuple):
    """A matrix, and what of it may be left out: four rows from i on are 0 outside the columns from first[i] to before last[i]."""

    A: np.ndarray  # (m, k)
    first: np.ndarray  # (m,)
    last: np.ndarray  # (m,)


def _block(rows: int, columns: int, add: bool) -> Callable[..., None]:
    """Return `y[i : i + rows] = (or +=) A[i : i + rows, j : j + columns] x[j : j + columns]`, written out.

    What is loaded from x and y is used several times, and stays in registers between.
    """
    lines = ["def block(A, i, j, x, y, lanes):", " n = uintp(lanes)", " y0 = uintp(i) * n", " x0 = uintp(j) * n"]
    lines += [f" y{r} = y{r - 1} + n" for r in range(1, rows)]
    lines += [f" x{c} = x{c - 1} + n" for c in range(1, columns)]
    lines += [f" a{r}{c} = A[i + {r}, j + {c}]" for r in range(rows) for c in range(columns)]
    lines.append(" for l in range(n):")
    lines += [f"  v{c} = x[x{c} + l]" for c in range(columns)]
    for r in range(rows):
        terms = [f"a{r}{c} * v{c}" for c in range(columns)]
        if add:
            terms.insert(0, f"y[y{r} + l]")
        # Brackets from the left: the sum of a row has one order, whatever the block.
        lines.append(f"  y[y{r} + l] = " + functools.reduce(lambda sum, term: f"({sum} + {term})", terms))
    names: dict = {"uintp": uintp}
    exec("\n".join(lines), names)
    return njit(**INLINE)(names["block"])


def _band(rows: int) -> Callable[..., None]:
    """Return `y[i : i + rows] = A[i : i + rows, first:last] x[first:last]`."""
    set_1 = _block(rows, 1, add=False)
    add_4 = _block(rows, 4, add=True)
    add_1 = _block(rows, 1, add=True)

    @njit(**INLINE)
    def band(matrix, i, x, y, lanes):
        set_1(matrix.A, i, matrix.first[i], x, y, lanes)
        j = matrix.first[i] + 1
        last = matrix.last[i]
        while j + 4 <= last:
            add_4(matrix.A, i, j, x, y, lanes)
            j += 4
        while j < last:
            add_1(matrix.A, i, j, x, y, lanes)
            j += 1

    return band


band_of_4, band_of_2, band_of_1 = map(_band, (4, 2, 1))


@njit(**JIT)
def multiply(matrix, x, y, lanes):
    """y = A x: A (m, k), x (k, lanes), y (m, lanes)."""
    m = matrix.A.shape[0]
    for i in range(0, m - 3, 4):
        band_of_4(matrix, i, x, y, lanes)
    if m % 4 >= 2:
        band_of_2(matrix, m - m % 4, x, y, lanes)
    if m % 2 == 1:
        band_of_1(matrix, m - 1, x, y, lanes)


@njit(**JIT)
def transposed(A, buffer):
    """Return A' (p, m) of A (m, p), in a flat buffer."""
    A_T = buffer[: A.size].reshape(A.shape[1], A.shape[0])
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A_T[j, i] = A[i, j]
    return A_T
