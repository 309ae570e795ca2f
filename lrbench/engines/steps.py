"""The numbers that an update rule is given: those of each run, and those of each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from lrbench.config import Leaves, under
from lrbench.optimizers import Family, Rule
from lrbench.optimizers.rule import PAIRS, Numbers
from lrbench.plan import Group
from lrbench.schedules import trajectory

ULPS = 4  # so far may lr_t / lr differ between learning rates and still be one factor


def numbers(group: Group, family: Family) -> Numbers:
    """Return the hyperparameters of R runs, (R,) each; torch's defaults where they are not given."""
    given: dict[str, np.ndarray] = {}
    for name, default in {**family.defaults, **family.fixed}.items():
        column = group.column(f"optimizer.{name}", default)
        values = np.array(column.values, dtype=np.float64)[column.codes]
        given |= dict(zip(PAIRS[name], values.T, strict=True)) if name in PAIRS else {name: values}
    return SimpleNamespace(**given)


@dataclass(frozen=True)
class StepTable:
    """What a rule gets of its step, in C columns: runs with the same numbers in every step share one.

    Attributes:
        run: the hyperparameters of R runs, (R,) each; lr is 1 where the table holds the learning rate itself rather than a factor of the run's.
        first_lr: (R,) learning rate of the first step.
        coefficients: (T, k, C) the k numbers of each of T steps.
        column: (R,) the column of each run.
    """

    run: Numbers
    first_lr: np.ndarray
    coefficients: np.ndarray
    column: np.ndarray


def step_table(group: Group, family: Family, rule: Rule) -> StepTable:
    """Tabulate the steps of a group.

    Raises:
        schedules.Refused: torch refuses the schedule for this optimizer.
    """
    steps, target, run = group.shared["steps"], group.shared["optimizer._target_"], numbers(group, family)
    schedules, schedule = _schedules(group)
    scales = "lr" not in rule.column and all(_scales(one, target, run.lr, steps) for one in schedules)
    rows, column = _alike([*(getattr(run, name) for name in rule.column), schedule, *[run.lr] * (not scales)])
    step = SimpleNamespace(**{name: values[rows][None] for name, values in vars(run).items()}, factor=np.ones((1, 1)))
    base_lr = step.lr
    if schedules != [{}]:
        step.lr = _follow(schedules, schedule[rows], target, base_lr[0], steps, step)
        step.factor = step.lr / base_lr if scales else step.lr
    first_lr = run.lr * step.factor[0, column % step.factor.shape[1]] if scales else step.lr[0, column]
    if not scales:
        run = SimpleNamespace(**vars(run) | {"lr": np.ones_like(run.lr)})
    of_step = rule.step(np.arange(1, steps + 1)[:, None], step)
    coefficients = np.empty((steps, len(of_step), len(rows)))
    for place, values in enumerate(of_step):
        coefficients[:, place] = values
    return StepTable(run, first_lr, coefficients, column)


def _schedules(group: Group) -> tuple[list[Leaves], np.ndarray]:
    """Return the distinct schedules of a group and (R,) which of them is a run's."""
    shared = under(group.shared, "schedule")
    swept = under(group.columns, "schedule")
    rows, which = _alike([column.codes for column in swept.values()] or [np.zeros(len(group), np.int64)])
    return [shared | {name: column.values[column.codes[row]] for name, column in swept.items()} for row in rows], which


def _alike(keys: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each distinct combination of K columns (R,), and (R,) which combination is a row's."""
    varying = [key for key in keys if (key != key[0]).any()]
    if not varying:
        return np.zeros(1, np.int64), np.zeros(len(keys[0]), np.int64)
    _, rows, which = np.unique(np.stack(varying, axis=1), axis=0, return_index=True, return_inverse=True)
    return rows, which.ravel()


def _scales(schedule: Leaves, target: str, lrs: np.ndarray, steps: int) -> bool:
    """Say whether lr_t / lr is the same for all learning rates. In torch's schedules lr_t is a_t lr + b_t, so two of them tell."""
    if not schedule:
        return True
    low, high = lrs.min(), lrs.max()
    if low == 0:
        return False
    lr = trajectory(schedule, target, (low, high), steps).lr
    return bool(np.abs(lr[:, 0] / low - lr[:, 1] / high).max() <= ULPS * np.finfo(np.float64).eps * np.abs(lr[:, 1] / high).max())


def _follow(schedules: Sequence[Leaves], schedule: np.ndarray, target: str, lrs: np.ndarray, steps: int, step: Numbers) -> np.ndarray:
    """Return the learning rates (T, C) of C columns, and set the momentum of `step` where a schedule moves it."""
    lr, name = np.empty((steps, len(lrs))), "beta1" if hasattr(step, "beta1") else "momentum"
    for number, one in enumerate(schedules):
        columns = np.flatnonzero(schedule == number)
        distinct, place = np.unique(lrs[columns], return_inverse=True)
        path = trajectory(one, target, distinct.tolist(), steps)
        lr[:, columns] = path.lr[:, place]
        if path.momentum is not None:
            moved = np.broadcast_to(getattr(step, name), lr.shape).copy()
            moved[:, columns] = path.momentum[:, None]
            setattr(step, name, moved)
    return lr
