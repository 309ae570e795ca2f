"""What theory knows of stored runs is what figures draw."""

import numpy as np
import pytest
from conftest import swept
from drawn import draw


def test_the_curves_hold_the_theory(tmp_path):
    lines = ["problem=synthetic", "problem.kappa=1e4", "optimizer.lr=0.01,0.1,1", "seed=range(5)"]
    descent = swept(tmp_path, *lines, "optimizer=sgd,sgd_momentum,sgd_nesterov", "steps=150", "report=false")
    (ax,) = draw("loss_curves", descent).axes
    dashed = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "--"]
    drawn = [line for line in dashed if len(line) > 2]
    for _, rows in descent.predicted_curves.groupby("optimizer"):
        assert any(np.array_equal(line, rows["gap"]) for line in drawn)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    lines = ["problem=synthetic", "problem.noise=1", "optimizer=sgd,adam,lbfgs", "optimizer.lr=0.1,0.5"]
    return swept(tmp_path_factory.mktemp("paths"), *lines, "seed=range(3)", "steps=80")


def test_the_heat_map_holds_the_parts(traced):
    parts = traced.directions
    for ax in draw("directions", traced).axes[:-1]:
        optimizer = ax.get_title(loc="left")
        if optimizer:
            own = parts[parts["optimizer"] == optimizer]
            grid = own.pivot(index="direction", columns="step", values="part")
            shown = ax.collections[0].get_array().reshape(grid.shape)
            low, _ = ax.collections[0].get_clim()
            np.testing.assert_allclose(shown, np.log10(grid.to_numpy()).clip(low, 0))
