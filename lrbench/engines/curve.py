"""The loss curve of one run while the reference engine makes it."""

from collections.abc import Sequence
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
        self.loss[step], self.gap[step], self.weights = loss, gap, weights
        if step in self.traced:
            self.traced[step] = weights
        return True


def outcome(
    curves: Sequence[Curve], problem: Problem, step: np.ndarray, targets: Sequence[float], epoch: int
) -> Outcome:
    """Return what is known of the runs that made these curves, recorded at `step`; an epoch has so many steps."""
    loss, gap, evaluations = (
        np.stack([getattr(curve, name) for curve in curves]) for name in ("loss", "gap", "evaluations")
    )
    finite = np.isfinite(loss)
    last = finite.sum(axis=1) - 1  # states are finite until the first that is not
    none = last < 0
    unknown = np.full(problem.data.p, np.nan)
    failures = {row: curve.failure for row, curve in enumerate(curves) if curve.failure is not None}
    within = gap[:, None, :] <= gaps_of(targets, problem)[None, :, None]
    hits = np.where(within.any(axis=2), within.argmax(axis=2), NEVER)
    rows = np.arange(len(curves))
    half, end = (gap[:, first : last + 1].mean(axis=1) for first, last in spans(curves[0].steps, epoch))
    return Outcome(
        step=step,
        loss=loss[:, step],
        gap=gap[:, step],
        evaluations=evaluations[:, step],
        half_gap=half,
        last_epoch_gap=end,
        hits=hits,
        evaluations_to_hits=np.take_along_axis(evaluations, hits, axis=1),
        all_evaluations=evaluations[:, -1],
        first_bad=np.where(finite.all(axis=1) | np.isin(rows, list(failures)), NEVER, last + 1),
        peak=np.where(finite, gap, 0.0).max(axis=1),
        last_loss=np.where(none, np.nan, loss[rows, last]),
        weights=np.stack([unknown if curve.weights is None else curve.weights for curve in curves]),
        path=np.array(
            [[unknown if w is None else w for w in curve.traced.values()] for curve in curves]
        ).reshape(len(curves), -1, problem.data.p),
        failures=failures,
    )
