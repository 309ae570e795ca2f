"""A least-squares problem on which methods with a step size a coordinate learn nothing for new rows."""

import numpy as np

from lrbench import seeds
from lrbench.errors import RequestError
from lrbench.problems import checks
from lrbench.problems.data import Data

LABELS, TEST_LABELS = range(2)
OF_POSITIVE, OF_NEGATIVE = 1, 5  # features of a row's own, by its label


def wilson(
    n: int = 20, positive: float = 0.6, test_rows: int = 20, seed: int = 0, intercept: bool = False
) -> Data:
    """Return the design of Wilson, Roelofs, Stern, Srebro and Recht (2017), section 3.3.

    Their paper is "The Marginal Value of Adaptive Gradient Methods". Labels y are 1 or -1, mostly 1. Of each
    row, x_1 = y, x_2 = x_3 = 1, and features that no other row has are 1: one if y = 1, five if y = -1; all
    else is 0. From weights of zero, gradient descent and its momentum forms go to the solution of least norm,
    which tells new rows apart by x_1. For Adagrad, RMSprop and Adam every coordinate is as good as any other:
    they go to a multiple of sign(X'y), as exact on the training rows, which calls every new row positive.

    Args:
        n: training rows.
        positive: share of labels that are 1, above 1/2. It is met exactly, up to rounding, in random order;
            labels drawn one by one, as in the paper, now and then have the other majority, and then the
            design says nothing.
        test_rows: rows whose own features are 0 in all training rows; the same share of them is positive.
        seed: of the order of the labels.
        intercept: false; x_2 and x_3 are the design's own.

    Raises:
        RequestError: a value out of its range, rows of one label only or without a positive majority, or an
            intercept.
    """
    n = checks.whole("n", n, 1)
    test_rows = checks.whole("test_rows", test_rows, 1)
    seed = checks.whole("seed", seed, 0)
    share = checks.number("positive", positive, 0)
    positives = round(n * share)
    if not n / 2 < positives < n:
        raise RequestError(
            f"problem.positive: must make more than half of problem.n={n} labels positive, but not all, "
            f"and {share:g} makes {positives} so."
        )
    if checks.boolean("intercept", intercept):
        raise RequestError(
            "problem.intercept: must be false, since the design has two columns of ones of its own, "
            "but true was given."
        )
    y = _labels(n, share, seeds.stream(seed, seeds.DATA, LABELS))
    y_test = _labels(test_rows, share, seeds.stream(seed, seeds.DATA, TEST_LABELS))
    labels = np.append(y, y_test)
    rows = np.arange(len(labels))
    owners = np.repeat(rows, np.where(labels > 0, OF_POSITIVE, OF_NEGATIVE))
    own = owners == rows[:, None]
    X = np.column_stack([labels, np.ones((len(labels), 2)), own])
    own_names = (f"own_{j}" for j in range(len(owners)))
    names = ("label", "one", "one again", *own_names)
    return Data(
        X=X[:n],
        y=y,
        intercept=False,
        features=names,
        target="label",
        test=(X[n:], y_test),
    )


def _labels(m: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return m labels 1 and -1, the share of 1 exact up to rounding, in random order."""
    in_order = np.where(np.arange(m) < round(m * share), 1.0, -1.0)
    return rng.permutation(in_order)
