"""Stochastic gradient descent, plain and with momentum."""

import numpy as np

from lrbench.optimizers.hyperparameters import nonnegative
from lrbench.optimizers.rule import Family, Rule, direction


def gradient_descent(g, w, state, run, step):
    """w <- w - lr g: against the gradient (Cauchy 1847; with samples Robbins and Monro 1951).

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate (default 0.001)

    Pitfall: on a quadratic it converges only for lr < 2 / L, and the error along the flattest direction then
    shrinks by 1 - lr mu a step.
    """
    lr, weight_decay, sign = run
    (factor,) = step
    g = sign * g + weight_decay * w
    return w - lr * factor * g, state


def heavy_ball(g, w, state, run, step):
    """Descent with momentum (Polyak 1964), or with Nesterov's form of it (Sutskever et al. 2013).

    b <- momentum b + (1 - dampening) g;  w <- w - lr b;  with `nesterov`,  w <- w - lr (g + momentum b)

    g, lr           as in gradient descent
    b               momentum buffer
    momentum        share of the buffer that is kept (default 0, which is gradient descent; often 0.9)
    dampening       share of each gradient but the first that is left out (default 0)
    nesterov        step from the gradient and the buffer after it (default false)

    Where torch departs from the papers: lr stands outside the buffer, so a new lr acts on all past gradients
    at once; the first gradient enters the buffer whole, whatever the dampening; and with `nesterov` w is the
    look-ahead point, where the gradient is taken.

    Pitfall: momentum makes the effective learning rate lr / (1 - momentum): compare it with gradient descent
    at a smaller lr.
    """
    (b,) = state
    lr, weight_decay, sign = run
    factor, momentum, keep, of_g, of_b = step
    g = sign * g + weight_decay * w
    b = momentum * b + keep * g
    return w - lr * factor * (of_g * g + of_b * b), (b,)


def _heavy_ball_steps(t, s):
    return (
        s.factor,  # of lr
        s.momentum,  # what the buffer keeps of itself ...
        np.where(t == 1, 1.0, 1 - s.dampening),  # keep: ... and of the new gradient, of the first all
        s.nesterov,  # of_g: what is stepped along the gradient ...
        np.where(s.nesterov, s.momentum, 1.0),  # of_b: ... and along the buffer
    )


def _run(s):
    return s.lr, s.weight_decay, direction(s.maximize)


GRADIENT_DESCENT = Rule(gradient_descent, state={}, run=_run, step=lambda t, s: (s.factor,))
HEAVY_BALL = Rule(
    heavy_ball,
    state={"momentum_buffer": 0.0},
    run=_run,
    step=_heavy_ball_steps,
    column=("momentum", "dampening", "nesterov"),
)

SGD = Family(
    defaults={
        "lr": 0.001,
        "momentum": 0,
        "dampening": 0,
        "weight_decay": 0,
        "nesterov": False,
        "maximize": False,
    },
    rule=GRADIENT_DESCENT,
    switch="momentum",
    switched=HEAVY_BALL,
    # torch refuses nesterov without momentum, or with dampening
    covers=lambda s: (
        nonnegative(s, "lr", "momentum", "weight_decay")
        & ((s.nesterov == 0) | ((s.momentum > 0) & (s.dampening == 0)))
    ),
)
