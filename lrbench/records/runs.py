"""A row a run: what was asked of it and what it reached; its loss curve, and of a few runs their weights.

Given runs, what an engine knows of them and their problem, heavy ball on the lecture's data is the row

    run_id "5756...", setting_id "95a3...", problem_id "4a07...", status "completed", reason null,
    problem "lecture", loss "mse_sum", optimizer "sgd_momentum", schedule "none",
    steps 500, batch_size null, seed 3, optimizer.lr 0.01, optimizer.momentum 0.9, ..., engine "fused",
    start_loss 46.1, final_loss 1.02e-22, final_gap 1.02e-22, ..., steps_to_1e-6 118, ..., weights [2, -4e-12]

R runs, K recorded states, p weights.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench.engines.outcome import NEVER, TARGETS, Outcome
from lrbench.plan import Column, Group, constant
from lrbench.problems.solve import Problem
from lrbench.records.arrays import lists, repeated, strings
from lrbench.records.readings import Readings, readings, rises

# settings that every run has keep one type, in every part of a store
_TYPES = {
    "steps": pa.int64(),
    "seed": pa.int64(),
    "batch_size": pa.int64(),
    "batch_order": pa.string(),
    "dtype": pa.string(),
    "init": pa.string(),
}


def run_rows(group: Group, outcome: Outcome, problem: Problem, target: float, engine: str) -> pa.Table:
    """Return a row a run: ids, labels, settings, status, final values, first hits, weights."""
    count = len(group)
    status, reason = outcome.status(problem, group.shared["dtype"])
    columns = {
        "run_id": strings(group.run_id),
        "setting_id": strings(group.setting_id),
        "problem_id": repeated(group.problem_id, count, pa.string()),
        "status": pa.array(status, pa.string()),
        "reason": pa.array(reason, pa.string()),
    }
    for kind, choice in group.labels.items():
        columns[kind] = repeated(choice, count, pa.string())
    for path, setting in _settings(group):
        columns[path] = _setting_array(path, setting)
    columns["engine"] = repeated(engine, count, pa.string())
    columns |= _measured(outcome, completed=status == "completed")
    columns |= _worth(outcome, problem, group.shared["dtype"], target)
    columns |= _first_hits(outcome, target)
    columns["final_test_loss"] = _test_loss(problem, outcome.weights, completed=status == "completed")
    columns["weights"] = _weights(outcome.weights, failed=status == "failed")
    return pa.table(columns)


def curve_rows(group: Group, outcome: Outcome) -> pa.Table:
    """Return a row a run: the recorded states of its loss curve as lists."""
    return pa.table(
        {
            "run_id": strings(group.run_id),
            "step": _same_list(outcome.step, len(group)),
            "evaluations": lists(outcome.evaluations),
            "loss": lists(outcome.loss),
            "gap": lists(outcome.gap),
        }
    )


def path_rows(group: Group, step: np.ndarray, path: np.ndarray) -> pa.Table:
    """Return a row a run: its weights at K states, of `path` (R, K, p), flat, state after state."""
    return pa.table(
        {
            "run_id": strings(group.run_id),
            "step": _same_list(step, len(group)),
            "weights": lists(path.reshape(len(group), -1)),
        }
    )


def beyond_rows(group: Group, beyond: np.ndarray) -> pa.Table:
    """Return a row a run: how it goes on after its budget, (R,); null where it has no state there."""
    return pa.table(
        {
            "run_id": strings(group.run_id),
            "beyond": pa.array(beyond, pa.float64(), mask=np.isnan(beyond)),
        }
    )


def _same_list(values: np.ndarray, count: int) -> pa.Array:
    return lists(np.tile(values, (count, 1)))


# ---- settings


def _settings(group: Group) -> Iterator[tuple[str, Column]]:
    """Yield every setting of a group by its path: what its runs share, then what differs."""
    for path, value in group.shared.items():
        yield path, constant(value, len(group))
    yield from group.columns.items()


def _setting_array(path: str, column: Column) -> pa.Array:
    """Write numbers as float64, lists of numbers as lists of float64, other lists and mixtures as JSON."""
    used, codes = np.unique(column.codes, return_inverse=True)
    values = [_written(path, column.values[code]) for code in used]
    kinds = {type(value) for value in values if value is not None}
    if path not in _TYPES and len(kinds) > 1:  # an Arrow array has one type
        values = list(map(_as_json_or_null, values))
    return pa.array(values, _TYPES.get(path)).take(pa.array(codes))


def _as_json_or_null(value: Any) -> str | None:
    return None if value is None else _as_json(value)


def _written(path: str, value: Any) -> Any:
    """Write one value of a setting."""
    is_list = isinstance(value, list)
    if path in _TYPES:  # a start may be a word or a list
        return json.dumps(value) if is_list else value
    if is_list and all(map(_is_number_or_null, value)):
        return [_as_float(number) for number in value]
    if is_list:
        return _as_json(value)
    return _as_float(value)


def _is_number_or_null(value: Any) -> bool:
    return value is None or _is_whole(value) or isinstance(value, float)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _as_float(value: Any) -> Any:
    return float(value) if _is_whole(value) else value


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---- what a run reached


def _measured(outcome: Outcome, completed: np.ndarray) -> dict[str, pa.Array]:
    """Return what was measured on the way and at the end; the end of a run that did not complete is inf."""
    start_loss, start_gap = outcome.loss[:, 0], outcome.gap[:, 0]
    never_bad = outcome.first_bad == NEVER
    return {
        "start_loss": pa.array(start_loss),
        "start_gap": pa.array(start_gap),
        "final_loss": _inf_unless(completed, outcome.loss[:, -1]),
        "final_gap": _inf_unless(completed, outcome.gap[:, -1]),
        "first_bad_step": pa.array(outcome.first_bad, mask=never_bad),
        "last_finite_loss": pa.array(outcome.last_loss),
        "last_step_changed_nothing": pa.array(outcome.stopped),
        "steps_taken": pa.array(outcome.steps_taken),
        "evaluations": pa.array(outcome.all_evaluations),
        "evaluations_per_step": pa.array(outcome.evaluations_per_step),
        "budget": repeated(outcome.budget, len(start_loss), pa.float64()),
        "fingerprint": pa.array(outcome.fingerprint),
    }


def _inf_unless(completed: np.ndarray, values: np.ndarray) -> pa.Array:
    return pa.array(np.where(completed, values, np.inf))


def _worth(outcome: Outcome, problem: Problem, dtype: str, target: float) -> dict[str, pa.Array]:
    """Return by what runs are compared, within the budget and within half of it."""
    half, whole = readings(outcome, problem, dtype, targets(target))
    columns = {
        "relative_target": repeated(target, len(whole.score), pa.float64()),
        "rise": pa.array(rises(outcome, problem, dtype)),
    }
    return columns | _within("", whole) | _within("half_", half)


def _within(budget: str, read: Readings) -> dict[str, pa.Array]:
    """Return the columns of one budget, which begin with its name; a cost is null without arrival."""
    missed = np.isinf(read.cost)
    costs = {
        f"{budget}cost_{name}": pa.array(read.cost[:, place], mask=missed[:, place])
        for place, name in enumerate(target_names())
    }
    return {f"{budget}level": pa.array(read.level), f"{budget}score": pa.array(read.score)} | costs


def _first_hits(outcome: Outcome, target: float) -> dict[str, pa.Array]:
    """Return steps and evaluations until each target, null where it was not reached."""
    columns = {}
    for place, name in enumerate(target_names()):
        steps, evaluations = outcome.hits[:, place], outcome.evaluations_to_hits[:, place]
        columns[f"steps_to_{name}"] = pa.array(steps, mask=steps == NEVER)
        columns[f"evaluations_to_{name}"] = pa.array(evaluations, mask=steps == NEVER)
    return columns


def targets(target: float) -> tuple[float, ...]:
    """Return the relative gaps whose arrivals are noted: the fixed ones, then the request's own."""
    return (*TARGETS, target)


def target_names() -> list[str]:
    """Return what columns call these targets."""
    return [*map(_power_of_ten, TARGETS), "target"]


def _power_of_ten(value: float) -> str:
    """Write 1e-06 as 1e-6."""
    return f"{value:.0e}".replace("e-0", "e-")


def _test_loss(problem: Problem, weights: np.ndarray, completed: np.ndarray) -> pa.Array:
    """Return the loss over the test rows, inf unless completed; null where there are none."""
    loss = problem.test_loss(weights)
    if loss is None:
        return pa.nulls(len(weights), pa.float64())
    return _inf_unless(completed, loss)


def _weights(weights: np.ndarray, failed: np.ndarray) -> pa.Array:
    """Return the weights (R, p) of the last finite state as lists; null where a run failed or had none."""
    no_finite_state = np.isnan(weights).any(axis=1)
    return lists(weights, missing=failed | no_finite_state)
