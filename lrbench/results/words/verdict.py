"""What may be said of a sweep: the verdict first, how sure it is, which rates work, and the line to paste.

Each sentence has the number that a test or a count backs.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, factor, listed, number, setting_value
from lrbench.results.statistics import ALPHA, FEWEST_SIGNS
from lrbench.results.statistics.verdicts import AS_GOOD, BETTER, CLOSE, SAME, UNDECIDED
from lrbench.results.tables.overall import mean_ranks
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words import leader, paste
from lrbench.results.words.phrases import names, on_task, stated

MOST_IN_FULL = 2  # tasks
MOST_LEADERS = 6
WIDER = 2.0  # times: from which on the range of rates that work is worth naming

Part = Callable[[Sweep, pd.Series, pd.DataFrame], Iterator[str]]  # of a task and its rows of the ranking


def headline(sweep: Sweep) -> list[str]:
    """Return the sentences: up to two tasks in full, else what holds across them, a verdict a task, and a
    line to paste.
    """
    tasks = [task for _, task in sweep.tasks.iterrows()]
    if len(tasks) <= MOST_IN_FULL:
        return list(_sentences(sweep, tasks, IN_FULL))
    verdicts = _sentences(sweep, tasks[:MOST_LEADERS], (leader.sentence,))
    return [
        *_over_tasks(sweep),
        *_across(sweep),
        *verdicts,
        *_unsaid(tasks[MOST_LEADERS:]),
        *_one_for_all(sweep),
    ]


def _sentences(sweep: Sweep, tasks: list[pd.Series], parts: tuple[Part, ...]) -> Iterator[str]:
    for task in tasks:
        ranking = of_task(sweep.ranking, task["task"])
        for part in parts:
            yield from part(sweep, task, ranking)


def _unsaid(tasks: list[pd.Series]) -> Iterator[str]:
    if tasks:
        labels = listed([task["task"] for task in tasks])
        yield f"{counted(len(tasks), 'more task')}: {labels}; the ranking has each."


# ---- the learning rate


def _rates_that_work(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say over which learning rates an optimizer costs at most twice its best, where they differ in that."""
    table = of_task(sweep.sensitivity_table, task["task"])
    working = table[(table["lrs"] > 1) & (table["tolerance"] > 0)]
    if not len(working):
        return
    width = (working["highest_lr"] / working["lowest_lr"]).to_numpy()
    is_open = (working["open_low"] | working["open_high"]).to_numpy()
    widest = working.iloc[int(np.argmax(width))]
    narrowest = working.iloc[int(np.argmin(width))]
    text = f"{displayed(widest['optimizer'])} works{on_task(sweep, task['task'])} {_range(widest)}"
    if len(working) == 1:
        yield f"{text}: there it costs at most twice its best."
    elif width.max() > WIDER * width.min() and not is_open[np.argmin(width)]:
        other = f"{displayed(narrowest['optimizer'])} {_range(narrowest)}"
        yield f"{text}, {other}: there each costs at most twice its best (tried rates only)."


def _range(row: pd.Series) -> str:
    """Write a range of rates: "from 0.158 to 3.98 (25 times)", with ≤ or ≥ where the search ended there."""
    low = f"{'≤ ' if row['open_low'] else ''}{setting_value(row['lowest_lr'])}"
    high = f"{'≥ ' if row['open_high'] else ''}{setting_value(row['highest_lr'])}"
    return f"from {low} to {high} ({factor(row['highest_lr'] / row['lowest_lr'])} times)"


# ---- tuning


def _gain(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say what tuning gained over the default, on seeds on which neither was chosen.

    Of the optimizer that the sentences speak of.
    """
    best = leader.best_of(ranking)
    if not sweep.tuned or best is None:
        return
    gains = of_task(sweep.tuned_against_default, task["task"])
    default = "torch's default rate" if sweep.manifest["tune"]["keys"] == ["lr"] else "torch's defaults"
    for gain in gains[gains["optimizer"] == best["optimizer"]].to_dict("records"):
        yield f"{_gained(gain, default)}{on_task(sweep, task['task'])}."


def _gained(gain: dict, default: str) -> str:
    name, word = displayed(gain["optimizer"]), gain["word"]
    if word == SAME:
        return f"Tuning changed nothing for {name}: with {default} its runs are the same bit for bit"
    if word == AS_GOOD:
        return f"{name} is as good with {default}"
    if word in UNDECIDED:
        return f"Whether tuning gained {name} anything over {default} is not settled"
    if word not in BETTER:
        return f"{name} lost every run, tuned and with {default}"
    perhaps = ", perhaps too little to matter" if word == CLOSE else ""
    if gain["side"] < 0:
        return f"{name} is better with {default} than tuned{_times(gain, turned=True)}{perhaps}"
    return f"Tuning pays: with {default} {name} {_untuned(gain)}{perhaps}"


def _untuned(gain: dict) -> str:
    """Say what an optimizer does at its default, against the tuned setting."""
    interval = leader.between(gain["low"], gain["high"])
    if gain["unit"] == "evaluations":
        return f"needs {factor(gain['gain'])} times as many evaluations{interval}"
    if gain["unit"] == "gap":
        return f"ends {factor(gain['gain'])} times as far off{interval}"
    if gain["default_arrived"] < gain["arrived"]:
        return f"arrives on {gain['default_arrived']} of {gain['n']} starts instead of {gain['arrived']}"
    return f"is behind on most of {gain['n']} starts ({stated(gain['p'])})"


def _times(gain: dict, turned: bool) -> str:
    if gain["unit"] is None or pd.isna(gain["gain"]):
        return ""
    ratio, low, high = 1 / gain["gain"], 1 / gain["high"], 1 / gain["low"]
    return f" ({factor(ratio)} times{leader.between(low, high)})"


# ---- across tasks


def _over_tasks(sweep: Sweep) -> Iterator[str]:
    """Say on how many tasks the best of them leads or is as good."""
    overall = sweep.overall
    if not len(overall):
        return
    best = overall.sort_values(["led", "mean_rank"], ascending=[False, True], kind="stable").iloc[0]
    name, led, tasks = displayed(best["optimizer"]), best["led"], len(sweep.tasks)
    if led == tasks:
        yield f"{name} leads or is as good on all {tasks}."
        return
    own = sweep.ranking[sweep.ranking["optimizer"] == best["optimizer"]]
    undecided = int(own["word"].isin(UNDECIDED).sum())
    open_on = f", not settled on {undecided}" if undecided else ""
    yield f"No optimizer wins on all {tasks}: {name} leads or is as good on {led}{open_on}."


def _across(sweep: Sweep) -> Iterator[str]:
    """Say who is ahead over all problems, from six on: exact Wilcoxon tests, adjusted by Holm."""
    pairs = sweep.across
    if not len(pairs):
        return
    problems = pairs["problems"].iloc[0]
    if problems < FEWEST_SIGNS:
        return
    scope = f"Across {problems} problems"
    ranked = mean_ranks(pairs).index
    enough = _enough(len(pairs))
    if enough > problems:
        between = counted(len(ranked), "optimizer")
        yield f"{scope}, nothing can be shown between {between}: that takes {enough} problems."
        return
    first = ranked[0]
    own = pairs[(pairs["a"] == first) | (pairs["b"] == first)]
    others = own["b"].where(own["a"] == first, own["a"])
    is_ahead = own["better"] == first
    level = list(others[own["better"] == ""])
    if not is_ahead.any():
        yield (
            f"{scope}, no difference is shown between {displayed(first)}, which has the lowest mean rank, "
            f"and {names(level)}."
        )
        return
    undecided = f"; no difference shown from {names(level)}" if level else ""
    largest = stated(own.loc[is_ahead, "p_holm"].max())
    behind = names(list(others[is_ahead]))
    sure = f"exact Wilcoxon, Holm: largest {largest}"
    yield f"{scope}, {displayed(first)} is ahead of {behind} ({sure}){undecided}."


def _enough(tests: int) -> int:
    """Return how many problems could show anything at all.

    The least p of an exact test is 2 / 2^problems, and Holm multiplies it by the tests.
    """
    return math.floor(math.log2(2 * tests / ALPHA)) + 1


def _one_for_all(sweep: Sweep) -> Iterator[str]:
    """Name the one setting for all tasks, of those that lose no run and keep the target, and give its line.

    Of a sweep that goes on nothing is said: other tasks, and runs that are lost, may come.
    """
    table = sweep.one_for_all
    if not len(table) or not sweep.complete:
        return
    row = table.iloc[0]  # whose setting is safe, if anybody's is
    if row["lost"] or row["left"]:
        return
    everywhere = f"all {row['tasks']} tasks"
    yield f"One setting for {everywhere}: {leader.who(row)}, which {_at_worst(row, sweep.tuned)}."
    tried = sweep.searched
    is_it = (tried["optimizer"] == row["optimizer"]) & (tried["setting"] == row["setting"])
    yield f"To paste, for {everywhere}{_standardized(sweep.tasks)}: {paste.line(tried[is_it].iloc[0])}"


def _at_worst(row: pd.Series, tuned: bool) -> str:
    """Say on how many tasks the one setting arrives, and what it costs at worst against the best of each."""
    if not row["solved"]:
        return "on no task arrives with half of its seeds"
    arrives_on_all = row["solved"] == row["tasks"]
    ratio = factor(row["ratio"])
    if ratio == factor(1.0):
        fewest = "takes the fewest evaluations on each"
        return fewest if arrives_on_all else f"{fewest} of the {row['solved']} on which it arrives"
    where = f"on {row['worst']}, by the tuning seeds" if tuned else f"on {row['worst']}"
    costs = f"takes at most {ratio} times the best one's evaluations ({where})"
    if arrives_on_all:
        return costs
    return f"arrives on {row['solved']} of them; with a miss counted as the whole budget it {costs}"


def _standardized(tasks: pd.DataFrame) -> str:
    """Say that a setting is one on standardized columns, on which of several tasks it is, if not on all."""
    is_scaled = tasks["x_scale"].map(lambda scale: isinstance(scale, tuple))
    if not is_scaled.any():
        return ""
    on_some = "" if is_scaled.all() else f" ({is_scaled.sum()} of them)"
    return f" on standardized columns{on_some}"


# ---- what it took, what to do


PURPOSES = {"trial": "for the search", "evaluation": "for the evaluation", "default": "at the defaults"}


def budget(sweep: Sweep) -> Iterator[str]:
    """Say what a tuned sweep spent: settings and seeds of each optimizer, and gradient evaluations by what
    they were for.
    """
    if not sweep.tuned or sweep.ranking.empty:
        return
    runs = sweep.entries.drop_duplicates(["optimizer", "run_id", "role"])
    spent = runs.groupby("role")["evaluations"].sum()
    trials = sorted({int(count) for count in sweep.ranking["trials"]})
    tried = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    seeds = counted(sweep.searched["seed"].nunique(), "tuning seed")
    known = [role for role in PURPOSES if role in spent]
    parts = [f"{number(round(spent[role], 0))} {PURPOSES[role]}" for role in known]
    yield f"Budget: {tried} settings an optimizer on {seeds}; gradient evaluations: {', '.join(parts)}."


def _direct(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    if task["quadratic"] and pd.isna(task["batch_size"]) and pd.notna(task["solve_seconds"]):
        seconds = task["solve_seconds"]
        took = f"{factor(1e3 * seconds)} ms" if seconds < 1 else f"{factor(seconds)} s"
        where = on_task(sweep, task["task"])
        yield f"A direct solver finds this minimum{where} exactly; here it took {took}."


def _paste(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    best = leader.best_of(ranking)
    if best is None:
        return
    scope = task["task"] if len(sweep.tasks) > 1 else f"loss {task['loss']}"
    columns = _standardized(of_task(sweep.tasks, task["task"]))
    stop = f" (stop after {counted(round(best['steps_taken']), 'step')})" if best["passes"] else ""
    runs = of_task(sweep.reported, task["task"])
    run = runs[runs["optimizer"] == best["optimizer"]].iloc[0]
    yield f"To paste, for {scope}{columns}{stop}: {paste.line(run)}"


IN_FULL: tuple[Part, ...] = (
    leader.sentence,
    leader.confidence,
    _rates_that_work,
    _gain,
    _direct,
    _paste,
)
