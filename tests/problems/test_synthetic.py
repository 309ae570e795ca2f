"""The spectrum is the one asked for: numpy's singular values of X, an independent formula for each shape."""

import mpmath
import numpy as np
import pytest
from scipy import stats

from lrbench.errors import RequestError
from lrbench.problems import synthetic

SHAPES = {
    "geometric": lambda L, kappa, d: [L * kappa ** (-i / (d - 1)) for i in range(d)],
    "linear": lambda L, kappa, d: [L * (d - 1 - i) / (d - 1) + L / kappa * i / (d - 1) for i in range(d)],
    "clustered": lambda L, kappa, d: [L] * (d - d // 2) + [L / kappa] * (d // 2),
    "power": lambda L, kappa, d: [L * (i + 1) ** (-np.log(kappa) / np.log(d)) for i in range(d)],
}


def _spectrum(A):
    return 2 / len(A) * np.linalg.svd(A, compute_uv=False) ** 2


@pytest.mark.parametrize("spectrum", SHAPES)
@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize(
    ("n", "d", "L", "kappa"),
    [(100, 10, 1.0, 100.0), (7, 7, 3.5, 1e6), (20, 5, 1e-3, 1.0), (12, 2, 40.0, 2.0)],
)
def test_spectrum(spectrum, rotated, n, d, L, kappa):
    X = synthetic(n=n, d=d, L=L, kappa=kappa, spectrum=spectrum, rotated=rotated).X
    np.testing.assert_allclose(
        _spectrum(X), SHAPES[spectrum](L, kappa, d), rtol=1e-15 * (10 + 100 * np.sqrt(kappa))
    )


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
    np.testing.assert_allclose(
        residual(synthetic(rotated=True)), residual(synthetic(rotated=False)), atol=1e-14
    )
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


@pytest.mark.parametrize(("rotated", "rtol"), [(True, 1e-9), (False, 1e-14)])
@pytest.mark.parametrize("spectrum", SHAPES)
def test_a_kappa_of_1e12_in_60_digits(spectrum, rotated, rtol):
    X = synthetic(n=8, d=4, kappa=1e12, spectrum=spectrum, rotated=rotated).X
    with mpmath.workdps(60):
        exact = mpmath.matrix(X.tolist())
        eigenvalues = sorted(map(float, mpmath.eigsy(exact.T * exact / 4, eigvals_only=True)), reverse=True)
    # rounding X moves the smallest eigenvalue by about eps sqrt(kappa) = 2e-10, in what is rotated
    np.testing.assert_allclose(eigenvalues, SHAPES[spectrum](1.0, 1e12, 4), rtol=rtol)


@pytest.mark.parametrize("intercept", [True, False])
def test_duplicates_add_zeros_and_move_no_eigenvalue(intercept):
    data, without = (
        synthetic(n=50, d=4, kappa=1e3, noise=0, duplicates=k, intercept=intercept) for k in (3, 0)
    )
    ones = [2] if intercept else []
    np.testing.assert_allclose(
        _spectrum(data.design()), [*ones, 1, 1e-1, 1e-2, 1e-3, 0, 0, 0], rtol=1e-12, atol=1e-15
    )
    assert (data.X[:, :3] == data.X[:, 4:]).all()
    assert len(data.features) == 7
    assert (data.y == without.y).all()
    shortest = np.linalg.lstsq(data.design(), data.y, rcond=None)[0]
    np.testing.assert_allclose(data.w_true, shortest, atol=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("duplicates", [0, 2])
def test_w_true_made_y(intercept, duplicates):
    data = synthetic(noise=0, intercept=intercept, duplicates=duplicates, test_rows=7)
    np.testing.assert_allclose(data.design() @ data.w_true, data.y, atol=1e-13)
    X_test, y_test = data.test
    np.testing.assert_allclose(
        X_test @ data.w_true[: data.d] + data.w_true[data.d :].sum(), y_test, atol=1e-13
    )


LAWS = {"normal": stats.norm(), "heavy": stats.t(3, scale=3**-0.5)}


@pytest.mark.parametrize("kind", ["normal", "heavy", "heteroscedastic"])
def test_the_law_of_the_noise(kind):
    data = synthetic(n=20_000, d=3, kappa=10, noise=0.5, noise_kind=kind, test_rows=20_000)
    (X_test, y_test), size = data.test, np.sqrt(np.mean((data.X @ data.w_true) ** 2))
    for X, y in ((data.X, data.y), (X_test, y_test)):
        signal = X @ data.w_true
        errors = (y - signal) / 0.5
        if kind == "heteroscedastic":
            assert np.std(errors) == pytest.approx(1, rel=0.05)
            errors = errors * size / np.abs(signal)
        fits = {name: stats.kstest(errors, law.cdf).pvalue > 0.01 for name, law in LAWS.items()}
        assert fits == {"normal": kind != "heavy", "heavy": kind == "heavy"}
    assert (data.X == synthetic(n=20_000, d=3, kappa=10).X).all()


def test_outliers():
    clean, data = (synthetic(noise=0.5, outliers=share, outlier_size=8, test_rows=50) for share in (0, 0.13))
    moved = data.y - clean.y
    np.testing.assert_allclose(np.abs(moved[np.abs(moved) > 1e-9]), 4.0)
    assert np.count_nonzero(np.abs(moved) > 1e-9) == 13
    assert {-1, 1} <= set(np.sign(np.round(moved, 6)))
    assert (data.test[1] == clean.test[1]).all()
    assert (data.X == clean.X).all()


@pytest.mark.parametrize("intercept", [True, False])
def test_test_rows_come_from_the_same_distribution(intercept):
    data = synthetic(d=3, kappa=10, intercept=intercept, test_rows=200_000)
    X_test, y_test = data.test
    np.testing.assert_allclose(2 / len(X_test) * X_test.T @ X_test, 2 / data.n * data.X.T @ data.X, atol=0.01)
    np.testing.assert_allclose(X_test.mean(axis=0), 0, atol=0.01)
    errors = y_test - X_test @ data.w_true[:3] - data.w_true[3:].sum()
    assert np.std(errors) == pytest.approx(0.1, rel=0.01)
    of_training = data.y - data.design() @ data.w_true
    assert (
        abs(np.corrcoef(errors[: data.n], of_training)[0, 1]) < 0.4
    )  # fresh noise: four deviations of 100 rows
    alone = synthetic(d=3, kappa=10, intercept=intercept)
    assert (alone.X == data.X).all()
    assert (alone.y == data.y).all()
    assert alone.test is None


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
        (
            {"d": 1},
            r"problem\.kappa: one feature has one eigenvalue, so with problem\.d=1 kappa must be 1, but 100",
        ),
        ({"kappa": 0.5}, r"problem\.kappa: must be a finite number of at least 1, but 0\.5"),
        ({"kappa": float("nan")}, r"problem\.kappa: must be a finite number"),
        ({"kappa": 1e17}, r"problem\.kappa: must be at most 1e\+16 for rotated .* problem\.rotated=false"),
        ({"L": 0}, r"problem\.L: must be a finite number above 0"),
        ({"L": float("inf")}, r"problem\.L: must be a finite number above 0"),
        ({"noise": -1}, r"problem\.noise: must be a finite number of at least 0"),
        ({"seed": -1}, r"problem\.seed: must be a whole number of at least 0"),
        (
            {"spectrum": "geometrc"},
            (
                r"problem\.spectrum: there is no 'geometrc'. Did you mean 'geometric'\? There are: "
                r"clustered, geometric, linear, power"
            ),
        ),
        ({"spectrum": ["linear"]}, r"problem\.spectrum: there is no"),
        (
            {"noise_kind": "havy"},
            (
                r"problem\.noise_kind: there is no 'havy'. Did you mean 'heavy'\? There are: heavy, "
                r"heteroscedastic, normal"
            ),
        ),
        ({"outliers": 1.5}, r"problem\.outliers: must be a share of the rows, at most 1, but 1\.5 was given"),
        ({"outliers": -0.1}, r"problem\.outliers: must be a finite number of at least 0"),
        (
            {"outliers": 0.1, "noise": 0},
            r"problem\.outliers: are moved by so many times the noise, so problem\.noise must be above 0",
        ),
        ({"outlier_size": 0}, r"problem\.outlier_size: must be a finite number above 0"),
        (
            {"duplicates": 11},
            r"problem\.duplicates: at most all problem\.d=10 features can be there twice, but 11 was given",
        ),
        ({"duplicates": 1.5}, r"problem\.duplicates: must be a whole number of at least 0"),
        ({"test_rows": -1}, r"problem\.test_rows: must be a whole number of at least 0, but -1"),
        ({"rotated": "no"}, r"problem\.rotated: must be true or false"),
        ({"intercept": 1}, r"problem\.intercept: must be true or false"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        synthetic(**settings)
