"""Warnings on the target, the number of steps and the end of a curve: where a result would be another at
another budget.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lrbench.results.frames.read import in_parts
from lrbench.results.notation import listed, number, setting_value
from lrbench.results.statistics import at_least_floor, at_least_half, flips, geometric_mean
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task
from lrbench.results.words.phrases import choice, on_task, on_tasks, optimizers_on_tasks

# times apart at half and at the end: no longer moving. Of one curve in time; what counts as a difference
# between two optimizers is MARGIN, which could be another number
LEVEL = 1.25
MOVED = 0.5  # of the start's gap: level below that, not for want of a step
FALLING = 2.0  # times lower at the end than at half of the steps: still falling
LAST_QUARTER = 0.75  # of the steps: where a tail begins
OSCILLATES = 0.2  # of a tail's steps: the share that may rise


def targets(sweep: Sweep) -> Iterator[str]:
    """Say where the target is reached by nobody, or by fewer than half of the seeds."""
    defined = sweep.ranking.dropna(subset="evaluations_to_target")
    reached = at_least_half(defined["hits"].to_numpy(), defined["seeds"].to_numpy())
    short = defined[~reached]
    target = f"the target, a relative gap of {setting_value(sweep.target)}"
    if len(defined) and not defined["hits"].any():
        yield f"No optimizer reached {target}, at its {choice(sweep)} setting."
    elif len(short):
        cases = optimizers_on_tasks(sweep, short, lambda row: f" ({row['hits']}/{row['seeds']})")
        yield f"Fewer than half of the seeds reached {target}: {cases}."


def too_easy(sweep: Sweep) -> Iterator[str]:
    """Say where every run is there within a step."""
    slowest = sweep.reported.groupby("task", sort=False)["hit_step"].max()
    easy = slowest.index[slowest <= 1]
    if len(easy):
        where = on_tasks(sweep, list(easy))
        yield f"Every run reached the target within one step{where}: it is too easy to tell optimizers apart."


def short(sweep: Sweep) -> Iterator[str]:
    """Say of those that miss the target whether more steps would bring them nearer."""
    ranking = sweep.ranking
    misses = np.isinf(ranking["evaluations_to_target"]) & np.isfinite(ranking["gap"]) & ~ranking["at_floor"]
    if not misses.any():
        return
    missed = ranking[misses].merge(sweep.tasks[["task", "batch_size"]]).merge(_halves(sweep))
    falling = missed["half"] > FALLING * missed["gap"]
    if falling.any():
        cases = optimizers_on_tasks(sweep, missed[falling])
        yield (
            "Short of the target with the gap still falling at the last step, more than twofold in the "
            f"second half: {cases}."
        )
    is_level = np.abs(np.log(missed["half"] / missed["gap"])) < np.log(LEVEL)
    in_batches = missed["batch_size"].notna()
    noisy = missed[is_level & in_batches & (missed["gap"] < MOVED * missed["start"])]
    if len(noisy):
        cases = optimizers_on_tasks(sweep, noisy)
        yield (
            "Short of the target with the gap level in the second half, as at the noise floor of a learning "
            f"rate: {cases}."
        )


def flipped(sweep: Sweep) -> Iterator[str]:
    """Say which order that is shown at the end was the other way round at half of the steps."""
    shown = sweep.pairwise[sweep.pairwise["better"] != ""]
    if shown.empty:
        return
    halves = sweep.ranking.merge(_halves(sweep))
    cases = []
    for task, ranking in halves.groupby("task", sort=False):
        turned = flips(ranking["half"].to_numpy(), ranking["gap"].to_numpy())  # (k, k)
        place = {name: i for i, name in enumerate(ranking["optimizer"])}
        for pair in of_task(shown, str(task)).to_dict("records"):
            if turned[place[pair["a"]], place[pair["b"]]]:
                worse = pair["b"] if pair["better"] == pair["a"] else pair["a"]
                cases.append(f"{worse} before {pair['better']}{on_task(sweep, task)}")
    if cases:
        yield f"At half of the steps the order was another: {listed(cases)}."


def at_floor(sweep: Sweep) -> Iterator[str]:
    """Say who ends where rounding decides."""
    floor = sweep.ranking[sweep.ranking["at_floor"]]
    if len(floor):
        cases = optimizers_on_tasks(sweep, floor, lambda row: f" ({number(row['gap'])})")
        yield f"At the gap floor, where differences are rounding and all are tied: {cases}."


def oscillating(sweep: Sweep) -> Iterator[str]:
    """Say whose gap goes up and down at the end, on all rows.

    With intervals of ten seeds the true ratio was inside in 84 to 90 %, not 95 %.
    """
    runs = sweep.reported
    steady = runs[runs["batch_size"].isna() & (runs["status"] == "completed")]
    tails = [_rises(sweep, part) for part in in_parts(steady)]
    if not tails:
        return
    counts = pd.concat(tails).groupby(COMPETITOR, sort=False).sum().reset_index()
    restless = counts[counts["rises"] > OSCILLATES * counts["steps"]]
    if len(restless):
        cases = optimizers_on_tasks(sweep, restless)
        yield (
            "The gap still goes up and down in the last quarter of the steps; read a 95 % interval as one of "
            f"84 to 90 %: {cases}."
        )


def _rises(sweep: Sweep, runs: pd.DataFrame) -> pd.DataFrame:
    """Count in the last quarter of each run the recorded steps and those that end higher than the one before.

    Below the floor nothing rises.
    """
    about = runs[["run_id", *COMPETITOR, "steps", "gap_floor"]]
    curves = sweep.curves_of(runs["run_id"]).merge(about, on="run_id")
    tail = curves[curves["step"] >= LAST_QUARTER * curves["steps"]]
    gap = at_least_floor(tail["gap"].to_numpy(), tail["gap_floor"].to_numpy())
    before = np.append(np.inf, gap[:-1])
    follows = tail["run_id"].eq(tail["run_id"].shift()).to_numpy()
    return tail[COMPETITOR].assign(steps=follows, rises=follows & (gap > before))


def _halves(sweep: Sweep) -> pd.DataFrame:
    """Return task, optimizer, and of the reported runs half: the geometric mean of the gaps at half of the
    steps.

    start: the median of their first gaps.
    """
    groups = sweep.reported.groupby(COMPETITOR, sort=False)
    half = groups["half"].agg(lambda gaps: float(geometric_mean(gaps.to_numpy())))
    return pd.DataFrame({"half": half, "start": groups["start_gap"].median()}).reset_index()
