"""The columns of every frame."""

from collections.abc import Iterable

import pandas as pd


def typed(rows: Iterable, columns: dict[str, type]) -> pd.DataFrame:
    """Return rows (dicts, tuples or frames) as one frame with these columns, of the same types where there
    are no rows.
    """
    rows = list(rows)
    if rows and isinstance(rows[0], pd.DataFrame):
        frame = pd.concat(rows, ignore_index=True)
    else:
        frame = pd.DataFrame(rows, columns=list(columns))
    return frame[list(columns)].astype(columns)
