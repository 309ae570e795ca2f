"""Which result set is loaded, and that its summary is the ranking."""

import pandas as pd
import pytest
from conftest import run

from lrbench.errors import RequestError
from lrbench.results import load, newest


def test_the_summary_is_the_ranking(write):
    results = load(write(run("sgd", 1e-3), run("adam", 1e-4)).store.root)
    pd.testing.assert_frame_equal(results.summary(), results.ranking)


def test_the_newest_store_is_loaded_where_none_is_named(write, tmp_path):
    write(run(), folder="old", finished="2025-01-01T00:00:00+00:00")
    write(run(), folder="new", finished=None, created="2025-02-01T00:00:00+00:00")
    assert newest(tmp_path).name == load(results_dir=tmp_path).store.name == "new"


def test_missing_stores_say_what_to_do(tmp_path):
    with pytest.raises(RequestError, match="no result set in this folder yet"):
        newest(tmp_path)
    with pytest.raises(RequestError, match="manifest.json"):
        load(tmp_path / "nowhere")


def test_an_error_of_a_table_is_told_as_it_is(write, monkeypatch):
    """A missing attribute inside a table is not the table missing."""
    from lrbench.results.tables import sweep

    results = write(run())
    monkeypatch.setattr(sweep.ranking, "ranking", lambda *tables: results.runs.no_such_column)
    with pytest.raises(AttributeError, match="no_such_column"):
        _ = results.ranking
