"""One stored sweep as data: each of its tables, computed once, when it is first asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from lrbench.results.frames import read
from lrbench.results.statistics.readings import RISE
from lrbench.results.tables import (
    answers,
    attainable,
    costs,
    curves,
    directions,
    entries,
    failures,
    landscape,
    learning_rates,
    overall,
    pairs,
    predicted,
    problems,
    ranking,
    settings,
    single_run,
    targets,
    tasks,
    tuning,
)
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.store import ResultStore

MOST_TASKS, MOST_OPTIMIZERS = 6, 20  # whose paths are kept


@dataclass(frozen=True)
class Sweep:
    """A stored sweep. Frames are read when first asked for and kept."""

    store: ResultStore

    # ---- what is stored

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The request, the resolved configuration, versions, machine and counts."""
        return self.store.manifest()

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a run: labels, every setting under its configuration path, results, weights; see
        `frames.read.runs`.
        """
        return read.runs(self.store)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Every loss curve, long: run_id, step, evaluations, loss, gap."""
        return self.curves_of(self.runs["run_id"])

    def curves_of(self, run_ids: pd.Series) -> pd.DataFrame:
        """Return the loss curves of some runs, as `curves`."""
        return read.curves(self.store, run_ids)

    @cached_property
    def problems(self) -> pd.DataFrame:
        """A row a problem: size, spectrum, minimiser."""
        return read.problems(self.store)

    @cached_property
    def _roles(self) -> pd.DataFrame | None:
        return read.roles(self.store)

    @cached_property
    def tuned(self) -> bool:
        """Whether settings were chosen on seeds of their own."""
        return self._roles is not None

    @property
    def planned(self) -> int:
        """How many runs were planned."""
        return self.manifest["counts"]["planned"]

    @property
    def complete(self) -> bool:
        """Whether the sweep came to its end, and all its planned runs are stored."""
        return self.manifest["state"] == "complete" and len(self.runs) >= self.planned

    @property
    def rise_limit(self) -> float | None:
        """How far the gap may first rise, over where it began, at a setting that is chosen; None: any."""
        return self.manifest["tune"]["rise"] if self.tuned else RISE

    # ---- runs and settings

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """A row a task; see `tables.tasks`."""
        return tasks.tasks(self.runs, self.problems)

    @cached_property
    def problem_list(self) -> pd.DataFrame:
        """A row a problem, in words; see `tables.problems`."""
        return problems.problem_list(self.runs, self.tasks)

    @cached_property
    def entries(self) -> pd.DataFrame:
        """The runs with what the tables need beside each, of a tuned sweep a row a run and role; see
        `tables.entries`.
        """
        return entries.entries(self.runs, self.tasks, self._roles, read.beyond(self.store))

    @cached_property
    def searched(self) -> pd.DataFrame:
        """The entries that settings were chosen from: the grid, or the trials."""
        return self.entries[self.entries["role"].isin(["grid", "trial"])]

    @cached_property
    def settings(self) -> pd.DataFrame:
        """A row a task, optimizer and setting that was searched; see `tables.settings`."""
        return settings.settings(self.searched)

    @cached_property
    def reported(self) -> pd.DataFrame:
        """The entries that are compared: each optimizer at its chosen setting, on the evaluation seeds where
        there are such.
        """
        return settings.reported(self.entries, self.settings)

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """A row a task and optimizer: its chosen setting over the seeds that are compared; see
        `tables.settings`.
        """
        return settings.settings(self.reported)

    @cached_property
    def defaults(self) -> pd.DataFrame:
        """The entries at the optimizers' own defaults, on the evaluation seeds; empty where nothing was
        tuned.
        """
        return self.entries[self.entries["role"] == "default"]

    # ---- who is better

    @cached_property
    def _competitors(self) -> pd.DataFrame:
        frames = (self.entries, self.settings, self.chosen)
        tune = self.manifest["tune"]
        is_scattered = tune is not None and tune["sampler"] == "sobol"
        return ranking.competitors(*frames, is_scattered)

    @cached_property
    def judged(self) -> dict[str, pairs.Judged]:
        """Task -> who is better there; see `tables.pairs`."""
        return pairs.judged(self.reported, self.searched if self.tuned else None)

    @cached_property
    def judged_at_half(self) -> dict[str, pairs.Judged]:
        """The same within half of the budget."""
        return pairs.judged(pairs.at_half(self.reported), self.searched if self.tuned else None)

    @cached_property
    def standings(self) -> pd.DataFrame:
        """A row a task and optimizer: where it stands; see `tables.pairs`."""
        return pairs.standings(self.judged)

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        return pairs.pairs(self.judged)

    @cached_property
    def _gains(self) -> pd.DataFrame:
        return tuning.gains(self.reported, self.chosen, self.defaults)

    @cached_property
    def _at_each_rate(self) -> pd.DataFrame:
        return learning_rates.at_each_rate(self.settings, self.rise_limit)

    @cached_property
    def _tolerances(self) -> pd.DataFrame:
        return learning_rates.tolerances(self._at_each_rate)

    @cached_property
    def _beside(self) -> pd.DataFrame:
        """What the ranking says of an optimizer beside its chosen setting: default_gap, gain, the rates that
        work.
        """
        is_open = self._tolerances["open_low"] | self._tolerances["open_high"]
        ends = self._tolerances.rename(columns={"lowest_lr": "works_low", "highest_lr": "works_high"})
        widths = ends[[*COMPETITOR, "tolerance", "works_low", "works_high"]].assign(tolerance_open=is_open)
        gained = self._gains[[*COMPETITOR, "default_gap", "gain"]]
        return widths.merge(gained, on=COMPETITOR, how="outer")

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """A row a task and optimizer, best first; see `tables.ranking`."""
        return ranking.ranking(self._competitors, self.standings, self._beside)

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """A row a pair of optimizers of a task, a ranked before b; see `tables.pairs`."""
        return pairs.pairwise(self._pairs, self.ranking)

    @cached_property
    def across(self) -> pd.DataFrame:
        """A row a pair of optimizers over all problems; see `tables.overall`."""
        return overall.across(self.ranking, self.tasks)

    @cached_property
    def overall(self) -> pd.DataFrame:
        """A row an optimizer over all tasks; see `tables.overall`."""
        return overall.overall(self.ranking, self.across)

    @cached_property
    def competence(self) -> pd.DataFrame:
        """Who leads at which condition number and budget; see `tables.overall`."""
        return overall.competence(self.ranking, self.tasks)

    @cached_property
    def one_for_all(self) -> pd.DataFrame:
        """A row an optimizer: its one setting for all tasks, the best one first; see `tables.overall`."""
        return overall.one_for_all(self.searched, self.entries, self.tasks, self.rise_limit)

    @cached_property
    def failures(self) -> pd.DataFrame:
        """What went wrong, a row a task, optimizer and status; see `tables.failures`."""
        return failures.failures(self.entries, self.diverging)

    # ---- tuning and learning rates

    @cached_property
    def tuned_against_default(self) -> pd.DataFrame:
        """A row a task and optimizer that ran at its default too; see `tables.tuning.gains`."""
        return self._in_order(self._gains)

    @cached_property
    def gains(self) -> pd.DataFrame:
        """`tuned_against_default` with how many runs were lost; see `tables.tuning.with_lost`."""
        return tuning.with_lost(self.tuned_against_default, self.chosen, self.defaults)

    @cached_property
    def default_rates(self) -> pd.DataFrame:
        """The learning rates of the defaults: task, optimizer, lr."""
        return tuning.default_rates(self.defaults)

    @cached_property
    def budget_curve(self) -> pd.DataFrame:
        """The least score among so many of the trials; see `tables.tuning.budget`."""
        return self._in_order(tuning.budget(self.settings, self.rise_limit))

    @cached_property
    def sensitivity_table(self) -> pd.DataFrame:
        """A row a task and optimizer: which learning rates work; see `tables.learning_rates`."""
        return self._in_order(self._tolerances)

    @cached_property
    def rates(self) -> pd.DataFrame:
        """The best setting of every optimizer at each of its learning rates; see `tables.learning_rates`."""
        return learning_rates.rates(self._at_each_rate, self.ranking)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """`rates` with the ends of each rate's cell; see `tables.learning_rates`."""
        return learning_rates.cells(self.rates)

    # ---- what the models answer

    @cached_property
    def _asked(self) -> answers.Asked:
        """Problem -> the rows that are to be predicted; see `tables.answers`."""
        return answers.asked(self.manifest)

    @cached_property
    def answers(self) -> pd.DataFrame:
        """What the models predict, a row a task, optimizer and row that was asked for: `tables.answers`."""
        return self._in_order(answers.answers(self.reported, self.tasks, self._asked))

    # ---- targets and costs

    @cached_property
    def targets(self) -> pd.DataFrame:
        """A row a task, optimizer and target; see `tables.targets`."""
        return targets.targets(self.reported, self.ranking)

    @cached_property
    def success(self) -> pd.DataFrame:
        """A row a task and optimizer: whether it arrives at the target; see `tables.targets`."""
        return targets.success(self.ranking, self.settings)

    @cached_property
    def solved(self) -> pd.DataFrame:
        """The share of (seed, target) pairs solved against gradient evaluations; see `tables.targets`."""
        return targets.solved(self.reported)

    @cached_property
    def profile(self) -> pd.DataFrame:
        """The performance profile over the tasks; see `tables.targets`."""
        return targets.profile(self.ranking)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """A row a task and optimizer: steps, gradient evaluations, samples, epochs and FLOPs; see
        `tables.costs`.
        """
        return costs.costs(self.ranking, self.reported, self.tasks)

    # ---- curves

    @cached_property
    def best_curves(self) -> pd.DataFrame:
        """The curve of every optimizer at its chosen setting, quantiles over its seeds: `tables.curves`."""
        return curves.best_curves(self.chosen, self.reported, self.curves_of)

    @cached_property
    def stops(self) -> pd.DataFrame:
        """Where the diverged runs of the chosen settings leave the figure; see `tables.curves`."""
        return curves.stops(self.reported, self.curves_of)

    @cached_property
    def finals(self) -> pd.DataFrame:
        """The compared runs, a row a seed; see `tables.curves`."""
        return curves.finals(self.reported, self.ranking)

    # ---- a single run

    @cached_property
    def milestones(self) -> pd.DataFrame:
        """Loss and gap on the way of a single run; see `tables.single_run`."""
        return single_run.milestones(self.curves_of(self.runs["run_id"].head(1)))

    @cached_property
    def weights(self) -> pd.DataFrame:
        """The last weights of a single run beside the exact ones; see `tables.single_run`."""
        return single_run.weights(self.runs.iloc[0], self.problems.iloc[0])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The predictions of a single run beside the exact ones; see `tables.single_run`."""
        run = self.runs.iloc[0]
        return single_run.predictions(run, self.problems.iloc[0], self._asked.get(run["problem"]))

    # ---- theory

    @cached_property
    def predicted_curves(self) -> pd.DataFrame:
        """The curves that theory knows beforehand; see `tables.predicted`."""
        return predicted.predicted_curves(self.tasks, self.reported, self.ranking)

    @cached_property
    def noise_floors(self) -> pd.DataFrame:
        """Where SGD on minibatches ends on average; see `tables.predicted`."""
        return predicted.noise_floors(self.tasks, self.reported, self.ranking)

    @cached_property
    def stability_edges(self) -> pd.DataFrame:
        """From which learning rate on an SGD stops converging; see `tables.predicted`."""
        return predicted.stability_edges(self.tasks, self.reported, self.ranking)

    @cached_property
    def diverging(self) -> pd.DataFrame:
        """The edges that hold for every run of an optimizer; see `tables.predicted`."""
        return predicted.diverging(self.entries, self.stability_edges)

    @cached_property
    def limits(self) -> pd.DataFrame:
        """What the textbooks give, a row a task and method; see `tables.predicted`."""
        return predicted.limits(self.tasks)

    @cached_property
    def first_steps(self) -> pd.DataFrame:
        """How far the first update goes; see `tables.predicted`."""
        return predicted.first_steps(self.tasks, self.reported, self.ranking)

    @cached_property
    def least_possible(self) -> pd.DataFrame:
        """The gap below which nothing ends that steps along gradients of all rows: `tables.attainable`."""
        return attainable.least_possible(self.tasks, self.reported)

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """What tuning could at best have found, a row a task and method; see `tables.attainable`."""
        return attainable.baselines(self.tasks, self.reported)

    @cached_property
    def impossible(self) -> pd.DataFrame:
        """Recorded states that are better than possible; see `tables.attainable`."""
        return attainable.impossible(self.tasks, self.entries, self.curves_of)

    # ---- the way of the weights

    @cached_property
    def shown_runs(self) -> list[str]:
        """The runs whose weights on the way are worth keeping: of each task and optimizer, the first
        reported seed that did not fail.
        """
        runs = self.reported[self.reported["status"] != "failed"].sort_values("seed", kind="stable")
        first = runs.drop_duplicates(COMPETITOR)[[*COMPETITOR, "run_id"]]
        few_tasks = self.ranking[self.ranking["task"].isin(self.tasks["task"].head(MOST_TASKS))]
        best = few_tasks.groupby("task", sort=False).head(MOST_OPTIMIZERS)
        return list(best.merge(first, on=COMPETITOR)["run_id"].unique())

    @cached_property
    def _paths(self) -> list[directions.Path]:
        return directions.paths(self.store.paths(), self.tasks, self.reported, self.ranking)

    @cached_property
    def directions(self) -> pd.DataFrame:
        """What is left of the gap by eigen-direction and step; see `tables.directions`."""
        return directions.directions(self._paths)

    @cached_property
    def remaining(self) -> pd.DataFrame:
        """In which directions the last gap is left; see `tables.directions`."""
        return directions.remaining(self._paths)

    @cached_property
    def statistical(self) -> pd.DataFrame:
        """The error that is left beside the error of the data; see `tables.directions`."""
        return directions.statistical(self._paths)

    @cached_property
    def points(self) -> pd.DataFrame:
        """The kept states on a map of the gap; see `tables.landscape`."""
        return landscape.points(self._paths)

    @cached_property
    def maps(self) -> pd.DataFrame:
        """The frame of each map; see `tables.landscape`."""
        return landscape.maps(self.tasks, self.points)

    @cached_property
    def levels(self) -> pd.DataFrame:
        """The lines of equal gap on each map; see `tables.landscape`."""
        return landscape.levels(self.tasks, self.points)

    @cached_property
    def cuts(self) -> pd.DataFrame:
        """Where paths leave their map for good; see `tables.landscape`."""
        return landscape.cuts(self.points, self.maps)

    def _in_order(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows in the order of the ranking."""
        return self.ranking[COMPETITOR].merge(rows, on=COMPETITOR)
