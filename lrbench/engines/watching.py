"""What is noted of the states of a tile, and what is kept of them.

Noted are first hits, the last finite state and the largest gap; kept are gaps, their sums, and weights.
"""

import numpy as np
from numpy import uintp

from lrbench.engines.arguments import Records, Watch
from lrbench.engines.gaps import measure, sharpen
from lrbench.engines.jit import part


@part
def watch_of(watch, tile):
    """Return what is watched of one tile: hits (H, lanes), bad and peak (lanes,)."""
    hits = watch.hits[tile]
    bad = watch.bad[tile]
    peak = watch.peak[tile]
    return Watch(watch.largest, watch.targets, watch.guard, hits, bad, peak)


@part
def records_of(records, tile):
    """Return what is kept of one tile: gaps (K, lanes), sums (2, lanes), paths (K', p, lanes)."""
    gaps = records.gaps[tile]
    sums = records.sums[tile]
    paths = records.paths[tile]
    return Records(records.step, records.summed, records.traced, gaps, sums, paths)


@part
def look(gap, within, near, peak):
    """Raise `peak`, and count the lanes that are beyond their limit or at their next target.

    Without the 0.0 the compiler would store a peak only where it changes, and such masked stores are slower
    than all the rest.
    """
    news = 0
    for l in range(uintp(gap.size)):
        finite = gap[l] <= within[l]
        news += (not finite) + (gap[l] <= near[l])
        largest = gap[l] if finite and gap[l] > peak[l] else peak[l]
        peak[l] = largest + 0.0
    return news


@part
def note(t, W, watch, scratch, exact):
    """Note first hits, and the lanes whose state is the first that is not finite.

    Return how many these are.
    """
    gap = scratch.gap
    within = scratch.within
    near = scratch.near
    died = 0
    for l in range(uintp(gap.size)):
        if gap[l] <= near[l]:
            sharpen(exact, scratch.weights[t % 2], scratch.moved64.u, gap, l)
            near[l] = note_hits(t, l, gap[l], watch)
        elif not gap[l] <= within[l] and within[l] > -np.inf:
            died += 1
            within[l] = near[l] = -np.inf
            watch.bad[l] = t
            keep_weights(W, scratch.weights[(t + 1) % 2], l)  # those of state t - 1
    return died


@part
def note_hits(t, l, gap, watch):
    """Note the targets that a lane has reached; return the gap at which it may reach the next."""
    targets = watch.targets
    reached = 0
    while reached < targets.size and gap <= targets[reached]:
        if watch.hits[reached, l] < 0:
            watch.hits[reached, l] = t
        reached += 1
    return watch.guard * targets[reached] if reached < targets.size else -np.inf


@part
def keep_weights(W, w, l):
    """Write the weights of one lane into W (p, lanes)."""
    lanes = uintp(W.shape[1])
    for j in range(W.shape[0]):
        W[j, l] = w[uintp(j) * lanes + l]


@part
def record(t, records, scratch, exact, multiply):
    """Keep of state t what is asked for: gap, sum of gaps, weights."""
    w = scratch.weights[t % 2]
    gap = scratch.gap
    now = is_next(t, records.step, scratch.place[0])
    half = records.summed[0, 0] <= t <= records.summed[0, 1]
    end = t >= records.summed[1, 0]
    if now or half or end:
        measure(exact, w, scratch.moved64, gap, multiply)
    if now:
        keep_gaps(records.gaps[scratch.place[0]], gap, scratch.within)
        scratch.place[0] += 1
    if half:
        add(gap, records.sums[0])
    if end:
        add(gap, records.sums[1])
    if is_next(t, records.traced, scratch.place[1]):
        keep_path(records.paths[scratch.place[1]], w, scratch.within)
        scratch.place[1] += 1


@part
def is_next(t, states, place):
    """Say whether t is the next of these states, the one at `place`."""
    return place < states.size and states[place] == t


@part
def keep_gaps(kept, gap, within):
    for l in range(gap.size):
        kept[l] = gap[l] if gap[l] <= within[l] else np.inf


@part
def add(gap, total):
    for l in range(uintp(gap.size)):
        total[l] += gap[l]


@part
def keep_path(kept, w, within):
    """Keep the weights (p, lanes) of the runs that have not ended."""
    lanes = within.size
    for j in range(kept.shape[0]):
        for l in range(lanes):
            kept[j, l] = w[j * lanes + l] if within[l] > -np.inf else np.nan
