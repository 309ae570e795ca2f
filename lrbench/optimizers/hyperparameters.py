"""What several families make of their hyperparameters, for many runs at once."""

import numpy as np

from lrbench.optimizers.rule import Numbers


def nonnegative(s: Numbers, *names: str) -> np.ndarray | bool:
    """Which runs have none of these below 0, as torch demands."""
    return np.logical_and.reduce([getattr(s, name) >= 0 for name in names])


def fractions(s: Numbers, *names: str) -> np.ndarray | bool:
    """Which runs have all of these in [0, 1), as torch demands."""
    return nonnegative(s, *names) & np.logical_and.reduce([getattr(s, name) < 1 for name in names])


def decays(s: Numbers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weight decay that is part of the gradient, the one that acts on w alone (either is 0), and the 1 that w keeps without the latter."""
    decoupled = np.where(s.decoupled_weight_decay, s.weight_decay, 0.0)
    return s.weight_decay - decoupled, decoupled, np.ones_like(decoupled)


def shares(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what `lerp` needs of a running mean that keeps beta: the share of the new number, and that less 1."""
    return 1 - beta, 1 - beta - 1


def power(base: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return base^exponent, broadcast, as Python's floats give it, and so torch: numpy's arrays differ in the last digit between processors."""
    pairs = np.broadcast(base, exponent)
    return np.array([float(b) ** int(e) for b, e in pairs]).reshape(pairs.shape)
