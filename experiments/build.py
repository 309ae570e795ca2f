"""Run the studies and write their figures and numbers into the notebook pages and docs: `make experiments`.

A page holds markers; what stands between them comes from the run, never from a hand:

    <!-- ranking lecture -->
    | optimizer | ...
    <!-- end -->
"""

import re
import shutil
import sys
from pathlib import Path

from marked import filled

import lrbench
from lrbench.catalog import catalog
from lrbench.results import Results
from lrbench.results.pages.content import content_of
from lrbench.results.pages.markdown import escaped, table

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "experiments"
FIGURES = NOTEBOOK / "figures"
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(NOTEBOOK.glob("*.md")), *sorted(DOCS.glob("*.md"))]


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    every_study = [name for name, _ in catalog("experiments")]
    for study in sys.argv[1:] or every_study:
        # a study that is stored is not run again, only what is missing of it
        results = lrbench.sweep(f"+experiment={study}", f"results_dir={ROOT / 'results'}")
        copy_figures(study, results)
        texts = blocks(study, results)
        for page in PAGES:
            write(page, filled(read(page), texts))
        print(texts[f"headline {study}"])


def copy_figures(study: str, results: Results) -> None:
    """Keep the figures of a study that pages show: the results themselves are not tracked."""
    shown: set[str] = set()
    for page in PAGES:
        shown.update(re.findall(rf"figures/{study}-(\w+\.svg)", read(page)))
    for name in sorted(shown):
        made = results.store.figures / name
        shutil.copy(made, FIGURES / f"{study}-{name}")


def blocks(study: str, results: Results) -> dict[str, str]:
    """Return the text of a study for each of its markers."""
    content = content_of(results)
    headline = map(escaped, content.headline)
    rankings = [table(ranking.rows) for ranking in content.tables["ranking"]]
    warnings = [f"- {escaped(sentence)}" for sentence in content.warnings]
    return {
        f"headline {study}": "\n\n".join(headline),
        f"ranking {study}": "\n\n".join(rankings),
        f"warnings {study}": "\n".join(warnings),
    }


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def write(page: Path, text: str) -> None:
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
