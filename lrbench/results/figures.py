"""Whole figures of a result set, a panel a task, and their files."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results import curves, expected, ink, plots
from lrbench.results.directions import parts

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_PANELS = 6
WIDTH, PANEL, LEFT, RIGHT, TITLE, FOOT = 9.0, 3.7, 0.85, 2.1, 0.55, 0.65  # inches
DPI = 150


def loss_curves(results: "Results") -> Figure:
    """Draw the gap against gradient evaluations, each optimizer at its best setting; the first six tasks with a curve.

    Raises:
        RequestError: no run left a curve.
    """
    frame, stops = curves.best_curves(results), curves.stops(results)
    if frame.empty:
        raise RequestError(f"{results.store.root}: no run left a loss curve; all failed. See the column reason of runs.")
    colours, theory = ink.palette(results.ranking), _theory(results)

    def panel(task: pd.Series, ax: Axes) -> None:
        target = float(results.manifest["target"]) * task["scale"]
        plots.loss_curves(_of(frame, task), _of(stops, task), _of(theory, task), ax, colours, target, task["gap_floor"])

    return _panels(results.tasks[results.tasks["task"].isin(frame["task"])], panel)


def _theory(results: "Results") -> pd.DataFrame:
    """Return the lines of theory, a row a point: task, optimizer, line (its name), evaluations, gap."""
    curves, least, floors = expected.curves(results), expected.least_possible(results), expected.noise_floors(results)
    evaluations = results.entries.groupby("task")["evaluations"].max()
    ends = [floors.assign(line="noise floor", evaluations=floors["task"].map(evaluations) * share) for share in (0.2, 1.0)]
    return pd.concat([curves.assign(line="theory"), least.assign(line="conjugate gradients: least possible", optimizer=""), *ends], ignore_index=True)


def directions(results: "Results") -> Figure:
    """Draw what is left of the gap by eigen-direction and step, a panel an optimizer, of the first task with paths; the best six.

    Raises:
        RequestError: no paths are stored.
    """
    frame = parts(results)
    if frame.empty:
        raise RequestError(f"{results.store.root}: no weights on the way are stored; a sweep with report=true keeps them.")
    first = frame[frame["task"] == frame["task"].iloc[0]]
    shown = first[first["optimizer"].isin(first["optimizer"].unique()[:MOST_PANELS])]
    lowest = float(np.clip(np.floor(np.log10(shown.loc[shown["part"] > 0, "part"].min())), -16, -2))

    names = shown["optimizer"].unique()
    rows = -(-len(names) // 2)
    with matplotlib.rc_context(ink.STYLE):
        figure = Figure(figsize=(WIDTH, 0.4 + 2.6 * rows), layout="constrained")
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for name, ax in zip(names, axes, strict=False):
            plots.directions(shown[shown["optimizer"] == name], ax, lowest)
            ax.set_title(name)
        for ax in axes[len(names) :]:
            ax.set_visible(False)
        figure.colorbar(axes[0].collections[0], ax=axes, aspect=30, label="log10 of the share left")
    return figure


def lr_sensitivity(results: "Results") -> Figure:
    """Draw the final gap against the learning rate; the first six tasks in which an optimizer has two learning rates.

    Raises:
        RequestError: there is no such task.
    """
    frame = curves.sensitivity(results)
    if frame.empty:
        raise RequestError(f"{results.store.root}: no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1.")
    seeds, edges = results.entries[results.entries["setting_id"].isin(frame["setting_id"])], expected.edges(results)
    colours = ink.palette(results.ranking)

    def panel(task: pd.Series, ax: Axes) -> None:
        smoothness = task["L"] if task["quadratic"] else None
        limits = bool(expected.is_plain_descent(_of(seeds, task)).any())
        plots.lr_sensitivity(_of(frame, task), _of(seeds, task), _of(edges, task), ax, colours, smoothness, limits)

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
