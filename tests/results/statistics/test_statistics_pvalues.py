"""p values and ranks: scipy, statsmodels, full enumeration and cases worked by hand."""

import itertools
import math

import by_statsmodels
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from lrbench.results import statistics as s

INF, NAN = math.inf, math.nan
DIFFERENCES = st.lists(st.sampled_from([-INF, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, INF]), max_size=8)


# p values


@pytest.mark.parametrize(("n", "alpha"), [(2, 0.05), (5, 0.05), (30, 0.01)])
def test_paired_t_is_scipys_ttest_rel(n, alpha):
    a, b = np.random.default_rng(n).normal(size=(2, n))
    expected = scipy.stats.ttest_rel(b, a)
    interval = expected.confidence_interval(1 - alpha)
    assert s.paired_t(b - a, alpha) == pytest.approx(
        ((b - a).mean(), interval.low, interval.high, expected.pvalue), rel=1e-10
    )


def test_paired_t_reduces_the_last_axis_and_needs_two_values():
    x = np.random.default_rng(0).normal(size=(2, 3, 5))
    expected = [[s.paired_t(row) for row in rows] for rows in x]
    np.testing.assert_allclose(np.moveaxis(s.paired_t(x), 0, -1), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="two differences or more, got 1"):
        s.paired_t(np.array([1.0]))


@pytest.mark.parametrize(("x", "expected"), [([2.0, 2.0, 2.0], (2, 2, 2, 0)), ([0.0, 0.0], (0, 0, 0, 1))])
def test_paired_t_without_spread(x, expected):
    assert s.paired_t(np.array(x)) == expected


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6, 10, 61])
def test_the_sign_test_is_scipys_binomial_test(n):
    for wins in range(n + 1):
        expected = scipy.stats.binomtest(wins, n).pvalue if n else 1.0
        assert s.sign_test(wins, n - wins) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 6, 8, 15, 40])
def test_wilcoxon_without_ties_is_scipys_exact_one(n):
    x = np.random.default_rng(n).normal(0.4, 1, n)
    assert s.wilcoxon(x) == pytest.approx(scipy.stats.wilcoxon(x, method="exact").pvalue, rel=1e-12)


def wilcoxon_by_enumeration(x):
    x = [value for value in x if value != 0]
    ranks = pd.Series([abs(value) for value in x], dtype=float).rank()
    sums = [ranks[list(flip)].sum() for flip in itertools.product([False, True], repeat=len(x))]
    observed = ranks[[value > 0 for value in x]].sum()
    return min(1, 2 * min(sum(w <= observed for w in sums), sum(w >= observed for w in sums)) / len(sums))


@pytest.mark.parametrize(
    "x",
    [
        [],
        [0, 0],
        [1],
        [1, -1],
        [2, 2, 2, 2, 2, 2],
        [INF, 1, 2, 3, 4, 5],
        [-INF, INF, INF, 1, 0, 3],
        [-1, 1, 2, -2, 3, 0, INF],
        [1, 1, -2, 2, 5, 5, INF, INF],
        [-1, -1, -1, 5, 5, 5, 5, 0, -INF],
    ],
)
def test_wilcoxon_with_ties_zeros_and_infinities_counts_all_sign_flips(x):
    assert s.wilcoxon(np.array(x, dtype=float)) == wilcoxon_by_enumeration(x)


@given(DIFFERENCES)
def test_wilcoxon_has_no_side(x):
    x = np.array(x)
    assert s.wilcoxon(x) == s.wilcoxon(-x) == s.wilcoxon(x[::-1])


def test_wilcoxon_of_200_blocks_is_scipys():
    x = np.random.default_rng(1).normal(0.1, 1, 200)
    assert s.wilcoxon(x) == pytest.approx(scipy.stats.wilcoxon(x, method="exact").pvalue, rel=1e-10)
    assert s.wilcoxon(np.ones(200)) == 2.0**-199


@pytest.mark.parametrize(
    "p",
    [
        [0.04],
        [0.01, 0.04, 0.03, 0.005],
        [0.5, 0.5, 0.01, 0.01, 0.6],
        [0.0, 1.0, 0.02],
        [0.001, 0.001, 0.013, 0.2, 0.02, 0.9, 0.04],
    ],
)
def test_holm_is_that_of_statsmodels(p):
    assert s.holm(np.array(p)).tolist() == pytest.approx(by_statsmodels.holm(p), rel=1e-12)


@given(st.lists(st.floats(0, 1) | st.just(NAN), max_size=12))
def test_holm_leaves_what_has_no_test_out_of_the_family(p):
    p = np.array(p)
    tested = ~np.isnan(p)
    assert s.holm(p)[tested].tolist() == s.holm(p[tested]).tolist()
    assert np.isnan(s.holm(p)[~tested]).all()


# ranks


@given(st.lists(st.lists(st.integers(0, 4) | st.just(INF), min_size=4, max_size=4), min_size=1, max_size=6))
@settings(max_examples=40)
def test_friedman_ranks_are_pandas_mean_ranks(rows):
    x = np.array(rows, dtype=float)
    assert s.friedman_ranks(x).tolist() == pytest.approx(pd.DataFrame(x).rank(axis=1).mean().tolist())


def test_friedman_ranks_are_those_behind_friedmans_test():
    x = np.random.default_rng(2).normal(size=(9, 4))
    p, k = x.shape
    chi2 = 12 * p / (k * (k + 1)) * ((s.friedman_ranks(x) - (k + 1) / 2) ** 2).sum()
    assert chi2 == pytest.approx(scipy.stats.friedmanchisquare(*x.T).statistic, rel=1e-12)


@given(*[st.lists(st.integers(0, 5) | st.just(INF), min_size=1, max_size=6)] * 2)
def test_a_probability_of_improvement_counts_all_pairs(a, b):
    wins = [1.0 if x < y else 0.5 if x == y else 0.0 for x, y in itertools.product(a, b)]
    assert s.probability_of_improvement(np.array(a, dtype=float), np.array(b, dtype=float)) == pytest.approx(
        sum(wins) / len(wins)
    )


def test_a_probability_of_improvement_is_mann_whitneys_u():
    a, b = np.random.default_rng(0).normal(size=(2, 12))
    assert s.probability_of_improvement(a, b) == pytest.approx(scipy.stats.mannwhitneyu(b, a).statistic / 144)
