"""A report in which nothing is missing: its sections in their order, its words, and in every figure the numbers of the frames."""

import re
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from rounding import rounds
from whole import PROBLEM, START, STEPS, WAYS, whole

from lrbench.results import Results, ink, report
from lrbench.results.report.explorer import block
from lrbench.results.report.glossary import GLOSSARY, used
from lrbench.results.report.markdown import escaped

DOCS = Path(__file__).parents[2] / "docs/reading-results.md"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return whole(tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture(scope="module")
def drawn(results) -> dict[str, Figure]:
    return {name: draw(results) for name, _, draw in report.FIGURES}


@pytest.fixture(scope="module")
def page(results, drawn) -> str:
    """The page, its figures being empty pictures."""

    def save(figure: Figure, path: Path) -> Path:
        results.store.write_text(path, '<svg viewBox="0 0 1 1"></svg>')
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            report,
            "FIGURES",
            [(name, title, lambda _, name=name: drawn[name]) for name, title, _ in report.FIGURES],
        )
        patch.setattr(report.figures, "save", save)
        return results.report().read_text(encoding="utf-8")


# ---- sections


class Outline(HTMLParser):
    """headings: (level, text) in order; texts: all that is said, between tags, in order; links: what is linked to; ids."""

    def __init__(self, page: str):
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href" and tag == "a"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag):
        while tag in self.tags and self.tags.pop() != tag:
            pass

    def handle_data(self, data):
        if self.tags and self.tags[-1] not in ("style", "script"):
            self.texts.append(data)
        if self.tags and re.fullmatch("h[1-6]", self.tags[-1]):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)


def test_a_whole_report_has_all_sections_in_their_order(page, results):
    outline = Outline(page)
    tasks = results.tasks["task"].tolist()
    titles = {name: title for name, title, _ in report.FIGURES}
    sections = ["Read before quoting", "Over all tasks", *(f"Ranking: {task}" for task in tasks)]
    sections += [
        titles[name]
        for name in (
            "loss_curves",
            "lr_sensitivity",
            "heat_map",
            "tuned_against_default",
            "targets",
            "profile",
            "seeds",
        )
    ]
    sections += [titles[name] for name in ("pairs", "mean_ranks", "path", "budget", "directions")]
    sections += [
        "Explore every run",
        "Runs that went wrong",
        "Words on this page",
        "Protocol",
        "Run it again",
    ]
    assert [text for level, text in outline.headings if level == 2] == sections
    assert outline.headings[0] == (1, "study")
    levels = [level for level, _ in outline.headings]
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert page.index('id="filter-bar"') > page.index("Read before quoting")
    assert page.index('id="filter-bar"') < page.index("Ranking: ")
    assert outline.links.count("#words") == 2  # from the top, and under the rankings
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)


TABLES = {  # under which figure a table stands, by its heading
    "lr_sensitivity": ["Tolerance of the learning rate"],
    "targets": ["On the way to the target", "Who reaches the target", *["Cost to the target"] * 7],
    "profile": ["Who leads where"],
    "pairs": ["Every pair"],
    "mean_ranks": ["Across the problems"],
    "directions": ["Where the gap is left", "When to stop", "The first update", "What theory allows"],
    "protocol": ["Problems"],
}


def test_tables_stand_under_their_figures(page):
    found: dict[str, list[str]] = {}
    for level, text in Outline(page).headings:
        if level == 2:
            found[text] = below = []
        elif level == 3:
            below.append(text.partition(":")[0])
    titles = {title: name for name, title, _ in report.FIGURES} | {"Protocol": "protocol"}
    assert {titles[heading]: tables for heading, tables in found.items() if tables} == TABLES


def test_the_head_says_what_was_run(page, results):
    head = page[page.index("<header>") : page.index("</header>")]
    told = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", head))
    assert told["Problems"] == "p0, p1, p2, p3, p4 and p5: n = 3, d = 1, κ = 37.5, L = 30"
    counts = results.runs["status"].value_counts()
    ended = ", ".join(f"{counts[status]} {status}" for status in ("completed", "diverged", "failed"))
    assert told["Runs"] == f"{len(results.runs)} planned: {ended}; 3 seeds and 2 for tuning"
    assert told["Budget"] == "8 steps, all rows a step and 16 steps, all rows a step"
    assert told["Made"] == "2025-01-02 with lrbench 1.0.0, complete"
    left = (results.runs["status"] != "failed").sum()
    assert (
        told["Raw data"]
        == f"in this page, gaps to 0.2 %: {left} runs; {counts['failed']} runs failed and left no curve"
    )
    assert block(results)["shown"] == left
    assert "state" not in head


# ---- words


ELSEWHERE = {  # words that this report has no use for, and where others have them
    "closure": "lbfgs",
    "direct solver": "A direct solver finds this minimum exactly",
    "fused": "fused (many runs as one compiled program): adam",
    "one-sided": "the typical gap ends below it (one-sided p = 0.01)",
    "oracle": "heavy ball, oracle at this budget",
}


@pytest.mark.parametrize(("word", "text"), ELSEWHERE.items())
def test_a_word_has_its_meaning_where_it_is_used(word, text):
    assert word in dict(used([text]))


def test_words_stand_in_the_order_of_the_alphabet():
    words = [word.replace("κ", "kappa").casefold() for word, *_ in GLOSSARY]
    assert words == sorted(words)


def test_every_word_of_the_glossary_is_used_by_a_whole_report(page, results):
    words = [(word, meaning) for word, _, meaning in GLOSSARY if word not in ELSEWHERE]
    assert len({word for word, *_ in GLOSSARY}) == len({meaning for *_, meaning in GLOSSARY}) == len(GLOSSARY)
    texts = Outline(page).texts
    assert [(word, meaning) for word, _, meaning in GLOSSARY if meaning in texts] == words
    markdown = results.store.summary("md").read_text(encoding="utf-8")
    for word, meaning in words:
        assert texts.count(meaning) == 1, word
        assert texts[texts.index(meaning) - 1] == word
        assert markdown.count(f"- **{word}**: {escaped(meaning)}\n") == 1, word


def test_the_docs_explain_the_same_words_in_the_same_sentences():
    numbers = DOCS.read_text(encoding="utf-8").partition("## The numbers")[2].partition("\n## ")[0]
    entries = [" ".join(entry.split()) for entry in numbers.split("\n- ")[1:]]
    for word, _, meaning in GLOSSARY:
        (own,) = [entry for entry in entries if entry.startswith(f"**{word}**:")]
        assert own.startswith(f"**{word}**: {meaning}"), word


# ---- figures


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
    """The rows of the six tasks that a figure has panels for, with the optimizer's name as `optimizer`."""
    return frame[frame["task"].isin(results.tasks["task"].head(6))].assign(
        optimizer=lambda rows: rows.get("optimizer", rows.get("name"))
    )


def loss_curves(results: Results, figure: Figure) -> None:
    curves = results.curves.merge(shown(results, results.reported)[["run_id", "task", "name"]], on="run_id")
    expected = curves.groupby(["task", "name", "step"])["gap"].median().unstack()
    lines = only(figure, "line", results)
    assert set(lines) == set(expected.index)
    for key, line in lines.items():
        np.testing.assert_allclose(line.get_ydata(), expected.loc[key].dropna(), rtol=1e-12)
        np.testing.assert_array_equal(line.get_xdata(), expected.loc[key].dropna().index)


def lr_sensitivity(results: Results, figure: Figure) -> None:
    gaps = (
        shown(results, results.searched)
        .groupby(["name", "lr"])["gap"]
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
        .groupby(["task", "name", "lr"])["gap"]
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
            .groupby(["task", "name"])["gap"]
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
        own = hits[(runs["task"] == task) & (runs["name"] == name)].to_numpy()
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
    gaps = shown(results, results.reported).groupby(["task", "name"])["gap"]
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
        .groupby(["task", "name", "lr"])["gap"]
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


@pytest.mark.parametrize("name", [name for name, *_ in report.FIGURES])
def test_a_figure_holds_the_numbers_of_the_frames(results, drawn, name):
    {check.__name__: check for check in HOLDS}[name](results, drawn[name])
