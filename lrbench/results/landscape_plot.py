"""The map of the gap with the paths on it, drawn on one axes, and the same paths in the units of the saved SVG."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results import landscape
from lrbench.results.ink import GREY, INK, SMALL, back_to_front, gid, label_lines, palette

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

SVG_UNITS = 72  # an inch


def paths(
    points: pd.DataFrame,
    cuts: pd.DataFrame,
    levels: pd.DataFrame,
    plane: pd.Series,
    ax: Axes,
    colours: dict[str, str],
) -> Axes:
    """Draw one task of `landscape`: the lines of equal gap, each path to where it leaves, a cross at a cut.

    Coloured paths have a dot a kept state. plane: the task's row of `landscape.maps`.
    """
    ax.set(
        xlim=(plane["left"], plane["right"]),
        ylim=(plane["bottom"], plane["top"]),
        xlabel=plane["x_name"],
        ylabel=plane["y_name"],
    )
    for _, line in levels.groupby("gap", dropna=False):
        ax.plot(line["x"], line["y"], color=GREY, linewidth=0.8, alpha=0.6, zorder=1)
    for name, path in back_to_front(points, colours):
        _path(path, cuts[cuts["optimizer"] == name], ax, name, colours)
    starts = points.loc[points["step"] == 0, ["x", "y"]].drop_duplicates()
    ax.scatter(starts["x"], starts["y"], s=60, facecolors="none", edgecolors=INK, linewidths=1.5, zorder=5)
    ax.scatter(plane["x_star"], plane["y_star"], marker="+", s=110, color=INK, linewidths=1.8, zorder=5)
    above = starts["y"].iloc[0] > plane["y_star"]
    for label, place, height in (
        ("start", starts.iloc[0], 7 if above else -13),
        ("minimiser", plane[["x_star", "y_star"]], -13),
    ):
        ax.annotate(label, tuple(place), (7, height), textcoords="offset points", fontsize=SMALL, zorder=6)
    beyond = {
        name: f"beyond the frame at step {step}"
        for name, step in zip(cuts["optimizer"], cuts["step"], strict=True)
    }
    names = points[["optimizer"]].drop_duplicates()
    label_lines(
        ax, names.assign(y=np.nan, detail=[beyond.get(name, "") for name in names["optimizer"]]), colours
    )
    ax.grid(False)
    return ax


def _path(path: pd.DataFrame, end: pd.DataFrame, ax: Axes, name: str, colours: dict[str, str]) -> None:
    front = {"linewidth": 1.4, "marker": ".", "markersize": 6.5, "markeredgewidth": 0, "zorder": 3}
    look = front if colours[name] != GREY else {"linewidth": 0.8, "alpha": 0.4, "zorder": 2}
    states = path.iloc[: np.flatnonzero(path["inside"])[-1] + 1]
    line = pd.concat([states, end])
    ax.plot(
        line["x"],
        line["y"],
        markevery=list(range(len(states))),
        color=colours[name],
        gid=gid(ax, "path", name, colours),
        **look,
    )
    cross = {"marker": "x", "s": 40, "linewidths": 1.7, "zorder": 4, "clip_on": False}
    ax.scatter(end["x"], end["y"], color=colours[name], gid=gid(ax, "cut", name, colours), **cross)


def svg_paths(results: "Results", figure: Figure) -> dict[str, Any]:
    """Return the paths of `figures.path` in the units of its saved SVG, for a slider over the steps: null where a state is outside the frame.

    steps: those kept of any path; paths: of each the optimizer, its place in `ink.palette`, and a point a step, of the last state kept until then.
    """
    points, places = landscape.points(results), list(palette(results.ranking))
    steps = np.unique(points["step"].to_numpy(dtype=int))
    axes = dict(zip(points["task"].unique(), figure.axes, strict=True))
    found = []
    for (task, name), path in points.groupby(["task", "optimizer"], sort=False):
        inches = axes[task].transData.transform(path[["x", "y"]]) / figure.dpi
        units = np.round((inches * [1, -1] + [0, figure.get_figheight()]) * SVG_UNITS, 1).tolist()
        until = np.searchsorted(path["step"], steps, side="right") - 1
        found.append(
            {
                "optimizer": places.index(str(name)),
                "points": [units[k] if path["inside"].iloc[k] else None for k in until],
            }
        )
    return {"steps": steps.tolist(), "paths": found}
