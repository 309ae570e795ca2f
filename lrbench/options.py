"""How a sweep is asked: the keys of its configuration that are no part of a run, so that each has one value.

Given the leaves of a run, {"optimizer.lr": 0.1, ..., "engine": "auto", "record": "all", "target": 1e-6}, it
gives SweepOptions(name=None, results_dir="results", ..., engine="auto", record="all", target=1e-6, ...).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lrbench.config import Leaves


class TrainOptions(NamedTuple):
    """What training needs to know beside the runs.

    Attributes:
        engine: "auto", "reference" or "fused".
        record: how many states of a curve are kept, at most; "all" for each.
        target: the relative gap whose first hit is counted beside the fixed ones.
        executor: "auto", "local" or "processes"; no number depends on it, and no store holds it.
    """

    engine: str
    record: str | int
    target: float
    executor: str = "auto"


class SweepOptions(NamedTuple):
    """The keys of `config.REQUEST`; conf/config.yaml says what each means."""

    name: str | None
    results_dir: str
    report: bool
    fresh: bool
    baselines: bool
    engine: str
    record: str | int
    target: float
    executor: str
    predict: list[list[float]] | None

    @property
    def training(self) -> TrainOptions:
        return TrainOptions(self.engine, self.record, self.target, self.executor)


def sweep_options(leaves: Leaves) -> SweepOptions:
    """Pick them out of the leaves of any run of the sweep."""
    return SweepOptions(**{key: leaves[key] for key in SweepOptions._fields})


def stored_training(manifest: Mapping[str, Any]) -> TrainOptions:
    """Return how a stored sweep was trained."""
    return TrainOptions(manifest["engine"], manifest["record"], manifest["target"])
