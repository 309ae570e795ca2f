"""What a run is worth within a budget: the level at which its gap ends, and when it arrives at a target.

A budget is in gradient evaluations, of which one is a pass over all rows. What is read of a curve are means
of gaps, so that no single state decides: the level is the mean over the last tenth of the budget, and arrival
counts the mean of the last pass, on all rows the state itself. Both engines read a run within half of its
budget and within all of it; the fused engine while it trains (watching.py), the reference engine afterwards,
with `arrivals`. What comes after the budget is read by `highest_beyond`: an arrival need not last.

Letters of shapes: T steps, K states, H targets.
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
    """Return the mean gap of each state's last pass over the rows, (..., T + 1) -> (..., T + 1).

    A pass is the states of the last evaluation; where a step takes all rows, the state alone. The sums are
    only ever added to: a difference of running sums has no digits of a small gap after a large one.
    """
    places = np.arange(len(evaluations))
    first = _first_of_pass(evaluations, evaluations)
    states = places + 1 - np.minimum(first, places)
    longest = int(states.max())
    if (states == np.minimum(places + 1, longest)).all():
        return _sums_of(longest, gap) / states
    means = gap.copy()  # of steps that take several gradients, some states have more before them than others
    for age in range(1, longest):
        older = np.concatenate([np.zeros((*gap.shape[:-1], age)), gap[..., :-age]], axis=-1)
        means = means + np.where(age < states, older, 0.0)
    return means / states


def _first_of_pass(evaluations: np.ndarray, last: np.ndarray | float) -> np.ndarray:
    """Return the first state of the pass that ends at `last` evaluations."""
    return np.searchsorted(evaluations, last - 1 + SLACK, side="right")


def _sums_of(states: int, gap: np.ndarray) -> np.ndarray:
    """Return the sum of each state and those before it, so many in all, (..., T + 1) -> (..., T + 1).

    In blocks of that many states it is the end of one block and the beginning of the next, so that it takes
    no longer where a pass has many states.
    """
    if states == 1:
        return gap
    *runs, length = gap.shape
    blocks = -(-length // states)
    padded = np.zeros((*runs, blocks * states))
    padded[..., :length] = gap
    of_blocks = padded.reshape(*runs, blocks, states)
    sums = of_blocks.cumsum(axis=-1)
    ends = of_blocks[..., ::-1].cumsum(axis=-1)[..., ::-1]
    sums[..., 1:, :-1] += ends[..., :-1, 1:]
    return sums.reshape(*runs, -1)[..., :length]


def going_on(evaluations: np.ndarray, budget: float) -> np.ndarray:
    """Return the states that tell how a run goes on after its budget: those after it, and the pass before.

    `evaluations` (T + 1,) are those until each state; there is one after the budget.
    """
    next_one = last_within(evaluations, budget) + 1
    first = min(int(_first_of_pass(evaluations, evaluations[next_one])), next_one)
    return np.arange(first, len(evaluations))


def highest_beyond(gap: np.ndarray, evaluations: np.ndarray, budget: float) -> np.ndarray:
    """Return the highest mean gap of a pass that ends after the budget, (..., K) -> (...).

    nan where no state lies there. `evaluations` (K,) are those until each of these states.
    """
    beyond = evaluations > budget + SLACK
    if not beyond.any():
        return np.full(gap.shape[:-1], np.nan)
    with np.errstate(over="ignore"):  # gaps that are finite may have a sum that is not
        return pass_means(gap, evaluations)[..., beyond].max(axis=-1)


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
