"""What an update rule is, beside its formula: where its numbers come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

Numbers = SimpleNamespace
"""Hyperparameters by torch's names, as float64 arrays (true = 1).

Shapes are (R,) of R runs, or (T or 1, C) of T steps and C columns of the step table.
A pair has a name for each half (`PAIRS`). Of a step there is also `factor`, the learning rate of the step as
a multiple of the run's `lr`.
"""

PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("etaminus", "etaplus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}


@dataclass(frozen=True, eq=False)
class Rule:
    """A formula for one element of the parameters, and the numbers that it is given.

    Attributes:
        update: (g, w, state, run, step) -> (w, state). g and w are numbers, the others tuples of numbers, in
            the order of the attributes below. Plain arithmetic of one dtype: no literal but 0 in a comparison
            (numba would go on in float64), nothing that hides a NaN.
        state: torch's name of each state tensor -> its start: a number, or the hyperparameter that it starts
            from.
        run: numbers of R runs -> what `update` gets of its run, (R,) each.
        step: (t (T, 1) = 1 .. T, numbers of T steps) -> what `update` gets of its step, each broadcasting to
            (T, C). Torch's own arithmetic: `b**t`.
        column: the hyperparameters that `step` reads beside `factor`: runs that agree in them share a column
            of the step table.
    """

    update: Callable[..., tuple]
    state: Mapping[str, float | str]
    run: Callable[[Numbers], tuple]
    step: Callable[[np.ndarray, Numbers], tuple]
    column: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Family:
    """A class of torch.optim, or of classes.py: its hyperparameters and the rule for each of its runs.

    Attributes:
        defaults: every hyperparameter that the rules cover, in torch's order and with torch's default.
        rule: the rule of a run.
        switch: the hyperparameter that, when it is neither false nor 0, ...
        switched: ... selects this rule instead.
        fixed: what a rule reads and this class does not let one choose.
        covers: which of R runs the rules cover; torch refuses the others, and has the words for it.
    """

    defaults: Mapping[str, Any]
    rule: Rule
    switch: str | None = None
    switched: Rule | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    covers: Callable[[Numbers], np.ndarray | bool] = lambda numbers: True


def direction(maximize: np.ndarray) -> np.ndarray:
    """Return the sign with which a gradient enters: 1 to go down, -1 to go up."""
    return 1 - 2 * maximize  # a number, as rules have no branches on settings
