"""The report of a sweep: summary.csv, summary.md, figures/ and one offline page, made from the store alone."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results import figures
from lrbench.results.report.facts import Drawing, facts
from lrbench.results.report.markdown import markdown
from lrbench.results.report.page import page

if TYPE_CHECKING:
    from lrbench.results.result_set import Results

# name of the file, title, caption, how it is drawn
FIGURES = (
    (
        "loss_curves",
        "Loss curves",
        "Gap against gradient evaluations, each optimizer at its best setting. Line: median of the seeds; band: 25 to 75 %. Dashes: theory, where "
        "the curve is known beforehand.",
        figures.loss_curves,
    ),
    (
        "lr_sensitivity",
        "Sensitivity to the learning rate",
        "Final gap against the learning rate. Dots: seeds; line: their geometric mean; ring: the best rate; crosses at the top: diverged; triangles: "
        "where theory says that the optimizer stops converging.",
        figures.lr_sensitivity,
    ),
    (
        "directions",
        "Where the time goes",
        "What is left of the gap, as a share of the start's, by eigen-direction of the Hessian (steep ones on top) and step; one run an "
        "optimizer, at its best setting.",
        figures.directions,
    ),
)


def write(results: "Results", path: Path) -> Path:
    """Write everything, each file whole; return the page's path."""
    store = results.store
    told, drawings = facts(results), _draw(results)
    store.write_text(store.summary("csv"), _summary(results).to_csv(index=False))
    store.write_text(store.summary("md"), markdown(told, drawings))
    store.write_text(path, page(told, drawings))
    return path


def _summary(results: "Results") -> pd.DataFrame:
    """The ranking, and what each optimizer cost on every axis."""
    named = ["task", "optimizer"]
    return results.ranking.drop(columns=["steps_to_target", "evaluations_to_target", "evaluations"]).merge(results.costs, on=named)


def _draw(results: "Results") -> list[Drawing]:
    """Save the figures that the sweep can fill, as SVG and PNG."""
    drawings = []
    for name, title, caption, draw in FIGURES:
        with suppress(RequestError):  # the sweep has nothing for this one
            figure = draw(results)
            figures.save(figure, results.store.figures / f"{name}.png")
            svg = figures.save(figure, results.store.figures / f"{name}.svg")
            drawings.append(Drawing(name, title, caption, svg.read_text(encoding="utf-8")))
    return drawings
