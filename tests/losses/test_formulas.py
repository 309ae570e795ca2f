"""The formulas against torch's criteria and mpmath, compiled for arrays and as plain Python has them.

mpmath works with 400 digits: an excess of 1e-160 is what is left of losses of 300. For the same reason the
exact tests draw multiples of STEP below 2^10, whose differences hold in float64: what they measure is the
error of a formula, not of its arguments.
"""

import inspect
import pkgutil

import numpy as np
import pytest
import torch
from mpmath import mp, mpf

from lrbench.losses import KINDS, Loss

EPS = 2.0**-52
STEP = 2.0**-42
PARTS = ("value", "slope", "curvature", "excess")
OWN_NUMBERS = {"delta": (1.0, 0.7, 2.0), "beta": (1.0, 0.7, 2.0), "quantile": (0.5, 0.3, 0.9), None: (0.0,)}
TARGETS = {"real": (0.0, 0.75, -30.0), "label": (0.0, 1.0), "count": (0.0, 1.0, 7.0)}
LOSSES = [
    Loss(target, "sum", k)
    for target, kind in KINDS.items()
    for k in OWN_NUMBERS.get(kind.parameter, (kind.default,))
]
DYADIC = [
    Loss(target, "sum", {None: 0.0, "quantile": 0.25}.get(kind.parameter, 0.5))
    for target, kind in KINDS.items()
]

EXACT = {  # by definition, of a residual r = z - y
    "squared": lambda z, y, k: (z - y) ** 2,
    "huber": lambda z, y, k: (z - y) ** 2 / 2 if abs(z - y) <= k else k * abs(z - y) - k**2 / 2,
    "smooth_l1": lambda z, y, k: (z - y) ** 2 / (2 * k) if abs(z - y) <= k else abs(z - y) - k / 2,
    "l1": lambda z, y, k: abs(z - y),
    "logistic": lambda z, y, k: mp.log1p(mp.exp(z)) - y * z,
    "poisson": lambda z, y, k: mp.exp(z) - y * z,
    "log_cosh": lambda z, y, k: mp.log(mp.cosh(z - y)),
    "quantile": lambda z, y, k: max(k * (y - z), (1 - k) * (z - y)),
}


def named(losses):
    return pytest.mark.parametrize("loss", losses, ids=lambda loss: f"{loss.kind.name}-{loss.k:g}")


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(400):
        yield


def grid(loss):
    """(z, y) with residuals 0, tiny, moderate, at a kink, one bit beside it, and 1000.

    For each target that the loss may have.
    """
    sizes = [0.0, 1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 1.0, 1.5, 3.0, 10.0, 30.0, 40.0, 300.0, 1000.0]
    sizes += [loss.k, np.nextafter(loss.k, 0), np.nextafter(loss.k, 9)]
    r, y = np.meshgrid(np.outer([-1, 1], sizes), TARGETS[loss.kind.targets])
    return (r + y if loss.real_target else r).ravel(), y.ravel()


def overflow(loss):
    """Let e^z of Poisson's loss overflow, and no other: elsewhere numpy's warning fails the test."""
    return np.errstate(over="ignore" if loss.kind.name == "poisson" else "warn")


def rounded(values):
    return np.round(np.asarray(values) / STEP) * STEP


def spread(rng, n, least, most):
    """(n,) numbers of either sign whose sizes are uniform on a logarithmic scale."""
    return rounded(rng.choice([-1, 1], n) * np.exp(rng.uniform(np.log(least), np.log(most), n)))


def exactly(loss, function, *columns):
    """Evaluate `function(value, *numbers)` with 400 digits, elementwise, where value(z, y) is the loss."""
    assert loss.kind.name in EXACT, f"EXACT needs {loss.kind.name} by definition, as a function of z, y and k"
    k = mpf(loss.k)
    return [
        function(lambda z, y: EXACT[loss.kind.name](z, y, k), *(mpf(float(x)) for x in row))
        for row in zip(*columns, strict=True)
    ]


def relative_errors(computed, exact, sizes=None):
    """Return |computed - exact| over |exact|, or over `sizes`; 0 where both are 0."""
    sizes = exact if sizes is None else sizes
    return np.array(
        [
            float(abs(mpf(float(a)) - b) / abs(s)) if a != b else 0.0
            for a, b, s in zip(computed, exact, sizes, strict=True)
        ]
    )


def terms(loss, z, y):
    """The sizes that rounding is measured by where a formula is a difference.

    Of Poisson's they are e^z and y z; None elsewhere.
    """
    return (
        exactly(loss, lambda value, z, y: mp.exp(z) + abs(y * z) + y, z, y)
        if loss.kind.name == "poisson"
        else None
    )


# ---- torch


def criterion(loss, reduction):
    settings = {loss.kind.parameter: loss.k} if loss.kind.parameter else {}
    return pkgutil.resolve_name(loss.target)(reduction=reduction, **settings)


def sizes_of_torch(loss, values, z):
    """What torch's rounding is measured by: its logistic loss adds z and a logarithm that cancels it."""
    return np.maximum(np.abs(values), np.maximum(1, np.abs(z)) if loss.kind.name == "logistic" else 1)


def assert_close(computed, expected, sizes):
    """Assert that numbers differ by at most 4 eps of `sizes`; inf is equal to inf, and nan to nothing."""
    with np.errstate(invalid="ignore"):
        assert ((computed == expected) | (np.abs(computed - expected) <= 4 * EPS * sizes)).all()


@named(LOSSES)
def test_value_and_slope_of_a_row_are_torchs(loss):
    z, y = grid(loss)
    rows, of_all = torch.tensor(z, requires_grad=True), criterion(loss, "sum")
    values = torch.stack([of_all(row, target) for row, target in zip(rows, torch.tensor(y), strict=True)])
    (slopes,) = torch.autograd.grad(values.sum(), rows)
    with overflow(loss):
        assert_close(
            loss.values(z, y), values.detach().numpy(), sizes_of_torch(loss, values.detach().numpy(), z)
        )
        assert_close(loss.slopes(z, y), slopes.numpy(), np.maximum(np.abs(slopes.numpy()), 1))


@named(LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_value_and_slope_of_all_rows_are_torchs(loss, reduction):
    z, y = grid(loss)
    z, y = z[z < 700], y[z < 700]
    rows, c = torch.tensor(z, requires_grad=True), Loss(loss.target, reduction, loss.k).factor(len(z))
    value = criterion(loss, reduction)(rows, torch.tensor(y))
    (slopes,) = torch.autograd.grad(value, rows)
    assert_close(
        c * loss.values(z, y).sum(), value.item(), c * sizes_of_torch(loss, loss.values(z, y), z).sum()
    )
    assert_close(c * loss.slopes(z, y), slopes.numpy(), c * np.maximum(np.abs(loss.slopes(z, y)), 1))


def test_torchs_poisson_loss_takes_log_means_and_leaves_out_the_factorial():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(torch.nn.PoissonNLLLoss).parameters.items()
    }
    assert defaults["log_input"] is True
    assert defaults["full"] is False


# ---- mpmath


@named(LOSSES)
def test_nothing_overflows_but_the_exponential_itself(loss):
    z, y = grid(loss)
    overflows = (z > 709.8) & (loss.kind.name == "poisson")
    with overflow(loss):
        numbers_of_rows = loss.values(z, y), loss.slopes(z, y), loss.curvatures(z, y)
    for numbers in numbers_of_rows:
        assert np.isfinite(numbers[~overflows]).all()
        assert (numbers[overflows] == np.inf).all()


@named(DYADIC)
def test_value_slope_and_curvature_are_exact_to_a_few_bits(loss):
    """The slope is mpmath's derivative of the value, the curvature its second.

    A random residual is at no kink.
    """
    rng = np.random.default_rng(1)
    z = spread(rng, 40, 1e-8, 300)
    y = rng.choice(TARGETS[loss.kind.targets], 40)
    bar, sizes = 4 * EPS, terms(loss, z, y)
    assert (
        relative_errors(loss.values(z, y), exactly(loss, lambda value, z, y: value(z, y), z, y), sizes).max()
        <= bar
    )
    assert relative_errors(loss.slopes(z, y), exactly(loss, slope, z, y), sizes).max() <= bar
    curvatures = exactly(
        loss, lambda value, z, y: mp.chop(mp.diff(lambda x: value(x, y), z, 2), mpf(10) ** -300), z, y
    )
    assert relative_errors(loss.curvatures(z, y), curvatures).max() <= bar


def slope(value, z, y):
    return mp.diff(lambda x: value(x, y), z)


def excess(value, move, y, star):
    return mp.chop(value(star + move, y) - value(star, y) - slope(value, star, y) * move, mpf(10) ** -350)


def drawn(loss, n):
    """(move, y, star), (n,) each.

    Of moves and minimisers' predictions half are from 1e-10 to 300, half where the formulas change their
    form.
    """
    rng = np.random.default_rng(2)
    targets = {
        "real": rounded(rng.normal(0, 3, n)),
        "label": rng.integers(0, 2, n).astype(float),
        "count": rng.poisson(3, n).astype(float),
    }
    move, star = (
        np.append(spread(rng, n - n // 2, 1e-10, 300), spread(rng, n // 2, least, most))
        for least, most in ((0.2, 60), (0.01, 60))
    )
    return move, targets[loss.kind.targets], star


@named(DYADIC)
def test_excess_is_exact_to_14_digits_and_not_negative(loss):
    move, y, star = drawn(loss, 150)
    computed = loss.excesses(move, star + move, y, star, loss.slopes(star, y))
    assert relative_errors(computed, exactly(loss, excess, move, y, star)).max() <= 1e-14
    assert (computed >= 0).all()


@named([loss for loss in LOSSES if loss.kind.parameter])
def test_excess_loses_no_more_than_the_tangent_does_in_rounding(loss):
    move, y, star = drawn(loss, 100)
    computed, exact = (
        loss.excesses(move, star + move, y, star, loss.slopes(star, y)),
        exactly(loss, excess, move, y, star),
    )
    sizes = [e + abs(mpf(float(m))) * max(loss.k, 1) for e, m in zip(exact, move, strict=True)]
    assert relative_errors(computed, exact, sizes).max() <= 4 * EPS


@named(LOSSES)
def test_excess_is_0_at_the_minimiser(loss):
    star, y = grid(loss)
    star, y = star[star < 700], y[star < 700]
    assert (loss.excesses(np.zeros_like(star), star, y, star, loss.slopes(star, y)) == 0).all()


@pytest.mark.parametrize(
    ("target", "end", "y"),
    [
        ("BCEWithLogitsLoss", -np.inf, 0.0),
        ("BCEWithLogitsLoss", np.inf, 1.0),
        ("PoissonNLLLoss", -np.inf, 0.0),
    ],
)
def test_excess_over_an_infimum_at_infinity_is_the_loss(target, end, y):
    loss, z = Loss(f"torch.nn.{target}", "sum"), np.array([-1000.0, -30.0, -1e-8, 0.0, 2.0, 700.0])
    assert (
        loss.excesses(z, z, np.full(6, y), np.full(6, end), np.zeros(6)) == loss.values(z, np.full(6, y))
    ).all()


@pytest.mark.parametrize(
    ("loss", "below", "above"),
    [
        (Loss("torch.nn.L1Loss"), -1.0, 1.0),
        (Loss("lrbench.losses.criteria.QuantileLoss", "sum", 0.25), -0.25, 0.75),
    ],
)
def test_excess_at_a_kink_takes_any_tangent_between_its_slopes(loss, below, above):
    """All numbers are dyadic, so that equality is exact.

    What lies above the tangent is (slope - tangent) move on either side.
    """
    tangent, move = (
        x.ravel()
        for x in np.meshgrid(np.linspace(below, above, 9), [-256.0, -(2.0**-30), 0.0, 2.0**-30, 256.0])
    )
    star = np.full(tangent.size, 0.75)
    computed = loss.excesses(move, star + move, star, star, tangent)
    assert (computed == np.where(move > 0, above - tangent, below - tangent) * move).all()
    assert (computed >= 0).all()


@named(LOSSES)
def test_steepest_is_the_largest_curvature(loss):
    z, y = grid(loss)
    with overflow(loss):
        largest, steepest = loss.curvatures(z, y).max(), loss.kind.steepest(loss.k)
    assert loss.kind.shape == "linear" and largest == 0 or largest == pytest.approx(steepest, rel=2 * EPS)


# ---- forms of evaluation


@named(LOSSES)
def test_rows_of_predictions_are_evaluated_as_each_alone(loss):
    rng = np.random.default_rng(3)
    star, move = rng.normal(size=7), rng.normal(size=(3, 7))
    y = rng.choice(TARGETS[loss.kind.targets], 7)
    tangent = loss.slopes(star, y)
    forms = (
        lambda move: loss.values(star + move, y),
        lambda move: loss.slopes(star + move, y),
        lambda move: loss.curvatures(star + move, y),
        lambda move: loss.excesses(move, star + move, y, star, tangent),
    )
    for evaluate in forms:
        assert evaluate(move).shape == (3, 7)
        assert (evaluate(move) == np.stack([evaluate(row) for row in move])).all()


@named(DYADIC)
@pytest.mark.parametrize("part", PARTS)
def test_compiled_code_and_python_agree_to_2_ulp(loss, part):
    move, y, star = drawn(loss, 150)
    if loss.kind.name != "poisson":
        move, y, star = (
            np.append(move, [1000.0, -1000.0]),
            np.append(y, [0.0, 1.0]),
            np.append(star, [0.0, 0.0]),
        )
    z, on_arrays = (
        star + move,
        {"value": loss.values, "slope": loss.slopes, "curvature": loss.curvatures, "excess": loss.excesses}[
            part
        ],
    )
    arguments = (move, z, y, star, loss.slopes(star, y)) if part == "excess" else (z, y)
    by_python = np.array(
        [loss.formula(part)(*map(float, row), loss.k) for row in zip(*arguments, strict=True)]
    )
    assert (np.abs(on_arrays(*arguments) - by_python) <= 2 * np.spacing(np.abs(by_python))).all()


@named(LOSSES)
@np.errstate(invalid="ignore")
def test_nan_stays_nan(loss):
    y, tangent = np.ones(1), loss.slopes(np.zeros(1), np.ones(1))
    nan = np.full(1, np.nan)
    assert np.isnan(
        [loss.values(nan, y), loss.slopes(nan, y), loss.excesses(nan, nan, y, np.zeros(1), tangent)]
    ).all()
