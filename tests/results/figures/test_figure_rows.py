"""The figures with a row an optimizer: tuned against default, and seed by seed."""

import re

import numpy as np
import pytest
from conftest import LECTURE, run
from drawn import (
    ADAM,
    caption,
    crosses,
    draw,
    offsets,
    scattered,
    texts,
    two_competitors,
)
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from lrbench.errors import RequestError
from lrbench.results.figures.ink import palette


@pytest.fixture
def competitors(write_tuned):
    return two_competitors(write_tuned)


def test_gains_count_what_was_lost_on_both_sides(competitors):
    frame = competitors.gains.set_index("optimizer")
    assert frame[["lost", "seeds", "default_lost", "default_seeds"]].T.to_dict("list") == {
        "adam": [0, 3, 0, 3],
        "sgd": [1, 3, 2, 3],
    }


def test_the_dumbbell_holds_both_gaps_and_the_gain(competitors):
    (ax,) = draw("tuned_against_default", competitors).axes
    row = competitors.ranking["optimizer"].tolist().index("adam")
    marks = offsets(ax, 46)
    finite = marks[np.isfinite(marks[:, 0])]
    np.testing.assert_allclose(sorted(map(tuple, finite)), [(1e-6, row), (1e-3, row)])
    assert any(text.startswith("1,000") for text in texts(ax))
    assert "1/3" in texts(ax)
    assert len(crosses(ax)) == 1


def test_an_untuned_sweep_has_no_default(write):
    with pytest.raises(RequestError, match=re.escape("tune=lr")):
        draw("tuned_against_default", write(run()))


def test_seeds_are_dots_at_their_gaps_and_a_bar_at_the_median(write):
    gaps = [1e-6, 1e-2, 1e-5, 1e-4]
    (ax,) = draw(
        "seeds", write(*[run(gap=gap, seed=seed) for seed, gap in enumerate(gaps)], run("adam", 1.0, **ADAM))
    ).axes
    dots = offsets(ax, 22)
    row = [tick.get_text() for tick in ax.get_yticklabels()].index("sgd")
    own = dots[abs(dots[:, 1] - row) < 0.5]
    np.testing.assert_allclose(own[np.argsort(own[:, 1]), 0], gaps)
    bars = [bar for mark in ax.collections if isinstance(mark, LineCollection) for bar in mark.get_segments()]
    assert sorted(float(bar[0, 0]) for bar in bars) == pytest.approx([np.median(gaps), 1.0])
    order = {type(mark): mark.get_zorder() for mark in ax.collections}
    assert order[LineCollection] < order[PathCollection]


@pytest.mark.parametrize(("floor", "told"), [(1e-20, False), (1.5e-6, True)])
def test_the_dashes_of_the_floor_are_told_of_where_they_are_drawn(write, floor, told):
    results = write(
        *[run(gap=gap, seed=seed) for seed, gap in enumerate((2e-6, 1e-4))],
        problems=(LECTURE | {"gap_floor": floor},),
    )
    (ax,) = draw("seeds", results).axes
    assert len(ax.lines) == told
    words = caption("seeds", results)
    assert ("Dashes: the gap floor" in words) == told
    assert "Crosses" not in words


def test_lost_seeds_are_a_cross_with_their_share(write):
    rows = [
        run(seed=0),
        run(seed=1, status="diverged"),
        run(seed=2, status="failed"),
        *[run("adam", seed=seed, **ADAM) for seed in range(3)],
    ]
    (ax,) = draw("seeds", write(*rows)).axes
    assert texts(ax) == ["2/3"]
    assert len(crosses(ax)) == 1
    assert len(offsets(ax, 22)) == 4


def test_all_lost_is_a_figure_all_the_same(write):
    (ax,) = draw("seeds", write(*[run(seed=seed, status="diverged") for seed in range(3)])).axes
    assert sorted(texts(ax)) == ["3/3", "no run completed"]


def test_one_seed_is_no_strip(write):
    with pytest.raises(RequestError, match=re.escape("seed=range(10)")):
        draw("seeds", write(run(), run("adam")))


def test_an_optimizer_has_one_colour_in_every_figure(competitors):
    colours = palette(competitors.ranking)
    for name in ("tuned_against_default", "seeds"):
        (ax,) = draw(name, competitors).axes
        names = [tick.get_text() for tick in ax.get_yticklabels()]
        full = [mark for mark in scattered(ax) if len(mark.get_facecolors()) == len(mark.get_offsets())]
        for (_, y), face in [
            pair
            for mark in full
            for pair in zip(np.asarray(mark.get_offsets()), mark.get_facecolors(), strict=True)
        ]:
            assert to_hex(face) == colours[names[round(float(y))]]
        assert full
