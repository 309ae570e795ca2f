"""What findings say of who is better: only what a test of the ranking shows."""

from collections.abc import Callable

import pandas as pd

from lrbench.results.frames.names import displayed
from lrbench.results.notation import listed, number
from lrbench.results.statistics.verdicts import BETTER, PASSES
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.tasks import COMPETITOR

SHOWN = [*COMPETITOR, "setting", "differs"]  # what makes a setting that figures of two sets show


def who_leads(ranking: pd.DataFrame) -> str:
    """Say who leads a task, and who is shown behind: "SGD leads; shown behind: Adam and RMSprop"."""
    leaders = ranking[ranking["leader"]]
    if leaders.empty:
        return "every run is lost"
    leader = leaders.iloc[0]
    if len(ranking) == 1:
        return how_it_ends(leader)
    others = ranking[~ranking["leader"]]
    is_better = others["word"].isin(BETTER)
    groups = {
        "as good": others["first"],
        "shown behind": is_better & (others["side"] == 1),
        "shown ahead of it": is_better & (others["side"] == -1),
        "passes through": others["word"] == PASSES,
    }
    parts = [f"{displayed(leader['optimizer'])} leads"]
    for word, belongs in groups.items():
        names = others.loc[belongs, "optimizer"].map(displayed).tolist()
        if names:
            parts.append(f"{word}: {listed(names)}")
    if len(parts) == 1:
        parts.append("nobody is shown behind")
    return "; ".join(parts)


def how_it_ends(row: pd.Series) -> str:
    """Say how many seeds of an optimizer arrive: "SGD arrives with 9 of 10 seeds, then in 122 gradient
    evaluations".
    """
    name = displayed(row["optimizer"])
    if not row["arrived"]:
        return f"{name} misses the target, its level is {number(row['level'])}"
    cost = f"in {number(round(row['cost']))} gradient evaluations"
    return f"{name} arrives with {row['arrived']} of {row['seeds']} seeds, then {cost}"


def changed(difference: Difference) -> pd.DataFrame:
    """Return the settings that figures of two sets show, with what `Difference.rows` says of each: its tests
    have one error rate over all that is compared.
    """
    shown, _ = difference.shown
    rows = difference.rows[[*SHOWN, "change"]].drop_duplicates(SHOWN)
    return shown[SHOWN].merge(rows, on=SHOWN, how="left")


def who_changed(rows: pd.DataFrame) -> str:
    """Say who of `changed` is shown worse in B, and who better."""
    parts = []
    for change in ("worse", "better"):
        names = rows.loc[rows["change"] == change, "optimizer"].map(displayed).tolist()
        if names:
            parts.append(f"shown {change} in B: {listed(names)}")
    return "; ".join(parts) or "no change is shown"


def of_each(rows: pd.DataFrame, said: Callable[[pd.Series], str]) -> str:
    """Say the same of every row's optimizer."""
    return listed([f"{displayed(row['optimizer'])} {said(row)}" for _, row in rows.iterrows()])
