"""One run, one spelling: what two requests may write in two ways stands in a plan, and so in an id, in one.

On data of three rows,

    asked    {"epochs": 7, "steps": None, "batch_size": 3, "batch_order": "shuffled", "loss.l2": 0, ...}
    planned  {"steps": 7, "batch_size": None, "batch_order": "sequential", ...}
"""

from collections.abc import Iterable

from lrbench.config import Leaves
from lrbench.errors import RequestError
from lrbench.losses import PENALTY
from lrbench.plan.blocks import Piece
from lrbench.problems import Data
from lrbench.schedules import LENGTHS
from lrbench.seeds import steps_per_epoch


def normalised(leaves: Leaves, data: Data) -> Leaves:
    """Write the settings of a run on these data in their one spelling.

    Budget and schedule's length are written as steps, a batch of all rows as null in sequential order, and no
    penalty as nothing.
    """
    _check_batch_size(leaves["batch_size"], data.n)
    per_epoch = steps_per_epoch(data.n, leaves["batch_size"])
    steps = leaves["steps"] or leaves["epochs"] * per_epoch
    idle = {"epochs", *_idle_penalties(leaves, data)}
    spelled = {path: value for path, value in leaves.items() if path not in idle}
    spelled["steps"] = steps
    if _takes_all_rows(leaves, data.n):
        spelled["batch_size"] = None
        spelled["batch_order"] = "sequential"
    for name in LENGTHS:
        path = f"schedule.{name}"
        if path in spelled and spelled[path] is None:
            spelled[path] = steps
    return spelled


def _check_batch_size(batch_size: int | None, n: int) -> None:
    if batch_size is not None and batch_size > n:
        raise RequestError(
            f"batch_size: a whole number from 1 to n = {n} or null (all rows) is allowed, "
            f"but {batch_size} came."
        )


def _idle_penalties(leaves: Leaves, data: Data) -> Iterable[str]:
    """Return the keys that change nothing: all of a penalty of 0, the intercept's where there is none."""
    if not leaves.get("loss.l2"):
        return [f"loss.{name}" for name in PENALTY]
    if not data.intercept:
        return ["loss.penalize_intercept"]
    return []


def _takes_all_rows(leaves: Leaves, n: int) -> bool:
    """Say whether each update sees every row once; n rows drawn with replacement are not all rows."""
    if leaves["batch_size"] is None:
        return True
    return leaves["batch_size"] == n and leaves["batch_order"] != "replacement"


def check_lengths(piece: Piece, data: Data) -> None:
    """Refuse a start and rows to predict that do not fit the problem's columns.

    Raises:
        RequestError: naming the key, the numbers that the problem takes and how many came.
    """
    problem = piece.choices["problem"]
    for init in piece.column("init").values:
        if isinstance(init, list) and len(init) != data.p:
            raise RequestError(
                f"init: problem={problem} takes {data.p} numbers [weights..., intercept], "
                f"but {len(init)} came."
            )
    for row in piece.leaves["predict"] or []:
        if len(row) != data.d:
            features = ", ".join(data.features)
            raise RequestError(
                f"predict: problem={problem} takes rows of {data.d} numbers ({features}), "
                f"but a row of {len(row)} came."
            )
