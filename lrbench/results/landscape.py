"""The paths of the optimizers on a map of the gap. Frames out.

Of squared errors alone: of any other loss the store holds nothing to draw a map from. With one parameter the map is the parabola of the gap over it;
with two it is their plane, in the units that are trained; with more it is the plane through the minimiser along the flattest and the steepest
eigenvector of the Hessian. There a state lies at its parts along the two, and the map shows the gap that these parts make; the rest of the state's
gap lies outside the plane.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.directions import paths
from lrbench.results.expected import errors, spectrum
from lrbench.results.text import number

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_MAPS = 4
MARGIN = 0.12  # of the map's width, on each side
NEAR = 0.15  # of what a map holds: how far around the minimiser it goes at least
THINNEST = 1e-6  # of the width of the start's level line: a map is wider
DECLINE = 4.0  # of the gap from line to line, so that each is half as wide as the next
INNER = 8  # lines within the start's
VERTICES = 256  # of a line: it is off by less than 0.01 % of its width
POINTS, CUTS = ["task", "optimizer", "step", "x", "y", "inside"], ["task", "optimizer", "step", "x", "y"]
LEVELS = ["task", "gap", "x", "y"]
MAPS = ["task", "x_name", "y_name", "left", "right", "bottom", "top", "x_star", "y_star"]

# minimiser (k,), eigenvalues (k,) and eigenvectors (k, k), rows, of a map with k <= 2 coordinates z: its gap is sum(eigenvalues * (V (z - z*))^2) / 2
Form = tuple[np.ndarray, np.ndarray, np.ndarray]


def points(results: "Results") -> pd.DataFrame:
    """Return a row a task, optimizer and kept state, best optimizer first: step, x and y on the map, and whether it is inside the frame.

    With one parameter x is it and y the gap. NaN after a run stopped. Of the first MOST_MAPS tasks that have a map: those whose loss is quadratic and
    curved along each of its axes, and not started at the minimiser.
    """
    frames = []
    for _, group in groupby(paths(results), key=lambda path: path[0]["task"]):
        traced = list(group)
        task = traced[0][0]
        if task["quadratic"] and task["rank"] >= min(task["p"], 2):
            form = _form(task)
            states = pd.concat(
                [
                    _placed(task, form, w).assign(task=task["task"], optimizer=name, step=step)
                    for _, name, step, w in traced
                ]
            )
            if _highest(form, states) > task["gap_floor"]:
                frames.append(states.assign(inside=_inside(states, _frame(form, states))))
    return (
        pd.concat(frames[:MOST_MAPS], ignore_index=True)[POINTS] if frames else pd.DataFrame(columns=POINTS)
    )


def maps(results: "Results", points: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task of `points`: the names of the axes, left, right, bottom and top of the frame, and the minimiser (x_star, y_star).

    The frame holds the minimiser and a little around it, the starts and every state that is no higher than the highest start, with a margin. What
    climbs may leave it.
    """
    mapped = _mapped(results, points)
    rows = [
        (task["task"], *_names(task), *_frame(form, states), *np.append(form[0], 0.0)[:2])
        for task, form, states in mapped
    ]
    return pd.DataFrame(rows, columns=MAPS)


def levels(results: "Results", points: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, line and vertex: the line's gap, x, y. Lines are exact ellipses; with one parameter the parabola, whose gap is NaN here.

    The highest start lies on a line; from each line to the next inner one the gap falls by DECLINE, until INNER lines within the start's.
    """
    frames = []
    for task, form, states in _mapped(results, points):
        frame = _frame(form, states)
        lines = _parabola(form, frame) if task["p"] == 1 else _ellipses(form, frame, _highest(form, states))
        frames.append(lines.assign(task=task["task"]))
    return pd.concat(frames, ignore_index=True)[LEVELS] if frames else pd.DataFrame(columns=LEVELS)


def cuts(points: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    """Return a row a path that leaves its map and does not come back: step of the first kept state beyond, and where it crosses the frame.

    Where that state is not finite, the crossing is not known, and x, y are those of the last state inside.
    """
    frames = maps.set_index("task")[["left", "right", "bottom", "top"]]
    rows = []
    for (task, name), path in points.groupby(["task", "optimizer"], sort=False):
        last = np.flatnonzero(path["inside"])[-1]
        if last + 1 < len(path):
            before, beyond = path[["x", "y"]].to_numpy()[last : last + 2]
            rows.append(
                (
                    task,
                    name,
                    path["step"].iloc[last + 1],
                    *_crossing(before, beyond, frames.loc[str(task)].to_numpy()),
                )
            )
    return pd.DataFrame(rows, columns=CUTS)


def _mapped(results: "Results", points: pd.DataFrame) -> Iterator[tuple[pd.Series, Form, pd.DataFrame]]:
    tasks = results.tasks.set_index("task", drop=False)
    for name, states in points.groupby("task", sort=False):
        yield tasks.loc[str(name)], _form(tasks.loc[str(name)]), states


# ---- the map of one task


def _form(task: pd.Series) -> Form:
    if task["p"] > 2:
        return np.zeros(2), spectrum(task)[[-1, 0]], np.eye(2)
    return (
        np.array(task["w_star"]),
        spectrum(task),
        np.array(task["eigenvectors"]).reshape(task["p"], task["p"]),
    )


def _names(task: pd.Series) -> tuple[str, str]:
    if task["p"] > 2:
        flattest, *_, steepest = spectrum(task)[::-1]
        return (
            f"flattest direction  (eigenvalue {number(flattest)})",
            f"steepest direction  (eigenvalue {number(steepest)})",
        )
    x, y = [
        *(f"weight of {name}" for name in task["features"]),
        *["intercept"] * bool(task["intercept"]),
        "gap  (loss − minimum)",
    ][:2]
    return x, y


def _gap(form: Form, z: np.ndarray) -> np.ndarray:
    """Return the gap (...,) on the map at z (..., k)."""
    minimiser, eigenvalues, eigenvectors = form
    with np.errstate(over="ignore", invalid="ignore"):
        return 0.5 * ((z - minimiser) @ eigenvectors.T) ** 2 @ eigenvalues


def _placed(task: pd.Series, form: Form, w: np.ndarray) -> pd.DataFrame:
    """Return x and y of weights (K, p)."""
    with np.errstate(over="ignore", invalid="ignore"):
        z = errors(task, w)[:, [-1, 0]] if task["p"] > 2 else w
    return pd.DataFrame({"x": z[:, 0], "y": z[:, 1] if z.shape[1] == 2 else _gap(form, z)})


def _coordinates(form: Form, states: pd.DataFrame) -> np.ndarray:
    return states[["x", "y"]].to_numpy()[:, : len(form[0])]


def _highest(form: Form, states: pd.DataFrame) -> float:
    """Return the gap of the highest start."""
    return float(_gap(form, _coordinates(form, states[states["step"] == 0])).max())


def _frame(form: Form, states: pd.DataFrame) -> np.ndarray:
    """Return left, right, bottom and top."""
    minimiser, eigenvalues, eigenvectors = form
    z = _coordinates(form, states)
    gap = _gap(form, z)
    highest = gap[states["step"] == 0].max()
    shown = np.vstack([minimiser, z[gap <= highest]])
    low, high = shown.min(axis=0), shown.max(axis=0)
    around = np.sqrt(
        2 * highest * (eigenvectors**2 / eigenvalues[:, None]).sum(axis=0)
    )  # half the width of the start's level line
    thin = high - low < THINNEST * around
    near = NEAR * (high - low)
    low, high = np.minimum(low, minimiser - near), np.maximum(high, minimiser + near)
    low, high = np.where(thin, minimiser - around, low), np.where(thin, minimiser + around, high)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    if len(minimiser) == 2:
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
    minimiser, eigenvalues, eigenvectors = form
    corners = np.array([(x, y) for x in frame[:2] for y in frame[2:]])
    outer = int(np.log(_gap(form, corners).max() / highest) / np.log(DECLINE))
    gaps = highest * DECLINE ** np.arange(-INNER, outer + 1.0)
    angle = np.linspace(0, 2 * np.pi, VERTICES + 1)
    c = np.sqrt(2 * gaps[:, None, None] / eigenvalues) * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )  # (lines, vertices, 2)
    z = (minimiser + c @ eigenvectors).reshape(-1, 2)
    return pd.DataFrame({"gap": np.repeat(gaps, VERTICES + 1), "x": z[:, 0], "y": z[:, 1]})


def _crossing(before: np.ndarray, beyond: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return where the way from a state inside to one beyond crosses the frame."""
    if not np.isfinite(beyond).all():
        return before
    low, high = frame[[0, 2]], frame[[1, 3]]
    way = beyond - before
    share = np.divide(
        np.where(way > 0, high, low) - before, way, out=np.full(2, np.inf), where=way != 0
    ).min()
    return np.clip(before + share * way, low, high)
