"""kernel.c, compiled for one case and called on the arrays that the fused engine's own kernel gets."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from case import KEPT, NOTED, Call, Case, Planned, copied, run_kernel
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

INTEGER, REAL, ARRAY = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
FIELDS = {
    **dict.fromkeys(("tiles", "steps", "columns", "records", "goals_count", "stream_length"), INTEGER),
    **dict.fromkeys(("w_star", "R", "T", "R64", "X", "y", "order", "starts", "factors", "batches"), ARRAY),
    **dict.fromkeys(("W", "state", "numbers", "table", "column", "record"), ARRAY),
    "limit": REAL,
    "goals": ARRAY,
    "guard": REAL,
    **dict.fromkeys(("windows", "gaps", "sums", "ends", "hits", "arrivals"), ARRAY),
    **dict.fromkeys(("bad", "peak", "mark", "stopped"), ARRAY),
}


class Arguments(ctypes.Structure):
    """`struct call` of kernel.c."""

    _fields_ = list(FIELDS.items())

    @classmethod
    def of(cls, call: Call) -> "Arguments":
        runs, watch, records = call.runs, call.watch, call.records
        steps, _, columns = runs.table.shape
        arrays = _of_task(call) | {
            "W": runs.W,
            "state": runs.state,
            "numbers": runs.numbers,
            "table": runs.table,
            "column": runs.column,
            "batches": runs.stream,
            "record": records.step,
            "goals": watch.goals,
            "windows": records.windows,
            **{name: getattr(records, name) for name in KEPT},
            **{name: getattr(watch, name) for name in NOTED},
        }
        return cls(
            tiles=len(runs.W),
            steps=steps,
            columns=columns,
            records=records.step.size,
            goals_count=watch.goals.size,
            stream_length=call.task.batches.order.shape[1] if call.task.batches else 0,
            limit=watch.largest,
            guard=watch.guard,
            **{name: array.ctypes.data for name, array in arrays.items()},
        )


def _of_task(call: Call) -> dict[str, np.ndarray]:
    """Return the arrays that all runs share. What a task does without stays a null pointer."""
    task = call.task
    quadratic = task.quadratic or task.exact_quadratic
    arrays = {"w_star": quadratic.w_star, "R": quadratic.R.A}
    if task.R_T:
        arrays["T"] = task.R_T.A
    exact = task.exact or task.exact_quadratic
    if exact:
        arrays["R64"] = exact.R.A
    if task.batches:
        for name in ("X", "y", "order", "starts", "factors"):
            arrays[name] = getattr(task.batches, name)
    return arrays


def available() -> bool:
    return shutil.which("gcc") is not None


def best(planned: Planned) -> tuple[int, list[Call]]:
    """Return how many lanes suit this case best, and the calls for tiles of so many.

    Each width is compared with the engine's own kernel.

    Raises:
        AssertionError: they differ.
    """
    calls = planned.calls()
    (trained,) = copied(calls)
    run_kernel(planned.case.dtype, trained)
    timed = {}
    for lanes in LANES:
        if calls[0].runs.W.shape[2] % lanes:
            continue
        cut = [narrower(call, lanes) for call in calls]
        check(planned.case, cut, [narrower(call, lanes) for call in trained])
        tries = [job(planned.case, lanes, cut).seconds()[0] for _ in range(TRIES)]
        timed[min(tries)] = lanes, cut
    return timed[min(timed)]


def narrower(call: Call, lanes: int) -> Call:
    """Cut tiles into ones of so many lanes."""
    tiles, _, width = call.runs.W.shape
    parts = width // lanes

    def cut(arrays, *names: str):
        """Cut arrays (tiles, ..., lanes)."""
        changes = {}
        for name in names:
            of_parts = getattr(arrays, name).reshape(tiles, -1, parts, lanes).swapaxes(1, 2)
            changes[name] = np.ascontiguousarray(of_parts).reshape(tiles * parts, -1, lanes)
        return arrays._replace(**changes)

    runs = cut(call.runs, "W", "state", "numbers", "column")
    return call._replace(
        runs=runs._replace(stream=call.runs.stream.repeat(parts)),
        watch=cut(call.watch, *NOTED),
        records=cut(call.records, *KEPT),
    )


def job(case: Case, lanes: int, calls: list[Call]) -> Job:
    return Job(lambda own: run(case, lanes, own), case.run_steps, lambda: copied(calls))


def run(case: Case, lanes: int, calls: list[Call]) -> None:
    p = calls[0].runs.W.shape[1]
    passes = calls[0].scratch.passes
    steps = len(passes.block) if passes else 1
    train = _compiled(case.optimizer == "adam", p, case.batch or 0, steps, case.dtype == "float32", lanes)
    for call in calls:
        train(ctypes.byref(Arguments.of(call)))


def check(case: Case, calls: list[Call], trained: list[Call]) -> None:
    """Compare what comes out, but for the states, which kernel.c keeps to itself."""
    (own,) = copied(calls)
    run(case, own[0].runs.W.shape[2], own)
    for one, other in zip(own, trained, strict=True):
        _check("W", one.runs.W, other.runs.W, case)
        for name in KEPT:
            _check(name, getattr(one.records, name), getattr(other.records, name), case)
        for name in NOTED:
            _check(name, getattr(one.watch, name), getattr(other.watch, name), case)


def _check(name: str, ours: np.ndarray, theirs: np.ndarray, case: Case) -> None:
    message = f"{name} of {case}"
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE, err_msg=message)


@functools.cache
def _compiled(adam: bool, p: int, batch: int, steps: int, single: bool, lanes: int):
    constants = {"ADAM": int(adam), "P": p, "BATCH": batch, "PASS": steps, "SINGLE": int(single)}
    constants["LANES"] = lanes
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
