"""The rows of every step, drawn once for all runs of a seed."""

import numpy as np

from lrbench.engines.arguments import Batches
from lrbench.plan import Group
from lrbench.problems.solve import Problem
from lrbench.seeds import batches, evaluations, is_fixed, sizes, steps_per_epoch


class Minibatches:
    """The minibatches of a group, or the lack of them where every step sees all rows.

    Attributes:
        evaluations: (steps + 1,) gradient evaluations until each state; a minibatch counts its share of the
            rows.
        epoch: how many steps a pass over the rows takes.
        stream: (R,) which sequence of batches is a run's.
        largest: how many rows the largest holds, 0 where every step sees all rows.
    """

    def __init__(self, group: Group, problem: Problem):
        run = group.shared
        n = problem.data.n
        self._problem = problem
        self._how = (run["batch_size"], run["batch_order"])
        self._steps = run["steps"]
        self._sizes = sizes(n, *self._how, self._steps)
        self.of_all_rows = run["batch_size"] is None
        self.largest = 0 if self.of_all_rows else int(self._sizes.max())
        self.epoch = steps_per_epoch(n, run["batch_size"])
        self.evaluations = evaluations(n, *self._how, self._steps)
        seeds = self._seeds_of(group)
        self._seeds, self.stream = np.unique(seeds, return_inverse=True)

    def _seeds_of(self, group: Group) -> np.ndarray:
        """Return the seed of each run, (R,); the same for all where batches do not depend on it."""
        seed = group.column("seed")
        seeds = np.array(seed.values)[seed.codes]
        if is_fixed(*self._how):
            return seeds[:1].repeat(len(group))
        return seeds

    def batches(self, real: np.dtype, order: np.ndarray) -> Batches | None:
        """Return what the program needs of them, with the parameters in this order.

        That is None where every step sees all rows.
        """
        if self.of_all_rows:
            return None
        data, loss = self._problem.data, self._problem.loss
        with np.errstate(over="ignore"):
            X = np.ascontiguousarray(data.design()[:, order]).astype(real)
            y = data.y.astype(real)
        rows = [self._rows(int(seed)) for seed in self._seeds]
        factors = [loss.factor(size) for size in self._sizes]
        shares = [loss.penalty_share(size, data.n) for size in self._sizes]
        return Batches(
            X=X,
            y=y,
            penalty=loss.penalties(data.d, data.p)[order],
            order=np.stack(rows),
            starts=np.concatenate([[0], np.cumsum(self._sizes)]),
            factors=np.array(factors, dtype=real),
            shares=np.array(shares),
            k=loss.k,
        )

    def _rows(self, seed: int) -> np.ndarray:
        """Return the rows of all steps of one seed, one step after another."""
        of_steps = batches(self._problem.data.n, *self._how, seed, self._steps)
        return np.concatenate([np.asarray(rows) for rows in of_steps])
