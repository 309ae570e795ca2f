"""What is noted of the states of a tile, and what is kept of them.

Noted are first hits, arrivals, the last finite state, the largest gap and a fingerprint; kept are gaps, their
sums, and weights. What stands is the same as readings.py reads of a whole curve.
"""

import numpy as np
from numpy import uintp

from lrbench.engines.arguments import Records, Watch
from lrbench.engines.gaps import measure, sharpen
from lrbench.engines.jit import part
from lrbench.engines.readings import LEAVES, MULTIPLIER

HALF, WHOLE = 0, 1  # of the budget
GOLDEN = np.uint64(MULTIPLIER)
UPPER = np.uint64(32)  # bits of a fingerprint


@part
def watch_of(watch, tile):
    """Return what is watched of one tile: hits (H, lanes), arrivals (2, H, lanes), all others (lanes,)."""
    hits = watch.hits[tile]
    arrivals = watch.arrivals[tile]
    bad = watch.bad[tile]
    peak = watch.peak[tile]
    mark = watch.mark[tile]
    stopped = watch.stopped[tile]
    return Watch(watch.largest, watch.goals, watch.guard, hits, arrivals, bad, peak, mark, stopped)


@part
def records_of(records, tile):
    """Return what is kept of one tile: gaps (K, lanes), sums, ends (2, lanes), paths (K', p, lanes)."""
    gaps = records.gaps[tile]
    sums = records.sums[tile]
    ends = records.ends[tile]
    paths = records.paths[tile]
    return Records(records.step, records.windows, records.traced, gaps, sums, ends, paths)


@part
def begin(watch, scratch):
    """Begin a tile: all lanes are finite, and at no goal."""
    scratch.within[:] = watch.largest
    scratch.arrived[:] = 0
    scratch.enter[:] = watch.guard * watch.goals[0]
    scratch.leave[:] = np.inf


@part
def average(passes, t, gap, mean):
    """mean = the mean gap of the last pass, of states t - m + 1 to t or as many as there are.

    Where a step sees all rows a pass is one state, and `mean` the same memory as `gap`.
    """
    if passes is None:
        return
    block, since = passes
    m = block.shape[0]
    i = t % m
    if i == 0:
        add_up_from_the_end(block)
        since[:] = 0.0
    has_block_before = t >= m and i + 1 < m
    states = min(t + 1, m)
    for l in range(uintp(gap.size)):
        since[l] += gap[l]
        block[i, l] = gap[l]
        total = since[l] + block[i + 1, l] if has_block_before else since[l]
        mean[l] = total / states


@part
def add_up_from_the_end(block):
    """Put in the place of each row the sum from that row to the end."""
    for i in range(block.shape[0] - 2, -1, -1):
        for l in range(uintp(block.shape[1])):
            block[i, l] += block[i + 1, l]


@part
def look(watch, scratch):
    """Raise the peaks, mix a state into the fingerprints, and count the lanes with news: those beyond their
    limit, at their next goal or out of their last.

    Without the 0.0 the compiler would store a peak only where it changes, and such masked stores are slower
    than all the rest.
    """
    gap, bits, mean = scratch.gap, scratch.bits, scratch.mean
    within, enter, leave, news = scratch.within, scratch.enter, scratch.leave, scratch.news
    peak, mark = watch.peak, watch.mark
    count = 0
    for l in range(uintp(gap.size)):
        finite = gap[l] <= within[l]
        has_news = (not finite) | (mean[l] <= enter[l]) | (mean[l] > leave[l])
        news[l] = has_news
        count += has_news
        largest = gap[l] if finite and gap[l] > peak[l] else peak[l]
        peak[l] = largest + 0.0
        mixed = (mark[l] ^ bits[l]) * GOLDEN
        mark[l] = mixed ^ (mixed >> UPPER) if finite else mark[l]
    return count


@part
def note(t, W, watch, scratch, exact):
    """Note the lanes that reach a goal or leave one, and those whose state is the first that is not finite.

    Return how many of the latter there are.
    """
    died = 0
    for eight in range(scratch.news_of_eight.size):
        if scratch.news_of_eight[eight] == 0:
            continue
        for l in range(8 * eight, 8 * eight + 8):
            if scratch.news[l] != 0:
                died += note_lane(t, l, W, watch, scratch, exact)
    return died


@part
def note_lane(t, l, W, watch, scratch, exact):
    """Note what happened to one lane; return 1 where its state is the first that is not finite."""
    within = scratch.within
    if scratch.gap[l] <= within[l]:
        sharpen(exact, scratch.weights[t % 2], scratch.moved64.u, scratch.gap, l)
        settle(t, l, scratch.mean[l], watch, scratch)
        return 0
    if within[l] == -np.inf:
        return 0
    within[l] = scratch.enter[l] = -np.inf
    scratch.leave[l] = np.inf
    watch.bad[l] = t
    keep_weights(W, scratch.weights[(t + 1) % 2], l)  # those of state t - 1
    return 1


@part
def settle(t, l, mean, watch, scratch):
    """Note the goals that a lane leaves or reaches, and where it will leave or reach one next.

    Goals descend and are left at LEAVES times each, so those at which a lane is are always the first ones.
    """
    goals, arrivals = watch.goals, watch.arrivals
    at = scratch.arrived[l]
    while at > 0 and mean > LEAVES * goals[at - 1]:
        at -= 1
        arrivals[WHOLE, at, l] = -1
    while at < goals.size and mean <= goals[at]:
        arrivals[WHOLE, at, l] = t
        if watch.hits[at, l] < 0:
            watch.hits[at, l] = t
        at += 1
    scratch.arrived[l] = at
    scratch.enter[l] = watch.guard * goals[at] if at < goals.size else -np.inf
    scratch.leave[l] = LEAVES * goals[at - 1] / watch.guard if at > 0 else np.inf


@part
def keep_weights(W, w, l):
    """Write the weights of one lane into W (p, lanes)."""
    lanes = uintp(W.shape[1])
    for j in range(W.shape[0]):
        W[j, l] = w[uintp(j) * lanes + l]


@part
def is_still(w, before, lane, lanes):
    """Say whether the weights of one lane are bit for bit those of the state before."""
    still = 1
    for at in range(lane, w.size, lanes):
        if w[at] != before[at]:
            still = 0
    return still


@part
def record(t, watch, records, scratch, exact, multiply):
    """Keep of state t what is asked for: gap, sum of gaps, weights."""
    w = scratch.weights[t % 2]
    gap = scratch.gap
    now = is_next(t, records.step, scratch.place[0])
    in_half = records.windows[HALF, 0] <= t <= records.windows[HALF, 1]
    in_whole = t >= records.windows[WHOLE, 0]
    if now or in_half or in_whole:
        measure(exact, w, scratch.moved64, gap, multiply)
    if now:
        keep_gaps(records.gaps[scratch.place[0]], gap, scratch.within)
        scratch.place[0] += 1
    if in_half:
        add(gap, records.sums[HALF])
    if in_whole:
        add(gap, records.sums[WHOLE])
    if t == records.windows[HALF, 1]:
        copy(gap, records.ends[HALF])
        for k in range(watch.goals.size):
            copy(watch.arrivals[WHOLE, k], watch.arrivals[HALF, k])
    if t == records.windows[WHOLE, 1]:
        copy(gap, records.ends[WHOLE])
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
def copy(values, kept):
    for l in range(uintp(values.size)):
        kept[l] = values[l]


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
