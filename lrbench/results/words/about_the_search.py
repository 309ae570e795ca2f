"""Warnings on the search: none was made, it ended at an edge or beside a cliff, it was not alike for all."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from lrbench.config import REQUEST
from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, listed, number, setting_value
from lrbench.results.statistics.verdicts import BETTER
from lrbench.results.tables.learning_rates import scattered
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import COMPETITOR, of_task
from lrbench.results.tables.tuning import stages
from lrbench.results.words.phrases import choice, names, on_task, optimizers_on_tasks

# keys of a request that the one which tunes does without
NOT_REPEATED = {"optimizer.lr", "seed", "tune", *REQUEST} - {"target"}
TOLD = 10.0  # times: from which rise on it is worth telling


def untuned(sweep: Sweep) -> Iterator[str]:
    """Say that rates are compared, not optimizers, where one has but one rate; with the line that tunes."""
    rivals = sweep.ranking.groupby("task")["optimizer"].transform("size") > 1
    alone = sweep.ranking.loc[rivals & (sweep.ranking["lrs"] == 1), "optimizer"].unique()
    if sweep.tuned or not len(alone):
        return
    every = set(alone) == set(sweep.ranking["optimizer"])
    rates = (
        "this compares learning rates, not optimizers" if every else f"{names(list(alone))} has one rate only"
    )
    yield f"Not tuned: {rates}. This tunes all of them: {_tuning(sweep)}"


def _tuning(sweep: Sweep) -> str:
    """Write the request again, with every learning rate tuned."""
    overrides = sweep.manifest["request"]["overrides"]
    kept = [line for line in overrides if line.partition("=")[0] not in NOT_REPEATED]
    return " ".join(["lrbench -m", *map(_quoted, kept), "tune=lr"])


def _quoted(line: str) -> str:
    return f"'{line}'" if set(line) & set("()[]{}* ?|&;<>") else line


def same_seeds(sweep: Sweep) -> Iterator[str]:
    if not sweep.tuned and (sweep.ranking["settings"] > 1).any():
        yield (
            "Settings were chosen on the very seeds that are shown, which flatters, most where many were "
            "tried; tune=lr keeps seeds apart."
        )


def edges(sweep: Sweep) -> Iterator[str]:
    edges = sweep.ranking[sweep.ranking["edge"] != ""]
    cases = [_edge(sweep, row) for row in edges.to_dict("records")]
    if not cases:
        return
    where = _end_of_its_box(sweep.manifest["tune"]) if sweep.tuned else "is at the edge of its grid"
    rate = f"the {choice(sweep)} learning rate {where}"
    yield f"Search ended at an edge: {rate}; another may be better: {listed(cases)}."


def _end_of_its_box(tune: dict[str, Any]) -> str:
    if tune["sampler"] == "sobol":
        return "lies in the outer tenth of its box"
    # a grid of one stage has no trials to grow by; any other has grown wherever its best is at an end
    grown = ", even after growing by a decade" if len(stages(tune["trials"])) > 1 else ""
    return f"lies at an end of its box{grown}"


def _edge(sweep: Sweep, row: dict) -> str:
    """Write at which rate and which end an optimizer is: "adam (lr=10, highest of 5)"."""
    end = f"{row['edge']} end" if sweep.tuned else f"{row['edge']} of {row['lrs']}"
    return (
        f"{displayed(row['optimizer'])}{on_task(sweep, row['task'])} (lr={setting_value(row['lr'])}, {end})"
    )


def beside_a_cliff(sweep: Sweep) -> Iterator[str]:
    """Say whose next learning rate above the chosen one lost runs, where rates are a curve: a rate between
    may be faster.
    """
    rate = [*COMPETITOR, "lr"]
    curves = sweep.settings.groupby(COMPETITOR, sort=False).filter(_is_a_curve)
    rates = curves.groupby(rate, sort=False)["gap"].min().reset_index()
    chosen = sweep.ranking.loc[np.isfinite(sweep.ranking["gap"]), rate]
    above = rates.merge(chosen, on=COMPETITOR, suffixes=("", "_chosen")).query("lr > lr_chosen")
    following = above.sort_values("lr", kind="stable").drop_duplicates(COMPETITOR)
    cliff = following.query("gap == inf")
    if len(cliff):
        cases = optimizers_on_tasks(sweep, cliff, _both_rates)
        yield f"Beside a cliff: the next higher rate loses runs, and one between may be faster: {cases}."


def _is_a_curve(settings: pd.DataFrame) -> bool:
    return not scattered(settings)


def _both_rates(row: pd.Series) -> str:
    return f" ({setting_value(row['lr_chosen'])}, {setting_value(row['lr'])})"


def default_better(sweep: Sweep) -> Iterator[str]:
    """Say where tuning chose a setting that is shown to be worse than the default one."""
    gains = sweep.tuned_against_default
    better = gains[gains["word"].isin(BETTER) & (gains["side"] == -1)]
    if len(better):
        cases = optimizers_on_tasks(sweep, better)
        yield f"At its default an optimizer is shown to be better than tuned: {cases}."


def rises_first(sweep: Sweep) -> Iterator[str]:
    """Say whose gap first rises tenfold or more over where it began."""
    falls_again = (sweep.ranking["lost"] < sweep.ranking["seeds"]) & (sweep.ranking["rise"] < np.inf)
    rising = sweep.ranking[(sweep.ranking["rise"] >= TOLD) & falls_again]
    if len(rising):
        cases = optimizers_on_tasks(sweep, rising, lambda row: f" ({number(round(row['rise']))}-fold)")
        yield f"The gap first rises, before it falls: {cases}."


def biased(sweep: Sweep) -> Iterator[str]:
    """Say whose own decay holds the gap open: it ends at another minimum than the loss has."""
    runs = sweep.reported
    decays = [f"optimizer.{key}" for key in ("weight_decay", "lambd") if f"optimizer.{key}" in runs]
    has_decay = runs[decays].apply(pd.to_numeric, errors="coerce").fillna(0).ne(0).any(axis=1)
    misses = runs[has_decay & ~runs["arrived"] & ~runs["lost"]][COMPETITOR].drop_duplicates()
    if len(misses):
        cases = optimizers_on_tasks(sweep, misses)
        yield (
            f"A bias: weight_decay or lambd of {cases} moves the minimum, so the gap stays open whatever the "
            "budget."
        )


def unequal(sweep: Sweep) -> Iterator[str]:
    """Say where optimizers of one task were not searched alike: other numbers of settings, or other widths
    of the lr's range.
    """
    runs = sweep.searched
    low = runs["lr_low"].fillna(runs["lr"]).groupby([runs["task"], runs["optimizer"]]).min()
    high = runs["lr_high"].fillna(runs["lr"]).groupby([runs["task"], runs["optimizer"]]).max()
    widths = (high / low).map(np.log10).round(6).rename("decades").reset_index()
    sizes = sweep.ranking.merge(widths)
    yield from _uneven(sweep, sizes, "trials", ("setting", "settings"))
    yield from _uneven(sweep, sizes[sizes["lrs"] > 1], "decades", ("decade of lr", "decades of lr"))


def _uneven(sweep: Sweep, sizes: pd.DataFrame, column: str, units: tuple[str, str]) -> Iterator[str]:
    """Write who had how much, of the first task in which not all had the same; units: of one, of several."""
    distinct = sizes.groupby("task", sort=False)[column].nunique()
    tasks = distinct.index[distinct > 1]
    if not len(tasks):
        return
    of_size = of_task(sizes, tasks[0]).groupby(column)["optimizer"].agg(list)
    singular, plural = units
    cases = []
    for size, each in zip(of_size.index, of_size, strict=True):
        unit = singular if size == 1 else plural
        cases.append(f"{number(size)} {unit} for {names(each)}")
    more = f" (and on {counted(len(tasks) - 1, 'other task')})" if len(tasks) > 1 else ""
    yield f"Not all were searched alike{on_task(sweep, tasks[0])}{more}: {'; '.join(cases)}."
