"""The comparison of two result sets in the terminal."""

from rich.console import Console

from lrbench.results.tables.difference import Difference
from lrbench.results.terminal.layout import least_width, print_folding_table, print_sentences
from lrbench.results.words.cells import changes_text, differences_text
from lrbench.results.words.changes import MOST_SETTINGS, UNLIKE, more_settings, sentences

KEYS = ("key", "A", "B")
FOLDING = ("task", "optimizer", "setting")


def print_difference(difference: Difference, console: Console) -> None:
    """Print what differs in what was asked, the settings, shown changes first, and the sentences; first of
    all where tasks differ.

    Where the settings do not fit, their gaps are left out, which the page has.
    """
    said = sentences(difference)
    first = [sentence for sentence in said if sentence.startswith(UNLIKE)]
    print_sentences(first, console)
    print_folding_table(differences_text(difference.differences), KEYS, console)
    console.print()
    rows = difference.rows
    if (rows["change"] != "identical").any():
        text = changes_text(rows.head(MOST_SETTINGS))
        if least_width(text, FOLDING) > console.width:
            text = text.drop(columns=["gap A", "gap B"])
        print_folding_table(text, FOLDING, console)
        print_sentences(more_settings(rows.iloc[MOST_SETTINGS:]), console)
        console.print()
    print_sentences(said[len(first) :], console)
    if difference.regression:
        print_sentences(["Exit code 1: a regression is shown."], console)
