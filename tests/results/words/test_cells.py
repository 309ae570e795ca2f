"""The tables as they are printed, of stores written by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from conftest import FLOOR, LECTURE, run, runs_at_rates, tuned
from scipy import stats

from lrbench.results.words.cells import (
    across_text,
    as_text,
    competence_text,
    pairwise_text,
    ranking_text,
    sensitivity_text,
    success_text,
    targets_text,
    tuned_text,
)

INF = np.inf
SIX = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.2])
OTHER = LECTURE | {"problem_id": "other64", "problem": "other"}
ON_OTHER = {"problem_id": "other64", "problem": "other"}


def runs_of(gaps: dict[str, np.ndarray], **changes) -> list[dict]:
    """Runs of seeds 0, 1, ..."""
    seeded = [(name, seed, gap) for name, values in gaps.items() for seed, gap in enumerate(values)]
    return [run(name, gap, seed=seed, **changes) for name, seed, gap in seeded]


# ---- pairs


def test_the_pairs_as_text(write):
    text = pairwise_text(write(*runs_of({"a": 1e-6 * SIX, "b": 2e-6 * SIX[::-1]})).pairwise)
    (row,) = text.to_dict("records")
    log = np.log(2 * SIX[::-1] / SIX)
    test = stats.ttest_1samp(log, 0)
    low, high = np.exp(test.confidence_interval())
    assert row["b over a"] == f"2.0 ({low:.3g}–{high:.2g})"
    assert (row["a lower"], row["pairs"], row["p*"]) == ("6/6", "6", f"{test.pvalue:.2g}")


def test_a_pair_of_identical_runs_says_so_and_has_no_numbers(write):
    gaps = {"a": np.array([1e-3, 1e-4]), "b": np.array([1e-3, 1e-4]), "c": np.array([FLOOR, 0.0])}
    text = pairwise_text(write(*runs_of(gaps)).pairwise).set_index(["a", "b"])
    cells = text.loc[("a", "b"), ["test", "b over a", "p*", "shown better*"]].tolist()
    assert cells == ["identical", "–", "–", "–"]


def test_the_task_stands_there_where_there_are_several(write):
    rows = runs_of({"a": SIX, "b": 3 * SIX}) + runs_of({"a": 3 * SIX, "c": SIX}, **ON_OTHER)
    pairwise = write(*rows, problems=(LECTURE, OTHER)).pairwise
    assert list(pairwise_text(pairwise)["task"]) == ["lecture", "other"]
    assert "task" not in pairwise_text(pairwise.head(1))


def test_mean_ranks_over_problems_stand_side_by_side(write):
    """a is lower on two of three problems."""
    problems = [LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(3)]
    rows = []
    for k, (a, b) in enumerate(((1e-3, 1e-2), (1e-3, 1e-2), (1e-2, 1e-3))):
        task = {"problem_id": f"p{k}", "problem": f"p{k}"}
        rows += [run("a", a, **task), run("b", b, **task)]
    across = write(*rows, problems=tuple(problems)).across
    assert across_text(across)["mean ranks"].tolist() == ["1.33, 1.67"]


def test_a_default_that_diverged_leaves_inf_as_the_gain(write_tuned):
    sweep = write_tuned(tuned("sgd", {0.1: [1.0]}, list(SIX), [INF] * 6))
    assert tuned_text(sweep.tuned_against_default)["gain"].tolist() == ["inf"]


# ---- learning rates


def test_no_learning_rate_that_reaches_is_a_row_of_dashes(write):
    sweep = write(*runs_at_rates({0.1: False, 1.0: False}), run("rate_free", lr=None, hit=3))
    text = sensitivity_text(sweep.sensitivity_table)
    assert text.to_numpy().tolist() == [["sgd", "2", "–", "–", "–", "0.1"]]


def test_the_tolerance_as_text(write):
    sweep = write(*runs_at_rates({1e-4: True, 1e-3: True, 1e-1: False}))
    (row,) = sensitivity_text(sweep.sensitivity_table).to_dict("records")
    assert row == {
        "optimizer": "sgd",
        "lrs": "3",
        "tolerance": "≥ 1.0 decades",
        "from": "≤ 0.0001",
        "to": "0.001",
        "best lr": "0.0001",
    }
    assert ranking_text(sweep.ranking)["lr tolerance"].tolist() == ["≥ 1.0 decades"]


@pytest.mark.parametrize(
    "reaching",
    [{1e-2: False, 1e-1: True, 1.0: False}, {1e-2: False, 1e-1: False, 1.0: True}],
    ids=["inside", "at the end"],
)
def test_a_single_rate_has_no_width(write, reaching):
    sweep = write(*runs_at_rates(reaching))
    assert sensitivity_text(sweep.sensitivity_table)["tolerance"].tolist() == ["one rate of 3"]
    assert ranking_text(sweep.ranking)["lr tolerance"].tolist() == ["one rate of 3"]


# ---- targets


def test_targets_with_their_hits_and_the_expected_running_time(write):
    """Hits of 1e-3 after 2, 6 and 4 gradient evaluations; one seed misses, one diverged after it hit."""
    rows = []
    for seed, hit in enumerate([2.0, 6.0, 4.0, None]):
        hits = {"evaluations_to_1e-3": hit, "evaluations_to_1e-4": None}
        rows.append(run(seed=seed, batch_size=1, **hits))
    hits = {"evaluations_to_1e-3": 1.0, "evaluations_to_1e-4": None}
    rows.append(run(seed=4, batch_size=1, status="diverged", evaluations=3.0, **hits))
    text = targets_text(write(*rows).targets)
    assert text[["1e-3", "1e-4"]].to_numpy().tolist() == [["6 (3/5) [9.33]", "0/5"]]


def test_no_targets_where_relative_gaps_are_undefined(write):
    sweep = write(run(), problems=(LECTURE | {"scale": None},))
    assert not len(targets_text(sweep.targets))
    assert not len(success_text(sweep.success))


def test_success_says_how_many_trials_it_takes(write_tuned):
    """Trials 1 and 3 of four reach the target, and half of the evaluation seeds: (4 + 1) / (2 + 1) trials."""
    trials = {1.0: [1.0] * 2, 2.0: [0.5] * 2, 3.0: [2.0] * 2, 4.0: [1e-2] * 2}
    sgd = tuned("sgd", trials, [1e-2] * 2)
    for row, role in sgd:
        is_trial = role["role"] == "trial" and row["optimizer.lr"] in (2.0, 4.0)
        is_first = role["role"] == "evaluation" and row["seed"] == 0
        row["evaluations_to_target"] = row["steps_to_target"] = 4 if is_trial or is_first else None
    sweep = write_tuned(sgd, tuned("adam", {1.0: [1.0]}, [1.0, 1.0, 1.0]))
    assert success_text(sweep.success).to_dict("records") == [
        {"optimizer": "sgd", "lecture": "pass (1.7 trials)"},
        {"optimizer": "adam", "lecture": "0/3"},
    ]


def test_success_of_several_problems_is_a_column_each(write):
    rows = [run("a", hit=3), run("b"), run("b", hit=1, **ON_OTHER)]
    sweep = write(*rows, problems=(LECTURE, OTHER))
    assert success_text(sweep.success).to_dict("records") == [
        {"optimizer": "a", "lecture": "pass (1.0 trials)", "other": "–"},
        {"optimizer": "b", "lecture": "0/1", "other": "pass (1.0 trials)"},
    ]


def test_above_eight_tasks_success_is_a_row_a_task(write):
    names = [f"p{k}" for k in range(9)]
    problems = [LECTURE | {"problem_id": name, "problem": name} for name in names]
    rows = [run("a", problem_id=name, problem=name, hit=3) for name in names]
    text = success_text(write(*rows, problems=tuple(problems)).success)
    assert text.to_numpy().tolist() == [[name, "a", "pass (1.0 trials)"] for name in names]


def test_who_leads_at_which_condition_number(write):
    gaps = {10.0: (1e-5, 1e-3), 100.0: (1e-3, 1e-3), 1000.0: (1e-1, 1e-2)}
    problems, rows = [], []
    for kappa, (a, b) in gaps.items():
        task = {"problem_id": f"k{kappa}", "problem": "synthetic"}
        problems.append(LECTURE | task | {"kappa": kappa})
        rows += [run("a", a, **task, problem__kappa=kappa), run("b", b, **task, problem__kappa=kappa)]
    sweep = write(*rows, problems=tuple(problems))
    assert competence_text(sweep.competence)["first*"].tolist() == ["a", "a and b", "b"]


# ---- a ranking, and what theory says


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
