"""What a single run gives: its loss on the way, its weights beside the minimiser's, its predictions.

One row of `weights`: parameter "x", run 1.98, exact 2.0. Of `predictions`: x 4.0, run 7.96, exact 8.0.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import names
from lrbench.results.tables import models

POWERS_OF_TEN = 10.0 ** np.arange(19)  # all that a step, an int64, may be


def milestones(curve: pd.DataFrame) -> pd.DataFrame:
    """Return step, loss and gap at the start, at the powers of ten and at the end, as far as they are
    recorded.
    """
    shown = [0, *POWERS_OF_TEN, curve["step"].max()]
    return curve.loc[curve["step"].isin(shown), names("milestones")].reset_index(drop=True)


def weights(run: pd.Series, problem: pd.Series) -> pd.DataFrame:
    """Return a row a parameter: the run's value at the last step, and the exact minimiser's where there is
    one.

    Empty for a failed run. Where the data were standardized, both stand there once more in the units of the
    data as they came.
    """
    answers = _run_and_exact(run, problem)
    if not answers:
        return pd.DataFrame()
    parameters = list(problem["features"])
    if problem["intercept"]:
        parameters.append("intercept")
    columns = {"parameter": parameters, **answers}
    if problem["x_mean"] is not None:
        for name, w in answers.items():
            columns[f"{name}, in units"] = _in_units(problem, w)
    return pd.DataFrame(columns)


def predictions(run: pd.Series, problem: pd.Series, asked: list[list[float]] | None) -> pd.DataFrame:
    """Return a row a row of `asked`: its features, the run's prediction, the exact minimiser's; in the units
    of the data as they came.
    """
    answers = _run_and_exact(run, problem)
    if asked is None or not answers:
        return pd.DataFrame()
    given = pd.DataFrame(asked, columns=list(problem["features"]), dtype=float)
    rows = given.to_numpy()
    return given.assign(**{name: models.predicted(problem, w, rows) for name, w in answers.items()})


def _run_and_exact(run: pd.Series, problem: pd.Series) -> dict[str, np.ndarray]:
    """Return the run's last weights, and the exact minimiser's where there is one; empty for a run without
    weights.
    """
    [reached] = models.weights(pd.DataFrame([run]), problem["p"])
    if np.isnan(reached).any():
        return {}
    w_star = models.exact(problem)
    return {"run": reached} if w_star is None else {"run": reached, "exact": w_star}


def _in_units(problem: pd.Series, w: np.ndarray) -> np.ndarray:
    """Return slopes of the unscaled features and, of a model with an intercept, the prediction at x = 0."""
    slopes = w[: problem["d"]] * problem["y_scale"] / np.array(problem["x_scale"])
    if not problem["intercept"]:
        return slopes
    origin = np.zeros((1, problem["d"]))
    return np.append(slopes, models.predicted(problem, w, origin))
