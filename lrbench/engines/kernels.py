"""The compiled part of the fused engine: many runs as one program.

A quadratic gap and its gradient come from R with H = R'R, at a cost that does not depend on n. Any other loss is a sum over the rows, block by block.

Runs are lanes: a tile holds `lanes` runs side by side, and every innermost loop runs over them, so that the compiler vectorises it. Lanes never mix
and nothing is contracted or reordered, so a run's bits do not depend on its neighbours, nor on how many they are. What differs from optimizer to
optimizer is one function, passed in, and so is what differs from loss to loss: the program is compiled once for each dtype, rules and losses on their
own.

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

from lrbench.losses import Loss
from lrbench.optimizers import Rule

JIT = {"error_model": "numpy", "nogil": True}
BLOCK = 256  # rows that a pass over the data takes at once

_one_at_a_time = threading.Lock()  # of several threads one compiles, the others find what it made


# ---- y = A x for all lanes


def _block(rows: int, columns: int, add: bool) -> Callable[..., None]:
    """Return `y[i : i + rows] = (or +=) A[i : i + rows, j : j + columns] x[j : j + columns]`, written out: what is loaded is used several times."""
    lines = [
        "def block(A, i, j, x, y, lanes):",
        " n = uintp(lanes)",
        " y0 = uintp(i) * n",
        " x0 = uintp(j) * n",
    ]
    lines += [f" y{r} = y{r - 1} + n" for r in range(1, rows)] + [
        f" x{c} = x{c - 1} + n" for c in range(1, columns)
    ]
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
    m = A.shape[0]
    for i in range(0, m - 3, 4):
        band_of_4(A, i, first[i], last[i], x, y, lanes)
    if m % 4 >= 2:
        i = m - m % 4
        band_of_2(A, i, first[i], last[i], x, y, lanes)
    if m % 2 == 1:
        i = m - 1
        band_of_1(A, i, first[i], last[i], x, y, lanes)


# ---- one state of a tile


@njit(**JIT)
def transposed(A, T):
    """Return A' (p, m) of A (m, p), in the flat buffer T."""
    T = T[: A.size].reshape(A.shape[1], A.shape[0])
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            T[j, i] = A[i, j]
    return T


@njit(**JIT)
def measure_rows(
    w,
    w_star,
    X,
    y,
    star,
    centre,
    tangent,
    penalty,
    c,
    k,
    excess,
    e,
    u,
    T,
    from_0,
    to_p,
    to_size,
    part,
    g,
    gap,
    lanes,
):
    """e = w - w*, gap = c sum_i excess_i + sum_j penalty_j e_j^2 / 2 over the rows of X, and its gradient g, or none where g is empty."""
    n, half = uintp(lanes), 0.5
    gap[:] = 0.0
    for j in range(w_star.size):
        row, center, weight = uintp(j) * n, w_star[j], penalty[j]
        for l in range(n):
            moved = w[row + l] - center
            e[row + l] = moved
            gap[l] += half * weight * moved * moved
        if g.size > 0:
            for l in range(n):
                g[row + l] = weight * w[row + l]
    for first in range(0, y.size, BLOCK):
        last = min(first + BLOCK, y.size)
        block = X[first:last]
        multiply(block, from_0, to_p, e, u, lanes)
        excess(u, y[first:last], star[first:last], centre[first:last], tangent[first:last], c, k, gap)
        if g.size > 0:
            to_size[:] = last - first
            multiply(transposed(block, T), from_0, to_size, u, part, lanes)
            for l in range(g.size):
                g[l] += part[l]


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
def add(gap, total, lanes):
    for l in range(uintp(lanes)):
        total[l] += gap[l]


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
def sampled_gradient(
    X, y, rows, factor, k, slopes, penalty, share, w, X_rows, y_rows, T, from_0, to_p, to_size, u, g, lanes
):
    """g = factor sum_i slope_i x_i over these rows, and their share of the penalty's gradient."""
    n, size, p = uintp(lanes), rows.size, X.shape[1]
    X_rows, y_rows = X_rows[: size * p].reshape(size, p), y_rows[:size]
    for i in range(size):
        y_rows[i] = y[rows[i]]
        for j in range(p):
            X_rows[i, j] = X[rows[i], j]
    multiply(X_rows, from_0, to_p, w, u, lanes)
    slopes(u, y_rows, factor, k)
    to_size[:] = size
    multiply(transposed(X_rows, T), from_0, to_size, u, g, lanes)
    for j in range(p):
        if penalty[j] != 0:
            row, weight = uintp(j) * n, share * penalty[j]
            for l in range(n):
                g[row + l] += weight * w[row + l]


# ---- all steps of a tile


def _run(
    stop,  # stop[0] != 0 ends the work
    w_star, R, R_first, R_last, T, T_first, T_last, R64,  # a quadratic: R with H = R'R, T = R', their zeros, R in float64 where it is another dtype
    X, y, penalty, k,  # the rows, unless it is a quadratic that is trained on all of them; the weights of the penalty; the loss's own number
    star, centre, tangent, c, X64, y64,  # any other loss: what its excess wants, X and y in float64 where they are another dtype
    order, starts, factors, shares, batches,  # minibatches: rows order[batches[tile], starts[t] : starts[t + 1]] and c of step t; none = all rows
    W, state, numbers, table, column,  # (tiles, ...) of the runs; table (steps, k, columns)
    record, summed, traced,  # steps whose gaps to keep; first and last of those whose gaps to sum, twice; steps whose weights to keep
    limit, targets, guard,  # largest finite gap; targets, descending; how far off gaps may be
    gaps, sums, paths, hits, bad, peak,  # what comes out, (tiles, ..., lanes): by record; two; by traced state and weight; by target; first bad step
    update, excess, excess64, slopes,
):  # fmt: skip
    """Train all tiles: W becomes the last finite weights, state the last state."""
    steps, (_, p, lanes), rank = table.shape[0], W.shape, R.shape[0]
    real, rounded, sampled, by_rows = R.dtype, R64.size > 0, order.size > 0, star.size > 0
    in_float64 = by_rows and X64.size > 0
    e, g, u = np.empty(p * lanes, real), np.empty(p * lanes, real), np.empty(rank * lanes, real)
    e64, u64 = np.empty(p * lanes * rounded), np.empty(rank * lanes * rounded)
    longest = max(p, BLOCK * by_rows) if sampled or by_rows else 0
    for t in range(1, starts.size):
        longest = max(longest, starts[t] - starts[t - 1])
    X_rows, y_rows, X_rows_T, u_rows = (
        np.empty(longest * p * sampled, real),
        np.empty(longest, real),
        np.empty(longest * p, real),
        np.empty(longest * lanes, real),
    )
    no_g, none64 = np.empty(0, real), np.empty(0)
    part, e_rows64, u_rows64 = (
        np.empty(p * lanes * by_rows, real),
        np.empty(p * lanes * in_float64),
        np.empty(BLOCK * lanes * in_float64),
    )
    from_0, to_p, to_size = np.zeros(longest, np.int64), np.full(longest, p), np.empty(longest, np.int64)
    w, ahead, numbers_of_step = (
        np.empty(p * lanes, real),
        np.empty(p * lanes, real),
        np.empty(table.shape[1] * lanes, real),
    )
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
        dead, recorded, kept = 0, 0, 0
        for t in range(steps + 1):
            if not by_rows:
                measure(w, w_star, R, R_first, R_last, e, u, gap, lanes)
            elif not sampled or not in_float64:
                of_all = no_g if sampled else g
                measure_rows(
                    w, w_star, X, y, star, centre, tangent, penalty, c, k, excess, e, u_rows, X_rows_T,
                    from_0, to_p, to_size, part, of_all, gap, lanes,
                )  # fmt: skip
            if in_float64:
                measure_rows(
                    w, w_star, X64, y64, star, centre, tangent, penalty, c, k, excess64, e_rows64, u_rows64, none64,
                    from_0, to_p, to_size, none64, none64, gap, lanes,
                )  # fmt: skip
            news = look(gap, within, near, tile_peak, lanes) > dead
            now = recorded < record.size and record[recorded] == t
            if news:
                dead += note(
                    t,
                    w,
                    w_star,
                    R64,
                    u64,
                    gap,
                    within,
                    near,
                    targets,
                    guard,
                    hits[tile],
                    bad[tile],
                    ahead,
                    out,
                    lanes,
                )
            half, end = summed[0, 0] <= t <= summed[0, 1], t >= summed[1, 0]
            if rounded and (now or half or end):
                measure(w, w_star, R64, R_first, R_last, e64, u64, gap, lanes)
            if now:
                for l in range(lanes):
                    gaps[tile, recorded, l] = gap[l] if gap[l] <= within[l] else np.inf
                recorded += 1
            if half:
                add(gap, sums[tile, 0], lanes)
            if end:
                add(gap, sums[tile, 1], lanes)
            if kept < traced.size and traced[kept] == t:
                for j in range(p):
                    for l in range(lanes):
                        paths[tile, kept, j, l] = w[j * lanes + l] if within[l] > -np.inf else np.nan
                kept += 1
            if t == steps or dead == lanes or stop[0] != 0:
                break
            if sampled:
                rows = order[batches[tile], starts[t] : starts[t + 1]]
                sampled_gradient(
                    X, y, rows, factors[t], k, slopes, penalty, shares[t], w, X_rows, y_rows, X_rows_T, from_0, to_p, to_size, u_rows, g, lanes
                )  # fmt: skip
            elif not by_rows:
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


def _excess_type(real):
    doubles = nt.float64[::1]
    return nt.FunctionType(nt.void(real[::1], real[::1], *[doubles] * 3, nt.float64, nt.float64, doubles))


def _slopes_type(real):
    return nt.FunctionType(nt.void(real[::1], real[::1], real, nt.float64))


def excess(loss: Loss, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the pass over a block of rows that adds c times the loss's excess to the gap and turns moves of predictions into slopes, compiled."""
    with _one_at_a_time:
        return _compiled_excess(loss.kind.name, loss.formula("excess"), loss.formula("slope"), lanes, dtype)


def slopes(loss: Loss, lanes: int, dtype: str) -> Callable[..., None]:
    """Return the pass over the rows of a minibatch that turns predictions into factor times the loss's slopes, compiled."""
    with _one_at_a_time:
        return _compiled_slopes(loss.kind.name, loss.formula("slope"), lanes, dtype)


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
    quadratic, rows, others = (
        (f1, r2, i1, i1, r2, i1, i1, f2),
        (r2, r1, f1, nt.float64),
        (f1, f1, f1, nt.float64, f2, f1),
    )
    minibatches = (i2, i1, r1, f1, i1)
    runs, out = (r3, r2, r2, r3, i2), (f3, f3, nt.float64[:, :, :, ::1], i3, i2, f2)
    functions = (_update_type(real), _excess_type(real), _excess_type(nt.float64), _slopes_type(real))
    return _cached(
        nt.void(
            i1,
            *quadratic,
            *rows,
            *others,
            *minibatches,
            *runs,
            i1,
            i2,
            i1,
            nt.float64,
            f1,
            nt.float64,
            *out,
            *functions,
        ),
        _run,
    )


@functools.cache
def _compiled_excess(name: str, formula: Callable, slope: Callable, lanes: int, dtype: str):
    name = f"excess_{name}_{lanes}_{_sources()}"
    source = f"""
def {name}(u, y, star, centre, tangent, c, k, gap):
    n = uintp({lanes})
    for i in range(y.size):
        row = uintp(i) * n
        for l in range(n):
            move = float64(u[row + l])
            z = centre[i] + move
            gap[l] += c * float64(excess(move, z, float64(y[i]), star[i], tangent[i], k))
            u[row + l] = c * float64(slope(z, float64(y[i]), k))
"""
    names: dict = {"excess": _jitted(formula), "slope": _jitted(slope)}
    return _compiled(name, source, names, _excess_type(getattr(nt, dtype)))


@functools.cache
def _compiled_slopes(name: str, slope: Callable, lanes: int, dtype: str):
    name = f"slopes_{name}_{lanes}_{_sources()}"
    source = f"""
def {name}(u, y, factor, k):
    n = uintp({lanes})
    for i in range(y.size):
        row = uintp(i) * n
        for l in range(n):
            u[row + l] = factor * slope(u[row + l], y[i], k)
"""
    return _compiled(name, source, {"slope": _jitted(slope)}, _slopes_type(getattr(nt, dtype)))


def _jitted(formula: Callable):
    return njit(**JIT)(formula)


def _compiled(name: str, source: str, names: dict, type):
    """Compile a source. numba keys its cache by a function's name and own code, not by what it calls: so the name holds a hash of those too."""
    names |= {"uintp": uintp, "float64": np.float64, "__name__": __name__}
    exec(compile(source, __file__, "exec"), names)
    return _cached(type.signature, names[name])


@functools.cache
def _compiled_update(rule: Rule, numbers: int, coefficients: int, lanes: int, dtype: str):
    name = f"update_{rule.update.__name__}_{lanes}_{_sources()}"
    source = _update_source(name, len(rule.state), numbers, coefficients, lanes)
    return _compiled(name, source, {"rule": _jitted(rule.update)}, _update_type(getattr(nt, dtype)))


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
    sources = sorted(
        [path for room in ("engines", "losses", "optimizers") for path in package.glob(f"{room}/*.py")]
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
