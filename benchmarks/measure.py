"""Competitors side by side: one after the other, again and again.

So what else the machine does meets them all alike.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SECONDS = 0.1  # a measurement takes at least about this long: what is shorter is called several times


@dataclass(frozen=True)
class Job:
    """What a competitor does.

    Attributes:
        act: the work; what `prepare` returns are its arguments.
        units: how much of it there is in one call, in run-steps or runs.
        prepare: what each call needs and no clock counts.
    """

    act: Callable[..., Any]
    units: float
    prepare: Callable[[], tuple] = tuple

    def seconds(self, calls: int = 1) -> np.ndarray:
        """Return CPU (of all threads) and wall seconds of one call, (2,)."""
        total = np.zeros(2)
        for _ in range(calls):
            arguments = self.prepare()
            start = _clocks()
            self.act(*arguments)
            total += _clocks() - start
        return total / calls


def _clocks() -> np.ndarray:
    return np.array([time.process_time(), time.perf_counter()])


@dataclass(frozen=True)
class Times:
    """Seconds a unit: CPU and wall (repetitions,)."""

    cpu: np.ndarray
    wall: np.ndarray
    memory: np.ndarray = field(default_factory=lambda: np.zeros(0))  # bytes, of whole processes

    @property
    def spread(self) -> float:
        """Largest less smallest CPU time, over the median."""
        return float(np.ptp(self.cpu) / np.median(self.cpu))


def interleaved(jobs: Mapping[str, Job], repetitions: int, seconds: float = SECONDS) -> dict[str, Times]:
    """Time all jobs in turn, `repetitions` times; each is warmed up first."""
    calls = {name: _calls(job, seconds) for name, job in jobs.items()}
    taken = {name: np.empty((repetitions, 2)) for name in jobs}
    for repetition in range(repetitions):
        for name, job in jobs.items():
            taken[name][repetition] = job.seconds(calls[name]) / job.units
    return {name: Times(*times.T) for name, times in taken.items()}


def _calls(job: Job, seconds: float) -> int:
    """Return how many calls take so long. The first compiles, so another is timed where it seems short."""
    if job.seconds()[1] > seconds:
        return 1
    return int(np.ceil(seconds / job.seconds()[1]))


def processes(commands: Mapping[str, Callable[[], Sequence[str]]], repetitions: int) -> dict[str, Times]:
    """Time whole processes in turn, `repetitions` times.

    Each command is made anew, and run once before where it is to be timed more than once.
    """
    taken = {name: np.empty((repetitions, 3)) for name in commands}
    for repetition in range(-(repetitions > 1), repetitions):
        for name, command in commands.items():
            taken[name][repetition], _ = child(command())  # -1 is overwritten by the last
    return {name: Times(*times.T) for name, times in taken.items()}


def child(command: Sequence[str]) -> tuple[np.ndarray, str]:
    """Run a process to its end; return (3,) what it took, and what it printed.

    It took CPU seconds, wall seconds and, at its most, bytes of memory.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    wall = time.perf_counter() - start
    memory = usage.ru_maxrss * 1024
    return np.array([cpu, wall, memory]), printed
