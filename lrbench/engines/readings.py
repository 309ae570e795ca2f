"""What a run is worth within a budget: the level at which its gap ends, and when it arrives at a target.

A budget is in gradient evaluations, of which one is a pass over all rows. What is read of a curve are means
of gaps, so that no single state decides: the level is the mean over the last tenth of the budget, and arrival
counts the mean of the last pass, on all rows the state itself. Both engines read a run within half of its
budget and within all of it; the fused engine while it trains (watching.py), the reference engine afterwards,
with `arrivals`.

Letters of shapes: T steps, H targets.
"""

import numpy as np

LEAVES = 2.0  # times the target: what a run that has arrived may not exceed any more
SHARES = (0.5, 1.0)  # of the budget, within which runs are read
SLACK = 1e-9  # evaluations are sums of shares of the rows, and rounded
MULTIPLIER = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, of a fingerprint


def last_within(evaluations: np.ndarray, budget: float) -> int:
    """Return the last state within a budget, of `evaluations` (T + 1,) until each."""
    return int(np.searchsorted(evaluations, budget + SLACK, side="right")) - 1


def windows(evaluations: np.ndarray, budget: float) -> np.ndarray:
    """Return the first and the last state of each level, (2, 2): within half the budget, and within all.

    The window of a level is the last tenth of the budget, at least one pass. The start never counts, except
    where there is nothing else; a run that stopped before its window holds its last state.
    """
    return np.array([_window(evaluations, share * budget) for share in SHARES])


def _window(evaluations: np.ndarray, budget: float) -> tuple[int, int]:
    length = max(budget / 10, 1.0)
    last = last_within(evaluations, budget)
    first = last_within(evaluations, budget - length) + 1
    after_the_start = max(first, 1)
    return min(after_the_start, last), last


def pass_means(gap: np.ndarray, evaluations: np.ndarray) -> np.ndarray:
    """Return the mean gap of each state's last pass over the rows, (T + 1,) -> (T + 1,).

    A pass is the states of the last evaluation; where a step takes all rows, the state alone. The sums are
    only ever added to: a difference of running sums has no digits of a small gap after a large one.
    """
    first = np.searchsorted(evaluations, evaluations - 1 + SLACK, side="right")
    states = np.arange(len(gap)) + 1 - np.minimum(first, np.arange(len(gap)))
    longest = int(states.max())
    means = gap.copy()
    for age in range(1, longest):
        older = np.concatenate([np.zeros(age), gap[:-age]])
        means = means + np.where(age < states, older, 0.0)
    return means / states


def arrivals(means: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Return the state at which each of `goals` (H,) is arrived at, or -1, (H,).

    It is the first within the goal after the last beyond LEAVES times the goal, of pass means (T + 1,).
    """
    return np.array([_arrival(means, goal) for goal in goals], dtype=np.int64)


def _arrival(means: np.ndarray, goal: float) -> int:
    beyond = np.flatnonzero(~(means <= LEAVES * goal))
    since = beyond[-1] + 1 if len(beyond) else 0
    within = np.flatnonzero(means[since:] <= goal)
    return int(since + within[0]) if len(within) else -1


def fingerprint(gap: np.ndarray) -> int:
    """Return 64 bits of the finite states of a curve: runs that agree bit for bit have the same.

    Each state is mixed in by exclusive or and a multiplication by the golden ratio of 2^64 (Knuth, The Art of
    Computer Programming, 6.4), of which the upper half is folded back.
    """
    mark = 0
    for bits in gap.view(np.uint64).tolist():
        mark = ((mark ^ bits) * MULTIPLIER) % 2**64
        mark ^= mark >> 32
    return int(np.uint64(mark).astype(np.int64))
