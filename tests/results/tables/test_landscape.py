"""The map of the gap: its frames against loops over hand-made paths."""

from itertools import pairwise

import numpy as np
import pytest
from walks import AWAY, BACK, DOWN, FOUR, ONE, START, STEPS, STOPPED, TWO, V4, walker


@pytest.fixture
def walk(write):
    return walker(write)


def gap(problem, w):
    """The gap by its definition, with the Hessian written out."""
    directions = np.reshape(problem["eigenvectors"], (problem["p"], problem["p"]))
    hessian = sum(value * np.outer(v, v) for value, v in zip(problem["eigenvalues"], directions, strict=True))
    return 0.5 * (w - problem["w_star"]) @ hessian @ (w - problem["w_star"])


def test_with_two_parameters_the_map_is_their_plane(walk):
    results = walk({"down": DOWN, "away": AWAY}, TWO)
    points = results.points
    assert points["optimizer"].tolist() == ["down"] * 4 + ["away"] * 4
    assert points["step"].tolist() == STEPS * 2
    np.testing.assert_array_equal(points[["x", "y"]], np.vstack([DOWN, AWAY]))
    (row,) = results.maps.to_dict("records")
    assert (row["x_name"], row["y_name"], row["x_star"], row["y_star"]) == (
        "weight of x",
        "intercept",
        2.0,
        0.0,
    )


def test_the_frame_holds_what_is_no_higher_than_the_start(walk):
    results = walk({"down": DOWN, "away": AWAY}, TWO)
    points = results.points
    (row,) = results.maps.to_dict("records")
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
    points = results.points
    np.testing.assert_allclose(points["y"], [8.0, 2.0, 0.5, 2 * (1e9 - 2) ** 2])
    assert points["inside"].tolist() == [True, True, True, False]
    (row,) = results.maps.to_dict("records")
    assert (row["x_name"], row["y_name"]) == ("weight of x", "gap  (loss − minimum)")
    assert (row["left"], row["right"], row["y_star"]) == pytest.approx((-0.36, 3.36, 0.0))
    curve = results.levels
    np.testing.assert_allclose(curve["y"], 2 * (curve["x"] - 2) ** 2)
    assert row["top"] == curve["y"].max() == pytest.approx(2 * 2.36**2)
    assert row["bottom"] < 0


def test_with_more_it_is_the_plane_of_the_flattest_and_the_steepest_direction(walk):
    w = np.array([[0.0, 0.0, 0.0, 0.0], [0.5, -0.5, 1.0, 0.2], [1.0, -1.0, 2.0, 0.1], [1.0, -1.0, 2.0, 0.0]])
    results = walk({"sgd": w}, FOUR)
    points = results.points
    for (x, y), state in zip(points[["x", "y"]].to_numpy(), w, strict=True):
        error = state - FOUR["w_star"]
        assert (x, y) == pytest.approx((sum(V4[3] * error), sum(V4[0] * error)))
        assert 0.25 * x**2 + 4 * y**2 <= gap(FOUR, state) * (1 + 1e-12)
    (row,) = results.maps.to_dict("records")
    assert row["x_name"] == "flattest direction  (eigenvalue 0.500)"
    assert row["y_name"] == "steepest direction  (eigenvalue 8)"
    assert (row["x_star"], row["y_star"]) == (0.0, 0.0)
    lines = results.levels
    np.testing.assert_allclose(0.25 * lines["x"] ** 2 + 4 * lines["y"] ** 2, lines["gap"].astype(float))


def test_a_line_is_where_the_gap_is_equal(walk):
    results = walk({"down": DOWN}, TWO)
    lines = results.levels
    np.testing.assert_allclose(
        [gap(TWO, w) for w in lines[["x", "y"]].to_numpy(dtype=float)], lines["gap"].astype(float), rtol=1e-9
    )
    gaps = sorted(lines["gap"].unique())
    assert [high / low for low, high in pairwise(gaps)] == pytest.approx([4.0] * (len(gaps) - 1))
    assert gaps[8] == pytest.approx(gap(TWO, START))
    (row,) = results.maps.to_dict("records")
    highest = max(
        gap(TWO, np.array([x, y])) for x in (row["left"], row["right"]) for y in (row["bottom"], row["top"])
    )
    assert gaps[-1] <= highest < 4 * gaps[-1]


def test_a_path_is_cut_where_it_leaves_for_good(walk):
    results = walk({"down": DOWN, "away": AWAY, "back": BACK, "stopped": STOPPED}, TWO)
    (row,) = results.maps.to_dict("records")
    cuts = results.cuts.set_index("optimizer")
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
    (row,) = results.maps.to_dict("records")
    half = np.sqrt(0.8 * 9 / 30)  # of the start's line: gap 0.8 * 9 / 2 in the flat direction alone
    assert (row["left"], row["right"]) == pytest.approx((2 - 1.24 * half, 2 + 1.24 * half))
    assert (row["bottom"], row["top"]) == pytest.approx((-0.45 - 0.12 * 3.45, 3 + 0.12 * 3.45))
