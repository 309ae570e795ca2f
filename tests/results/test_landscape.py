"""The map of the gap with the paths on it: frames against loops over hand-made paths, artists against frames, the slider against the saved SVG."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from conftest import LECTURE, run, tuned
from matplotlib.collections import PathCollection

from lrbench.errors import RequestError
from lrbench.results import figures, landscape
from lrbench.results.ink import COLOURS, GREY, gid, palette
from lrbench.results.landscape_plot import svg_paths
from lrbench.results.report import FIGURES
from lrbench.results.report.captions import CAPTIONS, caption
from lrbench.results.report.findings import finding

TURN = 0.3
V = np.array([[np.cos(TURN), np.sin(TURN)], [-np.sin(TURN), np.cos(TURN)]])
TWO = LECTURE | {"quadratic": True, "eigenvectors": V.ravel().tolist()}
ONE = TWO | {
    "p": 1,
    "rank": 1,
    "intercept": False,
    "w_star": [2.0],
    "eigenvalues": [4.0],
    "eigenvectors": [-1.0],
}
V4 = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
FOUR = TWO | {
    **{"d": 3, "p": 4, "rank": 4, "w_star": [1.0, -1.0, 2.0, 0.0], "eigenvalues": [8.0, 4.0, 2.0, 0.5]},
    **{"eigenvectors": V4.ravel().tolist(), "features": ["a", "b", "c"]},
}
START = np.array([0.5, -1.0])
DOWN = np.array([START, [1.0, -0.4], [2.1, 0.2], [1.95, 0.0]])
AWAY = np.array([START, [3.0, 0.5], [-4.0, -2.0], [9.0, 5.0]])
BACK = np.array([START, [30.0, -9.0], [2.0, 0.1], [2.0, 0.0]])
STOPPED = np.array([START, [1.0, -0.4], [np.nan, np.nan], [np.nan, np.nan]])
STEPS = [0, 1, 3, 8]


@pytest.fixture
def walk(write):
    """walk({optimizer: weights (K, p)}, problems, steps) -> Results: each optimizer's path on each problem; the first one ranks best."""

    def walked(paths, *problems, steps=STEPS):
        tasks = [problem | {"problem_id": f"p{k}", "problem": f"p{k}"} for k, problem in enumerate(problems)]
        rows = [
            run(name, 10.0 ** (i - 9), problem_id=task["problem_id"], problem=task["problem"])
            for task in tasks
            for i, name in enumerate(paths)
        ]
        results = write(*rows, problems=tuple(tasks))
        traced = [
            {"run_id": row["run_id"], "step": steps, "weights": np.ravel(paths[row["optimizer"]]).tolist()}
            for row in rows
        ]
        results.store.write_paths(pa.Table.from_pylist(traced))
        return results

    return walked


def gap(problem, w):
    """The gap by its definition, with the Hessian written out."""
    directions = np.reshape(problem["eigenvectors"], (problem["p"], problem["p"]))
    hessian = sum(value * np.outer(v, v) for value, v in zip(problem["eigenvalues"], directions, strict=True))
    return 0.5 * (w - problem["w_star"]) @ hessian @ (w - problem["w_star"])


# ---- frames


def test_with_two_parameters_the_map_is_their_plane(walk):
    results = walk({"down": DOWN, "away": AWAY}, TWO)
    points = landscape.points(results)
    assert points["optimizer"].tolist() == ["down"] * 4 + ["away"] * 4
    assert points["step"].tolist() == STEPS * 2
    np.testing.assert_array_equal(points[["x", "y"]], np.vstack([DOWN, AWAY]))
    (row,) = landscape.maps(results, points).to_dict("records")
    assert (row["x_name"], row["y_name"], row["x_star"], row["y_star"]) == (
        "weight of x",
        "intercept",
        2.0,
        0.0,
    )


def test_the_frame_holds_what_is_no_higher_than_the_start(walk):
    results = walk({"down": DOWN, "away": AWAY}, TWO)
    points = landscape.points(results)
    (row,) = landscape.maps(results, points).to_dict("records")
    low = [w for w in [*DOWN, *AWAY, np.array([2.0, 0.0])] if gap(TWO, w) <= gap(TWO, START)]
    assert len(low) == 7
    for axis, (first, last) in enumerate((("left", "right"), ("bottom", "top"))):
        ends, star = (min(w[axis] for w in low), max(w[axis] for w in low)), (2.0, 0.0)[axis]
        near = 0.15 * (ends[1] - ends[0])
        ends = min(ends[0], star - near), max(ends[1], star + near)
        width = ends[1] - ends[0]
        assert (row[first], row[last]) == pytest.approx((ends[0] - 0.12 * width, ends[1] + 0.12 * width))
    inside = [
        row["left"] <= x <= row["right"] and row["bottom"] <= y <= row["top"] for x, y in [*DOWN, *AWAY]
    ]
    assert points["inside"].tolist() == inside
    assert inside == [True] * 4 + [True, True, False, False]


def test_with_one_parameter_it_is_the_parabola(walk):
    results = walk({"sgd": np.array([[0.0], [3.0], [2.5], [1e9]])}, ONE)
    points = landscape.points(results)
    np.testing.assert_allclose(points["y"], [8.0, 2.0, 0.5, 2 * (1e9 - 2) ** 2])
    assert points["inside"].tolist() == [True, True, True, False]
    (row,) = landscape.maps(results, points).to_dict("records")
    assert (row["x_name"], row["y_name"]) == ("weight of x", "gap  (loss − minimum)")
    assert (row["left"], row["right"], row["y_star"]) == pytest.approx((-0.36, 3.36, 0.0))
    curve = landscape.levels(results, points)
    np.testing.assert_allclose(curve["y"], 2 * (curve["x"] - 2) ** 2)
    assert row["top"] == curve["y"].max() == pytest.approx(2 * 2.36**2)
    assert row["bottom"] < 0


def test_with_more_it_is_the_plane_of_the_flattest_and_the_steepest_direction(walk):
    w = np.array([[0.0, 0.0, 0.0, 0.0], [0.5, -0.5, 1.0, 0.2], [1.0, -1.0, 2.0, 0.1], [1.0, -1.0, 2.0, 0.0]])
    results = walk({"sgd": w}, FOUR)
    points = landscape.points(results)
    for (x, y), state in zip(points[["x", "y"]].to_numpy(), w, strict=True):
        error = state - FOUR["w_star"]
        assert (x, y) == pytest.approx((sum(V4[3] * error), sum(V4[0] * error)))
        assert 0.25 * x**2 + 4 * y**2 <= gap(FOUR, state) * (1 + 1e-12)
    (row,) = landscape.maps(results, points).to_dict("records")
    assert row["x_name"] == "flattest direction  (eigenvalue 0.500)"
    assert row["y_name"] == "steepest direction  (eigenvalue 8)"
    assert (row["x_star"], row["y_star"]) == (0.0, 0.0)
    lines = landscape.levels(results, points)
    np.testing.assert_allclose(0.25 * lines["x"] ** 2 + 4 * lines["y"] ** 2, lines["gap"].astype(float))


def test_a_line_is_where_the_gap_is_equal(walk):
    results = walk({"down": DOWN}, TWO)
    points = landscape.points(results)
    lines = landscape.levels(results, points)
    np.testing.assert_allclose(
        [gap(TWO, w) for w in lines[["x", "y"]].to_numpy(dtype=float)], lines["gap"].astype(float), rtol=1e-9
    )
    gaps = sorted(lines["gap"].unique())
    assert [high / low for low, high in pairwise(gaps)] == pytest.approx([4.0] * (len(gaps) - 1))
    assert gaps[8] == pytest.approx(gap(TWO, START))
    (row,) = landscape.maps(results, points).to_dict("records")
    highest = max(
        gap(TWO, np.array([x, y])) for x in (row["left"], row["right"]) for y in (row["bottom"], row["top"])
    )
    assert gaps[-1] <= highest < 4 * gaps[-1]


def test_a_path_is_cut_where_it_leaves_for_good(walk):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK, "stopped": STOPPED}, TWO)
    points = landscape.points(results)
    (row,) = landscape.maps(results, points).to_dict("records")
    cuts = landscape.cuts(points, landscape.maps(results, points)).set_index("optimizer")
    assert cuts["step"].to_dict() == {"away": 3, "stopped": 3}
    assert cuts.loc["stopped", ["x", "y"]].tolist() == STOPPED[1].tolist()
    x, y = cuts.loc["away", ["x", "y"]].astype(float)
    ways = [
        (row["left"] - 3.0) / -7.0,
        (row["bottom"] - 0.5) / -2.5,
    ]  # shares of the way from (3, 0.5) to (-4, -2) at which it meets a side
    assert (x, y) == pytest.approx((3.0 - 7.0 * min(ways), 0.5 - 2.5 * min(ways)))


def test_a_start_above_its_minimiser_has_a_map_with_some_width(walk):
    axes = TWO | {"eigenvectors": [1.0, 0.0, 0.0, 1.0]}
    results = walk({"sgd": np.array([[2.0, 3.0], [2.0, 2.0], [2.0, 1.0], [2.0, 0.5]])}, axes)
    (row,) = landscape.maps(results, landscape.points(results)).to_dict("records")
    half = np.sqrt(0.8 * 9 / 30)  # of the start's line: gap 0.8 * 9 / 2 in the flat direction alone
    assert (row["left"], row["right"]) == pytest.approx((2 - 1.24 * half, 2 + 1.24 * half))
    assert (row["bottom"], row["top"]) == pytest.approx((-0.45 - 0.12 * 3.45, 3 + 0.12 * 3.45))


@pytest.mark.parametrize("problem", [TWO, ONE, FOUR], ids=["two parameters", "one", "four"])
def test_states_near_the_end_of_float64_are_beyond_the_frame(walk, problem):
    far = np.array([START, [1e200, -1e200], [1.7e308, -np.inf], [np.nan, np.nan]])
    far, down = (np.hstack([path, path])[:, : problem["p"]] for path in (far, DOWN))
    results = walk({"down": down, "far": far}, problem)
    points = landscape.points(results)
    assert points["inside"].tolist() == [True] * 5 + [False] * 3
    assert np.isfinite(
        landscape.cuts(points, landscape.maps(results, points))[["x", "y"]].to_numpy(dtype=float)
    ).all()
    figures.path(results).draw_without_rendering()


# ---- figure


def drawn(figure, part, optimizer, panel=0):
    """Return the one artist that has this id."""
    (artist,) = figure.findobj(lambda artist: artist.get_gid() == f"{part}-{panel}-optimizer-{optimizer}")
    return artist


def test_lines_dots_and_crosses_hold_the_frames(walk):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK, "stopped": STOPPED}, TWO)
    figure = figures.path(results)
    points = landscape.points(results)
    maps = landscape.maps(results, points)
    cuts = landscape.cuts(points, maps).set_index("optimizer")[["x", "y"]].astype(float)
    expected = {
        "down": DOWN,
        "away": [*AWAY[:2], cuts.loc["away"]],
        "back": BACK,
        "stopped": [*STOPPED[:2], cuts.loc["stopped"]],
    }
    for i, name in enumerate(palette(results.ranking)):
        line = drawn(figure, "path", i)
        np.testing.assert_array_equal(line.get_xydata(), np.array(expected[name], dtype=float))
        assert line.get_color() == COLOURS[i]
        own = cuts.loc[cuts.index == name].to_numpy()
        np.testing.assert_array_equal(np.asarray(drawn(figure, "cut", i).get_offsets()).reshape(-1, 2), own)
        assert line.get_markevery() == list(range(len(expected[name]) - len(own)))
        assert drawn(figure, "name", i).get_text() == name
    (ax,) = figure.axes
    assert (*ax.get_xlim(), *ax.get_ylim()) == tuple(maps.loc[0, ["left", "right", "bottom", "top"]])
    grey = [line for line in ax.lines if not line.get_gid()]
    assert len(grey) == landscape.levels(results, points)["gap"].nunique()
    assert "beyond the frame at step 3" in drawn(figure, "detail", 1).get_text()


def test_four_maps_at_most_and_one_a_task(walk):
    results = walk({"down": DOWN}, *[TWO] * 5)
    assert [ax.get_title(loc="left") for ax in figures.path(results).axes] == ["p0", "p1", "p2", "p3"]
    assert caption("path", results).endswith(" 4 of 5 tasks; not drawn: p4.")
    assert caption("directions", results).endswith(" 1 of 5 tasks: p0.")
    assert finding("directions", results).startswith("p0: down has least left")


@pytest.mark.parametrize(
    ("problem", "start"),
    [
        (TWO | {"quadratic": False}, START),
        (TWO | {"eigenvectors": None}, START),
        (
            TWO | {"rank": 1, "eigenvalues": [30.0, 0.0], "eigenvectors": [1.0, 0.0], "minimisers": "affine"},
            START,
        ),
        (TWO, np.array([2.0, 0.0])),
    ],
    ids=["another loss", "too many parameters", "flat along an axis", "starts at the minimiser"],
)
def test_where_there_is_no_map(walk, problem, start):
    with pytest.raises(RequestError, match="no path to draw"):
        figures.path(walk({"sgd": np.vstack([start, DOWN[1:]])}, problem))


def test_without_paths_there_is_none(write):
    with pytest.raises(RequestError, match="report=true"):
        figures.path(write(run(), problems=(TWO,)))


def test_captions_say_what_the_map_is(walk):
    assert "the curve is the gap" in caption("path", walk({"sgd": DOWN[:, :1]}, ONE))


def test_captions_say_what_lies_outside_the_plane(walk):
    told = caption("path", walk({"sgd": np.ones((4, 4))}, FOUR))
    assert "lies outside it" in told
    assert "a quarter" in told
    assert "cut off" not in told
    assert "A cross" not in told


def test_captions_say_what_becomes_of_paths_that_leave(walk):
    told = caption("path", walk({"down": DOWN, "back": BACK}, TWO))
    assert "comes back is cut off" in told
    assert "A cross" not in told
    assert "A cross" in caption("path", walk({"down": DOWN, "away": AWAY}, TWO))


def test_grey_paths_are_lines_behind_without_dots(walk):
    results = walk({f"o{k}": DOWN for k in range(7)}, TWO)
    figure = figures.path(results)
    grey, front = drawn(figure, "path", 6), drawn(figure, "path", 5)
    assert (grey.get_color(), grey.get_marker(), front.get_marker()) == (GREY, "None", ".")
    assert grey.get_zorder() < front.get_zorder()
    np.testing.assert_array_equal(grey.get_xydata(), DOWN)


# ---- the page


SVG = "{http://www.w3.org/2000/svg}"


def test_the_slider_has_the_dots_of_the_saved_figure(walk, tmp_path):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK}, TWO, TWO)
    figure = figures.path(results)
    root = ElementTree.parse(figures.save(figure, tmp_path / "path.svg")).getroot()
    slider = svg_paths(results, figure)
    assert slider["steps"] == STEPS
    groups = [
        root.find(f".//{SVG}g[@id='path-{panel}-optimizer-{i}']") for panel in range(2) for i in range(3)
    ]
    assert [path["optimizer"] for path in slider["paths"]] == [0, 1, 2, 0, 1, 2]
    inside = {0: [0, 1, 2, 3], 1: [0, 1], 2: [0, 2, 3]}
    for path, group in zip(slider["paths"], groups, strict=True):
        shown = inside[path["optimizer"]]
        assert [k for k, point in enumerate(path["points"]) if point] == shown
        (marks,) = [
            part.get("d") for part in group.iter(f"{SVG}path") if "linecap:round" in part.get("style", "")
        ]
        dots = np.cumsum(
            [(float(x), float(y)) for x, y in re.findall(r"m(-?[\d.]+) ?(-?[\d.]+)h0", marks)], axis=0
        )
        own = dots if len(dots) == len(shown) else [dots[k] for k in shown]
        np.testing.assert_allclose([path["points"][k] for k in shown], own, atol=0.051)


def test_a_slider_over_tasks_of_other_lengths_waits_at_the_last_state(walk, tmp_path):
    results = walk({"down": DOWN}, TWO, TWO)
    table = results.store.paths().to_pylist()
    results.store.write_paths(pa.Table.from_pylist([table[0], table[1] | {"step": [0, 2, 3, 9]}]))
    slider = svg_paths(results, figures.path(results))
    assert slider["steps"] == [0, 1, 2, 3, 8, 9]
    first, second = (path["points"] for path in slider["paths"])
    assert [first[k] for k in (2, 5)] == [first[k] for k in (1, 4)]
    assert second[0] == second[1]
    assert len({tuple(point) for point in second}) == 4


@pytest.fixture
def everything(write_tuned):
    """Two optimizers on six tasks, tuned, with a default each, paths, and runs lost at some rates: all figures can be drawn."""
    return _everything(write_tuned, TWO, 1e-6, 1e-8)


def _everything(write_tuned, problem, sgd_best, adam_best):
    """sgd_best: a gap of it at its chosen rate, on the tuning seeds; adam_best: on the others."""
    competitors = []
    for k in range(6):
        task = {"problem_id": f"p{k}", "problem": f"p{k}"}
        sgd = {
            0.01: [1e-2, 1e-1],
            0.1: [1e-5, sgd_best],
            1.0: [1e-3, np.inf],
            10.0: [np.inf, np.inf],
            0.001: [1e-1, 1e-1],
        }
        competitors += [
            tuned("sgd", sgd, [1e-5, 1e-6, np.inf], [1e-1, np.inf, 1e-1], momentum=0.0, **task),
            tuned(
                "adam",
                {lr: [g / 9 for g in own] for lr, own in sgd.items()},
                [1e-7, adam_best, 1e-9],
                [1e-2] * 3,
                target_="torch.optim.Adam",
                **task,
            ),
        ]
    results = write_tuned(
        *competitors, problems=tuple(problem | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(6))
    )
    runs = results.reported.drop_duplicates(["task", "name"])
    paths = [
        {
            "run_id": row.run_id,
            "step": STEPS,
            "weights": (AWAY if row.name == "sgd" else DOWN).ravel().tolist(),
        }
        for row in runs.itertuples()
    ]
    results.store.write_paths(pa.Table.from_pylist(paths))
    return results


def test_gaps_of_nothing_are_drawn_at_the_end_of_the_axis(write_tuned, monkeypatch):
    """A loss without a minimiser has no floor, and its gap may fall to 0: every figure is drawn, no dot lies beyond its axes, and the captions say so."""
    monkeypatch.setattr(figures, "MOST_PANELS", 1)
    with np.errstate(divide="ignore"):
        results = _everything(write_tuned, TWO | {"gap_floor": 0.0, "attained": False}, 0.0, 1e-310)
        drawn = {name: draw(results) for name, _, draw in FIGURES}
    for name, figure in drawn.items():
        figure.draw_without_rendering()
        assert caption(name, results)
    for name in ("seeds", "tuned_against_default", "lr_sensitivity"):
        for ax in drawn[name].axes:
            (left, _), (low, _) = ax.get_xlim(), ax.get_ylim()
            marks = [
                mark
                for mark in ax.collections
                if isinstance(mark, PathCollection) and mark.get_offset_transform() == ax.transData
            ]
            offsets = np.concatenate([np.ma.filled(mark.get_offsets(), np.inf) for mark in marks])
            assert (offsets >= ([left, -1] if name != "lr_sensitivity" else [left, low])).all(), name
    told = {name for name in CAPTIONS if "drawn at its end" in caption(name, results)}
    assert told == {"loss_curves", "seeds", "tuned_against_default", "lr_sensitivity", "heat_map", "budget"}


def test_one_set_of_boxes_filters_every_figure(everything, tmp_path, monkeypatch):
    """What has an optimizer's colour or name lies in a group whose id ends in its place, and no id is given twice."""
    monkeypatch.setattr(figures, "MOST_PANELS", 2)
    for name, _, draw in FIGURES:
        root = ElementTree.parse(figures.save(draw(everything), tmp_path / f"{name}.svg")).getroot()
        ids = [
            part.get("id") for part in root.iter() if part.get("id") and part.tag != f"{SVG}image"
        ]  # a page drops those of images
        assert len(ids) == len(set(ids)), name
        ends = {one: {int(place) for place in re.findall(r"-optimizer-(\d+)", one)} for one in ids}
        assert set().union(*ends.values()) == {0, 1}, name
        for i, (optimizer, colour) in enumerate(palette(everything.ranking).items()):
            inside = {
                id(part)
                for group in root.iter(f"{SVG}g")
                if i in ends.get(group.get("id"), ())
                for part in group.iter()
            }
            own = [
                part
                for part in root.iter()
                if colour in (part.get("style") or "") or optimizer in (part.text or "")
            ]
            assert own, name
            assert {id(part) for part in own} <= inside, (name, optimizer)


def test_what_belongs_to_two_goes_with_either_and_what_several_share_with_the_last(write):
    results = write(*[run(f"o{k}", 10.0**k, seed=seed) for k in range(9) for seed in range(2)])
    colours = palette(results.ranking)
    (ax,) = figures.pairs(results).axes
    assert {patch.get_gid() for patch in ax.patches} == {
        f"cell-0-optimizer-{i}-optimizer-{j}" for j in range(9) for i in range(j)
    }
    (ax,) = figures.loss_curves(results).axes
    (label,) = [text for text in ax.texts if text.get_text() == "others"]
    assert label.get_gid() == "name-0-any-optimizer-6-optimizer-7-optimizer-8"
    assert gid(ax, "line", ["o0", "nobody"], colours) is gid(ax, "line", "nobody", colours) is None
