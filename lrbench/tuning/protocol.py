"""Which runs a tuned sweep is made of, a phase at a time: the stages of the search, then the evaluation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lrbench.plan import Block, Solved
from lrbench.tuning.boxes import evaluation_seeds
from lrbench.tuning.choice import choose
from lrbench.tuning.competitors import Competitor, competitors
from lrbench.tuning.evaluation import Evaluation, evaluations, roles
from lrbench.tuning.policy import Tune
from lrbench.tuning.zooming import go_on

Outcomes = Callable[[], pa.Table]  # of the runs that are trained when it is asked


@dataclass(frozen=True)
class Phase:
    """All blocks of a sweep as far as they are known, and whether that is all.

    roles: what their runs are for, None where nothing is tuned. name: for who waits for it.
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
    yield _search(field, tune, 0)
    for stage in range(1, len(tune.stages)):
        so_far = outcomes()
        field = [_searched_on(competitor, tune, stage, so_far) for competitor in field]
        yield _search(field, tune, stage)
    yield _evaluation(field, tune, evaluation_seeds(blocks), outcomes())


def _searched_on(competitor: Competitor, tune: Tune, stage: int, outcomes: pa.Table) -> Competitor:
    """Return a competitor with the trials of a stage too, chosen in each of its searches apart."""
    draws = []
    for own in competitor.searches:
        best = own[choose(own, tune.rise, outcomes)]
        draws.append(go_on(own, best, tune, stage))
    return competitor.trying(draws)


def _search(field: Sequence[Competitor], tune: Tune, stage: int) -> Phase:
    name = f"search {stage + 1} of {len(tune.stages)}"
    return Phase(_trial_blocks(field), roles(field, []), last=False, name=name)


def _evaluation(field: Sequence[Competitor], tune: Tune, seeds: list[int], outcomes: pa.Table) -> Phase:
    evaluated: list[Evaluation] = []
    for competitor in field:
        best = choose(competitor.trials, tune.rise, outcomes)
        evaluated += evaluations(competitor, best, tune, seeds)
    blocks = _trial_blocks(field) + [evaluation.block for evaluation in evaluated]
    return Phase(blocks, roles(field, evaluated), name="evaluation")


def _trial_blocks(field: Sequence[Competitor]) -> list[Block]:
    return [block for competitor in field for block in competitor.blocks]
