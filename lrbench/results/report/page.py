"""report.html: one file, offline. It reads without its script; the script filters, sorts, copies and draws every run, and nothing else may load."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from lrbench.results.report.compared import MOST_ROWS, Table, rest
from lrbench.results.report.facts import Drawing, Facts
from lrbench.results.report.html import PLOTS, read, rendered, table

# the sections in their order: a figure, and the tables below it
SECTIONS = {
    **{
        "loss_curves": (),
        "lr_sensitivity": ("sensitivity",),
        "heat_map": (),
        "tuned_against_default": ("tuned_against_default",),
    },
    **{
        "targets": ("targets", "success", "costs"),
        "profile": ("competence",),
        "seeds": (),
        "pairs": ("pairwise",),
        "mean_ranks": ("across",),
    },
    **{"path": (), "budget": (), "directions": ("insights",)},
}


@dataclass(frozen=True)
class Section:
    """A figure, tables, or both; the first of them heads it."""

    name: str  # its id on the page
    drawing: Drawing | None
    tables: list[Table]

    @property
    def heading(self) -> str:
        return self.drawing.title if self.drawing else self.tables[0].heading


def page(facts: Facts, drawings: list[Drawing], explored: dict[str, Any] | None) -> str:
    """Write the facts as HTML, with the figures in it and, if there are any, the runs that `explorer.block` returns."""
    found = sections(facts, drawings)
    links = contents(facts, found, explored is not None)
    shown = {"sections": found, "contents": links, "explored": explored, "most": MOST_ROWS, "rest": rest}
    return rendered(
        "page.html.j2",
        facts.title,
        facts.colours,
        facts.tasks,
        read(PLOTS) if explored else None,
        facts=facts,
        **shown,
    )


def contents(facts: Facts, sections: list[Section], explored: bool) -> list[tuple[str, str]]:
    """Return (id, heading) of what the page links to from its top, the rankings as one."""
    found = [(one.name, one.heading) for one in [*facts.run, *facts.overall]]
    found += [("ranking-0", "Ranking" if len(facts.rankings) == 1 else "Rankings")] * bool(facts.rankings)
    found += [(section.name, section.heading) for section in sections]
    found += [("explorer", "Explore every run")] * explored
    return [
        *found,
        *((one.name, one.heading) for one in facts.failures),
        ("words", "Words on this page"),
        ("protocol", "Protocol"),
    ]


def sections(facts: Facts, drawings: list[Drawing]) -> list[Section]:
    """Return the sections that have something to show."""
    figures = {drawing.name: drawing for drawing in drawings}
    tables = {
        **{one.name: [one] for one in facts.compared},
        "costs": facts.costs,
        "insights": [Table(f"insights-{i}", *insight) for i, insight in enumerate(facts.insights)],
    }
    found = [
        Section(name, figures.get(name), [one for below in names for one in tables.get(below, [])])
        for name, names in SECTIONS.items()
    ]
    return [section for section in found if section.drawing or section.tables]


def brief(headline: list[str], rankings: list[tuple[str, pd.DataFrame]]) -> str:
    """Write verdict and rankings, (task, text) each, as HTML for a notebook, where a table's caption is its heading."""
    sentences = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in headline)
    return str(sentences + Markup("").join(table(text, task, task, {}) for task, text in rankings))
