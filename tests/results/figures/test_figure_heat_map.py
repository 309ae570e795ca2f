"""The final gap over the learning rate as colours: cells, hatches, marks and the bar beside them."""

from itertools import pairwise

import numpy as np
import pytest
from conftest import run
from drawn import caption, draw, scattered, texts, two_competitors
from matplotlib.collections import PolyCollection

from lrbench.results.frames.names import displayed


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


def cells_of(ax) -> dict[str, PolyCollection]:
    return {mark.get_gid(): mark for mark in ax.collections if isinstance(mark, PolyCollection)}


@pytest.fixture
def rates(write):
    """adam arrives at two rates and once of twice at a third, misses at one, is lost at one; sgd misses."""
    hits = {0.01: [None, None], 0.1: [2, 4], 0.2: [3, 3], 0.3: [6, None]}
    rows = [
        run("adam", 1e-3 if hit is None else 1e-9, lr=lr, seed=seed, hit=hit)
        for lr, own in hits.items()
        for seed, hit in enumerate(own)
    ]
    rows += [run("adam", lr=1.0, seed=0, status="diverged"), run("adam", lr=1.0, seed=1)]
    return write(*rows, *[run(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in range(2)])


def test_colours_are_the_logs_of_the_mean_evaluations_in_which_a_miss_counts_the_budget(rates):
    ax, bar = draw("heat_map", rates).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Adam", "SGD"]
    cells = cells_of(ax)
    assert cells.keys() == {
        "cells-0-optimizer-0",
        "misscells-0-optimizer-0",
        "lostcells-0-optimizer-0",
        "misscells-0-optimizer-1",
    }
    adam = rates.entries[(rates.entries["optimizer"] == "adam") & rates.entries["lr"].isin([0.1, 0.2, 0.3])]
    means = adam.groupby("lr")["cost"].agg(lambda costs: np.log10(costs).mean())
    np.testing.assert_allclose(cells["cells-0-optimizer-0"].get_array(), means)
    assert len(cells["misscells-0-optimizer-0"].get_paths()) == 1
    assert len(cells["misscells-0-optimizer-1"].get_paths()) == 2
    assert cells["lostcells-0-optimizer-0"].get_hatch()
    assert texts(ax) == ["1/2"]
    assert bar.get_title() == "evaluations"


def test_colours_are_the_logs_of_the_levels_where_nobody_arrives(write):
    gaps = {0.1: 1e-2, 0.2: 1e-4, 0.3: 1e-3}
    results = write(*[run(gap=gap, lr=lr) for lr, gap in gaps.items()])
    ax, bar = draw("heat_map", results).axes
    np.testing.assert_allclose(cells_of(ax)["cells-0-optimizer-0"].get_array(), [-2, -4, -3])
    assert bar.get_title() == "level"
    assert "Level (the mean gap at the end" in caption("heat_map", results)
    assert "Empty" not in caption("heat_map", results)


def test_a_cell_that_first_rises_too_high_is_pale(write):
    rows = [run(gap=1e-9, hit=2, lr=0.1), run(gap=1e-9, hit=1, lr=0.2, rise=1e4)]
    results = write(*rows)
    cells = cells_of(draw("heat_map", results).axes[0])
    assert cells["risecells-0-optimizer-0"].get_alpha() < cells["cells-0-optimizer-0"].get_alpha()
    assert "rises above 100 times where it began" in caption("heat_map", results)


def test_a_cell_stands_over_its_rate_in_the_row_of_its_optimizer(rates):
    ax = draw("heat_map", rates).axes[0]
    frame = rates.rates
    names = frame["optimizer"].drop_duplicates().tolist()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(map(displayed, names))
    found = set()
    for gid, mark in cells_of(ax).items():
        for path in mark.get_paths():
            x, y = path.vertices[:4].T
            (row,) = frame[
                (frame["optimizer"] == names[round(y.mean())]) & frame["lr"].between(x.min(), x.max())
            ].to_dict("records")
            found.add((row["optimizer"], row["lr"]))
            part = "lostcells" if row["lost"] else "cells" if row["arrived"] else "misscells"
            assert gid.startswith(part)
    assert len(found) == len(frame)


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
