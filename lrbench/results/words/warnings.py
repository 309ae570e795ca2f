"""What to read before quoting: a sentence for each thing that weakens a claim, and only what applies.

Warnings are what would change the answer, at most three, and what was not run as planned; all else are notes.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed, named, number
from lrbench.results.statistics.verdicts import UNDECIDED
from lrbench.results.tables.entries import RUN, SETTING
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words import about_the_search, at_another_budget
from lrbench.results.words.phrases import (
    SWEEP_ENDED,
    choice,
    names,
    on_task,
    optimizers_on_tasks,
    stored_of_planned,
)

MOST = 3  # warnings that would change the answer

Check = Callable[[Sweep], Iterable[str]]


def warnings(sweep: Sweep) -> list[str]:
    """Return what was not run as planned, the first three of what would change the answer, and its reach."""
    return [*_said(NOT_AS_PLANNED, sweep), *islice(_said(ANSWER, sweep), MOST), *_one_problem(sweep)]


def notes(sweep: Sweep) -> list[str]:
    """Return all else that a reader should know."""
    return [*islice(_said(ANSWER, sweep), MOST, None), *_said(ASIDE, sweep), *sweep.manifest["warnings"]]


def _said(checks: Iterable[Check], sweep: Sweep) -> Iterator[str]:
    for check in checks:
        yield from check(sweep)


# ---- what was not run as planned


def alarms(sweep: Sweep) -> Iterator[str]:
    """Say of each optimizer that a run is better than possible: an impossible curve, so code or data are
    wrong.
    """
    for optimizer, states in sweep.impossible.groupby("optimizer", sort=False):
        yield _alarm(str(optimizer), states)


def _alarm(optimizer: str, states: pd.DataFrame) -> str:
    """Write of how many runs some state is too low, and which is the lowest for what is possible there."""
    worst = states.iloc[(states["gap"] / states["least"]).argmin()]
    runs = counted(states["run_id"].nunique(), "run")
    tasks = listed(list(states["task"].unique()))
    who = displayed(optimizer)
    name = named(who, worst["setting"])
    return (
        f"ALARM: {runs} of {who}, on {tasks}, came lower than any method of its kind can. {name} on "
        f"{worst['task']}, seed {worst['seed']}, has gap {number(worst['gap'])} at step {worst['step']}, "
        f"where {number(worst['least'])} is the least possible: lrbench, this optimizer or the stored data "
        "are wrong."
    )


def _incomplete(sweep: Sweep) -> Iterator[str]:
    if not sweep.complete:
        ended = SWEEP_ENDED.get(sweep.manifest["state"], "is incomplete")
        stored = stored_of_planned(sweep, str(len(sweep.runs)))
        yield f"The sweep {ended}: {stored}. The same request goes on from there."


def _unevaluated(sweep: Sweep) -> Iterator[str]:
    missing = sorted({*sweep.searched["optimizer"]} - {*sweep.reported["optimizer"]})
    if missing:
        yield f"Searched but not evaluated yet, and so in no table: {names(missing)}."


def _lost_at_best(sweep: Sweep) -> Iterator[str]:
    lost = sweep.chosen[sweep.chosen["lost"] > 0]
    cases = []
    for row in lost.to_dict("records"):
        who = named(displayed(row["optimizer"]), row["setting"])
        cases.append(f"{who}{on_task(sweep, row['task'])} {row['lost']} of {row['seeds']}")
    if cases:
        yield f"Even at its {choice(sweep)} setting an optimizer lost runs: {listed(cases)}."


def _failed(sweep: Sweep) -> Iterator[str]:
    for reason, runs in _ended(sweep, "failed").groupby("reason", sort=False):
        yield f"{_shares(sweep, runs)} failed: {str(reason).rstrip('.')}."


def _diverged(sweep: Sweep) -> Iterator[str]:
    diverged = _ended(sweep, "diverged")
    if len(diverged):
        searched = ", all in the search" if (diverged["role"] == "trial").all() else ""
        yield f"{_shares(sweep, diverged)} diverged{searched}."


def _ended(sweep: Sweep, status: str) -> pd.DataFrame:
    """Return the runs that ended so, each once whatever its roles."""
    return sweep.entries[sweep.entries["status"] == status].drop_duplicates(RUN)


def _shares(sweep: Sweep, lost: pd.DataFrame) -> str:
    """Write how many of all runs, and of which optimizers: "12 of 140 runs (sgd 10 of 70, adam 2 of 70)"."""
    runs = sweep.entries[RUN].drop_duplicates()["optimizer"].value_counts().to_dict()
    total = f"{lost['run_id'].nunique()} of {counted(len(sweep.runs), 'run')}"
    if len(runs) == 1:
        return total
    shares = [
        f"{displayed(str(name))} {count} of {runs[name]}"
        for name, count in lost["optimizer"].value_counts().items()
    ]
    return f"{total} ({listed(shares)})"


def _mixed(sweep: Sweep) -> Iterator[str]:
    """Say where sessions had other versions or another machine."""
    sessions = [*sweep.manifest["earlier"], sweep.manifest]
    if len(sessions) == 1:
        return
    differing = []
    for part in ("versions", "machine"):
        for key in sweep.manifest[part]:
            values = {str(session[part].get(key)) for session in sessions}
            if len(values) > 1:
                differing.append(key)
    yield (
        f"The runs were made in {len(sessions)} sessions that differ in {listed(differing)}: their numbers "
        "may differ for that reason alone."
    )


# ---- seeds


def _single(sweep: Sweep) -> Iterator[str]:
    is_single = sweep.chosen["seeds"] == 1
    if is_single.any():
        alone = list(sweep.chosen.loc[is_single, "optimizer"].unique())
        scope = "" if is_single.all() else f" for {names(alone)}"
        yield f"One start only{scope}: how much another would change is not known, and nothing can be shown."


def _few(sweep: Sweep) -> Iterator[str]:
    """Say how many starts would about settle what is not settled with so few."""
    undecided = sweep.ranking[sweep.ranking["word"].isin(UNDECIDED) & (sweep.ranking["seeds"] > 1)]
    if undecided.empty:
        return
    fewest = int(undecided["seeds"].min())
    cases = optimizers_on_tasks(sweep, undecided, _starts)
    yield f"Not settled with {counted(fewest, 'start')} against the leader: {cases}."


def _starts(row: pd.Series) -> str:
    return "" if pd.isna(row["starts"]) else f" (about {number(row['starts'])} would settle it)"


def _identical(sweep: Sweep) -> Iterator[str]:
    completed = sweep.entries[sweep.entries["status"] == "completed"].drop_duplicates([*RUN, "role"])
    groups = completed.groupby([*SETTING, "role"], sort=False)[["start_loss", "final_loss", "final_gap"]]
    sizes = groups.size()
    distinct = groups.nunique().max(axis=1)
    repeated = sizes[(distinct == 1) & (sizes > 1)].reset_index(name="seeds")
    if len(repeated):
        who = names(list(repeated["optimizer"].unique()))
        most = repeated["seeds"].max()
        yield (
            f"Runs of different seeds are identical for {who} (up to {most} of one setting): they count "
            "as one."
        )


def _unpaired(sweep: Sweep) -> Iterator[str]:
    """Say in which tasks not all optimizers have the same seeds."""
    seeds = sweep.reported.groupby(COMPETITOR)["seed"].agg(frozenset)
    cases = []
    for task, of_each in seeds.groupby("task").agg(list).items():
        shared, all_seeds = frozenset.intersection(*of_each), frozenset.union(*of_each)
        if shared != all_seeds:
            cases.append(f"{len(shared)} of {len(all_seeds)}{on_task(sweep, task)}")
    if cases:
        yield (
            "Seeds are not the same for all optimizers; only those that all have are compared: "
            f"{listed(cases)}."
        )


def _undefined(sweep: Sweep) -> Iterator[str]:
    undefined = list(sweep.tasks.loc[sweep.tasks["scale"].isna(), "task"])
    if undefined:
        yield (
            f"Relative gaps and targets are undefined on {listed(undefined)}: the constant model is best (a "
            "constant target, or one row)."
        )


# ---- how far a claim goes


def _one_problem(sweep: Sweep) -> Iterator[str]:
    if sweep.tasks["problem_id"].nunique() == 1 and sweep.ranking["optimizer"].nunique() > 1:
        yield "One problem: this says nothing about others."


# always said, and first
NOT_AS_PLANNED: tuple[Check, ...] = (alarms, _incomplete, _unevaluated, _lost_at_best, _failed)
# what would change the answer: of what applies, the first three are warnings
ANSWER: tuple[Check, ...] = (
    about_the_search.untuned,
    at_another_budget.passes_through,
    about_the_search.edges,
    at_another_budget.nobody_arrives,
    at_another_budget.still_falling,
    at_another_budget.another_target,
    at_another_budget.half_the_budget,
    about_the_search.beside_a_cliff,
    at_another_budget.stopped_by_itself,
    _single,
    _few,
    about_the_search.biased,
    about_the_search.rises_first,
)
ASIDE: tuple[Check, ...] = (
    _diverged,
    _unpaired,
    _mixed,
    _identical,
    about_the_search.default_better,
    about_the_search.unequal,
    about_the_search.same_seeds,
    at_another_budget.levelled_off,
    at_another_budget.last_iterate,
    at_another_budget.at_floor,
    at_another_budget.too_easy,
    _undefined,
)
