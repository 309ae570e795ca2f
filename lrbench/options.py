"""How a sweep is asked: the keys of its configuration that are no part of a run, so that each has one value.

Given the leaves of a run, {"optimizer.lr": 0.1, ..., "engine": "auto", "record": "all", "target": 1e-6}, it
gives SweepOptions(name=None, results_dir="results", ..., engine="auto", record="all", target="auto", ...).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lrbench.config import Leaves

ON_ALL_ROWS = 1e-6  # the relative gap that counts as solved where nothing is said ...
ON_MINIBATCHES = 1e-2  # ... and where the noise of a constant learning rate lies far above that


class TrainOptions(NamedTuple):
    """What training needs to know beside the runs.

    Attributes:
        engine: "auto", "reference" or "fused".
        record: how many states of a curve are kept, at most; "all" for each.
        target: the relative gap by whose arrival runs are compared, or "auto".
        executor: "auto", "local" or "processes"; no number depends on it, and no store holds it.
    """

    engine: str
    record: str | int
    target: str | float
    executor: str = "auto"

    def target_of(self, batch_size: int | None) -> float:
        """Return the relative gap that counts as solved where a step takes so many rows, None for all."""
        if self.target != "auto":
            return float(self.target)
        return ON_ALL_ROWS if batch_size is None else ON_MINIBATCHES


class SweepOptions(NamedTuple):
    """The keys of `config.REQUEST`; conf/config.yaml says what each means."""

    name: str | None
    results_dir: str
    report: bool
    fresh: bool
    baselines: bool
    engine: str
    record: str | int
    target: str | float
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
