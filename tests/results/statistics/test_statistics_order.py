"""The order of optimizers: the rule's own verdicts, statsmodels, scipy, and cases worked by hand."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import rule
import scipy.stats
from by_statsmodels import holm
from random_runs import arrays, some_fields

from lrbench.results.statistics import order as s
from lrbench.results.statistics.verdicts import AS_GOOD, BETTER, CLEAR, CLOSE, NOBODY, PASSES, UNTOLD

INF, NAN = math.inf, math.nan
DRAWN = some_fields(seed=7, count=600)


def standings(runs, tuned=None):
    """Return the standings of runs by name, and their names."""
    names = list(runs)
    scores = None if tuned is None else [tuned[name] for name in names]
    return s.standings([arrays(runs[name]) for name in names], scores), names


def some_scores(runs, seed):
    """Return what a search may have found for each optimizer, rather like its runs or not at all."""
    rng = np.random.default_rng(seed)
    return {name: float(rng.normal()) for name in runs}


@cache
def drawn():
    """Return random runs, what a search found, half of the times, and their standings and names."""
    rows = []
    for seed, runs in enumerate(DRAWN):
        tuned = some_scores(runs, seed) if seed % 2 else None
        rows.append((runs, tuned, *standings(runs, tuned)))
    return rows


# the rule


def test_standings_are_the_verdict_of_the_rule():
    for runs, tuned, found, names in drawn():
        expected = rule.verdict(runs, tuned)
        leader = names[found.leader]
        words = {names[i]: said for i, said in enumerate(found.against_leader) if i != found.leader}
        assert leader == expected.leader
        assert words == expected.words
        assert [names[i] for i in found.first] == expected.first
        assert [names[i] for i in found.open] == expected.open
        for rival, name in enumerate(names):
            if name != leader:
                pair, other = found.pair_with(rival), expected.pairs[name]
                assert (pair.test, pair.n, pair.wins) == (other.test, other.n, other.wins)
                assert pair.ratio == pytest.approx(other.ratio, rel=1e-9, nan_ok=True)
                assert pair.low == pytest.approx(other.low, rel=1e-9, nan_ok=True)


def test_the_draws_meet_every_word_and_those_who_pass():
    found = [said for _, _, found, _ in drawn() for said in found.against_leader]
    for said in {(CLEAR, 1), (CLEAR, -1), (CLOSE, 1), (PASSES, 1), (AS_GOOD, 0), (UNTOLD, 0), (NOBODY, 0)}:
        assert found.count(said) >= 10, said


def test_each_family_is_adjusted_by_itself_as_statsmodels_does():
    for _, tuned, found, _ in drawn()[:200]:
        leads = (found.a == found.leader) | (found.b == found.leader)
        expected = np.where(leads, "leader", "rest") if tuned else np.full(len(leads), "all")
        assert found.family.tolist() == expected.tolist()
        for name in set(found.family):
            rows = np.flatnonzero(found.family == name)
            for field, adjusted in (("p", found.p_holm), ("beyond", found.beyond_holm)):
                p = [getattr(found.pairs[row], field) for row in rows]
                assert adjusted[rows].tolist() == pytest.approx(holm(p), rel=1e-12, nan_ok=True)


def test_every_pair_has_the_word_of_the_rule_in_its_family():
    for runs, _, found, names in drawn()[:200]:
        for row, (a, b) in enumerate(zip(found.a, found.b, strict=True)):
            size = int((found.family == found.family[row]).sum())
            of_a, of_b = runs[names[a]], runs[names[b]]
            pair = rule.compare(of_a, of_b, size)
            word = rule.word(pair, found.p_holm[row], found.beyond_holm[row], size)
            assert (found.word[row], found.side[row]) == rule.standing(word, of_a, of_b)


# ranks


def test_without_passages_a_rank_counts_those_shown_better():
    for _, _, found, names in drawn():
        if not found.passing.any():
            pairs = list(zip(found.a, found.b, found.word, found.side, strict=True))
            worse = [b if side > 0 else a for a, b, word, side in pairs if word in BETTER]
            assert found.rank.tolist() == [1 + worse.count(i) for i in range(len(names))]


def test_whoever_passes_through_ranks_behind_all_who_stay_and_does_not_count_against_them():
    several = 0
    for runs, _, found, names in drawn():
        lost = np.array([arrays(runs[name]).all_lost() for name in names])
        stays = ~found.passing & ~lost
        if not (found.passing.any() and stays.any()):
            continue
        several += 1
        assert found.rank[found.passing].min() > found.rank[stays].max()
        assert not found.passing[found.leader]
        staying = np.flatnonzero(stays)
        among = np.isin(found.a, staying) & np.isin(found.b, staying)
        worse = np.where(found.side > 0, found.b, found.a)[among & (found.side != 0)]
        assert found.rank[stays].tolist() == [1 + (worse == i).sum() for i in staying]
    assert several > 30


def test_who_is_lost_everywhere_does_not_stay():
    passing, _ = rule.one_passes()
    lost = [replace(read, lost=True, reached=False, left=False, cost=read.budget) for read in passing["sgd"]]
    found, _ = standings({"passing": passing["rmsprop"], "lost": lost})
    assert (found.word.tolist(), found.side.tolist(), found.rank.tolist()) == ([CLEAR], [1], [1, 2])


def test_who_passes_through_is_better_than_no_rival_who_stays():
    """Not even than one that does not arrive."""
    runs, tuned = rule.one_passes()
    found, names = standings(runs | {"misses": rule.missing(1e-3, rule.NOISE[0])}, tuned | {"misses": 6.9})
    assert names == ["rmsprop", "sgd", "misses"]
    assert found.word.tolist() == [PASSES, PASSES, CLEAR]
    assert (found.side.tolist(), found.rank.tolist()) == ([-1, -1, 1], [3, 1, 2])


# cases by hand


def test_two_within_the_margin_lead_together():
    runs = {
        "sgd": rule.arriving(50.0, rule.NOISE[0]),
        "adam": rule.arriving(55.0, rule.NOISE[1]),
        "rmsprop": rule.missing(1e-3, rule.NOISE[0]),
    }
    found, _ = standings(runs, {"sgd": -0.7, "adam": -0.6, "rmsprop": 6.9})
    assert (found.leader, found.first, found.open) == (0, [0, 1], [])
    assert found.against_leader == [("", 0), (AS_GOOD, 0), (CLEAR, 1)]
    assert found.rank.tolist() == [1, 1, 3]
    assert found.family.tolist() == ["leader", "leader", "rest"]


def test_the_leader_is_whom_the_search_found_even_if_it_is_behind():
    a, b = rule.spread(1.45, 1.27, 1.66)
    found, _ = standings({"sgd": a, "adam": b}, {"sgd": -1.0, "adam": -2.0})
    assert (found.leader, found.against_leader[0]) == (1, (CLEAR, -1))
    assert found.pair_with(0).ratio == pytest.approx(1 / 1.45)
    assert found.rank.tolist() == [1, 2]
    untuned, _ = standings({"sgd": a, "adam": b})
    assert (untuned.leader, untuned.against_leader[1]) == (0, (CLEAR, 1))


def test_clear_is_held_against_the_margin_by_holm():
    runs, tuned = rule.one_of_five()
    alone, _ = standings({name: runs[name] for name in ("adam", "sgd")}, tuned)
    assert alone.against_leader[1] == (CLEAR, 1)
    found, _ = standings(runs, tuned)
    assert found.against_leader[1] == (CLOSE, 1)
    assert found.pair_with(1).low > 1.25


def test_a_large_family_takes_ranks_instead_of_signs():
    """26 pairs of ten seeds are too many for a clean sweep: eight optimizers have 28, their leader has 7."""
    a, b = rule.mixed()
    runs = {"leader": a} | {f"rival {i}": b for i in range(7)}
    untuned, _ = standings(runs)
    assert [pair.test for pair in untuned.pairs[:7]] == ["ranks"] * 7
    tuned, _ = standings(runs, dict.fromkeys(runs, 0.0))
    assert [pair.test for pair in tuned.pairs[:7]] == ["sign"] * 7
    assert [pair.test for pair in tuned.pairs[7:]] == ["same"] * 21


def test_who_only_passes_through_leads_nobody_who_stays():
    found, _ = standings(*rule.one_passes())
    assert (found.leader, found.first, found.passing.tolist()) == (1, [1], [True, False])
    assert found.against_leader == [(PASSES, 1), ("", 0)]
    assert found.rank.tolist() == [2, 1]
    assert (found.word.tolist(), found.side.tolist()) == ([PASSES], [-1])
    assert found.pairs[0].ratio > 1.25  # that it is faster stands beside it, as a number


def test_alone_nobody_is_compared():
    found, _ = standings({"sgd": rule.arriving(40.0, rule.NOISE[0])})
    assert (found.leader, found.first, found.open, found.rank.tolist()) == (0, [0], [], [1])
    assert found.pairs == []


def test_optimizers_need_the_same_seeds():
    runs = rule.arriving(40.0, rule.NOISE[0])
    for uneven in ({"sgd": runs, "adam": runs[:9]}, {"sgd": [], "adam": []}):
        with pytest.raises(ValueError, match="the same seeds, one or more, got"):
            standings(uneven)


# other targets


def test_a_rival_that_is_cheaper_at_most_targets_vetoes():
    found, names = standings(*rule.not_settled())
    profiles = np.array([rule.PROFILES[name] for name in names])
    assert s.turns(found, profiles, 1e-6).tolist() == pytest.approx([NAN, 1e-5], nan_ok=True)
    hardly = np.array([rule.PROFILES["sgd"], rule.HARDLY_CHEAPER])
    assert np.isnan(s.turns(found, hardly, 1e-6)).all()


def test_the_order_turns_where_the_rule_says():
    rng = np.random.default_rng(9)
    turned = 0
    for runs, tuned, *_ in drawn()[:300]:
        target = float(rng.choice([1e-6, 1e-2, 3e-5]))
        runs = {name: [scaled(run, target) for run in own] for name, own in runs.items()}
        (found, names), profiles = standings(runs, tuned), rng.integers(1, 100, (len(runs), 8))
        by_name = dict(zip(names, profiles.tolist(), strict=True))
        expected = rule.verdict(runs, tuned, by_name).crossing
        turns = dict(zip(names, s.turns(found, profiles, target).tolist(), strict=True))
        assert {name for name in names if not math.isnan(turns[name])} == set(expected)
        for name, other in expected.items():
            # of two equally far ones, the rule takes either
            assert abs(math.log(turns[name] / target)) == pytest.approx(abs(math.log(other / target)))
            turned += 1
    assert turned > 30


def scaled(run, target):
    """Return a run whose problem has the scale 1 and this target, so that its score stays."""
    level = run.level * target / run.target
    return replace(run, scale=1.0, target=target, level=level)


@pytest.mark.parametrize(("target", "nearest"), [(1e-6, 1e-4), (1e-3, 1e-4), (1e-8, 1e-7), (3e-5, 1e-4)])
def test_of_two_targets_as_near_it_is_the_rougher(target, nearest):
    """The rival arrives first at 1e-1, 1e-4, 1e-7 and 1e-8."""
    leader = np.full(8, 10.0)
    rival = np.array([9.0, 10, 11, 9, 11, 11, 11, 9])
    rival[6] = 9.0 if target == 1e-8 else 11.0
    assert s.crossing(leader, rival, target) == pytest.approx(nearest)


@pytest.mark.parametrize("target", [INF, NAN, 0.0])
def test_without_a_scale_no_target_turns_the_order(target):
    assert math.isnan(s.crossing(np.full(8, 2.0), np.full(8, 1.0), target))


def test_the_verdicts_own_target_is_no_other():
    rival = np.where(np.arange(8) == 5, 1.0, 3.0)  # ahead at 1e-6 alone
    assert math.isnan(s.crossing(np.full(8, 2.0), rival, 1e-6))
    assert math.isnan(s.crossing(np.full(8, 2.0), rival, 1.05e-6))
    assert s.crossing(np.full(8, 2.0), rival, 1e-5) == 1e-6


# several problems


def test_over_problems_is_scipys_wilcoxon_with_holm():
    scores = np.random.default_rng(9).normal([0, 1, 3], 1, (12, 3))
    found = s.over_problems(scores)
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert list(zip(found.a, found.b, strict=True)) == pairs
    p = [scipy.stats.wilcoxon(scores[:, b] - scores[:, a], method="exact").pvalue for a, b in pairs]
    assert found.p == pytest.approx(p, rel=1e-12)
    assert found.p_holm == pytest.approx(holm(p), rel=1e-12)
    assert found.mean_rank == pytest.approx(scipy.stats.rankdata(scores, axis=1).mean(axis=0))
    assert (found.wins + found.losses).tolist() == [12, 12, 12]
    assert found.wins[1] == (scores[:, 0] < scores[:, 2]).sum()


@pytest.mark.parametrize(("problems", "side"), [(5, 0), (6, 1)])
def test_with_fewer_than_six_problems_nobody_is_better(problems, side):
    scores = np.array([[0.0, 1.0 + i] for i in range(problems)])
    found = s.over_problems(scores)
    assert found.side.tolist() == [side]
    assert s.over_problems(scores[:, ::-1]).side.tolist() == [-side]
    assert math.isnan(found.p[0]) == (problems < 6)


@pytest.mark.parametrize("lost", [1e3, INF])
def test_all_that_are_lost_are_tied_and_last(lost):
    found = s.over_problems(np.array([[lost, -1.0, lost], [-1.0, 2.0, lost]]))
    assert found.mean_rank.tolist() == [(2.5 + 1) / 2, 1.5, (2.5 + 3) / 2]
    assert (found.wins.tolist(), found.losses.tolist()) == ([1, 1, 2], [1, 0, 0])


def test_one_optimizer_over_problems_has_no_pairs():
    found = s.over_problems(np.zeros((7, 1)))
    assert (found.mean_rank.tolist(), found.p.tolist(), found.side.tolist()) == ([1.0], [], [])


def test_one_setting_for_all_is_that_of_the_rule():
    worst, where = s.worst_ratios(np.array([[10.0, 30, 5, NAN], [500.0, 120, NAN, 100]]))
    assert worst.tolist() == pytest.approx([5, 6, NAN, NAN], nan_ok=True)
    assert where[:2].tolist() == [1, 0]
    assert np.isnan(s.worst_ratios(np.array([[10.0, NAN], [NAN, 3.0]]))[0]).all()
    assert np.isnan(s.worst_ratios(np.array([[NAN, NAN], [1.0, 3.0]]))[0]).all()
    rng = np.random.default_rng(10)
    for _ in range(200):
        costs = rng.integers(1, 30, (3, 6)).astype(float)
        costs[rng.random(costs.shape) < 0.1] = NAN
        table = {row: {i: x for i, x in enumerate(own) if x == x} for row, own in enumerate(costs)}
        worst, _ = s.worst_ratios(costs)
        tried = np.flatnonzero(~np.isnan(worst)).tolist()
        least = min(tried, key=worst.__getitem__, default=None)
        assert rule.one_for_all(table) == (None if least is None else (least, worst[least]))
