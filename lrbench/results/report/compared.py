"""The tables of the comparison: what each is called, what its columns are, its frame and its text. As files they stand in tables/, whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.results import tables, text
from lrbench.results.report.latex import latex
from lrbench.results.text import counted

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_ROWS = 40  # of a table in the report; the file has all
LEFT = {"optimizer", "best setting", "setting", "task", "problem", "status", "reason", "examples", "method", "a", "b", "test"}
LEFT |= {"first*", "shown better*"}


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
        "The widest stretch of learning rates at which at least half of the seeds reach the target and the median gap ends there, in decades; ≥ "
        "where it goes on at the end of the grid. At each rate the best setting counts.",
        lambda results: results.sensitivity_table[results.sensitivity_table["lrs"] > 1],
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


def compared(results: "Results") -> list[Table]:
    """Return the tables that have rows, in the order of the report."""
    found = [(name, heading, sentence, frame(results), written) for name, heading, sentence, frame, written in COMPARED]
    return [Table(name, heading, sentence, told(results, frame, written)) for name, heading, sentence, frame, written in found if len(frame)]


def told(results: "Results", frame: pd.DataFrame, written: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Write a frame; where all its rows are of one task, this is named if the sweep has others."""
    text = written(frame)
    if "task" in frame and "task" not in text and frame["task"].nunique() == 1 < len(results.tasks):
        text.insert(0, "task", frame["task"].iloc[0])
    return text


def rest(table: Table) -> list[str]:
    """Say where the rows are that a report leaves out."""
    more = len(table.rows) - MOST_ROWS
    return [f"{counted(more, 'more row')} in tables/{table.name}.csv."] if more > 0 else []


def files(results: "Results") -> Iterator[tuple[str, str]]:
    """Yield (name, content) of each file in tables/: the frames in full precision as CSV, and as printed for LaTeX; only what has rows."""
    frames = {name: (frame(results), written) for name, _, _, frame, written in COMPARED}
    for name, (frame, written) in {"ranking": (results.ranking, rankings_text), **frames, "failures": (failed(results), failures_text)}.items():
        if len(frame):
            yield f"{name}.csv", frame.map(lambda cell: ", ".join(cell) if isinstance(cell, tuple) else cell).to_csv(index=False)
            yield f"{name}.tex", latex(told(results, frame, written), LEFT)


def failed(results: "Results") -> pd.DataFrame:
    """Return what went wrong; see `tables.failures`."""
    return tables.failures(results.entries.drop_duplicates("run_id"))


def failures_text(failures: pd.DataFrame) -> pd.DataFrame:
    """Write what went wrong, a column a heading."""
    return text.without_one_task(text.as_text(failures.rename(columns=lambda name: name.replace("_", " "))))


def rankings_text(ranking: pd.DataFrame) -> pd.DataFrame:
    """Write the rankings of all tasks below each other, the task as the first column where there are several."""
    groups = ranking.groupby("task", sort=False)
    parts = [text.ranking_text(rows).assign(task=task) for task, rows in groups]
    joined = pd.concat(parts, ignore_index=True).fillna(text.MISSING)
    return joined[["task", *joined.columns.drop("task")]] if len(parts) > 1 else joined.drop(columns="task")
