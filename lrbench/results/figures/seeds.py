"""The final gap of every seed at the chosen settings: a row an optimizer, a dot a seed, a bar at their
median.

One row of `Sweep.finals`: task "lecture", optimizer "adam", median 1e-9, seeds 10, seed 3, gap 2.1e-9, lost
0.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results.figures.axes import log_range
from lrbench.results.figures.captions import (
    by_task,
    cut_of,
    is_lost,
    joined,
    over_both,
    settings_of_both,
    which_setting,
    with_lowest,
    without_panel,
)
from lrbench.results.figures.crosses import cross_of_row
from lrbench.results.figures.ink import INK, REFERENCE, Palette, Pen, compared_palette, palette
from lrbench.results.figures.layout import NAMES, shown_tasks
from lrbench.results.figures.marks import DASHED, beside_row, heading_beside_rows, name_rows
from lrbench.results.figures.rows import LOST_ROOM, PART, SIDES, gap_axis, ratio_text, records, row_panels
from lrbench.results.figures.sides import IS_FULL, compared_panels, key_of_dots, side_gap_axis
from lrbench.results.figures.spec import ComparedSpec, FigureSpec
from lrbench.results.notation import interval, number
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

SPREAD = 0.25  # of a row: how far above and below its middle the first and the last seed stand
BAR = 0.42  # of a row: half the length of the bar

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six.

    Raises:
        RequestError: there is but one seed.
    """
    finals = sweep.finals
    if finals["seeds"].max() < 2:
        advice = "each setting ran once. Ask for several seeds, such as seed=range(10)."
        raise RequestError(f"{sweep.store.root}: {advice}")
    colours = palette(sweep.ranking)
    floors = sweep.tasks.set_index("task")["gap_floor"]
    return row_panels(
        sweep, finals, lambda task, ax: _draw_task(of_task(finals, task), ax, colours, floors[task])
    )


def _draw_task(finals: pd.DataFrame, ax: Axes, colours: Palette, floor: float) -> None:
    """Draw one task; floor: the gap below which all are tied."""
    optimizers = finals["optimizer"].drop_duplicates().tolist()
    low, high = gap_axis(ax, finals["gap"].to_numpy(), optimizers, colours)
    for y, (optimizer, own) in enumerate(finals.groupby("optimizer", sort=False)):
        _draw_row(Pen(ax, str(optimizer), colours), y, own)
    if low <= floor <= high:
        ax.axvline(floor, linestyle=DASHED, **REFERENCE)
    ax.set(xlabel="final gap")


def _draw_row(pen: Pen, y: int, own: pd.DataFrame) -> None:
    """Draw the seeds of one optimizer, the first on top, and behind them the bar."""
    low, _ = pen.ax.get_xlim()
    runs = own.sort_values("seed", kind="stable")
    heights = y + (np.linspace(-SPREAD, SPREAD, len(runs)) if len(runs) > 1 else np.zeros(1))
    is_finite = np.isfinite(runs["gap"].to_numpy())
    pen.ax.scatter(
        runs["gap"][is_finite].clip(lower=low),
        heights[is_finite],
        color=pen.colour,
        s=22,
        alpha=0.8,
        linewidth=0,
        zorder=2,
        gid=pen.gid("dots"),
    )
    first = runs.iloc[0]
    if np.isfinite(first["median"]):
        # behind the dots, so that it hides none
        look = {"color": INK, "linewidth": 1.3, "alpha": 0.7, "zorder": 1.8, "gid": pen.gid("bar")}
        pen.ax.vlines(max(first["median"], low), y - BAR, y + BAR, **look)
    if first["lost"]:
        cross_of_row(pen, y, f"{first['lost']}/{first['seeds']}", LOST_ROOM)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    any_median = np.isfinite(sweep.ranking["median"]).any()
    sentences = [
        f"Final gap of every seed, each optimizer at {which_setting(sweep)}, over {seeds_compared(sweep)}.",
        "Bar: median." if any_median else "",
        "Crosses: so many runs were lost." if is_lost(sweep) else "",
        "Dashes: the gap floor, below which all are tied." if _is_floor_drawn(sweep) else "",
        cut_of(sweep.reported),
        without_panel(sweep.tasks, sweep.finals),
    ]
    return joined(sentences)


def _is_floor_drawn(sweep: Sweep) -> bool:
    """Say whether the gap floor lies within an axis."""
    floors = sweep.tasks.set_index("task")["gap_floor"]
    for task in shown_tasks(sweep.tasks, sweep.finals):
        low, high = log_range(of_task(sweep.reported, task)["gap"], SIDES)
        if low <= floors[task] <= high:
            return True
    return False


def finding(sweep: Sweep) -> str:
    """Return who has the lowest median."""
    return by_task(sweep.finals, shown_tasks(sweep.tasks, sweep.finals), _lowest_median)


def _lowest_median(finals: pd.DataFrame) -> str:
    lowest = with_lowest(finals, "median")
    if not np.isfinite(lowest["median"]):
        return "no median is finite"
    return f"{lowest['optimizer']} has the lowest median, {number(lowest['median'])}"


# ---- two sets

ROW = 0.46  # inches: a row an optimizer, A above B
HEIGHTS = {"A": -0.2, "B": 0.2}  # of a row: where the side's dots stand
SIDE_BAR = 0.17  # of a row: half the length of a side's bar
LOST_OF_SIDES = 0.1  # of the axes, at the right: where crosses and their counts stand


def draw_compared(difference: Difference) -> Figure:
    """Draw `Difference.finals`: a dot a run, A above B, a bar at the median, and beside it B over A with its
    interval; the first six tasks.
    """
    shown, _ = difference.shown
    colours = compared_palette(difference)
    places = {optimizer: place for place, optimizer in enumerate(colours)}
    rows = shown.sort_values("optimizer", key=lambda optimizers: optimizers.map(places), kind="stable")
    heights = ROW * rows.groupby("task").size() + PART

    def draw_task(finals: pd.DataFrame, ax: Axes) -> None:
        _draw_both(finals, of_task(rows, finals["task"].iloc[0]), ax, colours)

    return compared_panels(difference, difference.finals, draw_task, heights.to_dict(), NAMES)


def _draw_both(finals: pd.DataFrame, rows: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    """Draw one task; rows: what is written beside the dots, one above the other in this order."""
    any_lost = (finals["lost"] > 0).any()
    side_gap_axis(ax.xaxis, finals["gap"], SIDES, headroom=LOST_OF_SIDES if any_lost else 0.0)
    name_rows(ax, rows["optimizer"].tolist(), colours)
    for y, row in enumerate(records(rows)):
        pen = Pen(ax, row["optimizer"], colours)
        own = finals[finals["optimizer"] == pen.optimizer]
        for side, runs in own.groupby("side"):
            _draw_side(pen, y, str(side), runs)
        beside_row(pen, y, "ratio", ratio_text(row))
    heading_beside_rows(ax, "B / A")
    ax.set(xlabel="final gap")
    key_of_dots(ax)


def _draw_side(pen: Pen, y: int, side: str, runs: pd.DataFrame) -> None:
    """Draw the runs of an optimizer on a side; those that were lost as one cross at the right, with their
    number.
    """
    low, _ = pen.ax.get_xlim()
    height = y + HEIGHTS[side]
    completed = runs.loc[np.isfinite(runs["gap"]), "gap"].clip(lower=low)
    look = {"s": 20, "edgecolors": pen.colour, "linewidths": 1.1, "alpha": 0.8, "zorder": 2}
    face = pen.colour if IS_FULL[side] else "none"
    heights = np.full(len(completed), height)
    pen.ax.scatter(completed, heights, facecolors=face, gid=pen.gid(f"dots{side}"), **look)
    first = runs.iloc[0]
    if np.isfinite(first["median"]):
        look = {"color": INK, "linewidth": 2, "zorder": 3, "gid": pen.gid(f"bar{side}")}
        pen.ax.vlines(max(first["median"], low), height - SIDE_BAR, height + SIDE_BAR, **look)
    if first["lost"]:
        cross_of_row(pen, height, f"{first['lost']}/{first['runs']}", LOST_OF_SIDES, side)


def caption_compared(difference: Difference) -> str:
    """Return what the figure of two sets shows and how it is made."""
    sentences = [
        f"Final gap of every run, hollow in A and full in B, over {over_both(difference)}.",
        settings_of_both(difference),
        "Bar: median. Crosses: so many runs were lost. On the right B / A, paired by seed; = where all gaps "
        "are equal.",
        without_panel(difference.tasks, difference.finals),
    ]
    return joined(sentences)


def finding_compared(difference: Difference) -> str:
    """Return who has changed most."""
    shown, _ = difference.shown
    return by_task(shown, shown_tasks(difference.tasks, difference.finals), _who_changed_most)


def _who_changed_most(rows: pd.DataFrame) -> str:
    ratios = rows["ratio"].fillna(rows["at_least"])
    known = rows[ratios.notna()]
    if known.empty:
        return "no ratio is known"
    with np.errstate(divide="ignore"):
        changes = np.abs(np.log(ratios[known.index]))
    (most,) = records(known.iloc[[int(np.argmax(changes))]])
    return f"{most['optimizer']} has changed most, B / A {interval(most)}"


FIGURE = FigureSpec(
    name="seeds",
    title="Seed by seed",
    method="plot_seeds",
    shows="the final gap of every seed at the chosen settings",
    draw=draw,
    caption=caption,
    finding=finding,
    compared=ComparedSpec(
        name="finals",
        title="Run by run",
        place=1,
        frame=lambda difference: difference.finals,
        draw=draw_compared,
        caption=caption_compared,
        finding=finding_compared,
    ),
)
