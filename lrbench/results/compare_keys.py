"""What two result sets were asked and made with, key by key: request, configuration, tuning, versions, machine; and how two tasks differ."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.config import GROUPS, REQUEST
from lrbench.results.text import listed, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_VALUES = 5
SAID = ("engine", "target", "record", "state")  # of the manifest, as they stand there
OWNERS = {
    "optimizer.": "optimizer",
    "schedule.": "optimizer",
    "problem.": "problem",
    "loss.": "loss",
}  # to whose choice a key belongs
SEARCHED = ("optimizer.", "schedule.")
OF_TASK = ["problem", "loss", "dtype", "steps", "batch_size", "batch_order", "init"]
ELSEWHERE = {*REQUEST, *OF_TASK, "epochs"}

Keys = dict[str, str]


def differences(a: "Results", b: "Results", tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a key that differs: key, a, b, empty where one has no such key. The first row names the folders.

    tasks: as `compare.paired_tasks`. What is asked of a choice, such as an optimizer, is compared where both have it, and how it is tuned
    where both are. What a choice says already is not said again of a task.
    """
    lists_a, lists_b = _lists(a.manifest), _lists(b.manifest)
    shared = {choice for group in GROUPS for choice in lists_a[group] if choice in lists_b[group]}
    keys_a, keys_b = _keys(a.manifest, shared), _keys(b.manifest, shared)
    keys = [
        key for key in dict.fromkeys([*keys_a, *keys_b]) if a.tuned == b.tuned or not key.startswith("tune.")
    ]
    rows = [
        (key, _without(lists_a[key], lists_b[key]), _without(lists_b[key], lists_a[key])) for key in lists_a
    ]
    rows += [
        ("tasks", _without(a.tasks["task"], tasks["task_a"]), _without(b.tasks["task"], tasks["task_b"]))
    ]
    said = set(rows)
    of_tasks = [(task["task"], changed) for task in tasks.to_dict("records") for changed in task["differs"]]
    rows += [(f"{task}: {changed[0]}", *changed[1:]) for task, changed in of_tasks if changed not in said]
    rows += [(key, keys_a.get(key, ""), keys_b.get(key, "")) for key in keys]
    folders = ("folder", str(a.store.root), str(b.store.root))
    return pd.DataFrame([folders, *(row for row in rows if row[1] != row[2])], columns=["key", "a", "b"])


def task_differences(a: "Results", b: "Results", task_a: str, task_b: str) -> list[tuple[str, str, str]]:
    """Return what differs between a task of A and one of B: (key, in A, in B)."""
    of_a, of_b = _task_facts(a, task_a), _task_facts(b, task_b)
    keys = [key for key in dict.fromkeys([*of_a, *of_b]) if of_a.get(key) != of_b.get(key)]
    return [(key, of_a.get(key, ""), of_b.get(key, "")) for key in keys if key != "data"] or [
        ("data", of_a["data"], of_b["data"])
    ]


def _task_facts(results: "Results", label: str) -> Keys:
    """Return the facts of a task; "data" only stands for what no other key says, the content of the data."""
    task = results.tasks[results.tasks["task"] == label].iloc[0]
    run = results.entries[results.entries["task"] == label].iloc[0]
    own = [column for column in run.index if column.startswith(("problem.", "loss."))]
    facts = {key: task[key] for key in [*OF_TASK, "n", "d"]} | {
        key: run[key] for key in own if not _missing(run[key])
    }
    return {key: _value(value) for key, value in facts.items()} | {
        "data": f"content {task['problem_id'][:8]}"
    }


def _keys(manifest: dict[str, Any], choices: set[str]) -> Keys:
    """Return everything of a manifest that two sweeps may differ in beside the request and the tasks, as texts."""
    sessions = [*manifest["earlier"], manifest]
    made = {
        f"{part}.{key}": _values([session[part][key] for session in sessions if key in session[part]])
        for part in ("versions", "machine")
        for key in manifest[part]
    }
    tune = manifest["tune"] or {"choice": "none", "boxes": {}}
    tuned = {"tune": tune["choice"]} | {
        f"tune.{key}": _value(value) for key, value in {**tune, **tune["boxes"]}.items() if key != "boxes"
    }
    said = {key: _value(manifest[key]) for key in SAID}
    return said | _engines(manifest["engines"], choices) | tuned | _configuration(manifest, choices) | made


def _lists(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Return the lines of the request that may change a number, and the choices of each group."""
    lines = [line for line in manifest["request"]["overrides"] if line.partition("=")[0] not in REQUEST]
    chosen = [block["choices"] for block in manifest["blocks"]]
    return {"request": lines} | {
        group: list(dict.fromkeys(choices[group] for choices in chosen)) for group in GROUPS
    }


def _engines(engines: dict[str, dict[str, int]], choices: set[str]) -> Keys:
    trained = defaultdict(list)
    for engine, optimizers in engines.items():
        for optimizer in choices.intersection(optimizers):
            trained[optimizer].append(engine)
    return {f"{optimizer}: engine": " + ".join(names) for optimizer, names in sorted(trained.items())}


def _configuration(manifest: dict[str, Any], choices: set[str]) -> Keys:
    """Return the values of each key over all blocks, under the choice that it belongs to: "adam: lr".

    What makes a task is left out, as is what a tuned sweep tries, which `tune` describes.
    """
    tune = manifest["tune"] or {"seeds": []}
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for block in manifest["blocks"]:
        swept = {path: column for axis in block["axes"] for path, column in axis.items()}
        for path, column in ({path: [value] for path, value in block["base"].items()} | swept).items():
            group = next((group for start, group in OWNERS.items() if path.startswith(start)), None)
            owner = group and block["choices"][group]
            tried = manifest["tune"] and path in swept and path.startswith(SEARCHED)
            if path not in ELSEWHERE and not tried and (owner is None or owner in choices):
                key = f"{owner}: {path.removeprefix(f'{group}.')}" if owner else path
                values[key] |= dict.fromkeys(
                    _value(value) for value in column if path != "seed" or value not in tune["seeds"]
                )
    return {key: _values(list(texts)) for key, texts in values.items()}


def _without(words: Iterable[str], others: Iterable[str]) -> str:
    """Write the words that are not among the others."""
    others = set(others)
    return " ".join(word for word in words if word not in others)


def _values(texts: list[Any]) -> str:
    return listed(list(dict.fromkeys(map(str, texts))), MOST_VALUES)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return setting_value(_tuples(value))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _missing(value: Any) -> bool:
    return not isinstance(value, tuple) and bool(pd.isna(value))
