"""The table of criteria against torch's own signatures, and those that torch lacks against closed forms."""

import inspect
import math
import pkgutil

import numpy as np
import pytest
import torch

from lrbench.losses import KINDS
from lrbench.losses.criteria import LogCoshLoss, QuantileLoss

R = [-1000.0, -30.0, -1.5, -1e-3, 0.0, 1e-3, 0.7, 2.0, 20.0, 1000.0]
OWN = [LogCoshLoss(), QuantileLoss(0.3)]


def value_and_slopes(criterion, r, dtype=torch.float64, target=0.0):
    """Return the loss of residuals r and its gradient by the predictions, by autograd."""
    prediction = (torch.tensor(r, dtype=dtype) + target).requires_grad_()
    value = criterion(prediction, torch.full_like(prediction, target))
    (slopes,) = torch.autograd.grad(value, prediction)
    return value, slopes


# ---- the table


@pytest.mark.parametrize("target", KINDS)
def test_a_criterion_takes_its_number_and_a_reduction_with_the_defaults_of_the_table(target):
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(pkgutil.resolve_name(target)).parameters.items()
    }
    assert defaults["reduction"] == "mean"
    if KINDS[target].parameter:
        assert defaults[KINDS[target].parameter] == KINDS[target].default


def test_a_criterion_without_a_number_of_its_own_has_none_that_changes_its_loss():
    """What else torch's signatures hold is deprecated, a weight, or Poisson's form, with its own test."""
    known = {"size_average", "reduce", "reduction", "weight", "pos_weight", "log_input", "full", "eps"}
    for target, kind in KINDS.items():
        assert set(inspect.signature(pkgutil.resolve_name(target)).parameters) - known == (
            {kind.parameter} if kind.parameter else set()
        )


# ---- log cosh


@pytest.mark.parametrize("r", R)
def test_log_cosh_and_its_slope_are_the_closed_forms(r):
    value, slopes = value_and_slopes(LogCoshLoss(), [r])
    expected = math.log(math.cosh(r)) if abs(r) < 100 else abs(r) - math.log(2)
    assert value.item() == pytest.approx(expected, rel=4e-16, abs=4e-16)
    assert slopes.item() == pytest.approx(math.tanh(r), rel=4e-16, abs=4e-16)


# ---- quantile


@pytest.mark.parametrize("quantile", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("r", R)
def test_quantile_loss_and_its_slope_are_the_closed_forms(quantile, r):
    value, slopes = value_and_slopes(QuantileLoss(quantile), [r])
    assert value.item() == pytest.approx((1 - quantile) * r if r > 0 else -quantile * r, rel=2.0**-52, abs=0)
    assert slopes.item() == pytest.approx(
        {1: 1 - quantile, 0: 1 - quantile, -1: -quantile}[int(np.sign(r))], rel=0, abs=2.0**-52
    )


@pytest.mark.parametrize("quantile", [0.1, 0.33, 0.5, 0.9])
def test_the_constant_of_least_quantile_loss_is_the_quantile(quantile):
    y = torch.tensor(np.random.default_rng(0).normal(size=99))
    losses = [QuantileLoss(quantile)(constant.expand(99), y) for constant in y]
    assert y[int(np.argmin(losses))] == np.quantile(y.numpy(), quantile, method="inverted_cdf")


# ---- both


@pytest.mark.parametrize("criterion", OWN, ids=lambda criterion: type(criterion).__name__)
def test_the_loss_is_of_the_residual(criterion):
    assert (
        value_and_slopes(criterion, [-2.0, 0.5, 8.0], target=4.0)[0]
        == value_and_slopes(criterion, [-2.0, 0.5, 8.0])[0]
    )


@pytest.mark.parametrize(
    "make",
    [LogCoshLoss, lambda reduction="mean": QuantileLoss(0.3, reduction)],
    ids=["LogCoshLoss", "QuantileLoss"],
)
def test_reductions(make):
    alone = [value_and_slopes(make(), [r]) for r in R]
    total, slopes = value_and_slopes(make("sum"), R)
    mean, shares = value_and_slopes(make("mean"), R)
    assert total.item() == pytest.approx(math.fsum(value.item() for value, _ in alone), rel=1e-15)
    assert torch.equal(slopes, torch.cat([slope for _, slope in alone]))
    assert mean.item() == pytest.approx(total.item() / len(R), rel=1e-15)
    assert shares.numpy() == pytest.approx(slopes.numpy() / len(R), rel=4e-16, abs=1e-17)
    assert value_and_slopes(make(), R)[0] == mean


@pytest.mark.parametrize("criterion", OWN, ids=lambda criterion: type(criterion).__name__)
def test_float32_stays_float32_and_holds_its_digits(criterion):
    value, slopes = value_and_slopes(criterion, R, torch.float32)
    in_float64, slopes_in_float64 = value_and_slopes(criterion, R)
    assert value.dtype == slopes.dtype == torch.float32
    assert value.item() == pytest.approx(in_float64.item(), rel=2.4e-7)
    assert slopes.numpy() == pytest.approx(slopes_in_float64.numpy(), rel=2.4e-7, abs=2.4e-7)
