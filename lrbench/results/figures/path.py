"""The paths of the optimizers on a map of the gap, and the same paths in the units of the saved SVG, for a
slider over the steps.

One row of `Sweep.points`: task "lecture", optimizer "sgd", step 40, x 1.9 (weight), y 0.2 (intercept), inside
True. `Sweep.maps` has the frame of each map, `levels` its lines of equal gap, `cuts` where paths leave it for
good.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.errors import RequestError
from lrbench.results.figures.axes import INCH
from lrbench.results.figures.captions import by_task, joined, which_setting, without_panel
from lrbench.results.figures.ink import GREY, INK, SMALL, Palette, Pen, back_to_front, palette
from lrbench.results.figures.layout import panels, shown_tasks
from lrbench.results.figures.marks import label_lines
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task

HEIGHT = 4.4  # inches: of a map
ABOVE, BELOW = 7, -13  # points: where a name stands beside its mark
FRONT = {"linewidth": 1.4, "marker": ".", "markersize": 6.5, "markeredgewidth": 0, "zorder": 3}
BEHIND = {"linewidth": 0.8, "alpha": 0.4, "zorder": 2}


# ---- ink


class Map(NamedTuple):
    """What a panel shows."""

    plane: pd.Series  # its row of `Sweep.maps`
    points: pd.DataFrame
    levels: pd.DataFrame
    cuts: pd.DataFrame


def draw(sweep: Sweep) -> Figure:
    """Draw a map a task, the first four that have one.

    Raises:
        RequestError: no paths are stored, or the loss is not quadratic, or it is flat along an axis of the
            map, or all runs start at the minimiser.
    """
    if sweep.points.empty:
        advice = (
            "there is no path to draw. A map takes squared errors, weights on the way (a sweep with "
            "report=true keeps them) and a start away from the minimiser."
        )
        raise RequestError(f"{sweep.store.root}: {advice}")
    colours = palette(sweep.ranking)

    def draw_task(task: str, ax: Axes) -> None:
        frames = [of_task(frame, task) for frame in (sweep.points, sweep.levels, sweep.cuts)]
        plane = of_task(sweep.maps, task).iloc[0]
        _draw_map(Map(plane, *frames), ax, colours)

    tasks = sweep.maps["task"].tolist()
    return panels(tasks, draw_task, dict.fromkeys(tasks, HEIGHT))


def _draw_map(shown: Map, ax: Axes, colours: Palette) -> None:
    plane = shown.plane
    ax.set(xlim=(plane["left"], plane["right"]), ylim=(plane["bottom"], plane["top"]))
    ax.set(xlabel=plane["x_name"], ylabel=plane["y_name"])
    for _, line in shown.levels.groupby("gap", dropna=False):
        ax.plot(line["x"], line["y"], color=GREY, linewidth=0.8, alpha=0.6, zorder=1)
    for pen, path in back_to_front(shown.points, ax, colours):
        _draw_path(pen, path, shown.cuts[shown.cuts["optimizer"] == pen.optimizer])
    _draw_ends(ax, shown)
    optimizers = shown.points[["optimizer"]].drop_duplicates()
    label_lines(ax, optimizers.assign(y=np.nan, detail=_details(optimizers, shown.cuts)), colours)
    ax.grid(False)


def _draw_path(pen: Pen, path: pd.DataFrame, end: pd.DataFrame) -> None:
    """Draw a path to where it leaves, a dot a kept state where it stands in front, a cross at a cut."""
    states = path.iloc[: _last_inside(path) + 1]
    line = pd.concat([states, end])
    dots = list(range(len(states)))
    look: dict[str, Any] = BEHIND if pen.is_behind else FRONT
    style = {"color": pen.colour, "linestyle": pen.look.dashes}
    pen.ax.plot(line["x"], line["y"], markevery=dots, gid=pen.gid("path"), **style, **look)
    pen.ax.scatter(
        end["x"],
        end["y"],
        marker="x",
        s=40,
        linewidths=1.7,
        color=pen.colour,
        zorder=4,
        clip_on=False,  # a cut lies on the frame
        gid=pen.gid("cut"),
    )


def _last_inside(path: pd.DataFrame) -> int:
    return int(np.flatnonzero(path["inside"])[-1])


def _draw_ends(ax: Axes, shown: Map) -> None:
    """Mark and name the start and the minimiser."""
    plane = shown.plane
    starts = shown.points.loc[shown.points["step"] == 0, ["x", "y"]].drop_duplicates()
    ax.scatter(starts["x"], starts["y"], s=60, facecolors="none", edgecolors=INK, linewidths=1.5, zorder=5)
    ax.scatter(plane["x_star"], plane["y_star"], marker="+", s=110, color=INK, linewidths=1.8, zorder=5)
    x, y = starts.iloc[0]
    start_height = ABOVE if y > plane["y_star"] else BELOW
    _name_mark(ax, "start", (x, y), start_height)
    _name_mark(ax, "minimiser", (plane["x_star"], plane["y_star"]), BELOW)


def _name_mark(ax: Axes, name: str, place: tuple[float, float], height: int) -> None:
    ax.annotate(name, place, (ABOVE, height), textcoords="offset points", fontsize=SMALL, zorder=6)


def _details(optimizers: pd.DataFrame, cuts: pd.DataFrame) -> list[str]:
    """Say below a name from where on its path is not seen."""
    steps = dict(zip(cuts["optimizer"], cuts["step"], strict=True))
    beyond = {optimizer: f"beyond the frame at step {step}" for optimizer, step in steps.items()}
    return [beyond.get(optimizer, "") for optimizer in optimizers["optimizer"]]


# ---- the slider


def svg_paths(sweep: Sweep, figure: Figure) -> dict[str, Any]:
    """Return the paths of a figure in the units of its saved SVG: null where a state is outside the frame.

    steps: those kept of any path; paths: of each the optimizer, its place in the palette, and a point a step,
    of the last state kept until then.
    """
    places = list(palette(sweep.ranking))
    steps = np.unique(sweep.points["step"].to_numpy(dtype=int))
    axes = dict(zip(sweep.points["task"].unique(), figure.axes, strict=True))
    paths = []
    for (task, optimizer), path in sweep.points.groupby(COMPETITOR, sort=False):
        points = _in_svg_units(path, axes[task], figure)
        last_kept = np.searchsorted(path["step"], steps, side="right") - 1
        paths.append(
            {"optimizer": places.index(str(optimizer)), "points": [points[place] for place in last_kept]}
        )
    return {"steps": steps.tolist(), "paths": paths}


def _in_svg_units(path: pd.DataFrame, ax: Axes, figure: Figure) -> list[list[float] | None]:
    """Return a point a state, from the upper left corner down."""
    inches = ax.transData.transform(path[["x", "y"]]) / figure.dpi
    from_above = inches * [1, -1] + [0, figure.get_figheight()]
    units = np.round(from_above * INCH, 1).tolist()
    points = []
    for point, is_inside in zip(units, path["inside"], strict=True):
        points.append(point if is_inside else None)
    return points


# ---- words

MAPS = {  # from how many parameters on -> what the map is
    1: "With one parameter the curve is the gap.",
    2: "Contours: equal gap, from each to the next inner one a quarter.",
    3: (
        "With more than two parameters the map is the plane through the minimiser along the flattest and the "
        "steepest direction; what the gap has in other directions lies outside it."
    ),
}


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    sentences = [
        f"The way of the weights, one run an optimizer, at {which_setting(sweep)}. Dots on the coloured "
        "paths: the states that are kept, all at first, then ever fewer; what lies between two is not shown.",
        *_what_maps_are(sweep),
        *_what_is_beyond(sweep),
        without_panel(sweep.tasks, sweep.points),
    ]
    return joined(sentences)


def _what_maps_are(sweep: Sweep) -> list[str]:
    parameters = sweep.tasks["p"]
    has_map = {1: parameters == 1, 2: parameters > 1, 3: parameters > 2}
    return [sentence for least, sentence in MAPS.items() if has_map[least].any()]


def _what_is_beyond(sweep: Sweep) -> list[str]:
    """Say what is not seen of the paths that leave the map."""
    outside = sweep.points[~sweep.points["inside"].astype(bool)]
    leaving = outside[COMPETITOR].drop_duplicates()
    sentences = []
    if len(leaving) > len(sweep.cuts):
        sentences.append("A path that leaves the frame and comes back is cut off in between.")
    if len(sweep.cuts):
        sentences.append("A cross: from there on the path stays beyond the frame.")
    return sentences


def finding(sweep: Sweep) -> str:
    """Return how many paths end inside the frame."""
    return by_task(sweep.points, shown_tasks(sweep.tasks, sweep.points), _how_many_end_inside)


def _how_many_end_inside(points: pd.DataFrame) -> str:
    end_inside = points.groupby("optimizer")["inside"].last()
    if len(end_inside) == 1:
        return f"the path {'ends' if end_inside.iloc[0] else 'does not end'} inside the frame"
    return f"{end_inside.sum()} of {len(end_inside)} paths end inside the frame"


FIGURE = FigureSpec(
    name="path",
    title="The way down",
    method="plot_path",
    shows="the paths of the optimizers on a map of the gap",
    draw=draw,
    caption=caption,
    finding=finding,
    slider=svg_paths,
)
