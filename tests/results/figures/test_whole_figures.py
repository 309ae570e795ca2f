"""In every figure of a sweep in which nothing is missing stand the numbers of its frames."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from rounding import rounds
from whole import PROBLEM, START, STEPS, WAYS, whole

from lrbench.results import Results
from lrbench.results.figures import FIGURES, ink


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return whole(tmp_path_factory.mktemp("whole") / "study")


def parts(figure: Figure, part: str, results: Results) -> dict[tuple[str, str], list[Artist]]:
    """(title of its axes, optimizer) -> the artists whose ids begin with `part`."""
    names, found = list(ink.palette(results.ranking)), {}
    for artist in figure.findobj(
        lambda one: bool(re.fullmatch(rf"{part}\d*-\d+-optimizer-\d+", one.get_gid() or ""))
    ):
        found.setdefault(
            (artist.axes.get_title(loc="left"), names[int(artist.get_gid().rpartition("-")[2])]), []
        ).append(artist)
    return found


def only(figure: Figure, part: str, results: Results) -> dict[tuple[str, str], Artist]:
    found = parts(figure, part, results)
    assert found
    assert all(len(artists) == 1 for artists in found.values())
    return {key: artist for key, (artist,) in found.items()}


def shown(results: Results, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the six tasks that a figure has panels for."""
    return frame[frame["task"].isin(results.tasks["task"].head(6))]


def loss_curves(results: Results, figure: Figure) -> None:
    curves = results.curves.merge(
        shown(results, results.reported)[["run_id", "task", "optimizer"]], on="run_id"
    )
    expected = curves.groupby(["task", "optimizer", "step"])["gap"].median().unstack()
    lines = only(figure, "line", results)
    assert set(lines) == set(expected.index)
    for key, line in lines.items():
        np.testing.assert_allclose(line.get_ydata(), expected.loc[key].dropna(), rtol=1e-12)
        np.testing.assert_array_equal(line.get_xdata(), expected.loc[key].dropna().index)


def lr_sensitivity(results: Results, figure: Figure) -> None:
    gaps = (
        shown(results, results.searched)
        .groupby(["optimizer", "lr"])["gap"]
        .agg(lambda gaps: np.exp(np.log(gaps).mean()))
    )
    drawn: dict[str, set] = {}
    for (_, name), lines in parts(figure, "line", results).items():
        drawn.setdefault(name, set()).update(
            f"{lr:.9g} {gap:.9g}" for line in lines for lr, gap in line.get_xydata() if np.isfinite(gap)
        )
    for name in WAYS:
        assert drawn[name] == {f"{lr:.9g} {gap:.9g}" for lr, gap in gaps[name].items() if np.isfinite(gap)}, (
            name
        )


def heat_map(results: Results, figure: Figure) -> None:
    gaps = (
        shown(results, results.searched)
        .groupby(["task", "optimizer", "lr"])["gap"]
        .agg(lambda gaps: np.log10(gaps).mean())
    )
    drawn = [
        cell
        for ax in figure.axes
        for cells in ax.collections
        if isinstance(cells, PolyCollection)
        for cell in colours(cells)
    ]
    np.testing.assert_allclose(np.sort(drawn), np.sort(gaps[np.isfinite(gaps)]), rtol=1e-9)


def colours(cells: PolyCollection) -> np.ndarray:
    return np.array([]) if cells.get_array() is None else np.ma.filled(cells.get_array(), np.nan)


def tuned_against_default(results: Results, figure: Figure) -> None:
    for part, runs in (("tuned", results.reported), ("default", results.defaults)):
        gaps = (
            shown(results, runs)
            .groupby(["task", "optimizer"])["gap"]
            .agg(lambda gaps: np.exp(np.log(gaps).mean()))
        )
        dots = only(figure, part, results)
        assert {
            key: pytest.approx(np.ma.filled(dot.get_offsets(), np.inf)[0, 0]) for key, dot in dots.items()
        } == gaps.to_dict()


def targets(results: Results, figure: Figure) -> None:
    runs = shown(results, results.reported)
    hits = (
        runs[[f"evaluations_to_1e-{k}" for k in range(1, 9)]]
        .astype(float)
        .where(runs["status"] == "completed")
    )
    for (task, name), line in only(figure, "line", results).items():
        own = hits[(runs["task"] == task) & (runs["optimizer"] == name)].to_numpy()
        assert line.get_drawstyle() == "steps-post"
        np.testing.assert_allclose(line.get_ydata(), [(own <= x).mean() for x in line.get_xdata()])
        assert set(own[~np.isnan(own)]) <= set(line.get_xdata())


def profile(results: Results, figure: Figure) -> None:
    costs = results.ranking.pivot(index="task", columns="optimizer", values="evaluations_to_target")
    ratios = costs.div(costs.min(axis=1), axis=0)
    lines = only(figure, "line", results)
    assert {name for _, name in lines} == set(costs)
    for (_, name), line in lines.items():
        assert line.get_drawstyle() == "steps-post"
        np.testing.assert_allclose(line.get_ydata(), [(ratios[name] <= x).mean() for x in line.get_xdata()])


def seeds(results: Results, figure: Figure) -> None:
    gaps = shown(results, results.reported).groupby(["task", "optimizer"])["gap"]
    for key, dots in only(figure, "dots", results).items():
        own = gaps.get_group(key)
        np.testing.assert_allclose(np.sort(dots.get_offsets()[:, 0]), np.sort(own[np.isfinite(own)]))
    for key, bar in only(figure, "bar", results).items():
        assert bar.get_segments()[0][:, 0] == pytest.approx(gaps.median()[key])


def pairs(results: Results, figure: Figure) -> None:
    panels = {
        ax.get_title(loc="left"): {text.get_position(): text.get_text() for text in ax.texts}
        for ax in figure.axes
    }
    assert list(panels) == results.tasks["task"].head(6).tolist()
    for task, texts in panels.items():
        place = {
            name: i
            for i, name in enumerate(results.ranking.loc[results.ranking["task"] == task, "optimizer"])
        }
        for row in results.pairwise[results.pairwise["task"] == task].to_dict("records"):
            a, b = place[row["a"]], place[row["b"]]
            assert texts[a, b] == f"{row['wins']}/{row['n']}"
            ratio = row["at_least"] if np.isnan(row["ratio"]) else row["ratio"]
            assert texts[b, a].startswith("≥") == np.isnan(row["ratio"])
            assert rounds(texts[b, a].removeprefix("≥"), ratio, 1)


def mean_ranks(results: Results, figure: Figure) -> None:
    logs = np.log(results.ranking.pivot(index="task", columns="optimizer", values="gap"))
    ranks = (
        logs.groupby(logs.index.str[:2]).mean().rank(axis=1).mean()
    )  # the two budgets of p0 are one problem
    assert {
        name: line.get_xdata()[0] for (_, name), line in only(figure, "line", results).items()
    } == pytest.approx(ranks.to_dict())


def path(results: Results, figure: Figure) -> None:
    for (_, name), line in only(figure, "path", results).items():
        states = line.get_xydata()
        kept = (
            len(WAYS[name]) if name != "rprop" else 2
        )  # the third of its states is outside of the frame, where the way ends
        np.testing.assert_allclose(states[:kept], WAYS[name][:kept])
        assert len(states) == kept + (name == "rprop")
    assert {
        tuple(offset) for ax in figure.axes for dots in ax.collections for offset in dots.get_offsets()
    } > {tuple(START), (2.0, 0.0)}


def budget(results: Results, figure: Figure) -> None:
    settings = (
        shown(results, results.searched)
        .groupby(["task", "optimizer", "lr"])["gap"]
        .agg(lambda gaps: np.exp(np.log(gaps).mean()))
    )
    lines = only(figure, "line", results)
    assert {name for _, name in lines} == {"adam", "sgd"}  # those with four trials
    for key, line in lines.items():
        best = [np.median([min(some) for some in combinations(settings[key], m)]) for m in (1, 2, 4, 5)]
        np.testing.assert_allclose(
            line.get_xydata(),
            [(m, gap) for m, gap in zip((1, 2, 4, 5), best, strict=True) if np.isfinite(gap)],
            rtol=1e-9,
        )


def directions(results: Results, figure: Figure) -> None:
    vectors, values = np.reshape(PROBLEM["eigenvectors"], (2, 2)), np.array(PROBLEM["eigenvalues"])
    panels = {
        ax.get_title(loc="left"): ax.collections[0]
        for ax in figure.axes
        if ax.collections and ax.get_title(loc="left") in WAYS
    }
    assert set(panels) == set(WAYS)
    for name, cells in panels.items():
        left = values * ((WAYS[name] - PROBLEM["w_star"]) @ vectors.T) ** 2  # (K, 2)
        share = np.log10(left / left[0].sum()).T
        np.testing.assert_allclose(
            np.reshape(cells.get_array(), (2, len(STEPS))), share.clip(cells.get_clim()[0], 0), rtol=1e-9
        )


HOLDS = (
    loss_curves,
    lr_sensitivity,
    heat_map,
    tuned_against_default,
    targets,
    profile,
    seeds,
    pairs,
    mean_ranks,
    path,
    budget,
    directions,
)


@pytest.mark.parametrize("spec", FIGURES, ids=lambda spec: spec.name)
def test_a_figure_holds_the_numbers_of_the_frames(results, spec):
    {check.__name__: check for check in HOLDS}[spec.name](results, spec.draw(results))
