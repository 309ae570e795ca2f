"""From composed configurations to groups of runs: which runs, with which ids, on which problems.

    Block   one composition and the axes swept over it: a resolved base and columns, never a list of runs
    Group   runs that share problem, loss, optimizer class, batches, budget and dtype; what differs between them is columns

Pure, and independent of the order in which anything was asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from lrbench.config import GROUPS, REQUEST, Leaves, check, check_leaf, fingerprint, identifiers, under
from lrbench.errors import RequestError
from lrbench.losses import PENALTY, lookup
from lrbench.problems import Data, load
from lrbench.problems.data import scaled
from lrbench.problems.solve import Problem, solve
from lrbench.schedules import LENGTHS, ONE_CYCLE
from lrbench.seeds import is_fixed, steps_per_epoch


@dataclass(frozen=True)
class Column:
    """One setting over R runs: run i has values[codes[i]]."""

    values: list[Any]
    codes: np.ndarray  # (R,) integers

    def take(self, rows: np.ndarray) -> "Column":
        return replace(self, codes=self.codes[rows])

    def to_list(self) -> list[Any]:
        return [self.values[code] for code in self.codes]


@dataclass(frozen=True)
class Block:
    """One composition: group choices, a flat base, and axes. Settings of one axis move together; different axes multiply, the last one fastest."""

    choices: dict[str, str]
    base: Leaves
    axes: list[dict[str, list[Any]]]

    @property
    def size(self) -> int:
        return int(np.prod(self._lengths, dtype=np.int64))

    @property
    def columns(self) -> dict[str, Column]:
        codes = np.unravel_index(np.arange(self.size), self._lengths) if self.axes else []
        return {
            path: Column(values, code)
            for axis, code in zip(self.axes, codes, strict=True)
            for path, values in axis.items()
        }

    @property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(len(next(iter(axis.values()))) for axis in self.axes)


@dataclass(frozen=True)
class Group:
    """R runs that one program can train together."""

    labels: dict[str, str]
    problem_id: str
    shared: Leaves
    columns: dict[str, Column]
    runs: np.ndarray  # (R, 2) uint64, the fingerprints of the runs
    settings: np.ndarray  # (R, 2) uint64; a setting is a run without its seed

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def run_id(self) -> np.ndarray:
        """(R,) ids, bytes of 32 hexadecimal digits."""
        return identifiers(self.runs)

    @property
    def setting_id(self) -> np.ndarray:
        """(R,) ids, bytes of 32 hexadecimal digits."""
        return identifiers(self.settings)

    def take(self, rows: np.ndarray) -> "Group":
        columns = {path: column.take(rows) for path, column in self.columns.items()}
        return replace(self, columns=columns, runs=self.runs[rows], settings=self.settings[rows])

    def column(self, path: str, default: Any = None) -> Column:
        """Return a setting as a column, be it swept, shared or not given."""
        return self.columns.get(path) or Column(
            [self.shared.get(path, default)], np.zeros(len(self), dtype=np.int64)
        )

    def run(self, row: int) -> Leaves:
        """Return all settings of one run."""
        return self.shared | {path: column.values[column.codes[row]] for path, column in self.columns.items()}


@dataclass(frozen=True)
class Plan:
    """All runs of a request, and the problems that they are about."""

    groups: list[Group]
    problems: dict[str, Problem]  # by problem_id
    warnings: list[str]

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    def without(self, run_ids: np.ndarray) -> "Plan":
        """Return the plan of all other runs."""
        return self._where(lambda group: ~np.isin(group.run_id, run_ids)) if len(run_ids) else self

    def only(self, run_ids: np.ndarray) -> "Plan":
        """Return the plan of these runs."""
        return self._where(lambda group: np.isin(group.run_id, run_ids))

    def _where(self, chosen: Callable[[Group], np.ndarray]) -> "Plan":
        parts = (group.take(np.flatnonzero(chosen(group))) for group in self.groups)
        return replace(self, groups=[group for group in parts if len(group)])

    def fingerprint(self) -> list[int]:
        """Return what identifies the set of runs, whatever their order: their number, and the sum of their fingerprints."""
        total = sum((group.runs.sum(axis=0) for group in self.groups), start=np.zeros(2, dtype=np.uint64))
        return [len(self), *total.tolist()]


Solved = dict[str, tuple[Problem, str]]  # problems that were solved before, with the hash of their data


def plan(blocks: Iterable[Block], solved: Solved | None = None) -> Plan:
    """Plan the runs of all blocks, each run once. `solved` saves the work for who plans several times, and is added to.

    Raises:
        RequestError: for a value that no run can have, before any data is loaded or anything is written.
    """
    blocks = list(blocks)
    for block in blocks:
        check(block.base)
        for axis in block.axes:
            for path, values in axis.items():
                for value in values:
                    check_leaf(path, value, block.base)
    solved = {} if solved is None else solved
    problems: dict[str, Problem] = {}
    groups = []
    for block in blocks:
        for leaves, columns, size in _split(block):
            problem, digest = _problem(leaves, solved)
            group = _group(block.choices, leaves, columns, size, problem, digest)
            problems[group.problem_id] = problem
            groups.append(group)
    groups, warnings = _distinct(groups)
    return Plan(
        groups,
        problems,
        warnings + _without_effect(groups) + _biased(groups) + _not_attained(groups, problems),
    )


def is_shared(path: str) -> bool:
    """Say whether all runs of a group have the same value there."""
    return path not in ("init", "seed") and (
        not path.startswith(("optimizer.", "schedule.")) or path.endswith("._target_")
    )


def _split(block: Block) -> list[tuple[Leaves, dict[str, Column], int]]:
    """Cut a block where settings that a group shares change: (leaves, columns, number of runs) a part."""
    shared = {path: column for path, column in block.columns.items() if is_shared(path)}
    free = {path: column for path, column in block.columns.items() if not is_shared(path)}
    if not shared:
        return [(block.base, free, block.size)]
    combinations, which = np.unique(
        np.stack([column.codes for column in shared.values()]), axis=1, return_inverse=True
    )
    parts = []
    for number, codes in enumerate(combinations.T):
        rows = np.flatnonzero(which == number)
        values = {
            path: column.values[code] for (path, column), code in zip(shared.items(), codes, strict=True)
        }
        parts.append(
            (block.base | values, {path: column.take(rows) for path, column in free.items()}, len(rows))
        )
    return parts


def _problem(leaves: Leaves, solved: Solved) -> tuple[Problem, str]:
    """Load and solve the problem of these leaves and hash its data, or find both in `solved`."""
    key = repr(
        sorted(
            (path, repr(value)) for path, value in leaves.items() if path.startswith(("problem.", "loss."))
        )
    )
    if key not in solved:
        loss = lookup(under(leaves, "loss"))
        data = scaled(load(under(leaves, "problem")), target=loss.real_target)
        solved[key] = solve(data, loss), _digest(data)
    return solved[key]


def _digest(data: Data) -> str:
    """Hash the content of the data, wherever they came from."""
    digest = blake2b(f"{data.n} {data.d} {data.intercept}".encode(), digest_size=16)
    for part in (data.X, data.y, *(data.test or ())):
        digest.update(part.data)
    return digest.hexdigest()


def _group(
    choices: dict[str, str],
    leaves: Leaves,
    columns: dict[str, Column],
    size: int,
    problem: Problem,
    digest: str,
) -> Group:
    shared = _normalised(
        {path: value for path, value in leaves.items() if path not in columns and path not in REQUEST},
        problem,
    )
    _check_lengths(leaves, columns, choices["problem"], problem.data)
    identity = {
        "data": digest,
        **{path: value for path, value in shared.items() if not path.startswith("problem.")},
    }
    about = {
        path: value
        for path, value in identity.items()
        if path in ("data", "dtype") or path.startswith("loss.")
    }
    run = _total(identity, columns, size)
    seed = columns.get("seed") or Column([shared["seed"]], np.zeros(size, dtype=np.int64))
    return Group(
        labels={group: choices[group] for group in GROUPS},
        problem_id=identifiers(_total(about, {}, 1))[0].decode(),
        shared=shared,
        columns=columns,
        runs=run,
        settings=run - fingerprint("seed", seed.values)[seed.codes],
    )


def _check_lengths(leaves: Leaves, columns: dict[str, Column], problem: str, data: Data) -> None:
    for init in columns["init"].values if "init" in columns else [leaves["init"]]:
        if isinstance(init, list) and len(init) != data.p:
            raise RequestError(
                f"init: problem={problem} takes {data.p} numbers [weights..., intercept], but {len(init)} came."
            )
    for row in leaves["predict"] or []:
        if len(row) != data.d:
            raise RequestError(
                f"predict: problem={problem} takes rows of {data.d} numbers ({', '.join(data.features)}), but a row of {len(row)} came."
            )


def _normalised(leaves: Leaves, problem: Problem) -> Leaves:
    """Write budget and schedule's length as steps, a batch of all rows as null in sequential order, no penalty as nothing: one run, one spelling."""
    n, batch_size = problem.data.n, leaves["batch_size"]
    if batch_size is not None and batch_size > n:
        raise RequestError(
            f"batch_size: a whole number from 1 to n = {n} or null (all rows) is allowed, but {batch_size} came."
        )
    steps = leaves["steps"] or leaves["epochs"] * steps_per_epoch(n, batch_size)
    idle = (
        [f"loss.{name}" for name in PENALTY]
        if not leaves.get("loss.l2")
        else ["loss.penalize_intercept"] * (not problem.data.intercept)
    )
    all_rows = batch_size is None or (batch_size == n and leaves["batch_order"] != "replacement")
    whole = {"batch_size": None, "batch_order": "sequential"} if all_rows else {}
    lengths = {
        path: steps for path in (f"schedule.{name}" for name in LENGTHS) if leaves.get(path, steps) is None
    }
    return (
        {path: value for path, value in leaves.items() if path not in ("epochs", *idle)}
        | {"steps": steps}
        | whole
        | lengths
    )


def _total(leaves: Leaves, columns: dict[str, Column], size: int) -> np.ndarray:
    """Sum the fingerprints of all leaves of each run: (size, 2) uint64."""
    constant = sum(
        (fingerprint(path, [value])[0] for path, value in leaves.items()), start=np.zeros(2, dtype=np.uint64)
    )
    total = np.tile(constant, (size, 1))
    for path, column in columns.items():
        total += fingerprint(path, column.values)[column.codes]
    return total


def _distinct(groups: list[Group]) -> tuple[list[Group], list[str]]:
    """Keep each run once, and once a setting where nothing depends on the seed; say so in warnings."""
    warnings: list[str] = []
    kept: list[Group] = []
    for group in sorted(groups, key=lambda group: sorted(group.labels.items())):
        once = _without_idle_seeds(group)
        if len(once) < len(group):
            warnings.append(
                "Nothing in these runs depends on the seed (fixed init, fixed order of rows): a setting runs once; copies are not seeds."
            )
        once = once.take(first_places(once.runs))
        label = group.labels["optimizer"]
        for other in kept:
            twins = _found_in(once.runs, other.runs)
            if twins.any() and (twin := other.labels["optimizer"]) != label:
                warnings.append(
                    f"optimizer={label}: some runs equal those of optimizer={twin} in class and hyperparameters; they are kept once."
                )
            once = once.take(np.flatnonzero(~twins))
        kept.append(once)
    return [group for group in kept if len(group)], list(dict.fromkeys(warnings))


def _without_effect(groups: list[Group]) -> list[str]:
    """Say where torch ignores a learning rate or a schedule."""
    warnings = []
    for group in groups:
        optimizer, schedule = group.labels["optimizer"], group.labels["schedule"]
        if group.shared.get("schedule._target_") == ONE_CYCLE and "optimizer.lr" in group.columns:
            warnings.append(
                f"schedule={schedule} takes the learning rate from schedule.max_lr: optimizer.lr has no effect on {optimizer}."
            )
        if "schedule._target_" in group.shared and group.shared["optimizer._target_"] == "torch.optim.Rprop":
            warnings.append(
                f"schedule={schedule} has no effect on {optimizer} after the first step: Rprop takes its step sizes from there on."
            )
    return list(dict.fromkeys(warnings))


def _biased(groups: list[Group]) -> list[str]:
    """Say which optimizers draw the weights to 0: they end where their own penalty wants them, and not at the minimum."""
    biased = {
        f"{group.labels['optimizer']} ({name})"
        for group in groups
        for name in ("weight_decay", "lambd")
        if any(group.column(f"optimizer.{name}", 0).values)
    }
    if not biased:
        return []
    return [
        f"{', '.join(sorted(biased))}: draws the weights to 0, so that the gap ends above 0. As a part of the problem a penalty is loss.l2."
    ]


def _not_attained(groups: list[Group], problems: dict[str, Problem]) -> list[str]:
    """Say on which problems weights must grow without end."""
    labels = {group.problem_id: group.labels for group in groups}
    return [
        f"problem={labels[key]['problem']} loss={labels[key]['loss']}: no weights attain the infimum "
        f"({np.count_nonzero(np.isinf(problem.optimum.star))} of {problem.data.n} rows can be fitted ever better by growing weights). "
        "The gap is loss - infimum; loss.l2 above 0 would give it a minimiser."
        for key, problem in problems.items()
        if key in labels and not problem.optimum.attained
    ]


def _without_idle_seeds(group: Group) -> Group:
    if "seed" not in group.columns or not is_fixed(group.shared["batch_size"], group.shared["batch_order"]):
        return group
    init, seed = group.column("init"), group.column("seed")
    random = np.array([value == "torch" for value in init.values])[init.codes]
    order = np.argsort(np.array(seed.values)[seed.codes], kind="stable")
    smallest = np.zeros(len(group), dtype=bool)
    smallest[order[first_places(group.settings[order])]] = True
    return group.take(np.flatnonzero(smallest | random))


def first_places(fingerprints: np.ndarray) -> np.ndarray:
    """Return where each of (R, 2) fingerprints stands first, ascending."""
    halves = np.unique(fingerprints[:, 0])
    if len(halves) == len(fingerprints):  # the rule, and ten times faster to see
        return np.arange(len(fingerprints))
    return np.sort(np.unique(fingerprints, axis=0, return_index=True)[1])


def _found_in(fingerprints: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Say which of (R, 2) fingerprints are among (S, 2) others."""
    if not np.isin(fingerprints[:, 0], others[:, 0]).any():
        return np.zeros(len(fingerprints), dtype=bool)
    return np.isin(identifiers(fingerprints), identifiers(others))
