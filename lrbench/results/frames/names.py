"""Names for people: of an optimizer, of a setting, of a task; each built only from what differs, so that
nothing is said twice.
"""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lrbench.results.notation import setting_value

BESIDE_PROBLEM = ["loss", "dtype", "steps", "batch_size", "batch_order", "init"]


# ---- optimizers and their settings


def optimizer_names(runs: pd.DataFrame) -> pd.Series:
    """Return a name a run: its group choice; for `custom` the class, or its dotted path where another has
    that name too.
    """
    target = runs["optimizer._target_"].astype(str)
    custom = runs["optimizer"] == "custom"
    if not custom.any():
        return runs["optimizer"]
    names = runs["optimizer"].where(~custom, target.str.rpartition(".")[2])
    identities = (runs["optimizer"] + "\n" + target).groupby(names).transform("nunique")
    return names.where(~custom | (identities == 1), target)


def setting_texts(settings: pd.DataFrame) -> pd.Series:
    """Return a text a setting: what varies among its optimizer's settings, or else its lr, or else nothing.

    `lr=0.1 momentum=0.9 schedule=cosine`. settings: a row a setting with `optimizer`, `schedule` and the
    optimizer.* and schedule.* columns.
    """
    own = sorted(_settings_of(settings, "optimizer."), key=lambda column: column != "optimizer.lr")
    groups = settings.groupby("optimizer", sort=False)
    texts = [_texts(group, _varying(group, own) or _lr(group)) for _, group in groups]
    return _joined(pd.concat(texts).reindex(settings.index), _schedule_texts(settings))


def _schedule_texts(settings: pd.DataFrame) -> pd.Series:
    """Return a text a setting, `schedule=step gamma=0.1`: the schedule if several ran, and what varies in
    those of one.
    """
    if "schedule" not in settings:
        return pd.Series("", index=settings.index)
    choice = _texts(settings, _varying(settings, ["schedule"]))
    groups = settings.groupby("schedule", sort=False)
    own = [_texts(group, _varying(group, _settings_of(group, "schedule."))) for _, group in groups]
    return _joined(choice, pd.concat(own).reindex(settings.index))


def _joined(*texts: pd.Series) -> pd.Series:
    return texts[0].str.cat(texts[1:], sep=" ").str.strip()


def changed_setting(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Write how two settings differ: "lr 0.1 → 0.03, momentum 0 → 0.9"."""
    keys = dict.fromkeys([*before, *after])
    changed = [key for key in keys if before.get(key) != after.get(key)]
    return ", ".join(_change(key, before.get(key), after.get(key)) for key in changed)


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
        details[group.index] += " " + _texts(group, _varying(group, _settings_of(group, "loss.")))
    labels = (tasks["problem"] + " " + details).str.split().str.join(" ")
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
    return [column for column in frame if column.startswith(group) and not column.endswith("._target_")]


def _lr(frame: pd.DataFrame) -> list[str]:
    has_lr = "optimizer.lr" in frame and frame["optimizer.lr"].notna().any()
    return ["optimizer.lr"] if has_lr else []


def _varying(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    return [column for column in columns if _distinct(frame[column]) > 1]


def _distinct(column: pd.Series) -> int:
    """Count the values of a column; to be missing is one of them."""
    return column.nunique() + column.isna().any()


def _texts(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    words = [column.rpartition(".")[2] for column in columns]
    rows = frame[columns].itertuples(index=False, name=None)
    texts = [_text(words, row) for row in rows]
    return pd.Series(texts, index=frame.index, dtype=object)


def _text(words: list[str], cells: tuple) -> str:
    return " ".join(f"{word}={setting_value(cell)}" for word, cell in zip(words, cells, strict=True))
