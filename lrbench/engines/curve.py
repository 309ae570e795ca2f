"""The loss curve of one run while the reference engine makes it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from lrbench.engines.outcome import NEVER, Outcome, gaps_of, spans
from lrbench.problems.solve import Problem


@dataclass
class Curve:
    """State 0 is the start, state t the one after t updates. What was not reached stays inf.

    Attributes:
        loss, gap: (steps + 1,) over all rows, float64 whatever the run's dtype.
        evaluations: (steps + 1,) gradient evaluations so far; a minibatch counts its share of the rows.
        weights: (p,) [weights..., intercept] of the last finite state.
        traced: the states whose weights are kept, None until they are reached.
        failure: the words with which the optimizer refused, if it did.
    """

    steps: int
    loss: np.ndarray = field(init=False)
    gap: np.ndarray = field(init=False)
    evaluations: np.ndarray = field(init=False)
    weights: np.ndarray | None = None
    traced: dict[int, np.ndarray | None] = field(default_factory=dict)
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
        self.loss[step] = loss
        self.gap[step] = gap
        self.weights = weights
        if step in self.traced:
            self.traced[step] = weights
        return True


def outcome(
    curves: Sequence[Curve], problem: Problem, step: np.ndarray, targets: Sequence[float], epoch: int
) -> Outcome:
    """Return what is known of the runs that made these curves, recorded at `step`.

    An epoch has so many steps.
    """
    loss = np.stack([curve.loss for curve in curves])  # (R, T + 1)
    gap = np.stack([curve.gap for curve in curves])
    evaluations = np.stack([curve.evaluations for curve in curves])
    failures = {row: curve.failure for row, curve in enumerate(curves) if curve.failure is not None}

    finite = np.isfinite(loss)
    last = finite.sum(axis=1) - 1  # states are finite until the first that is not
    runs = np.arange(len(curves))
    to_the_end = finite.all(axis=1) | np.isin(runs, list(failures))
    levels = gaps_of(targets, problem)
    within = gap[:, None, :] <= levels[None, :, None]  # (R, H, T + 1)
    hits = np.where(within.any(axis=2), within.argmax(axis=2), NEVER)
    half, end = spans(curves[0].steps, epoch)
    p = problem.data.p
    paths = [_weights(curve.traced.values(), p) for curve in curves]

    return Outcome(
        step=step,
        loss=loss[:, step],
        gap=gap[:, step],
        evaluations=evaluations[:, step],
        half_gap=_mean_of(gap, half),
        last_epoch_gap=_mean_of(gap, end),
        hits=hits,
        evaluations_to_hits=np.take_along_axis(evaluations, hits, axis=1),
        all_evaluations=evaluations[:, -1],
        first_bad=np.where(to_the_end, NEVER, last + 1),
        peak=np.where(finite, gap, 0.0).max(axis=1),
        last_loss=np.where(last < 0, np.nan, loss[runs, last]),
        weights=_weights([curve.weights for curve in curves], p),
        path=np.stack(paths),
        failures=failures,
    )


def _mean_of(gap: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Return the mean gap of each run over a span of states, first and last, (R,)."""
    first, last = span
    return gap[:, first : last + 1].mean(axis=1)


def _weights(states: Collection[np.ndarray | None], p: int) -> np.ndarray:
    """Return the weights of states, nan where there are none, (len(states), p)."""
    weights = np.full((len(states), p), np.nan)
    for row, known in enumerate(states):
        if known is not None:
            weights[row] = known
    return weights
