"""The sentences: that each stands exactly where it applies, with the numbers of the tables in it."""

import pytest
from conftest import FLOOR, LECTURE, run

from lrbench.results import verdict
from lrbench.results.text import listed, number, ranking_text, setting_value, shortened

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


def seeds(name="sgd", gaps=(1e-4, 1e-3, 1e-2), **changes):
    return [run(name, gap, seed=seed, **changes) for seed, gap in enumerate(gaps)]


def grid(name="sgd", best=1e-6, **changes):
    return [
        run(name, best if lr == 0.02 else 1e-1, lr=lr, seed=seed, final_loss=gap, hit=3, **changes)
        for lr in (0.01, 0.02, 0.04)
        for seed, gap in enumerate((1, 2))
    ]


def words(results) -> str:
    return "\n".join(verdict.warnings(results))


# ---- headline


def test_the_lowest_with_its_setting_gap_and_field(write):
    results = write(*seeds(), *seeds("adam", (1.0, 1.0, 1.0)))
    assert verdict.headline(results) == [
        "sgd (lr=0.1) ends lowest on lecture: gap 0.001 after 8 steps, geometric mean over 3 starts; 2 optimizers ran.".replace("0.001", number(1e-3))
    ]


def test_one_optimizer_alone_is_not_lowest(write):
    (sentence,) = verdict.headline(write(run(gap=1e-3)))
    assert "lowest" not in sentence
    assert "ends on lecture at gap" in sentence
    assert "one run" in sentence


@pytest.mark.parametrize(
    ("shared", "what"),
    [
        ({}, "3 starts"),
        ({"init": "zeros"}, "3 seeds"),
        ({"batch_size": 2, "batch_order": "shuffled"}, "3 starts and batch orders"),
        ({"batch_size": 2, "batch_order": "shuffled", "init": "zeros"}, "3 batch orders"),
        ({"batch_size": 2}, "3 starts"),
    ],
)
def test_what_the_seeds_vary_is_named(write, shared, what):
    assert f"geometric mean over {what}" in verdict.headline(write(*seeds(**shared)))[0]


def test_a_tie_at_the_floor_names_all_and_crowns_none(write):
    (sentence,) = verdict.headline(write(run("a", 0.0), run("b", FLOOR), run("c", 1e-3)))
    assert sentence.startswith("a (lr=0.1) and b (lr=0.1) are tied on lecture: they end at the gap floor, 1.00e-20 or less")
    assert "lowest" not in sentence


def test_equal_gaps_end_level(write):
    assert "a (lr=0.1) and b (lr=0.1) end level on lecture: gap 0.00100" in verdict.headline(write(run("a"), run("b")))[0]


def test_alone_at_the_floor_says_so(write):
    assert "ends lowest on lecture: gap 1.00e-20 or less, the gap floor," in verdict.headline(write(run("a", 0.0), run("b")))[0]


def test_nothing_completed(write):
    results = write(run("a", status="diverged"), run("a", status="diverged", seed=1), run("b", status="failed"))
    assert verdict.headline(results) == ["No run completed on lecture: 2 diverged and 1 failed of 3."]


def test_no_winner_where_everybody_lost_a_seed(write):
    rows = [run(name, seed=seed, status=status) for name in "ab" for seed, status in enumerate(("completed", "diverged"))]
    (sentence,) = verdict.headline(write(*rows))
    assert sentence == "No optimizer completed all its seeds on lecture, whatever the setting; 2 optimizers ran."


def test_a_sentence_a_task(write):
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    results = write(run("a", 1e-3), run("b", 1e-5), run("a", 1e-5, **other), run("b", 1e-3, **other), problems=(LECTURE, OTHER))
    assert [sentence.split(":")[0] for sentence in verdict.headline(results)] == [
        "b (lr=0.1) ends lowest on lecture",
        "a (lr=0.1) ends lowest on synthetic",
    ]


# ---- warnings


def test_a_clean_sweep_has_no_warnings(write):
    assert verdict.warnings(write(*grid(), *grid("adam"))) == []


@pytest.mark.parametrize(("state", "text"), [("interrupted", "was interrupted"), ("running", "is still running or was stopped")])
def test_an_unfinished_sweep_counts_what_is_stored(write, state, text):
    results = write(*grid(), state=state, counts={"planned": 40, "completed": 6, "diverged": 0, "failed": 0})
    assert verdict.warnings(results)[0] == f"The sweep {text}: 6 of 40 planned runs are stored. The same request goes on from there."


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (seeds(), "One learning rate only"),
        ([run()], "One seed only: how much"),
        (seeds(gaps=(1e-3, 1e-3), start_loss=1.0, start_gap=1.0), "identical for sgd (up to 2 of one setting)"),
        ([run(gap=10.0**-lr, lr=float(lr)) for lr in (1, 2, 3)], "sgd (lr=3, highest of 3)"),
        (seeds(gaps=(0.0, 0.0)), "At the gap floor, where differences are rounding and all are tied: sgd (1.00e-20)."),
        (seeds(), "No optimizer reached the target, a relative gap of 1e-6"),
        ([run(hit=3), run(seed=1), run(seed=2)], "Fewer than half of the seeds reached the target, a relative gap of 1e-6: sgd (1/3)."),
        ([run(), run(seed=1, status="diverged")], "sgd (lr=0.1) 1 of 2"),
        ([run(), run(seed=1, status="failed", reason="needs a closure.")], "1 of 2 runs failed: needs a closure.\n"),
        ([run(), run("adam", status="diverged"), run("adam", seed=1)], "1 of 3 runs (adam 1 of 2) diverged."),
    ],
)
def test_each_warning(write, rows, sentence):
    alone = sentence == "One learning rate only"
    assert sentence in words(write(*rows, *grid("other") if alone else [])) + "\n"


def test_a_single_optimizer_is_not_called_untuned(write):
    assert "One learning rate only" not in words(write(*seeds()))


def test_half_of_the_seeds_is_enough_for_the_target(write):
    assert "reached the target" not in words(write(run(hit=3), run(seed=1)))


def test_undefined_targets_are_said_once_and_not_called_missed(write):
    text = words(write(*seeds(), problems=(LECTURE | {"scale": None},)))
    assert text.count("undefined on lecture") == 1
    assert "reached" not in text


def test_one_seed_of_some_is_named(write):
    assert "One seed only for adam" in words(write(*seeds(), run("adam")))


def test_the_plans_own_warnings_come_last(write):
    assert verdict.warnings(write(run(), warnings=["sgd: lr is not used."]))[-1] == "sgd: lr is not used."


# ---- how numbers are written


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (500, "500"),
        (0.1, "0.100"),
        (12.34, "12.3"),
        (3.1e-12, "3.10e-12"),
        (113_613.5, "1.14e5"),
        (float("inf"), "inf"),
        (float("nan"), "–"),
        (-0.5, "-0.500"),
    ],
)
def test_numbers(x, text):
    assert number(x) == text


@pytest.mark.parametrize("x", [1.234567e-19, 3.3e-7, 0.0123456, 1 / 3, 47.11, 999_999.7, 6.02e23])
def test_a_written_number_has_three_digits(x):
    assert float(number(x)) == pytest.approx(x, rel=5.001e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-5, "1e-5"),
        (1.0, "1"),
        (True, "true"),
        (None, "null"),
        ((0.9, 0.999), "[0.9,0.999]"),
        ((None, 1e-3), "[null,0.001]"),
        ("mean", "mean"),
        (3, "3"),
    ],
)
def test_setting_values_are_written_as_hydra_reads_them(value, text):
    assert setting_value(value) == text


def test_lists_and_cuts():
    assert [listed(list("abcdefgh"[:n])) for n in (0, 1, 2, 6, 8)] == ["", "a", "a and b", "a, b, c, d, e and f", "a, b, c, d, e and 3 others"]
    assert [shortened(text, 4) for text in ("abcd", "abcde")] == ["abcd", "abc…"]


def test_the_printed_ranking(write):
    results = write(run("a", 0.0, hit=3), run("b", 0.0), run("c", 1e-3), run("d", status="failed"))
    text = ranking_text(results.ranking).set_index("optimizer")
    assert text["rank"].to_dict() == {"a": "1=", "b": "1=", "c": "3", "d": "–"}
    assert text["final gap"].to_dict() == {"a": "≤ 1.00e-20", "b": "≤ 1.00e-20", "c": "0.00100", "d": "inf"}
    assert text["evaluations to target"].to_dict() == {"a": "3", "b": "not reached", "c": "not reached", "d": "not reached"}
    assert text["failed"].to_dict() == {"a": "0/1", "b": "0/1", "c": "0/1", "d": "1/1"}
