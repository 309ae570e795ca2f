"""What a loss is: four formulas of one sample, and what finding its exact minimiser needs to know.

z is the prediction, y what was to be predicted, k the loss's own number (0 where it has none). The formulas
are functions of numbers, for compiled code; `Loss` applies them to arrays:

value(z, y, k)      the loss
slope(z, y, k)      its derivative by z; at a kink what torch's autograd gives
curvature(z, y, k)  its second derivative by z, at a kink of the slope that on the side of the target
excess(move, z, y, star, tangent, k)
                    how far the loss at z = star + move lies above its tangent at star, whose slope is
                    `tangent`: the Bregman divergence. Summed over the rows it is the gap, if star are the
                    predictions of a minimiser. It is made of terms that are not negative, so that small gaps
                    keep their digits, where a difference of losses would have eps of the loss as its error.
                    Where the infimum is not attained star is the infinite prediction at which the loss ends,
                    0 there; the excess is then the loss itself.

A module of formulas needs no numba: what it holds is compiled when it is first called for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClippedSlope:
    """A slope clip((z - y) / width, low, high): squares, lines where it is clipped, a kink if width is 0."""

    width: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def steepest(self) -> float:
        """Its largest curvature; inf at a kink."""
        return 1 / self.width if self.width else math.inf

    @property
    def shape(self) -> str:
        if self.width == 0:
            return "linear"
        return "quadratic" if math.isinf(self.low) and math.isinf(self.high) else "smooth"


@dataclass(frozen=True)
class Straight:
    """How a loss looks from far away that is nearly straight there: Newton's model holds nowhere.

    Attributes:
        like: a loss in pieces whose minimiser is near: Newton's method starts at it.
        residual: slopes (n,) -> the residuals z - y that have them, for the duality gap.
    """

    like: ClippedSlope
    residual: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SelfConcordant:
    """A loss l that bends everywhere, and by how much its curvature may change (Bach 2010).

    Attributes:
        bend: M with |l'''| <= M l'': bounds how far Newton's model is from the loss.
        steepest: its largest curvature; inf where there is none.
        vanishes: targets (n,) -> the direction, 1 or -1, in which the loss of a row falls to 0 at infinity,
            and 0 where it has none. None where no row has one: then the infimum is always attained.
        straight: None unless it is nearly straight far from its target.
    """

    bend: float
    steepest: float
    vanishes: Callable[[np.ndarray], np.ndarray] | None = None
    straight: Straight | None = None

    @property
    def shape(self) -> str:
        return "smooth"


@dataclass(frozen=True)
class Kind:
    """What a criterion computes.

    Attributes:
        value, slope, curvature, excess: its formulas.
        minimiser: of its own number, what the search for its minimiser needs.
        parameter: its own number as torch spells it; None where it has none.
        default: of that number.
        allowed: the range of that number in words ...
        accepts: ... and as a test.
        targets: what it can be asked to predict, a key of `TARGETS`.
    """

    value: Callable[..., float]
    slope: Callable[..., float]
    curvature: Callable[..., float]
    excess: Callable[..., float]
    minimiser: Callable[[float], ClippedSlope | SelfConcordant]
    parameter: str | None = None
    default: float = 0.0
    allowed: str = ""
    accepts: Callable[[float], bool] = lambda value: True
    targets: str = "real"

    @property
    def name(self) -> str:
        return self.value.__name__

    @property
    def shape(self) -> str:
        """ "quadratic", "smooth", or "linear" in pieces."""
        return self.minimiser(self.default).shape

    def steepest(self, k: float) -> float:
        """Return its largest curvature; inf where there is none."""
        return self.minimiser(k).steepest


@dataclass(frozen=True)
class Target:
    """What may be predicted: in words, and as a test of values (n,)."""

    allowed: str
    fits: Callable[[np.ndarray], np.ndarray]


TARGETS = {
    "real": Target("finite numbers", np.isfinite),
    "label": Target("the labels 0 and 1", lambda y: (y == 0) | (y == 1)),
    "count": Target("counts (0 or more)", lambda y: y >= 0),
}
