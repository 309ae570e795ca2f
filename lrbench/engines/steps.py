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
    run = numbers(group, family)
    schedules, schedule = distinct_schedules(group)
    of_schedules = np.array([_scales(distinct, rule, group) for distinct in schedules])
    scales = of_schedules[schedule]  # (R,)
    own_lr = np.where(scales, 1.0, run.lr)  # the learning rate, where the column of a run depends on it
    keys = [getattr(run, name) for name in rule.column]
    first_rows, column = alike([*keys, schedule, own_lr])

    step = _of_columns(run, first_rows)
    if schedules != [{}]:
        step.lr = own_lr[first_rows][None]
        for number, distinct in enumerate(schedules):
            columns = np.flatnonzero(schedule[first_rows] == number)
            _follow(distinct, columns, group, step)
        step.factor = step.lr
    elif not scales.all():
        step.factor = step.lr

    run.lr = np.where(scales, run.lr, 1.0)
    first_factor = np.broadcast_to(step.factor[0], len(first_rows))
    return StepTable(
        run=run,
        first_lr=run.lr * first_factor[column],
        coefficients=_coefficients(rule, step, group.shared["steps"], len(first_rows)),
        column=column,
    )


def _of_columns(run: Numbers, first_rows: np.ndarray) -> Numbers:
    """Return the numbers of C columns, (1, C), from those of R runs; the factor of the learning rate is 1."""
    step = SimpleNamespace(factor=np.ones((1, 1)))
    for name, values in vars(run).items():
        setattr(step, name, values[first_rows][None])
    return step


def _scales(schedule: Leaves, rule: Rule, group: Group) -> bool:
    """Say whether the table holds factors of a run's learning rate: its own schedule and its rule tell."""
    if "lr" in rule.column:
        return False
    if not schedule:
        return True
    target = group.shared["optimizer._target_"]
    return trajectory(schedule, target, UNITS, group.shared["steps"]).scales


def _coefficients(rule: Rule, step: Numbers, steps: int, columns: int) -> np.ndarray:
    """Return the numbers of each step, (T, k, C)."""
    t = np.arange(1, steps + 1)[:, None]
    of_step = rule.step(t, step)
    coefficients = np.empty((steps, len(of_step), columns))
    for place, values in enumerate(of_step):
        coefficients[:, place] = values
    return coefficients


def distinct_schedules(group: Group) -> tuple[list[Leaves], np.ndarray]:
    """Return the distinct schedules of a group, {} for none, and (R,) which of them is a run's."""
    shared = under(group.shared, "schedule")
    swept = under(group.columns, "schedule")
    one_for_all = np.zeros(len(group), np.int64)
    codes = [column.codes for column in swept.values()]
    first_rows, which = alike(codes or [one_for_all])
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
        combined = which * len(distinct) + place
        # Numbered anew at every key, so that the product cannot overflow.
        _, which = np.unique(combined, return_inverse=True)
    _, first_rows = np.unique(which, return_index=True)
    return first_rows, which


def _follow(schedule: Leaves, columns: np.ndarray, group: Group, step: Numbers) -> None:
    """Make the learning rates of these columns those of a schedule, and the momentum where it moves that.

    `step.lr` becomes (T, C) from (1, C), and so does the momentum.
    """
    target = group.shared["optimizer._target_"]
    lrs, place = np.unique(step.lr[0, columns], return_inverse=True)
    path = trajectory(schedule, target, lrs.tolist(), group.shared["steps"])
    _set_columns(step, "lr", columns, path.lr[:, place])
    if path.momentum is not None:
        name = "beta1" if hasattr(step, "beta1") else "momentum"
        _set_columns(step, name, columns, path.momentum[:, None])


def _set_columns(step: Numbers, name: str, columns: np.ndarray, values: np.ndarray) -> None:
    """Set numbers of T steps in some columns, (T, 1 or len(columns))."""
    before = getattr(step, name)
    shape = len(values), before.shape[1]
    moved = np.broadcast_to(before, shape).copy()
    moved[:, columns] = values
    setattr(step, name, moved)
