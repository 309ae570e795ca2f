"""The spectrum is the one asked for: numpy's singular values of X, an independent formula for each shape."""

import numpy as np
import pytest

from lrbench.errors import RequestError
from lrbench.problems import synthetic

SHAPES = {
    "geometric": lambda L, kappa, d: [L * kappa ** (-i / (d - 1)) for i in range(d)],
    "linear": lambda L, kappa, d: [L - (L - L / kappa) * i / (d - 1) for i in range(d)],
    "clustered": lambda L, kappa, d: [L] * (d - d // 2) + [L / kappa] * (d // 2),
}


def _spectrum(A):
    return 2 / len(A) * np.linalg.svd(A, compute_uv=False) ** 2


@pytest.mark.parametrize("spectrum", SHAPES)
@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize(("n", "d", "L", "kappa"), [(100, 10, 1.0, 100.0), (7, 7, 3.5, 1e6), (20, 5, 1e-3, 1.0), (12, 2, 40.0, 2.0)])
def test_spectrum(spectrum, rotated, n, d, L, kappa):
    X = synthetic(n=n, d=d, L=L, kappa=kappa, spectrum=spectrum, rotated=rotated).X
    np.testing.assert_allclose(_spectrum(X), SHAPES[spectrum](L, kappa, d), rtol=1e-15 * (10 + 100 * np.sqrt(kappa)))


@pytest.mark.parametrize("rotated", [True, False])
def test_an_intercept_adds_the_eigenvalue_2(rotated):
    data = synthetic(n=50, d=4, L=1.0, kappa=1e3, rotated=rotated, intercept=True)
    np.testing.assert_allclose(_spectrum(data.design()), [2, 1, 1e-1, 1e-2, 1e-3], rtol=1e-12)
    assert data.p == 5


def test_rotated_or_axes():
    axes, rotated = (synthetic(rotated=r, noise=0).X for r in (False, True))
    gram = axes.T @ axes
    np.testing.assert_allclose(gram, np.diag(np.diagonal(gram)), atol=1e-13)
    assert np.abs((rotated.T @ rotated)[0, 1:]).max() > 1e-2 * gram[0, 0]


def test_what_a_seed_fixes():
    def residual(data):  # what the data hold besides X w
        return data.y - data.X @ np.linalg.lstsq(data.X, data.y, rcond=None)[0]

    assert (synthetic().X == synthetic().X).all()
    assert (synthetic(seed=0).y != synthetic(seed=1).y).all()
    np.testing.assert_allclose(residual(synthetic(rotated=True)), residual(synthetic(rotated=False)), atol=1e-14)
    np.testing.assert_allclose(residual(synthetic(noise=2)), 20 * residual(synthetic(noise=0.1)), atol=1e-13)


def test_the_noise_has_the_deviation_asked_for():
    data = synthetic(n=20_000, d=2, noise=0.5)
    w = np.linalg.lstsq(data.X, data.y, rcond=None)[0]
    assert np.std(data.y - data.X @ w) == pytest.approx(0.5, rel=0.02)
    assert np.ptp(synthetic(n=3, d=1, kappa=1, noise=0).y) > 0


def test_the_bits_do_not_depend_on_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        one = synthetic(n=300, d=300).X
    with threadpool_limits(4):
        four = synthetic(n=300, d=300).X
    assert (one == four).all()


def test_odd_but_sound():
    assert synthetic(n=1, d=1, kappa=1).X.shape == (1, 1)
    assert synthetic(n=1e2, d=10.0, kappa=100).X.shape == (100, 10)
    assert synthetic(n=3, d=2, intercept=True).p == 3
    axes = synthetic(n=5, d=2, kappa=1e20, rotated=False).X
    np.testing.assert_allclose(2 / 5 * (axes**2).sum(axis=0), [1, 1e-20], rtol=1e-14)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 9}, r"problem\.n: 10 features need at least 10 samples .*, but 9 was given"),
        ({"n": 10, "intercept": True}, r"problem\.n: 10 features and an intercept need at least 11 samples"),
        ({"n": 0}, r"problem\.n: must be a whole number of at least 1, but 0"),
        ({"n": 2.5}, r"problem\.n: must be a whole number"),
        ({"n": "many"}, r"problem\.n: must be a whole number of at least 1, but 'many' was given"),
        ({"n": float("inf")}, r"problem\.n: must be a whole number"),
        ({"d": True}, r"problem\.d: must be a whole number"),
        ({"d": 1}, r"problem\.kappa: one feature has one eigenvalue, so with problem\.d=1 kappa must be 1, but 100"),
        ({"kappa": 0.5}, r"problem\.kappa: must be a finite number of at least 1, but 0\.5"),
        ({"kappa": float("nan")}, r"problem\.kappa: must be a finite number"),
        ({"kappa": 1e17}, r"problem\.kappa: must be at most 1e\+16 for rotated .* problem\.rotated=false"),
        ({"L": 0}, r"problem\.L: must be a finite number above 0"),
        ({"L": float("inf")}, r"problem\.L: must be a finite number above 0"),
        ({"noise": -1}, r"problem\.noise: must be a finite number of at least 0"),
        ({"seed": -1}, r"problem\.seed: must be a whole number of at least 0"),
        ({"spectrum": "geometrc"}, r"problem\.spectrum: there is no 'geometrc'. Did you mean 'geometric'\? There are: clustered, geometric, linear"),
        ({"spectrum": ["linear"]}, r"problem\.spectrum: there is no"),
        ({"rotated": "no"}, r"problem\.rotated: must be true or false"),
        ({"intercept": 1}, r"problem\.intercept: must be true or false"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        synthetic(**settings)
