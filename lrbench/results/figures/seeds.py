"""What every seed is worth at the chosen settings: a row an optimizer, a dot a seed, a bar at their median.

A dot stands at the evaluations until arrival, what misses behind the budget; where nobody arrives, at its
level. One row of `Sweep.finals`: task "lecture", optimizer "adam", median 1e-9, seeds 10, lost 0, seed 3, gap
2.1e-9, arrived True, hit 86.0.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results.figures.captions import (
    by_task,
    is_lost,
    joined,
    over_both,
    settings_of_both,
    which_setting,
    without_panel,
)
from lrbench.results.figures.crosses import cross_of_row
from lrbench.results.figures.ink import INK, REFERENCE, Palette, Pen, compared_palette, palette
from lrbench.results.figures.layout import NAMES, shown_tasks
from lrbench.results.figures.marks import DASHED, beside_row, heading_beside_rows
from lrbench.results.figures.rows import (
    LOST_ROOM,
    PART,
    Room,
    in_its_unit,
    ratio_text,
    records,
    row_panels,
    worth_axis,
    write_misses,
)
from lrbench.results.figures.scales import Scale, counted_on, scales_of
from lrbench.results.figures.sides import IS_FULL, compared_panels, key_of_dots, scales_of_both
from lrbench.results.figures.spec import ComparedSpec, FigureSpec
from lrbench.results.figures.standing import changed, of_each, who_changed
from lrbench.results.notation import number
from lrbench.results.statistics import geometric_mean, median_first_hit, quantile
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

SPREAD = 0.25  # of a row: how far above and below its middle the first and the last seed stand
BAR = 0.42  # of a row: half the length of the bar
DOT: dict[str, Any] = {"s": 22, "alpha": 0.8, "zorder": 2}
HOLLOW: dict[str, Any] = {"facecolors": "none", "linewidths": 1.1}

# ---- ink


class Row(NamedTuple):
    """Where the runs of an optimizer stand, or of one side of it."""

    pen: Pen
    y: float
    heights: np.ndarray  # of each run
    side: str = ""

    def gid(self, part: str) -> str | None:
        """Return the id of a part of the row."""
        return self.pen.gid(f"{part}{self.side}")


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
    scales = scales_of(sweep.reported)
    floors = sweep.tasks.set_index("task")["gap_floor"]

    def draw_task(task: str, ax: Axes) -> None:
        _draw_task(of_task(finals, task), ax, colours, scales[task])
        _write_ratios(of_task(sweep.ranking, task), ax, colours, scales[task])
        if _has_floor(ax, scales[task], floors[task]):
            ax.axvline(floors[task], linestyle=DASHED, **REFERENCE)

    return row_panels(sweep, finals, draw_task)


def _draw_task(finals: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    optimizers = finals["optimizer"].drop_duplicates().tolist()
    any_lost = bool((finals["lost"] > 0).any())
    room = worth_axis(ax, scale.of_runs(finals), scale, any_lost, (optimizers, colours))
    for y, (optimizer, own) in enumerate(finals.groupby("optimizer", sort=False)):
        runs = own.sort_values("seed", kind="stable")
        heights = y + (np.linspace(-SPREAD, SPREAD, len(runs)) if len(runs) > 1 else np.zeros(1))
        row = Row(Pen(ax, str(optimizer), colours), y, heights)
        colour = row.pen.colour
        mark = DOT | {"marker": row.pen.look.mark}
        _draw_dots(row, runs, scale, mark | {"color": colour, "linewidth": 0})
        _draw_misses(row, runs, room, mark | HOLLOW | {"edgecolors": colour})
        # behind the dots, so that it hides none
        _draw_bar(row, scale, runs, BAR, {"linewidth": 1.3, "alpha": 0.7, "zorder": 1.8})
        _draw_lost(row, runs, LOST_ROOM)


def _draw_dots(row: Row, runs: pd.DataFrame, scale: Scale, look: dict[str, Any]) -> None:
    """Draw a dot a run that has a place on the axis."""
    places = scale.of_runs(runs).to_numpy()
    has_place = np.isfinite(places)
    row.pen.ax.scatter(places[has_place], row.heights[has_place], gid=row.gid("dots"), **look)


def _draw_misses(row: Row, runs: pd.DataFrame, room: Room, look: dict[str, Any]) -> None:
    """Draw a dot a run that misses, behind the budget where there is one, and write their mean level."""
    ax = row.pen.ax
    misses = (~runs["arrived"] & np.isfinite(runs["gap"])).to_numpy()
    if not room.has_misses or not misses.any():
        return
    places = np.full(misses.sum(), room.first)
    ax.scatter(
        places, row.heights[misses], transform=ax.get_yaxis_transform(), gid=row.gid("missdots"), **look
    )
    level = float(geometric_mean(runs["gap"].to_numpy()[misses]))
    write_misses(row.pen, row.y, room.first, f"{misses.sum()}/{len(runs)} at {number(level)}", row.side)


def _draw_bar(row: Row, scale: Scale, runs: pd.DataFrame, half: float, look: dict[str, Any]) -> None:
    """Draw a bar at the median, where it has a place: of evaluations that by which half of the seeds
    arrive.
    """
    places = scale.of_runs(runs).to_numpy()
    median = median_first_hit(places) if scale.arrives else quantile(places, 0.5)
    if np.isfinite(median):
        ends = row.y - half, row.y + half
        row.pen.ax.vlines(median, *ends, color=INK, gid=row.gid("bar"), **look)


def _draw_lost(row: Row, runs: pd.DataFrame, room: float) -> None:
    lost = int(np.isinf(runs["gap"]).sum())
    if lost:
        cross_of_row(row.pen, row.y, f"{lost}/{len(runs)}", room, row.side)


def _has_floor(ax: Axes, scale: Scale, floor: float) -> bool:
    """Say whether the gap below which all are tied is on the axis."""
    low, high = ax.get_xlim()
    return not scale.arrives and low <= floor <= high


def _write_ratios(ranking: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    """Write beside each row how many times the leader's it takes."""
    if len(ranking) == 1:
        return
    for y, row in enumerate(records(ranking)):
        text = "leader" if row["leader"] else ratio_text(row, low="ratio_low", high="ratio_high")
        beside_row(Pen(ax, row["optimizer"], colours), y, "ratio", text)
    known = ranking["ratio"][~ranking["leader"]].notna().any()
    heading_beside_rows(ax, f"times the leader's {scale.unit}" if known else "against the leader")


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    scales = scales_of(sweep.reported)
    drawn = [scales[task] for task in shown_tasks(sweep.tasks, sweep.finals)]
    runs = sweep.reported
    arrives = [task for task, scale in scales.items() if scale.arrives]
    any_miss = runs["task"].isin(arrives) & ~runs["arrived"] & ~runs["lost"]
    sentences = [
        f"{counted_on(drawn)} of every seed, each optimizer at {which_setting(sweep)}, over "
        f"{seeds_compared(sweep)}.",
        "Hollow: misses, so many of the seeds, at this mean level." if any_miss.any() else "",
        "Bar: median." if not runs["lost"].all() else "",
        "Crosses: so many runs were lost." if is_lost(sweep) else "",
        without_panel(sweep.tasks, sweep.finals),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return how many seeds of each optimizer arrive."""
    return by_task(sweep.ranking, shown_tasks(sweep.tasks, sweep.finals), _how_many_arrive)


def _how_many_arrive(ranking: pd.DataFrame) -> str:
    if not ranking["arrived"].any():
        return "no seed arrives"
    shares = of_each(ranking, lambda row: f"{row['arrived']} of {row['seeds']}")
    return f"seeds that arrive: {shares}"


# ---- two sets

ROW = 0.46  # inches: a row an optimizer, A above B
HEIGHTS = {"A": -0.2, "B": 0.2}  # of a row: where the side's dots stand
SIDE_BAR = 0.17  # of a row: half the length of a side's bar
SIDE_DOT: dict[str, Any] = {"s": 20, "linewidths": 1.1, "alpha": 0.8, "zorder": 2}


def draw_compared(difference: Difference) -> Figure:
    """Draw `Difference.finals`: a dot a run, A above B, a bar at the median, and beside it B over A with its
    interval; the first six tasks.
    """
    shown, _ = difference.shown
    colours = compared_palette(difference)
    places = {optimizer: place for place, optimizer in enumerate(colours)}
    rows = shown.sort_values("optimizer", key=lambda optimizers: optimizers.map(places), kind="stable")
    heights = ROW * rows.groupby("task").size() + PART
    scales = scales_of_both(difference, difference.finals)

    def draw_task(finals: pd.DataFrame, ax: Axes) -> None:
        task = finals["task"].iloc[0]
        _draw_both(finals, of_task(rows, task), ax, colours, scales[task])

    return compared_panels(difference, difference.finals, draw_task, heights.to_dict(), NAMES)


def _draw_both(finals: pd.DataFrame, rows: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    """Draw one task; rows: what is written beside the dots, one above the other in this order."""
    any_lost = bool((finals["lost"] > 0).any())
    names = rows["optimizer"].tolist(), colours
    room = worth_axis(ax, scale.of_runs(finals), scale, any_lost, names)
    for y, row in enumerate(records(rows)):
        pen = Pen(ax, row["optimizer"], colours)
        own = finals[finals["optimizer"] == pen.optimizer]
        for side, runs in own.groupby("side"):
            height = y + HEIGHTS[str(side)]
            row_of_side = Row(pen, height, np.full(len(runs), height), str(side))
            face = pen.colour if IS_FULL[str(side)] else "none"
            look = SIDE_DOT | {"edgecolors": pen.colour, "facecolors": face, "marker": pen.look.mark}
            _draw_dots(row_of_side, runs, scale, look)
            _draw_misses(row_of_side, runs, room, look)
            _draw_bar(row_of_side, scale, runs, SIDE_BAR, {"linewidth": 2, "zorder": 3})
            _draw_lost(row_of_side, runs, LOST_ROOM)
        beside_row(pen, y, "ratio", in_its_unit(row, ratio_text(row)))
    heading_beside_rows(ax, "B / A")
    key_of_dots(ax, room.misses)  # what stands behind the budget has a heading there


def caption_compared(difference: Difference) -> str:
    """Return what the figure of two sets shows and how it is made."""
    scales = scales_of_both(difference, difference.finals)
    drawn = [scales[task] for task in shown_tasks(difference.tasks, difference.finals)]
    sentences = [
        f"{counted_on(drawn)} of every run, hollow in A and full in B, over {over_both(difference)}.",
        settings_of_both(difference),
        "Bar: median. Behind the dashes: misses, so many of the runs, at this mean level. Crosses: so many "
        "runs were lost. On the right B / A, paired by seed.",
        without_panel(difference.tasks, difference.finals),
    ]
    return joined(sentences)


def finding_compared(difference: Difference) -> str:
    """Return who is shown worse in B, and who better."""
    return by_task(changed(difference), shown_tasks(difference.tasks, difference.finals), who_changed)


FIGURE = FigureSpec(
    name="seeds",
    title="Seed by seed",
    method="plot_seeds",
    shows="what every seed is worth at the chosen settings",
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
