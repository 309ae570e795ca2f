"""Pairs of optimizers and gains of tuning, of stores written by hand, against scipy, statsmodels and numbers
worked by hand.
"""

import math

import numpy as np
import pandas as pd
import pytest
import rule
from by_statsmodels import holm
from conftest import LECTURE, run, tuned
from scipy import stats

INF, NAN = math.inf, math.nan
SIX = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.2])


def runs_of(gaps: dict[str, np.ndarray], **changes) -> list[dict]:
    """Runs of seeds 0, 1, ...; a gap inf is a diverged run."""
    rows = []
    for name, values in gaps.items():
        for seed, gap in enumerate(values):
            status = "completed" if np.isfinite(gap) else "diverged"
            rows.append(run(name, gap, seed=seed, status=status, **changes))
    return rows


def pair_of(frame: pd.DataFrame, a: str, b: str) -> dict:
    (row,) = frame[(frame["a"] == a) & (frame["b"] == b)].to_dict("records")
    return row


# ---- pairs within a task


def test_pairs_stand_in_the_order_of_the_ranking_and_speak_from_above(write):
    """Nobody arrives: b ends lowest, then c, then a."""
    gaps = {"a": 5.0 * SIX, "b": 1e-2 * SIX[::-1], "c": 0.2 * SIX**2}
    sweep = write(*runs_of(gaps))
    assert sweep.pairwise[["a", "b", "better"]].to_numpy().tolist() == [
        ["b", "c", "b"],
        ["b", "a", "b"],
        ["c", "a", "c"],
    ]
    for row in sweep.pairwise.to_dict("records"):
        log = np.log(gaps[row["b"]] / gaps[row["a"]])
        test = stats.ttest_1samp(log, 0)
        assert row["ratio"] == pytest.approx(np.exp(log.mean()))
        assert row["p"] == pytest.approx(test.pvalue)
        beyond = stats.ttest_1samp(log, math.log(1.25), alternative="greater")
        assert row["beyond"] == pytest.approx(beyond.pvalue)
        assert (row["low"], row["high"]) == pytest.approx(tuple(np.exp(test.confidence_interval())))
        assert (row["wins"], row["losses"], row["n"], row["test"], row["unit"]) == (6, 0, 6, "t", "gap")
        assert row["improvement"] == stats.mannwhitneyu(gaps[row["b"]], gaps[row["a"]]).statistic / 36
    for p, adjusted in (("p", "p_holm"), ("beyond", "beyond_holm")):
        assert sweep.pairwise[adjusted].tolist() == pytest.approx(holm(sweep.pairwise[p]))
    assert set(sweep.pairwise["family"]) == {"all"}


def test_a_pair_turned_round_turns_all_of_its_numbers(write):
    """z stands first, though it comes last by name: its pair is computed as (a, z) and told as (z, a)."""
    sweep = write(
        *[run("a", cost=20 * x, seed=seed, steps=100) for seed, x in enumerate(SIX)],
        *[run("z", cost=9 * x, seed=seed, steps=100) for seed, x in enumerate(SIX[::-1])],
    )
    (row,) = sweep.pairwise.to_dict("records")
    log = np.log(20 * SIX / (9 * SIX[::-1]))
    assert (row["a"], row["b"], row["wins"], row["losses"], row["better"]) == ("z", "a", 6, 0, "z")
    assert row["ratio"] == pytest.approx(np.exp(log.mean()))
    interval = tuple(np.exp(stats.ttest_1samp(log, 0).confidence_interval()))
    assert (row["low"], row["high"]) == pytest.approx(interval)
    assert row["improvement"] == 1


def test_with_a_lost_seed_the_order_is_tested(write):
    lost = np.array([INF, *1e-1 * SIX[1:]])
    (row,) = write(*runs_of({"a": lost, "z": 1e-3 * SIX})).pairwise.to_dict("records")
    assert (row["test"], row["wins"], row["losses"], row["word"]) == ("ranks", 6, 0, "clear")
    scores = [np.nan_to_num(gaps, posinf=9.0) for gaps in (1e-3 * SIX, lost)]
    assert row["p"] == pytest.approx(stats.mannwhitneyu(*scores, method="exact").pvalue)
    assert math.isnan(row["ratio"])


def test_ten_pairs_of_runs_are_tested_by_their_signs(write):
    """Nine of ten arrive where a misses, on one both do as fast."""
    rows = [run("a", cost=4, seed=0), *(run("a", 1e-2, seed=seed) for seed in range(1, 10))]
    (row,) = write(*rows, *(run("b", cost=4, seed=seed) for seed in range(10))).pairwise.to_dict("records")
    assert (row["a"], row["test"], row["wins"], row["losses"], row["n"]) == ("b", "sign", 9, 0, 10)
    assert row["p"] == stats.binomtest(0, 9).pvalue


def test_the_same_runs_and_the_same_ends_of_other_runs(write):
    """a and b are the same bit for bit; c and d both end at the floor after 4 evaluations."""
    rows = [run(name, 1e-3, seed=seed, fingerprint=seed) for name in "ab" for seed in (0, 1)]
    rows += [run(name, 0.0, cost=4, seed=seed) for name in "cd" for seed in (0, 1)]
    sweep = write(*rows)
    assert pair_of(sweep.pairwise, "a", "b")["word"] == "the same"
    both_at_the_floor = pair_of(sweep.pairwise, "c", "d")
    assert (both_at_the_floor["test"], both_at_the_floor["word"]) == ("t", "as good")
    assert both_at_the_floor["ratio"] == 1


def test_costs_less_than_two_steps_apart_are_as_good(write):
    rows = [
        run(name, cost=cost, seed=seed) for name, cost in (("a", 4), ("b", 5), ("c", 6)) for seed in range(5)
    ]
    sweep = write(*rows)
    words = {(row.a, row.b): row.word for row in sweep.pairwise.itertuples()}
    assert words == {("a", "b"): "as good", ("b", "c"): "as good", ("a", "c"): "clear"}
    assert sweep.ranking["first"].tolist() == [True, True, False]


def test_an_open_pair_says_how_many_starts_would_settle_it(write):
    costs = {"a": 40.0 * SIX**2, "b": 46.0 * SIX[::-1] ** 2}
    rows = [
        run(name, cost=x, seed=seed, steps=500) for name, own in costs.items() for seed, x in enumerate(own)
    ]
    sweep = write(*rows)
    (row,) = sweep.pairwise.to_dict("records")
    assert row["word"] == "not settled"
    log = np.log(costs["b"] / costs["a"])
    distance = max(log.mean(), math.log(1.25) - log.mean())
    n = row["starts"]
    needed = ((stats.t.ppf(0.975, n - 1) + 0.84) * log.std(ddof=1) / distance) ** 2
    assert needed == pytest.approx(n, abs=1.5)
    assert sweep.ranking.set_index("optimizer")["starts"].to_dict() == pytest.approx(
        {"a": NAN, "b": n}, nan_ok=True
    )


def test_the_pairs_of_a_leader_from_other_seeds_are_a_family_of_their_own(write_tuned):
    gaps = {"a": 1e-2 * SIX, "b": 2e-2 * SIX[::-1], "c": 4e-2 * SIX ** np.array([1, 2, 0, 1, 2, 1])}
    sweep = write_tuned(
        *[tuned(name, {0.1: [10.0 ** -(3 + (name == "b"))]}, list(values)) for name, values in gaps.items()]
    )
    assert sweep.ranking.set_index("optimizer")["leader"].to_dict() == {"a": False, "b": True, "c": False}
    family = {frozenset((row["a"], row["b"])): row for row in sweep.pairwise.to_dict("records")}
    leading = {frozenset(key) for key, row in family.items() if row["family"] == "leader"}
    assert leading == {frozenset("ab"), frozenset("bc")}
    p = [stats.ttest_rel(np.log(gaps["b"]), np.log(gaps[other])).pvalue for other in "ac"]
    adjusted = [family[frozenset(("b", other))]["p_holm"] for other in "ac"]
    assert adjusted == pytest.approx(holm(p))
    rest = family[frozenset("ac")]
    alone = stats.ttest_rel(np.log(gaps["a"]), np.log(gaps["c"])).pvalue
    assert (rest["family"], rest["p_holm"]) == ("rest", pytest.approx(alone))


def test_pairs_are_of_one_task_each(write):
    other = LECTURE | {"problem_id": "other64", "problem": "other"}
    rows = runs_of({"a": SIX, "b": 3 * SIX}) + runs_of(
        {"a": 3 * SIX, "c": SIX}, problem_id="other64", problem="other"
    )
    sweep = write(*rows, problems=(LECTURE, other))
    assert sweep.pairwise[["task", "a", "b"]].to_numpy().tolist() == [
        ["lecture", "a", "b"],
        ["other", "c", "a"],
    ]


# ---- across tasks


def several_tasks(write, gaps: dict[str, list[float]]):
    """A task an entry, two seeds each whose geometric mean is the gap.

    A gap inf is one lost seed of the two, NaN no run.
    """
    rows, problems = [], {}
    for name, values in gaps.items():
        for i, gap in enumerate(values):
            task = {"problem_id": f"p{i}", "problem": f"p{i}"}
            problems[i] = LECTURE | task
            if np.isfinite(gap):
                rows += [run(name, gap * 2.0, **task), run(name, gap * 0.5, seed=1, **task)]
            elif np.isinf(gap):
                rows += [run(name, 1.0, **task), run(name, 1.0, seed=1, status="diverged", **task)]
    return write(*rows, problems=tuple(problems.values()))


def test_across_seven_tasks_against_scipy(write):
    """Mean scores over two seeds; where nobody arrives they are log levels, and a lost seed counts 1000."""
    a = [1e-1, 1e-2, 3e-3, 1e-4, 2e-1, 7e-3, 1.0]
    b = [2e-1, 3e-2, 2e-3, 4e-3, 0.9, 1e-2, 2.0]
    c = [2.5e-1, 9e-3, 0.9, INF, 0.95, 1e-1, 3.0]
    sweep = several_tasks(write, {"a": a, "b": b, "c": c})
    assert sweep.across[["a", "b"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    scores = sweep.ranking.pivot(index="task", columns="optimizer", values="order")
    assert scores["a"].tolist() == pytest.approx((np.log(a) - math.log(8e-6)).tolist())
    assert scores["c"].iloc[3] == pytest.approx((1000 + math.log(1 / 8e-6)) / 2)
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    p = [stats.wilcoxon(scores[x] - scores[y], method="exact").pvalue for x, y in pairs]
    assert sweep.across["p"].tolist() == pytest.approx(p)
    assert sweep.across["p_holm"].tolist() == pytest.approx(holm(p))
    ranks = stats.rankdata(scores.to_numpy(), axis=1).mean(axis=0)
    assert sweep.across[["rank_a", "rank_b"]].to_numpy() == pytest.approx(ranks[[[0, 1], [0, 2], [1, 2]]])
    counts = sweep.across[["wins", "losses", "problems"]].to_numpy().tolist()
    assert counts == [[6, 1, 7]] * 3


def test_all_tasks_at_a_glance(write):
    """a leads on p0 and p1, b on p2, c nowhere and misses p2; b lost a seed on p1.

    Ranks are those of a and b alone.
    """
    sweep = several_tasks(write, {"a": [1e-9, 1e-9, 1e-3], "b": [1e-2, INF, 1e-9], "c": [1e-1, 1e-2, NAN]})
    assert sweep.overall["mean_rank"].tolist() == pytest.approx([4 / 3, 5 / 3, NAN], nan_ok=True)
    counts = sweep.overall[["optimizer", "tasks", "led", "solved", "lost"]].to_numpy().tolist()
    assert counts == [["a", 3, 2, 2, 0], ["b", 3, 1, 1, 1], ["c", 2, 0, 0, 0]]


def test_other_budgets_and_dtypes_of_one_problem_are_one_block(write):
    """Four tasks of each of two problems: their scores are averaged, and nothing is tested."""
    costs = {("p0", 8): 3, ("p0", 16): 5, ("p1", 8): 2, ("p1", 16): 6}
    problems = [
        LECTURE | {"problem_id": f"{name}{dtype}", "problem": name, "dtype": dtype}
        for name in ("p0", "p1")
        for dtype in ("float64", "float32")
    ]
    rows = []
    for (name, steps), cost in costs.items():
        for dtype in ("float64", "float32"):
            task = {"problem_id": f"{name}{dtype}", "problem": name, "dtype": dtype, "steps": steps}
            rows += [run("a", cost=cost, **task), run("b", 1e-3, **task)]
    sweep = write(*rows, problems=tuple(problems))
    (row,) = sweep.across.to_dict("records")
    counts = sweep.overall[["optimizer", "mean_rank", "tasks", "solved"]].to_numpy().tolist()
    assert counts == [["a", 1.0, 8, 8], ["b", 2.0, 8, 0]]
    assert (row["problems"], row["wins"], row["losses"]) == (2, 2, 0)


def test_five_tasks_give_no_p_and_who_misses_one_is_not_compared(write):
    sweep = several_tasks(write, {"a": [1e-3] * 5, "b": [1e-2] * 5, "c": [1e-1] * 4 + [NAN]})
    (row,) = sweep.across.to_dict("records")
    assert sweep.overall["optimizer"].tolist() == ["a", "b", "c"]
    assert (row["a"], row["b"], row["wins"], row["better"]) == ("a", "b", 5, "")
    assert math.isnan(row["p"])
    assert math.isnan(row["p_holm"])


@pytest.mark.parametrize(
    "gaps", [{"a": [1e-3], "b": [1e-2]}, {"a": [1e-3, 1e-3]}], ids=["one task", "one optimizer"]
)
def test_nothing_across_one_task_or_one_optimizer(write, gaps):
    assert several_tasks(write, gaps).across.empty


# ---- one setting for all


def on_problems(costs: dict[tuple[str, float], list[float]], **changes) -> tuple[list[dict], list[dict]]:
    """Runs and problems: (optimizer, lr) -> its cost on each, NaN no run, inf a miss."""
    rows, problems = [], {}
    for (name, lr), own in costs.items():
        for i, cost in enumerate(own):
            task = {"problem_id": f"p{i}", "problem": f"p{i}"}
            problems[i] = LECTURE | task
            if not math.isnan(cost):
                how = {"cost": cost} if cost < INF else {"gap": 1e-3}
                rows.append(run(name, lr=lr, steps=500, **how, **task, **changes))
    return rows, list(problems.values())


def test_one_setting_for_all_is_that_of_the_rule(write):
    costs = {
        ("sgd", 0.1): [10.0, INF],
        ("adam", 0.1): [30.0, 120.0],
        ("adam", 0.2): [5.0, NAN],
        ("sgd", 0.3): [NAN, 100.0],
        ("sgd", 1.0): [60.0, 110.0],
    }
    rows, problems = on_problems(costs)
    table = write(*rows, problems=tuple(problems)).one_for_all
    by_problem = [{key: min(own[i], 500.0) for key, own in costs.items() if own[i] == own[i]} for i in (0, 1)]
    best, ratio = rule.one_for_all(dict(enumerate(by_problem)))
    assert (best, ratio) == (("sgd", 0.1), 5.0)
    assert table[["optimizer", "lr", "worst", "tasks"]].to_numpy().tolist() == [
        ["sgd", 0.1, "p1", 2],
        ["adam", 0.1, "p0", 2],
    ]
    assert table["ratio"].tolist() == pytest.approx([5.0, 6.0])
    assert table["solved"].tolist() == [1, 2]


def test_of_settings_that_are_as_good_on_all_problems_the_score_decides(write):
    """None of them arrives: what ends lower is named, and that it arrives nowhere."""
    rows = []
    for lr, gap in ((0.1, 1e-1), (0.2, 1e-3), (0.3, 1e-2)):
        rows += [run(lr=lr, gap=gap, problem_id=name, problem=name) for name in ("p0", "p1")]
    problems = [LECTURE | {"problem_id": name, "problem": name} for name in ("p0", "p1")]
    (row,) = write(*rows, problems=tuple(problems)).one_for_all.to_dict("records")
    assert (row["lr"], row["ratio"], row["solved"]) == (0.2, 1.0, 0)


def test_a_setting_that_rises_too_high_is_not_for_all(write):
    high, problems = on_problems({("sgd", 9.0): [2.0, 2.0]}, rise=101.0)
    rows, _ = on_problems({("sgd", 0.1): [4.0, 8.0], ("sgd", 0.2): [8.0, 5.0]})
    (row,) = write(*high, *rows, problems=tuple(problems)).one_for_all.to_dict("records")
    assert (row["lr"], row["setting"], row["worst"], row["ratio"]) == (
        0.1,
        "lr=0.1",
        "p1",
        pytest.approx(1.6),
    )


def test_over_seeds_costs_are_geometric_means_and_a_miss_costs_the_budget(write):
    """sgd takes 4 and 8 evaluations on p0, 2 and the budget of 8 on p1; adam always 2."""
    rows, problems = on_problems({("adam", 0.1): [2.0, 2.0]})
    costs = {"p0": [4, 8], "p1": [2, INF]}
    for name, own in costs.items():
        for seed, cost in enumerate(own):
            how = {"cost": cost} if cost < INF else {"status": "diverged"}
            rows.append(run(seed=seed, problem_id=name, problem=name, steps=500, budget=8.0, **how))
    table = write(*rows, problems=tuple(problems)).one_for_all.set_index("optimizer")
    assert table["ratio"].to_dict() == pytest.approx({"adam": 1, "sgd": math.sqrt(4 * 8) / 2})
    assert table["worst"].to_dict() == {"adam": "p0", "sgd": "p0"}
    assert table["lost"].to_dict() == {"adam": 0, "sgd": 1}


def test_no_setting_for_all_of_one_task_or_where_none_was_tried_everywhere(write):
    assert write(run(steps=8)).one_for_all.empty
    rows, problems = on_problems({("sgd", 0.1): [4.0, NAN], ("sgd", 0.2): [NAN, 5.0]})
    assert write(*rows, problems=tuple(problems), folder="apart").one_for_all.empty
    high, problems = on_problems({("sgd", 0.1): [4.0, 5.0]}, rise=101.0)
    assert write(*high, problems=tuple(problems), folder="high").one_for_all.empty


# ---- tuned against default


def test_the_gain_of_tuning_against_scipy(write_tuned):
    """Nobody arrives on adam's side; sgd's tuned runs do, its default ones do later."""
    best, default = 1e-3 * SIX, 3e-1 * SIX[::-1]
    costs = {"best": 20 * SIX, "default": 90 * SIX[::-1]}
    sweep = write_tuned(
        tuned("adam", {0.1: [1.0]}, list(best), list(default), steps=200),
        tuned("sgd", {0.1: [1.0]}, list(costs["best"]), list(costs["default"]), by="cost", steps=200),
    )
    rows = sweep.tuned_against_default.set_index("optimizer")
    worth = {"adam": (best, default, "gap"), "sgd": (costs["best"], costs["default"], "evaluations")}
    for name, (tuned_ones, default_ones, unit) in worth.items():
        row, log = rows.loc[name], np.log(default_ones / tuned_ones)
        test = stats.ttest_1samp(log, 0)
        assert (row["gain"], row["p"]) == pytest.approx((np.exp(log.mean()), test.pvalue))
        assert (row["low"], row["high"]) == pytest.approx(tuple(np.exp(test.confidence_interval())))
        assert (row["n"], row["test"], row["unit"], row["word"], row["side"]) == (6, "t", unit, "clear", 1)
        assert sweep.ranking.set_index("optimizer").loc[name, "gain"] == row["gain"]
    adam, sgd = rows.loc["adam"], rows.loc["sgd"]
    assert (adam["gap"], adam["default_gap"]) == pytest.approx((stats.gmean(best), stats.gmean(default)))
    assert np.isnan([adam["cost"], adam["default_cost"]]).all()
    expected = (stats.gmean(costs["best"]), stats.gmean(costs["default"]))
    assert (sgd["cost"], sgd["default_cost"]) == pytest.approx(expected)
    assert (sgd["arrived"], sgd["default_arrived"], adam["arrived"]) == (6, 6, 0)
    assert sweep.ranking.set_index("optimizer")["default_gap"]["adam"] == adam["default_gap"]


def test_a_default_that_diverged_leaves_the_order_and_no_gain(write_tuned):
    sweep = write_tuned(
        tuned("sgd", {0.1: [1.0]}, list(SIX), [INF] * 6), tuned("adam", {0.1: [1.0]}, list(SIX))
    )
    (row,) = sweep.tuned_against_default.to_dict("records")
    assert (row["optimizer"], row["default_gap"], row["test"], row["word"], row["side"]) == (
        "sgd",
        INF,
        "ranks",
        "clear",
        1,
    )
    assert math.isnan(row["gain"])
    assert sweep.ranking["gain"].isna().all()
    (row,) = sweep.gains.to_dict("records")
    assert (row["lost"], row["seeds"], row["default_lost"], row["default_seeds"]) == (0, 6, 6, 6)


def test_gains_are_paired_by_seed(write_tuned):
    """Of the defaults only seed 0 ran: one pair; the default's mean is over what it ran."""
    sweep = write_tuned(tuned("sgd", {0.1: [1.0]}, [1e-6, 1.0], [1e-3]))
    (row,) = sweep.tuned_against_default.to_dict("records")
    assert (row["n"], row["test"], row["word"], row["default_gap"]) == (1, "none", "cannot be told", 1e-3)
    assert math.isnan(sweep.ranking["gain"].iloc[0])


def test_without_a_seed_that_ran_both_nothing_is_said_of_a_gain(write_tuned):
    ran = tuned("sgd", {0.1: [1.0]}, [1e-6, 1.0], [1e-3])
    apart = [pair for pair in ran if not (pair[1]["role"] == "evaluation" and pair[0]["seed"] == 0)]
    (row,) = write_tuned(apart).tuned_against_default.to_dict("records")
    assert (row["n"], row["test"], row["word"], row["side"]) == (0, "none", "cannot be told", 0)


def test_an_untuned_sweep_has_no_gains(write):
    sweep = write(*runs_of({"a": SIX}))
    assert sweep.tuned_against_default.empty
    assert sweep.ranking[["default_gap", "gain"]].isna().all(axis=None)
    assert not sweep.tuned
    assert sweep.defaults.empty
