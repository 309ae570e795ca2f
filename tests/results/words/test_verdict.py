"""The verdict of a task in words: each said once, with its number, and nothing that was not shown.

Rows of the ranking are made by hand, so that a sentence is read beside what it is made of; what the words are
made of is tested in tests/results/tables.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lrbench.results.words import leader, verdict

TASK = pd.Series(
    {
        "task": "lecture",
        "loss": "mse_sum",
        "relative_target": 1e-6,
        "init": "torch",
        "batch_size": None,
        "batch_order": "sequential",
    }
)
NAMES = ("sgd", "adam", "rmsprop", "sgd_momentum", "adagrad", "nadam")


def row(optimizer: str, word: str = "", side: int = 0, cost: float | None = 100.0, **changes) -> dict:
    """A row of the ranking; without a word the leader. cost None: nobody arrives."""
    values = {
        "task": "lecture",
        "optimizer": optimizer,
        "leader": word == "",
        "first": word in ("", "as good"),
        "word": word,
        "side": side,
        "lr": 0.1,
        "setting": "lr=0.1",
        "settings": 32,
        "seeds": 10,
        "arrived": 0 if cost is None else 10,
        "cost": np.nan if cost is None else cost,
        "level": 3e-3,
        "relative_level": 3e-3,
        "lost": 0,
        "passes": False,
        "crossing": np.nan,
        "unit": None,
        "ratio": np.nan,
        "ratio_low": np.nan,
        "ratio_high": np.nan,
        "p": np.nan,
        "wins": 0,
        "losses": 0,
        "starts": np.nan,
        "diverged": 0,
        "failed": 0,
        "runs": 116,
        "steps_taken": 500,
    }
    return values | changes


def ratio(value: float, low: float, high: float, unit: str = "evaluations") -> dict:
    return {"ratio": value, "ratio_low": low, "ratio_high": high, "unit": unit}


def told(*rows: dict, tuned: bool = True, tasks: int = 1, task: pd.Series = TASK) -> str:
    sweep = SimpleNamespace(tuned=tuned, tasks=range(tasks))
    (sentence,) = leader.sentence(sweep, task, pd.DataFrame(list(rows)))
    return sentence


# ---- somebody arrives


def test_a_clear_winner_arrives_first():
    second = row("adam", "clear", 1, 170.0, **ratio(1.7, 1.6, 1.8))
    assert told(row("sgd", cost=99.6), second) == (
        "SGD with learning rate 0.1 arrives first, in 100 gradient evaluations; clearly better than Adam "
        "(Adam needs 1.70 times as many evaluations, 1.60 to 1.80)."
    )


def test_close_says_who_is_ahead_and_that_it_may_not_matter():
    assert told(row("sgd"), row("adam", "close", 1, **ratio(1.16, 1.04, 1.29))) == (
        "SGD with learning rate 0.1 arrives in 100 gradient evaluations; better than Adam, but perhaps too "
        "little to matter (Adam needs 1.16 times as many evaluations, 1.04 to 1.29)."
    )


def test_a_group_that_is_as_good_is_offered_as_such():
    rows = [row("sgd_momentum"), row("adagrad", "as good"), row("nadam", "the same")]
    assert told(*rows, row("adam", "clear", 1, **ratio(1.73, 1.55, 1.94))) == (
        "Take any of SGD + momentum, Adagrad and NAdam: SGD + momentum with learning rate 0.1 arrives in 100 "
        "gradient evaluations; clearly better than Adam (Adam needs 1.73 times as many evaluations, 1.55 to "
        "1.94)."
    )


def test_of_several_behind_the_nearest_has_its_number():
    far = row("rmsprop", "clear", 1, **ratio(9.0, 8.0, 10.0))
    near = row("adam", "clear", 1, **ratio(2.0, 1.9, 2.1))
    misses = row("adagrad", "clear", 1, cost=None)
    sentence = told(row("sgd"), far, near, misses)
    assert sentence == (
        "SGD with learning rate 0.1 arrives first, in 100 gradient evaluations; clearly better than RMSprop, "
        "Adam and Adagrad (Adam needs 2.0 times as many evaluations, 1.90 to 2.1)."
    )


def test_at_most_three_names_and_how_many_more():
    behind = [row(name, "clear", 1) for name in NAMES[1:]]
    not_settled = row("asgd", "not settled")
    sentence = told(row("sgd"), *behind, not_settled)
    assert "clearly better than Adam, RMSprop, SGD + momentum and 2 more" in sentence
    assert told(row("sgd"), *behind).endswith("clearly better than all 5 others.")


def test_runs_that_miss_are_counted():
    nine = row("sgd", cost=84.0, arrived=9)
    assert told(nine, row("adam", "clear", 1, cost=None)) == (
        "SGD with learning rate 0.1 arrives first: 9 of 10 starts arrive, then in 84 gradient evaluations; "
        "clearly better than Adam."
    )


def test_what_is_open_has_the_starts_that_would_settle_it():
    open_one = row("adam", "not settled", starts=36.0)
    assert told(row("sgd"), open_one).endswith("; not settled against Adam with 10 starts (about 36 would).")
    none_would = [row("adam", "not settled", starts=36.0), row("nadam", "cannot be told")]
    assert told(row("sgd"), *none_would).endswith("; not settled against Adam and NAdam with 10 starts.")


def test_who_passes_through_ranks_behind_and_is_no_win():
    assert told(row("sgd", cost=69.0), row("rmsprop", "passes through", 1, 47.0, passes=True)) == (
        "SGD with learning rate 0.1 arrives and stays in 69 gradient evaluations; RMSprop passes through: "
        "within the target at the end of the budget, gone again before twice of it."
    )


def test_a_choice_that_did_not_carry_over_is_said():
    better = row("adam", "clear", -1, 80.0, **ratio(0.8, 0.7, 0.9))
    assert told(row("sgd"), better).endswith(
        "but Adam is better on these starts: the choice did not carry over (SGD needs 1.25 times as many "
        "evaluations, 1.11 to 1.43)."
    )


def test_the_order_that_turns_with_the_target_names_both():
    rows = [row("sgd"), row("adam", "not settled", crossing=1e-3), row("nadam", "as good")]
    assert told(*rows) == (
        "SGD or Adam, depending on the target: SGD with learning rate 0.1 arrives in 100 gradient "
        "evaluations; NAdam is as good as SGD; not settled against Adam with 10 starts; at 0.001 Adam "
        "arrives first."
    )


# ---- nobody arrives


def test_nobody_arrives_and_the_levels_are_told():
    behind = row("adam", "clear", 1, None, **ratio(2.0, 1.9, 2.1, "gap"))
    assert told(row("sgd", cost=None), behind) == (
        "Nobody comes within 1e-6 of the best fit. SGD with learning rate 0.1 ends 0.3 % from the best fit; "
        "clearly better than Adam (Adam ends 2.0 times as far off, 1.90 to 2.1)."
    )


def test_all_equally_near_take_any():
    rows = [row("sgd", cost=None), row("adam", "as good", cost=None), row("nadam", "as good", cost=None)]
    assert told(*rows) == (
        "Nobody comes within 1e-6 of the best fit: all end about equally near, 0.3 % from the best fit; take "
        "any."
    )


def test_without_a_scale_a_level_is_a_gap():
    rows = [row("sgd", cost=None, relative_level=np.nan), row("adam", "clear", 1, None)]
    assert "SGD with learning rate 0.1 ends at a gap of 0.00300; clearly better than Adam." in told(*rows)


# ---- alone, lost, given


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Adam with learning rate 0.1 arrives in 100 gradient evaluations; the best of 32 settings."),
        ({"settings": 1}, "Adam with learning rate 0.1 arrives in 100 gradient evaluations."),
        (
            {"settings": 1, "arrived": 3},
            "Adam with learning rate 0.1 arrives: 3 of 10 starts arrive, then in 100 gradient evaluations.",
        ),
        ({"settings": 1, "arrived": 0}, "Adam with learning rate 0.1 ends 0.3 % from the best fit."),
        (
            {"settings": 1, "cost": 0.3},
            "Adam with learning rate 0.1 arrives in less than one gradient evaluation.",
        ),
        ({"settings": 1, "cost": 1.2}, "Adam with learning rate 0.1 arrives in 1 gradient evaluation."),
        (
            {"settings": 1, "setting": "lr=0.1 eps=1e-6"},
            "Adam (lr=0.1 eps=1e-6) arrives in 100 gradient evaluations.",
        ),
        ({"settings": 1, "setting": ""}, "Adam arrives in 100 gradient evaluations."),
    ],
)
def test_one_optimizer_alone(changes, said):
    assert told(row("adam", **changes)) == said


def test_rates_that_were_given_are_called_so():
    rows = [row("sgd", settings=1), row("adam", "clear", 1, settings=1)]
    assert told(*rows, tuned=False).startswith(
        "SGD with learning rate 0.1 arrives first, in 100 gradient evaluations, at these rates; clearly"
    )


def test_all_lost():
    rows = [row(name, "all lost", lost=10, diverged=9, failed=1, runs=10) for name in ("sgd", "adam")]
    rows[0]["leader"] = True
    assert told(*rows) == "No run completed at a chosen setting: 18 diverged and 2 failed of 20."


def test_a_rival_that_lost_everything_is_named():
    sentence = told(row("sgd"), row("adam", "clear", 1, None, lost=10))
    assert sentence.endswith("clearly better than Adam; Adam lost every run.")


def test_several_tasks_name_the_task():
    assert "arrives first, in 100 gradient evaluations on lecture;" in told(
        row("sgd"), row("adam", "clear", 1), tasks=2
    )


def test_every_optimizer_is_in_the_sentence():
    words = ("clear", "close", "as good", "not settled", "cannot be told", "passes through")
    for first in words:
        for second in words:
            sides = [1 if word in ("clear", "close", "passes through") else 0 for word in (first, second)]
            sentence = told(row("sgd"), row("adam", first, sides[0]), row("nadam", second, sides[1]))
            assert all(name in sentence for name in ("SGD", "Adam", "NAdam")), sentence


# ---- how sure


def sure(*rows: dict, tests: int = 1) -> list[str]:
    pairs = pd.DataFrame({"task": "lecture", "family": "leader", "p": [0.01] * tests})
    sweep = SimpleNamespace(tuned=True, tasks=range(1), pairwise=pairs)
    return list(leader.confidence(sweep, TASK, pd.DataFrame(list(rows))))


@pytest.mark.parametrize(
    ("rival", "said"),
    [
        (
            row("adam", "clear", 1, unit="evaluations", wins=10, p=1e-5),
            "Clear: SGD is ahead by more than 1.25 times on 10 of 10 starts (p < 0.001), and the whole "
            "interval lies beyond 1.25 times.",
        ),
        (
            row("adam", "close", 1, wins=7, losses=1, p=0.012),
            "Close: SGD is ahead by more than 1.25 times on 7 of 10 starts, Adam on 1 (p = 0.012); "
            "the difference is shown, that it matters is not.",
        ),
        (
            row("adam", "clear", 1, None, wins=10, p=1e-5),
            "Clear: SGD is ahead by more than 1.25 times on 10 of 10 starts (p < 0.001), and the order "
            "alone is tested, since not all arrive.",
        ),
        (
            row("adam", "as good", unit="evaluations"),
            "As good: the whole interval lies within 1.25 times, or within two steps.",
        ),
        (row("adam", "as good"), "As good: neither is ahead by more than 1.25 times on any seed."),
        (row("adam", "the same"), "The same: their runs agree bit for bit."),
        (
            row("adam", "not settled", p=0.4, wins=4, losses=3),
            "Not settled: SGD is ahead by more than 1.25 times on 4 of 10 starts, Adam on 3 (p = 0.4).",
        ),
    ],
)
def test_how_sure_of_one_rival(rival, said):
    assert sure(row("sgd"), rival) == [said]


def test_how_sure_of_several():
    rows = [
        row("adam", "clear", 1),
        row("nadam", "clear", 1),
        row("adagrad", "close", 1),
        row("asgd", "as good"),
    ]
    assert sure(row("sgd"), *rows, tests=4) == [
        "Of 4 others: 1 as good, 1 close, 2 clearly worse, over 10 starts (Holm over 4 tests)."
    ]


def test_one_start_shows_nothing():
    rows = [row("sgd", seeds=1), row("adam", "cannot be told", seeds=1)]
    assert sure(*rows) == ["One start each: another may turn the order, and nothing can be shown."]


# ---- what tuning gained


def gain(word: str, side: int = 1, **changes) -> dict:
    values = {"optimizer": "sgd", "word": word, "side": side, "unit": None, "gain": np.nan, "low": np.nan}
    return values | {"high": np.nan, "arrived": 10, "default_arrived": 0, "n": 10, "p": 0.002} | changes


EVALUATIONS = {"unit": "evaluations", "gain": 3.0, "low": 1.2, "high": 7.5, "default_arrived": 10}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            gain("clear", **EVALUATIONS),
            "Tuning pays: with torch's default rate SGD needs 3.0 times as many evaluations, 1.20 to 7.5",
        ),
        (
            gain("close", **EVALUATIONS),
            "Tuning pays: with torch's default rate SGD needs 3.0 times as many evaluations, 1.20 to 7.5, "
            "perhaps too little to matter",
        ),
        (
            gain("clear", unit="gap", gain=40.0, low=30.0, high=50.0),
            "Tuning pays: with torch's default rate SGD ends 40 times as far off, 30 to 50",
        ),
        (
            gain("clear"),
            "Tuning pays: with torch's default rate SGD arrives on 0 of 10 starts instead of 10",
        ),
        (
            gain("clear", -1, **EVALUATIONS | {"gain": 0.4, "low": 0.3, "high": 0.5}),
            "SGD is better with torch's default rate than tuned (2.5 times, 2.0 to 3.3)",
        ),
        (gain("as good", 0), "SGD is as good with torch's default rate"),
        (
            gain("not settled", 0),
            "Whether tuning gained SGD anything over torch's default rate is not settled",
        ),
        (
            gain("the same", 0),
            "Tuning changed nothing for SGD: with torch's default rate its runs are the same bit for bit",
        ),
        (gain("all lost", 0), "SGD lost every run, tuned and with torch's default rate"),
    ],
)
def test_what_tuning_gained(row, said):
    """A gain of 3.0 (1.2 to 7.5) and a loss of 0.4 are never called less than 1.25, if anything."""
    assert verdict._gained(row, "torch's default rate") == said
