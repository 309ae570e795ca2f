"""What intervals and p values promise, on scores of known truth: 95 % coverage and 5 % wrong verdicts.

Wrong verdicts are counted without the margin, so that the margin cannot hide a test that rejects too often.
Bars are binomial standard errors.
"""

import math

import numpy as np
import pytest

from lrbench.results import statistics as s

SPREAD = 0.5  # standard deviation of a score over the seeds
SEEDS = 10


def error(rate, count):
    """Return the standard error of a rate observed in `count` independent cases."""
    return math.sqrt(rate * (1 - rate) / count)


def null_readings(rng, k):
    """Return the runs of k competitors that do not differ; none of them arrives."""
    scores = rng.normal(5, SPREAD, (k, SEEDS))
    return [readings_of(own, rng) for own in scores]


def readings_of(score, rng):
    no, one = np.zeros(len(score), dtype=bool), np.ones(len(score))
    curve = rng.integers(2**62, size=len(score))
    return s.Readings(no, no, 100 * one, np.exp(score), score, one, curve, no)


def wrong(found, families):
    """Return whether any pair of the families comes out significant, whatever the size of the difference."""
    return bool((found.p_holm[np.isin(found.family, families)] < s.ALPHA).any())


@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_interval_covers_the_true_ratio_in_95_percent(n):
    count, truth = 4000, math.log(2)
    _, low, high, _ = s.paired_t(np.random.default_rng(n).normal(truth, SPREAD, (count, n)))
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=3 * error(0.95, count))


@pytest.mark.parametrize("n", [5, 10, 20])
def test_a_t_test_of_no_difference_rejects_in_5_percent(n):
    count = 4000
    p = s.paired_t(np.random.default_rng(100 + n).normal(0, SPREAD, (count, n)))[3]
    assert (p < s.ALPHA).mean() == pytest.approx(s.ALPHA, abs=3 * error(s.ALPHA, count))


def test_a_signed_rank_test_of_eight_problems_rejects_as_often_as_it_can():
    """Rank sums of at most 3 have 5 of the 2^8 sign flips, on either side.

    So 10 / 256 is the largest level below 5 %.
    """
    count = 3000
    p = np.array([s.wilcoxon(x) for x in np.random.default_rng(108).normal(size=(count, 8))])
    assert (p < s.ALPHA).mean() == pytest.approx(10 / 256, abs=3 * error(10 / 256, count))


@pytest.mark.parametrize(("k", "count"), [(2, 1000), (5, 400), (15, 100)])
def test_a_leader_chosen_on_tuning_seeds_is_rarely_called_better_by_chance(k, count):
    rng = np.random.default_rng(k)
    found = [s.standings(null_readings(rng, k), rng.normal(size=k).tolist()) for _ in range(count)]
    assert np.mean([wrong(each, ["leader"]) for each in found]) <= s.ALPHA + 3 * error(s.ALPHA, count)


@pytest.mark.parametrize(("k", "count"), [(2, 1000), (5, 400), (15, 100)])
def test_without_tuning_seeds_any_two_are_rarely_told_apart_by_chance(k, count):
    rng = np.random.default_rng(50 + k)
    found = [s.standings(null_readings(rng, k)) for _ in range(count)]
    assert np.mean([wrong(each, ["all"]) for each in found]) <= s.ALPHA + 3 * error(s.ALPHA, count)


def test_over_eight_problems_any_two_are_rarely_told_apart_by_chance():
    """Competitors differ on every problem, and on all ten seeds of it, but none is better in general.

    The problem is the block. k = 3: with eight problems the smallest p value is 2 / 2^8, so that of more than
    six pairs none could ever be significant.
    """
    count, k, problems = 1000, 3, 8
    rng = np.random.default_rng(8)
    scores = rng.normal(0, 1, (count, problems, k))
    scores += rng.normal(0, SPREAD / math.sqrt(SEEDS), (count, problems, k))
    rate = np.mean([(s.over_problems(each).p_holm < s.ALPHA).any() for each in scores])
    assert 0 < rate <= s.ALPHA + 3 * error(s.ALPHA, count)
