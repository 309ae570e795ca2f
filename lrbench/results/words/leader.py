"""The verdict of a task: who is better, by how much, and how sure that is.

"SGD with learning rate 0.0565 arrives in 122 gradient evaluations; better than Adam, but perhaps too little
to matter (Adam needs 1.15 times as many evaluations, 1.03 to 1.27)."
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import counted, factor, number, setting_value
from lrbench.results.statistics.pairs import MARGIN
from lrbench.results.statistics.verdicts import AS_GOOD, CLEAR, CLOSE, OPEN, PASSES, SAME, UNTOLD
from lrbench.results.tables.sweep import Sweep
from lrbench.results.tables.tasks import of_task
from lrbench.results.words.phrases import alternatives, names, stated, what_varied

BETTER_HERE, BEHIND = -1, 1  # sides of a rival against the leader


def best_of(ranking: pd.DataFrame) -> pd.Series | None:
    """Return the row of a task's ranking whose line is worth pasting: the first that lost no seed."""
    whole = ranking[ranking["lost"] == 0]
    return whole.iloc[0] if len(whole) else None


def sentence(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say who is better on a task; ranking: its rows."""
    where = f" on {task['task']}" if len(sweep.tasks) > 1 else ""
    if ranking.empty:
        yield f"Nothing is evaluated{where} yet."
    elif (ranking["lost"] == ranking["seeds"]).all():
        yield _all_lost(sweep, ranking, where)
    elif len(ranking) == 1:
        yield _alone(sweep, task, ranking.iloc[0], where)
    else:
        yield _who_is_better(sweep, task, ranking, where)


def _all_lost(sweep: Sweep, ranking: pd.DataFrame, where: str) -> str:
    setting = " at a chosen setting" if sweep.tuned else ""
    diverged, failed, runs = ranking[["diverged", "failed", "runs"]].sum()
    return f"No run completed{where}{setting}: {diverged} diverged and {failed} failed of {runs}."


def _alone(sweep: Sweep, task: pd.Series, row: pd.Series, where: str) -> str:
    best = f"; the best of {row['settings']} settings" if row["settings"] > 1 else ""
    return f"{who(row)} {_does(task, row, 'arrives')}{where}{best}."


# ---- several


def _who_is_better(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame, where: str) -> str:
    """Say who leads, and what is said of each rival against the leader."""
    leader = ranking[ranking["leader"]].iloc[0]
    rivals = ranking[~ranking["leader"]]
    clauses = [
        f"{_head(task, ranking, leader, rivals)}{where}{_scope(sweep, ranking)}",
        *_take_any(ranking, rivals),
        *_as_good_too(leader, rivals),
        *_clearly_better(leader, rivals),
        *_better(leader, rivals),
        *_did_not_carry_over(leader, rivals),
        *_not_settled(task, rivals),
        *_pass_through(rivals),
        *_turns(rivals),
        *_lost(rivals),
    ]
    return f"{'; '.join(clauses)}."


def _scope(sweep: Sweep, ranking: pd.DataFrame) -> str:
    """Say that rates were given, not tuned, where each optimizer has but one."""
    return ", at these rates" if not sweep.tuned and (ranking["settings"] == 1).all() else ""


def _head(task: pd.Series, ranking: pd.DataFrame, leader: pd.Series, rivals: pd.DataFrame) -> str:
    stays = ranking[~ranking["passes"]]
    if not stays["arrived"].any():
        return _nobody_arrives(task, ranking, leader, rivals)
    turning = rivals[rivals["crossing"].notna()]
    if len(turning):
        both = alternatives([leader["optimizer"], *turning["optimizer"]])
        return f"{both}, depending on the target: {_leads(task, leader, 'arrives')}"
    alike = _alike(rivals)
    if len(alike):
        group = alternatives([leader["optimizer"], *alike["optimizer"]], "and")
        return f"Take any of {group}: {_leads(task, leader, 'arrives')}"
    settled = (rivals["word"] == CLEAR).all() and (rivals["side"] == BEHIND).all()
    stays_alone = (rivals["word"] == PASSES).any()
    arrives = "arrives and stays" if stays_alone else "arrives first" if settled else "arrives"
    return _leads(task, leader, arrives)


def _nobody_arrives(task: pd.Series, ranking: pd.DataFrame, leader: pd.Series, rivals: pd.DataFrame) -> str:
    """Say who ends nearest, where nobody comes within the target, or nobody stays there."""
    to_stay = " to stay" if ranking["passes"].any() else ""
    nobody = f"Nobody comes within {_target(task)}{to_stay}"
    if (rivals["word"] == AS_GOOD).all():
        return f"{nobody}: all end about equally near, {_how_near(leader)}"
    alike = _alike(rivals)
    group = (
        f" Take any of {alternatives([leader['optimizer'], *alike['optimizer']], 'and')}:"
        if len(alike)
        else ""
    )
    return f"{nobody}.{group} {who(leader)} ends {_how_near(leader)}"


def _target(task: pd.Series) -> str:
    """Write the target, a relative gap: "1e-6 of the best fit"."""
    return f"{setting_value(task['relative_target'])} of the best fit"


def _leads(task: pd.Series, row: pd.Series, arrives: str) -> str:
    return f"{who(row)} {_does(task, row, arrives)}"


def who(row: pd.Series) -> str:
    """Write an optimizer with its setting: "Adam with learning rate 0.33", "Adam (lr=0.1 eps=1e-6)"."""
    name, setting = displayed(row["optimizer"]), row["setting"]
    if setting == f"lr={setting_value(row['lr'])}":
        return f"{name} with learning rate {setting_value(row['lr'])}"
    return f"{name} ({setting})" if setting else name


def _does(task: pd.Series, row: pd.Series, arrives: str) -> str:
    """Say what an optimizer does: arrives in so many evaluations, on how many starts, or how near it ends."""
    if not row["arrived"]:
        return f"ends {_how_near(row)}"
    cost = evaluations(row["cost"])
    if row["arrived"] == row["seeds"]:
        return f"{arrives} in {cost}" if arrives != "arrives first" else f"{arrives}, in {cost}"
    of_all = f"{row['arrived']} of {what_varied(task, row['seeds'])} arrive"
    return f"{arrives}: {of_all}, then in {cost}"


def evaluations(cost: float) -> str:
    """Write a cost: "122 gradient evaluations"."""
    if cost < 1:
        return "less than one gradient evaluation"
    return counted(round(cost), "gradient evaluation")


def _how_near(row: pd.Series) -> str:
    """Write a level as a share of the way: "0.3 % from the best fit"."""
    if pd.isna(row["relative_level"]):
        return f"at a gap of {number(row['level'])}"
    return f"{share(row['relative_level'])} from the best fit"


def share(relative: float) -> str:
    """Write a relative gap as a share of the way from the constant model to the best fit: "0.3 %"."""
    return f"{setting_value(float(f'{100 * relative:.2g}'))} %"


def _alike(rivals: pd.DataFrame) -> pd.DataFrame:
    return rivals[rivals["word"].isin([AS_GOOD, SAME])]


def _take_any(ranking: pd.DataFrame, rivals: pd.DataFrame) -> Iterator[str]:
    """Say that it does not matter whom to take, where nobody arrives and all end about equally near."""
    stays = ranking[~ranking["passes"]]
    if not stays["arrived"].any() and (rivals["word"] == AS_GOOD).all():
        yield "take any"


def _as_good_too(leader: pd.Series, rivals: pd.DataFrame) -> Iterator[str]:
    """Name those as good, where the head names those to which the order turns instead."""
    alike = _alike(rivals)
    rest = alike[alike["crossing"].isna()]
    if rivals["crossing"].notna().any() and len(rest):
        verb = "is" if len(rest) == 1 else "are"
        yield f"{names(list(rest['optimizer']))} {verb} as good as {displayed(leader['optimizer'])}"


def _said(rivals: pd.DataFrame, word: str, side: int) -> pd.DataFrame:
    return rivals[(rivals["word"] == word) & (rivals["side"] == side)]


def _clearly_better(leader: pd.Series, rivals: pd.DataFrame) -> Iterator[str]:
    behind = _said(rivals, CLEAR, BEHIND)
    if len(behind):
        whom = names(list(behind["optimizer"]))
        if len(behind) == len(rivals) > 3:
            whom = f"all {len(behind)} others"
        yield f"clearly better than {whom}{_nearest(leader, behind)}"


def _better(leader: pd.Series, rivals: pd.DataFrame) -> Iterator[str]:
    close = _said(rivals, CLOSE, BEHIND)
    if len(close):
        whom = names(list(close["optimizer"]))
        yield f"better than {whom}, but perhaps too little to matter{_nearest(leader, close)}"


def _did_not_carry_over(leader: pd.Series, rivals: pd.DataFrame) -> Iterator[str]:
    """Say who is shown better on the seeds that are compared than the leader that other seeds chose."""
    ahead = rivals[rivals["word"].isin([CLEAR, CLOSE]) & (rivals["side"] == BETTER_HERE)]
    if len(ahead):
        verb = "is" if len(ahead) == 1 else "are"
        whom = names(list(ahead["optimizer"]))
        why = f"the choice did not carry over{_nearest(leader, ahead)}"
        yield f"but {whom} {verb} better on these starts: {why}"


def _nearest(leader: pd.Series, rows: pd.DataFrame) -> str:
    """Write by how much the nearest of some rivals differs, with its interval; empty without a ratio."""
    measured = rows[rows["unit"].notna()]
    if not len(measured):
        return ""
    distance = np.abs(np.log(measured["ratio"].to_numpy(float)))
    row = measured.iloc[int(distance.argmin())]
    low, ratio, high = row["ratio_low"], row["ratio"], row["ratio_high"]
    slower = displayed(row["optimizer"])
    if row["side"] == BETTER_HERE:
        low, ratio, high = 1 / high, 1 / ratio, 1 / low
        slower = displayed(leader["optimizer"])
    needs = "needs" if row["unit"] == "evaluations" else "ends"
    as_many = "as many evaluations" if row["unit"] == "evaluations" else "as far off"
    return f" ({slower} {needs} {factor(ratio)} times {as_many}{between(low, high)})"


def between(low: float, high: float) -> str:
    """Write a 95 % interval: ", 1.04 to 1.29"; nothing where its ends print the same."""
    ends = factor(low), factor(high)
    return "" if ends[0] == ends[1] else f", {ends[0]} to {ends[1]}"


def _not_settled(task: pd.Series, rivals: pd.DataFrame) -> Iterator[str]:
    some_kept = rivals["lost"] < rivals["seeds"]
    undecided = rivals[rivals["word"].isin([OPEN, UNTOLD]) & some_kept]
    if len(undecided):
        seeds = what_varied(task, int(undecided["seeds"].max()))
        whom = names(list(undecided["optimizer"]))
        yield f"not settled against {whom} with {seeds}{_would_settle(undecided)}"


def _would_settle(undecided: pd.DataFrame) -> str:
    starts = undecided["starts"]
    if starts.isna().any():
        return ""
    most = float(starts.max())
    about = most if most < 20 else float(f"{most:.2g}")
    return f" (about {about:,.0f} would)"


def _pass_through(rivals: pd.DataFrame) -> Iterator[str]:
    passing = rivals[rivals["word"] == PASSES]
    if len(passing):
        verb = "passes" if len(passing) == 1 else "pass"
        yield (
            f"{names(list(passing['optimizer']))} {verb} through: within the target at the end of the "
            "budget, gone again before twice of it"
        )


def _turns(rivals: pd.DataFrame) -> Iterator[str]:
    for row in rivals[rivals["crossing"].notna()].to_dict("records"):
        yield f"at {setting_value(row['crossing'])} {displayed(row['optimizer'])} arrives first"


def _lost(rivals: pd.DataFrame) -> Iterator[str]:
    lost = rivals[rivals["lost"] == rivals["seeds"]]
    if len(lost):
        yield f"{names(list(lost['optimizer']))} lost every run"


# ---- how sure


def confidence(sweep: Sweep, task: pd.Series, ranking: pd.DataFrame) -> Iterator[str]:
    """Say how sure the verdict is, for who quotes it: tests, counts, and over which starts."""
    rivals = ranking[~ranking["leader"]]
    if not ranking["leader"].any() or rivals.empty:
        return
    if ranking["seeds"].max() == 1:
        yield "One start each: another may turn the order, and nothing can be shown."
    elif len(rivals) == 1:
        yield _of_one(task, ranking[ranking["leader"]].iloc[0], rivals.iloc[0])
    else:
        seeds = what_varied(task, int(ranking["seeds"].max()))
        yield f"{_counts(rivals)}, over {seeds} (Holm over {_tests(sweep, task)})."


def _of_one(task: pd.Series, leader: pd.Series, rival: pd.Series) -> str:
    seeds = what_varied(task, int(rival["seeds"]))
    first, second = displayed(leader["optimizer"]), displayed(rival["optimizer"])
    ahead = f"{first} is ahead by more than {MARGIN} times on {rival['wins']} of {seeds}"
    counts = f"{ahead}, {second} on {rival['losses']}" if rival["losses"] else ahead
    by_order = pd.isna(rival["unit"])  # some runs arrive and some do not: there is no ratio
    beyond = f"the whole interval lies beyond {MARGIN} times"
    how_clear = "the order alone is tested, since not all arrive" if by_order else beyond
    within = f"the whole interval lies within {MARGIN} times, or within two steps"
    how_good = f"neither is ahead by more than {MARGIN} times on any seed" if by_order else within
    said = {
        CLEAR: f"Clear: {counts} ({stated(rival['p'])}), and {how_clear}.",
        CLOSE: f"Close: {counts} ({stated(rival['p'])}); the difference is shown, that it matters is not.",
        AS_GOOD: f"As good: {how_good}.",
        SAME: "The same: their runs agree bit for bit.",
        OPEN: f"Not settled: {counts} ({stated(rival['p'])}).",
        UNTOLD: f"Cannot be told from {seeds}.",
        PASSES: "It passes through: that ranks it behind, and is no win.",
    }
    return said.get(rival["word"], "All its runs are lost.")


def _counts(rivals: pd.DataFrame) -> str:
    """Count the words: "1 as good, 1 close, 3 clearly worse"."""
    labels = {
        (AS_GOOD, 0): "as good",
        (SAME, 0): "the same",
        (CLOSE, BETTER_HERE): "close, and ahead here",
        (CLEAR, BETTER_HERE): "clearly better here",
        (CLOSE, BEHIND): "close",
        (CLEAR, BEHIND): "clearly worse",
        (OPEN, 0): "not settled",
        (UNTOLD, 0): "not to be told",
        (PASSES, BEHIND): "passing through",
    }
    counts = []
    for (word, side), label in labels.items():
        count = len(_said(rivals, word, side))
        if count:
            counts.append(f"{count} {label}")
    return f"Of {len(rivals)} others: {', '.join(counts)}"


def _tests(sweep: Sweep, task: pd.Series) -> str:
    pairs = of_task(sweep.pairwise, task["task"])
    family = pairs[pairs["family"] != "rest"]
    return counted(int(family["p"].notna().sum()), "test")
