"""lrbench: which optimizer is better for your problem?

results = lrbench.sweep("optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "seed=range(10)")
results.summary()                    # a row an optimizer
lrbench.load("results/<name>").runs  # a row a run
lrbench.compare("results/<name>", "results/<other>").rows  # a row a setting of both
"""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrbench.results import Comparison, Results

__version__ = "0.1.0"
__all__ = ["compare", "load", "sweep"]


def sweep(*overrides: str, config_dir: str | None = None) -> "Results":
    """Run a sweep, or what is missing of it, and return its results.

    Args:
        overrides: lines as on the command line after `-m`, such as "optimizer=sgd,adam".
        config_dir: a folder that is searched for configurations after lrbench's own.

    Raises:
        ValueError: for a wrong request (a `lrbench.errors.RequestError`), before anything is written.
    """
    # imported when called: torch, Hydra and pandas take seconds, and who loads results needs the last alone
    from lrbench.bench.run import keep_paths, run_sweep
    from lrbench.errors import RequestError
    from lrbench.sweeper.request import read

    request = read(overrides, multirun=True, config_dir=config_dir)
    if not request.native:
        advice = "Hydra's own work from the command line only: python -m lrbench -m ..."
        raise RequestError(f"hydra/launcher, hydra/sweeper: {advice}")
    finished = run_sweep(request)
    results = load(finished.store.root)
    if request.options.report and not results.store.is_reported():
        keep_paths(finished, results.shown_runs, request.options.training)
        results.report()
    return results


def load(path: str | PathLike) -> "Results":
    """Read the results of a sweep from its folder; needs no torch.

    Raises:
        ValueError: where the folder holds no result set.
    """
    from lrbench.results import load

    return load(path)


def compare(
    a: "str | PathLike | Results", b: "str | PathLike | Results", anyway: bool = False
) -> "Comparison":
    """Compare two result sets, setting by setting on the same seeds; needs no torch.

    Args:
        a, b: folders, or results that were loaded.
        anyway: compare also where data or budget differ.

    Raises:
        ValueError: one is no result set, or the two have nothing in common that compares.
    """
    from lrbench.results import compare

    return compare(a, b, anyway)
