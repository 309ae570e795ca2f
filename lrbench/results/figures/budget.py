"""What the best of fewer trials is worth, of all that were tried.

A line is the median over all choices of so many trials, a band goes between the quartiles. One row of
`Sweep.budget_curve`: task "lecture", optimizer "adam", trials 8, q25 -1.4, median -1.3, q75 0.2 (scores).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis, log_range, set_ticks
from lrbench.results.figures.captions import by_task, joined, on_tuning_seeds, without_panel
from lrbench.results.figures.ink import Palette, back_to_front, palette
from lrbench.results.figures.layout import panels, rows_or_error, shown_tasks
from lrbench.results.figures.lines import draw_band, draw_line, line_ends
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.scales import Scale, budget_line, counted_on, scales_of
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.standing import of_each
from lrbench.results.notation import counted, number
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.tables.tuning import stages

QUARTILES = ["q25", "median", "q75"]
ROOM = 2  # how much wider than levels their axis is, on each side
BEFORE_FIRST, BEYOND_BUDGET = 1.3, 1.15  # the same of evaluations, whose axis ends behind the budget

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six in which an optimizer has four trials.

    Raises:
        RequestError: there is no such task.
    """
    advice = "no optimizer tried four settings. Sweep more, or ask with tune=lr."
    budget = rows_or_error(sweep, sweep.budget_curve, advice)
    colours, scales = palette(sweep.ranking), scales_of(sweep.searched)
    tasks = shown_tasks(sweep.tasks, budget)
    return panels(tasks, lambda task, ax: _draw_task(of_task(budget, task), ax, colours, scales[task]))


def _draw_task(budget: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    ax.set_autoscale_on(False)  # a band may go on to the end of float64
    places = on_scale(budget, scale)
    _set_limits(ax, places, scale)
    for pen, line in back_to_front(places[np.isfinite(places["median"])], ax, colours):
        if not pen.is_behind:
            draw_band(pen, line, "trials", alpha=0.1)
        draw_line(pen, line, "trials", "median")
    log_axis(ax.xaxis, 1, budget["trials"].max())
    set_ticks(ax.xaxis, budget["trials"].unique().tolist())
    ax.set(xlabel="trials", ylabel=scale.label)
    label_lines(ax, line_ends(places, "median").assign(detail=""), colours)


def on_scale(budget: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Return the rows of a task with the quartiles on its scale."""
    return budget.assign(**{name: scale.of_scores(budget[name]) for name in QUARTILES})


def _set_limits(ax: Axes, places: pd.DataFrame, scale: Scale) -> None:
    shown = places[QUARTILES].to_numpy()
    if scale.arrives:
        low = min(shown.min(), scale.budget) / BEFORE_FIRST
        log_axis(ax.yaxis, low, scale.budget * BEYOND_BUDGET)
        budget_line(ax, scale.budget)
    else:
        log_axis(ax.yaxis, *log_range(shown, ROOM))


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    scales = scales_of(sweep.searched)
    drawn = [scales[task] for task in shown_tasks(sweep.tasks, sweep.budget_curve)]
    sentences = [
        f"{counted_on(drawn)} at the best of so many trials{on_tuning_seeds(sweep)}: median over all choices "
        "of the trials; band: 25 to 75 %.",
        _flattered(sweep),
        without_panel(sweep.tasks, sweep.budget_curve),
    ]
    return joined(sentences)


def _flattered(sweep: Sweep) -> str:
    """Say where trials were tried because others were good."""
    if not sweep.tuned or len(stages(sweep.manifest["tune"]["trials"])) == 1:
        return ""
    return "The search went closer around its best, so a shorter one would find less."


def finding(sweep: Sweep) -> str:
    """Return what the best of all trials of each optimizer is worth: numbers of the search, which no test
    compares.
    """
    scales = scales_of(sweep.searched)

    def best_of_all(budget: pd.DataFrame) -> str:
        scale = scales[budget["task"].iloc[0]]
        last = on_scale(budget, scale).groupby("optimizer", sort=False).last().reset_index()
        trials = counted(int(last["trials"].max()), "trial")
        return f"{scale.unit} at the best of {trials}: {of_each(last, _best)}"

    return by_task(sweep.budget_curve, shown_tasks(sweep.tasks, sweep.budget_curve), best_of_all)


def _best(row: pd.Series) -> str:
    return number(row["median"]) if np.isfinite(row["median"]) else "none that is whole"


FIGURE = FigureSpec(
    name="budget",
    title="Fewer trials",
    method="plot_budget",
    shows="what the best of fewer trials is worth",
    draw=draw,
    caption=caption,
    finding=finding,
)
