"""What the best of fewer trials is worth."""

from itertools import combinations

import numpy as np
import pytest
from conftest import TUNE, run, tuned
from drawn import colours_of, draw, finding, lines, texts

from lrbench.errors import RequestError
from lrbench.results.figures.budget import caption


def median_least(values: list[float]) -> list[tuple[int, float]]:
    """Of 1, 2, 4 and 6 of six values the median least one, over all choices."""
    least = {m: sorted(min(some) for some in combinations(values, m)) for m in (1, 2, 4, 6)}
    return [(m, own[-(-len(own) // 2) - 1]) for m, own in least.items()]


def test_the_line_is_the_median_least_score_in_levels_where_nobody_arrives(write):
    levels = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 2e-5]
    results = write(*[run(gap=level, lr=10.0**-k) for k, level in enumerate(levels)])
    (ax,) = draw("budget", results).axes
    (colour,) = colours_of(results).values()
    np.testing.assert_allclose(lines(ax)[colour], median_least(levels))
    assert ax.get_ylabel() == "level  (mean gap at the end)"
    with pytest.raises(RequestError, match="four settings"):
        draw("budget", write(run(), folder="one"))


def test_the_line_is_in_evaluations_where_some_setting_arrives_and_a_miss_stands_at_the_budget(write):
    """Settings arrive in 2, 4 and 6 evaluations, two miss, one is lost."""
    rows = [run(gap=1e-9, hit=2 * k, lr=float(k)) for k in (1, 2, 3)]
    rows += [run(gap=1.0, lr=4.0), run(gap=1e-3, lr=5.0), run(lr=6.0, status="diverged")]
    results = write(*rows)
    (ax,) = draw("budget", results).axes
    (colour,) = colours_of(results).values()
    np.testing.assert_allclose(lines(ax)[colour], median_least([2, 4, 6, 8, 8, np.inf]))
    assert ax.get_ylabel() == "evaluations until it arrives"
    assert "misses" in texts(ax)
    assert finding("budget", results) == "lecture: evaluations at the best of 6 trials: SGD 2."


def test_a_setting_that_first_rises_too_high_is_not_found(write):
    rows = [run(gap=1e-9, hit=k, lr=float(k), rise=1e3 if k == 1 else 1.0) for k in (1, 2, 3, 4)]
    results = write(*rows)
    (ax,) = draw("budget", results).axes
    (colour,) = colours_of(results).values()
    assert lines(ax)[colour][-1].tolist() == pytest.approx([4, 2])


@pytest.mark.parametrize(("trials", "is_said"), [(7, False), (8, True)])
def test_a_search_that_zoomed_is_said_to_flatter_fewer_trials(write_tuned, trials, is_said):
    rates = {10.0**-k: [10.0**-k] for k in range(4)}
    results = write_tuned(tuned("sgd", rates, [1e-3]), tune=TUNE | {"trials": trials})
    assert ("a shorter one would find less" in caption(results)) == is_said


def test_a_grid_without_tuning_went_nowhere_closer(write):
    rows = [run(gap=10.0**-k, lr=10.0**-k) for k in range(4)]
    assert "shorter" not in caption(write(*rows))
