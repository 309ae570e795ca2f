"""The figures with a row an optimizer: tuned against default, and seed by seed."""

import re

import numpy as np
import pytest
from conftest import BOX, role, run, tuned
from drawn import (
    ADAM,
    INF,
    caption,
    colours_of,
    crosses,
    draw,
    finding,
    offsets,
    scattered,
    texts,
    two_competitors,
)
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from lrbench.errors import RequestError
from lrbench.results.figures.ink import palette
from lrbench.results.figures.tuned_against_default import gain_text
from lrbench.results.frames.names import displayed
from lrbench.results.notation import interval, number


@pytest.fixture
def competitors(write_tuned):
    return two_competitors(write_tuned)


def test_gains_count_what_was_lost_on_both_sides(competitors):
    frame = competitors.gains.set_index("optimizer")
    assert frame[["lost", "seeds", "default_lost", "default_seeds"]].T.to_dict("list") == {
        "adam": [0, 3, 0, 3],
        "sgd": [1, 3, 2, 3],
    }


def offset(ax, gid: str) -> np.ndarray:
    """The (x, y) of the marks of a part, in data."""
    (mark,) = [mark for mark in scattered(ax) if mark.get_gid() == gid]
    places = np.ma.filled(mark.get_offsets(), np.inf)
    if mark.get_offset_transform() == ax.transData:
        return places
    return ax.transData.inverted().transform(mark.get_offset_transform().transform(places))


def test_the_dumbbell_holds_both_costs_and_the_gain(write_tuned):
    """adam arrives in 2 tuned and in 6 at its default, of which one of three seeds misses; sgd misses at its
    default.
    """
    adam = two_settings("adam", [2, 2, 3], [6, 6, None])
    results = write_tuned(adam, two_settings("sgd", [3, 4, 5], [None] * 3))
    (ax,) = draw("tuned_against_default", results).axes
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    places = list(palette(results.ranking))
    gains = results.gains.set_index("optimizer")
    assert names == [displayed(name) for name in gains.index]
    for y, name in enumerate(gains.index):
        i = places.index(name)
        for part, runs in (("tuned", results.reported), ("default", results.defaults)):
            own = runs[runs["optimizer"] == name]
            (place,) = offset(ax, f"{part}-0-optimizer-{i}")
            assert place[1] == y
            if own["arrived"].any():
                assert place[0] == pytest.approx(np.exp(np.log(own["cost"]).mean()))
            else:
                assert place[0] > own["budget"].max()
        assert gain_text(gains.loc[name].to_dict()) in texts(ax)
    assert gain_text(gains.loc["sgd"].to_dict()) == f"{gains.loc['sgd', 'word']}: 3/3 arrive, 0/3"
    assert not len(crosses(ax))
    assert "misses in 8" in texts(ax)


def two_settings(name: str, tuned_hits: list, default_hits: list) -> list[tuple]:
    """A competitor of two trials, the second of which is chosen, as (run, role) pairs."""

    def rows(lr: float, hits: list, first: int) -> list[dict]:
        gaps = [1e-3 if hit is None else 1e-9 for hit in hits]
        return [
            run(name, gap, lr=lr, seed=first + seed, hit=hit)
            for seed, (gap, hit) in enumerate(zip(gaps, hits, strict=True))
        ]

    trials = [
        (row, role(row, "trial", k, BOX))
        for k, lr in enumerate((0.5, 0.1))
        for row in rows(lr, [7 - 5 * k], 100)
    ]
    chosen = [(row, role(row, "evaluation", 1)) for row in rows(0.1, tuned_hits, 0)]
    return [*trials, *chosen, *[(row, role(row, "default")) for row in rows(0.001, default_hits, 0)]]


def test_the_dumbbell_holds_both_levels_where_nobody_arrives(write_tuned):
    results = write_tuned(tuned("sgd", {0.1: [1e-3], 1.0: [1e-2]}, [1e-3, 2e-3], [1e-1, INF]))
    (ax,) = draw("tuned_against_default", results).axes
    assert offset(ax, "tuned-0-optimizer-0")[0, 0] == pytest.approx(np.sqrt(2) * 1e-3)
    assert "1/2" in texts(ax)
    assert len(crosses(ax)) == 1
    assert ax.get_xlabel() == "level  (mean gap at the end)  (hollow: default, full: tuned)"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"gain": 3.5, "low": 3.3, "high": 3.8, "unit": "evaluations", "word": "clear"},
            "3.5 (3.3–3.8) in evaluations",
        ),
        (
            {"gain": 120.0, "low": 71.0, "high": 200.0, "unit": "gap", "word": "clear"},
            "120 (71–200) in level",
        ),
        ({"word": "close", "arrived": 9, "default_arrived": 4}, "close: 9/10 arrive, 4/10"),
        ({"gain": 1.0, "low": 1.0, "high": 1.0, "unit": "gap", "word": "the same"}, "the same"),
        ({"word": "all lost"}, "all lost"),
    ],
)
def test_a_gain_is_a_ratio_in_its_unit_or_a_word(changes, text):
    nothing = {
        "gain": np.nan,
        "low": np.nan,
        "high": np.nan,
        "unit": None,
        "arrived": 0,
        "default_arrived": 0,
    }
    assert gain_text(nothing | {"seeds": 10, "default_seeds": 10} | changes) == text


def test_the_finding_names_those_for_whom_tuning_is_shown_better(write_tuned):
    noise = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]
    better = tuned(
        "a", {0.1: [1e-4], 1.0: [1e-2]}, [1e-4 * x for x in noise], [1e-2 * x for x in noise[::-1]]
    )
    same = tuned("b", {0.1: [1e-4], 1.0: [1e-2]}, [1e-4 * x for x in noise], [1e-4 * x for x in noise[::-1]])
    told = finding("tuned_against_default", write_tuned(better, same))
    assert told == "lecture: a is shown better tuned than at the default."
    assert (
        finding("tuned_against_default", write_tuned(same, folder="same"))
        == "lecture: no gain from tuning is shown."
    )


def test_an_untuned_sweep_has_no_default(write):
    with pytest.raises(RequestError, match=re.escape("tune=lr")):
        draw("tuned_against_default", write(run()))


def test_seeds_are_dots_where_they_arrive_and_misses_stand_behind_the_budget(write):
    hits = [3, None, 6, 4, None]
    gaps = [1e-3 * (1 + seed) if hit is None else 1e-9 for seed, hit in enumerate(hits)]
    rows = [run(gap=gap, seed=seed, hit=hit) for seed, (gap, hit) in enumerate(zip(gaps, hits, strict=True))]
    results = write(*rows, *[run("adam", 1e-9, seed=seed, hit=2, **ADAM) for seed in range(5)])
    (ax,) = draw("seeds", results).axes
    row = [tick.get_text() for tick in ax.get_yticklabels()].index("SGD")
    dots = offset(ax, f"dots-0-optimizer-{row}")
    np.testing.assert_allclose(dots[np.argsort(dots[:, 1]), 0], [3, 6, 4])
    misses = offset(ax, f"missdots-0-optimizer-{row}")
    assert len(misses) == 2
    assert (misses[:, 0] > 8).all()
    assert (abs(np.concatenate([dots, misses])[:, 1] - row) < 0.5).all()
    level = np.sqrt(gaps[1] * gaps[4])
    assert f"2/5 at {number(level)}" in texts(ax)
    assert "misses in 8" in texts(ax)
    bars = [bar for mark in ax.collections if isinstance(mark, LineCollection) for bar in mark.get_segments()]
    assert sorted(float(bar[0, 0]) for bar in bars) == [2, 6]
    order = {type(mark): mark.get_zorder() for mark in ax.collections}
    assert order[LineCollection] < order[PathCollection]
    assert finding("seeds", results) == "lecture: seeds that arrive: Adam 5 of 5 and SGD 3 of 5."


def test_seeds_are_dots_at_their_levels_where_nobody_arrives(write):
    gaps = [1e-4, 1e-2, 1e-3, 3e-4]
    results = write(*[run(gap=gap, seed=seed) for seed, gap in enumerate(gaps)])
    (ax,) = draw("seeds", results).axes
    dots = offset(ax, "dots-0-optimizer-0")
    np.testing.assert_allclose(dots[np.argsort(dots[:, 1]), 0], gaps)
    (bars,) = [mark for mark in ax.collections if isinstance(mark, LineCollection)]
    assert bars.get_segments()[0][0, 0] == pytest.approx(np.median(gaps))
    assert not [text for text in texts(ax) if "misses" in text]
    assert finding("seeds", results) == "lecture: no seed arrives."


@pytest.mark.parametrize("within", [True, False])
def test_beside_the_seeds_stands_how_many_times_the_leaders_it_takes(write, within):
    noise = [1.0, 1.1, 0.9]
    rows = []
    for name, factor in (("a", 1.0), ("b", 2.0)):
        for seed, x in enumerate(noise if name == "a" else noise[::-1]):
            how = {"gap": 1e-9, "hit": 2 * factor * x} if within else {"gap": 1e-3 * factor * x}
            rows.append(run(name, seed=seed, **how))
    results = write(*rows)
    (ax,) = draw("seeds", results).axes
    b = results.ranking.set_index("optimizer").loc["b"].to_dict()
    assert b["ratio"] == pytest.approx(2, rel=1e-6)
    assert {"leader", interval(b, "ratio", "ratio_low", "ratio_high")} <= set(texts(ax))
    assert f"times the leader's {'evaluations' if within else 'level'}" in texts(ax)


def test_beside_the_seeds_stands_a_word_where_the_order_alone_is_known(write):
    rows = [run("a", 1e-9, seed=seed, hit=2) for seed in range(3)]
    results = write(*rows, *[run("b", 1e-3 * (1 + seed), seed=seed) for seed in range(3)])
    (ax,) = draw("seeds", results).axes
    assert {"leader", "cannot be told", "against the leader"} <= set(texts(ax))


def test_lost_seeds_are_a_cross_with_their_share(write):
    rows = [
        run(seed=0),
        run(seed=1, status="diverged"),
        run(seed=2, status="failed"),
        *[run("adam", seed=seed, **ADAM) for seed in range(3)],
    ]
    results = write(*rows)
    (ax,) = draw("seeds", results).axes
    assert "2/3" in texts(ax)
    assert len(crosses(ax)) == 1
    assert len(offsets(ax, 22)) == 4
    assert "Crosses" in caption("seeds", results)


def test_all_lost_is_a_figure_all_the_same(write):
    (ax,) = draw("seeds", write(*[run(seed=seed, status="diverged") for seed in range(3)])).axes
    assert sorted(texts(ax)) == ["3/3", "no run completed"]


def test_one_seed_is_no_strip(write):
    with pytest.raises(RequestError, match=re.escape("seed=range(10)")):
        draw("seeds", write(run(), run("adam")))


def test_an_optimizer_has_one_colour_in_every_figure(competitors):
    colours = {displayed(name): colour for name, colour in colours_of(competitors).items()}
    for name in ("tuned_against_default", "seeds"):
        (ax,) = draw(name, competitors).axes
        names = [tick.get_text() for tick in ax.get_yticklabels()]
        full = [mark for mark in scattered(ax) if str(mark.get_gid()).startswith(("dots", "tuned"))]
        assert full
        for mark in full:
            for _, y in np.asarray(mark.get_offsets()):
                assert to_hex(mark.get_facecolors()[0]) == colours[names[round(float(y))]]
