"""The best gap against the number of trials."""

import numpy as np
import pytest
from conftest import TUNE, run, tuned
from drawn import (
    draw,
    lines,
)

from lrbench.errors import RequestError
from lrbench.results.figures.budget import caption
from lrbench.results.figures.ink import palette


def test_the_budget_figure_holds_the_quartiles(write):
    results = write(*[run(gap=10.0**-k, lr=10.0**-k) for k in range(6)])
    (ax,) = draw("budget", results).axes
    (colour,) = palette(results.ranking).values()
    np.testing.assert_allclose(lines(ax)[colour], results.budget_curve[["trials", "median"]])
    with pytest.raises(RequestError, match="four settings"):
        draw("budget", write(run(), folder="one"))


@pytest.mark.parametrize(("trials", "is_said"), [(7, False), (8, True)])
def test_a_search_that_zoomed_is_said_to_flatter_fewer_trials(write_tuned, trials, is_said):
    rates = {10.0**-k: [10.0**-k] for k in range(4)}
    results = write_tuned(tuned("sgd", rates, [1e-3]), tune=TUNE | {"trials": trials})
    assert ("a shorter one would find less" in caption(results)) == is_said


def test_a_grid_without_tuning_went_nowhere_closer(write):
    rows = [run(gap=10.0**-k, lr=10.0**-k) for k in range(4)]
    assert "shorter" not in caption(write(*rows))
