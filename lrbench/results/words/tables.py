"""Every table: its name, heading and sentence, its frame, how it is written, where it stands.

A table that is listed in TABLES stands on the page, in Markdown, and as a file in tables/: as CSV whole and
in full precision, as LaTeX as it is printed. One row of text: optimizer "SGD", best setting "lr=0.05",
arrives after "231", times the leader "1.67 (1.50–1.87)", against the leader "clear" ...
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lrbench.results.notation import MISSING, counted, listed, setting_value
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words import answers, cells
from lrbench.results.words.phrases import target_on

MOST_ROWS = 40  # of a table in the report; the file has all
# where a table stands
SINGLE_RUN, TOP, BELOW_RANKING = "single run", "top", "below the ranking"
BELOW_A_FIGURE, END, PROTOCOL = "below a figure", "end", "protocol"
# headings of columns of words, which stand left; numbers stand right
LEFT = {
    *("optimizer", "best setting", "setting", "settings", "task", "problem", "status", "reason", "method"),
    *("a", "b", "test", "first*", "shown better*", "parameter", "dtype", "minimum", "source"),
    *("said", "of", "on*", "against the leader*"),
}


@dataclass(frozen=True, eq=False)  # frames do not compare as one truth value
class Table:
    """A table of text."""

    name: str
    heading: str
    sentence: str
    rows: pd.DataFrame
    note: str = ""  # below it
    file: str = ""  # that has all rows where the report shows the first ones; "": it shows all

    @property
    def shown(self) -> pd.DataFrame:
        """The rows that the report shows."""
        return self.rows.head(MOST_ROWS) if self.file else self.rows

    @property
    def notes(self) -> list[str]:
        """What stands below: where the rows are that the report leaves out, and the note."""
        more = len(self.rows) - len(self.shown)
        elsewhere = f"{counted(more, 'more row')} in {self.file}." if more else ""
        return [sentence for sentence in (elsewhere, self.note) if sentence]


@dataclass(frozen=True)
class TableSpec:
    """What a table is.

    Attributes:
        name: of its files, tables/<name>.csv and .tex.
        heading, sentence: what stands above it; a sentence may be made from the frame.
        frame: its numbers, without rows where the sweep has none for it.
        text: how they are written, a column a heading.
        place: SINGLE_RUN, TOP, BELOW_RANKING, BELOW_A_FIGURE (the figure names it), END or PROTOCOL.
        split: tables of their own instead, such as a table a task.
    """

    name: str
    heading: str
    sentence: str | Callable[[pd.DataFrame], str]
    frame: Callable[[Sweep], pd.DataFrame]
    text: Callable[[pd.DataFrame], pd.DataFrame] = cells.plain_text
    place: str = BELOW_A_FIGURE
    split: "Callable[[Sweep, TableSpec], list[Table]] | None" = None


# ---- the texts of a table


def tables(sweep: Sweep, spec: TableSpec) -> list[Table]:
    """Return a table as it is printed, or those that it is split into; none where it has no rows."""
    if spec.split:
        return spec.split(sweep, spec)
    frame = spec.frame(sweep)
    if not len(frame):
        return []
    sentence = spec.sentence if isinstance(spec.sentence, str) else spec.sentence(frame)
    text = text_of(sweep, frame, spec.text)
    return [Table(spec.name, spec.heading, sentence, text, file=f"tables/{spec.name}.csv")]


def text_of(sweep: Sweep, frame: pd.DataFrame, write: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Write a frame; where all its rows are of one task, this is named if the sweep has others."""
    text = write(frame)
    tasks = set(frame.get("task", []))
    is_named = "task" in text or tasks <= set(text)  # or a column a task
    if not is_named and len(tasks) == 1 and len(sweep.tasks) > 1:
        text.insert(0, "task", frame["task"].iloc[0])
    return text


# ---- tables that are made of several


def rankings_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the rankings of all tasks below each other, the task as the first column where there are
    several.
    """
    groups = ranking.groupby("task", sort=False)
    parts = [cells.ranking_text(rows).assign(task=task) for task, rows in groups]
    joined = pd.concat(parts, ignore_index=True).fillna(MISSING)
    if len(parts) == 1:
        return joined.drop(columns="task")
    return joined[["task", *joined.columns.drop("task")]]


def _rankings(sweep: Sweep, spec: TableSpec) -> list[Table]:
    """Return a ranking a task."""
    groups = sweep.ranking.groupby("task", sort=False)
    return [
        Table(
            f"ranking-{place}",
            f"Ranking: {task}",
            "",
            cells.ranking_text(rows),
            cells.ranking_note(rows),
        )
        for place, (task, rows) in enumerate(groups)
    ]


def _costs(sweep: Sweep, spec: TableSpec) -> list[Table]:
    """Return the costs to the target, a table a task; the tasks in which no optimizer reaches it share a
    sentence.
    """
    groups = {str(task): rows for task, rows in sweep.costs.groupby("task", sort=False)}
    to_target = {task: rows["evaluations_to_target"] for task, rows in groups.items()}
    reached = [task for task in groups if np.isfinite(to_target[task]).any()]
    missed = [task for task in groups if np.isposinf(to_target[task]).any() and task not in reached]
    found = []
    for place, task in enumerate(reached):
        found.append(Table(f"costs-{place}", f"{spec.heading}: {task}", "", cells.costs_text(groups[task])))
    if missed:
        target = target_on(sweep.tasks, missed)
        sentence = f"No optimizer comes within {target} with half of its seeds."
        found.append(Table("", f"{spec.heading}: {listed(missed, most=12)}", sentence, pd.DataFrame()))
    return found


def _answers(predictions: pd.DataFrame) -> str:
    """Say of each row what the model answers."""
    return " ".join(_answer(row) for row in predictions.to_dict("records"))


def _answer(row: dict[Hashable, Any]) -> str:
    features = [name for name in row if name not in ("run", "exact")]
    given = listed([f"{name} = {setting_value(row[name])}" for name in features])
    exact = f"; exact {setting_value(row['exact'])}" if "exact" in row else ""
    return f"For {given} the model answers {setting_value(row['run'])}{exact}."


# ---- frames that a sweep has only sometimes


def _of_a_single_run(name: str) -> Callable[[Sweep], pd.DataFrame]:
    def frame(sweep: Sweep) -> pd.DataFrame:
        return getattr(sweep, name) if len(sweep.runs) == 1 else pd.DataFrame()

    return frame


def _answers_of_several(sweep: Sweep) -> pd.DataFrame:
    """Return the predictions where there are several runs; a single one has a table of its own."""
    return sweep.answers if len(sweep.runs) > 1 else pd.DataFrame()


def _tolerances(sweep: Sweep) -> pd.DataFrame:
    """Return the tolerances of those with several learning rates, none of them where no optimizer has one."""
    searched = sweep.sensitivity_table[sweep.sensitivity_table["lrs"] > 1]
    return searched if searched["tolerance"].notna().any() else searched.head(0)


def _problems(sweep: Sweep) -> pd.DataFrame:
    """Return the problems where there are several; the protocol tells of a single one."""
    return sweep.problem_list if sweep.tasks["problem_id"].nunique() > 1 else pd.DataFrame()


def _baselines(sweep: Sweep) -> pd.DataFrame:
    """Return the baselines where they were asked for."""
    return sweep.baselines if sweep.manifest.get("baselines") else pd.DataFrame()


# ---- all of them


TABLES = (
    TableSpec(
        "milestones",
        "Loss on the way",
        "",
        _of_a_single_run("milestones"),
        place=SINGLE_RUN,
    ),
    TableSpec(
        "weights",
        "Learned weights",
        "The run's last weights beside those of the exact minimum.",
        _of_a_single_run("weights"),
        cells.as_settings,
        place=SINGLE_RUN,
    ),
    TableSpec(
        "predictions",
        "Prediction",
        _answers,
        _of_a_single_run("predictions"),
        cells.as_settings,
        place=SINGLE_RUN,
    ),
    TableSpec(
        "overall",
        "Over all tasks",
        "Mean rank: over the problems, by who arrives first. Leads or as good: of the tasks that it ran "
        "on. Arrives on: those where at least half of its runs do. Lost runs on: so many of its tasks.",
        lambda sweep: sweep.overall,
        cells.overall_text,
        place=TOP,
    ),
    TableSpec(
        "one_for_all",
        "One setting for all tasks",
        "Of the settings that were tried on every task, lose no run and keep the target, the one whose cost, "
        "over that of the best on the task, is least where it is largest (on: there). A miss counts the "
        "whole budget. Only an optimizer that has no such setting has one that fails.",
        lambda sweep: sweep.one_for_all,
        cells.one_for_all_text,
        place=TOP,
    ),
    TableSpec(
        "ranking",
        "Ranking",
        "",
        lambda sweep: sweep.ranking,
        rankings_text,
        place=TOP,
        split=_rankings,
    ),
    TableSpec(
        "answers",
        "Prediction",
        answers.sentence,
        _answers_of_several,
        cells.answers_text,
        place=BELOW_RANKING,
    ),
    TableSpec(
        "targets",
        "On the way to the target",
        "Gradient evaluations until arrival at each relative gap, the median over the seeds, and in "
        "brackets how many of them arrive; only these where fewer than half do. In square brackets, only "
        "where some seeds of a minibatch task miss, the expected running time: the evaluations of all runs, "
        "a miss at its whole budget, over the number that arrive.",
        lambda sweep: sweep.targets,
        cells.targets_text,
    ),
    TableSpec(
        "tuned_against_default",
        "Tuned against default",
        "Default over tuned: how many times as many evaluations the default takes until arrival where all "
        "runs arrive, how many times its level where none does; paired by seed, with the 95 % interval. "
        "Each p is of this row alone.",
        lambda sweep: sweep.tuned_against_default,
        cells.tuned_text,
    ),
    TableSpec(
        "sensitivity",
        "Learning rates that work",
        "The widest stretch of tried learning rates at which no run is lost and the cost is at most twice "
        "that of the best, in decades; ≥ where it goes on at the end of the search. At each rate the best "
        "setting counts.",
        _tolerances,
        cells.sensitivity_text,
    ),
    TableSpec(
        "success",
        "Who arrives",
        "Pass: at least half of the seeds arrive at the target; in brackets how many settings, tried in "
        "random order, it takes on average to find one that does. Else how many of the seeds do.",
        lambda sweep: sweep.success,
        cells.success_text,
    ),
    TableSpec(
        "competence",
        "Who leads where",
        "The leader and all that are as good, best first, by condition number and steps.",
        lambda sweep: sweep.competence,
        cells.competence_text,
    ),
    TableSpec(
        "pairwise",
        "Every pair",
        "b over a: of the evaluations until arrival where all runs arrive, of the levels where none does, "
        "paired by seed, with the 95 % interval; nothing where the order alone is tested. Ahead: by more "
        "than 1.25 times. p*: against no difference; p beyond 1.25*: against a difference of the margin, "
        "which clear is held against. Both after Holm.",
        lambda sweep: sweep.pairwise,
        cells.pairwise_text,
    ),
    TableSpec(
        "across",
        "Across the problems",
        "The block is the problem, data and loss: seeds and tasks of one are averaged first. Ahead: with "
        "the lower mean score; p* of Wilcoxon's exact test after Holm, from six problems on.",
        lambda sweep: sweep.across,
        cells.across_text,
    ),
    TableSpec(
        "costs",
        "Cost to the target",
        "",
        lambda sweep: sweep.costs,
        cells.costs_text,
        split=_costs,
    ),
    TableSpec(
        "baselines",
        "What tuning could at best have found",
        "Gap after the budget, geometric mean over the starts. An oracle minimises the closed-form gap at "
        "this budget from each start; lr and momentum are medians. No method that steps along gradients "
        "can be below conjugate gradients.",
        _baselines,
    ),
    TableSpec(
        "remaining",
        "Where the gap is left",
        "Share of the last gap in the directions of steep, middle and flat curvature (thirds of the "
        "spectrum's width in log), one run an optimizer.",
        lambda sweep: sweep.remaining,
    ),
    TableSpec(
        "statistical",
        "When to stop",
        "left: distance of the last weights from the minimiser. from data: distance of the minimiser from "
        "the weights that made the data. pointless from: the step after which the first stays below the "
        "second.",
        lambda sweep: sweep.statistical,
    ),
    TableSpec(
        "first_steps",
        "The first update",
        "How far the first update moves a coordinate at most, beside the longest way that a coordinate "
        "has to go from start to minimiser.",
        lambda sweep: sweep.first_steps,
    ),
    TableSpec(
        "limits",
        "What theory allows",
        "Constants with the best rate in the long run (asymptotically best), the steps that then shrink "
        "the error to a tenth, and the learning rate at which the method stops converging.",
        lambda sweep: sweep.limits,
    ),
    TableSpec(
        "failures",
        "Runs that went wrong",
        "",
        lambda sweep: sweep.failures,
        cells.failures_text,
        place=END,
    ),
    TableSpec(
        "problems",
        "Problems",
        "Digits: so many of the constant model's gap the loss at the minimum is certain to. Below the gap "
        "floor rounding decides.",
        _problems,
        cells.problems_text,
        place=PROTOCOL,
    ),
)
SPECS = {spec.name: spec for spec in TABLES}
