"""Who is better on a task: every optimizer's standing, and every pair of them, on the seeds that all have.

One row of `pairs`: task "lecture", a "adam", b "sgd", n 10, test "t", unit "evaluations", ratio 1.7 (b's over
a's), low 1.6, high 1.8, wins 10 (of a), losses 0, p 1e-7, p_holm 2e-7, beyond_holm 1e-5, family "leader",
word "clear", better "adam", starts NaN, improvement 1.0. Of `standings`: task "lecture", optimizer "sgd",
rank 2, leader False, first False, word "clear", side 1 (the leader stands before it), passes False, crossing
NaN.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import (
    LOST_SCORE,
    UNDECIDED,
    Readings,
    Standings,
    geometric_mean,
    probability_of_improvement,
    starts_needed,
    turns,
)
from lrbench.results.statistics import standings as standings_of
from lrbench.results.tables.entries import RUN, SETTING, arrivals, readings
from lrbench.results.tables.targets import TARGETS
from lrbench.results.tables.tasks import COMPETITOR

UNTESTED = ["none", "same", "lost"]  # of Pair.test: no number of starts would settle it
# of a pair, as a column each
NUMBERS = ["n", "test", "unit", "ratio", "low", "high", "wins", "losses", "p", "beyond"]


class Judged(NamedTuple):
    """The optimizers of a task, by name, with their standings.

    Attributes:
        names: (k,) in alphabetical order.
        seeds: how many seeds all of them have.
        readings: (k,) of each on these seeds; where there is none, on its own.
        profiles: (k, 8) mean cost of these at each of the targets, where a miss counts the budget; NaN where
            the problem has no scale.
        found: who is better; without a shared seed nobody.
        turns: (k,) at which other target each arrives before the leader; NaN at none.
    """

    names: list[str]
    seeds: int
    readings: list[Readings]
    profiles: np.ndarray
    found: Standings
    turns: np.ndarray


class Runs(NamedTuple):
    """Compared runs in order of optimizer and seed, (R,) each; an optimizer has a seed once.

    Attributes:
        optimizer, seed: whose, and with which seed.
        worth: what they are worth.
        logs: (R, 8) logarithms of their costs at each of the targets; NaN where the problem has no scale.
        target: relative to the scale, as no target is below the floor; NaN without a scale.
    """

    optimizer: np.ndarray
    seed: np.ndarray
    worth: Readings
    logs: np.ndarray
    target: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Runs":
        return Runs(
            self.optimizer[rows],
            self.seed[rows],
            self.worth.take(rows),
            self.logs[rows],
            self.target[rows],
        )


def judged(reported: pd.DataFrame, searched: pd.DataFrame | None) -> dict[str, Judged]:
    """Return task -> who is better there.

    searched: the entries that settings were chosen from, if on other seeds: then these choose the leader.
    """
    scores = None if searched is None else search_scores(reported, searched)
    places, tasks = pd.factorize(reported["task"])
    once = reported.assign(place=places).drop_duplicates([*COMPETITOR, "seed"])
    ordered = once.sort_values(["place", "optimizer", "seed"], kind="stable")
    runs = _runs(ordered)
    counts = np.bincount(ordered["place"])
    ends = np.cumsum(counts)
    found = {}
    for task, start, end in zip(map(str, tasks), ends - counts, ends, strict=True):
        own_scores = None if scores is None else scores[task]
        found[task] = _judged(runs.take(slice(start, end)), own_scores)
    return found


def _runs(runs: pd.DataFrame) -> Runs:
    """Return what is compared of some entries; many at once, as each column costs the same for one task."""
    budget = runs["budget"].to_numpy()[:, None]
    hits = np.column_stack([arrivals(runs, f"cost_{target}") for target in TARGETS])
    has_scale = runs["scale"].notna().to_numpy()[:, None]
    costs = np.where(has_scale, np.minimum(hits, budget), np.nan)
    return Runs(
        optimizer=runs["optimizer"].to_numpy(str),
        seed=runs["seed"].to_numpy(),
        worth=readings(runs),
        logs=np.log(costs),
        target=(runs["goal"] / runs["scale"]).to_numpy(),
    )


def search_scores(reported: pd.DataFrame, searched: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return task -> optimizer -> the mean score of its chosen setting on the seeds that it was chosen on.

    A lost seed counts LOST_SCORE.
    """
    chosen = reported.drop_duplicates(COMPETITOR)[SETTING]
    trials = searched.merge(chosen, on=SETTING).drop_duplicates(RUN)
    means = trials["score"].clip(upper=LOST_SCORE).groupby([trials["task"], trials["optimizer"]]).mean()
    scores: dict[str, dict[str, float]] = {task: {} for task in reported["task"].unique()}
    for task, optimizer, score in means.reset_index().itertuples(index=False):
        scores[task][optimizer] = score
    return scores


def _judged(runs: Runs, scores: dict[str, float] | None) -> Judged:
    """Judge the optimizers of one task; scores: of those whose search is known."""
    names, owner = np.unique(runs.optimizer, return_inverse=True)
    seeds, place, count = np.unique(runs.seed, return_inverse=True, return_counts=True)
    shared = int((count == len(names)).sum())
    compared = (count[place] == len(names)) | (shared == 0)
    of_each = [np.flatnonzero(compared & (owner == number)) for number in range(len(names))]
    read = [runs.worth.take(rows) for rows in of_each]
    tuned = None if scores is None else [scores.get(name, LOST_SCORE) for name in names]
    found = standings_of(read, tuned) if shared else _without_a_shared_seed(read, tuned)
    profiles = np.exp([runs.logs[rows].mean(axis=0) for rows in of_each])
    return Judged(names.tolist(), shared, read, profiles, found, turns(found, profiles, runs.target[0]))


def _without_a_shared_seed(read: list[Readings], tuned: list[float] | None) -> Standings:
    """Let the mean score of each on its own seeds put one first, and say of a pair at most who of it passes
    through.

    The best run of each stands for it: it is lost where all are, and leaves the target where most do.
    """
    best = []
    for own in read:
        run = own.take(np.argsort(own.score, kind="stable")[:1])
        best.append(replace(run, left=np.array([own.passes_through()])))
    found = standings_of(best, tuned or [own.mean_score() for own in read])
    pairs = [replace(pair, n=0, wins=0, losses=0) for pair in found.pairs]
    return replace(found, pairs=pairs, family=found.family if tuned else np.full(len(pairs), "all"))


def at_half(reported: pd.DataFrame) -> pd.DataFrame:
    """Return entries as they were within half of their budget."""
    hit = arrivals(reported, "half_cost_target")
    budget = reported["budget"] / 2
    return reported.assign(
        score=reported["half_score"],
        gap=reported["half"],
        lost=np.isinf(reported["half_score"]),
        arrived=np.isfinite(hit),
        cost=np.minimum(hit, budget),
        left=False,
        budget=budget,
        **{f"cost_{target}": reported[f"half_cost_{target}"] for target in TARGETS},
    )


# ---- as tables


def standings(judged: dict[str, Judged]) -> pd.DataFrame:
    """Return a row a task and optimizer: where it stands."""
    rows = []
    for task, one in judged.items():
        for place, name in enumerate(one.names):
            own = {"task": task, "optimizer": name} | _standing(one, place)
            rows.append(own | _against_the_leader(one, place))
    return typed(rows, "standings")


def _standing(one: Judged, place: int) -> dict[str, Any]:
    """Return what is said of one optimizer."""
    found = one.found
    word, side = found.against_leader[place]
    lost = one.readings[place].all_lost()
    return {
        "rank": None if lost else int(found.rank[place]),
        "leader": place == found.leader and not lost,
        "first": place in found.first and not lost,
        "word": word,
        "side": side,
        "passes": bool(found.passing[place]),
        "crossing": float(one.turns[place]),
        "area": float(geometric_mean(one.profiles[place])),
        "order": one.readings[place].mean_score(),
    }


def _against_the_leader(one: Judged, place: int) -> dict[str, Any]:
    """Return the numbers of an optimizer's pair with the leader: its own over those, and wins of the leader.

    The leader's own ratio is 1.
    """
    found = one.found
    if place == found.leader:
        ratio = np.nan if one.readings[place].all_lost() else 1.0
        nothing = {"unit": None, "ratio_low": np.nan, "ratio_high": np.nan, "p": np.nan, "starts": np.nan}
        return nothing | {"ratio": ratio, "wins": 0, "losses": 0}
    pair = found.pair_with(place)
    row = found.row_with(place)
    return {
        "unit": pair.unit,
        "ratio": pair.ratio,
        "ratio_low": pair.low,
        "ratio_high": pair.high,
        "p": float(found.p_holm[row]),
        "wins": pair.wins,
        "losses": pair.losses,
        "starts": _starts(found, row),
    }


def _starts(found: Standings, row: int) -> float:
    """Return how many starts would about settle an undecided pair; NaN where it is decided, or none would."""
    pair = found.pairs[row]
    if found.word[row] not in UNDECIDED or pair.test in UNTESTED:
        return np.nan
    family = int((found.family == found.family[row]).sum())
    return float(starts_needed(pair, family) or np.nan)


def pairs(judged: dict[str, Judged]) -> pd.DataFrame:
    """Return a row a pair of optimizers of a task, a before b by name."""
    rows = []
    for task, one in judged.items():
        rows += [{"task": task} | _pair(one, row) for row in range(len(one.found.pairs))]
    return typed(rows, "pairwise")


def _pair(one: Judged, row: int) -> dict[str, Any]:
    found = one.found
    pair = found.pairs[row]
    a, b = int(found.a[row]), int(found.b[row])
    better = {1: one.names[a], -1: one.names[b], 0: ""}[int(found.better[row])]
    numbers = {name: getattr(pair, name) for name in NUMBERS}
    return numbers | {
        "a": one.names[a],
        "b": one.names[b],
        "p_holm": found.p_holm[row],
        "beyond_holm": found.beyond_holm[row],
        "family": found.family[row],
        "word": found.word[row],
        "better": better,
        "starts": _starts(found, row),
        "improvement": probability_of_improvement(one.readings[a].score, one.readings[b].score),
    }


def oriented(pairs: pd.DataFrame, turn: pd.Series) -> pd.DataFrame:
    """Return the pairs with a and b exchanged where `turn` says so: ratios inverted, wins and losses
    exchanged.
    """
    turned = turn.to_numpy()
    opposite = pairs.assign(
        a=pairs["b"],
        b=pairs["a"],
        wins=pairs["losses"],
        losses=pairs["wins"],
        improvement=1 - pairs["improvement"],
        ratio=1 / pairs["ratio"],
        low=1 / pairs["high"],
        high=1 / pairs["low"],
    )
    rows = pairs.copy()
    rows[turned] = opposite[turned]
    return rows


def pairwise(pairs: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` with a ranked before b, in the order of the ranking."""
    competitors = pd.MultiIndex.from_frame(ranking[COMPETITOR])
    place = pd.Series(np.arange(len(ranking)), index=competitors)
    place_a = place.reindex(pd.MultiIndex.from_frame(pairs[["task", "a"]])).to_numpy()
    place_b = place.reindex(pd.MultiIndex.from_frame(pairs[["task", "b"]])).to_numpy()
    rows = oriented(pairs, pd.Series(place_a > place_b))
    order = np.lexsort([np.maximum(place_a, place_b), np.minimum(place_a, place_b)])
    return rows.iloc[order].reset_index(drop=True)
