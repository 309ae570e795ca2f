"""Where an optimizer loses its time: its error by eigen-direction on the way, and beside the error that the
data themselves have.

Made from the stored paths: of each optimizer one run at its best setting. H is the Hessian at the minimiser,
so for squared errors the parts add up to the gap, and for any other loss they do near the minimum.

One row of `directions`: task "lecture", optimizer "sgd", direction 1, step 40, eigenvalue 0.8, part 0.02 (of
the start's gap).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lrbench.results.frames.columns import typed
from lrbench.results.tables.predicted import errors, spectrum
from lrbench.results.tables.tasks import COMPETITOR

MOST_BANDS = 40  # of directions, from steep to flat
STOPPED = (np.nan, np.nan, np.nan, np.nan)  # what remains of a run without finite weights


class Path(NamedTuple):
    """The weights on the way of one run."""

    task: pd.Series
    optimizer: str
    step: np.ndarray  # (K,)
    weights: np.ndarray  # (K, p)


def paths(
    stored: pa.Table | None, tasks: pd.DataFrame, reported: pd.DataFrame, ranking: pd.DataFrame
) -> list[Path]:
    """Return the traced runs whose minimiser is one point or a plane, best optimizer first; none where
    nothing was traced.
    """
    if stored is None:
        return []
    traced = {row["run_id"]: row for row in stored.to_pylist()}
    by_task = tasks.set_index("task", drop=False)
    runs = reported[reported["run_id"].isin(traced)]
    ordered = ranking[COMPETITOR].merge(runs[[*COMPETITOR, "run_id"]], on=COMPETITOR)
    kept = []
    for label, optimizer, run_id in ordered.itertuples(index=False):
        task = by_task.loc[label]
        has_eigenbasis = task["eigenvectors"] is not None and task["rank"]
        if task["minimisers"] in ("unique", "affine") and has_eigenbasis:
            step = np.array(traced[run_id]["step"])
            weights = np.array(traced[run_id]["weights"]).reshape(len(step), task["p"])
            kept.append(Path(task, optimizer, step, weights))
    return kept


def _errors(path: Path) -> np.ndarray:
    """Return c of each state, (K, rank); inf or NaN near the end of float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        return errors(path.task, path.weights)


def _parts(path: Path) -> np.ndarray:
    """Return eigenvalue c^2 / 2 of each state and direction, (K, rank)."""
    c = _errors(path)
    with np.errstate(over="ignore", invalid="ignore"):
        return 0.5 * spectrum(path.task) * c**2


def directions(paths: list[Path]) -> pd.DataFrame:
    """Return a row an optimizer, direction and step: which part of the start's gap is left in it.

    Directions stand from steep to flat; more than MOST_BANDS are joined into bands, whose parts are sums and
    whose eigenvalue is the steepest.
    """
    frames = [_directions(path) for path in paths if not _starts_at_the_minimum(path)]
    return typed(frames, "directions")


def _starts_at_the_minimum(path: Path) -> bool:
    return _parts(path)[0].sum() <= path.task["gap_floor"]


def _directions(path: Path) -> pd.DataFrame:
    eigenvalues = spectrum(path.task)
    parts = _parts(path)
    rank = len(eigenvalues)
    bands = np.array_split(np.arange(rank), min(MOST_BANDS, rank))
    sums = [parts[:, band].sum(axis=1) for band in bands]
    banded = np.stack(sums, axis=1)  # (K, bands)
    steepest = [eigenvalues[band[0]] for band in bands]
    states = len(path.step)
    columns = {
        "task": path.task["task"],
        "optimizer": path.optimizer,
        "direction": np.tile(np.arange(len(bands)), states),
        "step": np.repeat(path.step, len(bands)),
        "eigenvalue": np.tile(steepest, states),
        "part": (banded / parts[0].sum()).ravel(),
    }
    return pd.DataFrame(columns)


def remaining(paths: list[Path]) -> pd.DataFrame:
    """Return a row an optimizer: of the last state's gap, the share in the steepest, middle and flattest
    third of the directions.

    Thirds are of the spectrum's width in log, so that each holds what converges at a similar pace; NaN where
    a run had stopped. No row where all eigenvalues are equal, or the gap is at its floor: the shares of
    rounding say nothing.
    """
    rows = []
    for path in paths:
        eigenvalues = spectrum(path.task)
        last = 0.5 * eigenvalues * errors(path.task, path.weights[-1]) ** 2
        all_equal = eigenvalues[0] == eigenvalues[-1]
        at_floor = last.sum() <= path.task["gap_floor"]
        if not all_equal and not at_floor:
            rows.append((path.task["task"], path.optimizer, *_thirds(eigenvalues, last)))
    return typed(rows, "remaining")


def _thirds(eigenvalues: np.ndarray, part: np.ndarray) -> tuple[float, float, float, float]:
    """Return the share of the steepest, middle and flattest third, and the eigenvalue with the largest
    part.
    """
    if not part.sum() > 0:
        return STOPPED
    width = np.log(eigenvalues[0] / eigenvalues[-1])
    place = np.log(eigenvalues / eigenvalues[-1]) / width  # 0 flat to 1 steep
    third = np.minimum((3 * place).astype(int), 2)
    flat, middle, steep = (part[third == k].sum() / part.sum() for k in range(3))
    return steep, middle, flat, eigenvalues[np.argmax(part)]


def statistical(paths: list[Path]) -> pd.DataFrame:
    """Return a row an optimizer where the weights that made the data are known.

    From `pointless from` on, whatever more steps bring, the distance to w_true at most halves.
    """
    rows = []
    for path in paths:
        if path.task["w_true"] is not None and path.task["minimisers"] == "unique":
            rows.append((path.task["task"], path.optimizer, *_statistical(path)))
    return typed(rows, "statistical")


def _statistical(path: Path) -> tuple[float, float, float]:
    """Return the error that is left, the error of the data, and the step since which the first is below."""
    w_star = np.array(path.task["w_star"])
    w_true = np.array(path.task["w_true"])
    left = np.linalg.norm(path.weights - w_star, axis=1)  # (K,)
    from_data = float(np.linalg.norm(w_star - w_true))
    above = np.flatnonzero(~(left <= from_data))  # NaN of a run that had stopped is above
    since = above[-1] + 1 if len(above) else 0
    pointless = float(path.step[since]) if since < len(path.step) else np.inf
    return left[-1], from_data, pointless
