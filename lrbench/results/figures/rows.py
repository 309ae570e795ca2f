"""What figures with a row an optimizer share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis, log_range
from lrbench.results.figures.ink import REFERENCE, SMALLEST, Palette, Pen
from lrbench.results.figures.layout import NAMES, panels, shown_tasks
from lrbench.results.figures.marks import DASHED, in_the_middle, name_rows
from lrbench.results.figures.scales import UNITS, Scale
from lrbench.results.notation import interval, number
from lrbench.results.statistics.verdicts import NOBODY, SAME
from lrbench.results.tables.sweep import Sweep

ROW = 0.27  # inches
PART = 0.4  # inches: what belongs to no row
SIDES = 2.0  # how much wider than the levels their axis is, on each side
BEFORE_FIRST = 1.3  # the same of evaluations, whose axis ends at the budget
LOST_ROOM = 0.09  # of the axes, at the right: where crosses and their counts stand
MISS_ROOM = 0.2  # of the axes, between the budget and these: where misses and their levels stand
INTO_ROOM = 0.025  # of the axes: how far behind the budget a miss stands
WITHOUT_COUNTS = {"same": "=", "lost": "lost"}  # test -> what stands for a count of pairs


def row_panels(sweep: Sweep, frame: pd.DataFrame, draw: Callable[[str, Axes], object]) -> Figure:
    """Draw a panel a task of a frame, as high as it has optimizers."""
    counts = frame.groupby("task")["optimizer"].nunique()
    heights = (ROW * counts + PART).to_dict()
    return panels(shown_tasks(sweep.tasks, frame), draw, heights, NAMES)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each row as a mapping by columns."""
    return cast(list[dict[str, Any]], frame.to_dict("records"))


def ratio_text(row: Mapping[str, Any], value: str = "ratio", low: str = "low", high: str = "high") -> str:
    """Write a ratio with its interval, or the word for the pair where the order alone is known."""
    if row["word"] in (SAME, NOBODY) or pd.isna(row[value]):
        return row["word"]
    return interval(row, value, low, high)


def in_its_unit(row: Mapping[str, Any], text: str) -> str:
    """Write what a ratio is of behind it, where it is known."""
    has_unit = row["unit"] in UNITS and text != row["word"]
    return f"{text} in {UNITS[row['unit']]}" if has_unit else text


# ---- the axis


class Room(NamedTuple):
    """Where what has no place on the axis stands: from `misses` to `lost` misses, from there on what was
    lost.
    """

    misses: float  # of the axes
    lost: float

    @property
    def has_misses(self) -> bool:
        """Whether there is room for misses, which is where evaluations are counted."""
        return self.misses < self.lost

    @property
    def first(self) -> float:
        """Where a miss stands."""
        return self.misses + INTO_ROOM


def worth_axis(
    ax: Axes, places: pd.Series, scale: Scale, lost: bool, names: tuple[Sequence[str], Palette]
) -> Room:
    """Make the axes for rows, a row a name: logarithmic in x from the least place on, with room at the right
    for what misses and what was lost.

    places: on the scale, inf of what has none. lost: whether something was.
    """
    room_of_lost = LOST_ROOM if lost else 0.0
    name_rows(ax, *names)
    if scale.arrives:
        low = min(places.min(), scale.budget) / BEFORE_FIRST
        log_axis(ax.xaxis, low, scale.budget, headroom=room_of_lost + MISS_ROOM)
        ax.axvline(scale.budget, linestyle=DASHED, **REFERENCE)
        _name_misses(ax, scale.budget)
    else:
        low, high = log_range(places, SIDES)
        log_axis(ax.xaxis, low, high, headroom=room_of_lost)
        if not np.isfinite(places).any():
            ax.set_xticks([])
            in_the_middle(ax, "no run completed")
    ax.set(xlabel=scale.label)
    room_of_misses = MISS_ROOM if scale.arrives else 0.0
    return Room(1 - room_of_lost - room_of_misses, 1 - room_of_lost)


def _name_misses(ax: Axes, budget: float) -> None:
    """Write what stands behind the line at the budget, above the axes: misses in so many evaluations."""
    ax.annotate(
        f"misses in {number(budget)}",
        (budget, 1),
        (0, 6),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=SMALLEST,
        alpha=0.8,
    )


def write_misses(pen: Pen, y: float, x: float, text: str, side: str = "") -> None:
    """Write beside the misses of a row how many there are, and at which level."""
    pen.ax.annotate(
        text,
        (x, y),
        (7, 0),
        xycoords=pen.ax.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=SMALLEST,
        gid=pen.gid(f"misses{side}"),
    )
