"""What figures with a row an optimizer share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis, log_range
from lrbench.results.figures.ink import Palette
from lrbench.results.figures.layout import NAMES, panels, shown_tasks
from lrbench.results.figures.marks import in_the_middle, name_rows
from lrbench.results.notation import interval
from lrbench.results.tables.sweep import Sweep

ROW = 0.27  # inches
PART = 0.4  # inches: what belongs to no row
SIDES = 2.0  # how much wider than the gaps their axis is, on each side
LOST_ROOM = 0.09  # of the axes, at the right: where crosses and their counts stand
WITHOUT_RATIO = {"identical": "=", "floor": "floor", "lost": "lost"}  # test -> what stands for a ratio


def row_panels(sweep: Sweep, frame: pd.DataFrame, draw: Callable[[str, Axes], object]) -> Figure:
    """Draw a panel a task of a frame, as high as it has optimizers."""
    counts = frame.groupby("task")["optimizer"].nunique()
    heights = (ROW * counts + PART).to_dict()
    return panels(shown_tasks(sweep.tasks, frame), draw, heights, NAMES)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each row as a mapping by columns."""
    return cast(list[dict[str, Any]], frame.to_dict("records"))


def ratio_text(row: Mapping[str, Any], value: str = "ratio") -> str:
    """Write a ratio with its interval, or why there is none."""
    return WITHOUT_RATIO.get(row["test"]) or interval(row, value)


def gap_axis(ax: Axes, gaps: np.ndarray, optimizers: Sequence[str], colours: Palette) -> tuple[float, float]:
    """Make the axes for rows of gaps: logarithmic in x with room at the right for what was lost, a row a
    name; return where the gaps end.
    """
    low, high = log_range(gaps, SIDES)
    room = LOST_ROOM if np.isinf(gaps).any() else 0.0
    log_axis(ax.xaxis, low, high, headroom=room)
    name_rows(ax, optimizers, colours)
    completed = np.isfinite(gaps)
    if not (completed & (gaps > 0)).any():
        ax.set_xticks([])
        in_the_middle(ax, "all gaps are 0" if completed.any() else "no run completed")
    return low, high
