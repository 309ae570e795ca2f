"""What is asked of the rule, a question a function: each gives a table, and what is held against the bars."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from tasks import Task
from trained import Chosen, Place, Runs, Search, Setting, pooled, search, searches
from verdicts import (
    EVALUATION,
    Measured,
    Verdict,
    Verdicts,
    both_rules,
    by_arrival,
    by_gap,
    drawn,
    known_by_arrival,
    known_by_gap,
    of_readings,
    scored,
)

from lrbench.results.statistics.order import over_problems
from lrbench.results.statistics.pairs import MARGIN, compare_groups
from lrbench.results.statistics.readings import Readings

BEFORE = "before"  # the rule before this one, with the same searches
MEANS = {False: "mean of the twelve", True: "mean of the five"}


class Answer(NamedTuple):
    """A table, and what is held against bars: numbers by name, and of the worst of something, where it is."""

    table: pd.DataFrame
    numbers: dict[str, float]
    where: dict[str, str] = {}


def with_means(rows: list[dict], held_out: Sequence[bool]) -> pd.DataFrame:
    """Return rows of tasks as a table, followed by the means of those in the sample and those held out."""
    table = pd.DataFrame(rows)
    is_out = np.array(held_out)
    for kind, label in MEANS.items():
        if (is_out == kind).any():
            own = pd.DataFrame(rows)[is_out == kind].mean(numeric_only=True)
            table.loc[len(table)] = {"task": label, **own}
    return table


def in_the_mean(table: pd.DataFrame, column: str, held_out: bool) -> float:
    own = table.loc[table["task"] == MEANS[held_out], column]
    return float(own.iloc[0]) if len(own) else np.nan


def worst(numbers: pd.Series, least: bool = False) -> tuple[float, str]:
    """Return the largest, or the least, of the tasks' numbers, and the task that has it."""
    numbers = numbers.dropna()
    if not len(numbers):
        return np.nan, ""
    task = numbers.idxmin() if least else numbers.idxmax()
    return float(numbers[task]), str(task)


# ---- over grids and seeds, and beside the truth


def over_grids_and_seeds(tasks: Sequence[Measured], rng: Generator, draws: int) -> Answer:
    """How much of a verdict is chance: shifted grids, other tuning seeds, other evaluation seeds."""
    rows = []
    for measured, own_rng in zip(tasks, rng.spawn(len(tasks)), strict=True):
        new, old = both_rules(measured, own_rng, draws)
        rows.append(
            {
                "task": measured.name,
                f"sd, {BEFORE}": old.spread(),
                "sd": new.spread(),
                f"contradict, {BEFORE}": old.contradict(True),
                "contradict, clear": new.contradict(True),
                "contradict, clear or close": new.contradict(False),
                f"decided, {BEFORE}": old.decided(True),
                "decided, clear": new.decided(True),
                "decided, clear or close": new.decided(False),
            }
        )
    table = with_means(rows, [measured.held_out for measured in tasks])
    largest, task = worst(pd.DataFrame(rows).set_index("task")["sd"])
    numbers = {
        "sd of the twelve": in_the_mean(table, "sd", False),
        "sd of the five": in_the_mean(table, "sd", True),
        "largest sd": largest,
    }
    return Answer(table, numbers, {"largest sd": task})


def beside_the_truth(tasks: Sequence[Measured], rng: Generator, draws: int) -> Answer:
    """How often a verdict is wrong where the best rate of each optimizer is known."""
    rows = []
    for measured, own_rng in zip(tasks, rng.spawn(len(tasks)), strict=True):
        assert measured.truth, "only the budgets and the demo do without"
        new, old = both_rules(measured, own_rng, draws)
        best = [measured.truth.by_arrival[name] for name in measured.optimizers]
        known = known_by_arrival(best)
        clear, close = scored(new, known, True), scored(new, known, False)
        best_gaps = [measured.truth.by_gap[name] for name in measured.optimizers]
        earlier = scored(old, known_by_gap(best_gaps), True)
        rows.append(
            {
                "task": measured.name,
                f"opposite, {BEFORE}": earlier.opposite,
                "opposite, clear": clear.opposite,
                "opposite, clear or close": close.opposite,
                f"within, {BEFORE}": earlier.within,
                "within, clear": clear.within,
                "within, clear or close": close.within,
                f"power, {BEFORE}": earlier.power,
                "power, clear": clear.power,
                f"leader, {BEFORE}": earlier.leader,
                "leader": clear.leader,
            }
        )
    table = with_means(rows, [measured.held_out for measured in tasks])
    of_tasks = pd.DataFrame(rows).set_index("task")
    most, task = worst(of_tasks["opposite, clear or close"])
    numbers = {
        "opposite, mean": float(of_tasks["opposite, clear or close"].mean()),
        "opposite, worst": most,
        "leader, mean": float(of_tasks["leader"].mean()),
    }
    return Answer(table, numbers, {"opposite, worst": task})


# ---- copies of one optimizer


def identical(tasks: Sequence[Measured], rng: Generator, pairs: int) -> Answer:
    """Two copies of one optimizer, each with a grid and tuning seeds of its own.

    Evaluated on seeds of their own too, and on the same seeds, as lrbench does.
    """
    rows = []
    for measured, own_rng in zip(tasks, rng.spawn(len(tasks)), strict=True):
        said = [_copies(measured, name, own_rng) for name in measured.optimizers for _ in range(pairs)]
        shares = pd.DataFrame(said).mean()
        rows.append({"task": measured.name, **shares})
    table = with_means(rows, [measured.held_out for measured in tasks])
    of_tasks = pd.DataFrame(rows).set_index("task")
    numbers = {}
    for seeds in ("own seeds", "same seeds"):
        for words in ("clear", "clear or close"):
            numbers[f"{words}, {seeds}"] = float(of_tasks[f"{words}, {seeds}"].mean())
    return Answer(table, numbers)


def _copies(measured: Measured, name: str, rng: Generator) -> dict[str, bool]:
    """Say whether two copies of an optimizer are shown different, by rule and by whose seeds."""
    first, second = (measured.searches[i] for i in rng.choice(len(measured.searches), 2, replace=False))
    drawn_seeds = rng.choice(measured.seeds, 2 * EVALUATION, replace=False)
    rows, others = drawn_seeds[:EVALUATION], drawn_seeds[EVALUATION:]
    said = {}
    for seeds, rows_of_second in {"own seeds": others, "same seeds": rows}.items():
        one, two = (_copy(measured, search.by_gap, name) for search in (first, second))
        gaps = [_on(one[0], rows), _on(two[0], rows_of_second)]
        old = by_gap(gaps, [one[1], two[1]], np.arange(EVALUATION))
        one, two = (_copy(measured, search.by_arrival, name) for search in (first, second))
        runs = [_on(one[0], rows), _on(two[0], rows_of_second)]
        new = by_arrival(runs, [one[1], two[1]], np.arange(EVALUATION))
        said[f"{BEFORE}, {seeds}"] = bool(old.side.any())
        said[f"clear, {seeds}"] = bool((new.side * new.clear).any())
        said[f"clear or close, {seeds}"] = bool(new.side.any())
    return said


def _copy(measured: Measured, chosen: Chosen, name: str) -> tuple[Runs, float]:
    return measured.pool[Setting(name, chosen.lr[name])], chosen.worth[name]


def _on(runs: Runs, rows: np.ndarray) -> Runs:
    """Return the runs on some of their seeds."""
    return Runs(runs.readings.take(rows), runs.gaps[rows], runs.rise[rows], runs.floor)


# ---- drawn costs


MOST_RIVALS, POWER_AT = 25, 1.6
SPREAD = 0.1  # standard deviation of a cost's logarithm; t does not depend on it


def rivals_at_the_margin(rng: Generator, draws: int) -> Answer:
    """How often any rival is said to be clearly behind whose cost is exactly 1.25 times the leader's.

    Costs are drawn: logarithms that are normal, independent from seed to seed and optimizer to optimizer.
    """
    rows = []
    numbers = {}
    for rivals in (1, 5, MOST_RIVALS):
        for n in (5, 10):
            at_margin = _clear_pairs(MARGIN, rivals, n, rng, draws)
            beyond = _clear_pairs(POWER_AT, rivals, n, rng, draws // 4)
            share = float(at_margin.any(axis=1).mean())
            rows.append(
                {
                    "rivals": rivals,
                    "seeds": n,
                    "verdicts": draws,
                    "with a false clear": share,
                    f"clear at {POWER_AT}": float(beyond.mean()),
                }
            )
            if rivals == MOST_RIVALS and n == EVALUATION:
                numbers["false clear"] = share
    return Answer(pd.DataFrame(rows), numbers)


def _clear_pairs(ratio: float, rivals: int, n: int, rng: Generator, draws: int) -> np.ndarray:
    """Say which pairs of the leader are clear, (draws, rivals); all rivals cost so many times as much."""
    worth = np.arange(rivals + 1.0)
    told = []
    for _ in range(draws):
        logs = rng.normal(0.0, SPREAD, (rivals + 1, n)) + np.log(100.0)
        logs[1:] += np.log(ratio)
        found = of_readings([_arrived(np.exp(own), rng) for own in logs], worth)
        told.append(found.clear[found.of_leader])
    return np.array(told)


def _arrived(cost: np.ndarray, rng: Generator) -> Readings:
    """Return runs that arrive within a budget of 1e6 evaluations at these costs."""
    n = len(cost)
    never, always = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    curve = rng.integers(2**62, size=n)
    score = np.log(cost / 1e6)
    return Readings(never, always, cost, np.full(n, 1e-9), score, np.ones(n), curve, never)


COPIES, PROBLEMS = 3, 8


def across_problems(rng: Generator, draws: int) -> Answer:
    """How often anything is shown over problems between copies that do not differ.

    Each copy has an effect of its own on each problem, normal, which favours nobody on average.
    """
    wrong = [bool(over_problems(rng.normal(size=(PROBLEMS, COPIES))).side.any()) for _ in range(draws)]
    share = float(np.mean(wrong))
    row = {"copies": COPIES, "problems": PROBLEMS, "verdicts": draws, "wrong": share}
    return Answer(pd.DataFrame([row]), {"wrong": share})


# ---- where a run stops


class Stops(NamedTuple):
    """How many searches are looked at, on how many seeds, and at how many steps more than the budget has."""

    searches: int
    seeds: int
    steps: Sequence[int]


def stopping_step(places: Sequence[Place], tasks: Sequence[Measured], stops: Stops) -> Answer:
    """Whether a decided verdict flips where all stop a few steps earlier or later, at the same settings."""
    rows = []
    for place, measured in zip(places, tasks, strict=True):
        at_stops = [_at_a_stop(_stopped(place, measured, steps, stops)) for steps in stops.steps]
        old, clear, close = (_flips(sides) for sides in map(np.array, zip(*at_stops, strict=True)))
        rows.append(
            {
                "task": measured.name,
                f"flips, {BEFORE}": old,
                "flips, clear": clear,
                "flips, clear or close": close,
            }
        )
    table = with_means(rows, [measured.held_out for measured in tasks])
    most, task = worst(pd.DataFrame(rows).set_index("task")["flips, clear or close"])
    return Answer(table, {"flips": most}, {"flips": task})


def _stopped(place: Place, measured: Measured, steps: int, stops: Stops) -> Measured:
    """Return the task with the settings of a few searches, which are run so many steps longer."""
    task = place.task._replace(steps=place.task.steps + steps)
    apart = max(len(measured.searches) // stops.searches, 1)
    found = measured.searches[::apart][: stops.searches]
    pool = pooled(place._replace(task=task), _settings_of(found), range(stops.seeds))
    return measured._replace(searches=found, pool=pool)


def _settings_of(found: Sequence[Search]) -> set[Setting]:
    chosen = [choice for own in found for choice in (own.by_arrival, own.by_gap)]
    return {setting for choice in chosen for setting in choice.settings()}


def _at_a_stop(stopped: Measured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who is shown better in each draw, (draws, pairs): before, clear, clear or close."""
    same_at_every_stop = np.random.default_rng(0)
    new, old = both_rules(stopped, same_at_every_stop, draws=stopped.seeds // EVALUATION)
    return old.sides(True), new.sides(True), new.sides(False)


def _flips(sides: np.ndarray) -> float:
    """Return the share of the decided pairs that are decided both ways, sides (stops, V, pairs)."""
    decided = (sides != 0).any(axis=0)
    return float(_both_ways(sides).sum() / decided.sum()) if decided.any() else np.nan


# ---- budgets


CHAINS = ((60, 120, 240, 480, 960), (75, 150, 300, 600), (100, 200, 400, 800), (125, 250, 500, 1000))
LECTURE = ("sgd", "adam", "rmsprop")
RULES = ("before", "without a look beyond", "clear")


class Budgets(NamedTuple):
    """Chains of budgets, each twice the one before, and how many searches and draws there are at each."""

    chains: Sequence[Sequence[int]]
    searches: int
    draws: int


def budgets(folder: Path, rng: Generator, size: Budgets) -> Answer:
    """Whether verdicts on the lecture contradict each other over budgets, each with a search of its own."""
    task = Task("lecture", ["problem=lecture"], 0, {}, LECTURE)
    at = {}
    for steps in sorted({steps for chain in size.chains for steps in chain}):
        place = Place(task._replace(steps=steps), folder / f"budget{steps}")
        at[steps] = measured_at(place, size.searches)
    rows_of_draws = drawn(next(iter(at.values())), rng, size.draws)
    told = {steps: _of_a_budget(measured, rows_of_draws) for steps, measured in at.items()}
    triples = [chain[i : i + 3] for chain in size.chains for i in range(len(chain) - 2)]
    rows = []
    for name in RULES:
        near = [_contradicting([told[steps][name] for steps in triple]) for triple in triples]
        everywhere = _contradicting([told[steps][name] for steps in told])
        pairs = np.concatenate([own.pairs for own in near])
        leaders = np.concatenate([own.leaders for own in near])
        rows.append(
            {
                "rule": name,
                "pairs": float(pairs.mean()),
                "draws": float(pairs.any(axis=1).mean()),
                "draws, leader's": float(leaders.any(axis=1).mean()),
                "pairs, all budgets": float(everywhere.pairs.mean()),
                "draws, leader's, all budgets": float(everywhere.leaders.any(axis=1).mean()),
                "leader changes, all budgets": _changes([told[steps][name] for steps in told]),
            }
        )
    ours = rows[RULES.index("clear")]
    numbers = {"leader's": ours["draws, leader's"], "all": ours["pairs"]}
    return Answer(pd.DataFrame(rows), numbers)


def measured_at(place: Place, count: int, pool: int = 40) -> Measured:
    """Search and run what is chosen, without the truth."""
    found = searches(place, count)
    return Measured(place.task.name, False, place.task.optimizers, found, chosen_runs(place, found, pool))


def chosen_runs(place: Place, found: Sequence[Search], seeds: int) -> dict[Setting, Runs]:
    """Run what searches have chosen; by arrival to twice the budget, the rest to the budget."""
    arrival = {setting for own in found for setting in own.by_arrival.settings()}
    gap = {setting for own in found for setting in own.by_gap.settings()} - arrival
    return pooled(place, arrival, range(seeds), beyond=True) | pooled(place, gap, range(seeds))


def _of_a_budget(measured: Measured, draws: Sequence[np.ndarray]) -> dict[str, Verdicts]:
    told: dict[str, list[Verdict]] = {name: [] for name in RULES}
    for own in measured.searches:
        new, old = own.by_arrival, own.by_gap
        for rows in draws:
            runs = measured.runs(new)
            told["clear"].append(by_arrival(runs, measured.worth(new), rows))
            blind = [_not_looking(run) for run in runs]
            told["without a look beyond"].append(by_arrival(blind, measured.worth(new), rows))
            told["before"].append(by_gap(measured.runs(old), measured.worth(old), rows))
    return {name: Verdicts.of(verdicts) for name, verdicts in told.items()}


def _not_looking(runs: Runs) -> Runs:
    readings = runs.readings
    columns = vars(readings) | {"left": np.zeros(len(readings), dtype=bool)}
    return runs._replace(readings=Readings(**columns))


class _Contradicting(NamedTuple):
    """Which pairs of a draw are clear both ways at some budgets, (V, pairs): any, and as the leader's."""

    pairs: np.ndarray
    leaders: np.ndarray


def _contradicting(told: Sequence[Verdicts]) -> _Contradicting:
    sides = np.array([verdicts.sides(True) for verdicts in told])  # (budgets, V, pairs)
    of_leader = np.array([verdicts.of_leader for verdicts in told])
    return _Contradicting(_both_ways(sides), _both_ways(np.where(of_leader, sides, 0)))


def _both_ways(sides: np.ndarray) -> np.ndarray:
    return (sides == 1).any(axis=0) & (sides == -1).any(axis=0)


def _changes(told: Sequence[Verdicts]) -> float:
    leaders = np.array([verdicts.leader for verdicts in told])
    return float((leaders != leaders[0]).any(axis=0).mean())


# ---- the demo


DEMO_TRIALS = range(29, 41)
DEMO_STEPS = range(480, 521)


def demo(folder: Path, trials: Sequence[int], steps: Sequence[int]) -> Answer:
    """The first line of the README, with other numbers of trials and of steps: who leads, and by how much."""
    task = Task("lecture", ["problem=lecture"], 500, {}, ("sgd", "adam"))
    over_trials = [_demo(Place(task, folder / "demo"), f"tune.trials={count}") for count in trials]
    over_steps = [_demo(Place(task._replace(steps=count), folder / "demo")) for count in steps]
    rows = []
    for rule, place in (("before", 1), ("arrival", 0)):
        for name, told in (("trials", over_trials), ("steps", over_steps)):
            rows.append({"rule": rule, "over": name} | _range_of([both[place] for both in told]))
    table = pd.DataFrame(rows)
    ours = table[table["rule"] == "arrival"]
    numbers = {"leaders": float(ours["leaders"].max()), "apart": float(ours["largest over smallest"].max())}
    return Answer(table, numbers)


def _demo(place: Place, *lines: str) -> tuple[Verdict, Verdict]:
    chosen = search(place, *lines)
    found = Search(0.0, 0, *chosen)
    measured = Measured(
        "demo", False, place.task.optimizers, [found], chosen_runs(place, [found], EVALUATION)
    )
    rows = np.arange(EVALUATION)
    new = by_arrival(measured.runs(found.by_arrival), measured.worth(found.by_arrival), rows)
    old = by_gap(measured.runs(found.by_gap), measured.worth(found.by_gap), rows)
    return new, old


def _range_of(told: Sequence[Verdict]) -> dict:
    """Return over how many sweeps, how many leaders there are, and the range of sgd's lead over adam."""
    ratios = np.exp([verdict.log_ratio[0] for verdict in told])
    ratios = ratios[~np.isnan(ratios)]
    row = {"sweeps": len(told), "leaders": len({verdict.leader for verdict in told})}
    if not len(ratios):
        return row | {"smallest ratio": np.nan, "largest ratio": np.nan, "largest over smallest": np.nan}
    low, high = float(ratios.min()), float(ratios.max())
    return row | {"smallest ratio": low, "largest ratio": high, "largest over smallest": high / low}


# ---- intervals


class Intervals(NamedTuple):
    """How many seeds the pool has whose mean is the truth, and how often each pair is drawn from it."""

    seeds: int
    draws: int


def coverage(places: Sequence[Place], tasks: Sequence[Measured], rng: Generator, size: Intervals) -> Answer:
    """How many of the intervals that are printed hold the true ratio, that of a large pool of seeds."""
    rows = []
    for place, measured, own_rng in zip(places, tasks, rng.spawn(len(tasks)), strict=True):
        chosen = measured.searches[0].by_arrival
        pool = pooled(place, chosen.settings(), range(size.seeds))
        runs = [pool[Setting(name, chosen.lr[name])].readings for name in measured.optimizers]
        row: dict = {"task": measured.name}
        for n in (5, 10, 20):
            found = [_held(a, b, n, size.draws, own_rng) for a, b in _pairs(runs)]
            held = np.concatenate([own for own in found if len(own)] or [np.zeros(0, dtype=bool)])
            row[f"{n} seeds"] = float(held.mean()) if len(held) else np.nan
            of_pairs = [own.mean() for own in found if len(own) >= size.draws / 10]
            row[f"worst pair, {n}"] = float(min(of_pairs)) if of_pairs else np.nan
        rows.append(row)
    table = with_means(rows, [measured.held_out for measured in tasks])
    of_tasks = pd.DataFrame(rows).set_index("task")
    from_ten = of_tasks[["10 seeds", "20 seeds"]]
    lowest, task = worst(of_tasks["10 seeds"], least=True)
    numbers = {"mean": float(from_ten.stack().mean()), "worst": lowest}
    return Answer(table, numbers, {"worst": task})


def _pairs(runs: Sequence[Readings]) -> list[tuple[Readings, Readings]]:
    a, b = np.triu_indices(len(runs), 1)
    return [(runs[i], runs[j]) for i, j in zip(a, b, strict=True)]


def _held(a: Readings, b: Readings, n: int, draws: int, rng: Generator) -> np.ndarray:
    """Say of each interval that is printed of draws of n seeds whether it holds the true ratio."""
    rows = np.array([rng.choice(len(a), n, replace=False) for _ in range(draws)])
    codes = np.repeat(np.arange(draws), n)
    found = compare_groups(a.take(rows.ravel()), b.take(rows.ravel()), codes)
    held = np.zeros(draws, dtype=bool)
    is_printed = np.zeros(draws, dtype=bool)
    for unit, counts in (("evaluations", a.arrived & b.arrived), ("gap", _misses(a) & _misses(b))):
        own = found.unit == unit
        if own.any():
            ratio = np.exp((b.score[counts] - a.score[counts]).mean())
            is_printed |= own
            slack = 1e-9  # costs are whole numbers: where all seeds agree the interval is a point
            held |= own & (found.low <= ratio * (1 + slack)) & (ratio <= found.high * (1 + slack))
    return held[is_printed]


def _misses(runs: Readings) -> np.ndarray:
    return ~runs.arrived & ~runs.lost
