"""What is printed: 80 columns wide, the numbers of the tables, text that is never read as markup."""

import io
import os
from functools import partial

import numpy as np
import pytest
from conftest import LECTURE, run, tuned
from rich.cells import cell_len
from rich.console import Console
from scipy import stats

from lrbench.results.notation import factor
from lrbench.results.terminal.layout import print_sentences, print_words
from lrbench.results.terminal.sweep import print_ranking, print_run
from lrbench.results.words import verdict
from lrbench.results.words.cells import RELATIVE_NOTE
from lrbench.results.words.warnings import warnings

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


REPORTED = partial(print_ranking, is_reported=True)


def printed(results, write=REPORTED) -> str:
    console = Console(file=io.StringIO(), width=80)
    write(results, console)
    return console.file.getvalue()


def cells(results) -> list[list[str]]:
    return [line.split() for line in printed(results).splitlines()]


def test_each_row_holds_the_numbers_of_the_ranking(write):
    rows = [
        run("a", lr=0.1, seed=0, cost=3),
        run("a", lr=0.1, seed=1, cost=6),
        run("a", lr=0.2, status="diverged"),
    ]
    shown = cells(write(*rows, run("b", cost=2), run("b", cost=2, seed=1)))
    ratio = (3 * 6) ** 0.5 / 2
    assert ["1=", "b", "lr=0.1", "2", "1.00", "leads"] in shown
    (row,) = [line for line in shown if line[:3] == ["1=", "a", "lr=0.1"]]
    assert (row[3], row[4], row[-2:]) == ("4", f"{ratio:.2g}", ["not", "settled"])


def test_what_depends_on_the_others_is_marked_and_explained(write):
    text = printed(write(run("a"), run("b", 1.0)))
    heading = ["*", "optimizer", "best", "setting", "evaluations", "leader*", "the", "leader*"]
    assert heading in [line.split() for line in text.splitlines()]
    assert text.count(RELATIVE_NOTE) == 1


@pytest.mark.parametrize(("times", "has_room"), [(30.0, True), (30_000.0, False)])
def test_an_interval_stands_in_the_table_as_far_as_it_has_room(write, times, has_room):
    """Nobody arrives, so levels are compared."""
    ratios = times * np.array([1.0, 1.1, 0.95, 1.02, 1.07, 0.9])
    pairs = [
        row
        for seed, x in enumerate(ratios)
        for row in (run("a", 1e-4 * (seed + 1), seed=seed), run("b", 1e-4 * (seed + 1) * x, seed=seed))
    ]
    (line,) = [line for line in printed(write(*pairs)).splitlines() if line.startswith("2")]
    low, high = np.exp(stats.t.interval(0.95, 5, np.log(ratios).mean(), stats.sem(np.log(ratios))))
    assert (f" {factor(stats.gmean(ratios))} ({factor(low)}–{factor(high)})" in line) == has_room
    assert f" {factor(stats.gmean(ratios))} " in line


def test_a_tuned_sweep_says_what_it_spent(write_tuned):
    gaps = [1e-7 * k for k in range(1, 4)]
    results = write_tuned(
        tuned("a", {0.01: [1e-3], 0.1: [1e-7]}, gaps, gaps[::-1]),
        tuned("b", {0.01: [1e-2], 0.1: [1e-3]}, gaps[::-1], gaps),
    )
    text = " ".join(printed(results).split())
    assert (
        "Budget: 2 settings an optimizer on 1 tuning seed; gradient evaluations: 32 for the search, 48 "
        "for the evaluation, 48 at the defaults."
    ) in text
    assert "Budget" not in printed(results, print_run)


def test_ties_share_a_rank_and_the_unranked_have_a_dash(write):
    shown = cells(write(run("a"), run("b"), run("c", status="failed")))
    assert [line[0] for line in shown if len(line) > 1 and line[1] in "abc"] == ["1=", "1=", "–"]


def test_a_table_a_task_under_its_label(write):
    text = printed(
        write(run(), run(problem_id="synthetic64", problem="synthetic"), problems=(LECTURE, OTHER))
    )
    assert [line.strip() for line in text.splitlines() if line.strip() in ("lecture", "synthetic")] == [
        "lecture",
        "synthetic",
    ]


def test_every_sentence_is_printed(write):
    results = write(run("a", status="diverged"), run("b"), state="interrupted")
    text = " ".join(word for word in printed(results).split() if word != "!")
    for sentence in (*verdict.headline(results), *warnings(results)):
        assert sentence in text


def test_eighteen_optimizers_with_long_settings_fit(write):
    long = {"betas": [0.9, 0.999], "momentum_decay_schedule": 0.004, "eps": 1e-8}
    rows = [
        run(f"optimizer_{k}", 10.0**-k, lr=lr, **{**long, "eps": eps})
        for k in range(18)
        for lr in (0.1, 1.234567e-5)
        for eps in (1e-8, 1e-4)
    ]
    text = printed(write(*rows))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert all(f"optimizer_{k}" in text for k in range(18))


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", ":smile:", "名前" * 60, "[link=http://x]y[/link]"])
def test_names_are_not_markup(write, name):
    text = printed(write(run(name)))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert name in text or len(name) > 80


def test_a_single_run_shows_weights_and_predictions_beside_the_exact_ones(write):
    shown = [
        line.split() for line in printed(write(run(gap=1e-3, weights=[1.5, 0.25])), print_run).splitlines()
    ]
    assert ["x", "1.5", "2"] in shown
    assert ["intercept", "0.25", "0"] in shown
    assert ["4", "6.25", "8"] in shown
    assert ["0", "8", "8"] in shown
    assert ["8", "0.00100", "0.00100"] in shown


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_single_run_that_did_not_complete(write, status):
    results = write(run(status=status, weights=[float("nan")] * 2 if status == "diverged" else None))
    assert "No run completed: " in printed(results, print_run)


def test_sentences_fill_80_columns_and_no_more_however_wide_the_terminal_is():
    console = Console(file=io.StringIO(), width=200)
    letters = " ".join(100 * ["a"])  # 199 columns wide: breaks anywhere
    print_sentences([letters], console)
    print_words([letters], [letters], console)
    widths = [cell_len(line.rstrip()) for line in console.file.getvalue().splitlines()]
    assert max(widths) in (79, 80)


def test_notes_are_where_there_is_or_can_be_a_report(write):
    """Of levels at the gap floor."""
    results = write(run("a", 0.0), run("b", 0.0))
    assert "1 more note in the report.\n" in printed(results)
    folder = os.path.relpath(results.store.root)
    without = printed(results, partial(print_ranking, is_reported=False))
    assert f"1 more note in the report, which this writes:\n  python -m lrbench report {folder}\n" in without
