"""The chosen settings on other seeds, and what each run of a tuned sweep is for.

A row of the roles is a run and one of its roles; a run may have several, also for two optimizers:

    run_id    role         optimizer   trial   lr_low    lr_high
    5756...   trial        adam        7       0.00001   100
    95a3...   evaluation   adam        7       null      null
    4a07...   default      adam        null    null      null
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench.config import Leaves
from lrbench.plan import Block
from lrbench.tuning.competitors import Competitor, Part
from lrbench.tuning.policy import Tune

_ROLES = pa.schema(
    [
        ("run_id", pa.string()),
        ("role", pa.string()),
        ("optimizer", pa.string()),
        ("trial", pa.int64()),
        ("lr_low", pa.float64()),
        ("lr_high", pa.float64()),
    ]
)

Role = dict[str, Any]  # a row, or what the rows of several runs have in common


@dataclass(frozen=True)
class Evaluation:
    """A setting on the evaluation seeds.

    Attributes:
        role: evaluation, of a chosen setting, or default, of the class's own values.
        trial: the number of the chosen one.
        runs: the ids of its runs, (R,).
    """

    role: str
    optimizer: str
    trial: int | None
    block: Block
    runs: np.ndarray


def evaluations(competitor: Competitor, trial: int, tune: Tune, seeds: Sequence[int]) -> Iterator[Evaluation]:
    """Yield the chosen trial on the evaluation seeds and, beside it, the same with the class's own values."""
    optimizer = competitor.optimizer
    best = competitor.trials[trial]
    part, chosen = best.cell.part, best.leaves
    block = _block_of_setting(part, chosen, seeds)
    yield Evaluation("evaluation", optimizer, trial, block, part.run_ids(block))

    # what was not tuned stays as chosen, a schedule that was swept beside say
    default = chosen | tune.defaults(optimizer, part.block.base)
    block = _block_of_setting(part, default, seeds)
    yield Evaluation("default", optimizer, None, block, part.run_ids(block))


def _block_of_setting(part: Part, setting: Leaves, seeds: Sequence[int]) -> Block:
    one_value_each = {path: [value] for path, value in setting.items()}
    return replace(part.block, axes=[one_value_each, {"seed": seeds}])


def roles(competitors: Iterable[Competitor], evaluated: Iterable[Evaluation]) -> pa.Table:
    """Return what each run is for: all trials, then the evaluations."""
    rows: list[Role] = []
    for competitor in competitors:
        for number, trial in enumerate(competitor.trials):
            role: Role = {"role": "trial", "optimizer": competitor.optimizer, "trial": number}
            if trial.lr_range:
                role |= {"lr_low": trial.lr_range.low, "lr_high": trial.lr_range.high}
            rows += _row_for_each(trial.runs, role)
    for evaluation in evaluated:
        role = {"role": evaluation.role, "optimizer": evaluation.optimizer, "trial": evaluation.trial}
        rows += _row_for_each(evaluation.runs, role)
    return pa.Table.from_pylist(rows, schema=_ROLES)


def _row_for_each(runs: np.ndarray, role: Role) -> list[Role]:
    return [role | {"run_id": run.decode()} for run in runs]
