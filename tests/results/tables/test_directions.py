"""Errors by eigen-direction, from the stored paths."""

import numpy as np
import pytest

import lrbench
from lrbench.results import directions, figures


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    lines = [
        "problem=synthetic",
        "problem.noise=1",
        "optimizer=sgd,adam,lbfgs",
        "optimizer.lr=0.1,0.5",
        "seed=range(3)",
        "steps=80",
    ]
    return lrbench.sweep(*lines, f"results_dir={tmp_path_factory.mktemp('paths')}")


def test_the_paths_are_of_the_best_settings_first_seed(results):
    runs = results.runs.set_index("run_id").loc[results.store.paths()["run_id"].to_pylist()]
    assert set(runs["optimizer"]) == {"sgd", "adam", "lbfgs"}
    assert set(runs["setting_id"]) == set(results.ranking["setting_id"])
    assert (runs["seed"] == 0).all()


def test_the_parts_add_up_to_the_gap(results):
    curves = results.curves_of(results.store.paths()["run_id"].to_pandas()).merge(
        results.entries[["run_id", "name"]], on="run_id"
    )
    gaps = curves.set_index(["name", "step"])["gap"]
    sums = directions.parts(results).groupby(["optimizer", "step"])["part"].sum()
    for (optimizer, step), total in sums.items():
        assert total * gaps[optimizer, 0] == pytest.approx(gaps[optimizer, step], rel=1e-9, abs=1e-25)


def test_gradient_descent_shrinks_each_direction_by_its_factor(results):
    parts = directions.parts(results)
    sgd = parts[parts["optimizer"] == "sgd"].pivot(index="step", columns="direction", values="part")
    lr = results.ranking.set_index("optimizer").loc["sgd", "lr"]
    eigenvalues = np.array(results.tasks["eigenvalues"].iloc[0])
    np.testing.assert_allclose(sgd.loc[8] / sgd.loc[0], (1 - lr * eigenvalues) ** 16, rtol=1e-6)


def test_what_remains_is_in_shares(results):
    rows = directions.remaining(results)
    np.testing.assert_allclose(rows[["steep", "middle", "flat"]].sum(axis=1), 1)
    assert rows.set_index("optimizer").loc["sgd", "flat"] > 0.9


def test_the_step_from_which_on_going_on_is_pointless(results):
    rows = directions.statistical(results).set_index("optimizer")
    ((task, _, step, w), *_) = [one for one in directions.paths(results) if one[1] == "adam"]
    distances = np.linalg.norm(w - np.array(task["w_star"]), axis=1)
    since = rows.loc["adam", "pointless from"]
    assert rows.loc["adam", "from data"] == pytest.approx(
        np.linalg.norm(np.array(task["w_star"]) - np.array(task["w_true"]))
    )
    assert (distances[step >= since] <= rows.loc["adam", "from data"]).all()
    assert distances[step < since][-1] > rows.loc["adam", "from data"]
    assert rows.loc["adam", "left"] == distances[-1]


def test_the_heat_map_holds_the_parts(results):
    figure = figures.directions(results)
    parts = directions.parts(results)
    for ax in figure.axes[:-1]:
        if ax.get_title(loc="left"):
            grid = parts[parts["optimizer"] == ax.get_title(loc="left")].pivot(
                index="direction", columns="step", values="part"
            )
            shown = ax.collections[0].get_array().reshape(grid.shape)
            low, _ = ax.collections[0].get_clim()
            np.testing.assert_allclose(shown, np.log10(grid.to_numpy()).clip(low, 0))


def test_many_directions_are_joined(tmp_path):
    lines = ["problem=synthetic", "problem.d=100", "problem.n=150", "optimizer=sgd", "steps=20"]
    parts = directions.parts(lrbench.sweep(*lines, f"results_dir={tmp_path}"))
    assert parts["direction"].nunique() == directions.MOST_BANDS
    assert parts.loc[parts["step"] == 0, "part"].sum() == pytest.approx(1)


def test_no_distances_where_there_is_no_minimiser(tmp_path):
    results = lrbench.sweep(
        "problem=breast_cancer", "optimizer=sgd,adam", "steps=5", f"results_dir={tmp_path}"
    )
    assert directions.parts(results).empty
    assert directions.statistical(results).empty
    page = results.store.report.read_text(encoding="utf-8")
    assert "attained by no weights" in page
