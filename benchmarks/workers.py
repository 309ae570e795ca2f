"""Threads against worker processes: whole commands, from their first import on, in turn.

Torch's own loops hold the interpreter's lock, so that executor=local trains them on one core; compiled chunks
let go of it. A worker has to start and to import torch first. All cores of the machine are used, and the time
is that of the wall.

python benchmarks/workers.py [--quick]
"""

import sys
import tempfile
from collections.abc import Iterator

import numpy as np
from measure import processes
from table import Table, digits, main, percent

from lrbench.workers import processors

REPETITIONS = 5
EXECUTORS = ("local", "processes", "auto")
SWEEPS = {
    "40 LBFGS": ["optimizer=lbfgs", "problem=synthetic", "seed=range(40)"],
    "160 LBFGS": ["optimizer=lbfgs", "problem=synthetic", "seed=range(160)"],
    "10 Adafactor": ["optimizer=adafactor", "seed=range(10)"],
    "100,000 Adam, fused": [
        "optimizer=adam",
        "problem=synthetic",
        "record=50",
        "optimizer.lr=" + ",".join(f"{lr:.4g}" for lr in np.geomspace(1e-3, 1, 1000)),
        "seed=range(100)",
    ],
}
QUICK = {"4 LBFGS": ["optimizer=lbfgs", "seed=range(4)", "steps=20"]}


def command(lines: list[str], executor: str, folder: str) -> list[str]:
    place = f"results_dir={tempfile.mkdtemp(dir=folder)}"
    return [sys.executable, "-m", "lrbench", "-m", *lines, "report=false", f"executor={executor}", place]


def row(name: str, lines: list[str], repetitions: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            executor: lambda executor=executor: command(lines, executor, folder) for executor in EXECUTORS
        }
        times = processes(commands, repetitions)
    local, in_processes, auto = (np.median(times[executor].wall) for executor in EXECUTORS)
    spread = max(np.ptp(of.wall) / np.median(of.wall) for of in times.values())
    return [
        name,
        *map(digits, [local / in_processes, local / auto, local, in_processes, auto]),
        percent(spread),
    ]


def tables(quick: bool) -> Iterator[Table]:
    sweeps = QUICK if quick else SWEEPS
    rows = [row(name, lines, 1 if quick else REPETITIONS) for name, lines in sweeps.items()]
    header = ["sweep", "local/processes", "local/auto", "local s", "processes s", "auto s", "spread %"]
    reading = "Above 1, worker processes (what auto chooses) are so many times faster than executor=local."
    yield Table(f"Whole commands on {processors()} cores", header, rows, reading)


if __name__ == "__main__":
    main(tables, __doc__)
