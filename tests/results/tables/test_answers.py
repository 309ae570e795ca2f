"""What the models answer: X w + b, by hand from the weights that are stored."""

import numpy as np
import pytest
from conftest import LECTURE, block, run, swept

from lrbench.errors import RequestError
from lrbench.plan import plan
from lrbench.problems import stackloss
from lrbench.results.words.tables import SPECS, tables
from lrbench.sweeper.request import read

NUMBERS = ["answer", "lowest", "highest", "seeds", "lost", "exact"]


def answered(results, optimizer: str) -> list[float]:
    rows = results.answers.set_index("optimizer")
    return rows.loc[optimizer, NUMBERS].tolist()


def test_an_answer_is_the_median_over_the_seeds_of_the_chosen_setting(write):
    weights = ([1.5, 0.25], [2.0, 0.0], [2.25, -0.5])  # 4 w + b: 6.25, 8, 8.5
    chosen = [run("a", 1e-7, seed=seed, lr=0.1, weights=w) for seed, w in enumerate(weights)]
    others = [run("a", 1e-2, seed=seed, lr=0.2, weights=[9.0, 9.0]) for seed in range(3)]
    results = write(*chosen, *others, run("b", weights=[1.0, 1.0]))
    assert answered(results, "a") == [8, 6.25, 8.5, 3, 0, 8]
    assert answered(results, "b") == [5, 5, 5, 1, 0, 8]
    (table,) = tables(results, SPECS["answers"])
    assert table.rows.to_dict("list") == {
        "optimizer": ["a", "b", "exact minimum"],
        "x = 4": ["8.00 (6.25 to 8.50)", "5.00", "8"],
    }
    assert table.sentence.startswith("For x = 4: a answers 8.00 (6.25 to 8.50), b 5.00; exact 8. Medians")


def test_a_lost_run_answers_nothing(write):
    nothing = [float("nan")] * 2
    results = write(
        run("a", weights=[1.5, 0.25]),
        run("a", seed=1, status="diverged", weights=nothing),
        run("b", status="failed", weights=None),
    )
    assert answered(results, "a") == [6.25, 6.25, 6.25, 2, 1, 8]
    assert np.isnan(answered(results, "b")[:3]).all()
    (table,) = tables(results, SPECS["answers"])
    assert table.rows["x = 4"].tolist() == ["6.25, 1 lost", "all lost", "8"]


def test_where_every_run_is_lost_nothing_is_answered(write):
    rows = [run(name, status="failed", weights=None) for name in ("a", "b")]
    (table,) = tables(write(*rows), SPECS["answers"])
    assert table.rows["x = 4"].tolist() == ["all lost", "all lost", "8"]
    assert table.sentence == "For x = 4 nothing is answered: every run is lost."
    assert write(rows[0], folder="one").predictions.empty


def test_each_problem_answers_what_was_asked_of_it(write):
    """Of two features, standardized: x = (5, 1) is (2, -1) there, and the answer 10 + 3 (2 w1 - w2 + b)."""
    scaling = {"x_mean": [1.0, 3.0], "x_scale": [2.0, 2.0], "y_mean": 10.0, "y_scale": 3.0}
    wide = LECTURE | scaling | {"problem_id": "wide", "problem": "wide", "d": 2, "p": 3, "rank": 3}
    wide |= {"features": ["u", "v"], "w_star": [1.0, -1.0, 0.0]}
    of_wide = {"problem_id": "wide", "problem": "wide", "weights": [1.0, 2.0, 0.5]}
    asked = [block(), block("wide") | {"base": {"predict": [[5, 1], [1, 3]]}}]
    results = write(run("a"), run("a", **of_wide), problems=(LECTURE, wide), blocks=asked)
    rows = results.answers[["task", "given", "answer", "exact"]].to_numpy().tolist()
    assert rows == [
        ["lecture", "x = 4", 8, 8],
        ["wide", "u = 5 and v = 1", 10 + 3 * (2 - 2 + 0.5), 10 + 3 * (2 + 1)],
        ["wide", "u = 1 and v = 3", 11.5, 10],
    ]
    (table,) = tables(results, SPECS["answers"])
    assert table.rows.to_numpy().tolist() == [
        ["lecture", "a", "8.00", "–", "–"],
        ["lecture", "exact minimum", "8", "–", "–"],
        ["wide", "a", "–", "11.5", "11.5"],
        ["wide", "exact minimum", "–", "19", "10"],
    ]
    only = write(run("a"), run("a", **of_wide), problems=(LECTURE, wide), folder="only")
    assert only.answers["task"].tolist() == ["lecture"]


def test_without_a_minimum_and_without_a_question(write):
    unattained = LECTURE | {"w_star": None}
    rows = [run("a", weights=[1.5, 0.25]), run("b", 1e-5)]
    (table,) = tables(write(*rows, problems=(unattained,)), SPECS["answers"])
    assert table.rows["optimizer"].tolist() == ["b", "a"]
    assert table.sentence == "For x = 4: b answers 8.00, a 6.25."
    silent = write(*rows, blocks=[block() | {"base": {"predict": None}}], folder="silent")
    assert silent.answers.empty
    assert tables(silent, SPECS["answers"]) == []


def test_of_many_optimizers_those_are_counted_that_are_right_and_the_worst_are_named(write):
    right = [run(f"right{k}", 1e-9, seed=seed) for k in range(3) for seed in range(2)]
    off = [run("off", 1e-3, seed=seed, weights=[2.0, -seed]) for seed in range(2)]
    far = [run("far", 1e-2, seed=seed, weights=[3.0 * seed, 0]) for seed in range(2)]
    (table,) = tables(write(*right, *off, *far), SPECS["answers"])
    assert table.sentence.partition(" Medians")[0] == (
        "For x = 4: 3 of 5 optimizers answer 8.00 on every seed, as the exact minimum does; at worst far "
        "answers 0 and off 7.00."
    )


# ---- of real sweeps


def test_the_lecture_asks_for_x_4_by_itself_whatever_stands_beside_it(tmp_path):
    lines = ["optimizer=sgd,adam", "steps=40", "optimizer.lr=0.01,0.1", "seed=range(3)"]
    for problems in ("lecture,diabetes", "diabetes,lecture"):
        results = swept(tmp_path / problems[:4], f"problem={problems}", *lines)
        assert set(results.answers["task"]) == {"lecture"}
        for row in results.answers.to_dict("records"):
            own = results.reported[results.reported["task"] == "lecture"]
            own = own[own["optimizer"] == row["optimizer"]]
            by_hand = 4 * own["w_0"] + own["w_1"]
            assert len(by_hand) == 3
            found = [by_hand.median(), by_hand.min(), by_hand.max()]
            assert [row[name] for name in NUMBERS[:3]] == pytest.approx(found, rel=1e-14)
            assert row["exact"] == pytest.approx(8, rel=1e-14)


def test_answers_of_standardized_data_are_in_the_units_of_the_file(tmp_path):
    asked = [[70, 20, 90], [50, 18, 80]]
    results = swept(tmp_path, "problem=stackloss", "optimizer=sgd,adam", f"predict={asked}", "steps=100")
    raw = stackloss(standardize=False)
    A = np.column_stack([raw.X, np.ones(raw.n)])
    exact = np.column_stack([asked, np.ones(2)]) @ np.linalg.lstsq(A, raw.y, rcond=None)[0]
    scaled = (np.array(asked) - raw.X.mean(axis=0)) / raw.X.std(axis=0)
    for optimizer, rows in results.answers.groupby("optimizer"):
        [w] = results.runs.loc[
            results.runs["optimizer"] == optimizer, ["w_0", "w_1", "w_2", "w_3"]
        ].to_numpy()
        by_hand = raw.y.mean() + raw.y.std() * (scaled @ w[:3] + w[3])
        assert rows["answer"].tolist() == pytest.approx(by_hand.tolist(), rel=1e-12)
        assert rows["exact"].tolist() == pytest.approx(exact.tolist(), rel=1e-9)


def test_rows_that_do_not_fit_every_problem_are_refused():
    request = read(["problem=lecture,diabetes", "predict=[[4]]"], multirun=True)
    with pytest.raises(RequestError, match="predict: problem=diabetes takes rows of 10 numbers"):
        plan(request.blocks)
