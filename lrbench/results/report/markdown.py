"""summary.md: the report for a terminal or a code host."""

import re

import pandas as pd

from lrbench.results.report.compared import MOST_ROWS, rest
from lrbench.results.report.facts import Drawing, Facts


def markdown(facts: Facts, drawings: list[Drawing]) -> str:
    """Write the facts as Markdown, with links to the figures."""
    parts = [f"# {escaped(facts.title)}", *[f"**{escaped(facts.state)}**"] * bool(facts.state), *map(escaped, facts.headline)]
    if facts.warnings:
        parts += ["## Read before quoting", "\n".join(f"- {escaped(sentence)}" for sentence in facts.warnings)]
    for task, ranking in facts.rankings:
        parts += [f"## Ranking: {escaped(task)}", table(ranking)]
    parts += [escaped(facts.note)]
    parts += [f"![{drawing.title}](figures/{drawing.name}.svg)\n\n*{drawing.caption}*" for drawing in drawings]
    for one in facts.compared:
        parts += [f"## {one.heading}", one.sentence, table(one.rows.head(MOST_ROWS)), *rest(one)]
    for task, costs in facts.costs:
        parts += [f"## Cost to the target: {escaped(task)}", table(costs)]
    for heading, sentence, rows in facts.insights:
        parts += [f"## {heading}", sentence, table(rows)]
    if len(facts.failures):
        parts += ["## Runs that went wrong", table(facts.failures)]
    parts += ["## Words", "\n".join(f"- **{word}**: {escaped(meaning)}" for word, meaning in facts.words)]
    parts += ["## Protocol", "\n".join(f"- {name}: {escaped(text)}" for name, text in [*facts.subtitle, *facts.protocol])]
    parts += ["## Run it again", f"```\n{facts.command}\npython -m lrbench reproduce {facts.folder}\n```"]
    return "\n\n".join(parts) + "\n"


def table(text: pd.DataFrame) -> str:
    """Write a frame of text as a Markdown table."""
    lines = [list(text.columns), ["---"] * len(text.columns), *text.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(escaped(str(cell)) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """Keep what users named from being read as Markdown or HTML."""
    return re.sub(r"([\\`*<>|\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", text.replace("\n", " "))
