"""Run what a request asks for and is not stored yet, phase by phase where it is tuned."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lrbench.bench import manifest
from lrbench.bench.beyond import look_beyond
from lrbench.bench.claim import claim
from lrbench.bench.progress import Progress, no_progress
from lrbench.errors import RequestError
from lrbench.options import TrainOptions
from lrbench.plan import Plan, Solved, plan
from lrbench.records import problem_rows
from lrbench.store import ResultStore
from lrbench.sweeper.request import Request
from lrbench.train import Rows, check_optimizers, trace, train
from lrbench.tuning import Phase, phases

FLUSH_SECONDS = 5.0  # between two parts: what a crash may cost
FLUSH_BYTES = 2**27  # of rows that wait in memory


class Sweep(NamedTuple):
    """A sweep that has run: its store, the plan of its last phase, which holds all its runs, and how many
    trainings were missing before.
    """

    store: ResultStore
    plan: Plan
    trained: int


def run_sweep(request: Request, progress: Progress = no_progress) -> Sweep:
    """Run what a request asks for and is not stored yet.

    Raises:
        RequestError: for a wrong request, before anything is written; where a worker process died, all
            finished runs are stored.
        KeyboardInterrupt: when interrupted; all finished runs are stored, and the same request goes on there.
    """
    solved: Solved = {}
    # a generator, which asks for outcomes only after its first phase, when there is a store
    to_come = _phases(request, lambda: store.outcomes(), solved)
    first = next(to_come)
    planned = plan(first.blocks, solved)
    check_optimizers(planned, request.options.engine)
    store = claim(request, planned)
    trained = 0
    try:
        for phase in chain([first], to_come):
            planned = plan(phase.blocks, solved)
            # a search that is stored stays under the roles that it has
            if phase.last or len(missing(planned, store)):
                _write_phase(phase, planned, store)
                options = request.options.training
                trained += train_missing(planned, store, options, progress, phase.name)
        trained += look_beyond(planned, store, request.options.training, progress)
    except (KeyboardInterrupt, RequestError):
        manifest.close(store, "interrupted")
        raise
    manifest.close(store, "complete")
    return Sweep(store, planned, trained)


def keep_paths(sweep: Sweep, run_ids: Sequence[str], options: TrainOptions) -> None:
    """Store the weights on the way of a few runs: they are trained once more, to the same bits."""
    chosen = sweep.plan.only(np.array(run_ids, dtype="S32"))
    paths = list(trace(chosen, options))
    if paths:
        sweep.store.write_paths(pa.concat_tables(paths))


def train_missing(
    planned: Plan,
    store: ResultStore,
    options: TrainOptions,
    progress: Progress = no_progress,
    phase: str = "training",
) -> int:
    """Train what is planned and not stored, store it as it is done, and return how many runs it was."""
    left = missing(planned, store)
    done = len(planned) - len(left)
    buffer = _Buffer(store)
    progress(phase, done, len(planned))
    try:
        for runs, curves in train(left, options):
            buffer.add(runs, curves)
            done += len(runs)
            progress(phase, done, len(planned))
    finally:
        buffer.flush()
    return len(left)


def missing(planned: Plan, store: ResultStore) -> Plan:
    """Return the plan of the runs that are not stored."""
    return planned.without(store.outcomes()["run_id"].to_numpy().astype("S32"))


def _phases(request: Request, outcomes: Callable[[], pa.Table], solved: Solved) -> Iterator[Phase]:
    """Return what is to be run, a phase at a time: all at once where nothing is tuned."""
    if request.tune:
        return phases(request.blocks, request.tune, outcomes, solved)
    return iter([Phase(request.blocks, None)])


def _write_phase(phase: Phase, planned: Plan, store: ResultStore) -> None:
    """Say in the store what is to be run and what for."""
    store.write_manifest(manifest.with_phase(store.manifest(), phase.blocks, planned))
    store.write_problems(problem_rows(planned))
    if phase.roles:
        # where nothing depends on the seed, the plan holds one of the seeds alone
        run_ids = np.concatenate([group.run_id for group in planned.groups])
        is_planned = np.isin(phase.roles["run_id"].to_numpy().astype("S32"), run_ids)
        store.write_roles(phase.roles.filter(is_planned))


class _Buffer:
    """Trained rows on their way to the store, written every few seconds and before they take much memory."""

    def __init__(self, store: ResultStore):
        self._store = store
        self._empty()

    def _empty(self) -> None:
        self._tables: dict[pa.Schema, list[Rows]] = defaultdict(list)
        self._since = time.monotonic()
        self._bytes = 0

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
