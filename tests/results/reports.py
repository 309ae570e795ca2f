"""Reports that many tests read, each made once for all workers: a report costs two seconds and more, most of
it for its figures.

Fixtures of the session: `whole_report`, in which nothing is missing; `tuned_sweep`, a real one;
`hostile_sweep`, whose names are no plain words; `two_tuned`, two optimizers written by hand, without a
report.
"""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from conftest import LECTURE, TUNE, opened, run, stored, stored_tuned, tuned
from filelock import FileLock
from whole import whole

import lrbench
from lrbench.results import Results
from lrbench.results.pages.report import write_texts

HOSTILE = [
    "<script>hit=1</script>",
    '"><img src=x onerror="hit=1">',
    "</script><script>hit=1</script>",
    "{{ 7 * 7 }}",
    "ünï © " + "x" * 200,
    "a|b`*_&amp;\\",
    "a\"b'c",
    "名前 ünï",
    "`|*_[x](",
    'id="a url(#b #24292f',
]


class Report(NamedTuple):
    """What a report is made of, read back."""

    results: Results
    page: str
    markdown: str
    summary: pd.DataFrame


Once = Callable[[str, Callable[[Path], Results]], Results]


def report_of(results: Results) -> Report:
    """Write a whole report and read it back."""
    results.report()
    return _read(results)


def texts_of(results: Results) -> Report:
    """Write a report without figures and read it back: for what is told beside them."""
    write_texts(results, [], results.store.report)
    return _read(results)


def _read(results: Results) -> Report:
    page = results.store.report.read_text(encoding="utf-8")
    markdown = results.store.summary("md").read_text(encoding="utf-8")
    # pandas 2 by itself rounds what it reads; in pandas 3 the argument that forbids it is deprecated
    summary = pd.read_csv(results.store.summary("csv"), engine="pyarrow")
    return Report(results, page, markdown, summary)


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Once:
    """once(name, make) -> Results: make(folder) by the first worker that asks, and read by the others."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a folder of its own in that of the session
        base = base.parent

    def made(name: str, make: Callable[[Path], Results]) -> Results:
        finished = base / f"{name}.finished"
        with FileLock(base / f"{name}.lock"):
            if not finished.exists():
                finished.write_text(str(make(base / name).store.root))
        return opened(Path(finished.read_text()))

    return made


@pytest.fixture(scope="session")
def whole_report(once) -> Report:
    def make(folder: Path) -> Results:
        results = whole(folder / "study")
        results.report()
        return results

    return _read(once("whole", make))


@pytest.fixture(scope="session")
def tuned_sweep(once) -> Results:
    """A small tuned sweep on the lecture's problem, which has two parameters, so that there is a path."""
    lines = ["optimizer=sgd,adam,rprop", "tune=lr", "tune.trials=8", "seed=range(4)", "steps=30"]
    return once("tuned", lambda folder: lrbench.sweep(*lines, f"results_dir={folder}"))


@pytest.fixture(scope="session")
def hostile_sweep(once) -> Results:
    """Names of optimizers, settings, a problem, a reason and the sweep itself that are no plain words; a run
    of each optimizer fails.
    """
    rows = []
    for place, name in enumerate(HOSTILE):
        gap = 10.0**-place
        rows += [run(name, gap, seed=seed, lr=lr, mode=HOSTILE[1]) for seed in (0, 1) for lr in (0.1, 0.2)]
        rows.append(run(name, status="failed", reason=HOSTILE[0], weights=None, lr=0.3))

    def make(folder: Path) -> Results:
        results = stored(
            folder / "study",
            *[row | {"problem": HOSTILE[2]} for row in rows],
            problems=(LECTURE | {"problem": HOSTILE[2]},),
            name=HOSTILE[1],
            warnings=HOSTILE,
        )
        results.report()
        return results

    return once("hostile", make)


@pytest.fixture(scope="session")
def two_tuned(tmp_path_factory) -> Results:
    """Two tuned optimizers, one with LaTeX's and Markdown's specials in its name; a seed of the other is
    lost.
    """
    adam = tuned(
        "a_d&am",
        {0.001: [1e-3, 1e-3], 0.1: [1e-8, 1e-7], 10.0: [1e-1, 2e-1]},
        [1e-6, 1e-8, 1e-7],
        [1e-3, 1e-2, 1e-4],
    )
    sgd = tuned(
        "sgd",
        {0.001: [1e-2, 1e-2], 1.0: [1e-3, 1e-3], 100.0: [1e-4, 1e-4]},
        [1e-4, 1e-3, math.inf],
        [math.inf, 1e-1, math.inf],
    )
    root = tmp_path_factory.mktemp("two") / "study"
    return stored_tuned(root, adam, sgd, tune=TUNE | {"lr": [1e-5, 1e2]})
