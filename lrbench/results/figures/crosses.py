"""Runs that were lost: crosses, apart from what completed, with k/n beside them."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform

from lrbench.results.figures.axes import INCH, in_points, size
from lrbench.results.figures.ink import INK, SMALLEST, Palette, Pen, back_to_front

STRIP, COUNTS = 14, 8  # points: a row of crosses on top of an axes, and k/n above it
DIGIT = 2.6  # points: half the width of a sign of k/n
APART = 8  # points: how far crosses of several optimizers at one place stand apart
INSET = 0.02  # of the axes: how far left of the middle of the room for them crosses at the right stand


# ---- at the right of a row


def cross_of_row(pen: Pen, y: float, count: str, room: float, side: str = "") -> None:
    """Draw a cross for the runs of a row that were lost, and write k/n beside it.

    room: of the axes, at the right, where such crosses stand; side: A or B, where a row has both.
    """
    ax = pen.ax
    place = ax.get_yaxis_transform()
    x = 1 - room / 2 - INSET
    # a row of two sides is as high as two crosses
    look = {"s": 26, "linewidths": 1.5} if side else {"s": 30, "linewidths": 1.6}
    cross = pen.gid(f"cross{side}")
    ax.scatter(x, y, marker="x", color=pen.colour, transform=place, zorder=4, gid=cross, **look)
    ax.annotate(
        count,
        (x, y),
        (7, 0),
        xycoords=place,
        textcoords="offset points",
        va="center",
        fontsize=SMALLEST,
        gid=pen.gid(f"count{side}"),
    )


# ---- where a curve ends


def draw_stops(stops: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    """Draw a cross where a run stopped; those of several optimizers at one place stand one below the other,
    not to hide each other.
    """
    taken = np.empty((0, 2))  # points
    for pen, lost in reversed(back_to_front(stops, ax, colours)):
        at = in_points(ax, lost[["evaluations", "gap"]])
        down = 0
        while not pen.is_behind and _is_taken(at, taken):
            at = at - [0, APART]
            down += APART
        taken = np.vstack([taken, at])
        moved = ScaledTranslation(0, -down / INCH, ax.figure.dpi_scale_trans)
        place = ax.transData + moved
        cross_at(pen, (lost["evaluations"], lost["gap"]), "stop", 2 if pen.is_behind else 4, place)


def _is_taken(places: np.ndarray, taken: np.ndarray) -> bool:
    distances = np.abs(places[:, None] - taken)  # (places, taken, 2)
    return bool((distances < APART).all(axis=2).any())


def cross_at(
    pen: Pen, places: tuple[Any, Any], part: str, zorder: int = 4, transform: Transform | None = None
) -> None:
    """Draw crosses at places, x and y, even at the end of the axes."""
    x, y = places
    pen.ax.scatter(
        x,
        y,
        marker="x",
        s=32,
        linewidths=1.5,
        color=pen.colour,
        zorder=zorder,
        clip_on=False,
        transform=transform or pen.ax.transData,
        gid=pen.gid(part),
    )


# ---- on top of an axes


def draw_strip(pen: Pen, lost: pd.DataFrame) -> None:
    """Draw a row of crosses at learning rates, and above it k/n over each stretch of neighbours that lost the
    same, the longest first, where there is room for it.

    lost: settings, with lost and seeds.
    """
    _, height = size(pen.ax)
    y = 1 - (COUNTS + STRIP / 2) / height  # of the axes
    pen.ax.scatter(
        lost["lr"],
        np.full(len(lost), y),
        marker="x",
        s=15,
        linewidths=1.2,
        color=pen.colour,
        transform=pen.ax.get_xaxis_transform(),
        zorder=4,
        gid=pen.gid("lost"),
    )
    taken: list[tuple[float, float]] = []  # points: middle and half the width of a count
    for count, first, last in _longest_first(lost):
        ends = in_points(pen.ax, [(first, 1), (last, 1)])
        middle = ends[:, 0].sum() / 2
        half = DIGIT * len(count)
        if all(abs(middle - other) > half + wide for other, wide in taken):
            _write_count(pen, count, (np.sqrt(first * last), y), len(taken))
            taken.append((middle, half))


def stretches_that_lost_alike(settings: pd.DataFrame) -> pd.Series:
    """Number the stretches of neighbouring settings that lost the same k of n."""
    counts = settings[["lost", "seeds"]]
    return (counts != counts.shift()).any(axis=1).cumsum()


def _longest_first(lost: pd.DataFrame) -> list[tuple[str, float, float]]:
    """Return the stretches that lost the same: k/n, and the first and the last learning rate."""
    stretches = lost.groupby(stretches_that_lost_alike(lost), sort=False)
    ends = stretches.agg(
        lost=("lost", "first"),
        seeds=("seeds", "first"),
        first=("lr", "min"),
        last=("lr", "max"),
        size=("lr", "size"),
    )
    ordered = ends.sort_values("size", ascending=False, kind="stable")
    counts = ordered["lost"].astype(str) + "/" + ordered["seeds"].astype(str)
    return list(zip(counts, ordered["first"], ordered["last"], strict=True))


def _write_count(pen: Pen, count: str, place: tuple[float, float], number: int) -> None:
    pen.ax.annotate(
        count,
        place,
        (0, 4),
        xycoords=pen.ax.get_xaxis_transform(),
        textcoords="offset points",
        va="bottom",
        ha="center",
        fontsize=SMALLEST,
        color=INK,
        gid=pen.gid(f"count{number}"),
    )
