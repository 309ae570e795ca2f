"""The sentences: who ends lowest and what backs it, the target, the learning rate, tuning, across tasks. Numbers by hand or from scipy."""

import itertools

import numpy as np
import pytest
from conftest import FLOOR, LECTURE, TUNE, run, tuned
from scipy import stats

from lrbench.results import verdict
from lrbench.results.text import factor, listed, number, ranking_text, setting_value, shortened

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}
ELSEWHERE = {"problem_id": "synthetic64", "problem": "synthetic"}
WOBBLE = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.2, 0.7, 1.0, 1.4, 0.95])  # of one side of a pair, so that ratios vary


def seeds(name="sgd", gaps=(1e-4, 1e-3, 1e-2), **changes):
    ended = [("completed", gap) if np.isfinite(gap) else ("diverged", gap) for gap in gaps]
    return [run(name, gap, seed=seed, status=status, **changes) for seed, (status, gap) in enumerate(ended)]


def ten(mean, wobble=None):
    return list(mean * np.arange(1, 11) * (1 if wobble is None else wobble))


def paired(a, b) -> str:
    """The geometric mean of b / a and its 95 % interval, by scipy."""
    logs = np.log(b) - np.log(a)
    low, high = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
    return f"{factor(np.exp(logs.mean()))} times, 95 % interval {factor(np.exp(low))} to {factor(np.exp(high))}"


def leader(results) -> str:
    return verdict.headline(results)[0]


# ---- one run each, or the same runs: facts without a test


def test_one_run_each_is_told_by_digits(write):
    results = write(run("sgd", 1e-4), run("adam", 1.0))
    assert leader(results) == "sgd (lr=0.1) ends lowest on lecture: gap 1.00e-4 after 8 steps, one run; 2 optimizers ran."


def test_one_optimizer_alone_is_not_lowest(write):
    sentence = leader(write(*seeds(), *seeds(lr=0.2)))
    assert sentence == "sgd (lr=0.1) ends on lecture at gap 0.00100 after 8 steps, geometric mean over 3 starts; the best of 2 settings."


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
    assert f"geometric mean over {what}" in leader(write(*seeds(**shared)))
    assert leader(write(*seeds(**shared), *seeds("adam", (1.0, 2.0, 4.0), **shared), folder="two")).startswith(f"Over {what} of this one problem, ")


def test_a_tie_at_the_floor_names_all_and_crowns_none(write):
    sentence = leader(write(run("a", 0.0), run("b", FLOOR), run("c", 1e-3)))
    assert sentence.startswith("a (lr=0.1) and b (lr=0.1) are tied on lecture: they end at the gap floor, 1.00e-20 or less, after 8 steps")
    assert "lowest" not in sentence


def test_bit_equal_runs_are_identical_and_not_tested(write):
    sentence = leader(write(*seeds("a"), *seeds("b")))
    assert sentence.startswith("a (lr=0.1) and b (lr=0.1) are identical on lecture: bit-equal runs, no test; gap 0.00100 after 8 steps")


def test_alone_at_the_floor_says_so(write):
    assert "ends lowest on lecture: gap 1.00e-20 or less, the gap floor, after 8 steps" in leader(write(run("a", 0.0), run("b")))


def test_nothing_completed(write):
    results = write(run("a", status="diverged"), run("a", status="diverged", seed=1), run("b", status="failed"))
    assert leader(results) == "No run completed on lecture: 2 diverged and 1 failed of 3."
    assert "To paste" not in " ".join(verdict.headline(results))


def test_no_winner_where_everybody_lost_a_seed(write):
    rows = [run(name, seed=seed, status=status) for name in "ab" for seed, status in enumerate(("completed", "diverged"))]
    assert leader(write(*rows)) == "No optimizer completed all its seeds on lecture, whatever the setting; 2 optimizers ran."


# ---- tested


def test_who_is_behind_by_how_much_is_the_paired_t_interval(write):
    a, b = ten(1e-7), ten(3e-7, WOBBLE)
    expected = f"b is behind ({paired(a, b)})."
    assert leader(write(*seeds("a", a), *seeds("b", b))) == (
        f"Over 10 starts of this one problem, a (lr=0.1) ends lowest on lecture after 8 steps: geometric mean {number(stats.gmean(a))}; {expected}"
    )


def test_what_cannot_be_told_apart_is_not_equal_but_not_visible(write):
    a, b = ten(1e-7), ten(1.05e-7, WOBBLE[::-1])
    logs = np.log(b) - np.log(a)
    visible = np.exp(stats.t.ppf(0.975, 9) * stats.sem(logs))
    assert stats.ttest_rel(np.log(a), np.log(b)).pvalue > 0.05
    sentence = leader(write(*seeds("a", a), *seeds("b", b)))
    assert sentence.endswith(f"no difference shown from b (differences under {visible:.3g} times are not visible).")
    assert "equal" not in sentence


def test_the_field_is_split_and_the_next_one_is_named(write):
    far, near, worst = ten(3e-6, WOBBLE), ten(1.02e-7, WOBBLE[::-1]), ten(1e-3, WOBBLE)
    sentence = leader(
        write(*seeds("a", ten(1e-7)), *seeds("near", near), *seeds("far", far), *seeds("worst", worst), *seeds("worst", ten(1.0), lr=0.2))
    )
    assert "; not separable from near (differences under" in sentence
    assert f"; 2 others are behind (next: far, {paired(ten(1e-7), far)}); Holm over 6 tests; settings chosen on the same seeds." in sentence


def test_all_others_behind(write):
    sentence = leader(write(*seeds("a", ten(1e-7)), *seeds("b", ten(3e-6, WOBBLE)), *seeds("c", ten(3e-3, WOBBLE))))
    assert "; all 2 others are behind (next: b, " in sentence
    assert sentence.endswith("; Holm over 3 tests.")


def test_one_lost_run_leaves_order_and_a_bound(write):
    lost = [*ten(4e-7)[:9], np.inf]
    sentence = leader(write(*seeds("a", ten(1e-7)), *seeds("b", lost)))
    assert sentence.endswith("; b is behind (in 10 of 10 runs, at least 4.0 times).")


def test_most_runs_lost_is_no_ratio(write):
    sentence = leader(write(*seeds("a", ten(1e-7)), *seeds("b", [4e-7, *[np.inf] * 9]), *seeds("c", [np.inf] * 10)))
    assert "; b is behind (in 10 of 10 runs, most of its runs did not complete); c never completed." in sentence


def test_five_runs_with_one_lost_show_nothing(write):
    sentence = leader(write(*seeds("a", ten(1e-7)[:5]), *seeds("b", [*ten(4e-7)[:4], np.inf])))
    assert sentence.endswith("no difference shown from b (sign test, smallest p = 0.062).")


def test_identical_ones_stand_beside_tested_ones(write):
    sentence = leader(write(*seeds("a", ten(1e-7)), *seeds("b", ten(1e-7)), *seeds("c", ten(1e-6, WOBBLE))))
    assert "; identical to b: bit-equal runs, no test; c is behind (" in sentence


def test_a_certain_difference_within_the_margin_is_not_called_better(write):
    near = ten(1.1e-7, 1 + (WOBBLE - 1) / 100)
    sentence = leader(write(*seeds("a", ten(1e-7)), *seeds("b", near)))
    assert sentence.endswith(f"; b differs, but perhaps by less than 1.25 times ({paired(ten(1e-7), near)}).")


def test_repeated_runs_count_once(write):
    sentence = leader(write(*seeds("a", [1e-7, 1e-7, 2e-7, 3e-7]), *seeds("b", [3e-3, 3e-3, 9e-3, 6e-3])))
    assert ", 3 distinct runs)." in sentence


def test_batches_are_judged_over_the_last_epoch(write):
    batches = {"batch_size": 1, "batch_order": "shuffled"}
    assert ": geometric mean 4.53e-7 over the last epoch; " in leader(
        write(*seeds("a", ten(1e-7), **batches), *seeds("b", ten(1e-6, WOBBLE), **batches))
    )


# ---- chosen on other seeds


def tuned_pair(a, b, a_found=1e-7, b_found=1e-6):
    rates = {0.01: [1e-2, 2e-2]}
    return tuned("a", rates | {0.1: [a_found] * 2}, a, ten(1e-3)), tuned("b", rates | {0.1: [b_found] * 2}, b, ten(1e-3))


def test_the_leader_of_the_tuning_seeds_is_tested_on_others(write_tuned):
    sentence = leader(write_tuned(*tuned_pair(ten(1e-7), ten(3e-6, WOBBLE))))
    assert sentence.startswith(
        "Over 10 starts of this one problem, a (lr=0.1) ends lowest on lecture after 8 steps: geometric mean 4.53e-7; b is behind ("
    )
    assert "same seeds" not in sentence
    assert "Holm" not in sentence


def test_a_leader_that_is_beaten_is_said_to_be(write_tuned):
    sentence = leader(write_tuned(*tuned_pair(ten(3e-6, WOBBLE), ten(1e-7))))
    assert sentence.startswith("Over 10 starts of this one problem, b (lr=0.1) ends lowest")
    assert f"; a, lowest on the tuning seeds, is beaten here; a is behind ({paired(ten(1e-7), ten(3e-6, WOBBLE))})." in sentence


def test_a_leader_that_loses_seeds_is_said_to(write_tuned):
    sentence = leader(write_tuned(*tuned_pair([*ten(1e-7)[:9], np.inf], ten(1.1e-7, WOBBLE))))
    assert sentence.startswith("Over 10 starts of this one problem, b (lr=0.1) ends lowest")
    assert "; a, lowest on the tuning seeds, lost seeds here; " in sentence


def test_a_leader_that_is_not_lowest_is_not_said_to_be(write_tuned):
    sentence = leader(write_tuned(*tuned_pair(ten(1.05e-7, WOBBLE[::-1]), ten(1e-7))))
    assert ", a (lr=0.1) ends on lecture after 8 steps: " in sentence
    assert "; b ends lower, at 4.53e-7, which may be chance; no difference shown from b (" in sentence


# ---- the target


def target(results) -> str:
    return next(sentence for sentence in verdict.headline(results) if "the target" in sentence)


def hits(name, costs, **changes):
    return [run(name, 1e-3 * (1 + seed), seed=seed, hit=cost, **changes) for seed, cost in enumerate(costs)]


@pytest.mark.parametrize(
    ("costs", "sentence"),
    [
        (
            {"a": [30, 40, 50], "b": [100, 124, 900]},
            "a reaches the target (relative gap 1e-6) in 40 gradient evaluations, 3.1 times fewer than b; 3 of 3 starts.",
        ),
        (
            {"a": [30, 40, None], "b": [100, None, None]},
            "a reaches the target (relative gap 1e-6) in 40 gradient evaluations, and no other does in half of its runs; 2 of 3 starts.",
        ),
        ({"a": [40, 40, 40], "b": [40, 40, 40]}, "a reaches the target (relative gap 1e-6) in 40 gradient evaluations, as many as b; 3 of 3 starts."),
        ({"a": [0, 0, 0], "b": [7, 7, 7]}, "a reaches the target (relative gap 1e-6) in 0 gradient evaluations, before b; 3 of 3 starts."),
        ({"a": [40], "b": [None]}, "a reaches the target (relative gap 1e-6) in 40 gradient evaluations, and no other does in half of its runs."),
        (
            {"a": [None, None, 9], "b": [None] * 3},
            "No optimizer reaches the target (relative gap 1e-6) in half of its runs; a does in 1 of 3 starts.",
        ),
        ({"a": [None], "b": [None]}, "No optimizer reaches the target (relative gap 1e-6)."),
        ({"a": [None, None, 9]}, "a does not reach the target (relative gap 1e-6) in half of its runs; a does in 1 of 3 starts."),
        ({"a": [5]}, "a reaches the target (relative gap 1e-6) in 5 gradient evaluations."),
    ],
)
def test_the_target(write, costs, sentence):
    assert target(write(*itertools.chain(*(hits(name, each) for name, each in costs.items())))) == sentence


def test_no_target_where_relative_gaps_are_undefined(write):
    assert "target" not in " ".join(verdict.headline(write(run(), problems=(LECTURE | {"scale": None},))))


# ---- the learning rate


def rates(name, reached, lrs=(1e-3, 1e-2, 1e-1, 1.0)):
    return [run(name, 1e-3 / (1 + place), lr=lr, hit=3 if place in reached else None) for place, lr in enumerate(lrs)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"a": {1, 2}, "b": {1}}, "a is least sensitive to its lr: 1.0 decades reach the target."),
        ({"a": {1, 2, 3}, "b": {1, 2}}, "a is least sensitive to its lr: at least 2.0 decades reach the target."),
        (
            {"a": {1, 2}, "b": {2, 3}, "c": {1}},
            "Least sensitive to their lr are b (at least 1.0 decades) and a (1.0 decades): so much of it reaches the target.",
        ),
        (
            {"a": {0, 1, 2}, "b": {2, 3}},
            "Least sensitive to their lr are a (at least 2.0 decades) and b (at least 1.0 decades): so much of it reaches the target.",
        ),
        ({"a": {1, 2}}, "a reaches the target over 1.0 decades of its lr."),
        ({"a": {1}, "b": set()}, None),
    ],
)
def test_the_learning_rate(write, fields, sentence):
    found = [
        words
        for words in verdict.headline(write(*itertools.chain(*(rates(*each) for each in fields.items()))))
        if "its lr" in words or "their lr" in words
    ]
    assert found == [sentence] * (sentence is not None)


# ---- tuning


def gain(results) -> list[str]:
    return [words for words in verdict.headline(results) if "default" in words]


def alone(best, default):
    return tuned("a", {0.01: [1e-2, 2e-2], 0.1: [1e-7, 2e-7]}, best, default)


@pytest.mark.parametrize(
    ("default", "sentence"),
    [
        ([np.inf] * 10, "a needed tuning: with its default lr most of its runs do not complete."),
        ([*ten(4e-5)[:9], np.inf], "Tuning gained a at least 400 times over its default lr (sign test, 10 pairs, p = 0.002)."),
    ],
)
def test_what_tuning_gained(write_tuned, default, sentence):
    assert gain(write_tuned(alone(ten(1e-7), default))) == [sentence]


def test_no_gain_is_shown_with_its_p(write_tuned):
    best, default = ten(1e-7, WOBBLE), ten(1e-7)
    p = stats.ttest_rel(np.log(best), np.log(default)).pvalue
    assert gain(write_tuned(alone(best, default))) == [f"No gain from tuning is shown for a over its default lr (p = {p:.2g})."]


def test_the_gain_is_a_paired_ratio_with_its_interval(write_tuned):
    best, default = ten(1e-7), ten(1e-4, WOBBLE)
    times, _, interval = paired(best, default).partition(", 95 % interval ")
    assert gain(write_tuned(alone(best, default))) == [f"Tuning gained a {times} over its default lr (95 % interval of the gain {interval})."]


def test_all_keys_tuned_are_defaults_and_not_one_lr(write_tuned):
    results = write_tuned(alone(ten(1e-7), ten(1e-4, WOBBLE)), tune=TUNE | {"keys": None})
    assert "over its defaults (" in gain(results)[0]


def test_a_single_evaluation_is_a_fact_of_one_run(write_tuned):
    assert gain(write_tuned(alone([1e-7], [5e-7]))) == ["Tuning gained a 5.0 times over its default lr (one run)."]
    assert gain(write_tuned(alone([1e-7], [1e-7]), folder="same")) == ["Tuning gained a nothing over its default lr: the runs are equal bit for bit."]
    assert gain(write_tuned(alone([4e-7], [1e-7]), folder="worse")) == ["a ends 4.0 times higher tuned than with its default lr (one run)."]


def test_nothing_is_said_of_tuning_where_nothing_was_tuned(write):
    assert gain(write(*seeds())) == []


# ---- several tasks


def problems(count):
    return tuple(LECTURE | {"problem_id": f"p{k}", "problem": f"prob{k}"} for k in range(count))


def over(count, scale, **changes):
    """a, b and c on some problems: b and c at `scale` times a's gap, b on all problems, c on the even ones."""
    shared = [{"problem_id": f"p{k}", "problem": f"prob{k}"} for k in range(count)]
    factors = {"a": [1.0] * count, "b": [scale * (1 + k) for k in range(count)], "c": [scale if k % 2 else 1 / scale for k in range(count)]}
    return [run(name, 1e-4 * each[k], **shared[k], **changes) for k in range(count) for name, each in factors.items()]


def test_from_six_problems_on_one_sentence_is_across_them(write):
    found = verdict.headline(write(*over(8, 3.0), problems=problems(8)))
    p = stats.wilcoxon(np.log(3.0 * np.arange(1, 9))).pvalue  # one of three tests, the smallest
    assert found[-2] == f"Across 8 problems, a is ahead of b (exact Wilcoxon, Holm: largest p = {3 * p:.2g}); no difference shown from c."
    assert len(found) == 8
    assert found[-1] == "To paste, a as it was chosen on all tasks: torch.optim.SGD(model.parameters(), lr=0.1)"


def test_five_problems_make_no_such_sentence(write):
    found = verdict.headline(write(*over(5, 3.0), problems=problems(5)))
    assert len(found) == 6
    assert not any("Across" in words for words in found)


def test_two_tasks_are_told_in_full_each_under_its_name(write):
    found = verdict.headline(
        write(run("a", 1e-3, hit=5), run("b", 1e-5), run("a", 1e-5, **ELSEWHERE), run("b", 1e-3, **ELSEWHERE), problems=(LECTURE, OTHER))
    )
    assert found == [
        "b (lr=0.1) ends lowest on lecture: gap 1.00e-5 after 8 steps, one run; 2 optimizers ran.",
        "a reaches the target on lecture (relative gap 1e-6) in 5 gradient evaluations, and no other does in half of its runs.",
        "To paste, for lecture: torch.optim.SGD(model.parameters(), lr=0.1)",
        "a (lr=0.1) ends lowest on synthetic: gap 1.00e-5 after 8 steps, one run; 2 optimizers ran.",
        "No optimizer reaches the target on synthetic (relative gap 1e-6).",
        "To paste, for synthetic: torch.optim.SGD(model.parameters(), lr=0.1)",
    ]


def test_the_pasted_line_of_many_tasks_says_on_how_many_it_was_chosen(write):
    rows = [run("a", 1e-4, lr=0.3 if k else 0.2, problem_id=f"p{k}", problem=f"prob{k}") for k in range(3)]
    assert verdict.headline(write(*rows, problems=problems(3)))[-1] == (
        "To paste, a as it was chosen on 2 of 3 tasks: torch.optim.SGD(model.parameters(), lr=0.3)"
    )


# ---- what to do


def test_the_line_to_paste_is_not_of_one_that_lost_seeds(write):
    lost = [run("a", 1e-9, seed=seed, lr=0.7, status=status) for seed, status in enumerate(("completed", "diverged"))]
    assert verdict.headline(write(*lost, *seeds("b", (1e-3, 2e-3))))[-1] == "To paste: torch.optim.SGD(model.parameters(), lr=0.1)"


@pytest.mark.parametrize(
    ("quadratic", "batch", "seconds", "words"),
    [
        (True, None, 8e-4, "here it took 0.800 ms."),
        (True, None, 2.5, "here it took 2.5 s."),
        (False, None, 8e-4, None),
        (True, 2, 8e-4, None),
    ],
)
def test_a_direct_solver_is_named_where_there_is_one(write, quadratic, batch, seconds, words):
    problem = LECTURE | {"quadratic": quadratic, "solve_seconds": seconds}
    found = [each for each in verdict.headline(write(run(batch_size=batch), problems=(problem,))) if "direct solver" in each]
    assert found == [f"A direct solver finds this minimum exactly; {words}"] * (words is not None)


def test_the_budget_of_a_tuned_sweep_sums_the_evaluations_of_each_role(write_tuned, write):
    results = write_tuned(alone(ten(1e-7), ten(1e-4, WOBBLE)))  # 8 evaluations a run: 2 settings x 2 seeds, 10 seeds, 10 defaults
    assert list(verdict.budget(results)) == [
        "Budget: 2 settings an optimizer on 2 tuning seeds; gradient evaluations: 32 for the search, 80 for the evaluation, 80 at the defaults."
    ]
    assert list(verdict.budget(write(*seeds(), folder="untuned"))) == []


def test_no_sentence_holds_a_number_that_is_none(write, write_tuned):
    rng = np.random.default_rng(0)
    pool = [0.0, 1e-20, 1e-7, 1.5e-7, 1e-3, 2e-3, 50.0, np.inf, np.inf]
    for case in range(8):
        count = int(rng.integers(1, 7))
        fields = {name: list(rng.choice(pool, count)) for name in "abcd"[: rng.integers(1, 5)]}
        if case % 2:
            rows = itertools.chain(*(seeds(name, gaps, hit=int(rng.integers(0, 9)) or None) for name, gaps in fields.items()))
            results = write(*rows, folder=str(case))
        else:
            found = [tuned(name, {0.01: [1e-3], 0.1: [rng.choice(pool[1:])]}, gaps, list(rng.choice(pool, count))) for name, gaps in fields.items()]
            results = write_tuned(*found, folder=str(case))
        text = " ".join(verdict.headline(results))
        assert not [bad for bad in ("nan", "inf ", "None", "\N{EN DASH}") if bad in text], text


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
    assert text["rank*"].to_dict() == {"a": "1=", "b": "1=", "c": "3", "d": "–"}
    assert text["final gap"].to_dict() == {"a": "≤ 1.00e-20", "b": "≤ 1.00e-20", "c": "0.00100", "d": "inf"}
    assert text["evaluations to target"].to_dict() == {"a": "3", "b": "not reached", "c": "not reached", "d": "not reached"}
    assert text["failed"].to_dict() == {"a": "0/1", "b": "0/1", "c": "0/1", "d": "1/1"}
