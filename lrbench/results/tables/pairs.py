"""Who is better on a task: every optimizer's standing, and every pair of them, on the seeds that all have.

One row of `pairs`: task "lecture", a "adam", b "sgd", n 10, test "t", unit "evaluations", ratio 1.7 (b's over
a's), low 1.6, high 1.8, wins 10 (of a), losses 0, p 1e-7, p_holm 2e-7, beyond_holm 1e-5, family "leader",
word "clear", better "adam", starts NaN, improvement 1.0. Of `standings`: task "lecture", optimizer "sgd",
rank 2, leader False, first False, word "clear", side 1 (the leader is better), passes False, crossing NaN.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import probability_of_improvement
from lrbench.results.statistics.order import Standings, turns
from lrbench.results.statistics.order import standings as standings_of
from lrbench.results.statistics.pairs import starts_needed
from lrbench.results.statistics.readings import LOST_SCORE, Readings
from lrbench.results.statistics.verdicts import UNDECIDED
from lrbench.results.tables.entries import arrivals, readings
from lrbench.results.tables.targets import TARGETS
from lrbench.results.tables.tasks import COMPETITOR

# of a pair, as a column each
NUMBERS = ["n", "test", "unit", "ratio", "low", "high", "wins", "losses", "p", "beyond"]


class Judged(NamedTuple):
    """The optimizers of a task, by name, with their standings on the seeds that all have.

    Attributes:
        names: (k,) in alphabetical order.
        seeds: how many seeds all have; 0 where they share none, and each optimizer's own stand for it.
        readings: (k,) of each, on these seeds.
        profiles: (k, 8) mean cost at each of the targets; a miss counts the budget.
    """

    names: list[str]
    seeds: int
    readings: list[Readings]
    profiles: np.ndarray
    found: Standings
    turns: np.ndarray


def judged(reported: pd.DataFrame, settings: pd.DataFrame, tuned: bool) -> dict[str, Judged]:
    """Return task -> who is better there.

    settings: with the scores of the chosen settings on the seeds that they were chosen on, by which the
    leader of a tuned sweep is found.
    """
    scores = search_scores(reported, settings) if tuned else None
    tasks = reported.groupby("task", sort=False)
    return {str(task): _judged(runs, scores) for task, runs in tasks}


def search_scores(reported: pd.DataFrame, settings: pd.DataFrame) -> pd.Series:
    """Return (task, optimizer) -> the mean score of its chosen setting on the seeds that it was chosen on.

    A lost seed counts LOST_SCORE.
    """
    chosen = reported[[*COMPETITOR, "setting_id"]].drop_duplicates()
    searched = settings.merge(chosen).set_index(COMPETITOR)
    kept = searched["seeds"] - searched["lost"]
    sums = searched["score"].where(kept > 0, 0.0) * kept + LOST_SCORE * searched["lost"]
    return (sums / searched["seeds"]).groupby(level=COMPETITOR).first()


def _judged(runs: pd.DataFrame, scores: pd.Series | None) -> Judged:
    """Judge the optimizers of one task."""
    names = sorted(runs["optimizer"].unique())
    of_each = [runs[runs["optimizer"] == name].drop_duplicates("seed") for name in names]
    shared = set.intersection(*(set(own["seed"]) for own in of_each))
    on_shared = [own[own["seed"].isin(shared)].sort_values("seed") for own in of_each]
    # without a seed in common each stands for itself by its first run, which shows nothing
    compared = on_shared if shared else [own.sort_values("score").head(1) for own in of_each]
    read = [readings(own) for own in compared]
    task = str(runs["task"].iloc[0])
    tuned = None if scores is None else [float(scores.get((task, name), LOST_SCORE)) for name in names]
    found = standings_of(read, tuned)
    profiles = np.array([_profile(own) for own in compared])
    first = runs.iloc[0]
    return Judged(names, len(shared), read, profiles, found, turns(found, profiles, first["relative_target"]))


def _profile(runs: pd.DataFrame) -> list[float]:
    """Return the mean costs of an optimizer at each target, of its runs; a miss counts the budget."""
    costs = []
    for target in TARGETS:
        hit = arrivals(runs, f"cost_{target}")
        costs.append(np.exp(np.log(np.minimum(hit, runs["budget"])).mean()))
    return costs


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
            rows.append({"task": task, "optimizer": name} | _standing(one, place))
    return typed(rows, "standings")


def _standing(one: Judged, place: int) -> dict[str, Any]:
    """Return what is said of one optimizer, and of its pair with the leader: its numbers over those."""
    found = one.found
    word, side = found.against_leader[place]
    lost = one.readings[place].all_lost()
    said = {
        "rank": None if lost else int(found.rank[place]),
        "leader": place == found.leader and not lost,
        "first": place in found.first and not lost,
        "word": word,
        "side": side,
        "passes": bool(found.passing[place]),
        "crossing": float(one.turns[place]),
        "area": float(np.exp(np.log(one.profiles[place]).mean())),
        "order": one.readings[place].mean_score(),
    }
    if place == found.leader:
        own = {"unit": None, "ratio": np.nan if lost else 1.0, "ratio_low": np.nan, "ratio_high": np.nan}
        return said | own | {"p": np.nan, "wins": 0, "losses": 0, "starts": np.nan}
    pair = found.pair_with(place)
    (row,) = np.flatnonzero((found.a == min(place, found.leader)) & (found.b == max(place, found.leader)))
    family = int((found.family == found.family[row]).sum())
    return said | {
        "unit": pair.unit,
        "ratio": pair.ratio,
        "ratio_low": pair.low,
        "ratio_high": pair.high,
        "p": float(found.p_holm[row]),
        "wins": pair.wins,
        "losses": pair.losses,
        "starts": _starts(found, row, family),
    }


def _starts(found: Standings, row: int | np.integer, family: int) -> float:
    """Return how many starts would about settle an undecided pair; NaN where it is decided, or none would."""
    pair = found.pairs[row]
    if found.word[row] not in UNDECIDED or pair.test in ("none", "same", "lost"):
        return np.nan
    return float(starts_needed(pair, family) or np.nan)


def pairs(judged: dict[str, Judged]) -> pd.DataFrame:
    """Return a row a pair of optimizers of a task, a before b by name."""
    tasks = [_pairs(task, one) for task, one in judged.items()]
    return typed([frame for frame in tasks if len(frame)], "pairwise")


def _pairs(task: str, one: Judged) -> pd.DataFrame:
    found = one.found
    rows = []
    for row, (a, b) in enumerate(zip(found.a, found.b, strict=True)):
        pair = found.pairs[row]
        family = int((found.family == found.family[row]).sum())
        side = found.side[row]
        rows.append(
            {
                "task": task,
                "a": one.names[a],
                "b": one.names[b],
                **{name: getattr(pair, name) for name in NUMBERS},
                "n": pair.n if one.seeds else 0,
                "p_holm": found.p_holm[row],
                "beyond_holm": found.beyond_holm[row],
                "family": found.family[row],
                "word": found.word[row],
                "better": "" if side == 0 else one.names[a if side > 0 else b],
                "starts": _starts(found, row, family),
                "improvement": probability_of_improvement(one.readings[a].score, one.readings[b].score),
            }
        )
    return pd.DataFrame(rows)


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
