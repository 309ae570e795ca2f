"""How far the first update of torch's optimizers moves every coordinate, from the first gradient alone.

At the first step all buffers are 0, bias corrections cancel memories, and the methods show their units: Adam
and its kin move lr whatever the gradient's size, RMSprop lr / sqrt(1 - alpha), Adadelta about lr sqrt(eps /
(1 - rho)), Rprop lr; SGD, RAdam and ASGD move lr |g|.

Each class has the hyperparameters that act in the first step, in torch's spelling, with torch's defaults
(2.13), and the formula of its step, of the gradient g (p,) with decay. Exact for any gradient; where a
formula departs from the paper it follows torch. Two numbers are float32 in torch whatever the dtype of w:
NAdam's product of momenta and ASGD's learning rate (torch's default dtype taken as float32).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


def first_step(
    optimizer: str, g: np.ndarray, w: np.ndarray, hyperparameters: Mapping[str, Any]
) -> np.ndarray:
    """Return |w_1 - w_0| (p,) of an optimizer named as in FIRST_MOVES, from the gradient g (p,) at w (p,).

    Hyperparameters that are missing have torch's defaults; those that do not act in the first step are
    ignored.
    """
    move = FIRST_MOVES[optimizer]
    acting = {field.name for field in fields(move)}
    given = {name: value for name, value in hyperparameters.items() if name in acting}
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(move(**given).way(g, w))


@dataclass(frozen=True)
class FirstMove:
    """What all optimizers share: a step along the gradient, to which weight decay adds (Rprop has none)."""

    lr: float
    weight_decay: float = 0.0
    maximize: bool = False

    def way(self, g: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return w_0 - w_1 (p,)."""
        decay = self.weight_decay * w
        return self.step(self.uphill(g) + decay)

    def uphill(self, g: np.ndarray) -> np.ndarray:
        return -g if self.maximize else g

    def step(self, g: np.ndarray) -> np.ndarray:
        return self.lr * g


@dataclass(frozen=True)
class DecoupledMove(FirstMove):
    """Weight decay may also act beside the step (Loshchilov and Hutter 2019)."""

    decoupled_weight_decay: bool = False

    def way(self, g: np.ndarray, w: np.ndarray) -> np.ndarray:
        if not self.decoupled_weight_decay:
            return super().way(g, w)
        decay = self.lr * self.weight_decay * w
        return decay + self.step(self.uphill(g))


@dataclass(frozen=True)
class SGD(FirstMove):
    """lr g, with Nesterov lr (1 + momentum) g: the buffer is g, undampened (Sutskever et al. 2013)."""

    lr: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False

    def step(self, g: np.ndarray) -> np.ndarray:
        ahead = self.momentum if self.nesterov else 0.0
        return self.lr * (1 + ahead) * g


@dataclass(frozen=True)
class Adam(DecoupledMove):
    """lr g / (|g| + eps), whatever the betas and also with amsgrad (Kingma and Ba 2015)."""

    lr: float = 1e-3
    eps: float = 1e-8

    def step(self, g: np.ndarray) -> np.ndarray:
        return self.lr * g / (np.abs(g) + self.eps)


@dataclass(frozen=True)
class AdamW(Adam):
    weight_decay: float = 1e-2
    decoupled_weight_decay: bool = True


@dataclass(frozen=True)
class Adamax(FirstMove):
    """lr g / (|g| + eps), whatever the betas (Kingma and Ba 2015)."""

    lr: float = 2e-3
    eps: float = 1e-8

    def step(self, g: np.ndarray) -> np.ndarray:
        return self.lr * g / (np.abs(g) + self.eps)


@dataclass(frozen=True)
class NAdam(DecoupledMove):
    """lr (1 + mu_2 (1 - beta1) / (1 - mu_1 mu_2)) g / (|g| + eps) (Dozat 2016).

    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
    """

    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum_decay: float = 4e-3

    def step(self, g: np.ndarray) -> np.ndarray:
        beta1, _ = self.betas
        mu = self.momentum_at(1)
        mu_next = self.momentum_at(2)
        product = float(np.float32(mu))
        of_the_gradient = (1 - mu) / (1 - product)
        of_the_buffer = mu_next * (1 - beta1) / (1 - product * mu_next)
        length = of_the_gradient + of_the_buffer
        return self.lr * length * g / (np.abs(g) + self.eps)

    def momentum_at(self, t: int) -> float:
        beta1, _ = self.betas
        return beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))


@dataclass(frozen=True)
class RAdam(DecoupledMove):
    """lr g: one gradient is too few to trust its square (Liu et al. 2020)."""

    lr: float = 1e-3


@dataclass(frozen=True)
class RMSprop(FirstMove):
    """lr g / (sqrt(1 - alpha) |g| + eps), with any momentum (Tieleman and Hinton 2012).

    Centered sqrt(alpha (1 - alpha)) (Graves 2013).
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    centered: bool = False

    def step(self, g: np.ndarray) -> np.ndarray:
        share = 1 - self.alpha  # of g^2 in its average
        if self.centered:
            share = share * self.alpha
        root = np.sqrt(share) * np.abs(g)
        return self.lr * g / (root + self.eps)


@dataclass(frozen=True)
class Adagrad(FirstMove):
    """lr g / (sqrt(initial_accumulator_value + g^2) + eps), whatever lr_decay (Duchi et al. 2011)."""

    lr: float = 1e-2
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10

    def step(self, g: np.ndarray) -> np.ndarray:
        accumulator = self.initial_accumulator_value + g * g
        root = np.sqrt(accumulator)
        return self.lr * g / (root + self.eps)


@dataclass(frozen=True)
class Adadelta(FirstMove):
    """lr sqrt(eps) g / sqrt((1 - rho) g^2 + eps) (Zeiler 2012)."""

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    def step(self, g: np.ndarray) -> np.ndarray:
        average = (1 - self.rho) * g * g
        length = self.lr * np.sqrt(self.eps)
        return length * g / np.sqrt(average + self.eps)


@dataclass(frozen=True)
class Rprop(FirstMove):
    """lr sign(g), lr kept within step_sizes (Riedmiller and Braun 1993)."""

    lr: float = 1e-2
    step_sizes: tuple[float, float] = (1e-6, 50)

    def step(self, g: np.ndarray) -> np.ndarray:
        size = np.clip(self.lr, *self.step_sizes)
        return size * np.sign(g)


@dataclass(frozen=True)
class ASGD(FirstMove):
    """lr (g + lambd w): w is the iterate, not its average (Polyak and Juditsky 1992)."""

    lr: float = 1e-2
    lambd: float = 1e-4

    def way(self, g: np.ndarray, w: np.ndarray) -> np.ndarray:
        lr = float(np.float32(self.lr))
        decayed = self.uphill(g) + self.weight_decay * w
        return lr * (decayed + self.lambd * w)


FIRST_MOVES: dict[str, type[FirstMove]] = {
    "torch.optim.SGD": SGD,
    "torch.optim.Adam": Adam,
    "torch.optim.AdamW": AdamW,
    "torch.optim.NAdam": NAdam,
    "torch.optim.RAdam": RAdam,
    "torch.optim.Adamax": Adamax,
    "torch.optim.RMSprop": RMSprop,
    "torch.optim.Adagrad": Adagrad,
    "torch.optim.Adadelta": Adadelta,
    "torch.optim.Rprop": Rprop,
    "torch.optim.ASGD": ASGD,
}
