"""Contests: who is shown better, in which family; the pairwise definition and cases worked by hand."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lrbench.results import statistics as s

INF, NAN = math.inf, math.nan
FLOOR = 1e-20
NOISE = np.exp(np.random.default_rng(8).normal(0, 0.1, (4, 10)))  # the four differ by chance alone
GAPS = st.floats(1e-9, 1e3) | st.sampled_from([0.0, INF])


def tables_of_gaps(k=4, n=5):
    rows = st.lists(GAPS, min_size=n, max_size=n)
    return st.lists(rows, min_size=1, max_size=k).map(np.array)


def standing(found):
    return {
        (int(a), int(b)): int(better) for a, b, better in zip(found.a, found.b, found.better, strict=True)
    }


def test_a_contest_lists_every_pair_once():
    found = s.contest(NOISE, FLOOR, None)
    pairs = list(itertools.combinations(range(4), 2))
    assert list(zip(found.a, found.b, strict=True)) == pairs
    assert found.comparisons == [s.compare(NOISE[a], NOISE[b], FLOOR) for a, b in pairs]


def test_without_a_leader_all_pairs_are_one_family():
    found = s.contest(NOISE * [[1], [1.1], [1.2], [1.3]], FLOOR, None)
    p = [c.p for c in found.comparisons]
    assert set(found.family) == {"all"}
    assert found.p_holm.tolist() == pytest.approx(multipletests(p, method="holm")[1].tolist(), rel=1e-12)


@pytest.mark.parametrize("leader", [0, 2, 3])
def test_a_leader_has_a_family_of_its_own(leader):
    found = s.contest(NOISE * [[1], [1.1], [1.2], [1.3]], FLOOR, leader)
    p = np.array([c.p for c in found.comparisons])
    mine = np.array([leader in pair for pair in zip(found.a, found.b, strict=True)])
    assert found.family.tolist() == np.where(mine, "leader", "rest").tolist()
    for family in (mine, ~mine):
        assert found.p_holm[family].tolist() == pytest.approx(
            multipletests(p[family], method="holm")[1].tolist(), rel=1e-12
        )


def test_ranks_by_hand():
    """0 and 1 differ by chance, 2 is clearly behind both, 3 diverged and has lost on each of ten starts."""
    gaps = np.vstack([NOISE[0], NOISE[1], 3 * NOISE[2], np.full(10, INF)])
    found = s.contest(gaps, FLOOR, None)
    assert standing(found) == {(0, 1): 0, (0, 2): 1, (0, 3): 1, (1, 2): 1, (1, 3): 1, (2, 3): 1}
    assert found.rank.tolist() == [1, 1, 3, 4]
    assert [found.comparisons[i].test for i in (0, 1, 2)] == ["t", "t", "sign"]


@pytest.mark.parametrize(("factor", "better"), [(1.2, 0), (1.3, 1), (1 / 1.2, 0), (1 / 1.3, -1)])
def test_a_certain_but_small_difference_is_not_shown_better(factor, better):
    a = np.exp(np.arange(10.0))
    found = s.contest(np.array([a, a * factor * np.exp(np.linspace(-1e-3, 1e-3, 10))]), FLOOR, 0)
    assert found.p_holm[0] < 1e-9
    assert standing(found) == {(0, 1): better}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_significant_ratio_beyond_the_margin_is_not_shown_if_its_interval_reaches_into_it(sign):
    a = np.exp(np.arange(10.0))
    found = s.contest(np.array([a, a * np.exp(sign * np.linspace(0, 0.6, 10))]), FLOOR, 0)
    low, high, ratio = (
        value**sign
        for value in (found.comparisons[0].low, found.comparisons[0].high, found.comparisons[0].ratio)
    )
    assert (found.p_holm[0] < 0.01, 1 < min(low, high) < s.MARGIN < ratio) == (True, True)
    assert standing(found) == {(0, 1): 0}


@pytest.mark.parametrize(("factor", "better"), [(1.2, 0), (1.3, 1), (1 / 1.2, 0), (1 / 1.3, -1)])
def test_a_sign_test_has_the_same_margin(factor, better):
    a = np.array([*np.exp(np.arange(10.0)), INF])
    found = s.contest(np.array([a, a * factor]), FLOOR, 0)
    assert (found.comparisons[0].test, found.p_holm[0]) == ("sign", 2 / 2**10)
    assert standing(found) == {(0, 1): better}


def test_a_large_but_uncertain_difference_is_not_shown_better():
    found = s.contest(np.array([[1.0, 1.0, 1.0], [1.0, 10.0, 1000.0]]), FLOOR, 0)
    assert found.p_holm[0] > 0.05
    assert found.rank.tolist() == [1, 1]


def test_of_one_run_each_the_digits_decide():
    found = s.contest(np.array([[2e-20], [0.0], [1e-21], [2.1e-20], [INF], [INF]]), FLOOR, None)
    assert found.rank.tolist() == [3, 1, 1, 4, 5, 5]
    assert np.isnan(found.p_holm).all()


def test_five_starts_cannot_show_that_a_failure_is_worse():
    """A clean sweep of five has the p value 2 / 2^5 = 0.0625."""
    found = s.contest(np.array([np.ones(5) + np.arange(5), np.full(5, INF)]), FLOOR, 0)
    assert (found.comparisons[0].p, found.rank.tolist()) == (1 / 16, [1, 1])


@pytest.mark.parametrize(
    ("gaps", "test"),
    [(NOISE[[0, 0]], "identical"), (np.zeros((2, 10)), "floor"), (np.full((2, 10), INF), "lost")],
)
def test_what_is_not_tested_does_not_count_in_the_family(gaps, test):
    """The p values of the third against both are adjusted for two tests, not for three."""
    found = s.contest(np.vstack([gaps, 5 * NOISE[1]]), FLOOR, None)
    assert (found.comparisons[0].test, found.better[0]) == (test, 0)
    assert np.isnan(found.p_holm[0])
    assert found.p_holm[1:].tolist() == pytest.approx([2 * found.comparisons[1].p] * 2)


def test_alone_nobody_is_beaten():
    found = s.contest(NOISE[:1], FLOOR, None)
    assert (found.comparisons, found.p_holm.size, found.rank.tolist()) == ([], 0, [1])
    assert s.across(NOISE[:1].T).rank.tolist() == [1]


@given(tables_of_gaps(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_the_seeds_changes_nothing(gaps, random):
    order = random.sample(range(gaps.shape[1]), gaps.shape[1])
    assert repr(s.contest(gaps[:, order], FLOOR, 0)) == repr(s.contest(gaps, FLOOR, 0))


@given(tables_of_gaps(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_the_optimizers_changes_no_rank(gaps, random):
    order = random.sample(range(len(gaps)), len(gaps))
    assert (
        s.contest(gaps[order], FLOOR, None).rank.tolist() == s.contest(gaps, FLOOR, None).rank[order].tolist()
    )


@given(tables_of_gaps())
@settings(max_examples=40)
def test_a_rank_counts_those_shown_better(gaps):
    found = s.contest(gaps, FLOOR, None)
    worse = [a if better < 0 else b for (a, b), better in standing(found).items() if better]
    assert found.rank.tolist() == [1 + worse.count(i) for i in range(len(gaps))]


# what is shown


@pytest.mark.parametrize(
    ("p_holm", "low", "high", "at_least", "side"),
    [
        (0.04, 1.3, 2.0, NAN, 1),
        (0.04, 1.2, 2.0, NAN, 0),
        (0.05, 1.3, 2.0, NAN, 0),
        (0.04, 0.5, 0.7, NAN, -1),
        (0.04, 0.5, 0.9, NAN, 0),
        (0.04, 0.1, 9.0, NAN, 0),
        (0.04, NAN, NAN, 1.3, 1),
        (0.04, NAN, NAN, 1.25, 0),
        (0.04, NAN, NAN, 0.7, -1),
        (0.04, NAN, NAN, INF, 1),
        (0.04, NAN, NAN, 0.0, -1),
        (NAN, NAN, NAN, NAN, 0),
        (NAN, 1.3, 2.0, NAN, 0),
    ],
)
def test_shown_is_significant_and_beyond_the_margin(p_holm, low, high, at_least, side):
    columns = ([value, NAN] for value in (p_holm, low, high, at_least))
    assert s.shown(*map(np.array, columns)).tolist() == [side, 0]


# over problems


def test_across_problems_is_scipys_wilcoxon_with_holm():
    logs = np.random.default_rng(9).normal([0, 1, 3], 1, (12, 3))
    found = s.across(logs)
    p = [
        scipy.stats.wilcoxon(logs[:, b] - logs[:, a], method="exact").pvalue
        for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert [c.p for c in found.comparisons] == pytest.approx(p, rel=1e-12)
    assert found.p_holm.tolist() == pytest.approx(multipletests(p, method="holm")[1].tolist(), rel=1e-12)
    assert [c.ratio for c in found.comparisons] == pytest.approx(
        [math.exp(np.median(logs[:, b] - logs[:, a])) for a, b in ((0, 1), (0, 2), (1, 2))]
    )
    assert {c.test for c in found.comparisons} == {"wilcoxon"}


@pytest.mark.parametrize(("problems", "rank"), [(5, [1, 1]), (6, [1, 2])])
def test_fewer_than_six_problems_show_nothing(problems, rank):
    found = s.across(np.array([[0.0, 1.0 + i] for i in range(problems)]))
    assert found.rank.tolist() == rank
    assert math.isnan(found.p_holm[0]) == (problems < 6)


def test_across_problems_a_failure_is_the_worst_and_two_are_tied():
    logs = np.array([[0.0, INF]] * 6 + [[INF, INF]] + [[INF, 0.0]])
    comparison = s.across(logs).comparisons[0]
    assert (comparison.wins, comparison.losses, comparison.ties) == (6, 1, 1)
    assert comparison.p == s.wilcoxon(np.array([1.0] * 6 + [-1.0]))
    assert comparison.ratio == INF


def test_across_problems_as_many_failures_on_either_side_are_even():
    comparison = s.across(np.array([[0.0, INF], [INF, 0.0]])).comparisons[0]
    assert comparison.ratio == 1.0


@pytest.mark.parametrize(("difference", "better"), [(0.2, 0), (0.25, 1), (-0.25, -1)])
def test_across_problems_has_the_same_margin(difference, better):
    """log 1.25 = 0.223."""
    logs = np.zeros((8, 2))
    logs[:, 1] = difference
    assert s.across(logs).better.tolist() == [better]


def test_across_problems_nothing_is_shown_where_ranks_and_median_disagree():
    """a is a little better on 51 problems, b by far on 49: the signed ranks lean to b, the median to a."""
    x = np.array([0.3 + i / 1000 for i in range(51)] + [-5.0 - i for i in range(49)])
    found = s.across(np.column_stack([np.zeros(100), x]))
    assert found.p_holm[0] < 0.05
    assert found.comparisons[0].ratio > 1.25
    assert found.rank.tolist() == [1, 1]
