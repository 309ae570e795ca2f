"""The figures of two sets: A and B on the same axes, from the runs that both have."""

import numpy as np
import pandas as pd
import pytest
from before_and_after import OF_A, OF_B, OTHER, SHOWN, gaps, runs, store
from conftest import LECTURE, run, tuned
from drawn import COMPARED_BY_NAME, INF, compare, draw_compared
from matplotlib.collections import PathCollection
from scipy import stats

from lrbench.results.figures import COMPARED
from lrbench.results.figures.ink import compared_palette
from lrbench.results.figures.looks import looks
from lrbench.results.figures.rows import in_its_unit, ratio_text
from lrbench.results.notation import number
from lrbench.results.tables.difference import Difference


def parts(figure, part: str) -> dict[str, object]:
    """The artists of a part of the first axes, by the number of the optimizer."""
    found = {
        artist.get_gid(): artist
        for artist in figure.findobj()
        if (artist.get_gid() or "").startswith(f"{part}-0-optimizer-")
    }
    return {name.rpartition("-")[2]: artist for name, artist in found.items()}


def numbers(difference) -> dict[str, str]:
    """Optimizer -> its number in ids."""
    return {name: str(i) for i, name in enumerate(compared_palette(difference))}


@pytest.fixture(scope="module")
def difference(tmp_path_factory) -> Difference:
    folder = tmp_path_factory.mktemp("compared")
    return compare(store(folder / "before", OF_A), store(folder / "after", OF_B))


def test_curves_are_medians_over_the_seeds_of_both(difference):
    """Of `lost` two of three diverge after step 3, from where on its median is inf: the line ends there,
    with a cross.
    """
    figure = draw_compared("loss_curves", difference)
    for side, results, k in (("A", difference.a, 0), ("B", difference.b, 1)):
        lines, stops = parts(figure, f"line{side}"), parts(figure, f"stop{side}")
        for name, i in numbers(difference).items():
            ids = [row["run_id"] for row in SHOWN[name][k]]
            median = results.curves[results.curves["run_id"].isin(ids)].groupby("step")["gap"].median()
            kept = 4 if name == "lost" else 9
            np.testing.assert_allclose(
                lines[i].get_xydata(), np.column_stack([median.index, median])[:kept], rtol=1e-12
            )
            assert lines[i].is_dashed() == (side == "B")
            assert (i in stops) == (name == "lost")
        assert parts(figure, f"stop{side}")[numbers(difference)["lost"]].get_offsets().tolist() == [[3, 72]]


def test_a_failed_run_counts_as_lost_in_the_median(write):
    rows = [
        *runs("sgd", [1e-3]),
        *[run("sgd", seed=seed, status="failed", weights=None) for seed in (1, 2)],
        *runs("adam", [1e-3]),
    ]
    frame = compare(write(*rows, folder="a"), write(*rows, folder="b")).median_curves
    assert set(frame["optimizer"]) == {"adam"}


def worth(runs: list[dict]) -> pd.DataFrame:
    """What stored runs are worth: hit (inf without one), level, lost, arrived."""
    frame = pd.DataFrame(runs)
    hit = frame["cost_target"].astype(float).fillna(INF)
    lost = np.isinf(frame["score"])
    return frame.assign(hit=hit, lost=lost, arrived=hit < INF, cost=np.minimum(hit, frame["budget"]))


def test_a_dot_a_run_a_bar_at_the_median_and_the_ratio_of_the_table(difference):
    """Of `adam` all arrive, of `rprop` some, the others miss: they stand behind the budget."""
    figure = draw_compared("finals", difference)
    shown = difference.shown[0].set_index("optimizer")
    for name, i in numbers(difference).items():
        for k, side in enumerate("AB"):
            found = worth(SHOWN[name][k])
            dots = parts(figure, f"dots{side}")[i].get_offsets()
            np.testing.assert_allclose(sorted(dots[:, 0]), sorted(found.loc[found["arrived"], "hit"]))
            misses = found[~found["arrived"] & ~found["lost"]]
            marks = parts(figure, f"missdots{side}").get(i)
            assert (0 if marks is None else len(marks.get_offsets())) == len(misses)
            if len(misses):
                level = number(float(stats.gmean(misses["level"])))
                assert parts(figure, f"misses{side}")[i].get_text() == f"{len(misses)}/3 at {level}"
            lost = found["lost"].sum()
            assert (parts(figure, f"count{side}")[i].get_text() if lost else None) == (
                f"{lost}/3" if lost else None
            )
            median = np.sort(found["hit"])[1]
            if median < INF:
                assert parts(figure, f"bar{side}")[i].get_segments()[0][0, 0] == median
        row = shown.loc[name].to_dict()
        assert parts(figure, "ratio")[i].get_text() == in_its_unit(row, ratio_text(row))
    assert [side.get_text() for side in figure.axes[0].get_legend().texts] == ["A", "B"]


def test_the_key_and_what_names_the_misses_do_not_overlap(difference):
    figure = draw_compared("finals", difference)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    (name,) = [text for text in ax.texts if text.get_text().startswith("misses in")]
    assert ax.get_legend().get_window_extent().x1 <= name.get_window_extent().x0


def test_runs_stand_at_their_levels_where_nobody_arrives(write):
    sides = [runs("sgd", [x * 1e-3 for x in (1, 2, 4)]), runs("sgd", [x * 3e-3 for x in (2, 1, 4)])]
    difference = compare(*(write(*rows, folder=name) for name, rows in zip("ab", sides, strict=True)))
    figure = draw_compared("finals", difference)
    for side, rows in zip("AB", sides, strict=True):
        dots = parts(figure, f"dots{side}")["0"].get_offsets()
        assert sorted(dots[:, 0]) == sorted(gaps(rows))
        assert parts(figure, f"bar{side}")["0"].get_segments()[0][0, 0] == pytest.approx(
            np.median(gaps(rows))
        )
    assert parts(figure, "ratio")["0"].get_text().endswith(" in level")
    assert figure.axes[0].get_xlabel() == "level  (mean gap at the end)"


def test_rates_are_compared_where_both_searched(difference):
    frame = difference.rates
    figure = draw_compared("lr_sensitivity", difference)
    assert set(frame["optimizer"]) == {"sgd", "adam"}
    for k, side in enumerate("AB"):
        stored = worth((OF_A, OF_B)[k])
        for name in ("sgd", "adam"):
            i = numbers(difference)[name]
            rates = stored[stored["optimizer"] == name].groupby("optimizer.lr")
            means = rates["cost"].agg(stats.gmean).mask(rates["lost"].any())
            np.testing.assert_allclose(
                parts(figure, f"line{side}")[i].get_xydata(), means.reset_index(), rtol=1e-12
            )
            crosses = parts(figure, f"lost{side}").get(i)
            assert ([] if crosses is None else crosses.get_offsets()[:, 0].tolist()) == means.index[
                means.isna()
            ].tolist()
    assert figure.axes[0].get_ylabel() == "evaluations until it arrives"


def test_optimizers_stand_where_a_chose_or_else_each_at_its_own(difference):
    rows = difference.shown[0].set_index("optimizer")
    assert rows["differs"].to_dict() == {"sgd": "", "rprop": "", "lost": "", "adam": "lr 0.1 → 0.3"}
    assert rows.loc["sgd", "gap_b"] == pytest.approx(stats.gmean(gaps(OF_B[:3])))
    ratio = stats.gmean(gaps(OF_B[:3])) / stats.gmean(gaps(OF_A[:3]))
    assert rows.loc["sgd", "ratio"] == pytest.approx(ratio)


def test_colours_are_those_of_a_best_first_and_only_what_is_compared_has_one(write):
    a = write(*runs("good", [1e-3]), *runs("alone", [1e-2]), *runs("bad", [1e-1]), folder="a")
    b = write(*runs("good", [1e-1]), *runs("bad", [1e-3]), *runs("new", [1e-4]), folder="b")
    both = looks(["good", "bad"])
    assert list(compared_palette(compare(a, b)).items()) == [(name, both[name]) for name in ("good", "bad")]


def test_tuned_sweeps_show_the_evaluation_and_no_trial_or_default(write_tuned):
    a, b = (
        write_tuned(
            tuned("sgd", {0.1: [1e-3, 1e-3], lr: [9.0, 9.0]}, [1e-3, 2e-3], default=[1.0, 2.0]),
            folder=f"{lr}",
        )
        for lr in (0.2, 0.3)
    )
    frame = compare(a, b).finals
    assert frame["gap"].tolist() == [1e-3, 2e-3] * 2


def test_each_task_of_both_has_its_panel_labelled_as_in_a(write):
    rows = [
        row
        for name, task in (("lecture", {}), ("synthetic", OTHER))
        for row in runs("sgd", [1e-3], problem=name, problem_id=task.get("problem_id", "lecture64"))
    ]
    difference = compare(write(*rows, folder="a", problems=(LECTURE, OTHER)), write(*rows[:1], folder="b"))
    for one, titles in (
        (difference, ["lecture"]),
        (compare(difference.a, difference.a), ["lecture", "synthetic"]),
    ):
        figure = draw_compared("finals", one)
        assert [ax.get_title(loc="left") for ax in figure.axes] == titles


def test_where_all_is_lost_it_is_said(write):
    results = write(*runs("sgd", [INF, INF], lr=0.1), *runs("sgd", [INF, INF], lr=0.2))
    difference = compare(results, results)
    for name in ("finals", "lr_sensitivity"):
        figure = draw_compared(name, difference)
        assert "no run completed" in [text.get_text() for text in figure.axes[0].texts]
    assert any(
        isinstance(mark, PathCollection) and len(mark.get_offsets()) for mark in figure.axes[0].collections
    )
    assert "no change is shown" in COMPARED_BY_NAME["finals"].finding(difference)


@pytest.mark.parametrize("attained", [True, False])
def test_the_axis_says_whether_the_least_loss_is_reached(write, attained):
    """By weights: in both, else it is an infimum. Gaps down to 1e-310 do not overflow the axis."""
    problems = [LECTURE | {"gap_floor": 0.0, "attained": least} for least in (True, attained)]
    sides = [
        write(*runs("sgd", [1e-310, 1e-3]), folder=f"{k}", problems=(problem,))
        for k, problem in enumerate(problems)
    ]
    difference = compare(*sides)
    figure = draw_compared("loss_curves", difference)
    assert figure.axes[0].get_ylabel() == f"gap  (loss − {'minimum' if attained else 'infimum'})"
    ends = draw_compared("finals", difference).axes[0].get_xlim()
    assert 0 < ends[0] < 8 < ends[1] < INF


def test_a_panel_of_two_tasks_names_both(write):
    a = write(*runs("sgd", [1e-3, 2e-3], lr=0.1), *runs("sgd", [1e-2, 2e-2], lr=0.2), folder="a")
    b = [run | {"problem": "synthetic", "problem_id": "synthetic64"} for run in OF_A[:6]]
    difference = compare(a, write(*b, folder="b", problems=(OTHER,)), anyway=True)
    for figure in COMPARED:
        assert [ax.get_title(loc="left") for ax in figure.draw(difference).axes] == [
            "lecture against synthetic"
        ]


def test_alt_texts_say_what_the_figures_show(difference):
    """What is shown is what the rows say, whose tests have one error rate."""
    rows = difference.rows
    shown = rows[rows["setting"].eq("lr=0.1") & rows["optimizer"].isin(SHOWN)]
    worse = shown.loc[shown["change"] == "worse", "optimizer"].tolist()
    assert worse == ["sgd"]
    labels = {figure.name: f"{figure.title}. {figure.finding(difference)}" for figure in COMPARED}
    assert labels == {
        "loss_curves": "Loss curves. lecture: shown worse in B: SGD.",
        "finals": "Run by run. lecture: shown worse in B: SGD.",
        "lr_sensitivity": "Sensitivity to the learning rate. lecture: best learning rates: Adam 0.1 in A and "
        "0.3 in B and SGD 0.1 in A and 0.3 in B.",
    }


def test_without_a_change_none_is_told(write):
    results = write(*runs("sgd", [1e-3, 2e-3, 3e-3]))
    for name in ("loss_curves", "finals"):
        told = COMPARED_BY_NAME[name].finding(compare(results, results))
        assert told == "lecture: no change is shown."


def test_what_is_shown_better_is_told(write):
    before, after = [x * 1e-2 for x in (1, 1.1, 0.9)], [x * 1e-3 for x in (1.1, 1, 0.9)]
    difference = compare(write(*runs("sgd", before), folder="a"), write(*runs("sgd", after), folder="b"))
    assert COMPARED_BY_NAME["finals"].finding(difference) == "lecture: shown better in B: SGD."
