"""The factorisation of tall, large and dependent data, against definitions, closed forms and many digits.

Small problems: test_solve.py.
"""

import tracemalloc

import mpmath
import numpy as np
import pytest
from scipy import linalg
from threadpoolctl import threadpool_limits

from lrbench.problems import least_squares
from lrbench.problems.least_squares import factorise
from lrbench.problems.threads import one_thread

EPS = np.finfo(float).eps


def random(n, p, seed=0, decades=0.0):
    """Return normal numbers (n, p) in columns whose sizes are that many decades apart."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) * 10 ** rng.permutation(np.linspace(-decades / 2, decades / 2, p))


def with_spectrum(n, values, seed=0):
    """Return A (n, p) with given singular values."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(size, len(values))))[0] for size in (n, len(values)))
    return left * values @ right.T


def in_many_digits(A, y):
    """Return the minimiser and the singular values, of full rank."""
    with mpmath.workdps(120):
        A, y = mpmath.matrix(A.tolist()), mpmath.matrix(y.tolist())
        gram = A.T * A
        w = mpmath.lu_solve(gram, A.T * y)
        sizes = sorted((mpmath.sqrt(v) for v in mpmath.eigsy(gram, eigvals_only=True)), reverse=True)
        return np.array(w.tolist(), float)[:, 0], np.array(sizes, float)


def relative_excess(A, y, w):
    """Return how far |y - A w|^2 is above its minimum, over the minimum."""
    with mpmath.workdps(120):
        A, y, w = (mpmath.matrix(values.tolist()) for values in (A, y, w))
        least = mpmath.norm(y - A * mpmath.lu_solve(A.T * A, A.T * y)) ** 2
        return float(mpmath.norm(y - A * w) ** 2 / least - 1)


@pytest.fixture(autouse=True)
def on_one_thread():
    with one_thread():
        yield


@pytest.fixture
def seven_rows(monkeypatch):
    """Make blocks of seven rows."""
    monkeypatch.setattr(least_squares, "ROWS", 7)


# ---- blocks of rows


@pytest.mark.parametrize("n", [1, 4, 5, 6, 12, 13, 40])
@pytest.mark.parametrize("decades", [0, 24])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.usefixtures("seven_rows")
def test_the_factors_make_the_data(n, decades, order):
    A = np.asarray(random(n, 5, decades=decades), order=order)
    before, factors, y = A.copy(), factorise(A), np.arange(1.0, n + 1)
    assert factors.Q.shape == (n, factors.rank) == (n, min(n, 5))
    np.testing.assert_allclose(factors.Q.T @ factors.Q, np.eye(factors.rank), atol=10 * EPS)
    assert (np.abs(factors.Q @ factors.root() - A) <= 20 * EPS * np.linalg.norm(A, axis=0)).all()
    np.testing.assert_allclose(factors.project(y), factors.Q.T @ y, atol=20 * EPS * np.linalg.norm(y))
    assert (before == A).all()


@pytest.mark.parametrize("decades", [0, 24])
@pytest.mark.usefixtures("seven_rows")
def test_many_digits_agree(decades):
    A, y = random(40, 5, decades=decades), np.random.default_rng(1).normal(size=40)
    (w, sizes), factors = in_many_digits(A, y), factorise(A)
    np.testing.assert_allclose(factors.minimiser(y), w, rtol=1e-14)
    assert relative_excess(A, y, factors.minimiser(y)) <= (10 * EPS) ** 2
    for jacobi in (0, 5):
        np.testing.assert_allclose(factors.singular_values(jacobi), sizes, rtol=1e-14)


@pytest.mark.parametrize("kappa", [1e4, 1e8, 1e12])
@pytest.mark.usefixtures("seven_rows")
def test_dependent_within_the_rounding_of_kappa(kappa):
    A, y = with_spectrum(60, np.geomspace(1, 1 / kappa, 6)), np.random.default_rng(1).normal(size=60)
    (w, sizes), found = in_many_digits(A, y), factorise(A).minimiser(y)
    assert np.linalg.norm(found - w) <= 10 * EPS * kappa * np.linalg.norm(w)
    assert relative_excess(A, y, found) <= (10 * EPS * kappa) ** 2  # what rounding w to float64 may cost
    np.testing.assert_allclose(factorise(A).singular_values(), sizes, rtol=10 * EPS * kappa)


def test_thousands_of_rows():
    A, y = random(5_003, 40, decades=6), np.random.default_rng(1).normal(size=5_003)
    factors, sizes = factorise(A), np.linalg.norm(A, axis=0)
    np.testing.assert_allclose(
        factors.minimiser(y) * sizes, linalg.lstsq(A / sizes, y)[0], rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(factors.singular_values(), linalg.svdvals(A), rtol=1e-9)
    np.testing.assert_allclose(factors.Q.T @ factors.Q, np.eye(40), atol=1e-14)


@pytest.mark.usefixtures("seven_rows")
def test_what_repeats_is_shared_in_equal_parts():
    a, b = np.random.default_rng(0).integers(-9, 10, (2, 50)).astype(float)
    factors = factorise(np.stack([a * 1e12, b * 1e-12, a * 1e12, 0 * a, b * 1e-12, b * 1e-12], axis=1))
    w = factors.minimiser(3 * a + 6 * b)
    assert factors.rank == 2
    np.testing.assert_allclose(w, [1.5e-12, 2e12, 1.5e-12, 0, 2e12, 2e12], rtol=1e-14)
    overlap = a @ b
    exact = np.sqrt(2 * (a @ a)) * 1e12, np.sqrt(3 * (b @ b - overlap**2 / (a @ a))) * 1e-12  # to 48 digits
    np.testing.assert_allclose(factors.singular_values(), exact, rtol=1e-14)


@pytest.mark.usefixtures("seven_rows")
def test_what_repeats_does_so_exactly_beside_columns_that_are_almost_dependent():
    a, b, c, y = np.random.default_rng(0).integers(-9, 10, (4, 50)).astype(float)
    almost = a + b / 1024
    w = factorise(np.stack([a, almost, c, almost, c], axis=1)).minimiser(y)
    np.testing.assert_allclose(w[[3, 4]], w[[1, 2]], rtol=0, atol=50 * EPS * np.abs(w).max())


@pytest.mark.usefixtures("seven_rows")
def test_dummies_of_every_level_with_an_intercept():
    levels = np.arange(90) % 3
    A, y = np.column_stack([np.eye(3)[levels], np.ones(90)]), np.array([1.0, 5.0, 9.0])[levels]
    factors = factorise(A)
    assert factors.rank == 3
    np.testing.assert_allclose(
        factors.minimiser(y), [-2.75, 1.25, 5.25, 3.75], rtol=1e-14
    )  # the sum of the levels' weights is the intercept's
    np.testing.assert_allclose(factors.singular_values(), np.sqrt([120, 30, 30]), rtol=1e-14)


def test_the_rank_counts_the_singular_values_above_the_tolerance():
    tolerance, counted = 300 * EPS, []
    for smallest in (1e3, 30, 3.0, 0.3):
        A = with_spectrum(300, [1, 1, 1, 1, smallest * tolerance])
        sizes = linalg.svdvals(A / 2 ** np.ceil(np.log2(np.linalg.norm(A, axis=0))))
        counted.append(factorise(A).rank)
        assert counted[-1] == np.sum(sizes > tolerance * sizes[0])
    assert counted == [5, 5, 5, 4]


def test_nothing_but_zeros():
    factors = factorise(np.zeros((5, 3)))
    assert factors.rank == 0
    assert factors.singular_values().shape == (0,)
    assert factors.root().shape == (0, 3)
    assert factors.Q.shape == (5, 0)
    assert (factors.minimiser(np.ones(5)) == 0).all()


def test_the_memory_of_one_copy():
    A = random(20_000, 30)
    tracemalloc.start()
    factors = factorise(A)
    factors.minimiser(A[:, 0])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.25 * A.nbytes


def test_the_bits_do_not_depend_on_the_number_of_threads():
    A, y, found = random(5_000, 100), np.arange(5_000.0), []
    for threads in (1, 4):
        with threadpool_limits(threads), one_thread():
            found.append((factorise(A).minimiser(y), factorise(A).singular_values()))
    for one, four in zip(*found, strict=True):
        assert (one == four).all()


# ---- the spectrum of many columns


@pytest.mark.parametrize("decades", [0, 6, 24])
def test_both_ways_to_all_singular_values(decades):
    factors = factorise(random(400, 300, decades=decades))
    np.testing.assert_allclose(
        factors.singular_values(jacobi=299), factors.singular_values(jacobi=300), rtol=1e-13
    )


@pytest.mark.parametrize("decades", [0, 6, 24])
@pytest.mark.parametrize("rank", [300, 250])
def test_the_ends_are_those_of_the_full_spectrum(decades, rank):
    A = random(400, 300, decades=decades)
    A[:, rank:] = A[:, : 300 - rank]
    factors = factorise(A)
    all_of_them = factors.singular_values()
    assert factors.rank == rank
    np.testing.assert_allclose(factors.ends(full=rank - 1), all_of_them[[0, -1]], rtol=1e-13)
    assert factors.ends() == (all_of_them[0], all_of_them[-1])


@pytest.mark.parametrize("kappa", [1.0001, 1e3, 1e8])
def test_the_ends_of_a_known_spectrum(kappa):
    found = factorise(with_spectrum(400, np.geomspace(1, 1 / kappa, 300))).ends(full=299)
    np.testing.assert_allclose(found, [1, 1 / kappa], rtol=10 * EPS * max(kappa, 10))
