"""The sentences on two sweeps, what matters most first, and why two sweeps do not compare."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from lrbench.results.notation import MISSING, counted, factor, listed, named, number
from lrbench.results.statistics import ALPHA, sign_test
from lrbench.results.tables.asked import Changed
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import PairedTasks, pair_label
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words.phrases import interval_stated, over_what, stated, stored_of_planned, visible

MOST_SETTINGS = 20  # that a terminal or a notebook shows; the page has more
MOST_SENTENCES = 5  # of one kind
MOST_LINES = 6
UNLIKE = "Compared although the tasks differ"
# of the gap where it is known; of the runs where no ratio is
DIRECTION = {"worse": ("higher", "is mostly lost in B"), "better": ("lower", "is mostly lost in A")}
ALIKE = {
    "identical": "identical, bit for bit",
    "equal": "equal in every gap",
    "floor": "at the gap floor in both, where differences are rounding",
    "lost": "lost in both",
}


# ---- where there is nothing to compare


def tasks_differ(pairs: PairedTasks) -> str:
    """Say why the tasks do not compare: what each alone has, or what differs between those that belong
    together, a line each.
    """
    lines = []
    for labels, changed in zip(pairs.unlike, pairs.differs, strict=True):
        lines.append(f"  {pair_label(*labels)}: {_written(changed)}")
    more = len(lines) - MOST_LINES
    if more > 0:
        lines = [*lines[:MOST_LINES], f"  and {counted(more, 'more task')}"]
    if not lines:
        lines = [f"  only in A: {listed(pairs.only_a)}", f"  only in B: {listed(pairs.only_b)}"]
    why = (
        "compare: A and B have different tasks, and gaps compare only where data, loss and budget are the "
        "same."
    )
    what_to_do = "Run both on the same tasks."
    if pairs.unlike:
        what_to_do = "Run both on the same task, or say --anyway (anyway=True)."
    return "\n".join([why, *lines, what_to_do])


def no_optimizer_shared(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Say that the runs of A and B are of other optimizers; a, b: as `pairing.compared_runs`."""
    in_a, in_b = (listed(sorted(runs["optimizer"].unique())) or "nothing but trials" for runs in (a, b))
    return (
        f"compare: the two share no optimizer in any task. A has {in_a}; B has {in_b}. Run the same "
        "optimizers in both."
    )


NO_SEED_SHARED = (
    "compare: the two share no seed, so that no run of A has a partner in B. Run B on the seeds of A."
)


def _written(changed: Changed) -> str:
    return ", ".join(f"{key} {in_a or MISSING} → {in_b or MISSING}" for key, in_a, in_b in changed)


# ---- what may be said


def sentences(difference: Difference) -> list[str]:
    """Return what may be said, what matters most first."""
    rows = difference.rows
    return [
        *unlike_tasks(difference),
        *_shown(rows, "worse"),
        *_ended_otherwise(rows, "lost", "completed in A and not in B"),
        *_more_lost(difference),
        *_shown(rows, "better"),
        *_ended_otherwise(rows, "recovered", "completed in B and not in A"),
        *_alike(difference),
        *_none_shown(difference),
        *_untested(rows),
        *_left_out(difference.left_out),
        *_incomplete(difference),
    ]


def unlike_tasks(difference: Difference) -> Iterator[str]:
    """Say in what the tasks differ that were compared all the same."""
    unlike = difference.tasks[difference.tasks["differs"].map(bool)].to_dict("records")
    if unlike:
        cases = [f"{task['task']} ({_written(task['differs'])})" for task in unlike]
        yield f"{UNLIKE}, so that a ratio need not be the optimizer's doing: {listed(cases)}."


def _shown(rows: pd.DataFrame, change: str) -> Iterator[str]:
    shown = rows[rows["change"] == change].to_dict("records")
    for row in shown[:MOST_SENTENCES]:
        yield f"B is {change}: {_name(row)} {_how(row, *DIRECTION[change])}."
    more = len(shown) - MOST_SENTENCES
    if more > 0:
        verb = "is" if more == 1 else "are"
        yield f"{counted(more, 'more setting')} {verb} shown {change}."


def _how(row: dict, direction: str, lost: str) -> str:
    """Say by how much, from the test that was made."""
    if row["test"] == "t":
        ratios = [row["low"], row["ratio"], row["high"]]
        if row["ratio"] <= 1:  # told as how many times lower
            ratios = [1 / ratio for ratio in ratios]
        low, ratio, high = sorted(ratios)
        return f"ends {factor(ratio)} times {direction} in B than in A ({interval_stated(low, high)})"
    least = max(row["at_least"], 1 / row["at_least"]) if row["at_least"] else math.inf
    how = lost
    if least < math.inf:
        how = f"ends at least {factor(least)} times {direction} in B than in A"
    return f"{how} (sign test over {row['n']} pairs, {stated(row['p_holm'])})"


def _ended_otherwise(rows: pd.DataFrame, column: str, what: str) -> Iterator[str]:
    runs = rows[rows[column] > 0]
    if len(runs):
        cases = [f"{_name(row)} {row[column]} of {row['runs']}" for row in runs.to_dict("records")]
        yield f"{counted(int(runs[column].sum()), 'run')} {what}: {listed(cases)}."


def _more_lost(difference: Difference) -> Iterator[str]:
    """Say where a larger share of the runs is lost in B than in A, unless all of them are told as runs that
    completed in A.
    """
    said = difference.rows.groupby(COMPETITOR, as_index=False)["lost"].sum()
    losses = difference.losses.merge(said, on=COMPETITOR)
    more = losses.query("lost_b > lost and lost_b * runs_a > lost_a * runs_b").to_dict("records")
    if more:
        yield f"In B {listed(list(map(_losses, more)))} did not complete."


def _losses(row: dict) -> str:
    return f"{_share(row, 'b')} runs of {row['optimizer']} on {row['task']} (in A {_share(row, 'a')})"


def _share(row: dict, side: str) -> str:
    return f"{row[f'lost_{side}'] or 'none'} of {row[f'runs_{side}']}"


def _alike(difference: Difference) -> Iterator[str]:
    """Say how many settings need no test, and why."""
    rows = difference.rows
    if (rows["change"] == "identical").all():
        runs = counted(len(difference.pairs), "run")
        both = " that both have" if sum(difference.left_out) else ""
        yield f"All {runs}{both} are identical, bit for bit."
        return
    only_gaps_equal = (rows["test"] == "identical") & (rows["change"] != "identical")
    counts = rows["test"].mask(only_gaps_equal, "equal").value_counts()
    cases = []
    for test, words in ALIKE.items():
        if test in counts:
            verb = "is" if counts[test] == 1 else "are"
            cases.append(f"{counts[test]} {verb} {words}")
    if cases:
        yield f"Of {counted(len(rows), 'setting')} {listed(cases)}."


def _none_shown(difference: Difference) -> Iterator[str]:
    """Say that no regression is shown, or of whom no difference where one is of others, and what could not
    have been shown.
    """
    rows = difference.rows
    differ = rows["change"].isin(list(DIRECTION)) | (rows["lost"] > 0) | (rows["recovered"] > 0)
    tested = rows[rows["p"].notna() & ~differ]
    if len(tested):
        what = "No regression is shown"
        if differ.any():
            what = f"No difference shown for {listed(_short(tested, rows))}"
        yield f"{what} over {over_what(difference, tested, 'n')}; {_not_visible(tested)}."


def _short(few: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Name rows by their optimizers, and with more those whose optimizer has several among all that are not
    identical.
    """
    several = rows.loc[rows["change"] != "identical", "optimizer"].value_counts()
    is_alone = few["optimizer"].map(several) == 1
    short = []
    for row, alone in zip(few.to_dict("records"), is_alone, strict=True):
        short.append(row["optimizer"] if alone else _name(row))
    return short


def _not_visible(tested: pd.DataFrame) -> str:
    """Name the ratios that could not have been shown, which need an interval beyond the margin.

    Of order alone, whether anything could.
    """
    measured = tested[tested["test"] == "t"]
    if len(measured):
        ends = visible(measured).agg(["min", "max"]).map(factor)
        by_setting = ", by setting," if ends.nunique() > 1 else ""
        return f"differences under {' to '.join(ends.unique())} times{by_setting} are not visible"
    could = sum(sign_test(n, 0) * len(tested) < ALPHA for n in tested["n"])
    return f"a sign test could have shown one in {could} of {counted(len(tested), 'setting')}"


def _untested(rows: pd.DataFrame) -> Iterator[str]:
    single = rows[rows["test"] == "none"]
    if len(single):
        row = single.iloc[0].to_dict()
        largest = "the largest difference is " if len(single) > 1 else ""
        ends = f"at {number(row['gap_a'])} in A and {number(row['gap_b'])} in B"
        yield f"One run allows no test ({counted(len(single), 'setting')}): {largest}{_name(row)} {ends}."
    unpaired = rows[rows["test"] == "unpaired"].to_dict("records")
    if unpaired:
        yield f"No seed in common, and so not compared: {listed(list(map(_name, unpaired)))}."


def _left_out(left_out: Sequence[int]) -> Iterator[str]:
    parts = []
    for count, side in zip(left_out, "AB", strict=True):
        if count:
            parts.append(f"{counted(count, 'setting')} of {side}")
    if parts:
        yield f"Without a partner, and so not compared: {' and '.join(parts)}."


def _incomplete(difference: Difference) -> Iterator[str]:
    for side, sweep in difference.sides:
        if not sweep.complete:
            stored = stored_of_planned(sweep, str(len(sweep.runs)))
            yield f"{side} is {sweep.manifest['state']}: {stored}."


def _name(row: dict) -> str:
    """Write the optimizer, setting and task of a row: "sgd (default, lr=0.1) on lecture"."""
    setting = row["differs"] or row["setting"]
    if row["role"] == "default":
        setting = f"default, {setting}" if setting else "default"
    return f"{named(row['optimizer'], setting)} on {row['task']}"


def more_settings(rows: pd.DataFrame) -> list[str]:
    """Say how many rows are left out, and how many of them are shown to have changed."""
    if not len(rows):
        return []
    counts = {change: int((rows["change"] == change).sum()) for change in DIRECTION}
    changed = [f"{count} {change}" for change, count in counts.items() if count]
    shown = f", {', '.join(changed)}" if changed else " without a shown change"
    return [f"... and {counted(len(rows), 'more setting')}{shown}"]
