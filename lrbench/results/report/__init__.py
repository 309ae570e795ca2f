"""The report of a sweep: summary.csv, summary.md, figures/ and one offline page, made from the store alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from lrbench.results import curves, figures
from lrbench.results.report.facts import facts
from lrbench.results.report.markdown import markdown
from lrbench.results.report.page import page

if TYPE_CHECKING:
    from lrbench.results.result_set import Results


def write(results: "Results", path: Path) -> Path:
    """Write everything, each file whole; return the page's path."""
    store = results.store
    store.write_text(store.summary("csv"), results.ranking.to_csv(index=False))
    drawn = _draw(results)
    told = facts(results)
    store.write_text(store.summary("md"), markdown(told, [(name, caption) for name, caption, _ in drawn]))
    store.write_text(path, page(told, [(name, caption, svg.read_text(encoding="utf-8")) for name, caption, svg in drawn]))
    return path


def _draw(results: "Results") -> list[tuple[str, str, Path]]:
    """Save the figures that the sweep can fill as SVG and PNG: (name, caption, path of the SVG) each."""
    seeds = f"line: median of the seeds; band: 25 to 75 %; the target is a relative gap of {results.manifest['target']:g}"
    wanted = [
        ("loss_curves", f"Gap against gradient evaluations, each optimizer at its best setting ({seeds}).", curves.best_curves, figures.loss_curves),
        (
            "lr_sensitivity",
            "Final gap against the learning rate. Dots: seeds; line: their geometric mean; ring: the best rate; crosses at the top: diverged.",
            curves.sensitivity,
            figures.lr_sensitivity,
        ),
    ]
    drawn = []
    for name, caption, frame, draw in wanted:
        if frame(results).empty:
            continue
        figure = draw(results)
        for suffix in ("png", "svg"):
            path = figures.save(figure, results.store.figures / f"{name}.{suffix}")
        drawn.append((name, caption, path))
    return drawn
