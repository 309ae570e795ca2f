"""The sentences on two sweeps, what matters most first, and why two sweeps do not compare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import MISSING, cost, counted, factor, listed, named, setting_value
from lrbench.results.statistics.pairs import MARGIN, seeds_needed
from lrbench.results.statistics.verdicts import AS_GOOD, CLEAR, CLOSE, NOBODY, OPEN, PASSES, SAME, UNTOLD
from lrbench.results.tables.asked import Changed
from lrbench.results.tables.changes import family_of, starts
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import PairedTasks, pair_label
from lrbench.results.tables.tasks import COMPETITOR
from lrbench.results.words.leader import evaluations, share
from lrbench.results.words.phrases import names, stated, stored_of_planned

MOST_SETTINGS = 20  # that a terminal or a notebook shows; the page has more
MOST_SENTENCES = 5  # of what is clearly worse or better
MOST_CLOSE = 3  # of what is close, or not settled
MOST_NAMES = 4  # in one list
MOST_LINES = 6

Row = Mapping[Any, Any]  # of `Difference.rows`

# who is slower, or ends farther off
BEHIND = {"worse": "B", "better": "A"}
TESTS = {"sign": "exact sign test", "ranks": "exact rank sum test"}


# ---- where there is nothing to compare


def tasks_differ(pairs: PairedTasks) -> str:
    """Say why the tasks do not compare: what each alone has, or what differs between those that belong
    together, a line each.
    """
    lines = []
    for labels, changed in zip(pairs.unlike, pairs.differs, strict=True):
        lines.append(f"  {pair_label(*labels)}: {_written(changed)}")
    more = len(lines) - MOST_LINES
    if more > 0:
        lines = [*lines[:MOST_LINES], f"  and {counted(more, 'more task')}"]
    if not lines:
        lines = [f"  only in A: {listed(pairs.only_a)}", f"  only in B: {listed(pairs.only_b)}"]
    why = (
        "compare: A and B have different tasks, and only on the same data, with the same loss and budget, "
        "is a difference the optimizer's."
    )
    what_to_do = "Run both on the same tasks."
    if pairs.unlike:
        what_to_do = "Run both on the same task, or say --anyway (anyway=True)."
    return "\n".join([why, *lines, what_to_do])


def no_optimizer_shared(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Say that the runs of A and B are of other optimizers; a, b: as `pairing.compared_runs`."""
    in_a, in_b = (listed(sorted(runs["optimizer"].unique())) or "nothing but trials" for runs in (a, b))
    return (
        f"compare: the two share no optimizer in any task. A has {in_a}; B has {in_b}. Run the same "
        "optimizers in both."
    )


NO_SEED_SHARED = (
    "compare: the two share no seed, so that no run of A has a partner in B. Run B on the seeds of A."
)


def _written(changed: Changed) -> str:
    return ", ".join(f"{key} {in_a or MISSING} → {in_b or MISSING}" for key, in_a, in_b in changed)


# ---- what may be said


def sentences(difference: Difference) -> list[str]:
    """Return what may be said, what matters most first: the verdict, then what it rests on."""
    return [
        *caveats(difference),
        *_verdict(difference),
        *_shown(difference, "worse", CLEAR),
        *_lost(difference),
        *_more_lost(difference),
        *_shown(difference, "worse", CLOSE),
        *_passing(difference),
        *_shown(difference, "better", CLEAR),
        *_shown(difference, "better", CLOSE),
        *_recovered(difference),
        *_as_good(difference),
        *_open(difference),
        *_untested(difference),
        *_left_out(difference.left_out),
        *_incomplete(difference),
    ]


# ---- what was compared


def caveats(difference: Difference) -> Iterator[str]:
    """Say in what the tasks differ that were compared all the same, and at which target runs are read that
    were asked for different ones.
    """
    tasks = difference.tasks
    unlike = tasks[tasks["differs"].map(bool)].to_dict("records")
    if unlike:
        cases = [f"{task['task']} ({_written(task['differs'])})" for task in unlike]
        yield (
            "Compared although the tasks differ, so that nothing below need be the optimizer's doing: "
            f"{listed(cases)}."
        )
    if (tasks["budget_a"] != tasks["budget_b"]).any():
        yield (
            "The budgets differ: an evaluation is the same in both, but who does not arrive is read at the "
            "end of its own budget."
        )
    targets = tasks.loc[tasks["target_a"] != tasks["target_b"], ["target", "target_a", "target_b"]]
    for target, *asked in targets.drop_duplicates().itertuples(index=False):
        in_a, in_b = map(setting_value, asked)
        yield (
            f"A was asked for the target {in_a} and B for {in_b}: here both are read at "
            f"{setting_value(target)}, since costs until two targets do not compare."
        )


# ---- the verdict


def _verdict(difference: Difference) -> Iterator[str]:
    """Say whether it is a regression, and how many settings there are of each kind.

    Nothing of a single setting that is clearly worse: the sentence on it is the verdict.
    """
    rows = difference.rows
    if (rows["change"] == "identical").all():
        runs = counted(len(difference.pairs), "run")
        both = " that both have" if sum(difference.left_out) else ""
        yield f"All {runs}{both} are identical, bit for bit."
        return
    if len(rows) == 1 and (rows["word"] == CLEAR).all() and difference.regression:
        return
    if difference.regression:
        verdict = "B is worse than A"
    elif rows["p"].notna().any():
        verdict = "No regression is shown"
    else:
        verdict = "Nothing can be shown, as no setting that differs has a test"
    yield f"{verdict}{_tally(rows)}."


def _tally(rows: pd.DataFrame) -> str:
    """Count the settings of each kind, where there are several: ": of 4 settings 1 is clearly worse and 3 are
    as good".
    """
    if len(rows) == 1:
        return ""
    kinds = _kinds(rows).value_counts(sort=False)
    cases = []
    for kind in KINDS:
        if kind in kinds:
            verb = "is" if kinds[kind] == 1 else "are"
            cases.append(f"{kinds[kind]:,} {verb} {kind}")
    return f": of {counted(len(rows), 'setting')} {listed(cases, most=len(cases))}"


IDENTICAL, UNPAIRED = "identical, bit for bit", "without a seed in common"
# in the order in which they are told
KINDS = {
    "clearly worse": (CLEAR, "worse"),
    "worse, but close": (CLOSE, "worse"),
    "passing through on one side alone": (PASSES, ""),
    "clearly better": (CLEAR, "better"),
    "better, but close": (CLOSE, "better"),
    "as good": (AS_GOOD, ""),
    "not settled": (OPEN, ""),
    "without a test": (UNTOLD, ""),
    "lost in both": (NOBODY, ""),
    "the same at every step": (SAME, ""),
    IDENTICAL: ("", "identical"),
    UNPAIRED: ("", ""),
}


def _kinds(rows: pd.DataFrame) -> pd.Series:
    """Return of which of KINDS each row is."""
    kinds = {of_kind: kind for kind, of_kind in KINDS.items()}
    word = rows["word"].mask(rows["change"] == "identical", "")
    found = [kinds[both] for both in zip(word, rows["change"], strict=True)]
    return pd.Series(found, rows.index, dtype=object)


# ---- setting by setting

VERDICTS = {
    (CLEAR, "worse"): "B is clearly worse",
    (CLOSE, "worse"): "B is worse, perhaps by too little to matter",
    (CLEAR, "better"): "B is clearly better",
    (CLOSE, "better"): "B is better, perhaps by too little to matter",
}


def _shown(difference: Difference, change: str, word: str) -> Iterator[str]:
    rows = difference.rows
    shown = rows[(rows["change"] == change) & (rows["word"] == word)]
    verdict = VERDICTS[word, change]
    most = MOST_SENTENCES if word == CLEAR else MOST_CLOSE
    yield from _one_by_one(difference, shown, most, verdict, lambda row: _how(row, BEHIND[change]))


def _one_by_one(
    difference: Difference, rows: pd.DataFrame, most: int, verdict: str, how: Callable[[Row], str]
) -> Iterator[str]:
    """Say a sentence a row, of many the first, and count the rest."""
    for row in rows.head(most).to_dict("records"):
        yield f"{verdict}: {_name(difference, row)} {how(row)}."
    more = len(rows) - most
    if more > 0:
        yield f"{verdict}: {counted(more, 'more setting')}."


def _how(row: Row, behind: str) -> str:
    """Say by how much one side is behind, in the words of what was compared; behind: "A" or "B"."""
    if row["test"] != "t":
        return f"{_by_order(row)} ({TESTS[row['test']]}, {stated(row['p_holm'])})"
    times = f"{_times(row, behind)} times as"
    if row["unit"] == "evaluations":
        costs = f"{cost(row['cost_b'])} in B, {cost(row['cost_a'])} in A"
        return f"arrives after {times} many evaluations in {behind} ({_between(row, behind)}): {costs}"
    ends = f"ends {times} far from the best fit in {behind} ({_between(row, behind)})"
    if pd.isna(row["relative_level_a"] + row["relative_level_b"]):
        return ends
    return f"{ends}: {share(row['relative_level_b'])} in B, {share(row['relative_level_a'])} in A"


def _times(row: Row, behind: str) -> str:
    return factor(row["ratio"] if behind == "B" else 1 / row["ratio"])


def _between(row: Row, behind: str) -> str:
    """Write the interval of how many times one side is behind."""
    ends = [row["low"], row["high"]] if behind == "B" else [1 / row["high"], 1 / row["low"]]
    low, high = map(factor, ends)
    return f"{low} to {high}" if low != high else "nearly the same for every seed"


def _by_order(row: Row) -> str:
    """Say how runs ended where some arrive or are lost and others not."""
    runs = row["runs"]
    if row["arrived_a"] != row["arrived_b"]:
        return f"arrives on {row['arrived_b']} of {counted(runs, 'run')} in B, on {row['arrived_a']} in A"
    if row["lost_a"] != row["lost_b"]:
        return f"is lost on {row['lost_b']} of {counted(runs, 'run')} in B, on {row['lost_a']} in A"
    seeds = counted(row["n"], "seed")
    return f"is ahead by more than {MARGIN:g} times on {row['losses']} of {seeds} in B, on {row['wins']} in A"


def _passing(difference: Difference) -> Iterator[str]:
    """Say who arrives and leaves again within twice the budget on one side, and stays on the other."""
    rows = difference.rows
    for row in rows[rows["word"] == PASSES].head(MOST_CLOSE).to_dict("records"):
        sides = []
        for side in "ba":
            of = f"{row[f'left_{side}']} of {row[f'arrived_{side}']}"
            sides.append(f"in {side.upper()} {of}")
        yield (
            f"{_name(difference, row)} passes through: of the runs that arrive so many leave again before "
            f"twice the budget, {listed(sides)}."
        )


def _as_good(difference: Difference) -> Iterator[str]:
    rows = difference.rows
    good = rows[rows["word"] == AS_GOOD]
    if len(good):
        whom = names(_short(difference, good))
        yield f"As good in B as in A, within {MARGIN:g} times or two steps: {whom}."


def _open(difference: Difference) -> Iterator[str]:
    rows = difference.rows
    family = family_of(rows)
    unsettled = rows[rows["word"] == OPEN]
    yield from _one_by_one(
        difference, unsettled, MOST_CLOSE, "Not settled", lambda row: _unsettled(row, family)
    )


def _unsettled(row: Row, family: int) -> str:
    """Say between what a ratio lies, and how many seeds would about settle it."""
    needed = starts(row, family)
    settle = f"; about {needed:,} seeds would settle it" if needed else ""
    return f"{_lies(row)}{settle}"


def _lies(row: Row) -> str:
    if row["test"] != "t":
        return _by_order(row)
    times = f"{_times(row, 'B')} times as"
    where = f"in B as in A ({_between(row, 'B')}, {counted(row['n'], 'seed')})"
    if row["unit"] == "evaluations":
        return f"takes {times} many evaluations {where}"
    return f"ends {times} far from the best fit {where}"


# ---- what was lost


def _lost(difference: Difference) -> Iterator[str]:
    yield from _ended_otherwise(difference, "lost", "lost in B and not in A")


def _recovered(difference: Difference) -> Iterator[str]:
    yield from _ended_otherwise(difference, "recovered", "lost in A and not in B")


def _ended_otherwise(difference: Difference, column: str, what: str) -> Iterator[str]:
    rows = difference.rows
    runs = rows[rows[column] > 0]
    if len(runs):
        few = runs.head(MOST_NAMES).to_dict("records")
        cases = [f"{_name(difference, row)} on {row[column]} of {row['runs']}" for row in few]
        more = len(runs) - len(few)
        cases += [counted(more, "more setting")] if more else []
        count = int(runs[column].sum())
        verb = "is" if count == 1 else "are"
        yield f"{counted(count, 'run')} {verb} {what}: {listed(cases)}."


def _more_lost(difference: Difference) -> Iterator[str]:
    """Say where a larger share of the runs is lost in B than in A, unless all of them are told as runs that
    were not lost in A.
    """
    said = difference.rows.groupby(COMPETITOR, as_index=False)["lost"].sum()
    losses = difference.losses.merge(said, on=COMPETITOR)
    more = losses.query("lost_b > lost and lost_b * runs_a > lost_a * runs_b").to_dict("records")
    if more:
        cases = [_losses(difference, row) for row in more]
        yield f"In B {listed(cases)} are lost, with or without a partner in A."


def _losses(difference: Difference, row: Row) -> str:
    where = _on_task(difference, row)
    return f"{_share(row, 'b')} runs of {displayed(row['optimizer'])}{where} (in A {_share(row, 'a')})"


def _share(row: Row, side: str) -> str:
    return f"{row[f'lost_{side}'] or 'none'} of {row[f'runs_{side}']}"


# ---- what was not compared


def _untested(difference: Difference) -> Iterator[str]:
    rows = difference.rows
    single = rows[rows["test"] == "none"]
    if len(single):
        row = single.iloc[0].to_dict()
        largest = "the largest difference is that " if len(single) > 1 else ""
        in_b = f"{_name(difference, row)} {_stands(row, 'b')} in B"
        count = counted(len(single), "setting")
        yield f"One run a side allows no test ({count}): {largest}{in_b}, and {_stands(row, 'a')} in A."
    few = rows[(rows["word"] == UNTOLD) & (rows["test"] != "none")]
    if len(few):
        whom = names(_short(difference, few))
        needed = seeds_needed(family_of(rows))
        yield f"Too few seeds to tell, as the order alone is known, which takes {needed}: {whom}."
    unpaired = rows[rows["test"] == "unpaired"]
    if len(unpaired):
        yield f"No seed in common, and so not compared: {names(_short(difference, unpaired))}."


def _stands(row: Row, side: str) -> str:
    """Say how the runs of one side end."""
    if row[f"arrived_{side}"]:
        return f"arrives after {evaluations(row[f'cost_{side}'])}"
    if row[f"lost_{side}"]:
        return "is lost"
    level = row[f"relative_level_{side}"]
    return "does not arrive" if pd.isna(level) else f"ends {share(level)} from the best fit"


def _left_out(left_out: Sequence[int]) -> Iterator[str]:
    parts = []
    for count, side in zip(left_out, "AB", strict=True):
        if count:
            parts.append(f"{counted(count, 'setting')} of {side}")
    if parts:
        yield f"Without a partner, and so not compared: {' and '.join(parts)}."


def _incomplete(difference: Difference) -> Iterator[str]:
    for side, sweep in difference.sides:
        if not sweep.complete:
            stored = stored_of_planned(sweep, str(len(sweep.runs)))
            yield f"{side} is {sweep.manifest['state']}: {stored}."


# ---- names


def _name(difference: Difference, row: Row) -> str:
    """Write the optimizer and setting of a row, with its task where there are several: "sgd (lr=0.1) on
    wine".
    """
    setting = row["differs"] or row["setting"]
    if row["role"] == "default":
        setting = f"default, {setting}" if setting else "default"
    return f"{named(displayed(row['optimizer']), setting)}{_on_task(difference, row)}"


def _on_task(difference: Difference, row: Row) -> str:
    return f" on {row['task']}" if len(difference.tasks) > 1 else ""


def _short(difference: Difference, few: pd.DataFrame) -> list[str]:
    """Name rows by their optimizers, and with more those whose optimizer has several among all that are not
    identical.
    """
    rows = difference.rows
    several = rows.loc[rows["change"] != "identical", "optimizer"].value_counts()
    is_alone = few["optimizer"].map(several) == 1
    short = []
    for row, alone in zip(few.to_dict("records"), is_alone, strict=True):
        short.append(displayed(row["optimizer"]) if alone else _name(difference, row))
    return short


def more_settings(rows: pd.DataFrame) -> list[str]:
    """Say how many rows are left out, and how many of them are shown to have changed."""
    if not len(rows):
        return []
    counts = {change: int((rows["change"] == change).sum()) for change in BEHIND}
    changed = [f"{count} {change}" for change, count in counts.items() if count]
    shown = f", {', '.join(changed)}" if changed else " without a shown change"
    return [f"... and {counted(len(rows), 'more setting')}{shown}"]
