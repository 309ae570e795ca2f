"""The tables: tasks, runs as entries, settings, ranking, failures. Frames in, frames out; every number printed or drawn comes from here.

A task is what all optimizers of a comparison share: problem (data, loss, dtype), steps, batches, init. Rankings are made within one task.
An optimizer's own columns are computed from its own runs alone; only those in RELATIVE compare.
"""

from functools import partial

import numpy as np
import pandas as pd

from lrbench.results.comparisons import oriented
from lrbench.results.labels import natural, optimizer_names, setting_texts, task_labels
from lrbench.results.statistics import (
    at_least_floor,
    by_group,
    geometric_mean,
    geometric_spread,
    interquartile_mean,
    median_first_hit,
    quantile,
)
from lrbench.results.text import counted, listed, setting_value

TASK = ["problem_id", "steps", "batch_size", "batch_order", "init"]
RELATIVE = (
    "rank",
    "first",
    "leader",
    "ratio",
    "ratio_low",
    "ratio_high",
    "at_least",
    "p",
)  # what depends on who else is in the sweep
SMALLEST_GRID_WITH_EDGES = 3
OUTER = 0.1  # of the width of a box, in log
LOST = ["diverged", "failed"]


def tasks(runs: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task in the order of their labels: `task` (the label), what its runs share, and the facts of its problem."""
    first = runs.drop_duplicates(TASK)
    first = first.assign(task=task_labels(first))
    facts = problems.drop(columns=["problem", "loss", "dtype"]).astype(
        dict.fromkeys(["scale", "mu", "kappa", "effective_rank", "digits"], float)
    )
    rows = first[["task", *TASK, "problem", "loss", "dtype"]].merge(facts, on="problem_id")
    return rows.sort_values("task", key=lambda labels: labels.map(natural), ignore_index=True)


def entries(
    runs: pd.DataFrame, tasks: pd.DataFrame, target: float, roles: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the runs in the order of the tasks, with what the tables need beside each; of a tuned sweep a row a run and role.

    task; name: of the optimizer; setting: a text; lr; gap: mean over the last epoch, inf unless completed, not below the floor; half: the same at
    half of the steps, also of a run that diverged later; hit, hit_step: gradient evaluations and steps to the target, inf if never reached or not
    completed, NaN where relative gaps are undefined; holds: whether the target, a relative gap, was reached and the gap ends there; role: grid,
    trial, evaluation or default; trial: its number, else NaN; lr_low, lr_high; gap_floor; scale.
    """
    rows = tasks[["task", *TASK, "gap_floor", "scale"]].merge(with_roles(runs, roles), on=TASK)
    completed, floor = rows["status"] == "completed", rows["gap_floor"].to_numpy()
    rows["name"] = optimizer_names(rows)
    rows["lr"] = pd.to_numeric(rows["optimizer.lr"], errors="coerce") if "optimizer.lr" in rows else np.nan
    rows["gap"] = at_least_floor(rows["last_epoch_gap"].where(completed, np.inf).to_numpy(), floor)
    rows["half"] = at_least_floor(rows["half_gap"].fillna(np.inf).to_numpy(), floor)
    for name, column in (("hit", "evaluations_to_target"), ("hit_step", "steps_to_target")):
        rows[name] = first_hits(rows, column)
    rows["holds"] = np.isfinite(rows["hit"]) & (rows["gap"] <= target * rows["scale"])
    codes = rows.groupby(["name", "setting_id"], sort=False).ngroup().to_numpy()
    rows["setting"] = setting_texts(rows.drop_duplicates(["name", "setting_id"])).to_numpy()[codes]
    return rows


def with_roles(runs: pd.DataFrame, roles: pd.DataFrame | None) -> pd.DataFrame:
    """Return the runs, each as often as it has roles, under the optimizer that it has the role for."""
    if roles is None:
        return runs.assign(role="grid", trial=np.nan, lr_low=np.nan, lr_high=np.nan)
    return runs.drop(columns="optimizer").merge(roles, on="run_id")


def first_hits(entries: pd.DataFrame, column: str) -> pd.Series:
    """Return a cost until a target: inf if never reached or not completed, NaN where relative gaps are undefined."""
    return (
        entries[column]
        .astype(float)
        .fillna(np.inf)
        .where(entries["status"] == "completed", np.inf)
        .where(entries["scale"].notna())
    )


def settings(entries: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer and setting, statistics over its seeds; a run that has several roles counts once.

    gap: geometric mean of the gaps, inf if any seed did not complete; spread: a factor; median, q25, q75, iqm (interquartile mean) of the gaps;
    evaluations_to_target, steps_to_target: medians, inf if fewer than half of the seeds reach it; evaluations: median of the whole runs;
    test_loss: median of the final loss over the test rows, NaN where the problem has none; trial: its number, the first if there are several;
    hits, holds, completed, diverged, failed: counts of `seeds`; at_floor: all seeds end at the gap floor.
    """
    entries = entries.drop_duplicates(["name", "run_id"])
    codes = entries.groupby(["name", "setting_id"], sort=False).ngroup().to_numpy()
    each, count = partial(by_group, codes=codes), partial(np.bincount, codes)
    gap, hit = entries["gap"].to_numpy(), entries["hit"].to_numpy()
    first = entries.drop_duplicates(["name", "setting_id"])
    mean, tested = each(geometric_mean, gap), first["final_test_loss"].notna()
    middle = partial(quantile, q=0.5)
    return pd.DataFrame(
        {
            **{
                "task": first["task"],
                "optimizer": first["name"],
                "setting": first["setting"],
                "lr": first["lr"],
                "seeds": count(),
            },
            **{"gap": mean, "spread": each(geometric_spread, gap), "median": each(middle, gap)},
            **{
                "q25": each(partial(quantile, q=0.25), gap),
                "q75": each(partial(quantile, q=0.75), gap),
                "iqm": each(interquartile_mean, gap),
            },
            "relative_gap": mean / first["scale"].to_numpy(),
            "evaluations_to_target": each(median_first_hit, hit),
            "steps_to_target": each(median_first_hit, entries["hit_step"].to_numpy()),
            "evaluations": each(middle, entries["evaluations"].to_numpy()),
            "test_loss": np.where(
                tested,
                each(middle, entries["final_test_loss"].astype(float).fillna(np.inf).to_numpy()),
                np.nan,
            ),
            **{"hits": count(np.isfinite(hit)).astype(int), "holds": count(entries["holds"]).astype(int)},
            **{status: count(entries["status"] == status).astype(int) for status in ("completed", *LOST)},
            "at_floor": count(gap <= entries["gap_floor"]) == count(),
            "trial": each(lambda trials: trials.min(axis=-1), entries["trial"].to_numpy()),
            "setting_id": first["setting_id"],
        }
    ).reset_index(drop=True)


def best_first(settings: pd.DataFrame) -> pd.DataFrame:
    """Sort settings: lowest gap; on equal gaps most seeds completed, fewest evaluations to the target, the setting's text."""
    lost = settings["seeds"] - settings["completed"]
    order = ["gap", "lost", "evaluations_to_target", "setting", "setting_id"]
    return settings.assign(lost=lost).sort_values(order, kind="stable").drop(columns="lost")


def reported(entries: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that are compared: of a tuned sweep those on the evaluation seeds, else those of each optimizer's best setting."""
    if (entries["role"] != "grid").any():
        return entries[entries["role"] == "evaluation"].drop_duplicates(["name", "run_id"])
    best = best_first(settings).drop_duplicates(["task", "optimizer"])
    return entries[(entries["setting_id"] + entries["name"]).isin(best["setting_id"] + best["optimizer"])]


def competitors(entries: pd.DataFrame, settings: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: its chosen setting, and what its search was.

    completed: of `seeds`; diverged, failed, runs: over all its runs; settings, lrs, trials: of the search; edge: lowest or highest if the chosen lr
    lies in the outer tenth (in log) of its final box, or at that end of a grid of three lrs or more; else empty, and if nothing completed.
    """
    rows = chosen.drop(columns=LOST)
    for frame in (_over_runs(entries), _over_settings(settings), _boxes(entries)):
        rows = rows.merge(frame, on=["task", "optimizer"], how="left")
    return rows.assign(edge=_edges(rows), trials=rows["settings"])


def ranking(
    competitors: pd.DataFrame, pairs: pd.DataFrame, leaders: pd.Series, own: pd.DataFrame
) -> pd.DataFrame:
    """Return a row a task and optimizer at its chosen setting, best first: by rank, gap, evaluations to the target, name.

    rank: 1 + the number of optimizers shown better; one that lost a seed has none and stands last, the most completed first. leader: whom the tuning
    seeds chose, or who stands first. first: the leader and who is not shown worse than it. ratio, ratio_low, ratio_high: gap over the leader's gap,
    paired geometric mean with a 95 % interval where the t test holds, 1 for tied runs; at_least: a bound of it where only the sign test holds; p:
    against the leader, after Holm.

    competitors, pairs: as the functions of these names give; leaders: task -> optimizer; own: default_gap, gain, tolerance, tolerance_open.
    """
    rows = _ordered(competitors.merge(own, on=["task", "optimizer"], how="left"), pairs)
    ranked = rows.dropna(subset="rank").drop_duplicates("task").set_index("task")["optimizer"]
    leaders = leaders.combine_first(ranked)
    rows["leader"] = rows["task"].map(leaders) == rows["optimizer"]
    rows = rows.merge(_against_leader(pairs, leaders), on=["task", "optimizer"], how="left")
    rows["ratio"] = rows["ratio"].mask(rows["leader"] & np.isfinite(rows["gap"]), 1.0)
    rows["first"] = rows["rank"].notna() & ~rows["shown_worse"].isin([True])
    return rows[RANKING]


def _ordered(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their rank, task by task, best first."""
    keys = pd.MultiIndex.from_frame(rows[["task", "optimizer"]])
    rank = pd.Series(
        1 + _beaten(pairs).reindex(keys, fill_value=0).to_numpy(), index=rows.index, dtype="Int64"
    ).where(np.isfinite(rows["gap"]))
    rows = rows.assign(rank=rank, place=pd.factorize(rows["task"])[0], lost=rows["seeds"] - rows["completed"])
    order = ["place", "rank", "gap", "lost", "evaluations_to_target", "optimizer"]
    return rows.sort_values(order, kind="stable", ignore_index=True)


RANKING = [
    "task",
    "rank",
    "optimizer",
    "setting",
    "edge",
    "gap",
    "spread",
    "relative_gap",
    "evaluations_to_target",
    "hits",
    "seeds",
    "completed",
]
RANKING += [
    "diverged",
    "failed",
    "runs",
    "median",
    "q25",
    "q75",
    "iqm",
    "at_floor",
    "test_loss",
    "lr",
    "settings",
    "lrs",
    "trials",
    "setting_id",
]
RANKING += [
    "evaluations",
    "steps_to_target",
    "leader",
    "first",
    "ratio",
    "ratio_low",
    "ratio_high",
    "at_least",
    "p",
]
RANKING += ["default_gap", "gain", "tolerance", "tolerance_open"]


def failures(entries: pd.DataFrame) -> pd.DataFrame:
    """Return what went wrong, a row a task, optimizer and status.

    reason: the most frequent first; runs: how many; first_bad_step: the earliest; last_finite_loss: the largest; settings: at which, as a text.
    """
    wrong = entries[entries["status"] != "completed"].drop_duplicates(["name", "run_id"])
    reason = (
        wrong["reason"].astype(object).fillna("").str.replace(r" at step \d+", "", regex=True)
    )  # the step has its own column
    groups = wrong.assign(reason=reason).groupby(["task", "name", "status"], sort=False)
    rows = groups.agg(
        reason=("reason", _reasons),
        runs=("run_id", "size"),
        first_bad_step=("first_bad_step", "min"),
        last_finite_loss=("last_finite_loss", "max"),
        settings=("setting", _tried),
    )
    return rows.reset_index().rename(columns={"name": "optimizer"})


def _over_runs(entries: pd.DataFrame) -> pd.DataFrame:
    """Count how an optimizer's runs ended, each once whatever its roles."""
    runs = entries[["task", "name", "run_id", "status"]].drop_duplicates(["name", "run_id"])
    ended = {status: runs["status"] == status for status in LOST}
    counts = runs.assign(**ended, runs=True).groupby(["task", "name"], sort=False)[[*LOST, "runs"]].sum()
    return counts.rename_axis(["task", "optimizer"]).reset_index()


def _over_settings(settings: pd.DataFrame) -> pd.DataFrame:
    counts = settings.groupby(["task", "optimizer"])["lr"].agg(
        settings="size", lrs="nunique", lowest="min", highest="max"
    )
    return counts.reset_index()


def _boxes(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the final box of each optimizer's lr: what all its trials were drawn from."""
    trials = entries[entries["role"] == "trial"]
    boxes = trials.groupby(["task", "name"]).agg(lr_low=("lr_low", "min"), lr_high=("lr_high", "max"))
    return boxes.rename_axis(["task", "optimizer"]).reset_index()


def _edges(rows: pd.DataFrame) -> np.ndarray:
    """Say at which edge of its search the chosen lr lies; a box decides where there is one, else the grid."""
    place = np.log(rows["lr"] / rows["lr_low"]) / np.log(rows["lr_high"] / rows["lr_low"])
    boxed, edgeless = rows["lr_low"].notna(), (rows["lrs"] < SMALLEST_GRID_WITH_EDGES) & rows["lr_low"].isna()
    lowest = (place < OUTER).where(boxed, rows["lr"] == rows["lowest"])
    highest = (place > 1 - OUTER).where(boxed, rows["lr"] == rows["highest"])
    return np.select([edgeless | (rows["completed"] == 0), lowest, highest], ["", "lowest", "highest"], "")


def _against_leader(pairs: pd.DataFrame, leaders: pd.Series) -> pd.DataFrame:
    """Return of each other optimizer what its pair with the leader says: ratio, ratio_low, ratio_high, at_least, p, shown_worse."""
    leader = pairs["task"].map(leaders)
    rows = oriented(pairs, pairs["b"] == leader)
    rows = rows[rows["a"] == leader]
    tied = rows["test"].isin(["identical", "floor"])
    return pd.DataFrame(
        {
            **{
                "task": rows["task"],
                "optimizer": rows["b"],
                "ratio": rows["ratio"].mask(tied, 1.0),
                "ratio_low": rows["low"],
                "ratio_high": rows["high"],
            },
            **{"at_least": rows["at_least"], "p": rows["p_holm"], "shown_worse": rows["better"] == rows["a"]},
        }
    )


def _beaten(pairs: pd.DataFrame) -> pd.Series:
    """Count for each (task, optimizer) who is shown better."""
    shown = pairs[pairs["better"] != ""]
    worse = pd.DataFrame(
        {"task": shown["task"], "optimizer": np.where(shown["better"] == shown["a"], shown["b"], shown["a"])}
    )
    return worse.groupby(["task", "optimizer"]).size()


def _reasons(reasons: pd.Series) -> str:
    """Write the reasons, the most frequent first."""
    return "; ".join(reasons[reasons != ""].value_counts().index)


def _tried(texts: pd.Series) -> str:
    """Write settings and the seeds of each; where only the learning rate varies, from which to which it goes: "lr 0.069 to 100, 14 rates"."""
    counts = texts.value_counts(sort=False)
    rates = counts.index.str.extract(r"(?:^| )lr=(\S+)")[0].astype(float)
    others = counts.index.str.replace(r"(^| )lr=\S+", "", regex=True).str.strip()
    if len(counts) > 2 and rates.notna().all() and others.nunique() == 1:
        ends = " to ".join(map(setting_value, (rates.min(), rates.max())))
        return f"lr {ends}, {counted(len(counts), 'rate')}{', ' * bool(others[0])}{others[0]}"
    return listed([f"{text} ({counted(count, 'seed')})".lstrip() for text, count in counts.items()], most=4)
