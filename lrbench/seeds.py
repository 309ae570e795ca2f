"""What a seed fixes: the start and the order of the minibatches, the same for every optimizer and setting
(common random numbers).

Streams come from numpy's SeedSequence and Philox, one a purpose, so that they are the same on every machine;
nothing here touches a global generator.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

START, BATCHES, DATA, TUNING = range(4)

Rows = slice | np.ndarray


def stream(seed: int, purpose: int, *index: int) -> np.random.Generator:
    """Return the generator of one seed for one purpose; `index` (an epoch, say) selects independent
    substreams.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *index))
    return np.random.Generator(np.random.Philox(sequence))


def start(init: str | Sequence[float], seed: int, d: int, p: int) -> np.ndarray:
    """Return the first weights [weights..., intercept], shape (p,), float64.

    `torch` is the distribution of nn.Linear's own initialisation, uniform on +-1/sqrt(d) for weights and bias
    alike; else `zeros`, or the numbers.
    """
    if starts_vary(init):
        bound = 1 / math.sqrt(d)
        return stream(seed, START).uniform(-bound, bound, p)
    if init == "zeros":
        return np.zeros(p)
    return np.array(init, dtype=np.float64)


def starts_vary(init: object) -> bool:
    """Say whether a seed gives a start of its own."""
    return init == "torch"


def tuning_seeds(seed: int, count: int) -> list[int]:
    """Return the first distinct seeds of a stream of their own, of seven digits to nine: apart from those
    that a person counts from 0.
    """
    least, most = 10**6, 10**9
    drawn = stream(seed, TUNING).integers(least, most, size=2 * count + 10)  # more than enough without twins
    distinct = list(dict.fromkeys(drawn.tolist()))
    return distinct[:count]


def steps_per_epoch(n: int, batch_size: int | None) -> int:
    """Return how many updates one pass over n rows takes; the last, short batch counts as one."""
    rows = batch_size or n
    return math.ceil(n / rows)


def is_fixed(batch_size: int | None, batch_order: str) -> bool:
    """Say whether the rows of each update are the same for every seed."""
    return batch_size is None or batch_order == "sequential"


def sizes(n: int, batch_size: int | None, batch_order: str, steps: int) -> np.ndarray:
    """Return how many rows each update sees, (steps,)."""
    if batch_size is None:
        return np.full(steps, n)
    per_epoch = steps_per_epoch(n, batch_size)
    of_epoch = np.full(per_epoch, batch_size)
    if batch_order != "replacement":
        of_epoch[-1] = n - batch_size * (per_epoch - 1)
    return np.resize(of_epoch, steps)


def evaluations(n: int, batch_size: int | None, batch_order: str, steps: int) -> np.ndarray:
    """Return the rows that the updates before each state have seen, over n, (steps + 1,).

    The last is what these updates cost where each takes one gradient: the budget of a run.
    """
    seen = np.cumsum(sizes(n, batch_size, batch_order, steps))
    return np.concatenate([[0], seen]) / n


def batches(n: int, batch_size: int | None, batch_order: str, seed: int, steps: int) -> Iterator[Rows]:
    """Yield the rows of each update.

    `batch_size` null is all of them; else an epoch is a pass over n rows, `sequential` in their own order or
    `shuffled` in a fresh one, whose last batch may be short, or as many full batches of rows drawn with
    `replacement`. What is random comes from (seed, epoch).
    """
    if batch_size is None:
        yield from repeat(slice(None), steps)
        return
    per_epoch = steps_per_epoch(n, batch_size)
    rows = np.arange(n)
    for step in range(steps):
        epoch, batch = divmod(step, per_epoch)
        if batch == 0 and batch_order == "shuffled":
            rows = stream(seed, BATCHES, epoch).permutation(n)
        if batch == 0 and batch_order == "replacement":
            rows = stream(seed, BATCHES, epoch).integers(n, size=per_epoch * batch_size)
        first = batch * batch_size
        yield rows[first : first + batch_size]
