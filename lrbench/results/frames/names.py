"""Names for people: of an optimizer, of a setting, of a task; each built only from what differs, so that
nothing is said twice.
"""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lrbench.results.notation import setting_value

# With a problem, what makes a task: TASK of tuning/competitors.py, on the other side of the store.
HOW_RUN = ["steps", "batch_size", "batch_order", "init"]
BESIDE_PROBLEM = ["loss", "dtype", *HOW_RUN]  # what may tell two tasks of one problem apart


# ---- optimizers and their settings

# what people call the optimizers that lrbench offers; a class of one's own goes by its name
DISPLAYED = {
    "sgd": "SGD",
    "sgd_momentum": "SGD + momentum",
    "sgd_nesterov": "SGD + Nesterov",
    "asgd": "ASGD",
    "adam": "Adam",
    "adam_amsgrad": "AMSGrad",
    "adamw": "AdamW",
    "adamax": "Adamax",
    "nadam": "NAdam",
    "radam": "RAdam",
    "rmsprop": "RMSprop",
    "rmsprop_centered": "RMSprop, centered",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adafactor": "Adafactor",
    "rprop": "Rprop",
    "lbfgs": "LBFGS",
    "muon": "Muon",
}


def displayed(optimizer: str) -> str:
    """Return what people call an optimizer: "SGD + momentum"."""
    return DISPLAYED.get(optimizer, optimizer)


def optimizer_names(runs: pd.DataFrame) -> pd.Series:
    """Return a name a run: its group choice; for `custom` the class, or its dotted path where another has
    that name too.
    """
    choice = runs["optimizer"]
    is_custom = choice == "custom"
    if not is_custom.any():
        return choice
    target = runs["optimizer._target_"].astype(str)
    class_name = target.str.rpartition(".")[2]
    names = choice.where(~is_custom, class_name)
    identities = (choice + "\n" + target).groupby(names).transform("nunique")
    return names.where(~is_custom | (identities == 1), target)


def setting_texts(settings: pd.DataFrame) -> pd.Series:
    """Return a text a setting: what varies among its optimizer's settings, or else its lr, or else nothing.

    `lr=0.1 momentum=0.9 schedule=cosine`. settings: a row a setting with `optimizer`, `schedule` and the
    optimizer.* and schedule.* columns.
    """
    own = _settings_of(settings, "optimizer.")
    own.sort(key="optimizer.lr".__ne__)  # the learning rate comes first
    texts = []
    for _, group in settings.groupby("optimizer", sort=False):
        columns = _varying(group, own) or _lr(group)
        texts.append(_texts(group, columns))
    in_order = pd.concat(texts).reindex(settings.index)
    return _joined(in_order, _schedule_texts(settings))


def _schedule_texts(settings: pd.DataFrame) -> pd.Series:
    """Return a text a setting, `schedule=step gamma=0.1`: the schedule if several ran, and what varies in
    those of one.
    """
    if "schedule" not in settings:
        return pd.Series("", index=settings.index)
    choice = _texts(settings, _varying(settings, ["schedule"]))
    own = []
    for _, group in settings.groupby("schedule", sort=False):
        columns = _settings_of(group, "schedule.")
        own.append(_texts(group, _varying(group, columns)))
    return _joined(choice, pd.concat(own).reindex(settings.index))


def _joined(first: pd.Series, second: pd.Series) -> pd.Series:
    return first.str.cat(second, sep=" ").str.strip()


def changed_setting(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Write how two settings differ: "lr 0.1 → 0.03, momentum 0 → 0.9"."""
    changes = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old != new:
            changes.append(_change(key, old, new))
    return ", ".join(changes)


def _change(key: str, before: Any, after: Any) -> str:
    return f"{key.removeprefix('optimizer.')} {setting_value(before)} → {setting_value(after)}"


# ---- tasks


def task_labels(tasks: pd.DataFrame) -> pd.Series:
    """Return a label a task, `synthetic kappa=100`: the problem and what tells its tasks apart.

    tasks: a row a task with problem_id, problem, loss, dtype, steps, batch_size, batch_order, init and the
    problem.* and loss.* columns.
    """
    details = pd.Series("", index=tasks.index)
    for _, group in tasks.groupby("problem", sort=False):
        columns = [*_settings_of(group, "problem."), *BESIDE_PROBLEM]
        details[group.index] = _texts(group, _varying(group, columns))
    for _, group in tasks.groupby(["problem", "loss"], sort=False):
        columns = _settings_of(group, "loss.")
        details[group.index] += " " + _texts(group, _varying(group, columns))
    # split and joined, so that nothing stands where nothing varies
    words = (tasks["problem"] + " " + details).str.split()
    labels = words.str.join(" ").astype(str)
    numbered = labels + " #" + tasks["problem_id"].str[:6]
    return labels.where(~labels.duplicated(keep=False), numbered)


def natural(label: str) -> list[tuple[float, str]]:
    """Return a sort key by which kappa=10 comes before kappa=100 and words come after numbers."""
    return [_piece(piece) for piece in re.split(r"[ =]", label)]


def _piece(piece: str) -> tuple[float, str]:
    try:
        return float(piece), ""
    except ValueError:
        return float("inf"), piece


# ---- columns as texts


def _settings_of(frame: pd.DataFrame, group: str) -> list[str]:
    """Return the columns of one group of the configuration, without the class that it names."""
    columns = [str(column) for column in frame]
    return [column for column in columns if column.startswith(group) and not column.endswith("._target_")]


def _lr(frame: pd.DataFrame) -> list[str]:
    has_lr = "optimizer.lr" in frame and frame["optimizer.lr"].notna().any()
    return ["optimizer.lr"] if has_lr else []


def _varying(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    return [column for column in columns if _distinct(frame[column]) > 1]


def _distinct(column: pd.Series) -> int:
    """Count the values of a column; to be missing is one of them."""
    has_missing = bool(column.isna().any())
    return column.nunique() + has_missing


def _texts(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Return a text a row of what these columns hold: "lr=0.1 momentum=0.9"."""
    words = [column.rpartition(".")[2] for column in columns]
    # with the index, as pandas 2 gives no rows of a frame without columns
    rows = frame[columns].itertuples(name=None)
    texts = [_text(words, cells) for _, *cells in rows]
    return pd.Series(texts, index=frame.index, dtype=object)


def _text(words: list[str], cells: list) -> str:
    parts = [f"{word}={setting_value(cell)}" for word, cell in zip(words, cells, strict=True)]
    return " ".join(parts)
