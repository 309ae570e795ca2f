"""kernel.c, compiled for one case and called on the arrays that the fused engine's own kernel gets."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from case import CHANGED, Call, Case, Planned, copied, run_kernel
from measure import Job

LANES = (4, 8, 16, 32, 64, 128, 256)
COMPILE = [
    "gcc",
    "-O3",
    "-march=native",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-shared",
    "-fPIC",
    "-w",
    "-Wno-psabi",
]
TRIES = 3  # of each width, the fastest counts
TOLERANCE = 1e-10
BY_LANE = (*CHANGED, "numbers", "column")  # arrays (tiles, ..., lanes)

COUNTS = ("tiles", "steps", "columns", "records", "targets_count", "stream_length")
PROBLEM = ("w_star", "R", "T", "R64", "X", "y", "order", "starts", "factors", "batches")
RUNS = ("W", "state", "numbers", "table", "column", "record")
LATER = {"targets": "p", "guard": "d", "gaps": "p", "hits": "p", "bad": "p", "peak": "p"}


class Arguments(ctypes.Structure):
    """`struct call` of kernel.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in COUNTS),
        *((name, ctypes.c_void_p) for name in (*PROBLEM, *RUNS)),
        ("limit", ctypes.c_double),
        *((name, ctypes.c_double if kind == "d" else ctypes.c_void_p) for name, kind in LATER.items()),
    ]

    @classmethod
    def of(cls, call: Call) -> "Arguments":
        (steps, _, columns), counts = (
            call["table"].shape,
            {"tiles": len(call["W"]), "stream_length": call["order"].shape[1]},
        )
        counts |= {
            "steps": steps,
            "columns": columns,
            "records": call["record"].size,
            "targets_count": call["targets"].size,
        }
        values = {name: call[name] for name in ("limit", "guard")}
        return cls(
            **counts,
            **values,
            **{name: call[name].ctypes.data for name in (*PROBLEM, *RUNS, *LATER) if name != "guard"},
        )


def available() -> bool:
    return shutil.which("gcc") is not None


def best(planned: Planned) -> tuple[int, list[Call]]:
    """Return how many lanes suit this case best, and the calls for tiles of so many.

    Each width is compared with the engine's own kernel.

    Raises:
        AssertionError: they differ.
    """
    calls, timed = planned.calls(), {}
    (trained,) = copied(calls)
    run_kernel(planned.case.dtype, trained)
    for lanes in (lanes for lanes in LANES if calls[0]["W"].shape[2] % lanes == 0):
        cut = [narrower(call, lanes) for call in calls]
        check(planned.case, cut, [narrower(call, lanes) for call in trained])
        timed[min(job(planned.case, lanes, cut).seconds()[0] for _ in range(TRIES))] = lanes, cut
    return timed[min(timed)]


def narrower(call: Call, lanes: int) -> Call:
    """Cut tiles into ones of so many lanes."""
    tiles, _, width = call["W"].shape
    parts = width // lanes

    def cut(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.reshape(tiles, -1, parts, lanes).swapaxes(1, 2)).reshape(
            tiles * parts, -1, lanes
        )

    return call | {name: cut(call[name]) for name in BY_LANE} | {"batches": call["batches"].repeat(parts)}


def job(case: Case, lanes: int, calls: list[Call]) -> Job:
    return Job(lambda own: run(case, lanes, own), case.run_steps, lambda: copied(calls))


def run(case: Case, lanes: int, calls: list[Call]) -> None:
    train = _compiled(
        case.optimizer == "adam", calls[0]["W"].shape[1], case.batch or 0, case.dtype == "float32", lanes
    )
    for call in calls:
        train(ctypes.byref(Arguments.of(call)))


def check(case: Case, calls: list[Call], trained: list[Call]) -> None:
    (own,) = copied(calls)
    run(case, own[0]["W"].shape[2], own)
    for one, other in zip(own, trained, strict=True):
        for name in CHANGED:
            if name not in ("state", "sums"):  # kernel.c keeps the one to itself and has not the other
                np.testing.assert_allclose(
                    one[name], other[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{name} of {case}"
                )


@functools.cache
def _compiled(adam: bool, p: int, batch: int, single: bool, lanes: int):
    constants = {"ADAM": int(adam), "P": p, "BATCH": batch, "SINGLE": int(single), "LANES": lanes}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernel.so"
        source = Path(__file__).with_name("kernel.c")
        subprocess.run(
            [
                *COMPILE,
                *(f"-D{name}={value}" for name, value in constants.items()),
                str(source),
                "-lm",
                "-o",
                str(library),
            ],
            check=True,
        )
        return ctypes.CDLL(str(library)).train
