"""Run a stored request again, from its manifest alone, and say run by run whether the numbers are the same.

They are the same only if they are bit for bit. Given a store, it gives a verdict a run:

    Verdict("3f2a...", "adam", seed=0, difference="loss at record 3: 0.25 before, 0.26 now")
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrbench.bench.manifest import blocks_of
from lrbench.options import stored_training
from lrbench.plan import plan
from lrbench.store import ResultStore
from lrbench.train import Rows, check_optimizers, train

# a difference is told where it is first seen, so in a curve rather than in what is counted from it
CURVE = ("step", "evaluations", "loss", "gap")
RUN = (
    "status",
    "reason",
    "final_loss",
    "final_gap",
    "level",
    "half_level",
    "rise",
    "first_bad_step",
    "evaluations",
    "weights",
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One run, trained again: `difference` is empty where every number is the same."""

    run_id: str
    optimizer: str
    seed: int
    difference: str


def reproduce(store: ResultStore) -> Iterator[Verdict]:
    """Train every stored run again, with the engine that was asked for.

    Raises:
        RequestError: when the request cannot be planned any more (a data file is gone, say).
    """
    manifest = store.manifest()
    runs = {row["run_id"]: row for table in store.runs() for row in table.to_pylist()}
    curves = {row["run_id"]: row for row in store.curves().to_pylist()}
    again = plan(blocks_of(manifest))
    check_optimizers(again, manifest["engine"])
    stored = again.only(np.array(list(runs), dtype="S32"))
    for trained in train(stored, stored_training(manifest)):
        for run_now, curve_now in _row_by_row(trained):
            run_id = run_now["run_id"]
            run = runs.pop(run_id)
            difference = _difference(curves[run_id], curve_now, CURVE) or _difference(run, run_now, RUN)
            yield _verdict(run, difference)
    for run in runs.values():
        yield _verdict(run, "its problem's data are other ones today")


def _row_by_row(trained: Rows) -> Iterator[tuple[Row, Row]]:
    runs, curves = trained
    return zip(runs.to_pylist(), curves.to_pylist(), strict=True)


def _verdict(run: Row, difference: str) -> Verdict:
    return Verdict(run["run_id"], run["optimizer"], run["seed"], difference)


def _difference(before: Row, now: Row, columns: Sequence[str]) -> str:
    """Say where two rows differ first."""
    for column in columns:
        if not _is_same(before[column], now[column]):
            if isinstance(before[column], list) and isinstance(now[column], list):
                return _first_difference(column, before[column], now[column])
            return f"{column}: {before[column]!r} before, {now[column]!r} now"
    return ""


def _first_difference(column: str, before: list[Any], now: list[Any]) -> str:
    for place, (old, new) in enumerate(zip(before, now, strict=False)):
        if not _is_same(old, new):
            return f"{column} at record {place}: {old!r} before, {new!r} now"
    return f"{column}: {len(before)} records before, {len(now)} now"


def _is_same(before: Any, now: Any) -> bool:
    """Compare bit for bit: repr() of a float64 is exact, and calls NaN equal to itself."""
    return repr(before) == repr(now)
