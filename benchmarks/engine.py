"""The fused engine against other ways to train the same runs, in one process, all on one thread, in turn.

    fused      the engine as a sweep uses it: tables, packing, the compiled kernel, unpacking
    kernel     the compiled kernel alone
    C          the same algorithm by hand: kernel.c, at the width of a tile that suits it best; its numbers
               must be those of the kernel
    optax      JAX: vmap over runs of a scan over steps, compiled before; the faster of two ways to write it
    +compile   the same with its compilation
    batched    eager torch, all runs as rows of one tensor
    loop       the lecture's loop in torch: nn.Linear, MSELoss, torch.optim; one run
    mm         torch.mm of the Hessian and all runs: the arithmetic of half a step, without R's triangle

fused, kernel and C compute the gap and look for first hits, peak and divergence at every step; optax and
batched compute it at the recorded steps alone; loop and mm do not. Costs are per run and step, so that those
who train fewer runs can be compared. Learning rates differ between runs.

python benchmarks/engine.py [--quick]
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import c_kernel
import numpy as np
from case import Case, Planned, copied, run_kernel
from measure import Job, Times, interleaved
from table import Table, digits, main, percent

from lrbench.workers import processors

try:
    import optax_peer
except ImportError:
    optax_peer = None
import torch
import torch_peers

REPETITIONS = 7
PEERS = ("loop", "batched", "optax", "+compile", "C", "mm", "kernel")
BOTH = ("sgd", "adam")
DTYPES = ("float64", "float32")
SIZES = ((2, 10_000, 500), (10, 10_000, 500), (100, 1000, 500))  # d, runs, steps

CASES = [
    *(
        Case(optimizer, d, runs, dtype=dtype, steps=steps)
        for d, runs, steps in SIZES
        for dtype in DTYPES
        for optimizer in BOTH
    ),
    *(Case(optimizer, 10, 2560, batch=32, dtype=dtype) for dtype in DTYPES for optimizer in BOTH),
    *(Case(optimizer, 2, runs) for runs in (100, 1000, 100_000) for optimizer in BOTH),
]
QUICK = [Case("adam", 10, 100, batch=32, dtype="float32", steps=20), Case("sgd", 100, 100, steps=5)]


@dataclass(frozen=True)
class Measured:
    """A case and what its competitors took; `lanes` of the C kernel."""

    case: Case
    times: dict[str, Times]
    lanes: int | None

    def ratio(self, name: str) -> str:
        return digits(np.median(self.times[name].cpu) / np.median(self.times["fused"].cpu))

    def cpu(self, name: str) -> str:
        return digits(1e9 * np.median(self.times[name].cpu))

    def wall(self, name: str) -> str:
        return digits(1e9 * np.median(self.times[name].wall))

    def spread(self, name: str) -> str:
        return percent(self.times[name].spread)

    def row(self, write: Callable[["Measured", str], str], last: str) -> list[str]:
        case = self.case
        what = [
            case.optimizer,
            str(case.d),
            str(case.batch or "all"),
            case.dtype.replace("float", "f"),
            str(case.runs),
        ]
        return [*what, *(write(self, name) if name in self.times else "-" for name in PEERS), last]


class Statistic(NamedTuple):
    """One number of each competitor; `last` is the column at the end of a row."""

    title: str
    write: Callable[[Measured, str], str]
    last: tuple[str, Callable[[Measured], str]]
    reading: str


STATISTICS = (
    Statistic(
        "CPU time of each over that of fused",
        Measured.ratio,
        ("fused ns", lambda one: one.cpu("fused")),
        "Above 1, fused is so many times cheaper a run and step.",
    ),
    Statistic(
        "CPU ns a run and step",
        Measured.cpu,
        ("C lanes", lambda one: str(one.lanes or "-")),
        "Medians; kernel is a part of fused, lanes the width of a tile that suits C best.",
    ),
    Statistic(
        "Wall ns a run and step",
        Measured.wall,
        ("fused", lambda one: one.wall("fused")),
        "Medians; where they are well above the CPU time, others had the processor.",
    ),
    Statistic(
        "Spread of the CPU time, %",
        Measured.spread,
        ("fused", lambda one: one.spread("fused")),
        "Largest less smallest over the median: trust no ratio nearer to 1 than this.",
    ),
)


# ---- competitors


def measured(case: Case, repetitions: int) -> Measured:
    planned = Planned(case)
    jobs = {"fused": Job(planned.train, case.run_steps), "kernel": _kernel(planned)}
    lanes = None
    if c_kernel.available():
        lanes, calls = c_kernel.best(planned)
        jobs["C"] = c_kernel.job(case, lanes, calls)
    return Measured(case, interleaved(jobs | _optax(planned) | _torch(planned), repetitions), lanes)


def _kernel(planned: Planned) -> Job:
    calls = planned.calls()
    return Job(lambda own: run_kernel(planned.case.dtype, own), planned.case.run_steps, lambda: copied(calls))


def _optax(planned: Planned) -> dict[str, Job]:
    if optax_peer is None:
        return {}
    timed = {}
    for peer in (optax_peer.Optax(planned, form) for form in optax_peer.forms(planned.case)):
        _check(planned, peer.train())
        timed[min(Job(peer.train, 1).seconds()[0] for _ in range(3))] = peer
    best = timed[min(timed)]
    return {
        "optax": Job(best.train, planned.case.run_steps),
        "+compile": Job(best.compile_and_train, planned.case.run_steps),
    }


def _torch(planned: Planned) -> dict[str, Job]:
    case, batched = planned.case, torch_peers.Batched(planned)
    _check(planned, batched.train())
    jobs = {
        "batched": Job(batched.train, case.run_steps),
        "loop": Job(lambda: torch_peers.loop(planned), case.steps),
    }
    if case.d == 100:
        H, E = torch_peers.multiplication(planned)
        jobs["mm"] = Job(lambda: torch.mm(H, E), case.runs)
    return jobs


def _check(planned: Planned, gaps: np.ndarray) -> None:
    """Compare with the engine's gaps, relative to each run's largest.

    The median run: Adam near the minimum divides rounding errors by each other.

    Raises:
        AssertionError: they differ.
    """
    off = np.abs(gaps - planned.gaps).max(axis=1) / planned.gaps.max(axis=1)
    assert np.median(off) < (1e-9 if planned.case.dtype == "float64" else 1e-3), (
        f"{planned.case}: {np.median(off)}"
    )


# ---- tables


def comparison(cases: list[Case], repetitions: int) -> Iterator[Table]:
    done = [measured(case, repetitions) for case in cases]
    notes = [] if optax_peer else ["optax: skipped, jax or optax is not installed."]
    notes += [] if c_kernel.available() else ["C: skipped, there is no gcc."]
    for title, write, (last, of), reading in STATISTICS:
        rows = [one.row(write, of(one)) for one in done]
        yield Table(
            title,
            ["opt", "d", "batch", "type", "R", *PEERS, last],
            rows,
            reading,
            notes,
            detail=title != STATISTICS[0].title,
        )


def distinct_betas(ds: tuple[int, ...], runs: int, steps: int, repetitions: int) -> Table:
    """Adam with 128 distinct betas side by side against one: each lane looks up numbers of its own."""
    rows = []
    for d in ds:
        few, many = (Planned(Case("adam", d, runs, steps=steps, betas=betas)) for betas in (1, 128))
        jobs = {"fused 1": Job(few.train, runs * steps), "fused 128": Job(many.train, runs * steps)}
        times = interleaved(jobs | {"kernel 1": _kernel(few), "kernel 128": _kernel(many)}, repetitions)
        ns = {name: 1e9 * np.median(of.cpu) for name, of in times.items()}
        ratios = [ns["fused 128"] / ns["fused 1"], ns["kernel 128"] / ns["kernel 1"]]
        rows.append(
            [
                str(d),
                str(runs),
                *map(digits, ratios),
                *map(digits, ns.values()),
                percent(max(of.spread for of in times.values())),
            ]
        )
    header = ["d", "R", "fused ratio", "kernel ratio", *ns, "spread %"]
    return Table(
        "128 distinct betas in a tile against one, Adam",
        header,
        rows,
        "Ratios of CPU time, then CPU ns a run and step.",
    )


def threads(cases: list[Case], repetitions: int) -> Table:
    """One thread against a thread a processor, on the chunks of a sweep."""
    rows = []
    with ThreadPoolExecutor(processors()) as pool:
        for case in cases:
            planned = Planned(case)
            every = Job(lambda planned=planned: planned.train(pool.map), case.run_steps)
            times = interleaved({"one": Job(planned.train, case.run_steps), "all": every}, repetitions)
            rows.append(
                [
                    case.optimizer,
                    str(case.d),
                    str(case.runs),
                    str(processors()),
                    *map(digits, _gain(**times)),
                ]
            )
    header = ["opt", "d", "R", "threads", "wall one/all", "CPU all/one", "one wall ns", "all wall ns"]
    return Table(
        "All processors against one",
        header,
        rows,
        "The first ratio is the speedup, the second what it costs in CPU time.",
    )


def _gain(one: Times, all: Times) -> list[float]:
    wall = [np.median(of.wall) for of in (one, all)]
    return [wall[0] / wall[1], np.median(all.cpu) / np.median(one.cpu), *(1e9 * seconds for seconds in wall)]


def tables(quick: bool) -> Iterator[Table]:
    repetitions = 1 if quick else REPETITIONS
    yield from comparison(QUICK if quick else CASES, repetitions)
    yield distinct_betas(
        (2,) if quick else (2, 10), 2560 if quick else 12_800, 20 if quick else 500, repetitions
    )
    yield threads(
        [Case(optimizer, d, 2560 if quick else 100_000) for d in (2, 10) for optimizer in BOTH], repetitions
    )


if __name__ == "__main__":
    main(tables, __doc__)
