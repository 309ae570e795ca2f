"""Whole figures of a result set, a panel a task, and their files."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lrbench.errors import RequestError
from lrbench.results import curves, expected, ink, landscape, landscape_plot, plots, rows, svg
from lrbench.results.directions import parts

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_PANELS = 6
WIDTH, PANEL, LEFT, RIGHT, TITLE, FOOT = 9.0, 3.7, 0.85, 2.1, 0.55, 0.65  # inches
NAMES, ROW, PART, BAR = (
    1.6,
    0.27,
    0.4,
    1.2,
)  # inches: names on the left, a row a name, what belongs to no row, a colour bar on the right
BAR_TICK, MOST_BAR_TICKS = 0.22, 6  # inches: a number beside it
SLANTED, CELL_HEIGHT, CELL_WIDTH, PAIRS_FOOT = (
    0.75,
    0.37,
    0.8,
    0.25,
)  # inches: round slanted names, a cell, a cell at most, below
MAP = 4.4  # inches: the height of a map
MOST_COMPARED = 20  # optimizers of a matrix
DPI = 150
FEW_TASKS, FEWER_PANELS = 2, 3  # above so many tasks a task has fewer panels
# inches: panels of which up to three stand in a row, what is round each, and round the block of a task
SMALL_HEIGHTS, SMALL_GAP, SMALL_TITLE, SMALL_FOOT = (3.4, 2.6, 1.9), 0.62, 0.48, 0.3
SMALL_LEFT, SMALL_RIGHT, HEADING, SMALL_LABEL = 0.95, 0.2, 0.45, 0.42


def loss_curves(results: "Results") -> Figure:
    """Draw the gap against gradient evaluations, each optimizer at its best setting; the first six tasks with a curve.

    Raises:
        RequestError: no run left a curve.
    """
    frame, stops = curves.best_curves(results), curves.stops(results)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: no run left a loss curve; all failed. See the column reason of runs."
        )
    colours, theory = ink.palette(results.ranking), _theory(results)

    def panel(task: pd.Series, ax: Axes) -> None:
        target = float(results.manifest["target"]) * task["scale"]
        plots.loss_curves(_of(frame, task), _of(stops, task), _of(theory, task), ax, colours, task, target)

    return _panels(_tasks(results, frame), panel)


def _theory(results: "Results") -> pd.DataFrame:
    """Return the lines of theory, a row a point: task, optimizer, line (its name), evaluations, gap."""
    curves, least, floors = (
        expected.curves(results),
        expected.least_possible(results),
        expected.noise_floors(results),
    )
    evaluations = results.entries.groupby("task")["evaluations"].max()
    ends = [
        floors.assign(line="noise floor", evaluations=floors["task"].map(evaluations) * share)
        for share in (0.2, 1.0)
    ]
    return pd.concat(
        [curves.assign(line="theory"), least.assign(line=plots.LEAST, optimizer=""), *ends], ignore_index=True
    )


def directions(results: "Results") -> Figure:
    """Draw what is left of the gap by eigen-direction and step, a panel an optimizer, of the first task with paths; the best six.

    Raises:
        RequestError: no paths are stored.
    """
    frame = parts(results)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: no weights on the way are stored; a sweep with report=true keeps them."
        )
    task = _tasks(results, frame)["task"].iloc[0]
    first = frame[frame["task"] == task]
    shown = first[first["optimizer"].isin(first["optimizer"].unique()[:MOST_PANELS])]
    lowest = float(np.clip(np.floor(np.log10(shown.loc[shown["part"] > 0, "part"].min())), -16, -2))

    names, colours = shown["optimizer"].unique(), ink.palette(results.ranking)
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    with matplotlib.rc_context(ink.STYLE):
        figure = Figure(figsize=(WIDTH, 0.7 + 2.6 * rows), layout="constrained")
        figure.suptitle(
            ink.fitted(task, 11, 72 * WIDTH, bold=True), x=0.01, ha="left", fontsize=11, fontweight="bold"
        )
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for name, ax in zip(names, axes, strict=False):
            plots.directions(shown[shown["optimizer"] == name], ax, lowest)
            short = ink.fitted(name, 10, 72 * WIDTH * 0.8 / columns)
            ax.set(gid=ink.gid(ax, "panel", name, colours))
            ax.set_title(short, fontsize=10, fontweight="normal", pad=6)
        for ax in axes[len(names) :]:
            ax.set_visible(False)
        figure.colorbar(axes[0].collections[0], ax=axes, aspect=30, label="log10 of the share left")
    return figure


def lr_sensitivity(results: "Results") -> Figure:
    """Draw the final gap against the learning rate, a panel an optimizer, the others grey behind; the first six such tasks.

    The panels are the best six optimizers', of more than two tasks the best three's.

    Raises:
        RequestError: there is no task in which an optimizer has two learning rates.
    """
    frame, searched, colours = _sensitivity(results), results.searched, ink.palette(results.ranking)
    seeds = searched[searched["setting_id"].isin(frame["setting_id"])]
    marks = expected.edges(results), curves.default_rates(results)

    def panel(task: pd.Series, name: str, ax: Axes) -> None:
        runs = _of(seeds, task)
        own = runs[runs["name"] == name]
        smoothness = task["L"] if task["quadratic"] and expected.is_descent(own).any() else None
        edges, defaults = (_of(mark, task) for mark in marks)
        limits = bool(expected.is_plain_descent(own).any())
        plots.sensitivity(_of(frame, task), runs, (edges, defaults), ax, name, colours, smoothness, limits)

    return _grid(_tasks(results, frame), sensitivity_panels(results, frame), panel, colours)


def sensitivity_panels(results: "Results", frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return task -> the optimizers of `curves.sensitivity` that have a panel: the best six of the palette, of more than two tasks the best three."""
    tasks = _tasks(results, frame)["task"].head(MOST_PANELS)
    most = MOST_PANELS if len(tasks) <= FEW_TASKS else FEWER_PANELS
    coloured = [name for name, colour in ink.palette(results.ranking).items() if colour != ink.GREY]
    return {
        task: [name for name in coloured if name in set(frame.loc[frame["task"] == task, "optimizer"])][:most]
        for task in tasks
    }


def heat_map(results: "Results") -> Figure:
    """Draw the final gap of all optimizers over the learning rate as colours; the tasks of `lr_sensitivity`.

    Raises:
        RequestError: no optimizer ran at two learning rates.
    """
    frame, defaults = curves.cells(_sensitivity(results)), curves.default_rates(results)
    names = {
        task: rows["optimizer"].tolist() for task, rows in _ranked(results, frame).groupby("task", sort=False)
    }

    def panel(task: pd.Series, ax: Axes) -> None:
        coloured = rows.heat_map(
            _of(frame, task), _of(defaults, task), ax, names[task["task"]], ink.palette(results.ranking)
        )
        if coloured:
            place = ax.get_position()
            bar = ax.figure.add_axes((place.x1 + 0.3 / WIDTH, place.y0, 0.13 / WIDTH, place.height))
            ticks = MaxNLocator(int(np.clip(ROW * len(names[task["task"]]) / BAR_TICK, 1, MOST_BAR_TICKS)))
            ax.figure.colorbar(coloured, cax=bar, ticks=ticks).outline.set_visible(False)
            bar.tick_params(labelsize=ink.SMALL)
            bar.set_title("log10 gap", fontsize=ink.SMALL, fontweight="normal", loc="center", pad=6)

    return _panels(
        _tasks(results, frame), panel, {task: ROW * len(rows) for task, rows in names.items()}, NAMES, BAR
    )


def _sensitivity(results: "Results") -> pd.DataFrame:
    frame = curves.sensitivity(results)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: no optimizer ran at two learning rates. Sweep some, such as optimizer.lr=0.001,0.01,0.1."
        )
    return frame


def tuned_against_default(results: "Results") -> Figure:
    """Draw the final gap of every optimizer tuned and at its defaults; the first six tasks.

    Raises:
        RequestError: nothing was tuned.
    """
    frame = curves.gains(results)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: nothing was tuned, so there is no default to compare with. Ask with tune=lr or tune=all."
        )
    return _rows(
        results,
        frame,
        lambda task, ax: rows.tuned_against_default(_of(frame, task), ax, ink.palette(results.ranking)),
    )


def seeds(results: "Results") -> Figure:
    """Draw the final gap of every seed at the chosen settings; the first six tasks.

    Raises:
        RequestError: there is but one seed.
    """
    frame = curves.finals(results)
    if frame["seeds"].max() < 2:
        raise RequestError(
            f"{results.store.root}: each setting ran once. Ask for several seeds, such as seed=range(10)."
        )
    return _rows(
        results,
        frame,
        lambda task, ax: rows.seeds(_of(frame, task), ax, ink.palette(results.ranking), task["gap_floor"]),
    )


def _rows(results: "Results", frame: pd.DataFrame, panel: Callable[[pd.Series, Axes], object]) -> Figure:
    heights = ROW * frame.groupby("task")["optimizer"].nunique() + PART
    return _panels(_tasks(results, frame), panel, heights.to_dict(), NAMES)


def targets(results: "Results") -> Figure:
    """Draw the share of (seed, target) pairs solved against gradient evaluations; the first six tasks.

    Raises:
        RequestError: relative gaps are undefined on all tasks.
    """
    frame, colours = curves.solved(results), ink.palette(results.ranking)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: the constant model is as good as any, so relative gaps and targets are undefined."
        )
    return _panels(_tasks(results, frame), lambda task, ax: plots.solved(_of(frame, task), ax, colours))


def budget(results: "Results") -> Figure:
    """Draw the best gap against the number of trials; the first six tasks in which an optimizer has four trials.

    Raises:
        RequestError: there is no such task.
    """
    frame, colours = results.budget_curve, ink.palette(results.ranking)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: no optimizer tried four settings. Sweep more, or ask with tune=lr."
        )
    return _panels(_tasks(results, frame), lambda task, ax: plots.budget(_of(frame, task), ax, colours))


def pairs(results: "Results") -> Figure:
    """Draw the paired ratios of the best twenty optimizers as a matrix; the first six tasks.

    Raises:
        RequestError: there is but one optimizer.
    """
    if results.pairwise.empty:
        raise RequestError(
            f"{results.store.root}: one optimizer has no pairs. Ask for several, such as optimizer=sgd,adam."
        )
    ranked = results.ranking.groupby("task", sort=False).head(MOST_COMPARED)
    names = {task: rows["optimizer"].tolist() for task, rows in ranked.groupby("task", sort=False)}
    heights = {task: CELL_HEIGHT * len(of_task) for task, of_task in names.items()}
    right = max(BAR, WIDTH - NAMES - CELL_WIDTH * max(map(len, names.values())))

    def panel(task: pd.Series, ax: Axes) -> None:
        of, shown = _of(results.pairwise, task), names[task["task"]]
        rows.pairs(of[of["a"].isin(shown) & of["b"].isin(shown)], ax, shown, ink.palette(results.ranking))

    longest = min(rows.LONGEST_COLUMN, max(ink.length(name, 9) for name in ranked["optimizer"]))
    above = SLANTED + longest * np.sin(np.deg2rad(rows.SLANT)) / 72
    return _panels(_tasks(results, results.pairwise), panel, heights, NAMES, right, above, foot=PAIRS_FOOT)


def profile(results: "Results") -> Figure:
    """Draw the performance profile over the tasks.

    Raises:
        RequestError: there are fewer than three tasks in which the target is defined.
    """
    frame = curves.profile(results)
    if frame.empty:
        raise RequestError(
            f"{results.store.root}: a performance profile takes three tasks or more. Sweep problem= or another setting of the task."
        )
    return _one(PANEL, LEFT, RIGHT, lambda ax: plots.profile(frame, ax, ink.palette(results.ranking)))


def mean_ranks(results: "Results") -> Figure:
    """Draw the critical difference diagram of the optimizers that ran on all problems.

    Raises:
        RequestError: there are fewer than six problems, so no test.
    """
    across = results.across
    if across.empty or across["p"].isna().all():
        raise RequestError(f"{results.store.root}: ranks over problems are compared from six problems on.")
    ranks, stretches = curves.mean_ranks(across), curves.not_separated(across)
    height = 0.22 * (len(stretches) + 1 + (len(ranks) + 1) // 2)
    return _one(
        height, RIGHT, RIGHT, lambda ax: rows.mean_ranks(ranks, stretches, ax, ink.palette(results.ranking))
    )


def path(results: "Results") -> Figure:
    """Draw the paths of the optimizers on a map of the gap; the first four tasks that have one.

    Raises:
        RequestError: no paths are stored, or the loss is not quadratic, or it is flat along an axis of the map, or all runs start at the minimiser.
    """
    points, colours = landscape.points(results), ink.palette(results.ranking)
    if points.empty:
        raise RequestError(
            f"{results.store.root}: there is no path to draw. A map takes squared errors, weights on the way (a sweep with report=true keeps "
            "them) and a start away from the minimiser."
        )
    planes, levels = landscape.maps(results, points), landscape.levels(results, points)
    cuts = landscape.cuts(points, planes)

    def panel(plane: pd.Series, ax: Axes) -> None:
        landscape_plot.paths(_of(points, plane), _of(cuts, plane), _of(levels, plane), plane, ax, colours)

    return _panels(planes, panel, dict.fromkeys(planes["task"], MAP))


def save(figure: Figure, path: Path) -> Path:
    """Write a figure whole, as the format that the suffix of path names; the same figure gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    with matplotlib.rc_context(ink.STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from font"
        )  # of a name in a script that DejaVu lacks; the SVG holds it as text
        figure.savefig(
            beside,
            format=path.suffix[1:],
            dpi=DPI,
            metadata={"Date": None} if path.suffix == ".svg" else None,
        )
    if path.suffix == ".svg":
        beside.write_text(svg.compact(beside.read_text(encoding="utf-8")), encoding="utf-8")
    os.replace(beside, path)
    return path


def _panels(
    tasks: pd.DataFrame, panel: Callable[[pd.Series, Axes], object], *shape: Any, **margins: float
) -> Figure:
    """Draw `panels` of tasks, a row each."""
    rows = tasks.set_index("task", drop=False)
    return panels(tasks["task"].tolist(), lambda task, ax: panel(rows.loc[task], ax), *shape, **margins)


def panels(
    tasks: Sequence[str],
    panel: Callable[[str, Axes], object],
    heights: dict[str, float] | None = None,
    left: float = LEFT,
    right: float = RIGHT,
    title: float = TITLE,
    foot: float = FOOT,
) -> Figure:
    """Draw a panel a task, the first MOST_PANELS one below the other; heights of the axes by task and margins in inches.

    Raises:
        RequestError: there is no task.
    """
    shown = tasks[:MOST_PANELS]
    if not shown:
        raise RequestError("There is nothing to draw yet: no setting is evaluated.")
    of = [heights[task] if heights else PANEL for task in shown]
    total = sum(of) + len(of) * (title + foot)
    with matplotlib.rc_context(ink.STYLE):
        figure, top = Figure(figsize=(WIDTH, total)), total
        for task, height in zip(shown, of, strict=True):
            bottom = top - title - height
            ax = figure.add_axes(
                (left / WIDTH, bottom / total, (WIDTH - left - right) / WIDTH, height / total)
            )
            panel(task, ax)
            ink.title(ax, task)
            top = bottom - foot
    return figure


def _grid(
    tasks: pd.DataFrame,
    names: dict[str, list[str]],
    panel: Callable[[pd.Series, str, Axes], object],
    colours: dict[str, str],
) -> Figure:
    """Draw of each task a block with a panel a name, three in a row at most; its title, x and y label belong to the block, so that a panel may go."""
    most = max(map(len, names.values()), default=0)
    if not most:
        raise RequestError("There is nothing to draw yet: no setting is evaluated.")
    columns = {1: 1, 2: 2, 4: 2}.get(most, 3)
    width = (WIDTH - SMALL_LEFT - SMALL_RIGHT - (columns - 1) * SMALL_GAP) / columns
    height = SMALL_HEIGHTS[columns - 1]
    row = SMALL_TITLE + height + SMALL_FOOT
    blocks = {task: -(-len(own) // columns) * row for task, own in names.items()}
    total = sum(blocks.values()) + len(blocks) * (HEADING + SMALL_LABEL)
    with matplotlib.rc_context(ink.STYLE):
        figure, top = Figure(figsize=(WIDTH, total)), total
        for _, task in tasks[tasks["task"].isin(names)].iterrows():
            top -= HEADING
            heading = ink.fitted(task["task"], 11, 72 * (WIDTH - SMALL_LEFT), bold=True)
            figure.text(SMALL_LEFT / WIDTH, (top + 0.1) / total, heading, fontsize=11, fontweight="bold")
            for place, name in enumerate(names[task["task"]]):
                left, bottom = (
                    SMALL_LEFT + place % columns * (width + SMALL_GAP),
                    top - place // columns * row - SMALL_TITLE - height,
                )
                ax = figure.add_axes((left / WIDTH, bottom / total, width / WIDTH, height / total))
                ax.set_gid(ink.gid(ax, "panel", name, colours))
                panel(task, name, ax)
            middle = (top - (SMALL_TITLE - SMALL_FOOT + blocks[task["task"]]) / 2) / total
            top -= blocks[task["task"]] + SMALL_LABEL
            figure.text(0.15 / WIDTH, middle, "final gap", ha="left", va="center", rotation=90)
            figure.text(
                (SMALL_LEFT + WIDTH - SMALL_RIGHT) / 2 / WIDTH,
                (top + 0.22) / total,
                "learning rate",
                ha="center",
                va="center",
            )
    return figure


def _one(height: float, left: float, right: float, draw: Callable[[Axes], object]) -> Figure:
    """Draw one axes over all tasks, height and margins in inches."""
    total = TITLE + height + FOOT
    with matplotlib.rc_context(ink.STYLE):
        figure = Figure(figsize=(WIDTH, total))
        draw(figure.add_axes((left / WIDTH, FOOT / total, (WIDTH - left - right) / WIDTH, height / total)))
    return figure


def _tasks(results: "Results", frame: pd.DataFrame) -> pd.DataFrame:
    """Return the tasks that a frame has rows of, in the order of the sweep."""
    return results.tasks[results.tasks["task"].isin(frame["task"])]


def _of(frame: pd.DataFrame, task: pd.Series) -> pd.DataFrame:
    return frame[frame["task"] == task["task"]]


def _ranked(results: "Results", frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the ranking that a frame has lines of."""
    return results.ranking[["task", "optimizer"]].merge(frame[["task", "optimizer"]].drop_duplicates())
