"""Recompute every number of a stored sweep's settings, ranking, pairs and overview from its files.

It knows the files and the rule, and nothing of lrbench: pandas, scipy, and of rule.py the exact rank sums and
the number of starts. `python tests/recompute.py results/<sweep>` prints the tables.

A task is named by problem_id, steps, batch_size, batch_order and init, one a line.
"""

import json
import math
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rule
from scipy import stats

TASK = ["problem_id", "steps", "batch_size", "batch_order", "init"]
WHO = ["task", "optimizer"]
TARGETS = [f"cost_1e-{k}" for k in range(1, 9)]
LOST = 1e3  # the score of a lost run in a mean


# ---- the files


def read(root: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Return a row a run and role, a row a problem, and how settings are chosen."""
    parts = [pd.read_parquet(path) for path in sorted((root / "runs").glob("*.parquet"))]
    # pandas would warn of columns without any value
    filled = [part.dropna(axis=1, how="all") for part in parts]
    runs = pd.concat(filled, ignore_index=True).drop_duplicates("run_id")
    for column in ["cost_target", *TARGETS, "final_test_loss", "optimizer.lr", "batch_size"]:
        runs[column] = runs[column].astype(float) if column in runs else np.nan
    problems = pd.read_parquet(root / "problems.parquet").astype({"scale": float})
    runs = runs.merge(problems[["problem_id", "scale", "gap_floor"]], on="problem_id")
    runs["task"] = task_names(runs)
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    if (root / "roles.parquet").is_file():
        roles = pd.read_parquet(root / "roles.parquet")
        runs = runs.drop(columns="optimizer").merge(roles, on="run_id")
    else:
        runs = runs.assign(role="grid", trial=np.nan)
    return worth(with_beyond(runs, root)), problems, manifest["tune"] or {"rise": 100.0}


def task_names(rows: pd.DataFrame) -> pd.Series:
    cells = rows[TASK].assign(batch_size=rows["batch_size"].astype(float).fillna(0))
    return cells.astype(str).agg("\n".join, axis=1)


def with_beyond(runs: pd.DataFrame, root: Path) -> pd.DataFrame:
    path = root / "beyond.parquet"
    if not path.is_file():
        return runs.assign(beyond=np.nan)
    return runs.merge(pd.read_parquet(path), on="run_id", how="left")


def worth(runs: pd.DataFrame) -> pd.DataFrame:
    """Add what runs are worth: level and cost, and whether they are lost, arrive, leave again."""
    runs["gap"] = runs[["level", "gap_floor"]].max(axis=1)
    runs["lost"] = runs["status"] != "completed"
    target = (runs["relative_target"] * runs["scale"]).fillna(0.0)
    runs["goal"] = np.maximum(np.maximum(target, runs["gap_floor"]), np.finfo(float).tiny)
    runs["arrived"] = ~runs["lost"] & (runs["gap"] <= runs["goal"])
    runs["cost"] = runs["cost_target"].where(runs["arrived"], runs["budget"])
    own = np.where(runs["arrived"], np.log(runs["cost"] / runs["budget"]), np.log(runs["gap"] / runs["goal"]))
    runs["score"] = np.where(runs["lost"], np.inf, own)
    runs["left"] = runs["arrived"] & (runs["beyond"] > 2 * runs["goal"])
    return runs


# ---- settings


def quantile(x: np.ndarray, q: float) -> float:
    x, at = np.sort(x), q * (len(x) - 1)
    low, high = x[math.floor(at)], x[math.ceil(at)]
    return math.inf if np.isinf(high) else low + (at - math.floor(at)) * (high - low)


def gmean(x: np.ndarray) -> float:
    if len(x) == 0:
        return math.nan
    return math.inf if np.isinf(x).any() else float(stats.gmean(x))


def spread(x: np.ndarray) -> float:
    if len(x) < 2:
        return math.nan
    return math.exp(np.log(x).std(ddof=1)) if np.isfinite(x).all() and (x > 0).all() else math.inf


def setting(runs: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of one setting over its seeds."""
    kept, gap, n = runs[~runs["lost"]], runs["gap"].to_numpy(), len(runs)
    hits = np.sort(runs["cost_target"].where(runs["arrived"], np.inf))
    level, scale = gmean(kept["gap"].to_numpy()), runs["scale"].iloc[0]
    status = runs["status"].value_counts()
    numbers = {
        "lr": runs["optimizer.lr"].iloc[0],
        "seeds": n,
        "score": kept["score"].mean() if len(kept) else math.inf,
        "lost": n - len(kept),
        "arrived": runs["arrived"].sum(),
        "cost": gmean(runs.loc[runs["arrived"], "cost"].to_numpy()),
        "level": level,
        "rise": runs["rise"].max(),
        "gap": gmean(gap),
        "spread": spread(gap),
        "median": quantile(gap, 0.5),
        "q25": quantile(gap, 0.25),
        "q75": quantile(gap, 0.75),
        "iqm": np.repeat(np.sort(gap), 4)[n : 3 * n].mean(),
        "relative_gap": gmean(gap) / scale,
        "relative_level": level / scale,
        "evaluations_to_target": hits[(n - 1) // 2],
        "evaluations": quantile(runs["evaluations"].to_numpy(), 0.5),
        "steps_taken": quantile(runs["steps_taken"].to_numpy(float), 0.5),
        "at_floor": (gap <= runs["gap_floor"]).all(),
        "trial": runs["trial"].min(),
    }
    has_test = runs["final_test_loss"].notna().any()
    test = runs["final_test_loss"].fillna(np.inf).to_numpy()
    numbers["test_loss"] = quantile(test, 0.5) if has_test else math.nan
    return numbers | {name: status.get(name, 0) for name in ("completed", "diverged", "failed")}


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    once = runs.drop_duplicates(["optimizer", "run_id"])
    keys = [*WHO, "setting_id"]
    rows = [dict(zip(keys, key, strict=True)) | setting(own) for key, own in once.groupby(keys)]
    return pd.DataFrame(rows)


def hopeless(rows: pd.DataFrame, limit: float | None) -> pd.Series:
    """Say which settings lose every seed, or rise too high to be chosen."""
    return (rows["lost"] == rows["seeds"]) | (rows["rise"] > (math.inf if limit is None else limit))


def best_first(rows: pd.DataFrame, limit: float | None) -> pd.DataFrame:
    bad = hopeless(rows, limit)
    keys = rows.assign(bad=bad, by_lost=rows["lost"].where(~bad, 0), by_score=rows["score"].where(~bad, 0.0))
    return rows.loc[keys.sort_values(["bad", "by_lost", "by_score", "lr", "setting_id"]).index]


def works(rows: pd.DataFrame, limit: float | None) -> dict[str, float]:
    """Return the rates around the best one of an optimizer that work."""
    at = best_first(rows[rows["lr"] > 0], limit).drop_duplicates("lr")
    if not len(at):
        return {}
    best, arrives = at.iloc[0], np.isfinite(at["evaluations_to_target"])
    good = (at["lost"] == 0) & ~hopeless(at, limit) & (at["score"] <= best["score"] + math.log(2))
    good = (good & (arrives == arrives.iloc[0])).set_axis(at["lr"]).sort_index()
    if not good[best["lr"]]:
        return {"tolerance_open": False}
    stretch = (good != good.shift()).cumsum()
    rates = good.index[stretch == stretch[best["lr"]]]
    low, high = rates.min(), rates.max()
    is_open = low == good.index.min() or high == good.index.max()
    ends = {"works_low": low, "works_high": high}
    return ends | {"tolerance": math.log10(high / low), "tolerance_open": is_open}


# ---- pairs


def pair(a: pd.DataFrame, b: pd.DataFrame, family: int) -> dict[str, Any]:
    """Return what two optimizers say, a row a seed each, in order; ratios are b over a."""
    kept = ~pd.Series(list(zip(a["fingerprint"], b["fingerprint"], strict=True))).duplicated().to_numpy()
    a, b = a[kept], b[kept]
    both, n = pd.concat([a, b]), len(a)
    x = np.array([0.0 if p == q else q - p for p, q in zip(a["score"], b["score"], strict=True)])
    wins, losses = int((x > rule.LOG_MARGIN).sum()), int((x < -rule.LOG_MARGIN).sum())
    found = {"n": n, "wins": wins, "losses": losses, "side": 0, "few": False}
    if both["lost"].all():
        return found | {"test": "lost"}
    if (a["fingerprint"].to_numpy() == b["fingerprint"].to_numpy()).all():
        return found | {"test": "same"}
    if n == 1:
        return found | {"test": "none"}
    if both["arrived"].all() or not (both["arrived"] | both["lost"]).any():
        return found | by_size(a, b, x)
    if n >= 10 and family * 2.0 ** (1 - n) < 0.05:
        return found | by_signs(x, wins, losses)
    return found | by_ranks(a["score"].to_numpy(), b["score"].to_numpy())


def by_size(a: pd.DataFrame, b: pd.DataFrame, x: np.ndarray) -> dict[str, Any]:
    mean, error, nu = x.mean(), stats.sem(x), len(x) - 1
    half = stats.t.ppf(0.975, nu) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        t, beyond = np.nan_to_num(mean / error, nan=0.0), (abs(mean) - rule.LOG_MARGIN) / error
    arrived = bool(a["arrived"].all())
    apart = abs((b["cost"].to_numpy() - a["cost"].to_numpy()).mean())
    step = max(a["evaluations_per_step"].max(), b["evaluations_per_step"].max())
    return {
        "test": "t",
        "unit": "evaluations" if arrived else "gap",
        "ratio": math.exp(mean),
        "low": math.exp(mean - half),
        "high": math.exp(mean + half),
        "p": 2 * stats.t.sf(abs(t), nu),
        "beyond": stats.t.sf(beyond, nu),
        "error": error,
        "few": arrived and apart < 2 * step - 1e-9,
        "side": int(np.sign(mean)),
    }


def by_signs(x: np.ndarray, wins: int, losses: int) -> dict[str, Any]:
    ahead, behind = int((x > 0).sum()), int((x < 0).sum())
    side = int(np.sign(ahead - behind))
    return {"test": "sign", "p": sign_p(ahead, behind), "beyond": sign_p(wins, losses), "side": side}


def sign_p(ahead: int, behind: int) -> float:
    return stats.binomtest(ahead, ahead + behind).pvalue if ahead + behind else 1.0


def by_ranks(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    ahead, behind = rule.rank_tail(a, b), rule.rank_tail(b, a)
    p = min(1.0, 2 * min(ahead, behind))
    beyond = min(rule.rank_tail(a + rule.LOG_MARGIN, b), rule.rank_tail(b + rule.LOG_MARGIN, a))
    side = 1 if ahead <= behind else -1
    return {"test": "ranks", "p": p, "beyond": min(1.0, 2 * beyond), "side": side}


def as_pair(found: dict[str, Any]) -> rule.Pair:
    """Return a pair as the rule has it, for its word and for the starts that it takes."""
    names = ["test", "n", "wins", "losses", "unit", "ratio", "low", "high", "p", "beyond", "error", "side"]
    known = {name: found[name] for name in names if name in found}
    return rule.Pair(**known, few_steps=found["few"])


def pairs_of(runs: dict[str, pd.DataFrame], leader: str | None) -> pd.DataFrame:
    """Return a row a pair of a task's optimizers, a before b by name; leader: if other seeds chose it."""
    named = list(combinations(sorted(runs), 2))
    family = ["all" if leader is None else "leader" if leader in both else "rest" for both in named]
    rows = []
    for (a, b), own in zip(named, family, strict=True):
        size = family.count(own)
        scores = [np.minimum(runs[who]["score"].to_numpy(), 1e9) for who in (b, a)]
        share = stats.mannwhitneyu(*scores).statistic / len(scores[0]) ** 2
        names = {"a": a, "b": b, "family": own, "size": size, "improvement": share}
        rows.append(names | EMPTY | pair(runs[a], runs[b], size))
    for name in set(family):
        members = [row for row in rows if row["family"] == name]
        for p in ("p", "beyond"):
            adjusted = rule.holm([row[p] for row in members])
            for row, number in zip(members, adjusted, strict=True):
                row[f"{p}_holm"] = number
    for row in rows:
        tested = rule.word(as_pair(row), row["p_holm"], row["beyond_holm"], row["size"])
        passing, lost = [[judged(runs[row[side]]) for side in "ab"] for judged in (passes, all_lost)]
        row["word"], row["side"] = rule.behind_who_stays(tested, passing, lost)
        row["starts"] = starts(row)
    return pd.DataFrame(rows)


def passes(runs: pd.DataFrame) -> bool:
    return bool(2 * runs["left"].sum() > runs["arrived"].sum())


def all_lost(runs: pd.DataFrame) -> bool:
    return bool(runs["lost"].all())


EMPTY = dict.fromkeys(["ratio", "low", "high", "p", "beyond", "error"], np.nan) | {"unit": None}


def starts(row: dict[str, Any]) -> float:
    if row["word"] not in (rule.OPEN, rule.UNTOLD) or row["test"] in ("none", "same", "lost"):
        return math.nan
    return rule.starts_needed(as_pair(row), row["size"]) or math.nan


# ---- a task


def judge(runs: pd.DataFrame, scores: dict[str, float] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row an optimizer of a task, and a row a pair."""
    seeds = runs.groupby("seed")["optimizer"].nunique()
    shared = runs[runs["seed"].isin(seeds.index[seeds == runs["optimizer"].nunique()])].sort_values("seed")
    own = {str(who): rows for who, rows in shared.groupby("optimizer")}
    order = {who: rows["score"].clip(upper=LOST).mean() for who, rows in own.items()}
    lost = {who: all_lost(rows) for who, rows in own.items()}
    passing = {who: passes(rows) for who, rows in own.items()}
    by = order if scores is None else scores
    leader = min(own, key=lambda who: (lost[who], passing[who], by[who], who))
    pairs = pairs_of(own, None if scores is None else leader)
    costs = {who: stats.gmean(rows[TARGETS].fillna(rows["budget"].iloc[0])) for who, rows in own.items()}
    rows = []
    for who in own:
        row = {"optimizer": who, "order": order[who], "passes": passing[who], "area": stats.gmean(costs[who])}
        row |= against(pairs, leader, who, lost)
        ahead = [seen_by(pairs, other, who)["side"] == 1 for other in own if other != who]
        row["rank"] = math.nan if lost[who] else 1 + sum(ahead)
        row["crossing"] = crossing(row, costs[leader], costs[who], runs)
        rows.append(row)
    return pd.DataFrame(rows), pairs


def against(pairs: pd.DataFrame, leader: str, who: str, lost: dict[str, bool]) -> dict[str, Any]:
    """Return what is said of an optimizer against the leader, as the leader sees it."""
    if who == leader:
        leads = not lost[who]
        ratio = 1.0 if leads else math.nan
        return {
            "leader": leads,
            "first": leads,
            "word": "",
            "side": 0,
            "ratio": ratio,
            "wins": 0,
            "losses": 0,
        }
    seen = seen_by(pairs, leader, who)
    word, side = seen["word"], seen["side"]
    first = word in (rule.AS_GOOD, rule.SAME) and not lost[who]
    ends = {"ratio_low": seen["low"], "ratio_high": seen["high"], "p": seen["p_holm"]}
    said = {"leader": False, "first": first, "word": word, "side": side}
    return said | ends | {name: seen[name] for name in ("unit", "ratio", "wins", "losses", "starts")}


def seen_by(pairs: pd.DataFrame, a: str, b: str) -> dict[str, Any]:
    """Return the pair of two optimizers, whichever is named first, as a sees it."""
    (row,) = pairs[pairs[["a", "b"]].isin([a, b]).all(axis=1)].to_dict("records")
    return row if row["a"] == a else turned(row)


def turned(row: dict[str, Any]) -> dict[str, Any]:
    """Return a pair as b sees it."""
    back = {"a": row["b"], "b": row["a"], "side": -row["side"], "wins": row["losses"], "losses": row["wins"]}
    back |= {"ratio": 1 / row["ratio"], "low": 1 / row["high"], "high": 1 / row["low"]}
    return row | back | {"improvement": 1 - row["improvement"]}


def crossing(row: dict[str, Any], leader: np.ndarray, own: np.ndarray, runs: pd.DataFrame) -> float:
    """Return the nearest other target at which an optimizer is ahead, if the mean over all favours it."""
    goal, scale = runs["goal"].iloc[0], runs["scale"].iloc[0]
    behind = row["side"] < 0 or (row["word"], row["side"]) == (rule.CLEAR, 1) or row["word"] == rule.PASSES
    if row["word"] == "" or behind or not stats.gmean(own) * rule.MARGIN < stats.gmean(leader):
        return math.nan
    ahead = [t for t, a, b in zip(rule.TARGETS, leader, own, strict=True) if b < a]
    off = {t: abs(math.log(t * scale / goal)) for t in ahead}
    return min((t for t in off if off[t] > 0.1), key=lambda t: round(off[t], 6), default=math.nan)


# ---- all of it


def recompute(root: Path) -> dict[str, pd.DataFrame]:
    """Return settings, ranking, pairwise, overall and one_for_all: what is a number or a word of the rule."""
    runs, problems, tune = read(root)
    tuned = (runs["role"] != "grid").any()
    searched = runs[runs["role"].isin(["grid", "trial"])]
    found = settings(searched)
    if tuned:
        compared = runs[runs["role"] == "evaluation"].drop_duplicates(["optimizer", "run_id"])
    else:
        best = best_first(found, tune["rise"]).drop_duplicates(WHO)
        compared = searched.merge(best[["optimizer", "setting_id"]])
    standing, pairs = [], []
    for task, own in compared.groupby("task"):
        scores = search_scores(own, searched) if tuned else None
        for rows, table in zip(judge(own, scores), (standing, pairs), strict=True):
            table.append(rows.assign(task=task))
    ranking = beside(settings(compared).merge(pd.concat(standing), on=WHO), runs, found, tune)
    ids = runs.drop_duplicates("task").set_index("task")["problem_id"]
    return {
        "settings": found,
        "ranking": ranking,
        "pairwise": pd.concat([in_order(rows, ranking) for rows in pairs]),
        "overall": overall(ranking, ids, problems.set_index("problem_id")),
        "one_for_all": one_for_all(runs, tune["rise"]),
    }


def search_scores(compared: pd.DataFrame, searched: pd.DataFrame) -> dict[str, float]:
    trials = searched.merge(compared[["optimizer", "setting_id"]].drop_duplicates())
    once = trials.drop_duplicates(["optimizer", "run_id"])
    means = once["score"].clip(upper=LOST).groupby(once["optimizer"]).mean()
    return {str(who): float(score) for who, score in means.items()}


def beside(ranking: pd.DataFrame, runs: pd.DataFrame, found: pd.DataFrame, tune: dict) -> pd.DataFrame:
    """Add what an optimizer's whole search was, and what its default came to."""
    rows = []
    for row in ranking.to_dict("records"):
        own = runs[(runs["task"] == row["task"]) & (runs["optimizer"] == row["optimizer"])]
        tried = found[(found["task"] == row["task"]) & (found["optimizer"] == row["optimizer"])]
        status = own.drop_duplicates("run_id")["status"]
        counts = {name: (status == name).sum() for name in ("diverged", "failed")} | {"runs": len(status)}
        counts |= {"settings": len(tried), "trials": len(tried), "lrs": tried["lr"].nunique()}
        default = own[own["role"] == "default"]
        gains = {}
        if len(default):
            tuned = own[own["role"] == "evaluation"]
            both = sorted(set(tuned["seed"]) & set(default["seed"]))
            sides = [rows.set_index("seed").loc[both] for rows in (tuned, default)]
            gain = pair(*sides, family=1).get("ratio", math.nan)
            gains = {"default_gap": gmean(default["gap"].to_numpy()), "gain": gain}
        rows.append(row | counts | gains | works(tried, tune["rise"]))
    return pd.DataFrame(rows)


def in_order(pairs: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of a task with a ranked before b."""
    if not len(pairs):
        return pairs
    own = ranking[ranking["task"] == pairs["task"].iloc[0]]
    best_first = own.assign(behind=~own["leader"]).sort_values(["rank", "behind", "order", "optimizer"])
    place = best_first["optimizer"].tolist()
    rows = []
    for row in pairs.to_dict("records"):
        rows.append(row if place.index(row["a"]) < place.index(row["b"]) else turned(row))
    return pd.DataFrame(rows)


def overall(ranking: pd.DataFrame, ids: pd.Series, problems: pd.DataFrame) -> pd.DataFrame:
    """Return a row an optimizer over two tasks or more; ids: of their problems."""
    if ranking["task"].nunique() < 2:
        return pd.DataFrame()
    block = ids.map(problems["problem"] + problems["settings"] + problems["loss"])
    scores = ranking.pivot(index="task", columns="optimizer", values="order").dropna(axis=1)
    blocks = scores.groupby(block.reindex(scores.index)).mean()
    ranks = blocks.rank(axis=1).mean() if min(blocks.shape) > 1 else pd.Series(dtype=float)
    counted = ranking.assign(
        solved=np.isfinite(ranking["evaluations_to_target"]), any_lost=ranking["lost"] > 0
    )
    groups = counted.groupby("optimizer")
    sums = groups[["first", "solved", "any_lost"]].sum().set_axis(["led", "solved", "lost"], axis=1)
    counts = sums.assign(tasks=groups.size())
    return counts.assign(mean_rank=ranks.reindex(counts.index)).reset_index()


def one_for_all(runs: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return a row an optimizer over two tasks or more: its rate for all; nothing but rates may differ."""
    if runs["task"].nunique() < 2:
        return pd.DataFrame()
    runs = runs.assign(lr=runs["optimizer.lr"], low=runs["score"].clip(upper=LOST))
    searched = runs[runs["role"].isin(["grid", "trial"])].drop_duplicates(["optimizer", "run_id"])
    columns = {"cost": gmean, "low": "mean", "arrived": "mean", "rise": "max"}
    means = searched.groupby(["optimizer", "lr", "task"]).agg(columns).reset_index()
    means["cost"] = means["cost"].where(means["rise"] <= limit)
    means["ratio"] = means["cost"] / means.groupby("task")["cost"].transform("min")
    rows = []
    for (who, lr), own in means.groupby(["optimizer", "lr"]):
        own_runs = runs[(runs["optimizer"] == who) & (runs["lr"] == lr)].drop_duplicates("run_id")
        if set(own["task"]) == set(runs["task"]) and own["ratio"].notna().all():
            row = {"optimizer": who, "lr": lr, "ratio": own["ratio"].max(), "score": own["low"].mean()}
            row |= {"solved": (own["arrived"] >= 0.5).sum(), "tasks": len(own)}
            rows.append(row | own_runs[["lost", "left"]].sum().to_dict())
    table = pd.DataFrame(rows)
    table["unsafe"] = table["lost"] + table["left"] > 0
    return table.sort_values(["unsafe", "ratio", "score", "lr"]).drop_duplicates("optimizer")


if __name__ == "__main__":
    for title, rows in recompute(Path(sys.argv[1])).items():
        print(f"\n{title}\n{rows.to_string()}")
