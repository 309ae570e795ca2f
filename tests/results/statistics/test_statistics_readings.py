"""What runs are worth together, and which trial is chosen by it: the rule, and cases worked by hand."""

import math

import numpy as np
import pytest
import rule
from random_runs import arrays, some_fields

from lrbench.results.statistics import readings as s

INF = math.inf


def test_readings_of_some_rows():
    runs = [rule.arrived(40.0), rule.missed(1e-3), rule.lost()]
    own = arrays(runs)
    assert len(own) == 3
    assert own.take(np.array([2, 0])).lost.tolist() == [True, False]
    assert own.take(own.arrived).cost.tolist() == [40.0]
    assert own.take(np.array([[0, 1], [1, 2]])).score.shape == (2, 2)
    assert s.stacked([own, own.take(slice(1))]).curve.tolist() == [run.run for run in [*runs, runs[0]]]


def test_together_they_are_what_the_rule_says():
    for runs in some_fields(seed=3, count=200):
        for own in runs.values():
            found = arrays(own)
            assert found.passes_through() == rule.passes(own)
            assert found.all_lost() == all(run.lost for run in own)
            assert found.mean_score() == pytest.approx(np.mean([min(run.score, 1e3) for run in own]))


@pytest.mark.parametrize(("gone", "stay", "passes"), [(5, 5, False), (6, 4, True), (0, 0, False)])
def test_most_of_those_that_arrive_must_leave(gone, stay, passes):
    twice, gap, other = rule.a_passage()
    leaves = rule.read(gap, twice, 100, 1e-6, scale=1.0)
    stays = rule.read(other, twice, 100, 1e-6, scale=1.0)
    runs = [leaves] * gone + [stays] * stay + [rule.missed(1e-3)] * 3
    assert arrays(runs).passes_through() == passes


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ([[-2.0, -2.0, 9.0], [-0.5, -0.4, -0.6], [-0.4, -0.4, -0.4]], 1),  # faster, but misses once by far
        ([[-2.0, -2.0, INF], [3.0, 3.0, 3.0]], 1),  # fewest lost seeds
        ([[1.0, 1.0], [1.0, 1.0]], 0),  # the smallest rate
        ([[INF, INF], [INF, INF]], 0),
        ([[INF, 2.0], [INF, INF], [1.0, INF]], 2),
    ],
)
def test_the_choice_by_hand(scores, chosen):
    assert s.choose(np.array(scores)) == chosen


def test_what_rises_too_high_is_not_chosen_unless_any_may_be():
    scores = np.array([[-0.5, -0.5, -0.5], [-3.2, -3.2, -3.2], [-0.4, -0.4, -0.4]])
    rises = np.array([[1.0, 1.0, 1.0], [8.3e4, 9.0, 9.0], [1.0, 1.0, 1.0]])
    assert s.choose(scores, rises) == 0
    assert s.choose(scores, rises, None) == 1
    assert s.choose(scores, rises, 1e5) == 1
    assert s.too_high(rises).tolist() == [False, True, False]
    assert s.too_high(rises, None).tolist() == [False, False, False]
    assert s.choose(scores[1:2], rises[1:2]) == 0  # if all do, one of them is


def test_the_choice_is_that_of_the_rule():
    rng = np.random.default_rng(4)
    for _ in range(500):
        scores = rng.choice([-2.0, -1.0, 0.5, 3.0, INF], size=(5, 3))
        rises = rng.choice([1.0, 99.0, 101.0, 1e5, INF], size=(5, 3), p=[0.5, 0.3, 0.1, 0.05, 0.05])
        limit = rng.choice([100.0, 1e3, None])
        assert s.choose(scores) == rule.choose(scores)
        assert s.choose(scores, rises, limit) == rule.choose(scores, rises, limit)
        assert s.too_high(rises, limit).tolist() == rule.too_high(rises, limit).tolist()
