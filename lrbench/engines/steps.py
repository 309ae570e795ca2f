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
    by_name: dict[str, np.ndarray] = {}
    for name, default in {**family.defaults, **family.fixed}.items():
        column = group.column(f"optimizer.{name}", default)
        values = np.array(column.values, dtype=np.float64)[column.codes]  # (R,), or (R, 2) of a pair
        if name in PAIRS:
            by_name |= dict(zip(PAIRS[name], values.T, strict=True))
        else:
            by_name[name] = values
    return SimpleNamespace(**by_name)


@dataclass(frozen=True)
class StepTable:
    """What a rule gets of its step, in C columns: runs with the same numbers in every step share one.

    Attributes:
        run: the hyperparameters of R runs, (R,) each; lr is 1 where the table holds the learning rate itself
            rather than a factor of the run's.
        first_lr: (R,) learning rate of the first step.
        coefficients: (T, k, C) the k numbers of each of T steps.
        column: (R,) the column of each run.
    """

    run: Numbers
    first_lr: np.ndarray
    coefficients: np.ndarray
    column: np.ndarray


def step_table(group: Group, family: Family, rule: Rule) -> StepTable:
    """Tabulate the steps of a group. A run's numbers do not depend on those of the others."""
    steps, run = group.shared["steps"], numbers(group, family)
    schedules, schedule = distinct_schedules(group)
    scales = np.array([_scales(distinct, rule, group) for distinct in schedules])[schedule]
    own_lr = np.where(scales, 1.0, run.lr)  # (R,) what a run's column depends on
    keys = [getattr(run, name) for name in rule.column]
    first_rows, column = alike([*keys, schedule, own_lr])

    step = SimpleNamespace(**{name: values[first_rows][None] for name, values in vars(run).items()})
    step.factor = np.ones((1, 1))
    if schedules != [{}]:
        step.lr = own_lr[first_rows][None]
        for number, distinct in enumerate(schedules):
            _follow(distinct, np.flatnonzero(schedule[first_rows] == number), group, step)
        step.factor = step.lr
    elif not scales.all():
        step.factor = step.lr

    run.lr = np.where(scales, run.lr, 1.0)
    coefficients = _coefficients(rule, step, steps, len(first_rows))
    first_factor = np.broadcast_to(step.factor[0], len(first_rows))[column]
    return StepTable(run, run.lr * first_factor, coefficients, column)


def _scales(schedule: Leaves, rule: Rule, group: Group) -> bool:
    """Say whether the table holds factors of a run's learning rate: its own schedule and its rule tell."""
    if "lr" in rule.column:
        return False
    if not schedule:
        return True
    return trajectory(schedule, group.shared["optimizer._target_"], UNITS, group.shared["steps"]).scales


def _coefficients(rule: Rule, step: Numbers, steps: int, columns: int) -> np.ndarray:
    """Return the numbers of each step, (T, k, C)."""
    of_step = rule.step(np.arange(1, steps + 1)[:, None], step)
    coefficients = np.empty((steps, len(of_step), columns))
    for place, values in enumerate(of_step):
        coefficients[:, place] = values
    return coefficients


def distinct_schedules(group: Group) -> tuple[list[Leaves], np.ndarray]:
    """Return the distinct schedules of a group, {} for none, and (R,) which of them is a run's."""
    shared = under(group.shared, "schedule")
    swept = under(group.columns, "schedule")
    codes = [column.codes for column in swept.values()] or [np.zeros(len(group), np.int64)]
    first_rows, which = alike(codes)
    schedules = []
    for row in first_rows:
        own = {name: column.values[column.codes[row]] for name, column in swept.items()}
        schedules.append(shared | own)
    return schedules, which


def alike(keys: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each distinct combination of keys, and (R,) which combination is a row's.

    Each key is a column, (R,).
    """
    which = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        if (key == key[0]).all():
            continue
        distinct, place = np.unique(key, return_inverse=True)
        # Numbered anew at every key, so that the product cannot overflow.
        which = np.unique(which * len(distinct) + place, return_inverse=True)[1]
    first_rows = np.unique(which, return_index=True)[1]
    return first_rows, which


def _follow(schedule: Leaves, columns: np.ndarray, group: Group, step: Numbers) -> None:
    """Make the learning rates of these columns those of a schedule, and the momentum where it moves that.

    `step.lr` becomes (T, C) from (1, C), and so does the momentum.
    """
    steps, target = group.shared["steps"], group.shared["optimizer._target_"]
    distinct, place = np.unique(step.lr[0, columns], return_inverse=True)
    path = trajectory(schedule, target, distinct.tolist(), steps)
    _set_columns(step, "lr", columns, path.lr[:, place])
    if path.momentum is not None:
        name = "beta1" if hasattr(step, "beta1") else "momentum"
        _set_columns(step, name, columns, path.momentum[:, None])


def _set_columns(step: Numbers, name: str, columns: np.ndarray, values: np.ndarray) -> None:
    """Set numbers of T steps in some columns, (T, 1 or len(columns))."""
    before = getattr(step, name)
    moved = np.broadcast_to(before, (len(values), before.shape[1])).copy()
    moved[:, columns] = values
    setattr(step, name, moved)
