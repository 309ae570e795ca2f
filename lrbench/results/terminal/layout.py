"""Tables and sentences in the terminal."""

from collections.abc import Collection, Iterable

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 80
BETWEEN = 2  # characters between columns


def bare_table(title: str | None = None) -> Table:
    """Return a table without rows: a line below its head, nothing else."""
    return Table(
        title=title and Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def print_table(
    text: pd.DataFrame, left: Collection[str], console: Console, title: str | None = None
) -> None:
    """Print a frame of text; the columns of `left` stand left, numbers right; what is too long is folded."""
    table = bare_table(title)
    for column in text:
        side = "left" if column in left else "right"
        table.add_column(Text(str(column)), justify=side, overflow="fold")
    for cells in text.itertuples(index=False):
        table.add_row(*map(Text, cells))
    console.print(table)


def print_sentences(sentences: Iterable[str], console: Console) -> None:
    """Print sentences, none wider than WIDTH."""
    for sentence in sentences:
        console.print(Text(sentence), width=min(WIDTH, console.width))


def print_words(sentences: Iterable[str], warnings: Iterable[str], console: Console) -> None:
    """Print sentences, and below them warnings with a mark each."""
    words = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        words.add_row("", Text(sentence))
    for sentence in warnings:
        words.add_row(Text("!", style="bold yellow"), Text(sentence))
    console.print(words, width=min(WIDTH, console.width))


# ---- tables of which some columns give way


def print_folding_table(text: pd.DataFrame, folding: Collection[str], console: Console) -> None:
    """Print a frame of text in the width of the console; the columns that may fold stand left, the others
    stay whole.
    """
    table = bare_table()
    for column, width in _widths(text, folding, console.width).items():
        folds = column in folding
        side = "left" if folds else "right"
        table.add_column(Text(column), justify=side, overflow="fold", no_wrap=not folds, width=width)
    for cells in text.itertuples(index=False):
        table.add_row(*map(Text, cells))
    console.print(table)


def least_width(text: pd.DataFrame, folding: Collection[str]) -> int:
    """Return how wide a table is whose folding columns break between words alone."""
    least = _longest(text) | _longest_words(text, folding)
    return sum(least.values()) + BETWEEN * (len(text.columns) - 1)


def _widths(text: pd.DataFrame, folding: Collection[str], width: int) -> dict[str, int]:
    """Return how wide each column is: as its longest cell; where that is too much the widest of those that
    fold give way.

    Down to their longest words if that is enough, else down to equal shares of the line, and at last as far
    as it takes.
    """
    widths = _longest(text)
    words = _longest_words(text, folding)
    room = width - BETWEEN * (len(text.columns) - 1)
    limits = [words]
    if least_width(text, folding) > width:
        limits = [dict.fromkeys(words, room // len(words)), dict.fromkeys(words, 1)]
    for least in limits:
        _give_way(widths, least, room)
    return widths


def _give_way(widths: dict[str, int], least: dict[str, int], room: int) -> None:
    """Make the widest columns narrower, none below its least, until all fit or none can."""
    while sum(widths.values()) > room:
        wider = [column for column in least if widths[column] > least[column]]
        if not wider:
            return
        widths[max(wider, key=widths.__getitem__)] -= 1


def _longest(text: pd.DataFrame) -> dict[str, int]:
    return {str(column): _longest_cell([str(column), *text[column]]) for column in text}


def _longest_cell(cells: Iterable[str]) -> int:
    return max(map(cell_len, cells))


def _longest_words(text: pd.DataFrame, folding: Collection[str]) -> dict[str, int]:
    present = [column for column in folding if column in text]
    return {column: _longest_word([column, *text[column]]) for column in present}


def _longest_word(cells: Iterable[str]) -> int:
    return max(cell_len(word) for cell in cells for word in cell.split())
