"""Tolerance, budget of trials, targets, success and competence of stores written by hand, against loops and
numbers worked by hand.
"""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from conftest import LECTURE, run, runs_at_rates, tuned

INF = math.inf


# ---- tolerance of the learning rate


@pytest.mark.parametrize(
    ("reaching", "tolerance", "opens", "ends"),
    [
        ({1e-4: False, 1e-3: True, 1e-1: True, 1.0: False, 10.0: True}, 2.0, (False, False), (1e-3, 1e-1)),
        ({1e-4: True, 1e-3: True, 1e-1: False}, 1.0, (True, False), (1e-4, 1e-3)),
        ({1e-4: False, 1e-3: True, 1e-1: True}, 2.0, (False, True), (1e-3, 1e-1)),
        ({1e-4: False, 1e-3: True, 1e-1: False}, 0.0, (False, False), (1e-3, 1e-3)),
        ({1e-2: True}, 0.0, (True, True), (1e-2, 1e-2)),
    ],
)
def test_decades_of_learning_rates_that_reach_the_target(write, reaching, tolerance, opens, ends):
    sweep = write(*runs_at_rates(reaching))
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert row["tolerance"] == pytest.approx(tolerance)
    assert ((row["open_low"], row["open_high"]), (row["lowest_lr"], row["highest_lr"])) == (opens, ends)
    assert (row["lrs"], row["best_lr"]) == (len(reaching), min(reaching))
    (ranked,) = sweep.ranking.to_dict("records")
    assert (ranked["tolerance"], ranked["tolerance_open"]) == (row["tolerance"], any(opens))


def test_no_learning_rate_that_reaches_has_no_tolerance(write):
    sweep = write(*runs_at_rates({0.1: False, 1.0: False}), run("rate_free", lr=None, hit=3))
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert math.isnan(row["tolerance"])
    assert sweep.ranking.set_index("optimizer")["tolerance"].isna().all()


def test_at_each_learning_rate_the_best_setting_counts(write):
    """At lr = 0.1 the setting with the lower gap does not reach the target, so this lr does not."""
    lower, higher = run(lr=0.1, gap=1e-8, momentum=0.9), run(lr=0.1, gap=1e-6, momentum=0.0, hit=5)
    (row,) = write(lower, higher, run(lr=1.0, gap=1e-7, momentum=0.0, hit=5)).sensitivity_table.to_dict(
        "records"
    )
    assert (row["lowest_lr"], row["highest_lr"], row["best_lr"], row["lrs"]) == (1.0, 1.0, 0.1, 2)


def test_half_of_the_seeds_is_enough(write):
    rows = [run(gap=1e-6, lr=lr, seed=0, hit=5) for lr in (0.1, 1.0)] + [
        run(lr=0.1, seed=1),
        run(lr=1.0, seed=1),
        run(lr=1.0, seed=2),
    ]
    (row,) = write(*rows).sensitivity_table.to_dict("records")
    assert (row["lowest_lr"], row["highest_lr"]) == (0.1, 0.1)


def test_a_target_that_is_crossed_and_left_again_is_not_reached(write):
    """The target is a gap of 8e-6: at lr = 1 the gap is below it on the way and ends above."""
    rows = [run(gap=gap, lr=lr, hit=5) for lr, gap in ((0.01, 7.9e-6), (0.1, 8e-6), (1.0, 8.1e-6))]
    (row,) = write(*rows).sensitivity_table.to_dict("records")
    assert (row["lowest_lr"], row["highest_lr"], row["open_high"]) == (0.01, 0.1, False)


# ---- budget of trials


def test_the_budget_curve_against_all_subsets(write):
    gaps = [1e-3, 1e-5, INF, 1e-2, 1e-4, 1.0]
    rows = [
        run(lr=i + 1.0, gap=gap, status="completed" if np.isfinite(gap) else "diverged")
        for i, gap in enumerate(gaps)
    ]
    scores = [own["score"] for own in rows]
    curve = write(*rows, run("adam"), run("adam", lr=2.0)).budget_curve
    assert curve["trials"].tolist() == [1, 2, 4, 6]
    assert set(curve["optimizer"]) == {"sgd"}
    for row in curve.to_dict("records"):
        least = sorted(min(some) for some in combinations(scores, row["trials"]))
        for name, q in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
            assert row[name] == pytest.approx(least[math.ceil(q * len(least)) - 1])


def test_the_budget_curve_is_of_the_trials_alone(write_tuned):
    sweep = write_tuned(tuned("sgd", {lr: [lr] for lr in (1.0, 2.0, 3.0, 4.0)}, [1e-9], [1e-9]))
    least = np.log(1.0 / 8e-6)
    assert sweep.budget_curve.iloc[-1][["trials", "q25", "q75"]].tolist() == pytest.approx([4, least, least])


# ---- targets


def test_targets_and_expected_running_times_by_hand(write):
    """Hits of 1e-3 after 2, 6 and 4 gradient evaluations; one seed misses, one diverged after it hit: both
    cost the budget of 8.
    """
    hits = [2.0, 6.0, 4.0, None]
    rows = [
        run(seed=seed, batch_size=1, **{"evaluations_to_1e-3": hit, "evaluations_to_1e-4": None})
        for seed, hit in enumerate(hits)
    ]
    rows += [
        run(
            seed=4,
            batch_size=1,
            status="diverged",
            evaluations=3.0,
            **{"evaluations_to_1e-3": 1.0, "evaluations_to_1e-4": None},
        )
    ]
    sweep = write(*rows)
    frame = sweep.targets.set_index("target")
    assert frame.index.tolist() == [float(f"1e-{k}") for k in range(1, 9)]
    assert frame.loc[1e-3, ["hits", "seeds", "evaluations"]].tolist() == [3, 5, 6]
    assert frame.loc[1e-3, "ert"] == pytest.approx((2 + 6 + 4 + 8 + 8) / 3)
    assert frame.loc[1e-4, ["hits", "evaluations"]].tolist() == [0, INF]
    assert math.isnan(frame.loc[1e-4, "ert"])


@pytest.mark.parametrize(
    ("batch_size", "hits"), [(None, [1.0, None]), (1, [1.0, 2.0])], ids=["all rows", "all hit"]
)
def test_no_running_time_on_all_rows_nor_where_all_seeds_hit(write, batch_size, hits):
    rows = [
        run(seed=seed, batch_size=batch_size, **{"evaluations_to_1e-2": hit}) for seed, hit in enumerate(hits)
    ]
    frame = write(*rows).targets.set_index("target")
    assert math.isnan(frame.loc[1e-2, "ert"])
    assert frame.loc[1e-2, "evaluations"] == 1


def test_targets_are_those_of_the_chosen_settings_in_the_order_of_the_ranking(write):
    sweep = write(run("a", 1e-2), run("b", 1e-5), run("b", 1e-1, lr=9.0, **{"evaluations_to_1e-8": 1}))
    assert sweep.targets["optimizer"].tolist() == ["b"] * 8 + ["a"] * 8
    assert sweep.targets["seeds"].eq(1).all()
    reached = sweep.reported.merge(sweep.targets, on=["task", "optimizer"])
    for row in reached.to_dict("records"):
        expected = row[f"evaluations_to_1e-{round(-math.log10(row['target']))}"]
        assert row["evaluations_y"] == (INF if math.isnan(expected) else expected)


def test_no_targets_where_relative_gaps_are_undefined(write):
    sweep = write(run(), problems=(LECTURE | {"scale": None},))
    assert sweep.targets.empty
    assert sweep.success.empty


# ---- success


def test_success_counts_the_trials_that_it_takes_in_random_order(write_tuned):
    """Trials 0 and 2 miss, 1 and 3 reach on the tuning seeds; trial 3 is chosen, and half of its evaluation
    seeds reach.
    """
    order = [1 + [trial in (1, 3) for trial in trials].index(True) for trials in permutations(range(4))]
    sgd = tuned("sgd", {1.0: [1.0] * 2, 2.0: [0.5] * 2, 3.0: [2.0] * 2, 4.0: [1e-2] * 2}, [1e-2] * 2)
    for row, role in sgd:
        hits = (role["role"] == "trial" and row["optimizer.lr"] in (2.0, 4.0)) or (
            role["role"] == "evaluation" and row["seed"] == 0
        )
        row["evaluations_to_target"] = row["steps_to_target"] = 4 if hits else None
    sweep = write_tuned(sgd, tuned("adam", {1.0: [1.0]}, [1.0, 1.0, 1.0]))
    rows = {row["optimizer"]: row for row in sweep.success.to_dict("records")}
    assert (
        rows["sgd"]["solved"],
        rows["sgd"]["hits"],
        rows["sgd"]["trials_to_success"],
        rows["sgd"]["trials"],
    ) == (
        True,
        1,
        pytest.approx(np.mean(order)),
        4,
    )
    assert (rows["adam"]["solved"], rows["adam"]["seeds"]) == (False, 3)
    assert math.isnan(rows["adam"]["trials_to_success"])


def test_success_of_a_grid_and_of_several_problems(write):
    other = LECTURE | {"problem_id": "other64", "problem": "other"}
    sweep = write(
        run("a", hit=3),
        run("b"),
        run("b", problem_id="other64", problem="other", hit=1),
        problems=(LECTURE, other),
    )
    assert sweep.success["trials_to_success"].tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)


# ---- competence


def test_who_leads_at_which_condition_number(write):
    problems = tuple(
        LECTURE | {"problem_id": f"k{kappa}", "problem": "synthetic", "kappa": kappa}
        for kappa in (10.0, 1000.0, 100.0)
    )
    gaps = {10.0: (1e-5, 1e-3), 100.0: (1e-3, 1e-3), 1000.0: (1e-1, 1e-2)}
    rows = [
        run(name, gap, problem_id=f"k{kappa}", problem="synthetic", **{"problem__kappa": kappa})
        for kappa, pair in gaps.items()
        for name, gap in zip("ab", pair, strict=True)
    ]
    sweep = write(*rows, run("a"), problems=(*problems, LECTURE))
    assert sweep.competence[["family", "kappa", "optimizers", "gap"]].to_numpy().tolist() == [
        ["synthetic", 10.0, ("a",), 1e-5],
        ["synthetic", 100.0, ("a", "b"), 1e-3],
        ["synthetic", 1000.0, ("b",), 1e-2],
    ]


def test_budgets_are_conditions_too_and_a_single_condition_is_none(write):
    sweep = write(run("a", 1e-3, steps=8), run("a", status="diverged", steps=16))
    assert sweep.competence[["steps", "optimizers", "gap"]].to_numpy().tolist() == [[8, ("a",), 1e-3]]
    assert write(run("a"), run("b"), folder="one").competence.empty
