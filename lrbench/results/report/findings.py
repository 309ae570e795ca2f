"""What each figure shows, as a sentence for those who do not see it; told from the frames that the figure draws."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results import curves, figures, landscape
from lrbench.results.directions import parts
from lrbench.results.text import counted, factor, listed, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_TASKS = 6


def finding(name: str, results: "Results") -> str:
    """Return what a figure shows: "lecture: sgd_momentum ends lowest, at 6.70e-24."."""
    frame, sentence = FINDINGS[name]
    rows = frame(results)
    if "task" in rows:
        rows = rows[rows["task"].isin(_drawn(name, results, rows))]
    groups = (
        rows.groupby("task", sort=False)
        if "task" in rows
        else [("all problems" if name == "mean_ranks" else "all tasks", rows)]
    )
    return f"{listed([f'{task}: {sentence(own)}' for task, own in groups], MOST_TASKS)}."


def drawn(name: str, results: "Results") -> list[str]:
    """Return the tasks that a figure shows; all where it has no panel a task."""
    return _drawn(name, results, FINDINGS[name][0](results))


def _drawn(name: str, results: "Results", frame: pd.DataFrame) -> list[str]:
    tasks = results.tasks["task"]
    return (
        tasks[tasks.isin(frame["task"])].head(1 if name == "directions" else figures.MOST_PANELS).tolist()
        if "task" in frame
        else tasks.tolist()
    )


def _with_curve(results: "Results") -> pd.DataFrame:
    """Return the ranking of the tasks in which some run left a curve."""
    left = results.reported.loc[results.reported["status"] != "failed", "task"]
    return results.ranking[results.ranking["task"].isin(left)]


def _ends_lowest(ranking: pd.DataFrame) -> str:
    lowest = ranking["gap"].min()
    names = list(ranking.loc[ranking["gap"] == lowest, "optimizer"])
    return (
        f"{_several(names, 'ends')} lowest, at {number(lowest)}"
        if np.isfinite(lowest)
        else "no optimizer completed all its seeds"
    )


def _several(names: list[str], verb: str) -> str:
    """Write who does something: "a ends", "a and b end"."""
    return f"{listed(names)} {verb if len(names) == 1 else verb.removesuffix('es' if verb.endswith('ches') else 's')}"


def _best_rate(settings: pd.DataFrame) -> str:
    best = settings.loc[settings["gap"].idxmin()]
    where = (
        f"{best['optimizer']} with learning rate {setting_value(best['lr'])}"
        if np.isfinite(best["gap"])
        else "no learning rate of any optimizer"
    )
    return (
        f"{where} ends lowest, at {number(best['gap'])}"
        if np.isfinite(best["gap"])
        else f"{where} completes all seeds"
    )


def _gains_most(gains: pd.DataFrame) -> str:
    told = gains[np.isfinite(gains["gain"])]
    if told.empty:
        return f"no ratio is known for {counted(len(gains), 'optimizer')}"
    most = told.loc[told["gain"].idxmax()]
    return f"{most['optimizer']} gains most from tuning, {factor(most['gain'])} times"


def _solves_most(solved: pd.DataFrame) -> str:
    last = solved.groupby("optimizer", sort=False).last()
    most = last[last["share"] == last["share"].max()]
    share, pairs = most.iloc[0][["share", "pairs"]]
    return (
        f"{_several(list(most.index), 'solves')} most, {share * pairs:.0f} of {pairs:.0f} pairs"
        if share
        else "no pair is solved"
    )


def _solves_most_tasks(profile: pd.DataFrame) -> str:
    last = profile.groupby("optimizer", sort=False).last()
    most = last[last["share"] == last["share"].max()]
    share, tasks = most.iloc[0][["share", "tasks"]]
    return f"{_several(list(most.index), 'reaches')} the target in {share * tasks:.0f} of {tasks:.0f}"


def _lowest_median(finals: pd.DataFrame) -> str:
    first = finals.loc[finals["median"].idxmin()]
    return (
        f"{first['optimizer']} has the lowest median, {number(first['median'])}"
        if np.isfinite(first["median"])
        else "no median is finite"
    )


def _shown(pairs: pd.DataFrame) -> str:
    return f"a difference is shown for {(pairs['better'] != '').sum()} of {counted(len(pairs), 'pair')}"


def _lowest_rank(ranks: pd.DataFrame) -> str:
    return f"{ranks['optimizer'].iloc[0]} has the lowest mean rank, {ranks['rank'].iloc[0]:.2f}"


def _leave(points: pd.DataFrame) -> str:
    inside = points.groupby("optimizer")["inside"].last()
    if len(inside) == 1:
        return f"the path {'ends' if inside.iloc[0] else 'does not end'} inside the frame"
    return f"{inside.sum()} of {len(inside)} paths end inside the frame"


def _best_of_all_trials(budget: pd.DataFrame) -> str:
    last = budget.groupby("optimizer", sort=False).last()
    best = last.loc[last["median"].idxmin()]
    return f"{last['median'].idxmin()} finds the lowest gap, {number(best['median'])}, in {counted(int(best['trials']), 'trial')}"


def _left_in(parts: pd.DataFrame) -> str:
    last = parts[parts["step"] == parts["step"].max()].dropna(subset="part")
    left = last.groupby("optimizer", sort=False)["part"].sum()
    return (
        f"{left.idxmin()} has least left at the last step, {number(left.min())} of the start's gap"
        if len(left)
        else "no run lasted to the end"
    )


# figure -> its frame, and the sentence on the rows of a task
FINDINGS: dict[str, tuple[Callable[["Results"], pd.DataFrame], Callable[[pd.DataFrame], str]]] = {
    "loss_curves": (_with_curve, _ends_lowest),
    "lr_sensitivity": (curves.sensitivity, _best_rate),
    "heat_map": (curves.sensitivity, _best_rate),
    "tuned_against_default": (lambda results: results.tuned_against_default, _gains_most),
    "targets": (curves.solved, _solves_most),
    "profile": (curves.profile, _solves_most_tasks),
    "seeds": (curves.finals, _lowest_median),
    "pairs": (lambda results: results.pairwise, _shown),
    "mean_ranks": (
        lambda results: curves.mean_ranks(results.across).rename_axis("optimizer").reset_index(name="rank"),
        _lowest_rank,
    ),
    "path": (landscape.points, _leave),
    "budget": (lambda results: results.budget_curve, _best_of_all_trials),
    "directions": (parts, _left_in),
}
