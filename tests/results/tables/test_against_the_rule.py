"""Rankings, standings and pairs of 200 drawn tasks against the rule, which reads the same stored rows."""

import math
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import rule
from by_statsmodels import holm
from conftest import LECTURE, MANIFEST, TUNE, run
from random_runs import some_optimizers

from lrbench.results.tables.entries import entries
from lrbench.results.tables.sweep import Sweep
from lrbench.store import ResultStore

BUDGET, GOAL = 100.0, 1e-6
TARGETS = [f"1e-{k}" for k in range(1, 9)]
RATES = [0.01, 0.1, 1.0]
BASE = {key: value for key, value in run().items() if key != "weights"}
BASE |= {"budget": BUDGET, "relative_target": GOAL}


class Drawn(NamedTuple):
    """A task: what its chosen runs are worth, by optimizer and seed, and what the search found."""

    runs: dict[str, dict[int, rule.Reading]]
    chosen: dict[str, float]  # learning rates
    scores: dict[str, float] | None  # of the chosen trials, where tuned


# ---- drawn stores


def stored(read: rule.Reading, rng: np.random.Generator) -> dict:
    """Return the columns of a run that is worth this."""
    hits = rng.integers(1, 120, 8).astype(float)
    hits = np.minimum(hits, BUDGET) if read.reached else np.full(8, np.nan)
    costs = [f"cost_{target}" for target in TARGETS]
    return dict(zip(costs, hits, strict=True)) | {
        "cost_target": read.cost if read.reached else np.nan,
        "level": read.level,
        "half_level": read.level,
        "score": read.score,
        "evaluations_per_step": read.step,
        "fingerprint": read.run,
        "rise": read.rise,
        "status": "diverged" if read.lost else "completed",
        "beyond": 1.0 if read.left else np.nan,
    }


def other_rates(rng: np.random.Generator, seeds: list[int]) -> dict[float, list[rule.Reading]]:
    """Return what an optimizer may be worth on some seeds, at each rate; some rise too high, or are lost."""
    at_rates = {}
    for rate in RATES:
        center, rise = rng.normal(0, 2), rng.choice([1.0, 5.0, 5e3], p=[0.7, 0.2, 0.1])
        at_rates[rate] = [reading(rng, center, rise) for _ in seeds]
    return at_rates


def reading(rng: np.random.Generator, center: float, rise: float) -> rule.Reading:
    score, curve = center + rng.normal(0, 0.3), int(rng.integers(2**62))
    if rng.random() < 0.05:
        return rule.Reading(True, False, BUDGET, math.inf, 1.0, GOAL, BUDGET, curve, rise)
    if score > 0:
        return rule.Reading(False, False, BUDGET, GOAL * math.exp(score), 1.0, GOAL, BUDGET, curve, rise)
    return rule.Reading(False, True, BUDGET * math.exp(score), 1e-9, 1.0, GOAL, BUDGET, curve, rise)


def rows_of(number: int, rng: np.random.Generator, tuned: bool) -> tuple[list[dict], dict[str, float]]:
    """Return the rows of a task with roles, and the rates that the rule chooses."""
    k = int(rng.integers(2, 7))
    drawn, rows, chosen = some_optimizers(rng, k), [], {}
    n = len(drawn[0])
    more = rng.random() < 0.2  # seeds that the first optimizer alone has
    for place, evaluated in enumerate(drawn):
        name = f"o{place}"
        seeds = list(range(n))
        if more and place == 0:
            evaluated, seeds = [*evaluated, *evaluated[:1]], [*seeds, n]
        searched = other_rates(rng, list(range(3)))
        at = [[r.score for r in own] for own in searched.values()]
        rises = [[r.rise for r in own] for own in searched.values()]
        chosen[name] = RATES[rule.choose(at, rises)] if tuned else RATES[1]
        here = {"problem_id": f"p{number:03}", "problem": f"p{number:03}", "optimizer": name}
        if tuned:
            for rate, own in searched.items():
                for seed, read in enumerate(own, start=1000):
                    rows.append(
                        stored(read, rng) | here | {"optimizer.lr": rate, "seed": seed, "role": "trial"}
                    )
        for seed, read in zip(seeds, evaluated, strict=True):
            role = "evaluation" if tuned else "grid"
            rows.append(stored(read, rng) | here | {"optimizer.lr": chosen[name], "seed": seed, "role": role})
    return rows, chosen


@cache
def drawn(tuned: bool) -> tuple[Sweep, dict[str, Drawn]]:
    """Return a sweep of 100 tasks, and what the rule reads from its rows."""
    rng = np.random.default_rng(11 + tuned)
    parts = [rows_of(number, rng, tuned) for number in range(100)]
    frame = pd.DataFrame([BASE | row for rows, _ in parts for row in rows])
    frame["setting_id"] = frame[["problem", "optimizer", "optimizer.lr"]].astype(str).agg(" ".join, axis=1)
    frame["run_id"] = frame["setting_id"] + " " + frame["seed"].astype(str)
    problems = [LECTURE | {"problem_id": f"p{i:03}", "problem": f"p{i:03}", "scale": 1.0} for i in range(100)]
    sweep = Sweep(ResultStore("nowhere"))
    runs = frame.drop(columns=["beyond", "role"])
    roles = frame[["run_id", "role", "optimizer"]].assign(trial=np.nan, lr_low=np.nan, lr_high=np.nan)
    manifest = MANIFEST | ({"tune": TUNE} if tuned else {})
    known = {"manifest": manifest, "runs": runs, "problems": pd.DataFrame(problems)}
    vars(sweep).update(known, _roles=roles if tuned else None)
    with_beyond = entries(runs, sweep.tasks, sweep._roles, frame[["run_id", "beyond"]])
    vars(sweep)["entries"] = with_beyond
    chosen = {f"p{number:03}": rates for number, (_, rates) in enumerate(parts)}
    return sweep, {task: read(rows, chosen[task], tuned) for task, rows in frame.groupby("problem")}


def read(rows: pd.DataFrame, chosen: dict[str, float], tuned: bool) -> Drawn:
    """Return what the rule sees of the rows of a task."""
    runs, scores = {}, {}
    for name, own in rows.groupby("optimizer"):
        at_chosen = own[own["optimizer.lr"] == chosen[name]]
        compared = at_chosen[at_chosen["role"] != "trial"]
        runs[name] = {row["seed"]: as_reading(row) for row in compared.to_dict("records")}
        trials = at_chosen.loc[at_chosen["role"] == "trial", "score"]
        scores[name] = float(np.mean(np.minimum(trials, 1e3))) if tuned else 0.0
    shared = set.intersection(*map(set, runs.values()))
    on_shared = {name: {seed: own[seed] for seed in sorted(shared)} for name, own in runs.items()}
    return Drawn(on_shared, chosen, scores if tuned else None)


def as_reading(row: dict) -> rule.Reading:
    arrived = not math.isnan(row["cost_target"])
    return rule.Reading(
        lost=row["status"] != "completed",
        reached=arrived,
        cost=row["cost_target"] if arrived else BUDGET,
        level=row["level"],
        step=row["evaluations_per_step"],
        target=GOAL,
        budget=BUDGET,
        run=row["fingerprint"],
        rise=row["rise"],
        left=row["beyond"] == 1.0,
        scale=1.0,
    )


def listed(task: Drawn) -> dict[str, list[rule.Reading]]:
    return {name: list(own.values()) for name, own in task.runs.items()}


def profiles(sweep: Sweep, name: str) -> dict[str, list[float]]:
    """Return the mean costs at each target by pandas."""
    runs = sweep.reported[sweep.reported["task"] == name]
    seeds = runs.groupby("seed")["optimizer"].nunique()
    shared = runs[runs["seed"].isin(seeds.index[seeds == runs["optimizer"].nunique()])]
    costs = shared[[f"cost_{target}" for target in TARGETS]].fillna(BUDGET)
    return {
        str(who): own.tolist()
        for who, own in np.exp(np.log(costs).groupby(shared["optimizer"]).mean()).iterrows()
    }


# ---- against the rule

CASES = pytest.mark.parametrize("tuned", [False, True], ids=["grid", "tuned"])


def approx(numbers):
    return pytest.approx(numbers, rel=1e-9, abs=1e-14, nan_ok=True)


@CASES
def test_the_standings_are_the_verdict_of_the_rule(tuned):
    sweep, tasks = drawn(tuned)
    said, turned = set(), 0
    for name, task in tasks.items():
        expected = rule.verdict(listed(task), task.scores, profiles(sweep, name))
        lost = {who for who, own in listed(task).items() if all(r.lost for r in own)}
        rows = sweep.standings[sweep.standings["task"] == name].set_index("optimizer")
        assert set(rows.index[rows["leader"]]) == {expected.leader} - lost
        assert set(rows.index[rows["first"]]) == set(expected.first) - lost
        for who, word in expected.words.items():
            row, pair = rows.loc[who], expected.pairs[who]
            assert (row["word"], row["side"]) == word
            assert [row["ratio"], row["ratio_low"], row["ratio_high"]] == approx(
                [pair.ratio, pair.low, pair.high]
            )
            assert (row["wins"], row["losses"]) == (pair.wins, pair.losses)
            assert (None if pd.isna(row["unit"]) else row["unit"]) == pair.unit
            turns = expected.crossing.get(who, math.nan)
            # of two equally far targets the rule takes either
            assert abs(math.log(row["crossing"] / GOAL)) == approx(abs(math.log(turns / GOAL)))
            turned += who in expected.crossing
        said |= {word for word, _ in expected.words.values()}
    words = {rule.CLEAR, rule.CLOSE, rule.AS_GOOD, rule.OPEN, rule.UNTOLD, rule.SAME, rule.PASSES}
    assert words <= said
    assert turned > 5


@CASES
def test_the_ranking_stands_at_the_settings_that_the_rule_chooses(tuned):
    sweep, tasks = drawn(tuned)
    for name, task in tasks.items():
        rows = sweep.ranking[sweep.ranking["task"] == name]
        assert dict(zip(rows["optimizer"], rows["lr"], strict=True)) == task.chosen
        scores = {who: np.mean([min(r.score, 1e3) for r in own]) for who, own in listed(task).items()}
        assert rows["order"].tolist() == approx([scores[who] for who in rows["optimizer"]])
        ranks = rows["rank"].tolist()
        known = [rank for rank in ranks if not pd.isna(rank)]
        assert known == sorted(known)
        assert all(map(pd.isna, ranks[len(known) :]))  # who is lost on every seed stands last


@CASES
def test_ranks_count_those_shown_better_and_who_passes_stands_behind(tuned):
    sweep, tasks = drawn(tuned)
    for name, task in tasks.items():
        runs = listed(task)
        lost = {who for who, own in runs.items() if all(r.lost for r in own)}
        passing = {who for who, own in runs.items() if rule.passes(own)}
        stays = set(runs) - lost - passing
        pairs = sweep.pairwise[sweep.pairwise["task"] == name]
        better = {frozenset((a, b)): who for a, b, who in pairs[["a", "b", "better"]].itertuples(index=False)}
        rows = sweep.standings[sweep.standings["task"] == name].set_index("optimizer")
        assert set(rows.index[rows["passes"]]) == passing
        assert rows.loc[sorted(lost), "rank"].isna().all()
        for who in set(runs) - lost:
            before = 0
            for other in set(runs) - {who}:
                one_passes = {who, other} & stays and {who, other} & passing
                before += other in stays if one_passes else better[frozenset((who, other))] == other
            assert rows.loc[who, "rank"] == 1 + before


@CASES
def test_every_pair_is_that_of_the_rule_in_its_family(tuned):
    sweep, tasks = drawn(tuned)
    for name, task in list(tasks.items())[::3]:
        rows = sweep.pairwise[sweep.pairwise["task"] == name]
        runs = listed(task)
        assert {frozenset(pair) for pair in zip(rows["a"], rows["b"], strict=True)} == {
            frozenset(pair) for pair in combinations(runs, 2)
        }
        leader = rule.verdict(runs, task.scores).leader
        leads = (rows["a"] == leader) | (rows["b"] == leader)
        families = np.where(leads, "leader", "rest") if tuned else np.full(len(rows), "all")
        assert rows["family"].tolist() == families.tolist()
        order = sweep.ranking.loc[sweep.ranking["task"] == name, "optimizer"].tolist()
        assert all(order.index(a) < order.index(b) for a, b in zip(rows["a"], rows["b"], strict=True))
        for _, family in rows.groupby("family"):
            assert family["p_holm"].tolist() == approx(holm(family["p"]))
            assert family["beyond_holm"].tolist() == approx(holm(family["beyond"]))
            for row in family.to_dict("records"):
                assert_pair(row, runs[row["a"]], runs[row["b"]], len(family))


def assert_pair(row: dict, a: list[rule.Reading], b: list[rule.Reading], family: int):
    """A row of `pairwise` says what the rule says of a and b."""
    pair = rule.compare(a, b, family)
    word, side = rule.word(pair, row["p_holm"], row["beyond_holm"], family)
    assert (row["test"], row["n"], row["wins"], row["losses"]) == (pair.test, pair.n, pair.wins, pair.losses)
    word, side = rule.standing((word, side), a, b)
    is_better = word in (rule.CLEAR, rule.CLOSE)
    assert (row["word"], row["better"]) == (word, {1: row["a"], -1: row["b"]}[side] if is_better else "")
    for name in ("ratio", "low", "high", "p", "beyond"):
        assert row[name] == approx(getattr(pair, name))
    of_a, of_b = np.array([r.score for r in a]), np.array([r.score for r in b])
    ahead, tied = of_a[:, None] < of_b, of_a[:, None] == of_b
    assert row["improvement"] == approx(ahead.mean() + tied.mean() / 2)
    is_open = word in (rule.OPEN, rule.UNTOLD) and pair.test not in ("none", "same", "lost")
    needed = rule.starts_needed(pair, family) if is_open else None
    assert row["starts"] == approx(math.nan if needed is None else needed)
