"""Which runs a tuned sweep is made of, a phase at a time: trials, more at the ends of ranges, evaluation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lrbench.plan import Block, Solved
from lrbench.tuning.boxes import evaluation_seeds
from lrbench.tuning.choice import MOST_GROWTHS, choose, grow
from lrbench.tuning.competitors import Competitor, competitors
from lrbench.tuning.evaluation import Evaluation, evaluations, roles
from lrbench.tuning.policy import Tune

Outcomes = Callable[[], pa.Table]  # of the runs that are trained when it is asked


@dataclass(frozen=True)
class Phase:
    """All blocks of a sweep as far as they are known, and whether that is all.

    roles: what their runs are for, None where nothing is tuned.
    name: told to who waits.
    """

    blocks: list[Block]
    roles: pa.Table | None
    last: bool = True
    name: str = "training"


def phases(
    blocks: Iterable[Block], tune: Tune, outcomes: Outcomes, solved: Solved | None = None
) -> Iterator[Phase]:
    """Yield the phases of a tuned sweep. `solved` as in `plan`.

    `outcomes`, of the runs so far, is asked when the next phase is: by then they are trained.

    Raises:
        RequestError: where a problem has no unit for a learning rate.
    """
    blocks = list(blocks)
    field = competitors(blocks, tune, solved)
    growths = _growths(tune)
    yield _search(field, f"search 1 of {growths + 1}")
    for growth in range(growths):
        grown = _grown(field, tune, growth, outcomes())
        is_same = [new is old for new, old in zip(grown, field, strict=True)]
        if all(is_same):
            break
        field = grown
        yield _search(field, f"search {growth + 2} of {growths + 1}")
    yield _evaluation(field, tune, evaluation_seeds(blocks), outcomes())


def _growths(tune: Tune) -> int:
    """Return how many times ranges may grow: never, where the reserve leaves no trial for each decade."""
    return MOST_GROWTHS if tune.reserve >= MOST_GROWTHS else 0


def _grown(field: Sequence[Competitor], tune: Tune, growth: int, outcomes: pa.Table) -> list[Competitor]:
    grown = []
    for competitor in field:
        best = competitor.trials[choose(competitor, tune.metric, outcomes)]
        grown.append(grow(competitor, best, tune, growth))
    return grown


def _search(field: Sequence[Competitor], name: str) -> Phase:
    return Phase(_trial_blocks(field), roles(field, []), last=False, name=name)


def _evaluation(field: Sequence[Competitor], tune: Tune, seeds: list[int], outcomes: pa.Table) -> Phase:
    evaluated: list[Evaluation] = []
    for competitor in field:
        best = choose(competitor, tune.metric, outcomes)
        evaluated += evaluations(competitor, best, tune, seeds)
    blocks = _trial_blocks(field) + [evaluation.block for evaluation in evaluated]
    return Phase(blocks, roles(field, evaluated), name="evaluation")


def _trial_blocks(field: Sequence[Competitor]) -> list[Block]:
    return [block for competitor in field for block in competitor.blocks]
