"""Colours, ids, axes, names, thinning and SVG: what all figures share."""

import re

import numpy as np
import pandas as pd
import pytest
from conftest import run
from drawn import (
    INF,
    draw,
    texts,
)
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from lrbench.results.figures.axes import log_range
from lrbench.results.figures.ink import gid, in_front, palette
from lrbench.results.figures.svg import compact
from lrbench.results.figures.texts import fitted
from lrbench.results.figures.thinning import spread_seeds, thinned


def test_six_stand_in_front(write):
    results = write(*[run(f"o{k}", 10.0 ** (-k / 4)) for k in range(9)])
    assert in_front(palette(results.ranking)) == [f"o{k}" for k in range(8, 2, -1)]
    (ax,) = draw("loss_curves", results).axes
    assert "others" in texts(ax)


def test_over_several_tasks_the_best_by_mean_rank_stand_in_front():
    """Not by their places in the rankings, where who is shown better stands first. By the mean scores, of
    which that of a lost optimizer is the largest.
    """
    scores = {
        "a": (1e-9, 1e-1),
        "b": (1e-8, 1e-2),
        "c": (1e-1, 1e-9),
        "d": (1e-2, 1e-8),
        "lost": (1e3, 1e-7),
        "e": (1e-3, 1e-3),
        "f": (1.0, 1.0),
    }
    rows = [(task, name, own[k]) for k, task in enumerate("pq") for name, own in scores.items()]
    colours = palette(pd.DataFrame(rows, columns=["task", "optimizer", "order"]))
    ranks = pd.DataFrame(scores).T.rank().mean(axis=1).sort_values(kind="stable")
    assert list(colours) == ranks.index.tolist()
    assert in_front(colours) == ranks.index[:6].tolist()


def test_what_belongs_to_two_goes_with_either_and_what_several_share_with_the_last(write):
    results = write(*[run(f"o{k}", 10.0**k, seed=seed) for k in range(9) for seed in range(2)])
    colours = palette(results.ranking)
    (ax,) = draw("pairs", results).axes
    assert {patch.get_gid() for patch in ax.patches} == {
        f"cell-0-optimizer-{i}-optimizer-{j}" for j in range(9) for i in range(j)
    }
    (ax,) = draw("loss_curves", results).axes
    (label,) = [text for text in ax.texts if text.get_text() == "others"]
    assert label.get_gid() == "name-0-any-optimizer-6-optimizer-7-optimizer-8"
    assert gid(ax, "line", ["o0", "nobody"], colours) is gid(ax, "line", "nobody", colours) is None


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


def test_a_long_curve_is_thinned_to_what_a_reader_can_tell_apart(write):
    """Of 3,001 points 200 at most; the spike and the dip of one step each stay, as do both ends."""
    frame = pd.DataFrame(
        {"task": "t", "optimizer": "o", "step": np.arange(3001), "evaluations": np.arange(3001.0)}
    )
    frame["median"] = np.exp(-frame["step"] / 500)
    frame.loc[[1234, 2345], "median"] = [50.0, 1e-9]
    kept = thinned(
        pd.concat([frame, frame.head(150).assign(optimizer="short")], ignore_index=True), 200
    ).groupby("optimizer")["step"]
    steps = kept.get_group("o").tolist()
    assert 100 < len(steps) <= 200
    assert {0, 1, 1234, 2345, 3000} <= set(steps)
    assert steps == sorted(steps)
    assert len(kept.get_group("short")) == 150


def test_of_many_seeds_the_extremes_and_an_even_part_are_dots(write):
    gaps = [10.0**-k for k in range(12)]
    frame = pd.DataFrame({"lr": np.repeat([0.1, 0.2], 12), "place": gaps[::-1] + gaps})
    shown = spread_seeds(frame, 8)
    assert shown["lr"].value_counts().to_dict() == {0.1: 4, 0.2: 4}
    assert shown.groupby("lr")["place"].agg(["min", "max"]).to_numpy().tolist() == [[gaps[-1], 1.0]] * 2
    assert len(spread_seeds(frame, 24)) == 24
    many = pd.DataFrame({"lr": np.arange(1.0, 101.0), "place": 1.0})
    assert spread_seeds(many, 10)["lr"].iloc[[0, -1]].tolist() == [1.0, 100.0]
    assert len(spread_seeds(many, 10)) <= 10


def test_a_compact_svg_moves_nothing_by_more_than_the_twentieth_of_a_point():
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.normal(scale=0.3, size=(500, 2)), axis=0) + 300
    body = "".join(f"{'L' if k else 'M'} {x:.6f} {y:.6f} \n" for k, (x, y) in enumerate(points))
    marks = "".join(
        f'<use xlink:href="#m0123456789" x="{x:.6f}" y="{y:.6f}" style="fill: #2a7de1"/>\n' for x, y in points
    )
    text = '<text style="fill: #24292f" x="1.26" y="-0.04">a  1.234567 id="b_1" M 1.23 4.56</text>'
    group = f'<g clip-path="url(#p0123456789)">{marks}</g>'
    short = compact(f'<svg><g id="figure_1">\n <path d="{body}z\n"/>\n{group}{text}</g></svg>')
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
    dots = compact(
        f'<svg><g id="dots-0-optimizer-1">{circle}<g clip-path="url(#p0123456789)">{marks}</g></g></svg>'
    )
    style = "fill:none;stroke:#2a7de1;stroke-width:3.46;stroke-linecap:round"
    (path,) = re.findall(rf'<path clip-path="url\(#p0\)" d="([^"]*)" style="{style}"/>', dots)
    steps = np.array(re.findall(r"m(-?[\d.]+) ?(-?[\d.]+)h0", path), dtype=float)
    np.testing.assert_allclose(np.cumsum(steps, axis=0), points, atol=0.0500001)
    assert "<use" not in dots
    assert "<defs" not in dots
    steps, round_mark = "M 1.02 2 \nM 3 4 \nL 5 5.96 \nz\n", "M 1.23456 2 \nC 1 2 3 4 5 6.0612 \nz\n"
    moves = compact(f'<svg><path d="{steps}"/><path d="{round_mark}"/></svg>')
    assert re.findall(' d="([^"]*)"', moves) == ["M1 2M3 4l2 2z", "M 1.23 2 C 1 2 3 4 5 6.06 z"]
