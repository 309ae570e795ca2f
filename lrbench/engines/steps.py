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

UNITS = (1.0, 2.0)  # learning rates that tell whether a schedule scales them or sets them


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
    """Tabulate the steps of a group. A run's numbers do not depend on the others: its own schedule says whether it has a factor or learning rates."""
    steps, target, run = group.shared["steps"], group.shared["optimizer._target_"], numbers(group, family)
    schedules, schedule = distinct_schedules(group)
    scales = np.array(
        [
            "lr" not in rule.column and (not one or trajectory(one, target, UNITS, steps).scales)
            for one in schedules
        ]
    )[schedule]
    rows, column = alike(
        [*(getattr(run, name) for name in rule.column), schedule, np.where(scales, 1.0, run.lr)]
    )
    step = SimpleNamespace(**{name: values[rows][None] for name, values in vars(run).items()})
    step.factor = np.ones((1, 1))
    if schedules != [{}]:
        base_lr = np.where(scales[rows], 1.0, step.lr[0])
        step.factor = step.lr = _follow(schedules, schedule[rows], target, base_lr, steps, step)
    elif not scales.all():
        step.factor = step.lr
    run = SimpleNamespace(**vars(run) | {"lr": np.where(scales, run.lr, 1.0)})
    of_step = rule.step(np.arange(1, steps + 1)[:, None], step)
    coefficients = np.empty((steps, len(of_step), len(rows)))
    for place, values in enumerate(of_step):
        coefficients[:, place] = values
    first_factor = np.broadcast_to(step.factor[0], len(rows))[column]
    return StepTable(run, run.lr * first_factor, coefficients, column)


def distinct_schedules(group: Group) -> tuple[list[Leaves], np.ndarray]:
    """Return the distinct schedules of a group, {} for none, and (R,) which of them is a run's."""
    shared = under(group.shared, "schedule")
    swept = under(group.columns, "schedule")
    rows, which = alike([column.codes for column in swept.values()] or [np.zeros(len(group), np.int64)])
    return [
        shared | {name: column.values[column.codes[row]] for name, column in swept.items()} for row in rows
    ], which


def alike(keys: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each distinct combination of K columns (R,), and (R,) which combination is a row's."""
    which = np.zeros(len(keys[0]), np.int64)
    for key in (key for key in keys if (key != key[0]).any()):
        distinct, place = np.unique(key, return_inverse=True)
        which = np.unique(which * len(distinct) + place, return_inverse=True)[1]
    return np.unique(which, return_index=True)[1], which


def _follow(
    schedules: Sequence[Leaves], schedule: np.ndarray, target: str, lrs: np.ndarray, steps: int, step: Numbers
) -> np.ndarray:
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
