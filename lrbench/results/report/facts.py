"""What page and Markdown both tell, as text: nothing is computed or rounded after this."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.results import ink, verdict
from lrbench.results.directions import remaining, statistical
from lrbench.results.expected import first_steps, limits
from lrbench.results.report.compared import Table, compared, failed, failures_text, told
from lrbench.results.report.glossary import used
from lrbench.results.report.protocol import Rows, protocol, subtitle
from lrbench.results.text import RELATIVE_NOTE, as_text, costs_text, counted, ranking_text
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
    rankings: list[tuple[str, pd.DataFrame]]  # (task, table)
    note: str  # on the rankings' columns
    compared: list[Table]
    costs: list[tuple[str, pd.DataFrame]]  # (task, table)
    insights: list[tuple[str, str, pd.DataFrame]]  # (heading, what the columns are, table)
    failures: pd.DataFrame
    protocol: Rows
    words: Rows  # those that the others use, and what each means
    command: str
    folder: str
    configuration: str  # JSON


def facts(results: "Results") -> Facts:
    manifest = results.manifest
    found = Facts(
        title=manifest["name"],
        state=state(results),
        subtitle=subtitle(results),
        colours=ink.palette(results.ranking),
        tasks=results.tasks["task"].tolist(),
        headline=verdict.headline(results),
        warnings=warnings(results),
        rankings=[(str(task), ranking_text(rows)) for task, rows in results.ranking.groupby("task", sort=False)],
        note=RELATIVE_NOTE,
        compared=compared(results),
        costs=[(str(task), costs_text(rows)) for task, rows in results.costs.groupby("task", sort=False)],
        insights=insights(results),
        failures=told(results, failed(results), failures_text),
        protocol=protocol(results),
        words=[],
        command=manifest["request"]["command"],
        folder=str(results.store.root),
        configuration=json.dumps(manifest["blocks"], indent=1, ensure_ascii=False),
    )
    return replace(found, words=used(_texts(found)))


def _texts(found: Facts) -> Iterator[str]:
    """Yield what is told in words: sentences, headings and cells."""
    yield from (*found.headline, *found.warnings, found.note)
    tables = [(table.heading, table.sentence, table.rows) for table in found.compared]
    for row in (*found.subtitle, *found.protocol, *found.rankings, *tables, *found.costs, *found.insights, (found.failures,)):
        for part in row:
            yield from (part,) if isinstance(part, str) else (*part.columns, *part.to_numpy().ravel())


STATES = {"interrupted": "Interrupted", "running": "Still running, or stopped"}


def state(results: "Results") -> str:
    """Say what a sweep that is not complete lacks, and the command that goes on with it."""
    planned, stored, ended = results.manifest["counts"]["planned"], len(results.runs), results.manifest["state"]
    if ended == "complete" and stored == planned:
        return ""
    runs = f"{stored} of {counted(planned, 'planned run')} are stored"
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
        "Constants with the best rate in the long run (asymptotically best), the factor by which they shrink the error a step, and the learning rate "
        "at which the method stops converging.",
        limits,
    ),
)


def insights(results: "Results") -> list[tuple[str, str, pd.DataFrame]]:
    """Return what theory and paths tell, as text, a table each; only what the sweep can fill."""
    found = [(heading, sentence, frame(results)) for heading, sentence, frame in INSIGHTS]
    single = results.tasks["task"].nunique() == 1
    return [(heading, sentence, as_text(rows.drop(columns=["task"] * single))) for heading, sentence, rows in found if len(rows)]
