"""The comparison of two result sets in words, and in the terminal, 80 columns wide."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lrbench.results import leader
from lrbench.results.statistics import ALPHA, MARGIN, sign_test
from lrbench.results.text import (
    MISSING,
    counted,
    factor,
    interval,
    listed,
    named,
    number,
    p_value,
    setting_value,
)

if TYPE_CHECKING:
    from lrbench.results.compare import Difference
    from lrbench.results.result_set import Results

WIDTH = 80
BETWEEN = 2  # characters between columns
MOST_ROWS = 20
MOST_SENTENCES = 5  # of one kind
MOST_LINES = 6
UNLIKE = "Compared although the tasks differ"
DIRECTION = {
    "worse": ("higher", "is mostly lost in B"),
    "better": ("lower", "is mostly lost in A"),
}  # of the gap; without a ratio
ALIKE = {
    "identical": "identical, bit for bit",
    "equal": "equal in every gap",
    "floor": "at the gap floor in both, where differences are rounding",
    "lost": "lost in both",
}

Changed = list[tuple[str, str, str]]  # key, in A, in B


def refusal(
    only_a: Sequence[str],
    only_b: Sequence[str],
    unlike: Sequence[tuple[str, str]],
    differs: Sequence[Changed],
) -> str:
    """Say why the tasks do not compare, a line a task: what each alone has, and what differs between those that belong together."""
    lines = [
        f"  {pair_label(*labels)}: {_written(changed)}"
        for labels, changed in zip(unlike, differs, strict=True)
    ]
    if (more := len(lines) - MOST_LINES) > 0:
        lines = [*lines[:MOST_LINES], f"  and {counted(more, 'more task')}"]
    lines = lines or [f"  only in A: {listed(only_a)}", f"  only in B: {listed(only_b)}"]
    text = "\n".join(
        [
            "compare: A and B have different tasks, and gaps compare only where data, loss and budget are the same.",
            *lines,
        ]
    )
    return text + (
        "\nRun both on the same task, or say --anyway (anyway=True)."
        if unlike
        else "\nRun both on the same tasks."
    )


def differing(a: dict, b: dict) -> str:
    """Write how two settings differ: "lr 0.1 → 0.03, momentum 0 → 0.9"."""
    keys = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
    return ", ".join(
        f"{key.removeprefix('optimizer.')} {setting_value(a.get(key))} → {setting_value(b.get(key))}"
        for key in keys
    )


def sentences(
    a: "Results",
    b: "Results",
    tasks: pd.DataFrame,
    rows: pd.DataFrame,
    runs: int,
    left_out: Sequence[int],
    losses: pd.DataFrame,
) -> list[str]:
    """Return what may be said, what matters most first.

    tasks: as `compare.paired_tasks`. runs: how many pairs of runs were compared. left_out: how many settings of A and of B had no partner.
    losses: as `compare_changes.losses`.
    """
    return [
        *_unlike(tasks),
        *_shown(rows, "worse"),
        *_ended_otherwise(rows, "lost", "completed in A and not in B"),
        *_more_lost(rows, losses),
        *_shown(rows, "better"),
        *_ended_otherwise(rows, "recovered", "completed in B and not in A"),
        *_alike(rows, runs, sum(left_out)),
        *_none_shown(a, tasks, rows),
        *_untested(rows),
        *_left_out(left_out),
        *_incomplete(a, b),
    ]


def _unlike(tasks: pd.DataFrame) -> Iterator[str]:
    unlike = tasks[tasks["differs"].map(bool)].to_dict("records")
    if unlike:
        cases = [f"{task['task']} ({_written(task['differs'])})" for task in unlike]
        yield f"{UNLIKE}, so that a ratio need not be the optimizer's doing: {listed(cases)}."


def _shown(rows: pd.DataFrame, change: str) -> Iterator[str]:
    shown = rows[rows["change"] == change].to_dict("records")
    for row in shown[:MOST_SENTENCES]:
        yield f"B is {change}: {_name(row)} {_how(row, *DIRECTION[change])}."
    if (more := len(shown) - MOST_SENTENCES) > 0:
        yield f"{counted(more, 'more setting')} {'is' if more == 1 else 'are'} shown {change}."


def _how(row: dict, direction: str, lost: str) -> str:
    """Say by how much, from the test that was made."""
    if row["test"] == "t":
        ratios = sorted(
            ratio if row["ratio"] > 1 else 1 / ratio for ratio in (row["low"], row["ratio"], row["high"])
        )
        return f"ends {factor(ratios[1])} times {direction} in B than in A ({leader.interval(ratios[0], ratios[2])})"
    least = max(row["at_least"], 1 / row["at_least"]) if row["at_least"] else math.inf
    how = lost if least == math.inf else f"ends at least {factor(least)} times {direction} in B than in A"
    return f"{how} (sign test over {row['n']} pairs, {leader.stated(row['p_holm'])})"


def _ended_otherwise(rows: pd.DataFrame, column: str, what: str) -> Iterator[str]:
    found = rows[rows[column] > 0]
    if len(found):
        cases = [f"{_name(row)} {row[column]} of {row['runs']}" for row in found.to_dict("records")]
        yield f"{counted(int(found[column].sum()), 'run')} {what}: {listed(cases)}."


def _more_lost(rows: pd.DataFrame, losses: pd.DataFrame) -> Iterator[str]:
    """Say where a larger share of the runs is lost in B than in A, unless all of them are told as runs that completed in A."""
    told = rows.groupby(["task", "optimizer"], as_index=False)["lost"].sum()
    more = (
        losses.merge(told, on=["task", "optimizer"])
        .query("lost_b > lost and lost_b * runs_a > lost_a * runs_b")
        .to_dict("records")
    )
    if more:
        cases = [
            f"{_share(row, 'b')} runs of {row['optimizer']} on {row['task']} (in A {_share(row, 'a')})"
            for row in more
        ]
        yield f"In B {listed(cases)} did not complete."


def _share(row: dict, side: str) -> str:
    return f"{row[f'lost_{side}'] or 'none'} of {row[f'runs_{side}']}"


def _alike(rows: pd.DataFrame, runs: int, left_out: int) -> Iterator[str]:
    """Say how many settings need no test, and why."""
    if (rows["change"] == "identical").all():
        yield f"All {counted(runs, 'run')}{' that both have' * bool(left_out)} are identical, bit for bit."
        return
    counts = (
        rows["test"]
        .mask((rows["test"] == "identical") & (rows["change"] != "identical"), "equal")
        .value_counts()
    )
    cases = [
        f"{counts[test]} {'is' if counts[test] == 1 else 'are'} {text}"
        for test, text in ALIKE.items()
        if test in counts
    ]
    if cases:
        yield f"Of {counted(len(rows), 'setting')} {listed(cases)}."


def _none_shown(a: "Results", tasks: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """Say that no regression is shown, or of whom no difference where one is of others, and what could not have been shown."""
    differ = rows["change"].isin(list(DIRECTION)) | (rows["lost"] > 0) | (rows["recovered"] > 0)
    tested = rows[rows["p"].notna() & ~differ]
    if len(tested):
        what = (
            f"No difference shown for {listed(_short(tested, rows))}"
            if differ.any()
            else "No regression is shown"
        )
        yield f"{what} over {over_what(a, tasks, tested, 'n')}; {_visible(tested)}."


def _short(few: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Name rows by their optimizers, and those with more of which an optimizer has several among all that are not identical."""
    several = rows.loc[rows["change"] != "identical", "optimizer"].value_counts()
    return [
        row["optimizer"] if several[row["optimizer"]] == 1 else _name(row) for row in few.to_dict("records")
    ]


def over_what(a: "Results", tasks: pd.DataFrame, rows: pd.DataFrame, count: str) -> str:
    """Say over how many starts or batch orders rows go, "10 starts", or "2 to 10 pairs" where they differ; count: the column with the number."""
    in_a = a.tasks.set_index("task").loc[tasks["task_a"]].set_axis(tasks["task"])
    varied = {
        leader.what_varied(in_a.loc[task], n) for task, n in set(zip(rows["task"], rows[count], strict=True))
    }
    return varied.pop() if len(varied) == 1 else f"{rows[count].min()} to {rows[count].max()} pairs"


def _visible(tested: pd.DataFrame) -> str:
    """Name the ratios that could not have been shown, which need an interval beyond the margin; of order alone, whether anything could."""
    measured = tested[tested["test"] == "t"]
    if len(measured):
        ends = (MARGIN * (measured["high"] / measured["low"]).pow(0.5)).agg(["min", "max"]).map(factor)
        return f"differences under {' to '.join(ends.unique())} times{', by setting,' * (ends.nunique() > 1)} are not visible"
    enough = tested["n"].map(lambda n: sign_test(n, 0)) * len(tested) < ALPHA
    return f"a sign test could have shown one in {enough.sum()} of {counted(len(tested), 'setting')}"


def _untested(rows: pd.DataFrame) -> Iterator[str]:
    single = rows[rows["test"] == "none"]
    if len(single):
        row, most = single.iloc[0].to_dict(), "the largest difference is " * (len(single) > 1)
        ends = f"at {number(row['gap_a'])} in A and {number(row['gap_b'])} in B"
        yield f"One run allows no test ({counted(len(single), 'setting')}): {most}{_name(row)} {ends}."
    unpaired = rows[rows["test"] == "unpaired"].to_dict("records")
    if unpaired:
        yield f"No seed in common, and so not compared: {listed(list(map(_name, unpaired)))}."


def _left_out(left_out: Sequence[int]) -> Iterator[str]:
    parts = [
        f"{counted(count, 'setting')} of {side}" for count, side in zip(left_out, "AB", strict=True) if count
    ]
    if parts:
        yield f"Without a partner, and so not compared: {' and '.join(parts)}."


def _incomplete(a: "Results", b: "Results") -> Iterator[str]:
    for side, results in (("A", a), ("B", b)):
        planned, stored = results.manifest["counts"]["planned"], len(results.runs)
        if results.manifest["state"] != "complete" or stored < planned:
            yield f"{side} is {results.manifest['state']}: {stored} of {counted(planned, 'planned run')} are stored."


def _name(row: dict) -> str:
    setting = row["differs"] or row["setting"]
    return f"{named(row['optimizer'], f'default, {setting}'.removesuffix(', ') if row['role'] == 'default' else setting)} on {row['task']}"


def pair_label(a: str, b: str) -> str:
    """Name a task of A and one of B that are not the same."""
    return a if a == b else f"{a} against {b}"


def _written(changed: Changed) -> str:
    return ", ".join(f"{key} {one or MISSING} → {other or MISSING}" for key, one, other in changed)


# ---- the terminal


def print_difference(difference: "Difference", console: Console) -> None:
    """Print what differs in what was asked, the settings, shown changes first, and the sentences; first of all where the tasks differ.

    Where the settings do not fit, their gaps are left out, which the page has.
    """
    first = [sentence for sentence in difference.sentences if sentence.startswith(UNLIKE)]
    _print(first, console)
    console.print(
        _table(difference.differences.rename(columns={"a": "A", "b": "B"}), ("key", "A", "B"), console.width)
    )
    console.print()
    rows = difference.rows
    if (rows["change"] != "identical").any():
        text, folding = rows_text(rows.head(MOST_ROWS)), ("task", "optimizer", "setting")
        fits = _least(text, folding) <= console.width
        console.print(_table(text if fits else text.drop(columns=["gap A", "gap B"]), folding, console.width))
        _print(rest(rows.iloc[MOST_ROWS:]), console)
        console.print()
    _print(difference.sentences[len(first) :], console)
    _print(["Exit code 1: a regression is shown."] * difference.regression, console)


def rows_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Write the rows of a `Difference`, a column a heading; the task where there are several."""
    records = rows.to_dict("records")
    cells = {
        "task": rows["task"].tolist(),
        "optimizer": rows["optimizer"].tolist(),
        "setting": [
            (row["differs"] or row["setting"] or MISSING) + " (default)" * (row["role"] == "default")
            for row in records
        ],
        "gap A": [number(row["gap_a"]) for row in records],
        "gap B": [number(row["gap_b"]) for row in records],
        "B / A (95 %)": list(map(interval, records)),
        "p": rows["p_holm"].map(p_value).tolist(),
        "shown": [row["change"] or f"{row['lost']} lost" * bool(row["lost"]) or MISSING for row in records],
    }
    return pd.DataFrame(cells, dtype=object).drop(columns=["task"] * (rows["task"].nunique() == 1))


def rest(rows: pd.DataFrame) -> list[str]:
    """Say how many rows are left out, and how many of them are shown to have changed."""
    changed = [
        f"{count} {change}" for change in DIRECTION if (count := int((rows["change"] == change).sum()))
    ]
    return [
        f"... and {counted(len(rows), 'more setting')}{', ' + ', '.join(changed) if changed else ' without a shown change'}"
    ] * bool(len(rows))


def _print(sentences: Sequence[str], console: Console) -> None:
    for sentence in sentences:
        console.print(Text(sentence), width=min(WIDTH, console.width))


def _table(text: pd.DataFrame, folding: Sequence[str], width: int) -> Table:
    """Lay out a table in so many characters; the columns that may fold stand at the left."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column, wide in _widths(text, folding, width).items():
        folds = column in folding
        table.add_column(
            Text(column), justify="left" if folds else "right", overflow="fold", no_wrap=not folds, width=wide
        )
    for cells in text.itertuples(index=False):
        table.add_row(*map(Text, cells))
    return table


def _widths(text: pd.DataFrame, folding: Sequence[str], width: int) -> dict[str, int]:
    """Return how wide each column is: as its longest cell; where that is too much the widest of those that fold give way.

    Down to their longest words if that is enough, else down to equal shares of the line, and at last as far as it takes.
    """
    widths, words, room = (
        _longest(text),
        _longest_words(text, folding),
        width - BETWEEN * (len(text.columns) - 1),
    )
    within = [dict.fromkeys(words, share) for share in (room // len(words), 1)]
    for least in [words] if _least(text, folding) <= width else within:
        while sum(widths.values()) > room and (
            wider := [column for column in least if widths[column] > least[column]]
        ):
            widths[max(wider, key=widths.__getitem__)] -= 1
    return widths


def _least(text: pd.DataFrame, folding: Sequence[str]) -> int:
    """Return how wide a table is whose folding columns break between words alone."""
    return sum((_longest(text) | _longest_words(text, folding)).values()) + BETWEEN * (len(text.columns) - 1)


def _longest(text: pd.DataFrame) -> dict[str, int]:
    return {column: max(map(cell_len, [column, *text[column]])) for column in text}


def _longest_words(text: pd.DataFrame, folding: Sequence[str]) -> dict[str, int]:
    return {
        column: max(cell_len(word) for cell in [column, *text[column]] for word in cell.split())
        for column in folding
        if column in text
    }
