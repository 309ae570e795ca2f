"""The gap against gradient evaluations, each optimizer at its chosen setting.

A line is the median over the seeds, a band goes between the quartiles. A dot on the target stands where half
of the seeds have arrived, a cross where a run stopped; thin lines are what theory knows beforehand. One row
of `Sweep.best_curves`: task "lecture", optimizer "adam", setting "lr=0.3", diverged 0, failed 0, seeds 10,
step 40, evaluations 40.0, median 3.1e-4, q25 1.2e-4, q75 8.8e-4.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import (
    EMPTY,
    WIDEST,
    drawable,
    evaluations_axis,
    log_axis,
    steps_axis,
)
from lrbench.results.figures.captions import (
    by_task,
    cut,
    joined,
    over_both,
    settings_of_both,
    which_setting,
    without_panel,
)
from lrbench.results.figures.crosses import cross_at, draw_stops
from lrbench.results.figures.ink import (
    INK,
    SMALL,
    WHITE,
    Palette,
    Pen,
    back_to_front,
    compared_palette,
    in_front,
    palette,
)
from lrbench.results.figures.layout import panels, rows_or_error, shown_tasks
from lrbench.results.figures.lines import draw_band, draw_line, line_ends
from lrbench.results.figures.marks import label_lines, level
from lrbench.results.figures.rows import records
from lrbench.results.figures.sides import by_side, compared_panels, key_of_lines, side_gap_axis, side_look
from lrbench.results.figures.spec import ComparedSpec, FigureSpec
from lrbench.results.figures.standing import changed, who_changed, who_leads
from lrbench.results.figures.thinning import thinned
from lrbench.results.notation import number
from lrbench.results.tables.curves import BEYOND
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.settings import lost_count
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

QUARTILES = ["q25", "median", "q75"]
MOST_POINTS = 200  # of a curve
ROOM = 3  # times the highest and the lowest gap: how far the axis goes beyond them
FARTHEST_TARGET = 1e4  # times below the lowest gap: a target that lies deeper is not in the figure
KNOWN, FLOOR, LEAST = "theory", "noise floor", "least possible"  # the lines of theory
THEORY = {KNOWN: (0, (2, 2)), FLOOR: ":", LEAST: ":"}  # their dashes
ARRIVAL = 46  # square points
FLOOR_SPAN = (0.2, 1.0)  # of the evaluations: where the line of the noise floor is drawn


# ---- what is drawn


class Panel(NamedTuple):
    """What a panel shows of one task."""

    task: pd.Series  # its row of `Sweep.tasks`
    target: float  # a gap; NaN: none
    curves: pd.DataFrame
    stops: pd.DataFrame
    theory: pd.DataFrame
    ranking: pd.DataFrame


def theory_lines(sweep: Sweep) -> pd.DataFrame:
    """Return the lines of theory, a row a point: task, optimizer ("" of the least possible), line (its name),
    evaluations, gap.
    """
    floors = sweep.noise_floors.assign(line=FLOOR)
    longest = sweep.entries.groupby("task")["evaluations"].max()
    budgets = floors["task"].map(longest).astype(float)  # of no floors it would be of words
    lines = [
        sweep.predicted_curves.assign(line=KNOWN),
        sweep.least_possible.assign(line=LEAST, optimizer=""),
        *(floors.assign(evaluations=budgets * share) for share in FLOOR_SPAN),
    ]
    return pd.concat(lines, ignore_index=True)


def _with_curve(sweep: Sweep) -> pd.DataFrame:
    """Return the ranking of the tasks in which some run left a curve."""
    left_a_curve = sweep.reported["status"] != "failed"
    tasks = sweep.reported.loc[left_a_curve, "task"]
    return sweep.ranking[sweep.ranking["task"].isin(tasks)]


# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six with a curve.

    Raises:
        RequestError: no run left a curve.
    """
    reason = "no run left a loss curve; all failed. See the column reason of runs."
    rows_or_error(sweep, sweep.best_curves, reason)
    colours = palette(sweep.ranking)
    theory = theory_lines(sweep)

    def draw_task(label: str, ax: Axes) -> None:
        task = of_task(sweep.tasks, label).iloc[0]
        own = [of_task(frame, label) for frame in (sweep.best_curves, sweep.stops, theory, sweep.ranking)]
        has_target = pd.notna(task["scale"])
        goal = of_task(sweep.reported, label)["goal"].iloc[0] if has_target else np.nan
        _draw_panel(Panel(task, goal, *own), ax, colours)

    return panels(shown_tasks(sweep.tasks, sweep.best_curves), draw_task)


def _draw_panel(panel: Panel, ax: Axes, colours: Palette) -> None:
    # the limits are set below; gaps near the end of float64 overflow matplotlib's margins
    ax.set_autoscale_on(False)
    bottom, top = _limits(panel)
    _draw_curves(panel.curves, ax, colours, bottom)
    _draw_theory(panel.theory, ax, colours, (bottom, top))
    log_axis(ax.yaxis, bottom, top)
    in_the_figure = panel.curves.loc[panel.curves["median"] <= top, "evaluations"]
    evaluations_axis(ax, pd.concat([in_the_figure, panel.stops["evaluations"]]))
    draw_stops(panel.stops.assign(gap=panel.stops["gap"].clip(upper=top)), ax, colours)
    level(ax, panel.target, "target")
    level(ax, panel.task["gap_floor"], "gap floor")
    _draw_arrivals(panel, ax, colours)
    _name_evaluations(ax, panel)
    ax.set(ylabel=_gap_label(panel.task["attained"]))
    ends = line_ends(panel.curves, "median")
    arrivals = panel.ranking.set_index("optimizer")["evaluations_to_target"]
    has_target = not np.isnan(panel.target)
    details = [_detail(row, arrivals[row["optimizer"]] if has_target else np.nan) for row in records(ends)]
    label_lines(ax, ends.assign(detail=details), colours)


def _limits(panel: Panel) -> tuple[float, float]:
    """Return bottom and top of the axes: all of what completed, room above the start for what diverged, the
    target unless it lies far below.
    """
    curves = panel.curves
    completed = lost_count(curves) == 0
    medians = curves.loc[completed | (curves["step"] == 0), "median"]
    if not len(drawable(medians)):
        return EMPTY
    high = drawable(medians).max()
    lowest = drawable(pd.concat([medians, curves["q25"]])).min()
    low = max(lowest, high / 10.0**WIDEST)
    if panel.target > low / FARTHEST_TARGET:
        low = min(low, panel.target)
    return low / ROOM, high * (BEYOND if len(panel.stops) else ROOM)


def _draw_curves(curves: pd.DataFrame, ax: Axes, colours: Palette, bottom: float) -> None:
    # several gradients a step: what lies between two is not known, so the line is one of steps
    leaps = curves.groupby("optimizer")["evaluations"].agg(lambda evaluations: evaluations.diff().max() > 1)
    finite = thinned(curves[np.isfinite(curves["median"])], MOST_POINTS)
    for pen, curve in back_to_front(finite, ax, colours):
        is_leaping = leaps[pen.optimizer]
        shown = curve.copy()
        shown[QUARTILES] = curve[QUARTILES].clip(lower=bottom)
        if not pen.is_behind:
            draw_band(pen, shown, "evaluations", alpha=0.18, step="post" if is_leaping else None)
        draw_line(pen, shown, "evaluations", "median", "steps-post" if is_leaping else "default")


def _draw_arrivals(panel: Panel, ax: Axes, colours: Palette) -> None:
    """Mark on the target where half of the seeds of each optimizer in front have arrived."""
    arrive = panel.ranking[np.isfinite(panel.ranking["evaluations_to_target"])]
    low, high = ax.get_ylim()
    if not low <= panel.target <= high:
        return
    for pen, row in back_to_front(arrive, ax, colours):
        if not pen.is_behind:
            ax.scatter(
                row["evaluations_to_target"],
                [panel.target],
                s=ARRIVAL,
                marker=pen.look.mark,
                color=pen.colour,
                edgecolors=WHITE,
                linewidths=1.2,
                zorder=5,
                gid=pen.gid("arrival"),
            )


def _draw_theory(theory: pd.DataFrame, ax: Axes, colours: Palette, limits: tuple[float, float]) -> None:
    """Draw the lines of theory, none of an optimizer that stands behind."""
    is_shown = (theory["gap"] > 0) & theory["optimizer"].isin(["", *in_front(colours)])
    shown = theory[is_shown]
    for (line, optimizer), points in shown.groupby(["line", "optimizer"], sort=False):
        part = str(line).partition(" ")[0]
        ax.plot(
            points["evaluations"],
            points["gap"],
            color=INK,
            linewidth=0.8,
            linestyle=THEORY[str(line)],
            zorder=3.5,
            gid=Pen(ax, str(optimizer), colours).gid(part),
        )
    _name_least_possible(shown[shown["line"] == LEAST], ax, limits)


def _name_least_possible(line: pd.DataFrame, ax: Axes, limits: tuple[float, float]) -> None:
    """Write the name of the least possible gap below the end of its line: there no curve that it bounds can
    be.
    """
    bottom, top = limits
    below_top = line[line["gap"] <= top]
    inside = below_top[below_top["gap"] >= bottom]
    if len(below_top) < 2 or inside.empty:
        return
    end = inside.iloc[-1]
    leaves_the_axes = len(inside) < len(below_top)
    height = np.sqrt(bottom * end["gap"]) if leaves_the_axes else end["gap"]
    ax.annotate(
        LEAST.replace(" ", "\n"),
        (end["evaluations"], height),
        (-5, 0 if leaves_the_axes else -3),
        textcoords="offset points",
        ha="right",
        va="center" if leaves_the_axes else "top",
        fontsize=SMALL - 1,
        alpha=0.9,
        linespacing=1.1,
    )


def _name_evaluations(ax: Axes, panel: Panel) -> None:
    """Say what a gradient evaluation is, where it is the same to all: a step on all rows, or on minibatches
    an epoch, with the steps on top.
    """
    curves = panel.curves
    updates = curves[np.isfinite(curves["median"]) & (curves["step"] > 0)]
    last = updates.groupby("optimizer", sort=False)[["step", "evaluations"]].last()
    steps = (last["step"] / last["evaluations"]).to_numpy()
    # the last batch of an epoch may be smaller
    are_same = len(steps) > 0 and np.allclose(steps, steps[0], rtol=1 / last["step"].min())
    in_batches = bool(pd.notna(panel.task["batch_size"]))
    meaning = ""
    if in_batches:
        meaning = "  (= epochs)"
    elif are_same and steps[0] == 1:
        meaning = "  (= steps)"
    ax.set(xlabel=f"gradient evaluations{meaning}")
    if in_batches and are_same:
        steps_axis(ax, float(steps[0]))


def _gap_label(is_attained: bool) -> str:
    return f"gap  (loss − {'minimum' if is_attained else 'infimum'})"


def _detail(row: dict[str, Any], arrival: float) -> str:
    """Write what was lost at a setting, when it arrives, and the setting.

    arrival: evaluations, inf where fewer than half of the seeds arrive; NaN where there is no target.
    """
    words = [f"{row[status]}/{row['seeds']} {status}" for status in ("diverged", "failed") if row[status]]
    if np.isfinite(arrival):
        words.append(f"arrives in {number(round(arrival, 1))}")
    elif arrival == np.inf:
        words.append("misses")
    if row["setting"]:
        words.append(row["setting"])
    return ", ".join(words)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    is_any_diverged = (sweep.reported["status"] == "diverged").any()
    sentences = [
        f"Gap against gradient evaluations, each optimizer at {which_setting(sweep)}.",
        _what_lines_are(sweep),
        "Marks on the target: from there on half of the seeds have arrived." if _any_arrival(sweep) else "",
        "Crosses: runs that diverged." if is_any_diverged else "",
        *_what_theory_is(sweep),
        _cut(sweep.reported),
        without_panel(sweep.tasks, _with_curve(sweep)),
    ]
    return joined(sentences)


def _any_arrival(sweep: Sweep) -> bool:
    """Say whether an optimizer in front arrives with half of its seeds, where there is a target."""
    has_target = sweep.tasks.loc[sweep.tasks["scale"].notna(), "task"]
    ranking = sweep.ranking[sweep.ranking["optimizer"].isin(in_front(palette(sweep.ranking)))]
    arrive = ranking[np.isfinite(ranking["evaluations_to_target"])]
    return bool(arrive["task"].isin(has_target).any())


def _what_lines_are(sweep: Sweep) -> str:
    if sweep.reported["seed"].nunique() > 1:
        return f"Line: median over {seeds_compared(sweep)}; band: 25 to 75 %."
    return "Line: one run."


def _what_theory_is(sweep: Sweep) -> Iterator[str]:
    """Name the lines of theory that are drawn."""
    front = in_front(palette(sweep.ranking))
    if sweep.predicted_curves["optimizer"].isin(front).any():
        yield "Dashes: theory, where the curve is known beforehand."
    least = sweep.least_possible
    points = least[least["gap"] > 0].groupby("task").size()
    if (points > 1).any():
        yield (
            "Dotted, least possible: conjugate gradients, below which nothing ends that steps along "
            "gradients of all rows."
        )
    if sweep.noise_floors["optimizer"].isin(front).any():
        yield "Dotted and level: the noise floor, where SGD on minibatches ends on average."


def _cut(runs: pd.DataFrame) -> str:
    """Say where gaps at the start or the end of runs that do not fit the axis are drawn."""
    gaps = pd.concat([runs["gap"], runs["start_gap"]])
    tasks = pd.concat([runs["task"], runs["task"]])
    return cut(gaps, tasks)


def finding(sweep: Sweep) -> str:
    """Return who leads, and who is shown behind."""
    frame = _with_curve(sweep)
    return by_task(frame, shown_tasks(sweep.tasks, frame), who_leads)


# ---- two sets


def draw_compared(difference: Difference) -> Figure:
    """Draw `Difference.median_curves`, a line an optimizer and side; the first six tasks."""
    rows, _ = difference.shown
    colours = compared_palette(difference)
    attained = difference.attained
    # below a name stands how the two settings differ, or the one that both have
    details = rows.assign(detail=rows["differs"].where(rows["differs"] != "", rows["setting"]))

    def draw_task(curves: pd.DataFrame, ax: Axes) -> None:
        task = curves["task"].iloc[0]
        own = of_task(details, task).set_index("optimizer")["detail"]
        _draw_both(curves, own, ax, colours)
        ax.set(xlabel="gradient evaluations", ylabel=_gap_label(attained[task]))

    return compared_panels(difference, difference.median_curves, draw_task)


def _draw_both(curves: pd.DataFrame, details: pd.Series, ax: Axes, colours: Palette) -> None:
    """Draw one task; a cross where a line ends because the median is lost from there on, a gap of 0 at the
    low end.
    """
    ax.set_autoscale_on(False)  # as in `_draw_panel`
    finite = curves[np.isfinite(curves["median"])]
    top = BEYOND * finite.loc[finite["step"] == 0, "median"].max()
    side_gap_axis(ax.yaxis, finite["median"].clip(upper=top / ROOM), ROOM, headroom=0.0)
    steps = curves.groupby(["optimizer", "side"]).size()
    for pen, side, line in by_side(finite, ax, colours):
        heights = line["median"].clip(lower=ax.get_ylim()[0])
        ax.plot(line["evaluations"], heights, **side_look(pen, side))
        if len(line) < steps[pen.optimizer, side]:
            last = line.iloc[-1]
            cross_at(pen, (last["evaluations"], min(last["median"], top)), f"stop{side}")
    evaluations_axis(ax, curves["evaluations"])
    ends = finite.groupby("optimizer", sort=False).last().reset_index()
    own_details = ends["optimizer"].map(details).fillna("")
    label_lines(ax, ends.assign(y=ends["median"], detail=own_details), colours)
    key_of_lines(ax)


def caption_compared(difference: Difference) -> str:
    """Return what the figure of two sets shows and how it is made."""
    sentences = [
        "Gap against gradient evaluations, full lines in A and dashed ones in B: medians over "
        f"{over_both(difference)}.",
        settings_of_both(difference),
        "A cross: from there on the median is lost.",
        without_panel(difference.tasks, difference.median_curves),
    ]
    return joined(sentences)


def finding_compared(difference: Difference) -> str:
    """Return who is shown worse in B, and who better."""
    return by_task(changed(difference), shown_tasks(difference.tasks, difference.median_curves), who_changed)


FIGURE = FigureSpec(
    name="loss_curves",
    title="Loss curves",
    method="plot_curves",
    shows="the gap against gradient evaluations, each optimizer at its best setting",
    draw=draw,
    caption=caption,
    finding=finding,
    compared=ComparedSpec(
        name="loss_curves",
        title="Loss curves",
        place=0,
        frame=lambda difference: difference.median_curves,
        draw=draw_compared,
        caption=caption_compared,
        finding=finding_compared,
    ),
)
