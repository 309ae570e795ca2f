"""Two result sets against each other: which runs are paired, what is shown, what is refused."""

import io
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from before_and_after import OTHER, runs
from conftest import FLOOR, LECTURE, run, tuned
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats
from statsmodels.stats.multitest import multipletests

import lrbench
from lrbench.cli import main
from lrbench.errors import RequestError
from lrbench.results import statistics
from lrbench.results.comparison import compare
from lrbench.results.frames.columns.difference import BITS
from lrbench.results.pages import comparison as page
from lrbench.results.tables.changes import changes
from lrbench.results.terminal.comparison import print_difference

DIVERGED = {"status": "diverged"}


@pytest.fixture
def pair(write):
    """pair(rows of A, rows of B, **options of B's `write`) -> the two result sets."""
    number = itertools.count()
    return lambda a, b, **options: (
        write(*a, folder=f"a{next(number)}"),
        write(*b, folder=f"b{next(number)}", **options),
    )


def row(difference, **where) -> dict:
    rows = difference.rows
    for column, value in where.items():
        rows = rows[rows[column] == value]
    (found,) = rows.to_dict("records")
    return found


def printed(difference) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_difference(difference, console)
    return console.file.getvalue()


# ---- what is shown

A = [1.0e-3, 2.0e-3, 1.5e-3, 3.0e-3, 0.8e-3, 1.1e-3]
B = [2.2e-3, 3.9e-3, 3.6e-3, 5.5e-3, 1.9e-3, 2.0e-3]


def test_the_same_runs_are_identical_and_no_test_is_made(pair):
    rows = runs("sgd", A) + runs("adam", [*B[:5], math.inf])
    difference = compare(*pair(rows, rows))
    assert set(difference.rows["change"]) == set(difference.rows["test"]) == {"identical"}
    assert difference.rows["p"].isna().all()
    assert difference.sentences == ["All 12 runs are identical, bit for bit."]
    assert not difference.regression


def test_one_bit_is_a_difference_and_no_regression(pair):
    changed = runs("sgd", [np.nextafter(A[0], 1), *A[1:]])
    difference = compare(*pair(runs("sgd", A), changed))
    assert difference.rows["change"].tolist() == [""]
    assert not difference.regression


def test_all_that_a_run_reached_counts(pair):
    columns = ["rise", "first_bad_step", "last_finite_loss", "evaluations", "half_level"]
    a = [r for column in ["none", *columns] for r in runs(column, A[:2])]
    b = [r | ({r["optimizer"]: 3.0} if r["optimizer"] in columns and r["seed"] == 0 else {}) for r in a]
    difference = compare(*pair(a, b))
    assert dict(zip(difference.rows["optimizer"], difference.rows["change"], strict=True)) == {
        "none": "identical"
    } | dict.fromkeys(columns, "")
    assert (
        difference.sentences[0] == "Of 6 settings 1 is identical, bit for bit and 5 are equal in every gap."
    )


def test_ratio_interval_and_p_are_those_of_scipy(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", B)))
    logs = np.log(B) - np.log(A)
    low, high = np.exp(stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs)))
    found = row(difference)
    expected = [
        stats.gmean(B) / stats.gmean(A),
        low,
        high,
        stats.ttest_rel(np.log(A), np.log(B)).pvalue,
        stats.gmean(A),
        stats.gmean(B),
    ]
    assert [found[name] for name in ("ratio", "low", "high", "p", "gap_a", "gap_b")] == pytest.approx(
        expected, rel=1e-10
    )
    assert (found["n"], found["test"], found["change"]) == (6, "t", "worse")
    assert difference.regression
    assert difference.sentences == [
        f"B is worse: sgd (lr=0.1) on lecture ends {expected[0]:.2g} times higher in B than in A "
        f"(95 % interval {low:.3g} to {high:.2g})."
    ]


def test_p_values_are_holms_over_all_rows_with_a_test(pair):
    rng = np.random.default_rng(5)
    changes = [1.0, 1.3, 2.0, 4.0]
    a = [gaps for _ in changes if (gaps := 10 ** rng.normal(-3, 0.2, 6)).any()]
    b = [gaps * change * 10 ** rng.normal(0, 0.1, 6) for gaps, change in zip(a, changes, strict=True)]
    same = runs("same", A)
    difference = compare(
        *pair(
            [*same, *(r for k, g in enumerate(a) for r in runs(f"o{k}", g))],
            [*same, *(r for k, g in enumerate(b) for r in runs(f"o{k}", g))],
        )
    )
    rows = difference.rows[difference.rows["optimizer"] != "same"].sort_values("optimizer")
    p = [stats.ttest_rel(np.log(x), np.log(y)).pvalue for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rows["p_holm"], multipletests(p, method="holm")[1], rtol=1e-8)


def test_a_significant_change_within_the_margin_is_not_shown(pair):
    noise = [1.000, 1.001, 0.999, 1.0005, 0.9995, 1.0]
    difference = compare(
        *pair(runs("sgd", A), runs("sgd", [1.2 * x * y for x, y in zip(A, noise, strict=True)]))
    )
    assert row(difference)["p_holm"] < 1e-9
    assert not difference.regression
    assert difference.sentences == [
        "No regression is shown over 6 starts; differences under 1.25 times are not visible."
    ]


def test_what_is_better_is_no_regression(pair):
    difference = compare(*pair(runs("sgd", B), runs("sgd", A)))
    assert not difference.regression
    assert difference.sentences == [
        "B is better: sgd (lr=0.1) on lecture ends 2.1 times lower in B than in A "
        "(95 % interval 1.82 to 2.4)."
    ]


def test_an_interval_that_cannot_be_seen_is_not_written(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", [5.1 * gap for gap in A])))
    assert difference.sentences == [
        "B is worse: sgd (lr=0.1) on lecture ends 5.1 times higher in B than in A "
        "(nearly the same for every seed)."
    ]


def test_who_is_not_shown_to_have_changed_is_named_beside_who_is(pair):
    """adam and one of two settings of rprop go up and down by 3, this 1.1 times higher and so named first;
    what is identical is not named.
    """
    swung = [gap * (3 if k % 2 else 1 / 3) for k, gap in enumerate(A)]
    a = [*runs("sgd", A), *runs("adam", A), *runs("rprop", A), *runs("rprop", A, lr=0.2), *runs("same", A)]
    b = [
        *runs("sgd", B),
        *runs("adam", swung),
        *runs("rprop", [1.1 * gap for gap in swung]),
        *runs("rprop", [9 * gap for gap in A], lr=0.2),
        *runs("same", A),
    ]
    told = compare(*pair(a, b)).sentences
    assert [sentence.split(": ")[0] for sentence in told[:2]] == ["B is worse"] * 2
    assert told[2] == "Of 5 settings 1 is identical, bit for bit."
    logs = math.log(3) * np.array([-1, 1] * 3)
    visible = 1.25 * np.exp(stats.t.interval(0.95, 5, logs.mean(), stats.sem(logs))[1])
    assert told[3:] == [
        "No difference shown for rprop (lr=0.1) on lecture and adam over 6 starts; "
        f"differences under {visible:.2g} times are not visible."
    ]


def test_at_the_floor_only_the_order_counts(pair):
    """Floored ratios are 1e4, ..., so the lower middle one of the six is 2; p = 2 / 2^6 for six losses."""
    a, b = [0.0] * 4 + [1e-3, 1e-3], [1e-16, 3e-16, 4e-16, 5e-16, 1.5e-3, 2e-3]
    found = row(difference := compare(*pair(runs("sgd", a), runs("sgd", b))))
    assert (found["test"], found["p"]) == ("sign", 2 / 64)
    assert found["at_least"] == pytest.approx(1e-16 / FLOOR)
    assert math.isnan(found["ratio"])
    assert difference.regression
    assert (
        "at least 10,000 times higher in B than in A (sign test over 6 pairs, p = 0.031)"
        in difference.sentences[0]
    )


def test_both_at_the_floor_or_both_lost_is_no_difference(pair):
    a = runs("floor", [0.0, 1e-22, 1e-25]) + runs("lost", [math.inf] * 3)
    b = runs("floor", [1e-21, 0.0, 1e-25]) + [
        r | {"last_finite_loss": 7.0} for r in runs("lost", [math.inf] * 3)
    ]
    difference = compare(*pair(a, b))
    assert sorted(difference.rows["test"]) == ["floor", "lost"]
    assert difference.sentences == [
        "Of 2 settings 1 is at the gap floor in both, where differences are rounding and 1 is lost in both."
    ]


def test_a_lost_run_is_a_regression_and_a_recovered_one_is_none(pair):
    whole, lost = runs("sgd", A), runs("sgd", [*A[:5], math.inf])
    difference = compare(*pair(whole, lost))
    assert (row(difference)["lost"], row(difference)["recovered"], difference.regression) == (1, 0, True)
    assert difference.sentences[0] == "1 run completed in A and not in B: sgd (lr=0.1) on lecture 1 of 6."
    back = compare(*pair(lost, whole))
    assert (row(back)["lost"], row(back)["recovered"], back.regression) == (0, 1, False)


def test_more_lost_runs_in_b_are_told_once(pair):
    """sgd loses five of ten where A has no partner, adam as large a share in both, rprop what is told seed by
    seed.
    """
    a = [*runs("sgd", A[:5]), *runs("adam", [*A[:5], math.inf]), *runs("rprop", A)]
    b = [
        *runs("sgd", A[:5]),
        *runs("sgd", [math.inf] * 5, lr=9.0),
        *runs("adam", [*A[:5], math.inf]),
        *runs("rprop", [*A[:5], math.inf]),
    ]
    difference = compare(*pair(a, b))
    assert difference.sentences[:2] == [
        "1 run completed in A and not in B: rprop (lr=0.1) on lecture 1 of 6.",
        "In B 5 of 10 runs of sgd on lecture (in A none of 5) did not complete.",
    ]
    assert not any("In B" in sentence for sentence in compare(difference.b, difference.a).sentences)


def test_most_runs_lost_is_said_without_a_ratio(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", [math.inf] * 6)))
    assert (
        difference.sentences[0]
        == "B is worse: sgd (lr=0.1) on lecture is mostly lost in B (sign test over 6 pairs, p = 0.031)."
    )
    assert "inf times" not in printed(difference)


def test_one_run_each_allows_no_test(pair):
    difference = compare(
        *pair(runs("sgd", [1e-3]) + runs("adam", [1e-3]), runs("sgd", [2e-3]) + runs("adam", [5e-3]))
    )
    assert not difference.regression
    assert difference.rows["ratio"].tolist() == pytest.approx([5.0, 2.0])
    ends = "adam (lr=0.1) on lecture at 0.00100 in A and 0.00500 in B"
    assert difference.sentences == [f"One run allows no test (2 settings): the largest difference is {ends}."]


def test_runs_that_repeat_count_once(pair):
    a, b = (
        runs("twins", [1e-3] * 3) + runs("sgd", [1e-3, 1e-3, 2e-3]),
        runs("twins", [2e-3] * 3) + runs("sgd", [2e-3, 2e-3, 3e-3]),
    )
    twins, sgd = (row(compare(*pair(a, b)), optimizer=name) for name in ("twins", "sgd"))
    assert (twins["n"], twins["test"], twins["runs"]) == (1, "none", 3)
    assert (sgd["n"], sgd["test"], sgd["p"]) == (
        2,
        "t",
        pytest.approx(stats.ttest_rel(np.log([1, 2]), np.log([2, 3])).pvalue),
    )


GAPS = st.sampled_from([0.0, 1e-21, 1e-3, 2e-3, 2.5e-3, 0.1, math.inf])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.tuples(GAPS, GAPS), min_size=1, max_size=4), min_size=1, max_size=6))
def test_each_row_is_what_its_pairs_say_alone(cases):
    """Many settings at once give the same as one comparison each, and turning A and B round turns every row
    round.
    """
    ahead, back = (changes(*frames([[pair[::turn] for pair in case] for case in cases])) for turn in (1, -1))
    for k, case in enumerate(cases):
        (found,), (turned,) = (
            rows[rows["optimizer"] == f"o{k}"].to_dict("records") for rows in (ahead, back)
        )
        if all(x == y for x, y in case):
            assert found["change"] == turned["change"] == "identical"
            continue
        alone = vars(statistics.compare(*np.array(case).T, FLOOR))
        assert found["test"] == alone["test"]
        for name in ("n", "ratio", "low", "high", "at_least", "p"):
            assert found[name] == pytest.approx(alone[name], rel=1e-9, nan_ok=True), name
        assert (found["lost"], found["recovered"]) == (turned["recovered"], turned["lost"])
        assert (found["change"], turned["change"]) in {("", ""), ("worse", "better"), ("better", "worse")}


def frames(cases) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `changes` takes, of a case a setting: pairs (gap of A, gap of B)."""
    rows = [(k, *pair) for k, case in enumerate(cases) for pair in case]
    pairs = pd.DataFrame(rows, columns=["row", "gap_a", "gap_b"]).assign(gap_floor=FLOOR)
    for side in "ab":
        gap = pairs[f"gap_{side}"]
        pairs = pairs.assign(
            **{f"{column}_{side}": gap for column in BITS}
            | {f"status_{side}": np.where(np.isfinite(gap), "completed", "diverged")}
        )
    named = pd.DataFrame({"optimizer": [f"o{k}" for k in range(len(cases))]})
    return named.assign(task="lecture", setting="", role="grid", differs=""), pairs


# ---- which runs belong together


def test_runs_are_paired_by_seed_and_settings_by_their_id(pair):
    """B has the seeds in another order, one more seed, and one setting more."""
    b = [*reversed(runs("sgd", B)), run("sgd", 9.0, seed=77), *runs("sgd", [9.0] * 6, lr=0.2)]
    difference = compare(*pair(runs("sgd", A), b))
    assert row(difference)["p"] == pytest.approx(stats.ttest_rel(np.log(A), np.log(B)).pvalue)
    assert row(difference)["gap_b"] == pytest.approx(stats.gmean(B))
    assert "Without a partner, and so not compared: 1 setting of B." in difference.sentences


def test_without_a_common_setting_the_chosen_ones_are_compared(pair):
    a = runs("sgd", A, lr=0.1) + runs("sgd", B, lr=0.2)
    b = runs("sgd", B, lr=0.03, momentum=0.9) + runs("sgd", [9.0] * 6, lr=0.04, momentum=0.9)
    found = row(difference := compare(*pair(a, b)))
    assert found["differs"] == "lr 0.1 → 0.03, momentum null → 0.9"
    assert (found["gap_a"], found["gap_b"]) == pytest.approx((stats.gmean(A), stats.gmean(B)))
    assert difference.regression


def test_where_settings_differ_a_lost_run_is_no_regression(pair):
    difference = compare(*pair(runs("sgd", A, lr=0.1), runs("sgd", [*A[:5], math.inf], lr=0.2)))
    assert row(difference)["lost"] == 1
    assert not difference.regression


def test_where_nothing_depends_on_the_seed_runs_are_paired_whatever_it_is(pair):
    fixed = {"init": "zeros"}
    difference = compare(*pair([run("sgd", 1e-3, seed=0, **fixed)], [run("sgd", 3e-3, seed=5, **fixed)]))
    assert row(difference)["ratio"] == pytest.approx(3.0)


def test_no_common_seed_is_refused_and_of_one_setting_said(pair):
    a, b = [run("sgd", 1e-3, seed=0)], [run("sgd", 1e-3, seed=1)]
    with pytest.raises(RequestError, match="share no seed"):
        compare(*pair(a, b))
    difference = compare(*pair([*a, run("adam", 1e-3)], [*b, run("adam", 1e-3)]))
    assert (row(difference, optimizer="sgd")["test"], row(difference, optimizer="sgd")["n"]) == (
        "unpaired",
        0,
    )
    assert "No seed in common, and so not compared: sgd (lr=0.1) on lecture." in difference.sentences


def test_disjoint_optimizers_are_refused(pair):
    with pytest.raises(
        RequestError, match="share no optimizer in any task. A has sgd; B has adam and rprop."
    ):
        compare(*pair(runs("sgd", A), runs("adam", A) + runs("rprop", A)))


def test_another_budget_is_refused_and_compared_anyway(pair):
    sets = pair(runs("sgd", A), runs("sgd", B, steps=16))
    with pytest.raises(RequestError, match=r"(?s)different tasks.*lecture: steps 8 → 16\n.*--anyway"):
        compare(*sets)
    difference = compare(*sets, anyway=True)
    assert row(difference)["p"] == pytest.approx(stats.ttest_rel(np.log(A), np.log(B)).pvalue)
    assert printed(difference).startswith("Compared although the tasks differ")
    assert "lecture (steps 8 → 16)" in difference.sentences[0]
    assert ["lecture: steps", "8", "16"] in difference.differences.to_numpy().tolist()


@pytest.mark.parametrize(
    ("changes", "facts", "said"),
    [
        ({}, {}, "data content lecture6 → content another6"),
        ({}, {"n": 4}, "n 3 → 4"),
        ({"dtype": "float32"}, {"dtype": "float32"}, "dtype float64 → float32"),
        ({"loss": "huber"}, {"loss": "huber"}, "loss mse_sum → huber"),
        (
            {"batch_size": 2, "batch_order": "shuffled"},
            {},
            "batch_size null → 2, batch_order sequential → shuffled",
        ),
        ({"init": "zeros"}, {}, "init torch → zeros"),
    ],
)
def test_the_refusal_says_what_differs(pair, changes, facts, said):
    problem = "another64" if not changes or facts else "lecture64"
    sets = pair(
        runs("sgd", A),
        runs("sgd", B, problem_id=problem, **changes),
        problems=(LECTURE | {"problem_id": problem} | facts,),
    )
    with pytest.raises(RequestError, match=said):
        compare(*sets)


def test_a_task_that_only_one_has_is_left_out_and_named(pair):
    more = runs("sgd", B, problem_id="synthetic64", problem="synthetic")
    difference = compare(*pair(runs("sgd", A), runs("sgd", A) + more, problems=(LECTURE, OTHER)))
    assert difference.rows["task"].tolist() == ["lecture"]
    assert difference.differences.to_numpy().tolist()[1:] == [["tasks", "", "synthetic"]]


def test_tasks_without_a_label_in_common_are_paired_in_order_or_not_at_all(pair):
    other = runs("sgd", B, problem_id="synthetic64", problem="synthetic")
    one = compare(*pair(runs("sgd", A), other, problems=(OTHER,)), anyway=True)
    assert "lecture against synthetic (problem lecture → synthetic" in one.sentences[0]
    assert one.sentences[1].startswith(
        "B is worse: sgd (lr=0.1) on lecture against synthetic ends 2.1 times higher"
    )
    assert one.rows["task"].tolist() == ["lecture against synthetic"]
    third = runs("sgd", B, problem_id="third64", problem="third")
    with pytest.raises(RequestError, match="only in A: lecture\n  only in B: synthetic and third"):
        compare(
            *pair(
                runs("sgd", A),
                other + third,
                problems=(OTHER, OTHER | {"problem_id": "third64", "problem": "third"}),
            ),
            anyway=True,
        )


# ---- tuned sweeps


def test_trials_are_not_compared_but_what_they_chose_and_the_default(write_tuned):
    a = write_tuned(tuned("sgd", {0.1: [1e-3, 1e-3], 0.2: [2.0, 2.0]}, A, default=[1.0] * 6), folder="a")
    b = write_tuned(tuned("sgd", {0.1: [9e-3, 1e-3], 0.3: [1e-4, 1e-4]}, B, default=[1.0] * 6), folder="b")
    difference = compare(a, b)
    chosen, default = row(difference, role="evaluation"), row(difference, role="default")
    assert (chosen["differs"], chosen["change"], default["change"]) == ("lr 0.1 → 0.3", "worse", "identical")
    assert len(difference.rows) == 2


def test_a_tuned_sweep_against_a_grid_compares_the_reported_settings(write, write_tuned):
    a = write(*runs("sgd", A, lr=0.1), *runs("sgd", [1.0] * 6, lr=0.001), folder="a")
    b = write_tuned(tuned("sgd", {0.2: [1e-3, 1e-3]}, B, default=[1.0] * 6), folder="b")
    difference = compare(a, b)
    assert row(difference)["differs"] == "lr 0.1 → 0.2"
    assert ["tune", "none", "lr"] in difference.differences.to_numpy().tolist()


def test_a_default_that_was_chosen_counts_once(write_tuned):
    sets = [write_tuned(tuned("sgd", {0.001: [1e-3, 1e-3]}, A, default=A), folder=folder) for folder in "ab"]
    assert compare(*sets).sentences == ["All 6 runs are identical, bit for bit."]


def test_a_tuned_sweep_that_was_stopped_before_its_evaluation_has_nothing_to_compare(write_tuned):
    trials = tuned("sgd", {0.1: [1e-3, 1e-3]}, [])
    sets = [write_tuned(trials, folder=folder) for folder in "ab"]
    with pytest.raises(RequestError, match="A has nothing but trials"):
        compare(*sets)


# ---- what was asked and made otherwise


def block(**axes) -> dict:
    base = {
        "optimizer.lr": 0.1,
        "optimizer.eps": 1e-8,
        "seed": 0,
        "steps": 8,
        "name": "x",
        "problem.intercept": True,
    }
    choices = {"problem": "lecture", "loss": "mse_sum", "optimizer": "sgd", "schedule": "none"}
    return {
        "choices": choices,
        "base": base,
        "axes": [{path.replace("__", "."): values} for path, values in axes.items()],
    }


def test_differences_of_request_configuration_versions_and_machine(write):
    made = {"versions": {"torch": "2.13", "numpy": "2.4"}, "machine": {"cores": 2}}
    a = write(
        *runs("sgd", A),
        folder="a",
        blocks=[block(seed=[0, 1], optimizer__lr=[0.1, 0.2])],
        request={"overrides": ["x=1", "name=a"]},
        **made,
    )
    later = {
        "blocks": [block(seed=[0, 1, 2], optimizer__lr=[0.1])],
        "engine": "reference",
        "request": {"overrides": ["x=1", "y=2", "name=b"]},
    }
    former = [{"versions": {"torch": "2.12", "numpy": "2.4"}, "machine": {"cores": 8}}]
    b = write(*runs("sgd", A), folder="b", earlier=former, engines={"fused": {"sgd": 6}}, **later, **made)
    assert compare(a, b).differences.to_numpy().tolist()[1:] == [
        ["request", "", "y=2"],
        ["engine", "auto", "reference"],
        ["sgd: engine", "reference", "fused"],
        ["sgd: lr", "0.1 and 0.2", "0.1"],
        ["seed", "0 and 1", "0, 1 and 2"],
        ["versions.torch", "2.13", "2.12 and 2.13"],
        ["machine.cores", "2", "8 and 2"],
    ]


def test_an_interrupted_sweep_is_named(pair):
    difference = compare(
        *pair(runs("sgd", A), runs("sgd", A)[:4], state="interrupted", counts={"planned": 6})
    )
    assert difference.sentences == [
        "All 4 runs are identical, bit for bit.",
        "B is interrupted: 4 of 6 planned runs are stored.",
    ]


# ---- the terminal and the command line


def test_many_settings_fit_80_columns_what_is_shown_first(pair):
    rng = np.random.default_rng(0)
    a = [
        r
        for k in range(100)
        for r in runs(
            "optimizer_with_a_name",
            10 ** rng.normal(-3, 0.3, 6),
            lr=1.2345e-5 * (k + 1),
            momentum_decay_schedule=0.004,
        )
    ]
    b = [r | {"final_gap": r["final_gap"] * (30 if r["optimizer.lr"] == 1.2345e-5 * 7 else 1.001)} for r in a]
    difference = compare(*pair(a, [r | {"level": r["final_gap"]} for r in b]))
    text = printed(difference)
    assert max(map(len, text.splitlines())) <= 80
    assert difference.rows["change"].tolist() == ["worse", *[""] * 99]
    assert "... and 80 more settings without a shown change" in text


def told_settings(text: str) -> list[str]:
    """The lines of the last table."""
    return text.split("optimizer  ")[-1].split("\n\n")[0].splitlines()


def test_long_settings_fold_between_words_and_the_verdict_is_whole(pair):
    """The gaps go where they do not fit, and a name that is wider than the line is cut into pieces that have
    all of it.
    """
    name, wide = (
        "adam_special",
        {"momentum_decay_schedule": 0.004, "another_long_setting": 1e-5, "name_of_one_more": 3},
    )
    other = runs(name, A, momentum_decay_schedule=0.1, another_long_setting=0.1, name_of_one_more=1)
    difference = compare(*pair([*runs(name, A, **wide), *other], [*runs(name, B, **wide), *other]))
    lines = told_settings(text := printed(difference))
    assert max(map(len, text.splitlines())) <= 80
    assert "gap A" not in text
    assert lines[0].endswith(" shown")
    assert lines[2].startswith(f"{name}  ")
    assert lines[2].endswith("   worse")
    assert not {*row(difference, change="worse")["setting"].split()} - {*" ".join(lines).split()}
    longest = runs("o" * 100, A)
    lines = told_settings(printed(compare(*pair(longest, runs("o" * 100, B)))))
    assert max(map(len, lines)) <= 80
    assert sum(line.split(" ")[0].count("o") for line in lines[2:]) == 100
    assert lines[2].endswith(" worse")
    assert "gap A" in printed(compare(*pair(runs("sgd", A), runs("sgd", B))))


def test_what_a_choice_says_is_not_said_again_of_a_task(pair):
    blocks = [
        {**block(seed=[0]), "choices": {**block()["choices"], "problem": problem}}
        for problem in ("lecture", "synthetic")
    ]
    a, b = pair(
        runs("sgd", A),
        runs("sgd", B, problem_id="synthetic64", problem="synthetic"),
        problems=(OTHER | {"n": 4},),
        blocks=blocks[1:],
    )
    a = lrbench.load(a.store.root)
    a.store.write_manifest(a.manifest | {"blocks": blocks[:1]})
    difference = compare(lrbench.load(a.store.root), b, anyway=True)
    assert difference.differences.to_numpy().tolist()[1:] == [
        ["problem", "lecture", "synthetic"],
        ["lecture against synthetic: n", "3", "4"],
    ]
    assert "\nlecture against  " in printed(
        difference
    )  # long folders beside it leave a key its share of the line


def test_the_command_line(pair, capsys, monkeypatch):
    monkeypatch.setattr(page, "COMPARED", ())
    a, b = (str(one.store.root) for one in pair(runs("sgd", A), runs("sgd", B)))
    assert main(["compare", a, a]) == 0
    folder = "A and B are the same folder, and so no page is written.\n"
    assert capsys.readouterr().out.endswith(f"\n\nAll 6 runs are identical, bit for bit.\n\n{folder}")
    assert not page.place(lrbench.load(a), lrbench.load(a)).exists()
    assert main(["compare", a, b]) == 1
    assert "\nExit code 1: a regression is shown.\n\nPage: " in capsys.readouterr().out
    assert main(["compare", b, a]) == 0
    assert "Exit code" not in capsys.readouterr().out
    assert lrbench.compare(a, lrbench.load(b)).regression


def test_wrong_requests_exit_2_and_say_why(pair, write, capsys, tmp_path):
    a, steps = (str(one.store.root) for one in pair(runs("sgd", A), runs("sgd", B, steps=16)))
    adam = str(write(*runs("adam", A), folder="adam").store.root)
    for name, text in {"broken": "{", "old": '{"schema": 1}', "empty": None}.items():
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / "manifest.json").write_text(text)
    (tmp_path / "file").write_text("")
    runless = write(*runs("sgd", A), folder="runless").store.root
    for part in (runless / "runs").iterdir():
        part.unlink()
    wrong = {
        (): "usage",
        (a,): "usage",
        (a, a, a): "usage",
        (a, a, "--force"): "usage",
        ("--anyway", a): "usage",
        (a, str(tmp_path / "nowhere")): "no result set",
        (a, str(tmp_path / "file")): "no result set",
        (a, str(tmp_path / "empty")): "no result set",
        (a, str(tmp_path / "broken")): "not valid JSON",
        (str(tmp_path / "old"), a): "written with schema 1",
        (a, str(runless)): "no run is stored yet",
        (a, steps): "steps 8 → 16",
        (a, adam, "--anyway"): "share no optimizer",
    }
    for arguments, said in wrong.items():
        assert main(["compare", *arguments]) == 2, arguments
        assert said in capsys.readouterr().err, arguments
