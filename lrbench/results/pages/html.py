"""What the pages are made of: templates, figures and tables as HTML, scripts.

A page is one file, offline: only its own scripts run, and nothing may load.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from lrbench import __version__
from lrbench.results.figures import ink
from lrbench.results.figures.ink import Palette, in_front
from lrbench.results.figures.looks import NIGHTS
from lrbench.results.figures.night import COLOUR, without_night
from lrbench.results.frames.names import displayed
from lrbench.results.words.tables import LEFT

TEMPLATES = Path(__file__).parent / "templates"
STYLES, SCRIPT = ("vendor/uPlot.min.css", "page.css"), "page.js"
PLOTS = "vendor/uPlot.iife.min.js"  # what the explorer draws with: text, until a reader comes near


def rendered(
    template: str,
    title: str,
    colours: Palette,
    tasks: list[str],
    plots: str | None = None,
    **named: Any,
) -> str:
    """Fill a template.

    colours: how each optimizer looks, which the page filters by; tasks: which its explorer chooses from;
    plots: PLOTS, of a page with an explorer; named: what else the template names.
    """
    front = in_front(colours)
    optimizers = [
        {"name": displayed(name), "colour": look.colour, "behind": name not in front}
        for name, look in colours.items()
    ]
    script = read(SCRIPT)
    scripts = [script, plots] if plots else [script]
    return (
        _templates()
        .get_template(template)
        .render(
            title=title,
            version=__version__,
            colours=colours,
            data={"optimizers": optimizers, "tasks": tasks},
            plots=plots,
            style=Markup("\n".join([*map(read, STYLES), inks(colours)])),
            script=Markup(script),
            policy=policy(scripts),
            **named,
        )
    )


def read(name: str) -> str:
    """Return a file of templates/."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"inline": inline, "table": table, "embedded": embedded}
    return environment


# ---- figures


def inks(colours: Palette) -> str:
    """Return the styles that hold the colour of each optimizer, by day and by night; paper is by day."""
    day = "".join(f"{_ink(look.colour)}:{look.colour};" for look in colours.values())
    night = "".join(f"{_ink(look.colour)}:{look.night};" for look in colours.values())
    return f":root{{{day}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{night}}}}}"


def _ink(colour: str) -> str:
    return f"--c-{colour[1:]}"


def inline(svg: str, name: str) -> Markup:
    """Prepare a matplotlib SVG for a page: ids of its own, the page's text colour, no paper."""
    body = without_night(svg[svg.index("<svg") :])
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", lambda tag: _own_tag(tag[0], name), body)
    scaling = r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true">'
    return Markup(re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', scaling, body, count=1))


def _own_tag(tag: str, name: str) -> str:
    """Give a tag the figure's ids and the page's colours; the text between tags stays as it is.

    Images need none: equal ones have one id.
    """
    if tag.startswith("<image"):
        return re.sub(r' id="[^"]*"', "", tag)
    tag = re.sub(r'(\bid="|url\(#|href="#)', lambda match: f"{match[1]}{name}-", tag)
    tag = re.sub(f"fill: ?{ink.PAPER}", "fill:none", tag.replace(ink.INK, "currentColor"))
    return COLOUR.sub(lambda colour: f"var({_ink(colour[0])})" if colour[0] in NIGHTS else colour[0], tag)


# ---- tables


TABLE = Markup(
    '<div class="table"><div class="scroll" tabindex="0" role="group" aria-label="{caption}">'
    '<table class="data" data-name="{name}"><caption class="spoken">{caption}</caption>'
    "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    '<div class="copy"></div></div>'
)
COLUMN = Markup('<th scope="col" class="{}">{}</th>')
ROW = Markup("<tr{}>{}</tr>")
OWNER = Markup(' data-optimizer="{}"')
NAME = Markup('<th scope="row" class="{}">{}</th>')
CELL = Markup('<td class="{}">{}</td>')
WHOLE = Markup(' <span class="whole">{}</span>')
# where a number may end its line: before what is in brackets, before its unit, and before the end of a range
BREAK = re.compile(r" (?=\(|decades$|level$|to [^)]*$)")


def table(
    text: pd.DataFrame, name: str, caption: str, colours: Collection[str], left: Collection[str] = LEFT
) -> Markup:
    """Write a frame of text as an HTML table.

    What is not `left` stands right, and a row of one optimizer tells its place in `colours`.
    """
    headings = [str(column) for column in text]
    kinds = [_side(heading, left) for heading in headings]
    head = _joined(COLUMN.format(kind, heading) for kind, heading in zip(kinds, headings, strict=True))
    places = {displayed(optimizer): OWNER.format(place) for place, optimizer in enumerate(colours)}
    optimizers = text.get("optimizer", [""] * len(text))
    rows = []
    for optimizer, cells in zip(optimizers, text.itertuples(index=False), strict=True):
        owner = places.get(displayed(optimizer), "")
        rows.append(ROW.format(owner, _joined(map(_cell, headings, kinds, cells))))
    return TABLE.format(name=name, caption=caption, head=head, body=_joined(rows))


def _side(heading: str, left: Collection[str]) -> str:
    return "left" if heading in left else "right"


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _cell(column: str, kind: str, cell: str) -> Markup:
    tag = NAME if column == "optimizer" else CELL
    if kind == "left":
        return tag.format(kind, cell)
    number, *more = BREAK.split(cell)
    return tag.format(kind, _joined([Markup.escape(number), *map(WHOLE.format, more)]))


def brief(sentences: list[str], tables: list[tuple[str, pd.DataFrame]]) -> str:
    """Write sentences and tables, (heading, text) each, as HTML for a notebook, where a table's caption is
    its heading.
    """
    paragraphs = _joined(Markup("<p>{}</p>").format(sentence) for sentence in sentences)
    return str(paragraphs + _joined(table(text, heading, heading, {}) for heading, text in tables))


# ---- data and scripts


def embedded(data: Any) -> Markup:
    """Write data as JSON that cannot end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def policy(scripts: Collection[str]) -> str:
    """Return the Content-Security-Policy: these scripts and nothing else, from nowhere."""
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    sums = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; script-src {sums}; style-src 'unsafe-inline'; img-src data:"
