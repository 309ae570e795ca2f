"""Errors by eigen-direction, from the stored paths."""

import numpy as np
import pytest
from conftest import swept

from lrbench.results.tables.directions import MOST_BANDS


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    lines = [
        "problem=synthetic",
        "problem.noise=1",
        "optimizer=sgd,adam,lbfgs",
        "optimizer.lr=0.1,0.5",
        "seed=range(3)",
        "steps=80",
    ]
    return swept(tmp_path_factory.mktemp("paths"), *lines)


def test_the_paths_are_of_the_best_settings_first_seed(sweep):
    runs = sweep.runs.set_index("run_id").loc[sweep.store.paths()["run_id"].to_pylist()]
    assert set(runs["optimizer"]) == {"sgd", "adam", "lbfgs"}
    assert set(runs["setting_id"]) == set(sweep.ranking["setting_id"])
    assert (runs["seed"] == 0).all()


def test_the_parts_add_up_to_the_gap(sweep):
    curves = sweep.curves_of(sweep.store.paths()["run_id"].to_pandas())
    named = curves.merge(sweep.entries[["run_id", "optimizer"]], on="run_id")
    gaps = named.set_index(["optimizer", "step"])["gap"]
    sums = sweep.directions.groupby(["optimizer", "step"])["part"].sum()
    for (optimizer, step), total in sums.items():
        assert total * gaps[optimizer, 0] == pytest.approx(gaps[optimizer, step], rel=1e-9, abs=1e-25)


def test_gradient_descent_shrinks_each_direction_by_its_factor(sweep):
    parts = sweep.directions
    sgd = parts[parts["optimizer"] == "sgd"].pivot(index="step", columns="direction", values="part")
    lr = sweep.ranking.set_index("optimizer").loc["sgd", "lr"]
    eigenvalues = np.array(sweep.tasks["eigenvalues"].iloc[0])
    np.testing.assert_allclose(sgd.loc[8] / sgd.loc[0], (1 - lr * eigenvalues) ** 16, rtol=1e-6)


def test_what_remains_is_in_shares(sweep):
    rows = sweep.remaining
    np.testing.assert_allclose(rows[["steep", "middle", "flat"]].sum(axis=1), 1)
    assert rows.set_index("optimizer").loc["sgd", "flat"] > 0.9


def test_the_step_from_which_on_going_on_is_pointless(sweep):
    rows = sweep.statistical.set_index("optimizer")
    (path,) = [path for path in sweep._paths if path.optimizer == "adam"]
    step = path.step
    w_star, w_true = np.array(path.task["w_star"]), np.array(path.task["w_true"])
    distances = np.linalg.norm(path.weights - w_star, axis=1)
    since = rows.loc["adam", "pointless from"]
    assert rows.loc["adam", "from data"] == pytest.approx(np.linalg.norm(w_star - w_true))
    assert (distances[step >= since] <= rows.loc["adam", "from data"]).all()
    assert distances[step < since][-1] > rows.loc["adam", "from data"]
    assert rows.loc["adam", "left"] == distances[-1]


def test_many_directions_are_joined(tmp_path):
    lines = ["problem=synthetic", "problem.d=100", "problem.n=150", "optimizer=sgd", "steps=20"]
    parts = swept(tmp_path, *lines).directions
    assert parts["direction"].nunique() == MOST_BANDS
    assert parts.loc[parts["step"] == 0, "part"].sum() == pytest.approx(1)


def test_no_distances_where_there_is_no_minimiser(tmp_path):
    sweep = swept(tmp_path, "problem=breast_cancer", "optimizer=sgd,adam", "steps=5")
    assert sweep.directions.empty
    assert sweep.statistical.empty
