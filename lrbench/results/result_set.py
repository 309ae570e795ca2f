"""One stored sweep as an object: its frames, its ranking, its figures and its report."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results import costs, expected, frames, tables
from lrbench.store import ResultStore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_TASKS, MOST_OPTIMIZERS = 6, 20  # whose paths are kept


def load(path: str | os.PathLike | None = None, results_dir: str | os.PathLike = "results") -> "Results":
    """Return the result set in a folder, or the newest of `results_dir` where no folder is named.

    Raises:
        RequestError: the folder is no result set, or none is stored there.
    """
    return Results(ResultStore.open(newest(results_dir) if path is None else path))


def newest(results_dir: str | os.PathLike = "results") -> Path:
    """Return the folder of the result set in `results_dir` that was finished last, or begun last where it has no end.

    Raises:
        RequestError: there is none.
    """
    stores = ResultStore.all(results_dir)
    if not stores:
        raise RequestError(f"{results_dir}: no result set in this folder yet. `python -m lrbench -m optimizer=sgd,adam` makes one.")
    return max(stores, key=lambda store: _written(store.manifest())).root


@dataclass(frozen=True)
class Results:
    """A stored sweep. Frames are read when first asked for and kept."""

    store: ResultStore

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The request, the resolved configuration, versions, machine and counts."""
        return self.store.manifest()

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a run: labels, every setting under its configuration path, results, weights as w_0 .. w_{p-1} (p > 20: one column `weights`)."""
        return frames.runs(self.store)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Every loss curve, long: run_id, step, evaluations, loss, gap."""
        return self.curves_of(self.runs["run_id"])

    @cached_property
    def problems(self) -> pd.DataFrame:
        """A row a problem: size, spectrum, minimiser."""
        return frames.problems(self.store)

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """A row a task; see `tables.tasks`."""
        return tables.tasks(self.runs, self.problems)

    @cached_property
    def entries(self) -> pd.DataFrame:
        """The runs with what the tables need beside each; see `tables.entries`."""
        return tables.entries(self.runs, self.tasks)

    @cached_property
    def settings(self) -> pd.DataFrame:
        """A row a setting; see `tables.settings`."""
        return tables.settings(self.entries)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """A row a task and optimizer; see `tables.ranking`."""
        return tables.ranking(self.settings)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row a task and optimizer: steps, gradient evaluations, samples, epochs and FLOPs; see `costs.costs`."""
        return costs.costs(self.ranking, self.tasks)

    @cached_property
    def shown_runs(self) -> list[str]:
        """The runs whose weights on the way are worth keeping: of each task and optimizer, the best setting's first seed that did not fail."""
        runs = self.entries[(self.entries["status"] != "failed") & self.entries["setting_id"].isin(self.ranking["setting_id"])]
        first = runs.sort_values("seed", kind="stable").drop_duplicates("setting_id").set_index("setting_id")["run_id"]
        shown = self.ranking[self.ranking["task"].isin(self.tasks["task"].head(MOST_TASKS))].groupby("task", sort=False).head(MOST_OPTIMIZERS)
        return [first[setting] for setting in shown["setting_id"] if setting in first.index]

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """What tuning could at best have found, a row a task and method; see `expected.baselines`."""
        return expected.baselines(self)

    @cached_property
    def alarms(self) -> list[str]:
        """Sentences on runs that are better than possible; see `expected.alarms`."""
        return expected.alarms(self)

    def curves_of(self, run_ids: pd.Series) -> pd.DataFrame:
        """Return the loss curves of some runs, as `curves`."""
        return frames.curves(self.store, run_ids)

    def summary(self) -> pd.DataFrame:
        """Return the ranking: each optimizer at its best setting, a row a task and optimizer, best first."""
        return self.ranking.copy()

    def plot_curves(self) -> "Figure":
        """Draw the gap against gradient evaluations, each optimizer at its best setting, a panel a task."""
        from lrbench.results import figures

        return figures.loss_curves(self)

    def plot_sensitivity(self) -> "Figure":
        """Draw the final gap against the learning rate, a panel a task.

        Raises:
            RequestError: no optimizer ran at two learning rates or more.
        """
        from lrbench.results import figures

        return figures.lr_sensitivity(self)

    def report(self, path: str | os.PathLike | None = None) -> Path:
        """Write summary and figures into the store and the page to `path` (the store's report.html if None); return the page's path."""
        from lrbench.results import report

        return report.write(self, self.store.report if path is None else Path(path))


def _written(manifest: dict[str, Any]) -> str:
    return manifest.get("finished") or manifest["created"]
