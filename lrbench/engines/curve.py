"""The loss curve of one run while it is made, and what it says about the run."""

from dataclasses import dataclass, field

import numpy as np

from lrbench.problems.solve import Problem

TARGETS = tuple(float(f"1e-{k}") for k in range(1, 9))  # relative gaps


@dataclass
class Curve:
    """State 0 is the start, state t the one after t updates. What was not reached stays inf.

    Attributes:
        loss, gap: (steps + 1,) over all rows, float64 whatever the run's dtype.
        evaluations: (steps + 1,) gradient evaluations so far; a minibatch counts its share of the rows.
        weights: (p,) [weights..., intercept] of the last finite state.
        failure: the words with which the optimizer refused, if it did.
    """

    steps: int
    loss: np.ndarray = field(init=False)
    gap: np.ndarray = field(init=False)
    evaluations: np.ndarray = field(init=False)
    weights: np.ndarray | None = None
    failure: str | None = None

    def __post_init__(self) -> None:
        self.loss = np.full(self.steps + 1, np.inf)
        self.gap = np.full(self.steps + 1, np.inf)
        self.evaluations = np.zeros(self.steps + 1)

    def add(self, step: int, loss: float, gap: float, evaluations: float, weights: np.ndarray) -> bool:
        """Note a state; return whether it was finite, so that going on makes sense."""
        self.evaluations[step:] = evaluations
        if not (np.isfinite(loss) and np.isfinite(gap)):
            return False
        self.loss[step], self.gap[step], self.weights = loss, gap, weights
        return True

    def first_bad_step(self) -> int | None:
        """Return the first step whose loss or gap is not finite."""
        bad = ~np.isfinite(self.loss)
        return int(bad.argmax()) if bad.any() else None

    def status(self, problem: Problem, dtype: str) -> tuple[str, str | None]:
        """Return completed, diverged or failed, and why."""
        if self.failure is not None:
            return "failed", self.failure
        if (bad := self.first_bad_step()) is not None:
            return "diverged", f"loss or weights not finite at step {bad}"
        if self.gap[-1] > max(self.gap[0], problem.scale or 0.0, problem.gap_floor(dtype)):
            return "diverged", "final gap above both the start's and the constant model's"
        return "completed", None

    def first_hit(self, target: float, problem: Problem) -> int | None:
        """Return the first step with a relative gap of at most `target`; None where it was never reached or relative gaps are undefined."""
        if problem.scale is None:
            return None
        hit = self.gap <= target * problem.scale
        return int(hit.argmax()) if hit.any() else None


def recorded_steps(steps: int, record: str | int) -> np.ndarray:
    """Return which states are kept: all, or at most `record` of them, spaced evenly in log, with the first and the last."""
    if record == "all" or int(record) > steps:
        return np.arange(steps + 1)
    return np.unique([0, *np.geomspace(steps, 1, int(record) - 1).astype(np.int64)])
