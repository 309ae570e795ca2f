"""What to read before quoting: a sentence for each thing that weakens a claim, gravest first, and only what applies."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.leader import not_visible, visible
from lrbench.results.search import scattered
from lrbench.results.statistics import ALPHA, MARGIN, TESTED
from lrbench.results.text import counted, factor, listed, named, number, setting_value
from lrbench.results.warnings_budget import (
    at_floor,
    choice,
    flipped,
    names,
    on,
    oscillating,
    short,
    targets,
    too_easy,
)

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

FEW_SEEDS = 10
FEWEST_FOR_A_SIGN_TEST = 6  # with five, even five of five has p = 2 / 2**5 > 0.05


def warnings(results: "Results") -> list[str]:
    """Return the sentences."""
    return [*(sentence for check in CHECKS for sentence in check(results)), *results.manifest["warnings"]]


# ---- what was not run as planned


def _alarms(results: "Results") -> list[str]:
    return results.alarms


def _incomplete(results: "Results") -> Iterator[str]:
    planned, stored = results.manifest["counts"]["planned"], len(results.runs)
    if results.manifest["state"] != "complete" or stored < planned:
        state = {"interrupted": "was interrupted", "running": "is still running or was stopped"}.get(
            results.manifest["state"], "is incomplete"
        )
        yield f"The sweep {state}: {stored} of {counted(planned, 'planned run')} are stored. The same request goes on from there."


def _unevaluated(results: "Results") -> Iterator[str]:
    missing = sorted({*results.searched["name"]} - {*results.reported["name"]})
    if missing:
        yield f"Searched but not evaluated yet, and so in no table: {listed(missing)}."


def _lost_at_best(results: "Results") -> Iterator[str]:
    lost = results.chosen[results.chosen["seeds"] > results.chosen["completed"]]
    cases = _cases(results, lost, lambda row: f"{row['seeds'] - row['completed']} of {row['seeds']}")
    if cases:
        yield f"Even at its {choice(results)} setting an optimizer lost seeds, which makes its gap inf: {listed(cases)}."


def _failed(results: "Results") -> Iterator[str]:
    for reason, rows in _ended(results, "failed").groupby("reason", sort=False):
        yield f"{_shares(results, rows)} failed: {str(reason).rstrip('.')}."


def _diverged(results: "Results") -> Iterator[str]:
    if len(diverged := _ended(results, "diverged")):
        searched = ", all in the search" if (diverged["role"] == "trial").all() else ""
        yield f"{_shares(results, diverged)} diverged{searched}."


def _mixed(results: "Results") -> Iterator[str]:
    sessions = [*results.manifest["earlier"], results.manifest]
    if len(sessions) > 1:
        values = {
            key: {str(session[part].get(key)) for session in sessions}
            for part in ("versions", "machine")
            for key in results.manifest[part]
        }
        differing = listed([key for key, seen in values.items() if len(seen) > 1])
        yield f"The runs were made in {len(sessions)} sessions that differ in {differing}: their numbers may differ for that reason alone."


# ---- the search


def _untuned(results: "Results") -> Iterator[str]:
    contested = results.ranking[results.ranking.groupby("task")["optimizer"].transform("size") > 1]
    untuned = contested.loc[contested["lrs"] == 1, "optimizer"].unique()
    if len(untuned):
        yield f"One learning rate only for {listed(untuned)}: what an optimizer reaches untuned says little about it; tune=lr tries 32."


def _same_seeds(results: "Results") -> Iterator[str]:
    if not results.tuned and (results.ranking["settings"] > 1).any():
        yield "Settings were chosen on the very seeds that are shown, which flatters, most where many were tried; tune=lr keeps seeds apart."


def _edges(results: "Results") -> Iterator[str]:
    edges = results.ranking[results.ranking["edge"] != ""]
    cases = [
        f"{row['optimizer']}{on(results, row)} (lr={setting_value(row['lr'])}, {_end(results, row)})"
        for row in edges.to_dict("records")
    ]
    if cases and results.tuned:
        grown = ", even after growing twice" if results.manifest["tune"]["reserve"] >= 2 else ""
        yield f"The chosen learning rate lies in the outer tenth of its box{grown}, so that a wider one may do better: {listed(cases)}."
    elif cases:
        yield f"The best learning rate is at the edge of its grid, so that a wider one may do better: {listed(cases)}."


def _end(results: "Results", row: dict) -> str:
    return f"{row['edge']} end" if results.tuned else f"{row['edge']} of {row['lrs']}"


def _beside_a_cliff(results: "Results") -> Iterator[str]:
    """Say whose next learning rate above the chosen one lost runs, where rates are a curve: between the two the gap may end lower."""
    key = ["task", "optimizer", "lr"]
    curves = results.settings.groupby(key[:2], sort=False).filter(lambda settings: not scattered(settings))
    rates = curves.groupby(key, sort=False)["gap"].min().reset_index()
    chosen = results.ranking.loc[np.isfinite(results.ranking["gap"]), key]
    above = rates.merge(chosen, on=key[:2], suffixes=("", "_chosen")).query("lr > lr_chosen")
    cliff = above.sort_values("lr", kind="stable").drop_duplicates(key[:2]).query("gap == inf")
    if len(cliff):
        cases = names(
            results, cliff, lambda row: f" ({setting_value(row['lr_chosen'])}, {setting_value(row['lr'])})"
        )
        yield f"The next learning rate above the {choice(results)} one loses runs, and between the two the gap may end far lower: {cases}."


def _default_lower(results: "Results") -> Iterator[str]:
    """Say where tuning chose a setting that is shown to end higher than the default one."""
    gains = results.tuned_against_default
    bound = gains["high"].where(gains["test"] == "t", gains["at_least"])
    lower = gains[(gains["p"] < ALPHA) & (bound < 1 / MARGIN)]
    if len(lower):
        cases = names(
            results, lower, lambda row: f" ({factor(1 / row['gain'])} times)" if row["test"] == "t" else ""
        )
        yield f"At its default setting an optimizer is shown to end lower than at the chosen one: {cases}."


def _unequal(results: "Results") -> Iterator[str]:
    """Say where optimizers of one task were not searched alike: other numbers of settings, or other widths of the lr's range."""
    rows = results.searched
    low, high = (
        rows[box].fillna(rows["lr"]).groupby([rows["task"], rows["name"].rename("optimizer")])
        for box in ("lr_low", "lr_high")
    )
    widths = np.log10(high.max() / low.min()).round(6).rename("decades").reset_index()
    sizes = results.ranking.merge(widths)
    yield from _uneven(results, sizes, "trials", ("setting", "settings"))
    yield from _uneven(results, sizes[sizes["lrs"] > 1], "decades", ("decade of lr", "decades of lr"))


def _uneven(results: "Results", sizes: pd.DataFrame, column: str, units: tuple[str, str]) -> Iterator[str]:
    """Write who had how much, of the first task in which not all had the same."""
    distinct = sizes.groupby("task", sort=False)[column].nunique()
    tasks = distinct.index[distinct > 1]
    if len(tasks):
        names = sizes[sizes["task"] == tasks[0]].groupby(column)["optimizer"].agg(list)
        cases = "; ".join(
            f"{number(size)} {units[size != 1]} for {listed(each)}" for size, each in names.items()
        )
        more = f" (and on {counted(len(tasks) - 1, 'other task')})" if len(tasks) > 1 else ""
        yield f"Not all were searched alike{on(results, {'task': tasks[0]})}{more}: {cases}."


# ---- seeds


def _single(results: "Results") -> Iterator[str]:
    single = results.chosen["seeds"] == 1
    if single.any():
        scope = "" if single.all() else f" for {listed(results.chosen.loc[single, 'optimizer'].unique())}"
        yield f"One seed only{scope}: how much the gap varies from seed to seed is not known."


def _few(results: "Results") -> Iterator[str]:
    """Say what so few seeds can show between the first of a ranking and the next one that has a test; of several tasks the worst."""
    tested = results.pairwise[results.pairwise["test"].isin(TESTED)].drop_duplicates("task")
    few = tested[tested["n"] < FEW_SEEDS]
    if few.empty:
        return
    few = few.assign(visible=visible(few)).sort_values("visible", ascending=False, kind="stable")
    for row in few[(few["test"] == "t") & (few["better"] == "")].head(1).to_dict("records"):
        yield f"Few seeds ({row['n']}): {not_visible(row['visible'])} between {_pair(results, row)}."
    for row in few[few["test"] == "sign"].sort_values("n", kind="stable").head(1).to_dict("records"):
        shown = "nothing" if row["n"] < FEWEST_FOR_A_SIGN_TEST else "no more than the order"
        yield f"Few seeds ({row['n']}), not all with a gap above the floor: {shown} can be shown between {_pair(results, row)}."


def _pair(results: "Results", row: dict) -> str:
    return f"{row['a']} and {row['b']}{on(results, row)}"


def _identical(results: "Results") -> Iterator[str]:
    completed = results.entries[results.entries["status"] == "completed"].drop_duplicates(
        ["name", "run_id", "role"]
    )
    groups = completed.groupby(["name", "setting_id", "role"], sort=False)[
        ["start_loss", "final_loss", "final_gap"]
    ]
    sizes, distinct = groups.size(), groups.nunique().max(axis=1)
    repeated = sizes[(distinct == 1) & (sizes > 1)].reset_index(name="seeds")
    if len(repeated):
        names = repeated["name"].unique()
        yield f"Runs of different seeds are identical for {listed(names)} (up to {repeated['seeds'].max()} of one setting): they count as one."


def _unpaired(results: "Results") -> Iterator[str]:
    """Say in which tasks not all optimizers have the same seeds."""
    seeds = results.reported.groupby(["task", "name"])["seed"].agg(frozenset)
    sets = seeds.groupby("task").agg(list)
    unpaired = sets[sets.map(lambda each: len(set(each)) > 1)]
    shared = unpaired.map(
        lambda each: f"{len(frozenset.intersection(*each))} of {len(frozenset.union(*each))}"
    )
    cases = [f"{count}{on(results, {'task': task})}" for task, count in shared.items()]
    if cases:
        yield f"Seeds are not the same for all optimizers; only those that all have are compared: {listed(cases)}."


def _undefined(results: "Results") -> Iterator[str]:
    undefined = results.tasks.loc[results.tasks["scale"].isna(), "task"]
    if len(undefined):
        yield f"Relative gaps and targets are undefined on {listed(list(undefined))}: the constant model is best (a constant target, or one row)."


# ---- how far a claim goes


def _one_problem(results: "Results") -> Iterator[str]:
    if results.tasks["problem_id"].nunique() == 1 and results.ranking["optimizer"].nunique() > 1:
        yield "One problem only: no claim beyond it."


Check = Callable[["Results"], Iterable[str]]
CHECKS: tuple[Check, ...] = (
    *(
        _alarms,
        _incomplete,
        _unevaluated,
        _lost_at_best,
        _failed,
        _diverged,
        _untuned,
        _single,
        _unpaired,
        _mixed,
        _identical,
    ),
    *(
        _edges,
        _beside_a_cliff,
        _default_lower,
        _unequal,
        _same_seeds,
        _few,
        at_floor,
        too_easy,
        targets,
        short,
        flipped,
        oscillating,
        _undefined,
        _one_problem,
    ),
)


# ---- words


def _cases(results: "Results", rows: pd.DataFrame, detail: Callable[[dict], str]) -> list[str]:
    """Write each row's optimizer with its setting, where it was, and a detail."""
    return [
        f"{named(row['optimizer'], row['setting'])}{on(results, row)} {detail(row)}"
        for row in rows.to_dict("records")
    ]


def _ended(results: "Results", status: str) -> pd.DataFrame:
    """Return the runs that ended so, each once whatever its roles."""
    return results.entries[results.entries["status"] == status].drop_duplicates(["name", "run_id"])


def _shares(results: "Results", rows: pd.DataFrame) -> str:
    """Write how many of all runs, and of which optimizers: "12 of 140 runs (sgd 10 of 70, adam 2 of 70)"."""
    runs = results.entries[["name", "run_id"]].drop_duplicates()["name"].value_counts()
    shares = [f"{name} {count} of {runs[name]}" for name, count in rows["name"].value_counts().items()]
    total = f"{rows['run_id'].nunique()} of {counted(len(results.runs), 'run')}"
    return total if len(runs) == 1 else f"{total} ({listed(shares)})"
