"""Evaluations until arrival of all optimizers over the learning rate, as colours: a row an optimizer, a cell
a rate.

Where no setting of a task arrives, the level. One row of `Sweep.cells`: task "lecture", optimizer "adam", lr
0.1, score -1.7, arrived 10, lost 0, seeds 10, gap 3.2e-9, best True, edge "", left 0.05, right 0.2 (the ends
of the rate's cell).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis, log_range, powers
from lrbench.results.figures.captions import by_task, joined, on_tuning_seeds, without_panel
from lrbench.results.figures.crosses import stretches_that_lost_alike
from lrbench.results.figures.ink import GREY, SMALL, SMALLEST, WHITE, Palette, Pen, palette
from lrbench.results.figures.layout import NAMES, WIDTH, panels, shown_tasks
from lrbench.results.figures.marks import name_rows
from lrbench.results.figures.rates import (
    any_mean,
    any_miss,
    at_an_edge,
    is_scattered,
    loses_runs,
    rates_or_error,
    rates_that_work,
    rises_too_high,
    which_rise,
)
from lrbench.results.figures.rows import ROW
from lrbench.results.figures.scales import Scale, counted_on, scales_of
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.notation import number
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task

HALF = 0.44  # of a row: half the height of a cell
BLACK = "#000000"  # with WHITE beside it seen on dark cells and on light ones
EDGES = {"linewidths": 0.4, "clip_on": False}  # of cells
NARROW = 0.065  # inches a sign: a stretch of cells in which k/n stands upright
PALE = 0.35  # how strong a cell is that is not chosen
BAR = 1.2  # inches: free on the right, for the colour bar
BAR_AT, BAR_WIDTH = 0.3, 0.13  # inches: how far from the cells it stands
BAR_TICK, MOST_BAR_TICKS = 0.22, 6  # inches: a number beside it


# ---- what is drawn


def _ranked(sweep: Sweep) -> dict[str, list[str]]:
    """Return task -> the optimizers that have a row, best first."""
    searched = sweep.rates[COMPETITOR].drop_duplicates()
    ranked = sweep.ranking[COMPETITOR].merge(searched)
    return {str(task): own["optimizer"].tolist() for task, own in ranked.groupby("task", sort=False)}


# ---- ink


class Row(NamedTuple):
    """The cells of an optimizer, and where they stand."""

    pen: Pen
    y: int
    cells: pd.DataFrame  # as `Sweep.cells`, with log, as `_with_logs`


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, those of the sensitivity.

    Raises:
        RequestError: no optimizer ran at two learning rates.
    """
    tasks = shown_tasks(sweep.tasks, rates_or_error(sweep))
    optimizers = _ranked(sweep)
    colours, scales = palette(sweep.ranking), scales_of(sweep.searched)

    def draw_task(task: str, ax: Axes) -> None:
        name_rows(ax, optimizers[task], colours)
        own = of_task(sweep.cells, task)
        cells = _with_logs(own.assign(rises=rises_too_high(own, sweep)), scales[task])
        colour = _draw_cells(cells, of_task(sweep.default_rates, task), ax, optimizers[task], colours)
        if colour is not None:
            _draw_bar(ax, colour, len(optimizers[task]), scales[task])

    heights = {task: ROW * len(own) for task, own in optimizers.items()}
    return panels(tasks, draw_task, heights, NAMES._replace(right=BAR))


def _with_logs(cells: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Add log10 of where each cell stands, inf where all seeds miss or some are lost."""
    all_miss = scale.miss(cells) & (cells["arrived"] == 0)
    places = scale.of_settings(cells).mask(all_miss, np.inf)
    lowest, _ = log_range(places, 1.0)
    return cells.assign(log=np.log10(places.clip(lower=lowest)))


def _draw_cells(
    cells: pd.DataFrame, defaults: pd.DataFrame, ax: Axes, optimizers: list[str], colours: Palette
) -> ScalarMappable | None:
    """Draw the rows of a task; return the scale of the colours, None where no cell has one."""
    log_axis(ax.xaxis, cells["left"].min(), cells["right"].max())
    logs = cells.loc[np.isfinite(cells["log"]), "log"]
    # one scale a task, so that its rows compare
    scale = ScalarMappable(Normalize(logs.min(), logs.max()) if len(logs) else None, "viridis")
    inside = defaults[defaults["lr"].between(*ax.get_xlim())]
    for optimizer, own in cells.groupby("optimizer", sort=False):
        row = Row(Pen(ax, str(optimizer), colours), optimizers.index(str(optimizer)), own)
        _draw_row(row, scale)
        _draw_default(row, inside.loc[inside["optimizer"] == optimizer, "lr"])
        _draw_best(row)
    ax.grid(False)
    ax.set(xlabel="learning rate")
    return scale if len(logs) else None


def _draw_row(row: Row, scale: ScalarMappable) -> None:
    """Draw the cells of an optimizer; hatched with k/n where runs were lost, empty where all seeds miss."""
    pen, cells = row.pen, row.cells
    is_lost = loses_runs(cells)
    is_empty = ~is_lost & np.isinf(cells["log"])
    whole, lost = cells[~is_lost & ~is_empty], cells[is_lost]
    _draw_empty(row, cells[is_empty])
    _fill(row, whole[~whole["rises"]], scale, "cells", 1.0)
    _fill(row, whole[whole["rises"]], scale, "risecells", PALE)
    if len(lost):
        hatched = PolyCollection(
            list(_corners(lost, row.y)),
            facecolors="none",
            edgecolors=GREY,
            hatch="////",
            alpha=0.6,
            gid=pen.gid("lostcells"),
            **EDGES,
        )
        pen.ax.add_collection(hatched, autolim=False)
    # neighbours are those of all cells, so that a whole one in between ends a stretch
    stretches = stretches_that_lost_alike(cells).loc[lost.index]
    for place, (_, stretch) in enumerate(lost.groupby(stretches, sort=False)):
        _write_count(row, stretch, f"count{place}")


def _fill(row: Row, cells: pd.DataFrame, scale: ScalarMappable, part: str, alpha: float) -> None:
    """Draw cells in their colours."""
    if cells.empty:
        return
    filled = PolyCollection(
        list(_corners(cells, row.y)),
        array=cells["log"],
        norm=scale.norm,
        cmap=scale.cmap,
        edgecolors="face",
        alpha=alpha,
        gid=row.pen.gid(part),
        **EDGES,
    )
    row.pen.ax.add_collection(filled, autolim=False)


def _draw_empty(row: Row, cells: pd.DataFrame) -> None:
    """Draw the frames of the cells that miss."""
    if cells.empty:
        return
    corners = list(_corners(cells, row.y))
    look = {"facecolors": "none", "edgecolors": GREY, "alpha": 0.6} | EDGES
    frames = PolyCollection(corners, gid=row.pen.gid("misscells"), **look)
    row.pen.ax.add_collection(frames, autolim=False)


def _corners(cells: pd.DataFrame, y: int) -> np.ndarray:
    """Return the corners of each cell, (cells, 4, 2)."""
    left, right = cells["left"], cells["right"]
    below, above = np.full(len(cells), y - HALF), np.full(len(cells), y + HALF)
    across = np.stack([left, right, right, left], axis=1)
    down = np.stack([below, below, above, above], axis=1)
    return np.stack([across, down], axis=2)


def _write_count(row: Row, stretch: pd.DataFrame, part: str) -> None:
    """Write k/n once over a stretch of cells, upright where it is narrow."""
    ax = row.pen.ax
    text = f"{stretch['lost'].iloc[0]}/{stretch['seeds'].iloc[0]}"
    left, right = stretch["left"].min(), stretch["right"].max()
    (begin, _), (end, _) = ax.transData.transform([(left, 0), (right, 0)])
    is_narrow = (end - begin) / ax.figure.dpi < NARROW * len(text)
    ax.annotate(
        text,
        (np.sqrt(left * right), row.y),
        ha="center",
        va="center",
        fontsize=5.5 if is_narrow else SMALLEST,
        rotation=90 if is_narrow else 0,
        gid=row.pen.gid(part),
    )


def _draw_default(row: Row, rates: pd.Series) -> None:
    """Draw a bar at the default rate, white on black."""
    for part, colour, width in (("default", BLACK, 3.2), ("defaultcore", WHITE, 1.4)):
        for rate in rates:
            row.pen.ax.vlines(
                rate,
                row.y - HALF,
                row.y + HALF,
                color=colour,
                linewidth=width,
                zorder=3,
                gid=row.pen.gid(part),
            )


def _draw_best(row: Row) -> None:
    """Draw a dot at the best rate, a diamond where it is at an edge."""
    best = row.cells[row.cells["best"] & ~loses_runs(row.cells)]
    row.pen.ax.scatter(
        best["lr"],
        np.full(len(best), row.y),
        s=26,
        marker="D" if at_an_edge(best) else "o",
        facecolors=WHITE,
        edgecolors=BLACK,
        linewidths=0.9,
        zorder=4,
        gid=row.pen.gid("best"),
    )


def _draw_bar(ax: Axes, colour: ScalarMappable, rows: int, scale: Scale) -> None:
    """Draw what the colours mean, beside the cells."""
    place = ax.get_position()
    bar = ax.figure.add_axes((place.x1 + BAR_AT / WIDTH, place.y0, BAR_WIDTH / WIDTH, place.height))
    colorbar = ax.figure.colorbar(colour, cax=bar)
    ticks = _bar_ticks(colour.get_clim(), int(np.clip(ROW * rows / BAR_TICK, 1, MOST_BAR_TICKS)))
    colorbar.set_ticks(np.log10(ticks).tolist(), labels=[number(tick) for tick in ticks])
    colorbar.ax.minorticks_off()
    colorbar.outline.set_visible(False)
    bar.tick_params(labelsize=SMALL)
    bar.set_title(scale.unit, fontsize=SMALL, fontweight="normal", loc="center", pad=6)


def _bar_ticks(logs: tuple[float, float], most: int) -> list[float]:
    """Return so many ticks of the colour bar at most: powers of ten, or where there are fewer than two its
    ends.
    """
    low, high = 10 ** logs[0], 10 ** logs[1]
    between = powers(low, high, max(most, 2))
    ticks = between if len(between) > 1 else [low, high]
    return ticks[:: -(-len(ticks) // most)]


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    scales = scales_of(sweep.searched)
    drawn = [scales[task] for task in shown_tasks(sweep.tasks, sweep.rates)]
    rise = which_rise(sweep)
    sentences = [
        f"{counted_on(drawn)} over the learning rate, all optimizers, best on top{on_tuning_seeds(sweep)}: "
        "geometric means over the seeds.",
        "Empty: all seeds miss; where only some do, each counts the budget." if any_miss(sweep) else "",
        f"{rise.capitalize()}." if rise else "",
        "Hatched: so many of the seeds diverged or failed." if loses_runs(sweep.rates).any() else "",
        _which_best(sweep),
        "Bar: the default rate." if sweep.tuned else "",
        "Other hyperparameters change from cell to cell." if is_scattered(sweep).any() else "",
        without_panel(sweep.tasks, sweep.rates),
    ]
    return joined(sentences)


def _which_best(sweep: Sweep) -> str:
    if not any_mean(sweep):
        return ""
    diamond = ", a diamond where it is the last of its grid or box" if at_an_edge(sweep.ranking) else ""
    return f"Dot: the best rate{diamond}."


def finding(sweep: Sweep) -> str:
    """Return which learning rates of each optimizer work."""
    return by_task(sweep.sensitivity_table, shown_tasks(sweep.tasks, sweep.rates), rates_that_work)


FIGURE = FigureSpec(
    name="heat_map",
    title="All over the learning rate",
    method="plot_heat_map",
    shows="evaluations until arrival of all optimizers over the learning rate as colours",
    draw=draw,
    caption=caption,
    finding=finding,
)
