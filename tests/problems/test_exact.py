"""Exact answers for every loss.

Gaps in 60 digits, scales in closed form, spectra by numpy, certificates on every problem that comes along.
"""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import yaml

from lrbench.config import CONF
from lrbench.losses import KINDS, Loss, lookup
from lrbench.plan import plan
from lrbench.problems import Data, load
from lrbench.problems.data import scaled
from lrbench.problems.solve import solve
from lrbench.records import problem_rows
from lrbench.sweeper.request import read

SMOOTH = {kind.name: target for target, kind in KINDS.items() if kind.shape == "smooth"}
NAMES = {kind.name: Loss(target, k=kind.default) for target, kind in KINDS.items()}


def sample(
    target: str, n: int = 40, d: int = 3, kappa: float = 1.0, noise: float = 1.0, intercept: bool = True
) -> Data:
    rng = np.random.default_rng(1)
    X = (
        np.linalg.qr(rng.normal(size=(n, d)))[0]
        * np.geomspace(1, kappa**-0.5, d)
        @ np.linalg.qr(rng.normal(size=(d, d)))[0]
        * np.sqrt(n)
    )
    z = X @ rng.normal(size=d)
    y = {
        "real": z + noise * rng.normal(size=n),
        "label": rng.random(n) < 1 / (1 + np.exp(-z)),
        "count": rng.poisson(np.exp(z)),
    }[target]
    return Data(X, np.asarray(y, dtype=float), intercept, tuple(f"x_{j}" for j in range(d)), "y")


def of(name: str, **changes) -> Loss:
    return replace(NAMES[name], **changes)


# ---- gaps

FORMULAS = {
    "huber": lambda z, y: (z - y) ** 2 / 2 if abs(z - y) <= 1 else abs(z - y) - mpmath.mpf(1) / 2,
    "log_cosh": lambda z, y: mpmath.log(mpmath.cosh(z - y)),
    "logistic": lambda z, y: mpmath.log(1 + mpmath.e ** (-z if y else z)),
    "poisson": lambda z, y: mpmath.e**z - y * z,
}
SLOPES = {
    "huber": lambda z, y: max(min(z - y, mpmath.mpf(1)), mpmath.mpf(-1)),
    "log_cosh": lambda z, y: mpmath.tanh(z - y),
    "logistic": lambda z, y: 1 / (1 + mpmath.e**-z) - y,
    "poisson": lambda z, y: mpmath.e**z - y,
}
CURVATURES = {
    "huber": lambda z, y: mpmath.mpf(abs(z - y) <= 1),
    "log_cosh": lambda z, y: 1 / mpmath.cosh(z - y) ** 2,
    "logistic": lambda z, y: 1 / ((1 + mpmath.e**-z) * (1 + mpmath.e**z)),
    "poisson": lambda z, y: mpmath.e**z,
}


def in_60_digits(name, problem, l2):
    """Return F as a function, and its infimum: Newton's method from the minimiser that was found."""
    data = problem.data
    A, y = mpmath.matrix(data.design().tolist()), [mpmath.mpf(value) for value in data.y]
    weights = mpmath.diag([l2] * data.d + [0] * data.intercept)

    def F(w):
        z = A * w
        return (
            mpmath.fsum(FORMULAS[name](z[i], y[i]) for i in range(data.n)) / data.n
            + (w.T * weights * w)[0] / 2
        )

    w = mpmath.matrix(problem.w_star.tolist())
    for _ in range(4):
        z = A * w
        slopes = mpmath.matrix([SLOPES[name](z[i], y[i]) for i in range(data.n)])
        curvatures = mpmath.diag([CURVATURES[name](z[i], y[i]) for i in range(data.n)])
        w -= mpmath.lu_solve(A.T * curvatures * A / data.n + weights, A.T * slopes / data.n + weights * w)
    return F, F(w)


def rounding(name, problem):
    """How many units of rounding the infimum may be off.

    One of itself, and the slopes' times those of a prediction, a sum of p products.
    """
    z, y = problem.optimum.star, problem.data.y
    slopes = np.array([abs(float(SLOPES[name](mpmath.mpf(a), b))) for a, b in zip(z, y, strict=True)])
    return max(1, abs(problem.loss_star)) + problem.data.p * slopes.mean() * np.abs(z).max()


@pytest.mark.parametrize("kappa", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize(("name", "l2"), [(name, 0) for name in FORMULAS] + [("logistic", 0.25)])
def test_the_gap_in_60_digits(name, l2, kappa):
    loss = of(name, l2=float(l2))
    data = sample(loss.kind.targets, kappa=kappa)
    problem = solve(data, loss)
    floor = problem.gap_floor("float64")
    with mpmath.workdps(60):
        F, infimum = in_60_digits(name, problem, l2)
        assert abs(problem.loss_star - infimum) <= 2.2e-16 * rounding(name, problem)
        for distance in (0, 1e-12, 1e-6, 1.0, 10.0):
            w = problem.w_star + distance * np.random.default_rng(3).normal(size=data.p)
            truth = float(F(mpmath.matrix(w.tolist())) - infimum)
            assert (
                abs(float(problem.gap(w)) - truth)
                <= 1e-13 * truth + 2 * np.sqrt(truth * floor / 10) + floor / 10
            )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("noise", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("kappa", [1.0, 1e6, 1e12])
def test_the_floor_is_above_what_rounding_the_minimiser_costs(kappa, noise, dtype):
    """In 60 digits: the true gap of the computed minimiser, in the dtype that the weights of a run have."""
    data = sample("real", kappa=kappa, noise=noise)
    problem = solve(data, of("squared"))
    with mpmath.workdps(60):
        A, y = mpmath.matrix(data.design().tolist()), mpmath.matrix(data.y.tolist())
        exact = mpmath.lu_solve(A.T * A, A.T * y)
        w = mpmath.matrix(problem.w_star.astype(dtype).astype(float).tolist())
        truth = float(mpmath.norm(A * (w - exact)) ** 2 / data.n)
    assert truth <= problem.gap_floor(dtype)
    assert abs(float(problem.gap(problem.w_star.astype(dtype))) - truth) <= problem.gap_floor(dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_gap_and_infimum_make_the_loss(name, reduction, l2):
    loss = of(
        name,
        reduction=reduction,
        l2=l2 if NAMES[name].kind.shape != "linear" else 0.0,
        penalize_intercept=True,
    )
    problem = solve(sample(loss.kind.targets), loss)
    w = np.random.default_rng(0).normal(size=(5, problem.data.p))
    np.testing.assert_allclose(problem.gap(w) + problem.loss_star, problem.loss_at(w), rtol=1e-13)
    assert (problem.gap(w) == [problem.gap(one) for one in w]).all()
    assert (problem.gap(w) > 0).all()
    assert problem.gap(problem.w_star) <= problem.gap_floor("float64")


# ---- scale


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_is_the_gap_of_the_best_constant(name):
    loss = NAMES[name]
    problem = solve(sample(loss.kind.targets, noise=0.3), loss)
    y = problem.data.y
    grid = np.linspace(y.min() - 3, y.max() + 3, 200_001)
    of_constants = np.array([loss.values(np.full_like(grid, 1) * grid, value) for value in y]).mean(axis=0)
    assert problem.scale + problem.loss_star == pytest.approx(of_constants.min(), rel=1e-7)


def test_the_scale_of_labels_is_their_entropy():
    problem = solve(sample("label"), NAMES["logistic"])
    share = problem.data.y.mean()
    assert problem.scale + problem.loss_star == pytest.approx(
        -share * np.log(share) - (1 - share) * np.log(1 - share), rel=1e-14
    )


# ---- spectrum


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_numpy_finds_the_same_spectrum(name, reduction):
    loss = of(name, reduction=reduction, l2=0.0 if NAMES[name].kind.shape == "linear" else 0.2)
    problem = solve(sample(loss.kind.targets, kappa=100.0), loss)
    A, c = problem.data.design(), loss.factor(problem.data.n)
    P = np.diag(loss.penalties(problem.data.d, problem.data.p))

    def hessian(w):
        return c * (A.T * loss.curvatures(A @ w, problem.data.y)) @ A + P

    H = hessian(problem.w_star)
    np.testing.assert_allclose(problem.eigenvalues, np.linalg.eigvalsh(H)[::-1], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(problem.R.T @ problem.R, H, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        problem.eigenvectors @ H @ problem.eigenvectors.T,
        np.diag(problem.eigenvalues[: problem.rank]),
        atol=1e-13 * c * 40,
    )
    assert problem.trace == pytest.approx(np.trace(H), rel=1e-12)
    for seed in range(5):
        steepest = np.linalg.eigvalsh(hessian(np.random.default_rng(seed).normal(size=problem.data.p)))[-1]
        assert steepest <= problem.smoothness * (1 + 1e-12)
    if loss.is_quadratic:
        assert problem.smoothness == problem.L


@pytest.mark.parametrize("name", NAMES)
def test_gradient_noise_is_the_variance_of_the_samples_gradients(name):
    problem = solve(sample(NAMES[name].kind.targets), NAMES[name])
    gradients = problem.optimum.tangent[:, None] * problem.data.design()
    assert problem.gradient_noise == pytest.approx(np.trace(np.cov(gradients.T, ddof=0)), rel=1e-12)


# ---- where the infimum is not attained, test rows, and the store


def separable() -> Data:
    X = np.array([[-2.0], [-1.0], [1.0], [3.0]])
    return Data(X, (X[:, 0] > 0).astype(float), True, ("x",), "y")


def test_no_weights_attain_the_infimum():
    problem = solve(separable(), NAMES["logistic"])
    assert not problem.optimum.attained
    assert problem.loss_star == 0
    gaps = problem.gap(np.array([[size, 0.0] for size in (0, 1, 10, 100, 700)]))
    np.testing.assert_allclose(
        gaps, np.log1p(np.exp(-np.outer([0, 1, 10, 100, 700], [2, 1, 1, 3]))).mean(axis=1), rtol=1e-14
    )
    assert problem.scale == pytest.approx(np.log(2), rel=1e-14)
    assert problem.kappa is None


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_floor_where_no_weights_attain_the_infimum_is_a_rounding_of_the_way_to_it(dtype):
    """log 2 is the loss of the constant model, and of w = 0 where all rows are of one class."""
    one_class = replace(separable(), y=np.ones(4))
    for data in (separable(), one_class):
        problem = solve(data, NAMES["logistic"])
        assert problem.gap_floor(dtype) == pytest.approx(np.finfo(dtype).eps * np.log(2), rel=1e-12)
    assert solve(one_class, NAMES["logistic"]).scale is None


def test_a_penalty_gives_it_a_minimiser():
    problem = solve(separable(), of("logistic", l2=1e-3))
    assert problem.optimum.attained
    assert problem.mu > 0


def test_loss_on_test_rows():
    data = sample("real")
    problem = solve(replace(data, test=(data.X[:7] + 1, data.y[:7])), of("squared", l2=5.0))
    w = np.arange(4.0)
    assert problem.test_loss(w) == pytest.approx(
        np.mean((data.y[:7] - (data.X[:7] + 1) @ w[:3] - w[3]) ** 2), rel=1e-14
    )
    assert solve(data, of("squared")).test_loss(w) is None


def test_rows_of_the_store():
    todo = plan(read(["problem=iris", "problem.species=0,1", "optimizer=sgd"], multirun=True).blocks)
    separated, attained = sorted(problem_rows(todo).to_pylist(), key=lambda row: row["attained"])
    assert separated["w_star"] is separated["kappa"] is None
    assert (separated["minimisers"], attained["minimisers"]) == ("none", "unique")
    assert len(attained["w_star"]) == 5
    assert attained["bound"] < 1e-12 * attained["scale"]
    assert not attained["quadratic"]
    assert any("no weights attain the infimum" in warning for warning in todo.warnings)


def test_a_penalty_of_0_is_no_setting():
    without, with_0 = (
        plan(read(["optimizer=sgd", *lines]).blocks).groups[0]
        for lines in (["~loss.l2"], ["loss.l2=0", "loss.penalize_intercept=true"])
    )
    assert (without.runs == with_0.runs).all()
    (penalised,) = plan(read(["optimizer=sgd", "loss.l2=0.1"]).blocks).groups
    assert (penalised.runs != without.runs).all()
    assert penalised.problem_id != without.problem_id


@pytest.mark.parametrize(
    ("optimizer", "biased"), [("sgd", False), ("adamw", True), ("asgd", True), ("adam", False)]
)
def test_a_bias_is_warned_of(optimizer, biased):
    warnings = plan(read([f"optimizer={optimizer}"]).blocks).warnings
    assert any("draws the weights to 0" in warning for warning in warnings) == biased


PROBLEMS = sorted({path.stem for path in (CONF / "problem").glob("*.yaml")} - {"csv", "flights"})


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_certificate_of_every_problem(name):
    content = yaml.safe_load((CONF / "problem" / f"{name}.yaml").read_text(encoding="utf-8"))
    for target, kind in KINDS.items():
        loss = lookup({"_target_": target})
        data = scaled(load(content.get("problem", content)), target=loss.real_target)
        if (
            kind.targets == "label"
            and not np.isin(data.y, (0, 1)).all()
            or kind.targets == "count"
            and (data.y < 0).any()
        ):
            continue
        problem = solve(data, loss)
        assert problem.optimum.bound <= 1e-12 * (problem.scale or abs(problem.loss_star)), kind.name
