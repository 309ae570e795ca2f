"""Where the axes of a figure stand: a panel a task, a grid of small panels a task, or one axes.

All lengths are inches, but where a name says otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results.figures.axes import INCH
from lrbench.results.figures.ink import STYLE
from lrbench.results.figures.marks import title
from lrbench.results.figures.texts import fitted
from lrbench.results.tables.sweep import Sweep

MOST_PANELS = 6
WIDTH = 9.0
PANEL = 3.7  # the height of a panel
NOTHING = "There is nothing to draw yet: no setting is evaluated."


class Margins(NamedTuple):
    """What is free around a panel."""

    left: float = 0.85
    right: float = 2.1  # the names of lines
    title: float = 0.55
    foot: float = 0.65


MARGINS = Margins()
NAMES = MARGINS._replace(left=1.6)  # of panels with rows, whose names stand on the left

# small panels, of which up to three stand in a row, and what is round the block of a task
SMALL_HEIGHTS = (3.4, 2.6, 1.9)  # by how many stand in a row
SMALL = Margins(left=0.95, right=0.2, title=0.48, foot=0.3)
GAP = 0.62  # between two of a row
HEADING = 0.45
X_LABEL = 0.42
IN_A_ROW = {1: 1, 2: 2, 4: 2}  # of so many panels; else three


def shown_tasks(tasks: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Return the tasks that have a panel: of those that a frame has rows of, the first six."""
    has_rows = tasks["task"].isin(frame["task"])
    return tasks.loc[has_rows, "task"].head(MOST_PANELS).tolist()


def rows_or_error(sweep: Sweep, frame: pd.DataFrame, advice: str) -> pd.DataFrame:
    """Return a frame of a sweep that has rows.

    Raises:
        RequestError: it has none. advice: why, and what to ask for.
    """
    if frame.empty:
        raise RequestError(f"{sweep.store.root}: {advice}")
    return frame


# ---- a panel a task


def panels(
    tasks: Sequence[str],
    draw: Callable[[str, Axes], object],
    heights: Mapping[Any, float] | None = None,
    margins: Margins = MARGINS,
) -> Figure:
    """Draw a panel a task, one below the other; heights of the axes by task.

    Raises:
        RequestError: there is no task.
    """
    if not tasks:
        raise RequestError(NOTHING)
    own_heights = [PANEL] * len(tasks)
    if heights:
        own_heights = [heights[task] for task in tasks]
    around = margins.title + margins.foot
    total = sum(own_heights) + len(tasks) * around
    width = WIDTH - margins.left - margins.right
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, total))
        top = total
        for task, height in zip(tasks, own_heights, strict=True):
            bottom = top - margins.title - height
            ax = _add_axes(figure, margins.left, bottom, width, height)
            draw(task, ax)
            title(ax, task)
            top = bottom - margins.foot
    return figure


# placed by hand, not by subplots: a row or a cell is as high whatever else the figure holds
def _add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    total = figure.get_figheight()
    return figure.add_axes((left / WIDTH, bottom / total, width / WIDTH, height / total))


# ---- one axes


def one_axes(height: float, draw: Callable[[Axes], object], margins: Margins = MARGINS) -> Figure:
    """Draw one axes over all tasks."""
    total = margins.title + height + margins.foot
    width = WIDTH - margins.left - margins.right
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, total))
        draw(_add_axes(figure, margins.left, margins.foot, width, height))
    return figure


# ---- a grid a task


class Cells(NamedTuple):
    """How small panels stand in a block."""

    columns: int
    width: float
    height: float

    @property
    def row(self) -> float:
        """The height of a row of them."""
        return SMALL.title + self.height + SMALL.foot

    def block(self, count: int) -> float:
        """Return the height of a block of so many panels."""
        rows = -(-count // self.columns)
        return rows * self.row

    def corner(self, place: int, top: float) -> tuple[float, float]:
        """Return left and bottom of a panel of a block that begins at `top`."""
        row, column = divmod(place, self.columns)
        left = SMALL.left + column * (self.width + GAP)
        return left, top - row * self.row - SMALL.title - self.height


def grid(
    blocks: dict[str, list[str]],
    draw: Callable[[str, str, Axes], object],
    labels: Callable[[str], tuple[str, str]],
) -> Figure:
    """Draw of each task a block with a panel a name, three in a row at most.

    Its title and the labels of x and y belong to the block, so that a page may take a panel away; labels: of
    a task.

    Raises:
        RequestError: there is no panel.
    """
    most = max(map(len, blocks.values()), default=0)
    if not most:
        raise RequestError(NOTHING)
    cells = _cells(most)
    heights = {task: cells.block(len(names)) for task, names in blocks.items()}
    total = sum(heights.values()) + len(blocks) * (HEADING + X_LABEL)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, total))
        top = total
        for task, names in blocks.items():
            top -= HEADING
            _write_heading(figure, task, top)
            for place, name in enumerate(names):
                ax = _add_axes(figure, *cells.corner(place, top), cells.width, cells.height)
                draw(task, name, ax)
            _label_block(figure, top, heights[task], labels(task))
            top -= heights[task] + X_LABEL
    return figure


def _cells(most: int) -> Cells:
    columns = IN_A_ROW.get(most, 3)
    free = WIDTH - SMALL.left - SMALL.right - (columns - 1) * GAP
    return Cells(columns, free / columns, SMALL_HEIGHTS[columns - 1])


def _write_heading(figure: Figure, task: str, bottom: float) -> None:
    heading = fitted(task, 11, INCH * (WIDTH - SMALL.left), bold=True)
    place = SMALL.left / WIDTH, (bottom + 0.1) / figure.get_figheight()
    figure.text(*place, heading, fontsize=11, fontweight="bold")


def _label_block(figure: Figure, top: float, height: float, labels: tuple[str, str]) -> None:
    """Write the labels of x, below a block, and of y, beside it."""
    x_label, y_label = labels
    total = figure.get_figheight()
    middle = top - (SMALL.title - SMALL.foot + height) / 2
    figure.text(0.15 / WIDTH, middle / total, y_label, ha="left", va="center", rotation=90)
    centre = (SMALL.left + WIDTH - SMALL.right) / 2
    below = top - (height + X_LABEL) + 0.22
    figure.text(centre / WIDTH, below / total, x_label, ha="center", va="center")
