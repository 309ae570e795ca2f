"""Paths by hand, on quadratic problems of one, two and four parameters. In a test module: `from walks
import TWO, walker`.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from conftest import LECTURE, Write, run

from lrbench.results.tables.sweep import Sweep

TURN = 0.3
V = np.array([[np.cos(TURN), np.sin(TURN)], [-np.sin(TURN), np.cos(TURN)]])
TWO = LECTURE | {"quadratic": True, "eigenvectors": V.ravel().tolist()}
ONE = TWO | {
    "p": 1,
    "rank": 1,
    "intercept": False,
    "w_star": [2.0],
    "eigenvalues": [4.0],
    "eigenvectors": [-1.0],
}
V4 = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
FOUR = TWO | {
    **{"d": 3, "p": 4, "rank": 4, "w_star": [1.0, -1.0, 2.0, 0.0], "eigenvalues": [8.0, 4.0, 2.0, 0.5]},
    **{"eigenvectors": V4.ravel().tolist(), "features": ["a", "b", "c"]},
}
START = np.array([0.5, -1.0])
DOWN = np.array([START, [1.0, -0.4], [2.1, 0.2], [1.95, 0.0]])
AWAY = np.array([START, [3.0, 0.5], [-4.0, -2.0], [9.0, 5.0]])
BACK = np.array([START, [30.0, -9.0], [2.0, 0.1], [2.0, 0.0]])
STOPPED = np.array([START, [1.0, -0.4], [np.nan, np.nan], [np.nan, np.nan]])
STEPS = [0, 1, 3, 8]


def walker(write: Write) -> Callable[..., Sweep]:
    """walk({optimizer: weights (K, p)}, problems, steps) -> Sweep: each optimizer's path on each problem;
    the first one ranks best.
    """

    def walked(paths, *problems, steps=STEPS):
        tasks = [problem | {"problem_id": f"p{k}", "problem": f"p{k}"} for k, problem in enumerate(problems)]
        rows = [
            run(name, 10.0 ** (i - 4), problem_id=task["problem_id"], problem=task["problem"])
            for task in tasks
            for i, name in enumerate(paths)
        ]
        results = write(*rows, problems=tuple(tasks))
        traced = [
            {"run_id": row["run_id"], "step": steps, "weights": np.ravel(paths[row["optimizer"]]).tolist()}
            for row in rows
        ]
        results.store.write_paths(pa.Table.from_pylist(traced))
        return results

    return walked
