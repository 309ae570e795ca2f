"""One folder a sweep: `results/<name>/`. The only module that knows its paths.

    manifest.json      the request, the resolved configuration, versions, machine and counts; replaced whole
    runs/*.parquet     a row a run
    curves/*.parquet   a row a run: its loss curve as lists
    problems.parquet   a row a problem: size, spectrum, minimiser; replaced whole
    roles.parquet      only of a tuned sweep, a row a run and role: trial, evaluation or default; replaced whole
    paths.parquet      a row a run that the report shows: its weights on the way; replaced whole
    report.html, summary.csv, summary.md, tables/, figures/   made from the above, replaced whole

Parts are written beside and moved into place, and never rewritten; the schema is in results/README.md. pyarrow only: no torch, no pandas, no pickle.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from lrbench.errors import RequestError

SCHEMA = 4
RESTORE = "Restore it, or run the sweep again with fresh=true."
_OUTCOMES = pa.schema(
    [(name, pa.string()) for name in ("run_id", "optimizer", "status", "engine")]
    + [(name, pa.float64()) for name in ("final_gap", "last_epoch_gap", "evaluations_to_target")]
)


def _table(path: Path, columns: list[str] | None = None) -> pa.Table:
    if not path.is_file():
        raise RequestError(f"{path}: is not there. {RESTORE}")
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise RequestError(
            f"{path}: cannot be read as parquet ({str(error).splitlines()[0]}). {RESTORE}"
        ) from error


class ResultStore:
    """Read and append to one result folder.

    Raises:
        RequestError: `ResultStore.open` when the folder holds no manifest of a schema that this version reads.
    """

    def __init__(self, root: str | os.PathLike):
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"ResultStore({str(self.root)!r})"

    @classmethod
    def open(cls, root: str | os.PathLike) -> "ResultStore":
        """Open an existing store: a folder, or the name of one in results/."""
        store = next((one for one in (cls(root), cls(Path("results") / root)) if one.exists()), cls(root))
        if not store.exists():
            raise RequestError(
                f"{store.root}: no result set (a folder with manifest.json). `lrbench list results` shows what there is."
            )
        schema = store.manifest().get("schema")
        if schema != SCHEMA:
            raise RequestError(
                f"{store.root}: written with schema {schema}; this version of lrbench reads schema {SCHEMA}."
            )
        return store

    @classmethod
    def all(cls, results_dir: str | os.PathLike) -> list["ResultStore"]:
        """Return every store of a folder, in the order of their names."""
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

    def summary(self, suffix: str) -> Path:
        """Path of the summary table: suffix is "csv" or "md"."""
        return self.root / f"summary.{suffix}"

    # ---- reading

    def manifest(self) -> dict[str, Any]:
        try:
            return json.loads(self._manifest_path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RequestError(f"{self._manifest_path}: not valid JSON ({error}). {RESTORE}") from error

    def runs(self) -> list[pa.Table]:
        """Return the rows, one table a part: columns differ between optimizers, and so may a column's type (Adafactor's eps is a pair).

        Raises:
            RequestError: no run is stored yet.
        """
        tables = [_table(path) for path in self._parts("runs")]
        if not tables:
            raise RequestError(
                f"{self.root}: no run is stored yet. Start its sweep again: it does what is missing."
            )
        return tables

    def curves(self) -> pa.Table:
        """All loss curves: run_id, and step, evaluations, loss, gap as lists."""
        return pa.concat_tables(self.curve_parts())

    def curve_parts(self) -> Iterator[pa.Table]:
        """Yield the loss curves part by part, so that who wants some need not hold all."""
        if missing := {path.name for path in self._parts("runs")} - {
            path.name for path in self._parts("curves")
        }:
            raise RequestError(
                f"{self.root / 'curves'}: the part {min(missing)} is not there, though runs/ has it. {RESTORE}"
            )
        return (_table(path) for path in self._parts("curves"))

    def problems(self) -> pa.Table:
        return _table(self._problems_path)

    def paths(self) -> pa.Table | None:
        """The weights on the way of some runs, run_id, and step and weights as lists; None where none were traced."""
        return _table(self._paths_path) if self._paths_path.is_file() else None

    def roles(self) -> pa.Table | None:
        """What each run of a tuned sweep is for; None where nothing was tuned."""
        return _table(self._roles_path) if self._roles_path.is_file() else None

    def has_problems(self) -> bool:
        return self._problems_path.is_file()

    def outcomes(self) -> pa.Table:
        """Return the columns of _OUTCOMES of each stored run, of one that was stored twice the first row."""
        tables = [_table(path, columns=_OUTCOMES.names) for path in self._parts("runs")]
        rows = pa.concat_tables(tables) if tables else _OUTCOMES.empty_table()
        first = np.unique(rows["run_id"].to_numpy().astype("S32"), return_index=True)[1]
        return rows if len(first) == len(rows) else rows.take(np.sort(first))

    # ---- writing

    def append(self, runs: pa.Table, curves: pa.Table) -> None:
        """Add one part. The curves go first: a run counts as finished only when its row is there."""
        part = f"{uuid.uuid4().hex}.parquet"
        for kind, table, dictionary in (
            ("curves", curves, False),
            ("runs", runs, True),
        ):  # numbers of curves hardly repeat
            with self._replacing(self.root / kind / part) as path:
                pq.write_table(table, path, use_dictionary=dictionary)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        self.write_text(
            self._manifest_path,
            json.dumps({"schema": SCHEMA, **manifest}, indent=1, ensure_ascii=False) + "\n",
        )

    def write_problems(self, problems: pa.Table) -> None:
        with self._replacing(self._problems_path) as path:
            pq.write_table(problems, path)

    def write_paths(self, paths: pa.Table) -> None:
        with self._replacing(self._paths_path) as path:
            pq.write_table(paths, path)

    def write_roles(self, roles: pa.Table) -> None:
        with self._replacing(self._roles_path) as path:
            pq.write_table(roles, path)

    def write_text(self, path: Path, text: str) -> None:
        """Replace a text file of this store whole (UTF-8)."""
        with self._replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")

    def set_aside(self) -> Path:
        """Move the whole folder to the first free `<name>.1`, `<name>.2`, ... and return where it went."""
        number = 1
        while (aside := self.root.with_name(f"{self.root.name}.{number}")).exists():
            number += 1
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

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
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
    def _problems_path(self) -> Path:
        return self.root / "problems.parquet"

    @property
    def _roles_path(self) -> Path:
        return self.root / "roles.parquet"
