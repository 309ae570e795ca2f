"""The word for a pair: cases worked by hand. That it is the rule's is tested with pairs and standings."""

import numpy as np
import pytest
import rule
from random_runs import arrays, some_pairs

from lrbench.results.statistics import verdicts as s
from lrbench.results.statistics.pairs import columns_of, compare


def said_of(a, b):
    """Return the word of a pair that is a family of its own."""
    pair = compare(arrays(a), arrays(b))
    return s.word(pair, pair.p, pair.beyond, 1)


def test_the_words_are_those_of_the_rule():
    for name in ("CLEAR", "CLOSE", "AS_GOOD", "OPEN", "UNTOLD", "SAME", "NOBODY", "PASSES"):
        assert getattr(s, name) == getattr(rule, name)


@pytest.mark.parametrize(("few", "more", "word"), rule.SMALL_COSTS)
def test_whole_costs(few, more, word):
    a = rule.arriving(float(few), rule.NOISE[0])
    b = rule.arriving(float(more), rule.NOISE[1])
    assert said_of(a, b) == (word, int(word == s.CLEAR))
    assert said_of(b, a) == (word, -int(word == s.CLEAR))


@pytest.mark.parametrize(("ratio", "low", "high", "word"), rule.INTERVALS)
def test_intervals(ratio, low, high, word):
    a, b = rule.spread(ratio, low, high)
    better = int(word in s.BETTER)
    assert said_of(a, b) == (word, better)
    assert said_of(b, a) == (word, -better)


@pytest.mark.parametrize("quarter", range(2, 26))
def test_costs_that_are_exactly_the_margin_apart_are_close_however_they_round(quarter):
    a = rule.arriving(4.0 * quarter, rule.NOISE[0])
    b = rule.arriving(5.0 * quarter, rule.NOISE[1])
    pair = compare(arrays(a), arrays(b))
    assert (pair.wins, pair.losses) == (0, 0)
    assert said_of(a, b) == (s.CLOSE, 1)
    assert said_of(b, a) == (s.CLOSE, -1)


def test_wide_scatter_is_not_settled():
    wide = np.exp(np.random.default_rng(3).normal(size=10))
    b = [rule.arrived(float(round(44 * x)), x) for x in wide]
    assert said_of(rule.arriving(40.0, rule.NOISE[0]), b) == (s.OPEN, 0)


def test_at_the_floor_costs_decide():
    assert said_of(*rule.at_the_floor()) == (s.CLEAR, 1)


def test_where_nobody_arrives_levels_decide():
    assert said_of(rule.missing(1e-3, rule.NOISE[0]), rule.missing(2e-3, rule.NOISE[1])) == (s.CLEAR, 1)


def test_where_some_arrive_the_order_decides():
    assert said_of(*rule.mixed()) == (s.CLEAR, 1)
    assert said_of(*rule.at_the_border()) == (s.AS_GOOD, 0)


def test_with_too_few_seeds_nothing_can_be_told():
    a, b = rule.arriving(40.0, rule.NOISE[0]), rule.missing(1.0, rule.NOISE[1])
    words = [said_of(a[:n], b[:n])[0] for n in (3, 4, 9, 10)]
    assert words == [s.UNTOLD, s.CLEAR, s.CLEAR, s.CLEAR]


def test_without_a_test():
    same = rule.arriving(40.0, rule.NOISE[0])
    assert said_of(same, same) == (s.SAME, 0)
    assert said_of([same[0]] * 10, [rule.arrived(90.0)] * 10) == (s.UNTOLD, 0)
    assert said_of([rule.lost() for _ in range(5)], [rule.lost() for _ in range(5)]) == (s.NOBODY, 0)


def test_clear_is_never_said_against_the_interval_beside_it():
    """1.24 is in the interval, so beyond alone is not enough."""
    pair = compare(*map(arrays, rule.spread(1.30, 1.24, 1.36)))
    assert pair.low < 1.25
    assert s.word(pair, pair.p, 0.001, 1) == (s.CLOSE, 1)


def test_words_of_many_pairs_are_those_of_each():
    pairs = [compare(arrays(a), arrays(b), 6) for a, b in some_pairs(seed=5, count=300)]
    p = np.array([pair.p for pair in pairs])
    beyond = np.array([pair.beyond for pair in pairs])
    said, side = s.words(columns_of(pairs), p, beyond, 6)
    each = [s.word(pair, pair.p, pair.beyond, 6) for pair in pairs]
    assert list(zip(said.tolist(), side.tolist(), strict=True)) == each
