"""The paths of the optimizers on a map of the gap.

Of squared errors alone: of any other loss the store holds nothing to draw a map from. With one parameter the
map is the parabola of the gap over it; with two it is their plane, in the units that are trained; with more
it is the plane through the minimiser along the flattest and the steepest eigenvector of the Hessian. There a
state lies at its parts along the two, and the map shows the gap that these parts make; the rest of the
state's gap lies outside the plane.

One row of `points`: task "lecture", optimizer "sgd", step 40, x 1.9 (weight), y 0.2 (intercept), inside True.
"""

from collections.abc import Iterator
from itertools import groupby, product
from typing import NamedTuple

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.notation import number
from lrbench.results.tables.directions import Path
from lrbench.results.tables.predicted import eigenvectors, errors, spectrum
from lrbench.results.tables.tasks import COMPETITOR, of_task

MOST_MAPS = 4
MARGIN = 0.12  # of the map's width, on each side
NEAR = 0.15  # of what a map holds: how far around the minimiser it goes at least
THINNEST = 1e-6  # of the width of the start's level line: a map is wider
DECLINE = 4.0  # of the gap from line to line, so that each is half as wide as the next
INNER = 8  # lines within the start's
VERTICES = 256  # of a line: it is off by less than 0.01 % of its width
SIDES = ["left", "right", "bottom", "top"]  # of a frame
MOST_AXES = 2  # of a map


class Form(NamedTuple):
    """The gap on a map with k <= 2 coordinates z: sum(eigenvalues * (V (z - z*))^2) / 2."""

    minimiser: np.ndarray  # z*, (k,)
    eigenvalues: np.ndarray  # (k,)
    eigenvectors: np.ndarray  # V, (k, k), rows


def points(paths: list[Path]) -> pd.DataFrame:
    """Return a row a task, optimizer and kept state, best optimizer first: where it lies on the map.

    With one parameter x is it and y the gap. NaN after a run stopped. Of the first MOST_MAPS tasks that have
    a map: those whose loss is quadratic and curved along each of its axes, and not started at the minimiser.
    """
    frames = []
    for _, group in groupby(paths, key=lambda path: path.task["task"]):
        traced = list(group)
        task = traced[0].task
        is_curved = task["rank"] >= min(task["p"], MOST_AXES)
        if not (task["quadratic"] and is_curved):
            continue
        form = _form(task)
        states = pd.concat([_placed(path, form) for path in traced])
        if _highest_start(form, states) > task["gap_floor"]:
            inside = _inside(states, _frame(form, states))
            frames.append(states.assign(inside=inside))
    return typed(frames[:MOST_MAPS], "points")


def maps(tasks: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task of `points`: the names of the axes, the ends of the frame, and the minimiser.

    The frame holds the minimiser and a little around it, the starts and every state that is no higher than
    the highest start, with a margin. What climbs may leave it.
    """
    rows = []
    for task, form, states in _mapped(tasks, points):
        star = np.append(form.minimiser, 0.0)[:MOST_AXES]
        rows.append((task["task"], *_axis_names(task), *_frame(form, states), *star))
    return typed(rows, "maps")


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
    return typed(frames, "levels")


def cuts(points: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    """Return a row a path that leaves its map and does not come back: the first kept state beyond, and where
    it leaves.

    x, y: where it crosses the frame; where that state is not finite, the crossing is not known, and they are
    those of the last state inside.
    """
    frames = maps.set_index("task")[SIDES]
    rows = []
    for (task, optimizer), path in points.groupby(COMPETITOR, sort=False):
        last_inside = np.flatnonzero(path["inside"])[-1]
        next_state = last_inside + 1
        if next_state < len(path):
            frame = frames.loc[str(task)].to_numpy()
            before, beyond = path[["x", "y"]].to_numpy()[[last_inside, next_state]]
            step = path["step"].iloc[next_state]
            rows.append((task, optimizer, step, *_crossing(before, beyond, frame)))
    return typed(rows, "cuts")


def _mapped(tasks: pd.DataFrame, points: pd.DataFrame) -> Iterator[tuple[pd.Series, Form, pd.DataFrame]]:
    """Yield each task that has a map, the form of its gap there, and its states."""
    for label, states in points.groupby("task", sort=False):
        task = of_task(tasks, str(label)).iloc[0]
        yield task, _form(task), states


# ---- the map of one task


def _form(task: pd.Series) -> Form:
    if task["p"] > MOST_AXES:
        flattest_and_steepest = spectrum(task)[[-1, 0]]
        return Form(np.zeros(MOST_AXES), flattest_and_steepest, np.eye(MOST_AXES))
    return Form(np.array(task["w_star"]), spectrum(task), eigenvectors(task))


def _axis_names(task: pd.Series) -> tuple[str, str]:
    if task["p"] > MOST_AXES:
        steepest, *_, flattest = spectrum(task)
        return (
            f"flattest direction  (eigenvalue {number(flattest)})",
            f"steepest direction  (eigenvalue {number(steepest)})",
        )
    names = [f"weight of {name}" for name in task["features"]]
    if task["intercept"]:
        names.append("intercept")
    x, y = [*names, "gap  (loss − minimum)"][:MOST_AXES]
    return x, y


def _gap(form: Form, z: np.ndarray) -> np.ndarray:
    """Return the gap (...,) on the map at z (..., k)."""
    with np.errstate(over="ignore", invalid="ignore"):
        c = (z - form.minimiser) @ form.eigenvectors.T
        return 0.5 * c**2 @ form.eigenvalues


def _placed(path: Path, form: Form) -> pd.DataFrame:
    """Return the states of a path with x and y."""
    z = path.weights
    if path.task["p"] > MOST_AXES:
        with np.errstate(over="ignore", invalid="ignore"):
            z = errors(path.task, path.weights)[:, [-1, 0]]
    columns = {
        "task": path.task["task"],
        "optimizer": path.optimizer,
        "step": path.step,
        "x": z[:, 0],
        "y": z[:, 1] if z.shape[1] == MOST_AXES else _gap(form, z),
    }
    return pd.DataFrame(columns)


def _coordinates(form: Form, states: pd.DataFrame) -> np.ndarray:
    """Return z of the states, (states, k)."""
    places = states[["x", "y"]].to_numpy()
    return places[:, : len(form.minimiser)]


def _highest_start(form: Form, states: pd.DataFrame) -> float:
    """Return the gap of the highest start."""
    starts = states[states["step"] == 0]
    return float(_gap(form, _coordinates(form, starts)).max())


# ---- its frame


def _frame(form: Form, states: pd.DataFrame) -> np.ndarray:
    """Return left, right, bottom and top."""
    low, high = _ends(form, states)
    margin = MARGIN * (high - low)
    low = low - margin
    high = high + margin
    if len(form.minimiser) == MOST_AXES:
        return np.stack([low, high], axis=1).ravel()
    top = _gap(form, np.array([low, high])).max()
    return np.array([low[0], high[0], -MARGIN / 2 * top, top])


def _ends(form: Form, states: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest z that the frame must hold, (k,) and (k,)."""
    z = _coordinates(form, states)
    gap = _gap(form, z)
    # of this array: the gap of a start alone may differ in its last bit, and the start would be left out
    highest = gap[states["step"] == 0].max()
    shown = np.vstack([form.minimiser, z[gap <= highest]])
    low = shown.min(axis=0)
    high = shown.max(axis=0)
    near = NEAR * (high - low)
    around = _half_widths(form, highest)
    is_thin = high - low < THINNEST * around
    first = np.where(is_thin, form.minimiser - around, np.minimum(low, form.minimiser - near))
    last = np.where(is_thin, form.minimiser + around, np.maximum(high, form.minimiser + near))
    return first, last


def _half_widths(form: Form, gap: float) -> np.ndarray:
    """Return half the width of a level line along each axis, (k,)."""
    a_unit = (form.eigenvectors**2 / form.eigenvalues[:, None]).sum(axis=0)
    return np.sqrt(2 * gap * a_unit)


def _inside(states: pd.DataFrame, frame: np.ndarray) -> pd.Series:
    left, right, bottom, top = frame
    return states["x"].between(left, right) & states["y"].between(bottom, top)


def _crossing(before: np.ndarray, beyond: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return where the way from a state inside to one beyond crosses the frame."""
    if not np.isfinite(beyond).all():
        return before
    low = frame[[0, 2]]
    high = frame[[1, 3]]
    way = beyond - before
    to_the_side = np.where(way > 0, high, low) - before
    shares = np.divide(to_the_side, way, out=np.full(MOST_AXES, np.inf), where=way != 0)
    return np.clip(before + shares.min() * way, low, high)


# ---- its lines


def _parabola(form: Form, frame: np.ndarray) -> pd.DataFrame:
    x = np.linspace(frame[0], frame[1], VERTICES + 1)
    return pd.DataFrame({"gap": np.nan, "x": x, "y": _gap(form, x[:, None])})


def _ellipses(form: Form, frame: np.ndarray, highest: float) -> pd.DataFrame:
    """Return the level lines from INNER within the start's to the last that meets the frame."""
    corners = np.array(list(product(frame[:2], frame[2:])))
    farthest = _gap(form, corners).max()
    outer = int(np.log(farthest / highest) / np.log(DECLINE))
    gaps = highest * DECLINE ** np.arange(-INNER, outer + 1.0)
    angle = np.linspace(0, 2 * np.pi, VERTICES + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    c = np.sqrt(2 * gaps[:, None, None] / form.eigenvalues) * circle  # (lines, vertices, 2)
    z = (form.minimiser + c @ form.eigenvectors).reshape(-1, 2)
    return pd.DataFrame({"gap": np.repeat(gaps, VERTICES + 1), "x": z[:, 0], "y": z[:, 1]})
