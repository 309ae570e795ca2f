"""Who competes in a tuned sweep, and what each tries.

A competitor is an optimizer (the choice, and the class where that is custom) in one task; its trials are
all settings that it tries there, schedules and other swept keys among them. Nothing of a competitor depends
on who else is in the sweep, and each value of what is swept beside has a search of its own, in a cell. With
optimizer=sgd,adam steps=10,20 optimizer.weight_decay=0,1 tune=lr there are

    optimizer   task       cells                                               trials, of 32 learning rates
    sgd         10 steps   optimizer.weight_decay=0, optimizer.weight_decay=1   64
    sgd         20 steps   optimizer.weight_decay=0, optimizer.weight_decay=1   64
    adam        10 steps   optimizer.weight_decay=0, optimizer.weight_decay=1   64
    adam        20 steps   optimizer.weight_decay=0, optimizer.weight_decay=1   64

T trials, S tuning seeds, R = T S runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from lrbench.config import Leaves, fingerprint, identifiers
from lrbench.plan import Block, Solved, is_shared, plan
from lrbench.plan.blocks import Axis, length
from lrbench.problems.solve import Problem
from lrbench.seeds import is_fixed, starts_vary
from lrbench.tuning.policy import LrRange, Tune, dimensions, lists
from lrbench.tuning.sampling import grid, settings, sobol
from lrbench.tuning.units import range_of_lr

# With its problem, what makes a task; HOW_RUN of results/frames/names.py, on the other side of the store.
TASK = ("steps", "batch_size", "batch_order", "init")


def competitor_of(problem_id: str, optimizer: str, leaves: Leaves) -> tuple[str, ...]:
    """Return who competes where: problem, task, choice and class."""
    task = [repr(leaves[name]) for name in TASK]
    return (problem_id, *task, optimizer, leaves["optimizer._target_"])


@dataclass(frozen=True)
class Part:
    """What a competitor runs in one block: one task, and what is swept there beside tuned keys and seed.

    Attributes:
        block: without an axis of seeds; what is swept in it.
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
        """What all parts of one competitor have in common."""
        return competitor_of(self.problem_id, self.optimizer, self.leaves)

    def trying(self, settings: Sequence[Leaves]) -> Block:
        """Return the block of these settings of what is swept and tuned, on the tuning seeds."""
        return replace(self.block, axes=[_as_axis(settings), {"seed": self.seeds}])

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
class Cell:
    """A part with one value of each key that is swept in it, its `leaves`: where one search goes on."""

    part: Part
    leaves: Leaves


class Draw(NamedTuple):
    """What the search in a cell tries next: settings of what is tuned, and the range of their lr."""

    cell: Cell
    settings: list[Leaves]
    lr_range: LrRange | None


@dataclass(frozen=True)
class Trial:
    """One setting that a competitor tries.

    Attributes:
        tuned: the leaves that are tuned.
        lr_range: that its learning rate was drawn from; None where lr is not tuned.
        runs: the ids of its runs, (S,).
    """

    cell: Cell
    tuned: Leaves
    lr_range: LrRange | None
    runs: np.ndarray

    @property
    def optimizer(self) -> str:
        return self.cell.part.optimizer

    @property
    def leaves(self) -> Leaves:
        """What is swept and tuned."""
        return self.cell.leaves | self.tuned


@dataclass(frozen=True)
class Competitor:
    """An optimizer in one task.

    Attributes:
        blocks: of its trials.
        trials: in the order of their numbers.
    """

    optimizer: str
    blocks: list[Block]
    trials: list[Trial]

    @property
    def searches(self) -> list[list[Trial]]:
        """Return the trials of each cell."""
        of_cells: dict[int, list[Trial]] = defaultdict(list)
        for trial in self.trials:
            of_cells[id(trial.cell)].append(trial)
        return list(of_cells.values())

    def trying(self, draws: Iterable[Draw]) -> "Competitor":
        """Return it with the trials of these draws too.

        A setting that it has tried is no new trial.
        """
        draws_of_parts: dict[int, list[Draw]] = defaultdict(list)
        for draw in draws:
            draws_of_parts[id(draw.cell.part)].append(draw)
        blocks = [*self.blocks]
        # by the run on the first seed; a dict keeps the order, which numbers the trials
        trials = {trial.runs[0]: trial for trial in self.trials}
        for own in draws_of_parts.values():
            part = own[0].cell.part
            pairs = [(draw, tuned) for draw in own for tuned in draw.settings]
            if not pairs:  # in a box so narrow that float64 has no other number in it
                continue
            block = part.trying([draw.cell.leaves | tuned for draw, tuned in pairs])
            runs_of_trials = part.run_ids(block).reshape(-1, len(part.seeds))  # (T, S), the seeds come last
            for (draw, tuned), runs in zip(pairs, runs_of_trials, strict=True):
                trials.setdefault(runs[0], Trial(draw.cell, tuned, draw.lr_range, runs))
            blocks.append(block)
        return replace(self, blocks=blocks, trials=list(trials.values()))


def _as_axis(settings: Sequence[Leaves]) -> Axis:
    """Turn settings of the same keys into an axis: they are tried one after the other."""
    paths = settings[0].keys()
    axis = {}
    for path in paths:
        axis[path] = [leaves[path] for leaves in settings]
    return axis


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
    """Make the competitor of these parts, with trials over the box that the policy gives it."""
    any_part = parts[0]  # task and optimizer are the same in all
    optimizer = any_part.optimizer
    lr_range = range_of_lr(tune, optimizer, any_part.problem, any_part.leaves)
    box = dimensions(tune, optimizer, lr_range)
    count = tune.stages[0]
    points = grid(count) if tune.sampler == "grid" else sobol(count, len(box), tune.seed)
    first = settings(points, box, lists(tune, optimizer))
    drawn_from = lr_range if tune.tunes_lr(optimizer) else None
    draws = [Draw(cell, first, drawn_from) for part in parts for cell in _cells(part)]
    return Competitor(optimizer, blocks=[], trials=[]).trying(draws)


def _cells(part: Part) -> Iterator[Cell]:
    columns = part.block.columns
    values_of_columns = [column.to_list() for column in columns.values()]
    for values in zip(*values_of_columns, strict=True) if columns else [()]:
        yield Cell(part, dict(zip(columns, values, strict=True)))
