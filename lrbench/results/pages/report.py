"""The report of a sweep: summary.csv, summary.md, tables/, figures/ and one offline page, made from the store
alone.

The page reads without its script; the script filters, sorts, copies and draws every run, and nothing else may
load.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results.figures import FIGURES, FigureSpec
from lrbench.results.figures.save import save
from lrbench.results.pages import explorer
from lrbench.results.pages.content import Content, Drawing, content_of
from lrbench.results.pages.html import PLOTS, read, rendered
from lrbench.results.pages.latex import latex
from lrbench.results.pages.markdown import markdown
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words.tables import (
    BELOW_RANKING,
    END,
    LEFT,
    PROTOCOL,
    SINGLE_RUN,
    TABLES,
    TOP,
    Table,
    text_of,
)

RANKING = "ranking"  # the table with sections of its own


def write(sweep: Sweep, path: Path) -> Path:
    """Write everything, each file whole; return the page's path."""
    drawings = [drawing for spec in FIGURES for drawing in _draw(sweep, spec)]
    return write_texts(sweep, drawings, path)


def write_texts(sweep: Sweep, drawings: list[Drawing], path: Path) -> Path:
    """Write what is text, around figures that are drawn: summary, tables/ and the page; return its path."""
    store = sweep.store
    content = content_of(sweep, [drawing.caption for drawing in drawings])
    store.write_text(store.summary("csv"), summary(sweep).to_csv(index=False))
    store.write_text(store.summary("md"), markdown(content, drawings))
    for name, text in table_files(sweep):
        store.write_text(store.root / "tables" / name, text)
    store.write_text(path, page(content, drawings, explorer.block(sweep)))
    return path


# ---- files beside the page


def summary(sweep: Sweep) -> pd.DataFrame:
    """Return the ranking, and what each optimizer cost on every axis."""
    elsewhere = ["steps_taken", "evaluations_to_target", "evaluations"]  # among the costs
    return sweep.ranking.drop(columns=elsewhere).merge(sweep.costs, on=COMPETITOR)


def table_files(sweep: Sweep) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each file in tables/: the frames in full precision as CSV, and as printed for
    LaTeX.

    Only of those that have rows.
    """
    for spec in TABLES:
        frame = spec.frame(sweep)
        if len(frame):
            yield f"{spec.name}.csv", frame.map(_flat).to_csv(index=False)
            yield f"{spec.name}.tex", latex(text_of(sweep, frame, spec.text), LEFT)


def _flat(cell: Any) -> Any:
    return ", ".join(cell) if isinstance(cell, tuple) else cell


def _draw(sweep: Sweep, spec: FigureSpec) -> Iterator[Drawing]:
    """Save a figure as SVG; none where the sweep has nothing for it."""
    with suppress(RequestError):
        figure = spec.draw(sweep)
        file = save(figure, sweep.store.figures / f"{spec.name}.svg")
        paths = json.dumps(spec.slider(sweep, figure), separators=(",", ":")) if spec.slider else ""
        text = file.read_text(encoding="utf-8")
        yield Drawing(spec.name, spec.title, spec.caption(sweep), spec.finding(sweep), text, paths)


# ---- the page


@dataclass(frozen=True)
class Section:
    """A figure, tables, or both; the first of them heads it."""

    name: str  # its id on the page
    drawing: Drawing | None
    tables: list[Table]

    @property
    def heading(self) -> str:
        return self.drawing.title if self.drawing else self.tables[0].heading


def page(content: Content, drawings: list[Drawing], explored: dict[str, Any] | None) -> str:
    """Write the content as HTML, with the figures in it and, if there are any, the runs that `explorer.block`
    returns.
    """
    own_sections = sections(content, drawings)
    plots = read(PLOTS) if explored else None
    return rendered(
        "report.html.j2",
        content.title,
        content.colours,
        content.tasks,
        plots,
        content=content,
        top=_top(content),
        rankings=content.tables[RANKING],
        below_rankings=content.at(BELOW_RANKING),
        sections=own_sections,
        end=content.at(END),
        problems=content.at(PROTOCOL),
        contents=contents(content, own_sections, explored is not None),
        explored=explored,
    )


def _top(content: Content) -> list[Table]:
    """Return the tables above the rankings."""
    return [
        table for table in (*content.at(SINGLE_RUN), *content.at(TOP)) if table not in content.tables[RANKING]
    ]


def sections(content: Content, drawings: list[Drawing]) -> list[Section]:
    """Return the sections that have something to show: each figure with its tables below it."""
    drawn = {drawing.name: drawing for drawing in drawings}
    of_figures = []
    for spec in FIGURES:
        tables = [table for name in spec.tables for table in content.tables[name]]
        of_figures.append(Section(spec.name, drawn.get(spec.name), tables))
    return [section for section in of_figures if section.drawing or section.tables]


def contents(content: Content, sections: list[Section], explored: bool) -> Iterator[tuple[str, str]]:
    """Yield (id, heading) of what the page links to from its top, the rankings as one."""
    rankings = content.tables[RANKING]
    for table in _top(content):
        yield table.name, table.heading
    if rankings:
        yield "ranking-0", "Ranking" if len(rankings) == 1 else "Rankings"
    for table in content.at(BELOW_RANKING):
        yield table.name, table.heading
    for section in sections:
        yield section.name, section.heading
    if explored:
        yield "explorer", "Explore every run"
    for table in content.at(END):
        yield table.name, table.heading
    yield "words", "Words on this page"
    yield "protocol", "Protocol"
