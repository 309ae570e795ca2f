"""Evaluations until arrival against the learning rate, a panel an optimizer, the others grey behind.

Where no setting of a task arrives, its level; the rates that work are shaded. One row of `Sweep.rates`: task
"lecture", optimizer "adam", lr 0.1, score -1.7 (of its best setting at this lr), arrived 10, lost 0, seeds
10, gap 3.2e-9, best True, edge "", scattered False.
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
    joined,
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
    compared_palette,
    in_front,
    palette,
)
from lrbench.results.figures.layout import grid, shown_tasks
from lrbench.results.figures.marks import label_lines
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
from lrbench.results.figures.scales import Scale, budget_line, counted_on, scale_of, scales_of
from lrbench.results.figures.sides import (
    IS_FULL,
    by_side,
    compared_panels,
    key_of_lines,
    scales_of_both,
    side_look,
    worth_of_sides,
)
from lrbench.results.figures.spec import ComparedSpec, FigureSpec
from lrbench.results.figures.texts import fitted
from lrbench.results.figures.thinning import evenly, spread_seeds
from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed, setting_value
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.predicted import is_descent, is_plain_descent
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task

FEW_TASKS = 2
MOST_PANELS, FEWER_PANELS = 6, 3  # of a task, where there are few tasks, and where there are more
ROOM = 3  # times the lowest and highest level: how far the axis goes beyond them
BEFORE_FIRST = 1.5  # the same of evaluations, whose axis ends at the budget
MISSES = 12  # points: the room above the budget, for a mark that stands there and for its name
LR_ROOM = 2  # the same of learning rates
LEAST_TICKS = 3
TICK_WIDTH, TICK_HEIGHT = 30, 22  # points: the room that a tick's number takes
MOST_BEHIND = 40  # points of a grey line
MOST_DOTS = 300  # seeds of an optimizer
MOST_MARKED = 60  # learning rates with a mark on their line
DOT = 4.5  # points
MARK, PALE = 14, 0.4  # square points, and how strong a mark is of what is not chosen
ONE_RATE = 3  # points: the width of the shade where one rate alone works
LIMITS = (1, 2)  # over L: the rate of the textbooks, and the one at which gradient descent stops converging
KEY = 16  # points: the length of the colour key beside a panel's title
TITLE_AT = 21  # points: where the title begins, and above the axes the key stands
EDGE = {"marker": "^", "s": 48}
DEFAULT = {"marker": TICKUP, "s": 120, "linewidths": 2}


# ---- what is drawn


class Panel(NamedTuple):
    """What a panel shows of one task and one optimizer."""

    settings: pd.DataFrame  # of the task: `Sweep.rates`, with place (where it stands), misses, rises
    runs: pd.DataFrame  # of the task: the searched runs of these settings, with place
    scale: Scale
    works: tuple[float, float]  # of the optimizer: the lowest and the highest rate that works, NaN without
    edges: pd.DataFrame  # of the optimizer: `Sweep.stability_edges`
    defaults: pd.DataFrame  # of the optimizer: `Sweep.default_rates`
    smoothness: float | None  # L, in whose units there is an axis on top; None: there is none
    has_limits: bool  # whether lines at 1/L and 2/L belong in the panel


def panels_of_tasks(sweep: Sweep) -> dict[str, list[str]]:
    """Return task -> the optimizers that have a panel: the best six, of more than two tasks the best
    three.
    """
    tasks = shown_tasks(sweep.tasks, sweep.rates)
    # six of each of many tasks would be more panels than anybody reads
    most = MOST_PANELS if len(tasks) <= FEW_TASKS else FEWER_PANELS
    front = in_front(palette(sweep.ranking))
    blocks = {}
    for task in tasks:
        searched = set(of_task(sweep.rates, task)["optimizer"])
        blocks[task] = [optimizer for optimizer in front if optimizer in searched][:most]
    return blocks


def _searched_runs(sweep: Sweep) -> pd.DataFrame:
    """Return the runs of the settings of `Sweep.rates`."""
    return sweep.searched[sweep.searched["setting_id"].isin(sweep.rates["setting_id"])]


def _panel(sweep: Sweep, label: str, optimizer: str) -> Panel:
    """Return what a panel shows of a task."""
    task = of_task(sweep.tasks, label).iloc[0]
    settings = of_task(sweep.rates, label)
    runs = of_task(_searched_runs(sweep), label)
    scale = scale_of(of_task(sweep.searched, label))
    own = runs[runs["optimizer"] == optimizer]
    in_units = bool(task["quadratic"]) and is_descent(own).any()
    beside = (sweep.stability_edges, sweep.default_rates, sweep.sensitivity_table)
    marks = [of_task(frame, label) for frame in beside]
    edges, defaults, works = (frame[frame["optimizer"] == optimizer] for frame in marks)
    low, high = works[["lowest_lr", "highest_lr"]].iloc[0]
    return Panel(
        settings=settings.assign(
            place=scale.of_settings(settings),
            misses=scale.miss(settings),
            rises=rises_too_high(settings, sweep),
        ),
        runs=runs.assign(place=scale.of_runs(runs)),
        scale=scale,
        works=(low, high),
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
    rates_or_error(sweep)
    colours, scales = palette(sweep.ranking), scales_of(sweep.searched)

    def draw_optimizer(task: str, optimizer: str, ax: Axes) -> None:
        pen = Pen(ax, optimizer, colours)
        ax.set_gid(pen.gid("panel"))
        _draw_panel(pen, _panel(sweep, task, optimizer))

    return grid(panels_of_tasks(sweep), draw_optimizer, lambda task: ("learning rate", scales[task].label))


def _draw_panel(pen: Pen, panel: Panel) -> None:
    """Draw one optimizer; the axes' limits are those of the whole task, so that its panels compare."""
    ax = pen.ax
    settings = panel.settings
    _set_limits(ax, panel)
    _shade_what_works(pen, panel.works)
    for other, line in back_to_front(settings[settings["optimizer"] != pen.optimizer], ax, pen.colours):
        _draw_behind(other, line)
    own = settings[settings["optimizer"] == pen.optimizer]
    _draw_line(pen, own)
    _draw_marks(pen, own[own["misses"]], "misses", {"facecolors": "none", "linewidths": 0.9})
    _draw_marks(pen, own[own["rises"] & ~own["misses"]], "rises", {"alpha": PALE, "linewidths": 0})
    _draw_seeds(pen, own, panel.runs[panel.runs["optimizer"] == pen.optimizer])
    _draw_best(pen, own)
    if not np.isfinite(own["place"]).any():
        _say_that_nothing_completed(ax)
    if not np.isfinite(panel.runs["gap"]).any():
        ax.set_yticks([])
    losing = own[loses_runs(own)]
    if len(losing):
        draw_strip(pen, losing)
    _draw_limits(ax, panel)
    _draw_mark(pen, panel.edges, "edge", EDGE)
    _draw_mark(pen, panel.defaults, "default", DEFAULT)
    ax.tick_params(labelsize=SMALL)
    _write_title(pen)


def _set_limits(ax: Axes, panel: Panel) -> None:
    width, height = size(ax)
    above = STRIP + COUNTS if loses_runs(panel.settings).any() else 0.0
    low, high = log_range(panel.runs["place"], ROOM)
    if panel.scale.arrives:
        low, high = panel.runs["place"].min() / BEFORE_FIRST, panel.scale.budget
        above += MISSES
    log_axis(ax.yaxis, low, high, above / height, max(LEAST_TICKS, int(height / TICK_HEIGHT)))
    if panel.scale.arrives:
        budget_line(ax, panel.scale.budget)
    lowest, highest = log_range(panel.settings["lr"], LR_ROOM)
    log_axis(ax.xaxis, lowest, highest, most=max(LEAST_TICKS, int(width / TICK_WIDTH)))


def _shade_what_works(pen: Pen, works: tuple[float, float]) -> None:
    """Shade the rates that work, from the lowest to the highest that was tried."""
    low, high = works
    if np.isnan(low):
        return
    width = ONE_RATE if low == high else 0
    look = {"color": pen.colour, "alpha": 0.13, "linewidth": width, "zorder": 0.5}
    pen.ax.axvspan(low, high, gid=pen.gid("works"), **look)


def _draw_behind(pen: Pen, line: pd.DataFrame) -> None:
    """Draw another optimizer: a thin line that breaks where a setting was lost or misses; dots where
    neighbours are not steps of one curve.
    """
    shown = line.iloc[evenly(len(line), MOST_BEHIND)]
    look: dict[str, Any] = {"linewidth": 0.8}
    if line["scattered"].any():
        look = {"marker": ".", "markersize": 3.5, "linestyle": "none", "markeredgewidth": 0}
    pen.ax.plot(
        shown["lr"],
        _on_a_line(shown),
        color=GREY,
        alpha=0.45,
        zorder=1.5,
        clip_on=False,
        solid_capstyle="butt",
        gid=pen.gid("behind"),
        **look,
    )


def _on_a_line(settings: pd.DataFrame) -> pd.Series:
    """Return where settings are drawn on a line: NaN breaks it where runs were lost, where all miss, and
    where the gap first rises too high.
    """
    all_miss = settings["misses"] & (settings["arrived"] == 0)
    nowhere = np.isinf(settings["place"]) | all_miss | settings["rises"]
    return settings["place"].mask(nowhere)


def _draw_line(pen: Pen, own: pd.DataFrame) -> None:
    is_curve = not own["scattered"].any()
    marked = len(own) <= MOST_MARKED or not is_curve
    pen.ax.plot(
        own["lr"],
        _on_a_line(own),
        color=pen.colour,
        marker=pen.look.mark,
        markeredgewidth=0,
        markersize=DOT if marked else 0,
        markevery=np.flatnonzero(~own["misses"]).tolist(),
        linewidth=1.9,
        linestyle="-" if is_curve else "none",
        zorder=3,
        gid=pen.gid("line"),
    )


def _draw_marks(pen: Pen, settings: pd.DataFrame, part: str, look: dict[str, Any]) -> None:
    """Draw settings that are no plain part of the line: hollow where seeds miss, pale where the gap first
    rises too high.
    """
    placed = settings[np.isfinite(settings["place"])]
    colours: dict[str, Any] = {"facecolors": pen.colour, "edgecolors": pen.colour}
    pen.ax.scatter(
        placed["lr"],
        placed["place"],
        s=MARK,
        zorder=3,
        clip_on=False,
        gid=pen.gid(part),
        **(colours | look),
    )


def _draw_seeds(pen: Pen, own: pd.DataFrame, runs: pd.DataFrame) -> None:
    dots = spread_seeds(runs, MOST_DOTS)
    # paler than the means that are drawn over them; where there are none, they are all that is seen
    has_means = np.isfinite(own["place"]).any()
    pen.ax.scatter(
        dots["lr"],
        dots["place"],
        color=pen.colour,
        s=12,
        alpha=0.4 if has_means else 0.9,
        linewidth=0,
        zorder=2,
        gid=pen.gid("dots"),
    )


def _draw_best(pen: Pen, own: pd.DataFrame) -> None:
    """Draw a ring at the best rate, a diamond where it is at an edge."""
    best = own[own["best"] & np.isfinite(own["place"])]  # a chosen setting may have lost runs
    pen.ax.scatter(
        best["lr"],
        best["place"],
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
        fitted(displayed(pen.optimizer), 10, width - TITLE_AT),
        x=TITLE_AT / width,
        fontsize=10,
        fontweight="normal",
        gid=pen.gid("name"),
    )


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    scales = scales_of(sweep.searched)
    drawn = [scales[task] for task in panels_of_tasks(sweep)]
    what = f"{counted_on(drawn)} against the learning rate{on_tuning_seeds(sweep)}{_which_panels(sweep)}"
    rise = which_rise(sweep)
    parts = [
        f"{what}. Dots: seeds",
        _which_dots(sweep),
        _what_means_are(sweep),
        "; hollow: some seeds miss, which counts the budget, at the top all" if any_miss(sweep) else "",
        f"; {rise}" if rise else "",
        _which_best(sweep),
        _which_work(sweep),
        _which_lost(sweep),
        "; tick: the default rate" if sweep.tuned else "",
        _which_edges(sweep),
        ".",
    ]
    return joined(["".join(parts), without_panel(sweep.tasks, sweep.rates)])


def _which_work(sweep: Sweep) -> str:
    """Say what is shaded, where something is."""
    works = sweep.sensitivity_table[sweep.sensitivity_table["lowest_lr"].notna()]
    if not _drawn_competitors(sweep) & _competitors(works):
        return ""
    return "; shaded: the rates that work, which lose no seed and take at most twice what the best one does"


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
    counts = runs[~runs["lost"]].groupby(COMPETITOR).size()
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
    """Return which learning rates of each optimizer work."""
    return by_task(sweep.sensitivity_table, shown_tasks(sweep.tasks, sweep.rates), rates_that_work)


# ---- two sets

STRIPS = {"A": 0.98, "B": 0.94}  # of the axes: where the side's crosses stand
HEADROOM = 0.09  # of the axes: the strips of crosses


def draw_compared(difference: Difference) -> Figure:
    """Draw `Difference.rates`, a line an optimizer and side; the first six tasks."""
    colours = compared_palette(difference)
    scales = scales_of_both(difference, difference.rates)

    def draw_task(rates: pd.DataFrame, ax: Axes) -> None:
        scale = scales[rates["task"].iloc[0]]
        _draw_both(rates.assign(place=scale.of_settings(rates)), ax, colours, scale)

    return compared_panels(difference, difference.rates, draw_task)


def _draw_both(rates: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    """Draw one task; crosses on top where runs of an optimizer in front were lost."""
    lost = rates[(rates["lost"] > 0) & rates["optimizer"].isin(in_front(colours))]
    log_axis(ax.xaxis, rates["lr"].min() / LR_ROOM, rates["lr"].max() * LR_ROOM)
    worth_of_sides(ax, rates["place"], scale, headroom=HEADROOM if len(lost) else 0.0)
    for pen, side, line in by_side(rates, ax, colours):
        _draw_line_of_side(pen, side, line)
    for pen, side, crosses in by_side(lost, ax, colours):
        _draw_crosses_of_side(pen, side, crosses)
    ax.set(xlabel="learning rate", ylabel=scale.label)
    optimizers = rates[["optimizer"]].drop_duplicates()
    label_lines(ax, optimizers.assign(y=np.nan, detail=""), colours)
    key_of_lines(ax)


def _draw_line_of_side(pen: Pen, side: str, line: pd.DataFrame) -> None:
    face = pen.colour if IS_FULL[side] else "none"
    look = side_look(pen, side) | {"marker": pen.look.mark, "markersize": 4, "markerfacecolor": face}
    if line["scattered"].any():
        look["linestyle"] = "none"
    pen.ax.plot(line["lr"], line["place"].replace(np.inf, np.nan), **look)


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
    scales = scales_of_both(difference, difference.rates)
    drawn = [scales[task] for task in shown_tasks(difference.tasks, difference.rates)]
    sentences = [
        f"{counted_on(drawn)} against the learning rate, hollow with full lines in A and full with dashed "
        f"ones in B: at each rate the best setting of the search, means over {_seeds_searched(difference)}.",
        "At the budget all seeds miss." if any(scale.arrives for scale in drawn) else "",
        "Crosses on top, A above B: runs of a coloured optimizer were lost.",
        without_panel(difference.tasks, difference.rates),
    ]
    return joined(sentences)


def _seeds_searched(difference: Difference) -> str:
    in_a, in_b = (counted(sweep.searched["seed"].nunique(), "seed") for _, sweep in difference.sides)
    return in_a if in_a == in_b else f"{in_a} in A and {in_b} in B"


def finding_compared(difference: Difference) -> str:
    """Return the best learning rate of each optimizer in A and in B: a choice, which no test compares."""
    best = difference.rates[difference.rates["best"]]
    return by_task(best, shown_tasks(difference.tasks, difference.rates), _best_rates)


def _best_rates(best: pd.DataFrame) -> str:
    is_lost = best["lost"] == best["seeds"]  # even there, and so everywhere
    if is_lost.all():
        return "every run is lost"
    told = best.assign(rate=best["lr"].map(setting_value).mask(is_lost, "all lost"))
    said = []
    for optimizer, own in told.groupby("optimizer", sort=False):
        sides = own[["side", "rate"]].itertuples(index=False, name=None)
        rates = [f"{rate} in {side}" for side, rate in sides]
        said.append(f"{displayed(str(optimizer))} {listed(rates)}")
    return f"best learning rates: {listed(said)}"


FIGURE = FigureSpec(
    name="lr_sensitivity",
    title="Sensitivity to the learning rate",
    method="plot_sensitivity",
    shows="evaluations until arrival against the learning rate",
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
