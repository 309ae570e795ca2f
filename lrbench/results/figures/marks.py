"""Marks and labels of many figures: reference lines, names beside lines and rows, titles, colour keys."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lrbench.results.figures.axes import left_margin, right_margin, size
from lrbench.results.figures.ink import GREY, NAME, REFERENCE, SMALL, Palette, Pen, gid, in_front
from lrbench.results.figures.looks import Look
from lrbench.results.figures.texts import fitted
from lrbench.results.frames.names import displayed

DETAIL = 7.5  # points: the size of the smaller line below a name
LABEL_HEIGHT = 0.105  # of the axes: the least distance of two labels
LOWEST_LABEL = 0.03  # of the axes
OTHERS = Look(GREY, GREY, "", "-")
KEY_MARK = 6.5  # points
KEY = (1.012, 1.04)  # of the axes: from where to where the key of a label goes
NAME_AT = 1.05  # of the axes: where its name begins
BESIDE_ROWS = 1.02  # of the axes: where what is written beside a row begins
DASHED = (0, (4, 3))


# ---- texts at fixed places


def title(ax: Axes, text: str) -> None:
    """Write a title as far as there is room for it."""
    width, _ = size(ax)
    ax.set_title(fitted(text, 11, width + right_margin(ax), bold=True))


def in_the_middle(ax: Axes, text: str) -> None:
    """Write what is to be read where nothing is drawn."""
    ax.annotate(text, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", alpha=0.8)


def heading_beside_rows(ax: Axes, text: str) -> None:
    """Write what stands beside the rows, above them."""
    ax.annotate(
        text,
        (BESIDE_ROWS, 1),
        (0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SMALL,
        alpha=0.8,
    )


def beside_row(pen: Pen, y: int, part: str, text: str) -> None:
    """Write a text beside a row."""
    pen.ax.annotate(
        text,
        (BESIDE_ROWS, y),
        gid=pen.gid(part),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=SMALL,
        annotation_clip=False,
    )


def name_rows(ax: Axes, optimizers: Sequence[str], colours: Palette) -> None:
    """Make the y axis a row an optimizer, the first on top; row i is centred at y = i."""
    ax.set_ylim(len(optimizers) - 0.5, -0.5)
    room = left_margin(ax) - 10
    names = [fitted(displayed(optimizer), NAME, room) for optimizer in optimizers]
    ax.set_yticks(range(len(names)), names, fontsize=NAME)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    for label, optimizer in zip(ax.get_yticklabels(), optimizers, strict=True):
        label.set_gid(Pen(ax, optimizer, colours).gid("name"))


def level(ax: Axes, y: float, label: str) -> None:
    """Draw a horizontal reference line with its name, if it lies within the axes."""
    low, high = ax.get_ylim()
    if low <= y <= high:
        ax.axhline(y, linestyle=DASHED, **REFERENCE)
        ax.annotate(
            label,
            (0, y),
            (5, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=SMALL,
            alpha=0.8,
        )


# ---- names at the ends of lines


class Label(NamedTuple):
    """What stands beside the axes for an optimizer, or for all that stand behind."""

    optimizers: list[str]
    name: str
    detail: str  # a smaller line of text below
    look: Look
    height: float  # of the axes, where its line ends


def label_lines(ax: Axes, ends: pd.DataFrame, colours: Palette) -> None:
    """Write the names beside the axes, each at the height where its line ends or as near as there is room;
    those that stand behind share one.

    ends: a row an optimizer with optimizer, detail (a smaller line of text) and y, NaN for a place on top.
    """
    labels = _labels(ax, ends, colours)
    heights = _spread([label.height for label in labels])
    for label, height in zip(labels, heights, strict=True):
        _write(ax, label, height, colours)


def _labels(ax: Axes, ends: pd.DataFrame, colours: Palette) -> list[Label]:
    rows = {row["optimizer"]: row for row in ends.to_dict("records")}
    front = [optimizer for optimizer in in_front(colours) if optimizer in rows]
    labels = []
    for optimizer in front:
        row = rows[optimizer]
        height = _height(ax, row["y"])
        labels.append(Label([optimizer], displayed(optimizer), row["detail"], colours[optimizer], height))
    if len(front) < len(ends):
        behind = [optimizer for optimizer in colours if optimizer in rows and optimizer not in front]
        height = 1.0 if ends["y"].isna().all() else -math.inf  # last, below all others
        labels.append(Label(behind, "others", "", OTHERS, height))
    return labels


def _write(ax: Axes, label: Label, height: float, colours: Palette) -> None:
    """Draw the key of a label, and write its name and its detail."""

    def part_id(part: str) -> str | None:
        return gid(ax, part, label.optimizers, colours, shared=len(label.optimizers) > 1)

    _draw_key(ax, label.look, height, part_id("key"))
    width, _ = size(ax)
    room = right_margin(ax) - 0.05 * width - 3
    place: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "center",
        "annotation_clip": False,
    }
    name = fitted(label.name, NAME, room)
    ax.annotate(name, (NAME_AT, height), (0, 0), fontsize=NAME, gid=part_id("name"), **place)
    if label.detail:
        detail = fitted(label.detail, DETAIL, room)
        look = {"fontsize": DETAIL, "alpha": 0.75, "gid": part_id("detail")}
        ax.annotate(detail, (NAME_AT, height), (0, -11), **look, **place)


def _draw_key(ax: Axes, look: Look, height: float, own: str | None) -> None:
    """Draw a short stretch of an optimizer's line with its mark in the middle."""
    begin, end = KEY
    ax.plot(
        [begin, (begin + end) / 2, end],
        [height] * 3,
        color=look.colour,
        linestyle=look.dashes,
        linewidth=2,
        marker=look.mark,
        markersize=KEY_MARK,
        markeredgewidth=0,
        markevery=[1],
        transform=ax.transAxes,
        clip_on=False,
        gid=own,
    )


def _height(ax: Axes, y: float) -> float:
    if math.isnan(y):
        return 1.0
    low, high, at = ax.yaxis.get_transform().transform([*ax.get_ylim(), y])
    return float(np.clip((at - low) / (high - low), 0, 1))


def _spread(heights: Sequence[float]) -> list[float]:
    """Move heights apart to LABEL_HEIGHT, in order, within the axes."""
    from_the_top = sorted(range(len(heights)), key=lambda i: -heights[i])
    moved = [0.0] * len(heights)
    above = 1.0 + LABEL_HEIGHT
    for place, i in enumerate(from_the_top):
        still_below = len(heights) - 1 - place
        lowest = LABEL_HEIGHT * still_below + LOWEST_LABEL
        above = max(min(heights[i], above - LABEL_HEIGHT), lowest)
        moved[i] = above
    return moved
