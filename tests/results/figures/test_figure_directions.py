"""What is left by eigen-direction: the colours are the parts."""

import re

import numpy as np
import pytest
from conftest import swept
from drawn import draw

from lrbench.errors import RequestError
from lrbench.results.frames.names import displayed


def test_the_heat_map_holds_the_parts(tmp_path):
    lines = ["problem=synthetic", "problem.noise=1", "optimizer=sgd,adam,lbfgs", "optimizer.lr=0.1,0.5"]
    sweep = swept(tmp_path, *lines, "seed=range(3)", "steps=80", "report=true")
    parts = sweep.directions
    panels = [ax for ax in draw("directions", sweep).axes[:-1] if ax.get_title(loc="left")]
    assert len(panels) == 3
    for ax in panels:
        own = parts[parts["optimizer"].map(displayed) == ax.get_title(loc="left")]
        grid = own.pivot(index="direction", columns="step", values="part")
        shown = ax.collections[0].get_array().reshape(grid.shape)
        low, _ = ax.collections[0].get_clim()
        np.testing.assert_allclose(shown, np.log10(grid.to_numpy()).clip(low, 0))


def test_without_weights_on_the_way_there_is_none(tmp_path):
    sweep = swept(tmp_path, "optimizer=sgd", "steps=5", "report=false")
    with pytest.raises(RequestError, match=re.escape("report=true")):
        draw("directions", sweep)
