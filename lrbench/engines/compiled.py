"""The program and the functions that it is given, compiled for one dtype and kept on disk.

What is compiled has a name that holds a hash of all sources it is made of: numba itself would look only at the file of the function that
is compiled, not at those that it calls.
"""

import functools
import hashlib
import threading
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from numba import njit
from numba import types as nt
from numpy import uintp

from lrbench.engines import program
from lrbench.engines.arguments import (
    Batches,
    Gathered,
    Moved,
    Quadratic,
    Records,
    Runs,
    Samples,
    Scratch,
    Task,
    Watch,
)
from lrbench.engines.jit import JIT
from lrbench.engines.products import Matrix, multiply_source
from lrbench.losses import Loss
from lrbench.optimizers import Rule

_one_at_a_time = threading.Lock()  # of several threads one compiles, the others find what it made


def train(task: Task, dtype: str) -> Callable[..., None]:
    """Return the program for tasks of this kind, compiled: which parts are None is all that it asks of the task."""
    parts = tuple(part is not None for part in task)
    with _one_at_a_time:
        return _compiled_program(parts, dtype)


def update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the step of a tile by this rule, compiled. `numbers` of a run and `coefficients` of a step are what the rule unpacks."""
    with _one_at_a_time:
        return _compiled_update(rule, numbers, coefficients, lanes, dtype)


def multiply(dtype: str) -> Callable[..., None]:
    """Return y = A x for all lanes, compiled: (Matrix, x, y, lanes) -> None."""
    with _one_at_a_time:
        return _compiled_multiply(dtype)


def excess(loss: Loss, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the pass over a block of rows that adds c times the loss's excess to the gap and turns moves of predictions into slopes."""
    with _one_at_a_time:
        return _compiled_excess(loss.kind.name, loss.formula("excess"), loss.formula("slope"), lanes, dtype)


def slopes(loss: Loss, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the pass over the rows of a minibatch that turns predictions into factor times the loss's slopes."""
    with _one_at_a_time:
        return _compiled_slopes(loss.kind.name, loss.formula("slope"), lanes, dtype)


# ---- types


_f1, _f2, _f3, _f4 = nt.float64[::1], nt.float64[:, ::1], nt.float64[:, :, ::1], nt.float64[:, :, :, ::1]
_i1, _i2, _i3 = nt.int64[::1], nt.int64[:, ::1], nt.int64[:, :, ::1]


def _tuple(of: type, *fields: nt.Type) -> nt.Type:
    """Return the type of a NamedTuple, as numba finds it when it is called: another one where all fields are alike."""
    return nt.BaseTuple.from_types(fields, of)


def _quadratic(real: nt.Float) -> nt.Type:
    return _tuple(Quadratic, _f1, _matrix(real))


def _matrix(real: nt.Float) -> nt.Type:
    return _tuple(Matrix, real[:, ::1], _i1, _i1)


def _samples(real: nt.Float) -> nt.Type:
    return _tuple(Samples, _f1, _f1, real[:, ::1], real[::1], _f1, _f1, _f1, nt.float64, nt.float64)


def _batches(real: nt.Float) -> nt.Type:
    return _tuple(Batches, real[:, ::1], real[::1], _f1, _i2, _i1, real[::1], _f1, nt.float64)


def _runs(real: nt.Float) -> nt.Type:
    return _tuple(Runs, real[:, :, ::1], real[:, ::1], real[:, ::1], real[:, :, ::1], _i2, _i1, _i1)


def _scratch(real: nt.Float) -> nt.Type:
    r1 = real[::1]
    moved, exact = _tuple(Moved, r1, r1), _tuple(Moved, _f1, _f1)
    gathered = _tuple(Gathered, r1, r1, r1, r1, _i1, _i1, _i1)
    return _tuple(Scratch, real[:, ::1], r1, moved, exact, gathered, r1, _f1, _f1, _f1, _i1)


_WATCH = _tuple(Watch, nt.float64, _f1, nt.float64, _i3, _i2, _f2)
_RECORDS = _tuple(Records, _i1, _i2, _i1, _f3, _f3, _f4)


def _update_type(real: nt.Float) -> nt.FunctionType:
    flat = real[::1]
    return nt.FunctionType(nt.void(flat, flat, flat, flat, flat, flat))


def _multiply_type(real: nt.Float) -> nt.FunctionType:
    return nt.FunctionType(nt.void(_matrix(real), real[::1], real[::1], nt.intp))


def _slopes_type(real: nt.Float) -> nt.FunctionType:
    return nt.FunctionType(nt.void(real[::1], real[::1], real, nt.float64))


def _excess_type(real: nt.Float) -> nt.FunctionType:
    return nt.FunctionType(nt.void(real[::1], _samples(real), nt.int64, nt.int64, _f1))


# ---- compiled, and kept on disk


@functools.cache
def _compiled_program(parts: tuple[bool, ...], dtype: str) -> Callable[..., None]:
    real = getattr(nt, dtype)
    kinds = (
        _quadratic(real),
        _quadratic(nt.float64),
        _matrix(real),
        _samples(real),
        _samples(nt.float64),
        _batches(real),
    )
    given = Task(*(kind if there else nt.none for kind, there in zip(kinds, parts, strict=True)))
    is_exact = given.exact is not nt.none or given.exact_samples is not nt.none
    functions = (
        _update_type(real),
        _multiply_type(real),
        _multiply_type(nt.float64) if is_exact else nt.none,
        _slopes_type(real) if given.batches is not nt.none else nt.none,
        _excess_type(real) if given.samples is not nt.none else nt.none,
        _excess_type(nt.float64) if given.exact_samples is not nt.none else nt.none,
    )
    signature = nt.void(
        _tuple(Task, *given),
        _runs(real),
        _WATCH,
        _RECORDS,
        _scratch(real),
        nt.Tuple([nt.int64, *functions]),
    )
    present = [field for field, part in given._asdict().items() if part is not nt.none]
    return cached(signature, program.train, "_".join(["train", dtype, *present]))


@functools.cache
def _compiled_multiply(dtype: str):
    name = f"multiply_{dtype}"
    return cached(_multiply_type(getattr(nt, dtype)).signature, _made(name, multiply_source(name), {}), name)


@functools.cache
def _compiled_excess(name: str, formula: Callable, slope: Callable, lanes: int, dtype: str):
    name = f"excess_{name}_{lanes}"
    source = f"""
def {name}(u, samples, first, last, gap):
    n = uintp({lanes})
    for i in range(first, last):
        row = uintp(i - first) * n
        y, star, centre, tangent = float64(samples.y[i]), samples.star[i], samples.centre[i], samples.tangent[i]
        for l in range(n):
            move = float64(u[row + l])
            z = centre + move
            gap[l] += samples.c * float64(excess(move, z, y, star, tangent, samples.k))
            u[row + l] = samples.c * float64(slope(z, y, samples.k))
"""
    names = {"excess": _jitted(formula), "slope": _jitted(slope)}
    return cached(_excess_type(getattr(nt, dtype)).signature, _made(name, source, names), name, "losses")


@functools.cache
def _compiled_slopes(name: str, slope: Callable, lanes: int, dtype: str):
    name = f"slopes_{name}_{lanes}"
    source = f"""
def {name}(u, y, factor, k):
    n = uintp({lanes})
    for i in range(y.size):
        row = uintp(i) * n
        for l in range(n):
            u[row + l] = factor * slope(u[row + l], y[i], k)
"""
    function = _made(name, source, {"slope": _jitted(slope)})
    return cached(_slopes_type(getattr(nt, dtype)).signature, function, name, "losses")


def _jitted(formula: Callable):
    return njit(**JIT)(formula)


def _made(name: str, source: str, names: dict) -> Callable[..., None]:
    """Return the function of this name that a source defines."""
    names = {"uintp": uintp, "float64": np.float64, "__name__": __name__, **names}
    exec(compile(source, __file__, "exec"), names)
    return names[name]


@functools.cache
def _compiled_update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str):
    name = f"update_{rule.update.__name__}_{lanes}"
    source = _update_source(name, len(rule.state), numbers, coefficients, lanes)
    function = _made(name, source, {"rule": _jitted(rule.update)})
    return cached(_update_type(getattr(nt, dtype)).signature, function, name, "optimizers")


def _update_source(name: str, states: int, numbers: int, coefficients: int, lanes: int) -> str:
    """Write a loop over elements and lanes that hands the rule its tuples of numbers, each number from a row of lanes.

    The number of lanes is a constant here, so that the rows of one array have known distances: of a rule with three states the compiler would
    otherwise have too many pairs of rows to compare, and not vectorise it.
    """

    def numbers_of(array: str, row: str, count: int) -> str:
        return f"({''.join(f'{array}[{row}{k} + l], ' for k in range(count))})"

    rows = "; ".join([f"row{k} = uintp({k}) * n" for k in range(max(numbers, coefficients))])
    state_rows = "; ".join([f"at{k} = (uintp(j) * uintp({states}) + uintp({k})) * n" for k in range(states)])
    return f"""
def {name}(g, w, ahead, state, run, step):
    n = uintp({lanes})
    {rows}
    for j in range(w.size // {lanes}):
        start = uintp(j) * n
        {state_rows}
        for l in range(n):
            ahead[start + l], new = rule(
                g[start + l], w[start + l],
                {numbers_of("state", "at", states)}, {numbers_of("run", "row", numbers)}, {numbers_of("step", "row", coefficients)},
            )
            {"; ".join(f"state[at{k} + l] = new[{k}]" for k in range(states))}
"""


def cached(signature, function: Callable, name: str, *rooms: str) -> Callable[..., None]:
    """Compile a function for one signature; keep the machine code beside the source or in the user's cache folder, where one can be written.

    Of several processes that want it one compiles, and the others find on disk what it made.

    Args:
        name: what it is kept under, with a hash of the sources of engines/ and of these rooms.
    """
    named = types.FunctionType(function.__code__, function.__globals__, name)
    named.__qualname__ = f"{name}_{_sources(('engines', *rooms))}"
    try:
        compiled = njit(cache=True, **JIT)(named)
        with FileLock(Path(compiled.stats.cache_path) / f"{named.__qualname__}.lock"):
            compiled.compile(signature)
    except (RuntimeError, OSError):  # no folder to write to, or it is full
        return njit(signature, **JIT)(named)
    compiled.disable_compile()
    return compiled


@functools.cache
def _sources(rooms: tuple[str, ...]) -> str:
    package = Path(__file__).parents[1]
    paths = sorted(path for room in rooms for path in package.glob(f"{room}/*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
