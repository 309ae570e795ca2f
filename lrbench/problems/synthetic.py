"""Random regression problems with the Hessian spectrum that you ask for."""

from collections.abc import Callable

import numpy as np

from lrbench import seeds
from lrbench.errors import RequestError, did_you_mean
from lrbench.problems import checks
from lrbench.problems.data import Data
from lrbench.problems.threads import one_thread

SPECTRA = {
    "geometric": lambda L, mu, d: np.geomspace(L, mu, d),
    "linear": lambda L, mu, d: np.linspace(L, mu, d),
    "clustered": lambda L, mu, d: np.where(np.arange(d) < (d + 1) // 2, L, mu),
    "power": lambda L, mu, d: L * np.arange(1.0, d + 1) ** (np.log(mu / L) / np.log(max(d, 2))),
}
MAX_KAPPA = 1e16  # rounding X moves mu by eps sqrt(kappa) of itself: 2e-8 here

# errors (n,) in units of `noise`, from a generator and the signal x'w (n,), whose mean square over the training rows is 1
NOISES: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "normal": lambda rng, signal: rng.standard_normal(len(signal)),
    "heavy": lambda rng, signal: rng.standard_t(3, len(signal)) / np.sqrt(3),
    "heteroscedastic": lambda rng, signal: np.abs(signal) * rng.standard_normal(len(signal)),
}

BASIS, ROTATION, WEIGHTS, NOISE, OUTLIERS, TEST_ROWS, TEST_NOISE = range(7)


@one_thread()
def synthetic(
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
    """Return y = X w + noise with w normal, where the Hessian of the mean squared error, (2/n) X'X, has exactly the eigenvalues asked for.

    X = sqrt(n/2) Q diag(sqrt(eigenvalues)) V' with Q (n, d) orthonormal and V (d, d) a random rotation, or the identity where `rotated` is false.

    Args:
        n: samples, at least as many as independent parameters.
        d: independent features.
        L: largest eigenvalue.
        kappa: largest over smallest eigenvalue, so mu = L / kappa.
        spectrum: what lies between: "geometric", "linear", "clustered" (half of them L, half mu), or "power" (the i-th is L i^-a, the last mu).
        rotated: whether the eigenvectors are random directions or the coordinate axes.
        duplicates: so many of the first features are there twice, the copies last. Both are divided by sqrt(2), which leaves X X' as it was: the
            Hessian has the eigenvalues asked for and a 0 for each copy.
        noise: standard deviation of the noise in y.
        noise_kind: its distribution: "normal", "heavy" (Student's t with 3 degrees of freedom) or "heteroscedastic" (normal with a deviation
            proportional to |x'w|). `noise` is the deviation of each, over the training rows as a whole.
        outliers: share of training rows whose y is moved up or down.
        outlier_size: how far these are moved, in units of `noise`.
        test_rows: rows to measure on: X normal with the training rows' second moments as its expectation, y with noise of its own and no outliers.
        seed: of these data; each ingredient has a stream of its own, so that rotating the axes changes neither w nor the noise.
        intercept: adds a constant, drawn like w, to y and a column of ones to the model. The columns of X then have mean 0, so that the Hessian has
            the eigenvalues asked for and one more: 2, the curvature of the column of ones.

    Raises:
        RequestError: a value out of its range, or a spectrum or kind of noise that does not exist.
    """
    n, d, seed = checks.whole("n", n, 1), checks.whole("d", d, 1), checks.whole("seed", seed, 0)
    L, kappa, noise = (
        checks.positive("L", L),
        checks.number("kappa", kappa, 1),
        checks.number("noise", noise, 0),
    )
    rotated, intercept = checks.boolean("rotated", rotated), checks.boolean("intercept", intercept)
    duplicates, test_rows = checks.whole("duplicates", duplicates, 0), checks.whole("test_rows", test_rows, 0)
    outliers, outlier_size = (
        checks.number("outliers", outliers, 0),
        checks.positive("outlier_size", outlier_size),
    )
    _check_sizes(n, d, duplicates, intercept)
    _check_noise(noise, noise_kind, outliers)
    eigenvalues = _eigenvalues(d, L, kappa, spectrum, rotated)

    def stream(ingredient: int) -> np.random.Generator:
        return seeds.stream(seed, seeds.DATA, ingredient)

    V = _orthonormal(stream(ROTATION).standard_normal((d, d))) if rotated else None
    *w, constant = stream(WEIGHTS).standard_normal(d + 1)
    constants = [constant] if intercept else []

    def features(rows: np.ndarray) -> np.ndarray:
        X = rows * np.sqrt(eigenvalues)
        return X if V is None else X @ V.T

    def target(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        errors = noise * NOISES[noise_kind](rng, X @ w / size)
        return X @ w + sum(constants) + errors

    normals = stream(BASIS).standard_normal((n, d))
    X = features(np.sqrt(n / 2) * _orthonormal(normals - normals.mean(axis=0) if intercept else normals))
    size = np.sqrt(np.mean((X @ w) ** 2))
    y = target(X, stream(NOISE)) + outlier_size * noise * _signs(n, outliers, stream(OUTLIERS))
    test = None
    if test_rows:
        X_test = features(np.sqrt(1 / 2) * stream(TEST_ROWS).standard_normal((test_rows, d)))
        test = _twice(X_test, duplicates), target(X_test, stream(TEST_NOISE))
    w_true = np.append(_twice(np.array(w), duplicates), constants)
    return Data(
        _twice(X, duplicates),
        y,
        intercept,
        tuple(f"x_{j}" for j in range(d + duplicates)),
        "y",
        w_true=w_true,
        test=test,
    )


def _eigenvalues(d: int, L: float, kappa: float, spectrum: str, rotated: bool) -> np.ndarray:
    """Return the eigenvalues (d,), descending from L to L / kappa."""
    if str(spectrum) not in SPECTRA:
        raise RequestError(
            f"problem.spectrum: there is no '{spectrum}'. {did_you_mean(str(spectrum), tuple(SPECTRA))}"
        )
    if d == 1 and kappa != 1:
        raise RequestError(
            f"problem.kappa: one feature has one eigenvalue, so with problem.d=1 kappa must be 1, but {kappa:g} was given."
        )
    if rotated and kappa > MAX_KAPPA:
        raise RequestError(
            f"problem.kappa: must be at most {MAX_KAPPA:g} for rotated features, whose rounding hides a smaller eigenvalue, but {kappa:g} was given. "
            "Use problem.rotated=false."
        )
    return SPECTRA[spectrum](L, L / kappa, d)


def _check_sizes(n: int, d: int, duplicates: int, intercept: bool) -> None:
    if n < d + intercept:
        parameters = f"{d} features and an intercept" if intercept else f"{d} features"
        raise RequestError(
            f"problem.n: {parameters} need at least {d + intercept} samples for a spectrum without zeros, but {n} was given."
        )
    if duplicates > d:
        raise RequestError(
            f"problem.duplicates: at most all problem.d={d} features can be there twice, but {duplicates} was given."
        )


def _check_noise(noise: float, noise_kind: str, outliers: float) -> None:
    if str(noise_kind) not in NOISES:
        raise RequestError(
            f"problem.noise_kind: there is no '{noise_kind}'. {did_you_mean(str(noise_kind), tuple(NOISES))}"
        )
    if outliers > 1:
        raise RequestError(
            f"problem.outliers: must be a share of the rows, at most 1, but {outliers:g} was given."
        )
    if outliers and not noise:
        raise RequestError(
            "problem.outliers: are moved by so many times the noise, so problem.noise must be above 0, but is 0."
        )


def _signs(n: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return 1 or -1 for the share of n rows that is moved, chosen at random, and 0 for the others."""
    moved = np.zeros(n)
    moved[rng.permutation(n)[: round(share * n)]] = 1
    return moved * rng.choice([-1.0, 1.0], n)


def _twice(columns: np.ndarray, duplicates: int) -> np.ndarray:
    """Return columns (..., d) with the first of them, divided by sqrt(2), there twice: (..., d + duplicates); products of rows stay the same."""
    first = columns[..., :duplicates] / np.sqrt(2)
    return np.concatenate([first, columns[..., duplicates:], first], axis=-1)


def _orthonormal(normals: np.ndarray) -> np.ndarray:
    """Return orthonormal columns that span those of a matrix of normals, uniformly distributed: the signs make the QR unique (Mezzadri 2007)."""
    Q, R = np.linalg.qr(normals)
    return Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)
