"""Curves are read for some runs alone."""

import pandas as pd
from conftest import run


def test_curves_are_read_part_by_part_each_run_once(write):
    results = write(*[run(name, seed=seed) for name in "abc" for seed in (0, 1)])
    store = results.store
    store.append(results.store.runs()[0], store.curves().slice(0, 3))  # stored twice
    ids = results.runs["run_id"].iloc[[4, 0, 3]]
    rows = store.curves().to_pandas().drop_duplicates("run_id")
    expected = rows[rows["run_id"].isin(ids)].explode(
        ["step", "evaluations", "loss", "gap"], ignore_index=True
    )[list(results.curves)]
    pd.testing.assert_frame_equal(results.curves_of(ids), expected.astype(results.curves.dtypes))
