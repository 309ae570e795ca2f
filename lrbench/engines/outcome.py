"""What is known of trained runs, however they were trained: columns over R runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrbench.problems.solve import Problem

TARGETS = tuple(float(f"1e-{k}") for k in range(1, 9))  # relative gaps
NEVER = -1
TINY = np.finfo(float).tiny  # of a floor of 0, whose logarithm is wanted


@dataclass(frozen=True)
class Outcome:
    """R runs of one problem and one number of steps. State 0 is the start, state t the one after t updates.

    Attributes:
        step: (K,) the recorded states.
        loss, gap: (R, K) over all rows, float64; inf from the first state on that is not finite.
        evaluations: (R, K) gradient evaluations until then; a minibatch counts its share of the rows.
        budget: what the runs may take, in evaluations.
        steps_taken: (R,) steps within the budget; of a run that stopped, those until then.
        evaluations_per_step: (R,) the fewest that a step took, inf where there was none.
        all_evaluations: (R,) gradient evaluations of the whole run.
        last_gap: (R, 2) gap of the last state within half the budget, and within all of it; inf where one
            until then is not finite.
        level: (R, 2) mean gap over the last tenth of each, counted at every step; inf likewise.
        hits: (R, H) first state whose pass mean is within each of H goals, counted at every step, or NEVER.
        evaluations_to_hits: (R, H) gradient evaluations until then.
        arrivals: (R, 2, H) gradient evaluations until the first state within each goal after which the pass
            mean stays below twice the goal, to the end of half the budget and of all of it; inf without one.
        first_bad: (R,) first state whose loss or gap is not finite, or NEVER.
        peak: (R,) largest finite gap.
        fingerprint: (R,) int64 of the whole curve: runs that agree bit for bit have the same.
        stopped: (R,) whether the last step changed no bit of the weights.
        last_loss: (R,) loss of the last finite state, nan if there was none.
        weights: (R, p) [weights..., intercept] of the last finite state, nan if there was none.
        path: (R, K', p) the weights at K' traced states, nan where a run had stopped; K' is 0 unless they
            were asked for.
        failures: row -> the words with which the optimizer refused.
    """

    step: np.ndarray
    loss: np.ndarray
    gap: np.ndarray
    evaluations: np.ndarray
    budget: float
    steps_taken: np.ndarray
    evaluations_per_step: np.ndarray
    all_evaluations: np.ndarray
    last_gap: np.ndarray
    level: np.ndarray
    hits: np.ndarray
    evaluations_to_hits: np.ndarray
    arrivals: np.ndarray
    first_bad: np.ndarray
    peak: np.ndarray
    fingerprint: np.ndarray
    stopped: np.ndarray
    last_loss: np.ndarray
    weights: np.ndarray
    path: np.ndarray
    failures: dict[int, str]

    def began(self, problem: Problem, dtype: str) -> np.ndarray:
        """Return where a run begins, (R,): the larger of start and constant model, at least the floor."""
        least = max(problem.scale or 0.0, problem.gap_floor(dtype), TINY)
        return np.maximum(self.gap[:, 0], least)

    def status(self, problem: Problem, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (R,) completed, diverged or failed, and (R,) why (None where completed)."""
        status = np.full(len(self.gap), "completed")
        reason = np.full(len(self.gap), None, dtype=object)
        climbed = self.last_gap[:, 1] > self.began(problem, dtype)
        bad = self.first_bad != NEVER
        status[climbed | bad] = "diverged"
        reason[climbed] = "final gap above both the start's and the constant model's"
        reason[bad] = [f"loss or weights not finite at step {step}" for step in self.first_bad[bad]]
        for row, words in self.failures.items():
            status[row], reason[row] = "failed", words
        return status, reason


def recorded_steps(steps: int, record: str | int) -> np.ndarray:
    """Return which states are kept: all, or at most `record` of them.

    They are spaced evenly in log, and the first and the last are among them.
    """
    if record == "all" or int(record) > steps:
        return np.arange(steps + 1)
    spaced = np.geomspace(steps, 1, int(record) - 1)
    return np.unique([0, *spaced.astype(np.int64)])


def goals_of(targets: Sequence[float], problem: Problem, dtype: str) -> np.ndarray:
    """Return the gap that is the goal of each relative target, (H,): never below the floor.

    Where relative gaps are undefined, the floor is the goal of each.
    """
    least = max(problem.gap_floor(dtype), TINY)
    return np.maximum(np.array(targets) * (problem.scale or 0.0), least)
