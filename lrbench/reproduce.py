"""Run a stored request again, from its manifest alone, and say run by run whether the numbers are the same, bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrbench.bench import blocks_of
from lrbench.plan import plan
from lrbench.store import ResultStore
from lrbench.train import check_optimizers, train

CURVE = ("step", "evaluations", "loss", "gap")
RUN = (
    "status",
    "reason",
    "final_loss",
    "final_gap",
    "last_epoch_gap",
    "half_gap",
    "peak_ratio",
    "first_bad_step",
    "evaluations",
    "weights",
)


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
    for tables in train(stored, manifest):
        for run, curve in zip(*(table.to_pylist() for table in tables), strict=True):
            before = runs.pop(run["run_id"])
            yield _verdict(
                before, _difference(curves[run["run_id"]], curve, CURVE) or _difference(before, run, RUN)
            )
    for run in runs.values():
        yield _verdict(run, "its problem's data are other ones today")


def _verdict(run: dict[str, Any], difference: str) -> Verdict:
    return Verdict(run["run_id"], run["optimizer"], run["seed"], difference)


def _difference(before: dict[str, Any], now: dict[str, Any], columns: tuple[str, ...]) -> str:
    """Say where two rows differ first. repr() of a float64 is exact, and calls NaN equal to itself."""
    for column in columns:
        if repr(before[column]) != repr(now[column]):
            if isinstance(before[column], list) and isinstance(now[column], list):
                place, old, new = next(
                    (i, a, b)
                    for i, (a, b) in enumerate(zip(before[column], now[column], strict=False))
                    if repr(a) != repr(b)
                )
                return f"{column} at record {place}: {old!r} before, {new!r} now"
            return f"{column}: {before[column]!r} before, {now[column]!r} now"
    return ""
