"""Run the studies and write their figures and numbers into the notebook pages and docs: `make experiments`.

A page holds markers such as `<!-- ranking lecture -->` ... `<!-- end -->`; what stands between them comes from the run, never from a hand.
"""

import re
import shutil
import sys
from pathlib import Path

from marked import filled

import lrbench
from lrbench.catalog import catalog
from lrbench.results.report.facts import facts
from lrbench.results.report.markdown import escaped, table

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "experiments").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def blocks(study: str) -> dict[str, str]:
    """Run one study of conf/experiment/, or what is missing of it, keep the figures that pages show, and return its blocks of text by marker."""
    results = lrbench.sweep(f"+experiment={study}", f"results_dir={ROOT / 'results'}")
    for figure in sorted(
        {
            name
            for page in PAGES
            for name in re.findall(rf"figures/{study}-(\w+\.svg)", page.read_text(encoding="utf-8"))
        }
    ):
        shutil.copy(results.store.figures / figure, ROOT / "experiments" / "figures" / f"{study}-{figure}")
    told = facts(results)
    return {
        f"headline {study}": "\n\n".join(map(escaped, told.headline)),
        f"ranking {study}": "\n\n".join(table(ranking) for _, ranking, _ in told.rankings),
        f"warnings {study}": "\n".join(f"- {escaped(sentence)}" for sentence in told.warnings),
    }


if __name__ == "__main__":
    (ROOT / "experiments" / "figures").mkdir(exist_ok=True)
    for study in sys.argv[1:] or [name for name, _ in catalog("experiments")]:
        text = blocks(study)
        for path in PAGES:
            path.write_text(filled(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        print(text[f"headline {study}"])
