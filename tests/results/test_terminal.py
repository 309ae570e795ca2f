"""What is printed: 80 columns wide, the numbers of the tables, text that is never read as markup."""

import io

import pytest
from conftest import LECTURE, run
from rich.cells import cell_len
from rich.console import Console

from lrbench.results import verdict
from lrbench.results.terminal import print_ranking, print_run

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


def printed(results, write=print_ranking) -> str:
    console = Console(file=io.StringIO(), width=80)
    write(results, console)
    return console.file.getvalue()


def cells(results) -> list[list[str]]:
    return [line.split() for line in printed(results).splitlines()]


def test_each_row_holds_the_numbers_of_the_ranking(write):
    rows = [run("a", 1.234e-7, lr=0.1, seed=0, hit=3), run("a", 1.234e-7, lr=0.1, seed=1, hit=3), run("a", lr=0.2, status="diverged")]
    shown = cells(write(*rows, run("b", 0.0)))
    assert ["1", "b", "lr=0.1", "≤", "1.00e-20", "–", "not", "reached", "0/1"] in shown
    assert ["2", "a", "lr=0.1", "1.23e-7", "1", "3", "1/3"] in shown


def test_ties_share_a_rank_and_the_unranked_have_a_dash(write):
    shown = cells(write(run("a"), run("b"), run("c", status="failed")))
    assert [line[0] for line in shown if len(line) > 1 and line[1] in "abc"] == ["1=", "1=", "–"]


def test_a_table_a_task_under_its_label(write):
    text = printed(write(run(), run(problem_id="synthetic64", problem="synthetic"), problems=(LECTURE, OTHER)))
    assert [line.strip() for line in text.splitlines() if line.strip() in ("lecture", "synthetic")] == ["lecture", "synthetic"]


def test_every_sentence_is_printed(write):
    results = write(run("a", status="diverged"), run("b"), state="interrupted")
    text = " ".join(word for word in printed(results).split() if word != "!")
    for sentence in (*verdict.headline(results), *verdict.warnings(results)):
        assert sentence in text


def test_eighteen_optimizers_with_long_settings_fit(write):
    long = {"betas": [0.9, 0.999], "momentum_decay_schedule": 0.004, "eps": 1e-8}
    rows = [run(f"optimizer_{k}", 10.0**-k, lr=lr, **{**long, "eps": eps}) for k in range(18) for lr in (0.1, 1.234567e-5) for eps in (1e-8, 1e-4)]
    text = printed(write(*rows))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert all(f"optimizer_{k}" in text for k in range(18))


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", ":smile:", "名前" * 60, "[link=http://x]y[/link]"])
def test_names_are_not_markup(write, name):
    text = printed(write(run(name)))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert name in text or len(name) > 80


def test_a_single_run_shows_weights_and_predictions_beside_the_exact_ones(write):
    shown = [line.split() for line in printed(write(run(gap=1e-3, weights=[1.5, 0.25])), print_run).splitlines()]
    assert ["x", "1.5", "2"] in shown
    assert ["intercept", "0.25", "0"] in shown
    assert ["4", "6.25", "8"] in shown
    assert ["0", "8", "8"] in shown
    assert ["8", "0.00100", "0.00100"] in shown


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_single_run_that_did_not_complete(write, status):
    results = write(run(status=status, weights=[float("nan")] * 2 if status == "diverged" else None))
    assert "No run completed on lecture" in printed(results, print_run)
