"""What the trained models answer, in a sentence: the lecture's test, which for x = 4 wants 8.

"For x = 4: SGD answers 8.00, Adam 8.00, Adadelta 1.37; exact 8." Of more than four optimizers "For x = 4:
15 of 17 optimizers answer 8.00 on every seed, as the exact minimum does; at worst Adadelta answers 1.37 and
RAdam 7.10."
"""

from collections.abc import Iterator

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import listed, measured, number
from lrbench.results.words.cells import answer

MOST_SAID = 2  # rows that were asked for; of more the table tells
MOST_ANSWERS = 4  # that are told one by one
MOST_FAR_OFF = 3


def sentence(answers: pd.DataFrame) -> str:
    """Say what is answered, and how the table is read."""
    return " ".join([*said(answers), *_how_it_is_read(answers)])


def said(answers: pd.DataFrame) -> list[str]:
    """Return a sentence a row that was asked for and task; of many of them none, since the table tells."""
    asked = [rows for _, rows in answers.groupby(["task", "given"], sort=False)]
    several = answers["task"].nunique() > 1
    return [_said(rows, several) for rows in asked] if len(asked) <= MOST_SAID else []


def _how_it_is_read(answers: pd.DataFrame) -> Iterator[str]:
    if (answers["seeds"] > 1).any():
        yield "Medians over the seeds; in brackets the lowest and the highest where they differ."


def _said(answers: pd.DataFrame, several: bool) -> str:
    """Say what is answered to one row that was asked for; several: whether there are other tasks."""
    task, given, exact = answers[["task", "given", "exact"]].iloc[0]
    start = f"For {given} on {task}" if several else f"For {given}"
    answering = answers[answers["lost"] < answers["seeds"]]
    if answering.empty:
        return f"{start} nothing is answered: every run is lost."
    if len(answers) > MOST_ANSWERS and pd.notna(exact):
        return f"{start}: {_who_is_right(answering, exact, len(answers))}."
    exactly = f"; exact {number(exact)}" if pd.notna(exact) else ""
    return f"{start}: {', '.join(_one_by_one(answering))}{exactly}."


def _one_by_one(answering: pd.DataFrame) -> Iterator[str]:
    verb = " answers"
    for row in answering.to_dict("records"):
        yield f"{displayed(row['optimizer'])}{verb} {answer(row)}"
        verb = ""


def _who_is_right(answering: pd.DataFrame, exact: float, optimizers: int) -> str:
    """Count those whose every answer is written as the exact one is, and name those that are furthest off."""
    right = measured(exact)
    low, high = answering["lowest"], answering["highest"]
    worst = low.where(exact - low > high - exact, high)
    is_right = (worst.map(measured) == right) & (answering["lost"] == 0)
    every = " on every seed" if (answering["seeds"] > 1).any() else ""
    counts = f"{is_right.sum()} of {optimizers} optimizers answer {right}{every}, as the exact minimum does"
    off = answering.assign(worst=worst, distance=(worst - exact).abs())[~is_right]
    if off.empty:
        return counts
    furthest_first = off.sort_values("distance", ascending=False, kind="stable").head(MOST_FAR_OFF)
    names, answered = furthest_first["optimizer"].map(displayed), furthest_first["worst"].map(measured)
    first, *others = zip(names, answered, strict=True)
    named = [" answers ".join(first), *map(" ".join, others)]
    return f"{counts}; at worst {listed(named)}"
