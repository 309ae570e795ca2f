"""y = A x for all lanes: the one product that gaps and gradients are made of.

A matrix over lanes, (k, lanes), is one flat array. Indices are unsigned (`uintp`): numba would check signed
ones for negative values, and the check costs the vectorisation.

The product is compiled on its own and passed to the program, which would otherwise hold, and optimise, a copy
of it at every place.
"""

import functools
from textwrap import indent
from typing import NamedTuple

import numpy as np


class Matrix(NamedTuple):
    """A matrix, and what of it may be left out.

    Four rows from i on are 0 outside the columns from first[i] to before last[i].
    """

    A: np.ndarray  # (m, k)
    first: np.ndarray  # (m,)
    last: np.ndarray  # (m,)


def multiply_source(name: str) -> str:
    """Write y = A x: A (m, k), x (k, lanes), y (m, lanes).

    One text with all its loops, as compiling them as functions of their own would take half as long again.
    """
    return f"""
def {name}(matrix, x, y, lanes):
    A, first, last = matrix
    n = uintp(lanes)
    m = A.shape[0]
    for i in range(0, m - 3, 4):
{indent(_band(4), " " * 8)}
    if m % 4 >= 2:
        i = m - m % 4
{indent(_band(2), " " * 8)}
    if m % 2 == 1:
        i = m - 1
{indent(_band(1), " " * 8)}
"""


def _band(rows: int) -> str:
    """Write `y[i : i + rows] = A[i : i + rows, first[i]:last[i]] x[first[i]:last[i]]`."""
    return f"""
j, end = first[i], last[i]
{_block(rows, 1, add=False)}
j += 1
while j + 4 <= end:
{indent(_block(rows, 4, add=True), " " * 4)}
    j += 4
while j < end:
{indent(_block(rows, 1, add=True), " " * 4)}
    j += 1
"""


def _block(rows: int, columns: int, add: bool) -> str:
    """Write `y[i : i + rows] = (or +=) A[i : i + rows, j : j + columns] x[j : j + columns]` number by number.

    What is loaded from x is used for all rows, and what is loaded from y for all columns.
    """
    lines = ["y0 = uintp(i) * n", "x0 = uintp(j) * n"]
    lines += [f"y{r} = y{r - 1} + n" for r in range(1, rows)]
    lines += [f"x{c} = x{c - 1} + n" for c in range(1, columns)]
    lines += [f"a{r}{c} = A[i + {r}, j + {c}]" for r in range(rows) for c in range(columns)]
    lines.append("for l in range(n):")
    lines += [f"    v{c} = x[x{c} + l]" for c in range(columns)]
    lines += [f"    y[y{r} + l] = {_sum_of_row(r, columns, add)}" for r in range(rows)]
    return "\n".join(lines)


def _sum_of_row(r: int, columns: int, add: bool) -> str:
    """Write what a row of a block adds up.

    The brackets stand from the left: sums have one order, whatever the block.
    """
    terms = [f"a{r}{c} * v{c}" for c in range(columns)]
    if add:
        terms.insert(0, f"y[y{r} + l]")
    return functools.reduce(lambda left, term: f"({left} + {term})", terms)
