"""Run the studies and write their figures and numbers into the notebook pages and docs: `make experiments`.

A page holds markers; what stands between them comes from the run, never from a hand:

    <!-- ranking lecture -->
    | optimizer | ...
    <!-- end -->
"""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from marked import filled

import lrbench
from lrbench.catalog import catalog
from lrbench.results import Results
from lrbench.results.pages.content import content_of
from lrbench.results.pages.markdown import escaped, table
from lrbench.results.tables.tasks import of_task
from lrbench.results.words import answers, leader
from lrbench.results.words.cells import BRIEF
from lrbench.results.words.tables import Table
from lrbench.results.words.verdict import budget

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
        print(texts[f"answer {study}"])


def copy_figures(study: str, results: Results) -> None:
    """Keep the figures of a study that pages show: the results themselves are not tracked."""
    shown: set[str] = set()
    for page in PAGES:
        shown.update(re.findall(rf"figures/{study}-(\w+\.svg)", read(page)))
    for name in sorted(shown):
        made = results.store.figures / name
        shutil.copy(made, FIGURES / f"{study}-{name}")


def blocks(study: str, results: Results) -> dict[str, str]:
    """Return the text of a study for each of its markers.

    answer: who is better, and of one task how sure that is and what the models answer; more: what else the
    verdict says.
    """
    content = content_of(results)
    answer = list(_answer(results))
    more = [sentence for sentence in content.headline if sentence not in answer]
    rankings = [_under_its_task(results, ranking) for ranking in content.tables["ranking"]]
    return {
        f"answer {study}": "\n\n".join(map(escaped, answer)),
        f"more {study}": _list([*more, *budget(results)]),
        f"ranking {study}": "\n\n".join(rankings),
        f"prediction {study}": "\n\n".join(table(each.rows) for each in content.tables["answers"]),
        f"warnings {study}": _list(content.warnings),
    }


def _answer(results: Results) -> Iterator[str]:
    tasks = [task for _, task in results.tasks.iterrows()]
    for task in tasks:
        ranking = of_task(results.ranking, task["task"])
        yield from leader.sentence(results, task, ranking)
        if len(tasks) == 1:
            yield from leader.confidence(results, task, ranking)
            yield from answers.said(results.answers)


def _under_its_task(results: Results, ranking: Table) -> str:
    """Write the columns of a ranking that are read first, under its heading where there are several."""
    heading = f"{escaped(ranking.heading)}\n\n" if len(results.tasks) > 1 else ""
    return heading + table(ranking.rows[BRIEF])


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def write(page: Path, text: str) -> None:
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
