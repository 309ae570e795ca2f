"""Who ends lowest on a task: one sentence, backed by tests where seeds allow them, and by digits where there
is one run each.

"Over 10 starts of this one problem, adam (lr=0.3) ends lowest on lecture after 500 steps: geometric mean
1.2e-24; sgd is behind (31 times, 95 % interval 12 to 80)."
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lrbench.results.notation import counted, factor, listed, named, number
from lrbench.results.statistics import ALPHA, MARGIN, TESTED
from lrbench.results.tables.pairs import oriented
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import interval_stated, not_visible, stated, visible, what_varied


def best_of(ranking: pd.DataFrame) -> pd.Series | None:
    """Return the row of a task's ranking that the sentences speak of: none that lost seeds.

    The optimizer that the tuning seeds put first, unless another is shown better; else the first of the
    ranking.
    """
    whole = ranking[np.isfinite(ranking["gap"])]
    if not len(whole):
        return None
    ahead = whole[whole["leader"] & (whole["rank"] == 1)]
    return ahead.iloc[0] if len(ahead) else whole.iloc[0]


def sentence(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say who ends lowest on a task; ranking: its rows."""
    where = f"on {task['task']}"
    best = best_of(ranking)
    if ranking.empty:
        yield f"Nothing is evaluated {where} yet."
    elif not ranking["completed"].any():
        setting = " at a chosen setting" if sweep.tuned else ""
        diverged, failed, runs = ranking[["diverged", "failed", "runs"]].sum()
        yield f"No run completed {where}{setting}: {diverged} diverged and {failed} failed of {runs}."
    elif best is None:
        setting = "at its chosen setting" if sweep.tuned else "whatever the setting"
        yield f"No optimizer completed all its seeds {where}, {setting}{_field(ranking)}."
    else:
        rivals = _rivals(sweep, best)
        is_tested = rivals["test"].isin(TESTED).any()
        yield (
            _tested(sweep, task, ranking, best, rivals)
            if is_tested
            else _by_digits(task, ranking, best, rivals)
        )


def _rivals(sweep: Sweep, best: pd.Series) -> pd.DataFrame:
    """Return the pairs of an optimizer with all others in the order of the ranking: it is a, the other b.

    Ratios say by how much it is lower.
    """
    pairs = of_task(sweep.pairwise, best["task"])
    own = pairs[(pairs["a"] == best["optimizer"]) | (pairs["b"] == best["optimizer"])]
    return oriented(own, own["b"] == best["optimizer"])


# ---- without a test


def _by_digits(task: pd.Series, ranking: pd.DataFrame, best: pd.Series, rivals: pd.DataFrame) -> str:
    """Say where one run each ended, or runs that are the same: facts, no test."""
    where = task["task"]
    gap = number(best["gap"])
    context = f"after {counted(task['steps'], 'step')}, {_basis(task, best)}{_field(ranking)}."
    level = ranking[(ranking["rank"] == 1) & (ranking["gap"] == best["gap"])]
    names = listed([named(*row) for row in level[["optimizer", "setting"]].itertuples(index=False)])
    if len(level) == 1:
        lowest = f"ends on {where} at" if len(ranking) == 1 else f"ends lowest on {where}:"
        comma = ", " if best["at_floor"] else " "
        return f"{names} {lowest} gap {_gap(best)}{comma}{context}"
    if best["at_floor"]:
        return f"{names} are tied on {where}: they end at the gap floor, {gap} or less, {context}"
    if (rivals.loc[rivals["b"].isin(level["optimizer"]), "test"] == "identical").all():
        return f"{names} are identical on {where}: bit-equal runs, no test; gap {gap} {context}"
    return f"{names} end level on {where}: gap {gap} {context}"


def _basis(task: pd.Series, best: pd.Series) -> str:
    if best["seeds"] > 1:
        return f"geometric mean over {what_varied(task, best['seeds'])}"
    return "one run" if best["runs"] == 1 else "one seed"


def _field(ranking: pd.DataFrame) -> str:
    if len(ranking) > 1:
        return f"; {len(ranking)} optimizers ran"
    settings = ranking.iloc[0]["settings"]
    return f"; the best of {settings} settings" if settings > 1 else ""


def _gap(row: pd.Series) -> str:
    floor = " or less, the gap floor" if row["at_floor"] else ""
    return f"{number(row['gap'])}{floor}"


# ---- with tests


def _tested(
    sweep: Sweep, task: pd.Series, ranking: pd.DataFrame, best: pd.Series, rivals: pd.DataFrame
) -> str:
    """Say who ends lowest, from whom it cannot be told apart, and who is behind by how much."""
    clauses = [
        _lowest(sweep, task, ranking, best),
        *_chosen_elsewhere(sweep, ranking, best),
        *_lower(ranking, best),
        *_level(rivals),
        *_undecided(rivals),
        *_perhaps_within_margin(rivals, best),
        *_ahead(rivals, best),
        *_behind(rivals, best),
        *_never(ranking),
        *_family(sweep, ranking),
    ]
    return f"{'; '.join(clauses)}."


def _lowest(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame, best: pd.Series) -> str:
    scope = " of this one problem" if sweep.tasks["problem_id"].nunique() == 1 else ""
    lowest = "lowest " if best["gap"] == ranking["gap"].min() else ""
    chosen = sweep.tuned and best["leader"] and not lowest
    why = ", lowest on the tuning seeds," if chosen else ""
    over_the_last_epoch = " over the last epoch" if pd.notna(task["batch_size"]) else ""
    seeds = what_varied(task, best["seeds"])
    name = named(best["optimizer"], best["setting"])
    after = f"after {counted(task['steps'], 'step')}"
    mean = f"geometric mean {_gap(best)}{over_the_last_epoch}"
    return f"Over {seeds}{scope}, {name}{why} ends {lowest}on {task['task']} {after}: {mean}"


def _chosen_elsewhere(sweep: Sweep, ranking: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say what became of the optimizer that the tuning seeds put first, where that is not this one."""
    if sweep.tuned and not best["leader"] and ranking["leader"].any():
        leader = ranking[ranking["leader"]].iloc[0]
        fate = "lost seeds here" if np.isinf(leader["gap"]) else "is beaten here"
        yield f"{leader['optimizer']}, lowest on the tuning seeds, {fate}"


def _lower(ranking: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say whose mean is lower still without being shown better."""
    lower = ranking[ranking["gap"] < best["gap"]].sort_values("gap", kind="stable")
    if len(lower):
        first = lower.iloc[0]
        yield f"{first['optimizer']} ends lower, at {_gap(first)}, which may be chance"


def _level(rivals: pd.DataFrame) -> Iterator[str]:
    identical = list(rivals.loc[rivals["test"] == "identical", "b"])
    if identical:
        yield f"identical to {listed(identical)}: bit-equal runs, no test"
    at_floor = list(rivals.loc[rivals["test"] == "floor", "b"])
    if at_floor:
        yield f"level with {listed(at_floor)} at the gap floor"


def _undecided(rivals: pd.DataFrame) -> Iterator[str]:
    undecided = rivals[(rivals["better"] == "") & (rivals["p_holm"] >= ALPHA)]
    any_shown = (rivals["better"] != "").any()
    verdict = "not separable from" if any_shown else "no difference shown from"
    for test, pairs in undecided.groupby("test", sort=False):
        limit = not_visible(visible(pairs).max())
        if test != "t":
            limit = f"sign test, smallest {stated(pairs['p_holm'].min())}"
        yield f"{verdict} {listed(list(pairs['b']))} ({limit})"


def _perhaps_within_margin(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    """Say who differs for certain, but perhaps by less than what counts."""
    differ = rivals[(rivals["better"] == "") & (rivals["p_holm"] < ALPHA)]
    for pair in differ.head(1).to_dict("records"):
        yield f"{pair['b']} differs, but perhaps by less than {MARGIN} times ({_by(pair, best)})"


def _ahead(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    others_better = (rivals["better"] != "") & (rivals["better"] != best["optimizer"])
    ahead = list(rivals.loc[others_better, "b"])
    if ahead:
        verb = "is" if len(ahead) == 1 else "are"
        yield f"{listed(ahead)} {verb} lower in most runs, yet not in the mean"


def _behind(rivals: pd.DataFrame, best: pd.Series) -> Iterator[str]:
    behind = rivals[rivals["better"] == best["optimizer"]]
    if not len(behind):
        return
    nearest = behind.iloc[0].to_dict()
    if len(behind) == 1:
        yield f"{nearest['b']} is behind ({_by(nearest, best)})"
        return
    everybody = "both" if len(behind) == 2 else f"all {len(behind)}"
    who = everybody if len(behind) == len(rivals) else f"{len(behind)}"
    yield f"{who} others are behind (next: {nearest['b']}, {_by(nearest, best)})"


def _by(pair: dict, best: pd.Series) -> str:
    """Write by how much a is lower than b: a ratio with its interval where a t test holds.

    Else in how many runs, and at least how many times.
    """
    if pair["test"] == "t":
        distinct = f", {int(pair['n'])} distinct runs" if pair["n"] < best["seeds"] else ""
        return f"{factor(pair['ratio'])} times, {interval_stated(pair['low'], pair['high'])}{distinct}"
    if pair["test"] == "none":
        is_known = np.isfinite(pair["ratio"])
        return f"{factor(pair['ratio'])} times, one run" if is_known else "its one run did not complete"
    bound = "most of its runs did not complete"
    if np.isfinite(pair["at_least"]):
        bound = f"at least {factor(pair['at_least'])} times in half of them"
    return f"in {int(pair['wins'])} of {counted(int(pair['n']), 'run')}, {bound}"


def _never(ranking: pd.DataFrame) -> Iterator[str]:
    never = list(ranking.loc[ranking["completed"] == 0, "optimizer"])
    if never:
        yield f"{listed(never)} never completed"


def _family(sweep: Sweep, ranking: pd.DataFrame) -> Iterator[str]:
    """Say what the error rate is held over, and where settings were chosen on the same seeds."""
    if sweep.tuned:
        return
    pairs = of_task(sweep.pairwise, ranking["task"].iloc[0])
    tests = pairs["p"].notna().sum()
    if tests > 1:
        yield f"Holm over {tests} tests"
    if (ranking["settings"] > 1).any():
        yield "settings chosen on the same seeds"
