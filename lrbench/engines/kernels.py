"""The compiled part of the fused engine: many runs as one program.

Runs are lanes: a tile holds `lanes` runs side by side, and every innermost loop runs over them, so that the compiler vectorises it. Lanes never mix
and nothing is contracted or reordered, so a run's bits do not depend on its neighbours, nor on how many they are. What differs from optimizer to
optimizer is one function, passed in: the program is compiled once for each dtype, and a rule on its own.

A matrix over lanes, (k, lanes), is one flat array. Indices are unsigned (`uintp`): numba would check signed ones for negative values, and the check
costs the vectorisation.
"""

import functools
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit
from numba import types as nt
from numpy import uintp

from lrbench.optimizers import Rule

JIT = {"error_model": "numpy", "nogil": True}

_one_at_a_time = threading.Lock()  # of several threads one compiles, the others find what it made


# ---- y = A x for all lanes


def _block(rows: int, columns: int, add: bool) -> Callable[..., None]:
    """Return `y[i : i + rows] = (or +=) A[i : i + rows, j : j + columns] x[j : j + columns]`, written out: what is loaded is used several times."""
    lines = ["def block(A, i, j, x, y, lanes):", " n = uintp(lanes)", " y0 = uintp(i) * n", " x0 = uintp(j) * n"]
    lines += [f" y{r} = y{r - 1} + n" for r in range(1, rows)] + [f" x{c} = x{c - 1} + n" for c in range(1, columns)]
    lines += [f" a{r}{c} = A[i + {r}, j + {c}]" for r in range(rows) for c in range(columns)]
    lines += [" for l in range(n):"] + [f"  v{c} = x[x{c} + l]" for c in range(columns)]
    for r in range(rows):
        terms = [f"y[y{r} + l]"] * add + [f"a{r}{c} * v{c}" for c in range(columns)]
        lines.append(f"  y[y{r} + l] = " + functools.reduce(lambda sum, term: f"({sum} + {term})", terms))
    names: dict = {"uintp": uintp}
    exec("\n".join(lines), names)
    return njit(**JIT)(names["block"])


def _band(rows: int) -> Callable[..., None]:
    """Return `y[i : i + rows] = A[i : i + rows, first:last] x[first:last]`."""
    set_1, add_4, add_1 = _block(rows, 1, add=False), _block(rows, 4, add=True), _block(rows, 1, add=True)

    @njit(**JIT)
    def band(A, i, first, last, x, y, lanes):
        set_1(A, i, first, x, y, lanes)
        j = first + 1
        while j + 4 <= last:
            add_4(A, i, j, x, y, lanes)
            j += 4
        while j < last:
            add_1(A, i, j, x, y, lanes)
            j += 1

    return band


band_of_4, band_of_2, band_of_1 = map(_band, (4, 2, 1))


@njit(**JIT)
def multiply(A, first, last, x, y, lanes):
    """y = A x: A (m, k), x (k, lanes), y (m, lanes). Four rows from i on are 0 outside the columns from first[i] to before last[i]."""
    m, i = A.shape[0], 0
    while i < m:
        if m - i >= 4:
            band_of_4(A, i, first[i], last[i], x, y, lanes)
            i += 4
        elif m - i >= 2:
            band_of_2(A, i, first[i], last[i], x, y, lanes)
            i += 2
        else:
            band_of_1(A, i, first[i], last[i], x, y, lanes)
            i += 1


# ---- one state of a tile


@njit(**JIT)
def measure(w, w_star, R, first, last, e, u, gap, lanes):
    """e = w - w*, u = R e, gap = half |u|^2 in float64. The gradient of that gap is R'u."""
    n, half = uintp(lanes), 0.5
    for j in range(w_star.size):
        row, center = uintp(j) * n, w_star[j]
        for l in range(n):
            e[row + l] = w[row + l] - center
    multiply(R, first, last, e, u, lanes)
    for l in range(n):
        v = np.float64(u[l])
        gap[l] = half * v * v
    for i in range(1, R.shape[0]):
        row = uintp(i) * n
        for l in range(n):
            v = np.float64(u[row + l])
            gap[l] += half * v * v


@njit(**JIT)
def look(gap, limit, near, peak, lanes):
    """Raise `peak`, and count the lanes that are beyond their limit or at their next target.

    Without the 0.0 the compiler would store a peak only where it changes, and such masked stores are slower than all the rest.
    """
    news = 0
    for l in range(uintp(lanes)):
        within = gap[l] <= limit[l]
        news += (not within) + (gap[l] <= near[l])
        peak[l] = (gap[l] if within and gap[l] > peak[l] else peak[l]) + 0.0
    return news


@njit(**JIT)
def exact_gap(w, w_star, R, u, lane, lanes):
    """The gap of one lane, to the bit what `measure` makes of it in float64: row by row the same sums, but all rows of R at once."""
    half, gap, rank = 0.5, 0.0, R.shape[0]
    u[:rank] = 0.0
    for j in range(w_star.size):
        e = w[uintp(j) * uintp(lanes) + lane] - w_star[j]
        for i in range(min(j + 1, rank)):
            u[i] += R[i, j] * e
    for i in range(rank):
        gap += half * u[i] * u[i]
    return gap


@njit(**JIT)
def note(t, w, w_star, R64, u64, gap, limit, near, targets, guard, hits, bad, before, out, lanes):
    """Note first hits, and the lanes whose state is the first that is not finite: the state before it is their last. Return how many these are."""
    died = 0
    for l in range(uintp(lanes)):
        if gap[l] <= near[l]:
            if R64.size > 0:
                gap[l] = exact_gap(w, w_star, R64, u64, l, lanes)
            reached = 0
            while reached < targets.size and gap[l] <= targets[reached]:
                if hits[reached, l] < 0:
                    hits[reached, l] = t
                reached += 1
            near[l] = guard * targets[reached] if reached < targets.size else -np.inf
        elif not gap[l] <= limit[l] and limit[l] > -np.inf:
            died += 1
            limit[l] = near[l] = -np.inf
            bad[l] = t
            for j in range(out.shape[0]):
                out[j, l] = before[uintp(j) * uintp(lanes) + l]
    return died


@njit(**JIT)
def spread(coefficients, column, same, row, lanes):
    """row (k, lanes): the numbers of this step (k, columns), for each lane from its own column."""
    n = uintp(lanes)
    for k in range(coefficients.shape[0]):
        start = uintp(k) * n
        if same:
            number = coefficients[k, column[0]]
            if row[start] != number:
                for l in range(n):
                    row[start + l] = number
        else:
            for l in range(n):
                row[start + l] = coefficients[k, column[l]]


@njit(**JIT)
def sampled_gradient(X, y, rows, factor, w, X_rows, X_rows_T, from_0, to_p, to_size, residual, g, lanes):
    """g = factor X_rows'(X_rows w - y): the gradient over these rows."""
    n, size, p = uintp(lanes), rows.size, X.shape[1]
    X_rows, X_rows_T = X_rows[: size * p].reshape(size, p), X_rows_T[: size * p].reshape(p, size)
    for i in range(size):
        for j in range(p):
            X_rows[i, j] = X[rows[i], j]
            X_rows_T[j, i] = X[rows[i], j]
    multiply(X_rows, from_0, to_p, w, residual, lanes)
    for i in range(size):
        start, target = uintp(i) * n, y[rows[i]]
        for l in range(n):
            residual[start + l] = factor * (residual[start + l] - target)
    to_size[:] = size
    multiply(X_rows_T, from_0, to_size, residual, g, lanes)


# ---- all steps of a tile


def _run(
    stop,  # stop[0] != 0 ends the work
    w_star, R, R_first, R_last, T, T_first, T_last, R64,  # the problem: R with H = R'R, T = R', their zeros, R in float64 where it is another dtype
    X, y, order, starts, factors, batches,  # minibatches: rows order[batches[tile], starts[t] : starts[t + 1]] and 2c of step t; none = all rows
    W, state, numbers, table, column,  # (tiles, ...) of the runs; table (steps, k, columns)
    record, limit, targets, guard,  # steps to record; largest gap that counts as finite; targets, descending; how much a rounded gap may be off
    gaps, hits, bad, peak,  # what comes out: (tiles, records, lanes), first hits (tiles, targets, lanes), first bad step and peak (tiles, lanes)
    update,
):  # fmt: skip
    """Train all tiles: W becomes the last finite weights, state the last state."""
    steps, (_, p, lanes), rank = table.shape[0], W.shape, R.shape[0]
    real, rounded, sampled = R.dtype, R64.size > 0, order.size > 0
    e, g, u = np.empty(p * lanes, real), np.empty(p * lanes, real), np.empty(rank * lanes, real)
    e64, u64 = np.empty(p * lanes * rounded), np.empty(rank * lanes * rounded)
    longest = max(p, np.diff(starts).max()) if sampled else 0
    X_rows, X_rows_T, residual = np.empty(longest * p, real), np.empty(longest * p, real), np.empty(longest * lanes, real)
    from_0, to_p, to_size = np.zeros(longest, np.int64), np.full(longest, p), np.empty(longest, np.int64)
    w, ahead, numbers_of_step = np.empty(p * lanes, real), np.empty(p * lanes, real), np.empty(table.shape[1] * lanes, real)
    gap, within, near = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    for tile in range(W.shape[0]):
        out, tile_state, tile_peak = W[tile], state[tile], peak[tile]
        for j in range(p):
            for l in range(lanes):
                w[j * lanes + l] = out[j, l]
        for l in range(lanes):
            within[l], near[l] = limit, guard * targets[0]
        same = (column[tile] == column[tile, 0]).all()
        numbers_of_step[:] = np.nan
        dead, recorded = 0, 0
        for t in range(steps + 1):
            measure(w, w_star, R, R_first, R_last, e, u, gap, lanes)
            news = look(gap, within, near, tile_peak, lanes) > dead
            now = recorded < record.size and record[recorded] == t
            if news:
                dead += note(t, w, w_star, R64, u64, gap, within, near, targets, guard, hits[tile], bad[tile], ahead, out, lanes)
            if now and rounded:
                measure(w, w_star, R64, R_first, R_last, e64, u64, gap, lanes)
            if now:
                for l in range(lanes):
                    gaps[tile, recorded, l] = gap[l] if gap[l] <= within[l] else np.inf
                recorded += 1
            if t == steps or dead == lanes or stop[0] != 0:
                break
            if sampled:
                rows = order[batches[tile], starts[t] : starts[t + 1]]
                sampled_gradient(X, y, rows, factors[t], w, X_rows, X_rows_T, from_0, to_p, to_size, residual, g, lanes)
            else:
                multiply(T, T_first, T_last, u, g, lanes)
            spread(table[t], column[tile], same, numbers_of_step, lanes)
            update(p, g, w, ahead, tile_state, numbers[tile], numbers_of_step)
            w, ahead = ahead, w
        for l in range(lanes):
            if bad[tile, l] < 0:
                for j in range(p):
                    out[j, l] = w[j * lanes + l]


# ---- compiled, and kept on disk


def _cached(signature, function):
    """Compile for one signature; keep the machine code beside the source or in the user's cache folder, where one can be written."""
    try:
        return njit(signature, cache=True, **JIT)(function)
    except (RuntimeError, OSError):  # no folder to write to, or it is full
        return njit(signature, **JIT)(function)


def _update_type(real):
    flat = real[::1]
    return nt.FunctionType(nt.void(nt.intp, *[flat] * 6))


def run(dtype: str) -> Callable[..., None]:
    """Return `_run` compiled for one dtype of the runs."""
    with _one_at_a_time:
        return _compiled_run(dtype)


def update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the step of a tile by this rule, compiled. `numbers` of a run and `coefficients` of a step are what the rule unpacks."""
    with _one_at_a_time:
        return _compiled_update(rule, numbers, coefficients, lanes, dtype)


@functools.cache
def _compiled_run(dtype: str):
    real = getattr(nt, dtype)
    f1, f2, f3 = nt.float64[::1], nt.float64[:, ::1], nt.float64[:, :, ::1]
    i1, i2, i3 = nt.int64[::1], nt.int64[:, ::1], nt.int64[:, :, ::1]
    r1, r2, r3 = real[::1], real[:, ::1], real[:, :, ::1]
    problem = (f1, r2, i1, i1, r2, i1, i1, f2)
    minibatches = (r2, r1, i2, i1, r1, i1)
    runs = (r3, r2, r2, r3, i2)
    return _cached(nt.void(i1, *problem, *minibatches, *runs, i1, nt.float64, f1, nt.float64, f3, i3, i2, f2, _update_type(real)), _run)


@functools.cache
def _compiled_update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str):
    """numba keys its cache by a function's name and own code, not by what it calls: so the name carries a hash of all sources that it could call."""
    name = f"update_{rule.update.__name__}_{lanes}_{_sources()}"
    names: dict = {"rule": njit(**JIT)(rule.update), "uintp": uintp, "__name__": __name__}
    exec(compile(_update_source(name, len(rule.state), numbers, coefficients, lanes), __file__, "exec"), names)
    return _cached(_update_type(getattr(nt, dtype)).signature, names[name])


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
def {name}(p, g, w, ahead, state, run, step):
    n = uintp({lanes})
    {rows}
    for j in range(p):
        start = uintp(j) * n
        {state_rows}
        for l in range(n):
            ahead[start + l], new = rule(
                g[start + l], w[start + l],
                {numbers_of("state", "at", states)}, {numbers_of("run", "row", numbers)}, {numbers_of("step", "row", coefficients)},
            )
            {"; ".join(f"state[at{k} + l] = new[{k}]" for k in range(states))}
"""


@functools.cache
def _sources() -> str:
    package = Path(__file__).parents[1]
    sources = sorted([*package.glob("engines/*.py"), *package.glob("optimizers/*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
