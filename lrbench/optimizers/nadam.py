"""NAdam: Adam with Nesterov's momentum."""

import numpy as np

from lrbench.optimizers.adam import MEANS, accepted, of_run
from lrbench.optimizers.elementwise import lerp
from lrbench.optimizers.hyperparameters import nonnegative, shares
from lrbench.optimizers.rule import Family, Rule


def nadam(g, w, state, run, step):
    """NAdam (Dozat 2016), with m, v and v' as in Adam.

    w <- w - lr ((1 - mu_t) g / (1 - mu_1 .. mu_t) + mu_t+1 m / (1 - mu_1 .. mu_t+1)) / (sqrt(v') + eps)

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate (default 0.002)
    beta1, beta2    memory of the means of g and g^2 (`betas`, default 0.9 and 0.999)
    mu_t            momentum, from about beta1 / 2 up to beta1: beta1 (1 - 0.96^(t momentum_decay) / 2)
    momentum_decay  how soon: halfway after 17 / momentum_decay steps (default 0.004)
    eps             keeps the quotient bounded where gradients vanish (default 1e-8)
    decoupled_weight_decay
                    w <- (1 - lr weight_decay) w before the step, instead of weight decay in the gradient
                    (default false)

    Where torch departs from the paper: m keeps beta1 of itself, there mu_t; and weight decay. The product of
    the mu is a float32 number whatever the dtype of w (torch's default dtype taken as float32).

    Pitfall: with the default momentum_decay, mu_t is on its way for thousands of steps; with 0 it stays at
    beta1 / 2, half the momentum named.
    """
    m, v = state
    lr, eps, coupled, decoupled, one, sign = run
    factor, share, back, beta2, keep, root, of_g, of_m = step
    g = sign * g + coupled * w
    w = (one - lr * factor * decoupled) * w
    m = lerp(m, g, share, back)
    v = beta2 * v + keep * g * g
    denominator = np.sqrt(v / root) + eps
    return w - lr * of_g * g / denominator - lr * of_m * m / denominator, (m, v)


def _steps(t, s):
    mu = s.beta1 * (1 - 0.5 * 0.96 ** (t * s.momentum_decay))
    mu_next = s.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * s.momentum_decay))
    # torch keeps the product in a tensor of its default dtype, and rounds it there at every step
    product = np.cumprod(mu, axis=0, dtype=np.float32).astype(np.float64)
    return (
        s.factor,  # of lr, in the decoupled weight decay
        *shares(s.beta1),  # share, back: of the new gradient in m
        s.beta2,  # what v keeps of itself ...
        1 - s.beta2,  # keep: ... and of the new square
        1 - s.beta2**t,  # root: the bias correction of v, under the root
        s.factor * (1 - mu) / (1 - product),  # of_g: of lr, what is stepped along g
        s.factor * mu_next / (1 - product * mu_next),  # of_m: of lr, what is stepped along m
    )


NADAM = Family(
    defaults={
        "lr": 0.002,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0,
        "momentum_decay": 0.004,
        "decoupled_weight_decay": False,
        "maximize": False,
    },
    rule=Rule(
        nadam,
        state=MEANS,
        run=of_run,
        step=_steps,
        column=("beta1", "beta2", "momentum_decay"),
    ),
    covers=lambda s: accepted(s) & nonnegative(s, "momentum_decay"),
)
