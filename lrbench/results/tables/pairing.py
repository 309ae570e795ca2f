"""Which runs of two result sets belong together: task by task, setting by setting, seed by seed.

    pair_tasks -> tasks_frame -> compared_runs -> paired_settings -> paired_runs

One row of `paired_runs`: row 3 (the place of its setting), block 17 (the seed), run_id_a "5f2c...", gap_a
1.2e-9, cost_a 88.0, run_id_b "8e01...", gap_b 3.4e-9, cost_b 130.0, and *_a, *_b of what else they are worth,
and of all that two runs must share to be the same bit for bit.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.tables.asked import Changed, task_differences
from lrbench.results.tables.common_target import common_target, worth_at
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, TASK, batches_vary, starts_vary

# what a run is worth, for the statistics and for what is told beside them
WORTH = ["gap", "relative_gap", "goal", "lost", "arrived", "cost", "score", "left", "evaluations_per_step"]
GROUP = [*COMPETITOR, "role"]  # within which settings of A and B are paired
PARTS = [*GROUP, "key", "setting", "setting_id", "chosen"]  # of a setting, before it is paired


# ---- tasks


class Asked(NamedTuple):
    """By what the runs of a task are judged in one sweep."""

    target: float
    budget: float


class PairedTasks(NamedTuple):
    """The tasks of A and of B, as labels."""

    same: list[tuple[str, str]]  # (in A, in B)
    only_a: list[str]
    only_b: list[str]
    unlike: list[tuple[str, str]]  # (of A, of B) that belong together although they differ
    differs: list[Changed]  # how, of each of these
    asked_a: dict[str, Asked]  # of each task of A
    asked_b: dict[str, Asked]


def pair_tasks(a: Sweep, b: Sweep) -> PairedTasks:
    """Pair the tasks of A and B: the same; then those of one label; then, where as many are left in both, in
    order.
    """
    of_a, of_b = _by_identity(a.tasks), _by_identity(b.tasks)
    only_a = [label for task, label in of_a.items() if task not in of_b]
    only_b = [label for task, label in of_b.items() if task not in of_a]
    same = [(label, of_b[task]) for task, label in of_a.items() if task in of_b]
    one_label = [label for label in only_a if label in only_b]
    unlike = [(label, label) for label in one_label]
    left_a = [label for label in only_a if label not in one_label]
    left_b = [label for label in only_b if label not in one_label]
    if len(left_a) == len(left_b):
        unlike += zip(left_a, left_b, strict=True)
    differs = [task_differences(a, b, *labels) for labels in unlike]
    return PairedTasks(same, only_a, only_b, unlike, differs, _asked(a), _asked(b))


def _asked(sweep: Sweep) -> dict[str, Asked]:
    first = sweep.entries.drop_duplicates("task")
    asked = map(Asked, first["relative_target"], first["budget"])
    return dict(zip(first["task"], asked, strict=True))


def _by_identity(tasks: pd.DataFrame) -> dict[tuple, str]:
    """Return what makes each task -> its label."""
    return {_identity(task): task["task"] for task in tasks.to_dict("records")}


def _identity(task: dict[Hashable, Any]) -> tuple:
    values = [None if pd.isna(task[key]) else task[key] for key in TASK]  # NaN is not equal to itself
    return tuple(values)


def tasks_frame(pairs: PairedTasks, anyway: bool) -> pd.DataFrame:
    """Return a row a task of both: its label here, in A and in B, the target at which both are read, what
    each was asked for, and what `differs`.

    Nothing differs where it is the same task. anyway: also those that differ.
    """
    rows = [_task_row(pairs, in_a, in_b, []) for in_a, in_b in pairs.same]
    if anyway:
        for (in_a, in_b), changed in zip(pairs.unlike, pairs.differs, strict=True):
            rows.append(_task_row(pairs, in_a, in_b, changed))
    return typed(rows, "difference.tasks")


def _task_row(pairs: PairedTasks, in_a: str, in_b: str, differs: Changed) -> tuple:
    label = pair_label(in_a, in_b) if differs else in_a
    asked_a, asked_b = pairs.asked_a[in_a], pairs.asked_b[in_b]
    target = common_target(asked_a.target, asked_b.target)
    targets = (target, asked_a.target, asked_b.target)
    return (label, in_a, in_b, *targets, asked_a.budget, asked_b.budget, differs)


def pair_label(a: str, b: str) -> str:
    """Name a task of A and one of B that are not the same."""
    return a if a == b else f"{a} against {b}"


# ---- runs


def compared_runs(sweep: Sweep, tasks: pd.DataFrame, side: str, mixed: bool) -> pd.DataFrame:
    """Return the runs of A or of B that are compared: of a tuned sweep no trials.

    side: a or b; mixed: whether only one of the two is tuned, so that its reported runs alone are compared.
    task: as in `tasks_frame`, by whose target the runs are read; key: what a setting is found by; block: what
    runs are paired by, the seed, or 0 where nothing depends on it; chosen: whether the setting stands for its
    optimizer.
    """
    label = f"task_{side}"
    entries = sweep.reported if mixed else sweep.entries[sweep.entries["role"] != "trial"]
    entries = entries[entries["task"].isin(tasks[label])]
    labels = dict(zip(tasks[label], tasks["task"], strict=True))
    # ids hold the task too: where tasks differ, settings are found by what the optimizer was made with
    differing_tasks = tasks.loc[tasks["differs"].map(bool), label]
    of_differing = entries["task"].isin(differing_tasks)
    made_with = own_settings(entries[of_differing]).map(repr)
    seed_matters = starts_vary(entries) | batches_vary(entries)
    is_reported = entries.index.isin(sweep.reported.index)
    worth = _worth(entries, tasks, label)
    columns = ["optimizer", "run_id", "setting", "setting_id", *WORTH, *BITS]
    return entries.assign(**worth)[columns].assign(
        task=entries["task"].map(labels).astype(str),  # also of no runs at all
        role="" if mixed else entries["role"],
        key=made_with.reindex(entries.index).where(of_differing, entries["setting_id"]),
        block=entries["seed"].where(seed_matters, 0),
        chosen=is_reported | (entries["role"] == "default"),
    )


def _worth(entries: pd.DataFrame, tasks: pd.DataFrame, label: str) -> dict[str, pd.Series]:
    """Return what runs are worth at the target that both sides are read at.

    Scores are of the larger budget on either side.
    """
    of_task = tasks.set_index(label)
    target = entries["task"].map(of_task["target"]).astype(float)
    budget = entries["task"].map(of_task[["budget_a", "budget_b"]].max(axis=1)).astype(float)
    worth = worth_at(entries, target, budget)
    relative = {"relative_gap": entries["gap"] / entries["scale"]}
    return {str(name): worth[name] for name in worth} | relative


def own_settings(entries: pd.DataFrame) -> pd.Series:
    """Return what an optimizer and its schedule are made with, a dictionary a run, without what it does not
    have.
    """
    columns = sorted(column for column in map(str, entries) if _is_own(column))
    cells = entries[columns]
    present = cells.astype(object).where(cells.notna(), None)
    made_with = [_given(columns, row) for row in present.itertuples(index=False, name=None)]
    return pd.Series(made_with, entries.index, object)


def _is_own(column: str) -> bool:
    return column == "schedule" or column.startswith(("optimizer.", "schedule."))


def _given(columns: list[str], row: tuple) -> dict[str, Any]:
    return {column: value for column, value in zip(columns, row, strict=True) if value is not None}


# ---- settings, and the runs of each


def paired_settings(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting of both; where a task, optimizer and role has none in common, a row of the two
    chosen ones.

    Of these `alike` is false. a, b: as `compared_runs`.
    """
    of_a, of_b = _settings(a), _settings(b)
    common = of_a.merge(of_b, on=[*GROUP, "key"], suffixes=("_a", "_b"))
    chosen = of_a[of_a["chosen"]].merge(of_b[of_b["chosen"]], on=GROUP, suffixes=("_a", "_b"))
    groups = pd.MultiIndex.from_frame(chosen[GROUP])
    has_common = groups.isin(pd.MultiIndex.from_frame(common[GROUP]))
    parts = [common.assign(alike=True), chosen[~has_common].assign(alike=False)]
    rows = pd.concat(parts, ignore_index=True)
    # a default that was chosen has two roles
    once = rows.drop_duplicates([*COMPETITOR, "setting_id_a", "setting_id_b"], ignore_index=True)
    return once.rename(columns={"setting_a": "setting"})


def _settings(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.drop_duplicates([*GROUP, "key"])[PARTS]


def paired_runs(a: pd.DataFrame, b: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a run of both, in the order of the settings: `row` numbers the setting; *_a, *_b what
    they are and reached.
    """
    numbered = settings.assign(row=range(len(settings)))
    keys = ["row", "block"]
    of_a = _runs_of(a, numbered, "a")
    of_b = _runs_of(b, numbered, "b")
    return of_a.merge(of_b, on=keys, suffixes=("_a", "_b")).sort_values(keys, ignore_index=True)


def _runs_of(runs: pd.DataFrame, settings: pd.DataFrame, side: str) -> pd.DataFrame:
    """Return the runs of A or of B with the row of their setting, one a row and block."""
    setting_id = f"setting_id_{side}"
    ids = settings[[*GROUP, setting_id, "row"]].rename(columns={setting_id: "setting_id"})
    paired = runs.merge(ids, on=[*GROUP, "setting_id"]).drop_duplicates(["row", "block"])
    return paired[["row", "block", "run_id", *WORTH, *BITS]]


def setting_differences(a: Sweep, b: Sweep, settings: pd.DataFrame) -> list[tuple[dict, dict] | None]:
    """Return of each row what the two settings were made with, in A and in B; None where they are alike."""
    chosen = settings[~settings["alike"]]
    of_a = _made_with(a, chosen["setting_id_a"])
    of_b = _made_with(b, chosen["setting_id_b"])
    rows = settings[["alike", "setting_id_a", "setting_id_b"]].itertuples(index=False)
    return [None if alike else (of_a[id_a], of_b[id_b]) for alike, id_a, id_b in rows]


def _made_with(sweep: Sweep, setting_ids: pd.Series) -> dict[str, dict]:
    """Return setting_id -> what it was made with."""
    runs = sweep.entries[sweep.entries["setting_id"].isin(setting_ids)]
    first = runs.drop_duplicates("setting_id")
    return dict(zip(first["setting_id"], own_settings(first), strict=True))
