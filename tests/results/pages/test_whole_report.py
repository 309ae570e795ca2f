"""A report in which nothing is missing: its sections in their order, and its words."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from lrbench.results import Results
from lrbench.results.figures import FIGURES
from lrbench.results.pages.explorer import block
from lrbench.results.pages.markdown import escaped
from lrbench.results.words.glossary import GLOSSARY, used

DOCS = Path(__file__).parents[3] / "docs/reading-results.md"
TITLES = {spec.name: spec.title for spec in FIGURES}


@pytest.fixture(scope="module")
def results(whole_report) -> Results:
    return whole_report.results


@pytest.fixture(scope="module")
def page(whole_report) -> str:
    return whole_report.page


# ---- sections


class Outline(HTMLParser):
    """headings: (level, text) in order; texts: all that is said, between tags, in order; links: what is
    linked to; ids.
    """

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
    sections = ["Read before quoting", "Over all tasks", "One setting for all tasks"]
    sections += [f"Ranking: {task}" for task in tasks]
    sections += ["Prediction"]
    sections += [
        TITLES[name]
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
    sections += [TITLES[name] for name in ("pairs", "mean_ranks", "path", "budget", "directions")]
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
    "lr_sensitivity": ["Learning rates that work"],
    "targets": ["On the way to the target", "Who arrives", *["Cost to the target"] * 7],
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
    names = {title: name for name, title in TITLES.items()} | {"Protocol": "protocol"}
    assert {names[heading]: tables for heading, tables in found.items() if tables} == TABLES


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
    "passes through": "RMSprop passes through: within the target at the end of the budget",
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
    words = DOCS.read_text(encoding="utf-8").partition("## The words")[2].partition("\n## ")[0]
    entries = [" ".join(entry.split()) for entry in words.split("\n- ")[1:]]
    for word, _, meaning in GLOSSARY:
        (own,) = [entry for entry in entries if entry.startswith(f"**{word}**:")]
        assert own.startswith(f"**{word}**: {meaning}"), word
