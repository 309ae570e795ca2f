"""Typical values, spreads, first hits: pandas and scipy one-liners, closed forms, numbers worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lrbench.results import statistics as s

INF = math.inf
GAPS = st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=12)
WITH_INF = st.lists(st.floats(1e-30, 1e30) | st.just(INF), min_size=1, max_size=12)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(
    ("x", "mean"),
    [
        ([1e-4, 1e-2], 1e-3),
        ([8.0], 8.0),
        ([0.0, 5.0], 0.0),
        ([0.0, 0.0], 0.0),
        ([1.0, INF], INF),
        ([0.0, INF], INF),
        ([INF, INF], INF),
        ([5e-324, 5e-324], 5e-324),
    ],
)
def test_geometric_mean(x, mean):
    assert s.geometric_mean(np.array(x)) == pytest.approx(mean, rel=1e-14)


@given(st.floats(1e-300, 1e300), st.integers(1, 9))
def test_the_geometric_mean_of_equal_values_is_that_value(value, count):
    assert s.geometric_mean(np.full(count, value)) == value


@given(GAPS)
def test_geometric_mean_and_spread_are_those_of_the_logarithms(x):
    logs = pd.Series(x).map(math.log)
    assert s.geometric_mean(np.array(x)) == pytest.approx(math.exp(logs.mean()), rel=1e-10)
    if len(x) > 1 and logs.std() < 700:
        assert s.geometric_spread(np.array(x)) == pytest.approx(math.exp(logs.std()), rel=1e-9)


@pytest.mark.parametrize(
    ("x", "spread"),
    [
        ([3.0], math.nan),
        ([INF], math.nan),
        ([2.0, 2.0], 1.0),
        ([0.0, 2.0], INF),
        ([INF, 2.0], INF),
        ([1.0, math.e**2], math.exp(math.sqrt(2))),
    ],
)
def test_geometric_spread(x, spread):
    assert s.geometric_spread(np.array(x)) == pytest.approx(spread, nan_ok=True)


@given(GAPS, SHARES)
def test_a_quantile_of_finite_values_is_pandas_own(x, q):
    assert s.quantile(np.array(x), q) == pytest.approx(pd.Series(x).quantile(q), rel=1e-12)


@given(WITH_INF, SHARES)
def test_inf_counts_as_a_huge_number_in_a_quantile(x, q):
    ranks = pd.Series(range(len(x))).quantile(q)
    upper = sorted(x)[math.ceil(ranks)]
    assert math.isinf(s.quantile(np.array(x), q)) == math.isinf(upper)


def test_quantiles_by_hand():
    x = np.array([INF, 1.0, 3.0])
    assert [s.quantile(x, q) for q in (0, 0.25, 0.5, 0.75, 1)] == [1, 2, 3, INF, INF]


@given(WITH_INF)
def test_a_median_hit_is_the_least_cost_by_which_half_had_hit(hits):
    enough = [cost for cost in hits if 2 * sum(hit <= cost for hit in hits) >= len(hits)]
    assert s.median_first_hit(np.array(hits)) == min(enough)


@pytest.mark.parametrize(
    ("hits", "median"),
    [([7, INF], 7), ([7, INF, INF], INF), ([9, 7, INF], 9), ([1, 2, 3, INF], 2), ([INF], INF)],
)
def test_median_first_hits_by_hand(hits, median):
    assert s.median_first_hit(np.array(hits, dtype=float)) == median


def test_gaps_below_the_floor_count_as_the_floor():
    assert s.at_least_floor(np.array([0.0, 1e-25, 1e-3, INF]), np.array([1e-20])).tolist() == [
        1e-20,
        1e-20,
        1e-3,
        INF,
    ]


@pytest.mark.parametrize(
    "statistic",
    [
        s.geometric_mean,
        s.geometric_spread,
        s.interquartile_mean,
        s.median_first_hit,
        lambda x: s.quantile(x, 0.25),
    ],
)
def test_statistics_reduce_the_last_axis(statistic):
    x = np.array([[1.0, 2.0, 4.0], [INF, 1.0, 1.0], [0.5, 0.5, 0.5], [3.0, INF, INF]])
    np.testing.assert_array_equal(statistic(x), [statistic(row) for row in x])


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(1, 9)), min_size=1, max_size=30))
def test_by_group_is_a_groupby(rows):
    frame = pd.DataFrame(rows, columns=["key", "value"])
    codes, _ = pd.factorize(frame["key"])
    expected = frame.groupby("key", sort=False)["value"].median()
    np.testing.assert_array_equal(
        s.by_group(lambda x: np.median(x, axis=-1), frame["value"].to_numpy(), codes), expected
    )


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4)
    | st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12)
)
def test_the_interquartile_mean_of_4m_values_is_scipys_trimmed_mean(x):
    assert s.interquartile_mean(np.array(x)) == pytest.approx(
        scipy.stats.trim_mean(x, 0.25), rel=1e-12, abs=1e-9
    )


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_the_interquartile_mean_is_that_of_each_value_four_times(x):
    """Repeating each value 4 times changes no share, and then the quarters cut between values."""
    assert s.interquartile_mean(np.array(x)) == pytest.approx(
        scipy.stats.trim_mean(np.repeat(x, 4), 0.25), rel=1e-12, abs=1e-9
    )


@pytest.mark.parametrize(
    ("x", "mean"),
    [
        ([7.0], 7.0),
        ([1.0, 5.0], 3.0),
        ([1.0, 2.0, 30.0], (0.25 * 1 + 2 + 0.25 * 30) / 1.5),
        ([1.0, 2.0, 4.0, INF], 3.0),
        ([1.0, 2.0, 4.0, INF, INF], INF),
        ([1.0, INF], INF),
        ([INF, INF, INF], INF),
    ],
)
def test_interquartile_means_by_hand(x, mean):
    assert s.interquartile_mean(np.array(x)) == pytest.approx(mean, rel=1e-14)


def test_expected_running_times_by_hand():
    hits = np.array([[10.0, 30.0, INF, INF], [10.0, 20.0, 30.0, 40.0], [INF, INF, INF, INF]])
    assert s.expected_running_time(hits, 100).tolist() == [(10 + 30 + 100 + 100) / 2, 25.0, INF]
    assert s.expected_running_time(hits[0], np.array([100.0, 100.0, 50.0, 10.0])) == (10 + 30 + 50 + 10) / 2


@given(st.lists(st.integers(1, 50) | st.just(INF), min_size=1, max_size=9))
def test_expected_running_time_is_what_restarting_until_a_hit_costs_on_average(hits):
    """k hits of n: a hit comes after (n - k) / k misses on average, each of them a whole budget.

    The number of misses has the geometric distribution.
    """
    finite = [hit for hit in hits if hit < INF]
    expected = sum(finite) / len(finite) + (len(hits) - len(finite)) / len(finite) * 60 if finite else INF
    assert s.expected_running_time(np.array(hits, dtype=float), 60.0) == pytest.approx(expected)


def test_a_solved_share_never_reaches_one_if_some_never_hit():
    x, share = s.solved_share(np.array([30.0, 10.0, INF, 20.0, 10.0, INF, INF, INF]))
    assert (x.tolist(), share.tolist()) == ([10.0, 20.0, 30.0], [2 / 8, 3 / 8, 4 / 8])
    assert [part.tolist() for part in s.solved_share(np.array([INF, INF]))] == [[], []]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_a_solved_share_without_misses_is_scipys_ecdf(hits):
    x, share = s.solved_share(np.array(hits, dtype=float))
    expected = scipy.stats.ecdf(hits).cdf
    np.testing.assert_allclose((x, share), (expected.quantiles, expected.probabilities), rtol=1e-12)


def test_a_performance_profile_by_hand():
    costs = np.array([[10.0, 20.0], [30.0, 10.0], [INF, 5.0], [INF, INF]])
    x, shares = s.performance_profile(costs)
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert shares.tolist() == [[1 / 4, 1 / 4, 2 / 4], [2 / 4, 3 / 4, 3 / 4]]


def test_in_a_performance_profile_a_free_solution_is_the_best_one():
    x, shares = s.performance_profile(np.array([[0.0, 0.0, 7.0]]))
    assert (x.tolist(), shares.tolist()) == ([1.0], [[1.0], [1.0], [0.0]])


@given(st.lists(st.tuples(*[st.integers(1, 9) | st.just(INF)] * 3), min_size=1, max_size=8))
def test_a_performance_profile_counts_the_problems_solved_within_a_ratio(rows):
    x, shares = s.performance_profile(np.array(rows, dtype=float))
    for solver in range(3):
        for ratio, share in zip(x, shares[solver], strict=True):
            assert share == pytest.approx(
                sum(row[solver] < INF and row[solver] / min(row) <= ratio for row in rows) / len(rows)
            )
