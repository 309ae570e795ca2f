"""What page and Markdown both tell of a sweep, as text: nothing is computed or rounded after this."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lrbench.results.figures.ink import Palette, palette
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.cells import RELATIVE_NOTE
from lrbench.results.words.glossary import used
from lrbench.results.words.protocol import Rows, protocol, state, subtitle
from lrbench.results.words.tables import TABLES, Table, tables
from lrbench.results.words.verdict import headline
from lrbench.results.words.warnings import notes, warnings


@dataclass(frozen=True)
class Drawing:
    """A drawn figure: figures/<name>.svg."""

    name: str
    title: str
    caption: str
    finding: str  # what it shows, for those who do not see it
    svg: str
    paths: str = ""  # JSON, what a slider moves along


@dataclass(frozen=True)
class Content:
    """The report in words."""

    title: str
    state: str  # "" of a complete sweep
    subtitle: Rows
    colours: Palette
    tasks: list[str]
    headline: list[str]
    warnings: list[str]
    notes: list[str]
    tables: dict[str, list[Table]]  # name of a table -> its texts, none where it has no rows
    note: str  # on the columns of the rankings
    protocol: Rows
    words: Rows  # those that the others use, and what each means
    command: str
    folder: str
    configuration: str  # JSON

    def at(self, place: str) -> list[Table]:
        """Return the tables that stand at a place of the report, in order."""
        names = [spec.name for spec in TABLES if spec.place == place]
        return [table for name in names for table in self.tables[name]]


def content_of(sweep: Sweep, captions: Iterable[str] = ()) -> Content:
    """Return the report in words; captions: of its figures, whose words are explained too."""
    manifest = sweep.manifest
    unexplained = Content(
        title=manifest["name"],
        state=state(sweep),
        subtitle=subtitle(sweep),
        colours=palette(sweep.ranking),
        tasks=sweep.tasks["task"].tolist(),
        headline=headline(sweep),
        warnings=warnings(sweep),
        notes=notes(sweep),
        tables={spec.name: tables(sweep, spec) for spec in TABLES},
        note=RELATIVE_NOTE,
        protocol=protocol(sweep),
        words=[],
        command=manifest["request"]["command"],
        folder=str(sweep.store.root),
        configuration=json.dumps(manifest["blocks"], indent=1, ensure_ascii=False),
    )
    return replace(unexplained, words=used([*_texts(unexplained), *captions]))


def _texts(content: Content) -> Iterator[str]:
    """Yield what is told in words: sentences, headings and cells."""
    yield from (*content.headline, *content.warnings, *content.notes, content.note)
    for row in (*content.subtitle, *content.protocol):
        yield from row
    for texts in content.tables.values():
        for table in texts:
            yield from (table.heading, table.sentence, table.note)
            yield from (*table.rows.columns, *table.rows.to_numpy().ravel())
