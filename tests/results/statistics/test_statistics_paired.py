"""p values, ranks and paired comparisons: scipy, statsmodels, full enumeration and cases worked by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lrbench.results import statistics as s

INF, NAN = math.inf, math.nan
FLOOR = 1e-20
DIFFERENCES = st.lists(st.sampled_from([-INF, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, INF]), max_size=8)
GAPS = st.integers(1, 1000).map(lambda count: count * 1e-9)
ANY_GAP = GAPS | st.sampled_from([0.0, 1e-21, FLOOR, INF])


def pairs_of(gap, most=8):
    return st.lists(st.tuples(gap, gap), min_size=1, max_size=most).map(lambda rows: np.array(rows).T)


def compared(a, b, floor=FLOOR):
    return s.compare(np.array(a, dtype=float), np.array(b, dtype=float), floor)


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
    assert s.holm(np.array(p)).tolist() == pytest.approx(
        multipletests(p, method="holm")[1].tolist(), rel=1e-12
    )


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


# which test


@pytest.mark.parametrize(
    ("a", "b", "test", "n"),
    [
        ([1, 2], [3, 5], "t", 2),
        ([1], [3], "none", 1),
        ([1, 1, 1], [3, 3, 3], "none", 1),
        ([1, 2, 1], [3, 5, 3], "t", 2),
        ([1, 1], [3, 5], "t", 2),
        ([1, 2], [1, 2], "identical", 2),
        ([1, 1], [1, 1], "identical", 1),
        ([1], [1], "identical", 1),
        ([1, 0], [1, 0], "identical", 2),
        ([1, INF], [1, INF], "identical", 2),
        ([0, 1e-21], [FLOOR, 0], "floor", 2),
        ([0], [0], "floor", 1),
        ([INF, INF], [INF, INF], "lost", 2),
        ([INF], [INF], "lost", 1),
        ([0, INF], [0, INF], "sign", 2),
        ([1, 2], [3, INF], "sign", 2),
        ([1, 2], [3, 0], "sign", 2),
        ([1, 2], [3, FLOOR], "sign", 2),
        ([INF, INF], [3, 3], "sign", 2),
        ([INF], [3], "none", 1),
        ([0], [3], "none", 1),
    ],
)
def test_which_test_is_made(a, b, test, n):
    found = compared(a, b)
    assert (found.test, found.n) == (test, n)
    assert math.isnan(found.p) == (test not in ("t", "sign"))
    assert math.isnan(found.low) == math.isnan(found.high) == (test != "t")
    assert math.isnan(found.ratio) == (test not in ("t", "none"))
    assert math.isnan(found.at_least) == (test != "sign")
    assert found.wins + found.losses + found.ties == n


@pytest.mark.parametrize(("a", "b"), [([NAN, 1], [1, 2]), ([1, 2], [1, NAN])])
def test_a_gap_that_is_not_a_number_is_refused(a, b):
    with pytest.raises(ValueError, match="a run that did not complete counts as inf"):
        compared(a, b)


# what a comparison says


def test_a_t_comparison_is_scipys_on_logarithms():
    a, b = np.exp(np.random.default_rng(4).normal(size=(2, 10)))
    expected = scipy.stats.ttest_rel(np.log(b), np.log(a))
    interval = expected.confidence_interval(0.95)
    found = compared(a, b)
    assert (found.ratio, found.p) == pytest.approx((scipy.stats.gmean(b / a), expected.pvalue), rel=1e-10)
    assert (found.low, found.high) == pytest.approx(
        (math.exp(interval.low), math.exp(interval.high)), rel=1e-10
    )
    assert (found.wins, found.losses, found.ties) == ((a < b).sum(), (a > b).sum(), 0)


def test_seeds_that_contradict_each_other_by_many_decades_leave_the_interval_open():
    found = compared([1e-15, 1e15], [1e15, 1e-15])
    assert (found.test, found.ratio, found.low, found.high, found.p) == (
        "t",
        1.0,
        pytest.approx(0, abs=1e-300),
        INF,
        1.0,
    )


def test_repeated_runs_do_not_narrow_an_interval():
    a, b = [1.0, 2.0, 3.0], [2.0, 3.0, 5.0]
    assert compared(a * 4, b * 4) == compared(a, b)


@pytest.mark.parametrize(
    ("a", "b", "at_least", "record"),
    [
        ([1, 1, 1], [2, 3, INF], 3, (3, 0, 0)),
        ([1, 1], [2, INF], 2, (2, 0, 0)),
        ([2, INF], [1, 1], 0.5, (0, 2, 0)),
        ([1, INF], [2, INF], 1, (1, 0, 1)),
        ([1, 8, INF], [2, 4, INF], 1, (1, 1, 1)),
        ([1, 2, INF, INF], [INF, INF, 1, 2], 1, (2, 2, 0)),
        ([0, 0, 1e-21], [2e-20, 4e-20, 0], 2, (2, 0, 1)),
        ([0, 0, 0, 0], [2e-20, 4e-20, 6e-20, 8e-20], 4, (4, 0, 0)),
        ([4e-20, 8e-20], [0, 0], 1 / 4, (0, 2, 0)),
        ([INF, INF], [3, 3], 0, (0, 2, 0)),
    ],
)
def test_a_sign_comparison_by_hand(a, b, at_least, record):
    found = compared(a, b)
    assert found.at_least == pytest.approx(at_least, rel=1e-14)
    assert (found.wins, found.losses, found.ties) == record
    assert found.p == pytest.approx(scipy.stats.binomtest(record[0], record[0] + record[1]).pvalue)


@pytest.mark.parametrize(
    ("a", "b", "ratio", "record"),
    [(2, 3, 1.5, (1, 0, 0)), (3, INF, INF, (1, 0, 0)), (INF, 3, 0, (0, 1, 0)), (0, 3e-20, 3, (1, 0, 0))],
)
def test_one_pair_has_digits_and_no_test(a, b, ratio, record):
    found = compared([a], [b])
    assert (found.wins, found.losses, found.ties) == record
    assert found.ratio == pytest.approx(ratio)


def record(found):
    return found.n, found.wins, found.losses, found.ratio, found.low, found.high, found.at_least, found.p


def inverse(found):
    with np.errstate(divide="ignore"):
        ratios = 1 / np.array([found.ratio, found.high, found.low, found.at_least])
    return found.n, found.losses, found.wins, *ratios, found.p


@given(pairs_of(ANY_GAP))
def test_swapping_the_two_inverts_the_ratios(pairs):
    found, swapped = compared(*pairs), compared(*pairs[::-1])
    assert found.test == swapped.test
    np.testing.assert_allclose(record(found), inverse(swapped), rtol=1e-9, atol=1e-12)


@given(pairs_of(ANY_GAP), st.integers(-30, 30))
def test_the_unit_of_the_loss_does_not_matter(pairs, exponent):
    """A power of two scales the gaps without rounding."""
    found, scaled = compared(*pairs), compared(*(pairs * 2.0**exponent), FLOOR * 2.0**exponent)
    assert found.test == scaled.test
    np.testing.assert_allclose(record(found), record(scaled), rtol=1e-9, atol=1e-12)


@given(pairs_of(ANY_GAP), st.randoms(use_true_random=False))
def test_the_order_of_the_seeds_does_not_matter(pairs, random):
    order = random.sample(range(pairs.shape[1]), pairs.shape[1])
    assert repr(compared(*pairs[:, order])) == repr(compared(*pairs))


# many groups of pairs


def grouped(cases, identical=None):
    """Compare all groups in one call, case k as group k."""
    codes = np.repeat(np.arange(len(cases)), [case.shape[1] for case in cases])
    a, b = np.concatenate(cases, axis=1)
    floor = np.full(len(codes), FLOOR)
    never = np.zeros(len(cases), dtype=bool)
    return s.compare_groups(a, b, floor, codes, never if identical is None else identical)


def row(found, k):
    return {name: column[k] for name, column in found._asdict().items()}


@given(st.lists(pairs_of(ANY_GAP, most=4), min_size=1, max_size=6))
def test_many_groups_at_once_say_what_each_says_alone(cases):
    found = grouped(cases)
    for k, case in enumerate(cases):
        alone = s.compare(*case, FLOOR)
        assert found.test[k] == alone.test
        for name in ("n", "ratio", "low", "high", "at_least", "p"):
            assert row(found, k)[name] == pytest.approx(getattr(alone, name), rel=1e-9, nan_ok=True), name


def test_groups_of_all_kinds_by_hand():
    cases = [[(1, 1), (2, 2)], [(1, 2), (1, 2)], [(0, 1), (0, 1)], [(3, 6)], [(1, 2), (2, 3)], [(INF, INF)]]
    found = grouped([np.array(case, dtype=float).T for case in cases])
    assert found.test.tolist() == ["identical", "none", "sign", "none", "t", "lost"]
    assert found.n.tolist() == [2, 1, 2, 1, 2, 1]
    assert found.ratio.tolist() == pytest.approx([NAN, 2, NAN, 2, math.sqrt(3), NAN], nan_ok=True)


def test_identical_groups_are_not_tested_and_all_their_pairs_count():
    """The caller knows more than the gaps: of three pairs that failed, and a pair that came three times."""
    lost, repeated, tested = np.full((2, 3), INF), np.ones((2, 3)), np.array([[1.0, 2.0], [3.0, 5.0]])
    found = grouped([lost, tested, repeated], np.array([True, False, True]))
    assert found.test.tolist() == ["identical", "t", "identical"]
    assert found.n.tolist() == [3, 2, 3]
    assert np.isnan(found.p).tolist() == [True, False, True]


def test_the_pairs_of_a_group_need_not_lie_together():
    a, b = np.exp(np.random.default_rng(12).normal(size=(2, 12)))
    codes = np.tile([2, 0, 1], 4)
    found = s.compare_groups(a, b, np.full(12, FLOOR), codes, np.zeros(3, dtype=bool))
    for k in range(3):
        alone = s.compare(a[codes == k], b[codes == k], FLOOR)
        assert (found.ratio[k], found.p[k]) == pytest.approx((alone.ratio, alone.p), rel=1e-12)


def test_each_group_has_its_own_floor():
    a, b = np.array([1.0, 2.0, 1.0, 2.0]), np.array([3.0, 5.0, 3.0, 5.0])
    floor = np.array([0.0, 0.0, 1.5, 1.5])
    found = s.compare_groups(a, b, floor, np.array([0, 0, 1, 1]), np.zeros(2, dtype=bool))
    assert found.test.tolist() == ["t", "sign"]
    assert found.at_least[1] == s.compare(a[2:], b[2:], 1.5).at_least


def test_a_ratio_beyond_the_largest_float_is_infinite_in_a_group_too():
    found = grouped([np.array([[1e-300], [1e300]]), np.array([[1e-15, 1e15], [1e15, 1e-15]])])
    assert found.ratio.tolist() == [INF, 1.0]
    assert found.high.tolist() == pytest.approx([NAN, INF], nan_ok=True)


# what is below a target


def test_below_a_target_is_scipys_one_sided_t_test():
    gaps = np.exp(np.random.default_rng(7).normal(-0.5, 1, 10))
    assert s.below_target(gaps, 1.0, FLOOR) == pytest.approx(
        scipy.stats.ttest_1samp(np.log(gaps), 0, alternative="less").pvalue, rel=1e-10
    )
    assert s.below_target(np.tile(gaps, 3), 1.0, FLOOR) == pytest.approx(
        s.below_target(gaps, 1.0, FLOOR), rel=1e-12
    )


@pytest.mark.parametrize(
    ("gaps", "below", "above"),
    [
        ([0.1, 0.2, INF], 2, 1),
        ([0, 0, 0, 0, 0], 5, 0),
        ([0.1, 1.0, 0, 0.2], 3, 0),
        ([INF, INF], 0, 2),
        ([2.0, 3.0, 0.0], 1, 2),
    ],
)
def test_below_a_target_with_failed_or_floored_runs_is_a_one_sided_sign_test(gaps, below, above):
    expected = scipy.stats.binomtest(below, below + above, alternative="greater").pvalue
    assert s.below_target(np.array(gaps, dtype=float), 1.0, FLOOR) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gaps", [[0.5], [0.5, 0.5], [INF]])
def test_one_distinct_gap_shows_nothing_of_a_target(gaps):
    assert math.isnan(s.below_target(np.array(gaps), 1.0, FLOOR))


def test_gaps_below_the_floor_are_not_shown_below_a_target_under_it():
    assert s.below_target(np.zeros(9), FLOOR / 10, FLOOR) == 1.0
