"""What fewer trials would have found."""

import numpy as np
import pytest
from conftest import run
from drawn import (
    draw,
    lines,
)

from lrbench.errors import RequestError
from lrbench.results.figures.ink import palette


def test_the_budget_figure_holds_the_quartiles(write):
    results = write(*[run(gap=10.0**-k, lr=10.0**-k) for k in range(6)])
    (ax,) = draw("budget", results).axes
    (colour,) = palette(results.ranking).values()
    np.testing.assert_allclose(lines(ax)[colour], results.budget_curve[["trials", "median"]])
    with pytest.raises(RequestError, match="four settings"):
        draw("budget", write(run(), folder="one"))
