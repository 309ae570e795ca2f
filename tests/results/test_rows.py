"""The figures with a row an optimizer, and those over trials and tasks: their artists hold the numbers of the frames; what was lost is seen."""

import re
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import LECTURE, run, tuned
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from test_plots import crosses, lines, scattered, texts

from lrbench.errors import RequestError
from lrbench.results import curves, figures
from lrbench.results.ink import palette
from lrbench.results.report.captions import caption
from lrbench.results.report.html import HERE
from lrbench.results.rows import _ratio
from lrbench.results.text import factor

INF = np.inf
ADAM = {"target_": "torch.optim.Adam"}


def tasks(count: int) -> tuple[dict, ...]:
    return tuple(LECTURE | {"problem_id": f"p{k}", "problem": f"p{k}"} for k in range(count))


def over_tasks(gaps: dict[str, list[float]], hits: dict[str, list[int | None]] | None = None) -> list[dict]:
    """Runs of each optimizer on the tasks p0, p1, ..., one seed."""
    return [
        run(name, gap, problem_id=f"p{k}", problem=f"p{k}", hit=hits[name][k] if hits else None)
        for name, own in gaps.items()
        for k, gap in enumerate(own)
    ]


def offsets(ax, size: float) -> np.ndarray:
    """Return the (x, y) of the marks of one size."""
    return np.concatenate(
        [np.asarray(mark.get_offsets()) for mark in scattered(ax) if mark.get_sizes()[0] == size]
    )


@pytest.fixture
def competitors(write_tuned):
    """adam: tuned 1e-6, default 1e-3; sgd: best at the upper end, one evaluation seed lost, default lost."""
    adam = tuned(
        "adam",
        {0.001: [1e-3, 1e-3], 0.1: [1e-5, 1e-7], 10.0: [1e-1, INF]},
        [1e-6, 1e-5, 1e-7],
        [1e-3, 1e-2, 1e-4],
        **ADAM,
    )
    sgd = tuned(
        "sgd",
        {0.001: [1e-2, 1e-2], 1.0: [1e-3, 1e-3], 100.0: [1e-4, 1e-4]},
        [1e-4, 1e-3, INF],
        [INF, 1e-1, INF],
    )
    return write_tuned(adam, sgd)


# ---- heat-map


def test_cells_meet_half_way_in_log(write):
    cells = curves.cells(curves.sensitivity(write(*[run(lr=lr) for lr in (0.01, 0.1, 10.0)])))
    np.testing.assert_allclose(cells["left"], [10**-2.5, 10**-1.5, 1])
    np.testing.assert_allclose(cells["right"], [10**-1.5, 1, 100])


def test_the_cell_of_a_single_rate_is_as_wide_as_the_others(write):
    cells = curves.cells(
        curves.sensitivity(write(*[run(lr=lr) for lr in (0.01, 0.1, 1.0)], run("adam", lr=0.1)))
    )
    one = cells[cells["optimizer"] == "adam"]
    np.testing.assert_allclose(one[["left", "right"]], [[10**-1.5, 10**-0.5]])


def test_colours_of_the_heat_map_are_the_logs_of_the_gaps(competitors):
    ax = figures.heat_map(competitors).axes[0]
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
    ax = figures.heat_map(competitors).axes[0]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    frame = curves.sensitivity(competitors)
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
    assert texts(figures.heat_map(write(*rows)).axes[0]) == ["2/2", "1/2"]


def test_the_best_cell_is_a_diamond_at_an_edge(competitors):
    ranking = competitors.ranking.set_index("optimizer")
    assert ranking["edge"].to_dict() == {"adam": "", "sgd": "highest"}
    marks = scattered(figures.heat_map(competitors).axes[0])
    at = {len(mark.get_paths()[0].vertices): np.asarray(mark.get_offsets())[0, 0] for mark in marks}
    assert at[max(at)] == 0.1  # a circle has more vertices than a diamond
    assert at[min(at)] == 100.0


def test_numbers_beside_a_colour_bar_of_one_row_do_not_overlap(write):
    figure = figures.heat_map(write(*[run(gap=gap, lr=10.0**-k) for k, gap in enumerate((0.16, 6e-4, 8e-4))]))
    figure.draw_without_rendering()
    bar = figure.axes[1]
    boxes = sorted(
        (label.get_window_extent().y0, label.get_window_extent().y1) for label in bar.get_yticklabels()
    )
    low, high = bar.get_ylim()
    shown = [box for box, tick in zip(boxes, bar.get_yticks(), strict=True) if low <= tick <= high]
    assert shown
    assert all(top <= bottom for (_, top), (bottom, _) in pairwise(shown))


# ---- tuned against default


def test_gains_count_what_was_lost_on_both_sides(competitors):
    frame = curves.gains(competitors).set_index("optimizer")
    assert frame[["lost", "seeds", "default_lost", "default_seeds"]].T.to_dict("list") == {
        "adam": [0, 3, 0, 3],
        "sgd": [1, 3, 2, 3],
    }


def test_the_dumbbell_holds_both_gaps_and_the_gain(competitors):
    (ax,) = figures.tuned_against_default(competitors).axes
    row = competitors.ranking["optimizer"].tolist().index("adam")
    marks = offsets(ax, 46)
    finite = marks[np.isfinite(marks[:, 0])]
    np.testing.assert_allclose(sorted(map(tuple, finite)), [(1e-6, row), (1e-3, row)])
    assert any(text.startswith("1,000") for text in texts(ax))
    assert "1/3" in texts(ax)
    assert len(crosses(ax)) == 1


def test_an_untuned_sweep_has_no_default(write):
    with pytest.raises(RequestError, match=re.escape("tune=lr")):
        figures.tuned_against_default(write(run()))


# ---- seeds


def test_seeds_are_dots_at_their_gaps_and_a_bar_at_the_median(write):
    gaps = [1e-6, 1e-2, 1e-5, 1e-4]
    (ax,) = figures.seeds(
        write(*[run(gap=gap, seed=seed) for seed, gap in enumerate(gaps)], run("adam", 1.0, **ADAM))
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
    (ax,) = figures.seeds(results).axes
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
    (ax,) = figures.seeds(write(*rows)).axes
    assert texts(ax) == ["2/3"]
    assert len(crosses(ax)) == 1
    assert len(offsets(ax, 22)) == 4


def test_all_lost_is_a_figure_all_the_same(write):
    (ax,) = figures.seeds(write(*[run(seed=seed, status="diverged") for seed in range(3)])).axes
    assert sorted(texts(ax)) == ["3/3", "no run completed"]


def test_one_seed_is_no_strip(write):
    with pytest.raises(RequestError, match=re.escape("seed=range(10)")):
        figures.seeds(write(run(), run("adam")))


# ---- pairs


def test_the_matrix_holds_ratios_above_and_wins_below(write):
    noise = [1.0, 1.2, 0.9, 1.1, 1.0, 0.95]
    rows = [run("a", 1e-6 * x, seed=seed) for seed, x in enumerate(noise)]
    rows += [run("b", 5e-6 * x, seed=seed) for seed, x in enumerate(reversed(noise))]
    rows += [run("c", 1.1e-6 * x, seed=seed) for seed, x in enumerate(np.roll(noise, 2))]
    results = write(*rows)
    (ax,) = figures.pairs(results).axes
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
    (ax,) = figures.pairs(write(*better, *lost)).axes
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
    assert [_ratio(row, 9, 100, False) for row in (known, at_least)] == [wide, bound[0] + wide]
    assert [_ratio(row, 9, 1, False) for row in (known, at_least)] == [narrow, bound]


def test_ink_on_the_cells_is_read_in_light_and_dark(write):
    """WCAG contrast of the page's ink on a cell laid over the page's paper, 4.5 at least; a ratio of 1 leaves the paper as it is."""
    gaps = [1e-9, 1e-9, 1e-8, 1e-5, 1e3]
    (ax,) = figures.pairs(
        write(
            *[
                run(f"o{k}", gap * (1 + seed % (k + 1)), seed=seed)
                for k, gap in enumerate(gaps)
                for seed in range(6)
            ]
        )
    ).axes
    faces = [np.array(patch.get_facecolor()) for patch in ax.patches]
    assert {face[3] for face in faces} > {0.55}
    assert min(face[3] for face in faces) < 0.05
    css = (HERE / "page.css").read_text(encoding="utf-8")
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
    figure = figures.pairs(
        write(*rows, run("optimizer_0", status="diverged", seed=3), run("optimizer_19", seed=3))
    )
    figure.draw_without_rendering()
    (ax,) = figure.axes
    cell = ax.get_window_extent().width / 20
    assert max(text.get_window_extent().width for text in ax.texts) < cell


# ---- tasks and trials


def test_the_profile_by_hand(write):
    """Costs 10, 20 | 40, 20 | not reached, 30 | nobody: within 1: a 1/4, b 2/4; within 2: a 2/4, b 3/4."""
    hits = {"a": [10, 40, None, None], "b": [20, 20, 30, None]}
    results = write(*over_tasks({name: [1e-3] * 4 for name in hits}, hits), problems=tasks(4))
    frame = curves.profile(results)
    at = {
        (name, ratio): share
        for name, ratio, share in frame[["optimizer", "ratio", "share"]].itertuples(index=False)
    }
    assert (at["a", 1.0], at["b", 1.0], at["a", 2.0], at["b", 2.0]) == (0.25, 0.5, 0.5, 0.75)
    (ax,) = figures.profile(results).axes
    colours = palette(results.ranking)
    for name, rows in frame.groupby("optimizer"):
        np.testing.assert_allclose(lines(ax)[colours[name]], rows[["ratio", "share"]])
    assert {"2 of 4 tasks", "3 of 4 tasks"} <= set(texts(ax))


def test_a_profile_leaves_out_tasks_without_targets_and_optimizers_that_missed_tasks(write):
    rows = over_tasks({"a": [1e-3] * 4, "b": [1e-3] * 4}, {"a": [1, 2, 3, 4], "b": [2, 2, 2, 2]})
    rows += over_tasks({"c": [1e-3]}, {"c": [1]})
    problems = (*tasks(3), LECTURE | {"problem_id": "p3", "problem": "p3", "scale": None})
    frame = curves.profile(write(*rows, problems=problems))
    assert set(frame["optimizer"]) == {"a", "b"}
    assert set(frame["tasks"]) == {3}


def test_two_tasks_are_no_profile(write):
    with pytest.raises(RequestError, match="three tasks"):
        figures.profile(write(*over_tasks({"a": [1e-3] * 2, "b": [1e-3] * 2}), problems=tasks(2)))


@pytest.fixture
def seven(write):
    """a is ahead of c everywhere, b in between."""
    gaps = {"a": [1e-6] * 7, "b": [1e-5, 1e-7] * 3 + [1e-5], "c": [1e-3 * (1 + k) for k in range(7)]}
    return write(*over_tasks(gaps), problems=tasks(7))


def test_mean_ranks_stand_beside_the_names_and_bars_join_what_is_not_separated(seven):
    ranks = curves.mean_ranks(seven.across)
    expected = seven.ranking.pivot(index="task", columns="optimizer", values="gap").rank(axis=1).mean()
    pd.testing.assert_series_equal(ranks.sort_index(), expected.sort_index(), check_names=False)
    stretches = curves.not_separated(seven.across)
    (ax,) = figures.mean_ranks(seven).axes
    assert {text for text in texts(ax) if "a" in text} == {f"a  {ranks['a']:.2f}"}
    bars = [line for line in ax.lines if line.get_linewidth() == 4]
    assert [len(stretch) for stretch in stretches] == [2]
    for bar, stretch in zip(bars, stretches, strict=True):
        low, high = bar.get_xdata()
        assert [name for name, rank in ranks.items() if low <= rank <= high] == stretch


def test_stretches_are_the_longest_without_a_shown_pair():
    """Against all stretches: those without a shown pair that lie in no longer one."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        names = list("abcdef")
        rows = [
            (a, b, a if rng.random() < 0.4 else "", 1.0 + names.index(a), 1.0 + names.index(b))
            for a, b in combinations(names, 2)
        ]
        across = pd.DataFrame(rows, columns=["a", "b", "better", "rank_a", "rank_b"])
        shown = {(a, b) for a, b, better, *_ in rows if better}
        free = [
            names[i:j]
            for i in range(6)
            for j in range(i + 2, 7)
            if not shown & set(combinations(names[i:j], 2))
        ]
        assert curves.not_separated(across) == [
            one for one in free if not any(set(one) < set(other) for other in free)
        ]


def test_five_tasks_have_no_diagram(write):
    with pytest.raises(RequestError, match="six problems"):
        figures.mean_ranks(write(*over_tasks({"a": [1e-3] * 5, "b": [1e-4] * 5}), problems=tasks(5)))


def test_the_budget_figure_holds_the_quartiles(write):
    results = write(*[run(gap=10.0**-k, lr=10.0**-k) for k in range(6)])
    (ax,) = figures.budget(results).axes
    (colour,) = palette(results.ranking).values()
    np.testing.assert_allclose(lines(ax)[colour], results.budget_curve[["trials", "median"]])
    with pytest.raises(RequestError, match="four settings"):
        figures.budget(write(run(), folder="one"))


def test_an_optimizer_has_one_colour_in_every_figure(competitors):
    colours = palette(competitors.ranking)
    for draw in (figures.tuned_against_default, figures.seeds):
        (ax,) = draw(competitors).axes
        names = [tick.get_text() for tick in ax.get_yticklabels()]
        full = [mark for mark in scattered(ax) if len(mark.get_facecolors()) == len(mark.get_offsets())]
        for (_, y), face in [
            pair
            for mark in full
            for pair in zip(np.asarray(mark.get_offsets()), mark.get_facecolors(), strict=True)
        ]:
            assert to_hex(face) == colours[names[round(float(y))]]
        assert full
