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
from lrbench.results.figures.ink import COLOURS, compared_palette
from lrbench.results.notation import interval
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


def test_a_dot_a_run_a_bar_at_the_median_and_the_ratio_of_the_table(difference):
    figure = draw_compared("finals", difference)
    ratios = dict(
        zip(difference.rows["optimizer"], map(interval, difference.rows.to_dict("records")), strict=True)
    )
    for name, i in numbers(difference).items():
        for k, side in enumerate("AB"):
            found = gaps(SHOWN[name][k])
            dots = parts(figure, f"dots{side}")[i].get_offsets()
            assert sorted(dots[:, 0]) == sorted(gap for gap in found if gap < INF)
            lost = found.count(INF)
            assert (parts(figure, f"count{side}")[i].get_text() if lost else None) == (
                f"{lost}/3" if lost else None
            )
            if np.median(found) < INF:
                assert parts(figure, f"bar{side}")[i].get_segments()[0][0, 0] == pytest.approx(
                    np.median(found)
                )
        assert parts(figure, "ratio")[i].get_text() == ratios[name]
    assert [side.get_text() for side in figure.axes[0].get_legend().texts] == ["A", "B"]


def test_rates_are_compared_where_both_searched(difference):
    frame = difference.rates
    figure = draw_compared("lr_sensitivity", difference)
    assert set(frame["optimizer"]) == {"sgd", "adam"}
    for k, side in enumerate("AB"):
        for name in ("sgd", "adam"):
            i, stored = numbers(difference)[name], pd.DataFrame((OF_A, OF_B)[k])
            means = stored[stored["optimizer"] == name].groupby("optimizer.lr")["final_gap"].agg(stats.gmean)
            np.testing.assert_allclose(
                parts(figure, f"line{side}")[i].get_xydata(),
                means.replace(INF, np.nan).reset_index(),
                rtol=1e-12,
            )
            crosses = parts(figure, f"lost{side}").get(i)
            assert ([] if crosses is None else crosses.get_offsets()[:, 0].tolist()) == means.index[
                means == INF
            ].tolist()


def test_optimizers_stand_where_a_chose_or_else_each_at_its_own(difference):
    rows = difference.shown[0].set_index("optimizer")
    assert rows["differs"].to_dict() == {"sgd": "", "rprop": "", "lost": "", "adam": "lr 0.1 → 0.3"}
    assert rows.loc["sgd", "gap_b"] == pytest.approx(stats.gmean(gaps(OF_B[:3])))
    assert rows.loc["adam", "ratio"] == pytest.approx(
        stats.gmean(gaps(OF_B[8:11])) / stats.gmean(gaps(OF_A[6:9]))
    )


def test_colours_are_those_of_a_best_first_and_only_what_is_compared_has_one(write):
    a = write(*runs("good", [1e-3]), *runs("alone", [1e-2]), *runs("bad", [1e-1]), folder="a")
    b = write(*runs("good", [1e-1]), *runs("bad", [1e-3]), *runs("new", [1e-4]), folder="b")
    assert list(compared_palette(compare(a, b)).items()) == list(zip(["good", "bad"], COLOURS, strict=False))


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
    assert "no median is finite in A and no median is finite in B" in COMPARED_BY_NAME["loss_curves"].finding(
        difference
    )


def test_a_gap_of_0_without_a_floor_is_drawn_at_the_low_end(write):
    """As of separable labels, whose gaps underflow."""
    problem = LECTURE | {"gap_floor": 0.0}
    sides = [
        runs("sgd", [0.0, 0.0, 1e-9], lr=0.1) + runs("sgd", gaps, lr=0.2)
        for gaps in ([1.0, 1.0, 1.0], [INF, INF, INF])
    ]
    difference = compare(
        *(write(*rows, folder=name, problems=(problem,)) for name, rows in zip("ab", sides, strict=True))
    )
    figure = draw_compared("finals", difference)
    assert sorted(parts(figure, "dotsA")["0"].get_offsets()[:, 0]) == [5e-10, 5e-10, 1e-9]
    assert all(len(figure.frame(difference)) for figure in COMPARED)


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
    assert 0 < ends[0] < 1e-3 < ends[1] < INF


def test_a_panel_of_two_tasks_names_both(write):
    a = write(*runs("sgd", [1e-3, 2e-3], lr=0.1), *runs("sgd", [1e-2, 2e-2], lr=0.2), folder="a")
    b = [run | {"problem": "synthetic", "problem_id": "synthetic64"} for run in OF_A[:6]]
    difference = compare(a, write(*b, folder="b", problems=(OTHER,)), anyway=True)
    for figure in COMPARED:
        assert [ax.get_title(loc="left") for ax in figure.draw(difference).axes] == [
            "lecture against synthetic"
        ]


def test_alt_texts_say_what_the_figures_show(difference):
    labels = [f"{figure.title}. {figure.finding(difference)}" for figure in COMPARED]
    median = f"{np.median(gaps(OF_B[8:11])):.2e}".replace("e-0", "e-")
    in_a, in_b = "adam ends lowest in A, at 2.00e-7", f"adam ends lowest in B, at {median}"
    assert labels[0] == f"Loss curves. lecture: {in_a} and {in_b}."
    ratio = stats.gmean(gaps(OF_B[8:11])) / stats.gmean(gaps(OF_A[6:9]))
    assert labels[1].startswith(f"Run by run. lecture: adam has changed most, B / A {ratio:.0f} (")
    assert "adam with learning rate 0.1 ends lowest in A" in labels[2]
    assert len(labels) == 3
