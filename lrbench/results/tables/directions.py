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

from lrbench.results.tables.predicted import errors, spectrum
from lrbench.results.tables.tasks import COMPETITOR

MOST_BANDS = 40  # of directions, from steep to flat
DIRECTIONS = [*COMPETITOR, "direction", "step", "eigenvalue", "part"]


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
    ordered = ranking.merge(runs[[*COMPETITOR, "run_id"]], on=COMPETITOR)
    found = []
    for label, optimizer, run_id in ordered[[*COMPETITOR, "run_id"]].itertuples(index=False):
        task = by_task.loc[label]
        has_eigenbasis = task["eigenvectors"] is not None and task["rank"]
        if task["minimisers"] in ("unique", "affine") and has_eigenbasis:
            step = np.array(traced[run_id]["step"])
            weights = np.array(traced[run_id]["weights"]).reshape(len(step), task["p"])
            found.append(Path(task, optimizer, step, weights))
    return found


def _parts(path: Path) -> np.ndarray:
    """Return eigenvalue c^2 / 2 of each state and direction, (K, rank)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return 0.5 * spectrum(path.task) * errors(path.task, path.weights) ** 2


def directions(paths: list[Path]) -> pd.DataFrame:
    """Return a row an optimizer, direction and step: eigenvalue, and part = eigenvalue c^2 / 2 over the sum
    of these at the start.

    Directions stand from steep to flat; more than MOST_BANDS are joined into bands, whose parts are sums and
    whose eigenvalue is the steepest.
    """
    frames = [_directions(path) for path in paths if not _starts_at_the_minimum(path)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=DIRECTIONS)


def _starts_at_the_minimum(path: Path) -> bool:
    return _parts(path)[0].sum() <= path.task["gap_floor"]


def _directions(path: Path) -> pd.DataFrame:
    eigenvalues = spectrum(path.task)
    parts = _parts(path)
    bands = np.array_split(np.arange(len(eigenvalues)), min(MOST_BANDS, len(eigenvalues)))
    banded = np.stack([parts[:, band].sum(axis=1) for band in bands], axis=1)  # (K, bands)
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
        part = 0.5 * eigenvalues * errors(path.task, path.weights[-1]) ** 2
        all_equal = eigenvalues[0] == eigenvalues[-1]
        at_floor = part.sum() <= path.task["gap_floor"]
        if not all_equal and not at_floor:
            rows.append(
                {"task": path.task["task"], "optimizer": path.optimizer, **_thirds(eigenvalues, part)}
            )
    return pd.DataFrame(rows)


def _thirds(eigenvalues: np.ndarray, part: np.ndarray) -> dict[str, float]:
    """Return the share of each third, and the eigenvalue with the largest part; NaN of a run that had
    stopped.
    """
    if not part.sum() > 0:
        return dict.fromkeys(("steep", "middle", "flat", "largest at eigenvalue"), np.nan)
    steep = np.log(eigenvalues / eigenvalues[-1]) / np.log(eigenvalues[0] / eigenvalues[-1])  # 0 to 1
    third = np.minimum((3 * steep).astype(int), 2)
    flat, middle, steepest = (part[third == place].sum() / part.sum() for place in range(3))
    return {
        "steep": steepest,
        "middle": middle,
        "flat": flat,
        "largest at eigenvalue": eigenvalues[np.argmax(part)],
    }


def statistical(paths: list[Path]) -> pd.DataFrame:
    """Return a row an optimizer where the weights that made the data are known.

    left: |w - w*| at the last state; from data: |w* - w_true|, the error that no optimizer can undo;
    pointless from: the first traced step from which on the optimizer's error stays below that, inf if it does
    not: whatever more steps bring, the distance to w_true at most halves.
    """
    rows = []
    for path in paths:
        if path.task["w_true"] is not None and path.task["minimisers"] == "unique":
            rows.append({"task": path.task["task"], "optimizer": path.optimizer, **_statistical(path)})
    return pd.DataFrame(rows)


def _statistical(path: Path) -> dict[str, float]:
    w_star = np.array(path.task["w_star"])
    left = np.linalg.norm(path.weights - w_star, axis=1)  # (K,)
    from_data = float(np.linalg.norm(w_star - np.array(path.task["w_true"])))
    above = np.flatnonzero(~(left <= from_data))  # NaN of a run that had stopped is above
    since = above[-1] + 1 if len(above) else 0
    pointless = float(path.step[since]) if since < len(path.step) else np.inf
    return {"left": left[-1], "from data": from_data, "pointless from": pointless}
