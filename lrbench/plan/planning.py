"""The plan of a request: blocks cut into pieces, their problems solved, their runs named, each kept once."""

from collections.abc import Iterable

from lrbench.config import check, check_leaf
from lrbench.plan.blocks import Block, pieces
from lrbench.plan.distinct import distinct
from lrbench.plan.grouping import group_of
from lrbench.plan.groups import Group, Plan
from lrbench.plan.solving import Solved, solution_of
from lrbench.plan.warnings import warnings_of
from lrbench.problems.solve import Problem


def plan(blocks: Iterable[Block], solved: Solved | None = None) -> Plan:
    """Plan the runs of all blocks, each run once.

    `solved` saves the work for who plans several times, and is added to.

    Raises:
        RequestError: for a value that no run can have, before any data is loaded or anything is written.
    """
    blocks = list(blocks)
    for block in blocks:
        _check_values(block)

    solved = {} if solved is None else solved
    problems: dict[str, Problem] = {}
    groups: list[Group] = []
    for block in blocks:
        for piece in pieces(block):
            solution = solution_of(piece.leaves, solved)
            group = group_of(piece, solution)
            problems[group.problem_id] = solution.problem
            groups.append(group)

    kept, warnings = distinct(groups)
    return Plan(kept, problems, warnings + warnings_of(kept, problems))


def _check_values(block: Block) -> None:
    check(block.base)
    for axis in block.axes:
        for path, values in axis.items():
            for value in values:
                check_leaf(path, value, block.base)
