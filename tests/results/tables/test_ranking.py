"""Tasks, settings, ranking and failures of stores written by hand, against numbers worked by hand."""

import math
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rule
from by_statsmodels import holm
from conftest import FLAT, FLOOR, LECTURE, MANIFEST, ON_FLAT, TUNE, curve, role, run, tuned
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lrbench.errors import RequestError
from lrbench.results.frames.columns import names
from lrbench.results.frames.names import natural
from lrbench.results.tables.entries import entries
from lrbench.results.tables.pairs import search_scores
from lrbench.results.tables.ranking import RELATIVE
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.cells import pairwise_text
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
    """Two arrive, after 5 and 7 of 8 evaluations, and one ends at 1e-3; the target is a gap of 8e-6."""
    rows = [run(gap=1e-7, cost=5), run(gap=1e-6, cost=7, seed=1), run(gap=1e-3, seed=2, rise=3.0)]
    row = row_of(write(*rows).settings, "sgd")
    assert (row.arrived, row.lost, row.seeds, row.completed) == (2, 0, 3, 3)
    assert row.cost == pytest.approx(math.sqrt(5 * 7))
    assert row.score == pytest.approx(np.mean([math.log(5 / 8), math.log(7 / 8), math.log(1e-3 / 8e-6)]))
    assert row.level == pytest.approx((1e-7 * 1e-6 * 1e-3) ** (1 / 3))
    assert row.relative_level == pytest.approx(row.level / 8)
    assert row.rise == 3.0
    assert row.gap == pytest.approx(row.level)
    assert row.spread == pytest.approx(math.exp(np.std(np.log([1e-7, 1e-6, 1e-3]), ddof=1)))
    assert (row.median, row.q25, row.q75) == pytest.approx((1e-6, 5.5e-7, 5.005e-4))
    assert row.evaluations_to_target == 7
    assert not row.at_floor


def test_a_lost_seed_is_counted_and_leaves_score_cost_and_level_to_the_others(write):
    sweep = write(run(cost=3), run(seed=1, status="diverged"), run(cost=4, seed=2))
    row = row_of(sweep.settings, "sgd")
    assert (row.lost, row.completed, row.diverged, row.failed, row.arrived) == (1, 2, 1, 0, 2)
    assert row.score == pytest.approx(np.mean(np.log([3 / 8, 4 / 8])))
    assert (row.cost, row.level) == pytest.approx((math.sqrt(12), 1e-9))
    assert (row.gap, row.spread, row.q75, row.median) == (INF, INF, INF, 1e-9)
    assert row.evaluations_to_target == 4


def test_a_setting_that_is_lost_on_every_seed(write):
    sweep = write(run(seed=0, status="diverged", hit=2), run(seed=1, status="failed", hit=2))
    row = row_of(sweep.settings, "sgd")
    assert (row.evaluations_to_target, row.arrived, row.lost, row.score) == (INF, 0, 2, INF)
    assert math.isnan(row.cost)
    assert math.isnan(row.level)


def test_a_single_seed_has_no_spread(write):
    row = row_of(write(run(gap=1e-3)).settings, "sgd")
    assert math.isnan(row.spread)
    assert row.gap == row.median == row.q25 == row.q75 == 1e-3


def test_where_relative_gaps_are_undefined_the_floor_is_the_target(write):
    rows = [run("a", 0.0, cost=3, **ON_FLAT), run("b", 1e-3, **ON_FLAT)]
    sweep = write(*rows, problems=(FLAT,))
    a, b = row_of(sweep.ranking, "a"), row_of(sweep.ranking, "b")
    assert (a.arrived, a.cost, a.score, a.level) == pytest.approx((1, 3, math.log(3 / 8), FLOOR), rel=1e-12)
    assert (b.arrived, b.level, b.score) == pytest.approx((0, 1e-3, math.log(1e-3 / FLOOR)))
    assert np.isnan([a.relative_gap, a.relative_level, a.area, a.crossing]).all()
    assert sweep.entries["goal"].unique().tolist() == [FLOOR]


def test_without_a_scale_no_other_target_turns_the_order(write):
    """b needs a fraction of what a needs at all targets; without a scale they are the one that is asked."""
    rows = []
    for seed in range(3):
        others = {f"cost_1e-{k}": 1.0 for k in range(1, 9)}
        rows.append(run("a", 0.0, cost=4 + seed, seed=seed, **ON_FLAT))
        rows.append(run("b", 0.0, cost=5 + 2 * (seed % 2), seed=seed, **ON_FLAT) | others)
    assert write(*rows, problems=(FLAT,)).standings["crossing"].isna().all()
    scaled = [row | {"problem_id": "lecture64", "problem": "lecture"} for row in rows]
    assert write(*scaled, folder="scaled").standings["crossing"].notna().any()


def test_costs_are_gradient_evaluations_not_steps(write):
    sweep = write(run(cost=1.5, steps_to_target=4))
    assert row_of(sweep.ranking, "sgd").evaluations_to_target == 1.5
    assert row_of(sweep.ranking, "sgd").cost == pytest.approx(1.5)


# ---- ranking


def test_each_optimizer_stands_at_its_best_and_the_least_score_first(write):
    """Of one seed nothing is shown: all are first, by score; sgd at 0.01 arrives, at 0.1 it ends lower."""
    sgd = [run(lr=0.001), run(lr=0.01, gap=1e-6, cost=5), run(lr=0.1, gap=1e-12, cost=6)]
    sweep = write(*sgd, run("adam", cost=7, target_=ADAM), run("rprop", 1e-4))
    assert ranked(sweep.ranking) == [(1, "sgd"), (1, "adam"), (1, "rprop")]
    best = row_of(sweep.ranking, "sgd")
    assert (best.lr, best.cost, best.level) == pytest.approx((0.01, 5, 1e-6))
    assert (best.setting, best.settings, best.lrs, best.runs, best.edge) == ("lr=0.01", 3, 3, 3, "")
    assert sweep.ranking["word"].tolist() == ["", "cannot be told", "cannot be told"]


def test_a_setting_whose_gap_first_rises_too_high_is_not_chosen(write):
    """It arrives first, but the gap is 101 times as high before; 100 times are allowed."""
    rows = [
        run(lr=lr, cost=cost, rise=rise)
        for lr, cost, rise in ((0.1, 7, 1.0), (1.0, 5, 100.0), (9.0, 2, 101.0))
    ]
    assert row_of(write(*rows).ranking, "sgd").lr == 1.0
    only = write(run(lr=9.0, rise=101.0), run(lr=10.0, status="diverged"), folder="only")
    assert row_of(only.ranking, "sgd").lr == 9.0


@pytest.mark.parametrize("seed", range(3))
def test_the_chosen_setting_is_that_of_the_rule(write, seed):
    """Eight settings on three seeds, some of them lost, some too high; a score is told by the level."""
    rng = np.random.default_rng(seed)
    rates = [2.0**k for k in range(8)]
    score = rng.normal(2, 1, (8, 3)).round(1) + 3
    score[rng.random((8, 3)) < 0.3] = INF
    rise = np.where(rng.random(8) < 0.3, 1e3, 1.0)
    rows = []
    for place, lr in enumerate(rates):
        for own, x in enumerate(score[place]):
            status = "completed" if x < INF else "diverged"
            rows.append(run(lr=lr, seed=own, gap=8e-6 * math.exp(x), status=status, rise=float(rise[place])))
    chosen = rule.choose(score.tolist(), np.repeat(rise[:, None], 3, axis=1))
    assert row_of(write(*rows).ranking, "sgd").lr == rates[chosen]


@pytest.mark.parametrize(("best", "edge"), [(0.001, "lowest"), (0.01, ""), (0.1, "highest")])
def test_edges_of_three_learning_rates(write, best, edge):
    sweep = write(*[run(gap=1e-6 if lr == best else 1e-3, lr=lr) for lr in (0.001, 0.01, 0.1)])
    assert row_of(sweep.ranking, "sgd").edge == edge


def test_two_learning_rates_have_no_edges_nor_has_a_grid_where_nothing_completed(write):
    sweep = write(
        *[run(lr=lr) for lr in (0.1, 0.2)], *[run("adam", lr=lr, status="diverged") for lr in (1, 2, 3)]
    )
    assert sweep.ranking["edge"].tolist() == ["", ""]


def test_levels_below_the_floor_are_the_floor(write):
    sweep = write(run("a", FLOOR / 7, hit=6), run("b", 0.0, hit=2), run("c", FLOOR), run("d", FLOOR * 1.01))
    rows = sweep.ranking.set_index("optimizer")
    assert rows["at_floor"].to_dict() == {"b": True, "a": True, "c": True, "d": False}
    assert rows.loc[["a", "b", "c"], "gap"].tolist() == [FLOOR] * 3
    assert rows["level"].to_dict() == pytest.approx(dict.fromkeys("abc", FLOOR) | {"d": FLOOR * 1.01})


def test_gaps_of_0_and_a_floor_of_0(write):
    """An infimum that is not attained may have no floor; the goal is then the smallest number there is."""
    rows = [run(name, 0.0, cost=cost, seed=seed) for name, cost in (("a", 2), ("b", 6)) for seed in range(4)]
    sweep = write(*rows, problems=(LECTURE | {"gap_floor": 0.0},))
    assert ranked(sweep.ranking) == [(1, "a"), (2, "b")]
    assert sweep.ranking["gap"].tolist() == [0.0, 0.0]
    assert (sweep.ranking["level"] < 1e-300).all()


def test_who_is_lost_on_every_seed_has_no_rank_and_stands_last(write):
    lost = [run("a", status="diverged", seed=0), run("a", status="failed", seed=1)]
    partly = [run("b", 1e-9, seed=0), run("b", status="diverged", seed=1)]
    sweep = write(*lost, *partly, run("c", 1e-1), run("c", 1e-1, seed=1))
    assert ranked(sweep.ranking) == [(1, "c"), (1, "b"), (None, "a")]
    assert sweep.ranking["gap"].tolist() == pytest.approx([1e-1, INF, INF])
    a = row_of(sweep.ranking, "a")
    assert (a.diverged, a.failed, a.runs, a.seeds, a.first) == (1, 1, 2, 2, False)


def test_among_lost_settings_the_one_that_lost_least_is_best(write):
    rows = [run(lr=1.0, status="diverged", seed=seed) for seed in range(2)]
    sweep = write(*rows, run(lr=2.0, status="diverged"), run(lr=2.0, seed=1))
    assert row_of(sweep.ranking, "sgd").setting == "lr=2"


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_nothing_completed(write, status):
    sweep = write(*[run(name, status=status, seed=seed) for name in ("adam", "sgd") for seed in range(2)])
    assert ranked(sweep.ranking) == [(None, "adam"), (None, "sgd")]
    assert sweep.ranking[status].tolist() == [2, 2]
    assert not sweep.ranking[["leader", "first"]].any(axis=None)
    assert sweep.pairwise["word"].tolist() == ["all lost"]


def test_tasks_are_ranked_apart(write):
    rows = []
    for seed in range(4):
        rows += [run("sgd", cost=2, seed=seed), run("adam", cost=6, seed=seed)]
        on_other = {"problem_id": "synthetic64", "problem": "synthetic", "seed": seed}
        rows += [run("sgd", 1e-1, **on_other), run("adam", 1e-2, **on_other)]
    ranking = write(*rows, problems=(LECTURE, OTHER)).ranking
    assert [(task, ranked(group)) for task, group in ranking.groupby("task", sort=False)] == [
        ("lecture", [(1, "sgd"), (2, "adam")]),
        ("synthetic", [(1, "adam"), (2, "sgd")]),
    ]
    assert ranking["unit"].fillna("").tolist() == ["", "evaluations", "", "gap"]
    assert ranking["ratio"].tolist() == pytest.approx([1, 3, 1, 10])
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


def test_the_tuning_seeds_choose_the_leader_even_if_it_arrives_later(write_tuned):
    costs = [100, 101, 99, 100, 102, 100]
    sweep = write_tuned(
        tuned("sgd", {0.1: [90, 91]}, [3 * x for x in costs], by="cost", steps=500),
        tuned("adam", {0.1: [95, 95]}, [x + i % 2 for i, x in enumerate(costs)], by="cost", steps=500),
    )
    assert ranked(sweep.ranking) == [(1, "adam"), (2, "sgd")]
    assert sweep.ranking.set_index("optimizer")["leader"].to_dict() == {"sgd": True, "adam": False}
    assert sweep.ranking.set_index("optimizer")["first"].to_dict() == {"sgd": True, "adam": False}
    adam = row_of(sweep.ranking, "adam")
    assert (adam.word, adam.side, adam.unit, adam.wins, adam.losses) == ("clear", -1, "evaluations", 0, 6)
    assert adam.ratio == pytest.approx(geometric([(x + i % 2) / (3 * x) for i, x in enumerate(costs)]))
    assert adam.ratio_low < adam.ratio < adam.ratio_high < 0.8


def test_a_lost_tuning_seed_counts_against_the_leader(write_tuned):
    """At its chosen rate a arrives first but is lost on one seed of three, b on none."""
    a = tuned("a", {0.1: [3, 3, INF], 1.0: [INF, INF, 4]}, [3, 3], by="cost")
    sweep = write_tuned(a, tuned("b", {0.1: [7, 7, 7]}, [3, 3], by="cost"))
    scores = search_scores(sweep.reported, sweep.searched)
    assert scores == {"lecture": pytest.approx({"a": (2 * math.log(3 / 8) + 1e3) / 3, "b": math.log(7 / 8)})}
    assert sweep.ranking.loc[sweep.ranking["leader"], "optimizer"].tolist() == ["b"]


def test_who_was_not_evaluated_yet_is_not_ranked(write_tuned):
    """The search of b is done, and it was interrupted before the evaluation."""
    trials = [pair for pair in tuned("b", {0.1: [1, 1]}, [1, 1], by="cost") if pair[1]["role"] == "trial"]
    sweep = write_tuned(tuned("a", {0.1: [7, 7]}, [3, 3], by="cost"), trials)
    assert ranked(sweep.ranking) == [(1, "a")]
    assert sweep.standings["optimizer"].tolist() == ["a"]
    assert set(sweep.settings["optimizer"]) == {"a", "b"}
    assert sweep.pairwise.empty


def geometric(x) -> float:
    return float(stats.gmean(x))


def test_who_is_lost_on_every_compared_seed_is_no_leader(write_tuned):
    sweep = write_tuned(tuned("sgd", {0.1: [1e-9]}, [INF, INF]), tuned("adam", {0.1: [1e-4]}, [1e-6, 1e-5]))
    assert ranked(sweep.ranking) == [(1, "adam"), (None, "sgd")]
    assert sweep.ranking["leader"].tolist() == sweep.ranking["first"].tolist() == [True, False]
    assert sweep.pairwise[["a", "b", "wins", "test"]].to_numpy().tolist() == [["adam", "sgd", 2, "ranks"]]


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
    assert sweep.ranking[["seeds", "runs", "trials"]].to_numpy().tolist() == [[2, 2, 1]] * 2
    assert sweep.ranking["gap"].tolist() == pytest.approx([1e-3] * 2)
    assert sweep.ranking[["word", "first"]].to_numpy().tolist() == [["", True], ["the same", True]]
    assert sweep.pairwise[["test", "word", "n"]].to_numpy().tolist() == [["same", "the same", 2]]
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


@pytest.mark.parametrize("by", ["cost", "gap"])
def test_ratios_and_p_values_are_those_of_scipy_and_statsmodels(write, by):
    """Of costs where all arrive, of levels where nobody does."""
    drift = np.exp(0.05 * np.arange(6))
    unit = 40.0 if by == "cost" else 1e-2
    worth = {"a": SIX, "b": 1.15 * SIX[::-1], "c": 1.9 * SIX * drift, "d": 9 * SIX / drift}
    worth = {name: unit * values for name, values in worth.items()}
    rows = []
    for name, values in worth.items():
        rows += [run(name, seed=seed, steps=500, **{by: x}) for seed, x in enumerate(values)]
    sweep = write(*rows)
    pairs = list(combinations(worth, 2))
    tests = {(a, b): stats.ttest_rel(np.log(worth[b]), np.log(worth[a])) for a, b in pairs}
    corrected = dict(zip(pairs, holm([test.pvalue for test in tests.values()]), strict=True))
    for name in "bcd":
        row, test = row_of(sweep.ranking, name), tests["a", name]
        assert row.ratio == pytest.approx(stats.gmean(worth[name] / worth["a"]))
        assert (row.ratio_low, row.ratio_high) == pytest.approx(tuple(np.exp(test.confidence_interval())))
        assert row.p == pytest.approx(corrected["a", name])
        assert row.unit == ("evaluations" if by == "cost" else "gap")
    assert ranked(sweep.ranking) == [(1, "a"), (1, "b"), (3, "c"), (4, "d")]
    assert sweep.ranking["leader"].tolist() == [True, False, False, False]
    a = row_of(sweep.ranking, "a")
    assert a.ratio == 1
    assert np.isnan([a.ratio_low, a.ratio_high, a.p]).all()


def test_only_seeds_that_all_have_are_compared(write):
    """On its third seed, which b lacks, a is last; on a seed that a lacks b is first."""
    rows = [run("a", gap, seed=seed) for seed, gap in enumerate([5.0, 1e-2, 1e-3])]
    rows += [run("b", gap, seed=seed) for seed, gap in ((1, 2e-2), (2, 2e-3), (7, 1e-5))]
    sweep = write(*rows)
    (pair,) = sweep.pairwise.to_dict("records")
    assert (pair["a"], pair["n"]) == ("a", 2)
    assert pair["ratio"] == pytest.approx(2)
    assert sweep.ranking.set_index("optimizer")["seeds"].to_dict() == {"a": 3, "b": 3}
    assert row_of(sweep.ranking, "a").order == pytest.approx(np.mean(np.log(np.array([1e-2, 1e-3]) / 8e-6)))


def test_a_seed_counts_that_all_have_not_two_of_three(write):
    rows = [run(name, gap, seed=seed) for name, gap in (("a", 1e-2), ("b", 2e-2)) for seed in range(3)]
    sweep = write(*rows, run("c", 4e-2, seed=2), run("c", 4e-2, seed=5))
    assert sweep.pairwise["n"].tolist() == [1, 1, 1]
    assert sweep.pairwise["word"].unique().tolist() == ["cannot be told"]


def test_without_a_shared_seed_the_means_give_an_order_and_no_test(write):
    """The best run is a's, the better mean b's."""
    rows = [
        run("a", 1e-1, seed=0),
        run("a", 1e-4, seed=1),
        run("b", 1e-3, seed=2),
        run("c", status="failed", seed=3),
    ]
    sweep = write(*rows)
    assert ranked(sweep.ranking) == [(1, "b"), (1, "a"), (None, "c")]
    assert sweep.ranking["leader"].tolist() == [True, False, False]
    said = sweep.pairwise[["n", "test", "word", "better", "wins", "losses", "family"]]
    assert said.drop_duplicates().to_numpy().tolist() == [[0, "none", "cannot be told", "", 0, 0, "all"]]
    assert sweep.pairwise[["ratio", "p", "starts"]].isna().all(axis=None)
    assert sweep.pairwise["improvement"].tolist() == [0.5, 1.0, 1.0]


def test_without_a_shared_seed_most_runs_say_whether_it_passes_through(write):
    """a's best run leaves the target again, its two others do not; b's both do."""
    own = [run("a", cost=cost, seed=seed) for seed, cost in enumerate([2, 4, 5])]
    others = [run("b", cost=3, seed=seed) for seed in (3, 4)]
    leaving = [row["run_id"] for row in (own[0], *others)]
    sweep = write(*own, *others, beyond={"run_id": leaving, "beyond": 3 * [1.0]})
    assert sweep.ranking[["optimizer", "leader", "passes"]].to_numpy().tolist() == [
        ["a", True, False],
        ["b", False, True],
    ]
    assert sweep.pairwise[["n", "word", "better"]].to_numpy().tolist() == [[0, "passes through", ""]]


def test_a_setting_that_runs_once_is_one_start(write):
    """All rows at once from zeros: nothing depends on the seed, so each optimizer ran once."""
    sweep = write(run("a", cost=2, init="zeros"), run("b", cost=7, init="zeros"))
    assert sweep.pairwise[["n", "test", "word", "better"]].to_numpy().tolist() == [
        [1, "none", "cannot be told", ""]
    ]
    assert sweep.ranking["optimizer"].tolist() == ["a", "b"]
    assert sweep.ranking["rank"].tolist() == [1, 1]


def test_a_lost_seed_leaves_the_order_and_no_ratio(write):
    """By ranks: 6 that arrive against 5 that miss and one that is lost, all in order."""
    rows = [run("a", cost=4, gap=1e-8 * x, seed=seed) for seed, x in enumerate(SIX)]
    rows += [run("b", 1e-2 * x, seed=seed) for seed, x in enumerate(SIX[1:], start=1)]
    row = row_of(write(*rows, run("b", seed=0, status="diverged")).ranking, "b")
    assert np.isnan([row.ratio, row.ratio_low, row.ratio_high]).all()
    assert row.p == pytest.approx(2 / math.comb(12, 6))
    assert (row.rank, row.word, row.wins) == (2, "clear", 6)


def test_who_passes_through_does_not_lead_and_stands_behind(write):
    """a arrives first on four seeds, and on three of them is above twice the target after the budget."""
    rows = [run(name, cost=cost, seed=seed) for name, cost in (("a", 2), ("b", 6)) for seed in range(4)]
    sweep = write(*rows)
    gone = sweep.entries.loc[(sweep.entries["optimizer"] == "a") & (sweep.entries["seed"] > 0), "run_id"]
    beyond = pd.DataFrame({"run_id": gone, "beyond": 2.0001 * 8e-6})
    vars(sweep)["entries"] = entries(sweep.runs, sweep.tasks, None, beyond)
    assert ranked(sweep.ranking) == [(1, "b"), (2, "a")]
    a = row_of(sweep.ranking, "a")
    assert (a.word, a.side, a.passes, a.ratio) == ("passes through", 1, True, pytest.approx(1 / 3))
    (pair,) = sweep.pairwise.to_dict("records")
    assert (pair["a"], pair["b"], pair["word"], pair["better"]) == ("b", "a", "passes through", "")
    assert pairwise_text(sweep.pairwise)["said"].tolist() == ["passes through: a"]
    stays = entries(sweep.runs, sweep.tasks, None, beyond.assign(beyond=1.9999 * 8e-6))
    assert not stays["left"].any()


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
    manifest = MANIFEST | {"tune": TUNE} if is_tuned else MANIFEST
    stored = {"manifest": manifest, "runs": pd.DataFrame(rows), "problems": pd.DataFrame([LECTURE])}
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
def test_ranks_leaders_and_first_ones_say_what_the_pairs_say(outcomes, is_tuned):
    sweep = sweep_of(outcomes, is_tuned)
    ranking = sweep.ranking
    pairs = sweep.pairwise.to_dict("records")
    assert sweep.pairwise.loc[sweep.pairwise["better"] != "", "word"].isin(["clear", "close"]).all()
    known = ranking.dropna(subset="rank")
    assert ranking["rank"].isna().is_monotonic_increasing
    assert (known["lost"] < known["seeds"]).all() or is_tuned
    leader = list(ranking.loc[ranking["leader"], "optimizer"])
    assert len(leader) == min(1, len(known))
    for row in known.itertuples():
        own = [pair for pair in pairs if row.optimizer in (pair["a"], pair["b"])]
        above = [pair for pair in own if pair["better"] not in ("", row.optimizer)]
        assert row.rank == 1 + len(above)
        against = [pair["word"] for pair in own if leader[0] in (pair["a"], pair["b"])]
        assert row.first == (row.leader or against[0] in ("as good", "the same"))
    assert not ranking.loc[ranking["rank"].isna(), "first"].any()
