"""One folder a sweep: `results/<name>/`. The only module that knows its paths.

    manifest.json      the request, the resolved configuration, versions, machine and counts; replaced whole
    runs/*.parquet     a row a run
    curves/*.parquet   a row a run: its loss curve as lists
    problems.parquet   a row a problem: size, spectrum, minimiser; replaced whole
    roles.parquet      of a tuned sweep, a row a run and role: trial, evaluation or default; replaced whole
    paths.parquet      a row a run that the report shows: its weights on the way; replaced whole
    beyond.parquet     a row a run that arrived, at a chosen setting: how it goes on; replaced whole
    report.html, summary.csv, summary.md, tables/, figures/   made from the above, replaced whole

Parts are written beside and moved into place, and never rewritten; the schema is in results/README.md.
pyarrow only: no torch, no pandas, no pickle.
"""

import contextlib
import json
import os
import shlex
import shutil
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from lrbench import __version__
from lrbench.errors import RequestError

SCHEMA = 5
GENERATOR = f'<meta name="generator" content="lrbench {__version__}">'  # in the head of a page
HEAD = 1000  # characters of a page, with its head
RESULTS_DIR = "results"  # where a name is looked up when nothing is said
MOST_NAMES = 3  # of stores that are told at once
RESTORE = "Restore it, or run the sweep again with fresh=true."
# what choices and counts are made from, of every run in memory at once
_OUTCOMES = pa.schema(
    [
        ("run_id", pa.string()),
        ("optimizer", pa.string()),
        ("status", pa.string()),
        ("engine", pa.string()),
        ("cost_target", pa.float64()),
        ("score", pa.float64()),
        ("rise", pa.float64()),
    ]
)


class ResultStore:
    """Read and append to one result folder."""

    def __init__(self, root: str | os.PathLike):
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"ResultStore({str(self.root)!r})"

    @classmethod
    def open(cls, folder: str | os.PathLike, results_dir: str | os.PathLike = RESULTS_DIR) -> "ResultStore":
        """Open an existing store: a folder, or the name of one in `results_dir`.

        Raises:
            RequestError: the folder holds no manifest of a schema that this version reads.
        """
        store = cls.find(folder, results_dir)
        if store.schema() != SCHEMA:
            raise RequestError(store.refusal())
        return store

    @classmethod
    def find(cls, folder: str | os.PathLike, results_dir: str | os.PathLike = RESULTS_DIR) -> "ResultStore":
        """Return an existing store of whatever schema: of an older one, only its manifest may be read.

        Raises:
            RequestError: the folder holds no manifest.
        """
        by_path, by_name = cls(folder), cls(Path(results_dir) / folder)
        store = by_name if by_name.exists() and not by_path.exists() else by_path
        if not store.exists():
            raise _no_result_set(store.root, results_dir)
        return store

    @classmethod
    def all(cls, results_dir: str | os.PathLike) -> list["ResultStore"]:
        """Return every store of a folder that this version reads, in the order of their names."""
        return [store for store in cls._whatever(results_dir) if store.schema() == SCHEMA]

    @classmethod
    def left_out(cls, results_dir: str | os.PathLike) -> list[str]:
        """Return in sentences which stores of a folder this version does not read; none as a rule."""
        others = [store for store in cls._whatever(results_dir) if store.schema() != SCHEMA]
        older = [store.name for store in others if store.is_older()]
        newer = [store.name for store in others if not store.is_older()]
        sentences = []
        if older:
            where = "" if str(results_dir) == RESULTS_DIR else f" results_dir={results_dir}"
            command = f"`lrbench rerun {shlex.quote(older[0])}{where}`"
            sentences.append(f"{_are_left_out(older, 'an older')}; {command} asks a set's request again.")
        if newer:
            sentences.append(f"{_are_left_out(newer, 'a newer')}.")
        return sentences

    @classmethod
    def _whatever(cls, results_dir: str | os.PathLike) -> list["ResultStore"]:
        """Return every store of a folder, of whatever schema."""
        return [store for store in map(cls, sorted(Path(results_dir).glob("*/"))) if store.exists()]

    def exists(self) -> bool:
        return self._manifest_path.is_file()

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def figures(self) -> Path:
        return self.root / "figures"

    def is_reported(self) -> bool:
        """Say whether the report is by this version of lrbench, and later than all that was trained."""
        if not self.report.is_file():
            return False
        with self.report.open(encoding="utf-8", errors="replace") as page:
            head = page.read(HEAD)
        trained = [*self._parts("runs"), *filter(Path.is_file, [self._beyond_path])]
        last = max(path.stat().st_mtime_ns for path in trained)
        return GENERATOR in head and self.report.stat().st_mtime_ns >= last

    def summary(self, suffix: str) -> Path:
        """Path of the summary table: suffix is "csv" or "md"."""
        return self.root / f"summary.{suffix}"

    # ---- what lrbench wrote it

    def schema(self) -> Any:
        """Return the number of the schema that it is written with."""
        return self.manifest().get("schema")

    def is_older(self) -> bool:
        """Say whether an older version of lrbench wrote it."""
        schema = self.schema()
        return not isinstance(schema, int) or schema < SCHEMA

    def refusal(self) -> str:
        """Return why a store of another schema is not read, and what to do."""
        written = f"{self.root}: written with schema {self.schema()}"
        reads = f"this version of lrbench reads schema {SCHEMA}"
        advice = "The lrbench that wrote it is newer."
        if self.is_older():
            advice = f"`lrbench rerun {shlex.quote(str(self.root))}` asks its request again."
        return f"{written}; {reads}. {advice}"

    # ---- reading

    def manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads(self._manifest_path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RequestError(f"{self._manifest_path}: not valid JSON ({error}). {RESTORE}") from error
        if not isinstance(manifest, dict):
            raise RequestError(f"{self._manifest_path}: it holds no mapping. {RESTORE}")
        return manifest

    def runs(self) -> list[pa.Table]:
        """Return the rows, one table a part.

        Columns differ between optimizers, and so may a column's type (Adafactor's eps is a pair).

        Raises:
            RequestError: no run is stored yet.
        """
        tables = [_read(path) for path in self._parts("runs")]
        if not tables:
            advice = "Start its sweep again: it does what is missing."
            raise RequestError(f"{self.root}: no run is stored yet. {advice}")
        return tables

    def curves(self) -> pa.Table:
        """All loss curves: run_id, and step, evaluations, loss, gap as lists."""
        return pa.concat_tables(self.curve_parts())

    def curve_parts(self) -> Iterator[pa.Table]:
        """Yield the loss curves part by part, so that who wants some need not hold all."""
        parts = self._parts("curves")
        with_runs = {path.name for path in self._parts("runs")}
        missing = with_runs - {path.name for path in parts}
        if missing:
            gone = f"the part {min(missing)} is not there, though runs/ has it"
            raise RequestError(f"{self.root / 'curves'}: {gone}. {RESTORE}")
        return (_read(path) for path in parts)

    def problems(self) -> pa.Table:
        return _read(self._problems_path)

    def paths(self) -> pa.Table | None:
        """The weights on the way of some runs: run_id, and step and weights as lists; None without any."""
        return _read(self._paths_path) if self._paths_path.is_file() else None

    def beyond(self) -> pa.Table | None:
        """How runs go on after their budget: run_id, and beyond; None where nobody has looked."""
        return _read(self._beyond_path) if self._beyond_path.is_file() else None

    def roles(self) -> pa.Table | None:
        """What each run of a tuned sweep is for; None where nothing was tuned."""
        return _read(self._roles_path) if self._roles_path.is_file() else None

    def has_problems(self) -> bool:
        return self._problems_path.is_file()

    def outcomes(self) -> pa.Table:
        """Return the columns of _OUTCOMES of each stored run, of one that was stored twice the first row."""
        tables = [_read(path, columns=_OUTCOMES.names) for path in self._parts("runs")]
        if not tables:
            return _OUTCOMES.empty_table()
        stored = pa.concat_tables(tables)
        run_ids = stored["run_id"].to_numpy().astype("S32")
        first_places = np.unique(run_ids, return_index=True)[1]
        # the rule, without a copy
        return stored if len(first_places) == len(stored) else stored.take(np.sort(first_places))

    # ---- writing

    def append(self, runs: pa.Table, curves: pa.Table) -> None:
        """Add one part. The curves go first: a run counts as finished only when its row is there."""
        part = f"{uuid.uuid4().hex}.parquet"
        # numbers of curves hardly repeat, so that a dictionary of them would only take time
        self._write_table(self.root / "curves" / part, curves, use_dictionary=False)
        self._write_table(self.root / "runs" / part, runs)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        text = json.dumps({"schema": SCHEMA, **manifest}, indent=1, ensure_ascii=False)
        self.write_text(self._manifest_path, text + "\n")

    def write_problems(self, problems: pa.Table) -> None:
        self._write_table(self._problems_path, problems)

    def write_paths(self, paths: pa.Table) -> None:
        self._write_table(self._paths_path, paths)

    def write_beyond(self, beyond: pa.Table) -> None:
        self._write_table(self._beyond_path, beyond)

    def write_roles(self, roles: pa.Table) -> None:
        self._write_table(self._roles_path, roles)

    def write_text(self, path: Path, text: str) -> None:
        """Replace a text file of this store whole (UTF-8)."""
        with self._replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")

    def set_aside(self) -> Path:
        """Move the whole folder to the first free `<name>.1`, `<name>.2`, ... and return where it went."""
        numbered = (self.root.with_name(f"{self.root.name}.{number}") for number in count(1))
        aside = next(folder for folder in numbered if not folder.exists())
        os.replace(self.root, aside)
        return aside

    def remove(self) -> None:
        """Delete the folder of a sweep that never had a run."""
        shutil.rmtree(self.root)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from replacing files of this store meanwhile."""
        with FileLock(self.root / ".lock"):
            yield

    def _write_table(self, path: Path, table: pa.Table, use_dictionary: bool = True) -> None:
        with self._replacing(path) as beside:
            pq.write_table(table, beside, use_dictionary=use_dictionary)

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        """Yield where to write; what was written there takes the place of `path` at once, or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            yield beside
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)

    def _parts(self, kind: str) -> list[Path]:
        return sorted((self.root / kind).glob("[!.]*.parquet"))

    @property
    def _manifest_path(self) -> Path:
        return self.root / "manifest.json"

    @property
    def _paths_path(self) -> Path:
        return self.root / "paths.parquet"

    @property
    def _beyond_path(self) -> Path:
        return self.root / "beyond.parquet"

    @property
    def _problems_path(self) -> Path:
        return self.root / "problems.parquet"

    @property
    def _roles_path(self) -> Path:
        return self.root / "roles.parquet"


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    if not path.is_file():
        raise RequestError(f"{path}: is not there. {RESTORE}")
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"{path}: cannot be read as parquet ({reason}). {RESTORE}") from error


def _are_left_out(names: list[str], version: str) -> str:
    sets, are = ("set", "is") if len(names) == 1 else ("sets", "are")
    return f"{len(names)} {sets} of {version} lrbench {are} left out: {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MOST_NAMES])} and {more} more"


def _no_result_set(folder: Path, results_dir: str | os.PathLike) -> RequestError:
    listing = "lrbench list results"
    if str(results_dir) != RESULTS_DIR:
        listing += f" results_dir={results_dir}"
    return RequestError(
        f"{folder}: no result set (a folder with manifest.json). `{listing}` shows what there is."
    )
