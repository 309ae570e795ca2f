"""The best gap against the number of trials, of all that were tried.

A line is the median over all choices of so many trials, a band goes between the quartiles. One row of
`Sweep.budget_curve`: task "lecture", optimizer "adam", trials 8, q25 1e-9, median 3e-9, q75 1e-5.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis, log_range, set_ticks
from lrbench.results.figures.captions import (
    by_task,
    cut_of,
    joined,
    on_tuning_seeds,
    with_lowest,
    without_panel,
)
from lrbench.results.figures.ink import Palette, back_to_front, palette
from lrbench.results.figures.layout import panels, rows_or_error, shown_tasks
from lrbench.results.figures.lines import draw_band, draw_line, line_ends
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.notation import counted, number
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.tables.tuning import stages

QUARTILES = ["q25", "median", "q75"]

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six in which an optimizer has four trials.

    Raises:
        RequestError: there is no such task.
    """
    advice = "no optimizer tried four settings. Sweep more, or ask with tune=lr."
    budget = rows_or_error(sweep, sweep.budget_curve, advice)
    colours = palette(sweep.ranking)
    tasks = shown_tasks(sweep.tasks, budget)
    return panels(tasks, lambda task, ax: _draw_task(of_task(budget, task), ax, colours))


def _draw_task(budget: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    ax.set_autoscale_on(False)  # a band may go on to the end of float64
    low, high = log_range(budget[QUARTILES].to_numpy(), 2)
    log_axis(ax.yaxis, low, high)
    finite = budget[np.isfinite(budget["median"])].copy()
    finite[QUARTILES] = finite[QUARTILES].clip(lower=low)
    for pen, line in back_to_front(finite, ax, colours):
        if not pen.is_grey:
            draw_band(pen, line, "trials", alpha=0.1)
        draw_line(pen, line, "trials", "median")
    log_axis(ax.xaxis, 1, budget["trials"].max())
    set_ticks(ax.xaxis, budget["trials"].unique().tolist())
    ax.set(xlabel="trials", ylabel="best gap among them")
    label_lines(ax, line_ends(budget, "median").assign(detail=""), colours)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    sentences = [
        f"Best gap among so many trials{on_tuning_seeds(sweep)}: median over all choices of the trials; "
        "band: 25 to 75 %.",
        _flattered(sweep),
        cut_of(sweep.searched),
        without_panel(sweep.tasks, sweep.budget_curve),
    ]
    return joined(sentences)


def _flattered(sweep: Sweep) -> str:
    """Say where trials were tried because others were good."""
    if not sweep.tuned or len(stages(sweep.manifest["tune"]["trials"])) == 1:
        return ""
    return "The search went closer around its best, so a shorter one would find less."


def finding(sweep: Sweep) -> str:
    """Return who finds the lowest gap in all trials."""
    budget = sweep.budget_curve
    return by_task(budget, shown_tasks(sweep.tasks, budget), _lowest_of_all_trials)


def _lowest_of_all_trials(budget: pd.DataFrame) -> str:
    last = budget.groupby("optimizer", sort=False).last()
    best = with_lowest(last, "median")
    trials = counted(int(best["trials"]), "trial")
    return f"{best.name} finds the lowest gap, {number(best['median'])}, in {trials}"


FIGURE = FigureSpec(
    name="budget",
    title="Fewer trials",
    method="plot_budget",
    shows="the best gap against the number of trials",
    draw=draw,
    caption=caption,
    finding=finding,
)
