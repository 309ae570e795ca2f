"""Loss curves: medians of the seeds, crosses where runs stopped, what theory knows."""

import numpy as np
import pandas as pd
import pytest
from conftest import LECTURE, curve, run, swept
from drawn import (
    ADAM,
    caption,
    colours_of,
    crosses,
    draw,
    lines,
    scattered,
    texts,
)
from matplotlib.collections import PolyCollection

from lrbench.errors import RequestError
from lrbench.results.figures.save import save
from lrbench.results.tables.sweep import Sweep


def test_best_curves_are_quantiles_over_the_seeds(write):
    rows = [run(gap=gap, seed=seed) for seed, gap in enumerate((1e-4, 1e-3, 1e-1))]
    frame = write(*rows, run(gap=1.0, lr=0.5)).best_curves
    gaps = np.array([curve(row)["gap"] for row in rows])
    np.testing.assert_allclose(frame["median"], np.median(gaps, axis=0))
    np.testing.assert_allclose(frame["q25"], np.quantile(gaps, 0.25, axis=0))
    np.testing.assert_allclose(frame["q75"], np.quantile(gaps, 0.75, axis=0))
    assert frame["evaluations"].tolist() == list(range(9))


def test_a_curve_of_mostly_lost_seeds_goes_to_inf(write):
    rows = [
        run(seed=0),
        *[run(seed=seed, status="diverged") for seed in (1, 2)],
        *[run(seed=seed, status="failed") for seed in (3, 4)],
    ]
    frame = write(*rows).best_curves
    assert frame["seeds"].tolist() == [5] * 9
    assert np.isinf(frame["median"].iloc[4:]).all()
    assert np.isinf(frame["q75"]).all()


def test_a_run_stops_where_it_leaves_the_figure(write):
    frame = write(run("early", status="diverged"), run("fine")).stops
    assert frame[["optimizer", "evaluations"]].to_numpy().tolist() == [["early", 4.0]]


def test_lines_of_the_loss_curves_hold_the_medians(write):
    results = write(*[run(gap=10.0**-seed, seed=seed) for seed in range(3)], run("adam", 1e-9, **ADAM))
    (ax,) = draw("loss_curves", results).axes
    colours, frame = colours_of(results), results.best_curves
    assert set(lines(ax)) == set(colours.values())
    for name, rows in frame.groupby("optimizer"):
        np.testing.assert_allclose(lines(ax)[colours[name]], rows[["evaluations", "median"]])
    low, high = ax.get_ylim()
    assert low < frame["q25"].min()
    assert high > frame["median"].max()


def test_a_diverged_run_is_a_cross_and_a_count(write):
    results = write(
        run("adam", seed=0, **ADAM), run("adam", seed=1, **ADAM), run(seed=0), run(seed=1, status="diverged")
    )
    (ax,) = draw("loss_curves", results).axes
    assert [x for x, _ in crosses(ax)] == [4.0]
    assert all(ax.get_ylim()[0] <= y <= ax.get_ylim()[1] for _, y in crosses(ax))
    assert any("1/2 diverged" in text for text in texts(ax))
    assert {"SGD", "Adam"} <= set(texts(ax))


def test_all_diverged_still_is_a_figure_with_every_cross(write):
    results = write(*[run(seed=seed, status="diverged") for seed in range(3)])
    (ax,) = draw("loss_curves", results).axes
    assert len(crosses(ax)) == 3
    assert "3/3 diverged" in " ".join(texts(ax))


def test_the_target_is_a_line_at_its_gap(write):
    (ax,) = draw("loss_curves", write(run(gap=1e-9))).axes
    assert "target" in texts(ax)
    assert any(np.allclose(line.get_ydata(), 8e-6) for line in ax.lines)


def test_a_dot_on_the_target_stands_where_half_of_the_seeds_have_arrived(write):
    """sgd by 4 with two of three; adam with one of three only, so that it misses."""
    hits = {"sgd": [2, 4, None], "adam": [3, None, None]}
    rows = [
        run(name, 1e-3 if hit is None else 1e-9, seed=seed, hit=hit)
        for name, own in hits.items()
        for seed, hit in enumerate(own)
    ]
    results = write(*rows)
    (ax,) = draw("loss_curves", results).axes
    dots = {mark.get_gid(): mark for mark in scattered(ax) if str(mark.get_gid()).startswith("arrival")}
    (gid,) = dots
    assert list(colours_of(results))[int(gid[-1])] == "sgd"
    np.testing.assert_allclose(dots[gid].get_offsets(), [(4, 8e-6)])
    assert any(text.startswith("arrives in 4, ") for text in texts(ax))
    assert any(text.startswith("misses, ") for text in texts(ax))
    assert "Marks on the target" in caption("loss_curves", results)
    assert "Dots" not in caption("loss_curves", write(run(), folder="misses"))


def test_an_undefined_target_is_no_line(write):
    (ax,) = draw("loss_curves", write(run(gap=1e-9), problems=(LECTURE | {"scale": None},))).axes
    assert "target" not in texts(ax)
    assert not [mark for mark in scattered(ax) if str(mark.get_gid()).startswith("arrival")]


def test_all_failed_leaves_nothing_to_draw(write):
    with pytest.raises(RequestError, match="all failed"):
        draw("loss_curves", write(run(status="failed")))


@pytest.mark.parametrize(
    ("changes", "shares", "label", "top"),
    [
        ({}, (1.0, 1.0), "gradient evaluations  (= steps)", False),
        ({}, (1.0, 20.0), "gradient evaluations", False),
        ({"batch_size": 1}, (1 / 3, 1 / 3), "gradient evaluations  (= epochs)", True),
        ({"batch_size": 1}, (1 / 3, 20 / 3), "gradient evaluations  (= epochs)", False),
    ],
    ids=["all rows", "a line search", "minibatches", "a line search on minibatches"],
)
def test_the_axis_says_what_a_gradient_evaluation_is(write, monkeypatch, changes, shares, label, top):
    """A minibatch counts its share of the rows: of 3 rows one by one 3 steps are an evaluation."""
    share = dict(zip(("sgd", "adam"), shares, strict=True))
    monkeypatch.setattr(
        "conftest.curve", lambda row: curve(row) | {"evaluations": share[row["optimizer"]] * np.arange(9.0)}
    )
    (ax,) = draw("loss_curves", write(run(**changes), run("adam", **changes, **ADAM))).axes
    assert ax.get_xlabel() == label
    assert bool(ax.child_axes) == top
    if top:
        ax.figure.draw_without_rendering()
        assert ax.child_axes[0].get_xlim() == pytest.approx((0, 8))
        assert ax.get_xlim() == pytest.approx((0, 8 / 3))


def test_the_least_possible_is_named_where_no_curve_it_bounds_can_be(write, monkeypatch):
    least = pd.DataFrame({"task": "lecture", "evaluations": [0.0, 1.0, 2.0], "gap": [8.0, 0.5, 1e-30]})
    monkeypatch.setattr(Sweep, "least_possible", least)
    results = write(run(gap=1e-9))
    figure = draw("loss_curves", results)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    (name,) = [text for text in ax.texts if text.get_text() == "least\npossible"]
    box = name.get_window_extent()
    assert box.x1 < ax.transData.transform((1.0, 1.0))[0]
    assert box.y1 < ax.transData.transform((1.0, 0.5))[1]
    assert ax.get_window_extent().y0 < box.y0
    assert "conjugate gradients" in caption("loss_curves", results)
    assert "noise floor" not in caption("loss_curves", results)


def test_a_bound_that_falls_to_0_at_once_is_no_line_and_no_word(write, monkeypatch):
    least = pd.DataFrame({"task": "lecture", "evaluations": [0.0, 1.0], "gap": [8.0, 0.0]})
    monkeypatch.setattr(Sweep, "least_possible", least)
    results = write(run(gap=1e-9))
    assert "least\npossible" not in texts(draw("loss_curves", results).axes[0])
    assert "conjugate gradients" not in caption("loss_curves", results)


def test_theory_is_drawn_for_those_who_have_a_colour(write, monkeypatch):
    """o0 is the seventh of seven: grey."""
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(7)])

    def of(name: str) -> list:
        theory = pd.DataFrame(
            {"task": "lecture", "optimizer": name, "evaluations": [0.0, 8.0], "gap": [8.0, 1e-3]}
        )
        monkeypatch.setattr(Sweep, "predicted_curves", theory)
        return [
            line.get_gid()
            for line in draw("loss_curves", results).axes[0].lines
            if str(line.get_gid()).startswith("theory")
        ]

    assert of("o6") == ["theory-0-optimizer-0"]
    assert "Dashes: theory" in caption("loss_curves", results)
    assert of("o0") == []
    assert "Dashes: theory" not in caption("loss_curves", results)


def test_crosses_of_several_at_one_place_do_not_hide_each_other(write):
    figure = draw(
        "loss_curves",
        write(*[run(name, seed=seed, status="diverged") for name in "abc" for seed in range(2)]),
    )
    figure.draw_without_rendering()
    marks = [mark for mark in scattered(figure.axes[0]) if str(mark.get_gid()).startswith("stop")]
    assert [np.asarray(mark.get_offsets())[0].tolist() for mark in marks] == [
        np.asarray(marks[0].get_offsets())[0].tolist()
    ] * 3
    seen = (
        np.array([mark.get_offset_transform().transform(mark.get_offsets())[0] for mark in marks])
        / figure.dpi
        * 72
    )
    apart = np.abs(seen[:, None] - seen).max(axis=2)[np.triu_indices(3, 1)]
    assert apart.min() > 5.6  # points: as wide as a cross of 32 square points


@pytest.mark.parametrize(("attained", "zero"), [(True, "minimum"), (False, "infimum")])
def test_a_gap_is_to_a_minimum_where_there_is_one(write, attained, zero):
    (ax,) = draw("loss_curves", write(run(), problems=(LECTURE | {"attained": attained},))).axes
    assert ax.get_ylabel() == f"gap  (loss − {zero})"


def test_a_task_without_a_curve_is_not_drawn_and_said_not_to_be(write):
    tasks = tuple(LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(3))
    rows = [
        run(problem_id=f"p{k}", problem=f"p{k}", status="failed" if k == 1 else "completed") for k in range(3)
    ]
    results = write(*rows, problems=tasks)
    assert [ax.get_title(loc="left") for ax in draw("loss_curves", results).axes] == ["p0", "p2"]
    assert caption("loss_curves", results).endswith(" 2 of 3 tasks; not drawn: p1.")


def test_the_curves_in_the_figure_are_the_medians_of_the_runs(tmp_path):
    sweep = swept(
        tmp_path, "optimizer=sgd,adam,rprop", "optimizer.lr=0.01,0.1,1", "seed=range(3)", "steps=30"
    )
    figure = draw("loss_curves", sweep)
    drawn = [line.get_ydata() for line in figure.axes[0].get_lines()]
    for row in sweep.ranking.to_dict("records"):
        ids = sweep.runs.loc[sweep.runs["setting_id"] == row["setting_id"], "run_id"]
        median = sweep.curves[sweep.curves["run_id"].isin(ids)].groupby("step")["gap"].median().to_numpy()
        assert any(len(y) == len(median) and (abs(y / median - 1) < 1e-12).all() for y in drawn)


def test_gaps_up_to_the_end_of_float64_are_drawn_without_a_warning(tmp_path):
    lines = ["optimizer=sgd,asgd", "optimizer.lr=10,100", "seed=range(3)", "steps=400"]
    results = swept(tmp_path, *lines)
    assert (results.runs["status"] == "diverged").all()
    assert results.curves["gap"].replace(float("inf"), 0).max() > 1e300
    figure = draw("loss_curves", results)
    save(figure, tmp_path / "loss_curves.svg")
    bands = [
        band.get_paths()[0].vertices
        for band in figure.axes[0].collections
        if isinstance(band, PolyCollection)
    ]
    assert len(bands) == 2
    for row in results.ranking.to_dict("records"):
        ids = results.runs.loc[results.runs["setting_id"] == row["setting_id"], "run_id"]
        median = results.curves[results.curves["run_id"].isin(ids) & (results.curves["step"] == 1)][
            "gap"
        ].median()
        assert all(band[band[:, 0] == 1, 1].min() < median < band[band[:, 0] == 1, 1].max() for band in bands)


def test_the_figure_holds_the_theory(tmp_path):
    lines = ["problem=synthetic", "problem.kappa=1e4", "optimizer=sgd,sgd_momentum,sgd_nesterov"]
    sweep = swept(tmp_path, *lines, "optimizer.lr=0.01,0.1,1", "seed=range(5)", "steps=150", "report=false")
    (ax,) = draw("loss_curves", sweep).axes
    dashed = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "--"]
    drawn = [gaps for gaps in dashed if len(gaps) > 2]
    assert len(sweep.predicted_curves)
    for _, rows in sweep.predicted_curves.groupby("optimizer"):
        assert any(np.array_equal(line, rows["gap"]) for line in drawn)
