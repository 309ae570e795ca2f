"""What the figures of a comparison show, in words made from their frames: a caption each, and a sentence for those who do not see them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrbench.results.compare_text import over_what
from lrbench.results.figures import MOST_PANELS
from lrbench.results.report.captions import left_out
from lrbench.results.text import counted, interval, listed, number, setting_value

if TYPE_CHECKING:
    from lrbench.results.compare import Difference

CAPTIONS = {
    "loss_curves": "Gap against gradient evaluations, full lines in A and dashed ones in B: medians over {over}. {settings} A cross: from there on "
    "the median is lost.",
    "finals": "Final gap of every run, hollow in A and full in B, over {over}. {settings} Bar: median. Crosses: so many runs were lost. On the right "
    "B / A, paired by seed; = where all gaps are equal.",
    "lr_sensitivity": "Final gap against the learning rate, hollow with full lines in A and full with dashed ones in B: at each rate the best "
    "setting of the search, geometric means over {searched}. Crosses on top, A above B: runs of a coloured optimizer were lost.",
}


def caption(name: str, difference: "Difference", frame: pd.DataFrame) -> str:
    """Return the caption of the figure of a frame."""
    rows, _ = difference.shown
    searched = [
        counted(results.searched["seed"].nunique(), "seed") for results in (difference.a, difference.b)
    ]
    words = {
        "over": f"the {over_what(difference.a, difference.tasks, rows, 'runs')} that both have",
        "settings": _settings(rows),
        "searched": searched[0]
        if searched[0] == searched[1]
        else f"{searched[0]} in A and {searched[1]} in B",
    }
    tasks = difference.tasks["task"].tolist()
    return CAPTIONS[name].format(**words) + left_out(tasks, _drawn(tasks, frame))


def _drawn(tasks: list[str], frame: pd.DataFrame) -> list[str]:
    return [task for task in tasks if task in set(frame["task"])][:MOST_PANELS]


def _settings(rows: pd.DataFrame) -> str:
    """Say at which settings the optimizers are."""
    own = ", or where B lacks it each side at its own choice" * bool((rows["differs"] != "").any())
    return f"Each optimizer is at the setting that A chose{own}."


def finding(name: str, difference: "Difference", frame: pd.DataFrame) -> str:
    """Return what a figure shows: "lecture: adam has changed most, B / A 5.7 (3.6–8.9)."."""
    rows = difference.shown[0] if name == "finals" else frame
    groups = rows[rows["task"].isin(_drawn(difference.tasks["task"].tolist(), frame))].groupby(
        "task", sort=False
    )
    return f"{listed([f'{task}: {FINDINGS[name](own)}' for task, own in groups])}."


def _end_lowest(curves: pd.DataFrame) -> str:
    ends = curves.groupby(["side", "optimizer"], sort=False).last().reset_index()

    def told(row: pd.Series) -> str:
        return f"{row['optimizer']} ends lowest in {row['side']}, at {number(row['median'])}"

    return _lowest(ends, "median", told, "no median is finite")


def _best_rates(rates: pd.DataFrame) -> str:
    def told(row: pd.Series) -> str:
        return f"{row['optimizer']} with learning rate {setting_value(row['lr'])} ends lowest in {row['side']}, at {number(row['gap'])}"

    return _lowest(rates, "gap", told, "no learning rate completes all seeds")


def _lowest(rows: pd.DataFrame, column: str, told: Callable[[pd.Series], str], none: str) -> str:
    """Tell the row of A and that of B with the lowest value; none: what to say where it is inf."""
    lowest = [own.loc[own[column].idxmin()] for _, own in rows.groupby("side")]
    return " and ".join(
        told(row) if np.isfinite(row[column]) else f"{none} in {row['side']}" for row in lowest
    )


def _changed_most(rows: pd.DataFrame) -> str:
    ratio = rows["ratio"].fillna(rows["at_least"])
    known = rows[ratio.notna()]
    if known.empty:
        return "no ratio is known"
    with np.errstate(divide="ignore"):
        most = known.loc[np.abs(np.log(ratio[known.index])).idxmax()]
    return f"{most['optimizer']} has changed most, B / A {interval(most.to_dict())}"


FINDINGS: dict[str, Callable[[pd.DataFrame], str]] = {
    "loss_curves": _end_lowest,
    "finals": _changed_most,
    "lr_sensitivity": _best_rates,
}
