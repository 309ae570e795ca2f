"""What the report costs: to build, to send, to open, and where nobody asked for it.

The sweep is made by lrbench: 4 optimizers x 25 learning rates x 10 seeds, 500 steps, every one of them
stored. Its page stands against

    plain      a page of the same figures, as seaborn's SVG one below the other, and nothing else: no table,
               no script, no explorer
    shortened  the same page with the SVG as the report writes it, in fewer bytes; no budget, it tells what
               tables and script cost
    seaborn    three line plots of all its runs as SVG, aggregated by seaborn: estimator="median",
               errorbar=("pi", 50)

Chromium opens the pages in turn, each in a context of its own, with the processor as it is and four times
slower, as of a phone. Main thread is the CPU time of its tasks until a second after the load; explorer what
drawing every run adds, once a reader has scrolled there. First paint is wall time. Without chromium or
playwright that table is left out.

python benchmarks/page.py [--quick]
"""

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from measure import Job, child, interleaved, processes
from table import Table, digits, main, percent

REPETITIONS = 7
PEERS = {"plain": 1.3, "shortened": None}  # how many times longer the page may take than each
OPTIMIZERS, LRS, SEEDS = ("sgd", "sgd_momentum", "rmsprop", "adam"), 25, 10
MOST_BYTES = 1.5e6
EXPLORER = "document.querySelector('#explorer').scrollIntoView()"
PAINT = "performance.getEntriesByName('first-paint')[0].startTime"
IMPORTED = """
import sys
import lrbench
lrbench.sweep(*sys.argv[1:])
print(*sorted({"seaborn", "matplotlib", "jinja2"} & set(sys.modules)) or ["none"])
"""


def request(lrs: int, folder: str, *more: str) -> list[str]:
    rates = ",".join(f"{lr:.4g}" for lr in np.geomspace(1e-4, 10, lrs))
    sweep = [
        "problem=synthetic",
        f"optimizer={','.join(OPTIMIZERS)}",
        f"optimizer.lr={rates}",
        f"seed=range({SEEDS})",
        "steps=500",
    ]
    return [*sweep, f"results_dir={folder}", *more]


# ---- building


def build(store: Path) -> None:
    from lrbench.results import load

    load(store).report()


def runs_of(store: Path) -> Any:
    """Return every point of every curve as seaborn wants it: step, gap and optimizer."""
    from lrbench.results import load

    results = load(store)
    return results.curves.merge(results.runs[["run_id", "optimizer"]], on="run_id").replace(np.inf, np.nan)


def three_line_plots(frame: Any) -> None:
    import seaborn as sns
    from matplotlib.figure import Figure

    with np.errstate(over="ignore"):  # matplotlib's margins above diverged runs
        for _ in range(3):
            figure = Figure()
            axes = sns.lineplot(
                frame,
                x="step",
                y="gap",
                hue="optimizer",
                estimator="median",
                errorbar=("pi", 50),
                ax=figure.subplots(),
            )
            axes.set_yscale("log")
            figure.savefig(io.BytesIO(), format="svg")


def building(store: Path, repetitions: int) -> Table:
    frame = runs_of(store)
    times = interleaved(
        {"page": Job(lambda: build(store), 1), "seaborn": Job(lambda: three_line_plots(frame), 1)},
        repetitions,
    )
    page, seaborn = (np.median(of.cpu) for of in times.values())
    row = [
        *map(digits, [page / seaborn, 1.0, page, seaborn]),
        percent(max(of.spread for of in times.values())),
    ]
    reading = (
        "At most 1: reading the store and making tables, figures and page takes no more CPU time than three "
        "plots of the runs, read before."
    )
    return Table("Building", ["CPU ratio", "at most", "page s", "seaborn s", "spread %"], [row], reading)


def size(store: Path, runs: int) -> Table:
    page = (store / "report.html").read_text(encoding="utf-8")
    explorer = re.search(r'<script type="application/json" id="explorer-data">.*?</script>', page, re.DOTALL)[
        0
    ]
    megabytes = [1e-6 * len(text.encode()) for text in (page, "".join(figures(page)), explorer)]
    row = [str(runs), *map(digits, [1e6 * megabytes[0] / MOST_BYTES, 1.0, *megabytes])]
    reading = f"At most 1: a page of 1,000 runs is smaller than {1e-6 * MOST_BYTES} MB."
    return Table("Bytes", ["R", "ratio", "at most", "page MB", "figures MB", "explorer MB"], [row], reading)


# ---- opening


def figures(page: str) -> list[str]:
    return re.findall(r"<svg .*?</svg>", page, re.DOTALL)


def plain(page: str) -> str:
    body = "\n".join(f"<div>{figure}</div>" for figure in figures(page))
    head = '<meta charset="utf-8"><title>plain</title>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


@contextmanager
def browser(executable: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def opened(chromium: Any, path: Path, slower: int) -> np.ndarray:
    """Return (4,) what a page costs.

    That is first paint and main thread in seconds, heap in MB, and what the explorer adds to the main thread
    in seconds (NaN: none).
    """
    context = chromium.new_context(offline=True, viewport={"width": 1100, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})

    def settled() -> dict[str, float]:
        page.wait_for_timeout(1000 * slower)
        return {
            metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]
        }

    page.goto(path.as_uri())
    loaded, paint, more = settled(), page.evaluate(PAINT), np.nan
    if page.locator("#explorer").count():
        page.evaluate(EXPLORER)
        more = settled()["TaskDuration"] - loaded["TaskDuration"]
    context.close()
    return np.array([paint / 1000, loaded["TaskDuration"], loaded["JSHeapUsedSize"] / 1e6, more])


def opening(store: Path, folder: Path, repetitions: int) -> Iterator[Table]:
    executable = shutil.which("chromium")
    if executable is None or find_spec("playwright") is None:
        print(
            "\nOpening is not measured: it takes chromium (apt install chromium) and playwright "
            "(pip install playwright)."
        )
        return
    paths = {"page": store / "report.html", **peers(store, folder)}
    rows = []
    with browser(executable) as chromium:
        title = f"Opening in Chromium {chromium.version}"
        for slower in (1, 4):
            taken = {name: np.empty((repetitions, 4)) for name in paths}
            for repetition in range(-1, repetitions):  # -1 is overwritten by the last
                for name, path in paths.items():
                    taken[name][repetition] = opened(chromium, path.resolve(), slower)
            page, *others = (np.median(of, axis=0) for of in taken.values())
            spread = max(np.ptp(of[:, 1]) / np.median(of[:, 1]) for of in taken.values())
            for (peer, most), other in zip(PEERS.items(), others, strict=True):
                seconds = [1000 * time for pair in zip(page[:2], other[:2], strict=True) for time in pair]
                rows.append(
                    [
                        str(slower),
                        peer,
                        *map(digits, [*(page / other)[:2], most, *seconds, 1000 * page[3]]),
                        percent(spread),
                    ]
                )
    header = [
        "slower",
        "against",
        "paint ratio",
        "main ratio",
        "at most",
        "paint ms",
        "its paint",
        "main ms",
        "its main",
        "explorer ms",
        "spread %",
    ]
    reading = (
        "At most 1.3: until its first paint, and on its main thread, the page takes no more than 30 % longer "
        "than its figures alone."
    )
    yield Table(title, header, rows, reading)


def peers(store: Path, folder: Path) -> dict[str, Path]:
    """Write a plain page of the store's figures as seaborn writes them, and one as the report does."""
    from lrbench.results import load
    from lrbench.results.figures import save

    with patch.object(save, "compact", lambda text: text):
        load(store).report(folder / "long.html")
    paths = {"plain": folder / "long.html", "shortened": store / "report.html"}
    pages = {name: plain(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


# ---- not asked for


def without(lrs: int, repetitions: int) -> Table:
    """The whole command with and without its report."""
    with tempfile.TemporaryDirectory() as folder:

        def command(report: str) -> list[str]:
            return [
                sys.executable,
                "-m",
                "lrbench",
                "-m",
                *request(lrs, tempfile.mkdtemp(dir=folder), f"report={report}"),
            ]

        times = processes(
            {report: lambda report=report: command(report) for report in ("true", "false")}, repetitions
        )
        _, printed = child(
            [sys.executable, "-c", IMPORTED, *request(lrs, tempfile.mkdtemp(dir=folder), "report=false")]
        )
    with_, without = (np.median(of.cpu) for of in times.values())
    row = [
        *map(digits, [without / with_, with_, without, with_ - without]),
        percent(max(of.spread for of in times.values())),
        printed.split("\n")[-2],
    ]
    reading = (
        "CPU seconds of whole commands; imported is what report=false still imports of seaborn, matplotlib "
        "and jinja2."
    )
    return Table(
        "report=false", ["CPU ratio", "true s", "false s", "saved s", "spread %", "imported"], [row], reading
    )


def tables(quick: bool) -> Iterator[Table]:
    lrs, repetitions = (3, 1) if quick else (LRS, REPETITIONS)
    with tempfile.TemporaryDirectory() as folder:
        child([sys.executable, "-m", "lrbench", "-m", *request(lrs, folder, "name=runs")])
        store = Path(folder) / "runs"
        yield size(store, len(OPTIMIZERS) * lrs * SEEDS)
        yield from opening(store, Path(folder), repetitions)
        yield building(store, repetitions)
    yield without(lrs, min(repetitions, 3))


if __name__ == "__main__":
    main(tables, __doc__)
