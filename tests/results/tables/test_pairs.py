"""Pairs of optimizers and gains of tuning, of stores written by hand, against scipy, statsmodels and numbers
worked by hand.
"""

import math

import numpy as np
import pandas as pd
import pytest
from conftest import FLOOR, LECTURE, run, tuned
from scipy import stats
from statsmodels.stats.multitest import multipletests

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
    gaps = {"a": 5e-4 * SIX, "b": 1e-6 * SIX[::-1], "c": 2e-5 * SIX**2}
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
        assert (row["low"], row["high"]) == pytest.approx(tuple(np.exp(test.confidence_interval())))
        assert (row["wins"], row["losses"], row["ties"], row["n"], row["test"]) == (6, 0, 0, 6, "t")
        assert row["improvement"] == stats.mannwhitneyu(gaps[row["b"]], gaps[row["a"]]).statistic / 36
    holm = multipletests(sweep.pairwise["p"], method="holm")[1]
    assert sweep.pairwise["p_holm"].tolist() == pytest.approx(holm.tolist())
    assert set(sweep.pairwise["family"]) == {"all"}


def test_a_sign_test_turned_round_keeps_its_bound(write):
    """z stands first, though it comes last by name: its pair is computed as (a, z) and told as (z, a)."""
    lost = np.array([INF, *1e-3 * SIX[1:]])
    (row,) = write(*runs_of({"a": lost, "z": 1e-5 * SIX})).pairwise.to_dict("records")
    assert (row["a"], row["b"], row["test"], row["wins"], row["losses"], row["better"]) == (
        "z",
        "a",
        "sign",
        6,
        0,
        "z",
    )
    assert row["at_least"] == pytest.approx(100)
    assert row["p"] == stats.binomtest(0, 6).pvalue
    assert math.isnan(row["ratio"])
    assert row["improvement"] == 1


def test_identical_runs_and_runs_at_the_floor_have_no_test(write):
    gaps = {
        "a": np.array([1e-3, 1e-4]),
        "b": np.array([1e-3, 1e-4]),
        "c": np.array([FLOOR, 0.0]),
        "d": np.array([0.0, FLOOR / 2]),
    }
    sweep = write(*runs_of(gaps))
    assert pair_of(sweep.pairwise, "a", "b")["test"] == "identical"
    assert pair_of(sweep.pairwise, "c", "d")["test"] == "floor"
    assert sweep.ranking.set_index("optimizer").loc["d", "ratio"] == 1


def test_the_pairs_of_a_leader_from_other_seeds_are_a_family_of_their_own(write_tuned):
    gaps = {"a": 1e-5 * SIX, "b": 2e-5 * SIX[::-1], "c": 4e-5 * SIX ** np.array([1, 2, 0, 1, 2, 1])}
    sweep = write_tuned(
        *[tuned(name, {0.1: [10.0 ** -(3 + (name == "b"))]}, list(values)) for name, values in gaps.items()]
    )
    assert sweep.ranking.set_index("optimizer")["leader"].to_dict() == {"a": False, "b": True, "c": False}
    family = {frozenset((row["a"], row["b"])): row for row in sweep.pairwise.to_dict("records")}
    assert {frozenset(key) for key, row in family.items() if row["family"] == "leader"} == {
        frozenset("ab"),
        frozenset("bc"),
    }
    p = [stats.ttest_rel(np.log(gaps["b"]), np.log(gaps[other])).pvalue for other in "ac"]
    assert [family[frozenset(("b", other))]["p_holm"] for other in "ac"] == pytest.approx(
        multipletests(p, method="holm")[1].tolist()
    )
    rest = family[frozenset("ac")]
    assert (rest["family"], rest["p_holm"]) == (
        "rest",
        pytest.approx(stats.ttest_rel(np.log(gaps["a"]), np.log(gaps["c"])).pvalue),
    )


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
    a = [1e-3, 1e-4, 3e-5, 1e-6, 2e-3, 7e-5, 1e-2]
    b = [2e-3, 3e-4, 2e-5, 4e-5, 9e-2, 1e-4, 2e-1]
    c = [2.5e-3, 9e-5, 9e-1, INF, 7e-1, 1e-3, 3e-1]
    sweep = several_tasks(write, {"a": a, "b": b, "c": c})
    assert sweep.across[["a", "b"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    finite = np.where(np.isinf(c), 1e9, c)  # the order alone counts
    p = [
        stats.wilcoxon(np.log(x), np.log(y), method="exact").pvalue
        for x, y in ((a, b), (a, finite), (b, finite))
    ]
    assert sweep.across["p"].tolist() == pytest.approx(p)
    assert sweep.across["p_holm"].tolist() == pytest.approx(multipletests(p, method="holm")[1].tolist())
    ranks = stats.rankdata([a, b, finite], axis=0).mean(axis=1)
    assert sweep.across[["rank_a", "rank_b"]].to_numpy() == pytest.approx(ranks[[[0, 1], [0, 2], [1, 2]]])
    assert sweep.across["ratio"].tolist() == pytest.approx(
        [np.median(np.array(b) / a), np.median(finite / a), np.median(finite / b)]
    )
    assert sweep.across[["wins", "losses", "problems"]].to_numpy().tolist() == [
        [6, 1, 7],
        [6, 1, 7],
        [6, 1, 7],
    ]


def test_all_tasks_at_a_glance(write):
    """a leads on p0 and p1, b on p2, c nowhere and misses p2; b lost a seed on p1.

    Ranks are those of a and b alone.
    """
    sweep = several_tasks(write, {"a": [1e-9, 1e-9, 1e-3], "b": [1e-2, INF, 1e-5], "c": [1e-1, 1e-2, NAN]})
    assert sweep.overall["mean_rank"].tolist() == pytest.approx([4 / 3, 5 / 3, NAN], nan_ok=True)
    counts = sweep.overall[["optimizer", "tasks", "led", "solved", "targets", "lost"]].to_numpy().tolist()
    assert counts == [["a", 3, 2, 0, 3, 0], ["b", 3, 1, 0, 3, 1], ["c", 2, 0, 0, 2, 0]]


def test_other_budgets_and_dtypes_of_one_problem_are_one_block(write):
    """Three tasks of each of two problems: their log gaps are averaged, and nothing is tested."""
    gaps = {("p0", 8): 1e-3, ("p0", 16): 1e-5, ("p1", 8): 1e-2, ("p1", 16): 1e-6}
    problems = [
        LECTURE | {"problem_id": f"{name}{dtype}", "problem": name, "dtype": dtype}
        for name in ("p0", "p1")
        for dtype in ("float64", "float32")
    ]
    rows = [
        run(
            optimizer,
            gap * scale,
            problem_id=f"{name}{dtype}",
            problem=name,
            dtype=dtype,
            steps=steps,
            hit=hits.get(steps),
        )
        for optimizer, scale, hits in (("a", 1.0, {8: 3}), ("b", 3.0, {}))
        for (name, steps), gap in gaps.items()
        for dtype in ("float64", "float32")
    ]
    sweep = write(*rows, problems=tuple(problems))
    (row,) = sweep.across.to_dict("records")
    assert sweep.overall[["optimizer", "mean_rank", "tasks", "solved"]].to_numpy().tolist() == [
        ["a", 1.0, 8, 4],
        ["b", 2.0, 8, 0],
    ]
    assert (row["problems"], row["wins"], row["losses"]) == (2, 2, 0)
    assert row["ratio"] == pytest.approx(3)


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


# ---- tuned against default


def test_the_gain_of_tuning_against_scipy(write_tuned):
    best, default = 1e-6 * SIX, 3e-3 * SIX[::-1]
    sweep = write_tuned(tuned("sgd", {0.1: [1.0]}, list(best), list(default)))
    (row,) = sweep.tuned_against_default.to_dict("records")
    log = np.log(default / best)
    assert (row["gap"], row["default_gap"], row["gain"]) == pytest.approx(
        (stats.gmean(best), stats.gmean(default), np.exp(log.mean()))
    )
    assert (row["low"], row["high"]) == pytest.approx(
        tuple(np.exp(stats.ttest_1samp(log, 0).confidence_interval()))
    )
    assert (row["n"], row["test"], row["p"]) == (6, "t", pytest.approx(stats.ttest_1samp(log, 0).pvalue))
    assert sweep.ranking["gain"].iloc[0] == row["gain"]
    assert sweep.ranking["default_gap"].iloc[0] == row["default_gap"]


def test_a_default_that_diverged_leaves_a_bound_and_no_gain(write_tuned):
    sweep = write_tuned(
        tuned("sgd", {0.1: [1.0]}, list(SIX), [INF] * 6), tuned("adam", {0.1: [1.0]}, list(SIX))
    )
    (row,) = sweep.tuned_against_default.to_dict("records")
    assert (row["optimizer"], row["default_gap"], row["test"], row["at_least"]) == ("sgd", INF, "sign", INF)
    assert math.isnan(row["gain"])
    assert sweep.ranking["gain"].isna().all()


def test_gains_are_paired_by_seed(write_tuned):
    """Of the defaults only seed 0 ran: one pair, no interval; the default's mean is over what it ran."""
    sweep = write_tuned(tuned("sgd", {0.1: [1.0]}, [1e-6, 1.0], [1e-3]))
    (row,) = sweep.tuned_against_default.to_dict("records")
    assert (row["n"], row["test"], row["gain"], row["default_gap"]) == (1, "none", pytest.approx(1e3), 1e-3)
    assert math.isnan(sweep.ranking["gain"].iloc[0])


def test_an_untuned_sweep_has_no_gains(write):
    sweep = write(*runs_of({"a": SIX}))
    assert sweep.tuned_against_default.empty
    assert sweep.ranking[["default_gap", "gain"]].isna().all(axis=None)
    assert not sweep.tuned
    assert sweep.defaults.empty
