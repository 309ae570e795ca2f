"""What could at best be reached, on squared errors: the least possible gap, what tuning could have found, and
who is below it.

One row of `baselines`: task "lecture", method "heavy ball, oracle at this budget", lr 0.1, momentum 0.4, gap
1e-29. Of `impossible`: a recorded state (run_id, step, gap ...) that lies below the `least` that its kind of
method can reach.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from lrbench.results import theory
from lrbench.results.statistics import geometric_mean
from lrbench.results.tables.curves import ReadCurves
from lrbench.results.tables.predicted import extremes, quadratics, spans_gradients, spectrum, starts
from lrbench.results.tables.tasks import COMPETITOR, of_task

MOST_STARTS = 100  # that baselines are searched from, and the least possible gap is the median of
MOST_READ = 20_000  # runs whose curves are held at once
BELOW = 0.99  # of what is possible, and
CLEAR = 100  # times the gap floor: a state beyond both is impossible, not rounding


def _least(task: pd.Series, c: np.ndarray, count: int) -> np.ndarray:
    """Return the least possible gap after 0 ..

    count gradients from each start, (S, count + 1): that of conjugate gradients.
    """
    return np.stack([theory.conjugate_gradients(spectrum(task), one, count) for one in c])


def least_possible(tasks: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Return task, evaluations and gap of conjugate gradients, the median over the starts, where a run of
    the task is bound by them.
    """
    parts = []
    for task in quadratics(tasks):
        runs = of_task(reported, task["task"])
        bound = runs[spans_gradients(runs)]
        if len(bound):
            count = int(min(bound["evaluations"].max(), 2 * task["rank"]))
            c = starts(task, bound["seed"])[:MOST_STARTS]
            gap = np.median(_least(task, c, count), axis=0)
            parts.append(
                pd.DataFrame({"task": task["task"], "evaluations": np.arange(count + 1.0), "gap": gap})
            )
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["task", "evaluations", "gap"])
    )


# ---- what tuning could have found


def baselines(tasks: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and method: its gap after the task's budget, geometric mean over the starts; lr and
    momentum (medians).

    "Oracle at this budget" are the constants that minimise the closed-form gap at this very budget from this
    very start: what tuning could at best have found. Gradient descent's are certain, heavy ball's the best of
    a search over a landscape of many minima. Conjugate gradients are what any method could that steps along
    gradients; the asymptotically best constants are what the textbooks give.
    """
    rows: list[dict[str, Any]] = []
    for task in quadratics(tasks):
        if pd.isna(task["batch_size"]):
            runs = of_task(reported, task["task"])
            c = starts(task, runs["seed"])[:MOST_STARTS]
            away = c[np.any(c != 0, axis=1)]  # from the minimiser itself there is nothing to find
            rows += [{"task": task["task"], **row} for row in _baselines(task, away)]
    return pd.DataFrame(rows)


def _baselines(task: pd.Series, c: np.ndarray) -> Iterator[dict[str, Any]]:
    if not len(c):
        return
    steps = int(task["steps"])
    eigenvalues = spectrum(task)
    for method, (lr, momentum) in _constants(task, c, steps).items():
        from_each = zip(c, lr, momentum, strict=True)
        gaps = [theory.heavy_ball(eigenvalues, one, steps, *constants)[-1] for one, *constants in from_each]
        yield {
            "method": method,
            "lr": float(np.median(lr)),
            "momentum": float(np.median(momentum)),
            "gap": _mean(task, gaps),
        }
    least = _least(task, c, min(steps, 2 * len(eigenvalues)))[:, -1]
    yield {"method": "conjugate gradients", "lr": np.nan, "momentum": np.nan, "gap": _mean(task, least)}


def _constants(task: pd.Series, c: np.ndarray, steps: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return method -> its lr and momentum from each start, (S,) and (S,)."""
    eigenvalues = spectrum(task)
    textbook_descent = theory.asymptotic_gradient_descent(*extremes(task))
    textbook_heavy_ball = theory.asymptotic_heavy_ball(*extremes(task))
    none = np.zeros(len(c))
    same = np.ones(len(c))
    return {
        "gradient descent, oracle at this budget": (
            theory.best_gradient_descent(eigenvalues, c, steps),
            none,
        ),
        "heavy ball, oracle at this budget": theory.best_heavy_ball(eigenvalues, c, steps),
        "gradient descent, asymptotically best": (same * textbook_descent.lr, none),
        "heavy ball, asymptotically best": (
            same * textbook_heavy_ball.lr,
            same * textbook_heavy_ball.momentum,
        ),
    }


def _mean(task: pd.Series, gaps) -> float:
    """Return the geometric mean of gaps, none below the floor."""
    return float(geometric_mean(np.maximum(gaps, task["gap_floor"])[None])[0])


# ---- who is below what is possible


def impossible(tasks: pd.DataFrame, entries: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return the recorded states that are lower than conjugate gradients, so that code or data are wrong;
    empty as a rule.

    run_id, step, evaluations, loss, gap; task, optimizer, setting and seed of the run; least: the gap that is
    possible there.
    """
    found = []
    for task in quadratics(tasks):
        runs = of_task(entries, task["task"]).drop_duplicates("run_id")
        runs = runs[spans_gradients(runs)]
        parts = [runs.iloc[first : first + MOST_READ] for first in range(0, len(runs), MOST_READ)]
        found += [_impossible(task, part, read(part["run_id"])) for part in parts]
    return pd.concat(found) if found else pd.DataFrame(columns=COMPETITOR)


def _impossible(task: pd.Series, runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    count = int(min(runs["evaluations"].max(), 2 * task["rank"]))
    possible = _least(task, starts(task, runs["seed"]), count)
    states = curves.merge(runs[["run_id", *COMPETITOR, "setting", "seed"]], on="run_id")
    has_own_start = task["init"] == "torch"
    start = pd.Index(runs["seed"].unique()).get_indexer(states["seed"]) if has_own_start else 0
    least = possible[start, np.minimum(states["evaluations"].astype(int), count)]
    is_below = (states["gap"] < BELOW * least) & (states["gap"] > CLEAR * task["gap_floor"])
    return states.assign(least=least)[is_below]
