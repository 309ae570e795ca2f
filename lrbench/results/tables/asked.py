"""What two result sets were asked and made with, key by key, and how two tasks differ.

One row of `differences`: key "adam: lr", a "0.01", b "0.01 and 0.1".
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lrbench.config import GROUPS, REQUEST
from lrbench.results.frames.columns import typed
from lrbench.results.frames.names import HOW_RUN
from lrbench.results.notation import listed, setting_value
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import CHOICES, of_task

MOST_VALUES = 5  # of a key that are named
SAID = ("engine", "target", "record", "state")  # of the manifest, as they stand there
# to whose choice a key belongs
OWNERS = {"optimizer.": "optimizer", "schedule.": "optimizer", "problem.": "problem", "loss.": "loss"}
SEARCHED = ("optimizer.", "schedule.")
OF_TASK = [*CHOICES, *HOW_RUN]
ELSEWHERE = {*REQUEST, *OF_TASK, "epochs"}  # keys that are told as tasks, or change no number

Manifest = dict[str, Any]
Keys = dict[str, str]
Lists = dict[str, list[str]]
Change = tuple[str, str, str]  # key, in A, in B
Changed = list[Change]


# ---- of two sets


def differences(a: Sweep, b: Sweep, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a key that differs: key, a, b, empty where one has no such key. The first row names the
    folders.

    tasks: as `pairing.tasks_frame`. What is asked of a choice, such as an optimizer, is compared where both
    have it, and how it is tuned where both are. What a choice says already is not said again of a task.
    """
    lists_a, lists_b = _lists(a.manifest), _lists(b.manifest)
    rows = [_only(key, lists_a[key], lists_b[key]) for key in lists_a]
    in_a = _without(a.tasks["task"], tasks["task_a"])
    in_b = _without(b.tasks["task"], tasks["task_b"])
    rows.append(("tasks", in_a, in_b))
    rows += _of_tasks(tasks, said=set(rows))
    shared = _shared_choices(lists_a, lists_b)
    keys_a, keys_b = _keys(a.manifest, shared), _keys(b.manifest, shared)
    for key in dict.fromkeys([*keys_a, *keys_b]):
        if a.tuned == b.tuned or not key.startswith("tune."):
            rows.append((key, keys_a.get(key, ""), keys_b.get(key, "")))
    folders = ("folder", str(a.store.root), str(b.store.root))
    differing = [row for row in rows if row[1] != row[2]]
    return typed([folders, *differing], "difference.differences")


def _shared_choices(lists_a: Lists, lists_b: Lists) -> set[str]:
    """Return the choices, such as optimizers, that both sets have."""
    shared = set()
    for group in GROUPS:
        shared |= set(lists_a[group]) & set(lists_b[group])
    return shared


def _only(key: str, in_a: list[str], in_b: list[str]) -> Change:
    """Return what only A and what only B has of a list."""
    return key, _without(in_a, in_b), _without(in_b, in_a)


def _of_tasks(tasks: pd.DataFrame, said: set) -> Changed:
    """Return what differs within paired tasks and was not said before."""
    rows = []
    for task in tasks.to_dict("records"):
        for key, in_a, in_b in task["differs"]:
            if (key, in_a, in_b) not in said:
                rows.append((f"{task['task']}: {key}", in_a, in_b))
    return rows


def _without(words: Iterable[str], others: Iterable[str]) -> str:
    """Write the words that are not among the others."""
    known = set(others)
    return " ".join(word for word in words if word not in known)


# ---- of two tasks


def task_differences(a: Sweep, b: Sweep, task_a: str, task_b: str) -> Changed:
    """Return what differs between a task of A and one of B: (key, in A, in B)."""
    of_a, of_b = _task_texts(a, task_a), _task_texts(b, task_b)
    data = ("data", of_a.pop("data"), of_b.pop("data"))
    keys = dict.fromkeys([*of_a, *of_b])
    changed = []
    for key in keys:
        in_a, in_b = of_a.get(key, ""), of_b.get(key, "")
        if in_a != in_b:
            changed.append((key, in_a, in_b))
    return changed or [data]


def _task_texts(sweep: Sweep, label: str) -> Keys:
    """Return what a task is; "data" only stands for what no other key says, the content of the data."""
    task = of_task(sweep.tasks, label).iloc[0]
    run = of_task(sweep.entries, label).iloc[0]
    values = {key: task[key] for key in [*OF_TASK, "n", "d"]}
    for key, value in run.items():
        is_own = str(key).startswith(("problem.", "loss."))
        if is_own and not _missing(value):
            values[str(key)] = value
    texts = {key: _value(value) for key, value in values.items()}
    return texts | {"data": f"content {task['problem_id'][:8]}"}


def _missing(value: Any) -> bool:
    return not isinstance(value, tuple) and bool(pd.isna(value))


# ---- of one set


def _lists(manifest: Manifest) -> Lists:
    """Return the lines of the request that may change a number, and the choices of each group."""
    asked = manifest["request"]["overrides"]
    lists = {"request": [line for line in asked if line.partition("=")[0] not in REQUEST]}
    for group in GROUPS:
        choices = [block["choices"][group] for block in manifest["blocks"]]
        lists[group] = list(dict.fromkeys(choices))
    return lists


def _keys(manifest: Manifest, choices: set[str]) -> Keys:
    """Return everything that two sweeps may differ in beside the request and the tasks, as texts."""
    said = {key: _value(manifest[key]) for key in SAID}
    engines = _engines(manifest["engines"], choices)
    return said | engines | _tuning(manifest) | _configuration(manifest, choices) | _sessions(manifest)


def _engines(engines: dict[str, dict[str, int]], choices: set[str]) -> Keys:
    """Return what trained each optimizer: "adam: engine"."""
    trained = defaultdict(list)
    for engine, optimizers in engines.items():
        for optimizer in choices.intersection(optimizers):
            trained[optimizer].append(engine)
    return {f"{optimizer}: engine": " + ".join(names) for optimizer, names in sorted(trained.items())}


def _tuning(manifest: Manifest) -> Keys:
    tune = manifest["tune"] or {"choice": "none", "boxes": {}}
    beside_boxes = {key: value for key, value in tune.items() if key != "boxes"}
    values = beside_boxes | tune["boxes"]  # each box under the name of its optimizer
    keys = {f"tune.{key}": _value(value) for key, value in values.items()}
    return {"tune": tune["choice"]} | keys


def _sessions(manifest: Manifest) -> Keys:
    """Return on what a sweep was made; where its sessions differ, all that there was."""
    sessions = [*manifest["earlier"], manifest]
    texts = {}
    for part in ("versions", "machine"):
        for key in manifest[part]:
            values = [session[part][key] for session in sessions if key in session[part]]
            texts[f"{part}.{key}"] = _values(values)
    return texts


def _configuration(manifest: Manifest, choices: set[str]) -> Keys:
    """Return the values of each key over all blocks, under the choice that it belongs to: "adam: lr".

    What makes a task is left out, as is what a tuned sweep tries, which `tune` describes.
    """
    tuning_seeds = manifest["tune"]["seeds"] if manifest["tune"] else []
    texts: dict[str, dict[str, None]] = defaultdict(dict)  # a dictionary keeps the order, a set would not
    for block in manifest["blocks"]:
        swept = {path: values for axis in block["axes"] for path, values in axis.items()}
        given = {path: [value] for path, value in block["base"].items()}
        for path, values in (given | swept).items():
            is_tried = manifest["tune"] and path in swept and path.startswith(SEARCHED)
            key = _key(path, block["choices"], choices)
            if key is None or is_tried:
                continue
            if path == "seed":
                values = [value for value in values if value not in tuning_seeds]
            texts[key] |= dict.fromkeys(map(_value, values))
    return {key: _values(list(values)) for key, values in texts.items()}


def _key(path: str, chosen: dict[str, str], choices: set[str]) -> str | None:
    """Return under what name a path of the configuration stands; None where it is told elsewhere, or is of a
    choice that is not among these.
    """
    group = _owner(path)
    if path in ELSEWHERE:
        return None
    if group is None:
        return path
    choice = chosen[group]
    return f"{choice}: {path.removeprefix(f'{group}.')}" if choice in choices else None


def _owner(path: str) -> str | None:
    """Return the group to whose choice a key belongs."""
    return next((group for start, group in OWNERS.items() if path.startswith(start)), None)


def _values(values: list[Any]) -> str:
    texts = dict.fromkeys(map(str, values))
    return listed(list(texts), MOST_VALUES)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return setting_value(_tuples(value))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
