"""The runs that are left to train one by one, handed out in batches, and how long they will take.

Of a group of 1,000 runs two workers get rows 0 to 250 and 250 to 438. One that got to row 100 within its time
gives 100 to 250 back; they are handed out next.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from lrbench.plan import Group
from lrbench.problems.solve import Problem

LEAST_SECONDS = 1.0  # of work, before anything is said of the rest


@dataclass(frozen=True)
class Batch:
    """Rows `start` to `stop` of a group, trained one after the other.

    most: how many runs of this group may be handed out at once.
    """

    group: Group
    problem: Problem
    start: int
    stop: int
    most: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def steps(self) -> int:
        """Those of all its runs."""
        return self.size * self.group.shared["steps"]

    def first(self, runs: int) -> "Batch":
        return replace(self, stop=min(self.start + runs, self.stop))

    def after(self, runs: int) -> "Batch":
        return replace(self, start=min(self.start + runs, self.stop))

    def runs(self) -> Group:
        """Return them as a group of their own."""
        return self.group.take(np.arange(self.start, self.stop))


class Left:
    """What is left of some batches."""

    def __init__(self, batches: Iterable[Batch]):
        self._batches: deque[Batch] = deque()
        self._runs_left = self._steps_left = 0
        for batch in batches:
            self._put(batch, self._batches.append)
        self._seconds = 0.0  # of the runs that are done
        self._steps_done = 0

    def take(self, workers: int) -> Batch | None:
        """Hand out the next batch, None where nothing is left.

        It gets smaller towards the end, so that all workers are done together.
        """
        if not self._batches:
            return None
        share = math.ceil(self._runs_left / (2 * workers))
        return self._cut(min(share, self._batches[0].most))

    def take_one(self) -> Batch | None:
        """Hand out one run, None where nothing is left."""
        return self._cut(1) if self._batches else None

    def note(self, batch: Batch, done: int, seconds: float) -> None:
        """Learn that the first runs of a batch are done and how long they took; the others are left again."""
        self._seconds += seconds
        self._steps_done += batch.first(done).steps
        self._put(batch.after(done), self._batches.appendleft)

    @property
    def seconds(self) -> float:
        """What is left for several workers takes so long in one process, at the pace so far.

        0 where a single run is left, and before a second of work is done: the first runs do not tell it well.
        """
        if self._runs_left < 2 or self._seconds < LEAST_SECONDS:
            return 0.0
        return self._steps_left * self._seconds / self._steps_done

    def _cut(self, runs: int) -> Batch:
        batch = self._batches.popleft()
        self._runs_left -= batch.size
        self._steps_left -= batch.steps
        self._put(batch.after(runs), self._batches.appendleft)
        return batch.first(runs)

    def _put(self, batch: Batch, place: Callable[[Batch], None]) -> None:
        if batch.size:
            place(batch)
        self._runs_left += batch.size
        self._steps_left += batch.steps
