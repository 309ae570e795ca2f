"""What a single run gives: its loss on the way, its weights beside the minimiser's, its predictions. Frames out."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


def milestones(results: "Results") -> pd.DataFrame:
    """Return step, loss and gap at the start, at the powers of ten and at the end, as far as they are recorded."""
    curve = results.curves_of(results.runs["run_id"].head(1))
    powers = 10.0 ** np.arange(19)
    return curve.loc[curve["step"].isin([0, *powers, curve["step"].max()]), ["step", "loss", "gap"]].reset_index(drop=True)


def weights(results: "Results") -> pd.DataFrame:
    """Return a row a parameter: its name, the run's value at the last step, the exact minimiser's where there is one; empty for a failed run.

    Where the data were standardized, both stand there once more in the units of the data as they came.
    """
    problem, w = results.problems.iloc[0], _weights(results)
    if not len(w):
        return pd.DataFrame()
    names = [*problem["features"], *(["intercept"] if problem["intercept"] else [])]
    weights = {"run": w} | ({} if problem["w_star"] is None else {"exact": np.array(problem["w_star"])})
    scaled = {} if problem["x_mean"] is None else {f"{name}, in units": _in_units(problem, values) for name, values in weights.items()}
    return pd.DataFrame({"parameter": names, **weights, **scaled})


def predictions(results: "Results") -> pd.DataFrame:
    """Return a row a row of `predict`: its features, the run's prediction, the exact minimiser's; all in the units of the data as they came."""
    problem, w, rows = results.problems.iloc[0], _weights(results), results.manifest["predict"]
    if rows is None or not len(w):
        return pd.DataFrame()
    given = pd.DataFrame(rows, columns=list(problem["features"]), dtype=float)
    weights = {"run": w} | ({} if problem["w_star"] is None else {"exact": np.array(problem["w_star"])})
    return given.assign(**{name: _predicted(problem, values, given) for name, values in weights.items()})


def _weights(results: "Results") -> np.ndarray:
    run = results.runs.iloc[0]
    w = run["weights"] if "weights" in run else run[[column for column in results.runs if column.startswith("w_")]].astype(float)
    return np.empty(0) if np.isnan(w).any() else np.asarray(w, dtype=float)


def _predicted(problem: pd.Series, w: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """Scale the rows as the data were, apply [weights..., intercept], scale back."""
    x, slopes = rows.to_numpy(), w[: problem["d"]]
    intercept = w[-1] if problem["intercept"] else 0.0
    if problem["x_mean"] is None:
        return x @ slopes + intercept
    x = (x - np.array(problem["x_mean"])) / np.array(problem["x_scale"])
    return problem["y_mean"] + problem["y_scale"] * (x @ slopes + intercept)


def _in_units(problem: pd.Series, w: np.ndarray) -> np.ndarray:
    """Return the slopes of the unscaled features and, where there is an intercept, the prediction at x = 0."""
    slopes = w[: problem["d"]] * problem["y_scale"] / np.array(problem["x_scale"])
    origin = _predicted(problem, w, pd.DataFrame(np.zeros((1, problem["d"]))))
    return np.append(slopes, origin) if problem["intercept"] else slopes
