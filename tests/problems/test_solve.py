"""The exact solution against exact arithmetic.

Rational numbers for small integer problems, 60 digits for ill-conditioned ones.
"""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import linalg

from lrbench.errors import RequestError
from lrbench.losses import lookup
from lrbench.problems import Data, diabetes, lecture, synthetic
from lrbench.problems.solve import solve

MEAN, SUM = (
    lookup({"_target_": "torch.nn.MSELoss", "reduction": reduction}) for reduction in ("mean", "sum")
)
EPS = np.finfo(float).eps


def problem(X, y, loss=SUM, intercept=False):
    return solve(Data(X, y, intercept, tuple(f"x_{j}" for j in range(np.shape(X)[1])), "y"), loss)


# ---- oracles


def row_reduce(M):
    """Return the non-zero rows of the reduced row echelon form of M and its pivot columns."""
    M, pivots = [list(row) for row in M], []
    for column in range(len(M[0])):
        k = len(pivots)
        found = next((i for i in range(k, len(M)) if M[i][column]), None)
        if found is not None:
            M[k], M[found] = M[found], M[k]
            M[k] = [value / M[k][column] for value in M[k]]
            M = [
                row if i == k else [a - row[column] * b for a, b in zip(row, M[k], strict=True)]
                for i, row in enumerate(M)
            ]
            pivots.append(column)
    return M[: len(pivots)], pivots


def exact_solution(A, y):
    """Return the minimum-norm minimiser of |y - A w| in rational numbers and the rank.

    A = B E, w = E'(E E')^-1 (B'B)^-1 B'y.
    """
    A, y = [[Fraction(float(v)) for v in row] for row in A], [[Fraction(float(v))] for v in y]
    E, pivots = row_reduce(A)
    B = [[row[j] for j in pivots] for row in A]
    u = divide(product(transpose(B), B), product(transpose(B), y))
    w = product(transpose(E), divide(product(E, transpose(E)), u))
    return [value for (value,) in w], len(pivots)


def transpose(M):
    return [list(column) for column in zip(*M, strict=True)]


def product(A, B):
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*B, strict=True)] for row in A
    ]


def divide(M, b):
    return [row[len(M) :] for row in row_reduce([[*m, *v] for m, v in zip(M, b, strict=True)])[0]]


def in_60_digits(data):
    """Return A, y and the minimiser of a full-rank problem as mpmath matrices."""
    A, y = mpmath.matrix(data.design().tolist()), mpmath.matrix(data.y.tolist())
    return A, y, mpmath.lu_solve(A.T * A, A.T * y)


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


# ---- the minimiser


@pytest.mark.parametrize(("loss", "c"), [(SUM, 1), (MEAN, 1 / 3)])
def test_the_lecture_by_hand(loss, c):
    solved = solve(lecture(), loss)  # A'A = [[14, 6], [6, 3]]: trace 17, determinant 6
    np.testing.assert_allclose(solved.w_star, [2, 0], atol=1e-15)
    assert solved.loss_star < 1e-30
    np.testing.assert_allclose(
        solved.eigenvalues, [c * (17 + np.sqrt(265)), c * (17 - np.sqrt(265))], rtol=1e-14
    )
    np.testing.assert_allclose(solved.R.T @ solved.R, 2 * c * np.array([[14, 6], [6, 3]]), rtol=1e-14)
    assert solved.rank == 2
    assert solved.scale == pytest.approx(8 * c, rel=1e-14)  # the constant model says 4: 2^2 + 0 + 2^2
    assert solved.kappa == solved.L / solved.mu
    assert solve(lecture(intercept=False), loss).scale == pytest.approx(
        56 * c, rel=1e-14
    )  # says 0: 4 + 16 + 36


def designs():
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(-9, 10, (3, 8)).astype(float)
    one, dummies = np.ones(8), np.eye(3)[[0, 1, 2, 0, 1, 1, 0, 2]]
    yield "full", rng.integers(-9, 10, (8, 4))
    yield "full, graded", rng.integers(-9, 10, (8, 5)) * 2.0 ** np.array([40, -40, 0, 20, -20])
    yield "square", rng.integers(-9, 10, (4, 4))
    yield "one column", a[:, None]
    yield "one row", rng.integers(1, 10, (1, 4))
    yield "wide", rng.integers(-9, 10, (3, 6))
    yield "wide, graded", rng.integers(-9, 10, (3, 6)) * 2.0 ** np.array([40, 20, 0, -20, -40, 0])
    yield "rank 3 of 5", rng.integers(-9, 10, (8, 3)) @ rng.integers(-3, 4, (3, 5))
    yield (
        "rank 3 of 5, graded",
        rng.integers(-9, 10, (8, 3)) @ rng.integers(-3, 4, (3, 5)) * 2.0 ** np.array([30, -30, 0, 10, -10]),
    )
    yield "duplicates of 1e12 and 1e-12", np.stack([a * 1e12, a * 1e12, b * 1e-12, b * 1e-12], axis=1)
    yield "duplicates in other units", np.stack([a * 2.0**40, a * 2.0**-40, b * 2.0**-40, b], axis=1)
    yield "sums", np.stack([a * 2.0**20, b, a + b, a - b, one * 2.0**-20], axis=1)
    yield "dummies and a constant", np.column_stack([dummies, 1e5 * a, 1e-3 * b, one])
    yield "constants and zeros", np.stack([a, 7 * one, 0 * one, one, c], axis=1)


DESIGNS = dict(designs())


@pytest.mark.parametrize("name", DESIGNS)
def test_rational_numbers_agree(name):
    A = DESIGNS[name].astype(float)
    y = np.random.default_rng(1).integers(-9, 10, len(A)).astype(float)
    solved, (w, rank) = problem(A, y), exact_solution(A, y)
    assert solved.rank == rank
    w = np.array(w, dtype=object)
    np.testing.assert_allclose(solved.w_star, w.astype(float), rtol=1e-13, atol=1e-27 * float(max(abs(w))))
    residual = [
        Fraction(v) - sum(Fraction(a) * b for a, b in zip(row, w, strict=True))
        for row, v in zip(A, y, strict=True)
    ]
    assert solved.loss_star == pytest.approx(float(sum(r * r for r in residual)), rel=1e-13, abs=1e-27)


@pytest.mark.parametrize("name", DESIGNS)
def test_eigenvalues_to_13_digits_each(name):
    A = DESIGNS[name].astype(float)
    solved = problem(A, np.ones(len(A)))
    with mpmath.workdps(120):
        M = mpmath.matrix(A.tolist())
        exact = sorted(mpmath.eigsy(2 * M.T * M, eigvals_only=True), reverse=True)
    np.testing.assert_allclose(
        solved.eigenvalues[: solved.rank], [float(v) for v in exact[: solved.rank]], rtol=1e-13
    )
    assert (solved.eigenvalues[solved.rank :] == 0).all()
    assert solved.mu == solved.eigenvalues[solved.rank - 1] > 0


@pytest.mark.parametrize("name", DESIGNS)
def test_R_is_a_root_of_the_hessian(name):
    A = DESIGNS[name].astype(float)
    solved, sizes = problem(A, np.ones(len(A)), MEAN), np.linalg.norm(A, axis=0)
    assert solved.R.shape == (solved.rank, A.shape[1])
    error = np.abs(solved.R.T @ solved.R - 2 / len(A) * A.T @ A)
    assert (error <= 20 * EPS * np.outer(sizes, sizes)).all()


@pytest.mark.parametrize("loss", [MEAN, SUM])
@pytest.mark.parametrize(
    "data",
    [diabetes(), diabetes(standardize=False), synthetic(), synthetic(intercept=True)],
    ids=["z", "raw", "synthetic", "1"],
)
def test_scipy_agrees(data, loss):
    solved, A, c = solve(data, loss), data.design(), loss.factor(data.n)
    np.testing.assert_allclose(solved.w_star, linalg.lstsq(A, data.y)[0], rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(solved.eigenvalues, linalg.eigvalsh(2 * c * A.T @ A)[::-1], rtol=1e-7)
    assert solved.loss_star == pytest.approx(c * linalg.lstsq(A, data.y)[1], rel=1e-12)


def test_more_columns_than_rows():
    X, y = np.random.default_rng(0).normal(size=(20, 50)), np.arange(20.0)
    solved = problem(X, y, MEAN, intercept=True)
    A = solved.data.design()
    np.testing.assert_allclose(solved.w_star, np.linalg.pinv(A) @ y, rtol=1e-10)
    assert (solved.rank, solved.data.p) == (20, 51)
    assert solved.loss_star < 1e-25


def test_columns_of_1e12_beside_1e_12():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) * [1e12, 1.0, 1e-12]
    solved = problem(X, X @ [1e-12, 1, 1e12] + rng.normal(size=30), MEAN, intercept=True)
    A, _, w = in_60_digits(solved.data)
    np.testing.assert_allclose(solved.w_star, [float(v) for v in w], rtol=1e-14)
    assert solved.rank == 4
    with mpmath.workdps(120):
        exact = sorted(mpmath.eigsy(2 * A.T * A / 30, eigvals_only=True), reverse=True)
    np.testing.assert_allclose(solved.eigenvalues, [float(v) for v in exact], rtol=1e-14)


# ---- gap and loss

KAPPAS = [1.0, 1e4, 1e8, 1e12]


@pytest.mark.parametrize("kappa", KAPPAS)
@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize("noise", [0, 1.0])
def test_the_gap_in_60_digits(kappa, rotated, noise):
    data = synthetic(n=30, d=6, kappa=kappa, rotated=rotated, noise=noise)
    solved, (A, _, exact) = solve(data, MEAN), in_60_digits(data)
    for distance in (0, 1e-12, 1e-6, 1.0, 1e6):
        w = solved.w_star + distance * np.random.default_rng(3).normal(size=6)
        truth = float(mpmath.norm(A * (mpmath.matrix(w.tolist()) - exact)) ** 2 / 30)
        gap, floor = float(solved.gap(w)), solved.gap_floor("float64")
        assert abs(gap - truth) <= 1e-13 * truth + 2 * np.sqrt(truth * floor / 100) + floor / 100


@pytest.mark.parametrize("kappa", KAPPAS)
def test_the_infimum_in_60_digits(kappa):
    data = synthetic(n=30, d=6, kappa=kappa, noise=1.0)
    A, y, w = in_60_digits(data)
    assert solve(data, MEAN).loss_star == pytest.approx(float(mpmath.norm(y - A * w) ** 2 / 30), rel=1e-14)


@pytest.mark.parametrize(
    "data", [lecture(), diabetes(), synthetic()], ids=["lecture", "diabetes", "synthetic"]
)
@pytest.mark.parametrize("loss", [MEAN, SUM])
def test_gap_and_infimum_make_the_loss(data, loss):
    solved = solve(data, loss)
    w = np.random.default_rng(0).normal(size=(7, data.p))
    np.testing.assert_allclose(solved.gap(w) + solved.loss_star, solved.loss_at(w), rtol=1e-13)
    by_hand = [loss.factor(data.n) * np.sum((data.y - data.design() @ one) ** 2) for one in w]
    np.testing.assert_allclose(solved.loss_at(w), by_hand, rtol=1e-13)


def test_bits_do_not_depend_on_the_other_rows():
    solved = solve(synthetic(n=301, d=157), MEAN)
    w = np.random.default_rng(0).normal(size=(40, 157))
    for measure in (solved.gap, solved.loss_at):
        assert (measure(w) == [measure(one) for one in w]).all()
        assert (measure(np.asfortranarray(w)[3:9]) == measure(w)[3:9]).all()


def test_float32_weights_are_measured_in_float64():
    solved = solve(synthetic(), MEAN)
    w = np.full(10, 0.1, dtype=np.float32)
    assert solved.gap(w) == solved.gap(w.astype(np.float64))
    assert solved.loss_at(w) == solved.loss_at(w.astype(np.float64))
    assert solved.loss_at(w).dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_not_finite_is_inf(bad):
    solved = solve(lecture(), SUM)
    for measure in (solved.gap, solved.loss_at):
        assert measure(np.array([bad, 1.0])) == np.inf
        assert measure(np.array([[bad, bad], [2.0, 0.0]])).tolist() == [np.inf, measure(np.array([2.0, 0.0]))]


def test_the_gap_is_never_negative():
    solved = solve(synthetic(kappa=1e12), MEAN)
    w = solved.w_star + 1e-16 * np.random.default_rng(0).normal(size=(1000, 10))
    assert (solved.gap(w) >= 0).all()
    assert solved.gap(solved.w_star) == 0


@pytest.mark.parametrize("n", [100, 20])
def test_the_floor_is_the_formula_in_the_better_units(n):
    data = synthetic(n=n, noise=1.0)
    solved, sizes = solve(data, MEAN), np.linalg.norm(data.X, axis=0)
    formulas = []
    for X, w in ((data.X, solved.w_star), (data.X / sizes, solved.w_star * sizes)):
        curvatures = 2 / n * np.linalg.svd(X, compute_uv=False) ** 2
        formulas.append(curvatures[0] * w @ w + curvatures[0] / curvatures[-1] * solved.loss_star)
    for dtype, eps in (("float64", 2.0**-52), ("float32", 2.0**-23)):
        assert solved.gap_floor(dtype) / (10 * eps**2 * min(formulas)) == pytest.approx(1, rel=1e-12)


def test_the_floor_does_not_see_the_units_of_columns():
    data = synthetic(noise=1.0)
    plain, scaled = (
        problem(data.X * units, data.y, MEAN)
        for units in (np.ones(10), 2.0 ** np.linspace(-40, 40, 10).round())
    )
    sizes = np.linalg.norm(data.X, axis=0)
    of_one_size = problem(data.X / sizes, data.y, MEAN)
    assert scaled.gap_floor("float64") / of_one_size.gap_floor("float64") == pytest.approx(1, rel=1e-9)
    assert scaled.gap_floor("float64") / plain.gap_floor("float64") < 2


# ---- where relative gaps are undefined, and what is refused


@pytest.mark.parametrize(
    ("X", "y", "intercept"),
    [
        ([[1.0], [2.0], [4.0]], [0.1, 0.1, 0.1], True),
        ([[1.0], [2.0]], [0.0, 0.0], False),
        ([[3.0, 4.0]], [5.0], True),
    ],
    ids=["constant target", "zero target", "one row"],
)
def test_no_scale(X, y, intercept):
    solved = problem(X, y, MEAN, intercept)
    assert solved.scale is None
    assert solved.loss_star < 1e-30


def test_constant_feature_with_an_intercept():
    solved = problem([[7.0], [7.0]], [1.0, 3.0], MEAN, intercept=True)
    assert solved.rank == 1
    np.testing.assert_allclose(solved.w_star, [0.28, 0.04], rtol=1e-14)  # 7 a + b = 2 at least norm
    np.testing.assert_allclose(solved.eigenvalues, [100, 0], rtol=1e-14)
    assert solved.scale is None


@pytest.mark.parametrize("size", [1e-40, 1e40])
def test_the_largest_sizes_that_are_allowed(size):
    solved = problem(
        [[size, 1 / size], [0.0, 1 / size], [size, 0.0]], [1 / size, 0.5 / size, 0.2 / size], SUM
    )
    assert all(
        map(np.isfinite, (solved.kappa, solved.gap_floor("float32"), solved.loss_star, *solved.w_star))
    )


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (
            [[1e50], [1.0]],
            [1.0, 2.0],
            (
                r"problem: the largest magnitude in column 'x_0' must be from 1e-40 to 1e\+40, or 0, "
                r"but is 1e\+50"
            ),
        ),
        (
            [[1.0], [1.0]],
            [1e-50, 0.0],
            r"problem: the largest magnitude in column 'y' .* but is 1e-50.*problem\.standardize=true",
        ),
        (
            [[0.0], [0.0]],
            [1.0, 2.0],
            r"problem: all features are 0 and there is no intercept.*problem\.intercept=true",
        ),
    ],
)
def test_refused(X, y, message):
    with pytest.raises(RequestError, match=message):
        problem(X, y)


def test_the_bits_do_not_depend_on_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    data, solutions = synthetic(n=400, d=200), []
    for threads in (1, 4):
        with threadpool_limits(threads):
            solutions.append(solve(data, MEAN))
    one, four = solutions
    assert (one.w_star == four.w_star).all()
    assert (one.eigenvalues == four.eigenvalues).all()
