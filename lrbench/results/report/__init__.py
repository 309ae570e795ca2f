"""The report of a sweep: summary.csv, summary.md, tables/, figures/ and one offline page, made from the store alone."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results import figures
from lrbench.results.landscape_plot import svg_paths
from lrbench.results.report import explorer
from lrbench.results.report.captions import caption
from lrbench.results.report.compared import files
from lrbench.results.report.facts import Drawing, facts
from lrbench.results.report.findings import finding
from lrbench.results.report.markdown import markdown
from lrbench.results.report.page import page

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

# name of the file and of its caption, title, how it is drawn
FIGURES = (
    ("loss_curves", "Loss curves", figures.loss_curves),
    ("lr_sensitivity", "Sensitivity to the learning rate", figures.lr_sensitivity),
    ("heat_map", "Final gap of all over the learning rate", figures.heat_map),
    ("tuned_against_default", "Tuned against default", figures.tuned_against_default),
    ("targets", "Targets reached", figures.targets),
    ("profile", "Performance profile", figures.profile),
    ("seeds", "Seed by seed", figures.seeds),
    ("pairs", "Pair by pair", figures.pairs),
    ("mean_ranks", "Mean ranks over the problems", figures.mean_ranks),
    ("path", "The way down", figures.path),
    ("budget", "Fewer trials", figures.budget),
    ("directions", "Where the time goes", figures.directions),
)


def write(results: "Results", path: Path) -> Path:
    """Write everything, each file whole; return the page's path."""
    store = results.store
    drawings = _draw(results)
    told = facts(results, [drawing.caption for drawing in drawings])
    store.write_text(store.summary("csv"), _summary(results).to_csv(index=False))
    store.write_text(store.summary("md"), markdown(told, drawings))
    for name, content in files(results):
        store.write_text(store.root / "tables" / name, content)
    store.write_text(path, page(told, drawings, explorer.block(results)))
    return path


def _summary(results: "Results") -> pd.DataFrame:
    """The ranking, and what each optimizer cost on every axis."""
    named = ["task", "optimizer"]
    return results.ranking.drop(columns=["steps_to_target", "evaluations_to_target", "evaluations"]).merge(
        results.costs, on=named
    )


def _draw(results: "Results") -> list[Drawing]:
    """Save the figures that the sweep can fill, as SVG and PNG."""
    drawings = []
    for name, title, draw in FIGURES:
        with suppress(RequestError):  # the sweep has nothing for this one
            figure = draw(results)
            figures.save(figure, results.store.figures / f"{name}.png")
            svg = figures.save(figure, results.store.figures / f"{name}.svg")
            paths = json.dumps(svg_paths(results, figure), separators=(",", ":")) if name == "path" else ""
            words = caption(name, results), finding(name, results)
            drawings.append(Drawing(name, title, *words, svg.read_text(encoding="utf-8"), paths))
    return drawings
