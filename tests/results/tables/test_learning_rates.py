"""Rates that work, budget of trials, targets, success and competence of stores written by hand, against loops
and numbers worked by hand.
"""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from conftest import FLAT, LECTURE, ON_FLAT, TUNE, run, tuned

INF = math.inf


# ---- the rates that work


@pytest.mark.parametrize(
    ("costs", "tolerance", "opens", "ends"),
    [
        # at most twice the best, in either direction, of what was tried
        ({1e-4: 7, 1e-3: 6, 1e-1: 3, 1.0: 5, 10.0: 7}, 3.0, (False, False), (1e-3, 1.0)),
        ({1e-4: 3, 1e-3: 3, 1e-1: 7}, 1.0, (True, False), (1e-4, 1e-3)),
        ({1e-4: INF, 1e-3: 6, 1e-1: 3}, 2.0, (False, True), (1e-3, 1e-1)),
        ({1e-4: INF, 1e-3: 3, 1e-1: 7}, 0.0, (False, False), (1e-3, 1e-3)),
        # around the best: what works beyond a rate that does not is another stretch
        ({1e-4: 4, 1e-3: 4, 1e-2: 4, 1e-1: INF, 1.0: 3, 10.0: 7}, 0.0, (False, False), (1.0, 1.0)),
        ({1e-2: 4}, 0.0, (True, True), (1e-2, 1e-2)),
    ],
)
def test_rates_that_work_cost_at_most_twice_the_best(write, costs, tolerance, opens, ends):
    sweep = write(*at_rates(costs))
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert row["tolerance"] == pytest.approx(tolerance)
    assert ((row["open_low"], row["open_high"]), (row["lowest_lr"], row["highest_lr"])) == (opens, ends)
    assert (row["lrs"], row["best_lr"]) == (len(costs), min(costs, key=costs.__getitem__))
    (ranked,) = sweep.ranking.to_dict("records")
    assert (ranked["works_low"], ranked["works_high"]) == ends
    assert (ranked["tolerance"], ranked["tolerance_open"]) == (row["tolerance"], any(opens))
    if len(costs) > 1:
        works = sweep.rates.set_index("lr")["works"]
        assert works.to_dict() == {lr: cost <= 2 * min(costs.values()) for lr, cost in costs.items()}


def at_rates(costs: dict[float, float], **changes) -> list[dict]:
    """Two seeds a learning rate, that cost so much or, where that is inf, miss the target."""
    rows = []
    for lr, cost in costs.items():
        how = {"cost": cost} if cost < INF else {"gap": 1e-3}
        rows += [run(lr=lr, seed=seed, **how, **changes) for seed in range(2)]
    return rows


def test_where_nobody_arrives_rates_work_that_end_at_most_twice_as_high(write):
    rows = [run(lr=lr, gap=gap) for lr, gap in ((0.1, 2.01e-3), (1.0, 1.99e-3), (10.0, 1e-3), (100.0, 1.0))]
    (row,) = write(*rows).sensitivity_table.to_dict("records")
    assert (row["lowest_lr"], row["highest_lr"], row["best_lr"]) == (1.0, 10.0, 10.0)


def test_a_rate_that_misses_does_not_work_beside_one_that_just_arrives(write):
    """Scores a hair apart: the whole budget, and a level just above the target, a gap of 8e-6."""
    rows = [run(lr=1.0, gap=7.9e-6, cost=8), run(lr=2.0, gap=8.1e-6)]
    assert write(*rows).rates["works"].tolist() == [True, False]


def test_rates_that_lose_a_seed_or_rise_too_high_do_not_work(write):
    rows = [run(lr=1.0, cost=4, seed=seed) for seed in range(3)]
    rows += [run(lr=2.0, cost=4, seed=seed, status="diverged" if seed else "completed") for seed in range(3)]
    rows += [run(lr=0.5, cost=2, seed=seed, rise=101.0 if seed == 2 else 1.0) for seed in range(3)]
    sweep = write(*rows)
    assert sweep.rates["works"].tolist() == [False, True, False]
    assert sweep.rates["best"].tolist() == [False, True, False]
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert (row["lowest_lr"], row["highest_lr"], row["best_lr"]) == (1.0, 1.0, 1.0)


def test_how_high_a_gap_may_rise_is_the_requests_own(write_tuned):
    sgd = tuned("sgd", {0.1: [4, 4], 1.0: [3, 3]}, [4, 4], by="cost", rise=500.0)
    any_rise = write_tuned(sgd, tune=TUNE | {"rise": None})
    assert any_rise.rates["works"].tolist() == [True, True]
    limited = write_tuned(sgd, folder="limited")
    assert limited.rates["works"].tolist() == [False, False]
    assert limited.sensitivity_table["tolerance"].isna().all()
    assert limited.ranking["works_low"].isna().all()


def test_no_rate_works_where_all_lose_a_seed(write):
    rows = [run(lr=lr, status="diverged") for lr in (0.1, 1.0)]
    sweep = write(*rows, run("rate_free", lr=None, cost=3))
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert np.isnan([row["tolerance"], row["lowest_lr"], row["highest_lr"]]).all()
    assert (row["open_low"], row["open_high"]) == (False, False)
    assert sweep.ranking.set_index("optimizer")["tolerance"].isna().all()


def test_at_each_learning_rate_the_best_setting_counts(write):
    """At lr = 0.1 the setting that ends lower misses the target; the other one arrives there."""
    at_low_rate = [run(lr=0.1, gap=1e-3, momentum=0.9), run(lr=0.1, cost=4, momentum=0.0)]
    sweep = write(*at_low_rate, run(lr=1.0, cost=5, momentum=0.0))
    (row,) = sweep.sensitivity_table.to_dict("records")
    assert (row["lowest_lr"], row["highest_lr"], row["best_lr"], row["lrs"]) == (0.1, 1.0, 0.1, 2)
    assert sweep.rates["setting"].tolist() == ["lr=0.1 momentum=0", "lr=1 momentum=0"]


def test_where_everything_is_drawn_anew_at_each_rate_neighbours_are_no_curve(write):
    rows = [run(lr=lr, cost=4, momentum=momentum) for lr, momentum in ((0.1, 0.5), (0.2, 0.7), (0.4, 0.1))]
    sweep = write(*rows)
    assert sweep.rates["scattered"].all()
    assert sweep.sensitivity_table["tolerance"].isna().all()


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
    """Arrivals at 1e-3 after 2, 6 and 4 gradient evaluations; one seed misses, one is lost after it hit: both
    cost the budget of 8.
    """
    none = dict.fromkeys(["cost_1e-3", "cost_1e-4"])
    rows = []
    for seed, hit in enumerate([2.0, 6.0, 4.0, None]):
        rows.append(run(seed=seed, batch_size=1) | none | {"cost_1e-3": hit})
    rows.append(run(seed=4, batch_size=1, status="diverged", hit=1))
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
    rows = [run(seed=seed, batch_size=batch_size) | {"cost_1e-2": hit} for seed, hit in enumerate(hits)]
    frame = write(*rows).targets.set_index("target")
    assert math.isnan(frame.loc[1e-2, "ert"])
    assert frame.loc[1e-2, "evaluations"] == 1


def test_targets_are_those_of_the_chosen_settings_in_the_order_of_the_ranking(write):
    other = run("b", 1e-1, lr=9.0) | {"cost_1e-8": 1.0}
    sweep = write(run("a", 1e-2), run("b", 1e-7), other)
    assert sweep.targets["optimizer"].tolist() == ["b"] * 8 + ["a"] * 8
    assert sweep.targets["seeds"].eq(1).all()
    reached = sweep.reported.merge(sweep.targets, on=["task", "optimizer"])
    for row in reached.to_dict("records"):
        expected = row[f"cost_1e-{round(-math.log10(row['target']))}"]
        assert row["evaluations_y"] == (INF if math.isnan(expected) else expected)


def test_no_targets_where_relative_gaps_are_undefined(write):
    sweep = write(run(gap=0.0, cost=4, **ON_FLAT), problems=(FLAT,))
    assert sweep.targets.empty
    assert sweep.solved.empty
    assert sweep.success["solved"].tolist() == [True]  # at the floor


def test_the_mean_over_targets_counts_the_budget_for_a_miss(write):
    costs = [[1, 2, 3, 4, 5, 6, None, None], [2, 2, 3, 3, 4, 4, 7, None]]
    rows = []
    for seed, own in enumerate(costs):
        rows.append(run(seed=seed) | {f"cost_1e-{k}": own[k - 1] for k in range(1, 9)})
    filled = [[8 if cost is None else cost for cost in own] for own in costs]
    (row,) = write(*rows).ranking.to_dict("records")
    assert row["area"] == pytest.approx(np.exp(np.log(filled).mean()))


# ---- success


def test_success_counts_the_trials_that_it_takes_in_random_order(write_tuned):
    """Trials 0 and 2 miss, 1 and 3 arrive on the tuning seeds; trial 3 is chosen, and half of its evaluation
    seeds arrive.
    """
    order = [1 + [trial in (1, 3) for trial in trials].index(True) for trials in permutations(range(4))]
    sgd = tuned("sgd", {1.0: [1.0] * 2, 2.0: [1e-6] * 2, 3.0: [2.0] * 2, 4.0: [1e-9] * 2}, [1e-9, 1e-3])
    sweep = write_tuned(sgd, tuned("adam", {1.0: [1.0]}, [1.0, 1.0, 1.0]))
    rows = {row["optimizer"]: row for row in sweep.success.to_dict("records")}
    sgd = rows["sgd"]
    assert (sgd["solved"], sgd["hits"], sgd["trials"]) == (True, 1, 4)
    assert sgd["trials_to_success"] == pytest.approx(np.mean(order))
    assert (rows["adam"]["solved"], rows["adam"]["seeds"]) == (False, 3)
    assert math.isnan(rows["adam"]["trials_to_success"])


def test_success_of_a_grid_and_of_several_problems(write):
    other = LECTURE | {"problem_id": "other64", "problem": "other"}
    on_other = run("b", problem_id="other64", problem="other", cost=1)
    sweep = write(run("a", cost=3), run("b"), on_other, problems=(LECTURE, other))
    assert sweep.success["trials_to_success"].tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)


# ---- competence


def test_who_leads_at_which_condition_number(write):
    kappas = (10.0, 1000.0, 100.0)
    problems = tuple(
        LECTURE | {"problem_id": f"k{kappa}", "problem": "synthetic", "kappa": kappa} for kappa in kappas
    )
    costs = {10.0: (2, 6), 100.0: (3, 4), 1000.0: (7, 2)}
    rows = []
    for kappa, pair in costs.items():
        task = {"problem_id": f"k{kappa}", "problem": "synthetic", "problem__kappa": kappa}
        for name, cost in zip("ab", pair, strict=True):
            rows += [run(name, cost=cost, seed=seed, **task) for seed in range(4)]
    sweep = write(*rows, run("a"), problems=(*problems, LECTURE))
    assert sweep.competence[["family", "kappa", "optimizers"]].to_numpy().tolist() == [
        ["synthetic", 10.0, ("a",)],
        ["synthetic", 100.0, ("a", "b")],
        ["synthetic", 1000.0, ("b",)],
    ]
    assert sweep.competence["cost"].tolist() == pytest.approx([2, 3, 2])


def test_budgets_are_conditions_too_and_a_single_condition_is_none(write):
    sweep = write(run("a", 1e-3, steps=8), run("a", status="diverged", steps=16))
    assert sweep.competence[["steps", "optimizers", "gap"]].to_numpy().tolist() == [[8, ("a",), 1e-3]]
    assert sweep.competence["cost"].isna().all()
    assert write(run("a"), run("b"), folder="one").competence.empty
