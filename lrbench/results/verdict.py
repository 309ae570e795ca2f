"""What may be said: three to six plain sentences a task, each with the number that a test or a count backs; the last is the line to paste."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results import leader, paste
from lrbench.results.curves import mean_ranks
from lrbench.results.leader import of, stated, what_varied
from lrbench.results.statistics import ALPHA, MARGIN, TESTED, below_target
from lrbench.results.statistics.contest import FEWEST_BLOCKS
from lrbench.results.text import counted, decades, factor, listed, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_IN_FULL = 2  # tasks
MOST_LEADERS = 6

Part = Callable[["Results", pd.Series, pd.DataFrame], Iterator[str]]  # of a task and its rows of the ranking


def headline(results: "Results") -> list[str]:
    """Return the sentences: up to two tasks in full, else what holds across them, a leader a task, and a line to paste."""
    tasks = [task for _, task in results.tasks.iterrows()]
    full = len(tasks) <= MOST_IN_FULL
    parts, shown = (IN_FULL, tasks) if full else ((leader.sentence,), tasks[:MOST_LEADERS])
    sentences = [
        sentence
        for task in shown
        for part in parts
        for sentence in part(results, task, of(results.ranking, task))
    ]
    return (
        sentences
        if full
        else [*_across(results), *sentences, *_unsaid(tasks[MOST_LEADERS:]), *_paste_over_all(results)]
    )


def _unsaid(tasks: list[pd.Series]) -> Iterator[str]:
    if tasks:
        yield f"{counted(len(tasks), 'more task')}: {listed([task['task'] for task in tasks])}; the ranking has each."


def _where(results: "Results", task: pd.Series) -> str:
    return f" on {task['task']}" if len(results.tasks) > 1 else ""


# ---- the target


def _target(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    """Say who reaches the target first: medians over the seeds, of those with which at least half of them reach it."""
    target = f"the target{_where(results, task)} (relative gap {setting_value(results.manifest['target'])})"
    defined = rows.dropna(subset="evaluations_to_target")
    reached = defined[np.isfinite(defined["evaluations_to_target"])].sort_values(
        "evaluations_to_target", kind="stable"
    )
    if len(reached):
        first, others = reached.iloc[0], reached.iloc[1:]
        share = (
            f"; {first['hits']} of {what_varied(task, first['seeds'])}{_stays(results, task, first)}"
            if first["seeds"] > 1
            else ""
        )
        cost = f"{number(first['evaluations_to_target'])} gradient evaluations"
        yield f"{first['optimizer']} reaches {target} in {cost}{_fewer(first, others, len(rows))}{share}."
    elif len(defined):
        yield _missed(task, defined.sort_values("hits", ascending=False, kind="stable"), target)


def _stays(results: "Results", task: pd.Series, row: pd.Series) -> str:
    """Say whether an optimizer's typical gap is shown to be below the target at the end: a first hit may be a crossing."""
    runs = of(results.reported, row)
    gaps = runs.loc[runs["name"] == row["optimizer"], "gap"].to_numpy()
    p = below_target(gaps, float(results.manifest["target"]) * task["scale"], task["gap_floor"])
    return (
        ""
        if np.isnan(p)
        else f" reach it, and the typical gap {'ends' if p < ALPHA else 'is not shown to end'} below it (one-sided {stated(p)})"
    )


def _fewer(first: pd.Series, others: pd.DataFrame, optimizers: int) -> str:
    """Compare with the next one that reaches the target."""
    if not len(others):
        return ", and no other does in half of its runs" if optimizers > 1 else ""
    level = list(others.loc[others["evaluations_to_target"] == first["evaluations_to_target"], "optimizer"])
    if level:
        return f", as many as {listed(level)}"
    if not first["evaluations_to_target"]:
        return f", before {others.iloc[0]['optimizer']}"
    return f", {factor(others.iloc[0]['evaluations_to_target'] / first['evaluations_to_target'])} times fewer than {others.iloc[0]['optimizer']}"


def _missed(task: pd.Series, rows: pd.DataFrame, target: str) -> str:
    most, name = rows.iloc[0], rows.iloc[0]["optimizer"]
    share = f"{most['hits']} of {what_varied(task, most['seeds'])}"
    who = f"{name} does not reach" if len(rows) == 1 else "No optimizer reaches"
    return f"{who} {target}{f' in half of its runs; {name} does in {share}' if most['hits'] else ''}."


# ---- the learning rate


def _tolerance(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    """Say over how many decades of lr the target is reached. A stretch that the end of its grid cuts off may be the widest all the same."""
    table = of(results.sensitivity_table, task)
    table = table[table["lrs"] > 1]
    wide = table[table["tolerance"] > 0].sort_values("tolerance", ascending=False, kind="stable")
    if not len(wide):
        return
    cut, widest = wide["open_low"] | wide["open_high"], wide["tolerance"] == wide["tolerance"].max()
    names, least = list(wide.loc[widest, "optimizer"]), "at least " * bool(cut[widest].any())
    low, high = (setting_value(wide.iloc[0][f"{end}_lr"]) for end in ("lowest", "highest"))
    width = f"over {least}{decades(wide['tolerance'].max(), False)} of lr{f' ({low} to {high})' * (len(names) == 1)}"
    if len(table) == 1:
        yield f"{names[0]} reaches the target{_where(results, task)} {width}."
        return
    also = wide[cut & ~widest]
    narrower = [
        f"{name} (at least {decades(tolerance, False)})"
        for name, tolerance in zip(also["optimizer"], also["tolerance"], strict=True)
    ]
    perhaps = (
        f"; cut off by the end of the search, so perhaps as wide: {listed(narrower, most=3)}"
        if narrower
        else ""
    )
    are, reach = (
        ("is least sensitive to its lr", "it reaches")
        if len(names) == 1
        else ("are least sensitive to their lr", "they reach")
    )
    yield f"{listed(names)} {are}{_where(results, task)}: {reach} the target {width}{perhaps}."


# ---- tuning


def _gain(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    """Say what tuning gained over the default, on seeds on which neither was chosen, of the optimizer that the sentences speak of."""
    best = leader.best_of(rows)
    if not results.tuned or best is None:
        return
    default = "its default lr" if results.manifest["tune"]["keys"] == ["lr"] else "its defaults"
    gains = of(results.tuned_against_default, task)
    for row in gains[gains["optimizer"] == best["optimizer"]].to_dict("records"):
        yield f"{_gained(row, default)}{_where(results, task)}."


def _gained(row: dict, default: str) -> str:
    name = row["optimizer"]
    if row["test"] in ("identical", "floor"):
        return f"Tuning gained {name} nothing over {default}: {SAME[row['test']]}"
    if row["test"] in TESTED and row["p"] >= ALPHA:
        return f"No gain from tuning is shown for {name} over {default} ({stated(row['p'])})"
    size = row["at_least"] if row["test"] == "sign" else row["gain"]
    if row["test"] in TESTED and _within_margin(row):
        return f"{name} gains less than {MARGIN} times from tuning, if anything, over {default} ({stated(row['p'])})"
    if np.isinf(size):
        return f"{name} needed tuning: with {default} {'most of its runs do not complete' if row['test'] == 'sign' else 'its run does not complete'}"
    backing = {
        "t": lambda: (
            leader.interval(row["low"], row["high"])
            if size >= 1
            else leader.interval(1 / row["high"], 1 / row["low"])
        ),
        "sign": lambda: f"sign test, {int(row['n'])} pairs, {stated(row['p'])}",
        "none": lambda: "one run",
    }[row["test"]]()
    times = f"{'at least ' * (row['test'] == 'sign')}{factor(max(size, 1 / size))} times"
    return f"{name} ends {times} {'lower' if size >= 1 else 'higher'} tuned than with {default} ({backing})"


def _within_margin(row: dict) -> bool:
    low, high = (row["low"], row["high"]) if row["test"] == "t" else (row["at_least"], row["at_least"])
    return low <= MARGIN and high >= 1 / MARGIN


SAME = {"identical": "the runs are equal bit for bit", "floor": "both end at the gap floor"}


# ---- across tasks


def _across(results: "Results") -> Iterator[str]:
    """Say who is ahead over all problems, from six on: exact Wilcoxon tests over problems, adjusted by Holm."""
    pairs = results.across
    if not len(pairs) or pairs["problems"].iloc[0] < FEWEST_BLOCKS:
        return
    first = mean_ranks(pairs).index[0]
    own = pairs[(pairs["a"] == first) | (pairs["b"] == first)]
    other = own["b"].where(own["a"] == first, own["a"])
    ahead, level = own["better"] == first, own["better"] == ""
    scope = f"Across {pairs['problems'].iloc[0]} problems"
    if (enough := _enough(len(pairs))) > pairs["problems"].iloc[0]:
        yield f"{scope}, nothing can be shown between {counted(len(mean_ranks(pairs)), 'optimizer')}: that takes {enough} problems."
        return
    if not ahead.any():
        yield f"{scope}, no difference is shown between {first}, which has the lowest mean rank, and {listed(list(other[level]))}."
        return
    undecided = f"; no difference shown from {listed(list(other[level]))}" if level.any() else ""
    largest = stated(own.loc[ahead, "p_holm"].max())
    yield f"{scope}, {first} is ahead of {listed(list(other[ahead]))} (exact Wilcoxon, Holm: largest {largest}){undecided}."


def _enough(tests: int) -> int:
    """Return how many problems could show anything at all: the least p of an exact test is 2 / 2^problems, and Holm multiplies it by the tests."""
    return math.floor(math.log2(2 * tests / ALPHA)) + 1


# ---- what it took, what to do


def budget(results: "Results") -> Iterator[str]:
    """Say what a tuned sweep spent: settings and seeds of each optimizer, and gradient evaluations by what they were for."""
    if not results.tuned or results.ranking.empty:
        return
    runs = results.entries.drop_duplicates(["name", "run_id", "role"])
    spent = runs.groupby("role")["evaluations"].sum()
    trials = sorted({int(count) for count in results.ranking["trials"]})
    tried = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    seeds = counted(results.searched["seed"].nunique(), "tuning seed")
    parts = [f"{number(round(spent[role], 0))} {words}" for role, words in PURPOSES.items() if role in spent]
    yield f"Budget: {tried} settings an optimizer on {seeds}; gradient evaluations: {', '.join(parts)}."


PURPOSES = {"trial": "for the search", "evaluation": "for the evaluation", "default": "at the defaults"}


def _direct(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    if task["quadratic"] and pd.isna(task["batch_size"]) and pd.notna(task["solve_seconds"]):
        seconds = task["solve_seconds"]
        took = f"{factor(1e3 * seconds)} ms" if seconds < 1 else f"{factor(seconds)} s"
        yield f"A direct solver finds this minimum{_where(results, task)} exactly; here it took {took}."


def _paste(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    best = leader.best_of(rows)
    if best is not None:
        scope = task["task"] if len(results.tasks) > 1 else f"loss {task['loss']}"
        columns = " on standardized columns" if isinstance(task["x_scale"], tuple) else ""
        yield f"To paste, for {scope}{columns}: {_line(results, best)}"


def _paste_over_all(results: "Results") -> Iterator[str]:
    """Give the line of the optimizer with the lowest mean rank that lost no seeds anywhere; settings may differ from task to task."""
    names = mean_ranks(results.across).index if len(results.across) else results.ranking["optimizer"].unique()
    for name in names:
        rows = results.ranking[results.ranking["optimizer"] == name]
        if len(rows) == len(results.tasks) and np.isfinite(rows["gap"]).all():
            runs = results.reported[results.reported["name"] == name].drop_duplicates("task")
            lines = pd.Series([paste.line(run) for _, run in runs.iterrows()]).value_counts(sort=False)
            common = lines.idxmax()
            scope = "all tasks" if len(lines) == 1 else f"{lines.max()} of {len(rows)} tasks"
            yield f"To paste, {name} as it was chosen on {scope}: {common}"
            return


def _line(results: "Results", row: pd.Series) -> str:
    runs = of(results.reported, row)
    return paste.line(runs[runs["name"] == row["optimizer"]].iloc[0])


IN_FULL: tuple[Part, ...] = (leader.sentence, _target, _tolerance, _gain, _direct, _paste)
