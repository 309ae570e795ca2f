"""What may be said of a sweep: three to six plain sentences a task, each with the number that a test or a
count backs.

The last sentence is the line to paste.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from lrbench.results.notation import counted, decades, factor, listed, number, setting_value
from lrbench.results.statistics import ALPHA, FEWEST_SIGNS, MARGIN, TESTED, below_target
from lrbench.results.tables.overall import mean_ranks
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.tables.tuning import shown_sides
from lrbench.results.words import leader, paste
from lrbench.results.words.phrases import interval_stated, on_task, stated, what_varied

MOST_IN_FULL = 2  # tasks
MOST_LEADERS = 6

Part = Callable[[Sweep, pd.Series, pd.DataFrame], Iterator[str]]  # of a task and its rows of the ranking


def headline(sweep: Sweep) -> list[str]:
    """Return the sentences: up to two tasks in full, else what holds across them, a leader a task, and a
    line to paste.
    """
    tasks = [task for _, task in sweep.tasks.iterrows()]
    if len(tasks) <= MOST_IN_FULL:
        return list(_sentences(sweep, tasks, IN_FULL))
    leaders = _sentences(sweep, tasks[:MOST_LEADERS], (leader.sentence,))
    return [*_across(sweep), *leaders, *_unsaid(tasks[MOST_LEADERS:]), *_paste_over_all(sweep)]


def _sentences(sweep: Sweep, tasks: list[pd.Series], parts: tuple[Part, ...]) -> Iterator[str]:
    for task in tasks:
        ranking = of_task(sweep.ranking, task["task"])
        for part in parts:
            yield from part(sweep, task, ranking)


def _unsaid(tasks: list[pd.Series]) -> Iterator[str]:
    if tasks:
        labels = listed([task["task"] for task in tasks])
        yield f"{counted(len(tasks), 'more task')}: {labels}; the ranking has each."


# ---- the target


def _target(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say who reaches the target first: medians over the seeds, of those with which at least half of them
    reach it.
    """
    where = on_task(sweep, task["task"])
    target = f"the target{where} (relative gap {setting_value(sweep.target)})"
    defined = ranking.dropna(subset="evaluations_to_target")
    reached = defined[np.isfinite(defined["evaluations_to_target"])]
    if len(reached):
        in_order = reached.sort_values("evaluations_to_target", kind="stable")
        first, others = in_order.iloc[0], in_order.iloc[1:]
        cost = f"{number(first['evaluations_to_target'])} gradient evaluations"
        fewer = _fewer(first, others, len(ranking))
        yield f"{first['optimizer']} reaches {target} in {cost}{fewer}{_share(sweep, task, first)}."
    elif len(defined):
        yield _missed(task, defined, target)


def _share(sweep: Sweep, task: pd.Series, row: pd.Series) -> str:
    """Say how many of the seeds reach the target, where there are several."""
    if row["seeds"] == 1:
        return ""
    return f"; {row['hits']} of {what_varied(task, row['seeds'])}{_stays(sweep, task, row)}"


def _stays(sweep: Sweep, task: pd.Series, row: pd.Series) -> str:
    """Say whether an optimizer's typical gap is shown to be below the target at the end: a first hit may be
    a crossing.
    """
    runs = of_task(sweep.reported, row["task"])
    gaps = runs.loc[runs["optimizer"] == row["optimizer"], "gap"].to_numpy()
    p = below_target(gaps, sweep.target * task["scale"], task["gap_floor"])
    if np.isnan(p):
        return ""
    ends = "ends" if p < ALPHA else "is not shown to end"
    return f" reach it, and the typical gap {ends} below it (one-sided {stated(p)})"


def _fewer(first: pd.Series, others: pd.DataFrame, optimizers: int) -> str:
    """Compare with the next one that reaches the target."""
    if not len(others):
        return ", and no other does in half of its runs" if optimizers > 1 else ""
    cost = first["evaluations_to_target"]
    level = list(others.loc[others["evaluations_to_target"] == cost, "optimizer"])
    if level:
        return f", as many as {listed(level)}"
    following = others.iloc[0]
    if not cost:
        return f", before {following['optimizer']}"
    ratio = factor(following["evaluations_to_target"] / cost)
    return f", {ratio} times fewer than {following['optimizer']}"


def _missed(task: pd.Series, ranking: pd.DataFrame, target: str) -> str:
    most = ranking.sort_values("hits", ascending=False, kind="stable").iloc[0]
    name = most["optimizer"]
    who = f"{name} does not reach" if len(ranking) == 1 else "No optimizer reaches"
    if not most["hits"]:
        return f"{who} {target}."
    share = f"{most['hits']} of {what_varied(task, most['seeds'])}"
    return f"{who} {target} in half of its runs; {name} does in {share}."


# ---- the learning rate


def _tolerance(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say over how many decades of lr the target is reached.

    A stretch that the end of its grid cuts off may be the widest all the same.
    """
    table = of_task(sweep.sensitivity_table, task["task"])
    table = table[table["lrs"] > 1]
    wide = table[table["tolerance"] > 0].sort_values("tolerance", ascending=False, kind="stable")
    if not len(wide):
        return
    where = on_task(sweep, task["task"])
    is_cut = wide["open_low"] | wide["open_high"]
    is_widest = wide["tolerance"] == wide["tolerance"].max()
    names = list(wide.loc[is_widest, "optimizer"])
    width = f"over {_width(wide, is_cut & is_widest, names)}"
    if len(table) == 1:
        yield f"{names[0]} reaches the target{where} {width}."
        return
    perhaps = _perhaps_as_wide(wide[is_cut & ~is_widest])
    if len(names) == 1:
        yield f"{names[0]} is least sensitive to its lr{where}: it reaches the target {width}{perhaps}."
    else:
        yield (
            f"{listed(names)} are least sensitive to their lr{where}: they reach the target {width}{perhaps}."
        )


def _width(wide: pd.DataFrame, cut_widest: pd.Series, names: list[str]) -> str:
    """Write the largest width, of one optimizer with its ends: "at least 1.5 decades of lr (0.01 to 0.3)"."""
    widest = wide.iloc[0]
    least = "at least " if cut_widest.any() else ""
    width = f"{least}{decades(widest['tolerance'], False)} of lr"
    if len(names) > 1:
        return width
    return f"{width} ({setting_value(widest['lowest_lr'])} to {setting_value(widest['highest_lr'])})"


def _perhaps_as_wide(cut: pd.DataFrame) -> str:
    if not len(cut):
        return ""
    rows = cut[["optimizer", "tolerance"]].itertuples(index=False)
    cases = [f"{name} (at least {decades(tolerance, False)})" for name, tolerance in rows]
    return f"; cut off by the end of the search, so perhaps as wide: {listed(cases, most=3)}"


# ---- tuning


def _gain(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say what tuning gained over the default, on seeds on which neither was chosen.

    Of the optimizer that the sentences speak of.
    """
    best = leader.best_of(ranking)
    if not sweep.tuned or best is None:
        return
    default = "its default lr" if sweep.manifest["tune"]["keys"] == ["lr"] else "its defaults"
    gains = of_task(sweep.tuned_against_default, task["task"])
    gains = gains.assign(shown=shown_sides(gains))
    for gain in gains[gains["optimizer"] == best["optimizer"]].to_dict("records"):
        yield f"{_gained(gain, default)}{on_task(sweep, task['task'])}."


SAME = {"identical": "the runs are equal bit for bit", "floor": "both end at the gap floor"}


def _gained(gain: dict, default: str) -> str:
    name, test = gain["optimizer"], gain["test"]
    if test in SAME:
        return f"Tuning gained {name} nothing over {default}: {SAME[test]}"
    if test in TESTED and gain["p"] >= ALPHA:
        return f"No gain from tuning is shown for {name} over {default} ({stated(gain['p'])})"
    if test in TESTED and gain["shown"] == 0:
        little = f"{name} gains less than {MARGIN} times from tuning, if anything"
        return f"{little}, over {default} ({stated(gain['p'])})"
    times = gain["at_least"] if test == "sign" else gain["gain"]
    if np.isinf(times):
        lost = "most of its runs do not complete" if test == "sign" else "its run does not complete"
        return f"{name} needed tuning: with {default} {lost}"
    if times == 0:  # a gap of 0, where the problem has no floor
        return f"{name} ends higher tuned than with {default}, which ends at the minimum"
    least = "at least " if test == "sign" else ""
    where = "lower" if times >= 1 else "higher"
    size = factor(max(times, 1 / times))
    return f"{name} ends {least}{size} times {where} tuned than with {default} ({_backing(gain, times)})"


def _backing(gain: dict, times: float) -> str:
    """Say what a gain rests on."""
    if gain["test"] == "none":
        return "one run"
    if gain["test"] == "sign":
        return f"sign test, {int(gain['n'])} pairs, {stated(gain['p'])}"
    if times >= 1:
        return interval_stated(gain["low"], gain["high"])
    return interval_stated(1 / gain["high"], 1 / gain["low"])


# ---- across tasks


def _across(sweep: Sweep) -> Iterator[str]:
    """Say who is ahead over all problems, from six on: exact Wilcoxon tests, adjusted by Holm."""
    pairs = sweep.across
    if not len(pairs):
        return
    problems = pairs["problems"].iloc[0]
    if problems < FEWEST_SIGNS:
        return
    scope = f"Across {problems} problems"
    names = mean_ranks(pairs).index
    enough = _enough(len(pairs))
    if enough > problems:
        between = counted(len(names), "optimizer")
        yield f"{scope}, nothing can be shown between {between}: that takes {enough} problems."
        return
    first = names[0]
    own = pairs[(pairs["a"] == first) | (pairs["b"] == first)]
    others = own["b"].where(own["a"] == first, own["a"])
    is_ahead = own["better"] == first
    level = list(others[own["better"] == ""])
    if not is_ahead.any():
        yield (
            f"{scope}, no difference is shown between {first}, which has the lowest mean rank, and "
            f"{listed(level)}."
        )
        return
    undecided = f"; no difference shown from {listed(level)}" if level else ""
    largest = stated(own.loc[is_ahead, "p_holm"].max())
    behind = listed(list(others[is_ahead]))
    yield f"{scope}, {first} is ahead of {behind} (exact Wilcoxon, Holm: largest {largest}){undecided}."


def _enough(tests: int) -> int:
    """Return how many problems could show anything at all.

    The least p of an exact test is 2 / 2^problems, and Holm multiplies it by the tests.
    """
    return math.floor(math.log2(2 * tests / ALPHA)) + 1


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
    columns = " on standardized columns" if isinstance(task["x_scale"], tuple) else ""
    runs = of_task(sweep.reported, task["task"])
    run = runs[runs["optimizer"] == best["optimizer"]].iloc[0]
    yield f"To paste, for {scope}{columns}: {paste.line(run)}"


def _paste_over_all(sweep: Sweep) -> Iterator[str]:
    """Give the line of the optimizer with the lowest mean rank that lost no seeds anywhere.

    Its settings may differ from task to task: the most frequent is given.
    """
    ranked = mean_ranks(sweep.across).index if len(sweep.across) else sweep.ranking["optimizer"].unique()
    for name in ranked:
        rows = sweep.ranking[sweep.ranking["optimizer"] == name]
        if len(rows) == len(sweep.tasks) and np.isfinite(rows["gap"]).all():
            runs = sweep.reported[sweep.reported["optimizer"] == name].drop_duplicates("task")
            lines = pd.Series([paste.line(run) for _, run in runs.iterrows()]).value_counts(sort=False)
            scope = "all tasks" if len(lines) == 1 else f"{lines.max()} of {len(rows)} tasks"
            yield f"To paste, {name} as it was chosen on {scope}: {lines.idxmax()}"
            return


IN_FULL: tuple[Part, ...] = (leader.sentence, _target, _tolerance, _gain, _direct, _paste)
