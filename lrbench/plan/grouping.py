"""From a piece of a block to a group: what its runs share, and the ids of run, setting and problem.

An id is a sum of hashes, one a leaf: it depends on no order, and a swept value counts as a given one.

    run       h(content of the data) + h(steps = 500) + h(optimizer.lr = 0.1) + ... + h(seed = 3)
    setting   the same without h(seed = 3)
    problem   h(content of the data) + h(dtype = float64) + h(loss._target_ = torch.nn.MSELoss) + ...
"""

import numpy as np

from lrbench.config import GROUPS, REQUEST, Leaves, fingerprint, identifiers
from lrbench.plan.blocks import Piece
from lrbench.plan.groups import Group
from lrbench.plan.solving import Solution
from lrbench.plan.spelling import check_lengths, normalised


def group_of(piece: Piece, solution: Solution) -> Group:
    """Make the group of a piece whose problem is solved.

    Raises:
        RequestError: for a batch, a start or rows to predict that the problem cannot have.
    """
    data = solution.problem.data
    shared = normalised(_settings_in_common(piece), data)
    check_lengths(piece, data)
    hashed = _hashed(shared, solution.data_hash)
    runs = _run_fingerprints(hashed, piece)
    hash_of_seed = piece.column("seed").fingerprints("seed")  # (R, 2)
    return Group(
        labels={group: piece.choices[group] for group in GROUPS},
        problem_id=_problem_id(hashed),
        shared=shared,
        columns=piece.columns,
        runs=runs,
        settings=runs - hash_of_seed,
    )


def _settings_in_common(piece: Piece) -> Leaves:
    """Return what is the same for all runs of a piece."""
    # how a request is asked, its name or its report, is no setting of a run
    elsewhere = piece.columns.keys() | REQUEST.keys()
    return {path: value for path, value in piece.leaves.items() if path not in elsewhere}


def _hashed(shared: Leaves, data_hash: str) -> Leaves:
    """Put the data's content in the place of the problem's settings: a copied file is no other problem."""
    hashed: Leaves = {"data": data_hash}
    for path, value in shared.items():
        if not path.startswith("problem."):
            hashed[path] = value
    return hashed


def _problem_id(hashed: Leaves) -> str:
    """Return the id of data, loss and dtype: 32 hexadecimal digits."""
    # dtype, since the gap that rounding makes is a fact of the problem's row
    of_problem = {}
    for path, value in hashed.items():
        if path in ("data", "dtype") or path.startswith("loss."):
            of_problem[path] = value
    [problem_id] = identifiers(_sum_of_hashes(of_problem)[None])
    return problem_id.decode()


def _run_fingerprints(hashed: Leaves, piece: Piece) -> np.ndarray:
    """Sum the hashes of all leaves of each run: (R, 2) uint64."""
    total = np.tile(_sum_of_hashes(hashed), (piece.size, 1))
    for path, column in piece.columns.items():
        total += column.fingerprints(path)
    return total


def _sum_of_hashes(leaves: Leaves) -> np.ndarray:
    """Return (2,) uint64, which wrap around."""
    total = np.zeros(2, dtype=np.uint64)
    for path, value in leaves.items():
        total += fingerprint(path, [value])[0]
    return total
