"""The share of the tasks on which an optimizer arrives within a ratio of the fewest evaluations that anyone
took (Dolan and Moré, 2002).

One row of `Sweep.profile`, a step of a line: optimizer "adam", ratio 1.7, share 0.6, tasks 5.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import log_axis
from lrbench.results.figures.ink import Palette, palette
from lrbench.results.figures.layout import PANEL, one_axes, rows_or_error
from lrbench.results.figures.lines import SHARES, draw_steps, last_of_each
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.standing import of_each
from lrbench.results.tables.sweep import Sweep
from lrbench.results.words.phrases import seeds_compared

# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw one axes over all tasks.

    Raises:
        RequestError: there are fewer than three tasks in which the target is defined.
    """
    advice = "a performance profile takes three tasks or more. Sweep problem= or another setting of the task."
    rows_or_error(sweep, sweep.profile, advice)
    colours = palette(sweep.ranking)
    return one_axes(PANEL, lambda ax: _draw_profile(sweep.profile, ax, colours))


def _draw_profile(profile: pd.DataFrame, ax: Axes, colours: Palette) -> None:
    draw_steps(profile, "ratio", ax, colours)
    log_axis(ax.xaxis, 1.0, profile["ratio"].max())
    ends = last_of_each(profile)
    counts = [f"{row['share'] * row['tasks']:.0f} of {row['tasks']} tasks" for row in ends.to_dict("records")]
    ax.set(
        xlabel="evaluations until it arrives over the fewest of all",
        ylabel="share of tasks on which it arrives",
        ylim=SHARES,
    )
    label_lines(ax, ends.assign(y=ends["share"], detail=counts), colours)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    return (
        f"Share of the {sweep.profile['tasks'].iloc[0]} tasks on which an optimizer arrives at the target "
        "within so many times the fewest gradient evaluations of all. Medians over "
        f"{seeds_compared(sweep)}; where fewer than half of the seeds arrive, it misses."
    )


def finding(sweep: Sweep) -> str:
    """Return on how many tasks each arrives."""
    last = last_of_each(sweep.profile)
    shares = of_each(last, lambda row: f"{row['share'] * row['tasks']:.0f} of {row['tasks']}")
    return f"all tasks: tasks on which half of the seeds arrive: {shares}."


FIGURE = FigureSpec(
    name="profile",
    title="Performance profile",
    method="plot_profile",
    shows="the performance profile over the tasks",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("competence",),
)
