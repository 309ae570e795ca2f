"""The page of a comparison: one file, offline, in the look of report.html; its numbers are those of the terminal."""

import os
import shlex
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lrbench.errors import RequestError
from lrbench.results import compare_figures, compare_frames, compare_text, figures
from lrbench.results.report.compare_captions import caption, finding
from lrbench.results.report.facts import Drawing, state
from lrbench.results.report.glossary import used
from lrbench.results.report.html import rendered
from lrbench.results.report.protocol import Rows
from lrbench.results.statistics import ALPHA, MARGIN
from lrbench.results.text import counted, listed

if TYPE_CHECKING:
    from lrbench.results.compare import Difference
    from lrbench.results.result_set import Results

MOST_ROWS = 200
MOST_TASKS = 6
LONGEST_NAME = 200  # bytes, of the file
BETWEEN, SUFFIX = "-against-", ".html"
NOTE = (
    "Gaps: geometric means over the seeds that both have. B / A: how many times higher B's gap ends, paired by seed, with its 95 % interval where a "
    "t test holds; a bound where only the order can be tested. p: after Holm over all settings. Shown: worse or better where p < "
    f"{ALPHA:g} and the ratio is beyond {MARGIN:g} with its interval or bound; lost: so many runs completed in A and not in B."
)
# name and title, its frame, how it is drawn
FIGURES = (
    ("loss_curves", "Loss curves", compare_frames.median_curves, compare_figures.loss_curves),
    ("finals", "Run by run", compare_frames.finals, compare_figures.finals),
    (
        "lr_sensitivity",
        "Sensitivity to the learning rate",
        compare_frames.sensitivity,
        compare_figures.lr_sensitivity,
    ),
)


def place(a: "Results", b: "Results") -> Path:
    """Return where the page goes if nobody says: beside B's folder, named after both, long names cut."""
    names = [os.path.basename(os.path.abspath(results.store.root)) for results in (a, b)]
    most = (LONGEST_NAME - len(BETWEEN + SUFFIX)) // 2
    beside = Path(os.path.abspath(b.store.root)).parent
    return (
        beside
        / f"{BETWEEN.join(name if len(name.encode()) <= most else _cut(name, most) for name in names)}{SUFFIX}"
    )


def _cut(name: str, most: int) -> str:
    """Shorten a name to so many bytes; the end is a sum of the whole, so that two long names stay two."""
    end = f"-{sha256(name.encode()).hexdigest()[:8]}"
    return name.encode()[: most - len(end)].decode(errors="ignore") + end


def write(difference: "Difference", path: Path) -> Path:
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


def page(difference: "Difference") -> str:
    """Write the comparison as HTML."""
    a, b, rows = difference.a, difference.b, difference.rows
    states = [f"{side}: {sentence}" for side, results in (("A", a), ("B", b)) if (sentence := state(results))]
    drawings = list(_draw(difference))
    told = {
        "states": states,
        "subtitle": _subtitle(difference),
        "sentences": difference.sentences,
        "differences": difference.differences.rename(columns={"a": "A", "b": "B"}),
        "rows": compare_text.rows_text(rows.head(MOST_ROWS)),
        "note": NOTE,
        "rest": compare_text.rest(rows.iloc[MOST_ROWS:]),
        "drawings": drawings,
        "words": used([*difference.sentences, NOTE, *(drawing.caption for drawing in drawings)]),
        "commands": [*(results.manifest["request"]["command"] for results in (a, b)), _command(difference)],
    }
    title = f"{a.manifest['name']} against {b.manifest['name']}"
    return rendered("compare.html.j2", title, compare_figures.palette(difference), [], **told)


def _subtitle(difference: "Difference") -> Rows:
    rows = difference.rows
    pairs = f"{counted(len(rows), 'setting')}, {counted(int(rows['runs'].sum()), 'pair')} of runs"
    compared = f"{pairs} on {listed(list(rows['task'].unique()), MOST_TASKS)}"
    return [("A", _made(difference.a)), ("B", _made(difference.b)), ("Compared", compared)]


def _made(results: "Results") -> str:
    manifest = results.manifest
    made = f"made {manifest['created'][:10]} with lrbench {manifest['versions']['lrbench']}"
    return f"{manifest['name']}, in {results.store.root}: {counted(len(results.runs), 'run')}, {made}"


def _command(difference: "Difference") -> str:
    """Return the line that makes this comparison."""
    folders = [str(results.store.root) for results in (difference.a, difference.b)]
    anyway = ["--anyway"] * bool(difference.tasks["differs"].map(bool).any())
    return shlex.join(["python", "-m", "lrbench", "compare", *folders, *anyway])


def _draw(difference: "Difference") -> Iterator[Drawing]:
    """Draw what both have."""
    for name, title, made, draw in FIGURES:
        frame = made(difference)
        if len(frame):
            with TemporaryDirectory() as folder:
                svg = figures.save(draw(difference, frame), Path(folder) / f"{name}.svg").read_text(
                    encoding="utf-8"
                )
            yield Drawing(
                name, title, caption(name, difference, frame), finding(name, difference, frame), svg
            )
