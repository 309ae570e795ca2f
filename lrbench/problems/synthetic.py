"""Random regression problems with the Hessian spectrum that you ask for."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lrbench import seeds
from lrbench.errors import RequestError, did_you_mean
from lrbench.problems import checks
from lrbench.problems.data import Data
from lrbench.problems.threads import one_thread

SPECTRA: dict[str, Callable[[float, float, int], np.ndarray]] = {
    "geometric": lambda L, mu, d: np.geomspace(L, mu, d),
    "linear": lambda L, mu, d: np.linspace(L, mu, d),
    "clustered": lambda L, mu, d: np.where(np.arange(d) < (d + 1) // 2, L, mu),
    "power": lambda L, mu, d: L * np.arange(1.0, d + 1) ** (np.log(mu / L) / np.log(max(d, 2))),
}
MAX_KAPPA = 1e16  # rounding X moves mu by eps sqrt(kappa) of itself: 2e-8 here

# Errors (n,) in units of `noise`, from a generator and the signal x'w (n,), whose mean square over the
# training rows is 1.
NOISES: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "normal": lambda rng, signal: rng.standard_normal(len(signal)),
    "heavy": lambda rng, signal: rng.standard_t(3, len(signal)) / np.sqrt(3),
    "heteroscedastic": lambda rng, signal: np.abs(signal) * rng.standard_normal(len(signal)),
}

# A stream each: rotating the axes changes neither w nor the noise.
BASIS, ROTATION, WEIGHTS, NOISE, OUTLIERS, TEST_ROWS, TEST_NOISE = range(7)


class Spectrum(NamedTuple):
    """The Hessian's eigenvalues, from L to L / kappa, and whether its axes are turned."""

    L: float
    kappa: float
    shape: str
    rotated: bool


class Noise(NamedTuple):
    """What is added to the signal: deviation and distribution, share of outliers and how far they move."""

    deviation: float
    kind: str
    outliers: float
    outlier_size: float


class Model(NamedTuple):
    """What turns normals into features, and features into a signal."""

    roots: np.ndarray  # (d,) square roots of the eigenvalues
    V: np.ndarray | None  # (d, d) the eigenvectors as columns; None for the axes
    w: np.ndarray  # (d,)
    constant: float

    def features(self, normals: np.ndarray) -> np.ndarray:
        X = normals * self.roots
        return X if self.V is None else X @ self.V.T


@one_thread()
def synthetic(  # noqa: PLR0913 (its parameters are the keys that a request gives)
    n: int = 100,
    d: int = 10,
    L: float = 1.0,
    kappa: float = 100.0,
    spectrum: str = "geometric",
    rotated: bool = True,
    duplicates: int = 0,
    noise: float = 0.1,
    noise_kind: str = "normal",
    outliers: float = 0.0,
    outlier_size: float = 10.0,
    test_rows: int = 0,
    seed: int = 0,
    intercept: bool = False,
) -> Data:
    """Return y = X w + noise with w normal, where the Hessian has exactly the eigenvalues asked for.

    The Hessian is that of the mean squared error, (2/n) X'X.
    X = sqrt(n/2) Q diag(sqrt(eigenvalues)) V' with Q (n, d) orthonormal and V (d, d) a random rotation, or
    the identity where `rotated` is false.

    Args:
        n: samples, at least as many as independent parameters.
        d: independent features.
        L: largest eigenvalue.
        kappa: largest over smallest eigenvalue, so mu = L / kappa.
        spectrum: what lies between: "geometric", "linear", "clustered" (half of them L, half mu), or "power"
            (the i-th is L i^-a, the last mu).
        rotated: whether the eigenvectors are random directions or the coordinate axes.
        duplicates: so many of the first features are there twice, the copies last. Both are divided by
            sqrt(2), which leaves X X' as it was: the Hessian has the eigenvalues asked for and a 0 for each
            copy.
        noise: standard deviation of the noise in y.
        noise_kind: its distribution: "normal", "heavy" (Student's t with 3 degrees of freedom) or
            "heteroscedastic" (normal with a deviation proportional to |x'w|). `noise` is the deviation of
            each, over the training rows as a whole.
        outliers: share of training rows whose y is moved up or down.
        outlier_size: how far these are moved, in units of `noise`.
        test_rows: rows to measure on: X normal with the training rows' second moments as its expectation, y
            with noise of its own and no outliers.
        seed: of these data; each ingredient has a stream of its own, so that rotating the axes changes
            neither w nor the noise.
        intercept: adds a constant, drawn like w, to y and a column of ones to the model. The columns of X
            then have mean 0, so that the Hessian has the eigenvalues asked for and one more: 2, the curvature
            of the column of ones.

    Raises:
        RequestError: a value out of its range, or a spectrum or kind of noise that does not exist.
    """
    n = checks.whole("n", n, 1)
    d = checks.whole("d", d, 1)
    seed = checks.whole("seed", seed, 0)
    L = checks.positive("L", L)
    kappa = checks.number("kappa", kappa, 1)
    noise = checks.number("noise", noise, 0)
    rotated = checks.boolean("rotated", rotated)
    intercept = checks.boolean("intercept", intercept)
    duplicates = checks.whole("duplicates", duplicates, 0)
    test_rows = checks.whole("test_rows", test_rows, 0)
    outliers = checks.number("outliers", outliers, 0)
    outlier_size = checks.positive("outlier_size", outlier_size)
    added = Noise(noise, noise_kind, outliers, outlier_size)
    _check_sizes(n, d, duplicates, intercept)
    _check_noise(added)
    model = _model(d, Spectrum(L, kappa, spectrum, rotated), intercept, seed)
    data = _drawn(model, n, test_rows, added, intercept, seed)
    return _with_copies(data, duplicates)


def _stream(seed: int, ingredient: int) -> np.random.Generator:
    return seeds.stream(seed, seeds.DATA, ingredient)


def _model(d: int, spectrum: Spectrum, intercept: bool, seed: int) -> Model:
    roots = np.sqrt(_eigenvalues(d, spectrum))
    V = None
    if spectrum.rotated:
        V = _orthonormal(_stream(seed, ROTATION).standard_normal((d, d)))
    *w, constant = _stream(seed, WEIGHTS).standard_normal(d + 1)
    return Model(roots, V, np.array(w), constant if intercept else 0.0)


def _drawn(model: Model, n: int, test_rows: int, noise: Noise, intercept: bool, seed: int) -> Data:
    """Draw the rows of the data, and those to measure on."""
    d = len(model.w)
    normals = _stream(seed, BASIS).standard_normal((n, d))
    if intercept:  # columns of mean 0 are orthogonal to the column of ones
        normals = normals - normals.mean(axis=0)
    X = model.features(np.sqrt(n / 2) * _orthonormal(normals))
    size = np.sqrt(np.mean((X @ model.w) ** 2))

    def target(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        errors = noise.deviation * NOISES[noise.kind](rng, X @ model.w / size)
        return X @ model.w + model.constant + errors

    moved = _signs(n, noise.outliers, _stream(seed, OUTLIERS))
    y = target(X, _stream(seed, NOISE)) + noise.outlier_size * noise.deviation * moved
    test = None
    if test_rows:
        rows = _stream(seed, TEST_ROWS).standard_normal((test_rows, d))
        X_test = model.features(np.sqrt(1 / 2) * rows)
        test = X_test, target(X_test, _stream(seed, TEST_NOISE))
    w_true = np.append(model.w, model.constant) if intercept else model.w
    return Data(
        X=X,
        y=y,
        intercept=intercept,
        features=tuple(f"x_{j}" for j in range(d)),
        target="y",
        w_true=w_true,
        test=test,
    )


def _with_copies(data: Data, duplicates: int) -> Data:
    """Return the data with the first features there twice."""
    assert data.w_true is not None
    w, constant = np.split(data.w_true, [data.d])
    test = data.test
    if test is not None:
        X_test, y_test = test
        test = _twice(X_test, duplicates), y_test
    return replace(
        data,
        X=_twice(data.X, duplicates),
        features=tuple(f"x_{j}" for j in range(data.d + duplicates)),
        w_true=np.append(_twice(w, duplicates), constant),
        test=test,
    )


def _eigenvalues(d: int, spectrum: Spectrum) -> np.ndarray:
    """Return the eigenvalues (d,), descending from L to L / kappa."""
    L, kappa, shape, rotated = spectrum
    if str(shape) not in SPECTRA:
        raise RequestError(
            f"problem.spectrum: there is no '{shape}'. {did_you_mean(str(shape), tuple(SPECTRA))}"
        )
    if d == 1 and kappa != 1:
        raise RequestError(
            "problem.kappa: one feature has one eigenvalue, so with problem.d=1 kappa must be 1, "
            f"but {kappa:g} was given."
        )
    if rotated and kappa > MAX_KAPPA:
        raise RequestError(
            f"problem.kappa: must be at most {MAX_KAPPA:g} for rotated features, whose rounding hides a "
            f"smaller eigenvalue, but {kappa:g} was given. Use problem.rotated=false."
        )
    return SPECTRA[shape](L, L / kappa, d)


def _check_sizes(n: int, d: int, duplicates: int, intercept: bool) -> None:
    if n < d + intercept:
        parameters = f"{d} features and an intercept" if intercept else f"{d} features"
        raise RequestError(
            f"problem.n: {parameters} need at least {d + intercept} samples for a spectrum without zeros, "
            f"but {n} was given."
        )
    if duplicates > d:
        raise RequestError(
            f"problem.duplicates: at most all problem.d={d} features can be there twice, "
            f"but {duplicates} was given."
        )


def _check_noise(noise: Noise) -> None:
    if str(noise.kind) not in NOISES:
        raise RequestError(
            f"problem.noise_kind: there is no '{noise.kind}'. {did_you_mean(str(noise.kind), tuple(NOISES))}"
        )
    if noise.outliers > 1:
        raise RequestError(
            f"problem.outliers: must be a share of the rows, at most 1, but {noise.outliers:g} was given."
        )
    if noise.outliers and not noise.deviation:
        raise RequestError(
            "problem.outliers: are moved by so many times the noise, so problem.noise must be above 0, "
            "but is 0."
        )


def _signs(n: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return 1 or -1 for the share of n rows that is moved, chosen at random, and 0 for the others."""
    moved = np.zeros(n)
    moved[rng.permutation(n)[: round(share * n)]] = 1
    return moved * rng.choice([-1.0, 1.0], n)


def _twice(columns: np.ndarray, duplicates: int) -> np.ndarray:
    """Return columns (..., d) with the first of them, divided by sqrt(2), there twice: (..., d + duplicates).

    Products of rows stay the same.
    """
    first = columns[..., :duplicates] / np.sqrt(2)
    return np.concatenate([first, columns[..., duplicates:], first], axis=-1)


def _orthonormal(normals: np.ndarray) -> np.ndarray:
    """Return orthonormal columns that span those of a matrix of normals, uniformly distributed.

    The signs make the QR unique (Mezzadri 2007).
    """
    Q, R = np.linalg.qr(normals)
    return Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)
