"""The tables as they are printed, of stores written by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from conftest import LECTURE, run, runs_at_rates, tuned
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
    """Nobody arrives: levels are compared, and on log scores by scipy."""
    text = pairwise_text(write(*runs_of({"a": 1e-3 * SIX, "b": 2e-3 * SIX[::-1]})).pairwise)
    (row,) = text.to_dict("records")
    log = np.log(2 * SIX[::-1] / SIX)
    test = stats.ttest_1samp(log, 0)
    low, high = np.exp(test.confidence_interval())
    assert (row["b over a"], row["of"]) == (f"2.0 ({low:.3g}–{high:.2g})", "level")
    ahead = (log > np.log(1.25)).sum(), (log < -np.log(1.25)).sum()
    assert (row["a ahead"], row["b ahead"]) == (f"{ahead[0]}/6", f"{ahead[1]}/6")
    beyond = stats.ttest_1samp(log, np.log(1.25), alternative="greater").pvalue
    assert (row["test"], row["p*"], row["p beyond 1.25*"]) == ("t", f"{test.pvalue:.2g}", f"{beyond:.2g}")
    assert row["said"] == ("clear: a" if low > 1.25 and beyond < 0.05 else "close: a")


def test_a_pair_of_identical_runs_says_so_and_has_no_numbers(write):
    rows = [run(name, 1e-3, seed=seed, fingerprint=seed) for name in ("a", "b") for seed in range(2)]
    text = pairwise_text(write(*rows).pairwise).set_index(["a", "b"])
    cells = text.loc[("a", "b"), ["said", "test", "b over a", "of", "p*"]].tolist()
    assert cells == ["the same", "same", "–", "–", "–"]


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


def test_a_default_that_diverged_leaves_the_order_alone(write_tuned):
    sweep = write_tuned(tuned("sgd", {0.1: [1.0]}, list(SIX), [INF] * 6))
    (row,) = tuned_text(sweep.tuned_against_default).to_dict("records")
    assert (row["default over tuned"], row["said"], row["default level"]) == ("–", "clear: tuned", "inf")


# ---- learning rates


def test_rates_of_which_none_arrives_work_by_their_level(write):
    """The levels are as 1 to 10: the lower one alone is within twice the best."""
    sweep = write(*runs_at_rates({0.1: False, 1.0: False}), run("rate_free", lr=None, hit=3))
    text = sensitivity_text(sweep.sensitivity_table)
    levels = sweep.settings.set_index("lr")["level"]
    works = levels[1.0] <= 2 * levels[0.1]
    (row,) = text.to_numpy().tolist()
    assert row == [
        "SGD",
        "2",
        *(["≥ 1.0 decades", "≤ 0.1", "≥ 1"] if works else ["one rate of 2", "≤ 0.1", "0.1"]),
        "0.1",
    ]


def test_the_rates_that_work_as_text(write):
    sweep = write(*runs_at_rates({1e-4: True, 1e-3: True, 1e-1: False}))
    (row,) = sensitivity_text(sweep.sensitivity_table).to_dict("records")
    assert row == {
        "optimizer": "SGD",
        "lrs": "3",
        "rates that work": "≥ 1.0 decades",
        "from": "≤ 0.0001",
        "to": "0.001",
        "best lr": "0.0001",
    }
    assert ranking_text(sweep.ranking)["rates that work"].tolist() == ["0.0001 to 0.001"]


@pytest.mark.parametrize(
    ("reaching", "rate"),
    [
        ({1e-2: False, 1e-1: True, 1.0: False}, "0.1"),
        ({1e-2: False, 1e-1: False, 1.0: True}, "1"),
    ],
    ids=["inside", "at the end"],
)
def test_a_single_rate_has_no_width(write, reaching, rate):
    sweep = write(*runs_at_rates(reaching))
    assert sensitivity_text(sweep.sensitivity_table)["rates that work"].tolist() == ["one rate of 3"]
    assert ranking_text(sweep.ranking)["rates that work"].tolist() == [rate]


# ---- targets


def test_targets_with_their_arrivals_and_the_expected_running_time(write):
    """Arrivals at 1e-3 after 2, 6 and 4 of 8 gradient evaluations; one seed misses, one is lost."""
    rows = []
    for seed, cost in enumerate([2.0, 6.0, 4.0, None]):
        costs = {"cost_1e-3": cost, "cost_1e-4": None}
        rows.append(run(seed=seed, batch_size=1) | costs)
    rows.append(run(seed=4, batch_size=1, status="diverged") | {"cost_1e-3": None, "evaluations": 3.0})
    text = targets_text(write(*rows).targets)
    expected = (2 + 6 + 4 + 8 + 8) / 3
    assert text[["1e-3", "1e-4"]].to_numpy().tolist() == [[f"6 (3/5) [{expected:.2f}]", "0/5"]]


def test_no_targets_where_relative_gaps_are_undefined(write):
    sweep = write(run(), problems=(LECTURE | {"scale": None},))
    assert not len(targets_text(sweep.targets))


def test_success_says_how_many_trials_it_takes(write_tuned):
    """Two of four trials arrive, and half of the evaluation seeds: (4 + 1) / (2 + 1) trials."""
    trials = {1.0: [1.0] * 2, 2.0: [1e-9] * 2, 3.0: [2.0] * 2, 4.0: [1e-10] * 2}
    sgd = tuned("sgd", trials, [1e-9, 1e-2])
    sweep = write_tuned(sgd, tuned("adam", {1.0: [1.0]}, [1.0, 1.0, 1.0]))
    assert success_text(sweep.success).to_dict("records") == [
        {"optimizer": "SGD", "lecture": "pass (1.7 trials)"},
        {"optimizer": "Adam", "lecture": "0/3"},
    ]


def test_success_of_several_problems_is_a_column_each(write):
    rows = [run("a", cost=3), run("b"), run("b", cost=1, **ON_OTHER)]
    sweep = write(*rows, problems=(LECTURE, OTHER))
    assert success_text(sweep.success).to_dict("records") == [
        {"optimizer": "a", "lecture": "pass (1.0 trials)", "other": "–"},
        {"optimizer": "b", "lecture": "0/1", "other": "pass (1.0 trials)"},
    ]


def test_above_eight_tasks_success_is_a_row_a_task(write):
    names = [f"p{k}" for k in range(9)]
    problems = [LECTURE | {"problem_id": name, "problem": name} for name in names]
    rows = [run("a", problem_id=name, problem=name, cost=3) for name in names]
    text = success_text(write(*rows, problems=tuple(problems)).success)
    assert text.to_numpy().tolist() == [[name, "a", "pass (1.0 trials)"] for name in names]


def test_who_leads_at_which_condition_number(write):
    costs = {10.0: (2, 5), 100.0: (3, 4), 1000.0: (7, 3)}
    problems, rows = [], []
    for kappa, (a, b) in costs.items():
        task = {"problem_id": f"k{kappa}", "problem": "synthetic"}
        problems.append(LECTURE | task | {"kappa": kappa})
        for seed in range(6):
            rows += [run("a", cost=a, seed=seed, **task, problem__kappa=kappa)]
            rows += [run("b", cost=b, seed=seed, **task, problem__kappa=kappa)]
    sweep = write(*rows, problems=tuple(problems))
    # 3 and 4 evaluations are less than two steps apart
    assert competence_text(sweep.competence)["first*"].tolist() == ["a", "a and b", "b"]


# ---- a ranking, and what theory says


def test_the_printed_ranking(write):
    results = write(run("a", 0.0, hit=3), run("b", 0.0, hit=5), run("c", 1e-3), run("d", status="failed"))
    text = ranking_text(results.ranking).set_index("optimizer")
    assert text["rank*"].to_dict() == {"a": "1=", "b": "1=", "c": "1=", "d": "–"}
    assert text["level"].to_dict() == {"a": "≤ 1.00e-20", "b": "≤ 1.00e-20", "c": "0.00100", "d": "–"}
    assert text["arrives after"].to_dict() == {"a": "3", "b": "5", "c": "not reached", "d": "all lost"}
    assert text["from the best fit"].to_dict()["c"] == f"{100 * 1e-3 / LECTURE['scale']:.2g} %"
    assert text["against the leader*"].to_dict()["a"] == "leads"
    assert text["failed"].to_dict() == {"a": "0/1", "b": "0/1", "c": "0/1", "d": "1/1"}


def test_what_is_said_of_an_optimizer_that_is_ahead_of_the_leader(write):
    """The leader may be beaten on the seeds that are compared: the word says on which side."""
    ranking = write(run("a", cost=3), run("b", cost=5)).ranking
    ranking = ranking.assign(word=["", "clear"], side=[0, -1])
    assert ranking_text(ranking)["against the leader*"].tolist() == ["leads", "clear, ahead here"]


def test_learning_rates_of_theory_have_the_form_of_settings():
    frame = pd.DataFrame({"lr": [0.04102, math.nan, 1e-5], "momentum": [0.04102, math.nan, 1e-5]})
    assert as_text(frame).to_numpy().tolist() == [["0.041", "0.0410"], ["–", "–"], ["1e-5", "1.00e-5"]]
