"""Whole figures of a result set, a panel a task, and their files."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results import curves, ink, plots

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_PANELS = 6
WIDTH, PANEL, LEFT, RIGHT, TITLE, FOOT = 9.0, 3.7, 0.85, 2.1, 0.45, 0.65  # inches
DPI = 150


def loss_curves(results: "Results") -> Figure:
    """Draw the gap against gradient evaluations, each optimizer at its best setting; the first six tasks with a curve.

    Raises:
        RequestError: no run left a curve.
    """
    frame, stops = curves.best_curves(results), curves.stops(results)
    if frame.empty:
        raise RequestError(f"{results.store.root}: no run left a loss curve; all failed. See the column reason of runs.")
    colours = ink.palette(results.ranking)

    def panel(task: pd.Series, ax: Axes) -> None:
        target = float(results.manifest["target"]) * task["scale"]
        plots.loss_curves(_of(frame, task), _of(stops, task), ax, colours, target, task["gap_floor"])

    return _panels(results.tasks[results.tasks["task"].isin(frame["task"])], panel)


def lr_sensitivity(results: "Results") -> Figure:
    """Draw the final gap against the learning rate; the first six tasks in which an optimizer has two learning rates.

    Raises:
        RequestError: there is no such task.
    """
    frame = curves.sensitivity(results)
    if frame.empty:
        raise RequestError(f"{results.store.root}: no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1.")
    seeds = results.entries[results.entries["setting_id"].isin(frame["setting_id"])]
    colours = ink.palette(results.ranking)

    def panel(task: pd.Series, ax: Axes) -> None:
        smoothness = task["L"] if curves.plain_gradient_descent(_of(seeds, task)) else None
        plots.lr_sensitivity(_of(frame, task), _of(seeds, task), ax, colours, smoothness)

    return _panels(results.tasks[results.tasks["task"].isin(frame["task"])], panel)


def save(figure: Figure, path: Path) -> Path:
    """Write a figure whole, as the format that the suffix of path names; the same figure gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    with matplotlib.rc_context(ink.STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # of a name in a script that DejaVu lacks; the SVG holds it as text
        figure.savefig(beside, format=path.suffix[1:], dpi=DPI, metadata={"Date": None} if path.suffix == ".svg" else None)
    os.replace(beside, path)
    return path


def _panels(tasks: pd.DataFrame, panel: Callable[[pd.Series, Axes], None]) -> Figure:
    """Draw a panel a task, one below the other, with margins in inches, so that panels of all figures are of one size."""
    shown = tasks.head(MOST_PANELS)
    height = TITLE + PANEL + FOOT
    with matplotlib.rc_context(ink.STYLE):
        figure = Figure(figsize=(WIDTH, height * len(shown)))
        axes = figure.subplots(len(shown), squeeze=False)[:, 0]
        figure.subplots_adjust(
            **{"left": LEFT / WIDTH, "right": 1 - RIGHT / WIDTH, "hspace": (TITLE + FOOT) / PANEL},
            **{"top": 1 - TITLE / (height * len(shown)), "bottom": FOOT / (height * len(shown))},
        )
        for (_, task), ax in zip(shown.iterrows(), axes, strict=True):
            panel(task, ax)
            ax.set_title(task["task"])
    return figure


def _of(frame: pd.DataFrame, task: pd.Series) -> pd.DataFrame:
    return frame[frame["task"] == task["task"]]
