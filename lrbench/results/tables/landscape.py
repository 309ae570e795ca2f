"""The paths of the optimizers on a map of the gap.

Of squared errors alone: of any other loss the store holds nothing to draw a map from. With one parameter the
map is the parabola of the gap over it; with two it is their plane, in the units that are trained; with more
it is the plane through the minimiser along the flattest and the steepest eigenvector of the Hessian. There a
state lies at its parts along the two, and the map shows the gap that these parts make; the rest of the
state's gap lies outside the plane.

One row of `points`: task "lecture", optimizer "sgd", step 40, x 1.9 (weight), y 0.2 (intercept), inside True.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from lrbench.results.notation import number
from lrbench.results.tables.directions import Path
from lrbench.results.tables.predicted import eigenvectors, errors, spectrum
from lrbench.results.tables.tasks import COMPETITOR

MOST_MAPS = 4
MARGIN = 0.12  # of the map's width, on each side
NEAR = 0.15  # of what a map holds: how far around the minimiser it goes at least
THINNEST = 1e-6  # of the width of the start's level line: a map is wider
DECLINE = 4.0  # of the gap from line to line, so that each is half as wide as the next
INNER = 8  # lines within the start's
VERTICES = 256  # of a line: it is off by less than 0.01 % of its width
POINTS = [*COMPETITOR, "step", "x", "y", "inside"]
CUTS = [*COMPETITOR, "step", "x", "y"]
LEVELS = ["task", "gap", "x", "y"]
FRAME = ["left", "right", "bottom", "top"]
MAPS = ["task", "x_name", "y_name", *FRAME, "x_star", "y_star"]


class Form(NamedTuple):
    """The gap on a map with k <= 2 coordinates z: sum(eigenvalues * (V (z - z*))^2) / 2."""

    minimiser: np.ndarray  # z*, (k,)
    eigenvalues: np.ndarray  # (k,)
    eigenvectors: np.ndarray  # V, (k, k), rows


def points(paths: list[Path]) -> pd.DataFrame:
    """Return a row a task, optimizer and kept state, best optimizer first: step, x and y on the map, inside
    its frame or not.

    With one parameter x is it and y the gap. NaN after a run stopped. Of the first MOST_MAPS tasks that have
    a map: those whose loss is quadratic and curved along each of its axes, and not started at the minimiser.
    """
    frames = []
    for _, group in groupby(paths, key=lambda path: path.task["task"]):
        traced = list(group)
        task = traced[0].task
        curved = task["rank"] >= min(task["p"], 2)
        if task["quadratic"] and curved:
            form = _form(task)
            states = pd.concat([_placed(path, form) for path in traced])
            if _highest_start(form, states) > task["gap_floor"]:
                frames.append(states.assign(inside=_inside(states, _frame(form, states))))
    return (
        pd.concat(frames[:MOST_MAPS], ignore_index=True)[POINTS] if frames else pd.DataFrame(columns=POINTS)
    )


def maps(tasks: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task of `points`: the names of the axes, the ends of the frame, and the minimiser
    (x_star, y_star).

    The frame holds the minimiser and a little around it, the starts and every state that is no higher than
    the highest start, with a margin. What climbs may leave it.
    """
    rows = []
    for task, form, states in _mapped(tasks, points):
        x_star, y_star = np.append(form.minimiser, 0.0)[:2]
        rows.append((task["task"], *_axis_names(task), *_frame(form, states), x_star, y_star))
    return pd.DataFrame(rows, columns=MAPS)


def levels(tasks: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, line and vertex: the line's gap, x, y.

    Lines are exact ellipses; with one parameter the parabola, whose gap is NaN here. The highest start lies
    on a line; from each line to the next inner one the gap falls by DECLINE, until INNER lines within the
    start's.
    """
    frames = []
    for task, form, states in _mapped(tasks, points):
        frame = _frame(form, states)
        if task["p"] == 1:
            lines = _parabola(form, frame)
        else:
            lines = _ellipses(form, frame, _highest_start(form, states))
        frames.append(lines.assign(task=task["task"]))
    return pd.concat(frames, ignore_index=True)[LEVELS] if frames else pd.DataFrame(columns=LEVELS)


def cuts(points: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    """Return a row a path that leaves its map and does not come back: step of the first kept state beyond,
    and where it leaves.

    x, y: where it crosses the frame; where that state is not finite, the crossing is not known, and they are
    those of the last state inside.
    """
    frames = maps.set_index("task")[FRAME]
    rows = []
    for (task, optimizer), path in points.groupby(COMPETITOR, sort=False):
        last_inside = np.flatnonzero(path["inside"])[-1]
        next_state = last_inside + 1
        if next_state < len(path):
            places = path[["x", "y"]].to_numpy()
            crossing = _crossing(places[last_inside], places[next_state], frames.loc[str(task)].to_numpy())
            rows.append((task, optimizer, path["step"].iloc[next_state], *crossing))
    return pd.DataFrame(rows, columns=CUTS)


def _mapped(tasks: pd.DataFrame, points: pd.DataFrame) -> Iterator[tuple[pd.Series, Form, pd.DataFrame]]:
    by_task = tasks.set_index("task", drop=False)
    for label, states in points.groupby("task", sort=False):
        task = by_task.loc[str(label)]
        yield task, _form(task), states


# ---- the map of one task


def _form(task: pd.Series) -> Form:
    if task["p"] > 2:
        flattest_and_steepest = spectrum(task)[[-1, 0]]
        return Form(np.zeros(2), flattest_and_steepest, np.eye(2))
    return Form(np.array(task["w_star"]), spectrum(task), eigenvectors(task))


def _axis_names(task: pd.Series) -> tuple[str, str]:
    if task["p"] > 2:
        steepest, *_, flattest = spectrum(task)
        return (
            f"flattest direction  (eigenvalue {number(flattest)})",
            f"steepest direction  (eigenvalue {number(steepest)})",
        )
    names = [f"weight of {name}" for name in task["features"]]
    if task["intercept"]:
        names.append("intercept")
    x, y = [*names, "gap  (loss − minimum)"][:2]
    return x, y


def _gap(form: Form, z: np.ndarray) -> np.ndarray:
    """Return the gap (...,) on the map at z (..., k)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return 0.5 * ((z - form.minimiser) @ form.eigenvectors.T) ** 2 @ form.eigenvalues


def _placed(path: Path, form: Form) -> pd.DataFrame:
    """Return the states of a path with x and y."""
    w = path.weights
    if path.task["p"] > 2:
        with np.errstate(over="ignore", invalid="ignore"):
            w = errors(path.task, w)[:, [-1, 0]]
    y = w[:, 1] if w.shape[1] == 2 else _gap(form, w)
    labels = {"task": path.task["task"], "optimizer": path.optimizer, "step": path.step}
    return pd.DataFrame({"x": w[:, 0], "y": y, **labels})


def _coordinates(form: Form, states: pd.DataFrame) -> np.ndarray:
    return states[["x", "y"]].to_numpy()[:, : len(form.minimiser)]


def _highest_start(form: Form, states: pd.DataFrame) -> float:
    """Return the gap of the highest start."""
    starts = states[states["step"] == 0]
    return float(_gap(form, _coordinates(form, starts)).max())


def _frame(form: Form, states: pd.DataFrame) -> np.ndarray:
    """Return left, right, bottom and top."""
    z = _coordinates(form, states)
    gap = _gap(form, z)
    # of the same product: a start multiplied alone may differ in its last bit, and lie above itself
    highest = gap[states["step"].to_numpy() == 0].max()
    shown = np.vstack([form.minimiser, z[gap <= highest]])
    low, high = shown.min(axis=0), shown.max(axis=0)
    # half the width of the start's level line
    around = np.sqrt(2 * highest * (form.eigenvectors**2 / form.eigenvalues[:, None]).sum(axis=0))
    is_thin = high - low < THINNEST * around
    near = NEAR * (high - low)
    low = np.where(is_thin, form.minimiser - around, np.minimum(low, form.minimiser - near))
    high = np.where(is_thin, form.minimiser + around, np.maximum(high, form.minimiser + near))
    margin = MARGIN * (high - low)
    low, high = low - margin, high + margin
    if len(form.minimiser) == 2:
        return np.array([low[0], high[0], low[1], high[1]])
    top = _gap(form, np.array([low, high])).max()
    return np.array([low[0], high[0], -MARGIN / 2 * top, top])


def _inside(states: pd.DataFrame, frame: np.ndarray) -> pd.Series:
    left, right, bottom, top = frame
    return states["x"].between(left, right) & states["y"].between(bottom, top)


def _parabola(form: Form, frame: np.ndarray) -> pd.DataFrame:
    x = np.linspace(frame[0], frame[1], VERTICES + 1)
    return pd.DataFrame({"gap": np.nan, "x": x, "y": _gap(form, x[:, None])})


def _ellipses(form: Form, frame: np.ndarray, highest: float) -> pd.DataFrame:
    """Return the level lines from INNER within the start's to the last that meets the frame."""
    corners = np.array([(x, y) for x in frame[:2] for y in frame[2:]])
    outer = int(np.log(_gap(form, corners).max() / highest) / np.log(DECLINE))
    gaps = highest * DECLINE ** np.arange(-INNER, outer + 1.0)
    angle = np.linspace(0, 2 * np.pi, VERTICES + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    c = np.sqrt(2 * gaps[:, None, None] / form.eigenvalues) * circle  # (lines, vertices, 2)
    z = (form.minimiser + c @ form.eigenvectors).reshape(-1, 2)
    return pd.DataFrame({"gap": np.repeat(gaps, VERTICES + 1), "x": z[:, 0], "y": z[:, 1]})


def _crossing(before: np.ndarray, beyond: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return where the way from a state inside to one beyond crosses the frame."""
    if not np.isfinite(beyond).all():
        return before
    low, high = frame[[0, 2]], frame[[1, 3]]
    way = beyond - before
    to_the_side = np.where(way > 0, high, low) - before
    shares = np.divide(to_the_side, way, out=np.full(2, np.inf), where=way != 0)
    return np.clip(before + shares.min() * way, low, high)
