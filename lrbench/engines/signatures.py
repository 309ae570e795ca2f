"""The types of what the program is given, for one dtype of the runs: arguments.py, field by field."""

from typing import NamedTuple

from numba import types as nt

from lrbench.engines import arguments as given
from lrbench.engines.products import Matrix

f1, f2, f3, f4 = nt.float64[::1], nt.float64[:, ::1], nt.float64[:, :, ::1], nt.float64[:, :, :, ::1]
i1, i2, i3 = nt.int64[::1], nt.int64[:, ::1], nt.int64[:, :, ::1]


def _tuple(of: type, *fields: nt.Type) -> nt.Type:
    """Return the type that numba gives a NamedTuple; one whose fields are all alike has another."""
    return nt.BaseTuple.from_types(fields, of)


def matrix(real: nt.Float) -> nt.Type:
    return _tuple(Matrix, real[:, ::1], i1, i1)


def quadratic(real: nt.Float) -> nt.Type:
    return _tuple(given.Quadratic, f1, matrix(real))


def samples(real: nt.Float) -> nt.Type:
    return _tuple(given.Samples, f1, f1, real[:, ::1], real[::1], f1, f1, f1, nt.float64, nt.float64)


def batches(real: nt.Float) -> nt.Type:
    return _tuple(given.Batches, real[:, ::1], real[::1], f1, i2, i1, real[::1], f1, nt.float64)


def runs(real: nt.Float) -> nt.Type:
    return _tuple(given.Runs, real[:, :, ::1], real[:, ::1], real[:, ::1], real[:, :, ::1], i2, i1, i1)


WATCH = _tuple(given.Watch, nt.float64, f1, nt.float64, i3, i2, f2)
RECORDS = _tuple(given.Records, i1, i2, i1, f3, f3, f4)


def scratch(real: nt.Float) -> nt.Type:
    r1 = real[::1]
    moved, exact = _tuple(given.Moved, r1, r1), _tuple(given.Moved, f1, f1)
    gathered = _tuple(given.Gathered, r1, r1, r1, r1, i1, i1, i1)
    return _tuple(given.Scratch, real[:, ::1], r1, moved, exact, gathered, r1, f1, f1, f1, i1)


def task(parts: given.Task, real: nt.Float) -> nt.Type:
    """Return the type of a task of which `parts` says what is there."""
    of_part = given.Task(
        quadratic=quadratic(real),
        exact=quadratic(nt.float64),
        R_T=matrix(real),
        samples=samples(real),
        exact_samples=samples(nt.float64),
        batches=batches(real),
    )
    fields = [_or_none(part, is_there) for part, is_there in zip(of_part, parts, strict=True)]
    return _tuple(given.Task, *fields)


def _or_none(type: nt.Type, is_there: bool) -> nt.Type:
    return type if is_there else nt.none


# ---- functions


class Functions(NamedTuple):
    """What is passed to the program beside its arrays; None where the task has no use for it."""

    lanes: int  # that the others are compiled for
    update: object
    multiply: object
    exact_multiply: object  # float64
    slopes: object
    excess: object
    exact_excess: object  # float64


def functions(parts: given.Task, real: nt.Float) -> nt.Type:
    """Return the type of the functions that a task needs of which `parts` says what is there."""
    has_exact = bool(parts.exact or parts.exact_samples)
    fields = Functions(
        lanes=nt.int64,
        update=update(real),
        multiply=multiply(real),
        exact_multiply=_or_none(multiply(nt.float64), has_exact),
        slopes=_or_none(slopes(real), bool(parts.batches)),
        excess=_or_none(excess(real), bool(parts.samples)),
        exact_excess=_or_none(excess(nt.float64), bool(parts.exact_samples)),
    )
    return nt.Tuple(tuple(fields))


def program(parts: given.Task, real: nt.Float) -> nt.FunctionType:
    """(task, runs, watch, records, scratch, functions)"""
    own_task, own_functions = task(parts, real), functions(parts, real)
    return nt.FunctionType(nt.void(own_task, runs(real), WATCH, RECORDS, scratch(real), own_functions))


def multiply(real: nt.Float) -> nt.FunctionType:
    """(matrix, x, y, lanes)"""
    return nt.FunctionType(nt.void(matrix(real), real[::1], real[::1], nt.intp))


def update(real: nt.Float) -> nt.FunctionType:
    """(g, w, ahead, state, numbers of the run, numbers of the step)"""
    r1 = real[::1]
    return nt.FunctionType(nt.void(r1, r1, r1, r1, r1, r1))


def slopes(real: nt.Float) -> nt.FunctionType:
    """(u, y, factor, k)"""
    return nt.FunctionType(nt.void(real[::1], real[::1], real, nt.float64))


def excess(real: nt.Float) -> nt.FunctionType:
    """(u, samples, first row, one after the last, gap)"""
    return nt.FunctionType(nt.void(real[::1], samples(real), nt.int64, nt.int64, f1))
