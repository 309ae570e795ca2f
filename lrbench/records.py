"""Trained runs and their problems as rows of the store; results/README.md documents every column."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench.config import under
from lrbench.engines.curve import TARGETS, Curve, recorded_steps
from lrbench.plan import Column, Group, Plan
from lrbench.problems.solve import Problem

_KINDS = {
    "steps": pa.int64(),
    "seed": pa.int64(),
    "batch_size": pa.int64(),
    "batch_order": pa.string(),
    "dtype": pa.string(),
    "init": pa.string(),
}


def run_rows(group: Group, curves: Sequence[Curve], problem: Problem, target: float, engine: str) -> pa.Table:
    """Return a row a run: ids, labels, settings, status, final values, first hits, weights."""
    count, dtype = len(group), group.shared["dtype"]
    status, reason = zip(*[curve.status(problem, dtype) for curve in curves], strict=True)
    completed = [word == "completed" for word in status]
    final = [curve.steps if ok else None for curve, ok in zip(curves, completed, strict=True)]
    columns = {
        "run_id": pa.array(group.run_id.tolist(), pa.string()),
        "setting_id": pa.array(group.setting_id.tolist(), pa.string()),
        "problem_id": _constant(group.problem_id, count, pa.string()),
        "status": pa.array(status, pa.string()),
        "reason": pa.array(reason, pa.string()),
        **{label: _constant(choice, count, pa.string()) for label, choice in group.labels.items()},
        **{path: _setting(path, Column([value], np.zeros(count, dtype=np.int64))) for path, value in group.shared.items()},
        **{path: _setting(path, column) for path, column in group.columns.items()},
        "engine": _constant(engine, count, pa.string()),
        "start_loss": _floats(curve.loss[0] for curve in curves),
        "start_gap": _floats(curve.gap[0] for curve in curves),
        "final_loss": _floats(np.inf if t is None else curve.loss[t] for curve, t in zip(curves, final, strict=True)),
        "final_gap": _floats(np.inf if t is None else curve.gap[t] for curve, t in zip(curves, final, strict=True)),
        "peak_ratio": _floats(_peak_ratio(curve) for curve in curves),
        "first_bad_step": pa.array([None if curve.failure else curve.first_bad_step() for curve in curves], pa.int64()),
        "last_finite_loss": _floats(_last_finite(curve.loss) for curve in curves),
        "evaluations": _floats(curve.evaluations[-1] for curve in curves),
        **_first_hits(curves, problem, target),
        "weights": pa.array([None if curve.failure else curve.weights for curve in curves], _FLOATS),
    }
    return pa.table(columns)


def curve_rows(group: Group, curves: Sequence[Curve], record: str | int) -> pa.Table:
    """Return a row a run: the recorded states of its loss curve as lists."""
    steps = [recorded_steps(curve.steps, record) for curve in curves]
    kept = list(zip(curves, steps, strict=True))
    return pa.table(
        {
            "run_id": pa.array(group.run_id.tolist(), pa.string()),
            "step": pa.array(steps, pa.list_(pa.int64())),
            "evaluations": pa.array([curve.evaluations[t] for curve, t in kept], pa.list_(pa.float64())),
            "loss": pa.array([curve.loss[t] for curve, t in kept], pa.list_(pa.float64())),
            "gap": pa.array([curve.gap[t] for curve, t in kept], pa.list_(pa.float64())),
        }
    )


def problem_rows(plan: Plan) -> pa.Table:
    """Return a row a problem and dtype: size, spectrum, minimiser, scaler."""
    groups = {group.problem_id: group for group in plan.groups}
    return pa.Table.from_pylist([_problem_row(plan.problems[key], group) for key, group in sorted(groups.items())], schema=_PROBLEMS)


_FLOATS = pa.list_(pa.float64())
_PROBLEMS = pa.schema(
    [(name, pa.string()) for name in ("problem_id", "problem", "loss", "dtype")]
    + [(name, pa.int64()) for name in ("n", "d", "p", "rank")]
    + [("intercept", pa.bool_())]
    + [(name, pa.float64()) for name in ("L", "mu", "kappa", "loss_star", "scale", "gap_floor")]
    + [("w_star", _FLOATS), ("eigenvalues", _FLOATS), ("features", pa.list_(pa.string())), ("target", pa.string())]
    + [("x_mean", _FLOATS), ("x_scale", _FLOATS), ("y_mean", pa.float64()), ("y_scale", pa.float64()), ("settings", pa.string())]
)


def _problem_row(problem: Problem, group: Group) -> dict[str, Any]:
    data, dtype = problem.data, group.shared["dtype"]
    row: dict[str, Any] = {"problem_id": group.problem_id, "dtype": dtype, "problem": group.labels["problem"], "loss": group.labels["loss"]}
    row |= {name: getattr(data, name) for name in ("n", "d", "p", "intercept")}
    row |= {name: getattr(problem, name) for name in ("rank", "L", "mu", "kappa", "loss_star", "scale", "w_star", "eigenvalues")}
    row |= {"gap_floor": problem.gap_floor(dtype), "settings": json.dumps(under(group.shared, "problem"), ensure_ascii=False)}
    row |= {"features": list(data.features), "target": data.target}
    if data.scaler is not None:
        row |= {name: getattr(data.scaler, name) for name in ("x_mean", "x_scale", "y_mean", "y_scale")}
    return row


def _setting(path: str, column: Column) -> pa.Array:
    """Numbers as float64, lists of numbers as lists of float64, other lists and mixtures as JSON."""
    values = [_typed(path, value) for value in column.values]
    return pa.array([values[code] for code in column.codes], _KINDS.get(path))


def _typed(path: str, value: Any) -> Any:
    if path in _KINDS:
        return json.dumps(value) if isinstance(value, list) else value
    if isinstance(value, list):
        numbers = all(x is None or (isinstance(x, int | float) and not isinstance(x, bool)) for x in value)
        return [None if x is None else float(x) for x in value] if numbers else json.dumps(value, ensure_ascii=False)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _first_hits(curves: Sequence[Curve], problem: Problem, target: float) -> dict[str, pa.Array]:
    columns = {}
    for name, value in {"target": target, **{f"1e-{k}": value for k, value in enumerate(TARGETS, start=1)}}.items():
        hits = [curve.first_hit(value, problem) for curve in curves]
        columns[f"steps_to_{name}"] = pa.array(hits, pa.int64())
        evaluations = [None if t is None else curve.evaluations[t] for curve, t in zip(curves, hits, strict=True)]
        columns[f"evaluations_to_{name}"] = pa.array(evaluations, pa.float64())
    return columns


def _constant(value: Any, count: int, kind: pa.DataType) -> pa.Array:
    return pa.array([value] * count, kind)


def _floats(values) -> pa.Array:
    return pa.array([float(value) for value in values], pa.float64())


def _peak_ratio(curve: Curve) -> float:
    finite = curve.gap[np.isfinite(curve.gap)]
    return float(finite.max() / curve.gap[0]) if finite.size and curve.gap[0] > 0 else float("nan")


def _last_finite(loss: np.ndarray) -> float:
    finite = loss[np.isfinite(loss)]
    return float(finite[-1]) if finite.size else float("nan")
