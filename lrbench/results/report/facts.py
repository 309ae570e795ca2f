"""What page and Markdown both tell, as text: nothing is computed or rounded after this."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results import ink, one_run, verdict
from lrbench.results.directions import remaining, statistical
from lrbench.results.expected import first_steps, limits
from lrbench.results.report.compared import Table, compared, one
from lrbench.results.report.glossary import used
from lrbench.results.report.protocol import Rows, protocol, subtitle
from lrbench.results.text import (
    RELATIVE_NOTE,
    as_text,
    costs_text,
    counted,
    listed,
    number,
    ranking_note,
    ranking_text,
    setting_value,
)
from lrbench.results.warnings import warnings

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


@dataclass(frozen=True)
class Drawing:
    """A saved figure: figures/<name>.svg and .png."""

    name: str
    title: str
    caption: str
    finding: str  # what it shows, for those who do not see it
    svg: str
    paths: str = ""  # JSON, what a slider moves along


@dataclass(frozen=True)
class Facts:
    """The report in words. Tables are frames of text."""

    title: str
    state: str  # "" of a complete sweep
    subtitle: Rows
    colours: dict[str, str]  # optimizer -> colour, best first
    tasks: list[str]
    headline: list[str]
    warnings: list[str]
    run: list[Table]  # what a single run gives
    overall: list[Table]  # over several tasks
    rankings: list[tuple[str, pd.DataFrame, str]]  # (task, table, why it is not in the order of its gaps)
    note: str  # on the rankings' columns
    compared: list[Table]
    costs: list[Table]
    insights: list[tuple[str, str, pd.DataFrame]]  # (heading, what the columns are, table)
    failures: list[Table]
    protocol: Rows
    problems: list[Table]  # where there are several
    words: Rows  # those that the others use, and what each means
    command: str
    folder: str
    configuration: str  # JSON


def facts(results: "Results", captions: Iterable[str] = ()) -> Facts:
    """Return the report in words; captions: of its figures, whose words are explained too."""
    manifest = results.manifest
    found = Facts(
        title=manifest["name"],
        state=state(results),
        subtitle=subtitle(results),
        colours=ink.palette(results.ranking),
        tasks=results.tasks["task"].tolist(),
        headline=verdict.headline(results),
        warnings=warnings(results),
        run=[
            Table(name, heading, sentence, written(rows))
            for name, heading, sentence, rows, written in one_run.told(results)
        ],
        overall=one(results, "overall"),
        rankings=[
            (str(task), ranking_text(rows), ranking_note(rows))
            for task, rows in results.ranking.groupby("task", sort=False)
        ],
        note=RELATIVE_NOTE,
        compared=compared(results),
        costs=costs(results),
        insights=insights(results),
        failures=one(results, "failures"),
        protocol=protocol(results),
        problems=one(results, "problems"),
        words=[],
        command=manifest["request"]["command"],
        folder=str(results.store.root),
        configuration=json.dumps(manifest["blocks"], indent=1, ensure_ascii=False),
    )
    return replace(found, words=used([*_texts(found), *captions]))


def _texts(found: Facts) -> Iterator[str]:
    """Yield what is told in words: sentences, headings and cells."""
    yield from (*found.headline, *found.warnings, found.note)
    tables = (*found.run, *found.overall, *found.compared, *found.costs, *found.failures, *found.problems)
    told = [(table.heading, table.sentence, table.rows) for table in tables]
    for row in (*found.subtitle, *found.protocol, *found.rankings, *told, *found.insights):
        for part in row:
            yield from (part,) if isinstance(part, str) else (*part.columns, *part.to_numpy().ravel())


def costs(results: "Results") -> list[Table]:
    """Return the costs to the target, a table a task; the tasks in which no optimizer reaches it share a sentence."""
    groups = {str(task): rows for task, rows in results.costs.groupby("task", sort=False)}
    known = {task: rows["evaluations_to_target"] for task, rows in groups.items()}
    reached = [task for task in groups if np.isfinite(known[task]).any()]
    found = [
        Table(f"costs-{i}", f"Cost to the target: {task}", "", costs_text(groups[task]))
        for i, task in enumerate(reached)
    ]
    missed = [task for task in groups if np.isposinf(known[task]).any() and task not in reached]
    sentence = f"No optimizer reaches a relative gap of {setting_value(float(results.manifest['target']))} with half of its seeds."
    return found + [
        Table("", f"Cost to the target: {listed(missed, most=12)}", sentence, pd.DataFrame())
    ] * bool(missed)


STATES = {"interrupted": "Interrupted", "running": "Still running, or stopped"}


def state(results: "Results") -> str:
    """Say what a sweep that is not complete lacks, and the command that goes on with it."""
    planned, stored, ended = (
        results.manifest["counts"]["planned"],
        len(results.runs),
        results.manifest["state"],
    )
    if ended == "complete" and stored == planned:
        return ""
    runs = f"{number(stored)} of {counted(planned, 'planned run')} are stored"
    return f"{STATES.get(ended, 'Not complete')}: {runs}. This goes on from there: {results.manifest['request']['command']}"


INSIGHTS = (
    (
        "What tuning could at best have found",
        "Gap after the budget, geometric mean over the starts. An oracle minimises the closed-form gap at this budget from each start; lr and "
        "momentum are medians. No method that steps along gradients can be below conjugate gradients.",
        lambda results: results.baselines if results.manifest.get("baselines") else pd.DataFrame(),
    ),
    (
        "Where the gap is left",
        "Share of the last gap in the directions of steep, middle and flat curvature (thirds of the spectrum's width in log), one run an optimizer.",
        remaining,
    ),
    (
        "When to stop",
        "left: distance of the last weights from the minimiser. from data: distance of the minimiser from the weights that made the data. pointless "
        "from: the step after which the first stays below the second.",
        statistical,
    ),
    (
        "The first update",
        "How far the first update moves a coordinate at most, beside the longest way that a coordinate has to go from start to minimiser.",
        first_steps,
    ),
    (
        "What theory allows",
        "Constants with the best rate in the long run (asymptotically best), the steps that then shrink the error to a tenth, and the learning rate "
        "at which the method stops converging.",
        limits,
    ),
)


def insights(results: "Results") -> list[tuple[str, str, pd.DataFrame]]:
    """Return what theory and paths tell, as text, a table each; only what the sweep can fill."""
    found = [(heading, sentence, frame(results)) for heading, sentence, frame in INSIGHTS]
    single = results.tasks["task"].nunique() == 1
    return [
        (heading, sentence, as_text(rows.drop(columns=["task"] * single)))
        for heading, sentence, rows in found
        if len(rows)
    ]
