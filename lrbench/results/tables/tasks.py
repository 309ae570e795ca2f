"""What the runs of a comparison share.

One row of `tasks`: task "synthetic kappa=100", problem_id "5f2c...", steps 500, batch_size NaN, batch_order
"sequential", init "torch", problem "synthetic", loss "mse", dtype "float64", relative_target 1e-6, budget
500.0, and beside these the facts of its problem (n, d, L, kappa ...).
"""

import pandas as pd

from lrbench import seeds
from lrbench.results.frames.names import HOW_RUN, natural, task_labels

TASK = ["problem_id", *HOW_RUN]  # what makes a task
CHOICES = ["problem", "loss", "dtype"]  # that a run and its problem both name
GIVEN = ["relative_target", "budget"]  # that the runs of a task have in common
COMPETITOR = ["task", "optimizer"]  # who competes where: the key of most tables
# that a problem may lack, which is null in the store
NUMBERS = ["scale", "mu", "kappa", "effective_rank", "digits"]


def tasks(runs: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task in the order of their labels: `task` (the label), what its runs share, the facts
    of its problem.
    """
    first = runs.drop_duplicates(TASK)
    first = first.assign(task=task_labels(first))
    of_problems = problems.drop(columns=CHOICES).astype(dict.fromkeys(NUMBERS, float))
    rows = first[["task", *TASK, *CHOICES, *GIVEN]].merge(of_problems, on="problem_id")
    return rows.sort_values("task", key=_natural, ignore_index=True)


def _natural(labels: pd.Series) -> pd.Series:
    return labels.map(natural)


def of_task(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the rows of one task."""
    return frame[frame["task"] == task]


def starts_vary(tasks: pd.DataFrame) -> pd.Series:
    """Say of each task, or of each of its runs, whether a seed gives a start of its own."""
    return tasks["init"].map(seeds.starts_vary).astype(bool)


def batches_vary(tasks: pd.DataFrame) -> pd.Series:
    """Say of each task, or of each of its runs, whether a seed gives an order of the minibatches."""
    by_seed = []
    for batch_size, order in zip(tasks["batch_size"], tasks["batch_order"], strict=True):
        rows = None if pd.isna(batch_size) else int(batch_size)
        by_seed.append(not seeds.is_fixed(rows, order))
    return pd.Series(by_seed, index=tasks.index, dtype=bool)
