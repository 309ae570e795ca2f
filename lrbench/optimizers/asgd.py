"""Averaged stochastic gradient descent."""

import numpy as np

from lrbench.optimizers.hyperparameters import nonnegative
from lrbench.optimizers.rule import Family, Rule, direction


def asgd(g, w, state, run, step):
    """Descent and, beside it, the average of its iterates (Polyak and Juditsky 1992).

    w <- (1 - lambd eta) w - eta g;  a <- a + mu (w - a)

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    eta             learning rate of the step: lr / (1 + lambd lr (t - 1))^alpha, so lr at first
    lr              learning rate (default 0.01)
    lambd           pulls w to 0, and lets eta fall (default 0.0001)
    alpha           how fast eta falls in the end (default 0.75)
    mu              1 / max(1, t - 1 - t0): a is w until step t0 + 2, then the mean of the w since
    t0              when the average starts (default 1e6)

    Where torch departs from the paper: lambd, which is weight decay once more, and on by default. The rate of
    a step comes from the lr of the step before: a new lr acts a step late. eta and mu are float32 numbers
    whatever the dtype of w (torch's default dtype taken as float32).

    Pitfall: w holds the last iterate; the average is only in the optimizer's state (`ax`). And with lambd > 0
    neither goes to the minimum.
    """
    (a,) = state
    weight_decay, sign = run
    decay, eta, mu = step
    g = sign * g + weight_decay * w
    w = decay * w - eta * g
    return w, (a + (w - a) * mu,)


def _steps(t, s):
    before = t - 1
    lr = s.lr
    if len(lr) > 1:  # a schedule moves it, which acts a step late
        lr = np.concatenate([lr[:1], lr[:-1]])
    eta = _rounded(lr / (1 + s.lambd * lr * before) ** s.alpha)
    mu = _rounded(1 / np.maximum(1, before - s.t0))
    return (
        1 - s.lambd * eta,  # decay: what w keeps of itself
        eta,  # learning rate of the step
        mu,  # share of the new w in the average
    )


def _rounded(x):
    """Round as torch does, which keeps eta and mu in tensors of its default dtype."""
    return x.astype(np.float32).astype(np.float64)


ASGD = Family(
    defaults={"lr": 0.01, "lambd": 0.0001, "alpha": 0.75, "t0": 1e6, "weight_decay": 0, "maximize": False},
    rule=Rule(
        asgd,
        state={"ax": 0.0},
        run=lambda s: (s.weight_decay, direction(s.maximize)),
        step=_steps,
        # eta is no multiple of lr, so runs of another lr need columns of their own
        column=("lr", "lambd", "alpha", "t0"),
    ),
    covers=lambda s: nonnegative(s, "lr", "weight_decay"),
)
