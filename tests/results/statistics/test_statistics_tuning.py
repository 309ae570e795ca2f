"""Searches: the best of m trials against every subset there is, tolerances and flips by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrbench.results import statistics as s

INF = math.inf


def quantile_of_all_subsets(values, m, q):
    least = sorted(min(subset) for subset in itertools.combinations(values, m))
    return next(value for place, value in enumerate(least, 1) if place >= q * len(least))


@given(st.lists(st.integers(0, 6) | st.just(INF), min_size=1, max_size=8), st.data())
def test_the_best_of_m_trials_is_counted_over_all_subsets(values, data):
    m = data.draw(st.integers(1, len(values)))
    found = s.best_of_subsets(np.array(values, dtype=float), [m], q=(0.0, 0.25, 0.5, 0.75, 1.0))
    assert found.tolist() == [[quantile_of_all_subsets(values, m, q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)]]


def test_the_best_of_all_trials_is_the_best_and_of_one_the_quantiles():
    values = np.array([5.0, INF, 3.0, 9.0])
    assert s.best_of_subsets(values, [1, 2, 4]).tolist() == [
        [3.0, 5.0, 9.0],
        [3.0, 3.0, 5.0],
        [3.0, 3.0, 3.0],
    ]


def test_the_best_of_many_trials_agrees_with_drawing_them():
    rng = np.random.default_rng(5)
    values = rng.normal(size=200)
    drawn = np.array([rng.permutation(values)[:20].min() for _ in range(4000)])
    exact = s.best_of_subsets(values, [20])[0]
    below, at_most = (drawn[:, None] < exact).mean(axis=0), (drawn[:, None] <= exact).mean(axis=0)
    bar = 4 * math.sqrt(0.25 / 4000)
    assert (below < np.array([0.25, 0.5, 0.75]) + bar).all()
    assert (at_most > np.array([0.25, 0.5, 0.75]) - bar).all()


@pytest.mark.parametrize(
    ("lrs", "works", "best", "stretch"),
    [
        ([0.001, 0.01, 0.1, 1], [0, 1, 1, 0], 0.1, (0.01, 0.1)),
        ([0.001, 0.01, 0.1, 1], [1, 1, 1, 1], 0.1, (0.001, 1)),
        ([0.001, 0.01, 0.1, 1], [1, 1, 0, 1], 1, (1, 1)),
        ([0.1, 1, 0.001, 0.01], [1, 0, 0, 1], 0.1, (0.01, 0.1)),  # in any order
        ([1, 10, 100, 1000], [1, 1, 0, 1], 10, (1, 10)),
        ([0.5], [1], 0.5, (0.5, 0.5)),
        ([0.5, 1], [1, 0], 1, (math.nan, math.nan)),
    ],
)
def test_the_stretch_around_the_best_by_hand(lrs, works, best, stretch):
    found = s.stretch_around(np.array(lrs, dtype=float), np.array(works, dtype=bool), best)
    assert found == pytest.approx(stretch, nan_ok=True)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_around_the_best_everything_works_up_to_the_next_that_does_not(works, data):
    place = data.draw(st.integers(0, len(works) - 1))
    lrs = 10.0 ** np.arange(len(works))
    low, high = s.stretch_around(lrs, np.array(works), lrs[place])
    if not works[place]:
        assert math.isnan(low)
        return
    first, last = np.searchsorted(lrs, [low, high])
    assert first <= place <= last
    assert all(works[first : last + 1])
    assert first == 0 or not works[first - 1]
    assert last == len(works) - 1 or not works[last + 1]
