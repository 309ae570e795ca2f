"""What a stored set was asked with, as it is asked today: also of an older lrbench, from its manifest alone.

Given a set that was asked with `-m optimizer=sgd,adam tune=lr tune.metric=evaluations name=mine`, it gives

    words      ["-m", "optimizer=sgd,adam", "tune=lr"]
    left_out   ["tune.metric=evaluations is left out: Settings are chosen by a score: ..."]
"""

import os
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from lrbench.bench.manifest import PROGRAM
from lrbench.errors import RequestError
from lrbench.store import RESULTS_DIR, SCHEMA, ResultStore
from lrbench.tuning.boxes import GONE

# what says where the old set lies: the new one lies beside it, under a name of its own
WHERE = ("name", "results_dir", "fresh")
PLAIN = re.compile(r"[\w./\-]+")  # of a path that Hydra reads as it stands


class Again(NamedTuple):
    """A request of before, as it is asked today.

    Attributes:
        words: flags and override lines.
        left_out: what of the old ones is not asked any more, and why, a sentence each.
    """

    words: list[str]
    left_out: list[str]

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        return " ".join([PROGRAM, *map(shlex.quote, self.words)])


def ask_again(store: ResultStore, name: str | None = None) -> Again:
    """Return how the request of a stored set is asked today, into another folder: of this name, or a new one.

    Raises:
        RequestError: its manifest holds no request, a newer lrbench wrote it, or it is of this lrbench and
            no name is given: then the request itself goes on with it.
    """
    _check_version(store, name)
    flags, overrides = _asked(store)
    words, left_out = [*flags], []
    for line in overrides:
        key = _key(line)
        if key in GONE:
            left_out.append(f"{line} is left out: {GONE[key]}")
        elif key not in WHERE:
            words.append(line)
    if name is not None:
        words.append(f"name={name}")
    elif any(_key(line) == "experiment" for line in overrides):
        words.append("name=null")  # its file may name the old set
    return Again([*words, *_beside(store)], left_out)


def _check_version(store: ResultStore, name: str | None) -> None:
    if store.schema() != SCHEMA and not store.is_older():
        raise RequestError(store.refusal())
    if store.schema() == SCHEMA and name is None:
        command = store.manifest()["request"]["command"]
        raise RequestError(
            f"{store.root}: it is of this lrbench, and its own command goes on with it:\n  {command}\n"
            "Type name=... to ask that again into another folder."
        )


def _asked(store: ResultStore) -> tuple[list[str], list[str]]:
    """Return the flags and the override lines with which a set was asked."""
    request: Any = store.manifest().get("request")
    try:
        overrides, command = request["overrides"], request["command"]
        words = shlex.split(command.removeprefix(PROGRAM))
        flags = words[: len(words) - len(overrides)]
        return flags, [str(line) for line in overrides]
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        reason = "its `request` has no `overrides` and `command` that can be read"
        advice = "Type the request itself."
        raise RequestError(f"{store.root / 'manifest.json'}: {reason}. {advice}") from error


def _key(line: str) -> str:
    return line.lstrip("+~").partition("=")[0]


def _beside(store: ResultStore) -> list[str]:
    """Say that the new folder lies where the old one does."""
    parent = store.root.resolve().parent
    if parent == Path(RESULTS_DIR).resolve():
        return []
    path = os.path.relpath(parent)
    if not PLAIN.fullmatch(path):
        path = "'" + path.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return [f"results_dir={path}"]
