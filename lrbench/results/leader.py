"""Who ends lowest on a task: one sentence, backed by tests where seeds allow them, and by digits where there is one run each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.comparisons import oriented
from lrbench.results.statistics import ALPHA, MARGIN, TESTED
from lrbench.results.text import counted, factor, listed, named, number, p_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


def what_varied(task: pd.Series, seeds: int) -> str:
    """Name what differs between the seeds of a setting: "10 starts", "10 batch orders", "10 starts and batch orders", "1 seed"."""
    drawn = pd.notna(task["batch_size"]) and task["batch_order"] != "sequential"
    varying = ["start"] * (task["init"] == "torch") + ["batch order"] * drawn
    return (
        counted(seeds, "seed")
        if seeds == 1 or not varying
        else f"{seeds} {' and '.join(f'{word}s' for word in varying)}"
    )


def stated(p: float) -> str:
    """Write a p value in a sentence: "p = 0.032", "p < 0.001"."""
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def interval(low: float, high: float) -> str:
    """Write a 95 % interval in a sentence; runs that all give one ratio have none that can be seen."""
    low, high = factor(low), factor(high)
    return "nearly the same for every seed" if low == high else f"95 % interval {low} to {high}"


def visible(pairs: pd.DataFrame) -> pd.Series:
    """Return the ratio from which on a pair could show a difference: half the width of its interval, beyond the margin."""
    return MARGIN * (pairs["high"] / pairs["low"]) ** 0.5


def not_visible(ratio: float) -> str:
    """Say what cannot be seen: differences under this ratio, or any where it is beyond all numbers."""
    return (
        f"differences under {factor(ratio)} times are not visible"
        if np.isfinite(ratio)
        else "no difference is visible"
    )


def best_of(rows: pd.DataFrame) -> pd.Series | None:
    """Return the row of a task's ranking that the sentences speak of: none that lost seeds.

    The optimizer that the tuning seeds put first, unless another is shown better; else the first of the ranking.
    """
    whole = rows[np.isfinite(rows["gap"])]
    ahead = whole[whole["leader"] & (whole["rank"] == 1)]
    return (ahead if len(ahead) else whole).iloc[0] if len(whole) else None


def sentence(results: "Results", task: pd.Series, rows: pd.DataFrame) -> Iterator[str]:
    """Say who ends lowest on a task, rows of the ranking."""
    where = f"on {task['task']}"
    if rows.empty:
        yield f"Nothing is evaluated {where} yet."
    elif not rows["completed"].any():
        setting = " at a chosen setting" if results.tuned else ""
        yield f"No run completed {where}{setting}: {rows['diverged'].sum()} diverged and {rows['failed'].sum()} failed of {rows['runs'].sum()}."
    elif (lowest := best_of(rows)) is None:
        setting = "at its chosen setting" if results.tuned else "whatever the setting"
        yield f"No optimizer completed all its seeds {where}, {setting}{_field(rows)}."
    else:
        rivals = _rivals(results, lowest)
        told = _tested if rivals["test"].isin(TESTED).any() else _by_digits
        yield told(results, task, rows, lowest, rivals)


def of(frame: pd.DataFrame, task: pd.Series) -> pd.DataFrame:
    """Return the rows of one task."""
    return frame[frame["task"] == task["task"]]


def _rivals(results: "Results", best: pd.Series) -> pd.DataFrame:
    """Return the pairs of an optimizer with all others in the order of the ranking: it is a, the other b, and ratios say by how much it is lower."""
    pairs = of(results.pairwise, best)
    pairs = pairs[(pairs["a"] == best["optimizer"]) | (pairs["b"] == best["optimizer"])]
    return oriented(pairs, pairs["b"] == best["optimizer"])


def _by_digits(
    results: "Results", task: pd.Series, rows: pd.DataFrame, best: pd.Series, rivals: pd.DataFrame
) -> str:
    """Say where one run each ended, or runs that are the same: facts, no test."""
    leaders = rows[(rows["rank"] == 1) & (rows["gap"] == best["gap"])]
    names = listed(
        [named(name, setting) for name, setting in zip(leaders["optimizer"], leaders["setting"], strict=True)]
    )
    context = f"after {counted(task['steps'], 'step')}, {_basis(task, best)}{_field(rows)}."
    if len(leaders) > 1 and best["at_floor"]:
        return f"{names} are tied on {task['task']}: they end at the gap floor, {number(best['gap'])} or less, {context}"
    if len(leaders) > 1 and (rivals.loc[rivals["b"].isin(leaders["optimizer"]), "test"] == "identical").all():
        return f"{names} are identical on {task['task']}: bit-equal runs, no test; gap {number(best['gap'])} {context}"
    if len(leaders) > 1:
        return f"{names} end level on {task['task']}: gap {number(best['gap'])} {context}"
    lowest = f"ends on {task['task']} at" if len(rows) == 1 else f"ends lowest on {task['task']}:"
    return f"{names} {lowest} gap {_gap(best)}{', ' if best['at_floor'] else ' '}{context}"


def _tested(
    results: "Results", task: pd.Series, rows: pd.DataFrame, best: pd.Series, rivals: pd.DataFrame
) -> str:
    """Say who ends lowest, from whom it cannot be told apart, and who is behind by how much."""
    scope = " of this one problem" if results.tasks["problem_id"].nunique() == 1 else ""
    mean = f"geometric mean {_gap(best)}{' over the last epoch' if pd.notna(task['batch_size']) else ''}"
    name, lowest = (
        named(best["optimizer"], best["setting"]),
        "lowest " if best["gap"] == rows["gap"].min() else "",
    )
    why = ", lowest on the tuning seeds," if results.tuned and best["leader"] and not lowest else ""
    after = f"after {counted(task['steps'], 'step')}"
    clauses = [
        f"Over {what_varied(task, best['seeds'])}{scope}, {name}{why} ends {lowest}on {task['task']} {after}: {mean}",
        *_chosen_elsewhere(results, rows, best),
        *_lower(rows, best),
        *_level(rivals),
        *_undecided(rivals),
        *_within_margin(rivals, best),
        *_ahead(rivals, best),
        *_behind(rivals, best),
        *_never(rows),
        *_family(results, rows),
    ]
    return f"{'; '.join(clauses)}."


def _chosen_elsewhere(results: "Results", rows: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say what became of the optimizer that the tuning seeds put first, where that is not this one."""
    if results.tuned and not best["leader"] and rows["leader"].any():
        leader = rows[rows["leader"]].iloc[0]
        fate = "lost seeds here" if np.isinf(leader["gap"]) else "is beaten here"
        yield f"{leader['optimizer']}, lowest on the tuning seeds, {fate}"


def _lower(rows: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say whose mean is lower still without being shown better."""
    lower = rows[rows["gap"] < best["gap"]].sort_values("gap", kind="stable")
    if len(lower):
        first = lower.iloc[0]
        yield f"{first['optimizer']} ends lower, at {_gap(first)}, which may be chance"


def _level(rivals: pd.DataFrame) -> Iterator[str]:
    for test, words in (
        ("identical", "identical to {}: bit-equal runs, no test"),
        ("floor", "level with {} at the gap floor"),
    ):
        names = list(rivals.loc[rivals["test"] == test, "b"])
        if names:
            yield words.format(listed(names))


def _undecided(rivals: pd.DataFrame) -> Iterator[str]:
    undecided = rivals[(rivals["better"] == "") & (rivals["p_holm"] >= ALPHA)]
    if not len(undecided):
        return
    found = "not separable from" if (rivals["better"] != "").any() else "no difference shown from"
    for test, rows in undecided.groupby("test", sort=False):
        least = f"sign test, smallest {stated(rows['p_holm'].min())}"
        limit = not_visible(visible(rows).max()) if test == "t" else least
        yield f"{found} {listed(list(rows['b']))} ({limit})"


def _within_margin(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say who differs for certain, but perhaps by less than what counts."""
    for row in rivals[(rivals["better"] == "") & (rivals["p_holm"] < ALPHA)].head(1).to_dict("records"):
        yield f"{row['b']} differs, but perhaps by less than {MARGIN} times ({_by(row, best)})"


def _ahead(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    ahead = rivals.loc[(rivals["better"] != "") & (rivals["better"] != best["optimizer"]), "b"]
    if len(ahead):
        yield f"{listed(list(ahead))} {'is' if len(ahead) == 1 else 'are'} lower in most runs, yet not in the mean"


def _behind(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    behind = rivals[rivals["better"] == best["optimizer"]]
    if not len(behind):
        return
    first = behind.iloc[0].to_dict()
    if len(behind) == 1:
        yield f"{first['b']} is behind ({_by(first, best)})"
    else:
        who = (
            f"{len(behind)}"
            if len(behind) < len(rivals)
            else "both"
            if len(behind) == 2
            else f"all {len(behind)}"
        )
        yield f"{who} others are behind (next: {first['b']}, {_by(first, best)})"


def _by(pair: dict, best: pd.Series) -> str:
    """Write by how much a is lower than b: a ratio with its interval where a t test holds, else in how many runs and at least how many times."""
    distinct = f", {int(pair['n'])} distinct runs" if pair["n"] < best["seeds"] else ""
    if pair["test"] == "t":
        return f"{factor(pair['ratio'])} times, {interval(pair['low'], pair['high'])}{distinct}"
    if pair["test"] == "none":
        return (
            f"{factor(pair['ratio'])} times, one run"
            if np.isfinite(pair["ratio"])
            else "its one run did not complete"
        )
    bound = (
        f"at least {factor(pair['at_least'])} times in half of them"
        if np.isfinite(pair["at_least"])
        else "most of its runs did not complete"
    )
    return f"in {int(pair['wins'])} of {counted(int(pair['n']), 'run')}, {bound}"


def _never(rows: pd.DataFrame) -> Iterator[str]:
    never = list(rows.loc[rows["completed"] == 0, "optimizer"])
    if never:
        yield f"{listed(never)} never completed"


def _family(results: "Results", rows: pd.DataFrame) -> Iterator[str]:
    """Say what the error rate is held over, and on which seeds settings were chosen where those are the same."""
    tests = of(results.pairwise, rows.iloc[0])["p"].notna().sum()
    if not results.tuned and tests > 1:
        yield f"Holm over {tests} tests"
    if not results.tuned and (rows["settings"] > 1).any():
        yield "settings chosen on the same seeds"


def _basis(task: pd.Series, best: pd.Series) -> str:
    if best["seeds"] > 1:
        return f"geometric mean over {what_varied(task, best['seeds'])}"
    return "one run" if best["runs"] == 1 else "one seed"


def _field(rows: pd.DataFrame) -> str:
    if len(rows) > 1:
        return f"; {len(rows)} optimizers ran"
    settings = rows.iloc[0]["settings"]
    return f"; the best of {settings} settings" if settings > 1 else ""


def _gap(row: pd.Series) -> str:
    return f"{number(row['gap'])}{' or less, the gap floor' if row['at_floor'] else ''}"
