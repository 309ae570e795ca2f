"""Columns of words as columns of numbers."""

import numpy as np
from numpy.typing import ArrayLike


def dummies(name: str, words: ArrayLike, first: bool) -> tuple[list[str], np.ndarray]:
    """Return a name "column=word" for each word of a column (n,), and whether a row holds it (n, words).

    Words stand in alphabetical order.

    The dummies of all words sum to 1. So `first` is false beside an intercept, or beside another column's
    complete dummies: the first word is then left out, and the columns stay independent.
    """
    levels, codes = np.unique(np.asarray(words, dtype=np.str_), return_inverse=True)
    kept = np.arange(0 if first else 1, len(levels))
    names = [f"{name}={level}" for level in levels[kept]]
    return names, codes[:, None] == kept
