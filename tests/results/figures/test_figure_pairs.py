"""The matrix of pairs: ratios above, wins below, read in light and in dark."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from drawn import (
    draw,
    texts,
)
from matplotlib.colors import to_rgb

from lrbench import results as results_room
from lrbench.results.figures.ink import palette
from lrbench.results.figures.pairs import written_ratio
from lrbench.results.notation import factor


def test_the_matrix_holds_ratios_above_and_wins_below(write):
    noise = [1.0, 1.2, 0.9, 1.1, 1.0, 0.95]
    rows = [run("a", 1e-6 * x, seed=seed) for seed, x in enumerate(noise)]
    rows += [run("b", 5e-6 * x, seed=seed) for seed, x in enumerate(reversed(noise))]
    rows += [run("c", 1.1e-6 * x, seed=seed) for seed, x in enumerate(np.roll(noise, 2))]
    results = write(*rows)
    (ax,) = draw("pairs", results).axes
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == results.ranking["optimizer"].tolist()
    cells = {(round(y), round(x)): text for text in ax.texts for x, y in [text.get_position()]}
    gaps = {name: np.array([row["final_gap"] for row in rows if row["optimizer"] == name]) for name in names}
    for i, j in combinations(range(3), 2):
        ratio = np.exp(np.log(gaps[names[j]] / gaps[names[i]]).mean())
        assert float(cells[i, j].get_text()) == pytest.approx(ratio, rel=0.05)
        assert cells[j, i].get_text() == f"{(gaps[names[i]] < gaps[names[j]]).sum()}/6"
        assert (cells[i, j].get_fontweight() == "bold") == (names[j] == "b")
    frames = {patch.get_gid() for patch in ax.patches if patch.get_edgecolor()[3] > 0}
    places = [list(palette(results.ranking)).index(name) for name in names]
    assert frames == {
        f"cell-0-optimizer-{places[i]}-optimizer-{places[j]}"
        for i, j in combinations(range(3), 2)
        if names[j] == "b"
    }


def test_a_bound_is_told_from_a_ratio(write):
    better = [run("a", 1e-6 * (1 + seed), seed=seed) for seed in range(8)]
    lost = [
        run("b", 1e-3 * (1 + seed), seed=seed, status="diverged" if seed == 0 else "completed")
        for seed in range(8)
    ]
    (ax,) = draw("pairs", write(*better, *lost)).axes
    assert "≥1,000" in texts(ax)


@pytest.mark.parametrize(
    ("ratio", "wide", "narrow", "bound"),
    [
        (1.3, "1.30", "1e0", "≥1e0"),
        (99.6, "100", "1e2", "≥9e1"),
        (106.0, "110", "1e2", "≥1e2"),
        (2345.0, "2,300", "2e3", "≥2e3"),
        (1.6e21, "1.6e21", "2e21", "≥1e21"),
        (0.004342, "0.00434", "0.004", "≤0.005"),
        (1.1e-9, "1.10e-9", "1e-9", "≤2e-9"),
    ],
)
def test_a_ratio_is_written_as_in_the_tables_where_there_is_room(ratio, wide, narrow, bound):
    """Where there is not, with one digit, and a bound is never stronger than what is known."""
    known, at_least = {"ratio": ratio, "at_least": np.nan}, {"ratio": np.nan, "at_least": ratio}
    assert wide == factor(ratio)
    assert [written_ratio(row, 9, 100, False) for row in (known, at_least)] == [wide, bound[0] + wide]
    assert [written_ratio(row, 9, 1, False) for row in (known, at_least)] == [narrow, bound]


def test_ink_on_the_cells_is_read_in_light_and_dark(write):
    """WCAG contrast of the page's ink on a cell laid over the page's paper, 4.5 at least; a ratio of 1
    leaves the paper as it is.
    """
    gaps = [1e-9, 1e-9, 1e-8, 1e-5, 1e3]
    (ax,) = draw(
        "pairs",
        write(
            *[
                run(f"o{k}", gap * (1 + seed % (k + 1)), seed=seed)
                for k, gap in enumerate(gaps)
                for seed in range(6)
            ]
        ),
    ).axes
    faces = [np.array(patch.get_facecolor()) for patch in ax.patches]
    assert {face[3] for face in faces} > {0.55}
    assert min(face[3] for face in faces) < 0.05
    (page,) = Path(results_room.__file__).parent.rglob("page.css")
    css = page.read_text(encoding="utf-8")
    inks, papers = (re.findall(rf"--{name}: (#[0-9a-f]{{6}})", css)[:2] for name in ("ink", "paper"))
    for ink, paper in zip(inks, papers, strict=True):
        text, ground = np.array(to_rgb(ink)), np.array(to_rgb(paper))
        for *face, alpha in faces:
            light, dark = sorted(
                (luminance(text), luminance(alpha * np.array(face) + (1 - alpha) * ground)), reverse=True
            )
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: np.ndarray) -> float:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_twenty_optimizers_fit_their_cells(write):
    rows = [
        run(f"optimizer_{k}", 10.0 ** -(k / 2 + 9 * seed * (k % 2)) * (1 + 0.1 * seed * (k % 3)), seed=seed)
        for k in range(20)
        for seed in range(3)
    ]
    figure = draw(
        "pairs", write(*rows, run("optimizer_0", status="diverged", seed=3), run("optimizer_19", seed=3))
    )
    figure.draw_without_rendering()
    (ax,) = figure.axes
    cell = ax.get_window_extent().width / 20
    assert max(text.get_window_extent().width for text in ax.texts) < cell
