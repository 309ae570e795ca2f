"""Adam, AMSGrad and AdamW: steps from the running mean of the gradient over its running root mean square."""

import numpy as np

from lrbench.optimizers.elementwise import larger, lerp
from lrbench.optimizers.hyperparameters import decays, fractions, nonnegative, shares
from lrbench.optimizers.rule import Family, Numbers, Rule, direction


def adam(g, w, state, run, step):
    """Adam (Kingma and Ba 2015), and AdamW.

    m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;  w <- w - lr m' / (sqrt(v') + eps)

    m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) undo the start at 0: each is a weighted mean of the
    gradients so far, or of their squares.

    g               gradient; `weight_decay` (default 0; AdamW 0.01) adds weight_decay w to it, `maximize`
                    (default false) turns its sign first
    lr              learning rate: about how far an element moves a step while its gradient keeps its sign
                    (default 0.001)
    beta1, beta2    memory of the two means, about 1 / (1 - beta) steps (`betas`, default 0.9 and 0.999)
    eps             keeps the quotient bounded where gradients vanish (default 1e-8)
    decoupled_weight_decay
                    w <- (1 - lr weight_decay) w before the step, instead of weight decay in the gradient
                    (default false; AdamW true)

    Where torch departs from the papers: Adam's has no weight decay; in AdamW's (Loshchilov and Hutter 2019)
    only the schedule scales the decay, in torch lr does too, so that the paper's decay is lr weight_decay.
    Where a schedule moves beta1, the bias correction takes the one of the step.

    Pitfall: the step does not shrink with the gradient, so w ends up hovering about lr from the minimum: let
    lr fall. And weight decay in the gradient is divided by sqrt(v') as well: elements with large gradients
    hardly decay.
    """
    m, v = state
    lr, eps, coupled, decoupled, one, sign = run
    factor, share, back, beta2, keep, scale, root = step
    g = sign * g + coupled * w
    w = (one - lr * factor * decoupled) * w
    m = lerp(m, g, share, back)
    v = beta2 * v + keep * g * g
    return w - lr * scale * m / (np.sqrt(v) / root + eps), (m, v)


def amsgrad(g, w, state, run, step):
    """As `adam`, but over the largest v so far (`amsgrad`; Reddi et al. 2018).

    u <- max(u, v);  w <- w - lr m' / (sqrt(u') + eps)

    lr, betas, eps, weight_decay, decoupled_weight_decay, maximize
                    as in Adam

    Where torch departs from the paper: the bias corrections and eps, which the paper leaves out. The maximum
    is of v, u' = u / (1 - beta2^t) of it: so lr / sqrt(u') can still grow over the first 1 / (1 - beta2)
    steps.

    Pitfall: a single huge gradient slows its element down for good.
    """
    m, v, u = state
    lr, eps, coupled, decoupled, one, sign = run
    factor, share, back, beta2, keep, scale, root = step
    g = sign * g + coupled * w
    w = (one - lr * factor * decoupled) * w
    m = lerp(m, g, share, back)
    v = beta2 * v + keep * g * g
    u = larger(u, v)
    return w - lr * scale * m / (np.sqrt(u) / root + eps), (m, v, u)


def of_run(s):
    """Return what the rules of Adam, NAdam and RAdam get of their run."""
    return (
        s.lr,
        s.eps,
        *decays(s),  # coupled, decoupled, one
        direction(s.maximize),  # sign
    )


def _steps(t, s):
    return (
        s.factor,  # of lr, in the decoupled weight decay
        *shares(s.beta1),  # share, back: of the new gradient in m
        s.beta2,  # what v keeps of itself ...
        1 - s.beta2,  # keep: ... and of the new square
        s.factor / (1 - s.beta1**t),  # scale: of lr, with the bias correction of m in it
        (1 - s.beta2**t) ** 0.5,  # root: of the bias correction of v; eps is added after it, as torch does
    )


def accepted(s: Numbers) -> np.ndarray | bool:
    """Which runs torch accepts, of Adam and the families after it."""
    return nonnegative(s, "lr", "eps", "weight_decay") & fractions(s, "beta1", "beta2")


MEANS = {"exp_avg": 0.0, "exp_avg_sq": 0.0}  # m and v, by torch's names

# What Adam and AdamW share. AdamW is a family of its own: there torch lets nobody choose how weights decay.
_RULES = {
    "rule": Rule(adam, state=MEANS, run=of_run, step=_steps, column=("beta1", "beta2")),
    "switch": "amsgrad",
    "switched": Rule(
        amsgrad, state=MEANS | {"max_exp_avg_sq": 0.0}, run=of_run, step=_steps, column=("beta1", "beta2")
    ),
    "covers": accepted,
}
_DEFAULTS = {
    "lr": 0.001,
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0,
    "amsgrad": False,
    "maximize": False,
}

ADAM = Family(defaults=_DEFAULTS | {"decoupled_weight_decay": False}, **_RULES)
ADAMW = Family(defaults=_DEFAULTS | {"weight_decay": 0.01}, fixed={"decoupled_weight_decay": True}, **_RULES)
