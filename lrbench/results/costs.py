"""What each optimizer costs at its best setting, until the target and until the end, on every axis that is exact."""

import numpy as np
import pandas as pd

AXES = {
    "steps": "steps",
    "evaluations": "gradient evaluations",
    "samples": "samples",
    "epochs": "epochs",
    "flops": "FLOPs",
}


def costs(ranking: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row a task and optimizer: `<axis>` of a whole run and `<axis>_to_target`, medians over the seeds of its best setting.

    steps        updates
    evaluations  gradients, a minibatch by its share of the rows; LBFGS takes several a step
    samples      rows that gradients were taken on: evaluations times n
    epochs       steps over the steps of a pass
    flops        of the gradients: 4 d + 2 + 2 with an intercept, a row; what the update itself takes, some operations a parameter, is left out

    To the target inf where fewer than half of the seeds reach it, NaN where relative gaps are undefined.
    """
    task = tasks.set_index("task").loc[ranking["task"]].reset_index()
    steps_a_pass = np.ceil(task["n"] / task["batch_size"].fillna(task["n"]).astype(float))
    flops_a_row = 4 * task["d"] + 2 + 2 * task["intercept"]
    rows = ranking[["task", "optimizer"]].copy()
    for until in ("", "_to_target"):
        steps = task["steps"] if until == "" else ranking["steps_to_target"]
        evaluations = ranking[f"evaluations{until}"]
        samples = evaluations * task["n"]
        values = {
            "steps": steps,
            "evaluations": evaluations,
            "samples": samples,
            "epochs": steps / steps_a_pass,
            "flops": samples * flops_a_row,
        }
        rows = rows.assign(**{f"{axis}{until}": value.astype(float) for axis, value in values.items()})
    return rows
