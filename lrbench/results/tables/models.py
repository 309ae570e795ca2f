"""The models that weights stand for: w (..., p) is [weights..., intercept], rows are in the data's units."""

import numpy as np
import pandas as pd


def weights(runs: pd.DataFrame, p: int) -> np.ndarray:
    """Return the last weights (R, p) of runs on a problem with p of them; NaN of a run that failed."""
    if "weights" not in runs:
        # of runs that all failed there are no such columns
        return runs.reindex(columns=[f"w_{k}" for k in range(p)]).to_numpy(float)
    found = np.full((len(runs), p), np.nan)
    for row, w in zip(found, runs["weights"], strict=True):
        if np.ndim(w):
            row[:] = w
    return found


def exact(problem: pd.Series) -> np.ndarray | None:
    """Return the weights (p,) of a problem's minimiser; None where no weights attain the infimum.

    A weight is 0 where the loss without it would differ by less than the gap floor: its digits are rounding.
    """
    if problem["w_star"] is None:
        return None
    w = np.array(problem["w_star"], dtype=float)
    is_rounding = problem["L"] * w**2 / 2 <= problem["gap_floor"]
    return np.where(is_rounding, 0.0, w)


def predicted(problem: pd.Series, w: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what weights (..., p) predict for rows (k, d), scaled as the data were and back: (k, ...)."""
    slopes = w[..., : problem["d"]]
    intercept = w[..., -1] if problem["intercept"] else 0.0
    if problem["x_mean"] is None:
        return rows @ slopes.T + intercept
    scaled = (rows - np.array(problem["x_mean"])) / np.array(problem["x_scale"])
    return problem["y_mean"] + problem["y_scale"] * (scaled @ slopes.T + intercept)
