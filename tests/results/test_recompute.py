"""Every number of small real sweeps against a script that reads their files with pandas alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rule
from conftest import swept
from recompute import recompute, task_names

WORDS = {"word", "test", "family", "unit"}  # in the tables that are no numbers
SWEEPS = {
    "lecture tuned": ["optimizer=sgd,adam,rprop", "tune=lr", "tune.trials=8", "seed=range(5)", "steps=200"],
    "batches tuned": ["problem=diabetes", "batch_size=32", "batch_order=shuffled", "optimizer=sgd,adam"]
    + ["tune=lr", "tune.trials=8", "seed=range(4)", "epochs=20"],
    "three problems": ["problem=synthetic", "problem.kappa=10,100,1000", "problem.noise=1"]
    + ["optimizer=sgd,adam,rmsprop", "optimizer.lr=0.01,0.03,0.1", "seed=range(4)", "steps=80"],
    "diverged": ["optimizer=sgd,adam,adagrad", "optimizer.lr=0.01,0.055,0.1,1", "seed=range(10)", "steps=60"],
    "alone": ["optimizer=adam", "optimizer.lr=0.1,1", "seed=range(3)", "steps=150"],
    "two problems tuned": ["problem=synthetic", "problem.kappa=10,100", "optimizer=sgd,adam"]
    + ["tune=lr", "tune.trials=8", "seed=range(3)", "steps=80"],
    "lbfgs": ["optimizer=lbfgs,sgd", "optimizer.lr=0.05,1", "seed=range(4)", "steps=150"],
}


@pytest.fixture(scope="module", params=SWEEPS)
def sweep(request, tmp_path_factory):
    return swept(tmp_path_factory.mktemp("sweep"), *SWEEPS[request.param], "report=false")


def with_tasks(frame: pd.DataFrame, sweep) -> pd.DataFrame:
    """Return a frame whose tasks are named as the script names them."""
    tasks = task_names(sweep.tasks)
    return frame.assign(task=frame["task"].map(dict(zip(sweep.tasks["task"], tasks, strict=True))))


def assert_alike(found: pd.DataFrame, expected: pd.DataFrame, keys: list[str], columns: list[str]):
    assert len(found) == len(expected)
    merged = found[[*keys, *columns]].merge(
        expected[[*keys, *columns]], on=keys, suffixes=("", " of the script")
    )
    assert len(merged) == len(found)
    for column in columns:
        one, other = merged[column], merged[f"{column} of the script"]
        if column in WORDS:
            assert words(one) == words(other), column
        else:
            numbers = [cells.astype(float).to_numpy() for cells in (one, other)]
            np.testing.assert_allclose(*numbers, rtol=1e-9, err_msg=column)


def words(cells: pd.Series) -> list[str]:
    return cells.astype(object).where(cells.notna(), "").tolist()


def numbers_of(frame: pd.DataFrame, keys: list[str], but: set[str] = frozenset()) -> list[str]:
    """Return the columns of numbers, flags and words of the rule."""
    left_out = {*keys, *but, "task", "setting", "setting_id", "edge", "better"}
    return [name for name in frame if name not in left_out]


def test_every_number_is_what_the_files_say(sweep):
    root: Path = sweep.store.root
    tables = recompute(root)
    keys = ["task", "optimizer", "setting_id"]
    for name in ("settings", "ranking"):
        frame = with_tasks(getattr(sweep, name), sweep)
        expected = tables[name].reindex(columns=[*keys, *numbers_of(frame, keys)])
        assert_alike(frame, expected, keys, numbers_of(frame, keys))
    if len(sweep.pairwise):
        keys = ["task", "a", "b"]
        frame = with_tasks(sweep.pairwise, sweep)
        side = np.select([frame["better"] == frame["a"], frame["better"] == frame["b"]], [1, -1])
        frame = frame.assign(side=side)
        expected = tables["pairwise"]
        wins = expected["word"] != rule.PASSES  # to stand behind for that is no win of who stays
        expected = expected.assign(side=expected["side"].where(wins, 0))
        assert_alike(frame, expected, keys, numbers_of(frame, keys))
    if len(sweep.overall):
        assert_alike(
            sweep.overall, tables["overall"], ["optimizer"], numbers_of(sweep.overall, ["optimizer"])
        )
    assert len(sweep.overall) == len(tables["overall"])
    if len(sweep.one_for_all):
        numbers = ["lr", "ratio", "solved", "lost", "left", "tasks"]
        assert_alike(sweep.one_for_all, tables["one_for_all"], ["optimizer"], numbers)
    assert len(sweep.one_for_all) == len(tables["one_for_all"])
    assert len(sweep.pairwise) == len(tables["pairwise"])
