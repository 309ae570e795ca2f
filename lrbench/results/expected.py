"""What theory says of stored runs: exact curves, limits and floors where a theorem holds, and nothing where none does. Frames out.

All of it is for squared errors, whose eigenvalues and eigenvectors are stored: the error of a start in the eigenbasis is c = V (w_0 - w*).
"""

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrbench.results import theory
from lrbench.results.statistics import geometric_mean
from lrbench.results.text import ROUNDING, counted, listed, named, number
from lrbench.seeds import start

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

MOMENTUM = ("momentum", "nesterov")
SGD, LBFGS = "torch.optim.SGD", "torch.optim.LBFGS"
MOST_STARTS = 100  # that baselines are searched from, and the least possible gap is the median of
MOST_NUMBERS = 100_000_000  # starts times directions times steps that a curve may take
MOST_POINTS = 200  # of a drawn line
MOST_READ = 20_000  # runs whose curves are held at once
BELOW, CLEAR = 0.99, 100  # of what is possible; of the gap floor: a run beyond both is an alarm


def quadratics(results: "Results") -> Iterator[pd.Series]:
    """Yield the tasks that theory can speak of."""
    tasks = results.tasks
    for _, task in tasks[tasks["quadratic"].astype(bool) & tasks["eigenvectors"].notna()].iterrows():
        yield task


def spectrum(task: pd.Series) -> np.ndarray:
    """Return the eigenvalues (rank,) that are not 0."""
    return np.array(task["eigenvalues"])[: task["rank"]]


def _ends(task: pd.Series) -> tuple[float, float]:
    """Return L and mu, one number where only rounding tells them apart."""
    return task["L"], task["L"] if math.isclose(task["L"], task["mu"], rel_tol=ROUNDING) else task["mu"]


def errors(task: pd.Series, w: np.ndarray) -> np.ndarray:
    """Return c = V (w - w*), (..., rank), of weights (..., p)."""
    return (w - np.array(task["w_star"])) @ np.array(task["eigenvectors"]).reshape(task["rank"], task["p"]).T


def starts(task: pd.Series, seeds: pd.Series) -> np.ndarray:
    """Return c of the starts that these seeds give in a task, (S, rank): each start once, in the order of the seeds."""
    distinct = seeds.drop_duplicates().head(len(seeds) if task["init"] == "torch" else 1)
    return errors(task, np.stack([_start(task, seed) for seed in distinct]))


def _start(task: pd.Series, seed: int) -> np.ndarray:
    init = task["init"] if task["init"] in ("torch", "zeros") else json.loads(task["init"])
    return start(init, int(seed), task["d"], task["p"])


def is_descent(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether it is SGD with constant lr and momentum, neither dampened nor decayed: what the closed forms describe.

    Not of one that failed, nor of one whose lr is not stored because its configuration left it to torch.
    """
    rows = (entries["optimizer._target_"] == SGD) & (entries["status"] != "failed") & entries["lr"].notna()
    for name in ("weight_decay", "dampening", "maximize"):
        rows &= _setting(entries, name) == 0
    return rows & (entries["schedule._target_"].isna() if "schedule._target_" in entries else True)


def is_plain_descent(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether it is gradient descent on all rows, without momentum: its limits are 1/L and 2/L."""
    return is_descent(entries) & (_setting(entries, "momentum") == 0) & entries["batch_size"].isna()


def spans_gradients(entries: pd.DataFrame) -> pd.Series:
    """Say of each run whether its iterates lie in the start plus the span of its gradients over all rows: conjugate gradients bound it."""
    return (
        entries["optimizer._target_"].isin([SGD, LBFGS])
        & (_setting(entries, "weight_decay") == 0)
        & entries["batch_size"].isna()
    )


def _setting(entries: pd.DataFrame, name: str) -> pd.Series:
    """Return a setting of SGD as a number a run; where a configuration leaves it out it is torch's default, 0."""
    column = f"optimizer.{name}"
    return (
        entries[column].fillna(0).astype(float) if column in entries else pd.Series(0.0, index=entries.index)
    )


def _momentum(runs: pd.DataFrame) -> tuple[float, bool]:
    """Return momentum and nesterov of a setting's runs."""
    return _setting(runs, "momentum").iloc[0], bool(_setting(runs, "nesterov").iloc[0])


# ---- curves


def best_runs(results: "Results", task: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each optimizer of a task with the reported runs of its chosen setting, best first."""
    runs = results.reported[results.reported["task"] == task["task"]]
    for name in results.ranking.loc[results.ranking["task"] == task["task"], "optimizer"]:
        yield name, runs[runs["name"] == name]


def curves(results: "Results") -> pd.DataFrame:
    """Return task, optimizer, evaluations and gap of every optimizer whose curve at its best setting is known beforehand.

    On all rows it is the median over the starts of the exact gap; on batches drawn with replacement the mean over the starts of the expected gap.
    """
    parts = [
        pd.DataFrame({"task": task["task"], "optimizer": name, "evaluations": evaluations, "gap": gap})
        for task in quadratics(results)
        for name, runs in best_runs(results, task)
        if (found := _curve(task, runs)) is not None
        for evaluations, gap in [found]
    ]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["task", "optimizer", "evaluations", "gap"])
    )


def _curve(task: pd.Series, runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    run, steps = runs.iloc[0], int(task["steps"])
    if not is_descent(runs).all():
        return None
    momentum, nesterov = _momentum(runs)
    shown = np.unique(np.geomspace(1, steps + 1, MOST_POINTS).astype(int)) - 1
    c = starts(task, runs["seed"])
    if c.size * steps > MOST_NUMBERS:
        return None
    if pd.isna(task["batch_size"]):
        return shown.astype(float), np.median(
            _gaps(spectrum(task), c, steps, run["lr"], momentum, nesterov), axis=0
        )[shown]
    if not _drawn(task) or momentum:
        return None
    batch = int(task["batch_size"])
    gaps = theory.expected_gaps(_moments(task), c, steps, run["lr"], batch, _reduction(run)).mean(axis=0)
    return shown * batch / task["n"], gaps[shown]


def _gaps(
    eigenvalues: np.ndarray, c: np.ndarray, steps: int, lr: float, momentum: float, nesterov: bool
) -> np.ndarray:
    method = theory.nesterov if nesterov else theory.heavy_ball
    return (
        method(eigenvalues, c, steps, lr, momentum)
        if momentum
        else theory.gradient_descent(eigenvalues, c, steps, lr)
    )


def _drawn(task: pd.Series) -> bool:
    return task["batch_order"] == "replacement" and task["moments.samples"] is not None


def _moments(task: pd.Series) -> dict[str, np.ndarray]:
    return {
        name: np.array(task[f"moments.{name}"])
        for name in ("samples", "curvature", "fourth", "third", "noise")
    }


def _reduction(run: pd.Series) -> str:
    return run.get("loss.reduction") or "mean"


def least_possible(results: "Results") -> pd.DataFrame:
    """Return task, evaluations and gap of conjugate gradients, the median over the starts, where a run of the task is bound by them."""
    parts = []
    for task in quadratics(results):
        runs = results.reported[results.reported["task"] == task["task"]]
        runs = runs[spans_gradients(runs)]
        if len(runs):
            count = int(min(runs["evaluations"].max(), 2 * task["rank"]))
            gap = np.median(_floors(spectrum(task), starts(task, runs["seed"])[:MOST_STARTS], count), axis=0)
            parts.append(
                pd.DataFrame({"task": task["task"], "evaluations": np.arange(count + 1.0), "gap": gap})
            )
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["task", "evaluations", "gap"])
    )


def _floors(eigenvalues: np.ndarray, c: np.ndarray, count: int) -> np.ndarray:
    return np.stack([theory.conjugate_gradients(eigenvalues, one, count) for one in c])


# ---- limits


def edges(results: "Results") -> pd.DataFrame:
    """Return task, optimizer and lr: the learning rate at which the best setting of an SGD would stop converging, its momentum kept."""
    rows = []
    for task in quadratics(results):
        for name, runs in best_runs(results, task):
            lr = _edge(task, runs) if is_descent(runs).all() else None
            if lr is not None:
                rows.append({"task": task["task"], "optimizer": name, "lr": lr})
    return pd.DataFrame(rows, columns=["task", "optimizer", "lr"])


def _edge(task: pd.Series, runs: pd.DataFrame) -> float | None:
    momentum, nesterov = _momentum(runs)
    if pd.isna(task["batch_size"]):
        return (
            (theory.edge_nesterov if nesterov else theory.edge_heavy_ball)(task["L"], momentum)
            if momentum < 1
            else None
        )
    return (
        theory.stable_lr(_moments(task), int(task["batch_size"]), _reduction(runs.iloc[0]))
        if _drawn(task) and not momentum
        else None
    )


def diverging(results: "Results") -> pd.DataFrame:
    """Return task, optimizer and diverges_from_lr: of an SGD that ran on all rows and at one momentum only, so that it holds of every run."""
    runs = results.entries[results.entries["batch_size"].isna()]
    runs = runs.assign(
        known=is_descent(runs) | (runs["status"] == "failed"),
        way=list(zip(*map(partial(_setting, runs), MOMENTUM), strict=True)),
    )
    groups = runs.groupby(["task", "name"]).agg(known=("known", "all"), ways=("way", "nunique"))
    alike = groups[groups["known"] & (groups["ways"] == 1)].index.to_frame(index=False)
    return (
        edges(results)
        .merge(alike.rename(columns={"name": "optimizer"}))
        .rename(columns={"lr": "diverges_from_lr"})
    )


def noise_floors(results: "Results") -> pd.DataFrame:
    """Return task, optimizer and gap: where SGD on batches drawn with replacement ends on average, at its best setting."""
    rows = []
    for task in quadratics(results):
        for name, runs in best_runs(results, task) if _drawn(task) else ():
            run = runs.iloc[0]
            if is_descent(runs).all() and not _momentum(runs)[0]:
                gap = theory.noise_floor(_moments(task), run["lr"], int(task["batch_size"]), _reduction(run))
                rows.append({"task": task["task"], "optimizer": name, "gap": gap})
    return pd.DataFrame(rows, columns=["task", "optimizer", "gap"])


def limits(results: "Results") -> pd.DataFrame:
    """Return a row a task and method: the largest lr that converges, the asymptotically best constants, and their steps to a tenth of the error."""
    rows: list[dict[str, Any]] = []
    for task in quadratics(results):
        if pd.notna(task["batch_size"]):
            continue
        L, mu = _ends(task)
        best = (
            theory.asymptotic_gradient_descent(L, mu),
            theory.asymptotic_heavy_ball(L, mu),
            theory.asymptotic_nesterov(L, mu),
        )
        limit = (
            theory.edge_gradient_descent(L),
            theory.edge_heavy_ball(L, best[1].momentum),
            theory.edge_nesterov(L, best[2].momentum),
        )
        for method, constants, edge in zip(
            ("gradient descent", "heavy ball", "Nesterov"), best, limit, strict=True
        ):
            known = {
                "lr": constants.lr,
                "momentum": constants.momentum,
                "steps to a tenth": _steps_to_a_tenth(constants.rate),
                "largest lr": edge,
            }
            rows.append({"task": task["task"], "method": method, **known})
    return pd.DataFrame(rows)


def _steps_to_a_tenth(rate: float) -> int:
    """Return after how many steps an error that shrinks by `rate` a step is a tenth."""
    return math.ceil(-1 / math.log10(rate)) if rate > 0.1 else 1


def first_steps(results: "Results") -> pd.DataFrame:
    """Return a row a task and optimizer on all rows: how far its first update moves a coordinate at most, beside the way from start to minimiser."""
    rows = []
    for task in quadratics(results):
        for name, runs in best_runs(results, task) if pd.isna(task["batch_size"]) else ():
            run = runs.iloc[0]
            if run["optimizer._target_"] in theory.FIRST_MOVES and pd.isna(run.get("schedule._target_")):
                rows.append({"task": task["task"], "optimizer": name, **_first_step(task, run)})
    return pd.DataFrame(rows)


def _first_step(task: pd.Series, run: pd.Series) -> dict[str, float]:
    (c,) = starts(task, pd.Series([run["seed"]]))
    V = np.array(task["eigenvectors"]).reshape(task["rank"], task["p"])
    names = [name for name in run.index if name.startswith("optimizer.") and not name.endswith("._target_")]
    given = {
        name.partition(".")[2]: run[name]
        for name in names
        if isinstance(run[name], tuple) or pd.notna(run[name])
    }
    w = _start(task, run["seed"])
    moves = theory.first_step(run["optimizer._target_"], V.T @ (spectrum(task) * c), w, given)
    return {
        "lr": run["lr"],
        "largest move": float(moves.max()),
        "way to go": float(np.abs(w - np.array(task["w_star"])).max()),
    }


# ---- what tuning could have found


def baselines(results: "Results") -> pd.DataFrame:
    """Return a row a task and method: its gap after the task's budget, geometric mean over the starts, and the lr and momentum (medians).

    "Oracle at this budget" are the constants that minimise the closed-form gap at this very budget from this very start: what tuning could at best
    have found. Gradient descent's are certain, heavy ball's the best of a search over a landscape of many minima. Conjugate gradients are what any
    method could that steps along gradients; the asymptotically best constants are what the textbooks give.
    """
    rows: list[dict[str, Any]] = []
    for task in quadratics(results):
        runs = results.reported[results.reported["task"] == task["task"]]
        if pd.isna(task["batch_size"]):
            rows += [
                {"task": task["task"], **row}
                for row in _baselines(task, starts(task, runs["seed"])[:MOST_STARTS], int(task["steps"]))
            ]
    return pd.DataFrame(rows)


def _baselines(task: pd.Series, c: np.ndarray, steps: int) -> Iterator[dict[str, Any]]:
    c = c[np.any(c != 0, axis=1)]  # from the minimiser itself there is nothing to find
    if not len(c):
        return
    eigenvalues, ends = spectrum(task), _ends(task)
    polyak, best = theory.asymptotic_heavy_ball(*ends), theory.asymptotic_gradient_descent(*ends)
    settings = {
        "gradient descent, oracle at this budget": (
            theory.best_gradient_descent(eigenvalues, c, steps),
            np.zeros(len(c)),
        ),
        "heavy ball, oracle at this budget": theory.best_heavy_ball(eigenvalues, c, steps),
        "gradient descent, asymptotically best": (np.full(len(c), best.lr), np.zeros(len(c))),
        "heavy ball, asymptotically best": (np.full(len(c), polyak.lr), np.full(len(c), polyak.momentum)),
    }
    for method, (lr, momentum) in settings.items():
        gaps = [
            theory.heavy_ball(eigenvalues, *one)[-1]
            for one in zip(c, [steps] * len(c), lr, momentum, strict=True)
        ]
        yield {
            "method": method,
            "lr": float(np.median(lr)),
            "momentum": float(np.median(momentum)),
            "gap": _mean(task, gaps),
        }
    least = _floors(eigenvalues, c, min(steps, 2 * len(eigenvalues)))[:, -1]
    yield {"method": "conjugate gradients", "lr": np.nan, "momentum": np.nan, "gap": _mean(task, least)}


def _mean(task: pd.Series, gaps) -> float:
    return float(geometric_mean(np.maximum(gaps, task["gap_floor"])[None])[0])


# ---- alarm


def alarms(results: "Results") -> list[str]:
    """Return a sentence for each optimizer of which a run is better than conjugate gradients: an impossible curve, so code or data are wrong."""
    impossible = []
    for task in quadratics(results):
        runs = results.entries[results.entries["task"] == task["task"]].drop_duplicates("run_id")
        runs = runs[spans_gradients(runs)]
        parts = [runs.iloc[first : first + MOST_READ] for first in range(0, len(runs), MOST_READ)]
        impossible += [_impossible(task, part, results.curves_of(part["run_id"])) for part in parts]
    return (
        [_alarm(name, rows) for name, rows in pd.concat(impossible).groupby("name", sort=False)]
        if impossible
        else []
    )


def _impossible(task: pd.Series, runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Return the recorded states below conjugate gradients, with task, name, setting and seed of the run and the `least` that is possible."""
    count = int(min(runs["evaluations"].max(), 2 * task["rank"]))
    possible = _floors(spectrum(task), starts(task, runs["seed"]), count)
    rows = curves.merge(runs[["run_id", "task", "name", "setting", "seed"]], on="run_id")
    which = (
        pd.Index(runs["seed"].unique()).get_indexer(rows["seed"])
        if task["init"] == "torch"
        else np.zeros(len(rows), dtype=int)
    )
    least = possible[which, np.minimum(rows["evaluations"].astype(int), count)]
    return rows.assign(least=least)[(rows["gap"] < BELOW * least) & (rows["gap"] > CLEAR * task["gap_floor"])]


def _alarm(name: object, states: pd.DataFrame) -> str:
    """Write of how many runs of an optimizer some state is too low, and which is the lowest for what is possible there."""
    worst = states.iloc[(states["gap"] / states["least"]).argmin()]
    runs, tasks = counted(states["run_id"].nunique(), "run"), listed(list(states["task"].unique()))
    return (
        f"ALARM: {runs} of {name}, on {tasks}, came lower than any method of its kind can. {named(str(name), worst['setting'])} on {worst['task']}, "
        f"seed {worst['seed']}, has gap {number(worst['gap'])} at step {worst['step']}, where {number(worst['least'])} is the least possible: "
        f"lrbench, this optimizer or the stored data are wrong."
    )
