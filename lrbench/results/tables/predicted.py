"""What theory says of stored runs: exact curves, limits and floors where a theorem holds, and nothing where
none does.

All of it is for squared errors, whose eigenvalues and eigenvectors are stored: the error of a start in the
eigenbasis is c = V (w_0 - w*). One row of `predicted_curves`: task "lecture", optimizer "sgd", evaluations
40.0, gap 3.1e-4.

Shapes: S starts, p parameters, rank of the Hessian.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lrbench.results import theory
from lrbench.results.frames.columns import typed
from lrbench.results.notation import ROUNDING
from lrbench.results.tables.tasks import COMPETITOR, of_task
from lrbench.seeds import start, starts_vary

SGD, LBFGS = "torch.optim.SGD", "torch.optim.LBFGS"
MOST_NUMBERS = 100_000_000  # starts times directions times steps that a curve may take
MOST_POINTS = 200  # of a drawn line
MOMENTS = ("samples", "curvature", "fourth", "third", "noise")
UNLIKE_DESCENT = ("weight_decay", "dampening", "maximize")  # settings of SGD that no theorem has


# ---- the problem in its eigenbasis


def quadratics(tasks: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the tasks that theory can speak of."""
    known = tasks["quadratic"].astype(bool) & tasks["eigenvectors"].notna()
    for _, task in tasks[known].iterrows():
        yield task


def spectrum(task: pd.Series) -> np.ndarray:
    """Return the eigenvalues (rank,) that are not 0, descending."""
    return np.array(task["eigenvalues"])[: task["rank"]]


def extremes(task: pd.Series) -> tuple[float, float]:
    """Return L and mu, one number where only rounding tells them apart."""
    are_one = math.isclose(task["L"], task["mu"], rel_tol=ROUNDING)
    return task["L"], task["L"] if are_one else task["mu"]


def eigenvectors(task: pd.Series) -> np.ndarray:
    """Return V (rank, p), a row an eigenvector."""
    return np.array(task["eigenvectors"]).reshape(task["rank"], task["p"])


def errors(task: pd.Series, w: np.ndarray) -> np.ndarray:
    """Return c = V (w - w*), (..., rank), of weights (..., p)."""
    return (w - np.array(task["w_star"])) @ eigenvectors(task).T


def starts(task: pd.Series, seeds: pd.Series) -> np.ndarray:
    """Return c of the starts that these seeds give in a task, (S, rank): each start once, in the order of
    the seeds.
    """
    count = len(seeds) if starts_vary(task["init"]) else 1
    distinct = seeds.drop_duplicates().head(count)
    return errors(task, np.stack([_start(task, seed) for seed in distinct]))


def _start(task: pd.Series, seed: int) -> np.ndarray:
    init = task["init"] if task["init"] in ("torch", "zeros") else json.loads(task["init"])
    return start(init, int(seed), task["d"], task["p"])


# ---- which runs a theorem describes


def is_descent(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether it is SGD with constant lr and momentum, neither dampened nor decayed.

    That is what the closed forms describe. Not of one that failed, nor of one whose lr is not stored because
    its configuration left it to torch.
    """
    runs = (entries["optimizer._target_"] == SGD) & (entries["status"] != "failed") & entries["lr"].notna()
    for name in UNLIKE_DESCENT:
        runs &= setting_of_sgd(entries, name) == 0
    if "schedule._target_" in entries:
        runs &= entries["schedule._target_"].isna()
    return runs


def is_plain_descent(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether it is gradient descent on all rows, without momentum: its limits are 1/L and
    2/L.
    """
    return is_descent(entries) & (setting_of_sgd(entries, "momentum") == 0) & entries["batch_size"].isna()


def spans_gradients(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether its iterates lie in the start plus the span of its gradients over all rows.

    Conjugate gradients bound those.
    """
    undecayed = setting_of_sgd(entries, "weight_decay") == 0
    return entries["optimizer._target_"].isin([SGD, LBFGS]) & undecayed & entries["batch_size"].isna()


def setting_of_sgd(entries: pd.DataFrame, name: str) -> pd.Series:
    """Return a setting of SGD as a number a run; where a configuration leaves it out it is torch's default,
    0.
    """
    column = f"optimizer.{name}"
    if column not in entries:
        return pd.Series(0.0, index=entries.index)
    return entries[column].astype(float).fillna(0)


class Descent(NamedTuple):
    """The constants of an SGD that a theorem describes."""

    lr: float
    momentum: float
    nesterov: bool


def _descent(runs: pd.DataFrame) -> Descent:
    """Return the constants of a setting's runs."""
    momentum = setting_of_sgd(runs, "momentum").iloc[0]
    nesterov = setting_of_sgd(runs, "nesterov").iloc[0]
    return Descent(runs["lr"].iloc[0], momentum, bool(nesterov))


def _drawn_with_replacement(task: pd.Series) -> bool:
    """Say whether the moments of the samples are stored, which theory of minibatches wants."""
    return task["batch_order"] == "replacement" and task["moments.samples"] is not None


def _moments(task: pd.Series) -> dict[str, np.ndarray]:
    return {name: np.array(task[f"moments.{name}"]) for name in MOMENTS}


def _reduction(run: pd.Series) -> str:
    return run.get("loss.reduction") or "mean"


def best_runs(
    task: pd.Series, reported: pd.DataFrame, ranking: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each optimizer of a task with the reported runs of its chosen setting, best first."""
    runs = of_task(reported, task["task"])
    for optimizer in of_task(ranking, task["task"])["optimizer"]:
        yield optimizer, runs[runs["optimizer"] == optimizer]


# ---- curves and floors


def predicted_curves(tasks: pd.DataFrame, reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the curve of every optimizer whose curve at its best setting is known beforehand.

    On all rows it is the median over the starts of the exact gap; on batches drawn with replacement the mean
    over the starts of the expected gap.
    """
    lines = []
    for task in quadratics(tasks):
        for optimizer, runs in best_runs(task, reported, ranking):
            curve = _curve(task, runs)
            if curve is not None:
                lines.append(curve.assign(task=task["task"], optimizer=optimizer))
    return typed(lines, "predicted_curves")


def _curve(task: pd.Series, runs: pd.DataFrame) -> pd.DataFrame | None:
    """Return evaluations and gap of a setting's runs, at MOST_POINTS steps or fewer; None where no theorem
    gives them.
    """
    if not is_descent(runs).all():
        return None
    steps = int(task["steps"])
    c = starts(task, runs["seed"])
    if c.size * steps > MOST_NUMBERS:
        return None
    descent = _descent(runs)
    shown = np.unique(np.geomspace(1, steps + 1, MOST_POINTS).astype(int)) - 1
    if pd.isna(task["batch_size"]):
        gaps = _exact_gaps(task, c, descent)
        return pd.DataFrame({"evaluations": shown.astype(float), "gap": np.median(gaps, axis=0)[shown]})
    if not _drawn_with_replacement(task) or descent.momentum:
        return None
    batch = int(task["batch_size"])
    gaps = theory.expected_gaps(_moments(task), c, steps, descent.lr, batch, _reduction(runs.iloc[0]))
    evaluations = shown * batch / task["n"]
    return pd.DataFrame({"evaluations": evaluations, "gap": gaps.mean(axis=0)[shown]})


def _exact_gaps(task: pd.Series, c: np.ndarray, descent: Descent) -> np.ndarray:
    """Return the gap at every step of the task from each start, (S, T + 1)."""
    steps = int(task["steps"])
    eigenvalues = spectrum(task)
    if not descent.momentum:
        return theory.gradient_descent(eigenvalues, c, steps, descent.lr)
    method = theory.nesterov if descent.nesterov else theory.heavy_ball
    return method(eigenvalues, c, steps, descent.lr, descent.momentum)


def noise_floors(tasks: pd.DataFrame, reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return where each SGD on batches drawn with replacement ends on average, at its best setting."""
    rows = []
    for task in filter(_drawn_with_replacement, quadratics(tasks)):
        for optimizer, runs in best_runs(task, reported, ranking):
            descent = _descent(runs)
            if is_descent(runs).all() and not descent.momentum:
                batch = int(task["batch_size"])
                gap = theory.noise_floor(_moments(task), descent.lr, batch, _reduction(runs.iloc[0]))
                rows.append((task["task"], optimizer, gap))
    return typed(rows, "noise_floors")


# ---- limits of the learning rate


def stability_edges(tasks: pd.DataFrame, reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return at which lr the best setting of an SGD would stop converging, its momentum kept."""
    rows = []
    for task in quadratics(tasks):
        for optimizer, runs in best_runs(task, reported, ranking):
            lr = _edge(task, runs) if is_descent(runs).all() else None
            if lr is not None:
                rows.append((task["task"], optimizer, lr))
    return typed(rows, "stability_edges")


def _edge(task: pd.Series, runs: pd.DataFrame) -> float | None:
    """Return the lr from which on a setting stops converging; None where no theorem gives it."""
    descent = _descent(runs)
    if pd.isna(task["batch_size"]):
        edge = theory.edge_nesterov if descent.nesterov else theory.edge_heavy_ball
        return edge(task["L"], descent.momentum) if descent.momentum < 1 else None
    if not _drawn_with_replacement(task) or descent.momentum:
        return None
    return theory.stable_lr(_moments(task), int(task["batch_size"]), _reduction(runs.iloc[0]))


def diverging(entries: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return the edge of each SGD of which it holds for every run.

    That is, it ran on all rows and at one momentum only. edges: as `stability_edges`.
    """
    on_all_rows = entries[entries["batch_size"].isna()]
    runs = on_all_rows.assign(
        known=is_descent(on_all_rows) | (on_all_rows["status"] == "failed"),
        momentum=setting_of_sgd(on_all_rows, "momentum"),
        nesterov=setting_of_sgd(on_all_rows, "nesterov"),
    )
    groups = runs.groupby(COMPETITOR)
    one_way = (groups[["momentum", "nesterov"]].nunique() == 1).all(axis=1)
    one_edge = one_way[one_way & groups["known"].all()]
    competitors = one_edge.index.to_frame(index=False)
    return edges.merge(competitors).rename(columns={"lr": "diverges_from_lr"})


def limits(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task on all rows and method: what the textbooks give."""
    rows: list[dict[str, Any]] = []
    for task in quadratics(tasks):
        if pd.isna(task["batch_size"]):
            rows += _limits(task)
    return typed(rows, "limits")


def _limits(task: pd.Series) -> Iterator[dict[str, Any]]:
    L, mu = extremes(task)
    descent = theory.asymptotic_gradient_descent(L, mu)
    heavy_ball = theory.asymptotic_heavy_ball(L, mu)
    nesterov = theory.asymptotic_nesterov(L, mu)
    methods = (
        ("gradient descent", descent, theory.edge_gradient_descent(L)),
        ("heavy ball", heavy_ball, theory.edge_heavy_ball(L, heavy_ball.momentum)),
        ("Nesterov", nesterov, theory.edge_nesterov(L, nesterov.momentum)),
    )
    for method, constants, edge in methods:
        yield {
            "task": task["task"],
            "method": method,
            "lr": constants.lr,
            "momentum": constants.momentum,
            "steps to a tenth": _steps_to_a_tenth(constants.lag),
            "largest lr": edge,
        }


def _steps_to_a_tenth(lag: float) -> float:
    """Return after how many steps an error that shrinks by 1 - lag a step is a tenth."""
    return math.ceil(-math.log(10) / math.log1p(-lag)) if lag < 0.9 else 1


# ---- the first update


def first_steps(tasks: pd.DataFrame, reported: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer on all rows: how far its first update moves a coordinate at most.

    Beside it stands the way to go, from start to minimiser.
    """
    rows = []
    for task in quadratics(tasks):
        if pd.notna(task["batch_size"]):
            continue
        for optimizer, runs in best_runs(task, reported, ranking):
            run = runs.iloc[0]
            has_formula = run["optimizer._target_"] in theory.FIRST_MOVES
            if has_formula and pd.isna(run.get("schedule._target_")):
                rows.append((task["task"], optimizer, *_first_step(task, run)))
    return typed(rows, "first_steps")


def _first_step(task: pd.Series, run: pd.Series) -> tuple[float, float, float]:
    """Return lr, the largest move and the way to go of one run."""
    (c,) = starts(task, pd.Series([run["seed"]]))
    gradient = eigenvectors(task).T @ (spectrum(task) * c)
    w = _start(task, run["seed"])
    moves = theory.first_step(run["optimizer._target_"], gradient, w, _hyperparameters(run))
    way_to_go = np.abs(w - np.array(task["w_star"]))
    return run["lr"], float(moves.max()), float(way_to_go.max())


def _hyperparameters(run: pd.Series) -> dict[str, Any]:
    """Return what a run's optimizer was given, without what is missing."""
    given = {}
    for path, value in run.items():
        group, _, name = str(path).partition(".")
        is_own = group == "optimizer" and name and not str(path).endswith("._target_")
        if is_own and (isinstance(value, tuple) or pd.notna(value)):
            given[name] = value
    return given
