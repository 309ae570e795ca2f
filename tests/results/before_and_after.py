"""Two stores by hand, before and after a change. In a test module: `from before_and_after import OF_A,
OF_B, store`.
"""

import math
from pathlib import Path

from conftest import LECTURE, run, stored

from lrbench.results import Results

INF = math.inf
OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


def store(root: Path, rows: list[dict], **manifest) -> Results:
    problems = (LECTURE | {"problem": rows[0]["problem"]}, OTHER)
    return stored(root, *rows, problems=problems, **{"name": root.name, **manifest})


def runs(optimizer: str, gaps, **changes) -> list[dict]:
    """A run a seed; inf is a diverged one."""
    rows = []
    for seed, gap in enumerate(gaps):
        status = "completed" if math.isfinite(gap) else "diverged"
        rows.append(run(optimizer, gap, seed=seed, status=status, **changes))
    return rows


# sgd: the setting that A chose, and one more of each; adam: no setting in common; rprop: a seed is lost in B,
# and a rate more there; lost: two of three seeds are, in both
OF_A = [
    *runs("sgd", [1e-3, 2e-3, 1.5e-3], lr=0.1),
    *runs("sgd", [2.0, 3.0, 4.0], lr=0.2),
    *runs("adam", [3e-8, 5e-7, 2e-7], lr=0.1),
    *runs("adam", [1e-2, 2e-2, 9e-3], lr=0.01),
    *runs("rprop", [1e-5, 2e-5, 7e-6], lr=0.1),
    *runs("lost", [1e-2, INF, INF], lr=0.1),
]


OF_B = [
    *runs("sgd", [2.1e-3, 4.4e-3, 2.9e-3, 9.0], lr=0.1),
    *runs("sgd", [1e-4, 1e-4, 1e-4, 1e-4], lr=0.3),
    *runs("adam", [2e-6, 8e-6, 1.7e-5], lr=0.3),
    *runs("adam", [INF, 1.0, 2.0], lr=3.0),
    *runs("rprop", [1e-5, INF, 7e-6], lr=0.1),
    *runs("lost", [1.1e-2, INF, INF], lr=0.1),
    *runs("rprop", [1.0, 2.0, 3.0], lr=0.5),
]


SHOWN = {
    "sgd": (OF_A[:3], OF_B[:3]),
    "adam": (OF_A[6:9], OF_B[8:11]),
    "rprop": (OF_A[12:15], OF_B[14:17]),
    "lost": (OF_A[15:18], OF_B[17:20]),
}


def gaps(rows: list[dict]) -> list[float]:
    return [row["final_gap"] for row in rows]
