"""Rprop: steps from the sign of the gradient, each element at a pace of its own."""

import numpy as np

from lrbench.optimizers.elementwise import by_sign, clamp
from lrbench.optimizers.rule import Family, Rule, direction


def rprop(g, w, state, run, step):
    """Rprop (Riedmiller and Braun 1993).

    d <- d etaplus where g keeps its sign, d etaminus where it turns (there g <- 0);  w <- w - d sign(g)

    g               gradient; `maximize` (default false) turns its sign first
    d               how far the element moves, kept in [step_size_min, step_size_max] (`step_sizes`, default
                    1e-6 and 50)
    lr              d at the start (default 0.01); it does not act later, nor does a schedule
    etaminus, etaplus
                    what d is multiplied by (`etas`, default 0.5 and 1.2)

    Where torch departs from the paper: the step before a turn is not taken back; a turned gradient counts as
    0, so that w rests for a step and d for the next (the variant iRprop- of Igel and Huesken 2000). A
    gradient of NaN counts as 0 too: w does not become NaN.

    Pitfall: it is for whole batches. Where noise turns the sign of g, d shrinks however far the minimum.
    """
    last, d = state
    etaminus, etaplus, low, high, sign, one, zero = run
    g = sign * g
    turn = g * last
    pace = by_sign(turn, etaplus, etaminus, one)
    d = clamp(d * pace, low, high)
    g = zero if turn < 0 else g
    return w - by_sign(g, one, -one, zero) * d, (g, d)


def _run(s):
    return (
        s.etaminus,
        s.etaplus,
        s.step_size_min,  # low
        s.step_size_max,  # high
        direction(s.maximize),  # sign
        # numbers of the runs' dtype: with literals numba would go on in float64
        np.ones_like(s.etaplus),  # one
        np.zeros_like(s.etaplus),  # zero
    )


RPROP = Family(
    defaults={"lr": 0.01, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50), "maximize": False},
    rule=Rule(rprop, state={"prev": 0.0, "step_size": "lr"}, run=_run, step=lambda t, s: ()),
    covers=lambda s: (s.lr >= 0) & (s.etaminus > 0) & (s.etaminus < 1) & (s.etaplus > 1),
)
