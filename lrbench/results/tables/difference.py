"""Two stored sweeps, A and B, setting by setting on the same seeds: what was asked otherwise, what changed,
what got lost.

    pairing.py (common_target.py) -> changes.py -> rows; asked.py -> differences

Ratios are B over A, so above 1 where B is worse. What figures show stands in long frames with a column side,
"A" or "B": each optimizer once a task, at the setting that A chose where B has it too, else each side at its
own, over the seeds of both.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import names, typed
from lrbench.results.frames.names import changed_setting
from lrbench.results.statistics import by_group, quantile
from lrbench.results.statistics.verdicts import CLEAR
from lrbench.results.tables import asked
from lrbench.results.tables.changes import changes, losses
from lrbench.results.tables.curves import over_seeds
from lrbench.results.tables.learning_rates import FEWEST_RATES
from lrbench.results.tables.pairing import compared_runs, paired_runs, paired_settings, setting_differences
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR

MEDIAN = 0.5  # of quantiles


@dataclass(frozen=True)
class Difference:
    """What B is against A.

    Attributes:
        a, b: the two result sets.
        tasks: those of both, as `pairing.tasks_frame`.
    """

    a: Sweep = field(repr=False)
    b: Sweep = field(repr=False)
    tasks: pd.DataFrame = field(repr=False)

    @property
    def sides(self) -> tuple[tuple[str, Sweep], tuple[str, Sweep]]:
        """("A", the one) and ("B", the other)."""
        return ("A", self.a), ("B", self.b)

    # ---- what is compared

    @cached_property
    def compared(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The runs of A and of B that are compared; see `pairing.compared_runs`."""
        mixed = self.a.tuned != self.b.tuned
        return compared_runs(self.a, self.tasks, "a", mixed), compared_runs(self.b, self.tasks, "b", mixed)

    @cached_property
    def settings(self) -> pd.DataFrame:
        """A row a setting of both, or a task and optimizer where they have none in common; see
        `pairing.paired_settings`.
        """
        return typed([self._with_differs(paired_settings(*self.compared))], "difference.settings")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A row a run of both; see `pairing.paired_runs`."""
        return paired_runs(*self.compared, self.settings)[names("difference.pairs")]

    def _with_differs(self, settings: pd.DataFrame) -> pd.DataFrame:
        """Add how the two settings of a row differ, "lr 0.1 → 0.03"; empty where they are alike."""
        made_with = setting_differences(self.a, self.b, settings)
        return settings.assign(differs=list(map(_differs, made_with)))

    # ---- what came of it

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row a setting that both have, or a task and optimizer where they have none in common: the two
        chosen ones then; see `changes.changes`.
        """
        return changes(self.settings, self.pairs)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """A row a key that differs, of request, configuration, versions and machine: key, a, b."""
        return asked.differences(self.a, self.b, self.tasks)

    @cached_property
    def regression(self) -> bool:
        """Whether a setting is clearly worse in B, or a run is lost there that was not in A.

        What is worse but close is none: with many starts 1 % is shown too, and an alarm for what does not
        matter is soon switched off. Where B's setting is another, its choice may have lost the run.
        """
        rows = self.rows
        clearly_worse = (rows["word"] == CLEAR) & (rows["change"] == "worse")
        lost_alike = (rows["lost"] > 0) & (rows["differs"] == "")
        return bool((clearly_worse | lost_alike).any())

    @cached_property
    def losses(self) -> pd.DataFrame:
        """How many of all runs are lost on either side; see `changes.losses`."""
        return losses(*self.compared)

    @cached_property
    def left_out(self) -> tuple[int, int]:
        """How many settings of A and of B had no partner."""
        runs_a, runs_b = self.compared
        left_a = _count(runs_a, "setting_id") - _count(self.settings, "setting_id_a")
        left_b = _count(runs_b, "setting_id") - _count(self.settings, "setting_id_b")
        return left_a, left_b

    # ---- what figures show

    @cached_property
    def shown(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The settings that figures show, a row a task and optimizer as `rows`, and their pairs of runs.

        Pairs: task, optimizer, *_a and *_b as `pairing.paired_runs`. Settings without a pair are left out.
        The error rate of what is said of them is theirs alone: say what `rows` says.
        """
        runs_a, runs_b = self.compared
        chosen_by_a = runs_a[runs_a["chosen"] & (runs_a["role"] != "default")]
        settings = self._with_differs(paired_settings(chosen_by_a, runs_b))
        pairs = paired_runs(runs_a, runs_b, settings)
        if pairs.empty:
            return typed([], "difference.rows"), pairs.assign(task="", optimizer="")
        rows = changes(settings, pairs)
        return rows[rows["n"] > 0], pairs.join(settings[COMPETITOR], on="row")

    @cached_property
    def median_curves(self) -> pd.DataFrame:
        """The median curve of every optimizer on either side.

        A median is not below the floor, and inf where so many runs had stopped. No rows of a side whose
        median is nowhere finite.
        """
        _, pairs = self.shown
        lines = [line for side, sweep in self.sides for line in _median_curves(sweep, pairs, side)]
        return typed(lines, "difference.median_curves")

    @cached_property
    def finals(self) -> pd.DataFrame:
        """A row a run of the pairs that are shown, with the median of its side."""
        _, pairs = self.shown
        of_sides = []
        for side, _ in self.sides:
            gap, arrived, cost = (pairs[f"{name}_{side.lower()}"] for name in ("gap", "arrived", "cost"))
            worth = {"gap": gap, "arrived": arrived, "hit": cost.where(arrived, np.inf)}
            of_sides.append(pairs[[*COMPETITOR, "row"]].assign(side=side, **worth))
        runs = pd.concat(of_sides, ignore_index=True)
        places = runs.groupby(["row", "side"]).ngroup().to_numpy()
        medians = by_group(_median, runs["gap"].to_numpy(), places)
        lost = np.bincount(places, np.isinf(runs["gap"])).astype(int)
        counts = np.bincount(places)
        return runs.assign(median=medians[places], lost=lost[places], runs=counts[places])

    @cached_property
    def rates(self) -> pd.DataFrame:
        """`Sweep.rates` of A and of B, with side, where both searched a task with an optimizer at two
        learning rates or more.
        """
        both = pd.concat([self._rates_of(side, sweep) for side, sweep in self.sides], ignore_index=True)
        counts = both.groupby([*COMPETITOR, "side"]).size().unstack(fill_value=0)
        counts = counts.reindex(columns=["A", "B"], fill_value=0)
        gridded = counts.index[counts.min(axis=1) >= FEWEST_RATES]
        in_rows = pd.MultiIndex.from_frame(self.rows[COMPETITOR])
        competitors = pd.MultiIndex.from_frame(both[COMPETITOR])
        compared = competitors.isin(gridded) & competitors.isin(in_rows)
        return both.loc[compared, names("difference.rates")]

    def _rates_of(self, side: str, sweep: Sweep) -> pd.DataFrame:
        in_side = self.tasks[f"task_{side.lower()}"]
        labels = dict(zip(in_side, self.tasks["task"], strict=True))
        rates = sweep.rates[sweep.rates["task"].isin(in_side)]
        task = rates["task"].map(labels).astype(str)  # also of no rates at all
        return rates.assign(side=side, task=task)

    @property
    def attained(self) -> dict[str, bool]:
        """Task -> whether some weights have the least loss, in A and in B."""
        in_a = self.a.tasks.set_index("task")["attained"].loc[self.tasks["task_a"]]
        in_b = self.b.tasks.set_index("task")["attained"].loc[self.tasks["task_b"]]
        both = zip(self.tasks["task"], in_a, in_b, strict=True)
        return {task: bool(a and b) for task, a, b in both}


def _differs(made_with: tuple[dict, dict] | None) -> str:
    """Write how two settings differ; None: they are alike."""
    return "" if made_with is None else changed_setting(*made_with)


def _count(rows: pd.DataFrame, ids: str) -> int:
    """Count the settings of each competitor."""
    return len(rows.drop_duplicates([*COMPETITOR, ids]))


def _median_curves(sweep: Sweep, pairs: pd.DataFrame, side: str) -> list[pd.DataFrame]:
    run_id = pairs[f"run_id_{side.lower()}"]
    floor = run_id.map(sweep.entries.drop_duplicates("run_id").set_index("run_id")["gap_floor"])
    runs = pairs[COMPETITOR].assign(run_id=run_id, gap_floor=floor)
    seeds = runs.groupby(COMPETITOR).size().to_dict()
    curves = sweep.curves_of(run_id).merge(runs, on="run_id")
    lines = []
    for (task, optimizer), own in curves.groupby(COMPETITOR, sort=False):
        line = over_seeds(own, seeds[task, optimizer], {"median": MEDIAN})
        if np.isfinite(line["median"]).any():
            lines.append(line.assign(task=str(task), optimizer=str(optimizer), side=side))
    return lines


def _median(gaps: np.ndarray) -> np.ndarray:
    return quantile(gaps, MEDIAN)
