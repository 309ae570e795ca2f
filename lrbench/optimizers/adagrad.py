"""Adagrad: the gradient over the root of the sum of its squares."""

import numpy as np

from lrbench.optimizers.hyperparameters import nonnegative
from lrbench.optimizers.rule import Family, Rule, direction


def adagrad(g, w, state, run, step):
    """v <- v + g^2;  w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(v) + eps)  (Duchi et al. 2011).

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate: about how far each element moves in the first step (default 0.01)
    lr_decay        how fast lr falls beside (default 0: not at all)
    initial_accumulator_value
                    start of v; more than 0 shortens the first steps (default 0)
    eps             keeps the quotient bounded where gradients vanish (default 1e-10)

    Where torch departs from the paper: lr_decay, initial_accumulator_value and weight decay.

    Pitfall: v only grows: after large gradients at the start, steps stay short for good.
    """
    (v,) = state
    lr, eps, weight_decay, sign = run
    (scale,) = step
    g = sign * g + weight_decay * w
    v = v + g * g
    return w - lr * scale * g / (np.sqrt(v) + eps), (v,)


ADAGRAD = Family(
    defaults={
        "lr": 0.01,
        "lr_decay": 0,
        "weight_decay": 0,
        "initial_accumulator_value": 0,
        "eps": 1e-10,
        "maximize": False,
    },
    rule=Rule(
        adagrad,
        state={"sum": "initial_accumulator_value"},
        run=lambda s: (s.lr, s.eps, s.weight_decay, direction(s.maximize)),
        step=lambda t, s: (s.factor / (1 + (t - 1) * s.lr_decay),),  # scale: of lr
        column=("lr_decay",),
    ),
    covers=lambda s: nonnegative(s, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"),
)
