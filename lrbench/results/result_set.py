"""One stored sweep as an object: its frames, its ranking, its figures and its report."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results import comparisons, costs, expected, frames, search, tables
from lrbench.store import ResultStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

COMPETITOR = ["task", "optimizer"]
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
        raise RequestError(
            f"{results_dir}: no result set in this folder yet. `python -m lrbench -m optimizer=sgd,adam` makes one."
        )
    return max(stores, key=lambda store: _written(store.manifest())).root


def _drawn(name: str, what: str) -> "Callable[[Results], Figure]":
    """Make a method that draws a figure of `figures`."""

    def plot(results: "Results") -> "Figure":
        from lrbench.results import figures

        return getattr(figures, name)(results)

    plot.__doc__ = f"Draw {what}; RequestError where the sweep has nothing for it. See `figures.{name}`."
    return plot


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
    def tuned(self) -> bool:
        """Whether settings were chosen on seeds of their own."""
        return self._roles is not None

    @cached_property
    def entries(self) -> pd.DataFrame:
        """The runs with what the tables need beside each, of a tuned sweep a row a run and role; see `tables.entries`."""
        return tables.entries(self.runs, self.tasks, float(self.manifest["target"]), self._roles)

    @cached_property
    def searched(self) -> pd.DataFrame:
        """The entries that settings were chosen from: the grid, or the trials."""
        return self.entries[self.entries["role"].isin(["grid", "trial"])]

    @cached_property
    def settings(self) -> pd.DataFrame:
        """A row a task, optimizer and setting that was searched; see `tables.settings`."""
        return tables.settings(self.searched)

    @cached_property
    def reported(self) -> pd.DataFrame:
        """The entries that are compared: each optimizer at its chosen setting, on the evaluation seeds where there are such."""
        return tables.reported(self.entries, self.settings)

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """A row a task and optimizer: its chosen setting over the seeds that are compared; see `tables.settings`."""
        return tables.settings(self.reported)

    @cached_property
    def defaults(self) -> pd.DataFrame:
        """The entries at the optimizers' own defaults, on the evaluation seeds; empty where nothing was tuned."""
        return self.entries[self.entries["role"] == "default"]

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """A row a task and optimizer, best first; see `tables.ranking`."""
        return tables.ranking(self._competitors, self._pairs, self._leaders, self._own)

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """A row a pair of optimizers of a task, a ranked before b; see `comparisons.pairs`."""
        return comparisons.pairwise(self._pairs, self.ranking)

    @cached_property
    def across(self) -> pd.DataFrame:
        """A row a pair of optimizers over all problems; see `comparisons.across`."""
        return comparisons.across(self.ranking, self.tasks)

    @cached_property
    def overall(self) -> pd.DataFrame:
        """A row an optimizer over all tasks; see `comparisons.overall`."""
        return comparisons.overall(self.ranking, self.across)

    @cached_property
    def tuned_against_default(self) -> pd.DataFrame:
        """A row a task and optimizer that ran at its default too; see `comparisons.tuned_against_default`."""
        return self.ranking[COMPETITOR].merge(self._gains, on=COMPETITOR)

    @cached_property
    def sensitivity_table(self) -> pd.DataFrame:
        """A row a task and optimizer: over how many decades of lr the target is reached; see `search.sensitivity`."""
        return self.ranking[COMPETITOR].merge(self._tolerances, on=COMPETITOR)

    @cached_property
    def budget_curve(self) -> pd.DataFrame:
        """What fewer trials would have found; see `search.budget_curve`."""
        return self.ranking[COMPETITOR].merge(search.budget_curve(self.settings), on=COMPETITOR)

    @cached_property
    def targets(self) -> pd.DataFrame:
        """A row a task, optimizer and target; see `search.targets`."""
        return search.targets(self.reported, self.ranking)

    @cached_property
    def success(self) -> pd.DataFrame:
        """A row a task and optimizer: whether it reaches the target; see `search.success`."""
        return search.success(self.ranking, self.settings)

    @cached_property
    def competence(self) -> pd.DataFrame:
        """Who leads at which condition number and budget; see `search.competence`."""
        return search.competence(self.ranking, self.tasks)

    @cached_property
    def _roles(self) -> pd.DataFrame | None:
        return frames.roles(self.store)

    @cached_property
    def _competitors(self) -> pd.DataFrame:
        return tables.competitors(self.entries, self.settings, self.chosen)

    @cached_property
    def _leaders(self) -> pd.Series:
        """Task -> the optimizer that the tuning seeds put first; empty where no seeds were kept apart."""
        return (
            comparisons.leaders(self.settings, self._competitors) if self.tuned else pd.Series(dtype=object)
        )

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        return comparisons.pairs(self.reported, self._competitors, self._leaders)

    @cached_property
    def _gains(self) -> pd.DataFrame:
        return comparisons.tuned_against_default(self.reported, self.defaults)

    @cached_property
    def _tolerances(self) -> pd.DataFrame:
        return search.sensitivity(self.settings)

    @cached_property
    def _own(self) -> pd.DataFrame:
        """What the ranking says of an optimizer beside its chosen setting: default_gap, gain, tolerance, tolerance_open."""
        tolerances, gains = self._tolerances, self._gains
        width = tolerances[[*COMPETITOR, "tolerance"]].assign(
            tolerance_open=tolerances["open_low"] | tolerances["open_high"]
        )
        gained = gains[[*COMPETITOR, "default_gap"]].assign(gain=gains["gain"].where(gains["test"] == "t"))
        return width.merge(gained, on=COMPETITOR, how="outer")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row a task and optimizer: steps, gradient evaluations, samples, epochs and FLOPs; see `costs.costs`."""
        return costs.costs(self.ranking, self.tasks)

    @cached_property
    def shown_runs(self) -> list[str]:
        """The runs whose weights on the way are worth keeping: of each task and optimizer, the first reported seed that did not fail."""
        runs = self.reported[self.reported["status"] != "failed"].sort_values("seed", kind="stable")
        first = runs.drop_duplicates(["task", "name"])[["task", "name", "run_id"]]
        shown = (
            self.ranking[self.ranking["task"].isin(self.tasks["task"].head(MOST_TASKS))]
            .groupby("task", sort=False)
            .head(MOST_OPTIMIZERS)
        )
        return list(
            shown.merge(first, left_on=["task", "optimizer"], right_on=["task", "name"])["run_id"].unique()
        )

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

    plot_curves = _drawn(
        "loss_curves", "the gap against gradient evaluations, each optimizer at its best setting"
    )
    plot_sensitivity = _drawn("lr_sensitivity", "the final gap against the learning rate")
    plot_heat_map = _drawn("heat_map", "the final gap of all optimizers over the learning rate as colours")
    plot_tuned_against_default = _drawn(
        "tuned_against_default", "the final gap of every optimizer tuned and at its defaults"
    )
    plot_targets = _drawn("targets", "the share of (seed, target) pairs solved against gradient evaluations")
    plot_profile = _drawn("profile", "the performance profile over the tasks")
    plot_seeds = _drawn("seeds", "the final gap of every seed at the chosen settings")
    plot_pairs = _drawn("pairs", "the paired ratios of the best optimizers as a matrix")
    plot_mean_ranks = _drawn(
        "mean_ranks", "the critical difference diagram of the optimizers that ran on all tasks"
    )
    plot_path = _drawn("path", "the paths of the optimizers on a map of the gap")
    plot_budget = _drawn("budget", "the best gap against the number of trials")
    plot_directions = _drawn("directions", "what is left of the gap by eigen-direction and step")

    def _repr_html_(self) -> str:
        """Show the verdict and the rankings in a notebook."""
        from lrbench.results import text, verdict
        from lrbench.results.report.page import brief

        rankings = [
            (str(task), text.ranking_text(rows)) for task, rows in self.ranking.groupby("task", sort=False)
        ]
        return brief([*verdict.headline(self), f"{text.RELATIVE_NOTE}."], rankings)

    def report(self, path: str | os.PathLike | None = None) -> Path:
        """Write summary and figures into the store and the page to `path` (the store's report.html if None); return the page's path.

        Raises:
            RequestError: it cannot be written there.
        """
        from lrbench.results import report

        try:
            return report.write(self, self.store.report if path is None else Path(path))
        except OSError as error:
            raise RequestError(
                f"{error.filename}: the report cannot be written ({error.strerror}). Make it writable, or copy the folder."
            ) from error


def _written(manifest: dict[str, Any]) -> str:
    return manifest.get("finished") or manifest["created"]
