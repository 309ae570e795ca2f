"""The first moves against torch's own optimizers, one step in float64."""

import numpy as np
import pytest
import torch

from lrbench.results.theory.first_steps import FIRST_MOVES, first_step

W = np.array([0.0, 0.5, -2.0, 3.0, 1e-3, 7.0])
G = np.array([3.0, -1e-6, 40.0, -0.7, 1e-12, 0.0])

DECAY = [{"weight_decay": 0.3}, {"weight_decay": 0.3, "maximize": True}]
DECOUPLED = [*DECAY, {"weight_decay": 0.3, "decoupled_weight_decay": True, "lr": 0.7}]
BETAS = {"lr": 0.4, "betas": (0.5, 0.6), "eps": 0.1}
CASES = {
    "SGD": [
        *DECAY,
        {"lr": 0.4},
        {"lr": 0.4, "momentum": 0.9, "dampening": 0.5},
        {"momentum": 0.9, "nesterov": True},
    ],
    "Adam": [*DECOUPLED, BETAS, BETAS | {"amsgrad": True}],
    "AdamW": [*DECAY, BETAS, BETAS | {"amsgrad": True, "weight_decay": 0}],
    "NAdam": [*DECOUPLED, BETAS, {"momentum_decay": 0}, {"momentum_decay": 30.0, "betas": (0.99, 0.9)}],
    "RAdam": [*DECOUPLED, BETAS, {"betas": (0.9, 0.1)}],
    "Adamax": [*DECAY, BETAS],
    "RMSprop": [
        *DECAY,
        {"alpha": 0.3, "eps": 0.1},
        {"alpha": 0.3, "eps": 0.1, "centered": True},
        {"momentum": 0.9},
        {"centered": True, "momentum": 0.5},
    ],
    "Adagrad": [*DECAY, {"lr_decay": 0.5}, {"initial_accumulator_value": 2.0, "eps": 0.1, "lr": 3.0}],
    "Adadelta": [*DECAY, {"lr": 0.3, "rho": 0.2, "eps": 0.1}],
    "Rprop": [
        {"maximize": True},
        {"lr": 0.7, "etas": (0.1, 9.0)},
        {"lr": 100.0},
        {"lr": 1e-3, "step_sizes": (0.2, 0.5)},
    ],
    "ASGD": [*DECAY, {"lr": 0.3, "lambd": 0.9, "alpha": 0.1, "t0": 0.0}],
}


CALLS = [(name, h) for name, cases in CASES.items() for h in [{}, *cases]]


def torch_step(name, h, start):
    """Return |w_1 - w_0| of torch, one step in float64."""
    w = torch.tensor(start, requires_grad=True)
    w.grad = torch.tensor(G)
    getattr(torch.optim, name)([w], **h).step()
    return np.abs(w.detach().numpy() - start)


@pytest.mark.parametrize(("name", "h"), CALLS, ids=str)
def test_the_first_step_is_torch_s(name, h):
    """To 1e-12, and to the rounding of w, below which w_1 - w_0 does not show."""
    expected = torch_step(name, h, W)
    rounding = 2 * np.spacing(np.abs(W) + expected)
    assert (
        np.abs(first_step(f"torch.optim.{name}", G, W, h) - expected) <= 1e-12 * expected + rounding
    ).all()


@pytest.mark.parametrize(("name", "h"), CALLS, ids=str)
def test_from_zero_the_first_step_is_torch_s_to_the_last_digits(name, h):
    start = np.zeros(len(G))
    np.testing.assert_allclose(
        first_step(f"torch.optim.{name}", G, start, h), torch_step(name, h, start), rtol=1e-12
    )


def test_every_move_is_tested():
    assert {name.removeprefix("torch.optim.") for name in FIRST_MOVES} == set(CASES)
