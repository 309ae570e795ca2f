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
from whole import INF, PROBLEM, START, STEPS, WAYS, whole

from lrbench.results import Results
from lrbench.results.figures import FIGURES, ink
from lrbench.results.frames.names import displayed


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


def mean_costs(runs: pd.DataFrame) -> pd.Series:
    """The geometric mean evaluations until arrival of each setting, a miss counts the budget; inf where a
    seed is lost, NaN where all miss.
    """
    groups = runs.groupby(["task", "optimizer", "lr"])
    costs = groups["cost"].agg(lambda costs: np.exp(np.log(costs).mean()))
    return costs.mask(~groups["arrived"].any()).mask(groups["lost"].any(), np.inf)


def lr_sensitivity(results: Results, figure: Figure) -> None:
    costs = mean_costs(shown(results, results.searched))
    drawn: dict[str, set] = {}
    for (_, name), lines in parts(figure, "line", results).items():
        drawn.setdefault(name, set()).update(
            f"{lr:.9g} {cost:.9g}" for line in lines for lr, cost in line.get_xydata() if np.isfinite(cost)
        )
    for name in WAYS:
        own = costs[np.isfinite(costs) & (costs.index.get_level_values("optimizer") == name)]
        assert drawn[name] == {f"{lr:.9g} {cost:.9g}" for (_, _, lr), cost in own.items()}, name


def heat_map(results: Results, figure: Figure) -> None:
    costs = mean_costs(shown(results, results.searched))
    drawn = [
        cell
        for ax in figure.axes
        for cells in ax.collections
        if isinstance(cells, PolyCollection)
        for cell in colours(cells)
    ]
    np.testing.assert_allclose(np.sort(drawn), np.sort(np.log10(costs[np.isfinite(costs)])), rtol=1e-9)


def colours(cells: PolyCollection) -> np.ndarray:
    return np.array([]) if cells.get_array() is None else np.ma.filled(cells.get_array(), np.nan)


def tuned_against_default(results: Results, figure: Figure) -> None:
    for part, runs in (("tuned", results.reported), ("default", results.defaults)):
        costs = mean_costs(shown(results, runs)).droplevel("lr")
        budgets = runs.groupby("task")["budget"].max()
        for key, dot in only(figure, part, results).items():
            place = np.ma.filled(dot.get_offsets(), np.inf)[0, 0]
            if np.isnan(costs[key]):
                assert budgets[key[0]] < place < dot.axes.get_xlim()[1]
            else:
                assert place == pytest.approx(costs[key])


def targets(results: Results, figure: Figure) -> None:
    runs = shown(results, results.reported)
    hits = runs[[f"cost_1e-{k}" for k in range(1, 9)]].astype(float)
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
    runs = shown(results, results.reported).set_index(["task", "optimizer"])
    dots, misses = (parts(figure, part, results) for part in ("dots", "missdots"))
    bars = parts(figure, "bar", results)
    for key in runs.index.unique():
        own = runs.loc[[key]]
        hits = np.sort(own.loc[own["arrived"], "cost"])
        np.testing.assert_allclose(np.sort(dots[key][0].get_offsets()[:, 0]), hits)
        missing = (~own["arrived"] & ~own["lost"]).sum()
        assert sum(len(marks.get_offsets()) for marks in misses.get(key, [])) == missing
        most_arrive = 2 * len(hits) >= len(own)
        assert (key in bars) == most_arrive
        if most_arrive:
            assert bars[key][0].get_segments()[0][0, 0] == hits[(len(own) - 1) // 2]


def pairs(results: Results, figure: Figure) -> None:
    panels = {
        ax.get_title(loc="left"): {tuple(np.round(text.get_position())): text for text in ax.texts[::-1]}
        for ax in figure.axes
    }
    assert list(panels) == results.tasks["task"].head(6).tolist()
    for task, texts in panels.items():
        ranked = results.ranking.loc[results.ranking["task"] == task, "optimizer"]
        place = {name: i for i, name in enumerate(ranked)}
        for row in results.pairwise[results.pairwise["task"] == task].to_dict("records"):
            a, b = place[row["a"]], place[row["b"]]
            assert texts[a, b].get_text() == f"{row['wins']}/{row['n']}"
            told = texts[b, a].get_text()
            if np.isnan(row["ratio"]):
                assert told.replace("\n", " ") == row["word"]
            else:
                assert rounds(told, row["ratio"], 1)


def mean_ranks(results: Results, figure: Figure) -> None:
    scores = results.reported.groupby(["task", "optimizer"])["score"].agg(
        lambda scores: scores.clip(upper=1e3).mean()
    )
    scores = scores.unstack()
    ranks = (
        scores.groupby(scores.index.str[:2]).mean().rank(axis=1).mean()
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
    runs = shown(results, results.searched)
    groups = runs.groupby(["task", "optimizer", "lr"])
    scores = groups["score"].mean().mask(groups["lost"].any(), np.inf)
    budgets = runs.groupby("task")["budget"].max()
    lines = only(figure, "line", results)
    assert {name for _, name in lines} == {"adam", "sgd"}  # those with four trials
    for (task, name), line in lines.items():
        own = scores[task, name]
        best = np.array([np.median([min(some) for some in combinations(own, m)]) for m in (1, 2, 4, 5)])
        heights = budgets[task] * np.exp(best.clip(max=0))
        expected = [(m, at) for m, at, score in zip((1, 2, 4, 5), heights, best, strict=True) if score < INF]
        np.testing.assert_allclose(line.get_xydata(), expected, rtol=1e-9)


def directions(results: Results, figure: Figure) -> None:
    vectors, values = np.reshape(PROBLEM["eigenvectors"], (2, 2)), np.array(PROBLEM["eigenvalues"])
    by_title = {ax.get_title(loc="left"): ax.collections[0] for ax in figure.axes if ax.collections}
    panels = {name: by_title[displayed(name)] for name in WAYS if displayed(name) in by_title}
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
