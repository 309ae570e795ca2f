"""The final gap over the learning rate as colours: cells, hatches, marks and the bar beside them."""

from itertools import pairwise

import numpy as np
import pytest
from conftest import run
from drawn import (
    draw,
    scattered,
    texts,
    two_competitors,
)
from matplotlib.collections import PolyCollection

from lrbench.results.figures.ink import palette


@pytest.fixture
def competitors(write_tuned):
    return two_competitors(write_tuned)


def test_cells_meet_half_way_in_log(write):
    cells = (write(*[run(lr=lr) for lr in (0.01, 0.1, 10.0)])).cells
    np.testing.assert_allclose(cells["left"], [10**-2.5, 10**-1.5, 1])
    np.testing.assert_allclose(cells["right"], [10**-1.5, 1, 100])


def test_the_cell_of_a_single_rate_is_as_wide_as_the_others(write):
    cells = (write(*[run(lr=lr) for lr in (0.01, 0.1, 1.0)], run("adam", lr=0.1))).cells
    one = cells[cells["optimizer"] == "adam"]
    np.testing.assert_allclose(one[["left", "right"]], [[10**-1.5, 10**-0.5]])


def test_colours_of_the_heat_map_are_the_logs_of_the_gaps(competitors):
    ax = draw("heat_map", competitors).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == competitors.ranking["optimizer"].tolist()
    cells = {mark.get_gid(): mark for mark in ax.collections if isinstance(mark, PolyCollection)}
    adam, sgd = (list(palette(competitors.ranking)).index(name) for name in ("adam", "sgd"))
    assert cells.keys() == {
        f"cells-0-optimizer-{adam}",
        f"lostcells-0-optimizer-{adam}",
        f"cells-0-optimizer-{sgd}",
    }
    np.testing.assert_allclose(cells[f"cells-0-optimizer-{adam}"].get_array(), [-3, -6])
    np.testing.assert_allclose(cells[f"cells-0-optimizer-{sgd}"].get_array(), [-2, -3, -4])
    assert {mark.get_clim() for gid, mark in cells.items() if gid.startswith("cells")} == {(-6, -2)}
    hatched = cells[f"lostcells-0-optimizer-{adam}"]
    assert hatched.get_hatch()
    assert len(hatched.get_paths()) == 1
    assert texts(ax) == ["1/2"]


def test_a_cell_stands_over_its_rate_in_the_row_of_its_optimizer(competitors):
    ax = draw("heat_map", competitors).axes[0]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    frame = competitors.rates
    coloured = [mark for mark in ax.collections if isinstance(mark, PolyCollection) and not mark.get_hatch()]
    found = {}
    for path, value in [
        pair for mark in coloured for pair in zip(mark.get_paths(), mark.get_array(), strict=True)
    ]:
        x, y = path.vertices[:4].T
        (row,) = frame[
            (frame["optimizer"] == names[round(y.mean())]) & frame["lr"].between(x.min(), x.max())
        ].to_dict("records")
        found[row["optimizer"], row["lr"]] = value
        assert value == pytest.approx(np.log10(row["gap"]))
    assert len(found) == 5


def test_neighbours_that_lost_the_same_share_one_label(write):
    rows = [run(lr=10.0**-e, seed=seed) for e in (3, 2) for seed in range(2)]
    rows += [run(lr=lr, seed=seed, status="diverged") for lr in (0.1, 1.0, 10.0) for seed in range(2)]
    rows += [run(lr=100.0, seed=0, status="failed"), run(lr=100.0, seed=1)]
    assert texts(draw("heat_map", write(*rows)).axes[0]) == ["2/2", "1/2"]


def test_the_best_cell_is_a_diamond_at_an_edge(competitors):
    ranking = competitors.ranking.set_index("optimizer")
    assert ranking["edge"].to_dict() == {"adam": "", "sgd": "highest"}
    marks = scattered(draw("heat_map", competitors).axes[0])
    at = {len(mark.get_paths()[0].vertices): np.asarray(mark.get_offsets())[0, 0] for mark in marks}
    assert at[max(at)] == 0.1  # a circle has more vertices than a diamond
    assert at[min(at)] == 100.0


def test_numbers_beside_a_colour_bar_of_one_row_do_not_overlap(write):
    figure = draw("heat_map", write(*[run(gap=gap, lr=10.0**-k) for k, gap in enumerate((0.16, 6e-4, 8e-4))]))
    figure.draw_without_rendering()
    bar = figure.axes[1]
    boxes = sorted(
        (label.get_window_extent().y0, label.get_window_extent().y1) for label in bar.get_yticklabels()
    )
    low, high = bar.get_ylim()
    shown = [box for box, tick in zip(boxes, bar.get_yticks(), strict=True) if low <= tick <= high]
    assert shown
    assert all(top <= bottom for (_, top), (bottom, _) in pairwise(shown))
