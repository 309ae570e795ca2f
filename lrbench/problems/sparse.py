"""Features that are mostly absent, some of them much rarer than others: what Adagrad was made for."""

import numpy as np

from lrbench import seeds
from lrbench.errors import RequestError
from lrbench.problems import checks
from lrbench.problems.data import Data
from lrbench.problems.threads import one_thread

FEATURES, WEIGHTS, NOISE, TEST_FEATURES, TEST_NOISE = range(5)


@one_thread()
def sparse(  # noqa: PLR0913 (its parameters are the keys that a request gives)
    n: int = 1000,
    d: int = 100,
    sparsity: float = 0.9,
    noise: float = 0.1,
    test_rows: int = 0,
    seed: int = 0,
    intercept: bool = False,
) -> Data:
    """Return y = X w + noise with w and noise normal, features 0 in most rows and normal in the others.

    Feature j = 1, 2, ... is present in a row with probability min(1, c / j), independently of all else:
    frequencies as those of words in a text (Zipf 1949). Duchi, Hazan and Singer (2011) made Adagrad for such
    data. The Hessian of the mean squared error is about diagonal, 2 min(1, c / j), but its spectrum is what
    chance makes it; `synthetic` has a spectrum that is exact.

    Args:
        n: samples.
        d: features; rare ones may be absent from all rows.
        sparsity: expected share of the entries of X that are 0; it sets c.
        noise: standard deviation of the noise in y.
        test_rows: rows to measure on, drawn like the others.
        seed: of these data; each ingredient has a stream of its own.
        intercept: adds a constant, drawn like w, to y and a column of ones to the model.

    Raises:
        RequestError: a value out of its range.
    """
    n = checks.whole("n", n, 1)
    d = checks.whole("d", d, 1)
    seed = checks.whole("seed", seed, 0)
    test_rows = checks.whole("test_rows", test_rows, 0)
    sparsity = checks.number("sparsity", sparsity, 0)
    noise = checks.number("noise", noise, 0)
    intercept = checks.boolean("intercept", intercept)
    if sparsity >= 1:
        raise RequestError(
            f"problem.sparsity: must be the share of zeros, below 1, but {sparsity:g} was given."
        )

    def stream(ingredient: int) -> np.random.Generator:
        return seeds.stream(seed, seeds.DATA, ingredient)

    frequencies = _frequencies(d, (1 - sparsity) * d)
    w_true = stream(WEIGHTS).standard_normal(d + 1)[: d + intercept]

    def drawn(m: int, of_features: int, of_noise: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw m rows (m, d) and their targets (m,), from the streams of these two ingredients."""
        rng = stream(of_features)
        present = rng.random((m, d)) < frequencies
        X = np.where(present, rng.standard_normal((m, d)), 0.0)
        signal = X @ w_true[:d] + w_true[d:].sum()
        return X, signal + noise * stream(of_noise).standard_normal(m)

    X, y = drawn(n, FEATURES, NOISE)
    test = drawn(test_rows, TEST_FEATURES, TEST_NOISE) if test_rows else None
    return Data(
        X=X,
        y=y,
        intercept=intercept,
        features=tuple(f"x_{j}" for j in range(d)),
        target="y",
        w_true=w_true,
        test=test,
    )


def _frequencies(d: int, total: float) -> np.ndarray:
    """Return min(1, c / j) for j = 1 ... d, with the c that gives them this total, at most d."""
    shares = 1 / np.arange(1.0, d + 1)
    # Were the features before j always present, the shares from j on would have to make up the rest.
    sums_from = np.cumsum(shares[::-1])[::-1]
    c = (total - np.arange(d)) / sums_from
    always = np.argmax(c * shares <= 1)
    return np.minimum(1.0, c[always] * shares)
