"""What stands in manifest.json: what was asked, what it became, on what it ran, and how it ended.

Each function returns a whole manifest, made from a request or the manifest before; only `close` writes one.
"""

import os
import platform
import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

import pyarrow as pa

from lrbench import __version__
from lrbench.plan import Block, Plan
from lrbench.store import ResultStore
from lrbench.sweeper.request import Request

Manifest = dict[str, Any]

PROGRAM = "python -m lrbench"
STATUSES = ("completed", "diverged", "failed")
PACKAGES = ("torch", "hydra-core", "numpy", "numba", "scipy", "pyarrow")  # whose version may change a number
OF_JOBS = ("blocks", "counts", "warnings")  # what jobs and phases have brought, beside what was asked
NO_RUNS = {"planned": 0, **dict.fromkeys(STATUSES, 0)}


def begun(name: str, request: Request, request_hash: str) -> Manifest:
    """Return the manifest of a sweep that begins."""
    options = request.options
    return {
        "name": name,
        "created": _now(),
        "finished": None,
        "state": "running",
        "request": {"overrides": request.overrides, "command": command(request)},
        "request_hash": request_hash,
        "engine": options.engine,
        "target": options.target,
        "record": options.record,
        "baselines": options.baselines,
        "counts": dict(NO_RUNS),
        "engines": {},
        "warnings": [],
        "tune": asdict(request.tune) if request.tune else None,
        "versions": versions(),
        "machine": machine(),
        "earlier": [],
        "blocks": [],
    }


def resumed(manifest: Manifest, before: Manifest) -> Manifest:
    """Let a sweep that goes on keep its first date, and the blocks that its jobs have brought."""
    kept = {key: before[key] for key in OF_JOBS}
    return manifest | {"created": before["created"], "earlier": _earlier(before)} | kept


def with_phase(manifest: Manifest, blocks: list[Block], plan: Plan) -> Manifest:
    """Say what is to be run: the blocks of this phase and of those before it, and their plan."""
    counts = {**manifest["counts"], "planned": len(plan)}
    return manifest | {
        "counts": counts,
        "warnings": plan.warnings,
        "blocks": [asdict(block) for block in blocks],
    }


def with_job(manifest: Manifest, blocks: list[Block], plan: Plan) -> Manifest:
    """Add a job's block to what the other jobs of its sweep have brought."""
    known = manifest["blocks"]
    new = [block for block in map(asdict, blocks) if block not in known]
    warnings = dict.fromkeys([*manifest["warnings"], *plan.warnings])  # each once, in their order
    counts = {**manifest["counts"], "planned": len(known) + len(new)}
    return manifest | {"blocks": [*known, *new], "warnings": list(warnings), "counts": counts}


def close(store: ResultStore, state: str) -> None:
    """Write how a sweep ended and what it counts."""
    outcomes, manifest = store.outcomes(), store.manifest()
    counts = {"planned": manifest["counts"]["planned"], **_by_status(outcomes)}
    ending = {"finished": _now(), "state": state, "counts": counts, "engines": _by_engine(outcomes)}
    store.write_manifest(manifest | ending)


def blocks_of(manifest: Manifest) -> list[Block]:
    """Read the resolved configuration back."""
    return [Block(**block) for block in manifest["blocks"]]


def command(request: Request) -> str:
    """Write the command line that asks for this."""
    words = ["-m"] if request.multirun else []
    if request.config_dir:
        words += ["--config-dir", request.config_dir]
    return " ".join([PROGRAM, *map(shlex.quote, [*words, *request.overrides])])


@cache
def versions() -> dict[str, str]:
    """Return what a number may depend on beside the request."""
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {"lrbench": __version__, "python": platform.python_version(), **packages}


def machine() -> dict[str, Any]:
    return {"platform": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def _earlier(before: Manifest) -> list[dict[str, Any]]:
    """Return on what a sweep ran in former sessions, where it was not what it runs on now."""
    now = {"versions": versions(), "machine": machine()}
    then = {key: before[key] for key in now}
    return [session for session in [*before["earlier"], then] if session != now]


def _by_status(outcomes: pa.Table) -> dict[str, int]:
    counted = outcomes.group_by("status").aggregate([([], "count_all")])
    counts = {row["status"]: row["count_all"] for row in counted.to_pylist()}
    return {status: counts.get(status, 0) for status in STATUSES}


def _by_engine(outcomes: pa.Table) -> dict[str, dict[str, int]]:
    """Count the runs of each optimizer that an engine has trained."""
    counted = outcomes.group_by(["engine", "optimizer"]).aggregate([([], "count_all")])
    in_order = counted.sort_by([("engine", "ascending"), ("optimizer", "ascending")])
    engines: dict[str, dict[str, int]] = {}
    for row in in_order.to_pylist():
        engines.setdefault(row["engine"], {})[row["optimizer"]] = row["count_all"]
    return engines


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
