"""The figures: their artists hold the numbers of the frames, and what diverged is seen."""

import itertools
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import LECTURE, curve, run, tuned
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import TextToPath

from lrbench.errors import RequestError
from lrbench.results import curves, expected, figures, svg
from lrbench.results.ink import COLOURS, GREY, fitted, log_range, palette
from lrbench.results.report.captions import caption
from lrbench.results.report.findings import finding

INF = np.inf
ADAM = {"target_": "torch.optim.Adam"}
OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


def lines(ax) -> dict[str, np.ndarray]:
    """Return the (x, y) of each data line by its colour."""
    return {
        to_hex(line.get_color()): line.get_xydata()
        for line in ax.lines
        if to_hex(line.get_color()) in (*COLOURS, GREY)
    }


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def scattered(ax) -> list[PathCollection]:
    return [mark for mark in ax.collections if isinstance(mark, PathCollection)]


def crosses(ax) -> np.ndarray:
    """Return the (x, y) of all crosses that a reader sees."""
    marks = [
        mark
        for mark in scattered(ax)
        if len(mark.get_offsets()) and mark.get_paths()[0].vertices.shape == (4, 2)
    ]
    return np.concatenate([np.asarray(mark.get_offsets()) for mark in marks]) if marks else np.empty((0, 2))


# ---- frames


def test_best_curves_are_quantiles_over_the_seeds(write):
    rows = [run(gap=gap, seed=seed) for seed, gap in enumerate((1e-4, 1e-3, 1e-1))]
    frame = curves.best_curves(write(*rows, run(gap=1.0, lr=0.5)))
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
    frame = curves.best_curves(write(*rows))
    assert frame["seeds"].tolist() == [5] * 9
    assert np.isinf(frame["median"].iloc[4:]).all()
    assert np.isinf(frame["q75"]).all()


def test_a_run_stops_where_it_leaves_the_figure(write):
    frame = curves.stops(write(run("early", status="diverged"), run("fine")))
    assert frame[["optimizer", "evaluations"]].to_numpy().tolist() == [["early", 4.0]]


def test_sensitivity_is_the_best_of_the_other_settings_at_each_rate(write):
    rows = [run(gap=lr * m, lr=lr, momentum=m) for lr in (0.1, 0.2) for m in (0.5, 0.9)] + [
        run("one_rate", 1e-9)
    ]
    frame = curves.sensitivity(write(*rows)).set_index(["optimizer", "lr"])
    assert frame["gap"].to_dict() == pytest.approx(
        {("one_rate", 0.1): 1e-9, ("sgd", 0.1): 0.05, ("sgd", 0.2): 0.1}
    )
    assert frame["best"].to_dict() == {("one_rate", 0.1): True, ("sgd", 0.1): True, ("sgd", 0.2): False}


def test_neighbours_that_differ_in_more_than_their_rate_are_no_curve(write):
    rows = [run("drawn", lr=lr, momentum=m) for lr, m in ((0.1, 0.5), (0.2, 0.9), (0.3, 0.7))] + [
        run("alone", lr=lr) for lr in (0.1, 0.2)
    ]
    rows += [
        run("grid", 10.0 ** -(k % 2), lr=lr, momentum=m)
        for lr in (0.1, 0.2)
        for k, m in enumerate((0.5, 0.9))
    ]
    scattered = curves.sensitivity(write(*rows)).groupby("optimizer")["scattered"].agg(["all", "any"])
    assert (
        scattered["all"].to_dict()
        == scattered["any"].to_dict()
        == {"alone": False, "drawn": True, "grid": False}
    )


def test_a_tuned_sweep_is_drawn_on_the_seeds_that_are_compared_and_searched_on_the_others(write_tuned):
    trials = {0.01: [1e-2, 1e-2], 0.1: [1e-5, 1e-5], 1.0: [1e-3, 1e-3]}
    results = write_tuned(tuned("sgd", trials, [1e-6, 1e-4, 1e-5], [1e-1, 1e-1, 1e-1]))
    assert curves.best_curves(results)["median"].iloc[-1] == pytest.approx(1e-5)
    frame = curves.sensitivity(results)
    assert dict(zip(frame["lr"], frame["gap"], strict=True)) == pytest.approx(
        {0.01: 1e-2, 0.1: 1e-5, 1.0: 1e-3}
    )
    assert frame.loc[frame["best"], "lr"].tolist() == [0.1]
    assert curves.default_rates(results)["lr"].tolist() == [0.001]
    assert set(curves.solved(results)["pairs"]) == {3 * 8}
    assert sorted(curves.finals(results)["gap"]) == [1e-6, 1e-5, 1e-4]


def test_the_share_solved_counts_every_pair_of_seed_and_target(write):
    """Against a loop over the runs; the run that diverged solves nothing, though its curve passed a target."""
    rows = [run(gap=gap, seed=seed) for seed, gap in enumerate((1e-3, 1e-6, 5.0))] + [
        run(seed=3, status="diverged")
    ]
    rows[3] |= {"evaluations_to_1e-1": 1}
    frame = curves.solved(write(*rows))
    costs = [row[f"evaluations_to_1e-{k}"] for row in rows[:3] for k in range(1, 9)]
    for cost, share in frame[["evaluations", "share"]].itertuples(index=False):
        assert share == sum(c is not None and c <= cost for c in costs) / 32
    assert frame["evaluations"].iloc[[0, -1]].tolist() == [0, 8]
    assert set(frame["pairs"]) == {32}
    assert 0 < frame["share"].iloc[-1] < 0.75


def test_the_target_view_holds_the_shares_as_steps(write):
    results = write(
        *[run(gap=10.0 ** -(2 + 3 * seed), seed=seed) for seed in range(2)],
        run("adam", status="diverged", **ADAM),
    )
    (ax,) = figures.targets(results).axes
    colours, frame = palette(results.ranking), curves.solved(results)
    for name, rows in frame.groupby("optimizer"):
        np.testing.assert_allclose(lines(ax)[colours[name]], rows[["evaluations", "share"]])
    assert {line.get_drawstyle() for line in ax.lines} == {"steps-post"}
    assert "0/8" in texts(ax)
    with pytest.raises(RequestError, match="undefined"):
        figures.targets(write(run(), problems=(LECTURE | {"scale": None},), folder="flat"))


@pytest.mark.parametrize(
    ("changes", "plain"),
    [
        ({}, True),
        ({"momentum": 0.0}, True),
        ({"momentum": 0.9}, False),
        ({"weight_decay": 0.1}, False),
        ({"batch_size": 2}, False),
        (ADAM, False),
    ],
)
def test_only_plain_gradient_descent_has_the_limits_of_its_rate(write, changes, plain):
    assert expected.is_plain_descent(write(run(**changes)).entries).all() == plain


# ---- loss curves


def test_lines_of_the_loss_curves_hold_the_medians(write):
    results = write(*[run(gap=10.0**-seed, seed=seed) for seed in range(3)], run("adam", 1e-9, **ADAM))
    (ax,) = results.plot_curves().axes
    colours, frame = palette(results.ranking), curves.best_curves(results)
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
    (ax,) = results.plot_curves().axes
    assert [x for x, _ in crosses(ax)] == [4.0]
    assert all(ax.get_ylim()[0] <= y <= ax.get_ylim()[1] for _, y in crosses(ax))
    assert any("1/2 diverged" in text for text in texts(ax))
    assert {"sgd", "adam"} <= set(texts(ax))


def test_all_diverged_still_is_a_figure_with_every_cross(write):
    results = write(*[run(seed=seed, status="diverged") for seed in range(3)])
    (ax,) = results.plot_curves().axes
    assert len(crosses(ax)) == 3
    assert "3/3 diverged" in " ".join(texts(ax))


def test_the_target_is_a_line_at_its_gap(write):
    (ax,) = write(run(gap=1e-9)).plot_curves().axes
    assert "target" in texts(ax)
    assert any(np.allclose(line.get_ydata(), 8e-6) for line in ax.lines)


def test_an_undefined_target_is_no_line(write):
    (ax,) = write(run(gap=1e-9), problems=(LECTURE | {"scale": None},)).plot_curves().axes
    assert "target" not in texts(ax)


def test_all_failed_leaves_nothing_to_draw(write):
    with pytest.raises(RequestError, match="all failed"):
        write(run(status="failed")).plot_curves()


def test_a_long_curve_is_thinned_to_what_a_reader_can_tell_apart(write):
    """Of 3,001 points 200 at most; the spike and the dip of one step each stay, as do both ends."""
    frame = pd.DataFrame(
        {"task": "t", "optimizer": "o", "step": np.arange(3001), "evaluations": np.arange(3001.0)}
    )
    frame["median"] = np.exp(-frame["step"] / 500)
    frame.loc[[1234, 2345], "median"] = [50.0, 1e-9]
    kept = curves.thinned(
        pd.concat([frame, frame.head(150).assign(optimizer="short")], ignore_index=True), 200
    ).groupby("optimizer")["step"]
    steps = kept.get_group("o").tolist()
    assert 100 < len(steps) <= 200
    assert {0, 1, 1234, 2345, 3000} <= set(steps)
    assert steps == sorted(steps)
    assert len(kept.get_group("short")) == 150


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
    (ax,) = write(run(**changes), run("adam", **changes, **ADAM)).plot_curves().axes
    assert ax.get_xlabel() == label
    assert bool(ax.child_axes) == top
    if top:
        ax.figure.draw_without_rendering()
        assert ax.child_axes[0].get_xlim() == pytest.approx((0, 8))
        assert ax.get_xlim() == pytest.approx((0, 8 / 3))


def test_the_least_possible_is_named_where_no_curve_it_bounds_can_be(write, monkeypatch):
    least = pd.DataFrame({"task": "lecture", "evaluations": [0.0, 1.0, 2.0], "gap": [8.0, 0.5, 1e-30]})
    monkeypatch.setattr(expected, "least_possible", lambda results: least)
    results = write(run(gap=1e-9))
    figure = results.plot_curves()
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
    monkeypatch.setattr(expected, "least_possible", lambda results: least)
    results = write(run(gap=1e-9))
    assert "least\npossible" not in texts(results.plot_curves().axes[0])
    assert "conjugate gradients" not in caption("loss_curves", results)


def test_theory_is_drawn_for_those_who_have_a_colour(write, monkeypatch):
    """o0 is the seventh of seven: grey."""
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(7)])

    def of(name: str) -> list:
        theory = pd.DataFrame(
            {"task": "lecture", "optimizer": name, "evaluations": [0.0, 8.0], "gap": [8.0, 1e-3]}
        )
        monkeypatch.setattr(expected, "curves", lambda results: theory)
        return [
            line.get_gid()
            for line in results.plot_curves().axes[0].lines
            if str(line.get_gid()).startswith("theory")
        ]

    assert of("o6") == ["theory-0-optimizer-0"]
    assert "Dashes: theory" in caption("loss_curves", results)
    assert of("o0") == []
    assert "Dashes: theory" not in caption("loss_curves", results)


def test_crosses_of_several_at_one_place_do_not_hide_each_other(write):
    figure = write(
        *[run(name, seed=seed, status="diverged") for name in "abc" for seed in range(2)]
    ).plot_curves()
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
    (ax,) = write(run(), problems=(LECTURE | {"attained": attained},)).plot_curves().axes
    assert ax.get_ylabel() == f"gap  (loss − {zero})"


# ---- sensitivity


def test_lines_and_rings_of_the_sensitivity_hold_the_gaps(write):
    gaps = {0.01: 1e-2, 0.1: 1e-5, 1.0: 1e-1}
    (ax,) = (
        write(*[run(gap=gap * 10.0**seed, lr=lr, seed=seed) for lr, gap in gaps.items() for seed in range(3)])
        .plot_sensitivity()
        .axes
    )
    np.testing.assert_allclose(lines(ax)[COLOURS[0]], [(lr, 10 * gap) for lr, gap in gaps.items()])
    rings = [np.asarray(mark.get_offsets()) for mark in ax.collections if 80 in mark.get_sizes()]
    np.testing.assert_allclose(rings, [[(0.1, 1e-4)]])
    dots = max((np.asarray(mark.get_offsets()) for mark in ax.collections), key=len)
    np.testing.assert_allclose(
        sorted(map(tuple, dots)),
        sorted((lr, gap * 10.0**seed) for lr, gap in gaps.items() for seed in range(3)),
    )


def test_lost_seeds_are_crosses_with_their_share_and_break_the_line(write):
    rows = [run(lr=lr, seed=seed) for lr in (0.1, 0.2, 0.4, 0.8) for seed in range(2)]
    rows[4] = run(lr=0.4, seed=0, status="diverged")
    (ax,) = write(*rows).plot_sensitivity().axes
    assert "1/2" in texts(ax)
    assert [x for x, _ in crosses(ax)] == [0.4]
    np.testing.assert_array_equal(
        lines(ax)[COLOURS[0]], [(0.1, 1e-3), (0.2, 1e-3), (0.4, np.nan), (0.8, 1e-3)]
    )


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_sensitivity_without_any_completed_run(write, status):
    (ax,) = write(*[run(lr=lr, status=status) for lr in (0.1, 0.2)]).plot_sensitivity().axes
    assert "1/1" in texts(ax)
    assert [x for x, _ in crosses(ax)] == [0.1, 0.2]
    assert "no setting completed all seeds" in texts(ax)


def test_seeds_that_completed_are_seen_where_no_setting_has_a_mean(write):
    rows = [
        run(lr=lr, seed=seed, status="diverged" if seed else "completed", gap=3e-3)
        for lr in (0.1, 0.2)
        for seed in range(3)
    ]
    results = write(*rows)
    figure = results.plot_sensitivity()
    figure.draw_without_rendering()
    (ax,) = figure.axes
    (dots,) = [mark for mark in scattered(ax) if str(mark.get_gid()).startswith("dots")]
    (told,) = [text for text in ax.texts if text.get_text().startswith("no setting")]
    seen = ax.transData.transform(dots.get_offsets())
    assert len(seen) == 2
    assert dots.get_alpha() > 0.8
    assert (seen[:, 1] > told.get_window_extent().y1).all()
    words = caption("lr_sensitivity", results)
    assert "geometric mean" not in words
    assert "ring" not in words


def test_stretches_that_lost_the_same_have_one_label_and_no_label_hides_another(write):
    """Four rates lost one seed of two, twenty others one or both by turns: labels are right where they stand, and the long stretch has one."""
    lost = [0, 1, 1, 1, 1] + [2 - k % 2 for k in range(20)]
    rows = [
        run(lr=10.0 ** (k / 6), seed=seed, status="diverged" if seed < n else "completed")
        for k, n in enumerate(lost)
        for seed in range(2)
    ]
    figure = write(
        *rows, *[run("b", lr=lr) for lr in (1.0, 2.0)], *[run("c", lr=lr) for lr in (1.0, 2.0)]
    ).plot_sensitivity()
    figure.draw_without_rendering()
    (ax,) = [ax for ax in figure.axes if ax.get_title(loc="left") == "sgd"]
    labels = [text for text in ax.texts if re.fullmatch(r"\d/2", text.get_text())]
    boxes = sorted((text.get_window_extent().x0, text.get_window_extent().x1) for text in labels)
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(boxes))
    for text in labels:
        place = 6 * np.log10(text.xy[0])
        assert text.get_text() == f"{lost[int(round(place, 6))]}/2"
    assert sum(6 * np.log10(text.xy[0]) < 4.5 for text in labels) == 1
    assert len(labels) > 2


def test_crosses_rings_and_means_are_told_of_where_they_are_drawn(write):
    whole, lost = (
        write(*[run(lr=lr) for lr in (0.1, 0.2)], folder="whole"),
        write(run(lr=0.1), run(lr=0.2, status="diverged"), folder="lost"),
    )
    assert [
        name
        for name in ("lr_sensitivity", "heat_map", "targets")
        if re.search("cross|Hatched|complete", caption(name, whole))
    ] == []
    assert "crosses at the top" in caption("lr_sensitivity", lost)
    assert "Hatched" in caption("heat_map", lost)
    assert "Crosses" not in caption("loss_curves", lost)
    assert "Crosses" in caption("loss_curves", write(run(status="diverged"), folder="away"))


def test_captions_say_where_neighbours_are_no_curve(write):
    drawn = [run("drawn", lr=lr, momentum=m) for lr, m in ((0.1, 0.5), (0.2, 0.9), (0.3, 0.7))]
    results = write(*drawn, folder="drawn")
    assert "; large dots: their geometric mean, no line" in caption("lr_sensitivity", results)
    assert "change from cell to cell" in caption("heat_map", results)
    both = write(*drawn, *[run(lr=lr) for lr in (0.1, 0.2)], folder="both")
    assert "; line or large dots: their geometric mean, no line where" in caption("lr_sensitivity", both)


def test_one_learning_rate_has_no_sensitivity(write):
    with pytest.raises(RequestError, match=re.escape("optimizer.lr=0.001,0.01,0.1")):
        write(run()).plot_sensitivity()


def test_limits_of_gradient_descent_are_drawn_and_an_axis_in_their_unit(write):
    results = write(*[run(lr=lr) for lr in (0.01, 0.1)], problems=(LECTURE | {"quadratic": True},))
    (ax,) = results.plot_sensitivity().axes
    places = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert places == pytest.approx([1 / 30, 2 / 30])
    ax.figure.draw_without_rendering()
    (top,) = ax.child_axes
    assert top.get_xlim() == pytest.approx([30 * lr for lr in ax.get_xlim()])
    assert "× 1/L" in texts(ax)


def test_no_limits_where_the_curvature_varies(write):
    (ax,) = write(*[run(lr=lr) for lr in (0.01, 0.1)]).plot_sensitivity().axes
    assert not ax.child_axes
    assert not [line for line in ax.lines if len(set(line.get_xdata())) == 1]


def test_the_best_at_an_edge_is_a_diamond_and_the_default_a_tick(write_tuned):
    trials = {0.0001: [1e-2], 1.0: [1e-3], 100.0: [1e-5]}
    results = write_tuned(
        tuned("sgd", trials, [1e-5], [1e-1]),
        tuned("adam", {0.01: [1e-2], 0.1: [1e-4], 100.0: [1e-2]}, [1e-4], **ADAM),
    )
    sgd, adam = results.plot_sensitivity().axes
    (diamond,), (ring,) = ([mark for mark in scattered(ax) if 80 in mark.get_sizes()] for ax in (sgd, adam))
    assert (np.asarray(diamond.get_offsets())[0, 0], np.asarray(ring.get_offsets())[0, 0]) == (100.0, 0.1)
    assert len(diamond.get_paths()[0].vertices) < len(ring.get_paths()[0].vertices)
    (tick,) = [np.asarray(mark.get_offsets()) for mark in scattered(sgd) if 120 in mark.get_sizes()]
    assert tick.tolist() == [[0.001, 0]]
    assert not [mark for mark in scattered(adam) if 120 in mark.get_sizes()]


def test_a_panel_holds_its_own_and_the_others_grey_behind(write):
    gaps = {
        name: {lr: 10.0 ** -(k + place) for place, lr in enumerate((0.01, 0.1, 1.0))}
        for k, name in enumerate("abcdefgh")
    }
    results = write(*[run(name, gap, lr=lr) for name, own in gaps.items() for lr, gap in own.items()])
    figure = results.plot_sensitivity()
    best = list("hgfedc")
    assert [ax.get_title(loc="left") for ax in figure.axes] == best
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    for k, (ax, name) in enumerate(zip(figure.axes, best, strict=True)):
        assert ax.get_gid() == f"panel-{k}-optimizer-{k}"
        np.testing.assert_allclose(lines(ax)[COLOURS[k]], list(gaps[name].items()))
        behind = {line.get_gid(): line.get_xydata() for line in ax.lines if to_hex(line.get_color()) == GREY}
        assert behind.keys() == {f"behind-{k}-optimizer-{i}" for i in range(8) if i != k}
        for i, other in enumerate("hgfedcba"):
            if i != k:
                np.testing.assert_allclose(behind[f"behind-{k}-optimizer-{i}"], list(gaps[other].items()))
    assert "(the best 6); grey lines: the others" in caption("lr_sensitivity", results)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3)])
def test_panels_stand_in_rows_of_three_at_most(write, count, columns):
    axes = write(*[run(f"o{k}", lr=lr) for k in range(count) for lr in (0.1, 0.2)]).plot_sensitivity().axes
    assert len(axes) == count
    assert len({round(ax.get_position().x0, 6) for ax in axes}) == columns


def test_more_than_two_tasks_have_three_panels_each(write):
    tasks = [LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(3)]
    rows = [
        run(name, 10.0**-place, lr=lr, problem_id=f"p{k}", problem=f"p{k}")
        for k in range(3)
        for place, name in enumerate("abcd")
        for lr in (0.1, 0.2)
    ]
    results = write(*rows, problems=tuple(tasks))
    figure = results.plot_sensitivity()
    assert [ax.get_title(loc="left") for ax in figure.axes] == list("dcb") * 3
    assert [text.get_text() for text in figure.texts if text.get_text().startswith("p")] == ["p0", "p1", "p2"]
    assert "(the best 3 over the tasks)" in caption("lr_sensitivity", results)


def test_of_many_seeds_the_extremes_and_an_even_part_are_dots(write):
    gaps = [10.0**-k for k in range(12)]
    frame = pd.DataFrame({"lr": np.repeat([0.1, 0.2], 12), "gap": gaps[::-1] + gaps})
    shown = curves.spread_seeds(frame, 8)
    assert shown["lr"].value_counts().to_dict() == {0.1: 4, 0.2: 4}
    assert shown.groupby("lr")["gap"].agg(["min", "max"]).to_numpy().tolist() == [[gaps[-1], 1.0]] * 2
    assert len(curves.spread_seeds(frame, 24)) == 24
    many = pd.DataFrame({"lr": np.arange(1.0, 101.0), "gap": 1.0})
    assert curves.spread_seeds(many, 10)["lr"].iloc[[0, -1]].tolist() == [1.0, 100.0]
    assert len(curves.spread_seeds(many, 10)) <= 10


# ---- whole figures


def test_a_panel_a_task_and_six_at_most(write):
    tasks = [LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(8)]
    rows = [run("adam", problem_id=task["problem_id"], problem=task["problem"]) for task in tasks]
    results = write(*rows, problems=tuple(tasks))
    titles = [ax.get_title(loc="left") for ax in results.plot_curves().axes]
    assert titles == [f"p{k}" for k in range(6)]
    assert caption("loss_curves", results).endswith(" 6 of 8 tasks; not drawn: p6 and p7.")
    assert "p6" not in finding("loss_curves", results)
    assert "tasks;" not in caption("profile", results)


def test_a_task_without_a_curve_is_not_drawn_and_said_not_to_be(write):
    tasks = tuple(LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(3))
    rows = [
        run(problem_id=f"p{k}", problem=f"p{k}", status="failed" if k == 1 else "completed") for k in range(3)
    ]
    results = write(*rows, problems=tasks)
    assert [ax.get_title(loc="left") for ax in results.plot_curves().axes] == ["p0", "p2"]
    assert caption("loss_curves", results).endswith(" 2 of 3 tasks; not drawn: p1.")


def test_six_have_a_colour_and_the_rest_is_grey(write):
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(9)])
    colours = palette(results.ranking)
    assert [colours[f"o{k}"] for k in range(8, 2, -1)] == COLOURS
    assert {colours[f"o{k}"] for k in range(3)} == {GREY}
    (ax,) = results.plot_curves().axes
    assert "others" in texts(ax)


def test_over_several_tasks_the_best_by_mean_rank_have_a_colour():
    """Not by their places in the rankings, where who is shown better stands first. A lost seed ranks last."""
    gaps = {
        "a": (1e-9, 1e-1),
        "b": (1e-8, 1e-2),
        "c": (1e-1, 1e-9),
        "d": (1e-2, 1e-8),
        "lost": (INF, 1e-7),
        "e": (1e-3, 1e-3),
        "f": (1.0, 1.0),
    }
    rows = [(task, name, own[k]) for k, task in enumerate("pq") for name, own in gaps.items()]
    colours = palette(pd.DataFrame(rows, columns=["task", "optimizer", "gap"]))
    ranks = pd.DataFrame(gaps).T.rank().mean(axis=1).sort_values(kind="stable")
    assert list(colours) == ranks.index.tolist()
    assert [name for name, colour in colours.items() if colour == GREY] == ranks.index[6:].tolist()


# ---- axes and names


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([1e-3, 10.0, INF, np.nan], 5e-4, 20.0),
        ([0.0, 1e-310, 1.0], 0.5, 2.0),
        ([1e-300, 1e-5, 1.0], 2e-40, 2.0),
        ([0.0, INF], 0.1, 10.0),
        ([5e-324], 0.1, 10.0),
    ],
)
def test_an_axis_of_gaps_has_forty_decades_at_most(values, low, high):
    assert log_range(np.array(values), 2) == pytest.approx((low, high), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    "text",
    [
        "lr=0.134 momentum=0.835 alpha=0.99",
        "WWWWWWWWWWWWWWWWWW",
        "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
        "ab",
        "",
    ],
)
@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_cut_by_its_width_in_ink(text, bold):
    """Against matplotlib's own layout: what is left fits, and one sign more would not."""

    def width(text: str) -> float:
        return TextToPath().get_text_width_height_descent(
            text, FontProperties(family="DejaVu Sans", size=9, weight=700 if bold else 400), False
        )[0]

    short = fitted(text, 9, 100, bold)
    assert width(short) <= 100
    if short != text:
        kept = len(short) - 1
        assert (short[:-1], short[-1]) == (text[:kept], "…")
        assert width(text) > 100
        assert width(text[: kept + 1] + "…") > 99


def test_no_name_runs_out_of_a_figure(write):
    long = "W" * 80
    problems = tuple(LECTURE | {"problem_id": name, "problem": name} for name in (long, "short"))
    rows = [
        run(
            name,
            1e-3 / (1 + k),
            lr=lr,
            seed=seed,
            problem_id=task["problem_id"],
            problem=task["problem"],
            kind="v" * 90 if lr > 0.1 else "",
        )
        for task in problems
        for k, name in enumerate((long, long + "2", "c"))
        for lr in (0.1, 0.2)
        for seed in range(2)
    ]
    results = write(*rows, problems=problems)
    for draw in (figures.loss_curves, figures.lr_sensitivity, figures.heat_map, figures.seeds, figures.pairs):
        figure = draw(results)
        figure.set_dpi(600)  # signs have whole pixels
        figure.draw_without_rendering()
        seen = [text for text in figure.findobj(Text) if text.get_visible() and "…" in text.get_text()]
        assert len(seen) >= 3, draw.__name__
        for text in seen:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width, (draw.__name__, text.get_text())


@pytest.mark.parametrize("smoothness", [2.0, 5.0])
def test_numbers_of_the_axis_on_top_do_not_hang_out(write, smoothness):
    """The rates' axis goes from 5e-4 to 2e3, so a power of ten stands at its very start, and at its end."""
    figure = write(
        *[run(lr=10.0**k) for k in range(-3, 4)], problems=(LECTURE | {"quadratic": True, "L": smoothness},)
    ).plot_sensitivity()
    figure.draw_without_rendering()
    (ax,) = figure.axes
    labels = [label for label in ax.child_axes[0].get_xticklabels() if label.get_text()]
    assert len(labels) > 3
    for label in labels:
        assert ax.bbox.x0 - 1 <= label.get_window_extent().x0 < label.get_window_extent().x1 <= ax.bbox.x1 + 1


def test_figures_leave_no_global_state_and_give_the_same_bytes(write, tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    results = write(*[run(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in range(2)])
    before = dict(matplotlib.rcParams)
    files = [
        figures.save(draw(), tmp_path / f"{k}{name}.svg")
        for k in range(2)
        for name, draw in (("c", results.plot_curves), ("s", results.plot_sensitivity))
    ]
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []
    one, two, three, four = [file.read_bytes() for file in files]
    assert (one, two) == (three, four)


def test_a_compact_svg_moves_nothing_by_more_than_the_twentieth_of_a_point():
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.normal(scale=0.3, size=(500, 2)), axis=0) + 300
    body = "".join(f"{'L' if k else 'M'} {x:.6f} {y:.6f} \n" for k, (x, y) in enumerate(points))
    marks = "".join(
        f'<use xlink:href="#m0123456789" x="{x:.6f}" y="{y:.6f}" style="fill: #2a7de1"/>\n' for x, y in points
    )
    text = '<text style="fill: #24292f" x="1.26" y="-0.04">a  1.234567 id="b_1" M 1.23 4.56</text>'
    short = svg.compact(
        f'<svg><g id="figure_1">\n <path d="{body}z\n"/>\n<g clip-path="url(#p0123456789)">{marks}</g>{text}</g></svg>'
    )
    (path,) = re.findall(
        r' d="M(\S+) (\S+)l([^"]*)z"', short.replace("-", " -").replace("M ", "M").replace("l ", "l")
    )
    steps = np.array([path[0], path[1], *path[2].split()], dtype=float).reshape(-1, 2)
    np.testing.assert_allclose(np.cumsum(steps, axis=0), points, atol=0.0500001)
    uses = re.findall(r'<use xlink:href="#m0" x="([^"]*)" y="([^"]*)"/>', short)
    np.testing.assert_allclose(np.array(uses, dtype=float), points, atol=0.0500001)
    assert 'style="fill:#2a7de1"' in short
    assert '<text style="fill:#24292f" x="1.3" y="0">a  1.234567 id="b_1" M 1.23 4.56</text>' in short
    assert len(short) < 0.5 * len(body + marks)
    circle = '<defs><path id="m0123456789" d="M 0 1.73 \nC 0.9 1.73 1.73 0.9 1.73 0 \nz\n"/></defs>'
    dots = svg.compact(
        f'<svg><g id="dots-0-optimizer-1">{circle}<g clip-path="url(#p0123456789)">{marks}</g></g></svg>'
    )
    (path,) = re.findall(
        r'<path clip-path="url\(#p0\)" d="([^"]*)" style="fill:none;stroke:#2a7de1;stroke-width:3.46;stroke-linecap:round"/>',
        dots,
    )
    steps = np.array(re.findall(r"m(-?[\d.]+) ?(-?[\d.]+)h0", path), dtype=float)
    np.testing.assert_allclose(np.cumsum(steps, axis=0), points, atol=0.0500001)
    assert "<use" not in dots
    assert "<defs" not in dots
    moves = svg.compact(
        '<svg><path d="M 1.02 2 \nM 3 4 \nL 5 5.96 \nz\n"/><path d="M 1.23456 2 \nC 1 2 3 4 5 6.0612 \nz\n"/></svg>'
    )
    assert re.findall(' d="([^"]*)"', moves) == ["M1 2M3 4l2 2z", "M 1.23 2 C 1 2 3 4 5 6.06 z"]


@pytest.mark.parametrize("gap", [0.0, 8.0, 1e-300, 1e100])
def test_extreme_gaps_are_drawn_without_a_warning(write, tmp_path, gap):
    results = write(*[run(gap=gap, lr=lr) for lr in (0.1, 0.2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.save(results.plot_curves(), tmp_path / "a.svg")
        figures.save(results.plot_sensitivity(), tmp_path / "b.png")
