"""Where an optimizer loses its time: its error by eigen-direction on the way, and beside the error that the data themselves have. Frames out.

Made from the stored paths: of each optimizer one run at its best setting. H is the Hessian at the minimiser, so for squared errors the parts add up
to the gap, and for any other loss they do near the minimum.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.expected import errors, spectrum

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOST_BANDS = 40  # of directions, from steep to flat


def paths(results: "Results") -> list[tuple[pd.Series, str, np.ndarray, np.ndarray]]:
    """Return (task, optimizer, steps (K,), weights (K, p)) of the traced runs whose minimiser is one point or a plane, best optimizer first."""
    table = results.store.paths()
    if table is None:
        return []
    traced = {row["run_id"]: row for row in table.to_pylist()}
    tasks = results.tasks.set_index("task", drop=False)
    rows = results.reported[results.reported["run_id"].isin(traced)]
    order = results.ranking.merge(
        rows[["task", "name", "run_id"]], left_on=["task", "optimizer"], right_on=["task", "name"]
    )
    found = []
    for name, task_name, run_id in zip(order["optimizer"], order["task"], order["run_id"], strict=True):
        task, row = tasks.loc[task_name], traced[run_id]
        if task["minimisers"] in ("unique", "affine") and task["eigenvectors"] is not None and task["rank"]:
            found.append(
                (
                    task,
                    name,
                    np.array(row["step"]),
                    np.array(row["weights"]).reshape(len(row["step"]), task["p"]),
                )
            )
    return found


def parts(results: "Results") -> pd.DataFrame:
    """Return a row an optimizer, direction and step: eigenvalue, and part = eigenvalue c^2 / 2 over the sum of these at the start.

    Directions stand from steep to flat; more than MOST_BANDS are joined into bands, whose parts are sums and whose eigenvalue is the steepest.
    """
    frames = []
    for task, name, step, w in paths(results):
        eigenvalues = spectrum(task)
        with np.errstate(over="ignore", invalid="ignore"):
            part = 0.5 * eigenvalues * errors(task, w) ** 2  # (K, rank)
        if part[0].sum() <= task["gap_floor"]:
            continue
        bands = np.array_split(np.arange(len(eigenvalues)), min(MOST_BANDS, len(eigenvalues)))
        banded = np.stack([part[:, band].sum(axis=1) for band in bands], axis=1) / part[0].sum()
        grid = {"direction": np.tile(np.arange(len(bands)), len(step)), "step": np.repeat(step, len(bands))}
        steepest = np.tile([eigenvalues[band[0]] for band in bands], len(step))
        frames.append(
            pd.DataFrame(
                {
                    "task": task["task"],
                    "optimizer": name,
                    **grid,
                    "eigenvalue": steepest,
                    "part": banded.ravel(),
                }
            )
        )
    return (
        pd.concat(frames, ignore_index=True)
        if frames
        else pd.DataFrame(columns=["task", "optimizer", "direction", "step", "eigenvalue", "part"])
    )


def remaining(results: "Results") -> pd.DataFrame:
    """Return a row an optimizer: of the gap at the last state, the share that lies in the steepest, middle and flattest third of the directions.

    Thirds are of the spectrum's width in log, so that each holds what converges at a similar pace; NaN where a run had stopped. No row where all
    eigenvalues are equal, or the gap is at its floor: the shares of rounding say nothing.
    """
    rows = []
    for task, name, _, w in paths(results):
        eigenvalues = spectrum(task)
        part = 0.5 * eigenvalues * errors(task, w[-1]) ** 2
        if eigenvalues[0] == eigenvalues[-1] or part.sum() <= task["gap_floor"]:
            continue
        steep = np.log(eigenvalues / eigenvalues[-1]) / np.log(eigenvalues[0] / eigenvalues[-1])
        third = np.minimum((3 * steep).astype(int), 2)
        share = [part[third == place].sum() / part.sum() if part.sum() > 0 else np.nan for place in (2, 1, 0)]
        worst = eigenvalues[np.argmax(part)] if part.sum() > 0 else np.nan
        names = ("steep", "middle", "flat")
        rows.append(
            {
                "task": task["task"],
                "optimizer": name,
                **dict(zip(names, share, strict=True)),
                "largest at eigenvalue": worst,
            }
        )
    return pd.DataFrame(rows)


def statistical(results: "Results") -> pd.DataFrame:
    """Return a row an optimizer where the weights that made the data are known.

    left: |w - w*| at the last state; from data: |w* - w_true|, the error that no optimizer can undo; pointless from: the first traced step from which
    on the optimizer's error stays below that, inf if it does not: whatever more steps bring, the distance to w_true at most halves.
    """
    rows = []
    for task, name, step, w in paths(results):
        if task["w_true"] is not None and task["minimisers"] == "unique":
            left = np.linalg.norm(w - np.array(task["w_star"]), axis=1)
            from_data = float(np.linalg.norm(np.array(task["w_star"]) - np.array(task["w_true"])))
            above = np.flatnonzero(~(left <= from_data))
            last = above[-1] + 1 if len(above) else 0
            since = float(step[last]) if last < len(step) else np.inf
            rows.append(
                {
                    "task": task["task"],
                    "optimizer": name,
                    "left": left[-1],
                    "from data": from_data,
                    "pointless from": since,
                }
            )
    return pd.DataFrame(rows)
