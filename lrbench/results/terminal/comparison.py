"""The comparison of two result sets in the terminal: the verdict, the settings, what was asked otherwise."""

from rich.console import Console

from lrbench.results.tables.difference import Difference
from lrbench.results.terminal.layout import least_width, print_folding_table, print_sentences
from lrbench.results.words.cells import COSTS_NOTE, changes_text, differences_text
from lrbench.results.words.changes import MOST_SETTINGS, more_settings, sentences

KEYS = ("key", "A", "B")
FOLDING = ("task", "optimizer", "setting")
GIVING_WAY = (["p"], ["cost A", "cost B"])  # that a narrow terminal goes without, one after the other


def print_difference(difference: Difference, console: Console) -> None:
    """Print the sentences, the settings, what changed most first, and what differs in what was asked.

    Where the settings do not fit, some of their columns are left out, which the page has.
    """
    print_sentences(sentences(difference), console)
    console.print()
    if (difference.rows["change"] != "identical").any():
        _print_settings(difference, console)
        console.print()
    print_folding_table(differences_text(difference.differences), KEYS, console)
    if difference.regression:
        console.print()
        print_sentences(["Exit code 1: a regression is shown."], console)


def _print_settings(difference: Difference, console: Console) -> None:
    rows = difference.rows
    text = changes_text(rows.head(MOST_SETTINGS))
    for columns in GIVING_WAY:
        if least_width(text, FOLDING) > console.width:
            text = text.drop(columns=columns)
    print_folding_table(text, FOLDING, console)
    print_sentences(more_settings(rows.iloc[MOST_SETTINGS:]), console)
    if "cost A" in text:
        print_sentences([COSTS_NOTE], console)
