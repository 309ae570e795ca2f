"""A row a problem and dtype: its size, spectrum and exact minimiser, and the way back to the file's units.

Given a plan, the lecture's problem is the row

    problem_id "4a07...", problem "lecture", loss "mse_sum", dtype "float64", n 3, d 1, p 2, rank 2, ...,
    minimisers "unique", method "QR", L 33.3, mu 0.721, kappa 46.1, ..., scale 8, gap_floor 6.6e-29, ...,
    w_star [2, -2e-16], eigenvalues [33.3, 0.721], ..., features ["x"], target "y", ..., settings "{...}"
"""

import json
from typing import Any

import pyarrow as pa

from lrbench.config import under
from lrbench.plan import Group, Plan
from lrbench.problems import Data
from lrbench.problems.moments import moments
from lrbench.problems.solve import Problem

MOST_MOMENTS = 16  # parameters: their fourth moments are (p (p + 1) / 2)^2 numbers, 18,496 here

_FLOATS = pa.list_(pa.float64())
# in the order of the file; a function below for each group of facts
_SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("problem", pa.string()),
        ("loss", pa.string()),
        ("dtype", pa.string()),
        ("n", pa.int64()),
        ("d", pa.int64()),
        ("p", pa.int64()),
        ("rank", pa.int64()),
        ("test_rows", pa.int64()),
        ("dropped", pa.int64()),
        ("intercept", pa.bool_()),
        ("quadratic", pa.bool_()),
        ("attained", pa.bool_()),
        ("minimisers", pa.string()),
        ("method", pa.string()),
        ("L", pa.float64()),
        ("mu", pa.float64()),
        ("kappa", pa.float64()),
        ("smoothness", pa.float64()),
        ("trace", pa.float64()),
        ("effective_rank", pa.float64()),
        ("loss_star", pa.float64()),
        ("bound", pa.float64()),
        ("digits", pa.float64()),
        ("scale", pa.float64()),
        ("gap_floor", pa.float64()),
        ("gradient_noise", pa.float64()),
        ("solve_seconds", pa.float64()),
        ("w_star", _FLOATS),
        ("w_true", _FLOATS),
        ("eigenvalues", _FLOATS),
        ("eigenvectors", _FLOATS),
        ("moments.samples", _FLOATS),
        ("moments.curvature", _FLOATS),
        ("moments.fourth", _FLOATS),
        ("moments.third", _FLOATS),
        ("moments.noise", _FLOATS),
        ("features", pa.list_(pa.string())),
        ("target", pa.string()),
        ("note", pa.string()),
        ("x_mean", _FLOATS),
        ("x_scale", _FLOATS),
        ("y_mean", pa.float64()),
        ("y_scale", pa.float64()),
        ("settings", pa.string()),
    ]
)


def problem_rows(plan: Plan) -> pa.Table:
    """Return a row a problem and dtype that a plan has runs of, by id; what does not apply is null."""
    groups = {group.problem_id: group for group in plan.groups}
    drawn = {group.problem_id for group in plan.groups if group.shared["batch_order"] == "replacement"}
    rows = []
    for problem_id, group in sorted(groups.items()):
        row = _problem_row(plan.problems[problem_id], group)
        if problem_id in drawn:
            row |= _moments(plan.problems[problem_id])
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _problem_row(problem: Problem, group: Group) -> dict[str, Any]:
    """Return the row of a problem; any of its groups tells the names that it goes by."""
    data, dtype = problem.data, group.shared["dtype"]
    return (
        _names(group)
        | {"dtype": dtype, "gap_floor": problem.gap_floor(dtype)}
        | _size(data)
        | _minimum(problem)
        | _spectrum(problem)
        | _columns_and_units(data)
    )


def _names(group: Group) -> dict[str, Any]:
    return {
        "problem_id": group.problem_id,
        "problem": group.labels["problem"],
        "loss": group.labels["loss"],
        "settings": json.dumps(under(group.shared, "problem"), ensure_ascii=False),
    }


def _size(data: Data) -> dict[str, Any]:
    return {
        "n": data.n,
        "d": data.d,
        "p": data.p,
        "intercept": data.intercept,
        "test_rows": 0 if data.test is None else len(data.test[1]),
        "dropped": data.dropped,
    }


def _minimum(problem: Problem) -> dict[str, Any]:
    """Where the minimum is, how low, how sure that is, and the gaps that are told by it."""
    optimum = problem.optimum
    return {
        "quadratic": problem.loss.is_quadratic,
        "attained": optimum.attained,
        "minimisers": optimum.kind,
        "method": optimum.method,
        "w_star": optimum.w if optimum.attained else None,
        "w_true": problem.data.w_true,
        "loss_star": problem.loss_star,
        "bound": optimum.bound,
        "digits": problem.digits,
        "scale": problem.scale,
        "gradient_noise": problem.gradient_noise,
        "solve_seconds": problem.solve_seconds,
    }


def _spectrum(problem: Problem) -> dict[str, Any]:
    """The Hessian at the minimiser; its eigenvectors flat, one after the other."""
    eigenvectors = problem.eigenvectors
    return {
        "rank": problem.rank,
        "L": problem.L,
        "mu": problem.mu,
        "kappa": problem.kappa,
        "smoothness": problem.smoothness,
        "trace": problem.trace,
        "effective_rank": problem.effective_rank,
        "eigenvalues": problem.eigenvalues,
        "eigenvectors": None if eigenvectors is None else eigenvectors.ravel(),
    }


def _columns_and_units(data: Data) -> dict[str, Any]:
    """What the columns are called, where they come from, and how they were standardized."""
    row: dict[str, Any] = {"features": list(data.features), "target": data.target, "note": data.note}
    if data.scaler is not None:
        row["x_mean"] = data.scaler.x_mean
        row["x_scale"] = data.scaler.x_scale
        row["y_mean"] = data.scaler.y_mean
        row["y_scale"] = data.scaler.y_scale
    return row


def _moments(problem: Problem) -> dict[str, Any]:
    """The samples' moments in the eigenbasis, of squared errors without a penalty; nothing where too many."""
    data, loss = problem.data, problem.loss
    if not loss.is_quadratic or loss.l2 or problem.rank < data.p or data.p > MOST_MOMENTS:
        return {}
    eigenvectors = problem.eigenvectors
    assert eigenvectors is not None  # so few are always kept
    slopes = problem.optimum.tangent  # (n,) of the squared errors, -2 (y - A w*)
    of_samples = moments(data.design() @ eigenvectors.T, residuals=-slopes / 2)
    return {f"moments.{name}": values for name, values in of_samples.items()}
