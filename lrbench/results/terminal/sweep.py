"""A sweep, a single run, or measured times in the terminal."""

import os
import shlex
from collections.abc import Iterator
from typing import Protocol

import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.text import Text

from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed, named, setting_value
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.timings import timings as timings_of
from lrbench.results.terminal.layout import WIDTH, print_sentences, print_table, print_words
from lrbench.results.words.cells import (
    BRIEF,
    RELATIVE,
    RELATIVE_NOTE,
    ranking_note,
    ranking_text,
    timings_text,
)
from lrbench.results.words.tables import SINGLE_RUN, SPECS, TABLES, TableSpec, tables, text_of
from lrbench.results.words.verdict import budget, headline
from lrbench.results.words.warnings import notes, warnings

RANK, RATIO, WORD = RELATIVE["rank"], RELATIVE["ratio"], RELATIVE["word"]
# headings of columns that stand left here; on the page a task and other columns of words do too
LEFT_IN_TERMINAL = {"optimizer", "best setting", "setting", "parameter", "method"}
MOST_WEIGHTS = 10
MOST_RATIO = 18  # characters; the interval of a longer one is left to the report


class Timings(Protocol):
    """What `lrbench.timing.measure` gives; that module loads torch."""

    @property
    def runs(self) -> list[pa.Table]: ...
    @property
    def problems(self) -> pa.Table: ...
    @property
    def conditions(self) -> str: ...
    @property
    def busy(self) -> list[str]: ...
    @property
    def warnings(self) -> list[str]: ...


def print_ranking(sweep: Sweep, console: Console, *, is_reported: bool) -> None:
    """Print the verdict, what holds over all tasks, a table a task, the warnings, and how many notes there
    are.

    is_reported: whether there is a report, or will be, that has them.
    """
    print_words([*headline(sweep), *budget(sweep)], [], console)
    console.print()
    _print_spec(sweep, SPECS["overall"], console, f"Over all {len(sweep.tasks)} tasks")
    for task, ranking in sweep.ranking.groupby("task", sort=False):
        print_table(_ranking(ranking), LEFT_IN_TERMINAL, console, str(task))
        note = ranking_note(ranking)
        below = f"{RELATIVE_NOTE}. {note}" if note else RELATIVE_NOTE
        console.print(Text(below, style="dim"), width=min(WIDTH, console.width))
        console.print()
    for answers in tables(sweep, SPECS["answers"]):
        print_table(answers.rows, LEFT_IN_TERMINAL, console, answers.heading)
        print_sentences([answers.sentence], console)
        console.print()
    _print_spec(sweep, SPECS["baselines"], console, SPECS["baselines"].heading)
    print_words([], warnings(sweep), console)
    _print_notes(sweep, console, is_reported)


def _print_notes(sweep: Sweep, console: Console, is_reported: bool) -> None:
    """Say how many notes there are beside the warnings, and where; a command is not broken, to be copied."""
    count = len(notes(sweep))
    if not count:
        return
    more = f"{counted(count, 'more note')} in the report"
    if is_reported:
        print_words([f"{more}."], [], console)
        return
    folder = shlex.quote(os.path.relpath(sweep.store.root))
    print_words([f"{more}, which this writes:"], [], console)
    console.print(Text(f"  python -m lrbench report {folder}"), soft_wrap=True)


def _print_spec(sweep: Sweep, spec: TableSpec, console: Console, title: str) -> None:
    """Print a table of the report where it has rows."""
    frame = spec.frame(sweep)
    if len(frame):
        print_table(text_of(sweep, frame, spec.text), LEFT_IN_TERMINAL, console, title)
        console.print()


def _ranking(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the columns of a task's ranking that fit into 80 characters."""
    text = ranking_text(ranking)
    columns = [*BRIEF, "test loss"] if "test loss" in text else BRIEF
    shown = text[columns].copy()
    shown[RATIO] = text[RATIO].map(_short_ratio)
    headings = {
        RANK: "*",
        "arrives after": "arrives after\nevaluations",
        RATIO: "times the\nleader*",
        WORD: "against\nthe leader*",
    }
    return shown.rename(columns=headings)


def _short_ratio(ratio: str) -> str:
    return ratio if len(ratio) <= MOST_RATIO else ratio.partition(" (")[0]


def print_run(sweep: Sweep, console: Console) -> None:
    """Print what a single run reached: its loss on the way, its weights and predictions beside the exact
    ones, the warnings.
    """
    console.print(Text(sweep.tasks["task"].iloc[0], style="bold"))
    for spec in TABLES:
        if spec.place == SINGLE_RUN:
            frame = spec.frame(sweep)
            shown = frame.head(MOST_WEIGHTS) if spec.name == "weights" else frame
            if len(shown):
                print_table(spec.text(shown), LEFT_IN_TERMINAL, console)
                console.print()
    print_words(headline(sweep), warnings(sweep), console)


# ---- measured times


def print_timings(measured: Timings, console: Console) -> None:
    """Print a table a task, fastest to the target first, under what times were taken, and the warnings."""
    rows = timings_of(measured.runs, measured.problems)
    for task, of_task in rows.groupby("task", sort=False):
        until = setting_value(of_task["relative_target"].iloc[0])
        headings = {
            "seconds to target": f"seconds to\n{until}",
            "evaluations to target": f"evals to\n{until}",
        }
        print_table(timings_text(of_task).rename(columns=headings), LEFT_IN_TERMINAL, console, str(task))
        console.print()
    busy = []
    if measured.busy:
        busy.append(f"The machine was busy, measure again before you quote: {listed(measured.busy)}.")
    print_words([measured.conditions], [*busy, *_lost(rows), *measured.warnings], console)


def _lost(rows: pd.DataFrame) -> Iterator[str]:
    names = pd.Series(list(map(named, rows["optimizer"].map(displayed), rows["setting"])), index=rows.index)
    if rows["task"].nunique() > 1:
        names = names + " on " + rows["task"]
    failed = rows["status"] == "failed"
    for reason, of_reason in names[failed].groupby(rows["reason"], sort=False):
        yield f"{listed(list(of_reason))} failed: {str(reason).rstrip('.')}."
    diverged = names[rows["status"] == "diverged"]
    if len(diverged):
        yield f"Diverged, and timed all the same: {listed(list(diverged))}."
