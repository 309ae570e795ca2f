"""Adadelta: the gradient scaled to the size of past steps."""

import numpy as np

from lrbench.optimizers.hyperparameters import nonnegative
from lrbench.optimizers.rule import Family, Rule, direction


def adadelta(g, w, state, run, step):
    """Adadelta (Zeiler 2012).

    v <- rho v + (1 - rho) g^2;  d = g sqrt(u + eps) / sqrt(v + eps);  u <- rho u + (1 - rho) d^2;
    w <- w - lr d

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              factor of each step (default 1: the paper's)
    rho             memory of the mean squares of gradients and steps, about 1 / (1 - rho) steps (default 0.9)
    eps             sets the first steps off, and bounds the quotient (default 1e-6)

    Where torch departs from the paper: lr, and weight decay; rho is 0.95 in most of the paper.

    Pitfall: the first steps are about sqrt(eps) long, however far the minimum: with a small eps it is long
    before they have grown.
    """
    v, u = state
    lr, rho, keep, eps, weight_decay, sign = run
    (factor,) = step
    g = sign * g + weight_decay * w
    v = rho * v + keep * g * g
    d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
    u = rho * u + keep * d * d
    return w - lr * factor * d, (v, u)


def _run(s):
    return (
        s.lr,
        s.rho,  # what v and u keep of themselves ...
        1 - s.rho,  # keep: ... and of the new square
        s.eps,
        s.weight_decay,
        direction(s.maximize),  # sign
    )


ADADELTA = Family(
    defaults={"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0, "maximize": False},
    rule=Rule(
        adadelta,
        state={"square_avg": 0.0, "acc_delta": 0.0},
        run=_run,
        step=lambda t, s: (s.factor,),
    ),
    covers=lambda s: nonnegative(s, "lr", "rho", "eps", "weight_decay") & (s.rho <= 1),
)
