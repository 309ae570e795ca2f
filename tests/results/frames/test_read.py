"""What is read does not depend on the order in which runs were stored: threads finish in any order."""

from itertools import product

import pandas as pd
from conftest import run


def test_the_order_of_the_parts_does_not_matter(write):
    rows = [
        run(optimizer, 10.0**-seed, lr=lr, seed=seed)
        for optimizer in ("sgd", "adam")
        for lr in (0.1, 0.01, 1.0)
        for seed in (2, 0, 1)
    ]
    forwards = write(*rows, folder="forwards")
    backwards = write(*reversed(rows), folder="backwards")
    pd.testing.assert_frame_equal(forwards.runs, backwards.runs)
    pd.testing.assert_frame_equal(forwards.entries, backwards.entries)
    in_order = list(product(("adam", "sgd"), (0.01, 0.1, 1.0), range(3)))
    columns = forwards.runs[["optimizer", "optimizer.lr", "seed"]]
    assert list(columns.itertuples(index=False, name=None)) == in_order
