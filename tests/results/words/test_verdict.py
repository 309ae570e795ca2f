"""The sentences: who ends lowest and what backs it, the target, the learning rate, tuning, across tasks.
Numbers by hand or from scipy.

Cases are problems of one sweep, `told` in full: a result set costs more than a sentence.
"""

from collections import defaultdict

import numpy as np
import pytest
from conftest import FLOOR, LECTURE, TUNE, run, tuned
from scipy import stats

from lrbench.results.notation import factor, number, p_value
from lrbench.results.words import verdict
from lrbench.results.words.phrases import what_varied

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}
ELSEWHERE = {"problem_id": "synthetic64", "problem": "synthetic"}
WOBBLE = np.array(
    [1.0, 1.3, 0.8, 1.1, 0.9, 1.2, 0.7, 1.0, 1.4, 0.95]
)  # of one side of a pair, so that ratios vary
INF = float("inf")


def ten(mean, wobble=1.0):
    return list(mean * np.arange(1, 11) * wobble)


def seeds(name="sgd", gaps=(1e-4, 1e-3, 1e-2), **changes):
    return [
        run(name, gap, seed=seed, status="completed" if gap < INF else "diverged", **changes)
        for seed, gap in enumerate(gaps)
    ]


def at(case):
    return {"problem_id": case, "problem": case}


@pytest.fixture
def told(write, write_tuned, monkeypatch):
    """told({case: rows or tuned competitors}) -> {case: its sentences}; each case is a problem."""
    monkeypatch.setattr(verdict, "MOST_IN_FULL", 99)

    def sentences(cases, **options):
        problems = tuple(LECTURE | at(case) for case in cases)
        rows = [row for case in cases.values() for row in case]
        results = (write if isinstance(rows[0], dict) else write_tuned)(*rows, problems=problems, **options)
        found = defaultdict(list)
        for part in verdict.IN_FULL:
            for _, task in results.tasks.iterrows():
                found[task["task"]] += part(
                    results, task, results.ranking[results.ranking["task"] == task["task"]]
                )
        assert sorted(sum(found.values(), [])) == sorted(verdict.headline(results))
        return found

    return sentences


def paired(a, b) -> str:
    """The geometric mean of b / a and its 95 % interval, by scipy."""
    logs = np.log(b) - np.log(a)
    low, high = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
    return (
        f"{factor(np.exp(logs.mean()))} times, 95 % interval {factor(np.exp(low))} to {factor(np.exp(high))}"
    )


def leader(results) -> str:
    return verdict.headline(results)[0]


def compared(told, cases, **changes):
    """Return the leader sentence of each case {optimizer: gaps}."""
    rows = {
        case: [row for name, gaps in field.items() for row in seeds(name, gaps, **at(case), **changes)]
        for case, field in cases.items()
    }
    return {case: sentences[0] for case, sentences in told(rows).items()}


# ---- one run each, or the same runs: facts without a test


def test_facts_without_a_test(told):
    cases = {
        "digits": {"a": [1e-4], "b": [1.0]},
        "floors": {"a": [0.0], "b": [FLOOR], "c": [1e-3]},
        "floor": {"a": [0.0], "b": [1e-3]},
        "twins": {"a": [1e-3, 2e-3], "b": [1e-3, 2e-3]},
        "lost": {"a": [INF, INF], "b": [INF]},
        "halves": {"a": [1e-3, INF], "b": [1e-3, INF]},
        "alone": {"a": [1e-3]},
    }
    assert compared(told, cases) == {
        "digits": "a (lr=0.1) ends lowest on digits: gap 1.00e-4 after 8 steps, one run; 2 optimizers ran.",
        "floors": (
            "a (lr=0.1) and b (lr=0.1) are tied on floors: they end at the gap floor, 1.00e-20 or less, "
            "after 8 steps, one run; 3 optimizers ran."
        ),
        "floor": (
            "a (lr=0.1) ends lowest on floor: gap 1.00e-20 or less, the gap floor, after 8 steps, one run; 2 "
            "optimizers ran."
        ),
        "twins": (
            "a (lr=0.1) and b (lr=0.1) are identical on twins: bit-equal runs, no test; gap 0.00141 after 8 "
            "steps, geometric mean over 2 starts; 2 optimizers ran."
        ),
        "lost": "No run completed on lost: 3 diverged and 0 failed of 3.",
        "halves": "No optimizer completed all its seeds on halves, whatever the setting; 2 optimizers ran.",
        "alone": "a (lr=0.1) ends on alone at gap 0.00100 after 8 steps, one run.",
    }


def test_one_optimizer_alone_is_not_lowest(write):
    sentence = leader(write(*seeds(), *seeds(lr=0.2)))
    assert sentence == (
        "sgd (lr=0.1) ends on lecture at gap 0.00100 after 8 steps, geometric mean over 3 starts; the "
        "best of 2 settings."
    )


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
    results = write(*seeds("a", **shared))
    assert what_varied(results.tasks.iloc[0], 3) == what
    assert what_varied(results.tasks.iloc[0], 1) == "1 seed"


# ---- tested


def test_a_whole_sentence_of_one_problem(write):
    a, near, far, worst = ten(1e-7), ten(1.02e-7, WOBBLE[::-1]), ten(3e-6, WOBBLE), ten(1e-3, WOBBLE)
    results = write(
        *seeds("a", a),
        *seeds("near", near),
        *seeds("far", far),
        *seeds("worst", worst),
        *seeds("worst", ten(1.0), lr=0.2),
    )
    logs = np.log(near) - np.log(a)
    assert leader(results) == (
        "Over 10 starts of this one problem, a (lr=0.1) ends lowest on lecture after 8 steps: geometric "
        f"mean {number(stats.gmean(a))}; "
        "not separable from near (differences under "
        f"{factor(1.25 * np.exp(stats.t.ppf(0.975, 9) * stats.sem(logs)))} times are not visible); "
        f"2 others are behind (next: far, {paired(a, far)}); Holm over 6 tests; settings chosen on the "
        "same seeds."
    )


def test_what_tests_say(told):
    a, near, far, slightly = (
        ten(1e-7),
        ten(1.05e-7, WOBBLE[::-1]),
        ten(3e-6, WOBBLE),
        ten(1.1e-7, 1 + (WOBBLE - 1) / 100),
    )
    visible = factor(1.25 * np.exp(stats.t.ppf(0.975, 9) * stats.sem(np.log(near) - np.log(a))))
    cases = {
        "behind": ({"a": a, "b": far}, f"b is behind ({paired(a, far)})."),
        "all behind": (
            {"a": a, "b": far, "c": ten(3e-3, WOBBLE)},
            f"both others are behind (next: b, {paired(a, far)}); Holm over 3 tests.",
        ),
        "no difference": (
            {"a": a, "b": near},
            f"no difference shown from b (differences under {visible} times are not visible).",
        ),
        "one lost": (
            {"a": a, "b": [*ten(4e-7)[:9], INF]},
            "b is behind (in 10 of 10 runs, at least 4.0 times in half of them).",
        ),
        "most lost": (
            {"a": a, "b": [4e-7, *[INF] * 9], "c": [INF] * 10},
            "b is behind (in 10 of 10 runs, most of its runs did not complete); c never completed.",
        ),
        "far apart": (
            {"a": [1e-15, 1e15], "b": [1e15, 1e-15]},
            "no difference shown from b (no difference is visible).",
        ),
        "of five": (
            {"a": a[:5], "b": [*ten(4e-7)[:4], INF]},
            "no difference shown from b (sign test, smallest p = 0.062).",
        ),  # 2 / 2**5
        "twins": (
            {"a": a, "b": a, "c": far},
            f"identical to b: bit-equal runs, no test; c is behind ({paired(a, far)}); Holm over 2 tests.",
        ),
        "margin": (
            {"a": a, "b": slightly},
            "b differs, but perhaps by less than 1.25 times (1.10 times, nearly the same for every seed).",
        ),
        "repeats": (
            {"a": [a[0], *a[:3]], "b": [far[0], *far[:3]]},
            f"b is behind ({paired(a[:3], far[:3])}, 3 distinct runs).",
        ),
    }
    assert (
        stats.ttest_rel(np.log(a), np.log(near)).pvalue
        > 0.05
        > stats.ttest_rel(np.log(a), np.log(slightly)).pvalue
    )
    found = compared(told, {case: field for case, (field, _) in cases.items()})
    assert {case: sentence[sentence.index("; ") + 2 :] for case, sentence in found.items()} == {
        case: words for case, (_, words) in cases.items()
    }
    assert not any("equal " in sentence.replace("bit-equal", "") for sentence in found.values())


def test_batches_are_judged_over_the_last_epoch(told):
    found = compared(
        told, {"x": {"a": ten(1e-7), "b": ten(1e-6, WOBBLE)}}, batch_size=1, batch_order="shuffled"
    )
    mean = number(stats.gmean(ten(1e-7)))
    assert found["x"].startswith(
        "Over 10 starts and batch orders of this one problem, a (lr=0.1) ends lowest on x after 8 "
        f"steps: geometric mean {mean} over the last epoch; "
    )


# ---- chosen on other seeds


def two(case, a, b):
    """a is lower on the tuning seeds; a and b: what they reach on the others."""
    default = ten(1e-3)
    return [
        tuned("a", {0.01: [1e-2], 0.1: [1e-7]}, a, default, **at(case)),
        tuned("b", {0.01: [1e-2], 0.1: [1e-6]}, b, default, **at(case)),
    ]


def test_the_leader_of_the_tuning_seeds_is_tested_on_others(told):
    low, near, far = ten(1e-7), ten(1.05e-7, WOBBLE[::-1]), ten(3e-6, WOBBLE)
    found = told(
        {
            "kept": two("kept", low, far),
            "beaten": two("beaten", far, low),
            "lost": two("lost", [*low[:9], INF], near),
            "chance": two("chance", near, low),
        }
    )
    mean = number(stats.gmean(low))
    assert found["kept"][0] == (
        f"Over 10 starts, a (lr=0.1) ends lowest on kept after 8 steps: geometric mean {mean}; b is "
        f"behind ({paired(low, far)})."
    )
    assert found["beaten"][0] == (
        f"Over 10 starts, b (lr=0.1) ends lowest on beaten after 8 steps: geometric mean {mean}; a, "
        "lowest on the tuning seeds, is beaten here; "
        f"a is behind ({paired(low, far)})."
    )
    assert found["lost"][0].startswith("Over 10 starts, b (lr=0.1) ends lowest on lost after 8 steps: ")
    assert "; a, lowest on the tuning seeds, lost seeds here; " in found["lost"][0]
    assert found["chance"][0].startswith(
        "Over 10 starts, a (lr=0.1), lowest on the tuning seeds, ends on chance after 8 steps: "
    )
    assert (
        f"; b ends lower, at {mean}, which may be chance; no difference shown from b (" in found["chance"][0]
    )


# ---- the target

# the gaps are 1e-3 and more, the target 8e-6
ABOVE = " reach it, and the typical gap is not shown to end below it (one-sided p = 1)"
TARGETS = {
    "fewer": (
        {"a": [30, 40, 50], "b": [100, 124, 900]},
        f"a reaches it in 40 gradient evaluations, 3.1 times fewer than b; 3 of 3 starts{ABOVE}.",
    ),
    "only": (
        {"a": [30, 40, None], "b": [100, None, None]},
        (
            "a reaches it in 40 gradient evaluations, and no other does in half of its runs; 2 of 3 "
            f"starts{ABOVE}."
        ),
    ),
    "level": (
        {"a": [40, 40, 40], "b": [40, 40, 40]},
        f"a reaches it in 40 gradient evaluations, as many as b; 3 of 3 starts{ABOVE}.",
    ),
    "start": (
        {"a": [0, 0, 0], "b": [7, 7, 7]},
        f"a reaches it in 0 gradient evaluations, before b; 3 of 3 starts{ABOVE}.",
    ),
    "single": (
        {"a": [40], "b": [None]},
        "a reaches it in 40 gradient evaluations, and no other does in half of its runs.",
    ),
    "seldom": (
        {"a": [None] * 3, "b": [None, None, 9]},
        "No optimizer reaches it in half of its runs; b does in 1 of 3 starts.",
    ),
    "nobody": ({"a": [None], "b": [None]}, "No optimizer reaches it."),
    "seldom alone": (
        {"a": [None, None, 9]},
        "a does not reach it in half of its runs; a does in 1 of 3 starts.",
    ),
    "alone": ({"a": [5]}, "a reaches it in 5 gradient evaluations."),
}


def test_the_target(told):
    rows = {
        case: [
            run(name, 1e-3 * (1 + seed), seed=seed, hit=cost, **at(case))
            for name, costs in field.items()
            for seed, cost in enumerate(costs)
        ]
        for case, (field, _) in TARGETS.items()
    }
    found = {
        case: next(words for words in sentences if "the target" in words)
        for case, sentences in told(rows).items()
    }
    assert {
        case: words.replace(f"the target on {case} (relative gap 1e-6)", "it")
        for case, words in found.items()
    } == {case: words for case, (_, words) in TARGETS.items()}


@pytest.mark.parametrize("gaps", [(1e-7, 4e-6, 7e-6), (1e-9, 2e-9, 1e-9), (7e-6, 7.9e-6, 9e-6)])
def test_who_reaches_the_target_may_end_above_it(write, gaps):
    (words,) = [
        words
        for words in verdict.headline(write(*[run("a", gap, seed=i, hit=3) for i, gap in enumerate(gaps)]))
        if "the target" in words
    ]
    p = stats.ttest_1samp(np.log(np.unique(gaps)), np.log(8e-6), alternative="less").pvalue
    assert words.endswith(
        f"; 3 of 3 starts reach it, and the typical gap {'ends' if p < 0.05 else 'is not shown to end'} "
        f"below it (one-sided p = {p_value(p)})."
    )


def test_no_target_where_relative_gaps_are_undefined(write):
    assert "target" not in " ".join(verdict.headline(write(run(), problems=(LECTURE | {"scale": None},))))


# ---- the learning rate

LRS = (1e-3, 1e-2, 1e-1, 1.0)
TOLERANCES = {  # optimizer -> which of LRS reach the target
    "inside": (
        {"a": {1, 2}, "b": {1}},
        (
            "a is least sensitive to its lr on inside: it reaches the target over 1.0 decades of lr (0.01 to "
            "0.1)."
        ),
    ),
    "open": (
        {"a": {1, 2, 3}, "b": {1, 2}},
        (
            "a is least sensitive to its lr on open: it reaches the target over at least 2.0 decades of lr "
            "(0.01 to 1)."
        ),
    ),
    "perhaps": (
        {"a": {1, 2}, "b": {2, 3}, "c": {1}},
        (
            "b and a are least sensitive to their lr on perhaps: they reach the target over at least 1.0 "
            "decades of lr."
        ),
    ),
    "two open": (
        {"a": {0, 1, 2}, "b": {2, 3}},
        "a is least sensitive to its lr on two open: it reaches the target over at least 2.0 decades of "
        "lr (0.001 to 0.1); "
        "cut off by the end of the search, so perhaps as wide: b (at least 1.0 decades).",
    ),
    "alone": ({"a": {1, 2}}, "a reaches the target on alone over 1.0 decades of lr (0.01 to 0.1)."),
    "one lr": ({"a": {1}, "b": set()}, None),
}


def test_the_learning_rate(told):
    rows = {
        case: [
            run(name, 1e-6 / (1 + k), lr=lr, hit=3 if k in reached else None, **at(case))
            for name, reached in field.items()
            for k, lr in enumerate(LRS)
        ]
        for case, (field, _) in TOLERANCES.items()
    }
    found = {
        case: [words for words in sentences if " lr" in words.replace("(lr", "")]
        for case, sentences in told(rows).items()
    }
    assert {
        case: [words for words in sentences if "decades" in words] for case, sentences in found.items()
    } == {case: [words] * (words is not None) for case, (_, words) in TOLERANCES.items()}


# ---- tuning


def test_a_default_that_ends_at_a_gap_of_0_is_no_factor(write_tuned):
    """Where a problem has no floor: its target is 0, say."""
    problem = LECTURE | {"gap_floor": 0.0}
    results = write_tuned(tuned("a", {0.01: [1e-2], 0.1: [1e-7]}, [1e-7], [0.0]), problems=(problem,))
    assert "a ends higher tuned than with its default lr, which ends at the minimum." in verdict.headline(
        results
    )


def test_what_tuning_gained(told):
    best, wobbled, default = ten(1e-7), ten(1e-7, WOBBLE), ten(1e-4, WOBBLE)
    times, _, interval = paired(best, default).partition(", 95 % interval ")
    p = stats.ttest_rel(np.log(wobbled), np.log(best)).pvalue
    cases = {
        "ratio": (
            best,
            default,
            f"a ends {times} lower tuned than with its default lr (95 % interval {interval}) on ratio.",
        ),
        "chance": (
            wobbled,
            best,
            f"No gain from tuning is shown for a over its default lr (p = {p:.2g}) on chance.",
        ),
        "lost": (
            best,
            [INF] * 10,
            "a needed tuning: with its default lr most of its runs do not complete on lost.",
        ),
        "bound": (
            best,
            [*ten(4e-5)[:9], INF],
            (
                "a ends at least 400 times lower tuned than with its default lr (sign test, 10 pairs, p = "
                "0.002) on bound."
            ),
        ),
        "one run": (
            [1e-7],
            [5e-7],
            "a ends 5.0 times lower tuned than with its default lr (one run) on one run.",
        ),
        "one lost": (
            [1e-7],
            [INF],
            "a needed tuning: with its default lr its run does not complete on one lost.",
        ),
        "same": (
            [1e-7],
            [1e-7],
            "Tuning gained a nothing over its default lr: the runs are equal bit for bit on same.",
        ),
        "floor": (
            [0.0, 0.0],
            [0.0, FLOOR],
            "Tuning gained a nothing over its default lr: both end at the gap floor on floor.",
        ),
        "worse": (
            [4e-7],
            [1e-7],
            "a ends 4.0 times higher tuned than with its default lr (one run) on worse.",
        ),
    }
    found = told(
        {
            case: [tuned("a", {0.01: [1e-2], 0.1: [1e-7]}, best, default, **at(case))]
            for case, (best, default, _) in cases.items()
        }
    )
    assert {
        case: [words for words in sentences if "default" in words] for case, sentences in found.items()
    } == {case: [words] for case, (*_, words) in cases.items()}


def test_all_keys_tuned_are_defaults_and_not_one_lr(write_tuned):
    results = write_tuned(
        tuned("a", {0.01: [1e-2], 0.1: [1e-7]}, ten(1e-7), ten(1e-4, WOBBLE)), tune=TUNE | {"keys": None}
    )
    assert any("than with its defaults (" in words for words in verdict.headline(results))


# ---- several tasks


def problems(count):
    return tuple(LECTURE | at(f"p{k}") for k in range(count))


def over(count, scale):
    """a, b and c on some problems: b's gap is `scale`, twice, three times ... `scale` times a's, c's as often
    above a's as below.
    """
    factors = {
        "a": [1.0] * count,
        "b": [scale * (1 + k) for k in range(count)],
        "c": [scale if k % 2 else 1 / scale for k in range(count)],
    }
    return [run(name, 1e-4 * each[k], **at(f"p{k}")) for k in range(count) for name, each in factors.items()]


def test_from_six_problems_on_one_sentence_is_across_them(write):
    found = verdict.headline(write(*over(8, 3.0), problems=problems(8)))
    p = stats.wilcoxon(np.log(3.0 * np.arange(1, 9))).pvalue  # the smallest of three
    assert found[0] == (
        f"Across 8 problems, a is ahead of b (exact Wilcoxon, Holm: largest p = {3 * p:.2g}); no "
        "difference shown from c."
    )
    assert len(found) == 9
    assert found[7] == "2 more tasks: p6 and p7; the ranking has each."
    assert (
        found[-1] == "To paste, a as it was chosen on all tasks: torch.optim.SGD(model.parameters(), lr=0.1)"
    )


@pytest.mark.parametrize(("count", "enough"), [(6, True), (7, False)])
def test_three_pairs_take_seven_problems(write, count, enough):
    """With six the least p is 2 / 2^6, three times that is above 0.05."""
    words = verdict.headline(write(*over(count, 3.0), problems=problems(count)))[0]
    assert (
        words == "Across 6 problems, nothing can be shown between 3 optimizers: that takes 7 problems."
    ) == enough


def test_five_problems_make_no_such_sentence(write):
    found = verdict.headline(write(*over(5, 3.0), problems=problems(5)))
    assert len(found) == 6
    assert not any("Across" in words for words in found)


def test_two_tasks_are_told_in_full_each_under_its_name(write):
    found = verdict.headline(
        write(
            run("a", 1e-3, hit=5),
            run("b", 1e-5),
            run("a", 1e-5, **ELSEWHERE),
            run("b", 1e-3, **ELSEWHERE),
            problems=(LECTURE, OTHER),
        )
    )
    assert found == [
        "b (lr=0.1) ends lowest on lecture: gap 1.00e-5 after 8 steps, one run; 2 optimizers ran.",
        (
            "a reaches the target on lecture (relative gap 1e-6) in 5 gradient evaluations, and no other "
            "does in half of its runs."
        ),
        "To paste, for lecture: torch.optim.SGD(model.parameters(), lr=0.1)",
        "a (lr=0.1) ends lowest on synthetic: gap 1.00e-5 after 8 steps, one run; 2 optimizers ran.",
        "No optimizer reaches the target on synthetic (relative gap 1e-6).",
        "To paste, for synthetic: torch.optim.SGD(model.parameters(), lr=0.1)",
    ]


def test_the_pasted_line_of_many_tasks_says_on_how_many_it_was_chosen(write):
    rows = [run("a", 1e-4, lr=0.3 if k else 0.2, **at(f"p{k}")) for k in range(3)]
    assert verdict.headline(write(*rows, problems=problems(3)))[-1] == (
        "To paste, a as it was chosen on 2 of 3 tasks: torch.optim.SGD(model.parameters(), lr=0.3)"
    )


# ---- what to do


def test_the_line_to_paste_is_not_of_one_that_lost_seeds(write):
    rows = [*seeds("a", (1e-9, INF), lr=0.7), *seeds("b", (1e-3, 2e-3))]
    assert (
        verdict.headline(write(*rows))[-1]
        == "To paste, for loss mse_sum: torch.optim.SGD(model.parameters(), lr=0.1)"
    )


@pytest.mark.parametrize(
    ("quadratic", "batch", "seconds", "words"),
    [
        (True, None, 8e-4, "0.800 ms"),
        (True, None, 2.5, "2.5 s"),
        (False, None, 8e-4, None),
        (True, 2, 8e-4, None),
    ],
)
def test_a_direct_solver_is_named_where_there_is_one(write, quadratic, batch, seconds, words):
    problem = LECTURE | {"quadratic": quadratic, "solve_seconds": seconds}
    found = [
        each
        for each in verdict.headline(write(run(batch_size=batch), problems=(problem,)))
        if "direct solver" in each
    ]
    assert found == [f"A direct solver finds this minimum exactly; here it took {words}."] * (
        words is not None
    )


def test_the_budget_of_a_tuned_sweep_sums_the_evaluations_of_each_role(write_tuned, write):
    results = write_tuned(
        tuned("a", {0.01: [1e-2, 2e-2], 0.1: [1e-7, 2e-7]}, ten(1e-7), ten(1e-4))
    )  # 8 evaluations a run
    assert list(verdict.budget(results)) == [
        (
            "Budget: 2 settings an optimizer on 2 tuning seeds; gradient evaluations: 32 for the search, 80 "
            "for the evaluation, 80 at the defaults."
        )
    ]
    assert list(verdict.budget(write(*seeds(), folder="untuned"))) == []


@pytest.mark.parametrize("is_tuned", [False, True])
def test_no_sentence_holds_a_number_that_is_none(told, is_tuned):
    rng = np.random.default_rng(0)
    pool = [0.0, 1e-20, 1e-7, 1.5e-7, 1e-3, 2e-3, 50.0, INF, INF]
    cases = {}
    for case in (f"case {k}" for k in range(25)):
        field = {name: list(rng.choice(pool, rng.integers(1, 7))) for name in "abcd"[: rng.integers(1, 5)]}
        if is_tuned:
            cases[case] = [
                tuned(
                    name,
                    {0.01: [1e-3], 0.1: [rng.choice(pool[1:])]},
                    gaps,
                    list(rng.choice(pool, 3)),
                    **at(case),
                )
                for name, gaps in field.items()
            ]
        else:
            cases[case] = [
                row
                for name, gaps in field.items()
                for row in seeds(name, gaps, hit=int(rng.integers(0, 9)) or None, **at(case))
            ]
    text = " ".join(words for sentences in told(cases).values() for words in sentences)
    assert not [bad for bad in ("nan", "inf ", "inf)", "None", "–") if bad in text]
