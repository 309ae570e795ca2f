"""A store by hand in which every section and every figure of the report has something to show.

In a test module: `from whole import whole`.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from conftest import LECTURE, MANIFEST, ROLES, TUNE, block, counts, opened, store_runs, tuned

from lrbench.results import Results
from lrbench.store import ResultStore

TURN = 0.3
PROBLEM = LECTURE | {
    "quadratic": True,
    "eigenvectors": [np.cos(TURN), np.sin(TURN), -np.sin(TURN), np.cos(TURN)],
    "w_true": [2.1, 0.1],
    "settings": '{"noise": 0.25}',
    "note": "by hand",
}
STEPS = [0, 1, 3, 8]
START = np.array([0.5, -1.0])
WAYS = {  # weights (K, 2) at STEPS
    "adam": np.array([START, [1.0, -0.4], [2.1, 0.2], [1.95, 0.0]]),
    "sgd": np.array([START, [1.2, -0.3], [1.8, 0.1], [1.99, 0.01]]),
    "rprop": np.array([START, [3.0, 0.5], [-4.0, -2.0], [9.0, 5.0]]),
}
INF = np.inf
# lr -> gaps on the tuning seeds
SGD = {
    0.001: [1e-1, 1e-1],
    0.01: [1e-2, 1e-1],
    0.1: [1e-5, 1e-6],
    1.0: [1e-3, INF],
    10.0: [INF, INF],
}
RPROP = {5.0: [1e-1, 1e-2], 50.0: [1e-4, 1e-3], 0.5: [INF, INF]}
FAILING = 0.5  # the lr at which rprop fails
# gaps on the evaluation seeds
BEST = {"adam": [1e-7, 1e-8, 3e-9], "sgd": [2e-5, 1e-6, 4e-6], "rprop": [3e-3, 4e-3, INF]}


def whole(root: Path, problems: int = 6) -> Results:
    """Three optimizers, tuned, on so many problems, one of them at two budgets; each has a default, some lose
    seeds, and one fails at a rate.
    """
    names = [f"p{k}" for k in range(problems)]
    tasks = [{"problem_id": name, "problem": name} for name in names]
    tasks.append(tasks[0] | {"steps": 16})
    pairs = [pair for k, task in enumerate(tasks) for pair in competitors(task, 1 + k / 10)]
    rows = {row["run_id"]: row for row, _ in pairs}
    store = ResultStore(root)
    store.write_roles(pa.Table.from_pylist([role for _, role in pairs], ROLES))
    store_runs(store, rows.values())
    stored_problems = [PROBLEM | {"problem_id": name, "problem": name} for name in names]
    store.write_problems(pa.Table.from_pylist(stored_problems))
    made = {"tune": TUNE, "counts": counts(rows.values()), "warnings": ["Busy machine."]}
    made |= {"blocks": list(map(block, names))}
    store.write_manifest(MANIFEST | made)
    shown = opened(root).reported.drop_duplicates(["task", "optimizer"])
    paths = []
    for run_id, optimizer in shown[["run_id", "optimizer"]].itertuples(index=False):
        paths.append({"run_id": run_id, "step": STEPS, "weights": WAYS[optimizer].ravel().tolist()})
    store.write_paths(pa.Table.from_pylist(paths))
    return opened(root)


def competitors(task: dict, factor: float) -> list[tuple]:
    """The (run, role) pairs of a task, gaps times `factor`."""
    # a start above what theory allows from any
    task = task | {"start_gap": 1e6, "evaluations": float(task.get("steps", 8))}
    best = {name: [factor * gap for gap in gaps] for name, gaps in BEST.items()}
    adam = {lr: [gap / 9 for gap in gaps] for lr, gaps in SGD.items()}
    pairs = tuned("adam", adam, best["adam"], [1e-2, 2e-2, 4e-2], target_="torch.optim.Adam", hit=5, **task)
    pairs += tuned("sgd", SGD, best["sgd"], [1e-1, INF, 2e-1], momentum=0.0, hit=7, **task)
    rprop = tuned("rprop", RPROP, best["rprop"], [1.0, 2.0, 3.0], target_="torch.optim.Rprop", **task)
    for row, _ in rprop:
        if row["optimizer.lr"] == FAILING:
            row |= {"status": "failed", "reason": "RuntimeError: out of range", "weights": None}
    return [*pairs, *rprop]
