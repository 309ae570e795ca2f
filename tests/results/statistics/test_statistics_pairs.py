"""Pairs of optimizers: the rule's own words, scipy, full enumeration, and cases worked by hand."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import rule
import scipy.stats
from random_runs import FAMILIES, arrays, some_pairs

from lrbench.results.statistics import pairs as s
from lrbench.results.statistics.readings import stacked
from lrbench.results.statistics.verdicts import word, words

NAN = math.nan
DRAWN = some_pairs(seed=0, count=2000)
# a p of the rule's own t distribution is 1 - x: off by the spacing of floats at 1
NUMBERS = {"ratio": 0, "low": 0, "high": 0, "error": 1e-16, "p": 1e-13, "beyond": 1e-13}
EXACT = ["test", "n", "wins", "losses", "unit", "few_steps", "side"]


def compared(a, b, family=1):
    return s.compare(arrays(a), arrays(b), family)


def grouped(drawn):
    """Return the pairs of runs of all draws, shuffled among each other, and the draw of each."""
    codes = np.repeat(np.arange(len(drawn)), [len(a) for a, _ in drawn])
    order = np.random.default_rng(1).permutation(len(codes))
    a = stacked([arrays(own) for own, _ in drawn])
    b = stacked([arrays(other) for _, other in drawn])
    return a.take(order), b.take(order), codes[order]


def assert_the_same(found, expected):
    for name in EXACT:
        assert getattr(found, name) == getattr(expected, name), (name, found, expected)
    for name, off in NUMBERS.items():
        own, other = getattr(found, name), getattr(expected, name)
        assert own == pytest.approx(other, rel=1e-9, abs=off, nan_ok=True), (name, found, expected)


# the rule


@pytest.mark.parametrize("case", rule.CASES, ids=lambda case: case.__name__)
def test_the_rule_does_what_its_worked_cases_say(case):
    case()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pair_is_that_of_the_rule_and_so_is_its_word(family):
    drawn = DRAWN[FAMILIES.index(family) :: len(FAMILIES)]
    for a, b in drawn:
        found, expected = compared(a, b, family), rule.compare(a, b, family)
        assert_the_same(found, expected)
        adjusted = found.p * 1.5, found.beyond * 1.5
        assert word(found, *adjusted, family) == rule.word(expected, *adjusted, family)


def test_the_draws_meet_every_test_and_every_word():
    found = [compared(a, b, 6) for a, b in DRAWN[:1000]]
    tests = [pair.test for pair in found]
    said = [word(pair, pair.p, pair.beyond, 6)[0] for pair in found]
    for test in ("t", "sign", "ranks", "none", "same", "lost"):
        assert tests.count(test) > 10, test
    for own in (rule.CLEAR, rule.CLOSE, rule.AS_GOOD, rule.OPEN, rule.UNTOLD, rule.SAME, rule.NOBODY):
        assert said.count(own) > 10, own
    assert sum(pair.few_steps for pair in found) > 20
    assert sum(pair.n < len(a) for pair, (a, _) in zip(found, DRAWN, strict=False)) > 50


def test_the_other_way_round_it_is_the_pair_that_the_other_sees():
    for a, b in DRAWN[:300]:
        pair, other = compared(a, b), compared(b, a)
        if pair.p < 1:  # else nobody is ahead
            assert_the_same(pair.turned(), other)
        assert_the_same(pair.turned().turned(), pair)


# cases by hand


def test_costs_far_apart_are_clear():
    a = rule.arriving(40.0, 1e-9 * rule.NOISE[0])
    b = [rule.arrived(80.0 + k % 2, 1e-9 * x) for k, x in enumerate(rule.NOISE[1])]
    pair = compared(a, b)
    assert (pair.test, pair.n, pair.unit, pair.wins, pair.side) == ("t", 10, "evaluations", 10, 1)
    assert 2.0 < pair.low < pair.ratio < pair.high < 2.03
    assert pair.turned().ratio == pytest.approx(1 / pair.ratio)
    assert pair.turned().low == pytest.approx(1 / pair.high)


def test_where_nobody_arrives_the_levels_are_compared():
    pair = compared(rule.missing(1e-3, rule.NOISE[0]), rule.missing(2e-3, rule.NOISE[1]))
    assert (pair.test, pair.unit, pair.wins) == ("t", "gap", 10)
    assert 1.9 < pair.ratio < 2.1


def test_the_t_test_is_scipys():
    a, b = rule.spread(1.16, 1.04, 1.29)
    pair = compared(a, b)
    logs = np.log([[run.cost for run in runs] for runs in (a, b)])
    expected = scipy.stats.ttest_rel(logs[1], logs[0])
    interval = expected.confidence_interval()
    assert pair.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert np.log([pair.low, pair.high]) == pytest.approx([interval.low, interval.high], rel=1e-9)
    assert pair.ratio == pytest.approx(1.16)
    assert (pair.low, pair.high) == pytest.approx((1.04, 1.29), abs=0.01)


@pytest.mark.parametrize("ratio", [1.05, 1.3, 3.0, 1 / 1.3])
def test_beyond_is_a_one_sided_test_against_the_margin(ratio):
    a, b = rule.spread(ratio, ratio / 1.1, ratio * 1.1)
    x = np.log([run.cost for run in b]) - np.log([run.cost for run in a])
    ahead = x * np.sign(x.mean())
    expected = scipy.stats.ttest_1samp(ahead, math.log(1.25), alternative="greater").pvalue
    assert compared(a, b).beyond == pytest.approx(expected, rel=1e-9)


def test_at_the_floor_with_the_same_costs_on_every_seed_there_are_ten_runs_not_one():
    pair = compared(*rule.at_the_floor())
    assert (pair.n, pair.low, pair.high) == (10, pair.ratio, pair.ratio)
    assert pair.ratio == pytest.approx(1.5)
    assert pair.p < 1e-100


@pytest.mark.parametrize(
    ("few", "more", "step", "apart"),
    [(5, 6, 1, False), (2, 3, 1, False), (4, 6, 1, True), (2, 4, 1, True), (40, 79, 20, False)],
)
def test_fewer_than_two_steps_are_few(few, more, step, apart):
    sides = []
    for cost, levels in ((few, rule.NOISE[0]), (more, rule.NOISE[1])):
        runs = [rule.Reading(False, True, float(cost), 1e-9, step, 1e-6, 100.0, hash(x)) for x in levels]
        sides.append(runs)
    assert compared(*sides).few_steps is not apart


def test_mixed_runs_are_compared_by_signs_or_by_ranks():
    a, b = rule.mixed()
    pair = compared(a, b)
    assert (pair.test, pair.wins, pair.losses, pair.unit, pair.side) == ("sign", 9, 0, None, 1)
    assert (pair.p, pair.beyond) == (2 / 2**10, 2 / 2**9)
    assert math.isnan(pair.ratio)
    assert compared(a, b, family=26).test == "ranks"
    assert compared(a[1:], b[1:]).test == "ranks"
    assert compared(a, b, 26).beyond == pytest.approx(0.0015047, rel=1e-4)


def test_just_over_the_border_is_no_win():
    pair = compared(*rule.at_the_border())
    assert (pair.test, pair.wins, pair.losses) == ("sign", 0, 0)


def test_the_least_p_of_ranks_is_a_clean_sweep():
    a, b = rule.arriving(40.0, rule.NOISE[0]), rule.missing(1.0, rule.NOISE[1])
    for n in (3, 4, 5, 9):
        assert compared(a[:n], b[:n]).p == pytest.approx(2 / math.comb(2 * n, n), rel=1e-12)


def test_without_a_test():
    same = rule.arriving(40.0, rule.NOISE[0])
    assert_the_same(compared(same, same), s.Pair("same", 10, 0, 0))
    one_start = compared([same[0]] * 10, [rule.arrived(90.0)] * 10)
    assert_the_same(one_start, s.Pair("none", 1, 1, 0))
    nobody = compared([rule.lost() for _ in range(5)], [rule.lost() for _ in range(5)])
    assert_the_same(nobody, s.Pair("lost", 5, 0, 0))
    assert compared([rule.lost() for _ in range(6)], same[:6]).losses == 6


def test_pairs_of_which_only_one_side_repeats_all_count():
    """An optimizer that ends alike from every start, against one that does not."""
    alike, unlike = [rule.arrived(40.0)] * 10, rule.arriving(80.0, rule.NOISE[0])
    assert compared(alike, unlike).n == compared(unlike, alike).n == 10


def test_what_cannot_be_compared_is_refused():
    runs = arrays(rule.arriving(40.0, rule.NOISE[0]))
    with pytest.raises(ValueError, match="a seed or more, got none"):
        s.compare(runs.take(slice(0)), runs.take(slice(0)))
    with pytest.raises(ValueError, match="as many runs on either side, got 10 and 9"):
        s.compare(runs, runs.take(slice(9)))
    missing = arrays([rule.missed(NAN)] * 10)
    with pytest.raises(ValueError, match="got NaN"):
        s.compare(runs, missing)


# groups


def test_groups_are_compared_as_if_each_were_alone():
    a, b, codes = grouped(DRAWN[:600])
    found = s.compare_groups(a, b, codes, family=6)
    for group, pair in enumerate(found.rows()):
        rows = np.flatnonzero(codes == group)
        assert_the_same(pair, s.compare(a.take(rows), b.take(rows), 6))


def test_columns_and_rows_are_the_same_pairs():
    found = s.compare_groups(*grouped(DRAWN[:50]))
    again = s.columns_of(found.rows())
    for own, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(own, other)
        assert own.dtype == other.dtype
    assert s.columns_of([]).n.tolist() == []


def test_of_no_groups_there_are_no_columns():
    nothing = arrays([])
    found = s.compare_groups(nothing, nothing, np.zeros(0, dtype=int))
    assert found.rows() == []
    assert [own.tolist() for own in words(found, found.p, found.beyond, 1)] == [[], []]


def test_groups_of_a_size_cost_one_call(monkeypatch):
    """A hundred thousand settings of three seeds take half a second, and twenty one by one."""
    calls = []
    monkeypatch.setitem(s.MEASURES, "t", lambda a, b: calls.append(a) or s.t_measures(a, b))
    groups, n = 5000, 3
    rows = np.arange(groups * n)
    one = arrays([rule.arrived(40.0)]).take(np.zeros_like(rows))
    scores = np.random.default_rng(2).normal(size=len(rows))
    a = replace(one, curve=rows)
    b = replace(one, curve=-rows - 1, score=a.score + scores)
    found = s.compare_groups(a, b, np.repeat(np.arange(groups), n))
    assert len(calls) == 1
    expected = scipy.stats.ttest_1samp(scores.reshape(groups, n), 0.0, axis=1)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("keys", [([0, 0, 1, 0], [1, 2, 1, 1]), ([3], [4]), ([], [])])
def test_the_first_of_each_is_kept_in_order(keys):
    rows = list(zip(*keys, strict=True))
    expected = [row for row, own in enumerate(rows) if own not in rows[:row]]
    columns = [np.array(key, dtype=int) for key in keys]
    assert s.first_of_each(*columns).tolist() == expected


# ranks


def in_the_wrong_order(better, worse):
    return sum((x > y) + (x == y) / 2 for x, y in itertools.product(better, worse))


def tail_by_enumeration(better, worse):
    """Return the share of arrangements of 2n places whose U is at most that of the scores, rounded up."""
    n = len(better)
    observed = math.ceil(in_the_wrong_order(better, worse))
    every = set(range(2 * n))
    drawn = [in_the_wrong_order(own, every - set(own)) for own in itertools.combinations(every, n)]
    return sum(u <= observed for u in drawn) / len(drawn)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ([1, 2, 4], [3, 5, 6]),
        ([1, 2, 3, 4], [5, 6, 7, 8]),
        ([5, 6, 7, 8], [1, 2, 3, 4]),
        ([1, 1, 2, math.inf], [1, 3, math.inf, math.inf]),
        ([0, 0], [0, 0]),
    ],
)
def test_a_rank_tail_counts_all_arrangements(better, worse):
    found = s.rank_tail(np.array(better, float), np.array(worse, float))
    assert found == pytest.approx(tail_by_enumeration(better, worse), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 9, 24])
def test_a_rank_tail_without_ties_is_scipys_exact_one(n):
    better, worse = np.random.default_rng(n).normal([[0.0], [0.5]], 1, (2, n))
    expected = scipy.stats.mannwhitneyu(better, worse, alternative="less", method="exact").pvalue
    assert s.rank_tail(better, worse) == pytest.approx(expected, rel=1e-10)
    both = s.rank_tail(np.array([better, worse]), np.array([worse, better]))
    assert both.tolist() == [s.rank_tail(better, worse), s.rank_tail(worse, better)]


# how many it takes


def test_the_seeds_that_ranks_need():
    families = (1, 2, 6, 7, 23, 24, 85, 86)
    assert [s.seeds_needed(family) for family in families] == [4, 5, 5, 6, 6, 7, 7, 8]
    assert [s.seeds_needed(m) for m in range(1, 100)] == [rule.seeds_needed(m) for m in range(1, 100)]


def test_the_starts_that_would_settle_a_pair():
    pair = compared(*rule.spread(1.16, 0.84, 1.60))
    assert 70 < s.starts_needed(pair, 1) < 85
    assert s.starts_needed(pair, 5) > 100


@pytest.mark.parametrize("family", [1, 10])
def test_the_starts_needed_are_those_of_the_rule(family):
    for a, b in DRAWN[:200]:
        pair = compared(a, b, family)
        if pair.n > 1 and pair.test in ("t", "sign", "ranks"):
            assert s.starts_needed(pair, family) == rule.starts_needed(rule.compare(a, b, family), family)
