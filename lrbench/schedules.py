"""Learning-rate schedules: torch's own schedulers, made from their configuration, and what they do to a run."""

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
    *(f"{_TORCH}{name}LR" for name in ("Step", "MultiStep", "Exponential", "CosineAnnealing", "Linear", "Constant", "Polynomial", "Lambda")),
    _TORCH + "CosineAnnealingWarmRestarts",
}


class Refused(Exception):
    """torch does not accept the schedule: for this optimizer, or for a run this long."""


def make(optimizer: Any, schedule: Leaves, steps: int) -> Any:
    """Make the torch scheduler of a configuration with `_target_` for a run of so many steps; None where there is no schedule."""
    if not schedule:
        return None
    arguments = {key: steps if key in LENGTHS and value is None else value for key, value in schedule.items() if key != "_target_"}
    if isinstance(path := arguments.get("lr_lambda"), str):
        arguments["lr_lambda"] = pkgutil.resolve_name(path)
    return pkgutil.resolve_name(schedule["_target_"])(optimizer, **arguments)


@dataclass(frozen=True)
class Trajectory:
    """What a schedule sets at each of T steps: lr (T, G) for G learning rates, and momentum (T,) where it moves that (beta1 of Adam's kind)."""

    lr: np.ndarray
    momentum: np.ndarray | None


def trajectory(schedule: Leaves, optimizer: str, lrs: Sequence[float], steps: int) -> Trajectory:
    """Let the schedule run once, with a parameter group for each learning rate.

    Raises:
        Refused: with torch's words.
    """
    return _trajectory(
        tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in schedule.items()), optimizer, tuple(lrs), steps
    )


@lru_cache(maxsize=64)
def _trajectory(schedule: tuple[tuple[str, Any], ...], target: str, lrs: tuple[float, ...], steps: int) -> Trajectory:
    import torch

    optimizer = pkgutil.resolve_name(target)([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs])
    settings = {key: list(value) if isinstance(value, tuple) else value for key, value in schedule}
    before = [_momentum(group) for group in optimizer.param_groups]
    lr, momentum = np.empty((steps, len(lrs))), np.empty(steps)
    try:
        scheduler = make(optimizer, settings, steps)
        optimizer.step()  # without gradients it does nothing; a scheduler wants to see it
        for t in range(steps):
            lr[t] = [group["lr"] for group in optimizer.param_groups]
            momentum[t] = _momentum(optimizer.param_groups[0])
            if t + 1 < steps:
                scheduler.step()
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    moves = np.isfinite(before[0]) and (momentum != before[0]).any()
    return Trajectory(lr, momentum if moves else None)


def _momentum(group: dict[str, Any]) -> float:
    return group["betas"][0] if "betas" in group else group.get("momentum", np.nan)


def cycles_momentum(schedule: Leaves) -> bool:
    return schedule.get("_target_") == ONE_CYCLE and schedule.get("cycle_momentum", True)
