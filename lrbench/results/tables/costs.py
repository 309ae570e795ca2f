"""What each optimizer costs at its best setting, until the target and until the end, on every axis that is
exact.

One row: task "lecture", optimizer "adam", steps 500.0, evaluations 500.0, samples 1500.0, epochs 500.0, flops
12000.0 and the same until the target: steps_to_target 88.0, evaluations_to_target 88.0 ...
"""

import numpy as np
import pandas as pd

from lrbench.results.frames.columns import typed
from lrbench.results.frames.columns.costs import AXES
from lrbench.results.tables.tasks import COMPETITOR

__all__ = ["AXES", "costs"]

# of the gradient of one row: d products and sums for the prediction, and as many for each partial derivative
FLOPS_A_FEATURE = 4
FLOPS_A_ROW = 2
FLOPS_OF_AN_INTERCEPT = 2


def costs(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: `<axis>` of a whole run and `<axis>_to_target`, medians over the
    seeds of its best setting.

        steps        updates
        evaluations  gradients, a minibatch by its share of the rows; LBFGS takes several a step
        samples      rows that gradients were taken on: evaluations times n
        epochs       steps over the steps of a pass
        flops        of the gradients: 4 d + 2, + 2 with an intercept, a row; what the update itself takes,
                     some operations a parameter, is left out

    To the target inf where fewer than half of the seeds arrive.
    """
    task = tasks.set_index("task").loc[ranking["task"]].reset_index()
    whole = _axes(ranking["steps_taken"], ranking["evaluations"], task)
    until = ranking["evaluations_to_target"]
    to_target = _axes(_steps_of(until, ranking, task), until, task)
    rows = pd.concat([ranking[COMPETITOR], whole, to_target.add_suffix("_to_target")], axis=1)
    return typed([rows], "costs")


def _steps_of(evaluations: pd.Series, ranking: pd.DataFrame, task: pd.DataFrame) -> pd.Series:
    """Return how many updates took so many evaluations.

    The last batch of a pass may be short; where updates take several gradients, it is their share.
    """
    rows_a_step = task["batch_size"].fillna(task["n"]).astype(float)
    steps_a_pass = np.ceil(task["n"] / rows_a_step)
    passes = evaluations // 1
    in_last_pass = (evaluations % 1 * task["n"] / rows_a_step).round()
    shuffled = passes * steps_a_pass + in_last_pass
    share = (evaluations * ranking["steps_taken"] / ranking["evaluations"]).round()
    one_gradient = (task["batch_order"] != "replacement") & (ranking["steps_taken"] == task["steps"])
    return shuffled.where(one_gradient, share)


def _axes(steps: pd.Series, evaluations: pd.Series, task: pd.DataFrame) -> pd.DataFrame:
    rows_a_step = task["batch_size"].fillna(task["n"]).astype(float)
    steps_a_pass = np.ceil(task["n"] / rows_a_step)
    flops_a_row = FLOPS_A_FEATURE * task["d"] + FLOPS_A_ROW + FLOPS_OF_AN_INTERCEPT * task["intercept"]
    samples = evaluations * task["n"]
    columns = {
        "steps": steps,
        "evaluations": evaluations,
        "samples": samples,
        "epochs": steps / steps_a_pass,
        "flops": samples * flops_a_row,
    }
    return pd.DataFrame(columns).astype(float)
