"""Learning-rate schedules: torch's own schedulers, made from their configuration, and what they do."""

import json
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lrbench.config import Leaves

LENGTHS = ("T_max", "total_steps")  # where null means the run's steps
_TORCH = "torch.optim.lr_scheduler."
ONE_CYCLE = _TORCH + "OneCycleLR"
BY_STEP = {  # these look at nothing but the number of the step
    ONE_CYCLE,
    _TORCH + "StepLR",
    _TORCH + "MultiStepLR",
    _TORCH + "ExponentialLR",
    _TORCH + "CosineAnnealingLR",
    _TORCH + "CosineAnnealingWarmRestarts",
    _TORCH + "LinearLR",
    _TORCH + "ConstantLR",
    _TORCH + "PolynomialLR",
    _TORCH + "LambdaLR",
}


class Refused(Exception):
    """torch does not accept the schedule: for this optimizer, or for a run this long."""


def make(optimizer: Any, schedule: Leaves, steps: int) -> Any:
    """Make the torch scheduler of a configuration with `_target_` for a run of so many steps.

    None where there is no schedule.
    """
    if not schedule:
        return None
    arguments = {key: value for key, value in schedule.items() if key != "_target_"}
    for key in LENGTHS:
        if key in arguments and arguments[key] is None:
            arguments[key] = steps
    function = _function(schedule)
    if function is not None:
        arguments["lr_lambda"] = function
    scheduler = pkgutil.resolve_name(schedule["_target_"])
    return scheduler(optimizer, **arguments)


@dataclass(frozen=True)
class Trajectory:
    """What a schedule sets at each of T steps.

    lr (T, G) for G learning rates, and momentum (T,) where it moves that (beta1 of Adam's kind).
    """

    lr: np.ndarray
    momentum: np.ndarray | None

    @property
    def scales(self) -> bool:
        """Whether twice the rate is twice as large at every step: then lr (T, 2) of 1 and 2 says all."""
        return np.array_equal(2 * self.lr[:, 0], self.lr[:, 1])


def trajectory(schedule: Leaves, optimizer: str, lrs: Sequence[float], steps: int) -> Trajectory:
    """Let the schedule run once, with a parameter group for each learning rate.

    Raises:
        Refused: with torch's words.
    """
    return _trajectory(json.dumps(schedule), _function(schedule), optimizer, tuple(lrs), steps)


@lru_cache(maxsize=16)
def _trajectory(schedule: str, function: Any, target: str, lrs: tuple[float, ...], steps: int) -> Trajectory:
    """`function` is what `lr_lambda` names, a part of the key: a notebook may have changed it."""
    import torch

    settings = json.loads(schedule)
    try:
        groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs]
        optimizer = pkgutil.resolve_name(target)(groups)
        lr = np.empty((steps, len(lrs)))
        momentum = np.empty(steps)
        scheduler = make(optimizer, settings, steps)
        optimizer.step()  # without gradients it does nothing; a scheduler wants to see it
        for t in range(steps):
            lr[t] = [group["lr"] for group in optimizer.param_groups]
            momentum[t] = _momentum(optimizer.param_groups[0])
            if t + 1 < steps:
                scheduler.step()
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    cycles = cycles_momentum(settings["_target_"], settings.get("cycle_momentum", True))
    return Trajectory(lr, momentum if cycles else None)


def _function(schedule: Leaves) -> Any:
    path = schedule.get("lr_lambda")
    return pkgutil.resolve_name(path) if isinstance(path, str) else None


def _momentum(group: dict[str, Any]) -> float:
    return group["betas"][0] if "betas" in group else group.get("momentum", np.nan)


def accepted(schedule: Leaves, optimizer: str, steps: int) -> bool:
    """Say whether torch makes and follows this schedule for this optimizer."""
    try:
        trajectory(schedule, optimizer, (1.0, 2.0), steps)
    except Refused:
        return False
    return True


def cycles_momentum(target: str | None, cycle_momentum: bool) -> bool:
    """Say whether a schedule sets the momentum (beta1 of Adam's kind) of every step."""
    return target == ONE_CYCLE and cycle_momentum
