"""Trained runs and their problems as rows of the store; results/README.md documents every column."""

import json
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench.config import under
from lrbench.engines.outcome import NEVER, TARGETS, Outcome
from lrbench.plan import Column, Group, Plan
from lrbench.problems.moments import moments
from lrbench.problems.solve import Problem

_KINDS = {
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
    completed, failed = status == "completed", status == "failed"
    columns = {
        "run_id": strings(group.run_id),
        "setting_id": strings(group.setting_id),
        "problem_id": _constant(group.problem_id, count, pa.string()),
        "status": pa.array(status, pa.string()),
        "reason": pa.array(reason, pa.string()),
        **{label: _constant(choice, count, pa.string()) for label, choice in group.labels.items()},
        **{
            path: _setting(path, Column([value], np.zeros(count, dtype=np.int64)))
            for path, value in group.shared.items()
        },
        **{path: _setting(path, column) for path, column in group.columns.items()},
        "engine": _constant(engine, count, pa.string()),
        "start_loss": pa.array(outcome.loss[:, 0]),
        "start_gap": pa.array(outcome.gap[:, 0]),
        "final_loss": pa.array(np.where(completed, outcome.loss[:, -1], np.inf)),
        "final_gap": pa.array(np.where(completed, outcome.gap[:, -1], np.inf)),
        "last_epoch_gap": pa.array(np.where(completed, outcome.last_epoch_gap, np.inf)),
        "half_gap": pa.array(outcome.half_gap),
        "peak_ratio": pa.array(_ratio(outcome.peak, outcome.gap[:, 0])),
        "first_bad_step": pa.array(outcome.first_bad, mask=outcome.first_bad == NEVER),
        "last_finite_loss": pa.array(outcome.last_loss),
        "evaluations": pa.array(outcome.all_evaluations),
        **_first_hits(outcome, target),
        "final_test_loss": _test_loss(problem, outcome.weights, completed),
        "weights": _lists(outcome.weights, missing=failed | np.isnan(outcome.weights).any(axis=1)),
    }
    return pa.table(columns)


def curve_rows(group: Group, outcome: Outcome) -> pa.Table:
    """Return a row a run: the recorded states of its loss curve as lists."""
    return pa.table(
        {
            "run_id": strings(group.run_id),
            "step": _lists(np.tile(outcome.step, (len(group), 1))),
            "evaluations": _lists(outcome.evaluations),
            "loss": _lists(outcome.loss),
            "gap": _lists(outcome.gap),
        }
    )


def path_rows(group: Group, step: np.ndarray, path: np.ndarray) -> pa.Table:
    """Return a row a run: its weights (K, p) at K states, flat, state after state."""
    return pa.table(
        {
            "run_id": strings(group.run_id),
            "step": _lists(np.tile(step, (len(group), 1))),
            "weights": _lists(path.reshape(len(group), -1)),
        }
    )


def problem_rows(plan: Plan) -> pa.Table:
    """Return a row a problem and dtype: size, spectrum, minimiser, scaler."""
    groups = {group.problem_id: group for group in plan.groups}
    drawn = {group.problem_id for group in plan.groups if group.shared["batch_order"] == "replacement"}
    rows = [_problem_row(plan.problems[key], group, key in drawn) for key, group in sorted(groups.items())]
    return pa.Table.from_pylist(rows, schema=_PROBLEMS)


_SPECTRUM = ("L", "mu", "kappa", "smoothness", "trace", "effective_rank")
MOST_MOMENTS = 16  # parameters up to which the fourth moments of the samples are kept
_FLOATS = pa.list_(pa.float64())
_PROBLEMS = pa.schema(
    [(name, pa.string()) for name in ("problem_id", "problem", "loss", "dtype")]
    + [(name, pa.int64()) for name in ("n", "d", "p", "rank")]
    + [(name, pa.int64()) for name in ("test_rows", "dropped")]
    + [
        ("intercept", pa.bool_()),
        ("quadratic", pa.bool_()),
        ("attained", pa.bool_()),
        ("minimisers", pa.string()),
        ("method", pa.string()),
    ]
    + [
        (name, pa.float64())
        for name in (
            *_SPECTRUM,
            "loss_star",
            "bound",
            "digits",
            "scale",
            "gap_floor",
            "gradient_noise",
            "solve_seconds",
        )
    ]
    + [(name, _FLOATS) for name in ("w_star", "w_true", "eigenvalues", "eigenvectors")]
    + [(f"moments.{name}", _FLOATS) for name in ("samples", "curvature", "fourth", "third", "noise")]
    + [("features", pa.list_(pa.string())), ("target", pa.string()), ("note", pa.string())]
    + [
        ("x_mean", _FLOATS),
        ("x_scale", _FLOATS),
        ("y_mean", pa.float64()),
        ("y_scale", pa.float64()),
        ("settings", pa.string()),
    ]
)


def _problem_row(problem: Problem, group: Group, drawn: bool) -> dict[str, Any]:
    data, dtype = problem.data, group.shared["dtype"]
    row: dict[str, Any] = {
        "problem_id": group.problem_id,
        "dtype": dtype,
        "problem": group.labels["problem"],
        "loss": group.labels["loss"],
    }
    row |= {name: getattr(data, name) for name in ("n", "d", "p", "intercept")}
    row |= {name: getattr(data, name) for name in ("dropped", "note", "w_true")}
    row |= {
        name: getattr(problem, name)
        for name in ("rank", *_SPECTRUM, "loss_star", "digits", "scale", "eigenvalues")
    }
    row |= {name: getattr(problem, name) for name in ("gradient_noise", "solve_seconds")}
    optimum, eigenvectors = problem.optimum, problem.eigenvectors
    row |= {
        "attained": optimum.attained,
        "minimisers": optimum.kind,
        "method": optimum.method,
        "bound": optimum.bound,
    }
    row |= {
        "quadratic": problem.loss.is_quadratic,
        "test_rows": 0 if data.test is None else len(data.test[1]),
    }
    row |= {
        "w_star": optimum.w if optimum.attained else None,
        "eigenvectors": None if eigenvectors is None else eigenvectors.ravel(),
    }
    row |= {
        "gap_floor": problem.gap_floor(dtype),
        "settings": json.dumps(under(group.shared, "problem"), ensure_ascii=False),
    }
    if drawn and problem.loss.is_quadratic and not problem.loss.l2 and problem.rank == data.p <= MOST_MOMENTS:
        found = moments(data.design() @ problem.eigenvectors.T, -problem.optimum.tangent / 2)  # pyright: ignore[reportOptionalMemberAccess]
        row |= {f"moments.{name}": values for name, values in found.items()}
    row |= {"features": list(data.features), "target": data.target}
    if data.scaler is not None:
        row |= {name: getattr(data.scaler, name) for name in ("x_mean", "x_scale", "y_mean", "y_scale")}
    return row


def _setting(path: str, column: Column) -> pa.Array:
    """Numbers as float64, lists of numbers as lists of float64, other lists and mixtures as JSON."""
    used, codes = np.unique(column.codes, return_inverse=True)
    values = [_typed(path, column.values[code]) for code in used]
    if path not in _KINDS and len({type(value) for value in values if value is not None}) > 1:
        values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.array(values, _KINDS.get(path)).take(pa.array(codes))


def _typed(path: str, value: Any) -> Any:
    if path in _KINDS:
        return json.dumps(value) if isinstance(value, list) else value
    if isinstance(value, list):
        numbers = all(x is None or (isinstance(x, int | float) and not isinstance(x, bool)) for x in value)
        return (
            [None if x is None else float(x) for x in value]
            if numbers
            else json.dumps(value, ensure_ascii=False)
        )
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _test_loss(problem: Problem, weights: np.ndarray, completed: np.ndarray) -> pa.Array:
    """Return the loss over the test rows, inf unless completed; null where there are none."""
    loss = problem.test_loss(weights)
    return (
        pa.nulls(len(weights), pa.float64()) if loss is None else pa.array(np.where(completed, loss, np.inf))
    )


def _first_hits(outcome: Outcome, target: float) -> dict[str, pa.Array]:
    columns = {}
    for place, value in enumerate(targets(target)):
        name = "target" if place == len(TARGETS) else f"{value:.0e}".replace("e-0", "e-")
        hits = outcome.hits[:, place]
        columns[f"steps_to_{name}"] = pa.array(hits, mask=hits == NEVER)
        columns[f"evaluations_to_{name}"] = pa.array(
            outcome.evaluations_to_hits[:, place], mask=hits == NEVER
        )
    return columns


def targets(target: float) -> tuple[float, ...]:
    """Return the relative gaps whose first hits are counted: the fixed ones, then the request's own."""
    return (*TARGETS, target)


def strings(ids: np.ndarray) -> pa.Array:
    """Turn (R,) strings of one length into an Arrow array, without an object for each."""
    width = ids.dtype.itemsize
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(ids))
    )


def _lists(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Turn (R, k) into R lists."""
    offsets = pa.array(np.arange(len(values) + 1, dtype=np.int32) * values.shape[1])
    return pa.ListArray.from_arrays(
        offsets, pa.array(values.ravel()), mask=None if missing is None else pa.array(missing)
    )


def _constant(value: Any, count: int, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), count)


def _ratio(peak: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the peak over the start; nan where there was no finite state or the start is the minimum."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((start > 0) & (start < np.inf), peak / start, np.nan)
