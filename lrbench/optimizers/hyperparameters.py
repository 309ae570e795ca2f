"""What several families make of their hyperparameters, for many runs at once."""

import numpy as np

from lrbench.optimizers.rule import Numbers


def nonnegative(s: Numbers, *names: str) -> np.ndarray | bool:
    """Which runs have none of these below 0, as torch demands."""
    are_nonnegative = [getattr(s, name) >= 0 for name in names]
    return np.logical_and.reduce(are_nonnegative)


def fractions(s: Numbers, *names: str) -> np.ndarray | bool:
    """Which runs have all of these in [0, 1), as torch demands."""
    are_below_1 = [getattr(s, name) < 1 for name in names]
    return nonnegative(s, *names) & np.logical_and.reduce(are_below_1)


def decays(s: Numbers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weight decay in the gradient, that on w alone, and the 1 that w keeps without the latter.

    Either of the first two is 0.
    """
    # numbers and no branch, so that both kinds of runs share one compiled rule
    decoupled = np.where(s.decoupled_weight_decay, s.weight_decay, 0.0)
    coupled = s.weight_decay - decoupled
    one = np.ones_like(decoupled)
    return coupled, decoupled, one


def shares(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what `lerp` needs of a mean that keeps beta: the share of the new number, and that less 1."""
    return 1 - beta, 1 - beta - 1  # as torch reckons it: -beta may differ in the last digit


def power(base: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return base^exponent, broadcast, as Python's floats give it, and so torch.

    numpy's arrays differ in the last digit between processors.
    """
    pairs = np.broadcast(base, exponent)
    powers = [float(b) ** int(e) for b, e in pairs]
    return np.array(powers).reshape(pairs.shape)
