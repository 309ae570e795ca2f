"""The paths of the optimizers on a map of the gap. Frames out.

Of squared errors alone, for of any other loss the store holds nothing to draw a map from. With one parameter the map is the parabola of the gap over
it; with two it is their plane, in the units that are trained; with more it is the plane through the minimiser along the flattest and the steepest
eigenvector of the Hessian. There a state lies at its parts along the two, and the map shows the gap that these two parts make; the rest of its gap
lies outside the plane.
"""

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
THINNEST = 1e-6  # of the width of the start's level line: a map is wider
DECLINE = 4.0  # of the gap from level to level, so that each line is half as wide as the next
INNER = 8  # levels below the start's
VERTICES = 256  # of a line: it is off by less than 0.01 % of its width
BOX = ("left", "right", "bottom", "top")
WHERE = ["task", "optimizer", "step", "x", "y", "inside"]


def points(results: "Results") -> pd.DataFrame:
    """Return a row a task, optimizer and kept state, best optimizer first: step, x, y, and whether it is inside the map.

    x and y are the axes of `maps`. Of the first MOST_MAPS tasks whose loss is quadratic and curved along every axis of the map, if a path there starts
    above the gap floor.
    """
    frames = []
    for task, states in _traced(results):
        form = _form(task)
        box = _box(form, states)
        columns = _placed(form, states[["x", "y"]].to_numpy()[:, : task["k"]])
        inside = np.all((columns >= box[[0, 2]]) & (columns <= box[[1, 3]]), axis=1)
        frames.append(states.assign(x=columns[:, 0], y=columns[:, 1], inside=inside))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=WHERE)
