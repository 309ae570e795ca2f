"""What the questions are asked of: searches, runs on fresh seeds, and the best rates there are.

All sweeps are run by lrbench itself. One that is stored in the folder is not run again, only read.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tasks import Task

from lrbench.bench.run import run_sweep
from lrbench.engines.readings import LEAVES, SLACK, pass_means
from lrbench.plan import plan
from lrbench.results.statistics.readings import LOST_SCORE, RISE, Readings
from lrbench.results.tables.entries import RUN, readings
from lrbench.results.tables.sweep import Sweep
from lrbench.sweeper.request import Request, read
from lrbench.train import train

BOX = (-5.0, 2.0)  # log10 of the learning rates that a search covers, as in conf/tune/all.yaml
SPACING = 7 / 15  # decades between two of its 16 first rates
BEYOND = 1.0  # decades to either side of the box, into which a search may grow
FINER = 0.005  # decades between the dense rates nearest to the best
FINALISTS = 3  # rates of the dense grid that run on all fresh seeds
FRESH, SCREEN = 10_000, 20_000  # first seeds of the truth, and of the look for it; evaluations begin at 0
# Share of seeds on which a setting may rise too high: three tuning seeds then let it pass more often than not
MAY_RISE = 0.2
TINY = np.finfo(float).tiny


class Setting(NamedTuple):
    """An optimizer at a learning rate."""

    optimizer: str
    lr: float


class Runs(NamedTuple):
    """The runs of one setting on n seeds, in order.

    Attributes:
        readings: of what the rule compares.
        gaps: (n,) what the rule before it compared; inf where lost.
        rise: (n,) largest gap over where the run began.
        floor: the gap below which all is rounding.
    """

    readings: Readings
    gaps: np.ndarray
    rise: np.ndarray
    floor: float


Order = Callable[[Runs], tuple[float, ...]]  # the key by which settings are sorted, best first


class Chosen(NamedTuple):
    """What a search found.

    Attributes:
        lr: by optimizer, the chosen rate.
        worth: by optimizer, its mean score, or mean log gap, on the tuning seeds: less is better.
    """

    lr: dict[str, float]
    worth: dict[str, float]

    def settings(self) -> list[Setting]:
        return [Setting(*item) for item in self.lr.items()]


class Search(NamedTuple):
    """A search over a shifted grid with tuning seeds of its own, and what either rule chooses from it."""

    shift: float
    seed: int
    by_arrival: Chosen
    by_gap: Chosen


class Place(NamedTuple):
    """A task, and the folder where its runs are stored."""

    task: Task
    folder: Path


# ---- sweeps


def asked(folder: Path, *lines: str) -> Request:
    return read([*lines, "report=false", f"results_dir={folder}"], multirun=True)


def swept(folder: Path, *lines: str) -> Sweep:
    """Run what these lines ask for."""
    return Sweep(run_sweep(asked(folder, *lines)).store)


def last_gaps(runs: pd.DataFrame) -> np.ndarray:
    """Return the gaps that the earlier rule compares, (R,).

    On all rows that of the last step. On minibatches it was the mean of the last epoch; the store has that of
    the last tenth of the budget, at least one epoch, which jumps even less.
    """
    in_batches = runs["batch_size"].notna()
    gap = np.where(in_batches, runs["level"], runs["final_gap"])
    return np.where(runs["lost"], np.inf, gap)


# ---- searches


def searches(place: Place, count: int) -> list[Search]:
    """Search so many times, with grids shifted by parts of their spacing, and tuning seeds of their own."""
    found = []
    for number in range(count):
        shift = number / count
        low, high = (10 ** (end + shift * SPACING) for end in BOX)
        lines = [f"tune.seed={number}", f"tune.lr.absolute=[{low:.6g},{high:.6g}]"]
        found.append(Search(shift, number, *search(place, *lines)))
    return found


def search(place: Place, *lines: str) -> tuple[Chosen, Chosen]:
    """Tune the learning rates of a task; return what is chosen by arrival, and by the last gap."""
    by_arrival, by_gap = Chosen({}, {}), Chosen({}, {})
    for optimizers, own_lines in place.task.groups():
        who = f"optimizer={','.join(optimizers)}"
        asking = [*place.task.asking(), who, *own_lines, "tune=lr", "seed=0", "record=2"]
        sweep = swept(place.folder, *asking, *lines)
        _choose_by_arrival(sweep, by_arrival)
        _choose_by_gap(sweep, by_gap)
    return by_arrival, by_gap


def _choose_by_arrival(sweep: Sweep, chosen: Chosen) -> None:
    trials = sweep.searched.drop_duplicates(RUN)
    for name, own in sweep.reported.groupby("optimizer"):
        best = trials[(trials["optimizer"] == name) & (trials["setting_id"] == own["setting_id"].iloc[0])]
        chosen.lr[str(name)] = float(own["lr"].iloc[0])
        chosen.worth[str(name)] = readings(best).mean_score()


def _choose_by_gap(sweep: Sweep, chosen: Chosen) -> None:
    trials = sweep.searched.drop_duplicates(RUN)
    floored = np.maximum(last_gaps(trials), np.maximum(trials["gap_floor"], TINY))
    means = np.log(floored).groupby([trials["optimizer"], trials["lr"]]).mean()
    for name, own in means.groupby(level="optimizer"):
        of_rates = own.droplevel("optimizer")
        lr = of_rates.index[of_rates.to_numpy().argmin()]  # of equal ones the lowest rate
        chosen.lr[str(name)] = float(lr)
        chosen.worth[str(name)] = float(of_rates[lr])


# ---- runs on fresh seeds


def pooled(
    place: Place, settings: Iterable[Setting], seeds: range, beyond: bool = False
) -> dict[Setting, Runs]:
    """Run settings on these seeds; with `beyond` to twice the budget too, to see who leaves the target."""
    rates: dict[str, set[float]] = defaultdict(set)
    for setting in settings:
        rates[setting.optimizer].add(setting.lr)
    found = {}
    further = place.task.further
    for name in sorted(rates):
        lrs = sorted(rates[name])
        lines = [f"optimizer={name}", *further.get(name, []), f"optimizer.lr={','.join(map(repr, lrs))}"]
        lines.append(f"seed=range({seeds.start},{seeds.stop})")
        entries = swept(place.folder, *place.task.asking(), *lines, "record=2").entries.assign(left=False)
        if beyond:
            twice = place.task._replace(steps=2 * place.task.steps)
            request = asked(place.folder, *twice.asking(), *lines, "record=all")
            entries = entries.assign(left=leaves(request, entries))
        for lr, own in entries.groupby("lr"):
            found[Setting(name, float(lr))] = _runs(own.sort_values("seed"))
    return found


def _runs(entries: pd.DataFrame) -> Runs:
    floor = max(float(entries["gap_floor"].iloc[0]), TINY)
    return Runs(readings(entries), last_gaps(entries), entries["rise"].to_numpy(), floor)


def leaves(twice: Request, entries: pd.DataFrame) -> np.ndarray:
    """Say of each entry whether it arrives, and exceeds twice its goal between the budget and twice of it.

    twice: asks for the same runs with twice the budget and every state. They are looked at as they are
    trained, and not stored.
    """
    budget, goal = entries["budget"].iloc[0], entries["goal"].iloc[0]
    highest = {}
    for runs, curves in train(plan(twice.blocks), twice.options.training):
        evaluations = np.asarray(curves["evaluations"][0].values)
        later = evaluations > budget + SLACK
        rates, seeds = runs["optimizer.lr"].to_pylist(), runs["seed"].to_pylist()
        for lr, seed, states in zip(rates, seeds, curves["gap"], strict=True):
            gap = np.nan_to_num(np.array(states.values), nan=np.inf, posinf=np.inf)
            highest[lr, seed] = pass_means(gap, evaluations)[later].max()
    keys = zip(entries["lr"], entries["seed"], strict=True)
    above = np.array([highest[key] > LEAVES * goal for key in keys])
    return entries["arrived"].to_numpy() & above


# ---- the best there is


class Truth(NamedTuple):
    """By optimizer, the runs at its best rate of a dense grid on many fresh seeds, by either rule."""

    by_arrival: dict[str, Runs]
    by_gap: dict[str, Runs]


class Dense(NamedTuple):
    """How the best rates are looked for.

    Attributes:
        spacing: decades between the rates of the first grid.
        screen: seeds of the first grid; the finer one has three times as many.
        fresh: seeds of those that are left.
    """

    spacing: float
    screen: int
    fresh: int


def truth(place: Place, dense: Dense, pool: dict[Setting, Runs]) -> Truth:
    """Look for each optimizer's best rate, also among the best of those that searches have found."""
    grid = 10 ** np.arange(BOX[0] - BEYOND, BOX[1] + BEYOND + 1e-9, dense.spacing)
    rates = [float(f"{lr:.4g}") for lr in grid]
    everywhere = [Setting(name, lr) for name in place.task.optimizers for lr in rates]
    coarse = pooled(place, everywhere, range(SCREEN, SCREEN + dense.screen))
    near = [close for setting in _best_of_each(coarse, 1) for close in _around(setting, dense.spacing)]
    finer = pooled(place, [*near, *_best_of_each(pool, FINALISTS)], range(SCREEN, SCREEN + 3 * dense.screen))
    finalists = _best_of_each(finer, FINALISTS)
    beyond = pooled(place, finalists, range(FRESH, FRESH + dense.fresh), beyond=True)
    return Truth(_winners(beyond, by_score), _winners(beyond, by_last_gap))


def _around(setting: Setting, spacing: float) -> list[Setting]:
    steps = round(spacing / FINER)
    exponents = np.arange(-steps, steps + 1) * FINER
    rates = [float(f"{setting.lr * 10**exponent:.4g}") for exponent in exponents]
    return [Setting(setting.optimizer, lr) for lr in dict.fromkeys(rates)]


def by_score(runs: Runs) -> tuple[float, ...]:
    """Order settings as the rule chooses: that may be chosen, fewest lost seeds, then the mean score."""
    is_too_high = (runs.rise > RISE).mean() > MAY_RISE
    lost = runs.readings.lost
    kept = runs.readings.score[~lost]
    mean = float(kept.mean()) if len(kept) else LOST_SCORE
    return float(is_too_high), float(lost.mean()), mean


def by_last_gap(runs: Runs) -> tuple[float, ...]:
    return (float(np.log(np.maximum(runs.gaps, runs.floor)).mean()),)


def _best_of_each(runs: dict[Setting, Runs], count: int) -> list[Setting]:
    """Return the best settings of each optimizer, so many by either order."""
    best: dict[Setting, None] = {}
    for order in (by_score, by_last_gap):
        ordered = sorted(runs, key=lambda setting: (*order(runs[setting]), setting.lr))  # noqa: B023
        for name in dict.fromkeys(setting.optimizer for setting in ordered):
            own = [setting for setting in ordered if setting.optimizer == name]
            best |= dict.fromkeys(own[:count])
    return list(best)


def _winners(runs: dict[Setting, Runs], order: Order) -> dict[str, Runs]:
    best: dict[str, Runs] = {}
    for setting in sorted(runs, key=lambda setting: order(runs[setting])):
        best.setdefault(setting.optimizer, runs[setting])
    return best
