"""What may be said: one plain sentence a task, and what to read before quoting it. Facts with their numbers, no claim of significance."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.text import counted, listed, named, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


def headline(results: "Results") -> list[str]:
    """Return a sentence a task: who ends lowest, where, over what."""
    ranking = results.ranking
    return [_sentence(task, ranking[ranking["task"] == task["task"]]) for _, task in results.tasks.iterrows()]


def what_varied(task: pd.Series, seeds: int) -> str:
    """Name what differs between the seeds of a setting: "10 starts", "10 batch orders", "10 starts and batch orders", "1 seed"."""
    drawn = pd.notna(task["batch_size"]) and task["batch_order"] != "sequential"
    varying = ["start"] * (task["init"] == "torch") + ["batch order"] * drawn
    return counted(seeds, "seed") if seeds == 1 or not varying else f"{seeds} {' and '.join(f'{word}s' for word in varying)}"


def _sentence(task: pd.Series, rows: pd.DataFrame) -> str:
    best, where = rows.iloc[0], f"on {task['task']}"
    leaders = rows[rows["rank"] == 1]
    names = listed([named(name, setting) for name, setting in zip(leaders["optimizer"], leaders["setting"], strict=True)])
    context = f"after {counted(task['steps'], 'step')}, {_basis(task, best)}{_field(rows)}."
    if leaders.empty:
        return f"No run completed {where}: {_sum(rows, 'diverged')} diverged and {_sum(rows, 'failed')} failed of {_sum(rows, 'runs')}."
    if np.isinf(best["gap"]):
        return f"No optimizer completed all its seeds {where}, whatever the setting{_field(rows)}."
    if len(leaders) > 1 and best["at_floor"]:
        return f"{names} are tied {where}: they end at the gap floor, {number(best['gap'])} or less, {context}"
    if len(leaders) > 1:
        return f"{names} end level {where}: gap {number(best['gap'])} {context}"
    gap = f"{number(best['gap'])}{' or less, the gap floor,' if best['at_floor'] else ''}"
    return f"{names} ends {where} at gap {gap} {context}" if len(rows) == 1 else f"{names} ends lowest {where}: gap {gap} {context}"


def _basis(task: pd.Series, best: pd.Series) -> str:
    if best["seeds"] > 1:
        return f"geometric mean over {what_varied(task, best['seeds'])}"
    return "one run" if best["runs"] == 1 else "one seed"


def _field(rows: pd.DataFrame) -> str:
    if len(rows) > 1:
        return f"; {len(rows)} optimizers ran"
    settings = rows.iloc[0]["settings"]
    return f"; the best of {settings} settings" if settings > 1 else ""


def _sum(rows: pd.DataFrame, column: str) -> int:
    return int(rows[column].sum())


def warnings(results: "Results") -> list[str]:
    """Return what to read before quoting, gravest first, a sentence each; only what applies."""
    checks = (_alarms, _incomplete, _lost_at_best, _failed, _diverged, _untuned, _seeds, _identical, _edges, _at_floor, _targets, _undefined)
    return [*(sentence for check in checks for sentence in check(results)), *results.manifest["warnings"]]


def _alarms(results: "Results") -> list[str]:
    return results.alarms


def _incomplete(results: "Results") -> Iterator[str]:
    planned, stored = results.manifest["counts"]["planned"], len(results.runs)
    if results.manifest["state"] != "complete" or stored < planned:
        state = {"interrupted": "was interrupted", "running": "is still running or was stopped"}.get(results.manifest["state"], "is incomplete")
        yield f"The sweep {state}: {stored} of {counted(planned, 'planned run')} are stored. The same request goes on from there."


def _lost_at_best(results: "Results") -> Iterator[str]:
    best = results.settings.set_index("setting_id").loc[results.ranking["setting_id"]]
    lost = best[best["seeds"] > best["completed"]].to_dict("records")
    if lost:
        cases = [f"{named(row['optimizer'], row['setting'])}{_on(results, row)} {row['seeds'] - row['completed']} of {row['seeds']}" for row in lost]
        yield f"Even at its best setting an optimizer lost seeds, which makes its gap inf: {listed(cases)}."


def _failed(results: "Results") -> Iterator[str]:
    failed = results.entries[results.entries["status"] == "failed"]
    for reason, rows in failed.groupby("reason", sort=False):
        yield f"{_shares(results, rows)} failed: {str(reason).rstrip('.')}."


def _diverged(results: "Results") -> Iterator[str]:
    diverged = results.entries[results.entries["status"] == "diverged"]
    if len(diverged):
        yield f"{_shares(results, diverged)} diverged."


def _untuned(results: "Results") -> Iterator[str]:
    ranking = results.ranking[results.ranking.groupby("task")["optimizer"].transform("size") > 1]
    untuned = ranking.loc[ranking["lrs"] == 1, "optimizer"].unique()
    if len(untuned):
        yield f"One learning rate only for {listed(untuned)}: what an optimizer reaches untuned says little about it."


def _seeds(results: "Results") -> Iterator[str]:
    if (results.settings["seeds"] == 1).any():
        single = results.settings.loc[results.settings["seeds"] == 1, "optimizer"].unique()
        scope = "" if (results.settings["seeds"] == 1).all() else f" for {listed(single)}"
        yield f"One seed only{scope}: how much the gap varies from seed to seed is not known."


def _identical(results: "Results") -> Iterator[str]:
    completed = results.entries[results.entries["status"] == "completed"]
    distinct = completed.groupby(["name", "setting_id"], sort=False)[["start_loss", "final_loss", "final_gap"]].nunique().max(axis=1)
    repeated = completed.groupby(["name", "setting_id"], sort=False).size()[distinct == 1]
    repeated = repeated[repeated > 1].reset_index(name="seeds")
    if len(repeated):
        names = repeated["name"].unique()
        yield f"Runs of different seeds are identical for {listed(names)} (up to {repeated['seeds'].max()} of one setting): they count as one."


def _edges(results: "Results") -> Iterator[str]:
    edges = results.ranking[results.ranking["edge"] != ""].to_dict("records")
    if edges:
        cases = [f"{row['optimizer']}{_on(results, row)} (lr={setting_value(row['lr'])}, {row['edge']} of {row['lrs']})" for row in edges]
        yield f"The best learning rate is at the edge of its grid, so that a wider one may do better: {listed(cases)}."


def _at_floor(results: "Results") -> Iterator[str]:
    floor = results.ranking[results.ranking["at_floor"]].to_dict("records")
    if floor:
        cases = [f"{row['optimizer']}{_on(results, row)} ({number(row['gap'])})" for row in floor]
        yield f"At the gap floor, where differences are rounding and all are tied: {listed(cases)}."


def _targets(results: "Results") -> Iterator[str]:
    defined = results.ranking.dropna(subset="evaluations_to_target")
    short = defined[2 * defined["hits"] < defined["seeds"]].to_dict("records")
    target = f"the target, a relative gap of {setting_value(results.manifest['target'])}"
    if len(defined) and not defined["hits"].any():
        yield f"No optimizer reached {target}, at its best setting."
    elif short:
        cases = [f"{row['optimizer']}{_on(results, row)} ({row['hits']}/{row['seeds']})" for row in short]
        yield f"Fewer than half of the seeds reached {target}: {listed(cases)}."


def _undefined(results: "Results") -> Iterator[str]:
    undefined = results.tasks.loc[results.tasks["scale"].isna(), "task"]
    if len(undefined):
        yield f"Relative gaps and targets are undefined on {listed(list(undefined))}: the constant model is best (a constant target, or one row)."


def _on(results: "Results", row: dict) -> str:
    return f" on {row['task']}" if len(results.tasks) > 1 else ""


def _shares(results: "Results", rows: pd.DataFrame) -> str:
    """Write how many of all runs, and of which optimizers: "12 of 140 runs (sgd 10 of 70, adam 2 of 70)"."""
    runs = results.entries["name"].value_counts()
    shares = [f"{name} {count} of {runs[name]}" for name, count in rows["name"].value_counts().items()]
    total = f"{len(rows)} of {counted(len(results.runs), 'run')}"
    return total if len(runs) == 1 else f"{total} ({listed(shares)})"
