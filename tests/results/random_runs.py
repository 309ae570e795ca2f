"""Random runs of the rule, in every state that a comparison may meet, and runs of the rule as arrays."""

import math

import numpy as np
import rule

from lrbench.results.statistics.readings import Readings

SIZES = [1, 2, 3, 4, 5, 7, 9, 10, 12, 25]
FAMILIES = [1, 2, 6, 10, 25, 26, 100, 300]
# chances that a run arrives, misses, is lost
MIXTURES = [(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0.7, 0.3), (0.9, 0.1, 0), (0.4, 0.4, 0.2), (0, 0, 1)]
RATIOS = [1.0, 1.02, 1.1, 1.25, 1.6, 4.0]
NOISES = [0.0, 0.02, 0.1, 0.5]
STEPS = [0.1, 1.0, 1.0, 7.0]


def arrays(runs: list[rule.Reading]) -> Readings:
    """Return runs of the rule as the readings that are tested."""
    return Readings(
        lost=np.array([r.lost for r in runs], dtype=bool),
        arrived=np.array([r.reached for r in runs], dtype=bool),
        cost=np.array([r.cost for r in runs], dtype=float),
        level=np.array([r.level for r in runs], dtype=float),
        score=np.array([r.score for r in runs], dtype=float),
        step=np.array([r.step for r in runs], dtype=float),
        curve=np.array([r.run for r in runs], dtype=np.int64),
        left=np.array([r.left for r in runs], dtype=bool),
    )


def a_run(rng: np.random.Generator, state: int, factor: float, step: float, leaves: float) -> rule.Reading:
    """Return a run that arrives (state 0), misses (1) or is lost (2)."""
    curve = int(rng.integers(-(2**62), 2**62))
    if state == 2:
        return rule.Reading(True, False, 100.0, math.inf, step, 1e-6, 100.0, curve)
    if state == 1:
        return rule.Reading(False, False, 100.0, 3e-6 * max(factor, 0.34), step, 1e-6, 100.0, curve)
    cost = min(40 * factor, 100.0)
    if rng.random() < 0.7:
        cost = float(max(round(cost), 1))
    return rule.Reading(False, True, cost, 1e-9, step, 1e-6, 100.0, curve, left=bool(rng.random() < leaves))


def some_runs(rng: np.random.Generator, n: int) -> list[rule.Reading]:
    """Return n runs of one optimizer."""
    mixture = MIXTURES[rng.integers(len(MIXTURES))]
    noise, step = rng.choice(NOISES), rng.choice(STEPS)
    ratio = rng.choice(RATIOS) ** rng.choice([-1, 1])
    leaves = rng.choice([0.0, 0.0, 0.4, 0.8])
    states = rng.choice(3, size=n, p=mixture)
    factors = ratio * np.exp(noise * rng.normal(size=n))
    return [a_run(rng, state, factor, step, leaves) for state, factor in zip(states, factors, strict=True)]


def other_runs(rng: np.random.Generator, own: list[rule.Reading]) -> list[rule.Reading]:
    """Return the runs of a rival: unlike, the same, or the same on some seeds."""
    others = some_runs(rng, len(own))
    kind = rng.choice(["unlike", "same", "partly"], p=[0.85, 0.05, 0.1])
    shared = {"unlike": 0.0, "same": 1.0, "partly": 0.5}[kind]
    return [x if rng.random() < shared else y for x, y in zip(own, others, strict=True)]


def some_optimizers(rng: np.random.Generator, k: int) -> list[list[rule.Reading]]:
    """Return the runs of k optimizers on the same seeds; some of the seeds may be the same start."""
    n = int(rng.choice(SIZES))
    own = some_runs(rng, n)
    rivals = [other_runs(rng, own) for _ in range(k - 1)]
    repeats = rng.random() < 0.15
    seeds = rng.integers(n, size=n) if repeats else np.arange(n)
    return [[runs[seed] for seed in seeds] for runs in (own, *rivals)]


def some_pairs(seed: int, count: int) -> list[list[list[rule.Reading]]]:
    rng = np.random.default_rng(seed)
    return [some_optimizers(rng, 2) for _ in range(count)]


def some_fields(seed: int, count: int) -> list[dict[str, list[rule.Reading]]]:
    """Return the runs of two to five optimizers, by name, so many times."""
    rng = np.random.default_rng(seed)
    fields = [some_optimizers(rng, int(rng.integers(2, 6))) for _ in range(count)]
    return [{f"number {i}": runs for i, runs in enumerate(field)} for field in fields]
