"""Results in the terminal, 80 columns wide."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lrbench.results import one_run, verdict
from lrbench.results.text import (
    RELATIVE_HEADINGS,
    RELATIVE_NOTE,
    as_text,
    listed,
    named,
    overall_text,
    ranking_note,
    ranking_text,
    setting_value,
    timings_text,
)
from lrbench.results.timings import timings as timings_frame
from lrbench.results.warnings import warnings

if TYPE_CHECKING:
    from lrbench.results.result_set import Results
    from lrbench.timing import Timings

WIDTH = 80
RANK, RATIO = RELATIVE_HEADINGS["rank"], RELATIVE_HEADINGS["ratio"]
RANKING = [RANK, "optimizer", "best setting", "final gap", RATIO, "evaluations to target", "diverged"]
LEFT = {"optimizer", "best setting", "setting", "parameter", "method"}
MOST_WEIGHTS = 10
MOST_RATIO = 15  # characters; the interval of a longer one is left to the report


def print_ranking(results: "Results", console: Console) -> None:
    """Print what holds over all tasks, a table a task, the sentences, and the warnings."""
    if len(results.overall):
        console.print(_table(overall_text(results.overall), title=f"Over all {len(results.tasks)} tasks"))
        console.print()
    headings = {
        RANK: "*",
        RATIO: "times the\nleader*",
        "evaluations to target": f"evals to\n{setting_value(results.manifest['target'])}",
    }
    for task, ranking in results.ranking.groupby("task", sort=False):
        text = ranking_text(ranking)
        text[RATIO] = [cell if len(cell) <= MOST_RATIO else cell.partition(" (")[0] for cell in text[RATIO]]
        console.print(
            _table(
                text[[*RANKING, *text.columns.intersection(["test loss"])]].rename(columns=headings),
                title=str(task),
            )
        )
        note = ranking_note(ranking)
        console.print(
            Text(f"{RELATIVE_NOTE}{'. ' * bool(note)}{note}", style="dim"), width=min(WIDTH, console.width)
        )
        console.print()
    if results.manifest.get("baselines") and len(rows := results.baselines):
        console.print(
            _table(
                as_text(rows.drop(columns=["task"] * (len(results.tasks) == 1))),
                title="What tuning could at best have found",
            )
        )
        console.print()
    _print_words([*verdict.headline(results), *verdict.budget(results)], warnings(results), console)


def print_run(results: "Results", console: Console) -> None:
    """Print what a single run reached: its loss on the way, its weights and predictions beside the exact ones, and the warnings."""
    console.print(Text(results.tasks["task"].iloc[0], style="bold"))
    for name, _, _, rows, written in one_run.told(results):
        console.print(_table(written(rows.head(MOST_WEIGHTS) if name == "weights" else rows)))
        console.print()
    _print_words(verdict.headline(results), warnings(results), console)


def print_timings(measured: "Timings", target: float, console: Console) -> None:
    """Print a table a task, fastest to the target first, under what the times were taken, and the warnings."""
    rows = timings_frame(measured.runs, measured.problems, target)
    until = setting_value(target)
    headings = {"seconds to target": f"seconds to\n{until}", "evaluations to target": f"evals to\n{until}"}
    for task, of_task in rows.groupby("task", sort=False):
        console.print(_table(timings_text(of_task).rename(columns=headings), title=str(task)))
        console.print()
    busy = [f"The machine was busy, measure again before you quote: {listed(measured.busy)}."] * bool(
        measured.busy
    )
    _print_words([measured.conditions], [*busy, *_lost(rows), *measured.warnings], console)


def _lost(rows: pd.DataFrame) -> Iterator[str]:
    where = " on " + rows["task"] if rows["task"].nunique() > 1 else ""
    names = pd.Series(map(named, rows["name"], rows["setting"]), index=rows.index) + where
    for reason, failed in names[rows["status"] == "failed"].groupby(rows["reason"], sort=False):
        yield f"{listed(list(failed))} failed: {str(reason).rstrip('.')}."
    if len(diverged := names[rows["status"] == "diverged"]):
        yield f"Diverged, and timed all the same: {listed(list(diverged))}."


def _table(text: pd.DataFrame, title: str | None = None) -> Table:
    table = Table(
        title=title and Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in text:
        table.add_column(Text(str(column)), justify="left" if column in LEFT else "right", overflow="fold")
    for cells in text.itertuples(index=False):
        table.add_row(*map(Text, cells))
    return table


def _print_words(sentences: Iterable[str], warnings: Iterable[str], console: Console) -> None:
    words = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        words.add_row("", Text(sentence))
    for sentence in warnings:
        words.add_row(Text("!", style="bold yellow"), Text(sentence))
    console.print(words, width=min(WIDTH, console.width))
