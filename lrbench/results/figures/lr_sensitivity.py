"""The final gap against the learning rate, a panel an optimizer, the others grey behind.

One row of `Sweep.rates`: task "lecture", optimizer "adam", lr 0.1, gap 3.2e-9 (of its best setting at this
lr), seeds 10, diverged 0, failed 0, best True, edge "", scattered False.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import TICKUP

from lrbench.results.figures.axes import log_axis, log_range, size, units_axis
from lrbench.results.figures.captions import (
    by_task,
    cut_of,
    joined,
    on_each_side,
    on_tuning_seeds,
    without_panel,
)
from lrbench.results.figures.crosses import COUNTS, STRIP, draw_strip
from lrbench.results.figures.ink import (
    GREY,
    REFERENCE,
    SMALL,
    Palette,
    Pen,
    back_to_front,
    coloured,
    compared_palette,
    palette,
)
from lrbench.results.figures.layout import grid, shown_tasks
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.rates import (
    any_mean,
    at_an_edge,
    at_its_rate,
    best_rate,
    is_scattered,
    loses_runs,
    rates_or_error,
)
from lrbench.results.figures.sides import (
    IS_FULL,
    by_side,
    compared_panels,
    key_of_lines,
    side_gap_axis,
    side_look,
)
from lrbench.results.figures.spec import ComparedSpec, FigureSpec
from lrbench.results.figures.texts import fitted
from lrbench.results.figures.thinning import evenly, spread_seeds
from lrbench.results.notation import counted
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.predicted import is_descent, is_plain_descent
from lrbench.results.tables.settings import lost_count
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task

FEW_TASKS = 2
MOST_PANELS, FEWER_PANELS = 6, 3  # of a task, where there are few tasks, and where there are more
ROOM = 3  # times the lowest and highest gap: how far the axis goes beyond them
LR_ROOM = 2  # the same of learning rates
LEAST_TICKS = 3
TICK_WIDTH, TICK_HEIGHT = 30, 22  # points: the room that a tick's number takes
MOST_BEHIND = 40  # points of a grey line
MOST_DOTS = 300  # seeds of an optimizer
MOST_MARKED = 60  # learning rates with a mark on their line
DOT = 4.5  # points
LIMITS = (1, 2)  # over L: the rate of the textbooks, and the one at which gradient descent stops converging
KEY = 16  # points: the length of the colour key beside a panel's title
TITLE_AT = 21  # points: where the title begins, and above the axes the key stands
EDGE = {"marker": "^", "s": 48}
DEFAULT = {"marker": TICKUP, "s": 120, "linewidths": 2}


# ---- what is drawn


class Panel(NamedTuple):
    """What a panel shows of one task and one optimizer."""

    settings: pd.DataFrame  # of the task: `Sweep.rates`
    loses: pd.Series  # of each of these, whether it lost runs
    runs: pd.DataFrame  # of the task: the searched runs of these settings
    edges: pd.DataFrame  # of the optimizer: `Sweep.stability_edges`
    defaults: pd.DataFrame  # of the optimizer: `Sweep.default_rates`
    smoothness: float | None  # L, in whose units there is an axis on top; None: there is none
    has_limits: bool  # whether lines at 1/L and 2/L belong in the panel


def panels_of_tasks(sweep: Sweep) -> dict[str, list[str]]:
    """Return task -> the optimizers that have a panel: the best six of the palette, of more than two tasks
    the best three.
    """
    tasks = shown_tasks(sweep.tasks, sweep.rates)
    # six of each of many tasks would be more panels than anybody reads
    most = MOST_PANELS if len(tasks) <= FEW_TASKS else FEWER_PANELS
    with_colour = coloured(palette(sweep.ranking))
    blocks = {}
    for task in tasks:
        searched = set(of_task(sweep.rates, task)["optimizer"])
        blocks[task] = [optimizer for optimizer in with_colour if optimizer in searched][:most]
    return blocks


def _searched_runs(sweep: Sweep) -> pd.DataFrame:
    """Return the runs of the settings of `Sweep.rates`."""
    return sweep.searched[sweep.searched["setting_id"].isin(sweep.rates["setting_id"])]


def _panel(sweep: Sweep, settings: pd.DataFrame, runs: pd.DataFrame, optimizer: str) -> Panel:
    """Return what a panel shows; settings and runs: of its task."""
    label = settings["task"].iloc[0]
    task = of_task(sweep.tasks, label).iloc[0]
    own = runs[runs["optimizer"] == optimizer]
    in_units = bool(task["quadratic"]) and is_descent(own).any()
    marks = [of_task(frame, label) for frame in (sweep.stability_edges, sweep.default_rates)]
    edges, defaults = (frame[frame["optimizer"] == optimizer] for frame in marks)
    return Panel(
        settings=settings,
        loses=loses_runs(settings),
        runs=runs,
        edges=edges,
        defaults=defaults,
        smoothness=float(task["L"]) if in_units else None,
        has_limits=bool(is_plain_descent(own).any()),
    )


# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw the panels of the first six such tasks.

    Raises:
        RequestError: there is no task in which an optimizer has two learning rates.
    """
    rates = rates_or_error(sweep)
    runs = _searched_runs(sweep)
    colours = palette(sweep.ranking)

    def draw_optimizer(task: str, optimizer: str, ax: Axes) -> None:
        pen = Pen(ax, optimizer, colours)
        ax.set_gid(pen.gid("panel"))
        _draw_panel(pen, _panel(sweep, of_task(rates, task), of_task(runs, task), optimizer))

    return grid(panels_of_tasks(sweep), draw_optimizer, ("learning rate", "final gap"))


def _draw_panel(pen: Pen, panel: Panel) -> None:
    """Draw one optimizer; the axes' limits are those of the whole task, so that its panels compare."""
    ax = pen.ax
    settings = panel.settings
    _set_limits(ax, panel)
    for other, line in back_to_front(settings[settings["optimizer"] != pen.optimizer], ax, pen.colours):
        _draw_behind(other, line)
    own = settings[settings["optimizer"] == pen.optimizer]
    _draw_line(pen, own)
    _draw_seeds(pen, own, panel.runs[panel.runs["optimizer"] == pen.optimizer])
    _draw_best(pen, own)
    if not np.isfinite(own["gap"]).any():
        _say_that_nothing_completed(ax)
    if not (_completed_gaps(panel.runs) > 0).any():
        ax.set_yticks([])
    losing = own[panel.loses[own.index]]
    if len(losing):
        draw_strip(pen, losing.assign(lost=lost_count(losing)))
    _draw_limits(ax, panel)
    _draw_mark(pen, panel.edges, "edge", EDGE)
    _draw_mark(pen, panel.defaults, "default", DEFAULT)
    ax.tick_params(labelsize=SMALL)
    _write_title(pen)


def _completed_gaps(runs: pd.DataFrame) -> pd.Series:
    return runs.loc[np.isfinite(runs["gap"]), "gap"]


def _set_limits(ax: Axes, panel: Panel) -> None:
    width, height = size(ax)
    headroom = (STRIP + COUNTS) / height if panel.loses.any() else 0.0
    low, high = log_range(_completed_gaps(panel.runs), ROOM)
    log_axis(ax.yaxis, low, high, headroom, max(LEAST_TICKS, int(height / TICK_HEIGHT)))
    lowest, highest = log_range(panel.settings["lr"], LR_ROOM)
    log_axis(ax.xaxis, lowest, highest, most=max(LEAST_TICKS, int(width / TICK_WIDTH)))


def _draw_behind(pen: Pen, line: pd.DataFrame) -> None:
    """Draw another optimizer: a thin line that breaks where a setting was lost; dots where neighbours are not
    steps of one curve.
    """
    shown = line.iloc[evenly(len(line), MOST_BEHIND)]
    look: dict[str, Any] = {"linewidth": 0.8}
    if line["scattered"].any():
        look = {"marker": ".", "markersize": 3.5, "linestyle": "none", "markeredgewidth": 0}
    pen.ax.plot(
        shown["lr"],
        _heights(pen.ax, shown),
        color=GREY,
        alpha=0.45,
        zorder=1.5,
        clip_on=False,
        solid_capstyle="butt",
        gid=pen.gid("behind"),
        **look,
    )


def _heights(ax: Axes, settings: pd.DataFrame) -> pd.Series:
    """Return where settings are drawn: NaN breaks a line where runs were lost; below the axis, at its low
    end.
    """
    gaps = settings["gap"].replace(np.inf, np.nan)
    return gaps.clip(lower=ax.get_ylim()[0])


def _draw_line(pen: Pen, own: pd.DataFrame) -> None:
    is_curve = not own["scattered"].any()
    marked = len(own) <= MOST_MARKED or not is_curve
    pen.ax.plot(
        own["lr"],
        _heights(pen.ax, own),
        color=pen.colour,
        marker="o",
        markeredgewidth=0,
        markersize=DOT if marked else 0,
        linewidth=1.9,
        linestyle="-" if is_curve else "none",
        zorder=3,
        gid=pen.gid("line"),
    )


def _draw_seeds(pen: Pen, own: pd.DataFrame, runs: pd.DataFrame) -> None:
    dots = spread_seeds(runs, MOST_DOTS)
    # paler than the means that are drawn over them; where there are none, they are all that is seen
    has_means = np.isfinite(own["gap"]).any()
    pen.ax.scatter(
        dots["lr"],
        dots["gap"].clip(lower=pen.ax.get_ylim()[0]),
        color=pen.colour,
        s=12,
        alpha=0.4 if has_means else 0.9,
        linewidth=0,
        zorder=2,
        gid=pen.gid("dots"),
    )


def _draw_best(pen: Pen, own: pd.DataFrame) -> None:
    """Draw a ring at the best rate, a diamond where it is at an edge."""
    best = own[own["best"] & np.isfinite(own["gap"])]  # a chosen setting may have lost runs
    pen.ax.scatter(
        best["lr"],
        _heights(pen.ax, best),
        s=80,
        marker="D" if at_an_edge(best) else "o",
        facecolors="none",
        edgecolors=pen.colour,
        linewidths=1.6,
        zorder=4,
        gid=pen.gid("best"),
    )


def _say_that_nothing_completed(ax: Axes) -> None:
    ax.annotate(
        "no setting completed all seeds",
        (0.5, 0.09),
        xycoords="axes fraction",
        ha="center",
        fontsize=SMALL,
        alpha=0.8,
    )


def _draw_limits(ax: Axes, panel: Panel) -> None:
    """Draw what theory says of the rates of gradient descent, and an axis in its unit."""
    if panel.smoothness is None:
        return
    if panel.has_limits:
        for limit in LIMITS:
            ax.axvline(limit / panel.smoothness, linestyle=":", **REFERENCE)
    width, _ = size(ax)
    units_axis(ax, panel.smoothness, max(LEAST_TICKS, int(width / TICK_WIDTH)))


def _draw_mark(pen: Pen, marked: pd.DataFrame, part: str, look: dict[str, Any]) -> None:
    """Put a mark on the axis at each learning rate within it."""
    ax = pen.ax
    inside = marked[marked["lr"].between(*ax.get_xlim())]
    if inside.empty:
        return
    ax.scatter(
        inside["lr"],
        np.zeros(len(inside)),
        color=pen.colour,
        transform=ax.get_xaxis_transform(),
        zorder=5,
        clip_on=False,
        gid=pen.gid(part),
        **look,
    )


def _write_title(pen: Pen) -> None:
    """Write the optimizer's name, and before it a key of its colour."""
    ax = pen.ax
    width, height = size(ax)
    above = height + TITLE_AT
    key = {"arrowstyle": "-", "color": pen.colour, "linewidth": 2.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate(
        "", (0, above), (KEY, above), xycoords="axes points", textcoords="axes points", arrowprops=key
    )
    ax.set_title(
        fitted(pen.optimizer, 10, width - TITLE_AT),
        x=TITLE_AT / width,
        fontsize=10,
        fontweight="normal",
        gid=pen.gid("name"),
    )


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    parts = [
        f"Final gap against the learning rate{on_tuning_seeds(sweep)}{_which_panels(sweep)}. Dots: seeds",
        _which_dots(sweep),
        _what_means_are(sweep),
        _which_best(sweep),
        _which_lost(sweep),
        "; tick: the default rate" if sweep.tuned else "",
        _which_edges(sweep),
        ".",
    ]
    sentences = ["".join(parts), cut_of(sweep.searched), without_panel(sweep.tasks, sweep.rates)]
    return joined(sentences)


def _which_panels(sweep: Sweep) -> str:
    """Say which optimizers have a panel."""
    blocks = panels_of_tasks(sweep)
    searched = sweep.rates.groupby("task")["optimizer"].nunique()
    if searched.max() == 1:
        return ""
    best = ""
    if any(searched[task] > len(own) for task, own in blocks.items()):
        most = max(map(len, blocks.values()))
        over = " over the tasks" if len(blocks) > 1 else ""
        best = f" (the best {most}{over})"
    return f", a panel an optimizer{best}; grey lines: the others"


def _which_dots(sweep: Sweep) -> str:
    """Say which seeds are drawn, where these are not all."""
    runs = _searched_runs(sweep)
    completed = runs[np.isfinite(runs["gap"])]
    counts = completed.groupby(COMPETITOR).size()
    if len(counts) and counts.max() > MOST_DOTS:
        return " (of many the lowest, the highest and some between)"
    return ""


def _what_means_are(sweep: Sweep) -> str:
    if not any_mean(sweep):
        return ""
    scattered = is_scattered(sweep)
    if not scattered.any():
        return "; line: their geometric mean"
    line = "" if scattered.all() else "line or "
    dots = "large dots: their geometric mean, no line where other hyperparameters change from rate to rate"
    return f"; {line}{dots}"


def _which_best(sweep: Sweep) -> str:
    if not any_mean(sweep):
        return ""
    diamond = ", a diamond where it is the last of its grid or box" if at_an_edge(sweep.ranking) else ""
    return f"; ring: the best rate{diamond}"


def _drawn_competitors(sweep: Sweep) -> set[tuple[str, str]]:
    """Return the (task, optimizer) that have a panel."""
    return {(task, optimizer) for task, own in panels_of_tasks(sweep).items() for optimizer in own}


def _competitors(rows: pd.DataFrame) -> set[tuple[str, str]]:
    return set(rows[COMPETITOR].itertuples(index=False, name=None))


def _which_lost(sweep: Sweep) -> str:
    """Say what the crosses of the panels are, where there are some."""
    losing = sweep.rates[loses_runs(sweep.rates)]
    if _drawn_competitors(sweep) & _competitors(losing):
        return "; crosses at the top: so many runs lost, written where there is room"
    return ""


def _which_edges(sweep: Sweep) -> str:
    """Name what theory marks in the panels."""
    drawn = _drawn_competitors(sweep)
    quadratic = sweep.tasks.loc[sweep.tasks["quadratic"].astype(bool), "task"]
    runs = sweep.searched
    plain = runs[is_plain_descent(runs) & runs["task"].isin(quadratic)]
    marks = ""
    if drawn & _competitors(sweep.stability_edges):
        marks += "; triangle: where theory says that the optimizer stops converging"
    if drawn & _competitors(plain):
        marks += "; dotted: 1/L, and 2/L, where gradient descent stops converging"
    return marks


def finding(sweep: Sweep) -> str:
    """Return which optimizer ends lowest, at which learning rate."""
    return by_task(sweep.rates, shown_tasks(sweep.tasks, sweep.rates), best_rate)


# ---- two sets

STRIPS = {"A": 0.98, "B": 0.94}  # of the axes: where the side's crosses stand
HEADROOM = 0.09  # of the axes: the strips of crosses


def draw_compared(difference: Difference) -> Figure:
    """Draw `Difference.rates`, a line an optimizer and side; the first six tasks."""
    colours = compared_palette(difference)
    return compared_panels(difference, difference.rates, lambda rates, ax: _draw_both(rates, ax, colours))


def _draw_both(rates: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    """Draw one task; crosses on top where runs of a coloured optimizer were lost."""
    has_colour = rates["optimizer"].map(colours) != GREY
    lost = rates[(rates["lost"] > 0) & has_colour]
    log_axis(ax.xaxis, rates["lr"].min() / LR_ROOM, rates["lr"].max() * LR_ROOM)
    side_gap_axis(ax.yaxis, rates["gap"], ROOM, headroom=HEADROOM if len(lost) else 0.0)
    for pen, side, line in by_side(rates, ax, colours):
        _draw_line_of_side(pen, side, line)
    for pen, side, crosses in by_side(lost, ax, colours):
        _draw_crosses_of_side(pen, side, crosses)
    ax.set(xlabel="learning rate", ylabel="final gap")
    optimizers = rates[["optimizer"]].drop_duplicates()
    label_lines(ax, optimizers.assign(y=np.nan, detail=""), colours)
    key_of_lines(ax)


def _draw_line_of_side(pen: Pen, side: str, line: pd.DataFrame) -> None:
    face = pen.colour if IS_FULL[side] else "none"
    look = side_look(pen, side) | {"marker": "o", "markersize": 4, "markerfacecolor": face}
    if line["scattered"].any():
        look["linestyle"] = "none"
    pen.ax.plot(line["lr"], _heights(pen.ax, line), **look)


def _draw_crosses_of_side(pen: Pen, side: str, lost: pd.DataFrame) -> None:
    pen.ax.scatter(
        lost["lr"],
        np.full(len(lost), STRIPS[side]),
        marker="x",
        s=26,
        linewidths=1.5,
        color=pen.colour,
        transform=pen.ax.get_xaxis_transform(),
        zorder=4,
        gid=pen.gid(f"lost{side}"),
    )


def caption_compared(difference: Difference) -> str:
    """Return what the figure of two sets shows and how it is made."""
    sentences = [
        "Final gap against the learning rate, hollow with full lines in A and full with dashed ones in B: at "
        f"each rate the best setting of the search, geometric means over {_seeds_searched(difference)}.",
        "Crosses on top, A above B: runs of a coloured optimizer were lost.",
        without_panel(difference.tasks, difference.rates),
    ]
    return joined(sentences)


def _seeds_searched(difference: Difference) -> str:
    in_a, in_b = (counted(sweep.searched["seed"].nunique(), "seed") for _, sweep in difference.sides)
    return in_a if in_a == in_b else f"{in_a} in A and {in_b} in B"


def finding_compared(difference: Difference) -> str:
    """Return which optimizer ends lowest in A and in B, at which learning rate."""
    rates = difference.rates
    return by_task(rates, shown_tasks(difference.tasks, rates), _best_rate_of_each_side)


def _best_rate_of_each_side(rates: pd.DataFrame) -> str:
    return on_each_side(rates, "gap", at_its_rate, "no learning rate completes all seeds")


FIGURE = FigureSpec(
    name="lr_sensitivity",
    title="Sensitivity to the learning rate",
    method="plot_sensitivity",
    shows="the final gap against the learning rate",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("sensitivity",),
    compared=ComparedSpec(
        name="lr_sensitivity",
        title="Sensitivity to the learning rate",
        place=2,
        frame=lambda difference: difference.rates,
        draw=draw_compared,
        caption=caption_compared,
        finding=finding_compared,
    ),
)
