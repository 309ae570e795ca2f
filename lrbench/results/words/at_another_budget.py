"""Warnings on the target, the budget and the end of a curve: where the answer would be another at another
one.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import listed, number, setting_value
from lrbench.results.statistics import geometric_mean
from lrbench.results.statistics.verdicts import BETTER
from lrbench.results.tables.pairs import Judged
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words.paste import class_defaults
from lrbench.results.words.phrases import names, on_task, on_tasks, optimizers_on_tasks, target_on

# times apart at half and at the end: no longer moving. Of one curve in time; what counts as a difference
# between two optimizers is MARGIN, which could be another number
LEVEL = 1.25
MOVED = 0.5  # of the start's gap: level below that, not for want of a step
FALLING = 2.0  # times lower at the end than at half of the budget: still falling
ASGD = "torch.optim.ASGD"


def passes_through(sweep: Sweep) -> Iterator[str]:
    """Say who arrives and leaves again before twice the budget, as in a limit cycle of a constant rate."""
    passing = sweep.ranking[sweep.ranking["passes"]]
    if len(passing):
        cases = optimizers_on_tasks(sweep, passing)
        yield (
            f"Passes through: {cases}. Within the target at the end of the budget, gone again before twice "
            "of it, as in a limit cycle: stop in time, take a smaller rate, or a schedule."
        )


def nobody_arrives(sweep: Sweep) -> Iterator[str]:
    """Say where the level is compared, since nobody comes within the target."""
    ends = sweep.ranking[sweep.ranking["lost"] < sweep.ranking["seeds"]]
    arrived = ends.groupby("task", sort=False)["arrived"].sum()
    tasks = list(arrived.index[arrived == 0])
    if tasks:
        target = target_on(sweep.tasks, tasks)
        yield (
            f"Nobody arrives{on_tasks(sweep, tasks)}: no run comes within {target}, so compared is the mean "
            "gap over the last tenth of the budget."
        )


def still_falling(sweep: Sweep) -> Iterator[str]:
    """Say of those that miss the target whether more steps would bring them nearer."""
    missed = _missed(sweep)
    falling = missed[missed["half"] > FALLING * missed["gap"]]
    if len(falling):
        cases = optimizers_on_tasks(sweep, falling)
        yield (
            f"Still falling: {cases} more than halved the gap in the second half of the budget; more steps "
            "may change the order."
        )


def levelled_off(sweep: Sweep) -> Iterator[str]:
    """Say of those that miss the target where they are held above it: by noise, or by a limit cycle."""
    missed = _missed(sweep)
    is_level = np.abs(np.log(missed["half"] / missed["gap"])) < np.log(LEVEL)
    level = missed[is_level & (missed["gap"] < MOVED * missed["start"])]
    in_batches = level["batch_size"].notna()
    why = {
        True: "the noise of minibatches holds the gap up, about in proportion to the learning rate",
        False: "a limit cycle holds the gap up, about with the square of the learning rate",
    }
    for noisy, rows in level.groupby(in_batches):
        cases = optimizers_on_tasks(sweep, rows)
        cure = "A smaller rate or a schedule goes lower"
        yield f"Levelled off above the target: {cases}; {why[bool(noisy)]}. {cure}."


def last_iterate(sweep: Sweep) -> Iterator[str]:
    """Say of ASGD, which is about an average, that its last iterate is judged."""
    runs = sweep.reported
    asgd = runs[runs["optimizer._target_"] == ASGD]
    if not len(asgd):
        return
    who = names(list(asgd["optimizer"].unique()))
    # a class by its own path may be stored without its defaults
    stored = asgd["optimizer.t0"] if "optimizer.t0" in asgd else pd.Series(np.nan, asgd.index)
    first = stored.fillna(class_defaults(ASGD)["t0"]).min()
    if asgd["steps_taken"].max() > first:
        yield f"{who}: judged is the last iterate, not the average of the iterates that it keeps beside it."
        return
    yield (
        f"{who} begins to average after {setting_value(first)} steps (t0), which no run takes here: judged "
        "is its last iterate."
    )


def another_target(sweep: Sweep) -> Iterator[str]:
    """Say where another target would turn the order, and who is ahead then."""
    turning = sweep.ranking[sweep.ranking["crossing"].notna()]
    leaders = sweep.ranking[sweep.ranking["leader"]].set_index("task")["optimizer"]
    cases = []
    for row in turning.to_dict("records"):
        first = displayed(str(leaders[row["task"]]))
        where = on_task(sweep, row["task"])
        cases.append(
            f"at {setting_value(row['crossing'])} {displayed(row['optimizer'])} before {first}{where}"
        )
    if cases:
        yield f"Another target turns the order: {listed(cases)}."


def half_the_budget(sweep: Sweep) -> Iterator[str]:
    """Say whom the leader is shown to beat, who was shown ahead of it at half of the budget."""
    cases = []
    for task, judged in sweep.judged.items():
        turned = _turned(judged, sweep.judged_at_half[task])
        if turned:
            first = displayed(judged.names[judged.found.leader])
            cases.append(f"{names(turned)} before {first}{on_task(sweep, task)}")
    if cases:
        yield f"Half the budget turns the order: {listed(cases)}."


def _turned(whole: Judged, half: Judged) -> list[str]:
    """Return who is shown behind the leader within the budget, and ahead of it within half of it."""
    leader = whole.found.leader
    turned = []
    for place, name in enumerate(whole.names):
        word, side = whole.found.against_leader[place]
        if word in BETTER and side == 1 and _side(half, leader, place) == -1:
            turned.append(name)
    return turned


def _side(judged: Judged, a: int, b: int) -> int:
    """Return 1 where a is shown better than b, -1 where b is, else 0."""
    found = judged.found
    (row,) = np.flatnonzero((found.a == min(a, b)) & (found.b == max(a, b)))
    return int(found.better[row]) if a < b else -int(found.better[row])


def too_easy(sweep: Sweep) -> Iterator[str]:
    """Say where every run is there within a step."""
    slowest = (
        (sweep.reported["hit"] / sweep.reported["evaluations_per_step"]).groupby(sweep.reported["task"]).max()
    )
    easy = slowest.index[slowest <= 1]
    if len(easy):
        where = on_tasks(sweep, list(easy))
        yield f"Every run arrives within one step{where}: the target is too easy to tell optimizers apart."


def at_floor(sweep: Sweep) -> Iterator[str]:
    """Say who ends where rounding decides."""
    floor = sweep.ranking[sweep.ranking["at_floor"]]
    if len(floor):
        cases = optimizers_on_tasks(sweep, floor, lambda row: f" ({number(row['gap'])})")
        yield f"At the gap floor, below which all is rounding: {cases}."


def stopped_by_itself(sweep: Sweep) -> Iterator[str]:
    """Say whose last update changed nothing although the target is not reached."""
    runs = sweep.reported
    stopped = runs[runs["last_step_changed_nothing"].astype(bool) & ~runs["arrived"] & ~runs["lost"]]
    counts = stopped.groupby(COMPETITOR, sort=False).size().rename("stopped").reset_index()
    if len(counts):
        cases = optimizers_on_tasks(sweep, counts)
        yield (
            f"Stopped by itself: the last update of {cases} changed no bit of the weights, above the target. "
            "A tolerance of its own (LBFGS: tolerance_change, tolerance_grad), a rate that has shrunk to "
            "nothing, or float32 may be why."
        )


def _missed(sweep: Sweep) -> pd.DataFrame:
    """Return the rows of the ranking of which no seed arrives and none is lost, with their gap at half."""
    ranking = sweep.ranking
    misses = ranking[(ranking["arrived"] == 0) & (ranking["lost"] == 0) & ~ranking["at_floor"]]
    return misses.merge(sweep.tasks[["task", "batch_size"]]).merge(_halves(sweep))


def _halves(sweep: Sweep) -> pd.DataFrame:
    """Return task, optimizer, and of the reported runs half: the geometric mean of the levels at half of the
    budget.

    start: the median of their first gaps.
    """
    groups = sweep.reported.groupby(COMPETITOR, sort=False)
    half = groups["half"].agg(lambda gaps: float(geometric_mean(gaps.to_numpy())))
    return pd.DataFrame({"half": half, "start": groups["start_gap"].median()}).reset_index()
