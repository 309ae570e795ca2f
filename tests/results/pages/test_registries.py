"""A figure or a table that is registered is everywhere: on the page, in Markdown, as files, in the API."""

import re

import pandas as pd
import pytest
from conftest import run, stored
from matplotlib.figure import Figure
from reports import Report, texts_of
from whole import PROBLEM

from lrbench.results import Results
from lrbench.results.figures import FIGURES
from lrbench.results.words.tables import (
    BELOW_A_FIGURE,
    BELOW_RANKING,
    END,
    PROTOCOL,
    SINGLE_RUN,
    TABLES,
    TOP,
    TableSpec,
    tables,
)

PLACES = (SINGLE_RUN, TOP, BELOW_RANKING, BELOW_A_FIGURE, END, PROTOCOL)


@pytest.fixture(scope="module")
def single_run(tmp_path_factory) -> Report:
    """A report of a single run, which has tables of its own, with the baselines that a sweep may ask for."""
    root = tmp_path_factory.mktemp("single") / "study"
    return texts_of(
        stored(root, run(hit=3), problems=(PROBLEM | {"problem_id": "lecture64"},), baselines=True)
    )


@pytest.fixture
def report(whole_report, single_run, spec) -> Report:
    """The report that a table stands in."""
    having = [one for one in (whole_report, single_run) if tables(one.results, spec)]
    assert having, (
        f"{spec.name} has no rows in a report in which nothing is missing, nor in one of a single run"
    )
    return having[0]


def section(page: str, name: str) -> str:
    """Return a section of the page, by its id."""
    found = re.search(rf'<section[^>]* id="{name}".*?</section>', page, flags=re.DOTALL)
    assert found, f"no section {name} on the page"
    return found[0]


def home(spec: TableSpec) -> str:
    """Return the id of the section that a table stands in; empty where it has one of its own."""
    if spec.place == PROTOCOL:
        return "protocol"
    return next((figure.name for figure in FIGURES if spec.name in figure.tables), "")


def frames_read(spec: TableSpec, results: Results) -> dict[str, pd.DataFrame]:
    """Return the public frames of Results that a table is made of."""
    names = []

    class Watched:
        def __getattr__(self, name):
            names.append(name)
            return getattr(results, name)

    spec.frame(Watched())
    read = {name: getattr(results, name) for name in names if not name.startswith("_")}
    return {name: frame for name, frame in read.items() if isinstance(frame, pd.DataFrame)}


# ---- figures


@pytest.mark.parametrize("spec", FIGURES, ids=lambda spec: spec.name)
def test_a_registered_figure_is_everywhere(whole_report, spec):
    results, page, markdown, _ = whole_report
    assert f'aria-label="{spec.title}. ' in section(page, spec.name)
    assert f"![{spec.title}](figures/{spec.name}.svg)" in markdown
    assert (results.store.figures / f"{spec.name}.svg").stat().st_size > 0
    assert spec.method.startswith("plot_")
    assert spec.method in dir(results)
    verb = getattr(results, spec.method)
    assert (verb.__name__, verb.__doc__.startswith(f"Draw {spec.shows}")) == (spec.method, True)


def test_nothing_but_registered_figures_is_written_or_offered(whole_report):
    results = whole_report.results
    assert {path.stem for path in results.store.figures.iterdir()} == {spec.name for spec in FIGURES}
    verbs = [name for name in dir(results) if name.startswith("plot_")]
    assert sorted(verbs) == sorted(spec.method for spec in FIGURES)
    assert isinstance(results.plot_mean_ranks(), Figure)
    with pytest.raises(AttributeError, match="plot_nothing"):
        _ = results.plot_nothing


# ---- tables


def test_every_table_has_one_place():
    """Below a figure that names it, or at a place of its own."""
    named = [name for figure in FIGURES for name in figure.tables]
    below = [spec.name for spec in TABLES if spec.place == BELOW_A_FIGURE]
    homeless = [name for name in below if name not in named]
    assert homeless == [], f"no figure names {homeless}, and they have no place of their own"
    unknown = [name for name in named if name not in below]
    assert unknown == [], f"figures name {unknown}, which are not listed to stand below a figure"
    assert len(named) == len(set(named))
    assert [spec.name for spec in TABLES if spec.place not in PLACES] == []
    assert len({spec.name for spec in TABLES}) == len(TABLES)


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_registered_table_is_everywhere(report, spec):
    results, page, markdown, _ = report
    for text in tables(results, spec):
        where = home(spec) or text.name
        assert f'data-name="{text.name}"' in section(page, where), f"{text.name} is not in {where}"
        assert f"## {text.heading}\n" in markdown.replace("\\", ""), text.heading
    frame = spec.frame(results)
    written = pd.read_csv(results.store.root / "tables" / f"{spec.name}.csv")
    assert (list(written), len(written)) == (list(frame), len(frame))
    latex = (results.store.root / "tables" / f"{spec.name}.tex").read_text(encoding="utf-8")
    assert latex.startswith(r"\begin{tabular}")
    assert frames_read(spec, results), f"{spec.name} is made of no public frame of Results"


def test_nothing_but_registered_tables_is_written(whole_report, single_run):
    names = {spec.name for spec in TABLES}
    for report in (whole_report, single_run):
        assert {path.stem for path in (report.results.store.root / "tables").iterdir()} <= names
