"""Tables and verdict of 100,000 runs against training them, each in a process of its own, in turn.

Train is `lrbench.bench.run.run_sweep`: plan, train, store; record=50. Answer is what is made of the stored
result set: every table, test, sentence and warning. Imports count in neither. Wide is one problem with many
learning rates, long many problems with few.

python benchmarks/tables.py [--quick]
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from measure import child
from table import Table, digits, main, percent

OPTIMIZERS = "sgd,sgd_momentum,sgd_nesterov,adam,adamax,nadam,radam,rmsprop,adagrad,adadelta"
COMMON = ["record=50", "steps=500", "report=false", f"optimizer={OPTIMIZERS}", "seed=range(10)"]
SWEEPS = {
    "wide": [
        "problem=diabetes",
        "optimizer.lr=" + ",".join(f"{lr:.4g}" for lr in np.geomspace(1e-4, 10, 1000)),
    ],
    "long": [
        "problem=synthetic",
        "problem.seed=range(100)",
        "optimizer.lr=" + ",".join(f"{lr:.4g}" for lr in np.geomspace(1e-4, 10, 10)),
    ],
}
QUICK = {"quick": ["problem=lecture", "optimizer.lr=0.001,0.01,0.1"]}
REPETITIONS = 3
TABLES = (
    "ranking",
    "pairwise",
    "across",
    "sensitivity_table",
    "targets",
    "success",
    "competence",
    "budget_curve",
    "costs",
)


def train(folder: str, lines: list[str]) -> None:
    from lrbench.bench.run import run_sweep
    from lrbench.sweeper.request import read

    start = perf_counter()
    run_sweep(read([*COMMON, *lines, f"results_dir={folder}", "name=runs"], multirun=True))
    print(perf_counter() - start)


def answer(folder: str) -> None:
    from lrbench.results import load
    from lrbench.results.words.verdict import headline
    from lrbench.results.words.warnings import warnings

    start = perf_counter()
    results = load(Path(folder) / "runs")
    for name in TABLES:
        getattr(results, name)
    headline(results), warnings(results)
    print(perf_counter() - start)


def measured(lines: list[str], repetitions: int) -> dict[str, np.ndarray]:
    """Return wall seconds and bytes (repetitions, 2) of both."""
    taken = {"train": np.empty((repetitions, 2)), "answer": np.empty((repetitions, 2))}
    for repetition in range(repetitions):
        with tempfile.TemporaryDirectory() as folder:
            for what, rows in taken.items():
                (_, _, memory), printed = child([sys.executable, __file__, what, folder, *lines])
                rows[repetition] = float(printed.split()[-1]), memory
    return taken


def tables(quick: bool) -> Iterator[Table]:
    rows = []
    for name, lines in (QUICK if quick else SWEEPS).items():
        taken = measured(lines, 1 if quick else REPETITIONS)
        (training, _), (answering, memory) = (np.median(of, axis=0) for of in taken.values())
        spread = max(np.ptp(of[:, 0]) / np.median(of[:, 0]) for of in taken.values())
        rows.append(
            [name, *map(digits, [answering / training, training, answering, memory / 2**30]), percent(spread)]
        )
    header = ["sweep", "time ratio", "train s", "answer s", "answer GiB", "spread %"]
    yield Table("Tables and verdict", header, rows, "Below 1, answering takes less wall time than training.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        train(sys.argv[2], sys.argv[3:])
    elif sys.argv[1:2] == ["answer"]:
        answer(sys.argv[2])
    else:
        main(tables, __doc__)
