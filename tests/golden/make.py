"""Make the ten result sets with the lrbench of one tree, and everything that people see of them: python make.py TREE FOLDER.

Time, ids and threads are fixed before lrbench is imported, and only what lrbench offers to everybody is used:
so the same driver works with every tree, however it is built inside.
"""

import contextlib
import datetime
import io
import itertools
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# what keeps `datetime.datetime` and `time.*` under their own name is imported before they are replaced
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

WIDTHS = {80: {}, 200: {"FORCE_COLOR": "1", "TERM": "xterm-256color"}}  # columns -> what else is set
INTERRUPTED = 130
FIRST_MOMENT = datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)

stopwatch = time.perf_counter  # the true one


class Clock:
    """The moment that lrbench is told; it stands still within a command."""

    now = FIRST_MOMENT

    @classmethod
    def tick(cls) -> None:
        cls.now += datetime.timedelta(minutes=1)


def make_deterministic() -> None:
    """Replace the clock, the counted ids and the number of processors, at their source."""
    true_datetime = datetime.datetime

    class SameInstances(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, true_datetime)

    class StoppedDatetime(true_datetime, metaclass=SameInstances):
        __slots__ = ()  # compiled modules check the size of the class

        @classmethod
        def now(cls, tz=None):
            return Clock.now.astimezone(tz)

    datetime.datetime = StoppedDatetime
    # measured seconds become 0, and a buffer is never flushed because time has passed
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, lambda: 0.0)
    numbers = itertools.count(1)
    uuid.uuid4 = lambda: uuid.UUID(int=next(numbers) << 64)
    # engines ask it how many threads to start
    os.sched_getaffinity = lambda pid: {0}
    torch.set_num_threads(1)
    np.set_printoptions(threshold=sys.maxsize, floatmode="unique", linewidth=sys.maxsize)
    matplotlib.rcParams["svg.hashsalt"] = "golden"


def import_lrbench(tree: Path):
    """Import lrbench, and make sure that it is the one of this tree, with its own configurations."""
    import lrbench
    import lrbench.cli

    place = Path(lrbench.__file__).resolve()
    if not place.is_relative_to(tree):
        raise SystemExit(f"golden: lrbench was imported from {place}, not from {tree}.")
    if (tree / "lrbench" / "conf").exists() or not (tree / "conf" / "config.yaml").is_file():
        raise SystemExit(f"golden: {tree} has no conf/ of its own beside lrbench/.")
    return lrbench


# ---- what a command prints


@contextlib.contextmanager
def _environment(columns: int) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({"COLUMNS": str(columns), **WIDTHS[columns]})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def command(lrbench, title: str, line: list[str], columns: int) -> int | None:
    """Run a command line; write its exit code and what it printed to terminal/<title>-<columns>.txt."""
    Clock.tick()
    out, err = io.StringIO(), io.StringIO()
    with _environment(columns), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = lrbench.cli.main(line)
        except Exception as error:
            code = None
            err.write("".join(traceback.format_exception_only(error)))
            traceback.print_exc(file=sys.__stderr__)
    text = f"exit code {code}\n---- stdout\n{out.getvalue()}---- stderr\n{err.getvalue()}"
    _write(Path("terminal") / f"{title}-{columns}.txt", text)
    return code


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# ---- what a program or a notebook is given


def offered(thing: Any, folder: str) -> None:
    """Write every public attribute that holds data, every figure, and what a notebook shows."""
    names = [name for name in dir(thing) if not name.startswith("_")]
    for name in names:
        if name.startswith("plot_"):
            _plot(getattr(thing, name), Path("plots") / folder / name)
        else:
            _attribute(lambda name=name: getattr(thing, name), Path("frames") / folder / name)
    if "summary" in names:
        _attribute(thing.summary, Path("frames") / folder / "summary()")
    _attribute(thing._repr_html_, Path("notebook") / folder, suffix=".html")


def _attribute(read: Callable[[], Any], path: Path, suffix: str = ".txt") -> None:
    try:
        value = read()
    except Exception as error:
        value = "".join(traceback.format_exception_only(error))
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        types = "".join(f"# {name}: {dtype}\n" for name, dtype in value.dtypes.items())
        _write(path.with_name(f"{path.name}.csv"), types + value.to_csv())
    elif isinstance(value, list):
        _write(path.with_name(f"{path.name}{suffix}"), "\n".join(map(str, value)) + "\n")
    elif isinstance(value, str | bool | int | float):
        _write(path.with_name(f"{path.name}{suffix}"), f"{value}\n")


def _plot(draw: Callable[[], Figure], path: Path) -> None:
    try:
        figure = draw()
    except Exception as error:
        _write(path.with_name(f"{path.name}.txt"), "".join(traceback.format_exception_only(error)))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path.with_name(f"{path.name}.svg"), metadata={"Date": None})
    plt.close(figure)


# ---- all sets


def make(lrbench, requests) -> None:
    """Make one set in the current folder."""
    for number, request in enumerate(requests, start=1):
        request.prepare()
        line, title = list(request.line), f"{number}-sweep"
        # the second time nothing is left to train, so that only the answer is printed anew
        code = command(lrbench, title, [*line, "report=false"], 200)
        if code != INTERRUPTED:
            command(lrbench, title, line, 80)
    folders = sorted(str(path.parent) for path in Path("results").glob("*/manifest.json"))
    for folder in folders:
        if not Path(folder, "report.html").exists():
            for columns in WIDTHS:
                command(lrbench, f"report-{Path(folder).name}", ["report", folder], columns)
        offered(lrbench.load(folder), Path(folder).name)
    for columns in WIDTHS:
        command(lrbench, "list-results", ["list", "results"], columns)
    if len(folders) == 2:
        for columns in WIDTHS:
            command(lrbench, "compare", ["compare", *folders], columns)
        offered(lrbench.compare(*folders), "compare")


def main() -> None:
    tree, out = (Path(argument).resolve() for argument in sys.argv[1:])
    make_deterministic()
    lrbench = import_lrbench(tree)
    from sets import SETS

    for golden in SETS:
        begun = stopwatch()
        folder = out / golden.name
        folder.mkdir(parents=True)
        os.chdir(folder)
        make(lrbench, golden.requests)
        print(f"{out.name:6} {golden.name:16} {stopwatch() - begun:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
