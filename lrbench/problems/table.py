"""Your own table, .csv or .parquet."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from csv import Error, reader
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrbench.errors import RequestError, did_you_mean
from lrbench.problems.data import Data

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER = r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*"
LINE_BYTES = 1 << 24  # of the longest line; pyarrow's own block holds 1 MB
MOST_SHOWN = 40  # characters of a cell in a message


def csv(
    path: str,
    target: str,
    features: Iterable[str] | None = None,
    standardize: bool = True,
    intercept: bool = True,
) -> Data:
    """Return one numeric column of a table as target and others as features.

    A .csv file is UTF-8 with a header line and commas between cells. true and false count as 1 and 0.

    Args:
        path: a .csv or .parquet file, relative to the current directory.
        target: the column to predict.
        features: the columns to predict it from; None = all others, in the file's order.
        standardize: give every column deviation 1 and, where there is an intercept, mean 0; the scaler leads
            back to the file's units.
        intercept: whether the model has one.

    Raises:
        RequestError: a file, column or cell that cannot be used; the message says which.
    """
    sheet = _read(Path(os.path.expanduser(str(path))))
    target = str(target)
    names = _feature_names(sheet, target, features)
    X = np.column_stack([_numbers(sheet, name) for name in names])
    return Data(
        X=X,
        y=_numbers(sheet, target),
        intercept=intercept,
        features=tuple(names),
        target=target,
        standardize=standardize,
    )


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A table as it was read, and its text, in which a cell that cannot be used is looked up."""

    path: Path
    names: list[str]
    table: "pa.Table"
    text: str | None = None  # of a .csv file

    def cell(self, row: int, column: int) -> tuple[str, str]:
        """Return where a cell stands ("line 7") and what it holds."""
        if self.text is None:
            held = self.table.column(column)[row].as_py()
            return f"row {row + 1}", "" if held is None else str(held)
        for number, (line, cells) in enumerate(_lines(self.path, self.text)):
            if number == row + 1:
                return f"line {line}", cells[column]
        raise AssertionError("pyarrow and csv disagree about the number of lines")


# ---- reading


def _read(path: Path) -> _Sheet:
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(
            f"problem.path: cannot read {path}: {error.strerror}. Paths are relative to {Path.cwd()}."
        ) from error
    if path.suffix.lower() not in readers:
        raise RequestError(f"problem.path: {path} must end in .csv or .parquet; other formats are not read.")
    sheet = readers[path.suffix.lower()](path, content)
    for name, count in Counter(sheet.names).items():
        if count > 1:
            raise RequestError(
                f"problem.path: {path} has {count} columns called '{name}'. Give each its own name."
            )
    if sheet.table.num_rows == 0:
        raise RequestError(f"problem.path: {path} has column names, but no row of data.")
    return sheet


def _read_csv(path: Path, content: bytes) -> _Sheet:
    import pyarrow as pa
    from pyarrow.csv import ParseOptions, ReadOptions, read_csv

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RequestError(
            f"problem.path: {path} is not UTF-8 (byte {content[error.start]:#04x} in line {line}). "
            "Save it as CSV UTF-8."
        ) from error
    if not text.strip():
        raise RequestError(
            f"problem.path: {path} is empty. A line of column names and rows of numbers are needed."
        )
    try:
        table = read_csv(
            # Without a last newline, pyarrow takes a header alone for no table at all.
            pa.BufferReader(content + b"\n"),
            read_options=ReadOptions(block_size=LINE_BYTES),
            parse_options=ParseOptions(newlines_in_values=True),
        )
    except pa.ArrowInvalid as error:
        raise RequestError(f"problem.path: {path} is no table: {_ragged(path, text) or error}.") from error
    return _Sheet(path, [name.strip() for name in table.column_names], table, text)


def _read_parquet(path: Path, content: bytes) -> _Sheet:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError) as error:
        raise RequestError(f"problem.path: {path} is no valid parquet file ({error}).") from error
    return _Sheet(path, table.column_names, table)


def _lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every row that is not blank, the header included.

    A quoted cell may span lines.
    """
    rows = reader(StringIO(text, newline=""))
    line = 1
    try:
        for cells in rows:
            if cells:
                yield line, cells
            line = rows.line_num + 1
    except Error as error:
        raise RequestError(
            f"problem.path: {path} is no table: {error} in the row of line {line}. "
            "Is there a quote without its partner?"
        ) from error


def _ragged(path: Path, text: str) -> str | None:
    """Return which line has another number of cells than the header, in words."""
    lines = _lines(path, text)
    _, header = next(lines)
    for line, cells in lines:
        if len(cells) != len(header):
            return (
                f"cells in line {line}: {len(cells)}, in the header: {len(header)}. "
                "Look for a comma or a quote too many or too few"
            )
    return None


# ---- choosing columns


def _feature_names(sheet: _Sheet, target: str, features: Iterable[str] | None) -> list[str]:
    _check_exists(sheet, "target", target)
    names = [name for name in sheet.names if name != target]
    if features is not None:
        names = _listed(sheet, target, features)
    if not names:
        raise RequestError(
            f"problem.features: no feature is left to predict '{target}' from. "
            f"{sheet.path} has the columns {', '.join(sheet.names)}."
        )
    if "" in names:
        raise RequestError(
            f"problem.features: a column of {sheet.path} has no name. "
            "Name it, or list the features that you mean."
        )
    return names


def _listed(sheet: _Sheet, target: str, features: Iterable[str]) -> list[str]:
    if isinstance(features, str) or not isinstance(features, Iterable):
        raise RequestError(
            f"problem.features: must be a list, but '{features}' was given. "
            f"Write problem.features=[{features}]."
        )
    names = [str(name) for name in features]
    for name in names:
        _check_exists(sheet, "features", name)
        if name == target or names.count(name) > 1:
            reason = "the target" if name == target else "there twice"
            raise RequestError(f"problem.features: '{name}' is {reason}. Take it out.")
    return names


def _check_exists(sheet: _Sheet, key: str, name: str) -> None:
    if name not in sheet.names:
        commas = " Cells are separated by commas." if len(sheet.names) == 1 else ""
        raise RequestError(
            f"problem.{key}: {sheet.path} has no column '{name}'. {did_you_mean(name, sheet.names)}{commas}"
        )


# ---- numbers


def _numbers(sheet: _Sheet, name: str) -> np.ndarray:
    """Return a column (n,) of finite float64."""
    index = sheet.names.index(name)
    column = sheet.table.column(index)
    if _is_numeric(column.type):
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if not bad.size:
            return values
        row = int(bad[0])
    else:
        row = _first_text(column)
    place, held = sheet.cell(row, index)
    state = f"holds '{held[:MOST_SHOWN]}'" if held.strip() else "is empty"
    raise RequestError(
        f"problem.path: {sheet.path}, {place}, column '{name}': the cell {state}; a finite number is needed. "
        "Mend it, or name the features to use, problem.features=[...]."
    )


def _is_numeric(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return (
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    )


def _first_text(column: "pa.ChunkedArray") -> int:
    """Return the first row whose text is no number; the first of all where parquet stores numbers as text."""
    for row, cell in enumerate(column.to_pylist()):
        if not re.fullmatch(NUMBER, str(cell)):
            return row
    return 0
