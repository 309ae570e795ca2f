"""The share of (seed, target) pairs that have arrived against gradient evaluations, as true steps.

One row of `Sweep.solved`, a step of a line: task "lecture", optimizer "adam", evaluations 88.0, share 0.75,
pairs 80.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import evaluations_axis
from lrbench.results.figures.captions import (
    by_task,
    is_lost,
    joined,
    which_setting,
    without_panel,
)
from lrbench.results.figures.ink import Palette, palette
from lrbench.results.figures.layout import panels, rows_or_error, shown_tasks
from lrbench.results.figures.lines import SHARES, draw_steps, last_of_each
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.standing import of_each
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.targets import TARGETS
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six.

    Raises:
        RequestError: relative gaps are undefined on all tasks.
    """
    reason = "the constant model is as good as any, so relative gaps and targets are undefined."
    solved = rows_or_error(sweep, sweep.solved, reason)
    colours = palette(sweep.ranking)
    tasks = shown_tasks(sweep.tasks, solved)
    return panels(tasks, lambda task, ax: _draw_task(of_task(solved, task), ax, colours))


def _draw_task(solved: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    draw_steps(solved, "evaluations", ax, colours)
    evaluations_axis(ax, solved["evaluations"])
    ends = last_of_each(solved)
    counts = [f"{row['share'] * row['pairs']:.0f}/{row['pairs']}" for row in ends.to_dict("records")]
    ax.set(xlabel="gradient evaluations", ylabel="share of (seed, target) pairs arrived", ylim=SHARES)
    label_lines(ax, ends.assign(y=ends["share"], detail=counts), colours)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    lost = "A run that was lost arrives nowhere, so such a line ends below 1."
    sentences = [
        f"Share of the (seed, target) pairs of which the run has arrived at the target to stay, each "
        f"optimizer at {which_setting(sweep)}, over {seeds_compared(sweep)} and the relative gaps "
        f"{TARGETS[0]} to {TARGETS[-1]}.",
        lost if is_lost(sweep) else "",
        without_panel(sweep.tasks, sweep.solved),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return in how many pairs each arrives."""
    return by_task(sweep.solved, shown_tasks(sweep.tasks, sweep.solved), _how_many_arrive)


def _how_many_arrive(solved: pd.DataFrame) -> str:
    shares = of_each(last_of_each(solved), lambda row: f"{row['share'] * row['pairs']:.0f} of {row['pairs']}")
    return f"(seed, target) pairs that arrive: {shares}"


FIGURE = FigureSpec(
    name="targets",
    title="Targets reached",
    method="plot_targets",
    shows="the share of (seed, target) pairs that have arrived against gradient evaluations",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("targets", "success", "costs"),
)
