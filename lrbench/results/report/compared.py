"""The tables of the comparison: what each is called, what its columns are, its frame and its text. As files they stand in tables/, whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.results import expected, one_run, tables, text
from lrbench.results.report.latex import latex
from lrbench.results.report.problems import problems, problems_text
from lrbench.results.text import counted

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_ROWS = 40  # of a table in the report; the file has all
LEFT = {
    "optimizer",
    "best setting",
    "setting",
    "task",
    "problem",
    "status",
    "reason",
    "settings",
    "method",
    "a",
    "b",
    "test",
}
LEFT |= {"first*", "shown better*", "parameter", "dtype", "minimum", "source"}


@dataclass(frozen=True)
class Table:
    """A table of text: tables/<name>.csv and .tex."""

    name: str
    heading: str
    sentence: str
    rows: pd.DataFrame


COMPARED = (
    (
        "targets",
        "On the way to the target",
        "Gradient evaluations until each relative gap, the median over the seeds, and in brackets how many of the seeds reach it; only these "
        "where fewer than half do. In square brackets, only where some seeds of a minibatch task miss, the expected running time: the evaluations "
        "of all runs, a miss at its whole budget, over the number that reach it.",
        lambda results: results.targets,
        text.targets_text,
    ),
    (
        "tuned_against_default",
        "Tuned against default",
        "Gain: how many times lower the gap ends at the tuned setting, paired by seed: with its 95 % interval where a t test holds; a bound where "
        "only the order can be tested. Each p is of this row alone.",
        lambda results: results.tuned_against_default,
        text.tuned_text,
    ),
    (
        "sensitivity",
        "Tolerance of the learning rate",
        "The widest stretch of learning rates at which at least half of the seeds reach the target and end at or below it, in decades; ≥ where it "
        "goes on at the end of the grid. At each rate the best setting counts.",
        lambda results: _told_widths(results.sensitivity_table[results.sensitivity_table["lrs"] > 1]),
        text.sensitivity_text,
    ),
    (
        "success",
        "Who reaches the target",
        "Pass: at least half of the seeds reach it; in brackets how many settings, tried in random order, it takes on average to find one that "
        "does. Else how many of the seeds do.",
        lambda results: results.success,
        text.success_text,
    ),
    (
        "competence",
        "Who leads where",
        "The leader and all that are not shown worse than it, best first, by condition number and steps.",
        lambda results: results.competence,
        text.competence_text,
    ),
    (
        "pairwise",
        "Every pair",
        "b over a: how many times higher b's gap ends, paired by seed, with its 95 % interval where a t test holds; a bound where only the order "
        "can be tested. P(a lower): the probability that a run of a ends below one of b. p* after Holm.",
        lambda results: results.pairwise,
        text.pairwise_text,
    ),
    (
        "across",
        "Across the problems",
        "The block is the problem, data and loss: seeds and tasks of one are averaged first. b over a: the median ratio of their gaps; p* of "
        "Wilcoxon's exact test after Holm, from six problems on.",
        lambda results: results.across,
        text.across_text,
    ),
)


# tables that stand elsewhere than those of the comparison
BESIDE = (
    (
        "overall",
        "Over all tasks",
        "Mean rank: over the problems, by gap. Leads: of the tasks that it ran on, those where it is the leader or not shown worse. "
        "Reaches the target: of the tasks with relative gaps, those where at least half of its seeds do. Lost seeds on: so many of its tasks.",
        lambda results: results.overall,
        text.overall_text,
    ),
    (
        "problems",
        "Problems",
        "Digits: so many of the constant model's gap the loss at the minimum is certain to. Below the gap floor rounding decides.",
        lambda results: problems(results) if results.tasks["problem_id"].nunique() > 1 else pd.DataFrame(),
        problems_text,
    ),
    (
        "failures",
        "Runs that went wrong",
        "",
        lambda results: _failures(results),
        lambda failures: text.without_one_task(
            text.as_text(failures.rename(columns=lambda name: name.replace("_", " ")))
        ),
    ),
)


def compared(results: "Results") -> list[Table]:
    """Return the tables of the comparison that have rows, in the order of the report."""
    return [table for name, *_ in COMPARED for table in one(results, name)]


def one(results: "Results", name: str) -> list[Table]:
    """Return a table by its name, none where it has no rows."""
    heading, sentence, frame, written = {name: rest for name, *rest in (*COMPARED, *BESIDE)}[name]
    rows = frame(results)
    return [Table(name, heading, sentence, told(results, rows, written))] if len(rows) else []


def _failures(results: "Results") -> pd.DataFrame:
    """Return what went wrong, and beside it from which learning rate on theory says that it does, where it says so of one of them."""
    rows = tables.failures(results.entries.drop_duplicates(["name", "run_id"]))
    known = rows.merge(expected.diverging(results), how="left", on=["task", "optimizer"])
    known["diverges_from_lr"] = known["diverges_from_lr"].where(known["status"] == "diverged")
    return known if known["diverges_from_lr"].notna().any() else rows


def _told_widths(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Return the tolerances, none of them where no optimizer has one."""
    return sensitivity if sensitivity["tolerance"].notna().any() else sensitivity.head(0)


def told(
    results: "Results", frame: pd.DataFrame, written: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """Write a frame; where all its rows are of one task, this is named if the sweep has others."""
    text = written(frame)
    named = "task" in text or set(frame.get("task", [])) <= set(text)
    if not named and frame["task"].nunique() == 1 < len(results.tasks):
        text.insert(0, "task", frame["task"].iloc[0])
    return text


def rest(table: Table) -> list[str]:
    """Say where the rows are that a report leaves out."""
    more = len(table.rows) - MOST_ROWS
    return [f"{counted(more, 'more row')} in tables/{table.name}.csv."] if more > 0 else []


def files(results: "Results") -> Iterator[tuple[str, str]]:
    """Yield (name, content) of each file in tables/: the frames in full precision as CSV, and as printed for LaTeX; only what has rows."""
    tables = [
        ("ranking", results.ranking, rankings_text),
        *((name, rows, written) for name, *_, rows, written in one_run.told(results)),
    ]
    tables += [(name, rows(results), written) for name, *_, rows, written in (*COMPARED, *BESIDE)]
    for name, frame, written in tables:
        if len(frame):
            yield (
                f"{name}.csv",
                frame.map(lambda cell: ", ".join(cell) if isinstance(cell, tuple) else cell).to_csv(
                    index=False
                ),
            )
            yield f"{name}.tex", latex(told(results, frame, written), LEFT)


def rankings_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the rankings of all tasks below each other, the task as the first column where there are several."""
    groups = ranking.groupby("task", sort=False)
    parts = [text.ranking_text(rows).assign(task=task) for task, rows in groups]
    joined = pd.concat(parts, ignore_index=True).fillna(text.MISSING)
    return joined[["task", *joined.columns.drop("task")]] if len(parts) > 1 else joined.drop(columns="task")
