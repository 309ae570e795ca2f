"""Results in the terminal, 80 columns wide."""

from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lrbench.results import one_run, verdict
from lrbench.results.text import as_text, ranking_text, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

WIDTH = 80
RANKING = ["rank", "optimizer", "best setting", "final gap", "spread", "evaluations to target", "diverged"]
LEFT = {"optimizer", "best setting", "parameter"}
MOST_WEIGHTS = 10


def print_ranking(results: "Results", console: Console) -> None:
    """Print a table a task, a sentence on each, and the warnings."""
    headings = {"rank": "", "evaluations to target": f"evals to\n{setting_value(results.manifest['target'])}"}
    for task, ranking in results.ranking.groupby("task", sort=False):
        console.print(_table(ranking_text(ranking)[RANKING].rename(columns=headings), title=str(task)))
        console.print()
    _print_words(results, console)


def print_run(results: "Results", console: Console) -> None:
    """Print what a single run reached: its loss on the way, its weights and predictions beside the exact ones, and the warnings."""
    console.print(_table(as_text(one_run.milestones(results)), title=results.tasks["task"].iloc[0]))
    for frame in (one_run.weights(results).head(MOST_WEIGHTS), one_run.predictions(results)):
        if len(frame):
            console.print()
            console.print(_table(frame.map(setting_value)))
    console.print()
    _print_words(results, console)


def _table(text: pd.DataFrame, title: str | None = None) -> Table:
    table = Table(
        title=title and Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for column in text:
        table.add_column(Text(str(column)), justify="left" if column in LEFT else "right", overflow="fold")
    for cells in text.itertuples(index=False):
        table.add_row(*map(Text, cells))
    return table


def _print_words(results: "Results", console: Console) -> None:
    words = Table.grid(padding=(0, 1, 0, 0))
    for sentence in verdict.headline(results):
        words.add_row("", Text(sentence))
    for sentence in verdict.warnings(results):
        words.add_row(Text("!", style="bold yellow"), Text(sentence))
    console.print(words, width=min(WIDTH, console.width))
