"""What is left of the gap by eigen-direction and step: a panel an optimizer, directions from steep to flat,
colour = log10 of the part.

One row of `Sweep.directions`: task "lecture", optimizer "sgd", direction 1, step 40, eigenvalue 0.8, part
0.02 (of the start's gap).
"""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results.figures.axes import INCH, log_axis
from lrbench.results.figures.captions import by_task, joined, left_out, only_the_best, which_setting
from lrbench.results.figures.ink import STYLE, Pen, palette
from lrbench.results.figures.layout import WIDTH, rows_or_error, shown_tasks
from lrbench.results.figures.spec import FigureSpec
from lrbench.results.figures.standing import of_each
from lrbench.results.figures.texts import fitted
from lrbench.results.frames.names import displayed
from lrbench.results.notation import number
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task

MOST_OPTIMIZERS = 6
IN_A_ROW = 2  # panels
ROW, HEAD = 2.6, 0.7  # inches
LOWEST, HIGHEST = -16, -2  # powers of ten between which the colours end
FIRST_STEP = 0.5  # where step 0 begins, on an axis in log


# ---- what is drawn


def _shown(sweep: Sweep) -> pd.DataFrame:
    """Return the parts of the best six optimizers on the first task with paths."""
    (task,) = _task(sweep)
    parts = of_task(sweep.directions, task)
    best = parts["optimizer"].unique()[:MOST_OPTIMIZERS]
    return parts[parts["optimizer"].isin(best)]


def _task(sweep: Sweep) -> list[str]:
    return shown_tasks(sweep.tasks, sweep.directions)[:1]


# ---- ink


def draw(sweep: Sweep) -> Figure:
    """Draw a panel an optimizer of the first task with paths; the best six.

    Raises:
        RequestError: no paths are stored.
    """
    advice = "no weights on the way are stored; a sweep with report=true keeps them."
    rows_or_error(sweep, sweep.directions, advice)
    shown = _shown(sweep)
    optimizers = shown["optimizer"].unique()
    colours = palette(sweep.ranking)
    lowest = _lowest(shown["part"])
    columns = min(len(optimizers), IN_A_ROW)
    rows = -(-len(optimizers) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEAD + ROW * rows), layout="constrained")
        _write_heading(figure, shown["task"].iloc[0])
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for optimizer, ax in zip(optimizers, axes, strict=False):
            _draw_panel(shown[shown["optimizer"] == optimizer], ax, lowest)
            _write_title(Pen(ax, optimizer, colours), INCH * WIDTH * 0.8 / columns)
        for ax in axes[len(optimizers) :]:
            ax.set_visible(False)
        figure.colorbar(axes[0].collections[0], ax=axes, aspect=30, label="log10 of the share left")
    return figure


def _lowest(parts: pd.Series) -> float:
    """Return the power of ten at which the colours end: that of the smallest part, within limits."""
    smallest = np.log10(parts[parts > 0].min())
    return float(np.clip(np.floor(smallest), LOWEST, HIGHEST))


def _write_heading(figure: Figure, task: str) -> None:
    heading = fitted(task, 11, INCH * WIDTH, bold=True)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11, fontweight="bold")


def _write_title(pen: Pen, room: float) -> None:
    pen.ax.set(gid=pen.gid("panel"))
    pen.ax.set_title(fitted(displayed(pen.optimizer), 10, room), fontsize=10, fontweight="normal", pad=6)


def _draw_panel(parts: pd.DataFrame, ax: Axes, lowest: float) -> None:
    grid = parts.pivot(index="direction", columns="step", values="part")  # (directions, steps)
    steps = np.array(grid.columns, dtype=float)
    end = _end(steps)
    with np.errstate(divide="ignore"):
        logs = np.log10(grid.to_numpy()).clip(lowest, 0)
    ax.pcolormesh(
        np.append(np.maximum(steps, FIRST_STEP), end),
        np.arange(len(grid) + 1),
        logs,
        cmap="viridis",
        vmin=lowest,
        vmax=0,
        rasterized=True,
    )
    _name_directions(ax, parts.drop_duplicates("direction").set_index("direction")["eigenvalue"])
    log_axis(ax.xaxis, FIRST_STEP, end)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set(xlabel="step", ylabel="eigenvalue")


def _end(steps: np.ndarray) -> float:
    """Return where the last step ends: as far beyond as the one before is back, in log."""
    if len(steps) > 2:
        return steps[-1] * steps[-1] / max(steps[-2], 1)
    return steps[-1] + 1


def _name_directions(ax: Axes, eigenvalues: pd.Series) -> None:
    """Write the eigenvalues of the first, the middle and the last direction."""
    count = len(eigenvalues)
    named = sorted({0, count // 2, count - 1})
    middles = [place + 0.5 for place in named]
    ax.set_yticks(middles, [f"{eigenvalues[place]:.2g}" for place in named])


# ---- words


def caption(sweep: Sweep) -> str:
    """Return what the figure shows and how it is made."""
    parts = sweep.directions
    tasks = sweep.tasks["task"].tolist()
    sentences = [
        "What is left of the gap, as a share of the start's, by eigen-direction of the Hessian (steep ones "
        f"on top) and step; one run an optimizer, at {which_setting(sweep)}.",
        only_the_best(parts["optimizer"], MOST_OPTIMIZERS),
        "Empty: the run had stopped." if parts["part"].isna().any() else "",
        left_out(tasks, _task(sweep)) if len(tasks) > 1 else "",
    ]
    return joined(sentences)


def finding(sweep: Sweep) -> str:
    """Return what each has left at the last step: of one run each, which no test compares."""
    return by_task(sweep.directions, _task(sweep), _what_is_left)


def _what_is_left(parts: pd.DataFrame) -> str:
    last = parts[parts["step"] == parts["step"].max()].dropna(subset="part")
    left = last.groupby("optimizer", sort=False)["part"].sum().reset_index()
    if left.empty:
        return "no run lasted to the end"
    return f"left of the start's gap at the last step: {of_each(left, lambda row: number(row['part']))}"


FIGURE = FigureSpec(
    name="directions",
    title="Where the time goes",
    method="plot_directions",
    shows="what is left of the gap by eigen-direction and step",
    draw=draw,
    caption=caption,
    finding=finding,
    tables=("baselines", "remaining", "statistical", "first_steps", "limits"),
)
