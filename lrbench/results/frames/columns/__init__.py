"""Every column of every frame, named once: what it is called, its type and unit, what it means.

stored.py has the tables of the store, runs.py, ranking.py, tuning.py, costs.py and curves.py the frames of a
sweep, difference.py those of two. results/README.md and docs/frames.md are made from them: `make docs`.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lrbench.results.frames.columns import costs, curves, difference, ranking, runs, stored, tuning
from lrbench.results.frames.columns.column import NULL, Column

__all__ = ["FRAMES", "STORED", "Column", "names", "typed"]

# of a sweep by their names, of two sweeps as "difference.rows"
FRAMES: dict[str, tuple[Column, ...]] = {
    **runs.FRAMES,
    **ranking.FRAMES,
    **tuning.FRAMES,
    **costs.FRAMES,
    **curves.FRAMES,
    **difference.FRAMES,
}
STORED: dict[str, tuple[Column, ...]] = {
    "runs/*.parquet": stored.RUNS,
    "curves/*.parquet": stored.CURVES,
    "problems.parquet": stored.PROBLEMS,
    "paths.parquet": stored.PATHS,
    "roles.parquet": stored.ROLES,
    "beyond.parquet": stored.BEYOND,
    "summary.csv": costs.SUMMARY,
}
# all other types are Python objects
DTYPES = {"string": str, "int64": int, "double": float, "bool": bool}
NULLABLE = {"int64": "Int64"}  # numpy's whole numbers know no missing one


def names(frame: str) -> list[str]:
    """Return the names of a frame's columns."""
    return [column.name for column in FRAMES[frame]]


def typed(rows: Iterable, frame: str) -> pd.DataFrame:
    """Return rows (dicts, tuples or frames) with the columns of a frame, of the same types where there are
    no rows.
    """
    rows = list(rows)
    columns = names(frame)
    if rows and isinstance(rows[0], pd.DataFrame):
        table = pd.concat(rows, ignore_index=True)
    else:
        table = pd.DataFrame(rows, columns=columns)
    return table[columns].astype({column.name: _dtype(column) for column in FRAMES[frame]})


def _dtype(column: Column) -> Any:
    if column.may_be == NULL and column.type in NULLABLE:
        return NULLABLE[column.type]
    return DTYPES.get(column.type, object)
