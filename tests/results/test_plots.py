"""The figures: their artists hold the numbers of the frames, and what diverged is seen."""

import re
import warnings

import numpy as np
import pytest
from conftest import LECTURE, curve, run, tuned
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from lrbench.errors import RequestError
from lrbench.results import curves, expected, figures
from lrbench.results.ink import COLOURS, GREY, palette

ADAM = {"target_": "torch.optim.Adam"}
OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}


def lines(ax) -> dict[str, np.ndarray]:
    """Return the (x, y) of each data line by its colour."""
    return {to_hex(line.get_color()): line.get_xydata() for line in ax.lines if to_hex(line.get_color()) in (*COLOURS, GREY)}


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def scattered(ax) -> list[PathCollection]:
    return [mark for mark in ax.collections if isinstance(mark, PathCollection)]


def crosses(ax) -> np.ndarray:
    """Return the (x, y) of all crosses that a reader sees."""
    marks = [mark for mark in scattered(ax) if len(mark.get_offsets()) and mark.get_paths()[0].vertices.shape == (4, 2)]
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
    rows = [run(seed=0), *[run(seed=seed, status="diverged") for seed in (1, 2)], *[run(seed=seed, status="failed") for seed in (3, 4)]]
    frame = curves.best_curves(write(*rows))
    assert frame["seeds"].tolist() == [5] * 9
    assert np.isinf(frame["median"].iloc[4:]).all()
    assert np.isinf(frame["q75"]).all()


def test_a_run_stops_where_it_leaves_the_figure(write):
    frame = curves.stops(write(run("early", status="diverged"), run("fine")))
    assert frame[["optimizer", "evaluations"]].to_numpy().tolist() == [["early", 4.0]]


def test_sensitivity_is_the_best_of_the_other_settings_at_each_rate(write):
    rows = [run(gap=lr * m, lr=lr, momentum=m) for lr in (0.1, 0.2) for m in (0.5, 0.9)] + [run("one_rate", 1e-9)]
    frame = curves.sensitivity(write(*rows)).set_index(["optimizer", "lr"])
    assert frame["gap"].to_dict() == pytest.approx({("one_rate", 0.1): 1e-9, ("sgd", 0.1): 0.05, ("sgd", 0.2): 0.1})
    assert frame["best"].to_dict() == {("one_rate", 0.1): True, ("sgd", 0.1): True, ("sgd", 0.2): False}


def test_neighbours_that_differ_in_more_than_their_rate_are_no_curve(write):
    rows = [run("drawn", lr=lr, momentum=m) for lr, m in ((0.1, 0.5), (0.2, 0.9), (0.3, 0.7))] + [run("alone", lr=lr) for lr in (0.1, 0.2)]
    rows += [run("grid", 10.0 ** -(k % 2), lr=lr, momentum=m) for lr in (0.1, 0.2) for k, m in enumerate((0.5, 0.9))]
    scattered = curves.sensitivity(write(*rows)).groupby("optimizer")["scattered"].agg(["all", "any"])
    assert scattered["all"].to_dict() == scattered["any"].to_dict() == {"alone": False, "drawn": True, "grid": False}


def test_a_tuned_sweep_is_drawn_on_the_seeds_that_are_compared_and_searched_on_the_others(write_tuned):
    trials = {0.01: [1e-2, 1e-2], 0.1: [1e-5, 1e-5], 1.0: [1e-3, 1e-3]}
    results = write_tuned(tuned("sgd", trials, [1e-6, 1e-4, 1e-5], [1e-1, 1e-1, 1e-1]))
    assert curves.best_curves(results)["median"].iloc[-1] == pytest.approx(1e-5)
    frame = curves.sensitivity(results)
    assert dict(zip(frame["lr"], frame["gap"], strict=True)) == pytest.approx({0.01: 1e-2, 0.1: 1e-5, 1.0: 1e-3})
    assert frame.loc[frame["best"], "lr"].tolist() == [0.1]
    assert curves.default_rates(results)["lr"].tolist() == [0.001]
    assert set(curves.solved(results)["pairs"]) == {3 * 8}
    assert sorted(curves.finals(results)["gap"]) == [1e-6, 1e-5, 1e-4]


def test_the_share_solved_counts_every_pair_of_seed_and_target(write):
    """Against a loop over the runs; the run that diverged solves nothing, though its curve passed a target."""
    rows = [run(gap=gap, seed=seed) for seed, gap in enumerate((1e-3, 1e-6, 5.0))] + [run(seed=3, status="diverged")]
    rows[3] |= {"evaluations_to_1e-1": 1}
    frame = curves.solved(write(*rows))
    costs = [row[f"evaluations_to_1e-{k}"] for row in rows[:3] for k in range(1, 9)]
    for cost, share in frame[["evaluations", "share"]].itertuples(index=False):
        assert share == sum(c is not None and c <= cost for c in costs) / 32
    assert frame["evaluations"].iloc[[0, -1]].tolist() == [0, 8]
    assert set(frame["pairs"]) == {32}
    assert 0 < frame["share"].iloc[-1] < 0.75


def test_the_target_view_holds_the_shares_as_steps(write):
    results = write(*[run(gap=10.0 ** -(2 + 3 * seed), seed=seed) for seed in range(2)], run("adam", status="diverged", **ADAM))
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
    [({}, True), ({"momentum": 0.0}, True), ({"momentum": 0.9}, False), ({"weight_decay": 0.1}, False), ({"batch_size": 2}, False), (ADAM, False)],
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
    results = write(run("adam", seed=0, **ADAM), run("adam", seed=1, **ADAM), run(seed=0), run(seed=1, status="diverged"))
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


# ---- sensitivity


def test_lines_and_rings_of_the_sensitivity_hold_the_gaps(write):
    gaps = {0.01: 1e-2, 0.1: 1e-5, 1.0: 1e-1}
    (ax,) = write(*[run(gap=gap * 10.0**seed, lr=lr, seed=seed) for lr, gap in gaps.items() for seed in range(3)]).plot_sensitivity().axes
    np.testing.assert_allclose(lines(ax)[COLOURS[0]], [(lr, 10 * gap) for lr, gap in gaps.items()])
    rings = [np.asarray(mark.get_offsets()) for mark in ax.collections if 110 in mark.get_sizes()]
    np.testing.assert_allclose(rings, [[(0.1, 1e-4)]])
    dots = max((np.asarray(mark.get_offsets()) for mark in ax.collections), key=len)
    np.testing.assert_allclose(sorted(map(tuple, dots)), sorted((lr, gap * 10.0**seed) for lr, gap in gaps.items() for seed in range(3)))


def test_lost_seeds_are_crosses_with_their_share_and_break_the_line(write):
    rows = [run(lr=lr, seed=seed) for lr in (0.1, 0.2, 0.4, 0.8) for seed in range(2)]
    rows[4] = run(lr=0.4, seed=0, status="diverged")
    (ax,) = write(*rows).plot_sensitivity().axes
    assert "1/2" in texts(ax)
    assert [x for x, _ in crosses(ax)] == [0.4]
    drawn = [line.get_xdata().tolist() for line in ax.lines if to_hex(line.get_color()) == COLOURS[0]]
    assert sorted(drawn) == [[0.1, 0.2], [0.8]]


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_sensitivity_without_any_completed_run(write, status):
    (ax,) = write(*[run(lr=lr, status=status) for lr in (0.1, 0.2)]).plot_sensitivity().axes
    assert texts(ax).count("1/1") == 2
    assert "no run completed" in texts(ax)


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
    results = write_tuned(tuned("sgd", trials, [1e-5], [1e-1]), tuned("adam", {0.01: [1e-2], 0.1: [1e-4], 100.0: [1e-2]}, [1e-4], **ADAM))
    (ax,) = results.plot_sensitivity().axes
    marked = {len(mark.get_paths()[0].vertices): np.asarray(mark.get_offsets())[0, 0] for mark in scattered(ax) if 110 in mark.get_sizes()}
    assert marked[min(marked)] == 100.0  # a diamond has fewer vertices than a ring
    assert marked[max(marked)] == 0.1
    (ticks,) = [np.asarray(mark.get_offsets()) for mark in scattered(ax) if 120 in mark.get_sizes()]
    assert ticks.tolist() == [[0.001, 0]]


# ---- whole figures


def test_a_panel_a_task_and_six_at_most(write):
    tasks = [LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(8)]
    rows = [run("adam", problem_id=task["problem_id"], problem=task["problem"]) for task in tasks]
    titles = [ax.get_title(loc="left") for ax in write(*rows, problems=tuple(tasks)).plot_curves().axes]
    assert titles == [f"p{k}" for k in range(6)]


def test_six_have_a_colour_and_the_rest_is_grey(write):
    results = write(*[run(f"o{k}", 10.0**-k) for k in range(9)])
    colours = palette(results.ranking)
    assert [colours[f"o{k}"] for k in range(8, 2, -1)] == COLOURS
    assert {colours[f"o{k}"] for k in range(3)} == {GREY}
    (ax,) = results.plot_curves().axes
    assert "3 others" in texts(ax)


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


@pytest.mark.parametrize("gap", [0.0, 8.0, 1e-300, 1e100])
def test_extreme_gaps_are_drawn_without_a_warning(write, tmp_path, gap):
    results = write(*[run(gap=gap, lr=lr) for lr in (0.1, 0.2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.save(results.plot_curves(), tmp_path / "a.svg")
        figures.save(results.plot_sensitivity(), tmp_path / "b.png")
