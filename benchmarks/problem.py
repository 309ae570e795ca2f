"""Solving a large problem against numpy.linalg.lstsq on the same data, each in processes of its own, in turn.

lrbench standardizes the data and finds the minimiser, the infimum and the whole spectrum, on one thread, so
that the bits do not depend on how many there are. numpy finds the minimiser and the singular values of the
data as they are, on as many threads as it likes. Half of the columns are normal numbers, half are dummies;
where they are badly scaled, their sizes are up to twelve decades apart. The processes make their data before
the clock starts; their memory counts.

python benchmarks/problem.py [--quick]
"""

import sys
from collections.abc import Iterator
from time import perf_counter

import numpy as np
from measure import child
from table import Table, digits, main, percent

SIZES = [(327_346, 127), (20_000, 500)]
QUICK = [(2_000, 20)]
REPETITIONS = 5
COLUMNS = {"normal": 0, "badly scaled": 12}  # decades between their sizes


def made(n: int, d: int, decades: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X (n, d) and y (n,)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    X[:, d // 2 :] = X[:, d // 2 :] > 1
    y = X @ rng.standard_normal(d) + rng.standard_normal(n)
    X *= 10 ** np.linspace(-decades / 2, decades / 2, d)
    return X, y


def numpy(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    A = np.column_stack([X, np.ones(len(y))])
    return A @ np.linalg.lstsq(A, y, rcond=0)[0]


def lrbench(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    data = scaled(Data(X, y, True, tuple(f"x_{j}" for j in range(X.shape[1])), "y", standardize=True), True)
    w = data.to_units(solve(data, lookup({"_target_": "torch.nn.MSELoss"})).w_star)
    return X @ w[:-1] + w[-1]


COMPETITORS = {"lrbench": lrbench, "numpy": numpy}


def measured(n: int, d: int, decades: int, repetitions: int) -> dict[str, np.ndarray]:
    """Return wall seconds, bytes and the size of the residual (repetitions, 3) of each."""
    taken = {name: np.empty((repetitions, 3)) for name in COMPETITORS}
    for repetition in range(repetitions):
        for name, rows in taken.items():
            (_, _, memory), printed = child([sys.executable, __file__, name, str(n), str(d), str(decades)])
            seconds, residual = map(float, printed.split())
            rows[repetition] = seconds, memory, residual
    return taken


def tables(quick: bool) -> Iterator[Table]:
    rows = []
    for n, d in QUICK if quick else SIZES:
        for columns, decades in COLUMNS.items():
            taken = measured(n, d, decades, 1 if quick else REPETITIONS)
            (ours, memory, residual), (theirs, memory_of_theirs, least) = (
                np.median(of, axis=0) for of in taken.values()
            )
            spread = max(np.ptp(of[:, 0]) / np.median(of[:, 0]) for of in taken.values())
            numbers = [
                ours / theirs,
                memory / memory_of_theirs,
                ours,
                theirs,
                memory / 1e9,
                memory_of_theirs / 1e9,
            ]
            rows.append(
                [
                    str(n),
                    str(d),
                    columns,
                    *map(digits, numbers),
                    f"{residual / least - 1:.0e}",
                    percent(spread),
                ]
            )
    header = [
        "n",
        "d",
        "columns",
        "time ratio",
        "memory ratio",
        "lrbench s",
        "numpy s",
        "lrbench GB",
        "numpy GB",
        "|r| over numpy's - 1",
        "spread %",
    ]
    yield Table(
        "Solving a problem",
        header,
        rows,
        "Wall time and the most memory of a process over numpy's: below 1, lrbench takes less.",
    )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMPETITORS:
        if sys.argv[1] == "lrbench":
            from lrbench.losses import lookup
            from lrbench.problems.data import Data, scaled
            from lrbench.problems.solve import solve
        X, y = made(*map(int, sys.argv[2:]))
        start = perf_counter()
        fitted = COMPETITORS[sys.argv[1]](X, y)
        print(perf_counter() - start, np.linalg.norm(y - fitted))
    else:
        main(tables, __doc__)
