"""Phrases: over which seeds, what these vary, and which differences could be seen."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from conftest import FLOOR, run

from lrbench.results.statistics import MARGIN, compare
from lrbench.results.words.phrases import seeds_compared as over
from lrbench.results.words.phrases import visible


def test_unequal_seeds_are_a_range_in_captions(write):
    results = write(*[run("a", 1e-3 + seed, seed=seed) for seed in range(3)], run("b"))
    assert over(results) == "1 to 3 seeds (what varies: start)"


@pytest.mark.parametrize(
    ("changes", "varies"),
    [
        ({}, "start"),
        ({"init": "zeros"}, "nothing"),
        ({"init": "zeros", "batch_size": 2, "batch_order": "shuffled"}, "minibatches"),
        ({"batch_size": 2, "batch_order": "replacement"}, "start and minibatches"),
        ({"batch_size": 2}, "start"),
    ],
)
def test_what_a_seed_varies(write, changes, varies):
    assert over(write(*[run(seed=seed, **changes) for seed in (0, 1)])) == f"2 seeds (what varies: {varies})"


def visible_of(a, b) -> float:
    """The ratio from which on these pairs of gaps could show a difference."""
    comparison = compare(np.array(a), np.array(b), FLOOR)
    return visible(pd.DataFrame([vars(comparison)])).item()


def test_the_visible_ratio_is_half_the_width_of_the_interval_beyond_the_margin():
    a, b = np.exp(np.random.default_rng(6).normal(size=(2, 5)))
    half_width = scipy.stats.t.ppf(0.975, 4) * scipy.stats.sem(np.log(b / a))
    assert visible_of(a, b) == pytest.approx(MARGIN * math.exp(half_width), rel=1e-10)


def test_nothing_is_visible_where_seeds_contradict_each_other_by_many_decades():
    assert visible_of([1e-15, 1e15], [1e15, 1e-15]) == math.inf


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0], [2.0]),
        ([1.0, 1.0], [2.0, 2.0]),
        ([1.0, 2.0], [2.0, math.inf]),
        ([0.0, 1.0], [2.0, 2.0]),
        ([1.0, 2.0], [1.0, 2.0]),
    ],
)
def test_without_an_interval_there_is_no_visible_ratio(a, b):
    assert math.isnan(visible_of(a, b))
