"""Evaluations until arrival against the learning rate: a panel an optimizer, what was lost, what works."""

import itertools
import re

import numpy as np
import pytest
from conftest import LECTURE, run, tuned
from drawn import ADAM, caption, colours_of, crosses, draw, finding, lines, scattered, texts
from matplotlib.colors import to_hex

from lrbench.errors import RequestError
from lrbench.results.figures.ink import GREY
from lrbench.results.figures.looks import KNOWN
from lrbench.results.tables.predicted import is_plain_descent

SGD = KNOWN["sgd"].colour


def test_sensitivity_is_the_best_of_the_other_settings_at_each_rate(write):
    rows = [run(gap=lr * m, lr=lr, momentum=m) for lr in (0.1, 0.2) for m in (0.5, 0.9)] + [
        run("one_rate", 1e-9)
    ]
    frame = write(*rows).rates.set_index(["optimizer", "lr"])
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
    scattered = write(*rows).rates.groupby("optimizer")["scattered"].agg(["all", "any"])
    assert (
        scattered["all"].to_dict()
        == scattered["any"].to_dict()
        == {"alone": False, "drawn": True, "grid": False}
    )


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
    assert is_plain_descent(write(run(**changes)).entries).all() == plain


def part(ax, name: str) -> np.ndarray:
    """The (x, y) of the marks of a part of the only optimizer."""
    found = [mark for mark in scattered(ax) if mark.get_gid() == f"{name}-0-optimizer-0"]
    return np.concatenate([np.asarray(mark.get_offsets()) for mark in found])


def test_lines_rings_and_dots_hold_the_evaluations_until_arrival(write):
    """A miss counts the budget, hollow, at the top where all seeds miss."""
    hits = {0.01: [None, None], 0.1: [4, 6], 0.2: [2, 3], 1.0: [6, None]}
    rows = [
        run(gap=1e-3 if hit is None else 1e-9, lr=lr, seed=seed, hit=hit)
        for lr, own in hits.items()
        for seed, hit in enumerate(own)
    ]
    results = write(*rows)
    (ax,) = draw("lr_sensitivity", results).axes
    runs = results.entries
    means = runs.groupby("lr")["cost"].agg(lambda costs: np.exp(np.log(costs).mean()))
    expected = [(lr, np.nan if lr == 0.01 else mean) for lr, mean in means.items()]
    np.testing.assert_allclose(lines(ax)[SGD], expected)
    np.testing.assert_allclose(part(ax, "best"), [(0.2, means[0.2])])
    np.testing.assert_allclose(part(ax, "misses"), [(0.01, 8), (1.0, means[1.0])])
    dots = runs.loc[runs["arrived"], ["lr", "hit"]]
    assert sorted(map(tuple, part(ax, "dots"))) == sorted(dots.itertuples(index=False, name=None))
    assert "misses" in texts(ax)
    assert [text.get_text() for text in ax.figure.texts][1:] == [
        "evaluations until it arrives",
        "learning rate",
    ]


def test_lines_rings_and_dots_hold_the_levels_where_nobody_arrives(write):
    gaps = {0.01: 1e-2, 0.1: 1e-4, 1.0: 1e-1}
    rows = [run(gap=gap * 10.0**seed, lr=lr, seed=seed) for lr, gap in gaps.items() for seed in range(3)]
    results = write(*rows)
    (ax,) = draw("lr_sensitivity", results).axes
    np.testing.assert_allclose(lines(ax)[SGD], [(lr, 10 * gap) for lr, gap in gaps.items()])
    np.testing.assert_allclose(part(ax, "best"), [(0.1, 1e-3)])
    assert not len(part(ax, "misses"))
    np.testing.assert_allclose(
        sorted(map(tuple, part(ax, "dots"))), sorted((row["optimizer.lr"], row["level"]) for row in rows)
    )
    assert "level  (mean gap at the end)" in [text.get_text() for text in ax.figure.texts]
    assert "hollow" not in caption("lr_sensitivity", results)


def test_the_rates_that_work_are_shaded(write):
    """From 0.1 to 0.3: that at 1.0 costs three times what the best one does."""
    hits = {0.01: None, 0.1: 3, 0.3: 2, 1.0: 7}
    rows = [run(gap=1e-3 if hit is None else 1e-9, lr=lr, hit=hit) for lr, hit in hits.items()]
    results = write(*rows)
    (ax,) = draw("lr_sensitivity", results).axes
    (shade,) = [patch for patch in ax.patches if str(patch.get_gid()).startswith("works")]
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.1, 0.3))
    assert "shaded: the rates that work" in caption("lr_sensitivity", results)
    assert finding("lr_sensitivity", results) == "lecture: learning rates that work: SGD 0.1 to 0.3."


def test_where_no_rate_works_nothing_is_shaded(write):
    results = write(*[run(lr=lr, seed=seed, status="diverged") for lr in (0.1, 0.2) for seed in range(2)])
    (ax,) = draw("lr_sensitivity", results).axes
    assert not ax.patches
    assert "shaded" not in caption("lr_sensitivity", results)
    assert finding("lr_sensitivity", results) == "lecture: no learning rate works."


def test_a_rate_that_first_rises_too_high_is_pale_and_off_the_line(write):
    rows = [run(gap=1e-9, hit=hit, lr=lr) for lr, hit in ((0.1, 4), (0.2, 3))]
    results = write(*rows, run(gap=1e-9, hit=2, lr=1.0, rise=1e3))
    (ax,) = draw("lr_sensitivity", results).axes
    np.testing.assert_array_equal(lines(ax)[SGD][-1], [1.0, np.nan])
    np.testing.assert_allclose(part(ax, "rises"), [(1.0, 2)])
    np.testing.assert_allclose(part(ax, "best"), [(0.2, 3)])
    assert "pale: the gap first rises above 100 times" in caption("lr_sensitivity", results)


def test_lost_seeds_are_crosses_with_their_share_and_break_the_line(write):
    rows = [run(lr=lr, seed=seed) for lr in (0.1, 0.2, 0.4, 0.8) for seed in range(2)]
    rows[4] = run(lr=0.4, seed=0, status="diverged")
    (ax,) = draw("lr_sensitivity", write(*rows)).axes
    assert "1/2" in texts(ax)
    assert [x for x, _ in crosses(ax)] == [0.4]
    np.testing.assert_array_equal(lines(ax)[SGD], [(0.1, 1e-3), (0.2, 1e-3), (0.4, np.nan), (0.8, 1e-3)])


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_sensitivity_without_any_completed_run(write, status):
    (ax,) = draw("lr_sensitivity", write(*[run(lr=lr, status=status) for lr in (0.1, 0.2)])).axes
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
    figure = draw("lr_sensitivity", results)
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
    """Four rates lost one seed of two, twenty others one or both by turns: labels are right where they
    stand, and the long stretch has one.
    """
    lost = [0, 1, 1, 1, 1] + [2 - k % 2 for k in range(20)]
    rows = [
        run(lr=10.0 ** (k / 6), seed=seed, status="diverged" if seed < n else "completed")
        for k, n in enumerate(lost)
        for seed in range(2)
    ]
    figure = draw(
        "lr_sensitivity",
        write(*rows, *[run("b", lr=lr) for lr in (1.0, 2.0)], *[run("c", lr=lr) for lr in (1.0, 2.0)]),
    )
    figure.draw_without_rendering()
    (ax,) = [ax for ax in figure.axes if ax.get_title(loc="left") == "SGD"]
    labels = [text for text in ax.texts if re.fullmatch(r"\d/2", text.get_text())]
    boxes = sorted((text.get_window_extent().x0, text.get_window_extent().x1) for text in labels)
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(boxes))
    for text in labels:
        place = 6 * np.log10(text.xy[0])
        assert text.get_text() == f"{lost[int(round(place, 6))]}/2"
    assert sum(6 * np.log10(text.xy[0]) < 4.5 for text in labels) == 1
    assert len(labels) > 2


def test_captions_say_where_neighbours_are_no_curve(write):
    drawn = [run("drawn", lr=lr, momentum=m) for lr, m in ((0.1, 0.5), (0.2, 0.9), (0.3, 0.7))]
    results = write(*drawn, folder="drawn")
    assert "; large dots: their geometric mean, no line" in caption("lr_sensitivity", results)
    assert "change from cell to cell" in caption("heat_map", results)
    both = write(*drawn, *[run(lr=lr) for lr in (0.1, 0.2)], folder="both")
    assert "; line or large dots: their geometric mean, no line where" in caption("lr_sensitivity", both)


def test_one_learning_rate_has_no_sensitivity(write):
    with pytest.raises(RequestError, match=re.escape("optimizer.lr=0.001,0.01,0.1")):
        draw("lr_sensitivity", write(run()))


def test_limits_of_gradient_descent_are_drawn_and_an_axis_in_their_unit(write):
    results = write(*[run(lr=lr) for lr in (0.01, 0.1)], problems=(LECTURE | {"quadratic": True},))
    (ax,) = draw("lr_sensitivity", results).axes
    places = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert places == pytest.approx([1 / 30, 2 / 30])
    ax.figure.draw_without_rendering()
    (top,) = ax.child_axes
    assert top.get_xlim() == pytest.approx([30 * lr for lr in ax.get_xlim()])
    assert "× 1/L" in texts(ax)


def test_no_limits_where_the_curvature_varies(write):
    (ax,) = draw("lr_sensitivity", write(*[run(lr=lr) for lr in (0.01, 0.1)])).axes
    assert not ax.child_axes
    assert not [line for line in ax.lines if len(set(line.get_xdata())) == 1]


def test_the_best_at_an_edge_is_a_diamond_and_the_default_a_tick(write_tuned):
    trials = {0.0001: [1e-2], 1.0: [1e-3], 100.0: [1e-5]}
    results = write_tuned(
        tuned("sgd", trials, [1e-5], [1e-1]),
        tuned("adam", {0.01: [1e-2], 0.1: [1e-4], 100.0: [1e-2]}, [1e-4], **ADAM),
    )
    sgd, adam = draw("lr_sensitivity", results).axes
    (diamond,), (ring,) = ([mark for mark in scattered(ax) if 80 in mark.get_sizes()] for ax in (sgd, adam))
    assert (np.asarray(diamond.get_offsets())[0, 0], np.asarray(ring.get_offsets())[0, 0]) == (100.0, 0.1)
    assert len(diamond.get_paths()[0].vertices) < len(ring.get_paths()[0].vertices)
    (tick,) = [np.asarray(mark.get_offsets()) for mark in scattered(sgd) if 120 in mark.get_sizes()]
    assert tick.tolist() == [[0.001, 0]]
    assert not [mark for mark in scattered(adam) if 120 in mark.get_sizes()]


def test_a_panel_holds_its_own_and_the_others_grey_behind(write):
    gaps = {
        name: {lr: 2.0 ** -(k + place) for place, lr in enumerate((0.01, 0.1, 1.0))}
        for k, name in enumerate("abcdefgh")
    }
    results = write(*[run(name, gap, lr=lr) for name, own in gaps.items() for lr, gap in own.items()])
    figure = draw("lr_sensitivity", results)
    best = list("hgfedc")
    assert [ax.get_title(loc="left") for ax in figure.axes] == best
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    for k, (ax, name) in enumerate(zip(figure.axes, best, strict=True)):
        assert ax.get_gid() == f"panel-{k}-optimizer-{k}"
        np.testing.assert_allclose(lines(ax)[colours_of(results)[name]], list(gaps[name].items()))
        behind = {line.get_gid(): line.get_xydata() for line in ax.lines if to_hex(line.get_color()) == GREY}
        assert behind.keys() == {f"behind-{k}-optimizer-{i}" for i in range(8) if i != k}
        for i, other in enumerate("hgfedcba"):
            if i != k:
                np.testing.assert_allclose(behind[f"behind-{k}-optimizer-{i}"], list(gaps[other].items()))
    assert "(the best 6); grey lines: the others" in caption("lr_sensitivity", results)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3)])
def test_panels_stand_in_rows_of_three_at_most(write, count, columns):
    axes = draw(
        "lr_sensitivity", write(*[run(f"o{k}", lr=lr) for k in range(count) for lr in (0.1, 0.2)])
    ).axes
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
    figure = draw("lr_sensitivity", results)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list("dcb") * 3
    assert [text.get_text() for text in figure.texts if text.get_text().startswith("p")] == ["p0", "p1", "p2"]
    assert "(the best 3 over the tasks)" in caption("lr_sensitivity", results)


@pytest.mark.parametrize("smoothness", [2.0, 5.0])
def test_numbers_of_the_axis_on_top_do_not_hang_out(write, smoothness):
    """The rates' axis goes from 5e-4 to 2e3, so a power of ten stands at its very start, and at its end."""
    figure = draw(
        "lr_sensitivity",
        write(
            *[run(lr=10.0**k) for k in range(-3, 4)],
            problems=(LECTURE | {"quadratic": True, "L": smoothness},),
        ),
    )
    figure.draw_without_rendering()
    (ax,) = figure.axes
    labels = [label for label in ax.child_axes[0].get_xticklabels() if label.get_text()]
    assert len(labels) > 3
    for label in labels:
        assert ax.bbox.x0 - 1 <= label.get_window_extent().x0 < label.get_window_extent().x1 <= ax.bbox.x1 + 1
