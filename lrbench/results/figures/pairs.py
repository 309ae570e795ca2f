"""The pairs of the best optimizers as a matrix, names in the order of the ranking.

Above the diagonal: how many times the row's evaluations the column takes, or how many times its level where
neither arrives, or the word for the pair where the order alone is known; coloured by it, framed where one of
the two is shown better, bold where that is clear. Below: on how many seeds the column is ahead of the row.
One row of `Sweep.pairwise`: task "lecture", a "adam", b "sgd", n 10, wins 10, test "t", unit "evaluations",
ratio 1.7, word "clear", better "adam".
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lrbench.results.figures.axes import size
from lrbench.results.figures.captions import by_task, joined, only_the_best, without_panel
from lrbench.results.figures.ink import INK, NAME, Palette, gid, palette
from lrbench.results.figures.layout import NAMES, WIDTH, panels, rows_or_error, shown_tasks
from lrbench.results.figures.marks import name_rows
from lrbench.results.figures.rows import WITHOUT_COUNTS, records
from lrbench.results.figures.scales import UNITS
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.texts import fitted, length
from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, factor
from lrbench.results.statistics.pairs import MARGIN
from lrbench.results.statistics.verdicts import CLEAR, NOBODY, PASSES, SAME
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

MOST_OPTIMIZERS = 20
HALF = 0.44  # of a cell: half of what is filled
CELL_HEIGHT, CELL_WIDTH = 0.37, 0.8  # inches; the width at most
RIGHT = 1.2  # inches: free on the right at least
FOOT = 0.25  # inches
SLANT = 40  # degrees: of the names above
SLANTED = 0.75  # inches: what is free around them
LONGEST_COLUMN = 95  # points: of such a name
WIDEST_RATIO = 2.0  # decades at which the colours end
UNIT_SIZE = 0.75  # of the text of a ratio
ABOVE, BELOW = 0.12, 0.22  # of a cell: how far from its middle ratio and unit stand
UNDECIDED = 0.7  # how strong a word is where nobody is shown better
SHOWN = 0.5  # of the strongest colour: of what is shown without a ratio
# of these colours, on white and on black: text on it has a contrast of 6 at least
HIGHER, LOWER, STRONGEST = "#d6452b", "#2a7de1", 0.55


# ---- what is drawn


def _best(sweep: Sweep) -> dict[str, list[str]]:
    """Return task -> the optimizers of its matrix, best first."""
    best = sweep.ranking.groupby("task", sort=False).head(MOST_OPTIMIZERS)
    return {str(task): own["optimizer"].tolist() for task, own in best.groupby("task", sort=False)}


# ---- ink


class Matrix(NamedTuple):
    """Where pairs are drawn."""

    ax: Axes
    optimizers: list[str]
    colours: Palette
    text_size: float  # points
    room: float  # points: the width of a cell


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six.

    Raises:
        RequestError: there is but one optimizer.
    """
    advice = "one optimizer has no pairs. Ask for several, such as optimizer=sgd,adam."
    rows_or_error(sweep, sweep.pairwise, advice)
    optimizers = _best(sweep)
    colours = palette(sweep.ranking)
    heights = {task: CELL_HEIGHT * len(own) for task, own in optimizers.items()}

    def draw_task(task: str, ax: Axes) -> None:
        _draw_matrix(of_task(sweep.pairwise, task), ax, optimizers[task], colours)

    tasks = shown_tasks(sweep.tasks, sweep.pairwise)
    most = max(map(len, optimizers.values()))
    right = max(RIGHT, WIDTH - NAMES.left - CELL_WIDTH * most)
    margins = NAMES._replace(right=right, title=_room_above(optimizers), foot=FOOT)
    return panels(tasks, draw_task, heights, margins)


def _room_above(optimizers: dict[str, list[str]]) -> float:
    """Return how high the slanted names above a matrix stand."""
    longest = max(length(name, NAME) for own in optimizers.values() for name in own)
    return SLANTED + min(LONGEST_COLUMN, longest) * np.sin(np.deg2rad(SLANT)) / 72


def _draw_matrix(pairs: pd.DataFrame, ax: Axes, optimizers: list[str], colours: Palette) -> None:
    width, _ = size(ax)
    count = len(optimizers)
    name_rows(ax, optimizers, colours)
    ax.set_xlim(-0.5, count - 0.5)
    text_size = min(9.0, 120 / count)  # so small that a ratio fits into a cell
    matrix = Matrix(ax, optimizers, colours, text_size, 2 * HALF * width / count)
    are_drawn = pairs["a"].isin(optimizers) & pairs["b"].isin(optimizers)
    for pair in records(pairs[are_drawn]):
        _draw_pair(matrix, pair)
    _name_columns(ax, optimizers, colours)
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _name_columns(ax: Axes, optimizers: list[str], colours: Palette) -> None:
    names = [fitted(displayed(optimizer), NAME, LONGEST_COLUMN) for optimizer in optimizers]
    ax.set_xticks(range(len(names)), names, fontsize=NAME, rotation=SLANT, ha="left", rotation_mode="anchor")
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    for label, optimizer in zip(ax.get_xticklabels(), optimizers, strict=True):
        label.set_gid(gid(ax, "column", [optimizer], colours))


def _draw_pair(matrix: Matrix, pair: dict[str, Any]) -> None:
    """Draw the ratio of a pair in row i and column j, the wins in row j and column i."""
    ax = matrix.ax
    i, j = (matrix.optimizers.index(pair[side]) for side in ("a", "b"))
    both = pair["a"], pair["b"]
    cell, wins = (gid(ax, part, both, matrix.colours) for part in ("cell", "cellwins"))
    is_shown = pair["better"] != ""
    if is_shown or has_ratio(pair):
        frame = INK if is_shown else "none"
        corner = (j - HALF, i - HALF)
        look = {"facecolor": _face(pair), "edgecolor": frame, "linewidth": 1.1}
        ax.add_patch(Rectangle(corner, 2 * HALF, 2 * HALF, clip_on=False, gid=cell, **look))
    _write_pair(matrix, pair, (j, i))
    counts = WITHOUT_COUNTS.get(pair["test"], f"{pair['wins']}/{pair['n']}")
    ax.text(i, j, counts, alpha=0.8, gid=wins, ha="center", va="center", fontsize=matrix.text_size)


def _write_pair(matrix: Matrix, pair: dict[str, Any], place: tuple[int, int]) -> None:
    """Write the ratio of a pair and below it what it is of, or the word where there is none."""
    ax, (x, y) = matrix.ax, place
    both = pair["a"], pair["b"]
    ratio, unit = (gid(ax, part, both, matrix.colours) for part in ("cellratio", "cellunit"))
    bold = pair["word"] == CLEAR
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontweight": "bold" if bold else "normal"}
    if not has_ratio(pair):
        lines = pair["word"].replace(" ", "\n", 1)
        size_of_word = _size_that_fits(lines, matrix, bold)
        pale = 1.0 if pair["better"] else UNDECIDED
        ax.text(x, y, lines, fontsize=size_of_word, alpha=pale, gid=ratio, linespacing=1.0, **look)
        return
    written = written_ratio(pair["ratio"], matrix.text_size, matrix.room, bold)
    small = matrix.text_size * UNIT_SIZE
    name = UNITS[pair["unit"]]
    if length(name, small) > matrix.room:
        name = ""  # without a word it is of evaluations
    up = ABOVE if name else 0.0
    ax.text(x, y - up, written, fontsize=matrix.text_size, gid=ratio, **look)
    if name:
        ax.text(x, y + BELOW, name, fontsize=small, alpha=0.9, gid=unit, ha="center", va="center")


def has_ratio(pair: Mapping[str, Any]) -> bool:
    """Say whether a pair has a ratio, rather than a word alone; where one of it passes through, how many
    evaluations it takes until then says nothing.
    """
    return bool(np.isfinite(pair["ratio"])) and pair["word"] not in (SAME, NOBODY, PASSES)


def _size_that_fits(lines: str, matrix: Matrix, bold: bool) -> float:
    widest = max(length(line, 1.0, bold) for line in lines.split("\n"))
    return min(matrix.text_size, matrix.room / widest)


def _face(pair: Mapping[str, Any]) -> Any:
    """Return the colour of a pair, the stronger the farther its ratio is from 1; of one that is shown without
    a ratio, half as strong.
    """
    if not has_ratio(pair):
        return to_rgba(HIGHER if pair["better"] == pair["a"] else LOWER, STRONGEST * SHOWN)
    share = min(abs(np.log10(pair["ratio"])) / WIDEST_RATIO, 1.0)
    return to_rgba(HIGHER if pair["ratio"] > 1 else LOWER, STRONGEST * share)


def written_ratio(ratio: float, text_size: float, room: float, bold: bool) -> str:
    """Write a ratio as the tables do, with one digit and a power of ten where there is not so much room: 1.3,
    24, 310, 2e7.
    """
    long = factor(ratio)
    if fitted(long, text_size, room, bold) == long:
        return long
    if 1e-3 <= ratio < 9.5:
        return f"{ratio:.1g}"
    digit, power = f"{ratio:.0e}".split("e")
    return f"{digit}e{int(power)}"


# ---- words

PASSING = "Passes through: one of the two leaves the target again, and stands behind the other."


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    pairs = sweep.pairwise
    any_shown = (pairs["better"] != "").any()
    frames = "; framed where one is shown better, bold where clearly so" if any_shown else ""
    sentences = [
        "Above the diagonal: how many times the row's evaluations until arrival the column takes, or, where "
        f"neither arrives, how many times its level, paired over {seeds_compared(sweep)}; a word where the "
        f"order alone is known{frames}.",
        PASSING if (pairs["word"] == PASSES).any() else "",
        f"Below it: in how many of the distinct pairs the column is ahead by more than {MARGIN} times.",
        only_the_best(sweep.ranking["optimizer"], MOST_OPTIMIZERS),
        without_panel(sweep.tasks, pairs),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return of how many pairs one is shown better."""
    return by_task(sweep.pairwise, shown_tasks(sweep.tasks, sweep.pairwise), _how_many_are_shown)


def _how_many_are_shown(pairs: pd.DataFrame) -> str:
    different = (pairs["better"] != "").sum()
    return f"one is shown better in {different} of {counted(len(pairs), 'pair')}"


FIGURE = FigureSpec(
    name="pairs",
    title="Pair by pair",
    method="plot_pairs",
    shows="the pairs of the best optimizers as a matrix",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("pairwise",),
)
