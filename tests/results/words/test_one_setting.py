"""The one setting for all tasks: what is said of it, and which setting it is, of small stores."""

import math

import pytest
from conftest import LECTURE, run, tuned

from lrbench.results.words.verdict import headline

INF = math.inf
PLACES = [{"problem_id": name, "problem": name} for name in ("p0", "p1", "p2")]
PROBLEMS = tuple(LECTURE | place for place in PLACES)


def on_problems(costs: dict[tuple[str, float], list[float]]) -> list[dict]:
    """Runs of (optimizer, lr) with its cost on each problem, inf a miss."""
    rows = []
    for (name, lr), own in costs.items():
        for place, cost in zip(PLACES, own, strict=True):
            how = {"cost": cost} if cost < INF else {"gap": 1e-3}
            rows.append(run(name, target_=TARGETS[name], lr=lr, steps=500, **how, **place))
    return rows


TARGETS = {"sgd": "torch.optim.SGD", "adam": "torch.optim.Adam"}


@pytest.fixture
def said(write):
    """What is said of one setting for all, and its line, of these runs; None where nothing is."""

    def of(*rows: dict, **options) -> list[str]:
        sentences = headline(write(*rows, problems=PROBLEMS, **options))
        return [sentence for sentence in sentences if "all 3 tasks" in sentence]

    return of


def test_it_is_named_with_what_it_costs_and_its_line(said):
    costs = {("sgd", 0.1): [100, 100, 90], ("adam", 0.2): [50, 250, 90]}
    assert said(*on_problems(costs)) == [
        "One setting for all 3 tasks: SGD with learning rate 0.1, which takes at most 2.0 times the best "
        "one's evaluations (on p0).",
        "To paste, for all 3 tasks: torch.optim.SGD(model.parameters(), lr=0.1)",
    ]


@pytest.mark.parametrize("cost", [100, 100.2])
def test_it_may_take_the_fewest_on_each(said, cost):
    """A factor that is written as 1.00 is none."""
    sentence, _ = said(*on_problems({("adam", 0.2): [cost, 100, 90], ("sgd", 0.1): [100, 250, 95]}))
    assert sentence.endswith("Adam with learning rate 0.2, which takes the fewest evaluations on each.")


def test_where_it_misses_the_budget_stands_for_it(said):
    """Adam misses on p1, where SGD takes 250 of 500."""
    sentence, _ = said(*on_problems({("adam", 0.2): [50, INF, 90], ("sgd", 0.1): [200, 250, 95]}))
    assert sentence.endswith(
        "Adam with learning rate 0.2, which arrives on 2 of them; with a miss counted as the whole budget it "
        "takes at most 2.0 times the best one's evaluations (on p1)."
    )
    alone, _ = said(*on_problems({("sgd", 0.1): [10, INF, 90]}), folder="alone")
    assert alone.endswith("which takes the fewest evaluations on each of the 2 on which it arrives.")
    nowhere, _ = said(*on_problems({("sgd", 0.1): 3 * [INF]}), folder="nowhere")
    assert nowhere.endswith("SGD with learning rate 0.1, which on no task arrives with half of its seeds.")


def test_one_that_loses_a_run_or_leaves_the_target_stands_behind(said):
    """Of sgd 0.1 would take the fewest, then 0.2, then adam."""
    cheap, safe = on_problems({("sgd", 0.1): [10, 10, 10]}), on_problems({("sgd", 0.2): [11, 11, 11]})
    others = on_problems({("adam", 0.2): [20, 20, 20]})
    lost = run("sgd", lr=0.1, steps=500, seed=1, status="diverged", **PLACES[1])
    assert "SGD with learning rate 0.2" in said(*cheap, lost, *safe, *others)[0]
    leaves = {"run_id": [cheap[2]["run_id"]], "beyond": [1.0]}
    assert "SGD with learning rate 0.2" in said(*cheap, *safe, *others, beyond=leaves, folder="leaves")[0]
    assert "Adam with learning rate 0.2" in said(*cheap, lost, *others, folder="other")[0]
    assert said(*cheap, lost, folder="none") == []


def test_of_a_tuned_sweep_runs_at_new_seeds_count_too(write_tuned):
    """The search prefers 0.1, of which an evaluation is lost on each problem."""
    trials = {0.1: [2, 3], 0.2: [4, 4]}
    both = [tuned("sgd", trials, [2, 2, INF], by="cost", **place) for place in PLACES]
    *_, sentence, line = headline(write_tuned(*both, problems=PROBLEMS))
    assert sentence == (
        "One setting for all 3 tasks: SGD with learning rate 0.2, which takes at most 1.63 times the best "
        "one's evaluations (on p0, by the tuning seeds)."
    )
    assert line.endswith("torch.optim.SGD(model.parameters(), lr=0.2)")
    halted = headline(write_tuned(*both, problems=PROBLEMS, folder="halted", state="interrupted"))
    assert not any("all 3 tasks" in sentence for sentence in halted)


def test_the_line_says_on_which_columns(said, write):
    rows = on_problems({("sgd", 0.1): [100, 100, 90]})
    scaled = [problem | {"x_mean": [1.0], "x_scale": [2.0]} for problem in PROBLEMS]
    line = headline(write(*rows, problems=tuple(scaled)))[-1]
    assert line.startswith("To paste, for all 3 tasks on standardized columns: torch")
    line = headline(write(*rows, problems=(*PROBLEMS[:2], scaled[2]), folder="some"))[-1]
    assert line.startswith("To paste, for all 3 tasks on standardized columns (1 of them): torch")
