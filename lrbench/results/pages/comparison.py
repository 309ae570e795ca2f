"""The page of a comparison: one file, offline, in the look of the report; its numbers are those of the
terminal.
"""

import os
import shlex
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from lrbench.errors import RequestError
from lrbench.results.figures import COMPARED, ComparedSpec
from lrbench.results.figures.ink import compared_palette
from lrbench.results.figures.save import save
from lrbench.results.notation import counted, listed
from lrbench.results.pages.content import Drawing
from lrbench.results.pages.html import rendered
from lrbench.results.statistics.pairs import MARGIN
from lrbench.results.statistics.pvalues import ALPHA
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.cells import COSTS_NOTE, changes_text, differences_text
from lrbench.results.words.changes import more_settings, sentences
from lrbench.results.words.glossary import used
from lrbench.results.words.protocol import Rows, state

MOST_ROWS = 200
MOST_TASKS = 6  # that are named
LONGEST_NAME = 200  # bytes, of the file
BETWEEN, SUFFIX = "-against-", ".html"
NOTE = (
    f"{COSTS_NOTE} B / A: how many times as many evaluations, or as far off, paired by seed, with its 95 % "
    "interval; none where only the order can be tested. p: against no difference, after Holm over all "
    f"settings. Said: clearly, beyond {MARGIN:g} times (p < {ALPHA:g}); close, shown, perhaps within it; as "
    f"good, within {MARGIN:g} times or two steps; not settled, more seeds would tell; lost, so many runs "
    "in B that were not in A."
)


# ---- where it goes


def place(a: Sweep, b: Sweep) -> Path:
    """Return where the page goes if nobody says: beside B's folder, named after both, long names cut."""
    folders = [os.path.abspath(sweep.store.root) for sweep in (a, b)]
    most = (LONGEST_NAME - len(BETWEEN + SUFFIX)) // 2
    names = [_cut(os.path.basename(folder), most) for folder in folders]
    return Path(folders[1]).parent / f"{BETWEEN.join(names)}{SUFFIX}"


def _cut(name: str, most: int) -> str:
    """Shorten a name to so many bytes; the end is a sum of the whole, so that two long names stay two."""
    if len(name.encode()) <= most:
        return name
    end = f"-{sha256(name.encode()).hexdigest()[:8]}"
    return name.encode()[: most - len(end)].decode(errors="ignore") + end


def write(difference: Difference, path: Path) -> Path:
    """Write the page whole; return its path.

    Raises:
        RequestError: it cannot be written there.
    """
    text = page(difference)
    try:
        difference.b.store.write_text(path, text)
    except OSError as error:
        raise RequestError(f"{path}: the page cannot be written ({error.strerror}).") from error
    return path


# ---- the page


def page(difference: Difference) -> str:
    """Write the comparison as HTML."""
    return page_around(difference, [drawing for spec in COMPARED for drawing in _draw(difference, spec)])


def page_around(difference: Difference, drawings: list[Drawing]) -> str:
    """Write the comparison as HTML, around figures that are drawn."""
    a, b = difference.a, difference.b
    said = sentences(difference)
    captions = [drawing.caption for drawing in drawings]
    return rendered(
        "comparison.html.j2",
        f"{a.manifest['name']} against {b.manifest['name']}",
        compared_palette(difference),
        [],
        states=list(_states(difference)),
        subtitle=_subtitle(difference),
        sentences=said,
        differences=differences_text(difference.differences),
        rows=changes_text(difference.rows.head(MOST_ROWS)),
        note=NOTE,
        more=more_settings(difference.rows.iloc[MOST_ROWS:]),
        drawings=drawings,
        words=used([*said, NOTE, *captions]),
        commands=[a.manifest["request"]["command"], b.manifest["request"]["command"], _command(difference)],
    )


def _draw(difference: Difference, spec: ComparedSpec) -> Iterator[Drawing]:
    """Draw a figure of both; none where they have nothing for it."""
    if not len(spec.frame(difference)):
        return
    with TemporaryDirectory() as folder:
        path = save(spec.draw(difference), Path(folder) / f"{spec.name}.svg")
        svg = path.read_text(encoding="utf-8")
    yield Drawing(spec.name, spec.title, spec.caption(difference), spec.finding(difference), svg)


def _states(difference: Difference) -> Iterator[str]:
    """Say which of the two is not complete."""
    for side, sweep in difference.sides:
        incomplete = state(sweep)
        if incomplete:
            yield f"{side}: {incomplete}"


def _subtitle(difference: Difference) -> Rows:
    rows = difference.rows
    pairs = counted(int(rows["runs"].sum()), "pair")
    tasks = listed(list(rows["task"].unique()), MOST_TASKS)
    compared = f"{counted(len(rows), 'setting')}, {pairs} of runs on {tasks}"
    return [("A", _made(difference.a)), ("B", _made(difference.b)), ("Compared", compared)]


def _made(sweep: Sweep) -> str:
    manifest = sweep.manifest
    runs = counted(len(sweep.runs), "run")
    made = f"made {manifest['created'][:10]} with lrbench {manifest['versions']['lrbench']}"
    return f"{manifest['name']}, in {sweep.store.root}: {runs}, {made}"


def _command(difference: Difference) -> str:
    """Return the line that makes this comparison."""
    folders = [str(sweep.store.root) for _, sweep in difference.sides]
    unlike = difference.tasks["differs"].map(bool).any()
    flags = ["--anyway"] if unlike else []
    return shlex.join(["python", "-m", "lrbench", "compare", *folders, *flags])
