"""Two result sets against each other: which runs are paired, what is said by the rule, what is refused."""

import io
import itertools
import math

import numpy as np
import pytest
import rule
from before_and_after import OTHER
from conftest import LECTURE, run, tuned
from rich.console import Console
from scipy import stats

import lrbench
from lrbench.cli import main
from lrbench.errors import RequestError
from lrbench.results.comparison import compare
from lrbench.results.pages import comparison as page
from lrbench.results.tables.changes import family_of
from lrbench.results.tables.common_target import common_target
from lrbench.results.terminal.comparison import print_difference

INF = math.inf
BUDGET = 500
GOAL = 1e-6 * LECTURE["scale"]


@pytest.fixture
def pair(write):
    """pair(rows of A, rows of B, **options of B's `write`) -> the two result sets."""
    number = itertools.count()
    return lambda a, b, **options: (
        write(*a, folder=f"a{next(number)}"),
        write(*b, folder=f"b{next(number)}", **options),
    )


def runs(optimizer: str, costs, **changes) -> list[dict]:
    """A run a seed that arrives after so many evaluations; inf is a diverged one."""
    rows = []
    for seed, cost in enumerate(costs):
        lost = {"status": "diverged"} if cost == INF else {"hit": cost}
        rows.append(run(optimizer, 1e-9 * (seed + 1), seed=seed, **ASKED | lost | changes))
    return rows


def far(optimizer: str, levels, **changes) -> list[dict]:
    """A run a seed that does not arrive; inf is a diverged one."""
    rows = []
    for seed, level in enumerate(levels):
        lost = {"status": "diverged"} if level == INF else {}
        rows.append(run(optimizer, level, seed=seed, **ASKED | lost | changes))
    return rows


ASKED = {"steps": BUDGET, "budget": float(BUDGET)}


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


# ---- by the rule

A = [80, 92, 85, 101, 77, 83]
B = [121, 139, 127, 149, 119, 124]
LEVELS = [1.0e-3, 2.0e-3, 1.5e-3, 3.0e-3, 0.8e-3, 1.1e-3]
HIGHER = [2.2e-3, 3.9e-3, 3.6e-3, 5.5e-3, 1.9e-3, 2.0e-3]


def read(row: dict) -> rule.Reading:
    """A stored run as the rule reads it."""
    lost = row["status"] != "completed"
    arrived = row["level"] <= GOAL
    cost = float(row["cost_target"]) if arrived else float(BUDGET)
    return rule.Reading(lost, arrived, cost, row["level"], 1.0, GOAL, float(BUDGET), row["fingerprint"])


def drawn(rng: np.random.Generator, n: int) -> dict[str, tuple[list[dict], list[dict]]]:
    """A setting a name: its runs in A and in B, in every state that a comparison may meet."""
    costs = rng.integers(60, 120, n)
    levels = 10 ** rng.normal(-3, 0.1, n)
    noise = np.exp(rng.normal(0, 0.03, n))
    some = np.where(rng.random(n) < 0.5, INF, costs)
    by_name = {
        "same": (runs("same", costs), runs("same", costs)),
        "near": (runs("near", costs), runs("near", costs + 1)),
        "worse": (runs("worse", costs), runs("worse", np.rint(1.6 * costs * noise))),
        "close": (runs("close", costs), runs("close", np.rint(1.24 * costs * noise))),
        "better": (runs("better", 2 * costs), runs("better", costs)),
        "wide": (runs("wide", costs), runs("wide", rng.permutation(costs) + 3)),
        "higher": (far("higher", levels), far("higher", 3 * levels * noise)),
        "arrives": (far("arrives", levels), runs("arrives", costs)),
        "loses": (runs("loses", costs), runs("loses", some)),
        "lost": (far("lost", [INF] * n), far("lost", [INF] * n)),
    }
    return {
        name: (a, [r | {"rise": 2.0} for r in b] if name == "lost" else b) for name, (a, b) in by_name.items()
    }


@pytest.mark.parametrize("n", [1, 2, 4, 6, 12])
def test_every_row_says_what_the_rule_says(pair, n):
    cases = drawn(np.random.default_rng(n), n)
    sides = [[row for case in cases.values() for row in case[side]] for side in (0, 1)]
    difference = compare(*pair(*sides))
    family = (len(cases) - 1) * (n > 1)  # what is identical has no test, and one run allows none
    assert family_of(difference.rows) == family
    pairs = {
        name: rule.compare(*([read(row) for row in side] for side in case), family)
        for name, case in cases.items()
    }
    p = rule.holm([pair.p for pair in pairs.values()])
    beyond = rule.holm([pair.beyond for pair in pairs.values()])
    for k, (name, expected) in enumerate(pairs.items()):
        found = row(difference, optimizer=name)
        for field in ("test", "n", "wins", "losses"):
            assert found[field] == getattr(expected, field), (name, field)
        for field in ("ratio", "low", "high", "p", "beyond"):
            assert found[field] == pytest.approx(getattr(expected, field), rel=1e-6, nan_ok=True), (
                name,
                field,
            )
        assert found["p_holm"] == pytest.approx(p[k], rel=1e-6, nan_ok=True)
        word, side = rule.word(expected, p[k], beyond[k], family)
        assert found["word"] == word, name
        assert (
            found["change"] == {1: "worse", -1: "better", 0: "identical" if name == "same" else ""}[side]
        ), name


def test_turned_round_every_row_is_turned_round(pair):
    cases = drawn(np.random.default_rng(0), 10)
    a, b = pair(*([row for case in cases.values() for row in case[side]] for side in (0, 1)))
    opposite = {"worse": "better", "better": "worse"}
    for name in cases:
        ahead, back = row(compare(a, b), optimizer=name), row(compare(b, a), optimizer=name)
        assert (ahead["word"], ahead["change"]) == (
            back["word"],
            opposite.get(back["change"], back["change"]),
        )
        assert (ahead["lost"], ahead["wins"]) == (back["recovered"], back["losses"])
        assert (ahead["ratio"], ahead["low"]) == pytest.approx(
            (1 / back["ratio"], 1 / back["high"]), nan_ok=True
        )


def test_ratio_interval_and_p_are_those_of_scipy(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", B)))
    logs = np.log(B) - np.log(A)
    low, high = np.exp(stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs)))
    p = stats.ttest_rel(np.log(A), np.log(B)).pvalue
    found = row(difference)
    expected = [np.exp(logs.mean()), low, high, p, stats.gmean(A), stats.gmean(B)]
    names = ("ratio", "low", "high", "p", "cost_a", "cost_b")
    assert [found[name] for name in names] == pytest.approx(expected, rel=1e-10)
    assert difference.regression
    assert difference.sentences == [
        f"B is clearly worse: SGD (lr=0.1) arrives after {expected[0]:.2f} times as many evaluations in B "
        f"({low:.2f} to {high:.2f}): {stats.gmean(B):.0f} in B, {stats.gmean(A):.0f} in A."
    ]


# ---- what is said


def test_the_same_runs_are_identical_and_no_test_is_made(pair):
    rows = runs("sgd", A) + runs("adam", [*B[:5], INF])
    difference = compare(*pair(rows, rows))
    assert set(difference.rows["change"]) == {"identical"}
    assert difference.rows["p"].isna().all()
    assert difference.sentences == ["All 12 runs are identical, bit for bit."]
    assert not difference.regression


def test_one_bit_is_a_difference_and_no_regression(pair):
    changed = far("sgd", [np.nextafter(LEVELS[0], 1), *LEVELS[1:]])
    difference = compare(*pair(far("sgd", LEVELS), changed))
    assert (row(difference)["change"], row(difference)["word"]) == ("", "as good")
    assert difference.sentences == [
        "No regression is shown.",
        "As good in B as in A, within 1.25 times or two steps: SGD.",
    ]


def test_all_that_a_run_reached_counts(pair):
    """Where the whole curve is the same no test is made, but what differs is not identical."""
    columns = ["rise", "first_bad_step", "last_finite_loss", "evaluations", "half_level"]
    a = [r for column in ["none", *columns] for r in runs(column, A[:2])]
    b = [r | ({r["optimizer"]: 3.0} if r["optimizer"] in columns and r["seed"] == 0 else {}) for r in a]
    difference = compare(*pair(a, b))
    assert dict(zip(difference.rows["optimizer"], difference.rows["change"], strict=True)) == {
        "none": "identical"
    } | dict.fromkeys(columns, "")
    assert set(difference.rows["word"]) == {"the same"}
    assert difference.sentences == [
        "Nothing can be shown, as no setting that differs has a test: of 6 settings 5 are the same at every "
        "step and 1 is identical, bit for bit."
    ]


def test_what_is_close_is_told_and_no_regression(pair):
    """1.28 times for certain, but 1.20 is within its interval."""
    slower = [102, 124, 103, 138, 94, 107]
    difference = compare(*pair(runs("sgd", A), runs("sgd", slower)))
    assert (row(difference)["word"], row(difference)["change"]) == ("close", "worse")
    assert not difference.regression
    verdict, told = difference.sentences
    assert verdict == "No regression is shown."
    assert told.startswith(
        "B is worse, perhaps by too little to matter: SGD (lr=0.1) arrives after 1.28 times as"
    )
    assert "worse, close" in printed(difference)


def test_levels_are_told_as_the_way_that_is_left(pair):
    difference = compare(*pair(far("sgd", LEVELS), far("sgd", HIGHER)))
    logs = np.log(HIGHER) - np.log(LEVELS)
    low, high = np.exp(stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs)))
    in_a, in_b = (100 * stats.gmean(levels) / LECTURE["scale"] for levels in (LEVELS, HIGHER))
    assert difference.sentences == [
        f"B is clearly worse: SGD (lr=0.1) ends {np.exp(logs.mean()):.1f} times as far from the best fit "
        f"in B ({low:.2f} to {high:.1f}): {in_b:.3f} % in B, {in_a:.3f} % in A."
    ]
    line = told_settings(printed(difference))[2]
    assert f"{in_a:.3f} %" in line
    assert f"{in_b:.3f} %" in line


def test_what_is_better_is_no_regression(pair):
    difference = compare(*pair(runs("sgd", B), runs("sgd", A)))
    assert not difference.regression
    assert difference.sentences[0] == "No regression is shown."
    assert difference.sentences[1].startswith(
        "B is clearly better: SGD (lr=0.1) arrives after 1.51 times as many evaluations in A (1.48 "
    )


def test_an_interval_that_cannot_be_seen_is_not_written(pair):
    (told,) = compare(*pair(runs("sgd", A), runs("sgd", [3 * cost for cost in A]))).sentences
    assert "3.0 times as many evaluations in B (nearly the same for every seed): " in told


def test_who_arrives_and_who_does_not_is_told_in_runs(pair):
    ahead, behind = runs("sgd", [*A, 90, 91]), far("sgd", [*LEVELS, 1e-3, 2e-3])
    (told,) = compare(*pair(ahead, behind)).sentences
    p = stats.mannwhitneyu(range(8), range(8, 16), method="exact").pvalue
    assert p < 0.001
    assert told == (
        "B is clearly worse: SGD (lr=0.1) arrives on 0 of 8 runs in B, on 8 in A "
        "(exact rank sum test, p < 0.001)."
    )


def test_what_is_not_settled_says_how_many_seeds_would_settle_it(pair):
    """sgd swings up and down by 1.5."""
    swung = [round(cost * (1.5 if k % 2 else 0.7)) for k, cost in enumerate(A)]
    difference = compare(*pair(runs("sgd", A), runs("sgd", swung)))
    found = rule.compare([read(row) for row in runs("sgd", A)], [read(row) for row in runs("sgd", swung)])
    verdict, told = difference.sentences
    assert verdict == "No regression is shown."
    assert told == (
        f"Not settled: SGD (lr=0.1) takes {found.ratio:.2f} times as many evaluations in B as in A "
        f"({found.low:.3f} to {found.high:.2f}, 6 seeds); about {rule.starts_needed(found, 1)} seeds would "
        "settle it."
    )


def test_of_several_settings_the_kinds_are_counted_and_the_gravest_told_first(pair):
    a = [*runs("sgd", A), *runs("adam", A), *runs("rprop", A), *runs("rprop", A, lr=0.2), *runs("same", A)]
    b = [
        *runs("sgd", [cost + 1 for cost in A]),
        *runs("adam", [round(0.5 * cost) for cost in A]),
        *runs("rprop", B),
        *runs("rprop", [2 * cost for cost in B], lr=0.2),
        *runs("same", A),
    ]
    difference = compare(*pair(a, b))
    told = difference.sentences
    assert told[0] == (
        "B is worse than A: of 5 settings 2 are clearly worse, 1 is clearly better, 1 is as good and 1 is "
        "identical, bit for bit."
    )
    starts = [
        "B is clearly worse: Rprop (lr=0.2)",
        "B is clearly worse: Rprop (lr=0.1)",
        "B is clearly better: Adam",
    ]
    assert [sentence.startswith(start) for sentence, start in zip(told[1:4], starts, strict=True)] == [
        True
    ] * 3
    assert told[4:] == ["As good in B as in A, within 1.25 times or two steps: SGD."]
    assert difference.rows["optimizer"].tolist() == ["rprop", "rprop", "adam", "sgd", "same"]


def test_of_many_the_first_are_told_and_the_rest_counted(pair):
    rates = [0.1 * k for k in range(1, 10)]
    a, b = ([row for lr in rates for row in runs("sgd", costs, lr=lr)] for costs in (A, B))
    told = compare(*pair(a, b)).sentences
    assert len(told) == 1 + 5 + 1
    assert told[0] == "B is worse than A: of 9 settings 9 are clearly worse."
    assert told[-1] == "B is clearly worse: 4 more settings."


# ---- what was lost


def test_a_lost_run_is_a_regression_and_a_recovered_one_is_none(pair):
    whole, lost = runs("sgd", A), runs("sgd", [*A[:5], INF])
    difference = compare(*pair(whole, lost))
    assert (row(difference)["lost"], row(difference)["recovered"], difference.regression) == (1, 0, True)
    assert difference.sentences[:2] == [
        "B is worse than A.",
        "1 run is lost in B and not in A: SGD (lr=0.1) on 1 of 6.",
    ]
    back = compare(*pair(lost, whole))
    assert (row(back)["lost"], row(back)["recovered"], back.regression) == (0, 1, False)
    assert "1 run is lost in A and not in B: SGD (lr=0.1) on 1 of 6." in back.sentences


def test_more_lost_runs_in_b_are_told_once(pair):
    """sgd loses five of ten where A has no partner, adam as large a share in both, rprop what is told seed by
    seed.
    """
    a = [*runs("sgd", A[:5]), *runs("adam", [*A[:5], INF]), *runs("rprop", A)]
    b = [
        *runs("sgd", A[:5]),
        *runs("sgd", [INF] * 5, lr=9.0),
        *runs("adam", [*A[:5], INF]),
        *runs("rprop", [*A[:5], INF]),
    ]
    difference = compare(*pair(a, b))
    assert difference.sentences[1:3] == [
        "1 run is lost in B and not in A: Rprop (lr=0.1) on 1 of 6.",
        "In B 5 of 10 runs of SGD (in A none of 5) are lost, with or without a partner in A.",
    ]
    assert not any("In B" in sentence for sentence in compare(difference.b, difference.a).sentences)


def test_where_all_are_lost_nothing_is_said_of_a_ratio(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", [INF] * 6)))
    assert difference.sentences[:2] == [
        "B is clearly worse: SGD (lr=0.1) arrives on 0 of 6 runs in B, on 6 in A "
        "(exact rank sum test, p = 0.0022).",
        "6 runs are lost in B and not in A: SGD (lr=0.1) on 6 of 6.",
    ]
    assert "inf" not in printed(difference)


# ---- what has no test


def test_one_run_each_allows_no_test(pair):
    a = runs("sgd", [80]) + runs("adam", [80]) + far("rprop", [1e-3])
    b = runs("sgd", [90]) + runs("adam", [200]) + far("rprop", [1e-3 + 1e-9])
    difference = compare(*pair(a, b))
    assert not difference.regression
    assert set(difference.rows["word"]) == {"cannot be told"}
    assert difference.sentences == [
        "Nothing can be shown, as no setting that differs has a test: of 3 settings 3 are without a test.",
        "One run a side allows no test (3 settings): the largest difference is that Adam (lr=0.1) arrives "
        "after 200 gradient evaluations in B, and arrives after 80 gradient evaluations in A.",
    ]


def test_too_few_seeds_for_the_order_say_how_many_it_takes(pair):
    difference = compare(*pair(runs("sgd", A[:3]), far("sgd", LEVELS[:3])))
    assert difference.sentences == [
        "No regression is shown.",
        f"Too few seeds to tell, as the order alone is known, which takes {rule.seeds_needed(1)}: SGD.",
    ]


def test_runs_that_repeat_count_once(pair):
    a = runs("twins", [80] * 3) + runs("sgd", [80, 80, 90])
    b = runs("twins", [120] * 3) + runs("sgd", [120, 120, 140])
    for rows in (a, b):
        for row_of in rows:  # the same curve wherever the cost is
            row_of["fingerprint"] = row_of["cost_target"]
    twins, sgd = (row(compare(*pair(a, b)), optimizer=name) for name in ("twins", "sgd"))
    assert (twins["n"], twins["test"], twins["runs"]) == (1, "none", 3)
    p = stats.ttest_rel(np.log([80, 90]), np.log([120, 140])).pvalue
    assert (sgd["n"], sgd["test"], sgd["p"]) == (2, "t", pytest.approx(p))


# ---- who leaves again


@pytest.mark.parametrize("side", ["a", "b"])
def test_who_passes_through_on_one_side_is_neither_as_good_nor_better(pair, side):
    """It arrives 1.2 times earlier there, or within the margin later, whichever side it is."""
    for slower in (B, [cost + 1 for cost in A]):
        sides = dict(zip("ab", pair(runs("sgd", A), runs("sgd", slower)), strict=True))
        left = sides[side]
        vars(left)["entries"] = left.entries.assign(left=True)
        difference = compare(sides["a"], sides["b"])
        found = row(difference)
        if side == "b" and slower is B:  # that it is clearly worse says more
            assert (found["word"], found["change"]) == ("clear", "worse")
            continue
        assert (found["word"], found["change"], found[f"left_{side}"]) == ("passes through", "", 6)
        in_a, in_b = (6, 0) if side == "a" else (0, 6)
        assert difference.sentences == [
            "No regression is shown.",
            "SGD (lr=0.1) passes through: of the runs that arrive so many leave again before twice the "
            f"budget, in B {in_b} of 6 and in A {in_a} of 6.",
        ]


@pytest.mark.parametrize(("side", "change"), [("a", "worse"), ("b", "better")])
def test_who_passes_through_is_not_behind_who_lost_every_run(pair, side, change):
    gone = [INF] * len(A)
    costs = {"a": gone, "b": gone} | {side: A}
    sides = dict(zip("ab", pair(runs("sgd", costs["a"]), runs("sgd", costs["b"])), strict=True))
    vars(sides[side])["entries"] = sides[side].entries.assign(left=True)
    found = row(compare(sides["a"], sides["b"]))
    assert (found["word"], found["change"]) == ("clear", change)


# ---- at which target


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [
        (3e-5, 3e-5, 3e-5),
        (1e-6, 1e-2, 1e-6),
        (1e-2, 3e-5, 1e-2),
        (3e-5, 1e-4, 1e-4),
        (3e-5, 7e-4, 1e-5),
        (5e-5, 7e-4, 1e-4),
    ],
)
def test_two_targets_have_one_at_which_both_were_stored(a, b, common):
    assert common_target(a, b) == common


def test_runs_of_two_targets_are_read_at_one(pair):
    """Both would say that B arrives first, after its costs until 1e-3. At 1e-6 it does after those of A."""
    a = runs("sgd", A)
    b = []
    for row_of, cost in zip(runs("sgd", B), B, strict=True):
        rough = {"relative_target": 1e-3, "cost_1e-3": cost / 4, "cost_target": cost / 4, "cost_1e-6": cost}
        b.append(row_of | rough | {"score": np.log(cost / 4 / BUDGET)})
    difference = compare(*pair(a, b, target=1e-3))
    asked = difference.tasks[["target", "target_a", "target_b"]].to_numpy().tolist()
    assert asked == [[1e-6, 1e-6, 1e-3]]
    assert row(difference)["ratio"] == pytest.approx(stats.gmean(B) / stats.gmean(A))
    assert difference.sentences[0] == (
        "A was asked for the target 1e-6 and B for 0.001: here both are read at 1e-6, since costs until two "
        "targets do not compare."
    )
    turned = row(compare(difference.b, difference.a))
    rough = [stats.gmean([row_of["cost_1e-3"] for row_of in side]) for side in (b, a)]
    assert [turned["cost_a"], turned["cost_b"]] == pytest.approx(rough)


# ---- which runs belong together


def test_runs_are_paired_by_seed_and_settings_by_their_id(pair):
    """B has the seeds in another order, one more seed, and one setting more."""
    b = [*reversed(runs("sgd", B)), run("sgd", 9.0, seed=77, **ASKED), *runs("sgd", A, lr=0.2)]
    difference = compare(*pair(runs("sgd", A), b))
    assert row(difference)["p"] == pytest.approx(stats.ttest_rel(np.log(A), np.log(B)).pvalue)
    assert row(difference)["cost_b"] == pytest.approx(stats.gmean(B))
    assert "Without a partner, and so not compared: 1 setting of B." in difference.sentences


def test_without_a_common_setting_the_chosen_ones_are_compared(pair):
    a = runs("sgd", A, lr=0.1) + runs("sgd", B, lr=0.2)
    b = runs("sgd", B, lr=0.03, momentum=0.9) + far("sgd", LEVELS, lr=0.04, momentum=0.9)
    found = row(difference := compare(*pair(a, b)))
    assert found["differs"] == "lr 0.1 → 0.03, momentum null → 0.9"
    assert (found["cost_a"], found["cost_b"]) == pytest.approx((stats.gmean(A), stats.gmean(B)))
    assert difference.regression


def test_where_settings_differ_a_lost_run_is_no_regression(pair):
    difference = compare(*pair(runs("sgd", A, lr=0.1), runs("sgd", [*A[:5], INF], lr=0.2)))
    assert row(difference)["lost"] == 1
    assert not difference.regression


def test_where_nothing_depends_on_the_seed_runs_are_paired_whatever_it_is(pair):
    fixed = {"init": "zeros"}
    later = run("sgd", 1e-9, hit=160, seed=5, **ASKED, **fixed)
    found = row(compare(*pair(runs("sgd", [80], **fixed), [later])))
    assert (found["n"], found["cost_a"], found["cost_b"]) == (1, pytest.approx(80), pytest.approx(160))


def test_no_common_seed_is_refused_and_of_one_setting_said(pair):
    a, b = [run("sgd", 1e-3, seed=0)], [run("sgd", 1e-3, seed=1)]
    with pytest.raises(RequestError, match="share no seed"):
        compare(*pair(a, b))
    difference = compare(*pair([*a, run("adam", 1e-3)], [*b, run("adam", 1e-3)]))
    assert (row(difference, optimizer="sgd")["test"], row(difference, optimizer="sgd")["n"]) == (
        "unpaired",
        0,
    )
    assert "No seed in common, and so not compared: SGD." in difference.sentences


def test_disjoint_optimizers_are_refused(pair):
    with pytest.raises(
        RequestError, match="share no optimizer in any task. A has sgd; B has adam and rprop."
    ):
        compare(*pair(runs("sgd", A), runs("adam", A) + runs("rprop", A)))


def test_another_budget_is_refused_and_compared_anyway(pair):
    """Costs are evaluations whatever the budget; who does not arrive is read at the end of its own."""
    longer = {"steps": 2 * BUDGET, "budget": 2.0 * BUDGET}
    sets = pair(
        runs("sgd", A) + far("adam", LEVELS), runs("sgd", B, **longer) + far("adam", HIGHER, **longer)
    )
    with pytest.raises(RequestError, match=r"(?s)different tasks.*lecture: steps 500 → 1000\n.*--anyway"):
        compare(*sets)
    difference = compare(*sets, anyway=True)
    for optimizer, a, b in (("sgd", A, B), ("adam", LEVELS, HIGHER)):
        found = row(difference, optimizer=optimizer)
        assert found["ratio"] == pytest.approx(stats.gmean(b) / stats.gmean(a))
        assert found["p"] == pytest.approx(stats.ttest_rel(np.log(a), np.log(b)).pvalue)
    assert printed(difference).startswith("Compared although the tasks differ")
    assert difference.sentences[0].endswith(": lecture (steps 500 → 1000).")
    assert difference.sentences[1].startswith("The budgets differ: ")
    assert ["lecture: steps", "500", "1000"] in difference.differences.to_numpy().tolist()


def test_levels_of_two_problems_are_compared_as_shares_of_the_way(pair):
    """B's problem has ten times the scale, and so its levels and its goal are ten times as high."""
    other = OTHER | {"scale": 10 * LECTURE["scale"]}
    b = far("sgd", [10 * level for level in HIGHER], problem_id="synthetic64", problem="synthetic")
    found = row(compare(*pair(far("sgd", LEVELS), b, problems=(other,)), anyway=True))
    assert found["ratio"] == pytest.approx(stats.gmean(HIGHER) / stats.gmean(LEVELS))
    assert found["relative_level_b"] == pytest.approx(stats.gmean(HIGHER) / LECTURE["scale"])


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
    assert one.sentences[1].startswith("B is clearly worse: SGD (lr=0.1) arrives after 1.51 times as many")
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
    default = [1.0] * 6
    of_a = tuned("sgd", {0.1: [1e-3, 1e-3], 0.2: [2.0, 2.0]}, LEVELS, default)
    of_b = tuned("sgd", {0.1: [9e-3, 1e-3], 0.3: [1e-4, 1e-4]}, HIGHER, default)
    difference = compare(write_tuned(of_a, folder="a"), write_tuned(of_b, folder="b"))
    chosen, default = row(difference, role="evaluation"), row(difference, role="default")
    assert (chosen["differs"], chosen["change"], default["change"]) == ("lr 0.1 → 0.3", "worse", "identical")
    assert len(difference.rows) == 2


def test_a_tuned_sweep_against_a_grid_compares_the_reported_settings(write, write_tuned):
    a = write(*far("sgd", LEVELS, lr=0.1), *far("sgd", [1.0] * 6, lr=0.001), folder="a")
    b = write_tuned(tuned("sgd", {0.2: [1e-3, 1e-3]}, HIGHER, default=[1.0] * 6, **ASKED), folder="b")
    difference = compare(a, b)
    assert row(difference)["differs"] == "lr 0.1 → 0.2"
    assert ["tune", "none", "lr"] in difference.differences.to_numpy().tolist()


def test_a_default_that_was_chosen_counts_once(write_tuned):
    sets = [
        write_tuned(tuned("sgd", {0.001: [1e-3, 1e-3]}, LEVELS, default=LEVELS), folder=folder)
        for folder in "ab"
    ]
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
    rates = [1.2345e-5 * (k + 1) for k in range(100)]
    name, other = "optimizer_with_a_name", {"momentum_decay_schedule": 0.004}
    a = [row_of for lr in rates for row_of in runs(name, A, lr=lr, **other)]
    b = [row_of for lr in rates for row_of in runs(name, B if lr == rates[6] else A[::-1], lr=lr, **other)]
    difference = compare(*pair(a, b))
    text = printed(difference)
    assert max(map(len, text.splitlines())) <= 80
    assert difference.rows["change"].tolist() == ["worse", *[""] * 99]
    assert "... and 80 more settings without a shown change" in text


def told_settings(text: str) -> list[str]:
    """The lines of the table of settings."""
    return text.split("\n\n")[1].splitlines()


def test_long_settings_fold_between_words_and_the_verdict_is_whole(pair):
    """What does not fit goes, and a name wider than the line is cut into pieces that have all of it."""
    name = "adam_special"
    wide = {"momentum_decay_schedule": 0.004, "another_long_setting": 1e-5, "name_of_one_more": 3}
    other = runs(name, A, momentum_decay_schedule=0.1, another_long_setting=0.1, name_of_one_more=1)
    difference = compare(*pair([*runs(name, A, **wide), *other], [*runs(name, B, **wide), *other]))
    lines = told_settings(text := printed(difference))
    assert max(map(len, text.splitlines())) <= 80
    assert "cost A" not in text
    assert lines[0].endswith(" said")
    assert lines[2].startswith(f"{name}  ")
    assert lines[2].endswith("  clearly worse")
    assert not {*row(difference, change="worse")["setting"].split()} - {*" ".join(lines).split()}
    longest = runs("o" * 100, A)
    lines = told_settings(printed(compare(*pair(longest, runs("o" * 100, B)))))
    assert max(map(len, lines)) <= 80
    assert sum(line.split(" ")[0].count("o") for line in lines[2:]) == 100
    assert lines[2].endswith(" clearly worse")


def test_the_terminal_says_the_verdict_then_the_settings_then_what_was_asked(pair):
    difference = compare(*pair(runs("sgd", A), runs("sgd", B)))
    verdict, settings, asked, code = printed(difference).split("\n\n")
    assert verdict.replace(" \n", " ").replace("\n", " ") == difference.sentences[0]
    assert settings.split()[:4] == ["optimizer", "setting", "cost", "A"]
    assert asked.startswith("key ")
    assert code == "Exit code 1: a regression is shown.\n"


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
    out = capsys.readouterr().out
    assert out.startswith("All 6 runs are identical, bit for bit.\n\nkey ")
    assert out.endswith(f"\n\n{folder}")
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
        (a, steps): "steps 500 → 16",
        (a, adam, "--anyway"): "share no optimizer",
    }
    for arguments, said in wrong.items():
        assert main(["compare", *arguments]) == 2, arguments
        assert said in capsys.readouterr().err, arguments
