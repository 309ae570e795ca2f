"""The rows of every step, drawn once for all runs of a seed."""

import numpy as np

from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.seeds import batches, is_fixed, sizes, steps_per_epoch


class Minibatches:
    """The minibatches of a group, or the lack of them where every step sees all rows.

    Attributes:
        evaluations: (steps + 1,) gradient evaluations until each state; a minibatch counts its share of the rows.
        epoch: how many steps a pass over the rows takes.
        stream: (R,) which sequence of batches is a run's.
    """

    def __init__(self, group: Group, problem: Problem):
        self._problem, run, seed = problem, group.shared, group.column("seed")
        self._how = run["batch_size"], run["batch_order"]
        self._steps = run["steps"]
        self.of_all_rows = self._how[0] is None
        self.epoch = steps_per_epoch(problem.data.n, run["batch_size"])
        self._sizes = sizes(problem.data.n, *self._how, self._steps)
        self.evaluations = np.concatenate([[0], np.cumsum(self._sizes)]) / problem.data.n
        seeds = np.array(seed.values)[seed.codes]
        if is_fixed(*self._how):
            seeds = seeds[:1].repeat(len(group))
        self._seeds, self.stream = np.unique(seeds, return_inverse=True)

    def arrays(self, real: np.dtype) -> tuple[np.ndarray, ...]:
        """Return what the kernel needs of them; all empty where every step sees all rows.

        The rows of all steps (streams, total), where each step's begin (steps + 1,), the factor of its loss and its share of the penalty (steps,).
        """
        if self.of_all_rows:
            return np.zeros((0, 0), np.int64), np.zeros(0, np.int64), np.zeros(0, real), np.zeros(0)
        data, loss = self._problem.data, self._problem.loss
        rows = [
            np.concatenate([np.asarray(rows) for rows in batches(data.n, *self._how, int(seed), self._steps)])
            for seed in self._seeds
        ]
        starts = np.concatenate([[0], np.cumsum(self._sizes)])
        factors = np.array([loss.factor(size) for size in self._sizes], dtype=real)
        return (
            np.stack(rows),
            starts,
            factors,
            np.array([loss.penalty_share(size, data.n) for size in self._sizes]),
        )
