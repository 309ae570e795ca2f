"""Costs against counts by hand: three rows, one feature and an intercept, 8 FLOPs a row and gradient."""

import numpy as np
import pytest
from conftest import swept

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


def test_lbfgs_takes_several_gradients_a_step(costs):
    (row,) = costs("optimizer=lbfgs", "steps=3").to_dict("records")
    assert row["epochs"] == row["steps"] == 3
    assert row["evaluations"] > 3
    assert row["flops"] == 24 * row["evaluations"]


def test_a_target_that_is_not_reached_costs_inf(costs):
    (row,) = costs("optimizer.lr=1e-9", "steps=2").to_dict("records")
    assert all(row[f"{axis}_to_target"] == np.inf for axis in AXES)
