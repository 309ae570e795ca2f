"""Whole sweeps, with planning and the store, and whole commands, from their first import on.

    calls        `lrbench.sweep` in a process that is warm, against the lecture's loop in torch on a few of
                 its runs
    size         a million runs against a hundred thousand, each in a process of its own: what a run costs,
                 and the memory
    start        the command for two optimizers against importing what it stands on
    command      4 optimizers x 5 learning rates x 5 seeds with store, figures and report, against
                 plain_torch.py

What is compared runs in turn. CPU time counts all threads.

python benchmarks/sweep.py [--quick]
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measure import Job, Times, child, interleaved, processes
from table import Table, digits, main, percent

REPETITIONS = 7
STEPS, RECORD = 500, 50
IMPORTS = "import numba, hydra, pyarrow"
COMMAND = [
    "problem=synthetic",
    "optimizer=sgd,sgd_momentum,rmsprop,adam",
    "optimizer.lr=0.01,0.03,0.1,0.3,1",
    "seed=range(5)",
]
IN_A_CHILD = """
import json, sys, time
import lrbench
lines = json.loads(sys.argv[1])
lrbench.sweep(*lines, "seed=0", "name=warm")
wall, cpu = time.perf_counter(), time.process_time()
lrbench.sweep(*lines, sys.argv[2], "name=all")
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


def lines(optimizer: str, lrs: int, folder: str) -> list[str]:
    """Write a request of 500 steps at d = 2 that is stored without a report."""
    rates = np.geomspace(0.01, 1, lrs).tolist()
    problem = ["problem=synthetic", "problem.d=2", f"steps={STEPS}", f"record={RECORD}", "report=false"]
    return [
        *problem,
        f"optimizer={optimizer}",
        f"optimizer.lr={','.join(map(repr, rates))}",
        f"results_dir={folder}",
    ]


# ---- calls


def sweep_once(optimizer: str, lrs: int, seeds: int) -> None:
    import lrbench

    with tempfile.TemporaryDirectory() as folder:
        lrbench.sweep(*lines(optimizer, lrs, folder), f"seed=range({seeds})")


def calls(lrs: int, seeds: int, repetitions: int) -> Table:
    """A sweep with its store against the loop, as a ratio of what a run costs."""
    import torch_peers
    from case import Case, Planned

    rows = []
    for optimizer in ("sgd", "adam"):
        planned, runs = Planned(Case(optimizer, 2, 100, steps=STEPS)), lrs * seeds
        loop = Job(lambda planned=planned: [torch_peers.loop(planned, run) for run in (20, 40, 60)], 3)
        sweep = Job(lambda optimizer=optimizer: sweep_once(optimizer, lrs, seeds), runs)
        times = interleaved({"sweep": sweep, "loop": loop}, repetitions)
        rows.append([optimizer, str(runs), *compared(times["sweep"], times["loop"], scale=1e6)])
    header = ["opt", "R", *compared_header("sweep us", "loop us")]
    title, reading = (
        "lrbench.sweep with its store against the loop of torch, a run",
        "Ratios say how many times cheaper a run of the sweep is.",
    )
    return Table(title, header, rows, reading)


def compared(ours: Times, theirs: Times, scale: float = 1) -> list[str]:
    """Write theirs over ours in CPU and wall time, then CPU time, wall time and spread of both."""
    ratios = [np.median(theirs.cpu) / np.median(ours.cpu), np.median(theirs.wall) / np.median(ours.wall)]
    seconds = [scale * np.median(clock) for of in (ours, theirs) for clock in (of.cpu, of.wall)]
    return [*map(digits, [*ratios, *seconds]), percent(max(ours.spread, theirs.spread))]


def compared_header(ours: str, theirs: str) -> list[str]:
    return ["CPU ratio", "wall ratio", f"{ours} CPU", "wall", f"{theirs} CPU", "wall", "spread %"]


# ---- size


def size(few: int, many: int, seeds: int, repetitions: int) -> Table:
    """A sweep of many runs against one of few, in turn.

    Each runs in a fresh process that has trained before the clock starts.
    """
    taken = {runs: np.empty((repetitions, 3)) for runs in (few, many)}
    for repetition in range(repetitions):
        for runs, of_runs in taken.items():
            of_runs[repetition] = in_a_child(runs, seeds)
    medians = {runs: np.median(of_runs, axis=0) for runs, of_runs in taken.items()}
    ratio = medians[many] / medians[few]
    rows = [
        [str(runs), *map(digits, (1e6 * cpu, 1e6 * wall, memory / 2**20))]
        for runs, (cpu, wall, memory) in medians.items()
    ]
    rows.insert(0, ["ratio", *map(digits, ratio)])
    spread = max(np.ptp(of_runs[:, 0]) / np.median(of_runs[:, 0]) for of_runs in taken.values())
    reading = f"Near 1, a run costs the same however many there are; CPU times spread by {percent(spread)} %."
    return Table("What a run of a large sweep costs", ["R", "CPU us", "wall us", "peak MiB"], rows, reading)


def in_a_child(runs: int, seeds: int) -> np.ndarray:
    """Return CPU and wall seconds a run, and the most memory of the process."""
    with tempfile.TemporaryDirectory() as folder:
        request = json.dumps(lines("sgd", runs // seeds, folder))
        (_, _, memory), printed = child([sys.executable, "-c", IN_A_CHILD, request, f"seed=range({seeds})"])
    return np.array([*(float(seconds) / runs for seconds in printed.split()[-2:]), memory])


# ---- whole commands


def command(folder: str, *overrides: str) -> list[str]:
    return [sys.executable, "-m", "lrbench", "-m", *overrides, f"results_dir={tempfile.mkdtemp(dir=folder)}"]


def start(repetitions: int) -> Table:
    imports = [sys.executable, "-c", IMPORTS]
    with tempfile.TemporaryDirectory() as folder:
        times = processes(
            {
                "imports": lambda: imports,
                "lrbench": lambda: command(folder, "optimizer=sgd,adam", "report=false"),
            },
            repetitions,
        )
    row = compared(times["imports"], times["lrbench"])
    reading = f"The command takes so many times what `{IMPORTS}` alone takes; seconds."
    return Table(
        "lrbench -m optimizer=sgd,adam report=false, warm cache",
        compared_header("imports", "lrbench"),
        [row],
        reading,
    )


def whole_command(steps: int, repetitions: int) -> Table:
    """The whole command against a script that trains the same runs and draws one figure of them."""
    with tempfile.TemporaryDirectory() as folder:
        plain = [
            sys.executable,
            str(Path(__file__).with_name("plain_torch.py")),
            f"{folder}/figure.png",
            str(steps),
        ]
        times = processes(
            {"lrbench": lambda: command(folder, *COMMAND, f"steps={steps}"), "plain": lambda: plain},
            repetitions,
        )
    row = [
        *compared(times["lrbench"], times["plain"]),
        *(digits(np.median(of.memory) / 2**20) for of in times.values()),
    ]
    header = [*compared_header("lrbench", "torch"), "MiB", "torch MiB"]
    reading = (
        "Ratios say how many times faster lrbench is, with its store, figures and report; seconds of whole "
        "processes."
    )
    return Table("4 optimizers x 5 learning rates x 5 seeds against plain_torch.py", header, [row], reading)


def tables(quick: bool) -> Iterator[Table]:
    repetitions = 1 if quick else REPETITIONS
    yield size(
        *((1000, 2000, 100) if quick else (100_000, 1_000_000, 1000)), min(repetitions, 5)
    )  # first: a child's peak is at least its parent's
    yield start(repetitions)
    yield whole_command(20 if quick else STEPS, repetitions)
    yield calls(10 if quick else 100, 100, repetitions)


if __name__ == "__main__":
    main(tables, __doc__)
