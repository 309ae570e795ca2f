"""The types of what the program is given, for one dtype of the runs: arguments.py, field by field."""

from typing import Any, NamedTuple

from numba import types as nt

from lrbench.engines import arguments as given
from lrbench.engines.products import Matrix

f1 = nt.float64[::1]
f2 = nt.float64[:, ::1]
f3 = nt.float64[:, :, ::1]
f4 = nt.float64[:, :, :, ::1]
i1 = nt.int64[::1]
i2 = nt.int64[:, ::1]
i3 = nt.int64[:, :, ::1]
i4 = nt.int64[:, :, :, ::1]
u1 = nt.uint64[::1]
u2 = nt.uint64[:, ::1]


Parts = frozenset[str]  # the fields of a task that are not None
EXACT = {"exact", "exact_quadratic", "exact_samples"}


def _tuple(of: type, **fields: nt.Type) -> Any:
    """Return the type that numba gives a NamedTuple; one whose fields are all alike has another."""
    in_order = of(**fields)
    return nt.BaseTuple.from_types(in_order, of)


def _or_none(type: nt.Type, is_there: bool) -> nt.Type:
    return type if is_there else nt.none


# ---- the task


def matrix(real: nt.Float) -> nt.Type:
    return _tuple(Matrix, A=real[:, ::1], first=i1, last=i1)


def quadratic(real: nt.Float) -> nt.Type:
    return _tuple(given.Quadratic, w_star=f1, R=matrix(real))


def samples(real: nt.Float) -> nt.Type:
    return _tuple(
        given.Samples,
        w_star=f1,
        penalty=f1,
        X=real[:, ::1],
        y=real[::1],
        star=f1,
        centre=f1,
        tangent=f1,
        c=nt.float64,
        k=nt.float64,
    )


def batches(real: nt.Float) -> nt.Type:
    return _tuple(
        given.Batches,
        X=real[:, ::1],
        y=real[::1],
        penalty=f1,
        order=i2,
        starts=i1,
        factors=real[::1],
        shares=f1,
        k=nt.float64,
    )


def task(has: Parts, real: nt.Float) -> nt.Type:
    """Return the type of a task that has these parts, and None for the others."""
    return _tuple(
        given.Task,
        quadratic=_or_none(quadratic(real), "quadratic" in has),
        exact=_or_none(quadratic(nt.float64), "exact" in has),
        exact_quadratic=_or_none(quadratic(nt.float64), "exact_quadratic" in has),
        R_T=_or_none(matrix(real), "R_T" in has),
        samples=_or_none(samples(real), "samples" in has),
        exact_samples=_or_none(samples(nt.float64), "exact_samples" in has),
        batches=_or_none(batches(real), "batches" in has),
    )


# ---- the runs


def runs(real: nt.Float) -> nt.Type:
    return _tuple(
        given.Runs,
        W=real[:, :, ::1],
        state=real[:, ::1],
        numbers=real[:, ::1],
        table=real[:, :, ::1],
        column=i2,
        stream=i1,
        stop=i1,
    )


WATCH = _tuple(
    given.Watch,
    largest=nt.float64,
    goals=f1,
    guard=nt.float64,
    hits=i3,
    arrivals=i4,
    bad=i2,
    peak=f2,
    mark=u2,
    stopped=i2,
)
RECORDS = _tuple(given.Records, step=i1, windows=i2, traced=i1, gaps=f3, sums=f3, ends=f3, paths=f4)
PASSES = _tuple(given.Passes, block=f2, since=f1)


def scratch(has: Parts, real: nt.Float) -> nt.Type:
    r1 = real[::1]
    return _tuple(
        given.Scratch,
        weights=real[:, ::1],
        g=r1,
        moved=_tuple(given.Moved, e=r1, u=r1),
        moved64=_tuple(given.Moved, e=f1, u=f1),
        gathered=_tuple(given.Gathered, X=r1, y=r1, X_T=r1, g=r1, zeros=i1, p=i1, rows=i1),
        of_step=r1,
        gap=f1,
        bits=u1,
        passes=_or_none(PASSES, "batches" in has),
        mean=f1,
        news=nt.uint8[::1],
        news_of_eight=u1,
        within=f1,
        arrived=i1,
        enter=f1,
        leave=f1,
        place=i1,
    )


# ---- functions


class Functions(NamedTuple):
    """What is passed to the program beside its arrays; None where the task has no use for it."""

    lanes: object  # how many the others are compiled for
    update: object
    multiply: object
    exact_multiply: object  # float64
    slopes: object
    excess: object
    exact_excess: object  # float64


def functions(has: Parts, real: nt.Float) -> nt.Type:
    """Return the type of the functions that a task needs."""
    types = Functions(
        lanes=nt.int64,
        update=update(real),
        multiply=multiply(real),
        exact_multiply=_or_none(multiply(nt.float64), bool(has & EXACT)),
        slopes=_or_none(slopes(real), "batches" in has),
        excess=_or_none(excess(real), "samples" in has),
        exact_excess=_or_none(excess(nt.float64), "exact_samples" in has),
    )
    return nt.Tuple(tuple(types))


def program(has: Parts, real: nt.Float) -> nt.FunctionType:
    """(task, runs, watch, records, scratch, functions)"""
    own_task = task(has, real)
    own_functions = functions(has, real)
    return nt.FunctionType(nt.void(own_task, runs(real), WATCH, RECORDS, scratch(has, real), own_functions))


def multiply(real: nt.Float) -> nt.FunctionType:
    """(matrix, x, y, lanes)"""
    r1 = real[::1]
    return nt.FunctionType(nt.void(matrix(real), r1, r1, nt.intp))


def update(real: nt.Float) -> nt.FunctionType:
    """(g, w, ahead, state, numbers of the run, numbers of the step)"""
    r1 = real[::1]
    return nt.FunctionType(nt.void(r1, r1, r1, r1, r1, r1))


def slopes(real: nt.Float) -> nt.FunctionType:
    """(u, y, factor, k)"""
    r1 = real[::1]
    return nt.FunctionType(nt.void(r1, r1, real, nt.float64))


def excess(real: nt.Float) -> nt.FunctionType:
    """(u, samples, first row, one after the last, gap)"""
    r1 = real[::1]
    return nt.FunctionType(nt.void(r1, samples(real), nt.int64, nt.int64, f1))
