"""Costs against counts by hand: three rows, one feature and an intercept, 8 FLOPs a row and gradient."""

import numpy as np
import pandas as pd
import pytest
import rule
from conftest import run, swept

from lrbench.results.tables.costs import AXES


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    def of(*lines: str):
        return swept(tmp_path_factory.mktemp("costs"), *lines, "report=false").costs

    return of


@pytest.mark.parametrize(
    ("batch_size", "a_step"),
    [
        ("null", {"steps": 1, "evaluations": 1, "samples": 3, "epochs": 1, "flops": 24}),
        ("1", {"steps": 1, "evaluations": 1 / 3, "samples": 1, "epochs": 1 / 3, "flops": 8}),
    ],
)
def test_a_run_of_the_lecture(costs, batch_size, a_step):
    (row,) = costs(f"batch_size={batch_size}", "optimizer.lr=0.03", "steps=900").to_dict("records")
    assert {axis: row[axis] for axis in AXES} == pytest.approx(
        {axis: 900 * cost for axis, cost in a_step.items()}
    )
    hit = row["steps_to_target"]
    assert 0 < hit <= 900
    assert {axis: row[f"{axis}_to_target"] for axis in AXES} == pytest.approx(
        {axis: hit * cost for axis, cost in a_step.items()}
    )


def test_a_pass_with_a_short_last_batch_is_one_epoch(costs):
    (row,) = costs("batch_size=2", "optimizer.lr=0.001", "epochs=5").to_dict("records")
    assert (row["steps"], row["epochs"], row["samples"], row["evaluations"]) == (10, 5, 15, 5)


@pytest.mark.parametrize("order", ["sequential", "shuffled", "replacement"])
@pytest.mark.parametrize("rows", [1, 2, 5, 7])
def test_steps_until_arrival_are_exact_of_batches_in_any_order(tmp_path, order, rows):
    """Against the curve of the median seed: the first state whose pass mean is within the target for good.

    Of eleven rows, so that the last batch of a pass is short.
    """
    problem = ["problem=synthetic", "problem.n=11", "problem.d=2", "loss.reduction=mean", "target=0.3"]
    how = [f"batch_size={rows}", f"batch_order={order}", "optimizer.lr=0.05", "epochs=12", "seed=range(3)"]
    sweep = swept(tmp_path, *problem, *how, "optimizer=sgd", "report=false")
    (row,) = sweep.costs.to_dict("records")
    arrived = [arrival(sweep, run) for run in sweep.reported.to_dict("records")]
    assert row["steps_to_target"] == sorted(arrived)[1]
    assert 1 < row["steps_to_target"] < row["steps"]


def arrival(sweep, run: dict) -> float:
    """Return the step at which a run arrives, by the rule's own pass means."""
    curve = sweep.curves_of(pd.Series([run["run_id"]]))
    gap, evaluations = curve["gap"].to_numpy(), curve["evaluations"].to_numpy()
    read = rule.read(gap, evaluations, run["budget"], run["goal"], run["gap_floor"], run["scale"])
    return np.flatnonzero(np.isclose(evaluations, read.cost))[0] if read.reached else np.inf


def test_lbfgs_takes_several_gradients_a_step(costs):
    """Steps until its arrival are their mean share of the evaluations."""
    (row,) = costs("optimizer=lbfgs", "steps=100").to_dict("records")
    assert row["epochs"] == row["steps"]
    assert row["evaluations"] > row["steps"] > 1
    assert row["flops"] == 24 * row["evaluations"]
    share = row["evaluations_to_target"] * row["steps"] / row["evaluations"]
    assert row["steps_to_target"] == round(share)


def test_a_lost_seed_leaves_the_steps_of_the_others_exact(write):
    """Two rows of three a step: after 5 of 8 steps 10 rows are seen; the other seed stopped at its third."""
    task = {"batch_size": 2, "batch_order": "replacement", "budget": 16 / 3}
    whole = run(cost=10 / 3, evaluations=16 / 3, **task)
    lost = run(seed=1, status="diverged", steps_taken=3, evaluations=2.0, **task)
    (row,) = write(whole, lost).costs.to_dict("records")
    assert row["steps_to_target"] == 5


def test_a_target_that_is_not_reached_costs_inf(costs):
    (row,) = costs("optimizer.lr=1e-9", "steps=2").to_dict("records")
    assert all(row[f"{axis}_to_target"] == np.inf for axis in AXES)
