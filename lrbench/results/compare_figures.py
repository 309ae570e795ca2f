"""Whole figures of a comparison, A and B on the same axes, a panel a task."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbench.results import compare_plots, ink
from lrbench.results.figures import LEFT, NAMES, PART, panels

if TYPE_CHECKING:
    from lrbench.results.compare import Difference

ROW = 0.46  # inches: a row an optimizer, A above B


def palette(difference: "Difference") -> dict[str, str]:
    """Return `ink.palette` of the optimizers that are compared, in the order of A's rankings, and where only B ranked them of B's."""
    ranked = pd.concat([difference.a.ranking, difference.b.ranking])[
        ["task", "optimizer", "gap"]
    ].drop_duplicates(["task", "optimizer"])
    return ink.palette(ranked[ranked["optimizer"].isin(difference.rows["optimizer"])])


def loss_curves(difference: "Difference", frame: pd.DataFrame) -> Figure:
    """Draw `compare_frames.median_curves`, the gap of A and B against gradient evaluations; the first six tasks."""
    (rows, _), colours, attained = difference.shown, palette(difference), _attained(difference)

    def panel(curves: pd.DataFrame, ax: Axes) -> None:
        of_task = rows[rows["task"] == (task := curves["task"].iloc[0])]
        details = dict(
            zip(
                of_task["optimizer"],
                of_task["differs"].where(of_task["differs"] != "", of_task["setting"]),
                strict=True,
            )
        )
        compare_plots.loss_curves(curves, details, ax, colours, attained[task])

    return _panels(difference, frame, panel)


def _attained(difference: "Difference") -> dict[str, bool]:
    """Return task -> whether some weights have the least loss, in A and in B."""
    tasks = difference.tasks
    sides = [
        results.tasks.set_index("task")["attained"].loc[tasks[f"task_{side}"]]
        for side, results in (("a", difference.a), ("b", difference.b))
    ]
    return {task: bool(in_a and in_b) for task, in_a, in_b in zip(tasks["task"], *sides, strict=True)}


def finals(difference: "Difference", frame: pd.DataFrame) -> Figure:
    """Draw `compare_frames.finals`, the final gap of every run of A and of B; the first six tasks."""
    (rows, _), colours = difference.shown, palette(difference)
    rows = rows.sort_values("optimizer", key=lambda names: names.map(list(colours).index), kind="stable")

    def panel(runs: pd.DataFrame, ax: Axes) -> None:
        compare_plots.finals(runs, rows[rows["task"] == runs["task"].iloc[0]], ax, colours)

    heights = ROW * rows.groupby("task").size() + PART
    return _panels(difference, frame, panel, heights.to_dict(), NAMES)


def lr_sensitivity(difference: "Difference", frame: pd.DataFrame) -> Figure:
    """Draw `compare_frames.sensitivity`, the final gap of A and B against the learning rate; the first six tasks."""
    colours = palette(difference)
    return _panels(difference, frame, lambda rows, ax: compare_plots.lr_sensitivity(rows, ax, colours))


def _panels(
    difference: "Difference",
    frame: pd.DataFrame,
    panel: Callable[[pd.DataFrame, Axes], object],
    heights: dict[str, float] | None = None,
    left: float = LEFT,
) -> Figure:
    """Draw a panel a task of the frame; heights of the axes by task and left margin in inches."""
    tasks = [task for task in difference.tasks["task"] if task in set(frame["task"])]
    return panels(tasks, lambda task, ax: panel(frame[frame["task"] == task], ax), heights, left)
