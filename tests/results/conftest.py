"""Small stores written by hand through ResultStore: each number in them is one that a test put there."""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import rule

from lrbench.bench.run import keep_paths, run_sweep
from lrbench.results import Results, load
from lrbench.store import ResultStore
from lrbench.sweeper.request import read

FLOOR = 1e-20
LECTURE: dict[str, Any] = {
    "problem_id": "lecture64",
    "problem": "lecture",
    "loss": "mse_sum",
    "dtype": "float64",
    "n": 3,
    "d": 1,
    "p": 2,
    "intercept": True,
    "rank": 2,
    "L": 30.0,
    "mu": 0.8,
    "kappa": 37.5,
    "loss_star": 0.0,
    "scale": 8.0,
    "gap_floor": FLOOR,
    "w_star": [2.0, 0.0],
    "eigenvalues": [30.0, 0.8],
    "quadratic": False,
    "attained": True,
    "minimisers": "unique",
    "method": "QR",
    "digits": 15.0,
    "effective_rank": 1.03,
    "test_rows": 0,
    "dropped": 0,
    "note": "",
    "w_true": None,
    "eigenvectors": None,
    "moments.samples": None,
    "features": ["x"],
    "target": "y",
    "x_mean": None,
    "x_scale": None,
    "y_mean": None,
    "y_scale": None,
    "settings": '{"intercept": true}',
    "solve_seconds": 8e-4,
}
FLAT = LECTURE | {"problem_id": "flat64", "problem": "flat", "scale": None}  # nothing to learn: no scale
ON_FLAT = {"problem_id": "flat64", "problem": "flat"}


def block(problem: str = "lecture") -> dict[str, Any]:
    """A block of the manifest, which asks for the prediction for x = 4."""
    choices = {"problem": problem, "loss": "mse_sum", "optimizer": "sgd", "schedule": "none"}
    return {"choices": choices, "base": {"predict": [[4]]}, "axes": []}


MANIFEST: dict[str, Any] = {
    "name": "study",
    "created": "2025-01-02T03:04:05+00:00",
    "finished": "2025-01-02T03:04:15+00:00",
    "state": "complete",
    "target": 1e-6,
    "request": {"overrides": ["optimizer=sgd"], "command": "python -m lrbench -m optimizer=sgd"},
    "request_hash": "ab",
    "record": "all",
    "warnings": [],
    "versions": {"lrbench": "1.0.0", "python": "3.12"},
    "blocks": [block()],
    "engine": "auto",
    "engines": {"reference": {"sgd": 1}},
    "machine": {"platform": "Linux", "processor": "x86_64", "cores": 8},
    "tune": None,
    "earlier": [],
}
TUNE: dict[str, Any] = {
    "choice": "lr",
    "keys": ["lr"],
    "trials": 3,
    "seeds": [100, 101],
    "seed": 0,
    "sampler": "grid",
    "rise": 100,
    "units": "absolute",
    "lr": [1e-5, 1e2],
    "boxes": {},
}


def opened(root: Path) -> Results:
    """What a stored sweep is loaded as."""
    return load(root)


def swept(folder: Path, *lines: str) -> Results:
    """Run a sweep into this folder; with report=true its paths are kept too, but no page is made of it."""
    request = read([*lines, f"results_dir={folder}"], multirun=True)
    finished = run_sweep(request)
    results = opened(finished.store.root)
    if request.options.report:
        keep_paths(finished, results.shown_runs, request.options.training)
    return results


SPELLED = {"target_": "_target_"}  # a keyword, and the key that it stands for


def identity(*parts: object) -> str:
    return hashlib.md5(repr(parts).encode()).hexdigest()


def run(
    optimizer: str = "sgd",
    gap: float | None = None,
    *,
    status: str = "completed",
    seed: int = 0,
    hit: float | None = None,
    cost: float | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A row of `runs`; changes are columns, `lr` and other plain names hyperparameters.

    cost: it arrives after so many evaluations, and ends within the target. gap: where it ends, its level too;
    1e-3 misses the target, a gap of 8e-6. hit: it is within the target by then, and stays if it ends there.
    Whatever is left open is read off its `curve`; a status other than "completed" is a lost run.
    """
    settings = {"target_": "torch.optim.SGD", "lr": 0.1}
    row = dict(RUN)
    given = {}
    for key, value in changes.items():
        if key in RUN:
            given[key] = value
        elif "__" in key:
            row[key.replace("__", ".")] = value
        else:
            settings[key] = value
    row |= given
    row |= {f"optimizer.{SPELLED.get(key, key)}": value for key, value in settings.items()}
    task = [row[key] for key in ("problem_id", "steps", "batch_size", "batch_order", "init")]
    row["setting_id"] = identity(optimizer, sorted(settings.items()), task)
    hit = hit if cost is None else cost
    gap = gap if gap is not None else MISSING if cost is None else ARRIVED
    final = gap if status == "completed" else np.inf
    start = 8.0 + seed
    row |= {
        "run_id": identity(row["setting_id"], seed),
        "fingerprint": int(identity(optimizer, status, gap, hit, seed)[:15], 16),
        "seed": seed,
        "optimizer": optimizer,
        "status": status,
        "final_gap": final,
        "final_loss": final,
        "level": final,
        "start_gap": start,
        "start_loss": start,
        "steps_to_target": None if hit is None else math.ceil(hit),
        "evaluations_to_target": hit,
        "steps_taken": row["steps"],
        "evaluations": float(row["steps"]),
        "budget": float(row["steps"]),
    }
    row |= given
    row["half_level"] = curve(row)["gap"][row["steps"] // 2]
    return worth(row | first_hits(row) | given) | given


MISSING, ARRIVED = 1e-3, 1e-9  # gaps that are not within the target, and are


def worth(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its costs and scores, within the budget and half of it: what costs so many evaluations is
    within the target from there on, if its level is.
    """
    targets = {f"1e-{k}": float(f"1e-{k}") for k in range(1, 9)} | {"target": row["relative_target"]}
    columns = {}
    for half, budget in (("", row["budget"]), ("half_", row["budget"] / 2)):
        level = row[f"{half}level"]
        for name, target in targets.items():
            own = "target" if target == row["relative_target"] else name
            hit = row[f"evaluations_to_{own}"]
            arrived = level <= goal(row, target)
            columns[f"{half}cost_{name}"] = min(max(hit or 1, 1), budget) if arrived else None
        cost = columns[f"{half}cost_target"]
        of_level = np.log(level) - np.log(goal(row, row["relative_target"])) if cost is None else 0.0
        columns[f"{half}score"] = float(of_level if cost is None else np.log(cost / budget))
    return row | columns


def goal(row: dict[str, Any], target: float) -> float:
    """The gap that is a target of a run: the floor where its problem has no scale."""
    scale = 0.0 if row["problem_id"] == FLAT["problem_id"] else LECTURE["scale"]
    return max(target * scale, FLOOR)


def runs_at_rates(reaching: dict[float, bool], name: str = "sgd") -> list[dict[str, Any]]:
    """Two seeds a learning rate, which arrive after as many evaluations or miss the target."""
    rows = []
    for lr, reaches in reaching.items():
        how = {"cost": 5} if reaches else {"gap": MISSING}
        rows += [run(name, lr=lr, seed=seed, **how) for seed in range(2)]
    return rows


def first_hits(row: dict[str, Any]) -> dict[str, Any]:
    """The first steps of a run's curve within its target, unless that is given, and with relative gaps of
    1e-1 ... 1e-8; its evaluations are its steps.
    """
    gap = curve(row)["gap"]
    targets = {f"1e-{k}": float(f"1e-{k}") for k in range(1, 9)}
    if row["evaluations_to_target"] is None:
        targets["target"] = row["relative_target"]
    costs = {}
    for name, target in targets.items():
        hits = np.flatnonzero(gap <= goal(row, target) * (1 + 1e-9))
        step = int(hits[0]) if len(hits) else None
        costs[f"steps_to_{name}"] = step
        costs[f"evaluations_to_{name}"] = step
    return costs


def role(
    row: dict[str, Any],
    role: str,
    trial: int | None = None,
    box: tuple[float, float] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A row of `roles` for a run; changes are columns."""
    low, high = box or (None, None)
    return {
        "run_id": row["run_id"],
        "role": role,
        "optimizer": row["optimizer"],
        "trial": trial,
        "lr_low": low,
        "lr_high": high,
    } | changes


def tuned(
    optimizer: str,
    trials: dict[float, list[float]],
    best: list[float],
    default: list[float] | None = None,
    *,
    by: str = "gap",
    **changes: Any,
) -> list[tuple]:
    """A tuned competitor as (run, role) pairs.

    trials: lr -> what its runs end at on the tuning seeds 100, 101, ..., or cost with by="cost"; the lr that
    the rule chooses goes on to the seeds 0, 1, ..., where `best` is that; default: that of lr = 0.001. The
    box is [1e-5, 1e2]; inf is a diverged run.
    """

    def runs(numbers: list[float], lr: float, first: int) -> list[dict[str, Any]]:
        rows = []
        for seed, number in enumerate(numbers, start=first):
            how = {by: number} if np.isfinite(number) else {"status": "diverged"}
            rows.append(run(optimizer, lr=lr, seed=seed, **how, **changes))
        return rows

    tried = [runs(numbers, lr, 100) for lr, numbers in trials.items()]
    scores = [[row["score"] for row in rows] for rows in tried]
    rises = [[row["rise"] for row in rows] for rows in tried]
    chosen = rule.choose(scores, rises)
    pairs = []
    for number, rows in enumerate(tried):
        pairs += [(row, role(row, "trial", number, BOX)) for row in rows]
    evaluated = runs(best, list(trials)[chosen], 0)
    pairs += [(row, role(row, "evaluation", chosen)) for row in evaluated]
    pairs += [(row, role(row, "default")) for row in runs(default or [], DEFAULT_LR, 0)]
    return pairs


BOX = (1e-5, 1e2)  # that trials are drawn from
DEFAULT_LR = 0.001
RUN: dict[str, Any] = {
    "problem_id": "lecture64",
    "problem": "lecture",
    "loss": "mse_sum",
    "problem.intercept": True,
    "loss.reduction": "sum",
    "dtype": "float64",
    "steps": 8,
    "batch_size": None,
    "batch_order": "sequential",
    "init": "torch",
    "engine": "reference",
    "reason": None,
    "relative_target": 1e-6,
    "rise": 1.0,
    "budget": 8.0,
    "steps_taken": 8,
    "evaluations_per_step": 1.0,
    "last_step_changed_nothing": False,
    "fingerprint": 0,
    "first_bad_step": None,
    "last_finite_loss": 1.0,
    "final_test_loss": None,
    "evaluations": 8.0,
    "weights": [2.0, 0.0],
    "final_loss": 0.0,
    "start_loss": 0.0,
    "start_gap": 8.0,
    "level": 0.0,
    "half_level": 0.0,
}
RUN |= {f"steps_to_1e-{k}": None for k in range(1, 9)}
RUN |= {f"evaluations_to_1e-{k}": None for k in range(1, 9)}


def curve(row: dict[str, Any]) -> dict[str, Any]:
    """Straight on a log axis from the start's gap to the final one, by way of the target where it is known
    when that is reached; a diverged run doubles for three steps, then is inf.
    """
    steps = np.arange(row["steps"] + 1)
    start = row["start_gap"]
    if row["status"] == "completed":
        hit = row["evaluations_to_target"]
        final = (row["steps"], max(row["final_gap"], 1e-30))
        on_the_way = (
            [] if hit is None or not 0 < hit < row["steps"] else [(hit, goal(row, row["relative_target"]))]
        )
        x, y = zip((0, start), *on_the_way, final, strict=True)
        gap = np.exp(np.interp(steps, x, np.log(y)))
    else:
        gap = np.where(steps <= 3, start * 2.0**steps, np.inf)
    return {
        "run_id": row["run_id"],
        "step": steps,
        "evaluations": steps.astype(float),
        "loss": gap,
        "gap": gap,
    }


Write = Callable[..., Results]


def store_runs(store: ResultStore, rows: Iterable[dict[str, Any]]) -> None:
    """Append the runs with their curves, a part an optimizer, as a sweep does; a failed run has no curve."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault(row["optimizer"], []).append(row)
    for part in parts.values():
        curves = [curve(row) for row in part if row["status"] != "failed"]
        columns = {name: pa.array([own[name] for own in curves], kind) for name, kind in CURVES.items()}
        store.append(pa.Table.from_pylist(part), pa.table(columns))


def counts(rows: Collection[dict[str, Any]]) -> dict[str, int]:
    """What the manifest counts of the runs."""
    ended = [row["status"] for row in rows]
    return {"planned": len(rows)} | {status: ended.count(status) for status in STATUSES}


STATUSES = ("completed", "diverged", "failed")


def stored(
    root: Path,
    *rows: dict[str, Any],
    problems: tuple[dict[str, Any], ...] = (LECTURE,),
    roles: list[dict[str, Any]] | None = None,
    beyond: dict[str, list] | None = None,
    **manifest: Any,
) -> Results:
    """Write a store and load it; roles: of a tuned sweep; beyond: how some runs go on."""
    store = ResultStore(root)
    if beyond is not None:
        store.write_beyond(pa.table(beyond))
    if roles is not None:
        store.write_roles(pa.Table.from_pylist(roles, ROLES))
        manifest = {"tune": TUNE} | manifest
    store_runs(store, rows)
    store.write_problems(pa.Table.from_pylist(list(problems)))
    store.write_manifest(MANIFEST | {"counts": counts(rows)} | manifest)
    return opened(root)


def stored_tuned(root: Path, *competitors: list[tuple], **options: Any) -> Results:
    """Write a tuned store and load it; competitors: as `tuned` gives them."""
    pairs = [pair for competitor in competitors for pair in competitor]
    rows = {row["run_id"]: row for row, _ in pairs}
    return stored(root, *rows.values(), roles=[role for _, role in pairs], **options)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(*rows, folder=..., **options) -> Results: `stored` in the test's own folder."""
    return lambda *rows, folder="study", **options: stored(tmp_path / folder, *rows, **options)


@pytest.fixture
def write_tuned(tmp_path: Path) -> Write:
    """write_tuned(*competitors, folder=..., **options) -> Results: `stored_tuned` there."""
    return lambda *rows, folder="study", **options: stored_tuned(tmp_path / folder, *rows, **options)


ROLES = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "role", "optimizer")),
        ("trial", pa.int64()),
        *((name, pa.float64()) for name in ("lr_low", "lr_high")),
    ]
)
NUMBERS = pa.list_(pa.float64())
CURVES = {
    "run_id": pa.string(),
    "step": pa.list_(pa.int64()),
    "evaluations": NUMBERS,
    "loss": NUMBERS,
    "gap": NUMBERS,
}

# below what they are made of: fixtures of the session
from reports import hostile_sweep, once, tuned_sweep, two_tuned, whole_report  # noqa: E402, F401
