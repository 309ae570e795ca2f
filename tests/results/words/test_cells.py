"""How the rows of a table are written."""

import math

import pandas as pd
from conftest import run

from lrbench.results.words.cells import as_text, ranking_text


def test_the_printed_ranking(write):
    results = write(run("a", 0.0, hit=3), run("b", 0.0), run("c", 1e-3), run("d", status="failed"))
    text = ranking_text(results.ranking).set_index("optimizer")
    assert text["rank*"].to_dict() == {"a": "1=", "b": "1=", "c": "3", "d": "–"}
    assert text["final gap"].to_dict() == {"a": "≤ 1.00e-20", "b": "≤ 1.00e-20", "c": "0.00100", "d": "inf"}
    assert text["evaluations to target"].to_dict() == {
        "a": "3",
        "b": "not reached",
        "c": "not reached",
        "d": "not reached",
    }
    assert text["failed"].to_dict() == {"a": "0/1", "b": "0/1", "c": "0/1", "d": "1/1"}


def test_learning_rates_of_theory_have_the_form_of_settings():
    frame = pd.DataFrame({"lr": [0.04102, math.nan, 1e-5], "momentum": [0.04102, math.nan, 1e-5]})
    assert as_text(frame).to_numpy().tolist() == [["0.041", "0.0410"], ["–", "–"], ["1e-5", "1.00e-5"]]
