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
from lrbench.results.frames.columns import typed
from lrbench.results.frames.read import in_parts
from lrbench.results.statistics import geometric_mean
from lrbench.results.tables.curves import ReadCurves
from lrbench.results.tables.predicted import extremes, quadratics, spans_gradients, spectrum, starts
from lrbench.results.tables.tasks import COMPETITOR, of_task
from lrbench.seeds import starts_vary

MOST_STARTS = 100  # that baselines are searched from, and the least possible gap is the median of
BELOW = 0.99  # of what is possible, and
CLEAR = 100  # times the gap floor: a state beyond both is impossible, not rounding


def _least(task: pd.Series, c: np.ndarray, count: int) -> np.ndarray:
    """Return the least possible gap after 0 .. count gradients from each start, (S, count + 1): that of
    conjugate gradients.
    """
    eigenvalues = spectrum(task)
    return np.stack([theory.conjugate_gradients(eigenvalues, start, count) for start in c])


def _most_gradients(task: pd.Series, evaluations: float) -> int:
    """Return after how many gradients the least possible gap is looked at: beyond twice the rank conjugate
    gradients are at the minimiser, rounding counted.
    """
    return int(min(evaluations, 2 * task["rank"]))


def least_possible(tasks: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Return the gap of conjugate gradients, the median over the starts, where a run of the task is bound by
    them.
    """
    lines = []
    for task in quadratics(tasks):
        runs = of_task(reported, task["task"])
        bound = runs[spans_gradients(runs)]
        if len(bound):
            count = _most_gradients(task, bound["evaluations"].max())
            c = starts(task, bound["seed"])[:MOST_STARTS]
            gap = np.median(_least(task, c, count), axis=0)
            line = pd.DataFrame({"evaluations": np.arange(count + 1.0), "gap": gap})
            lines.append(line.assign(task=task["task"]))
    return typed(lines, "least_possible")


# ---- what tuning could have found


def baselines(tasks: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and method: what it reaches with the task's budget, and with which constants.

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
            rows += _baselines(task, away)
    return typed(rows, "baselines")


def _baselines(task: pd.Series, c: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield the rows of one task, from these starts (S, rank)."""
    if not len(c):
        return
    steps = int(task["steps"])
    eigenvalues = spectrum(task)
    for method, (lr, momentum) in _constants(task, c, steps).items():
        gaps = []
        for start, *constants in zip(c, lr, momentum, strict=True):
            curve = theory.heavy_ball(eigenvalues, start, steps, *constants)
            gaps.append(curve[-1])
        yield {
            "task": task["task"],
            "method": method,
            "lr": float(np.median(lr)),
            "momentum": float(np.median(momentum)),
            "gap": _mean(task, np.array(gaps)),
        }
    least = _least(task, c, _most_gradients(task, steps))[:, -1]
    yield {"task": task["task"], "method": "conjugate gradients", "gap": _mean(task, least)}


def _constants(task: pd.Series, c: np.ndarray, steps: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return method -> its lr and momentum from each start, (S,) and (S,)."""
    eigenvalues = spectrum(task)
    descent = theory.asymptotic_gradient_descent(*extremes(task))
    heavy_ball = theory.asymptotic_heavy_ball(*extremes(task))
    no_momentum = np.zeros(len(c))
    same = np.ones(len(c))
    best_lr = theory.best_gradient_descent(eigenvalues, c, steps)
    return {
        "gradient descent, oracle at this budget": (best_lr, no_momentum),
        "heavy ball, oracle at this budget": theory.best_heavy_ball(eigenvalues, c, steps),
        "gradient descent, asymptotically best": (same * descent.lr, no_momentum),
        "heavy ball, asymptotically best": (same * heavy_ball.lr, same * heavy_ball.momentum),
    }


def _mean(task: pd.Series, gaps: np.ndarray) -> float:
    """Return the geometric mean of gaps (S,), none below the floor."""
    floored = np.maximum(gaps, task["gap_floor"])
    return float(geometric_mean(floored[None])[0])


# ---- who is below what is possible


def impossible(tasks: pd.DataFrame, entries: pd.DataFrame, read: ReadCurves) -> pd.DataFrame:
    """Return the recorded states that are lower than conjugate gradients, so that code or data are wrong;
    empty as a rule.
    """
    states = []
    for task in quadratics(tasks):
        runs = of_task(entries, task["task"]).drop_duplicates("run_id")
        runs = runs[spans_gradients(runs)]
        for part in in_parts(runs):
            states.append(_impossible(task, part, read(part["run_id"])))
    return typed(states, "impossible")


def _impossible(task: pd.Series, runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    count = _most_gradients(task, runs["evaluations"].max())
    possible = _least(task, starts(task, runs["seed"]), count)
    states = curves.merge(runs[["run_id", *COMPETITOR, "setting", "seed"]], on="run_id")
    start = 0  # all runs share it
    if starts_vary(task["init"]):
        start = pd.Index(runs["seed"].unique()).get_indexer(pd.Index(states["seed"]))
    after = np.minimum(states["evaluations"].astype(int), count)
    states["least"] = possible[start, after]
    is_below = states["gap"] < BELOW * states["least"]
    is_clear = states["gap"] > CLEAR * task["gap_floor"]
    return states[is_below & is_clear]
