"""The tables: tasks, runs as entries, settings, ranking, failures. Frames in, frames out; every number printed or drawn comes from here.

A task is what all optimizers of a comparison share: problem (data, loss, dtype), steps, batches, init. Rankings are made within one task.
An optimizer's own columns are computed from its own runs alone; only `rank` compares.
"""

from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.labels import natural, optimizer_names, setting_texts, task_labels
from lrbench.results.statistics import at_least_floor, by_group, geometric_mean, geometric_spread, median_first_hit, quantile
from lrbench.results.text import counted, listed

TASK = ["problem_id", "steps", "batch_size", "batch_order", "init"]
SMALLEST_GRID_WITH_EDGES = 3


def tasks(runs: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task in the order of their labels: `task` (the label), what its runs share, and the facts of its problem."""
    first = runs.drop_duplicates(TASK)
    first = first.assign(task=task_labels(first))
    facts = problems.drop(columns=["problem", "loss", "dtype"]).astype(dict.fromkeys(["scale", "mu", "kappa", "effective_rank", "digits"], float))
    rows = first[["task", *TASK, "problem", "loss", "dtype"]].merge(facts, on="problem_id")
    return rows.sort_values("task", key=lambda labels: labels.map(natural), ignore_index=True)


def entries(runs: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return the runs in the order of the tasks, with what the tables need beside each.

    task, name (of the optimizer), setting (text), lr, gap (the final gap: inf unless completed, not below the floor), hit and hit_step (gradient
    evaluations and steps to the target: inf if never reached or not completed, NaN where relative gaps are undefined), gap_floor, scale.
    """
    rows = tasks[["task", *TASK, "gap_floor", "scale"]].merge(runs, on=TASK)
    completed = rows["status"] == "completed"
    rows["name"] = optimizer_names(rows)
    rows["lr"] = pd.to_numeric(rows["optimizer.lr"], errors="coerce") if "optimizer.lr" in rows else np.nan
    rows["gap"] = at_least_floor(rows["final_gap"].where(completed, np.inf).to_numpy(), rows["gap_floor"].to_numpy())
    for name, column in (("hit", "evaluations_to_target"), ("hit_step", "steps_to_target")):
        rows[name] = rows[column].astype(float).fillna(np.inf).where(completed, np.inf).where(rows["scale"].notna())
    first = rows.drop_duplicates("setting_id")
    rows["setting"] = rows["setting_id"].map(setting_texts(first).set_axis(first["setting_id"]))
    return rows


def settings(entries: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting, statistics over its seeds.

    gap: geometric mean of the final gaps, inf if any seed did not complete; spread: a factor; median, q25, q75 of the final gaps;
    evaluations_to_target, steps_to_target: medians, inf if fewer than half of the seeds reach it; evaluations: median of the whole runs;
    test_loss: median of the final loss over the test rows, NaN where the problem has none;
    hits, completed, diverged, failed: counts of `seeds`; at_floor: all seeds end at the gap floor.
    """
    codes, ids = pd.factorize(entries["setting_id"])
    each, count = partial(by_group, codes=codes), partial(np.bincount, codes)
    gap, hit = entries["gap"].to_numpy(), entries["hit"].to_numpy()
    first = entries.drop_duplicates("setting_id")
    mean, tested = each(geometric_mean, gap), first["final_test_loss"].notna()
    return pd.DataFrame(
        {
            **{"task": first["task"], "optimizer": first["name"], "setting": first["setting"], "lr": first["lr"], "seeds": count()},
            **{"gap": mean, "spread": each(geometric_spread, gap)},
            **{
                "median": each(partial(quantile, q=0.5), gap),
                "q25": each(partial(quantile, q=0.25), gap),
                "q75": each(partial(quantile, q=0.75), gap),
            },
            "relative_gap": mean / first["scale"].to_numpy(),
            "evaluations_to_target": each(median_first_hit, hit),
            "steps_to_target": each(median_first_hit, entries["hit_step"].to_numpy()),
            "evaluations": each(partial(quantile, q=0.5), entries["evaluations"].to_numpy()),
            "test_loss": np.where(tested, each(partial(quantile, q=0.5), entries["final_test_loss"].astype(float).fillna(np.inf).to_numpy()), np.nan),
            "hits": count(np.isfinite(hit)).astype(int),
            **{status: count(entries["status"] == status).astype(int) for status in ("completed", "diverged", "failed")},
            "at_floor": count(gap <= entries["gap_floor"]) == count(),
            "setting_id": ids,
        }
    ).reset_index(drop=True)


def best_first(settings: pd.DataFrame) -> pd.DataFrame:
    """Sort settings: lowest gap; on equal gaps most seeds completed, fewest evaluations to the target, the setting's text."""
    lost = settings["seeds"] - settings["completed"]
    order = ["gap", "lost", "evaluations_to_target", "setting", "setting_id"]
    return settings.assign(lost=lost).sort_values(order, kind="stable").drop(columns="lost")


def ranking(settings: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: its best setting, and its rank among the optimizers of the task, best first.

    Equal gaps share a rank, those at the floor among them; an optimizer that never completed has none and stands last.
    diverged, failed, runs: over all settings of the optimizer; settings, lrs: the size of its grid; edge: lowest or highest if the best lr is at
    that end of a grid of three lrs or more and something completed, else empty.
    """
    best = best_first(settings).drop_duplicates(["task", "optimizer"]).drop(columns=["completed", "diverged", "failed"])
    rows = best.merge(_over_settings(settings), on=["task", "optimizer"])
    edgeless = (rows["lrs"] < SMALLEST_GRID_WITH_EDGES) | (rows["completed"] == 0)
    rows["edge"] = np.select([edgeless, rows["lr"] == rows["lowest"], rows["lr"] == rows["highest"]], ["", "lowest", "highest"], "")
    ranked = [_ranked(rows[rows["task"] == task]) for task in settings["task"].unique()]
    columns = ["task", "rank", "optimizer", "setting", "edge", "gap", "spread", "relative_gap", "evaluations_to_target", "hits", "seeds"]
    columns += ["diverged", "failed", "runs", "median", "q25", "q75", "at_floor", "test_loss", "lr", "settings", "lrs", "setting_id"]
    columns += ["evaluations", "steps_to_target"]  # for `costs`
    return pd.concat(ranked, ignore_index=True)[columns]


def failures(entries: pd.DataFrame) -> pd.DataFrame:
    """Return what went wrong, a row an optimizer and reason: runs, the earliest bad step, the largest last finite loss, and at which settings."""
    wrong = entries[entries["status"] != "completed"]
    reason = wrong["reason"].astype(object).fillna("").str.replace(r" at step \d+", "", regex=True)  # the step has its own column
    groups = wrong.assign(reason=reason).groupby(["task", "name", "status", "reason"], sort=False)
    rows = groups.agg(
        runs=("run_id", "size"),
        first_bad_step=("first_bad_step", "min"),
        last_finite_loss=("last_finite_loss", "max"),
        examples=("setting", _examples),
    )
    return rows.reset_index().rename(columns={"name": "optimizer"})


def _over_settings(settings: pd.DataFrame) -> pd.DataFrame:
    groups = settings.groupby(["task", "optimizer"])
    counts = groups.agg(
        **{column: (column, "sum") for column in ("completed", "diverged", "failed")},
        **{"runs": ("seeds", "sum"), "settings": ("setting_id", "size"), "lrs": ("lr", "nunique"), "lowest": ("lr", "min"), "highest": ("lr", "max")},
    )
    return counts.reset_index()


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    rank = rows["gap"].where(rows["completed"] > 0).rank(method="min").astype("Int64")
    return rows.assign(rank=rank).sort_values(["rank", "evaluations_to_target", "optimizer"], kind="stable")


def _examples(texts: pd.Series) -> str:
    counts = texts.value_counts(sort=False)
    return listed([f"{text} ({counted(count, 'seed')})".lstrip() for text, count in counts.items()], most=4)
