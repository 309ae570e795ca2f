"""Tasks, settings, ranking and failures of stores written by hand, against numbers worked by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import FLOOR, LECTURE, MANIFEST, TUNE, curve, role, run, tuned
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lrbench.errors import RequestError
from lrbench.results.frames.columns import names
from lrbench.results.frames.names import natural
from lrbench.results.tables.ranking import RELATIVE
from lrbench.results.tables.sweep import Sweep
from lrbench.store import ResultStore

INF, NAN = math.inf, math.nan
ADAM = "torch.optim.Adam"
OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic", "scale": 2.0}


def ranked(frame) -> list[tuple]:
    return [
        (None if pd.isna(rank) else int(rank), name)
        for rank, name in zip(frame["rank"], frame["optimizer"], strict=True)
    ]


def row_of(frame, optimizer, **conditions) -> SimpleNamespace:
    for column, value in {"optimizer": optimizer, **conditions}.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return SimpleNamespace(**frame.iloc[0])


# ---- settings


def test_a_setting_over_its_seeds_by_hand(write):
    sweep = write(
        *[
            run(gap=gap, seed=seed, hit=hit)
            for seed, (gap, hit) in enumerate([(1e-4, 5), (1e-2, 7), (1e-3, None)])
        ]
    )
    row = row_of(sweep.settings, "sgd")
    assert row.gap == pytest.approx(1e-3)
    assert row.spread == pytest.approx(math.exp(np.std(np.log([1e-4, 1e-2, 1e-3]), ddof=1)))
    assert (row.median, row.q25, row.q75) == pytest.approx((1e-3, 5.5e-4, 5.5e-3))
    assert row.relative_gap == pytest.approx(1e-3 / 8)
    assert (row.evaluations_to_target, row.hits, row.seeds, row.completed) == (7, 2, 3, 3)
    assert not row.at_floor


def test_one_lost_seed_makes_the_gap_inf_and_is_counted(write):
    sweep = write(run(gap=1e-9, seed=0, hit=3), run(seed=1, status="diverged"), run(gap=1e-9, seed=2, hit=4))
    row = row_of(sweep.settings, "sgd")
    assert (row.gap, row.spread, row.relative_gap, row.q75, row.median) == (INF, INF, INF, INF, 1e-9)
    assert (row.completed, row.diverged, row.failed, row.evaluations_to_target) == (2, 1, 0, 4)


def test_a_run_that_did_not_complete_never_hits(write):
    sweep = write(run(seed=0, status="diverged", hit=2), run(seed=1, status="failed", hit=2))
    row = row_of(sweep.settings, "sgd")
    assert (row.evaluations_to_target, row.hits) == (INF, 0)


def test_a_single_seed_has_no_spread(write):
    row = row_of(write(run(gap=1e-3)).settings, "sgd")
    assert math.isnan(row.spread)
    assert row.gap == row.median == row.q25 == row.q75 == 1e-3


def test_a_constant_target_has_neither_relative_gaps_nor_hits(write):
    row = row_of(write(run(gap=1e-3), problems=(LECTURE | {"scale": None},)).ranking, "sgd")
    assert math.isnan(row.relative_gap)
    assert math.isnan(row.evaluations_to_target)
    assert (row.hits, row.gap, row.rank) == (0, 1e-3, 1)


def test_hits_are_gradient_evaluations_not_steps(write):
    sweep = write(run(hit=4) | {"evaluations_to_target": 1.5})
    assert row_of(sweep.ranking, "sgd").evaluations_to_target == 1.5


# ---- ranking


def test_the_lowest_gap_is_first_and_each_optimizer_stands_at_its_best(write):
    gaps = {0.001: 1e-2, 0.01: 1e-5, 0.1: 1e-3}
    sweep = write(*[run(gap=gap, lr=lr) for lr, gap in gaps.items()], run("adam", 1e-4, target_=ADAM))
    assert ranked(sweep.ranking) == [(1, "sgd"), (2, "adam")]
    sgd = row_of(sweep.ranking, "sgd")
    assert (sgd.lr, sgd.gap, sgd.setting, sgd.settings, sgd.lrs, sgd.runs, sgd.edge) == (
        0.01,
        1e-5,
        "lr=0.01",
        3,
        3,
        3,
        "",
    )


@pytest.mark.parametrize(("best", "edge"), [(0.001, "lowest"), (0.01, ""), (0.1, "highest")])
def test_edges_of_three_learning_rates(write, best, edge):
    sweep = write(*[run(gap=1e-6 if lr == best else 1e-3, lr=lr) for lr in (0.001, 0.01, 0.1)])
    assert row_of(sweep.ranking, "sgd").edge == edge


def test_two_learning_rates_have_no_edges_nor_has_a_grid_where_nothing_completed(write):
    sweep = write(
        *[run(lr=lr) for lr in (0.1, 0.2)], *[run("adam", lr=lr, status="diverged") for lr in (1, 2, 3)]
    )
    assert sweep.ranking["edge"].tolist() == ["", ""]


def test_gaps_at_the_floor_are_tied_whatever_their_digits(write):
    sweep = write(run("a", FLOOR / 7, hit=6), run("b", 0.0, hit=2), run("c", FLOOR), run("d", FLOOR * 1.01))
    assert ranked(sweep.ranking) == [(1, "b"), (1, "a"), (1, "c"), (4, "d")]
    assert sweep.ranking["at_floor"].tolist() == [True, True, True, False]
    assert sweep.ranking["gap"].tolist()[:3] == [FLOOR] * 3


def test_equal_gaps_share_a_rank(write):
    assert ranked(write(run("b", 1e-3), run("a", 1e-3), run("c", 1e-2)).ranking) == [
        (1, "a"),
        (1, "b"),
        (3, "c"),
    ]


def test_who_lost_a_seed_has_no_rank_and_stands_last(write):
    lost = [run("a", status="diverged", seed=0), run("a", status="failed", seed=1)]
    partly = [run("b", 1e-9, seed=0), run("b", status="diverged", seed=1)]
    sweep = write(*lost, *partly, run("c", 1e-1), run("c", 1e-1, seed=1))
    assert ranked(sweep.ranking) == [(1, "c"), (None, "b"), (None, "a")]
    assert sweep.ranking["gap"].tolist() == pytest.approx([1e-1, INF, INF])
    a = row_of(sweep.ranking, "a")
    assert (a.diverged, a.failed, a.runs, a.seeds) == (1, 1, 2, 2)


def test_among_lost_settings_the_one_that_lost_least_is_best(write):
    rows = [run(lr=1.0, status="diverged", seed=seed) for seed in range(2)]
    sweep = write(*rows, run(lr=2.0, status="diverged"), run(lr=2.0, seed=1))
    assert row_of(sweep.ranking, "sgd").setting == "lr=2"


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_nothing_completed(write, status):
    sweep = write(*[run(name, status=status, seed=seed) for name in ("adam", "sgd") for seed in range(2)])
    assert ranked(sweep.ranking) == [(None, "adam"), (None, "sgd")]
    assert sweep.ranking[status].tolist() == [2, 2]


def test_tasks_are_ranked_apart(write):
    rows = [
        run("sgd", 1e-5),
        run("adam", 1e-3),
        run("sgd", 1e-1, problem_id="synthetic64", problem="synthetic"),
    ]
    rows += [run("adam", 1e-2, problem_id="synthetic64", problem="synthetic")]
    ranking = write(*rows, problems=(LECTURE, OTHER)).ranking
    assert [(task, ranked(group)) for task, group in ranking.groupby("task", sort=False)] == [
        ("lecture", [(1, "sgd"), (2, "adam")]),
        ("synthetic", [(1, "adam"), (2, "sgd")]),
    ]
    assert row_of(ranking, "sgd", task="synthetic").relative_gap == pytest.approx(1e-1 / 2)


def test_a_task_is_more_than_its_problem(write):
    sweep = write(
        run(), run(steps=16), run(steps=16, batch_size=2), run(steps=16, batch_size=2, batch_order="shuffled")
    )
    assert len(sweep.tasks) == 4
    assert sweep.tasks["task"].is_unique
    assert all(len(group) == 1 for _, group in sweep.ranking.groupby("task"))


def test_labels_in_the_order_of_their_numbers():
    labels = ["synthetic kappa=1000", "synthetic kappa=10", "lecture", "synthetic kappa=100"]
    assert sorted(labels, key=natural) == [
        "lecture",
        "synthetic kappa=10",
        "synthetic kappa=100",
        "synthetic kappa=1000",
    ]


# ---- names and settings


def test_custom_optimizers_go_by_their_class_or_path(write):
    rows = [
        run("custom", target_="mine.Lion"),
        run("custom", target_="a.Same"),
        run("custom", target_="b.Same"),
        run("sgd"),
    ]
    assert set(write(*rows).ranking["optimizer"]) == {"Lion", "a.Same", "b.Same", "sgd"}


def test_a_custom_class_with_the_name_of_a_choice_keeps_apart(write):
    assert set(write(run("Adam", target_=ADAM), run("custom", target_="mine.Adam")).ranking["optimizer"]) == {
        "Adam",
        "mine.Adam",
    }


def test_adafactors_pair_stands_beside_adams_number(write):
    adafactor = [
        run("adafactor", target_="torch.optim.Adafactor", eps=[None, eps], seed=seed)
        for eps in (1e-3, 1e-2)
        for seed in range(2)
    ]
    adam = [run("adam", target_=ADAM, eps=eps, betas=[0.9, 0.999]) for eps in (1e-8, 1e-4)]
    sweep = write(*adafactor, *adam)
    assert set(sweep.settings["setting"]) == {
        "eps=[null,0.001]",
        "eps=[null,0.01]",
        "eps=1e-8",
        "eps=0.0001",
    }
    assert sweep.settings.set_index("setting")["seeds"].to_dict() == {
        "eps=[null,0.001]": 2,
        "eps=[null,0.01]": 2,
        "eps=1e-8": 1,
        "eps=0.0001": 1,
    }


def test_a_setting_names_what_varies_within_its_optimizer_only(write):
    rows = [run(lr=lr, momentum=momentum) for lr in (0.1, 0.2) for momentum in (0.0, 0.9)] + [
        run("adam", lr=0.001, target_=ADAM, amsgrad=True)
    ]
    texts = write(*rows).settings.groupby("optimizer")["setting"].apply(set).to_dict()
    assert texts == {
        "adam": {"lr=0.001"},
        "sgd": {f"lr={lr} momentum={m}" for lr in (0.1, 0.2) for m in (0, 0.9)},
    }


def test_an_optimizer_without_a_learning_rate_has_an_empty_setting(write):
    row = row_of(write(run("rate_free", lr=None)).ranking, "rate_free")
    assert (row.setting, row.lrs, row.edge) == ("", 0, "")


# ---- failures, frames, stores


def test_failures_are_counted_by_reason(write):
    rows = [run(status="failed", reason="no closure", seed=seed) for seed in range(3)] + [
        run("adam", target_=ADAM)
    ]
    rows += [
        run(status="diverged", first_bad_step=step, last_finite_loss=10.0**step, seed=step + 10)
        for step in (3, 5)
    ]
    frame = write(*rows).failures
    assert frame[["optimizer", "status", "reason", "runs"]].to_numpy().tolist() == [
        ["sgd", "failed", "no closure", 3],
        ["sgd", "diverged", "", 2],
    ]
    assert frame.loc[1, ["first_bad_step", "last_finite_loss"]].tolist() == [3, 1e5]


def test_no_failures_is_an_empty_frame(write):
    assert write(run()).failures.empty


def test_frames_have_every_run_and_every_curve_step(write):
    rows = [run(seed=seed) for seed in range(3)] + [
        run("adam", status="diverged", target_=ADAM),
        run("lbfgs", status="failed", weights=None),
    ]
    sweep = write(*rows)
    assert set(sweep.runs["run_id"]) == {row["run_id"] for row in rows}
    assert sweep.runs[["w_0", "w_1"]].dropna().to_numpy().tolist() == [[2.0, 0.0]] * 4
    assert sweep.runs.loc[sweep.runs["optimizer"] == "lbfgs", ["w_0", "w_1"]].isna().all(axis=None)
    gap = sweep.curves.groupby("run_id")["gap"].apply(list)
    assert gap.to_dict() == {row["run_id"]: curve(row)["gap"].tolist() for row in rows[:-1]}


def test_a_run_that_was_stored_twice_counts_once(write):
    write(run(seed=0), run(seed=1))
    sweep = write(run(seed=0), run(seed=1))
    assert len(sweep.store.runs()) == 2
    assert sweep.ranking["seeds"].tolist() == [2]
    assert len(sweep.curves) == 2 * 9


def test_missing_and_empty_stores_say_what_to_do(write, tmp_path):
    with pytest.raises(RequestError, match="manifest.json"):
        ResultStore.open(tmp_path / "nowhere")
    with pytest.raises(RequestError, match="no run is stored yet"):
        _ = write().runs


# ---- tuned sweeps

CHOSEN = {0.01: [1e-3, 1e-3], 0.1: [1e-5, 1e-5]}  # gaps of the trials on two tuning seeds: lr = 0.1 is chosen


def test_a_tuned_sweep_is_compared_on_its_evaluation_seeds(write_tuned):
    sweep = write_tuned(
        tuned("sgd", CHOSEN, [1e-2, 1e-4], default=[1.0, 4.0]),
        tuned("adam", {0.1: [1e-4, 1e-4]}, [1e-6, 1e-6]),
    )
    assert sweep.entries["role"].value_counts().to_dict() == {"trial": 6, "evaluation": 4, "default": 2}
    assert len(sweep.searched) == 6
    sgd = row_of(sweep.ranking, "sgd")
    assert (sgd.gap, sgd.median, sgd.seeds, sgd.runs) == pytest.approx((1e-3, 5.05e-3, 2, 8))
    assert (sgd.lr, sgd.settings, sgd.trials, sgd.lrs) == (0.1, 2, 2, 2)
    assert sgd.default_gap == pytest.approx(2)
    assert row_of(sweep.settings, "sgd", lr=0.01).gap == pytest.approx(1e-3)
    assert row_of(sweep.chosen, "sgd").trial == 1
    assert sorted(sweep.reported["gap"]) == [1e-6, 1e-6, 1e-4, 1e-2]
    assert sweep.defaults["gap"].tolist() == [1.0, 4.0]
    assert sweep.tuned


def test_the_tuning_seeds_choose_the_leader_even_if_it_ends_higher(write_tuned):
    steady = [1e-6, 1.1e-6, 0.9e-6, 1e-6, 1.2e-6, 1e-6]
    sweep = write_tuned(
        tuned("sgd", {0.1: [1e-9, 1e-9]}, [1e3 * x for x in steady]),
        tuned("adam", {0.1: [1e-4, 1e-4]}, [x * (1 + i / 50) for i, x in enumerate(steady)]),
    )
    assert ranked(sweep.ranking) == [(1, "adam"), (2, "sgd")]
    assert sweep.ranking.set_index("optimizer")["leader"].to_dict() == {"sgd": True, "adam": False}
    assert sweep.ranking["first"].all()  # the leader, and one that is not worse
    adam = row_of(sweep.ranking, "adam")
    assert adam.ratio == pytest.approx(1e-3 * geometric([1 + i / 50 for i in range(6)]))
    assert adam.ratio_low < adam.ratio < adam.ratio_high < 1


def geometric(x) -> float:
    return float(stats.gmean(x))


def test_who_never_completed_a_compared_seed_is_no_leader(write_tuned):
    sweep = write_tuned(tuned("sgd", {0.1: [1e-9]}, [INF, INF]), tuned("adam", {0.1: [1e-4]}, [1e-6, 1e-5]))
    assert ranked(sweep.ranking) == [(1, "adam"), (None, "sgd")]
    assert sweep.ranking["leader"].tolist() == sweep.ranking["first"].tolist() == [True, False]
    assert sweep.pairwise.empty


def test_a_run_may_be_trial_and_evaluation_and_belong_to_two_optimizers(write):
    rows = [run("sgd", gap, seed=seed) for seed, gap in enumerate([1e-4, 1e-2])]
    roles = [
        role(row, kind, 0, optimizer=name)
        for row in rows
        for kind in ("trial", "evaluation")
        for name in ("sgd", "sgd_momentum")
    ]
    roles += [role(row, "trial", 5) for row in rows]  # drawn once more
    sweep = write(*rows, roles=roles)
    assert ranked(sweep.ranking) == [(1, "sgd"), (1, "sgd_momentum")]
    assert sweep.ranking[["seeds", "runs", "trials", "ratio"]].to_numpy().tolist() == [[2, 2, 1, 1.0]] * 2
    assert sweep.ranking["gap"].tolist() == pytest.approx([1e-3] * 2)
    assert sweep.pairwise["test"].tolist() == ["identical"]
    assert sweep.settings[["trial", "seeds"]].to_numpy().tolist() == [[0, 2], [0, 2]]
    assert len(sweep.shown_runs) == 1


@pytest.mark.parametrize(
    ("lr", "boxes", "edge"),
    [
        (1e-4, [(1e-5, 1e5)] * 2, "lowest"),
        (1.0, [(1e-5, 1e5)] * 2, ""),
        (2e4, [(1e-5, 1e5)] * 2, "highest"),
        (2e4, [(1e-5, 1e5), (1e5, 1e6)], ""),
    ],
)
def test_the_outer_tenth_of_the_final_box_is_its_edge(write, lr, boxes, edge):
    """The box [1e-5, 1e5] has ten decades: the outermost on either side is the edge, unless the box was grown
    to 1e6.
    """
    best, other = run(lr=lr * 0.9999 if edge == "lowest" else lr, gap=1e-6), run(lr=10.0, gap=1.0)
    roles = [
        role(row, "trial", n, box) for n, (row, box) in enumerate(zip([best, other], boxes, strict=True))
    ] + [role(best, "evaluation", 0)]
    sweep = write(best, other, roles=roles, tune=TUNE | {"sampler": "sobol"})
    assert row_of(sweep.ranking, "sgd").edge == edge


@pytest.mark.parametrize(
    ("lr", "others", "edge"),
    [
        (1e-5, [1e-4, 1e5], "lowest"),
        (2e-5, [1e-5, 1e5], ""),  # it has neighbours on both sides
        (1e5, [1e-5], "highest"),
        (1e6, [1e-5, 1e5], "highest"),
        (1e-1, [], ""),  # one trial, in the middle of its box
    ],
)
def test_the_edge_of_a_tuned_grid_is_what_was_tried_last(write, lr, others, edge):
    rows = [run(lr=lr, gap=1e-6), *(run(lr=other, gap=1.0) for other in others)]
    roles = [role(row, "trial", n, (1e-5, 1e5)) for n, row in enumerate(rows)]
    sweep = write(*rows, roles=[*roles, role(rows[0], "evaluation", 0)], tune=TUNE)
    assert row_of(sweep.ranking, "sgd").edge == edge


def test_a_tuned_sweep_that_stopped_before_its_evaluation_has_no_ranking(write):
    row = run()
    sweep = write(row, roles=[role(row, "trial", 0, (1e-5, 1.0))])
    assert sweep.ranking.empty
    for name in (
        "pairwise",
        "across",
        "targets",
        "tuned_against_default",
        "success",
        "competence",
        "sensitivity_table",
        "budget_curve",
        "costs",
    ):
        assert getattr(sweep, name).empty
    assert len(sweep.settings) == 1


def test_custom_classes_of_a_tuned_sweep_go_by_their_names(write_tuned):
    sweep = write_tuned(
        *[tuned("custom", {0.1: [1e-3]}, [1e-3], target_=f"mine.{name}") for name in ("Lion", "Tiger")]
    )
    assert set(sweep.ranking["optimizer"]) == {"Lion", "Tiger"}


# ---- what is compared


def test_the_gap_is_the_level(write):
    rows = [
        run(batch_size=1, gap=1.0, level=1e-2, half_level=1e-30),
        run(batch_size=1, seed=1, status="diverged", half_level=5.0),
    ]
    entries = write(*rows).entries.sort_values("seed")
    assert entries["gap"].tolist() == [1e-2, INF]
    assert entries["half"].tolist() == [FLOOR, 5.0]


@pytest.mark.parametrize(
    ("gaps", "lost"), [([3.0, 1e-3, 7.0, 2.0], 0), ([5.0, 1e-9, 7.0, 2.0, 4.0, 100.0], 2)]
)
def test_the_interquartile_mean_is_scipys(write, gaps, lost):
    sweep = write(
        *[run(gap=gap, seed=seed) for seed, gap in enumerate(gaps)],
        *[run(seed=9 + i, status="diverged") for i in range(lost)],
    )
    assert row_of(sweep.ranking, "sgd").iqm == pytest.approx(stats.trim_mean([*gaps, *[1e300] * lost], 0.25))


SIX = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.2])


def test_ratios_and_p_values_are_those_of_scipy_and_statsmodels(write):
    drift = np.exp(0.05 * np.arange(6))
    gaps = {"a": 1e-6 * SIX, "b": 1.4e-6 * SIX[::-1], "c": 5e-6 * SIX * drift, "d": 9e-4 * SIX / drift}
    sweep = write(
        *[run(name, gap, seed=seed) for name, values in gaps.items() for seed, gap in enumerate(values)]
    )
    pairs = [(a, b) for a in gaps for b in gaps if a < b]
    tests = {pair: stats.ttest_rel(np.log(gaps[pair[1]]), np.log(gaps[pair[0]])) for pair in pairs}
    holm = dict(
        zip(pairs, multipletests([test.pvalue for test in tests.values()], method="holm")[1], strict=True)
    )
    for name in "bcd":
        row, test = row_of(sweep.ranking, name), tests["a", name]
        assert row.ratio == pytest.approx(stats.gmean(gaps[name] / gaps["a"]))
        assert (row.ratio_low, row.ratio_high) == pytest.approx(tuple(np.exp(test.confidence_interval())))
        assert row.p == pytest.approx(holm["a", name])
    assert ranked(sweep.ranking) == [(1, "a"), (1, "b"), (3, "c"), (4, "d")]
    assert sweep.ranking["first"].tolist() == [True, True, False, False]
    a = row_of(sweep.ranking, "a")
    assert a.leader
    assert a.ratio == 1
    assert math.isnan(a.ratio_low)
    assert math.isnan(a.p)


def test_only_seeds_that_all_have_are_compared(write):
    rows = [run("a", gap, seed=seed) for seed, gap in enumerate([1e-3, 1e-5, 1e-7])] + [
        run("b", gap, seed=seed) for seed, gap in ((1, 2e-5), (2, 2e-7), (7, 1e-9))
    ]
    sweep = write(*rows)
    (pair,) = sweep.pairwise.to_dict("records")
    assert (pair["a"], pair["n"]) == ("a", 2)  # though the mean of all that b ran is lower
    assert pair["ratio"] == pytest.approx(2)
    assert sweep.ranking.set_index("optimizer")["seeds"].to_dict() == {"a": 3, "b": 3}


def test_without_a_shared_seed_the_means_give_an_order_and_no_test(write):
    sweep = write(run("a", 1e-3, seed=0), run("a", 1e-5, seed=1), run("b", 1e-5, seed=2))
    assert ranked(sweep.ranking) == [(1, "b"), (2, "a")]
    (pair,) = sweep.pairwise.to_dict("records")
    assert (pair["n"], pair["test"], pair["better"]) == (0, "none", "")
    assert pair["ratio"] == pytest.approx(10)


def test_a_lost_seed_leaves_a_bound_instead_of_a_ratio(write):
    rows = [run("a", 1e-6 * x, seed=seed) for seed, x in enumerate(SIX)] + [
        run("b", 1e-4 * x, seed=seed) for seed, x in enumerate(SIX[1:], start=1)
    ]
    row = row_of(write(*rows, run("b", seed=0, status="diverged")).ranking, "b")
    assert math.isnan(row.ratio)
    assert math.isnan(row.ratio_low)
    assert row.at_least == pytest.approx(100)
    assert row.p == pytest.approx(2 / 2**6)
    assert (pd.isna(row.rank), row.first) == (True, False)


# ---- properties

COLUMNS = [name for name in names("ranking") if name not in (*RELATIVE, "task", "optimizer")]
GAP = st.sampled_from([0.0, 1e-25, 1e-6, 1e-3, 1e-1, 5.0])
STATUS = st.sampled_from(["completed", "completed", "completed", "diverged", "failed"])
OUTCOMES = st.lists(
    st.tuples(st.sampled_from([0.01, 0.1, 1.0]), st.integers(0, 2), GAP, STATUS),
    min_size=1,
    max_size=6,
    unique_by=lambda case: case[:2],
)
SWEEP = st.dictionaries(st.sampled_from(["sgd", "adam", "custom", "lion"]), OUTCOMES, min_size=2, max_size=3)


def sweep_of(outcomes: dict[str, list], is_tuned: bool) -> Sweep:
    """A tuned sweep has a grid's runs as trials, and those of the first lr as evaluation and default too."""
    rows, roles = [], []
    for name, cases in outcomes.items():
        first_lr = cases[0][0]
        for lr, seed, gap, status in cases:
            hit = int(gap * 10) + 1 if gap < 0.1 else None
            row = run(name, gap, status=status, lr=lr, seed=seed, hit=hit, target_=f"a.{name.title()}")
            rows.append(row)
            roles.append(role(row, "trial", int(np.log10(lr)) + 2, (0.01, 1.0)))
            if lr == first_lr:
                roles += [role(row, "evaluation", 0), role(row, "default")]
    sweep = Sweep(ResultStore("nowhere"))
    table = pd.DataFrame(roles).astype({"trial": float, "lr_low": float, "lr_high": float})
    stored = {"manifest": MANIFEST, "runs": pd.DataFrame(rows), "problems": pd.DataFrame([LECTURE])}
    vars(sweep).update(stored, _roles=table if is_tuned else None)
    return sweep


@given(SWEEP, st.booleans())
@settings(max_examples=4, deadline=None)
def test_an_optimizers_own_columns_do_not_depend_on_the_others(outcomes, is_tuned):
    together = sweep_of(outcomes, is_tuned).ranking
    assert set(COLUMNS) == set(together) - set(RELATIVE) - {"task", "optimizer"}
    together = together.set_index("optimizer")
    for name, cases in outcomes.items():
        alone = sweep_of({name: cases}, is_tuned).ranking.set_index("optimizer")
        pd.testing.assert_frame_equal(together.loc[alone.index, COLUMNS], alone[COLUMNS])


@given(SWEEP, st.booleans())
@settings(max_examples=6, deadline=None)
def test_ranks_leaders_and_tie_groups_say_what_the_pairs_say(outcomes, is_tuned):
    sweep = sweep_of(outcomes, is_tuned)
    ranking = sweep.ranking
    pairs = sweep._pairs.to_dict("records")  # with the order by digits, which pairwise calls no better
    shown = sweep.pairwise[sweep.pairwise["better"] != ""]
    assert shown["test"].isin(["t", "sign"]).all()
    known = ranking.dropna(subset="rank")
    assert ranking["rank"].isna().is_monotonic_increasing
    assert known.sort_values(["rank", "gap"], kind="stable").index.equals(known.index)
    leader = list(ranking.loc[ranking["leader"], "optimizer"])
    completed_any = is_tuned and ranking["completed"].any()
    assert len(leader) == min(1, len(known) + completed_any)
    for row in known.itertuples():
        own = [pair for pair in pairs if row.optimizer in (pair["a"], pair["b"])]
        above = [pair for pair in own if pair["better"] not in ("", row.optimizer)]
        assert row.rank == 1 + len(above)
        assert row.first == (not any(pair["better"] == leader[0] for pair in above))
    assert not ranking.loc[ranking["rank"].isna(), "first"].any()
