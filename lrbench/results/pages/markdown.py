"""summary.md: the report for a terminal or a code host."""

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from lrbench.results.pages.content import Content, Drawing
from lrbench.results.words.tables import (
    BELOW_A_FIGURE,
    BELOW_RANKING,
    END,
    PROTOCOL,
    SINGLE_RUN,
    TOP,
    Table,
)


def markdown(content: Content, drawings: list[Drawing]) -> str:
    """Write the content as Markdown, with links to the figures."""
    return "\n\n".join(_parts(content, drawings)) + "\n"


def _parts(content: Content, drawings: list[Drawing]) -> Iterator[str]:
    yield f"# {escaped(content.title)}"
    if content.state:
        yield f"**{escaped(content.state)}**"
    yield from map(escaped, content.headline)
    if content.warnings:
        yield "## Read before quoting"
        yield "\n".join(f"- {escaped(sentence)}" for sentence in content.warnings)
    if content.notes:
        yield "Notes:"
        yield "\n".join(f"- {escaped(sentence)}" for sentence in content.notes)
    yield from _tables(content.at(SINGLE_RUN))
    yield from _tables(content.at(TOP))
    yield escaped(content.note)
    yield from _tables(content.at(BELOW_RANKING))
    for drawing in drawings:
        yield f"![{drawing.title}](figures/{drawing.name}.svg)\n\n*{drawing.caption}*"
    yield from _tables(content.at(BELOW_A_FIGURE))
    yield from _tables(content.at(END))
    yield "## Words"
    yield "\n".join(f"- **{word}**: {escaped(meaning)}" for word, meaning in content.words)
    yield "## Protocol"
    yield "\n".join(f"- {name}: {escaped(text)}" for name, text in [*content.subtitle, *content.protocol])
    yield from _tables(content.at(PROTOCOL))
    yield "## Run it again"
    yield _code(f"{content.command}\npython -m lrbench reproduce {content.folder}")


def _tables(tables: Iterable[Table]) -> Iterator[str]:
    """Write headings, sentences and tables, and where the rest of a long one is."""
    for printed in tables:
        yield f"## {escaped(printed.heading)}"
        if printed.sentence:
            yield escaped(printed.sentence)
        if len(printed.rows):
            yield table(printed.shown)
        yield from printed.notes


def _code(text: str) -> str:
    """Write a block of code; its fence is longer than any that is in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, 1 + longest)
    return f"{fence}\n{text}\n{fence}"


def table(text: pd.DataFrame) -> str:
    """Write a frame of text as a Markdown table."""
    rule = ["---"] * len(text.columns)
    lines = [text.columns, rule, *text.itertuples(index=False)]
    return "\n".join(_line(cells) for cells in lines)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(escaped(str(cell)) for cell in cells)} |"


def escaped(text: str) -> str:
    """Keep what users named from being read as Markdown or HTML."""
    return re.sub(r"([\\`*<>|\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", text.replace("\n", " "))
