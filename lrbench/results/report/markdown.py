"""summary.md: the report for a terminal or a code host."""

import re

import pandas as pd

from lrbench.results.report.compared import MOST_ROWS, Table, rest
from lrbench.results.report.facts import Drawing, Facts


def markdown(facts: Facts, drawings: list[Drawing]) -> str:
    """Write the facts as Markdown, with links to the figures."""
    parts = [
        f"# {escaped(facts.title)}",
        *[f"**{escaped(facts.state)}**"] * bool(facts.state),
        *map(escaped, facts.headline),
    ]
    if facts.warnings:
        parts += [
            "## Read before quoting",
            "\n".join(f"- {escaped(sentence)}" for sentence in facts.warnings),
        ]
    parts += [part for one in (*facts.run, *facts.overall) for part in _told(one)]
    for task, ranking, note in facts.rankings:
        parts += [f"## Ranking: {escaped(task)}", table(ranking), *[note] * bool(note)]
    parts += [escaped(facts.note)]
    parts += [
        f"![{drawing.title}](figures/{drawing.name}.svg)\n\n*{drawing.caption}*" for drawing in drawings
    ]
    parts += [part for one in (*facts.compared, *facts.costs) for part in _told(one)]
    for heading, sentence, rows in facts.insights:
        parts += [f"## {heading}", sentence, table(rows)]
    parts += [part for one in facts.failures for part in _told(one)]
    parts += ["## Words", "\n".join(f"- **{word}**: {escaped(meaning)}" for word, meaning in facts.words)]
    parts += [
        "## Protocol",
        "\n".join(f"- {name}: {escaped(text)}" for name, text in [*facts.subtitle, *facts.protocol]),
    ]
    parts += [part for one in facts.problems for part in _told(one)]
    parts += ["## Run it again", _code(f"{facts.command}\npython -m lrbench reproduce {facts.folder}")]
    return "\n\n".join(parts) + "\n"


def _told(one: Table) -> list[str]:
    """Write heading, sentence and table, and where the rest of a long one is."""
    rows = [table(one.rows.head(MOST_ROWS)), *rest(one)] if len(one.rows) else []
    return [f"## {escaped(one.heading)}", *[escaped(one.sentence)] * bool(one.sentence), *rows]


def _code(text: str) -> str:
    """Write a block of code; its fence is longer than any that is in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def table(text: pd.DataFrame) -> str:
    """Write a frame of text as a Markdown table."""
    lines = [list(text.columns), ["---"] * len(text.columns), *text.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(escaped(str(cell)) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """Keep what users named from being read as Markdown or HTML."""
    return re.sub(r"([\\`*<>|\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", text.replace("\n", " "))
