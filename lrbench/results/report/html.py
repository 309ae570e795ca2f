"""What the pages are made of: templates, figures and tables as HTML, scripts. One file, offline: only its own scripts run, and nothing may load."""

import base64
import hashlib
import json
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from lrbench.results import ink
from lrbench.results.report.compared import LEFT

HERE = Path(__file__).parent
STYLES, SCRIPT = ("vendor/uPlot.min.css", "page.css"), "page.js"
PLOTS = "vendor/uPlot.iife.min.js"  # what the explorer draws with: text, until page.js runs it for a reader who comes near


def rendered(
    template: str,
    title: str,
    colours: dict[str, str],
    tasks: list[str],
    plots: str | None = None,
    **told: Any,
) -> str:
    """Fill a template of this folder.

    colours: of each optimizer, which the page filters by; tasks: which its explorer chooses from; plots: PLOTS, of a page with an explorer.
    """
    data = {
        "optimizers": [{"name": name, "colour": colour} for name, colour in colours.items()],
        "tasks": tasks,
    }
    style, script = Markup("\n".join(map(read, STYLES))), read(SCRIPT)
    frame = {
        "style": style,
        "script": Markup(script),
        "policy": policy([script, *([plots] if plots else [])]),
    }
    return (
        _templates()
        .get_template(template)
        .render(title=title, colours=colours, data=data, plots=plots, **frame, **told)
    )


def read(name: str) -> str:
    """Return a file of this folder."""
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"inline": inline, "table": table, "embedded": embedded}
    return environment


# ---- figures and tables


def inline(svg: str, name: str) -> Markup:
    """Prepare a matplotlib SVG for a page: ids of its own, the page's text colour, no paper."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", lambda tag: _own(tag[0], name), body)
    body = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
        r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true">',
        body,
        count=1,
    )
    return Markup(body)


def _own(tag: str, name: str) -> str:
    """Give a tag the figure's ids and the page's colours; the text between tags stays as it is. Images need none: equal ones have one id."""
    if tag.startswith("<image"):
        return re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r'(\bid="|url\(#|href="#)', lambda match: f"{match[1]}{name}-", tag)
    return re.sub(f"fill: ?{ink.PAPER}", "fill:none", tag.replace(ink.INK, "currentColor"))


TABLE = Markup(
    '<div class="table"><div class="scroll" tabindex="0" role="group" aria-label="{caption}"><table class="data" data-name="{name}">'
    '<caption class="spoken">{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div><div class="copy"></div></div>'
)


def table(
    text: pd.DataFrame, name: str, caption: str, colours: dict[str, str], left: Collection[str] = LEFT
) -> Markup:
    """Write a frame of text as an HTML table; what is not `left` stands right, and a row of one optimizer tells its place in `colours`."""
    kinds = ["left" if column in left else "right" for column in text]
    head = Markup("").join(
        Markup('<th scope="col" class="{}">{}</th>').format(kind, column)
        for kind, column in zip(kinds, text, strict=True)
    )
    places = {optimizer: Markup(' data-optimizer="{}"').format(i) for i, optimizer in enumerate(colours)}
    owners = [places.get(optimizer, "") for optimizer in text.get("optimizer", [""] * len(text))]
    rows = [
        Markup("<tr{}>{}</tr>").format(owner, Markup("").join(map(_cell, text, kinds, cells)))
        for owner, cells in zip(owners, text.itertuples(index=False), strict=True)
    ]
    return TABLE.format(name=name, caption=caption, head=head, body=Markup("").join(rows))


BREAK = re.compile(
    r" (?=\(|decades$)"
)  # where a number may end its line: before what is in brackets, and before its unit


def _cell(column: str, kind: str, cell: str) -> Markup:
    tag = Markup('<th scope="row" class="{}">{}</th>' if column == "optimizer" else '<td class="{}">{}</td>')
    number, *more = BREAK.split(cell, maxsplit=1) if kind == "right" else [cell]
    return tag.format(
        kind, Markup("").join([number, *map(Markup(' <span class="whole">{}</span>').format, more)])
    )


# ---- data and scripts


def embedded(data: Any) -> Markup:
    """Write data as JSON that cannot end the element it stands in."""
    return Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def policy(scripts: Collection[str]) -> str:
    """Return the Content-Security-Policy: these scripts and nothing else, from nowhere."""
    sums = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return f"default-src 'none'; script-src {sums}; style-src 'unsafe-inline'; img-src data:"
