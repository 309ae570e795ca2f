"""The compiled part of the fused engine: many runs as one program.

Lanes never mix and nothing is contracted or reordered, so a run's bits do not depend on its neighbours, nor
on how many they are. Every innermost loop runs over the lanes of a tile, so that the compiler vectorises it.
What differs from optimizer to optimizer is one function, passed in, and so is what differs from loss to loss.

compiled.py compiles it once for each dtype and each kind of task; arguments.py has the letters and the
shapes.
"""

import numpy as np
from numpy import uintp

from lrbench.engines.gaps import gradient, measure, measure_rows, sampled_gradient
from lrbench.engines.jit import part
from lrbench.engines.watching import (
    average,
    begin,
    is_still,
    keep_weights,
    look,
    note,
    record,
    records_of,
    watch_of,
)


def train(task, runs, watch, records, scratch, functions):
    """Train all tiles: W becomes the last finite weights, state the last state.

    `functions` has the fields of signatures.Functions, but is a plain tuple, in which no function comes
    first: numba takes none in a NamedTuple, and warns of a tuple that begins with one.
    """
    lanes, update, multiply, exact_multiply, slopes, excess, exact_excess = functions
    of_rows = (lanes, multiply, excess)
    of_exact_rows = (lanes, exact_multiply, exact_excess)
    of_batch = (lanes, multiply, slopes)
    steps = runs.table.shape[0]
    for tile in range(runs.W.shape[0]):
        W = runs.W[tile]
        state = runs.state[tile]
        numbers = runs.numbers[tile]
        column = runs.column[tile]
        own_watch = watch_of(watch, tile)
        own_records = records_of(records, tile)
        load(W, watch, scratch)
        same = all_alike(column)
        dead = 0  # lanes whose run has ended
        for t in range(steps + 1):
            w = scratch.weights[t % 2]
            ahead = scratch.weights[(t + 1) % 2]

            # The gap of state t, and on all rows of a sum the gradient from the same pass. A part that is
            # None compiles to nothing; the last gap written counts: that of exact samples over samples.
            measure(task.quadratic, w, scratch.moved, scratch.gap, multiply)
            measure(task.exact_quadratic, w, scratch.moved64, scratch.gap, exact_multiply)
            measure_rows(task.samples, w, scratch.moved, scratch.g, scratch, of_rows)
            measure_rows(task.exact_samples, w, scratch.moved64, None, scratch, of_exact_rows)

            average(scratch.passes, t, scratch.gap, scratch.mean)
            # A dead lane is news at every state.
            news = look(own_watch, scratch)
            if news > dead:
                dead += note(t, W, own_watch, scratch, task.exact)
            record(t, own_watch, own_records, scratch, task.exact, exact_multiply)
            if t == steps or dead == lanes or runs.stop[0] != 0:
                break

            gradient(task.R_T, scratch.moved, scratch.g, lanes, multiply)
            sampled_gradient(task.batches, runs.stream[tile], t, w, scratch, of_batch)
            spread(runs.table[t], column, same, scratch.of_step)
            update(scratch.g, w, ahead, state, numbers, scratch.of_step)
        before = scratch.weights[(t + 1) % 2]  # of state t - 1
        unload(W, w, before, own_watch)


@part
def load(W, watch, scratch):
    """Begin a tile: its first weights (p, lanes), nothing recorded, no number of a step."""
    p, lanes = W.shape
    for j in range(p):
        for l in range(lanes):
            scratch.weights[0, j * lanes + l] = W[j, l]
    begin(watch, scratch)
    scratch.of_step[:] = np.nan
    scratch.place[:] = 0


@part
def all_alike(column):
    """Say whether all lanes take their numbers of a step from one column."""
    alike = True
    for l in range(column.size):
        alike &= column[l] == column[0]
    return alike


@part
def spread(coefficients, column, same, of_step):
    """of_step (k, lanes): the numbers of this step (k, C), for each lane from its own column."""
    n = uintp(column.size)
    for k in range(coefficients.shape[0]):
        start = uintp(k) * n
        if same:
            number = coefficients[k, column[0]]
            if of_step[start] != number:
                for l in range(n):
                    of_step[start + l] = number
        else:
            for l in range(n):
                of_step[start + l] = coefficients[k, column[l]]


@part
def unload(W, w, before, watch):
    """Keep the last weights of the lanes that were finite to the end, and say whether they still moved."""
    for l in range(watch.bad.size):
        if watch.bad[l] < 0:
            keep_weights(W, w, l)
            watch.stopped[l] = is_still(w, before, l, watch.bad.size)
