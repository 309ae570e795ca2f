"""Runs that are better than possible: the sentences that say so, on pages too."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import swept
from reports import texts_of

import lrbench
from lrbench.results.notation import number
from lrbench.results.tables import attainable
from lrbench.results.words.warnings import alarms


def test_an_alarm_counts_the_runs(tmp_path, monkeypatch):
    lines = ["problem=synthetic", "optimizer=sgd", "optimizer.lr=0.1,0.2,0.3", "seed=range(2)", "steps=10"]
    sweep = swept(tmp_path, *lines, "report=false")
    monkeypatch.setattr(attainable, "BELOW", np.inf)  # so that every honest run rings
    (sentence,) = alarms(sweep)
    begin = "ALARM: 6 runs of SGD, on synthetic, came lower than any method of its kind can."
    assert sentence.startswith(begin)


def test_an_alarm_an_optimizer_names_its_worst_case(tmp_path, monkeypatch):
    """The worst is the state with the least ratio to what is possible at its step, of all tasks and
    settings.
    """
    lines = ["problem=synthetic", "problem.kappa=10,100", "optimizer=sgd,sgd_momentum", "steps=10"]
    sweep = swept(tmp_path, *lines, "optimizer.lr=0.1,0.2", "report=false")
    monkeypatch.setattr(attainable, "BELOW", np.inf)
    first, second = alarms(sweep)
    assert first.startswith("ALARM: 4 runs of SGD, on synthetic kappa=10 and synthetic kappa=100, ")
    assert second.startswith("ALARM: 4 runs of SGD + momentum, ")
    least = sweep.least_possible.set_index(["task", "evaluations"])["gap"]
    runs = sweep.entries[sweep.entries["optimizer"] == "sgd"]
    states = sweep.curves_of(runs["run_id"]).merge(runs[["run_id", "task", "setting"]], on="run_id")
    over = [row.gap / least[row.task, row.evaluations] for row in states.itertuples()]
    worst = states.iloc[int(np.argmin(over))]
    who = f" SGD ({worst['setting']}) on {worst['task']}, seed 0, "
    assert f"{who}has gap {number(worst['gap'])} at step {worst['step']}, where " in first


@pytest.mark.parametrize("factor", [0.9, 0.1])
def test_the_alarm_rings_for_a_curve_that_is_too_good(tmp_path, factor):
    lines = ["problem=synthetic", "optimizer=sgd,adam", "optimizer.lr=0.1", "steps=30", "report=false"]
    sweep = swept(tmp_path, *lines)
    least = sweep.least_possible.set_index("evaluations")["gap"]
    for path in (sweep.store.root / "curves").glob("*.parquet"):
        table = pq.read_table(path)
        gaps = table["gap"].to_pylist()
        for curve in gaps:
            curve[4] = factor * least[4.0]
        column = table.schema.get_field_index("gap")
        pq.write_table(table.set_column(column, "gap", pa.array(gaps)), path)
    tampered = lrbench.load(sweep.store.root)
    (sentence,) = alarms(tampered)
    begin = "ALARM: 1 run of SGD, on synthetic, came lower than any method of its kind can. "
    assert sentence.startswith(f"{begin}SGD (lr=0.1) on synthetic, seed 0, ")
    assert "at step 4" in sentence
    tampered.report()
    summary = tampered.store.summary("md").read_text(encoding="utf-8")
    assert sentence in summary.replace("\\", "")


def test_the_page_says_that_an_infimum_is_attained_by_no_weights(tmp_path):
    results = swept(tmp_path, "problem=breast_cancer", "optimizer=sgd,adam", "steps=5")
    assert "attained by no weights" in texts_of(results).page
