"""The losses whose infimum lrbench finds: the table that ties torch's criteria to formulas, and `Loss`.

`Loss` is the objective that a problem is made of. It is configured as the criterion that the reference engine
trains with (`_target_: torch.nn.HuberLoss`), with its settings in torch's spelling. `l2` adds a penalty to
it, which is part of the problem. Nothing here needs torch.

kind.py says what a loss is made of; pieces.py and exponentials.py hold the losses, each with its entry in the
table. Criteria that torch lacks stand in criteria.py.
"""

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from lrbench.errors import RequestError, did_you_mean
from lrbench.losses import exponentials, pieces
from lrbench.losses.kind import TARGETS, ClippedSlope, Kind, SelfConcordant

KINDS: dict[str, Kind] = {**pieces.KINDS, **exponentials.KINDS}
REDUCTIONS = ("mean", "sum")
PENALTY = {"l2": 0.0, "penalize_intercept": False}
LARGEST_L2 = 1e40  # as of a column's size: all that is computed from it then fits float64


@dataclass(frozen=True)
class Loss:
    """F(w) = c sum_i l(z_i, y_i) + l2 / 2 |w|^2 over the predictions z = A w of n samples.

    l is of a criterion, c of its reduction.

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
        """Return what a batch of `size` of n samples counts of the penalty.

        All of it for the mean, its share of the rows for the sum.
        """
        return 1.0 if self.reduction == "mean" else size / n

    @property
    def minimiser(self) -> ClippedSlope | SelfConcordant:
        """What the search for its minimiser needs."""
        return self.kind.minimiser(self.k)

    def formula(self, part: str) -> Callable[..., float]:
        """Return "value", "slope", "curvature" or "excess", for compiled code to call."""
        formula = getattr(self.kind, part)
        _let_compiled_code_call(formula.__module__)
        return formula

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
        """Return weights of the parameters' squares (p,), so that the penalty is half of penalties @ w^2."""
        weights = np.full(p, self.l2)
        if not self.penalize_intercept:
            weights[d:] = 0.0  # the intercept's, which stands last where there is one
        return weights

    def check_target(self, y: np.ndarray, name: str) -> None:
        """Refuse a target that the loss cannot take.

        Raises:
            RequestError: naming the column and the first row, counted from 1, whose value does not fit.
        """
        target = TARGETS[self.kind.targets]
        fits = target.fits(y)
        if fits.all():
            return
        row = int(np.argmin(fits))
        misfits = np.count_nonzero(~fits)
        raise RequestError(
            f"loss: {self.target} takes {target.allowed} as target, but column '{name}' holds {y[row]:g} "
            f"in row {row + 1} ({misfits} of {len(y)} rows do not fit). "
            "Choose another loss=... or another target."
        )


@cache
def _let_compiled_code_call(module: str) -> None:
    """Let formulas call each other when they are compiled.

    Here and not by decorators in their module, since numba takes 0.2 s to import.
    """
    from numba.extending import register_jitable

    for function in vars(sys.modules[module]).values():
        if isinstance(function, FunctionType) and function.__module__ == module:
            register_jitable(function)


@cache
def _elementwise(formula: Callable[..., float]) -> Callable[..., np.ndarray]:
    """Return a formula of numbers as a function of arrays of float64, compiled."""
    import numba

    # a signature compiles it now, so that it comes from numba's cache on disk the next time
    arguments = ", ".join(["float64"] * len(inspect.signature(formula).parameters))
    return numba.vectorize([f"float64({arguments})"], cache=True)(formula)


def lookup(settings: Mapping[str, Any]) -> Loss:
    """Return the loss of the settings `{"_target_": ..., "reduction": ..., ...}`.

    What is not given has torch's default.

    Raises:
        RequestError: a criterion, a reduction, a key or a value that is not in the table.
    """
    target = str(settings.get("_target_"))
    if target not in KINDS:
        raise RequestError(
            f"loss._target_: '{target}' is no loss whose exact minimiser is known. "
            f"{did_you_mean(target, tuple(KINDS))}"
        )
    reduction = settings.get("reduction", "mean")
    if reduction not in REDUCTIONS:
        raise RequestError(
            f"loss.reduction: '{reduction}' is no reduction of {target}. "
            f"{did_you_mean(str(reduction), REDUCTIONS)}"
        )
    _check_keys(settings, target)
    k = _own_number(settings, target)
    l2, penalize_intercept = _penalty(settings)
    return Loss(target, reduction, k, l2, penalize_intercept)


def _check_keys(settings: Mapping[str, Any], target: str) -> None:
    own = KINDS[target].parameter
    known = ("reduction", *([own] if own else []), *PENALTY)
    for key in settings:
        if key not in ("_target_", *known):
            raise RequestError(
                f"loss.{key}: {target} has no setting '{key}' here. {did_you_mean(key, known)}"
            )


def _own_number(settings: Mapping[str, Any], target: str) -> float:
    """Return the criterion's own number, 0 where it has none."""
    kind = KINDS[target]
    if kind.parameter is None:
        return 0.0
    k = settings.get(kind.parameter, kind.default)
    if not (_is_number(k) and kind.accepts(k)):
        raise RequestError(f"loss.{kind.parameter}: {kind.allowed} is allowed for {target}, but {k!r} came.")
    return float(k)


def _penalty(settings: Mapping[str, Any]) -> tuple[float, bool]:
    """Return l2, and whether it counts the intercept too."""
    given = {key: settings.get(key, default) for key, default in PENALTY.items()}
    l2, penalize_intercept = given["l2"], given["penalize_intercept"]
    if not (_is_number(l2) and (l2 == 0 or 1 / LARGEST_L2 <= l2 <= LARGEST_L2)):
        raise RequestError(
            f"loss.l2: 0 or a number from {1 / LARGEST_L2:g} to {LARGEST_L2:g} is allowed, but {l2!r} came."
        )
    if not isinstance(penalize_intercept, bool):
        raise RequestError(
            f"loss.penalize_intercept: true or false is allowed, but {penalize_intercept!r} came."
        )
    return float(l2), penalize_intercept


def _is_number(value: Any) -> bool:
    # true and false are integers to Python
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
