"""The loss curve of one run while the reference engine makes it, and what is read of it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lrbench.config import Leaves
from lrbench.engines.outcome import NEVER, Outcome, goals_of, recorded_steps
from lrbench.engines.readings import (
    SHARES,
    SLACK,
    arrivals,
    fingerprint,
    last_within,
    pass_means,
    windows,
)
from lrbench.problems.solve import Problem


@dataclass
class Curve:
    """State 0 is the start, state t the one after t updates. What was not reached stays inf.

    Attributes:
        steps: most that the run takes.
        budget: gradient evaluations within which a state counts.
        loss, gap: (steps + 1,) over all rows, float64 whatever the run's dtype.
        evaluations: (steps + 1,) gradient evaluations so far; a minibatch counts its share of the rows.
        taken: steps within the budget, of finite states or not.
        weights, weights_before: (p,) [weights..., intercept] of the last finite state and the one before.
        traced: the states whose weights are kept, None until they are reached.
        failure: the words with which the optimizer refused, if it did.
    """

    steps: int
    budget: float
    loss: np.ndarray = field(init=False)
    gap: np.ndarray = field(init=False)
    evaluations: np.ndarray = field(init=False)
    taken: int = 0
    weights: np.ndarray | None = None
    weights_before: np.ndarray | None = None
    traced: dict[int, np.ndarray | None] = field(default_factory=dict)
    failure: str | None = None

    def __post_init__(self) -> None:
        self.loss = np.full(self.steps + 1, np.inf)
        self.gap = np.full(self.steps + 1, np.inf)
        self.evaluations = np.zeros(self.steps + 1)

    def add(self, step: int, loss: float, gap: float, evaluations: float, weights: np.ndarray) -> bool:
        """Note a state; return whether it was within the budget and finite, so that going on makes sense."""
        if evaluations > self.budget + SLACK:
            return False
        self.taken = step
        self.evaluations[step:] = evaluations
        if not (np.isfinite(loss) and np.isfinite(gap)):
            return False
        self.loss[step] = loss
        self.gap[step] = gap
        self.weights, self.weights_before = weights, self.weights
        if step in self.traced:
            self.traced[step] = weights
        return True

    @property
    def first_bad(self) -> int:
        """The first state that is not finite, or NEVER."""
        return NEVER if np.isfinite(self.gap[self.taken]) else self.taken

    @property
    def is_whole(self) -> bool:
        """Whether the run took all the steps that its budget allows."""
        return self.failure is None and self.first_bad == NEVER

    @property
    def last_state(self) -> int:
        """The last state to show: of a run that was lost on the way, the last that there would have been."""
        return self.taken if self.is_whole else self.steps


def outcome(
    curve: Curve, problem: Problem, run: Leaves, record: str | int, targets: Sequence[float]
) -> Outcome:
    """Return what is known of the run that made a curve, as an Outcome of one run."""
    step = recorded_steps(curve.last_state, record)
    states = curve.taken + 1
    gap, evaluations = curve.gap[:states], curve.evaluations[:states]
    finite = np.isfinite(gap)
    means = pass_means(gap, evaluations)
    goals = goals_of(targets, problem, run["dtype"])
    within = means <= goals[:, None]  # (H, states)
    hits = np.where(within.any(axis=1), within.argmax(axis=1), NEVER)
    spent = np.diff(evaluations)
    levels = [_level(curve, gap, window) for window in windows(evaluations, curve.budget)]
    last_gaps = [_last_gap(curve, gap, share) for share in SHARES]
    return Outcome(
        step=step,
        loss=curve.loss[None, step],
        gap=curve.gap[None, step],
        evaluations=curve.evaluations[None, step],
        budget=curve.budget,
        steps_taken=np.array([curve.taken]),
        evaluations_per_step=np.array([spent[spent > 0].min(initial=np.inf)]),
        all_evaluations=evaluations[-1:],
        last_gap=np.array([last_gaps]),
        level=np.array([levels]),
        hits=hits[None],
        evaluations_to_hits=evaluations[hits][None],
        arrivals=_arrivals(means, evaluations, curve.budget, goals)[None],
        first_bad=np.array([curve.first_bad]),
        peak=gap[finite].max(initial=0.0, keepdims=True),
        fingerprint=np.array([fingerprint(gap[finite])]),
        stopped=np.array([_is_still(curve)]),
        last_loss=np.array([curve.loss[:states][finite][-1] if finite.any() else np.nan]),
        weights=_weights([curve.weights], problem.data.p),
        path=_path(curve, problem.data.p)[None],
        failures={} if curve.failure is None else {0: curve.failure},
    )


def _level(curve: Curve, gap: np.ndarray, window: np.ndarray) -> float:
    """Return the mean gap of the states from first to last; inf of a run that ended before the last."""
    first, last = window
    is_reached = curve.is_whole or last < curve.taken
    return float(gap[first : last + 1].mean()) if is_reached else np.inf


def _last_gap(curve: Curve, gap: np.ndarray, share: float) -> float:
    last = last_within(curve.evaluations[: len(gap)], share * curve.budget)
    is_reached = curve.is_whole or last < curve.taken
    return float(gap[last]) if is_reached else np.inf


def _arrivals(means: np.ndarray, evaluations: np.ndarray, budget: float, goals: np.ndarray) -> np.ndarray:
    """Return the evaluations until arrival within each share of the budget, (2, H); inf without one."""
    found = []
    for share in SHARES:
        last = last_within(evaluations, share * budget)
        states = arrivals(means[: last + 1], goals)
        found.append(np.where(states == NEVER, np.inf, evaluations[states]))
    return np.array(found)


def _is_still(curve: Curve) -> bool:
    """Say whether the last step changed no bit of the weights."""
    last, before = curve.weights, curve.weights_before
    if not curve.is_whole or last is None or before is None:
        return False
    return bool((last == before).all())


def _path(curve: Curve, p: int) -> np.ndarray:
    """Return the weights at the traced states, (K', p); beyond the last state that one stands."""
    stands = curve.weights if curve.is_whole else None
    states = [stands if step > curve.taken else known for step, known in curve.traced.items()]
    return _weights(states, p)


def _weights(states: Sequence[np.ndarray | None], p: int) -> np.ndarray:
    """Return the weights of states, nan where there are none, (len(states), p)."""
    weights = np.full((len(states), p), np.nan)
    for row, known in enumerate(states):
        if known is not None:
            weights[row] = known
    return weights
