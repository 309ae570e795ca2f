"""What every optimizer is worth at its default setting (hollow) and tuned (full), a line between, the gain
beside.

One row of `Sweep.gains`: task "lecture", optimizer "adam", arrived 10, default_arrived 3, unit "evaluations",
gain 3.5 (default over tuned), low 3.3, high 3.8, word "clear", side 1, lost 0, seeds 10, default_lost 0,
default_seeds 10.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.captions import by_task, joined, several, without_panel
from lrbench.results.figures.crosses import cross_of_row
from lrbench.results.figures.ink import Palette, Pen, palette
from lrbench.results.figures.layout import rows_or_error, shown_tasks
from lrbench.results.figures.marks import beside_row, heading_beside_rows
from lrbench.results.figures.rows import (
    LOST_ROOM,
    in_its_unit,
    ratio_text,
    records,
    row_panels,
    worth_axis,
)
from lrbench.results.figures.scales import Scale, counted_on, scales_of
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import seeds_compared

DOT = 46  # square points
SETTING = ["cost", "arrived", "seeds", "lost", "gap"]  # what a place takes
BESIDE = 0.04  # of the axes: how far behind the tuned setting the default stands where both miss

# ---- what is drawn


def _scales(sweep: Sweep) -> dict[str, Scale]:
    return scales_of(pd.concat([sweep.reported, sweep.defaults]))


def _with_places(gains: pd.DataFrame, scales: dict[str, Scale]) -> pd.DataFrame:
    """Add where both settings of each row stand, tuned_at and default_at: inf where one lost a seed, NaN
    where all of its seeds miss.
    """
    parts = []
    for task, own in gains.groupby("task", sort=False):
        scale = scales[str(task)]
        default = own[[f"default_{name}" for name in SETTING]].set_axis(SETTING, axis=1)
        places = [_places(settings, scale) for settings in (own[SETTING], default)]
        parts.append(own.assign(tuned_at=places[0], default_at=places[1]))
    return pd.concat(parts)


def _places(settings: pd.DataFrame, scale: Scale) -> pd.Series:
    all_miss = scale.miss(settings) & (settings["arrived"] == 0)
    return scale.of_settings(settings).mask(all_miss)


# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel a task, the first six.

    Raises:
        RequestError: nothing was tuned.
    """
    advice = "nothing was tuned, so there is no default to compare with. Ask with tune=lr or tune=all."
    rows_or_error(sweep, sweep.gains, advice)
    colours, scales = palette(sweep.ranking), _scales(sweep)
    gains = _with_places(sweep.gains, scales)
    return row_panels(
        sweep, gains, lambda task, ax: _draw_task(of_task(gains, task), ax, colours, scales[task])
    )


def _draw_task(gains: pd.DataFrame, ax: Axes, colours: Palette, scale: Scale) -> None:
    places = pd.concat([gains["tuned_at"], gains["default_at"]])
    names = gains["optimizer"].tolist(), colours
    room = worth_axis(ax, places, scale, bool(np.isinf(places).any()), names)
    low, high = ax.get_xlim()
    miss = low * (high / low) ** room.first
    for y, row in enumerate(records(gains)):
        pen = Pen(ax, row["optimizer"], colours)
        both_miss = np.isnan(row["tuned_at"]) and np.isnan(row["default_at"])
        beside = (high / low) ** BESIDE if both_miss else 1.0
        tuned, default = _on_axis(row["tuned_at"], miss), _on_axis(row["default_at"], miss * beside)
        _draw_row(pen, y, tuned, default)
        _draw_lost(pen, y, row)
        beside_row(pen, y, "gain", gain_text(row))
    heading_beside_rows(ax, "gain")
    ax.set(xlabel=f"{scale.label}  (hollow: default, full: tuned)")


def _on_axis(place: float, miss: float) -> float:
    return miss if np.isnan(place) else place


def _draw_row(pen: Pen, y: int, tuned: float, default: float) -> None:
    ax = pen.ax
    _, end = ax.get_xlim()
    # what was lost is at inf, and its line goes to the end of the axes
    begin, to = min(tuned, end), min(default, end)
    ax.hlines(y, begin, to, color=pen.colour, linewidth=2, alpha=0.55, zorder=2, gid=pen.gid("line"))
    hollow = {"facecolors": "none", "edgecolors": pen.colour, "linewidths": 1.6}
    mark: dict[str, Any] = {"s": DOT, "marker": pen.look.mark, "zorder": 3}
    ax.scatter(default, y, gid=pen.gid("default"), **hollow, **mark)
    ax.scatter(tuned, y, color=pen.colour, gid=pen.gid("tuned"), **mark)


def _draw_lost(pen: Pen, y: int, row: Mapping[str, Any]) -> None:
    if row["lost"]:
        cross_of_row(pen, y, f"{row['lost']}/{row['seeds']}", LOST_ROOM)
    elif row["default_lost"]:
        cross_of_row(pen, y, f"{row['default_lost']}/{row['default_seeds']}", LOST_ROOM)


def gain_text(row: Mapping[str, Any]) -> str:
    """Write how many times the tuned setting's the default takes, in its unit; where the order alone is
    known, the word for it and how many seeds of each arrive.
    """
    text = ratio_text(row, "gain")
    if text == row["word"] and (row["arrived"] or row["default_arrived"]):
        tuned = f"{row['arrived']}/{row['seeds']}"
        default = f"{row['default_arrived']}/{row['default_seeds']}"
        return f"{text}: {tuned} arrive, {default}"
    return in_its_unit(row, text)


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    gains = sweep.gains
    scales = _scales(sweep)
    drawn = [scales[task] for task in shown_tasks(sweep.tasks, gains)]
    any_lost = (gains[["lost", "default_lost"]] > 0).any(axis=None)
    misses = "A miss counts the budget; behind the dashes no seed arrives."
    sentences = [
        f"{counted_on(drawn)} at the tuned setting (full) and at the default one (hollow): geometric means "
        f"over {seeds_compared(sweep)}.",
        misses if any(scale.arrives for scale in drawn) else "",
        "On the right how many times the tuned setting's the default takes, paired by seed, or where only "
        "the order is known how many seeds arrive, tuned and at the default.",
        "Crosses: so many runs of the setting were lost." if any_lost else "",
        without_panel(sweep.tasks, gains),
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return for whom the tuned setting is shown better."""
    gains = sweep.tuned_against_default
    return by_task(gains, shown_tasks(sweep.tasks, gains), _who_gains)


def _who_gains(gains: pd.DataFrame) -> str:
    better = gains.loc[gains["side"] > 0, "optimizer"].tolist()
    worse = gains.loc[gains["side"] < 0, "optimizer"].tolist()
    parts = []
    if better:
        parts.append(f"{several(better, 'is', 'are')} shown better tuned than at the default")
    if worse:
        parts.append(f"{several(worse, 'is', 'are')} shown worse")
    return "; ".join(parts) or "no gain from tuning is shown"


FIGURE = FigureSpec(
    name="tuned_against_default",
    title="Tuned against default",
    method="plot_tuned_against_default",
    shows="what every optimizer is worth tuned and at its defaults",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("tuned_against_default",),
)
