"""Two result sets, A and B, setting by setting on the same seeds: what was asked otherwise, what is shown to have changed, what got lost.

    paired_tasks -> paired_settings -> paired_runs -> changes -> Difference

Ratios are B over A, so above 1 where B is worse.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results import compare_keys, compare_text
from lrbench.results.compare_changes import BITS, changes, losses
from lrbench.results.result_set import Results, load
from lrbench.results.tables import TASK
from lrbench.results.text import listed

GROUP = ["task", "optimizer", "role"]


@dataclass(frozen=True)
class Difference:
    """What B is against A.

    Attributes:
        rows: a row a setting that both have, or a task and optimizer where they have none in common: the two chosen ones then, and `differs` says how
            they differ. gap_a, gap_b: geometric means over the seeds that both have. n, test, ratio, low, high, at_least, p: as in
            `statistics.Comparison` (of identical runs n counts all); test "unpaired" where no seed is common. p_holm: p after Holm over all rows.
            change: "worse" or "better" where shown, "identical" bit for bit, else empty. runs: pairs, repeated ones too; lost, recovered: how many of
            them completed in A alone, in B alone. role: as in `Results.entries`, empty where only one of the two is tuned.
        differences: a row a key of the request, the configuration, the versions, the machine that differs: key, a, b.
        sentences: what may be said of it.
        regression: whether a row is shown worse, or a run is lost at the same setting.
        a, b: the two result sets. tasks: as `paired_tasks`.
    """

    rows: pd.DataFrame
    differences: pd.DataFrame
    sentences: list[str]
    regression: bool
    a: Results = field(repr=False)
    b: Results = field(repr=False)
    tasks: pd.DataFrame = field(repr=False)

    @cached_property
    def shown(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What figures show: a row a task and optimizer, and a row a pair of its runs; see `compare_frames.shown`."""
        from lrbench.results import compare_frames

        return compare_frames.shown(self)

    def report(self, path: str | os.PathLike | None = None) -> Path:
        """Write the page to `path` (beside B's folder, named after both, if None); return its path.

        Raises:
            RequestError: it cannot be written there; another path may do.
        """
        from lrbench.results.report import compare_page

        return compare_page.write(self, compare_page.place(self.a, self.b) if path is None else Path(path))

    def _repr_html_(self) -> str:
        """Show the sentences and the settings in a notebook."""
        from lrbench.results.report.page import brief

        return brief(
            self.sentences,
            [("Setting by setting", compare_text.rows_text(self.rows.head(compare_text.MOST_ROWS)))],
        )


def compare(
    a: "Results | str | os.PathLike", b: "Results | str | os.PathLike", anyway: bool = False
) -> Difference:
    """Compare B with A. anyway: also where data or budget differ; tasks are paired by label then, else in order.

    Raises:
        RequestError: one is no result set, or the two share no task, no optimizer or no seed.
    """
    a, b = (one if isinstance(one, Results) else load(one) for one in (a, b))
    tasks = paired_tasks(a, b, anyway)
    runs = compared_runs(a, b, tasks)
    settings = paired_settings(*runs)
    pairs = paired_runs(*runs, settings)
    _check_shared(*runs, settings, pairs)
    left_out = [
        _settings(one, "setting_id") - _settings(settings, f"setting_id_{side}")
        for one, side in zip(runs, "ab", strict=True)
    ]
    rows = changes(settings.assign(differs=differing(a, b, settings)), pairs)
    differences = compare_keys.differences(a, b, tasks)
    regression = bool(((rows["change"] == "worse") | ((rows["lost"] > 0) & (rows["differs"] == ""))).any())
    sentences = compare_text.sentences(a, b, tasks, rows, len(pairs), left_out, losses(*runs))
    return Difference(rows, differences, sentences, regression, a, b, tasks)


# ---- which runs belong together


def paired_tasks(a: Results, b: Results, anyway: bool) -> pd.DataFrame:
    """Return a row a task of both: what it is called here, its label in A and in B (task, task_a, task_b), and what differs: (key, in A, in B).

    Nothing differs where it is the same task, which has its label in A; else task names both labels.

    Raises:
        RequestError: each has a task that the other has not, and nobody said anyway; or none can be paired.
    """
    of_a, of_b = (
        dict(zip(map(_identity, results.tasks[TASK].to_dict("records")), results.tasks["task"], strict=True))
        for results in (a, b)
    )
    same = [(label, of_b[task]) for task, label in of_a.items() if task in of_b]
    only_a, only_b = (
        [label for task, label in one.items() if task not in other]
        for one, other in ((of_a, of_b), (of_b, of_a))
    )
    unlike = [(label, label) for label in only_a if label in only_b]
    left_a, left_b = ([label for label in only if (label, label) not in unlike] for only in (only_a, only_b))
    if len(left_a) == len(left_b):
        unlike += zip(left_a, left_b, strict=True)
    differs = [compare_keys.task_differences(a, b, *labels) for labels in unlike]
    if only_a and only_b and not (anyway and (same or unlike)):
        raise RequestError(compare_text.refusal(only_a, only_b, unlike, differs))
    rows = [(labels[0], *labels, []) for labels in same]
    rows += [
        (compare_text.pair_label(*labels), *labels, changed)
        for labels, changed in zip(unlike, differs, strict=True)
    ] * anyway
    return pd.DataFrame(rows, columns=["task", "task_a", "task_b", "differs"])


def _identity(task: dict) -> tuple:
    return tuple(None if pd.isna(task[key]) else task[key] for key in TASK)


def compared_runs(a: Results, b: Results, tasks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the runs of A and of B that are compared, as `runs_of`; tasks: as `paired_tasks`."""
    mixed = a.tuned != b.tuned
    return runs_of(a, tasks, "task_a", mixed), runs_of(b, tasks, "task_b", mixed)


def runs_of(results: Results, tasks: pd.DataFrame, side: str, mixed: bool) -> pd.DataFrame:
    """Return the runs that are compared: of a tuned sweep no trials, and the reported ones alone where only the other is tuned (mixed).

    task: as in `paired_tasks`; key: what a setting is found by; block: what runs are paired by, the seed, or 0 where nothing depends on it;
    chosen: whether the setting stands for its optimizer.
    """
    entries = results.reported if mixed else results.entries[results.entries["role"] != "trial"]
    entries = entries[entries["task"].isin(tasks[side])]
    labels = dict(zip(tasks[side], tasks["task"], strict=True))
    unlike = entries["task"].isin(tasks.loc[tasks["differs"].map(bool), side])
    own = own_settings(entries[unlike]).map(repr)
    varies = (entries["init"] == "torch") | (
        entries["batch_size"].notna() & (entries["batch_order"] != "sequential")
    )
    return entries[[*BITS, "run_id", "setting", "setting_id", "gap", "gap_floor"]].assign(
        task=entries["task"].map(labels),
        optimizer=entries["name"],
        role="" if mixed else entries["role"],
        key=own.reindex(entries.index).where(unlike, entries["setting_id"]),
        block=entries["seed"].where(varies, 0),
        chosen=entries.index.isin(results.reported.index) | (entries["role"] == "default"),
    )


def own_settings(entries: pd.DataFrame) -> pd.Series:
    """Return what an optimizer and its schedule are made with, a dictionary a run, without what it does not have."""
    columns = sorted(
        column for column in entries if column == "schedule" or column.startswith(("optimizer.", "schedule."))
    )
    rows = (
        entries[columns]
        .astype(object)
        .where(entries[columns].notna(), None)
        .itertuples(index=False, name=None)
    )
    made = [
        {column: value for column, value in zip(columns, row, strict=True) if value is not None}
        for row in rows
    ]
    return pd.Series(made, entries.index, object)


def paired_settings(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting of both; where a task, optimizer and role has none in common, a row of the two chosen ones, `alike` false."""
    of_a, of_b = (
        runs.drop_duplicates([*GROUP, "key"])[[*GROUP, "key", "setting", "setting_id", "chosen"]]
        for runs in (a, b)
    )
    common = of_a.merge(of_b, on=[*GROUP, "key"], suffixes=("_a", "_b"))
    chosen = of_a[of_a["chosen"]].merge(of_b[of_b["chosen"]], on=GROUP, suffixes=("_a", "_b"))
    settled = pd.MultiIndex.from_frame(chosen[GROUP]).isin(pd.MultiIndex.from_frame(common[GROUP]))
    rows = pd.concat([common.assign(alike=True), chosen[~settled].assign(alike=False)], ignore_index=True)
    once = rows.drop_duplicates(
        ["task", "optimizer", "setting_id_a", "setting_id_b"], ignore_index=True
    )  # a default that was chosen
    return once.rename(columns={"setting_a": "setting"})


def paired_runs(a: pd.DataFrame, b: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a run of both, in the order of the settings: `row` numbers the setting; *_a, *_b which runs they are and what they reached."""
    numbered = settings.assign(row=range(len(settings)))
    sides = []
    for runs, side in ((a, "a"), (b, "b")):
        ids = numbered[[*GROUP, f"setting_id_{side}", "row"]].rename(
            columns={f"setting_id_{side}": "setting_id"}
        )
        paired = runs.merge(ids, on=[*GROUP, "setting_id"]).drop_duplicates(["row", "block"])
        sides.append(paired[["row", "block", "run_id", "gap", "gap_floor", *BITS]])
    pairs = (
        sides[0]
        .merge(sides[1], on=["row", "block"], suffixes=("_a", "_b"))
        .sort_values(["row", "block"], ignore_index=True)
    )
    return pairs.assign(gap_floor=pairs[["gap_floor_a", "gap_floor_b"]].max(axis=1))


def _settings(rows: pd.DataFrame, ids: str) -> int:
    return len(rows.drop_duplicates(["task", "optimizer", ids]))


def _check_shared(a: pd.DataFrame, b: pd.DataFrame, settings: pd.DataFrame, pairs: pd.DataFrame) -> None:
    if settings.empty:
        names = [listed(sorted(runs["optimizer"].unique())) or "nothing but trials" for runs in (a, b)]
        raise RequestError(
            f"compare: the two share no optimizer in any task. A has {names[0]}; B has {names[1]}. Run the same optimizers in both."
        )
    if pairs.empty:
        raise RequestError(
            "compare: the two share no seed, so that no run of A has a partner in B. Run B on the seeds of A."
        )


def differing(a: Results, b: Results, settings: pd.DataFrame) -> list[str]:
    """Say of each row how the two settings differ, `lr 0.1 → 0.03`."""
    unlike = settings[~settings["alike"]]
    of_a, of_b = (
        own_settings(
            first := results.entries[
                results.entries["setting_id"].isin(unlike[f"setting_id_{side}"])
            ].drop_duplicates("setting_id")
        )
        .set_axis(first["setting_id"])
        .to_dict()
        for results, side in ((a, "a"), (b, "b"))
    )
    rows = settings[["alike", "setting_id_a", "setting_id_b"]].itertuples(index=False)
    return ["" if alike else compare_text.differing(of_a[one], of_b[other]) for alike, one, other in rows]
