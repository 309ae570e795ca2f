"""Planning a sweep against Hydra composing each of its jobs, in one process.

python benchmarks/planning.py [--quick]
"""

from collections.abc import Iterator

import numpy as np
from hydra.types import RunMode
from measure import Job, interleaved
from table import Table, digits, main, percent

from lrbench.plan import plan
from lrbench.sweeper.compose import hydra_session
from lrbench.sweeper.request import read

REPETITIONS = 7
LINES = ["optimizer=sgd,adam", "optimizer.lr=range(1,51)", "seed=range(100)"]
RUNS = 10_000
JOBS = 20


def hydra_jobs() -> None:
    with hydra_session() as loader:
        for seed in range(JOBS):
            loader.load_configuration(
                "config", ["optimizer=adam", "optimizer.lr=0.1", f"seed={seed}"], RunMode.RUN
            )


def planned() -> None:
    assert len(plan(read(LINES, multirun=True).blocks)) == RUNS


def tables(quick: bool) -> Iterator[Table]:
    times = interleaved(
        {"lrbench": Job(planned, RUNS), "Hydra": Job(hydra_jobs, JOBS)}, 1 if quick else REPETITIONS
    )
    us = {name: 1e6 * np.median(of.cpu) for name, of in times.items()}
    row = [
        str(RUNS),
        *map(digits, [us["Hydra"] / us["lrbench"], *us.values()]),
        percent(max(of.spread for of in times.values())),
    ]
    reading = f"Planning a run takes so many times less than composing a job, of which {JOBS} were."
    yield Table("Planning, a run", ["R", "CPU ratio", "lrbench us", "Hydra us", "spread %"], [row], reading)


if __name__ == "__main__":
    main(tables, __doc__)
