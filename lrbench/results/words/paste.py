"""The line to paste: a run's optimizer, and its schedule, as the Python that makes them."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml

from lrbench.config import CONF, SETTINGS, Rule

Settings = dict[str, Any]


def line(run: pd.Series) -> str:
    """Return the call that makes the optimizer of a stored run, `torch.optim.Adam(model.parameters(),
    lr=0.03)`; with a schedule two statements.

    Of the classes that lrbench offers the lr and what is not the class's default, of others all that is
    stored. A setting that is null is left to its class.
    """
    call = _call(run, "optimizer", "model.parameters()", class_defaults(run["optimizer._target_"]))
    if pd.isna(run.get("schedule._target_")):
        return call
    return f"optimizer = {call}; scheduler = {_call(run, 'schedule', 'optimizer', {})}"


@cache
def class_defaults(target: str) -> Settings:
    """Return a class's defaults but for its lr, as conf/optimizer/ has them; of an unknown class none."""
    path = CONF / "optimizer" / f"{target.rpartition('.')[2].lower()}.yaml"
    if not path.is_file():
        return {}
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    if written["_target_"] != target:
        return {}
    return {key: _value(cell) for key, cell in written.items() if key not in ("_target_", "lr")}


def _call(run: pd.Series, group: str, first: str, defaults: Settings) -> str:
    """Write the call of a class: its target, its first argument, what is not a default; the lr before all
    others.
    """
    stored = _stored(run, group)
    target = stored.pop("_target_")
    given = [
        key for key, value in stored.items() if value is not None and not _is_default(key, value, defaults)
    ]
    in_order = sorted(given, key=lambda key: key != "lr")
    arguments = [f"{key}={_written(key, stored[key], SETTINGS[group].get(key))}" for key in in_order]
    return f"{target}({', '.join([first, *arguments])})"


def _stored(run: pd.Series, group: str) -> Settings:
    """Return the settings of a group, under their names alone."""
    own = [str(path) for path in run.index if str(path).startswith(f"{group}.")]
    return {path.removeprefix(f"{group}."): _value(run[path]) for path in own}


def _is_default(key: str, value: Any, defaults: Settings) -> bool:
    return key in defaults and value == defaults[key]


def _value(cell: Any) -> Any:
    """Read a cell of the store or of YAML: lists as tuples, what is missing as None.

    1e-8 and mixtures of types stand there as JSON's text.
    """
    if isinstance(cell, list | tuple):
        return tuple(map(_value, cell))
    if isinstance(cell, str):
        try:
            return _value(json.loads(cell))
        except ValueError:
            return cell
    if pd.isna(cell):
        return None
    return cell.item() if isinstance(cell, np.generic) else cell


def _written(key: str, value: Any, rule: Rule | None) -> str:
    """Write a value as Python.

    The store keeps counts as double: they are whole again where their rule, or a name that has none, wants
    it.
    """
    if key == "lr_lambda":
        return value
    stays = (
        rule.accepts(list(value) if isinstance(value, tuple) else value) if rule else isinstance(value, tuple)
    )
    return repr(value if stays else _whole(value))


def _whole(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_whole, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
