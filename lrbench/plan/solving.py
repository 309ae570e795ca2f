"""The problem of a composition: loaded, solved and hashed, once however many runs are about it."""

from hashlib import blake2b
from typing import NamedTuple

from lrbench.config import Leaves, under
from lrbench.losses import lookup
from lrbench.problems import Data, load
from lrbench.problems.data import scaled
from lrbench.problems.solve import Problem, solve


class Solution(NamedTuple):
    """A solved problem, and the hash of its data."""

    problem: Problem
    data_hash: str


Solved = dict[str, Solution]  # what was solved before, by the settings of problem and loss


def solution_of(leaves: Leaves, solved: Solved) -> Solution:
    """Load and solve the problem of these leaves and hash its data, or find both in `solved`."""
    key = _settings_of_the_problem(leaves)
    if key not in solved:
        loss = lookup(under(leaves, "loss"))
        data = scaled(load(under(leaves, "problem")), target=loss.real_target)
        solved[key] = Solution(solve(data, loss), _content_hash(data))
    return solved[key]


def _settings_of_the_problem(leaves: Leaves) -> str:
    of_problem = [path for path in leaves if path.startswith(("problem.", "loss."))]
    return repr([(path, repr(leaves[path])) for path in sorted(of_problem)])


def _content_hash(data: Data) -> str:
    """Hash the content of the data, wherever they came from."""
    # the shape too: the same bytes may be six rows of one column or two of three
    shape = f"{data.n} {data.d} {data.intercept}"
    digest = blake2b(shape.encode(), digest_size=16)
    for array in (data.X, data.y, *(data.test or ())):
        digest.update(array.data)
    return digest.hexdigest()
