"""From a request to a store: plan, claim the folder, train what is missing, keep what is done."""

import os
import platform
import shlex
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lrbench import __version__
from lrbench.config import Leaves, show
from lrbench.errors import RequestError
from lrbench.plan import Block, Plan, Solved, plan
from lrbench.records import problem_rows
from lrbench.store import ResultStore
from lrbench.sweeper.request import Request
from lrbench.train import Rows, check_optimizers, trace, train
from lrbench.tuning import Phase, evaluation_seeds, phases

FLUSH_SECONDS = 5.0
FLUSH_BYTES = 2**27
STATUSES = ("completed", "diverged", "failed")

Progress = Callable[[int, int], None]  # runs done, runs planned


def run(request: Request, progress: Progress = lambda done, planned: None) -> tuple[ResultStore, Plan]:
    """Run what a request asks for and is not stored yet; return the store, and the plan of all its runs.

    Raises:
        RequestError: for a wrong request, before anything is written.
        KeyboardInterrupt: when interrupted; all finished runs are stored, and the same request goes on from there.
    """
    solved: Solved = {}
    phases = _phases(request, lambda: store.outcomes(), solved)  # asked for when there is a store
    first = next(phases)
    todo = plan(first.blocks, solved)
    check_optimizers(todo, request.ask["engine"])
    store = _claim(request, todo)
    _begin(store, request, todo)
    try:
        for phase in chain([first], phases):
            todo = plan(phase.blocks, solved)
            if phase.last or len(
                _missing(todo, store)
            ):  # a search that is stored stays under the roles that it has
                _train_phase(phase, todo, store, request.ask, progress)
    except KeyboardInterrupt:
        close(store, "interrupted")
        raise
    close(store, "complete")
    return store, todo


def _phases(request: Request, outcomes: Callable[[], pa.Table], solved: Solved) -> Iterator[Phase]:
    """Return what is to be run, a phase at a time: all at once where nothing is tuned."""
    return (
        phases(request.blocks, request.tune, outcomes, solved)
        if request.tune
        else iter([Phase(request.blocks, None)])
    )


def _train_phase(phase: Phase, todo: Plan, store: ResultStore, ask: Leaves, progress: Progress) -> None:
    """Say in the store what is to be run and what for, and train what is missing of it."""
    manifest = store.manifest()
    counts = {**manifest["counts"], "planned": len(todo)}
    store.write_manifest(
        {
            **manifest,
            "counts": counts,
            "warnings": todo.warnings,
            "blocks": [asdict(block) for block in phase.blocks],
        }
    )
    store.write_problems(problem_rows(todo))
    if phase.roles:
        planned = np.concatenate(
            [group.run_id for group in todo.groups]
        )  # where nothing depends on the seed, one of the seeds alone
        store.write_roles(
            phase.roles.filter(np.isin(phase.roles["run_id"].to_numpy().astype("S32"), planned))
        )
    _train_missing(todo, store, ask, progress)


def keep_paths(store: ResultStore, todo: Plan, run_ids: Sequence[str], ask: Leaves) -> None:
    """Store the weights on the way of a few runs of a plan: they are trained once more, to the same bits."""
    paths = list(trace(todo.only(np.array(run_ids, dtype="S32")), ask))
    if paths:
        store.write_paths(pa.concat_tables(paths))


def run_job(request: Request) -> float:
    """Run one job of Hydra's launchers and sweepers into the store that all jobs share; return its final gap, inf if diverged or failed."""
    todo = plan(request.blocks)
    check_optimizers(todo, request.ask["engine"])
    store = ResultStore(Path(request.ask["results_dir"]) / request.ask["name"])
    with store.locked():
        store.write_manifest(_joined(store.manifest(), request, todo))
        store.write_problems(_with_problems(store, todo))
    _train_missing(todo, store, request.ask, lambda done, planned: None)
    run_id = todo.groups[0].run_id[0].decode()
    return next(row["final_gap"] for row in store.outcomes().to_pylist() if row["run_id"] == run_id)


def open_for_jobs(request: Request) -> ResultStore:
    """Claim the store of a sweep whose runs one of Hydra's own sweepers or launchers will decide or distribute."""
    store = _claim(request, None)
    _begin(store, request, None)
    return store


def close(store: ResultStore, state: str) -> None:
    """Write how a sweep ended and what it counts."""
    outcomes, manifest = store.outcomes(), store.manifest()
    statuses = {
        row["status"]: row["count_all"]
        for row in outcomes.group_by("status").aggregate([([], "count_all")]).to_pylist()
    }
    counts = {"planned": manifest["counts"]["planned"], **{word: statuses.get(word, 0) for word in STATUSES}}
    trained = (
        outcomes.group_by(["engine", "optimizer"])
        .aggregate([([], "count_all")])
        .sort_by([("engine", "ascending"), ("optimizer", "ascending")])
    )
    engines: dict[str, dict[str, int]] = defaultdict(dict)
    for row in trained.to_pylist():
        engines[row["engine"]][row["optimizer"]] = row["count_all"]
    store.write_manifest(
        {**manifest, "finished": _now(), "state": state, "counts": counts, "engines": engines}
    )


def name_of(request: Request, todo: Plan | None) -> str:
    """Name a sweep by its problems, its optimizers and a short hash: the same request finds its own folder."""
    parts = []
    for group in ("problem", "optimizer") if todo else ():
        labels = sorted({g.labels[group] for g in todo.groups})  # type: ignore[union-attr]
        parts.append("+".join(labels) if len(labels) <= 3 else f"{len(labels)}-{group}s")
    return "-".join([*(parts or ["sweep"]), _request_hash(request, todo)[:8]])


def _missing(todo: Plan, store: ResultStore) -> Plan:
    return todo.without(store.outcomes()["run_id"].to_numpy().astype("S32"))


def _train_missing(todo: Plan, store: ResultStore, ask: Leaves, progress: Progress) -> None:
    missing = _missing(todo, store)
    planned, done = len(todo), len(todo) - len(missing)
    rows = _Buffer(store)
    progress(done, planned)
    try:
        for runs, curves in train(missing, ask):
            rows.add(runs, curves)
            done += len(runs)
            progress(done, planned)
    finally:
        rows.flush()


class _Buffer:
    """Trained rows on their way to the store, written every few seconds and before they take much memory."""

    def __init__(self, store: ResultStore):
        self._store = store
        self._empty()

    def _empty(self) -> None:
        self._tables: dict[pa.Schema, list[Rows]] = defaultdict(list)
        self._since, self._bytes = time.monotonic(), 0

    def add(self, runs: pa.Table, curves: pa.Table) -> None:
        self._tables[runs.schema].append((runs, curves))
        self._bytes += runs.nbytes + curves.nbytes
        if time.monotonic() - self._since > FLUSH_SECONDS or self._bytes > FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        for tables in self._tables.values():
            runs, curves = map(pa.concat_tables, zip(*tables, strict=True))
            self._store.append(runs, curves)
        self._empty()


def _claim(request: Request, todo: Plan | None) -> ResultStore:
    """Find the folder of this request: a new one, or its own from before."""
    ask = request.ask
    store = ResultStore(Path(ask["results_dir"]) / (ask["name"] or name_of(request, todo)))
    if ask["fresh"] and store.root.exists():
        _write(store.set_aside, store)
    if store.exists() and ResultStore.open(store.root).manifest()["request_hash"] != _request_hash(
        request, todo
    ):
        raise RequestError(
            f"name: {store.root} holds the results of another request:\n  {store.manifest()['request']['command']}\n"
            "Give another name=..., or fresh=true to move that folder aside."
        )
    if not store.exists() and store.root.exists() and any(store.root.iterdir()):
        raise RequestError(
            f"name: {store.root} exists and is no result set. Give another name=..., or fresh=true to move it aside."
        )
    return store


def _begin(store: ResultStore, request: Request, todo: Plan | None) -> None:
    """Write the manifest. A sweep that goes on keeps its first date, and the blocks that its jobs have brought."""
    manifest = _manifest(store.name, request, todo)
    if store.exists():
        before = store.manifest()
        manifest |= {
            "created": before["created"],
            "earlier": _earlier(before),
            **{key: before[key] for key in ("blocks", "counts", "warnings")},
        }
    _write(lambda: store.write_manifest(manifest), store)


def _write(act: Callable[[], Any], store: ResultStore) -> None:
    """Do the first write into a result folder."""
    try:
        act()
    except OSError as error:
        raise RequestError(
            f"results_dir: {store.root} cannot be written ({error.strerror}). Give another results_dir=..."
        ) from error


def _manifest(name: str, request: Request, todo: Plan | None) -> dict[str, Any]:
    return {
        "name": name,
        "created": _now(),
        "finished": None,
        "state": "running",
        "request": {"overrides": request.overrides, "command": command(request)},
        "request_hash": _request_hash(request, todo),
        **{key: request.ask[key] for key in ("engine", "target", "record", "predict", "baselines")},
        "counts": {"planned": 0, "completed": 0, "diverged": 0, "failed": 0},
        "engines": {},
        "warnings": [],
        "tune": asdict(request.tune) if request.tune else None,
        "versions": versions(),
        "machine": machine(),
        "earlier": [],
        "blocks": [],
    }


def _joined(manifest: dict[str, Any], request: Request, todo: Plan) -> dict[str, Any]:
    """Add a job's block to the manifest of its sweep."""
    blocks = manifest["blocks"] + [
        block for block in map(asdict, request.blocks) if block not in manifest["blocks"]
    ]
    warnings = list(dict.fromkeys([*manifest["warnings"], *todo.warnings]))
    return {
        **manifest,
        "blocks": blocks,
        "warnings": warnings,
        "counts": {**manifest["counts"], "planned": len(blocks)},
    }


def _with_problems(store: ResultStore, todo: Plan) -> pa.Table:
    rows = problem_rows(todo)
    if not store.has_problems():
        return rows
    new = {row["problem_id"]: row for row in rows.to_pylist()}
    # a job without batches drawn with replacement has no moments of its rows, so what another job found stays
    known = {
        row["problem_id"]: row
        for row in store.problems().to_pylist()
        if row["problem_id"] not in new or row["moments.samples"] is not None
    }
    return pa.Table.from_pylist(list((new | known).values()), schema=rows.schema)


def _request_hash(request: Request, todo: Plan | None) -> str:
    """Hash what decides the numbers: the runs and how they are recorded; the lines themselves where Hydra's own sweeper decides the runs."""
    what = todo.fingerprint() if todo else sorted(request.overrides)
    asked = [request.ask[key] for key in ("record", "target", "predict", "engine")]
    if request.tune:  # the plan is that of the trials
        defaults = [request.tune.defaults(block.choices["optimizer"], block.base) for block in request.blocks]
        asked += [asdict(request.tune), sorted(evaluation_seeds(request.blocks)), sorted(map(show, defaults))]
    return blake2b(show([what, asked]).encode(), digest_size=16).hexdigest()


def command(request: Request) -> str:
    """Write the command line that asks for this."""
    own = ["--config-dir", request.config_dir] if request.config_dir else []
    return " ".join(
        ["python -m lrbench", *["-m"] * request.multirun, *map(shlex.quote, [*own, *request.overrides])]
    )


def blocks_of(manifest: dict[str, Any]) -> list[Block]:
    """Read the resolved configuration back."""
    return [Block(**block) for block in manifest["blocks"]]


@cache
def versions() -> dict[str, str]:
    packages: Sequence[str] = ("torch", "hydra-core", "numpy", "numba", "scipy", "pyarrow")
    return {
        "lrbench": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def machine() -> dict[str, Any]:
    return {"platform": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def _earlier(before: dict[str, Any]) -> list[dict[str, Any]]:
    """Return on what a sweep ran in former sessions, where it was not what it runs on now."""
    now = {"versions": versions(), "machine": machine()}
    then = {key: before[key] for key in now}
    return [session for session in [*before["earlier"], then] if session != now]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
