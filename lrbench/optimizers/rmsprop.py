"""RMSprop, plain and centered: the gradient over its running root mean square or standard deviation."""

import numpy as np

from lrbench.optimizers.elementwise import lerp
from lrbench.optimizers.hyperparameters import nonnegative, shares
from lrbench.optimizers.rule import Family, Rule, direction


def rmsprop(g, w, state, run, step):
    """RMSprop (Tieleman and Hinton 2012).

    v <- alpha v + (1 - alpha) g^2;  b <- momentum b + g / (sqrt(v) + eps);  w <- w - lr b

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate: about how far an element moves a step (default 0.01)
    alpha           memory of the mean square, about 1 / (1 - alpha) steps (default 0.99)
    eps             keeps the quotient bounded where gradients vanish (default 1e-8)
    momentum        share of the buffer b that is kept (default 0: none)

    Where torch departs from the lecture: eps, momentum and weight decay; alpha is 0.9 there.

    Pitfall: v starts at 0 and nothing makes up for it: the first step is 1 / sqrt(1 - alpha) times as long as
    steps are later, 10 lr by default.
    """
    v, b = state
    lr, alpha, keep, eps, weight_decay, sign = run
    factor, momentum = step
    g = sign * g + weight_decay * w
    v = alpha * v + keep * g * g
    b = momentum * b + g / (np.sqrt(v) + eps)
    return w - lr * factor * b, (v, b)


def centered(g, w, state, run, step):
    """As `rmsprop`, with the standard deviation (Graves 2013).

    a <- alpha a + (1 - alpha) g;  b <- momentum b + g / (sqrt(v - a^2) + eps)

    lr, alpha, eps, momentum, weight_decay, maximize
                    as in RMSprop
    centered        this rule instead of that one (default false)

    Where torch departs from the paper: eps is added to the root, there under it (and 0.0001); lr stands
    outside the buffer; and weight decay.

    Pitfall: while the gradient is steady, v - a^2 is a small difference of large numbers: steps get as long
    as eps allows, and where rounding leaves the difference below 0 its root is NaN, in torch as here.
    """
    v, a, b = state
    lr, alpha, keep, back, eps, weight_decay, sign = run
    factor, momentum = step
    g = sign * g + weight_decay * w
    v = alpha * v + keep * g * g
    a = lerp(a, g, keep, back)
    b = momentum * b + g / (np.sqrt(v - a * a) + eps)
    return w - lr * factor * b, (v, a, b)


def _run(s):
    return (
        s.lr,
        s.alpha,  # what v keeps of itself ...
        1 - s.alpha,  # keep: ... and of the new square
        s.eps,
        s.weight_decay,
        direction(s.maximize),  # sign
    )


def _run_centered(s):
    return (
        s.lr,
        s.alpha,  # what v keeps of itself ...
        *shares(s.alpha),  # keep: ... and of the new square, as a does of the new gradient; back: of its lerp
        s.eps,
        s.weight_decay,
        direction(s.maximize),  # sign
    )


def _steps(t, s):
    return s.factor, s.momentum


RMSPROP = Family(
    defaults={
        "lr": 0.01,
        "alpha": 0.99,
        "eps": 1e-8,
        "weight_decay": 0,
        "momentum": 0,
        "centered": False,
        "maximize": False,
    },
    rule=Rule(
        rmsprop,
        state={"square_avg": 0.0, "momentum_buffer": 0.0},
        run=_run,
        step=_steps,
        column=("momentum",),
    ),
    switch="centered",
    switched=Rule(
        centered,
        state={"square_avg": 0.0, "grad_avg": 0.0, "momentum_buffer": 0.0},
        run=_run_centered,
        step=_steps,
        column=("momentum",),
    ),
    covers=lambda s: nonnegative(s, "lr", "alpha", "eps", "weight_decay", "momentum"),
)
