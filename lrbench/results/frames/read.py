"""The store's tables as pandas frames: a row a run, a row a recorded step, a row a problem, a row a run and
role, a row a run that went on after its budget.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrbench.store import ResultStore

MOST_WEIGHT_COLUMNS = 20
MOST_READ = 20_000  # runs whose curves are held at once
CURVE_COLUMNS = ["step", "evaluations", "loss", "gap"]
NUMBERS = {
    "trial": float,
    "lr_low": float,
    "lr_high": float,
}  # of a role; null in the store where it has none


def runs(store: ResultStore) -> pd.DataFrame:
    """Return a row a run, a run that was stored twice once, by problem, optimizer, learning rate, setting and
    seed.

    Lists are tuples; weights stand as w_0 .. w_{p-1} up to p = 20, above that in one column `weights`.

    Raises:
        RequestError: no run is stored yet.
    """
    return joined(store.runs())


def joined(tables: Iterable[pa.Table]) -> pd.DataFrame:
    """Return the rows of all tables as `runs` does; a column that some of them lack is missing there."""
    parts = [_part(table) for table in tables]
    columns: dict[Hashable, Any] = {}  # in the order in which the parts bring them
    for part in parts:
        columns |= dict.fromkeys(part)
    # pandas would warn of columns without any value, whose type it cannot tell
    filled = [part.dropna(axis=1, how="all") for part in parts]
    frame = pd.concat(filled, ignore_index=True).reindex(columns=list(columns))
    return _with_weight_columns(_in_order(frame.drop_duplicates("run_id")))


def _in_order(runs: pd.DataFrame) -> pd.DataFrame:
    """Sort runs by problem, optimizer, learning rate, setting and seed.

    Threads finish in any order, and nothing that is read may depend on it.
    """
    rates = runs.get("optimizer.lr", pd.Series(np.nan, index=runs.index))
    keyed = runs.assign(lr=pd.to_numeric(rates, errors="coerce"))
    keys = ["problem", "problem_id", "optimizer", "lr", "setting_id", "seed"]
    return keyed.sort_values(keys, ignore_index=True).drop(columns="lr")


def curves(store: ResultStore, run_ids: pd.Series) -> pd.DataFrame:
    """Return the loss curves of these runs, long: a row a recorded step.

    Read part by part, so that of a large store only the wanted rows are in memory.
    """
    wanted = set(run_ids)
    table = pa.concat_tables([_taken(part, wanted) for part in store.curve_parts()])
    # pyarrow makes its functions when it is imported, where no checker sees them
    lengths = pc.list_value_length(table.column("step"))  # pyright: ignore[reportAttributeAccessIssue]
    ids = table.column("run_id").to_pandas().repeat(lengths.fill_null(0).to_numpy())
    columns = {"run_id": ids.reset_index(drop=True)}
    for name in CURVE_COLUMNS:
        flat = pc.list_flatten(table.column(name))  # pyright: ignore[reportAttributeAccessIssue]
        columns[name] = flat.to_numpy()
    return pd.DataFrame(columns)


def _taken(part: pa.Table, wanted: set[str]) -> pa.Table:
    """Return the rows of the wanted runs, the first of each; what is found is wanted no more."""
    ids = part.column("run_id").to_pandas()
    is_wanted = ids.isin(wanted) & ~ids.duplicated()
    wanted.difference_update(ids[is_wanted])
    return part.filter(pa.array(is_wanted.to_numpy()))


def in_parts(runs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield runs in parts, of each of which all curves may be held at once; none where there are no runs."""
    for first in range(0, len(runs), MOST_READ):
        yield runs.iloc[first : first + MOST_READ]


def problems(store: ResultStore) -> pd.DataFrame:
    """Return a row a problem: size, spectrum, minimiser; lists as tuples."""
    return with_tuples(store.problems())


def roles(store: ResultStore) -> pd.DataFrame | None:
    """Return a row a run and role of a tuned sweep; None where nothing was tuned."""
    table = store.roles()
    return None if table is None else table.to_pandas().astype(NUMBERS)


def beyond(store: ResultStore) -> pd.DataFrame | None:
    """Return a row a run that went on after its budget; None where nobody has looked.

    A number is missing where a run has no state there.
    """
    table = store.beyond()
    return None if table is None else table.to_pandas().astype({"beyond": float})


def with_tuples(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame; lists as tuples, which can be compared and counted."""
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_list(field.type):
            cells = table.column(field.name).to_pylist()
            tuples = list(map(_as_tuple, cells))
            frame[field.name] = pd.Series(tuples, index=frame.index, dtype=object)
    return frame


def _as_tuple(cell: list | None) -> tuple | None:
    return None if cell is None else tuple(cell)


def _part(table: pa.Table) -> pd.DataFrame:
    """Return the rows of one part; weights stay arrays, which become columns."""
    frame = with_tuples(table.drop_columns("weights"))
    return frame.assign(weights=table.column("weights").to_pandas())


def _with_weight_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with a column a weight, unless there are too many."""
    lengths = frame["weights"].map(_count)
    p = int(lengths.max())
    if p > MOST_WEIGHT_COLUMNS:
        return frame
    weights = np.full((len(frame), p), np.nan)  # (R, p)
    for row, length, cell in zip(weights, lengths, frame["weights"], strict=True):
        if length:
            row[:length] = cell
    names = [f"w_{i}" for i in range(p)]
    columns = pd.DataFrame(weights, columns=names, index=frame.index)
    return pd.concat([frame.drop(columns="weights"), columns], axis=1)


def _count(weights: np.ndarray | None) -> int:
    """Count the weights of a run; a failed one has none, which pandas may read as NaN."""
    return 0 if weights is None or np.ndim(weights) == 0 else len(weights)
