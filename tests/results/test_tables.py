"""Tasks, settings, ranking and failures of stores written by hand, against numbers worked by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import FLOOR, LECTURE, curve, run
from hypothesis import given, settings
from hypothesis import strategies as st

from lrbench.errors import RequestError
from lrbench.results import load, newest, tables
from lrbench.results.labels import natural

INF, NAN = math.inf, math.nan
ADAM = "torch.optim.Adam"
OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic", "scale": 2.0}


def ranked(frame) -> list[tuple]:
    return [(None if pd.isna(rank) else int(rank), name) for rank, name in zip(frame["rank"], frame["optimizer"], strict=True)]


def row_of(frame, optimizer, **conditions) -> SimpleNamespace:
    for column, value in {"optimizer": optimizer, **conditions}.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return SimpleNamespace(**frame.iloc[0])


# ---- settings


def test_a_setting_over_its_seeds_by_hand(write):
    results = write(*[run(gap=gap, seed=seed, hit=hit) for seed, (gap, hit) in enumerate([(1e-4, 5), (1e-2, 7), (1e-3, None)])])
    row = row_of(results.settings, "sgd")
    assert row.gap == pytest.approx(1e-3)
    assert row.spread == pytest.approx(math.exp(np.std(np.log([1e-4, 1e-2, 1e-3]), ddof=1)))
    assert (row.median, row.q25, row.q75) == pytest.approx((1e-3, 5.5e-4, 5.5e-3))
    assert row.relative_gap == pytest.approx(1e-3 / 8)
    assert (row.evaluations_to_target, row.hits, row.seeds, row.completed) == (7, 2, 3, 3)
    assert not row.at_floor


def test_one_lost_seed_makes_the_gap_inf_and_is_counted(write):
    results = write(run(gap=1e-9, seed=0, hit=3), run(seed=1, status="diverged"), run(gap=1e-9, seed=2, hit=4))
    row = row_of(results.settings, "sgd")
    assert (row.gap, row.spread, row.relative_gap, row.q75, row.median) == (INF, INF, INF, INF, 1e-9)
    assert (row.completed, row.diverged, row.failed, row.evaluations_to_target) == (2, 1, 0, 4)


def test_a_run_that_did_not_complete_never_hits(write):
    results = write(run(seed=0, status="diverged", hit=2), run(seed=1, status="failed", hit=2))
    row = row_of(results.settings, "sgd")
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
    results = write(run(hit=4) | {"evaluations_to_target": 1.5})
    assert row_of(results.ranking, "sgd").evaluations_to_target == 1.5


# ---- ranking


def test_the_lowest_gap_is_first_and_each_optimizer_stands_at_its_best(write):
    gaps = {0.001: 1e-2, 0.01: 1e-5, 0.1: 1e-3}
    results = write(*[run(gap=gap, lr=lr) for lr, gap in gaps.items()], run("adam", 1e-4, target_=ADAM))
    assert ranked(results.ranking) == [(1, "sgd"), (2, "adam")]
    sgd = row_of(results.ranking, "sgd")
    assert (sgd.lr, sgd.gap, sgd.setting, sgd.settings, sgd.lrs, sgd.runs, sgd.edge) == (0.01, 1e-5, "lr=0.01", 3, 3, 3, "")
    pd.testing.assert_frame_equal(results.summary(), results.ranking)


@pytest.mark.parametrize(("best", "edge"), [(0.001, "lowest"), (0.01, ""), (0.1, "highest")])
def test_edges_of_three_learning_rates(write, best, edge):
    results = write(*[run(gap=1e-6 if lr == best else 1e-3, lr=lr) for lr in (0.001, 0.01, 0.1)])
    assert row_of(results.ranking, "sgd").edge == edge


def test_two_learning_rates_have_no_edges_nor_has_a_grid_where_nothing_completed(write):
    results = write(*[run(lr=lr) for lr in (0.1, 0.2)], *[run("adam", lr=lr, status="diverged") for lr in (1, 2, 3)])
    assert results.ranking["edge"].tolist() == ["", ""]


def test_gaps_at_the_floor_are_tied_whatever_their_digits(write):
    results = write(run("a", FLOOR / 7, hit=6), run("b", 0.0, hit=2), run("c", FLOOR), run("d", FLOOR * 1.01))
    assert ranked(results.ranking) == [(1, "b"), (1, "a"), (1, "c"), (4, "d")]
    assert results.ranking["at_floor"].tolist() == [True, True, True, False]
    assert results.ranking["gap"].tolist()[:3] == [FLOOR] * 3


def test_equal_gaps_share_a_rank(write):
    assert ranked(write(run("b", 1e-3), run("a", 1e-3), run("c", 1e-2)).ranking) == [(1, "a"), (1, "b"), (3, "c")]


def test_who_never_completed_has_no_rank_and_stands_last(write):
    lost = [run("a", status="diverged", seed=0), run("a", status="failed", seed=1)]
    partly = [run("b", 1e-9, seed=0), run("b", status="diverged", seed=1)]
    results = write(*lost, *partly, run("c", 1e-1), run("c", 1e-1, seed=1))
    assert ranked(results.ranking) == [(1, "c"), (2, "b"), (None, "a")]
    assert results.ranking["gap"].tolist() == pytest.approx([1e-1, INF, INF])
    a = row_of(results.ranking, "a")
    assert (a.diverged, a.failed, a.runs, a.seeds) == (1, 1, 2, 2)


def test_among_lost_settings_the_one_that_lost_least_is_best(write):
    rows = [run(lr=1.0, status="diverged", seed=seed) for seed in range(2)]
    results = write(*rows, run(lr=2.0, status="diverged"), run(lr=2.0, seed=1))
    assert row_of(results.ranking, "sgd").setting == "lr=2"


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_nothing_completed(write, status):
    results = write(*[run(name, status=status, seed=seed) for name in ("adam", "sgd") for seed in range(2)])
    assert ranked(results.ranking) == [(None, "adam"), (None, "sgd")]
    assert results.ranking[status].tolist() == [2, 2]


def test_tasks_are_ranked_apart(write):
    rows = [run("sgd", 1e-5), run("adam", 1e-3), run("sgd", 1e-1, problem_id="synthetic64", problem="synthetic")]
    rows += [run("adam", 1e-2, problem_id="synthetic64", problem="synthetic")]
    ranking = write(*rows, problems=(LECTURE, OTHER)).ranking
    assert [(task, ranked(group)) for task, group in ranking.groupby("task", sort=False)] == [
        ("lecture", [(1, "sgd"), (2, "adam")]),
        ("synthetic", [(1, "adam"), (2, "sgd")]),
    ]
    assert row_of(ranking, "sgd", task="synthetic").relative_gap == pytest.approx(1e-1 / 2)


def test_a_task_is_more_than_its_problem(write):
    results = write(run(), run(steps=16), run(steps=16, batch_size=2), run(steps=16, batch_size=2, batch_order="shuffled"))
    assert len(results.tasks) == 4
    assert results.tasks["task"].is_unique
    assert all(len(group) == 1 for _, group in results.ranking.groupby("task"))


def test_labels_in_the_order_of_their_numbers():
    labels = ["synthetic kappa=1000", "synthetic kappa=10", "lecture", "synthetic kappa=100"]
    assert sorted(labels, key=natural) == ["lecture", "synthetic kappa=10", "synthetic kappa=100", "synthetic kappa=1000"]


# ---- names and settings


def test_custom_optimizers_go_by_their_class_or_path(write):
    rows = [run("custom", target_="mine.Lion"), run("custom", target_="a.Same"), run("custom", target_="b.Same"), run("sgd")]
    assert set(write(*rows).ranking["optimizer"]) == {"Lion", "a.Same", "b.Same", "sgd"}


def test_a_custom_class_with_the_name_of_a_choice_keeps_apart(write):
    assert set(write(run("Adam", target_=ADAM), run("custom", target_="mine.Adam")).ranking["optimizer"]) == {"Adam", "mine.Adam"}


def test_adafactors_pair_stands_beside_adams_number(write):
    adafactor = [run("adafactor", target_="torch.optim.Adafactor", eps=[None, eps], seed=seed) for eps in (1e-3, 1e-2) for seed in range(2)]
    adam = [run("adam", target_=ADAM, eps=eps, betas=[0.9, 0.999]) for eps in (1e-8, 1e-4)]
    results = write(*adafactor, *adam)
    assert set(results.settings["setting"]) == {"eps=[null,0.001]", "eps=[null,0.01]", "eps=1e-8", "eps=0.0001"}
    assert results.settings.set_index("setting")["seeds"].to_dict() == {"eps=[null,0.001]": 2, "eps=[null,0.01]": 2, "eps=1e-8": 1, "eps=0.0001": 1}


def test_a_setting_names_what_varies_within_its_optimizer_only(write):
    rows = [run(lr=lr, momentum=momentum) for lr in (0.1, 0.2) for momentum in (0.0, 0.9)] + [run("adam", lr=0.001, target_=ADAM, amsgrad=True)]
    texts = write(*rows).settings.groupby("optimizer")["setting"].apply(set).to_dict()
    assert texts == {"adam": {"lr=0.001"}, "sgd": {f"lr={lr} momentum={m}" for lr in (0.1, 0.2) for m in (0, 0.9)}}


def test_an_optimizer_without_a_learning_rate_has_an_empty_setting(write):
    row = row_of(write(run("rate_free", lr=None)).ranking, "rate_free")
    assert (row.setting, row.lrs, row.edge) == ("", 0, "")


# ---- failures, frames, stores


def test_failures_are_counted_by_reason(write):
    rows = [run(status="failed", reason="no closure", seed=seed) for seed in range(3)] + [run("adam", target_=ADAM)]
    rows += [run(status="diverged", first_bad_step=step, last_finite_loss=10.0**step, seed=step + 10) for step in (3, 5)]
    frame = tables.failures(write(*rows).entries)
    assert frame[["optimizer", "status", "reason", "runs"]].to_numpy().tolist() == [["sgd", "failed", "no closure", 3], ["sgd", "diverged", "", 2]]
    assert frame.loc[1, ["first_bad_step", "last_finite_loss"]].tolist() == [3, 1e5]


def test_no_failures_is_an_empty_frame(write):
    assert tables.failures(write(run()).entries).empty


def test_frames_have_every_run_and_every_curve_step(write):
    rows = [run(seed=seed) for seed in range(3)] + [run("adam", status="diverged", target_=ADAM), run("lbfgs", status="failed", weights=None)]
    results = write(*rows)
    assert set(results.runs["run_id"]) == {row["run_id"] for row in rows}
    assert results.runs[["w_0", "w_1"]].dropna().to_numpy().tolist() == [[2.0, 0.0]] * 4
    assert results.runs.loc[results.runs["optimizer"] == "lbfgs", ["w_0", "w_1"]].isna().all(axis=None)
    gap = results.curves.groupby("run_id")["gap"].apply(list)
    assert gap.to_dict() == {row["run_id"]: curve(row)["gap"].tolist() for row in rows[:-1]}


def test_a_run_that_was_stored_twice_counts_once(write):
    write(run(seed=0), run(seed=1))
    results = write(run(seed=0), run(seed=1))
    assert len(results.store.runs()) == 2
    assert results.ranking["seeds"].tolist() == [2]
    assert len(results.curves) == 2 * 9


def test_the_newest_store_is_loaded_where_none_is_named(write, tmp_path):
    write(run(), folder="old", finished="2025-01-01T00:00:00+00:00")
    write(run(), folder="new", finished=None, created="2025-02-01T00:00:00+00:00")
    assert newest(tmp_path).name == load(results_dir=tmp_path).store.name == "new"


def test_missing_and_empty_stores_say_what_to_do(write, tmp_path):
    with pytest.raises(RequestError, match="no result set in this folder yet"):
        newest(tmp_path)
    with pytest.raises(RequestError, match="manifest.json"):
        load(tmp_path / "nowhere")
    with pytest.raises(RequestError, match="no run is stored yet"):
        _ = write().runs


# ---- properties

COLUMNS = ["setting", "edge", "gap", "spread", "relative_gap", "evaluations_to_target", "hits", "seeds", "diverged", "failed", "runs"]
COLUMNS += ["median", "q25", "q75", "at_floor", "lr", "settings", "lrs", "setting_id"]
GAP = st.sampled_from([0.0, 1e-25, 1e-6, 1e-3, 1e-1, 5.0])
STATUS = st.sampled_from(["completed", "completed", "completed", "diverged", "failed"])
OUTCOMES = st.lists(
    st.tuples(st.sampled_from([0.01, 0.1, 1.0]), st.integers(0, 2), GAP, STATUS), min_size=1, max_size=6, unique_by=lambda case: case[:2]
)
SWEEP = st.dictionaries(st.sampled_from(["sgd", "adam", "custom", "lion"]), OUTCOMES, min_size=2)


def frame_of(sweep: dict) -> pd.DataFrame:
    rows = [
        run(name, gap, status=status, lr=lr, seed=seed, hit=int(gap * 10) + 1 if gap < 0.1 else None, target_=f"a.{name.title()}")
        for name, cases in sweep.items()
        for lr, seed, gap, status in cases
    ]
    frame = pd.DataFrame(rows)
    return tables.ranking(tables.settings(tables.entries(frame, tables.tasks(frame, pd.DataFrame([LECTURE])))))


@given(SWEEP)
@settings(max_examples=10, deadline=None)
def test_an_optimizers_own_columns_do_not_depend_on_the_others(sweep):
    together = frame_of(sweep).set_index("optimizer")
    for name in sweep:
        alone = frame_of({name: sweep[name]}).set_index("optimizer")
        pd.testing.assert_frame_equal(together.loc[alone.index, COLUMNS], alone[COLUMNS])


@given(SWEEP)
@settings(max_examples=10, deadline=None)
def test_ranks_follow_the_gaps(sweep):
    ranking = frame_of(sweep)
    for a in ranking.dropna(subset="rank").itertuples():
        better = [b for b in ranking.dropna(subset="rank").itertuples() if b.gap < a.gap]
        assert a.rank == 1 + len(better)
    assert ranking["rank"].isna().is_monotonic_increasing
