"""Small stores written by hand through ResultStore: each number in them is one that a test put there."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lrbench.results import Results, load
from lrbench.store import ResultStore

FLOOR = 1e-20
LECTURE: dict[str, Any] = {
    **{"problem_id": "lecture64", "problem": "lecture", "loss": "mse_sum", "dtype": "float64", "n": 3, "d": 1, "p": 2, "intercept": True, "rank": 2},
    **{"L": 30.0, "mu": 0.8, "kappa": 37.5, "loss_star": 0.0, "scale": 8.0, "gap_floor": FLOOR, "w_star": [2.0, 0.0], "eigenvalues": [30.0, 0.8]},
    **{"quadratic": False, "attained": True, "minimisers": "unique", "method": "QR", "digits": 15.0, "effective_rank": 1.03},
    **{"test_rows": 0, "dropped": 0, "note": "", "w_true": None, "eigenvectors": None, "moments.samples": None},
    **{"features": ["x"], "target": "y", "x_mean": None, "x_scale": None, "y_mean": None, "y_scale": None, "settings": '{"intercept": true}'},
}
MANIFEST: dict[str, Any] = {
    **{"name": "study", "created": "2025-01-02T03:04:05+00:00", "finished": "2025-01-02T03:04:15+00:00", "state": "complete", "target": 1e-6},
    **{"request": {"overrides": ["optimizer=sgd"], "command": "python -m lrbench -m optimizer=sgd"}, "request_hash": "ab", "record": "all"},
    **{
        "predict": [[4]],
        "warnings": [],
        "versions": {"lrbench": "1.0.0", "python": "3.12"},
        "blocks": [],
        "engine": "auto",
        "engines": {"reference": {"sgd": 1}},
    },
    "machine": {"platform": "Linux", "processor": "x86_64", "cores": 8},
}


def identity(*parts: object) -> str:
    return hashlib.md5(repr(parts).encode()).hexdigest()


def run(
    optimizer: str = "sgd",
    gap: float = 1e-3,
    *,
    status: str = "completed",
    seed: int = 0,
    hit: int | None = None,
    evaluations_to_target: float | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A row of `runs`; changes are columns, `lr` and other plain names hyperparameters."""
    columns = {"target_": "torch.optim.SGD", "lr": 0.1} | {key: value for key, value in changes.items() if "__" not in key and key not in RUN}
    row = RUN | {key.replace("__", "."): value for key, value in changes.items() if "__" in key or key in RUN}
    row |= {f"optimizer.{'_target_' if key == 'target_' else key}": value for key, value in columns.items()}
    row["setting_id"] = identity(
        optimizer, sorted(columns.items()), [row[key] for key in ("problem_id", "steps", "batch_size", "batch_order", "init")]
    )
    final = gap if status == "completed" else np.inf
    row |= {
        "run_id": identity(row["setting_id"], seed),
        "seed": seed,
        "optimizer": optimizer,
        "status": status,
        "final_gap": final,
        "final_loss": final,
    }
    row |= {"start_gap": 8.0 + seed, "start_loss": 8.0 + seed, "steps_to_target": hit}
    row["evaluations_to_target"] = hit if evaluations_to_target is None else evaluations_to_target
    return row | {key: value for key, value in changes.items() if key in RUN}


RUN: dict[str, Any] = {
    **{"problem_id": "lecture64", "problem": "lecture", "loss": "mse_sum", "problem.intercept": True, "loss.reduction": "sum", "dtype": "float64"},
    **{"steps": 8, "batch_size": None, "batch_order": "sequential", "init": "torch", "engine": "reference", "reason": None, "peak_ratio": 1.0},
    **{
        "first_bad_step": None,
        "last_finite_loss": 1.0,
        "final_test_loss": None,
        "evaluations": 8.0,
        "weights": [2.0, 0.0],
        "final_loss": 0.0,
        "start_loss": 0.0,
        "start_gap": 8.0,
    },
}


def curve(row: dict[str, Any]) -> dict[str, Any]:
    """Straight on a log axis from the start's gap to the final one; a diverged run doubles for three steps, then is inf."""
    steps = np.arange(row["steps"] + 1)
    if row["status"] == "completed":
        gap = row["start_gap"] * (max(row["final_gap"], 1e-30) / row["start_gap"]) ** (steps / row["steps"])
    else:
        gap = np.where(steps <= 3, row["start_gap"] * 2.0**steps, np.inf)
    return {"run_id": row["run_id"], "step": steps, "evaluations": steps.astype(float), "loss": gap, "gap": gap}


Write = Callable[..., Results]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(*rows, problems=..., folder=..., **manifest) -> Results: a part an optimizer, as a sweep writes them."""

    def written(*rows: dict[str, Any], problems: tuple[dict[str, Any], ...] = (LECTURE,), folder: str = "study", **manifest: Any) -> Results:
        store = ResultStore(tmp_path / folder)
        for optimizer in dict.fromkeys(row["optimizer"] for row in rows):
            part = [row for row in rows if row["optimizer"] == optimizer]
            curves = [curve(row) for row in part if row["status"] != "failed"]
            schema = {name: pa.array([c[name] for c in curves], kind) for name, kind in CURVES.items()}
            store.append(pa.Table.from_pylist(part), pa.table(schema))
        store.write_problems(pa.Table.from_pylist(list(problems)))
        counts = {status: sum(row["status"] == status for row in rows) for status in ("completed", "diverged", "failed")}
        store.write_manifest(MANIFEST | {"counts": {"planned": len(rows), **counts}} | manifest)
        return load(store.root)

    return written


NUMBERS = pa.list_(pa.float64())
CURVES = {"run_id": pa.string(), "step": pa.list_(pa.int64()), "evaluations": NUMBERS, "loss": NUMBERS, "gap": NUMBERS}
