"""What went wrong: runs that diverged or failed, and why.

One row: task "lecture", optimizer "sgd", status "diverged", reason "the loss is not finite", runs 12,
first_bad_step 31, last_finite_loss 3.1e300, settings "lr 0.8 to 10, 4 rates", and where theory knows it
diverges_from_lr 0.067.
"""

import pandas as pd

from lrbench.results.notation import counted, listed, setting_value
from lrbench.results.tables.entries import RUN
from lrbench.results.tables.tasks import COMPETITOR

MOST_SETTINGS = 4  # that are named
FEWEST_OF_A_RANGE = 3  # settings that are written as a range of their learning rates


def failures(entries: pd.DataFrame, diverging: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task, optimizer and status of the runs that did not complete, each once whatever its
    roles.

    diverges_from_lr stands at those that diverged, and only where theory knows it of one of them.
    diverging: as `predicted.diverging`.
    """
    wrong = entries[entries["status"] != "completed"].drop_duplicates(RUN)
    words = wrong["reason"].astype(object).fillna("")
    # the step has its own column
    reasons = words.str.replace(r" at step \d+", "", regex=True)
    groups = wrong.assign(reason=reasons).groupby([*COMPETITOR, "status"], sort=False)
    rows = groups.agg(
        reason=("reason", _reasons),
        runs=("run_id", "size"),
        first_bad_step=("first_bad_step", "min"),
        last_finite_loss=("last_finite_loss", "max"),
        settings=("setting", _tried),
    ).reset_index()
    known = rows.merge(diverging, how="left", on=COMPETITOR)
    known["diverges_from_lr"] = known["diverges_from_lr"].where(known["status"] == "diverged")
    return known if known["diverges_from_lr"].notna().any() else rows


def _reasons(reasons: pd.Series) -> str:
    """Write the reasons, the most frequent first."""
    counts = reasons[reasons != ""].value_counts()
    return "; ".join(counts.index)


def _tried(texts: pd.Series) -> str:
    """Write settings and the seeds of each; where only the learning rate varies, its range: "lr 0.069 to
    100, 14 rates".
    """
    counts = texts.value_counts(sort=False)
    settings = counts.index.to_series()
    rates = settings.str.extract(r"(?:^| )lr=(\S+)")[0].astype(float)
    beside_lr = settings.str.replace(r"(^| )lr=\S+", "", regex=True).str.strip()
    if len(counts) >= FEWEST_OF_A_RANGE and rates.notna().all() and beside_lr.nunique() == 1:
        ends = f"{setting_value(rates.min())} to {setting_value(rates.max())}"
        words = f"lr {ends}, {counted(len(counts), 'rate')}"
        return f"{words}, {beside_lr.iloc[0]}".removesuffix(", ")
    seeds = [f"{text} ({counted(count, 'seed')})".lstrip() for text, count in counts.items()]
    return listed(seeds, MOST_SETTINGS)
