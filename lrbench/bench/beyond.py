"""Beyond the budget: the runs that are compared go on until twice of it, so that a short stay is seen.

It ranks nobody. Given a store that holds all its runs, beyond.parquet gets a row for each chosen run that
arrived:

    run_id    beyond
    3f2a...   1.3e-24    it stays
    5756...   0.08       it leaves again
"""

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lrbench.bench.progress import Progress, no_progress
from lrbench.options import TrainOptions
from lrbench.plan import Plan
from lrbench.store import ResultStore
from lrbench.train import go_on
from lrbench.tuning import best_settings

PHASE = "beyond the budget"  # for who waits for it
FLUSH_SECONDS = 5.0  # between two writings: what a crash may cost
NOTHING = pa.table({"run_id": pa.array([], pa.string()), "beyond": pa.array([], pa.float64())})


def look_beyond(
    planned: Plan, store: ResultStore, options: TrainOptions, progress: Progress = no_progress
) -> int:
    """Let runs go on of which it is not stored how, store that as it is known, and return how many it was."""
    stored = store.beyond()
    tables = [NOTHING if stored is None else stored]
    going_on = _going_on(planned, store)
    left = going_on.without(_ids(tables[0]["run_id"]))
    if stored is not None and not len(left):
        return 0
    done = len(going_on) - len(left)
    written = time.monotonic()
    if len(left):
        progress(PHASE, done, len(going_on))
    try:
        for rows in go_on(left, options):
            tables.append(rows)
            done += len(rows)
            progress(PHASE, done, len(going_on))
            if time.monotonic() - written > FLUSH_SECONDS:
                store.write_beyond(pa.concat_tables(tables))
                written = time.monotonic()
    finally:
        store.write_beyond(pa.concat_tables(tables))
    return len(left)


def _going_on(planned: Plan, store: ResultStore) -> Plan:
    """Return the plan of the runs at chosen settings that arrived; a schedule has ended with its budget."""
    outcomes, roles = store.outcomes(), store.roles()
    arrived = _ids(outcomes["run_id"].filter(outcomes["cost_target"].is_valid()))
    chosen = best_settings(planned, outcomes) if roles is None else _evaluated(roles)
    without_schedule = [group for group in planned.groups if "schedule._target_" not in group.shared]
    return replace(planned, groups=without_schedule).only(np.intersect1d(chosen, arrived))


def _evaluated(roles: pa.Table) -> np.ndarray:
    """Return the ids of a tuned sweep's runs at its chosen settings."""
    role = roles["role"].to_numpy(zero_copy_only=False)
    return _ids(roles["run_id"])[role == "evaluation"]


def _ids(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy().astype("S32")
