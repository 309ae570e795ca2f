"""report.html: one file, offline, no script."""

import re
from functools import cache
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from lrbench.results import ink
from lrbench.results.report.compared import LEFT, MOST_ROWS, rest
from lrbench.results.report.facts import Drawing, Facts


def page(facts: Facts, drawings: list[Drawing]) -> str:
    """Write the facts as HTML, with the figures in it."""
    return _template().render(facts=facts, drawings=drawings, inline=inline, table=table, rest=rest, most=MOST_ROWS)


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


def table(text: pd.DataFrame) -> Markup:
    """Write a frame of text as an HTML table; numbers stand right."""
    kinds = ["left" if column in LEFT else "right" for column in text]
    head = Markup("").join(Markup('<th scope="col" class="{}">{}</th>').format(kind, column) for kind, column in zip(kinds, text, strict=True))
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td class="{}">{}</td>').format(kind, cell) for kind, cell in zip(kinds, cells, strict=True))
        )
        for cells in text.itertuples(index=False)
    )
    return Markup('<div class="scroll" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(head, rows)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((Path(__file__).parent / "page.html.j2").read_text(encoding="utf-8"))
