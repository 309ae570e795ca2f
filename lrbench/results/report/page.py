"""report.html: one file, offline. It reads without its script; the script filters, sorts, copies and draws every run, and nothing else may load."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from lrbench.results import ink
from lrbench.results.report.compared import LEFT, MOST_ROWS, Table, rest
from lrbench.results.report.facts import Drawing, Facts

HERE = Path(__file__).parent
SCRIPTS = ("vendor/uPlot.iife.min.js", "page.js")
# the sections in their order: a figure, and the tables below it
SECTIONS = {
    **{"loss_curves": (), "lr_sensitivity": ("sensitivity",), "heat_map": (), "tuned_against_default": ("tuned_against_default",)},
    **{"targets": ("targets", "success", "costs"), "profile": ("competence",), "seeds": (), "pairs": ("pairwise",), "mean_ranks": ("across",)},
    **{"path": (), "budget": (), "directions": ("insights",)},
}


@dataclass(frozen=True)
class Section:
    """A figure, tables, or both; the first of them heads it."""

    drawing: Drawing | None
    tables: list[Table]

    @property
    def heading(self) -> str:
        return self.drawing.title if self.drawing else self.tables[0].heading


def page(facts: Facts, drawings: list[Drawing], explored: dict[str, Any] | None) -> str:
    """Write the facts as HTML, with the figures in it and, if there are any, the runs that `explorer.block` returns."""
    data = {"optimizers": [{"name": name, "colour": colour} for name, colour in facts.colours.items()], "tasks": facts.tasks}
    return _template().render(
        **{"facts": facts, "sections": sections(facts, drawings), "data": data, "explored": explored, "most": MOST_ROWS},
        **{"inline": inline, "table": table, "rest": rest, "embedded": embedded},
        **{"scripts": [Markup(script) for script in scripts()], "policy": policy(), "style": Markup((HERE / "vendor/uPlot.min.css").read_text())},
    )


def sections(facts: Facts, drawings: list[Drawing]) -> list[Section]:
    """Return the sections that have something to show."""
    figures = {drawing.name: drawing for drawing in drawings}
    tables = {
        **{one.name: [one] for one in facts.compared},
        "costs": [Table(f"costs-{i}", f"Cost to the target: {task}", "", rows) for i, (task, rows) in enumerate(facts.costs)],
        "insights": [Table(f"insights-{i}", *insight) for i, insight in enumerate(facts.insights)],
    }
    found = [Section(figures.get(name), [one for below in names for one in tables.get(below, [])]) for name, names in SECTIONS.items()]
    return [section for section in found if section.drawing or section.tables]


def brief(headline: list[str], rankings: list[tuple[str, pd.DataFrame]]) -> str:
    """Write verdict and rankings, (task, text) each, as HTML for a notebook."""
    sentences = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in headline)
    return str(sentences + Markup("").join(Markup("<h4>{}</h4>{}").format(task, table(text, task, task, {})) for task, text in rankings))


def inline(svg: str, name: str) -> Markup:
    """Prepare a matplotlib SVG for a page: ids of its own, the page's text colour, no paper."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", lambda tag: _own(tag[0], name), body)
    body = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true">', body, count=1
    )
    return Markup(body)


def _own(tag: str, name: str) -> str:
    """Give a tag the figure's ids and the page's colours; the text between tags stays as it is. Images need none: equal ones have one id."""
    if tag.startswith("<image"):
        return re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r'(\bid="|url\(#|href="#)', lambda match: f"{match[1]}{name}-", tag)
    return tag.replace(ink.INK, "currentColor").replace(f"fill: {ink.PAPER}", "fill: none")


TABLE = Markup(
    '<div class="table"><div class="scroll" tabindex="0" role="group" aria-label="{caption}"><table class="data" data-name="{name}">'
    '<caption class="spoken">{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div><div class="copy"></div></div>'
)


def table(text: pd.DataFrame, name: str, caption: str, colours: dict[str, str]) -> Markup:
    """Write a frame of text as an HTML table; numbers stand right, and a row of one optimizer tells its place in `colours`."""
    kinds = ["left" if column in LEFT else "right" for column in text]
    head = Markup("").join(Markup('<th scope="col" class="{}">{}</th>').format(kind, column) for kind, column in zip(kinds, text, strict=True))
    places = {optimizer: Markup(' data-optimizer="{}"').format(i) for i, optimizer in enumerate(colours)}
    owners = [places.get(optimizer, "") for optimizer in text.get("optimizer", [""] * len(text))]
    rows = [
        Markup("<tr{}>{}</tr>").format(owner, Markup("").join(map(_cell, text, kinds, cells)))
        for owner, cells in zip(owners, text.itertuples(index=False), strict=True)
    ]
    return TABLE.format(name=name, caption=caption, head=head, body=Markup("").join(rows))


def _cell(column: str, kind: str, cell: str) -> Markup:
    tag = Markup('<th scope="row" class="{}">{}</th>' if column == "optimizer" else '<td class="{}">{}</td>')
    return tag.format(kind, cell)


# ---- script


@cache
def scripts() -> list[str]:
    """Return the page's scripts as text."""
    return [(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS]


def policy() -> str:
    """Return the Content-Security-Policy: these scripts and nothing else, from nowhere."""
    sums = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts())
    return f"default-src 'none'; script-src {sums}; style-src 'unsafe-inline'; img-src data:"


def embedded(data: Any) -> Markup:
    """Write data as JSON that cannot end the element it stands in."""
    return Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((HERE / "page.html.j2").read_text(encoding="utf-8"))
