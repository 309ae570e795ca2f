"""The paired ratios of the best optimizers as a matrix, names in the order of the ranking.

Above the diagonal: how many times higher the column's gap ends than the row's, coloured by it, bold and
framed where the difference is shown. Below: in how many of the pairs the column ends lower than the row. One
row of `Sweep.pairwise`: task "lecture", a "adam", b "sgd", n 10, wins 10, test "t", ratio 3.1e5, at_least
NaN, better "adam".
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
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
from lrbench.results.figures.rows import WITHOUT_RATIO, records
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.texts import fitted, length
from lrbench.results.notation import counted, factor
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
    names = [fitted(optimizer, NAME, LONGEST_COLUMN) for optimizer in optimizers]
    ax.set_xticks(range(len(names)), names, fontsize=NAME, rotation=SLANT, ha="left", rotation_mode="anchor")
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    for label, optimizer in zip(ax.get_xticklabels(), optimizers, strict=True):
        label.set_gid(gid(ax, "column", [optimizer], colours))


def _draw_pair(matrix: Matrix, pair: dict[str, Any]) -> None:
    """Draw the ratio of a pair in row i and column j, the wins in row j and column i."""
    ax = matrix.ax
    i, j = (matrix.optimizers.index(pair[side]) for side in ("a", "b"))
    cell, ratio, wins = (
        gid(ax, part, (pair["a"], pair["b"]), matrix.colours) for part in ("cell", "cellratio", "cellwins")
    )
    is_shown = pair["better"] != ""
    times = _times(pair)
    if is_shown or np.isfinite(times):
        frame = INK if is_shown else "none"
        corner = (j - HALF, i - HALF)
        look = {"facecolor": _face(times), "edgecolor": frame, "linewidth": 1.1}
        ax.add_patch(Rectangle(corner, 2 * HALF, 2 * HALF, clip_on=False, gid=cell, **look))
    centred: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": matrix.text_size}
    weight = "bold" if is_shown else "normal"
    text = written_ratio(pair, matrix.text_size, matrix.room, is_shown)
    ax.text(j, i, text, fontweight=weight, gid=ratio, **centred)
    counts = WITHOUT_RATIO.get(pair["test"], f"{pair['wins']}/{pair['n']}")
    ax.text(i, j, counts, alpha=0.8, gid=wins, **centred)


def _times(pair: Mapping[str, Any]) -> float:
    """Return the ratio of a pair, or the bound that is known of it."""
    return pair["ratio"] if np.isfinite(pair["ratio"]) else pair["at_least"]


def _face(times: float) -> Any:
    """Return the colour of a ratio, the stronger the farther it is from 1."""
    if not np.isfinite(times):
        return "none"
    if times <= 0:
        return to_rgba(LOWER, STRONGEST)
    share = min(abs(np.log10(times)) / WIDEST_RATIO, 1.0)
    return to_rgba(HIGHER if times > 1 else LOWER, STRONGEST * share)


def written_ratio(pair: Mapping[str, Any], text_size: float, room: float, bold: bool) -> str:
    """Write a ratio as the tables do, with one digit and a power of ten where there is not so much room: 1.3,
    24, 310, 2e7.
    """
    ratio = _times(pair)
    if not np.isfinite(ratio):
        return WITHOUT_RATIO.get(pair["test"], "")
    is_bound = not np.isfinite(pair["ratio"])
    sign = ""
    if is_bound:
        sign = "≥" if ratio >= 1 else "≤"
    long = sign + factor(ratio)
    if fitted(long, text_size, room, bold) == long:
        return long
    if is_bound:  # one digit of a bound must not promise more
        towards_1 = Context(1, ROUND_FLOOR if ratio >= 1 else ROUND_CEILING)
        ratio = float(towards_1.create_decimal(ratio))
    if 1e-3 <= ratio < 1:
        return f"{sign}{ratio:.1g}"
    digit, power = f"{ratio:.0e}".split("e")
    return f"{sign}{digit}e{int(power)}"


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    pairs = sweep.pairwise
    any_shown = (pairs["better"] != "").any()
    any_bound = pairs["at_least"].notna().any()
    frames = "; bold in a frame where the difference is shown" if any_shown else ""
    bounds = "; ≥ or ≤ where only a bound is known" if any_bound else ""
    sentences = [
        "Above the diagonal: how many times higher the column's gap ends than the row's, paired over "
        f"{seeds_compared(sweep)}{frames}{bounds}.",
        "Below it: in how many of the distinct pairs the column ends lower than the row.",
        only_the_best(sweep.ranking["optimizer"], MOST_OPTIMIZERS),
        without_panel(sweep.tasks, pairs),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return of how many pairs a difference is shown."""
    return by_task(sweep.pairwise, shown_tasks(sweep.tasks, sweep.pairwise), _how_many_are_shown)


def _how_many_are_shown(pairs: pd.DataFrame) -> str:
    different = (pairs["better"] != "").sum()
    return f"a difference is shown for {different} of {counted(len(pairs), 'pair')}"


FIGURE = FigureSpec(
    name="pairs",
    title="Pair by pair",
    method="plot_pairs",
    shows="the paired ratios of the best optimizers as a matrix",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("pairwise",),
)
