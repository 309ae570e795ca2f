"""Which runs a tuned sweep is made of, a phase at a time: trials, more of them where the best lr lies at an end of its box, evaluation.

A competitor is an optimizer (the choice, and the class where that is custom) in one task; its trials are all settings that it tries there, schedules
and other swept keys among them. Nothing of a competitor depends on who else is in the sweep.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench.config import Leaves, fingerprint, identifiers
from lrbench.errors import RequestError
from lrbench.plan import Block, Solved, is_shared, plan
from lrbench.problems.solve import Problem
from lrbench.seeds import is_fixed, start
from lrbench.tuning import sampling
from lrbench.tuning.boxes import LR, Tune, dimensions, evaluation_seeds, lists

MOST_GROWTHS = 2
DECADE = 10.0
OUTER = 0.1  # of a box, in the logarithm: a best lr there may have a better one beyond
TASK = ("steps", "batch_size", "batch_order", "init")

_ROLES = pa.schema(
    [("run_id", pa.string()), ("role", pa.string()), ("optimizer", pa.string())]
    + [("trial", pa.int64()), ("lr_low", pa.float64()), ("lr_high", pa.float64())]
)


@dataclass(frozen=True)
class Phase:
    """All blocks of a sweep as far as they are known, and whether that is all; roles: what their runs are for, None where nothing is tuned."""

    blocks: list[Block]
    roles: pa.Table | None
    last: bool = True


@dataclass(frozen=True)
class Part:
    """What a competitor runs in one block: one task, and what is swept there beside the tuned keys and the seed.

    Attributes:
        block: without an axis of seeds.
        leaves, run: all settings of one run of it as planned, and the fingerprint of that, (2,) uint64.
        seeds: those of the tuning, or one of them where nothing depends on the seed.
    """

    block: Block
    leaves: Leaves
    run: np.ndarray
    seeds: list[int]

    def with_axes(self, *axes: dict[str, list[Any]]) -> Block:
        return replace(self.block, axes=[*self.block.axes, *axes])

    def run_ids(self, block: Block) -> np.ndarray:
        """Return the ids of a block's runs, (R,) bytes, where it differs from this part in its axes alone."""
        total = np.tile(self.run, (block.size, 1))
        for path, column in block.columns.items():
            total += fingerprint(path, column.values)[column.codes] - fingerprint(path, [self.leaves[path]])
        return identifiers(total)


@dataclass(frozen=True)
class Trial:
    """One setting that a competitor tries: its swept and tuned leaves, the range its lr was drawn from, the ids of its runs (S,)."""

    part: Part
    leaves: Leaves
    low: float | None
    high: float | None
    runs: np.ndarray


@dataclass(frozen=True)
class Competitor:
    """An optimizer in one task.

    Attributes:
        parts: one a block that it has in this task.
        low, high: the box of its lr, as far as it has grown.
        floor: the gap floor of its task.
        blocks: of its trials.
        trials: in the order of their numbers.
    """

    optimizer: str
    parts: list[Part]
    low: float
    high: float
    floor: float
    blocks: list[Block]
    trials: list[Trial]

    def trying(self, settings: Sequence[Leaves], low: float | None, high: float | None) -> "Competitor":
        """Return it with trials of these tuned settings too, in each of its parts; a setting that it has tried is no new trial."""
        blocks, trials = [*self.blocks], {trial.runs[0]: trial for trial in self.trials}
        for part in self.parts:
            tuned = {path: [leaves[path] for leaves in settings] for path in settings[0]}
            block = part.with_axes(tuned, {"seed": part.seeds})
            runs = part.run_ids(block).reshape(-1, len(part.seeds))
            for leaves, ids in zip(_settings(block), runs, strict=True):
                trials.setdefault(ids[0], Trial(part, leaves, low, high, ids))
            blocks.append(block)
        return replace(self, blocks=blocks, trials=list(trials.values()))


def phases(
    blocks: Iterable[Block], tune: Tune, outcomes: Callable[[], pa.Table], solved: Solved | None = None
) -> Iterator[Phase]:
    """Yield the phases of a tuned sweep; `outcomes`, of the runs so far, is asked when the next one is. `solved` as in `plan`.

    Raises:
        RequestError: where a problem has no unit for a learning rate.
    """
    blocks = list(blocks)
    field = competitors(blocks, tune, solved)
    yield _phase(field, [])
    for growth in range(MOST_GROWTHS if tune.reserve >= 2 else 0):
        found = outcomes()
        grown = [grow(one, one.trials[choose(one, tune.metric, found)], tune, growth) for one in field]
        if all(map(lambda new, old: new is old, grown, field)):
            break
        field = grown
        yield _phase(field, [])
    found, seeds = outcomes(), evaluation_seeds(blocks)
    yield _phase(
        field,
        [final for one in field for final in _finals(one, choose(one, tune.metric, found), tune, seeds)],
    )


# ---- competitors and their trials


def competitors(blocks: Iterable[Block], tune: Tune, solved: Solved | None = None) -> list[Competitor]:
    """Return who competes, each with its first trials."""
    parts = [part for block in blocks for part in _of_one_task(block)]
    # a seed of its own tells each apart, whatever they share
    planned = plan(
        (
            replace(part, base=part.base | _first(part) | {"seed": number}, axes=[])
            for number, part in enumerate(parts)
        ),
        solved,
    )
    field: dict[tuple, Competitor] = {}
    for group in sorted(planned.groups, key=lambda group: group.shared["seed"]):
        block, leaves, problem = parts[group.shared["seed"]], group.shared, planned.problems[group.problem_id]
        once = is_fixed(leaves["batch_size"], leaves["batch_order"]) and leaves["init"] != "torch"
        part = Part(block, leaves, group.runs[0], [min(tune.seeds)] if once else tune.seeds)
        optimizer = block.choices["optimizer"]
        key = (
            group.problem_id,
            *(repr(leaves[name]) for name in TASK),
            optimizer,
            leaves["optimizer._target_"],
        )
        if key not in field:
            low, high = _range(tune, optimizer, problem, leaves)
            field[key] = Competitor(optimizer, [], low, high, problem.gap_floor(leaves["dtype"]), [], [])
        field[key].parts.append(part)
    return [
        one.trying(
            _drawn(one, tune, tune.trials, one.low, one.high), *_tuned_range(tune, one, one.low, one.high)
        )
        for one in field.values()
    ]


def _of_one_task(block: Block) -> Iterator[Block]:
    """Cut a block into blocks of one task and class each, without its seeds."""
    cut = [axis for axis in block.axes if any(is_shared(path) or path == "init" for path in axis)]
    kept = [axis for axis in block.axes if axis not in cut and "seed" not in axis]
    for point in product(*[range(len(next(iter(axis.values())))) for axis in cut]):
        values = {path: axis[path][place] for axis, place in zip(cut, point, strict=True) for path in axis}
        yield Block(block.choices, block.base | values, kept)


def _first(block: Block) -> Leaves:
    return {path: values[0] for axis in block.axes for path, values in axis.items()}


def _settings(block: Block) -> list[Leaves]:
    """Return the swept leaves of each setting of a block whose last axis is its seeds."""
    columns = replace(block, axes=block.axes[:-1]).columns
    return [
        dict(zip(columns, values, strict=True))
        for values in zip(*[column.to_list() for column in columns.values()], strict=True)
    ]


def _drawn(one: Competitor, tune: Tune, count: int, low: float, high: float, skip: int = 0) -> list[Leaves]:
    box = dimensions(tune, one.optimizer, low, high)
    places = (
        sampling.grid(count) if tune.sampler == "grid" else sampling.sobol(count, len(box), tune.seed, skip)
    )
    return sampling.settings(places, box, lists(tune, one.optimizer))


def _tuned_range(tune: Tune, one: Competitor, low: float, high: float) -> tuple[float | None, float | None]:
    return (low, high) if "lr" in tune.names(one.optimizer) else (None, None)


def _range(tune: Tune, optimizer: str, problem: Problem, leaves: Leaves) -> tuple[float, float]:
    unit = 1.0 if tune.units == "absolute" else oracle_unit(tune.unit(optimizer), problem, leaves, tune.seeds)
    return tune.lr[0] * unit, tune.lr[1] * unit


def oracle_unit(kind: str, problem: Problem, leaves: Leaves, seeds: Sequence[int]) -> float:
    """Return the learning rate that counts as 1 for a kind of update, from the answer of the problem.

    gradient: 1 / L. normalised: max|w0 - w*| / sqrt(steps), w0 the median of the starts of these seeds. none: 1.

    Raises:
        RequestError: where the problem has no curvature, or no minimiser, or starts there.
    """
    if kind == "none":
        return 1.0
    data, label = problem.data, leaves["problem._target_"]
    if kind == "gradient":
        size = 1 / L if (L := problem.L or problem.smoothness) else np.inf
    else:
        middle = np.median([start(leaves["init"], seed, data.d, data.p) for seed in seeds], axis=0)
        size = (
            float(np.abs(middle - problem.w_star).max()) / np.sqrt(leaves["steps"])
            if problem.optimum.attained
            else np.inf
        )
    if not 0 < size < np.inf:
        raise RequestError(
            f"tune.units: oracle needs a minimiser, a curvature and a start apart from it, and {label} has not all. Use absolute."
        )
    return float(size)


# ---- choice and growth


def choose(one: Competitor, metric: str, outcomes: pa.Table) -> int:
    """Return the number of the best trial.

    By the geometric mean over the tuning seeds of the last epoch's gap (inf if one is lost: diverged or failed; not below the floor), then by the
    fewest lost, the fewest evaluations to the target (median), the lowest number; with metric evaluations these come before the gap.
    """
    runs = np.stack([trial.runs for trial in one.trials])
    gaps, hits, lost = _found(outcomes, runs)
    with np.errstate(over="ignore"):
        gap = np.exp(np.log(np.maximum(gaps, max(one.floor, np.finfo(float).tiny))).mean(axis=1))
    # half of the seeds or more must reach the target
    middle = np.sort(hits, axis=1)[:, (runs.shape[1] - 1) // 2]
    by_gap, by_hit = (gap, lost, middle), (middle, lost, gap)
    return int(np.lexsort((np.arange(len(runs)), *reversed(by_gap if metric == "gap" else by_hit)))[0])


def _found(outcomes: pa.Table, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of (T, S) run ids their gaps and evaluations to the target (inf where lost or never), and how many of each trial are lost, (T,)."""
    ids = outcomes["run_id"].to_numpy().astype("S32")
    order = np.argsort(ids)
    rows = order[np.searchsorted(ids, runs, sorter=order)]
    lost = (outcomes["status"].to_numpy() != "completed")[rows]
    gap, hit = (
        outcomes[name].fill_null(np.inf).to_numpy()[rows]
        for name in ("last_epoch_gap", "evaluations_to_target")
    )
    return np.where(lost, np.inf, gap), np.where(lost, np.inf, hit), lost.sum(axis=1)


def grow(one: Competitor, best: Trial, tune: Tune, growth: int) -> Competitor:
    """Return a competitor whose best lr lies in the outer tenth of its box with a decade more and trials there; any other as it is."""
    if "lr" not in tune.names(one.optimizer):
        return one
    place = np.log(best.leaves[LR] / one.low) / np.log(one.high / one.low)
    if OUTER <= place <= 1 - OUTER:
        return one
    low, high = (one.low / DECADE, one.low) if place < OUTER else (one.high, one.high * DECADE)
    count = tune.reserve // 2
    if tune.sampler == "grid":  # the end that both decades share has been tried
        settings = _drawn(one, tune, count + 1, low, high)
        settings = settings[:-1] if place < OUTER else settings[1:]
    else:
        settings = _drawn(one, tune, count, low, high, skip=tune.trials + growth * count)
    return replace(one.trying(settings, low, high), low=min(low, one.low), high=max(high, one.high))


# ---- evaluation and roles


@dataclass(frozen=True)
class _Final:
    """A block of the evaluation, and what its runs are for."""

    role: str
    optimizer: str
    trial: int | None
    block: Block
    runs: np.ndarray


def _finals(one: Competitor, number: int, tune: Tune, seeds: list[int]) -> Iterator[_Final]:
    """Yield the chosen setting on the evaluation seeds and, beside it, the same with what was tuned at the class's own values."""
    part, leaves = one.trials[number].part, one.trials[number].leaves
    default = leaves | tune.defaults(one.optimizer, part.block.base)
    for role, trial, setting in (("evaluation", number, leaves), ("default", None, default)):
        block = replace(
            part.block, axes=[{path: [value] for path, value in setting.items()}, {"seed": seeds}]
        )
        yield _Final(role, one.optimizer, trial, block, part.run_ids(block))


def _phase(field: Sequence[Competitor], finals: Sequence[_Final]) -> Phase:
    rows = [
        (run, "trial", one.optimizer, number, trial.low, trial.high)
        for one in field
        for number, trial in enumerate(one.trials)
        for run in trial.runs
    ]
    rows += [
        (run, final.role, final.optimizer, final.trial, None, None) for final in finals for run in final.runs
    ]
    columns = zip(*((run.decode(), *rest) for run, *rest in rows), strict=True)
    roles = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, _ROLES.types, strict=True)], schema=_ROLES
    )
    return Phase(
        [block for one in field for block in one.blocks] + [final.block for final in finals],
        roles,
        last=bool(finals),
    )
