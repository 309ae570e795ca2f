"""What holds over all problems and tasks: pairs over the problems, what each optimizer does everywhere, who
leads where.

One row of `across`: a "adam", b "sgd", problems 8, wins 8, losses 0, p 0.008, p_holm 0.02, better "adam",
rank_a 1.4, rank_b 2.9. Of `overall`: optimizer "adam", mean_rank 1.4, tasks 8, led 6, solved 7, lost 0. Of
`one_for_all`: optimizer "adam", setting "lr=0.1", lr 0.1, ratio 2.3, worst "diabetes", solved 7, lost 0,
left 0, tasks 8.
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.statistics import LOST_SCORE, RISE, friedman_ranks, over_problems, worst_ratios
from lrbench.results.tables.entries import RUN, SETTING
from lrbench.results.tables.settings import highest

PROBLEM = ["problem", "settings", "loss"]  # what makes a block: data and loss
ANYWHERE = ["optimizer", "setting"]  # one setting of one competitor, whatever the task
SAFE_FIRST = ["unsafe", "ratio", "score", "lr", "optimizer"]


def across(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a pair of the optimizers that ran on all of two problems or more; empty else.

    The block is the problem, data and loss: other budgets, batches, starts or dtypes are no other evidence,
    so the scores of its tasks are averaged first. Wilcoxon's exact test stands from six problems on.
    """
    scores = ranking.pivot(index="task", columns="optimizer", values="order").dropna(axis=1)
    block = _problems(tasks).reindex(scores.index).to_numpy()
    of_problems = scores.groupby(block).mean()  # (P, k)
    if min(of_problems.shape) < 2:
        return typed([], "across")
    ranks = pd.Series(friedman_ranks(of_problems.to_numpy()), of_problems.columns)
    names = ranks.sort_values(kind="stable").index
    found = over_problems(of_problems[names].to_numpy())
    a, b = names.to_numpy()[found.a], names.to_numpy()[found.b]
    columns = {
        "a": a,
        "b": b,
        "problems": len(of_problems),
        "wins": found.wins,
        "losses": found.losses,
        "p": found.p,
        "p_holm": found.p_holm,
        "better": np.select([found.side > 0, found.side < 0], [a, b], ""),
        "rank_a": found.mean_rank[found.a],
        "rank_b": found.mean_rank[found.b],
    }
    return typed([pd.DataFrame(columns)], "across")


def _problems(tasks: pd.DataFrame) -> pd.Series:
    """Return the problem of each task, by its label."""
    return tasks.set_index("task")[PROBLEM].agg("\n".join, axis=1)


def mean_ranks(across: pd.DataFrame) -> pd.Series:
    """Return the mean rank of each optimizer of `across`, lowest first."""
    of_a = dict(zip(across["a"], across["rank_a"], strict=True))
    of_b = dict(zip(across["b"], across["rank_b"], strict=True))
    return pd.Series(of_a | of_b, dtype=float).sort_values(kind="stable")


def not_separated(across: pd.DataFrame) -> list[list[str]]:
    """Return the longest stretches of optimizers, in order of mean rank, of which no two are shown different
    (Demšar, 2006).
    """
    names = mean_ranks(across).index.tolist()
    shown = across.loc[across["better"] != "", ["a", "b"]].itertuples(index=False)
    separated = {frozenset(pair) for pair in shown}
    stretches: list[list[str]] = []
    for first in range(len(names)):
        last = first + 1
        while last < len(names) and not _any_separated(names[first:last], names[last], separated):
            last += 1
        within_the_last = stretches and names[last - 1] in stretches[-1]
        if last - first > 1 and not within_the_last:
            stretches.append(names[first:last])
    return stretches


def _any_separated(names: list[str], other: str, separated: set[frozenset]) -> bool:
    return any(frozenset((name, other)) in separated for name in names)


def overall(ranking: pd.DataFrame, across: pd.DataFrame) -> pd.DataFrame:
    """Return a row an optimizer over two tasks or more, lowest mean rank first; empty else."""
    if ranking["task"].nunique() < 2:
        return typed([], "overall")
    counted = ranking[["optimizer"]].assign(
        tasks=1,
        led=ranking["first"],
        solved=ranking["evaluations_to_target"] < np.inf,
        lost=ranking["lost"] > 0,
    )
    counts = counted.groupby("optimizer", sort=False).sum().reset_index()
    ranked = counts.assign(mean_rank=counts["optimizer"].map(mean_ranks(across)))
    ordered = ranked.sort_values(["mean_rank", "led"], ascending=[True, False], kind="stable")
    return typed([ordered], "overall")


def competence(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return who leads where: a row a task of a problem that ran at several condition numbers or budgets;
    empty else.
    """
    several = tasks.groupby("problem")[["kappa", "steps"]].transform("nunique").max(axis=1) > 1
    leading = ranking[ranking["first"]].groupby("task")
    best = leading.agg(optimizers=("optimizer", tuple), cost=("cost", "first"), gap=("gap", "first"))
    conditions = tasks[several].rename(columns={"problem": "family"}).merge(best.reset_index(), on="task")
    ordered = conditions.sort_values(["family", "kappa", "steps"], kind="stable")
    return typed([ordered], "competence")


# ---- one setting for all


def one_for_all(
    searched: pd.DataFrame, entries: pd.DataFrame, tasks: pd.DataFrame, limit: float | None = RISE
) -> pd.DataFrame:
    """Return the setting of each optimizer that does best on all tasks, the best of them first; empty where
    there is one task alone.

    Of the settings that lose no run and leave the target on none, whatever a run was for, it is that whose
    worst ratio to the best cost of a task, of any optimizer, is least; a miss costs the budget. Of equal ones
    the mean score decides. A setting counts that was tried on every task, and nowhere first rises above the
    limit. Only where an optimizer has no other is it one that loses a run or leaves the target.
    """
    if len(tasks) < 2:
        return typed([], "one_for_all")
    means = _means(searched, limit)
    log_costs = means["log_cost"].unstack("task").reindex(columns=tasks["task"])
    ratio, worst_on = worst_ratios(np.exp(log_costs.to_numpy().T))
    settings = means.groupby(ANYWHERE)
    over_tasks = settings.agg(lr=("lr", "first"), solved=("solved", "sum"), score=("score", "mean"))
    over_tasks = over_tasks.assign(ratio=ratio, worst=log_costs.columns[worst_on], tasks=len(tasks))
    runs = entries.drop_duplicates(RUN)
    failings = runs.groupby(ANYWHERE)[["lost", "left"]].sum()
    rows = over_tasks.join(failings).reset_index()
    rows["unsafe"] = (rows["lost"] > 0) | (rows["left"] > 0)
    ordered = rows.dropna(subset="ratio").sort_values(SAFE_FIRST, kind="stable")
    return typed([ordered.drop_duplicates("optimizer")], "one_for_all")


def _means(searched: pd.DataFrame, limit: float | None) -> pd.DataFrame:
    """Return a row a setting and task, over its seeds: log_cost, NaN where it first rises above the limit;
    score; solved, whether at least half of them arrive.
    """
    runs = searched.drop_duplicates(RUN)
    rise = runs.groupby(SETTING)["rise"].transform("max")
    log_cost = pd.Series(np.log(runs["cost"]), index=runs.index).where(rise <= highest(limit))
    score = runs["score"].clip(upper=LOST_SCORE)
    groups = runs.assign(log_cost=log_cost, score=score).groupby([*ANYWHERE, "task"])
    means = groups[["log_cost", "score", "arrived"]].mean()
    return means.assign(lr=groups["lr"].first(), solved=means["arrived"] >= 0.5)
