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
COMPILE = "gcc -O3 -march=native -ffp-contract=off -fno-math-errno -fno-trapping-math -shared -fPIC -Wno-psabi".split()
TOLERANCE = 1e-10

COUNTS = ("tiles", "steps", "columns", "records", "targets_count", "stream_length")
ARRAYS = "w_star R T R64 X y order starts factors batches W state numbers table column record".split()
LATER = {"targets": "p", "guard": "d", "gaps": "p", "hits": "p", "bad": "p", "peak": "p"}


class Arguments(ctypes.Structure):
    """`struct call` of kernel.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in COUNTS),
        *((name, ctypes.c_void_p) for name in ARRAYS),
        ("limit", ctypes.c_double),
        *((name, ctypes.c_double if kind == "d" else ctypes.c_void_p) for name, kind in LATER.items()),
    ]

    @classmethod
    def of(cls, call: Call) -> "Arguments":
        (steps, _, columns), counts = call["table"].shape, {"tiles": len(call["W"]), "stream_length": call["order"].shape[1]}
        counts |= {"steps": steps, "columns": columns, "records": call["record"].size, "targets_count": call["targets"].size}
        values = {name: call[name] for name in ("limit", "guard")}
        return cls(**counts, **values, **{name: call[name].ctypes.data for name in (*ARRAYS, *LATER) if name != "guard"})


def available() -> bool:
    return shutil.which("gcc") is not None


def best(planned: Planned) -> tuple[int, list[Call]]:
    """Return how many lanes suit this case best, and the calls for tiles of so many."""
    timed = {}
    for lanes in LANES:
        calls = planned.calls(lanes)
        if all(call["W"].shape[2] == lanes for call in calls):  # the case fills tiles of this width
            check(planned.case, lanes, calls)
            timed[job(planned.case, lanes, calls).seconds()[0]] = lanes, calls
    return timed[min(timed)]


def job(case: Case, lanes: int, calls: list[Call]) -> Job:
    return Job(lambda own: run(case, lanes, own), case.run_steps, lambda: copied(calls))


def run(case: Case, lanes: int, calls: list[Call]) -> None:
    train = _compiled(case.optimizer == "adam", calls[0]["W"].shape[1], case.batch or 0, case.dtype == "float32", lanes)
    for call in calls:
        train(ctypes.byref(Arguments.of(call)))


def check(case: Case, lanes: int, calls: list[Call]) -> None:
    """Compare with the compiled kernel of the engine.

    Raises:
        AssertionError: they differ.
    """
    (ours,), (theirs,) = copied(calls), copied(calls)
    run(case, lanes, ours)
    run_kernel(case.dtype, theirs)
    for one, other in zip(ours, theirs, strict=True):
        for name in CHANGED:
            if name != "state":  # kept inside
                np.testing.assert_allclose(one[name], other[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{name} of {case}")


@functools.cache
def _compiled(adam: bool, p: int, batch: int, single: bool, lanes: int):
    constants = {"ADAM": int(adam), "P": p, "BATCH": batch, "SINGLE": int(single), "LANES": lanes}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernel.so"
        source = Path(__file__).with_name("kernel.c")
        subprocess.run([*COMPILE, *(f"-D{name}={value}" for name, value in constants.items()), str(source), "-lm", "-o", str(library)], check=True)
        return ctypes.CDLL(str(library)).train
