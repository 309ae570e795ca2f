"""The map of the gap with the paths on it: artists against frames, the slider against the saved SVG."""

import re
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from conftest import run
from drawn import (
    caption,
    draw,
    finding,
)
from walks import AWAY, BACK, DOWN, FOUR, ONE, START, STEPS, STOPPED, TWO, walker

from lrbench.errors import RequestError
from lrbench.results.figures.ink import palette
from lrbench.results.figures.path import svg_paths
from lrbench.results.figures.save import save


@pytest.fixture
def walk(write):
    return walker(write)


@pytest.mark.parametrize("problem", [TWO, ONE, FOUR], ids=["two parameters", "one", "four"])
def test_states_near_the_end_of_float64_are_beyond_the_frame(walk, problem):
    far = np.array([START, [1e200, -1e200], [1.7e308, -np.inf], [np.nan, np.nan]])
    far, down = (np.hstack([path, path])[:, : problem["p"]] for path in (far, DOWN))
    results = walk({"down": down, "far": far}, problem)
    assert results.points["inside"].tolist() == [True] * 5 + [False] * 3
    assert np.isfinite(results.cuts[["x", "y"]].to_numpy(dtype=float)).all()
    draw("path", results).draw_without_rendering()


def drawn(figure, part, optimizer, panel=0):
    """Return the one artist that has this id."""
    (artist,) = figure.findobj(lambda artist: artist.get_gid() == f"{part}-{panel}-optimizer-{optimizer}")
    return artist


def test_lines_dots_and_crosses_hold_the_frames(walk):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK, "stopped": STOPPED}, TWO)
    figure = draw("path", results)
    maps = results.maps
    cuts = results.cuts.set_index("optimizer")[["x", "y"]].astype(float)
    expected = {
        "down": DOWN,
        "away": [*AWAY[:2], cuts.loc["away"]],
        "back": BACK,
        "stopped": [*STOPPED[:2], cuts.loc["stopped"]],
    }
    for i, name in enumerate(palette(results.ranking)):
        line = drawn(figure, "path", i)
        np.testing.assert_array_equal(line.get_xydata(), np.array(expected[name], dtype=float))
        assert line.get_color() == palette(results.ranking)[name].colour
        own = cuts.loc[cuts.index == name].to_numpy()
        np.testing.assert_array_equal(np.asarray(drawn(figure, "cut", i).get_offsets()).reshape(-1, 2), own)
        assert line.get_markevery() == list(range(len(expected[name]) - len(own)))
        assert drawn(figure, "name", i).get_text() == name
    (ax,) = figure.axes
    assert (*ax.get_xlim(), *ax.get_ylim()) == tuple(maps.loc[0, ["left", "right", "bottom", "top"]])
    grey = [line for line in ax.lines if not line.get_gid()]
    assert len(grey) == results.levels["gap"].nunique()
    assert "beyond the frame at step 3" in drawn(figure, "detail", 1).get_text()


def test_four_maps_at_most_and_one_a_task(walk):
    results = walk({"down": DOWN}, *[TWO] * 5)
    assert [ax.get_title(loc="left") for ax in draw("path", results).axes] == ["p0", "p1", "p2", "p3"]
    assert caption("path", results).endswith(" 4 of 5 tasks; not drawn: p4.")
    assert caption("directions", results).endswith(" 1 of 5 tasks: p0.")
    assert finding("directions", results).startswith("p0: left of the start's gap at the last step: down ")


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
        draw("path", walk({"sgd": np.vstack([start, DOWN[1:]])}, problem))


def test_without_paths_there_is_none(write):
    with pytest.raises(RequestError, match="report=true"):
        draw("path", write(run(), problems=(TWO,)))


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


def test_paths_behind_are_lines_without_dots(walk):
    results = walk({f"o{k}": DOWN for k in range(7)}, TWO)
    figure = draw("path", results)
    behind, front = drawn(figure, "path", 6), drawn(figure, "path", 5)
    assert (behind.get_marker(), front.get_marker()) == ("None", ".")
    assert behind.get_zorder() < front.get_zorder()
    assert behind.get_alpha() < 0.5
    np.testing.assert_array_equal(behind.get_xydata(), DOWN)


SVG = "{http://www.w3.org/2000/svg}"


def test_the_slider_has_the_dots_of_the_saved_figure(walk, tmp_path):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK}, TWO, TWO)
    figure = draw("path", results)
    root = ElementTree.parse(save(figure, tmp_path / "path.svg")).getroot()
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
    slider = svg_paths(results, draw("path", results))
    assert slider["steps"] == [0, 1, 2, 3, 8, 9]
    first, second = (path["points"] for path in slider["paths"])
    assert [first[k] for k in (2, 5)] == [first[k] for k in (1, 4)]
    assert second[0] == second[1]
    assert len({tuple(point) for point in second}) == 4
