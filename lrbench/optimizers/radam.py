"""RAdam: Adam that starts as gradient descent with momentum, until its second moment can be trusted."""

import numpy as np

from lrbench.optimizers.adam import MEANS, accepted, of_run
from lrbench.optimizers.elementwise import lerp
from lrbench.optimizers.hyperparameters import power, shares
from lrbench.optimizers.rule import Family, Rule

THRESHOLD = 5  # of rho, as in torch; 4 in the paper


def radam(g, w, state, run, step):
    """RAdam (Liu et al. 2020), with m' and v' as in Adam.

    w <- w - lr r m' / sqrt(v') while rho > 5, else w <- w - lr m'

    rho = rho_inf - 2 t beta2^t / (1 - beta2^t), rho_inf = 2 / (1 - beta2) - 1: how many squared gradients v'
    is worth. The rectification r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
    makes up for the spread of 1 / sqrt(v'), and grows to 1.

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate (default 0.001)
    beta1, beta2    memory of the means of g and g^2 (`betas`, default 0.9 and 0.999)
    eps             keeps the quotient bounded where gradients vanish (default 1e-8)
    decoupled_weight_decay
                    w <- (1 - lr weight_decay) w before the step, instead of weight decay in the gradient
                    (default false)

    Where torch departs from the paper: the threshold is 5, there 4; eps is added to sqrt(v) before the bias
    correction, sqrt(v') = (sqrt(v) + eps) / sqrt(1 - beta2^t), where the paper has none; and the weight
    decays.

    Pitfall: the first steps (5 of them with the default beta2, all with beta2 <= 2/3) follow the plain
    gradient: their size depends on its scale.
    """
    m, v = state
    lr, eps, coupled, decoupled, one, sign = run
    factor, share, back, beta2, keep, rectified, scale = step
    g = sign * g + coupled * w
    w = (one - lr * factor * decoupled) * w
    m = lerp(m, g, share, back)
    v = beta2 * v + keep * g * g
    along = m / (np.sqrt(v) + eps) if rectified > 0 else m
    return w - lr * scale * along, (m, v)


def _steps(t, s):
    # rho loses three digits to cancellation, so that the last one of beta2^t counts.
    beta2_t = power(s.beta2, t)
    correction = 1 - beta2_t  # of the bias of v
    rho_inf = 2 / (1 - s.beta2) - 1
    rho = rho_inf - 2 * t * beta2_t / correction
    rectified = rho > THRESHOLD
    with np.errstate(divide="ignore", invalid="ignore"):  # where rho is small, r is not used
        r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
    scale = s.factor / (1 - s.beta1**t) * np.where(rectified, correction**0.5 * r, 1.0)
    return (
        s.factor,  # of lr, in the decoupled weight decay
        *shares(s.beta1),  # share, back: of the new gradient in m
        s.beta2,  # what v keeps of itself ...
        1 - s.beta2,  # keep: ... and of the new square
        rectified,  # 1 where the step is over the root of v, 0 where along m alone
        scale,  # of lr, with the bias corrections and the rectification in it
    )


RADAM = Family(
    defaults={
        "lr": 0.001,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0,
        "decoupled_weight_decay": False,
        "maximize": False,
    },
    rule=Rule(
        radam,
        state=MEANS,
        run=of_run,
        step=_steps,
        column=("beta1", "beta2"),
    ),
    covers=accepted,
)
