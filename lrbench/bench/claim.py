"""The folder of a request: a new one, or its own from before.

The same request finds its own folder by its name, and proves itself there by its hash. Where Hydra's own
sweeper decides what runs, there is no plan yet, and the override lines stand for it.
"""

from collections.abc import Callable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

from lrbench.bench import manifest
from lrbench.config import show
from lrbench.errors import RequestError
from lrbench.plan import Plan
from lrbench.store import SCHEMA, ResultStore
from lrbench.sweeper.request import Request
from lrbench.tuning import evaluation_seeds

MOST_LABELS = 3  # in a folder's name; of more it says how many
HASH_DIGITS = 8  # in a folder's name


def claim(request: Request, plan: Plan | None) -> ResultStore:
    """Find the folder of this request and write its manifest.

    Raises:
        RequestError: another request's results are there, or something else, or nothing can be written.
    """
    options = request.options
    store = ResultStore(Path(options.results_dir) / (options.name or folder_name(request, plan)))
    if options.fresh and store.root.exists():
        _write(store.set_aside, store)
    request_hash = _request_hash(request, plan)
    _check_owner(store, request_hash)
    beginning = manifest.begun(store.name, request, request_hash)
    if store.exists():
        beginning = manifest.resumed(beginning, store.manifest())
    _write(lambda: store.write_manifest(beginning), store)
    return store


def folder_name(request: Request, plan: Plan | None) -> str:
    """Name a sweep by its problems, its optimizers and a short hash, such as lecture-adam+sgd-1a2b3c4d."""
    parts = [_label(group, plan) for group in ("problem", "optimizer")] if plan else ["sweep"]
    return "-".join([*parts, _request_hash(request, plan)[:HASH_DIGITS]])


def _label(group: str, plan: Plan) -> str:
    labels = sorted({runs.labels[group] for runs in plan.groups})
    return "+".join(labels) if len(labels) <= MOST_LABELS else f"{len(labels)}-{group}s"


def _request_hash(request: Request, plan: Plan | None) -> str:
    """Hash what decides the numbers: the runs, and how they are recorded, chosen and read.

    What is read of a run changes with the schema. So what an older lrbench made of this request has another
    name, and stays.
    """
    options = request.options
    runs = plan.fingerprint() if plan else sorted(request.overrides)
    asked: list[Any] = [options.record, options.target, options.predict, options.engine]
    if request.tune:  # the plan is that of the trials
        blocks = request.blocks
        defaults = [request.tune.defaults(block.choices["optimizer"], block.base) for block in blocks]
        asked += [asdict(request.tune), sorted(evaluation_seeds(blocks)), sorted(map(show, defaults))]
    return blake2b(show([SCHEMA, runs, asked]).encode(), digest_size=16).hexdigest()


def _check_owner(store: ResultStore, request_hash: str) -> None:
    """Refuse a folder that holds anything but the results of this request."""
    if store.exists():
        stored = store.manifest()
        if store.schema() != SCHEMA:
            advice = "Or give another name=..., or fresh=true to move that folder aside."
            raise RequestError(f"name: {store.refusal()} {advice}")
        if stored["request_hash"] != request_hash:
            raise RequestError(
                f"name: {store.root} holds the results of another request:\n"
                f"  {stored['request']['command']}\n"
                "Give another name=..., or fresh=true to move that folder aside."
            )
    elif store.root.exists() and any(store.root.iterdir()):
        advice = "Give another name=..., or fresh=true to move it aside."
        raise RequestError(f"name: {store.root} exists and is no result set. {advice}")


def _write(act: Callable[[], Any], store: ResultStore) -> None:
    """Do the first write into a result folder."""
    try:
        act()
    except OSError as error:
        reason = f"{store.root} cannot be written ({error.strerror})"
        raise RequestError(f"results_dir: {reason}. Give another results_dir=...") from error
