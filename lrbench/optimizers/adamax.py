"""Adamax: Adam with the largest gradient of late in place of the root mean square."""

from lrbench.optimizers.adam import accepted
from lrbench.optimizers.elementwise import larger, lerp
from lrbench.optimizers.hyperparameters import shares
from lrbench.optimizers.rule import Family, Rule, direction


def adamax(g, w, state, run, step):
    """Adamax (Kingma and Ba 2015, section 7.1).

    m <- beta1 m + (1 - beta1) g;  u <- max(beta2 u, |g| + eps);  w <- w - lr m / (1 - beta1^t) / u

    g               gradient; `weight_decay` (default 0) adds weight_decay w to it, `maximize` (default false)
                    turns its sign first
    lr              learning rate: a bound, nearly, on how far an element moves a step (default 0.002)
    beta1, beta2    memory of the mean and of the maximum, about 1 / (1 - beta) steps (`betas`, default 0.9
                    and 0.999)
    eps             keeps u from 0 (default 1e-8)

    Where torch departs from the paper: eps, which the paper leaves out, and weight decay.

    Pitfall: one outlier among the gradients sets u, and so the pace of its element, for about 1 / (1 - beta2)
    steps.
    """
    m, u = state
    lr, eps, weight_decay, sign = run
    share, back, beta2, scale = step
    g = sign * g + weight_decay * w
    m = lerp(m, g, share, back)
    u = larger(beta2 * u, abs(g) + eps)
    return w - lr * scale * m / u, (m, u)


def _steps(t, s):
    return (
        *shares(s.beta1),  # share, back: of the new gradient in m
        s.beta2,  # what u keeps of itself
        s.factor / (1 - s.beta1**t),  # scale: of lr, with the bias correction of m in it; u needs none
    )


ADAMAX = Family(
    defaults={"lr": 0.002, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "maximize": False},
    rule=Rule(
        adamax,
        state={"exp_avg": 0.0, "exp_inf": 0.0},
        run=lambda s: (s.lr, s.eps, s.weight_decay, direction(s.maximize)),
        step=_steps,
        column=("beta1", "beta2"),
    ),
    covers=accepted,
)
