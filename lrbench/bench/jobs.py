"""A sweep whose runs Hydra's launchers distribute or its sweepers decide: one job a run, into one store."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lrbench.bench import manifest
from lrbench.bench.beyond import look_beyond
from lrbench.bench.claim import claim
from lrbench.bench.run import train_missing
from lrbench.errors import RequestError
from lrbench.plan import Plan, plan
from lrbench.records import problem_rows
from lrbench.store import ResultStore
from lrbench.sweeper.jobs import run_jobs
from lrbench.sweeper.request import Request
from lrbench.train import check_optimizers


def run_with_hydra(arguments: Sequence[str], request: Request) -> ResultStore:
    """Let Hydra run the jobs of a command line; a store that stayed empty is not left behind.

    Raises:
        RequestError: nothing was run; Hydra has printed why.
        KeyboardInterrupt: when interrupted; all finished runs are stored.
    """
    store = claim(request, None)
    try:
        # the jobs are told the name: each would make another one of its own run
        run_jobs([*arguments, f"name={store.name}"], request.overrides, run_job)
        # which settings are compared is known when all jobs are done
        look_beyond(plan(manifest.blocks_of(store.manifest())), store, request.options.training)
    except (SystemExit, KeyboardInterrupt) as stopped:
        if not store.outcomes():
            store.remove()
            raise RequestError("Nothing was run.") from stopped
        manifest.close(store, "interrupted")
        if isinstance(stopped, KeyboardInterrupt):
            raise
    else:
        manifest.close(store, "complete")
    return store


def run_job(request: Request) -> float:
    """Run one job into the store that all jobs share; return its score, inf if diverged or failed."""
    options = request.options
    assert options.name is not None, "a job is told the name of its sweep"
    planned = plan(request.blocks)
    check_optimizers(planned, options.engine)
    store = ResultStore(Path(options.results_dir) / options.name)
    with store.locked():  # jobs may be processes of their own
        store.write_manifest(manifest.with_job(store.manifest(), request.blocks, planned))
        store.write_problems(_with_stored_problems(planned, store))
    # it is Hydra that distributes the jobs
    train_missing(planned, store, options.training._replace(executor="local"))
    run_id = planned.groups[0].run_id[0].decode()
    return next(row["score"] for row in store.outcomes().to_pylist() if row["run_id"] == run_id)


def _with_stored_problems(planned: Plan, store: ResultStore) -> pa.Table:
    """Return the problems of this job and of those before it."""
    rows = problem_rows(planned)
    if not store.has_problems():
        return rows
    problems = {row["problem_id"]: row for row in rows.to_pylist()}
    for row in store.problems().to_pylist():
        # a job without batches drawn with replacement has no moments of its samples: what another found stays
        if row["problem_id"] not in problems or row["moments.samples"] is not None:
            problems[row["problem_id"]] = row
    return pa.Table.from_pylist(list(problems.values()), schema=rows.schema)
