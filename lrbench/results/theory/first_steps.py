"""How far the first update of each of torch's optimizers moves every coordinate, from the first gradient alone.

At the first step all buffers are 0, bias corrections cancel memories, and the methods show their units: Adam and its kin move lr whatever the
gradient's size, RMSprop lr / sqrt(1 - alpha), Adadelta about lr sqrt(eps / (1 - rho)), Rprop lr; SGD, RAdam and ASGD move lr |g|.

Each function takes the gradient g (p,), the start w (p,) and hyperparameters in torch's spelling, whose defaults are torch's (2.13), and returns the
move w_1 - w_0 (p,). What does not act in the first step is taken and ignored. Exact for any gradient; where a formula departs from the paper it
follows torch. Two numbers are float32 in torch whatever the dtype of w: NAdam's product of momenta and ASGD's learning rate (torch's default dtype
taken as float32).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np


def first_step(
    optimizer: str, g: np.ndarray, w: np.ndarray, hyperparameters: Mapping[str, Any]
) -> np.ndarray:
    """Return |w_1 - w_0| (p,) of an optimizer named as in FIRST_MOVES; hyperparameters that are missing have torch's defaults."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(FIRST_MOVES[optimizer](g, w, **hyperparameters))


def sgd(g, w, lr=1e-3, momentum=0, weight_decay=0, nesterov=False, maximize=False, **_):
    """-lr g, with Nesterov -lr (1 + momentum) g: the buffer is g, undampened (Sutskever et al. 2013)."""
    return -lr * (1 + momentum * nesterov) * _gradient(g, w, weight_decay, maximize)


def adam(g, w, lr=1e-3, eps=1e-8, weight_decay=0, maximize=False, decoupled_weight_decay=False, **_):
    """-lr g / (|g| + eps), whatever the betas and also with amsgrad (Kingma and Ba 2015); decoupled decay (Loshchilov and Hutter 2019) adds to it."""
    g = _gradient(g, w, weight_decay * (not decoupled_weight_decay), maximize)
    return -lr * weight_decay * decoupled_weight_decay * w - lr * g / (np.abs(g) + eps)


def nadam(
    g,
    w,
    lr=2e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    maximize=False,
    **_,
):
    """-lr (1 + mu_2 (1 - beta1) / (1 - mu_1 mu_2)) g / (|g| + eps), mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) (Dozat 2016)."""
    g = _gradient(g, w, weight_decay * (not decoupled_weight_decay), maximize)
    beta1 = betas[0]
    mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (1, 2))
    product = float(np.float32(mu))
    length = (1 - mu) / (1 - product) + mu_next * (1 - beta1) / (1 - product * mu_next)
    return -lr * weight_decay * decoupled_weight_decay * w - lr * length * g / (np.abs(g) + eps)


def radam(g, w, lr=1e-3, weight_decay=0, decoupled_weight_decay=False, maximize=False, **_):
    """-lr g: one gradient is too few to trust its square (Liu et al. 2020)."""
    g = _gradient(g, w, weight_decay * (not decoupled_weight_decay), maximize)
    return -lr * weight_decay * decoupled_weight_decay * w - lr * g


def adamax(g, w, lr=2e-3, eps=1e-8, weight_decay=0, maximize=False, **_):
    """-lr g / (|g| + eps), whatever the betas (Kingma and Ba 2015)."""
    g = _gradient(g, w, weight_decay, maximize)
    return -lr * g / (np.abs(g) + eps)


def rmsprop(g, w, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, centered=False, maximize=False, **_):
    """-lr g / (sqrt(1 - alpha) |g| + eps), with any momentum (Tieleman and Hinton 2012); centered sqrt(alpha (1 - alpha)) (Graves 2013)."""
    g = _gradient(g, w, weight_decay, maximize)
    return -lr * g / (np.sqrt((1 - alpha) * (alpha if centered else 1)) * np.abs(g) + eps)


def adagrad(g, w, lr=1e-2, weight_decay=0, initial_accumulator_value=0, eps=1e-10, maximize=False, **_):
    """-lr g / (sqrt(initial_accumulator_value + g^2) + eps), whatever lr_decay (Duchi et al. 2011)."""
    g = _gradient(g, w, weight_decay, maximize)
    return -lr * g / (np.sqrt(initial_accumulator_value + g * g) + eps)


def adadelta(g, w, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False, **_):
    """-lr sqrt(eps) g / sqrt((1 - rho) g^2 + eps) (Zeiler 2012)."""
    g = _gradient(g, w, weight_decay, maximize)
    return -lr * np.sqrt(eps) * g / np.sqrt((1 - rho) * g * g + eps)


def rprop(g, w, lr=1e-2, step_sizes=(1e-6, 50), maximize=False, **_):
    """-lr sign(g), lr kept within step_sizes (Riedmiller and Braun 1993)."""
    return -np.clip(lr, *step_sizes) * np.sign(_gradient(g, w, 0, maximize))


def asgd(g, w, lr=1e-2, lambd=1e-4, weight_decay=0, maximize=False, **_):
    """-lr (g + lambd w): w is the iterate, not its average (Polyak and Juditsky 1992)."""
    lr = float(np.float32(lr))
    return -lr * (_gradient(g, w, weight_decay, maximize) + lambd * w)


def _gradient(g: np.ndarray, w: np.ndarray, weight_decay: float, maximize: bool) -> np.ndarray:
    return (-g if maximize else g) + weight_decay * w


FIRST_MOVES: dict[str, Callable[..., np.ndarray]] = {
    "torch.optim.SGD": sgd,
    "torch.optim.Adam": adam,
    "torch.optim.AdamW": partial(adam, weight_decay=1e-2, decoupled_weight_decay=True),
    "torch.optim.NAdam": nadam,
    "torch.optim.RAdam": radam,
    "torch.optim.Adamax": adamax,
    "torch.optim.RMSprop": rmsprop,
    "torch.optim.Adagrad": adagrad,
    "torch.optim.Adadelta": adadelta,
    "torch.optim.Rprop": rprop,
    "torch.optim.ASGD": asgd,
}
