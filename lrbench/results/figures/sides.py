"""How A and B are told apart on one axes: A has full lines and hollow dots, B dashed lines and full dots."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrbench.results.figures.axes import log_axis, log_range, set_ticks
from lrbench.results.figures.ink import INK, SMALL, Palette, Pen, back_to_front
from lrbench.results.figures.layout import MARGINS, Margins, panels, shown_tasks
from lrbench.results.figures.lines import line_look
from lrbench.results.figures.marks import in_the_middle
from lrbench.results.figures.scales import Scale, budget_line, scale_of
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.tasks import of_task

# not by colour, which is the optimizer's
LINES = {"A": "-", "B": (0, (3.5, 1.8))}
IS_FULL = {"A": False, "B": True}
ROOM = 3  # times the lowest and highest level: how far an axis goes beyond them
BEFORE_FIRST, ABOVE_BUDGET = 1.3, 1.2  # the same of evaluations, whose axis ends above the budget


def compared_panels(
    difference: Difference,
    frame: pd.DataFrame,
    draw: Callable[[pd.DataFrame, Axes], object],
    heights: Mapping[Any, float] | None = None,
    margins: Margins = MARGINS,
) -> Figure:
    """Draw a panel a task of a frame."""
    tasks = shown_tasks(difference.tasks, frame)
    return panels(tasks, lambda task, ax: draw(of_task(frame, task), ax), heights, margins)


def scales_of_both(difference: Difference, shown: pd.DataFrame) -> dict[str, Scale]:
    """Return task -> what an axis of both counts; shown: what is on it, with task and arrived."""
    scales = {}
    for task, in_a, in_b in difference.tasks[["task", "task_a", "task_b"]].to_numpy():
        runs = [of_task(difference.a.entries, in_a), of_task(difference.b.entries, in_b)]
        arrives = (of_task(shown, task)["arrived"] > 0).any()
        scales[task] = scale_of(pd.concat(runs))._replace(arrives=bool(arrives))
    return scales


def by_side(frame: pd.DataFrame, ax: Axes, colours: Palette) -> list[tuple[Pen, str, pd.DataFrame]]:
    """Return the rows of each optimizer and side, the best optimizer last, so that it is drawn on top."""
    sides = []
    for pen, own in back_to_front(frame, ax, colours):
        # A before B, so that B lies on top
        sides += [(pen, str(side), rows) for side, rows in own.groupby("side")]
    return sides


def side_look(pen: Pen, side: str) -> dict[str, Any]:
    """Return how an optimizer's line looks on a side."""
    return line_look(pen) | {"color": pen.colour, "linestyle": LINES[side], "gid": pen.gid(f"line{side}")}


def worth_of_sides(ax: Axes, places: pd.Series, scale: Scale, headroom: float) -> None:
    """Make the y axis one of evaluations up to the budget, or of levels, with room on top for what was
    lost.
    """
    if not scale.arrives:
        side_gap_axis(ax.yaxis, places, ROOM, headroom)
        return
    low = min(places.min(), scale.budget) / BEFORE_FIRST
    log_axis(ax.yaxis, low, scale.budget * ABOVE_BUDGET, headroom)
    budget_line(ax, scale.budget)


def side_gap_axis(axis: Axis, gaps: pd.Series, factor: float, headroom: float) -> None:
    """Make an axis logarithmic, so much wider than the gaps, with room where lost runs stand; a gap of 0 is
    drawn at its low end.
    """
    log_axis(axis, *log_range(gaps, factor), headroom=headroom)
    if np.isinf(gaps).all():
        set_ticks(axis, [])
        in_the_middle(axis.axes, "no run completed")


def key_of_lines(ax: Axes) -> None:
    """Tell the lines of A from those of B, above the axes at the right."""
    _write_key(
        ax,
        [
            Line2D([], [], color=INK, linestyle=dashes, linewidth=1.4, label=side)
            for side, dashes in LINES.items()
        ],
    )


def key_of_dots(ax: Axes, right: float) -> None:
    """Tell the dots of A from those of B, above the axes up to `right` of them."""
    look: dict[str, Any] = {"marker": "o", "linestyle": "none", "markeredgecolor": INK, "markersize": 4.5}
    handles = []
    for side, is_full in IS_FULL.items():
        face = INK if is_full else "none"
        handles.append(Line2D([], [], label=side, markerfacecolor=face, **look))
    _write_key(ax, handles, right)


def _write_key(ax: Axes, handles: list[Line2D], right: float = 1.0) -> None:
    ax.legend(
        handles=handles,
        frameon=False,
        fontsize=SMALL,
        handlelength=2.2,
        columnspacing=1.2,
        loc="lower right",
        bbox_to_anchor=(right, 1),
        ncols=len(handles),
        borderaxespad=0.2,
    )
