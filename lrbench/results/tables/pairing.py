"""Which runs of two result sets belong together: task by task, setting by setting, seed by seed.

    paired_tasks -> compared_runs -> paired_settings -> paired_runs

One row of `paired_runs`: row 3 (the place of its setting), block 17 (the seed), run_id_a "5f2c...", gap_a
1.2e-9, run_id_b "8e01...", gap_b 3.4e-9, gap_floor 1e-31, and *_a, *_b of all that two runs must share to be
the same bit for bit.
"""

from typing import NamedTuple

import pandas as pd

from lrbench.results.tables.asked import Changed, task_differences
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import TASK, batches_vary, starts_vary

# what two runs must share to be identical
BITS = ["status", "final_loss", "final_gap", "last_epoch_gap", "half_gap", "peak_ratio"]
BITS += ["first_bad_step", "last_finite_loss", "evaluations"]
GROUP = ["task", "optimizer", "role"]


# ---- tasks


class PairedTasks(NamedTuple):
    """The tasks of A and of B, as labels."""

    same: list[str]  # in both
    only_a: list[str]
    only_b: list[str]
    unlike: list[tuple[str, str]]  # (of A, of B) that belong together although they differ
    differs: list[Changed]  # how, of each of these


def pair_tasks(a: Sweep, b: Sweep) -> PairedTasks:
    """Pair the tasks of A and B: the same; then those of one label; then, where as many are left in both, in
    order.
    """
    of_a = dict(zip(_identities(a.tasks), a.tasks["task"], strict=True))
    of_b = dict(zip(_identities(b.tasks), b.tasks["task"], strict=True))
    only_a = [label for task, label in of_a.items() if task not in of_b]
    only_b = [label for task, label in of_b.items() if task not in of_a]
    unlike = [(label, label) for label in only_a if label in only_b]
    one_label = [label for label, _ in unlike]
    left_a = [label for label in only_a if label not in one_label]
    left_b = [label for label in only_b if label not in one_label]
    if len(left_a) == len(left_b):
        unlike += zip(left_a, left_b, strict=True)
    same = [(label, of_b[task]) for task, label in of_a.items() if task in of_b]
    return PairedTasks(same, only_a, only_b, unlike, [task_differences(a, b, *labels) for labels in unlike])


def _identities(tasks: pd.DataFrame) -> list[tuple]:
    return [_identity(task) for task in tasks[TASK].to_dict("records")]


def _identity(task: dict) -> tuple:
    return tuple(None if pd.isna(task[key]) else task[key] for key in TASK)


def paired_tasks(pairs: PairedTasks, anyway: bool) -> pd.DataFrame:
    """Return a row a task of both: its label here, in A and in B (task, task_a, task_b), and what `differs`:
    (key, in A, in B).

    Nothing differs where it is the same task, which has its label in A; else task names both labels. anyway:
    also those that differ.
    """
    rows = [(label_a, label_a, label_b, []) for label_a, label_b in pairs.same]
    if anyway:
        for labels, changed in zip(pairs.unlike, pairs.differs, strict=True):
            rows.append((pair_label(*labels), *labels, changed))
    return pd.DataFrame(rows, columns=["task", "task_a", "task_b", "differs"])


def pair_label(a: str, b: str) -> str:
    """Name a task of A and one of B that are not the same."""
    return a if a == b else f"{a} against {b}"


# ---- runs


def compared_runs(sweep: Sweep, tasks: pd.DataFrame, side: str, mixed: bool) -> pd.DataFrame:
    """Return the runs of A or of B that are compared: of a tuned sweep no trials.

    side: a or b; mixed: whether only one of the two is tuned, so that its reported runs alone are compared.
    task: as in `paired_tasks`; key: what a setting is found by; block: what runs are paired by, the seed, or
    0 where nothing depends on it; chosen: whether the setting stands for its optimizer.
    """
    label = f"task_{side}"
    entries = sweep.reported if mixed else sweep.entries[sweep.entries["role"] != "trial"]
    entries = entries[entries["task"].isin(tasks[label])]
    labels = dict(zip(tasks[label], tasks["task"], strict=True))
    # ids hold the task too: where tasks differ, settings are found by what the optimizer was made with
    unlike = entries["task"].isin(tasks.loc[tasks["differs"].map(bool), label])
    made_with = own_settings(entries[unlike]).map(repr)
    return entries[[*BITS, "run_id", "setting", "setting_id", "gap", "gap_floor"]].assign(
        task=entries["task"].map(labels),
        optimizer=entries["optimizer"],
        role="" if mixed else entries["role"],
        key=made_with.reindex(entries.index).where(unlike, entries["setting_id"]),
        block=entries["seed"].where(starts_vary(entries) | batches_vary(entries), 0),
        chosen=entries.index.isin(sweep.reported.index) | (entries["role"] == "default"),
    )


def own_settings(entries: pd.DataFrame) -> pd.Series:
    """Return what an optimizer and its schedule are made with, a dictionary a run, without what it does not
    have.
    """
    columns = sorted(column for column in entries if _is_own(column))
    cells = entries[columns].astype(object).where(entries[columns].notna(), None)
    made = [_given(columns, row) for row in cells.itertuples(index=False, name=None)]
    return pd.Series(made, entries.index, object)


def _is_own(column: str) -> bool:
    return column == "schedule" or column.startswith(("optimizer.", "schedule."))


def _given(columns: list[str], row: tuple) -> dict:
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
    has_common = pd.MultiIndex.from_frame(chosen[GROUP]).isin(pd.MultiIndex.from_frame(common[GROUP]))
    rows = pd.concat([common.assign(alike=True), chosen[~has_common].assign(alike=False)], ignore_index=True)
    # a default that was chosen has two roles
    once = rows.drop_duplicates(["task", "optimizer", "setting_id_a", "setting_id_b"], ignore_index=True)
    return once.rename(columns={"setting_a": "setting"})


def _settings(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.drop_duplicates([*GROUP, "key"])[[*GROUP, "key", "setting", "setting_id", "chosen"]]


def paired_runs(a: pd.DataFrame, b: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a run of both, in the order of the settings: `row` numbers the setting; *_a, *_b what
    they are and reached.
    """
    numbered = settings.assign(row=range(len(settings)))
    keys = ["row", "block"]
    pairs = _runs_of(a, numbered, "a").merge(_runs_of(b, numbered, "b"), on=keys, suffixes=("_a", "_b"))
    pairs = pairs.sort_values(keys, ignore_index=True)
    return pairs.assign(gap_floor=pairs[["gap_floor_a", "gap_floor_b"]].max(axis=1))


def _runs_of(runs: pd.DataFrame, settings: pd.DataFrame, side: str) -> pd.DataFrame:
    ids = settings[[*GROUP, f"setting_id_{side}", "row"]].rename(columns={f"setting_id_{side}": "setting_id"})
    paired = runs.merge(ids, on=[*GROUP, "setting_id"]).drop_duplicates(["row", "block"])
    return paired[["row", "block", "run_id", "gap", "gap_floor", *BITS]]


def setting_differences(a: Sweep, b: Sweep, settings: pd.DataFrame) -> list[tuple[dict, dict] | None]:
    """Return of each row what the two settings were made with, in A and in B; None where they are alike."""
    unlike = settings[~settings["alike"]]
    of_a = _made_with(a, unlike["setting_id_a"])
    of_b = _made_with(b, unlike["setting_id_b"])
    rows = settings[["alike", "setting_id_a", "setting_id_b"]].itertuples(index=False)
    return [None if alike else (of_a[id_a], of_b[id_b]) for alike, id_a, id_b in rows]


def _made_with(sweep: Sweep, setting_ids: pd.Series) -> dict[str, dict]:
    first = sweep.entries[sweep.entries["setting_id"].isin(setting_ids)].drop_duplicates("setting_id")
    return own_settings(first).set_axis(first["setting_id"]).to_dict()
