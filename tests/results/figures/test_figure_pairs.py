"""The matrix of pairs: ratios above, wins below, read in light and in dark."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from drawn import caption, draw, finding, texts
from matplotlib.colors import to_rgb

from lrbench import results as results_room
from lrbench.results.figures.ink import palette
from lrbench.results.figures.pairs import written_ratio
from lrbench.results.notation import factor


def cells(ax) -> dict[tuple[int, int], list]:
    """The texts of each cell, (row, column), from above."""
    found: dict[tuple[int, int], list] = {}
    for text in sorted(ax.texts, key=lambda text: text.get_position()[1]):
        x, y = text.get_position()
        found.setdefault((round(y), round(x)), []).append(text)
    return found


NOISE = (1.0, 1.2, 0.9, 1.1, 1.0, 0.95)


@pytest.mark.parametrize(("unit", "within"), [("evaluations", True), ("level", False)])
def test_the_matrix_holds_ratios_in_their_unit_above_and_wins_below(write, unit, within):
    """Of costs where all arrive, of levels where nobody does: c takes as much as a, b five times that."""
    factors = {"a": np.array(NOISE), "b": 5 * np.array(NOISE[::-1]), "c": 1.1 * np.roll(NOISE, 2)}
    rows = []
    for name, own in factors.items():
        for seed, x in enumerate(own):
            how = {"gap": 1e-9, "hit": 10 * x} if within else {"gap": 1e-4 * x}
            rows.append(run(name, seed=seed, steps=100, budget=100.0, **how))
    results = write(*rows)
    (ax,) = draw("pairs", results).axes
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == results.ranking["optimizer"].tolist()
    found = cells(ax)
    for i, j in combinations(range(3), 2):
        a, b = factors[names[i]], factors[names[j]]
        ratio, told = found[i, j]
        assert float(ratio.get_text()) == pytest.approx(np.exp(np.log(b / a).mean()), rel=0.05)
        assert told.get_text() == unit
        (wins,) = found[j, i]
        assert wins.get_text() == f"{(b > 1.25 * a).sum()}/6"
        assert (ratio.get_fontweight() == "bold") == (names[j] == "b")
    frames = {patch.get_gid() for patch in ax.patches if patch.get_edgecolor()[3] > 0}
    places = [list(palette(results.ranking)).index(name) for name in names]
    assert frames == {
        f"cell-0-optimizer-{places[i]}-optimizer-{places[j]}"
        for i, j in combinations(range(3), 2)
        if names[j] == "b"
    }
    assert finding("pairs", results) == "lecture: one is shown better in 2 of 3 pairs."


def test_a_pair_whose_order_alone_is_known_is_its_word(write):
    """a arrives with all of its seeds and b with none, so that no ratio is known."""
    better = [run("a", 1e-9 * (1 + seed), seed=seed, hit=2) for seed in range(8)]
    worse = [run("b", 1e-3 * (1 + seed), seed=seed) for seed in range(8)]
    results = write(*better, *worse)
    (ax,) = draw("pairs", results).axes
    (pair,) = results.pairwise.to_dict("records")
    assert np.isnan(pair["ratio"])
    assert texts(ax) == [pair["word"], "8/8"] == ["clear", "8/8"]
    (patch,) = ax.patches
    assert patch.get_edgecolor()[3] == 1


def test_who_passes_through_has_no_ratio_and_no_colour(write):
    """b arrives in fewer evaluations, and leaves again."""
    stays = [run("a", cost=6 + seed % 2, seed=seed) for seed in range(4)]
    leaves = [run("b", cost=2 + seed % 2, seed=seed) for seed in range(4)]
    beyond = {"run_id": [row["run_id"] for row in leaves], "beyond": 4 * [1.0]}
    results = write(*stays, *leaves, beyond=beyond)
    (ax,) = draw("pairs", results).axes
    assert "passes\nthrough" in texts(ax)
    assert len(ax.patches) == 0
    assert "Passes through: one of the two leaves the target again" in caption("pairs", results)


def test_runs_that_are_the_same_have_no_ratio(write):
    rows = [run(name, 1e-4, seed=seed, fingerprint=seed) for name in "ab" for seed in range(3)]
    (ax,) = draw("pairs", write(*rows)).axes
    assert texts(ax) == ["the\nsame", "="]
    assert not ax.patches


@pytest.mark.parametrize(
    ("ratio", "wide", "narrow"),
    [
        (1.3, "1.30", "1"),
        (9.7, "9.7", "1e1"),
        (99.6, "100", "1e2"),
        (106.0, "110", "1e2"),
        (2345.0, "2,300", "2e3"),
        (1.6e21, "1.6e21", "2e21"),
        (0.004342, "0.00434", "0.004"),
        (1.1e-9, "1.10e-9", "1e-9"),
    ],
)
def test_a_ratio_is_written_as_in_the_tables_where_there_is_room(ratio, wide, narrow):
    """Where there is not, with one digit."""
    assert wide == factor(ratio)
    assert written_ratio(ratio, 9, 100, False) == wide
    assert written_ratio(ratio, 9, 1, False) == narrow


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
