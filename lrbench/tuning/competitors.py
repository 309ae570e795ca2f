"""Who competes in a tuned sweep, and what each tries.

A competitor is an optimizer (the choice, and the class where that is custom) in one task; its trials are
all settings that it tries there, schedules and other swept keys among them. Nothing of a competitor depends
on who else is in the sweep. With optimizer=sgd,adam steps=10,20 optimizer.weight_decay=0,1 tune=lr there are

    optimizer   task       swept in its part        trials, of 32 learning rates
    sgd         10 steps   optimizer.weight_decay   64
    sgd         20 steps   optimizer.weight_decay   64
    adam        10 steps   optimizer.weight_decay   64
    adam        20 steps   optimizer.weight_decay   64

T trials, S tuning seeds, R = T S runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from lrbench.config import Leaves, fingerprint, identifiers
from lrbench.plan import Block, Solved, is_shared, plan
from lrbench.plan.blocks import Axis, length
from lrbench.problems.solve import Problem
from lrbench.seeds import is_fixed, starts_vary
from lrbench.tuning.policy import LrRange, Tune
from lrbench.tuning.sampling import draw
from lrbench.tuning.units import range_of_lr

# With its problem, what makes a task; HOW_RUN of results/frames/names.py, on the other side of the store.
TASK = ("steps", "batch_size", "batch_order", "init")


@dataclass(frozen=True)
class Part:
    """What a competitor runs in one block: one task, and what is swept there beside tuned keys and seed.

    Attributes:
        block: without an axis of seeds.
        leaves, run: all settings of one run of it as planned, and the fingerprint of that, (2,) uint64.
        seeds: those of the tuning, or one of them where nothing depends on the seed.
        problem_id, problem: what it is about.
    """

    block: Block
    leaves: Leaves
    run: np.ndarray
    seeds: list[int]
    problem_id: str
    problem: Problem

    @property
    def optimizer(self) -> str:
        return self.block.choices["optimizer"]

    @property
    def competitor(self) -> tuple[str, ...]:
        """What all parts of one competitor have in common: problem, task, choice and class."""
        task = [repr(self.leaves[name]) for name in TASK]
        optimizer_class = self.leaves["optimizer._target_"]
        return (self.problem_id, *task, self.optimizer, optimizer_class)

    def with_axes(self, *axes: Axis) -> Block:
        with_these = [*self.block.axes, *axes]
        return replace(self.block, axes=with_these)

    def run_ids(self, block: Block) -> np.ndarray:
        """Return the ids of a block's runs, (R,) bytes, where it differs from this part in its axes alone.

        An id is a sum of hashes: those of new values take the place of the planned ones', and nothing is
        planned again.
        """
        total = np.tile(self.run, (block.size, 1))
        for path, column in block.columns.items():
            [planned] = fingerprint(path, [self.leaves[path]])
            total += column.fingerprints(path) - planned
        return identifiers(total)


@dataclass(frozen=True)
class Trial:
    """One setting that a competitor tries.

    Attributes:
        leaves: what is swept and tuned.
        lr_range: that its learning rate was drawn from; None where lr is not tuned.
        runs: the ids of its runs, (S,).
    """

    part: Part
    leaves: Leaves
    lr_range: LrRange | None
    runs: np.ndarray


@dataclass(frozen=True)
class Competitor:
    """An optimizer in one task.

    Attributes:
        parts: one a block that it has in this task.
        lr_range: of its learning rate, as far as it has grown.
        floor: the gap floor of its task.
        blocks: of its trials.
        trials: in the order of their numbers.
    """

    optimizer: str
    parts: list[Part]
    lr_range: LrRange
    floor: float
    blocks: list[Block]
    trials: list[Trial]

    def trying(self, settings: Sequence[Leaves], lr_range: LrRange | None) -> "Competitor":
        """Return it with trials of these tuned settings too, in each of its parts, on the tuning seeds.

        A setting that it has tried is no new trial.
        """
        tuned = _as_axis(settings)
        blocks = [*self.blocks]
        # by the run on the first seed; a dict keeps the order, which numbers the trials
        trials = {trial.runs[0]: trial for trial in self.trials}
        for part in self.parts:
            block = part.with_axes(tuned, {"seed": part.seeds})
            run_ids = part.run_ids(block)
            runs_of_trials = run_ids.reshape(-1, len(part.seeds))  # (T, S), as the seeds are the last axis
            for leaves, runs in zip(_settings_without_seed(block), runs_of_trials, strict=True):
                trial = Trial(part, leaves, lr_range, runs)
                trials.setdefault(runs[0], trial)
            blocks.append(block)
        return replace(self, blocks=blocks, trials=list(trials.values()))


def _as_axis(settings: Sequence[Leaves]) -> Axis:
    """Turn settings of the same keys into an axis: they are tried one after the other."""
    paths = settings[0].keys()
    axis = {}
    for path in paths:
        axis[path] = [leaves[path] for leaves in settings]
    return axis


def _settings_without_seed(block: Block) -> list[Leaves]:
    """Return the swept leaves of each setting of a block whose last axis is its seeds."""
    columns = replace(block, axes=block.axes[:-1]).columns
    values_of_columns = [column.to_list() for column in columns.values()]
    values_of_settings = zip(*values_of_columns, strict=True)
    return [dict(zip(columns, values, strict=True)) for values in values_of_settings]


# ---- who competes


def competitors(blocks: Iterable[Block], tune: Tune, solved: Solved | None = None) -> list[Competitor]:
    """Return who competes, each with its first trials.

    Raises:
        RequestError: where a problem has no unit for a learning rate.
    """
    parts_of_competitors = defaultdict(list)
    for part in _parts(blocks, tune, solved):
        parts_of_competitors[part.competitor].append(part)
    return [_with_first_trials(parts, tune) for parts in parts_of_competitors.values()]


def _parts(blocks: Iterable[Block], tune: Tune, solved: Solved | None) -> Iterator[Part]:
    """Cut the blocks by task and class, and plan one run of each piece: that spells out its task."""
    pieces = [piece for block in blocks for piece in _of_one_task(block)]
    first_runs = [_first_run(piece, number) for number, piece in enumerate(pieces)]
    planned = plan(first_runs, solved)
    groups = sorted(planned.groups, key=lambda group: group.shared["seed"])  # in the order of the pieces
    for piece, group in zip(pieces, groups, strict=True):
        [run] = group.runs
        seeds = _tuning_seeds(group.shared, tune)
        problem = planned.problems[group.problem_id]
        yield Part(piece, group.shared, run, seeds, group.problem_id, problem)


def _of_one_task(block: Block) -> Iterator[Block]:
    """Cut a block into blocks of one task and class each, without its seeds."""
    making_tasks: list[Axis] = []
    kept: list[Axis] = []
    for axis in block.axes:
        if _makes_tasks(axis):
            making_tasks.append(axis)
        elif "seed" not in axis:
            kept.append(axis)

    lengths = map(length, making_tasks)
    for places in product(*map(range, lengths)):
        base = dict(block.base)
        for axis, place in zip(making_tasks, places, strict=True):
            base |= _values_at(axis, place)
        yield Block(block.choices, base, kept)


def _makes_tasks(axis: Axis) -> bool:
    """Say whether an axis sweeps what runs of one task and class share."""
    return any(is_shared(path) or path == "init" for path in axis)


def _values_at(axis: Axis, place: int) -> Leaves:
    return {path: values[place] for path, values in axis.items()}


def _first_run(piece: Block, number: int) -> Block:
    """Return a piece's first setting; the number as a seed keeps equal ones apart."""
    base = dict(piece.base)
    for axis in piece.axes:
        base |= _values_at(axis, 0)
    return Block(piece.choices, base | {"seed": number}, axes=[])


def _tuning_seeds(leaves: Leaves, tune: Tune) -> list[int]:
    """Return the seeds of the trials: the least of them where all would be copies, as planning keeps that."""
    same_rows = is_fixed(leaves["batch_size"], leaves["batch_order"])
    if same_rows and not starts_vary(leaves["init"]):
        return [min(tune.seeds)]
    return tune.seeds


def _with_first_trials(parts: list[Part], tune: Tune) -> Competitor:
    """Make the competitor of these parts, with trials in the range that the policy gives it."""
    any_part = parts[0]  # task and optimizer are the same in all
    optimizer, problem = any_part.optimizer, any_part.problem
    lr_range = range_of_lr(tune, optimizer, problem, any_part.leaves)
    floor = problem.gap_floor(any_part.leaves["dtype"])
    newcomer = Competitor(optimizer, parts, lr_range, floor, blocks=[], trials=[])
    settings = draw(tune, optimizer, tune.trials, lr_range)
    drawn_from = lr_range if tune.tunes_lr(optimizer) else None
    return newcomer.trying(settings, drawn_from)
