"""What a single run gives: its loss on the way, its weights beside the minimiser's, its predictions. Frames out, and the same as text."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.text import as_text, listed, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


def told(
    results: "Results",
) -> list[tuple[str, str, str, pd.DataFrame, Callable[[pd.DataFrame], pd.DataFrame]]]:
    """Return (name, heading, sentence, frame, how it is written) of each thing that a single run gives; nothing of several runs."""
    if len(results.runs) != 1:
        return []
    answers = predictions(results)
    found = (
        ("milestones", "Loss on the way", "", milestones(results), as_text),
        (
            "weights",
            "Learned weights",
            "The run's last weights beside those of the exact minimum.",
            weights(results),
            _as_settings,
        ),
        ("predictions", "Prediction", " ".join(_answers(answers)), answers, _as_settings),
    )
    return [one for one in found if len(one[3])]


def _as_settings(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(setting_value)


def _answers(predictions: pd.DataFrame) -> Iterator[str]:
    """Say of each row what the model answers."""
    for row in predictions.to_dict("records"):
        given = listed(
            [
                f"{name} = {setting_value(value)}"
                for name, value in row.items()
                if name not in ("run", "exact")
            ]
        )
        exact = f"; exact {setting_value(row['exact'])}" if "exact" in row else ""
        yield f"For {given} the model answers {setting_value(row['run'])}{exact}."


def milestones(results: "Results") -> pd.DataFrame:
    """Return step, loss and gap at the start, at the powers of ten and at the end, as far as they are recorded."""
    curve = results.curves_of(results.runs["run_id"].head(1))
    powers = 10.0 ** np.arange(19)
    return curve.loc[
        curve["step"].isin([0, *powers, curve["step"].max()]), ["step", "loss", "gap"]
    ].reset_index(drop=True)


def weights(results: "Results") -> pd.DataFrame:
    """Return a row a parameter: its name, the run's value at the last step, the exact minimiser's where there is one; empty for a failed run.

    Where the data were standardized, both stand there once more in the units of the data as they came.
    """
    problem, w = results.problems.iloc[0], _both(results)
    if not w:
        return pd.DataFrame()
    names = [*problem["features"], *(["intercept"] if problem["intercept"] else [])]
    scaled = (
        {}
        if problem["x_mean"] is None
        else {f"{name}, in units": _in_units(problem, values) for name, values in w.items()}
    )
    return pd.DataFrame({"parameter": names, **w, **scaled})


def predictions(results: "Results") -> pd.DataFrame:
    """Return a row a row of `predict`: its features, the run's prediction, the exact minimiser's; all in the units of the data as they came."""
    problem, w, rows = results.problems.iloc[0], _both(results), results.manifest["predict"]
    if rows is None or not w:
        return pd.DataFrame()
    given = pd.DataFrame(rows, columns=list(problem["features"]), dtype=float)
    return given.assign(**{name: _predicted(problem, values, given) for name, values in w.items()})


def _both(results: "Results") -> dict[str, np.ndarray]:
    """Return the run's last weights, and the exact minimiser's where there is one; empty for a run without weights.

    An exact weight is 0 where the loss without it would differ by less than the gap floor: its digits are rounding.
    """
    problem, run = results.problems.iloc[0], _weights(results)
    if not len(run):
        return {}
    if problem["w_star"] is None:
        return {"run": run}
    exact = np.array(problem["w_star"], dtype=float)
    return {"run": run, "exact": np.where(problem["L"] * exact**2 / 2 <= problem["gap_floor"], 0.0, exact)}


def _weights(results: "Results") -> np.ndarray:
    run = results.runs.iloc[0]
    w = (
        run["weights"]
        if "weights" in run
        else run[[column for column in results.runs if column.startswith("w_")]].astype(float)
    )
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
