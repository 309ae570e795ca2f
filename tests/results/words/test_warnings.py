"""The warnings: each where its reason is and nowhere else, at most three of what would change the answer.

A check reads a few columns, so a sweep is stood for by the frames that it reads.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lrbench.results.words import about_the_search, at_another_budget, warnings

TASKS = pd.DataFrame({"task": ["lecture"], "relative_target": [1e-6], "batch_size": [np.nan], "scale": [8.0]})
RANKED = {
    "task": "lecture",
    "optimizer": "sgd",
    "setting": "lr=0.1",
    "leader": True,
    "word": "",
    "side": 0,
    "seeds": 10,
    "arrived": 10,
    "lost": 0,
    "at_floor": False,
    "gap": 1e-3,
    "passes": False,
    "crossing": np.nan,
    "starts": np.nan,
    "rise": 1.0,
    "edge": "",
    "lr": 0.1,
    "lrs": 32,
}


def ranking(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([RANKED | row for row in rows])


def sweep(**frames):
    """What stands for a sweep: one task, tuned."""
    values = {"tasks": TASKS, "tuned": True, "manifest": {"tune": {"sampler": "grid", "trials": 32}}}
    return SimpleNamespace(**values | frames)


def said(check, of) -> list[str]:
    return list(check(of))


ADAM = {"optimizer": "adam", "leader": False}


def test_what_passes_through_says_how_to_stop_it():
    found = said(at_another_budget.passes_through, sweep(ranking=ranking({}, ADAM | {"passes": True})))
    assert found == [
        "Passes through: Adam. Within the target at the end of the budget, gone again before twice of it, as "
        "in a limit cycle: stop in time, take a smaller rate, or a schedule."
    ]
    assert not said(at_another_budget.passes_through, sweep(ranking=ranking({}, ADAM)))


def test_nobody_arrives():
    nobody = ranking({"arrived": 0}, ADAM | {"arrived": 0})
    assert said(at_another_budget.nobody_arrives, sweep(ranking=nobody)) == [
        "Nobody arrives: no run comes within 1e-6, so compared is the mean gap over the last tenth of "
        "the budget."
    ]
    assert not said(at_another_budget.nobody_arrives, sweep(ranking=ranking({"arrived": 0}, ADAM)))


def entries(optimizer: str, half: float, start: float = 8.0) -> dict:
    return {"task": "lecture", "optimizer": optimizer, "half": half, "start_gap": start}


@pytest.mark.parametrize(
    ("half", "start", "falls", "levels"),
    [
        (2.1e-3, 8.0, True, False),
        (1.9e-3, 8.0, False, False),
        (1.2e-3, 8.0, False, True),
        (1.2e-3, 1.5e-3, False, False),
    ],
)
def test_falling_and_level_at_the_end(half, start, falls, levels):
    """Twice as high at half of the budget is falling; 1.25 times, below half of the start, is level."""
    of = sweep(
        ranking=ranking({"arrived": 0, "gap": 1e-3}), reported=pd.DataFrame([entries("sgd", half, start)])
    )
    falling = said(at_another_budget.still_falling, of)
    level = said(at_another_budget.levelled_off, of)
    assert (bool(falling), bool(level)) == (falls, levels)
    if falls:
        assert falling == [
            "Still falling: SGD more than halved the gap in the second half of the budget; more steps may "
            "change the order."
        ]
    if levels:
        assert "a limit cycle holds the gap up" in level[0]


def test_noise_holds_minibatches_up():
    of = sweep(
        ranking=ranking({"arrived": 0, "gap": 1e-3}),
        reported=pd.DataFrame([entries("sgd", 1e-3)]),
        tasks=TASKS.assign(batch_size=32.0),
    )
    (sentence,) = said(at_another_budget.levelled_off, of)
    assert "the noise of minibatches holds the gap up, about in proportion to the learning rate" in sentence


def test_another_target_says_who_is_ahead_then():
    turning = ranking({}, ADAM | {"crossing": 1e-3})
    assert said(at_another_budget.another_target, sweep(ranking=turning)) == [
        "Another target turns the order: at 0.001 Adam before SGD."
    ]


def test_stopped_by_itself_is_above_the_target():
    runs = pd.DataFrame(
        {
            "task": "lecture",
            "optimizer": ["lbfgs", "adam", "sgd", "rmsprop"],
            "last_step_changed_nothing": [True, True, False, True],
            "arrived": [False, True, False, False],
            "lost": [False, False, False, True],
        }
    )
    (sentence,) = said(at_another_budget.stopped_by_itself, sweep(reported=runs))
    assert sentence.startswith("Stopped by itself: the last update of LBFGS changed no bit of the weights")


def test_a_bias_holds_the_gap_open():
    runs = pd.DataFrame(
        {
            "task": "lecture",
            "optimizer": ["adamw", "adam", "sgd"],
            "optimizer.weight_decay": [0.01, 0.0, 0.01],
            "arrived": [False, False, True],
            "lost": False,
        }
    )
    (sentence,) = said(about_the_search.biased, sweep(reported=runs))
    assert sentence.startswith("A bias: weight_decay or lambd of AdamW moves the minimum")


def test_a_gap_that_first_rises_is_told_from_tenfold():
    lost = {"optimizer": "rmsprop", "rise": 1e9, "lost": 10}
    infinite = {"optimizer": "nadam", "rise": np.inf}
    rising = ranking({"rise": 9.9}, ADAM | {"rise": 42.3}, ADAM | infinite, ADAM | lost)
    assert said(about_the_search.rises_first, sweep(ranking=rising)) == [
        "The gap first rises, before it falls: Adam (42-fold)."
    ]


def test_what_is_not_settled_has_the_starts_that_would_settle_it():
    rows = [
        ADAM | {"word": "not settled", "starts": 22.0},
        ADAM | {"optimizer": "nadam", "word": "cannot be told"},
    ]
    assert said(warnings._few, sweep(ranking=ranking({}, *rows))) == [
        "Not settled with 10 starts against the leader: Adam (about 22 would settle it) and NAdam."
    ]
    assert not said(warnings._few, sweep(ranking=ranking({}, ADAM | {"word": "close"})))


@pytest.mark.parametrize(
    ("lines", "command"),
    [
        (["optimizer=sgd,adam"], "lrbench -m optimizer=sgd,adam tune=lr"),
        (
            ["optimizer=sgd,adam", "optimizer.lr=0.1", "seed=range(3)", "results_dir=x", "target=1e-3"],
            "lrbench -m optimizer=sgd,adam target=1e-3 tune=lr",
        ),
        (["optimizer=glob(*)"], "lrbench -m 'optimizer=glob(*)' tune=lr"),
    ],
)
def test_not_tuned_gives_the_line_that_tunes(lines, command):
    of = sweep(
        tuned=False,
        ranking=ranking({"lrs": 1}, ADAM | {"lrs": 1}),
        manifest={"request": {"overrides": lines}},
    )
    assert said(about_the_search.untuned, of) == [
        "Not tuned: this compares learning rates, not optimizers. This tunes all of them: " + command
    ]


def test_one_rate_among_grids_is_named():
    of = sweep(
        tuned=False, ranking=ranking({"lrs": 5}, ADAM | {"lrs": 1}), manifest={"request": {"overrides": []}}
    )
    (sentence,) = said(about_the_search.untuned, of)
    assert sentence.startswith("Not tuned: Adam has one rate only.")


def test_an_edge_is_named_with_its_end():
    (sentence,) = said(about_the_search.edges, sweep(ranking=ranking({"edge": "highest"}, ADAM)))
    assert sentence == (
        "Search ended at an edge: the chosen learning rate lies at an end of its box, even after growing by "
        "a decade; another may be better: SGD (lr=0.1, highest end)."
    )


def test_a_default_that_is_better_is_said_only_where_it_is_shown():
    gains = pd.DataFrame(
        {
            "task": "lecture",
            "optimizer": ["sgd", "adam", "nadam"],
            "word": ["clear", "not settled", "close"],
            "side": [-1, 0, 1],
        }
    )
    assert said(about_the_search.default_better, sweep(tuned_against_default=gains)) == [
        "At its default an optimizer is shown to be better than tuned: SGD."
    ]


def test_nobody_arrives_names_the_target_of_each_task():
    rows = ranking(ADAM | {"task": "a", "arrived": 0}, ADAM | {"task": "b", "arrived": 0})
    tasks = pd.DataFrame({"task": ["a", "b"], "relative_target": [1e-6, 1e-2]})
    (sentence,) = said(at_another_budget.nobody_arrives, sweep(ranking=rows, tasks=tasks))
    assert sentence.startswith(
        "Nobody arrives on 2 of 2 tasks: no run comes within the target of its task (0.01 and 1e-6), "
    )
    (one,) = said(at_another_budget.nobody_arrives, sweep(ranking=rows[:1], tasks=tasks))
    assert one.startswith("Nobody arrives on a: no run comes within 1e-6, ")


def test_asgd_is_judged_by_its_last_iterate():
    def of(**columns) -> list[str]:
        runs = {"optimizer": ["asgd", "sgd"], "optimizer._target_": ["torch.optim.ASGD", "torch.optim.SGD"]}
        runs |= {"steps_taken": [500, 500]} | columns
        return said(at_another_budget.last_iterate, sweep(reported=pd.DataFrame(runs)))

    not_yet = (
        "ASGD begins to average after 1e6 steps (t0), which no run takes here: judged is its last iterate."
    )
    assert of(**{"optimizer.t0": [1e6, np.nan]}) == [not_yet]
    assert of() == of(**{"optimizer.t0": [1e6, np.nan]})
    (averaged,) = of(**{"optimizer.t0": [100, np.nan]})
    assert averaged == (
        "ASGD: judged is the last iterate, not the average of the iterates that it keeps beside it."
    )
    assert of(**{"optimizer._target_": ["torch.optim.SGD"] * 2}) == []


def test_at_most_three_change_the_answer_and_the_rest_are_notes(monkeypatch):
    def of(*sentences: str):
        return tuple((lambda sweep, own=own: iter([own])) for own in sentences)

    monkeypatch.setattr(warnings, "NOT_AS_PLANNED", of("first"))
    monkeypatch.setattr(warnings, "ANSWER", of("1", "2", "3", "4", "5"))
    monkeypatch.setattr(warnings, "ASIDE", of("aside"))
    stands_for = sweep(
        tasks=pd.DataFrame({"problem_id": ["one"]}),
        ranking=pd.DataFrame({"optimizer": ["sgd", "adam"]}),
        manifest={"warnings": ["of the plan"]},
    )
    assert warnings.warnings(stands_for) == [
        "first",
        "1",
        "2",
        "3",
        "One problem: this says nothing about others.",
    ]
    assert warnings.notes(stands_for) == ["4", "5", "aside", "of the plan"]
