"""The losses whose infimum lrbench finds: the table that ties torch's criteria to formulas, and the objective that a problem is made of.

A loss is configured as the criterion that the reference engine trains with (`_target_: torch.nn.HuberLoss`), with its settings in torch's spelling.
`l2` adds a penalty to it, which is part of the problem. Nothing here needs torch.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from lrbench.errors import RequestError, did_you_mean


@dataclass(frozen=True)
class Kind:
    """What a criterion computes.

    Attributes:
        name: of its four formulas: `value`, `slope`, `curvature` and `excess` over a prediction.
        parameter: its own number as torch spells it, the range that it may have in words, and as a test; None where it has none.
        default: of that number.
        targets: what it can be asked to predict: "real", "label" (0 or 1), "count" (0 or more).
        shape: "quadratic", "smooth", or "linear" in pieces.
        steepest: its largest curvature, given its own number; inf where there is none.
    """

    name: str
    parameter: str | None = None
    allowed: str = ""
    accepts: Callable[[float], bool] = lambda value: True
    default: float = 0.0
    targets: str = "real"
    shape: str = "smooth"
    steepest: Callable[[float], float] = lambda k: math.inf


def _above_zero(value: float) -> bool:
    return value > 0


KINDS = {
    "torch.nn.MSELoss": Kind("squared", shape="quadratic", steepest=lambda k: 2.0),
    "torch.nn.HuberLoss": Kind(
        "huber", "delta", "a finite number > 0", _above_zero, 1.0, steepest=lambda k: 1.0
    ),
    "torch.nn.SmoothL1Loss": Kind(
        "smooth_l1", "beta", "a finite number > 0", _above_zero, 1.0, steepest=lambda k: 1 / k
    ),
    "torch.nn.L1Loss": Kind("l1", shape="linear"),
    "torch.nn.BCEWithLogitsLoss": Kind("logistic", targets="label", steepest=lambda k: 0.25),
    "torch.nn.PoissonNLLLoss": Kind("poisson", targets="count"),
    "lrbench.losses.criteria.LogCoshLoss": Kind("log_cosh", steepest=lambda k: 1.0),
    "lrbench.losses.criteria.QuantileLoss": Kind(
        "quantile", "quantile", "a number > 0 and < 1", lambda value: 0 < value < 1, 0.5, shape="linear"
    ),
}
REDUCTIONS = ("mean", "sum")
LARGEST_L2 = 1e40
PENALTY = {"l2": 0.0, "penalize_intercept": False}


@dataclass(frozen=True)
class Loss:
    """F(w) = c sum_i l(z_i, y_i) + l2 / 2 |w|^2 over the predictions z = A w of n samples, with l of a criterion and c of its reduction.

    Attributes:
        target: dotted path of the criterion.
        reduction: "mean" or "sum".
        k: the criterion's own number, such as Huber's delta; 0 where it has none.
        l2: weight of the penalty.
        penalize_intercept: whether it counts the intercept too.
    """

    target: str
    reduction: str = "mean"
    k: float = 0.0
    l2: float = 0.0
    penalize_intercept: bool = False

    @property
    def kind(self) -> Kind:
        return KINDS[self.target]

    @property
    def is_quadratic(self) -> bool:
        return self.kind.shape == "quadratic"

    @property
    def real_target(self) -> bool:
        """Whether the target may be shifted and scaled: labels and counts may not."""
        return self.kind.targets == "real"

    def factor(self, n: int) -> float:
        """Return c for n samples: 1/n for the mean, 1 for the sum."""
        return 1 / n if self.reduction == "mean" else 1.0

    def penalty_share(self, size: int, n: int) -> float:
        """Return what a batch of `size` of n samples counts of the penalty: all of it for the mean, its share of the rows for the sum."""
        return 1.0 if self.reduction == "mean" else size / n

    def formula(self, part: str) -> Callable[..., float]:
        """Return one of its formulas: "value", "slope", "curvature" or "excess"."""
        from lrbench.losses import formulas  # needs numba

        return getattr(formulas, self.kind.name if part == "value" else f"{self.kind.name}_{part}")

    def values(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the loss of each sample, elementwise; inf where it overflows."""
        return _elementwise(self.formula("value"))(z, y, self.k)

    def slopes(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the derivative by the prediction, elementwise."""
        return _elementwise(self.formula("slope"))(z, y, self.k)

    def curvatures(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the second derivative by the prediction, elementwise."""
        return _elementwise(self.formula("curvature"))(z, y, self.k)

    def excesses(
        self, move: np.ndarray, z: np.ndarray, y: np.ndarray, star: np.ndarray, tangent: np.ndarray
    ) -> np.ndarray:
        """Return how far the loss of each sample lies above its tangent at star = z - move, elementwise."""
        return _elementwise(self.formula("excess"))(move, z, y, star, tangent, self.k)

    def penalties(self, d: int, p: int) -> np.ndarray:
        """Return the weight of each parameter's square, (p,), so that the penalty is half of penalties @ w^2."""
        weights = np.full(p, self.l2)
        if not self.penalize_intercept:
            weights[d:] = 0.0
        return weights

    def check_target(self, y: np.ndarray, name: str) -> None:
        """Refuse a target that the loss cannot take.

        Raises:
            RequestError: naming the column and the first row, counted from 1, whose value does not fit.
        """
        fits, allowed = {
            "real": (np.isfinite(y), "finite numbers"),
            "label": ((y == 0) | (y == 1), "the labels 0 and 1"),
            "count": (y >= 0, "counts (0 or more)"),
        }[self.kind.targets]
        if not fits.all():
            row = int(np.argmin(fits))
            raise RequestError(
                f"loss: {self.target} takes {allowed} as target, but column '{name}' holds {y[row]:g} in row {row + 1} "
                f"({np.count_nonzero(~fits)} of {len(y)} rows do not fit). Choose another loss=... or another target."
            )


@cache
def _elementwise(formula: Callable[..., float]) -> Callable[..., np.ndarray]:
    """Return a formula of numbers as a function of arrays of float64, compiled."""
    import numba

    arguments = ", ".join(["float64"] * len(inspect.signature(formula).parameters))
    return numba.vectorize([f"float64({arguments})"], cache=True)(formula)


def lookup(settings: Mapping[str, Any]) -> Loss:
    """Return the loss of the settings `{"_target_": ..., "reduction": ..., ...}`; what is not given has torch's default.

    Raises:
        RequestError: a criterion, a reduction, a key or a value that is not in the table.
    """
    target, reduction = str(settings.get("_target_")), settings.get("reduction", "mean")
    if target not in KINDS:
        raise RequestError(
            f"loss._target_: '{target}' is no loss whose exact minimiser is known. {did_you_mean(target, tuple(KINDS))}"
        )
    if reduction not in REDUCTIONS:
        raise RequestError(
            f"loss.reduction: '{reduction}' is no reduction of {target}. {did_you_mean(str(reduction), REDUCTIONS)}"
        )
    kind = KINDS[target]
    own = [kind.parameter] if kind.parameter else []
    for key in settings:
        if key not in ("_target_", "reduction", *own, *PENALTY):
            raise RequestError(
                f"loss.{key}: {target} has no setting '{key}' here. {did_you_mean(key, ('reduction', *own, *PENALTY))}"
            )
    k = settings.get(kind.parameter, kind.default) if kind.parameter else 0.0
    if not (_is_number(k) and kind.accepts(k)):
        raise RequestError(f"loss.{kind.parameter}: {kind.allowed} is allowed for {target}, but {k!r} came.")
    l2, penalize_intercept = (
        settings.get("l2", PENALTY["l2"]),
        settings.get("penalize_intercept", PENALTY["penalize_intercept"]),
    )
    if not (_is_number(l2) and (l2 == 0 or 1 / LARGEST_L2 <= l2 <= LARGEST_L2)):
        raise RequestError(
            f"loss.l2: 0 or a number from {1 / LARGEST_L2:g} to {LARGEST_L2:g} is allowed, but {l2!r} came."
        )
    if not isinstance(penalize_intercept, bool):
        raise RequestError(
            f"loss.penalize_intercept: true or false is allowed, but {penalize_intercept!r} came."
        )
    return Loss(target, reduction, float(k), float(l2), penalize_intercept)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
