"""What figures with a line an optimizer share.

seaborn drops inf without a word, so what it is handed is finished and finite; what went to inf is drawn
apart.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from lrbench.results.figures.axes import LARGEST_FLOAT
from lrbench.results.figures.ink import Palette, Pen, back_to_front

# the frames hold what is to be drawn: nothing is estimated or sorted here
AS_IT_IS: dict[str, Any] = {"estimator": None, "errorbar": None, "legend": False, "sort": False}
FRONT: dict[str, Any] = {"linewidth": 1.7, "zorder": 3}
BEHIND = {"linewidth": 1.1, "alpha": 0.45}
SHARES = (0, 1.02)  # the ends of an axis of shares: a line at 1 is seen whole


def line_look(pen: Pen) -> dict[str, Any]:
    """Return how an optimizer's line looks."""
    place = BEHIND if pen.is_behind else FRONT
    return place | {"linestyle": pen.look.dashes}


def draw_line(pen: Pen, points: pd.DataFrame, x: str, y: str, drawstyle: str = "default") -> None:
    """Draw an optimizer's line."""
    sns.lineplot(
        points,
        x=x,
        y=y,
        color=pen.colour,
        drawstyle=drawstyle,
        ax=pen.ax,
        gid=pen.gid("line"),
        **AS_IT_IS,
        **line_look(pen),
    )


def draw_steps(frame: pd.DataFrame, x: str, ax: Axes, colours: Palette) -> None:
    """Draw each optimizer's share as true steps."""
    for pen, line in back_to_front(frame, ax, colours):
        draw_line(pen, line, x, "share", "steps-post")


def draw_band(
    pen: Pen, points: pd.DataFrame, x: str, alpha: float, step: Literal["post"] | None = None
) -> None:
    """Draw a band between the quartiles."""
    upper = points["q75"].replace(np.inf, LARGEST_FLOAT)
    pen.ax.fill_between(
        points[x],
        points["q25"],
        upper,
        step=step,
        color=pen.colour,
        alpha=alpha,
        linewidth=0,
        gid=pen.gid("band"),
    )


def line_ends(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a row an optimizer, the last of its line, and y: the last finite value of a column, or NaN."""
    values = frame[column]
    return last_of_each(frame.assign(y=values.where(np.isfinite(values))))


def last_of_each(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the last row of each optimizer."""
    return frame.groupby("optimizer", sort=False).last().reset_index()
