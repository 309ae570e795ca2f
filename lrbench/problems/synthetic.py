"""Random regression problems with the Hessian spectrum that you ask for."""

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
}
MAX_KAPPA = 1e16  # rounding X moves mu by eps sqrt(kappa) of itself: 2e-8 here

BASIS, ROTATION, WEIGHTS, NOISE = range(4)


@one_thread()
def synthetic(
    n: int = 100,
    d: int = 10,
    L: float = 1.0,
    kappa: float = 100.0,
    spectrum: str = "geometric",
    rotated: bool = True,
    noise: float = 0.1,
    seed: int = 0,
    intercept: bool = False,
) -> Data:
    """Return y = X w + noise with w normal, where the Hessian of the mean squared error, (2/n) X'X, has exactly the eigenvalues asked for.

    X = sqrt(n/2) Q diag(sqrt(eigenvalues)) V' with Q (n, d) orthonormal and V (d, d) a random rotation, or the identity where `rotated` is false.

    Args:
        n: samples, at least as many as parameters.
        d: features.
        L: largest eigenvalue.
        kappa: largest over smallest eigenvalue, so mu = L / kappa.
        spectrum: what lies between: "geometric", "linear", or "clustered" (half of them L, half mu).
        rotated: whether the eigenvectors are random directions or the coordinate axes.
        noise: standard deviation of the noise in y.
        seed: of these data; each ingredient has a stream of its own, so that rotating the axes changes neither w nor the noise.
        intercept: adds a constant, drawn like w, to y and a column of ones to the model. The columns of X then have mean 0, so that the Hessian has
            the eigenvalues asked for and one more: 2, the curvature of the column of ones.

    Raises:
        RequestError: a value out of its range, or a spectrum that does not exist.
    """
    n, d, seed = checks.whole("n", n, 1), checks.whole("d", d, 1), checks.whole("seed", seed, 0)
    L, kappa, noise = checks.positive("L", L), checks.number("kappa", kappa, 1), checks.number("noise", noise, 0)
    rotated, intercept = checks.boolean("rotated", rotated), checks.boolean("intercept", intercept)
    _check_size(n, d, intercept)
    eigenvalues = _eigenvalues(d, L, kappa, spectrum, rotated)

    normals = seeds.stream(seed, seeds.DATA, BASIS).standard_normal((n, d))
    Q = _orthonormal(normals - normals.mean(axis=0) if intercept else normals)
    X = np.sqrt(n / 2) * Q * np.sqrt(eigenvalues)
    if rotated:
        X = X @ _orthonormal(seeds.stream(seed, seeds.DATA, ROTATION).standard_normal((d, d))).T
    *w, constant = seeds.stream(seed, seeds.DATA, WEIGHTS).standard_normal(d + 1)
    errors = noise * seeds.stream(seed, seeds.DATA, NOISE).standard_normal(n)
    return Data(X, X @ w + constant * intercept + errors, intercept, tuple(f"x_{j}" for j in range(d)), "y")


def _eigenvalues(d: int, L: float, kappa: float, spectrum: str, rotated: bool) -> np.ndarray:
    """Return the eigenvalues (d,), descending from L to L / kappa."""
    if str(spectrum) not in SPECTRA:
        raise RequestError(f"problem.spectrum: there is no '{spectrum}'. {did_you_mean(str(spectrum), tuple(SPECTRA))}")
    if d == 1 and kappa != 1:
        raise RequestError(f"problem.kappa: one feature has one eigenvalue, so with problem.d=1 kappa must be 1, but {kappa:g} was given.")
    if rotated and kappa > MAX_KAPPA:
        raise RequestError(
            f"problem.kappa: must be at most {MAX_KAPPA:g} for rotated features, whose rounding hides a smaller eigenvalue, but {kappa:g} was given. "
            "Use problem.rotated=false."
        )
    return SPECTRA[spectrum](L, L / kappa, d)


def _check_size(n: int, d: int, intercept: bool) -> None:
    if n < d + intercept:
        parameters = f"{d} features and an intercept" if intercept else f"{d} features"
        raise RequestError(f"problem.n: {parameters} need at least {d + intercept} samples for a spectrum without zeros, but {n} was given.")


def _orthonormal(normals: np.ndarray) -> np.ndarray:
    """Return orthonormal columns that span those of a matrix of normals, uniformly distributed: the signs make the QR unique (Mezzadri 2007)."""
    Q, R = np.linalg.qr(normals)
    return Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)
