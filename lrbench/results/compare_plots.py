"""The plots of a comparison, each on one axes: frames in, axes out. A has full lines and hollow dots, B dashed lines and full dots."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D

from lrbench.results.curves import BEYOND
from lrbench.results.ink import (
    GREY,
    INK,
    SMALL,
    back_to_front,
    evaluations_axis,
    gid,
    label_lines,
    log_axis,
    log_range,
    name_axis,
    set_ticks,
)
from lrbench.results.rows import WITHOUT_RATIO
from lrbench.results.text import interval

LINES = {"A": "-", "B": (0, (3.5, 1.8))}
FILLED = {"A": False, "B": True}
HEIGHTS = {"A": -0.2, "B": 0.2}  # of a row: where the side's dots stand
STRIP = {"A": 0.98, "B": 0.94}  # of the axes: where the side's crosses stand
HEADROOM = 0.09  # of the axes: the strip of crosses
LOST = 0.1  # of the axes, at the right: where crosses and their counts stand


def loss_curves(
    frame: pd.DataFrame, details: dict[str, str], ax: Axes, colours: dict[str, str], attained: bool
) -> Axes:
    """Draw one task of `compare_frames.median_curves`: the gap against gradient evaluations, a line an optimizer and side.

    details: a smaller line of text below a name. attained: whether some weights have the least loss. A cross where a line ends because the median
    is lost from there on; a gap of 0 at the low end.
    """
    ax.set_autoscale_on(False)  # gaps near the end of float64 overflow matplotlib's margins
    drawn = frame[np.isfinite(frame["median"])]
    top = BEYOND * drawn.loc[drawn["step"] == 0, "median"].max()
    _gap_axis(ax.yaxis, drawn["median"].clip(upper=top / 3), 3, 0.0)
    bottom = ax.get_ylim()[0]
    for (name, side), line in _by_side(drawn, colours):
        ax.plot(
            line["evaluations"],
            line["median"].clip(lower=bottom),
            gid=gid(ax, f"line{side}", name, colours),
            **_look(colours[name], side),
        )
        if len(line) < len(frame[(frame["optimizer"] == name) & (frame["side"] == side)]):
            cross = {
                "marker": "x",
                "s": 32,
                "linewidths": 1.5,
                "color": colours[name],
                "zorder": 4,
                "clip_on": False,
            }
            ax.scatter(
                line["evaluations"].iloc[-1],
                min(line["median"].iloc[-1], top),
                gid=gid(ax, f"stop{side}", name, colours),
                **cross,
            )
    evaluations_axis(ax, frame["evaluations"])
    ax.set(xlabel="gradient evaluations", ylabel=f"gap  (loss − {'minimum' if attained else 'infimum'})")
    ends = (
        drawn.groupby("optimizer", sort=False)
        .last()
        .reset_index()[["optimizer", "median"]]
        .rename(columns={"median": "y"})
    )
    label_lines(ax, ends.assign(detail=[details.get(name, "") for name in ends["optimizer"]]), colours)
    _key(
        ax,
        [
            Line2D([], [], color=INK, linestyle=dashes, linewidth=1.4, label=side)
            for side, dashes in LINES.items()
        ],
    )
    return ax


def finals(frame: pd.DataFrame, rows: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw one task of `compare_frames.finals`: a dot a run, A above B, a bar at the median, and beside it B over A with its interval.

    rows: those of `compare_frames.shown`, one above the other in this order.
    """
    _gap_axis(ax.xaxis, frame["gap"], 2, LOST * bool((frame["lost"] > 0).any()))
    names = rows["optimizer"].tolist()
    name_axis(ax, names)
    for y, (row, label) in enumerate(zip(rows.to_dict("records"), ax.get_yticklabels(), strict=True)):
        name = row["optimizer"]
        label.set_gid(gid(ax, "name", name, colours))
        for side, runs in frame[frame["optimizer"] == name].groupby("side"):
            _strip(ax, y + HEIGHTS[str(side)], runs, str(side), name, colours)
        place: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "va": "center",
            "fontsize": SMALL,
            "annotation_clip": False,
        }
        ax.annotate(
            WITHOUT_RATIO.get(row["test"]) or interval(row),
            (1.02, y),
            gid=gid(ax, "ratio", name, colours),
            **place,
        )
    ax.annotate(
        "B / A",
        (1.02, 1),
        (0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SMALL,
        alpha=0.8,
    )
    ax.set(xlabel="final gap")
    look = {"marker": "o", "linestyle": "none", "markeredgecolor": INK, "markersize": 4.5}
    _key(
        ax,
        [
            Line2D([], [], label=side, markerfacecolor=INK if full else "none", **look)
            for side, full in FILLED.items()
        ],
    )
    return ax


def lr_sensitivity(frame: pd.DataFrame, ax: Axes, colours: dict[str, str]) -> Axes:
    """Draw one task of `compare_frames.sensitivity`: the final gap against the learning rate, a line an optimizer and side.

    Crosses on top where runs of a coloured optimizer were lost.
    """
    lost = frame[(frame["lost"] > 0) & (frame["optimizer"].map(colours) != GREY)]
    log_axis(ax.xaxis, frame["lr"].min() / 2, frame["lr"].max() * 2)
    _gap_axis(ax.yaxis, frame["gap"], 3, HEADROOM * bool(len(lost)))
    for (name, side), line in _by_side(frame, colours):
        look = _look(colours[name], side) | {
            "marker": "o",
            "markersize": 4,
            "markerfacecolor": colours[name] if FILLED[side] else "none",
        }
        look |= {"linestyle": "none"} if line["scattered"].any() else {}
        ax.plot(
            line["lr"],
            line["gap"].where(np.isfinite(line["gap"])).clip(lower=ax.get_ylim()[0]),
            gid=gid(ax, f"line{side}", name, colours),
            **look,
        )
    for (name, side), crosses in _by_side(lost, colours):
        look = {
            "marker": "x",
            "s": 26,
            "linewidths": 1.5,
            "color": colours[name],
            "transform": ax.get_xaxis_transform(),
            "zorder": 4,
        }
        ax.scatter(
            crosses["lr"],
            np.full(len(crosses), STRIP[side]),
            gid=gid(ax, f"lost{side}", name, colours),
            **look,
        )
    ax.set(xlabel="learning rate", ylabel="final gap")
    label_lines(ax, frame[["optimizer"]].drop_duplicates().assign(y=np.nan, detail=""), colours)
    _key(
        ax,
        [
            Line2D([], [], color=INK, linestyle=dashes, linewidth=1.4, label=side)
            for side, dashes in LINES.items()
        ],
    )
    return ax


def _gap_axis(axis: Axis, gaps: pd.Series, factor: float, headroom: float) -> None:
    """Make an axis logarithmic, so much wider than the gaps, with room where lost runs stand; a gap of 0 is drawn at its low end."""
    log_axis(axis, *log_range(gaps, factor), headroom=headroom)
    if np.isinf(gaps).all():
        set_ticks(axis, [])
        axis.axes.annotate(
            "no run completed", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", alpha=0.8
        )


def _by_side(frame: pd.DataFrame, colours: dict[str, str]) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the rows of each optimizer and side, the best optimizer last, so that it is drawn on top."""
    return [
        ((name, str(side)), line)
        for name, own in back_to_front(frame, colours)
        for side, line in own.groupby("side")
    ]


def _look(colour: str, side: str) -> dict[str, Any]:
    look = {"linewidth": 1.7, "zorder": 3} if colour != GREY else {"linewidth": 1.1, "alpha": 0.6}
    return look | {"color": colour, "linestyle": LINES[side]}


def _strip(ax: Axes, y: float, runs: pd.DataFrame, side: str, name: str, colours: dict[str, str]) -> None:
    """Draw the runs of an optimizer on a side; those that were lost as one cross at the right, with their number."""
    row, colour, lowest = runs.iloc[0], colours[name], ax.get_xlim()[0]
    reached = runs.loc[np.isfinite(runs["gap"]), "gap"].clip(lower=lowest)
    dots, bar, cross, count = (
        gid(ax, f"{part}{side}", name, colours) for part in ("dots", "bar", "cross", "count")
    )
    look = {"s": 20, "edgecolors": colour, "linewidths": 1.1, "alpha": 0.8, "zorder": 2, "gid": dots}
    ax.scatter(reached, np.full(len(reached), y), facecolors=colour if FILLED[side] else "none", **look)
    if np.isfinite(row["median"]):
        ax.vlines(max(row["median"], lowest), y - 0.17, y + 0.17, color=INK, linewidth=2, zorder=3, gid=bar)
    if row["lost"]:
        place, x = ax.get_yaxis_transform(), 1 - LOST / 2 - 0.02
        ax.scatter(x, y, marker="x", s=26, linewidths=1.5, color=colour, transform=place, zorder=4, gid=cross)
        look = {"textcoords": "offset points", "va": "center", "fontsize": 7, "gid": count}
        ax.annotate(f"{row['lost']}/{row['runs']}", (x, y), (7, 0), xycoords=place, **look)


def _key(ax: Axes, handles: list[Line2D]) -> None:
    """Tell A from B, above the axes at the right."""
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(handles), "borderaxespad": 0.2}
    ax.legend(handles=handles, frameon=False, fontsize=SMALL, handlelength=2.2, columnspacing=1.2, **place)
