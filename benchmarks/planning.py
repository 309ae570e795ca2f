"""Planning a sweep against Hydra composing each of its jobs: CPU seconds in one process, and the ratio a run.

python benchmarks/planning.py
"""

import time

from hydra.types import RunMode

from lrbench.plan import plan
from lrbench.sweeper.compose import hydra_session
from lrbench.sweeper.request import read

LINES = ["optimizer=sgd,adam", "optimizer.lr=range(1,51)", "seed=range(100)"]  # 10,000 runs
JOBS = 20


def cpu(act) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


def hydra_jobs() -> None:
    with hydra_session() as loader:
        for seed in range(JOBS):
            loader.load_configuration("config", ["optimizer=adam", "optimizer.lr=0.1", f"seed={seed}"], RunMode.RUN)


if __name__ == "__main__":
    hydra_jobs()  # warm
    jobs, runs = cpu(hydra_jobs), len(plan(read(LINES, multirun=True).blocks))
    planning = cpu(lambda: plan(read(LINES, multirun=True).blocks))
    print(f"lrbench plans {runs} runs in {planning:.2f} s; Hydra composes {JOBS} jobs in {jobs:.2f} s")
    print(f"a run: {jobs / JOBS / (planning / runs):.0f} times faster")
