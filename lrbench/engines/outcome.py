"""What is known of trained runs, however they were trained: columns over R runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrbench.problems.solve import Problem

TARGETS = tuple(float(f"1e-{k}") for k in range(1, 9))  # relative gaps
NEVER = -1


@dataclass(frozen=True)
class Outcome:
    """R runs of one problem and one number of steps. State 0 is the start, state t the one after t updates.

    Attributes:
        step: (K,) the recorded states.
        loss, gap: (R, K) over all rows, float64; inf from the first state on that is not finite.
        evaluations: (R, K) gradient evaluations until then; a minibatch counts its share of the rows.
        half_gap, last_epoch_gap: (R,) mean gap over the two `spans`, counted at every step; inf where a state
            in it is not finite.
        hits: (R, H) first state within each of H targets, counted at every step, or NEVER.
        evaluations_to_hits: (R, H) gradient evaluations until then.
        all_evaluations: (R,) gradient evaluations of the whole run.
        first_bad: (R,) first state whose loss or gap is not finite, or NEVER.
        peak: (R,) largest finite gap.
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
    half_gap: np.ndarray
    last_epoch_gap: np.ndarray
    hits: np.ndarray
    evaluations_to_hits: np.ndarray
    all_evaluations: np.ndarray
    first_bad: np.ndarray
    peak: np.ndarray
    last_loss: np.ndarray
    weights: np.ndarray
    path: np.ndarray
    failures: dict[int, str]

    def status(self, problem: Problem, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (R,) completed, diverged or failed, and (R,) why (None where completed)."""
        status = np.full(len(self.gap), "completed")
        reason = np.full(len(self.gap), None, dtype=object)
        of_the_constant_model = max(problem.scale or 0.0, problem.gap_floor(dtype))
        climbed = self.gap[:, -1] > np.maximum(self.gap[:, 0], of_the_constant_model)
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


def spans(steps: int, epoch: int) -> np.ndarray:
    """Return the first and the last state of two epochs, (2, 2): the last before half the budget and the end.

    `epoch` is its number of steps, so one where a step takes all rows. The start never counts, except as half
    of a single step.
    """
    last = np.array([steps // 2, steps])
    after_the_start = np.maximum(last - epoch + 1, 1)
    first = np.minimum(after_the_start, last)
    return np.stack([first, last], axis=1)


def gaps_of(targets: Sequence[float], problem: Problem) -> np.ndarray:
    """Return the gap of each relative target; -1, which no gap reaches, where relative gaps are undefined."""
    if problem.scale is None:
        return np.full(len(targets), -1.0)
    return np.array(targets) * problem.scale
