"""What theory knows of stored runs is what figures draw."""

import numpy as np
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
