"""The losses that have an exact answer, and what the solver must know of each.

A loss is configured as the criterion that the reference engine trains with (`_target_: torch.nn.MSELoss`). This table says what that criterion
computes, so that nothing here needs torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrbench.errors import RequestError, did_you_mean

REDUCTIONS = {"torch.nn.MSELoss": ("mean", "sum")}


@dataclass(frozen=True)
class Loss:
    """A squared error: loss = c * sum(residual^2)."""

    target: str  # dotted path of the criterion
    reduction: str  # "mean" or "sum"

    def factor(self, n: int) -> float:
        """Return c for n residuals: 1/n for the mean, 1 for the sum."""
        return 1 / n if self.reduction == "mean" else 1.0


def lookup(settings: Mapping[str, Any]) -> Loss:
    """Return the loss of the settings `{"_target_": ..., "reduction": ...}`; without a reduction it is torch's default, the mean.

    Raises:
        RequestError: a criterion, a reduction or a key that is not in the table.
    """
    target, reduction = str(settings.get("_target_")), settings.get("reduction", "mean")
    if target not in REDUCTIONS:
        raise RequestError(f"loss._target_: '{target}' is no loss whose exact minimiser is known. {did_you_mean(target, tuple(REDUCTIONS))}")
    if reduction not in REDUCTIONS[target]:
        raise RequestError(f"loss.reduction: '{reduction}' is no reduction of {target}. {did_you_mean(str(reduction), REDUCTIONS[target])}")
    if unknown := [key for key in settings if key not in ("_target_", "reduction")]:
        raise RequestError(f"loss.{unknown[0]}: {target} has no setting '{unknown[0]}' here. {did_you_mean(unknown[0], ('reduction',))}")
    return Loss(target, reduction)
