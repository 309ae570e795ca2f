"""`make simulate` in a short form, and the parts of it whose answer is known by hand."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def _experiments():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "experiments")
        yield


@pytest.fixture(scope="module")
def short(_experiments, tmp_path_factory):
    """Return the answers of the short form."""
    import simulate

    return dict(simulate.answers(simulate.SHORT, tmp_path_factory.mktemp("simulate")))


def test_every_question_has_an_answer_and_a_place_on_the_page(short):
    import simulate

    pages = [page.read_text(encoding="utf-8") for page in (simulate.PAGE, simulate.NOTEBOOK)]
    places = re.findall(r"<!-- ([\w ]+) -->", "".join(pages))
    texts = simulate.blocks(short)
    assert set(short) == set(simulate.QUESTIONS)
    assert sorted(texts) == sorted(place for place in places if place != "end")
    assert all(text.startswith("| ") and len(text.splitlines()) > 2 for text in texts.values())


def test_shares_are_shares_and_every_bar_has_a_number(short):
    import simulate

    for name, answer in short.items():
        assert {bar.number for bar in simulate.QUESTIONS[name].bars} <= set(answer.numbers)
    for name in ("identical", "beside the truth", "stopping step", "budgets", "coverage"):
        numbers = short[name].table.select_dtypes(float).to_numpy()
        numbers = numbers[~np.isnan(numbers)]
        assert ((numbers >= 0) & (numbers <= 1)).all(), name


def test_the_demo_has_one_leader_and_a_ratio_that_stays(short):
    numbers = short["demo"].numbers
    assert numbers["leaders"] == 1
    assert 1 <= numbers["apart"] < 1.25


def test_the_same_numbers_come_again(short):
    import simulate

    again = simulate.answers(simulate.SHORT, Path("elsewhere"), ["rivals at the margin", "across problems"])
    for name, answer in again:
        assert answer.table.equals(short[name].table)


def test_a_bar_says_what_was_missed_and_where():
    from questions import Answer
    from simulate import Bar

    answer = Answer(None, {"wrong": 0.061, "held": 0.94, "none": np.nan}, {"wrong": "b1"})
    assert Bar("", "wrong", 0.05).row(answer)["measured"] == "**missed: 0.061 (b1)**"
    assert Bar("", "held", 0.93, at_least=True).row(answer)["measured"] == "0.940"
    assert Bar("", "held", 0.95, at_least=True).row(answer)["measured"] == "**missed: 0.940**"
    assert Bar("", "none", 0.05).row(answer)["measured"] == "-"


def test_a_summary_has_the_means_and_the_worst_task_of_each_column():
    import pandas as pd
    from questions import with_means
    from simulate import summary

    rows = [
        {"task": "a", "sd": 0.1, "decided, clear": 1.0, "flips": 0.0},
        {"task": "b", "sd": 0.3, "decided, clear": 0.5, "flips": 0.0},
        {"task": "c", "sd": np.nan, "decided, clear": np.nan, "flips": np.nan},
    ]
    found = summary(with_means(rows, [False, False, True]))
    assert found[""].tolist() == ["mean of the twelve", "mean of the five", "worst task"]
    assert found["sd"].tolist()[0] == pytest.approx(0.2)
    assert pd.isna(found["sd"][1])
    assert found.iloc[2].tolist() == ["worst task", "0.300 (b)", "0.500 (b)", "0"]


def verdicts(*sides, clear=True):
    """Return verdicts on one pair, with a ratio of 10 where a is better and 0.1 where b is."""
    from verdicts import Verdicts

    side = np.array(sides)[:, None]
    shown = np.full(side.shape, clear)
    logs = np.where(side == 0, np.nan, side * np.log(10.0))
    return Verdicts(np.zeros(len(side), dtype=int), side, shown, logs, shown)


def test_two_decided_verdicts_of_four_contradict_in_half_of_the_draws():
    # of 6 pairs of 4 verdicts, a wins 2 and b wins 2: 4 contradict; those without a winner do not count
    assert verdicts(1, 1, -1, -1, 0).contradict(True) == pytest.approx(4 / 6)
    assert verdicts(1, 1, 0).contradict(True) == 0
    assert np.isnan(verdicts(1, 0).contradict(True))
    assert np.isnan(verdicts(1, -1, clear=False).contradict(True))
    assert verdicts(1, -1, clear=False).contradict(False) == 1
    assert verdicts(1, 1, -1, -1).spread() == pytest.approx(np.std([1, 1, -1, -1], ddof=1))


def test_verdicts_beside_a_known_truth():
    from verdicts import Known, scored

    said = verdicts(1, 1, 1, -1, 0)
    beyond = scored(said, Known(np.array([1]), np.array([True]), np.array([True, False])), True)
    assert beyond == (0.25, 0, 0.6, 1)
    within = scored(said, Known(np.array([0]), np.array([False]), np.array([False, True])), True)
    assert within[:2] == (0, 1)
    assert np.isnan(within.power)
    assert within.leader == 0


def test_the_rule_before_shows_what_ends_lower_beyond_the_margin():
    from earlier import earlier

    scatter = np.exp(0.05 * np.random.default_rng(0).normal(size=(4, 10)))
    gaps = scatter * np.array([[1e-6], [2e-6], [1.1e-6], [1e-30]])
    found = earlier(gaps, floor=1e-20, leader=0)
    # pairs 01 02 03 12 13 23: the fourth is at the floor, so that its order alone is tested
    assert found.side.tolist() == [1, 0, -1, -1, -1, -1]
    assert np.exp(found.log_ratio[0]) == pytest.approx(2, rel=0.1)
    assert np.isnan(found.log_ratio[[2, 4, 5]]).all()
    lost = earlier(np.array([np.full(10, np.inf), gaps[0]]), floor=1e-20, leader=1)
    assert lost.side.tolist() == [-1]


def test_a_limit_cycle_leaves_the_target_and_gradient_descent_does_not(tmp_path):
    """RMSprop with a constant rate arrives on the lecture's data, and leaves within twice the budget."""
    from tasks import TASKS
    from trained import Place, Setting, pooled

    task = next(task for task in TASKS if task.name == "lecture")
    settings = [Setting("rmsprop", 0.04), Setting("sgd", 0.0565)]
    runs = pooled(Place(task, tmp_path), settings, range(10), beyond=True)
    assert runs[settings[0]].readings.passes_through()
    assert runs[settings[1]].readings.arrived.all()
    assert not runs[settings[1]].readings.left.any()
    blind = pooled(Place(task, tmp_path), settings, range(10))
    assert not blind[settings[0]].readings.left.any()


def test_a_shifted_grid_is_searched_by_lrbench(tmp_path):
    from tasks import TASKS
    from trained import Place, searches

    task = next(task for task in TASKS if task.name == "heavy")
    # the one with a momentum of its own beside one without
    place = Place(task._replace(optimizers=("sgd", "sgd_momentum"), steps=50), tmp_path)
    first, second = searches(place, 2)
    assert (first.shift, second.shift) == (0, 0.5)
    assert set(first.by_arrival.lr) == set(first.by_gap.lr) == {"sgd", "sgd_momentum"}
    assert first.by_arrival.lr != second.by_arrival.lr
