"""Real data that come with scikit-learn: nothing is downloaded."""

from typing import Any

from lrbench.problems.data import Data


def diabetes(intercept: bool = True, standardize: bool = True) -> Data:
    """Return disease progression after a year for n = 442 patients from d = 10 measurements (Efron, Hastie, Johnstone, Tibshirani 2004).

    The measurements are the original ones (age in years, blood pressure, ...), so that weights and predictions can be read in these units, as for any
    table. `standardize` gives every column mean 0 and deviation 1; scikit-learn's own scaling has columns of length 1 instead, smaller by sqrt(442).
    """
    from sklearn.datasets import load_diabetes

    bunch: Any = load_diabetes(scaled=False)
    return Data(bunch.data, bunch.target, intercept, tuple(bunch.feature_names), "progression", standardize=standardize)
