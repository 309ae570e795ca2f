"""The final gap of every optimizer at its default setting (hollow) and tuned (full), a line between, the gain
beside.

One row of `Sweep.gains`: task "lecture", optimizer "adam", gap 1e-9, default_gap 2.0, gain 2e9 (default over
tuned), low 1e9, high 4e9, test "t", lost 0, seeds 10, default_lost 0, default_seeds 10.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.captions import by_task, cut_of, joined, without_panel
from lrbench.results.figures.crosses import cross_of_row
from lrbench.results.figures.ink import Palette, Pen, palette
from lrbench.results.figures.layout import rows_or_error, shown_tasks
from lrbench.results.figures.marks import beside_row, heading_beside_rows
from lrbench.results.figures.rows import LOST_ROOM, gap_axis, ratio_text, records, row_panels
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.notation import counted, factor
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

GAPS = ["gap", "default_gap"]
DOT = 46  # square points

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six.

    Raises:
        RequestError: nothing was tuned.
    """
    advice = "nothing was tuned, so there is no default to compare with. Ask with tune=lr or tune=all."
    gains = rows_or_error(sweep, sweep.gains, advice)
    colours = palette(sweep.ranking)
    return row_panels(sweep, gains, lambda task, ax: _draw_task(of_task(gains, task), ax, colours))


def _draw_task(gains: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    gap_axis(ax, gains[GAPS].to_numpy(), gains["optimizer"].tolist(), colours)
    for y, row in enumerate(records(gains)):
        pen = Pen(ax, row["optimizer"], colours)
        _draw_row(pen, y, row)
        beside_row(pen, y, "gain", ratio_text(row, "gain"))
    heading_beside_rows(ax, "gain")
    ax.set(xlabel="final gap  (hollow: default, full: tuned)")


def _draw_row(pen: Pen, y: int, row: dict[str, Any]) -> None:
    ax = pen.ax
    low, end = ax.get_xlim()
    tuned, default = max(row["gap"], low), max(row["default_gap"], low)
    # what was lost is at inf, and its line goes to the end of the axes
    begin, to = min(tuned, end), min(default, end)
    ax.hlines(y, begin, to, color=pen.colour, linewidth=2, alpha=0.55, zorder=2, gid=pen.gid("line"))
    hollow = {"facecolors": "none", "edgecolors": pen.colour, "linewidths": 1.6}
    ax.scatter(default, y, s=DOT, zorder=3, gid=pen.gid("default"), **hollow)
    ax.scatter(tuned, y, s=DOT, color=pen.colour, zorder=3, gid=pen.gid("tuned"))
    if np.isinf(row["gap"]):
        cross_of_row(pen, y, f"{row['lost']}/{row['seeds']}", LOST_ROOM)
    elif np.isinf(row["default_gap"]):
        cross_of_row(pen, y, f"{row['default_lost']}/{row['default_seeds']}", LOST_ROOM)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    gains = sweep.tuned_against_default
    any_lost = np.isinf(gains[GAPS]).any(axis=None)
    sentences = [
        "Final gap at the tuned setting (full) and at the default one (hollow): geometric means over "
        f"{seeds_compared(sweep)}. On the right the gain, paired by seed.",
        "Crosses: so many runs of the setting were lost." if any_lost else "",
        cut_of(sweep.reported),
        without_panel(sweep.tasks, gains),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return who gains most from tuning."""
    gains = sweep.tuned_against_default
    return by_task(gains, shown_tasks(sweep.tasks, gains), _who_gains_most)


def _who_gains_most(gains: pd.DataFrame) -> str:
    known = gains[np.isfinite(gains["gain"])]
    if known.empty:
        return f"no ratio is known for {counted(len(gains), 'optimizer')}"
    most = known.iloc[int(np.argmax(known["gain"]))]
    return f"{most['optimizer']} gains most from tuning, {factor(most['gain'])} times"


FIGURE = FigureSpec(
    name="tuned_against_default",
    title="Tuned against default",
    method="plot_tuned_against_default",
    shows="the final gap of every optimizer tuned and at its defaults",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("tuned_against_default",),
)
