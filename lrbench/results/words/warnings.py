"""What to read before quoting: a sentence for each thing that weakens a claim, gravest first, and only what
applies.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.notation import counted, factor, listed, named, number, setting_value
from lrbench.results.statistics import FEWEST_SIGNS, TESTED
from lrbench.results.tables.entries import RUN, SETTING
from lrbench.results.tables.learning_rates import scattered
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task
from lrbench.results.tables.tuning import shown_sides, stages
from lrbench.results.words import at_another_budget
from lrbench.results.words.phrases import (
    SWEEP_ENDED,
    choice,
    not_visible,
    on_task,
    optimizers_on_tasks,
    stored_of_planned,
    visible,
)

FEW_SEEDS = 10

Check = Callable[[Sweep], Iterable[str]]


def warnings(sweep: Sweep) -> list[str]:
    """Return the sentences."""
    found = [sentence for check in CHECKS for sentence in check(sweep)]
    return [*found, *sweep.manifest["warnings"]]


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
    name = named(optimizer, worst["setting"])
    return (
        f"ALARM: {runs} of {optimizer}, on {tasks}, came lower than any method of its kind can. {name} on "
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
        yield f"Searched but not evaluated yet, and so in no table: {listed(missing)}."


def _lost_at_best(sweep: Sweep) -> Iterator[str]:
    lost = sweep.chosen[sweep.chosen["seeds"] > sweep.chosen["completed"]]
    cases = []
    for row in lost.to_dict("records"):
        who = named(row["optimizer"], row["setting"])
        share = f"{row['seeds'] - row['completed']} of {row['seeds']}"
        cases.append(f"{who}{on_task(sweep, row['task'])} {share}")
    if cases:
        yield (
            f"Even at its {choice(sweep)} setting an optimizer lost seeds, which makes its gap inf: "
            f"{listed(cases)}."
        )


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
    shares = [f"{name} {count} of {runs[name]}" for name, count in lost["optimizer"].value_counts().items()]
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


# ---- the search


def _untuned(sweep: Sweep) -> Iterator[str]:
    rivals = sweep.ranking.groupby("task")["optimizer"].transform("size") > 1
    untuned = sweep.ranking.loc[rivals & (sweep.ranking["lrs"] == 1), "optimizer"].unique()
    if len(untuned):
        yield (
            f"One learning rate only for {listed(untuned)}: what an optimizer reaches untuned says little "
            "about it; tune=lr tries 32."
        )


def _same_seeds(sweep: Sweep) -> Iterator[str]:
    if not sweep.tuned and (sweep.ranking["settings"] > 1).any():
        yield (
            "Settings were chosen on the very seeds that are shown, which flatters, most where many were "
            "tried; tune=lr keeps seeds apart."
        )


def _edges(sweep: Sweep) -> Iterator[str]:
    edges = sweep.ranking[sweep.ranking["edge"] != ""]
    cases = [_edge(sweep, row) for row in edges.to_dict("records")]
    if not cases:
        return
    where = _end_of_its_box(sweep.manifest["tune"]) if sweep.tuned else "is at the edge of its grid"
    yield f"The {choice(sweep)} learning rate {where}, so that a wider one may do better: {listed(cases)}."


def _end_of_its_box(tune: dict[str, Any]) -> str:
    if tune["sampler"] == "sobol":
        return "lies in the outer tenth of its box"
    # a grid of one stage has no trials to grow by; any other has grown wherever its best is at an end
    grown = ", even after growing by a decade" if len(stages(tune["trials"])) > 1 else ""
    return f"lies at an end of its box{grown}"


def _edge(sweep: Sweep, row: dict) -> str:
    """Write at which rate and which end an optimizer is: "adam (lr=10, highest of 5)"."""
    end = f"{row['edge']} end" if sweep.tuned else f"{row['edge']} of {row['lrs']}"
    return f"{row['optimizer']}{on_task(sweep, row['task'])} (lr={setting_value(row['lr'])}, {end})"


def _beside_a_cliff(sweep: Sweep) -> Iterator[str]:
    """Say whose next learning rate above the chosen one lost runs, where rates are a curve.

    Between the two the gap may end lower.
    """
    rate = [*COMPETITOR, "lr"]
    curves = sweep.settings.groupby(COMPETITOR, sort=False).filter(_is_a_curve)
    rates = curves.groupby(rate, sort=False)["gap"].min().reset_index()
    chosen = sweep.ranking.loc[np.isfinite(sweep.ranking["gap"]), rate]
    above = rates.merge(chosen, on=COMPETITOR, suffixes=("", "_chosen")).query("lr > lr_chosen")
    following = above.sort_values("lr", kind="stable").drop_duplicates(COMPETITOR)
    cliff = following.query("gap == inf")
    if len(cliff):
        cases = optimizers_on_tasks(sweep, cliff, _both_rates)
        yield (
            f"The next learning rate above the {choice(sweep)} one loses runs, and between the two the gap "
            f"may end far lower: {cases}."
        )


def _is_a_curve(settings: pd.DataFrame) -> bool:
    return not scattered(settings)


def _both_rates(row: pd.Series) -> str:
    return f" ({setting_value(row['lr_chosen'])}, {setting_value(row['lr'])})"


def _default_lower(sweep: Sweep) -> Iterator[str]:
    """Say where tuning chose a setting that is shown to end higher than the default one."""
    gains = sweep.tuned_against_default
    lower = gains[shown_sides(gains) == -1]
    if len(lower):
        cases = optimizers_on_tasks(sweep, lower, _times_lower)
        yield f"At its default setting an optimizer is shown to end lower than at the chosen one: {cases}."


def _times_lower(row: pd.Series) -> str:
    return f" ({factor(1 / row['gain'])} times)" if row["test"] == "t" else ""


def _unequal(sweep: Sweep) -> Iterator[str]:
    """Say where optimizers of one task were not searched alike: other numbers of settings, or other widths
    of the lr's range.
    """
    runs = sweep.searched
    low = runs["lr_low"].fillna(runs["lr"]).groupby([runs["task"], runs["optimizer"]]).min()
    high = runs["lr_high"].fillna(runs["lr"]).groupby([runs["task"], runs["optimizer"]]).max()
    widths = (high / low).map(np.log10).round(6).rename("decades").reset_index()
    sizes = sweep.ranking.merge(widths)
    yield from _uneven(sweep, sizes, "trials", ("setting", "settings"))
    yield from _uneven(sweep, sizes[sizes["lrs"] > 1], "decades", ("decade of lr", "decades of lr"))


def _uneven(sweep: Sweep, sizes: pd.DataFrame, column: str, units: tuple[str, str]) -> Iterator[str]:
    """Write who had how much, of the first task in which not all had the same; units: of one, of several."""
    distinct = sizes.groupby("task", sort=False)[column].nunique()
    tasks = distinct.index[distinct > 1]
    if not len(tasks):
        return
    names = of_task(sizes, tasks[0]).groupby(column)["optimizer"].agg(list)
    singular, plural = units
    cases = []
    for size, each in zip(names.index, names, strict=True):
        unit = singular if size == 1 else plural
        cases.append(f"{number(size)} {unit} for {listed(each)}")
    more = f" (and on {counted(len(tasks) - 1, 'other task')})" if len(tasks) > 1 else ""
    yield f"Not all were searched alike{on_task(sweep, tasks[0])}{more}: {'; '.join(cases)}."


# ---- seeds


def _single(sweep: Sweep) -> Iterator[str]:
    is_single = sweep.chosen["seeds"] == 1
    if is_single.any():
        names = sweep.chosen.loc[is_single, "optimizer"].unique()
        scope = "" if is_single.all() else f" for {listed(names)}"
        yield f"One seed only{scope}: how much the gap varies from seed to seed is not known."


def _few(sweep: Sweep) -> Iterator[str]:
    """Say what so few seeds can show between the first of a ranking and the next one that has a test.

    Of several tasks the worst.
    """
    tested = sweep.pairwise[sweep.pairwise["test"].isin(TESTED)].drop_duplicates("task")
    few = tested[tested["n"] < FEW_SEEDS]
    if few.empty:
        return
    few = few.assign(visible=visible(few)).sort_values("visible", ascending=False, kind="stable")
    not_shown = few[(few["test"] == "t") & (few["better"] == "")]
    for pair in not_shown.head(1).to_dict("records"):
        yield f"Few seeds ({pair['n']}): {not_visible(pair['visible'])} between {_pair(sweep, pair)}."
    by_order = few[few["test"] == "sign"].sort_values("n", kind="stable")
    for pair in by_order.head(1).to_dict("records"):
        shown = "nothing" if pair["n"] < FEWEST_SIGNS else "no more than the order"
        yield (
            f"Few seeds ({pair['n']}), not all with a gap above the floor: {shown} can be shown between "
            f"{_pair(sweep, pair)}."
        )


def _pair(sweep: Sweep, pair: dict) -> str:
    return f"{pair['a']} and {pair['b']}{on_task(sweep, pair['task'])}"


def _identical(sweep: Sweep) -> Iterator[str]:
    completed = sweep.entries[sweep.entries["status"] == "completed"].drop_duplicates([*RUN, "role"])
    groups = completed.groupby([*SETTING, "role"], sort=False)[["start_loss", "final_loss", "final_gap"]]
    sizes = groups.size()
    distinct = groups.nunique().max(axis=1)
    repeated = sizes[(distinct == 1) & (sizes > 1)].reset_index(name="seeds")
    if len(repeated):
        names = listed(repeated["optimizer"].unique())
        most = repeated["seeds"].max()
        yield (
            f"Runs of different seeds are identical for {names} (up to {most} of one setting): they count "
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
        yield "One problem only: no claim beyond it."


# gravest first
CHECKS: tuple[Check, ...] = (
    alarms,
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
    _edges,
    _beside_a_cliff,
    _default_lower,
    _unequal,
    _same_seeds,
    _few,
    at_another_budget.at_floor,
    at_another_budget.too_easy,
    at_another_budget.targets,
    at_another_budget.short,
    at_another_budget.flipped,
    at_another_budget.oscillating,
    _undefined,
    _one_problem,
)
