"""The problem of the lecture, small enough to be solved by hand."""

import numpy as np

from lrbench.problems.data import Data


def lecture(intercept: bool = True) -> Data:
    """Return x = 1, 2, 3 and y = 2, 4, 6: the minimiser is y = 2 x with loss 0; for x = 4 the answer is 8."""
    return Data(
        X=np.array([[1.0], [2.0], [3.0]]),
        y=np.array([2.0, 4.0, 6.0]),
        intercept=intercept,
        features=("x",),
        target="y",
    )
