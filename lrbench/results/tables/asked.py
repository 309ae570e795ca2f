"""What two result sets were asked and made with, key by key, and how two tasks differ.

One row of `differences`: key "adam: lr", a "0.01", b "0.01 and 0.1".
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lrbench.config import GROUPS, REQUEST
from lrbench.results.notation import listed, setting_value
from lrbench.results.tables.sweep import Sweep

MOST_VALUES = 5  # of a key that are named
SAID = ("engine", "target", "record", "state")  # of the manifest, as they stand there
# to whose choice a key belongs
OWNERS = {"optimizer.": "optimizer", "schedule.": "optimizer", "problem.": "problem", "loss.": "loss"}
SEARCHED = ("optimizer.", "schedule.")
OF_TASK = ["problem", "loss", "dtype", "steps", "batch_size", "batch_order", "init"]
ELSEWHERE = {*REQUEST, *OF_TASK, "epochs"}  # keys that are told as tasks, or change no number

Keys = dict[str, str]
Changed = list[tuple[str, str, str]]  # key, in A, in B


# ---- of two sets


def differences(a: Sweep, b: Sweep, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a key that differs: key, a, b, empty where one has no such key. The first row names the
    folders.

    tasks: as `pairing.paired_tasks`. What is asked of a choice, such as an optimizer, is compared where both
    have it, and how it is tuned where both are. What a choice says already is not said again of a task.
    """
    lists_a, lists_b = _lists(a.manifest), _lists(b.manifest)
    rows = [
        (key, _without(lists_a[key], lists_b[key]), _without(lists_b[key], lists_a[key])) for key in lists_a
    ]
    only_a = _without(a.tasks["task"], tasks["task_a"])
    only_b = _without(b.tasks["task"], tasks["task_b"])
    rows.append(("tasks", only_a, only_b))
    rows += _of_tasks(tasks, said=set(rows))
    shared = {choice for group in GROUPS for choice in lists_a[group] if choice in lists_b[group]}
    keys_a, keys_b = _keys(a.manifest, shared), _keys(b.manifest, shared)
    for key in dict.fromkeys([*keys_a, *keys_b]):
        if a.tuned == b.tuned or not key.startswith("tune."):
            rows.append((key, keys_a.get(key, ""), keys_b.get(key, "")))
    folders = ("folder", str(a.store.root), str(b.store.root))
    differing = [row for row in rows if row[1] != row[2]]
    return pd.DataFrame([folders, *differing], columns=["key", "a", "b"])


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
    of_a, of_b = _task_facts(a, task_a), _task_facts(b, task_b)
    keys = [key for key in dict.fromkeys([*of_a, *of_b]) if of_a.get(key) != of_b.get(key)]
    changed = [(key, of_a.get(key, ""), of_b.get(key, "")) for key in keys if key != "data"]
    return changed or [("data", of_a["data"], of_b["data"])]


def _task_facts(sweep: Sweep, label: str) -> Keys:
    """Return the facts of a task; "data" only stands for what no other key says, the content of the data."""
    task = sweep.tasks[sweep.tasks["task"] == label].iloc[0]
    run = sweep.entries[sweep.entries["task"] == label].iloc[0]
    own = [column for column in run.index if column.startswith(("problem.", "loss."))]
    facts = {key: task[key] for key in [*OF_TASK, "n", "d"]}
    facts |= {key: run[key] for key in own if not _missing(run[key])}
    texts = {key: _value(value) for key, value in facts.items()}
    return texts | {"data": f"content {task['problem_id'][:8]}"}


def _missing(value: Any) -> bool:
    return not isinstance(value, tuple) and bool(pd.isna(value))


# ---- of one set


def _lists(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Return the lines of the request that may change a number, and the choices of each group."""
    lines = [line for line in manifest["request"]["overrides"] if line.partition("=")[0] not in REQUEST]
    chosen = [block["choices"] for block in manifest["blocks"]]
    groups = {group: list(dict.fromkeys(choices[group] for choices in chosen)) for group in GROUPS}
    return {"request": lines} | groups


def _keys(manifest: dict[str, Any], choices: set[str]) -> Keys:
    """Return everything that two sweeps may differ in beside the request and the tasks, as texts."""
    said = {key: _value(manifest[key]) for key in SAID}
    engines = _engines(manifest["engines"], choices)
    return said | engines | _tuning(manifest) | _configuration(manifest, choices) | _sessions(manifest)


def _engines(engines: dict[str, dict[str, int]], choices: set[str]) -> Keys:
    trained = defaultdict(list)
    for engine, optimizers in engines.items():
        for optimizer in choices.intersection(optimizers):
            trained[optimizer].append(engine)
    return {f"{optimizer}: engine": " + ".join(names) for optimizer, names in sorted(trained.items())}


def _tuning(manifest: dict[str, Any]) -> Keys:
    tune = manifest["tune"] or {"choice": "none", "boxes": {}}
    values = {**tune, **tune["boxes"]}
    values.pop("boxes")
    return {"tune": tune["choice"]} | {f"tune.{key}": _value(value) for key, value in values.items()}


def _sessions(manifest: dict[str, Any]) -> Keys:
    """Return on what a sweep was made; where its sessions differ, all that there was."""
    sessions = [*manifest["earlier"], manifest]
    texts = {}
    for part in ("versions", "machine"):
        for key in manifest[part]:
            values = [session[part][key] for session in sessions if key in session[part]]
            texts[f"{part}.{key}"] = _values(values)
    return texts


def _configuration(manifest: dict[str, Any], choices: set[str]) -> Keys:
    """Return the values of each key over all blocks, under the choice that it belongs to: "adam: lr".

    What makes a task is left out, as is what a tuned sweep tries, which `tune` describes.
    """
    tuning_seeds = manifest["tune"]["seeds"] if manifest["tune"] else []
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    for block in manifest["blocks"]:
        swept = {path: values for axis in block["axes"] for path, values in axis.items()}
        given = {path: [value] for path, value in block["base"].items()}
        for path, values in (given | swept).items():
            group = _owner(path)
            owner = group and block["choices"][group]
            tried = manifest["tune"] and path in swept and path.startswith(SEARCHED)
            if path in ELSEWHERE or tried or not (owner is None or owner in choices):
                continue
            key = f"{owner}: {path.removeprefix(f'{group}.')}" if owner else path
            told = [value for value in values if path != "seed" or value not in tuning_seeds]
            texts[key] |= dict.fromkeys(map(_value, told))
    return {key: _values(list(values)) for key, values in texts.items()}


def _owner(path: str) -> str | None:
    """Return the group to whose choice a key belongs."""
    return next((group for start, group in OWNERS.items() if path.startswith(start)), None)


def _values(texts: list[Any]) -> str:
    return listed(list(dict.fromkeys(map(str, texts))), MOST_VALUES)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return setting_value(_tuples(value))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
