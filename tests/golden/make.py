"""Make the ten result sets with the lrbench of a tree, and all that people see of them: make.py TREE FOLDER.

Time, ids and threads are fixed before lrbench is imported, and only what lrbench offers to everybody is used:
so the same driver works with every tree, however that is built inside. Of each set FOLDER then holds, in a
folder of its own,

    results/    what the command lines wrote
    terminal/   what they printed, at 80 columns, and at 200 in colour
    notebook/   what a notebook shows of the loaded results, and of their comparison
    frames/     every public attribute that holds data: frames as CSV under the types of their columns
    plots/      every plot_* method's figure
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
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

# imported before the clock is replaced: these keep the true one under names of their own
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

NARROW, WIDE = 80, 200  # columns
COLOUR = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
INTERRUPTED = 130  # the exit code
FIRST_MOMENT = datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")

stopwatch = time.perf_counter  # the true one


# ---- the same on both sides


class Clock:
    """The moment that lrbench is told. It stands still during a command."""

    now = FIRST_MOMENT

    @classmethod
    def tick(cls) -> None:
        cls.now += datetime.timedelta(minutes=1)


def make_deterministic() -> None:
    """Replace what differs from call to call, at its source."""
    datetime.datetime = _stopped(datetime.datetime)
    # measured seconds become 0, and nothing is written early because time has passed
    for name in CLOCKS:
        setattr(time, name, lambda: 0.0)
    numbers = itertools.count(1)
    uuid.uuid4 = lambda: uuid.UUID(int=next(numbers) << 64)  # the first digits count
    os.sched_getaffinity = lambda pid: {0}  # lrbench starts as many threads
    torch.set_num_threads(1)
    # cells of frames hold arrays, which are to be written whole
    np.set_printoptions(threshold=sys.maxsize, floatmode="unique", linewidth=sys.maxsize)
    matplotlib.rcParams["svg.hashsalt"] = "golden"  # ids of the figures that are saved here
    # a warning is told without its place in the sources, and once wherever it is raised
    for category in (UserWarning, RuntimeWarning):
        warnings.simplefilter("once", category)
    warnings.formatwarning = lambda message, category, *place: f"{category.__name__}: {message}\n"


def _stopped(true_datetime: type) -> type:
    """Return a datetime whose now is the clock's."""

    class SameInstances(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, true_datetime)

    class StoppedDatetime(true_datetime, metaclass=SameInstances):
        __slots__ = ()  # compiled modules check the size of the class

        @classmethod
        def now(cls, tz=None):
            return Clock.now.astimezone(tz) if tz else Clock.now.replace(tzinfo=None)

    return StoppedDatetime


def import_lrbench(tree: Path) -> ModuleType:
    """Import lrbench, and make sure that it is the one of this tree, with the tree's own configurations."""
    import lrbench
    import lrbench.cli

    source = Path(lrbench.__file__).resolve()
    if not source.is_relative_to(tree):
        raise SystemExit(f"golden: lrbench was imported from {source}, not from {tree}.")
    packaged, own = tree / "lrbench" / "conf", tree / "conf" / "config.yaml"
    if packaged.exists() or not own.is_file():
        raise SystemExit(f"golden: {tree} does not read its own conf/.")
    return lrbench


# ---- what a command prints


class Commands:
    """Command lines of lrbench, each written down with its exit code and all that it printed."""

    def __init__(self, main: Callable[[list[str]], int]):
        self._main = main

    def run(self, title: str, words: list[str], columns: int) -> int | None:
        """Run one command line and return its exit code, None if it broke."""
        Clock.tick()
        out, err = io.StringIO(), io.StringIO()
        with _columns(columns), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self._main(words)
            except Exception as error:
                code = None
                print(_in_words(error), file=err)
                traceback.print_exc(file=sys.__stderr__)
        text = f"exit code {code}\n---- stdout\n{out.getvalue()}---- stderr\n{err.getvalue()}"
        _write(Path("terminal", f"{title}-{columns}.txt"), text)
        return code

    def run_at_both_widths(self, title: str, words: list[str]) -> None:
        for columns in (NARROW, WIDE):
            self.run(title, words, columns)


@contextlib.contextmanager
def _columns(columns: int) -> Iterator[None]:
    """Let the terminal be so wide; the wide one shows colours."""
    before = dict(os.environ)
    os.environ["COLUMNS"] = str(columns)
    if columns == WIDE:
        os.environ.update(COLOUR)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _in_words(error: Exception) -> str:
    """Write an error as Python does, without its place in the sources."""
    return "".join(traceback.format_exception_only(error)).rstrip()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# ---- what a program or a notebook is given


def write_offered(thing: Any, name: str) -> None:
    """Write all that an object offers under names without an underscore, and what a notebook shows of it."""
    for attribute in dir(thing):
        if attribute.startswith("plot_"):
            _write_plot(getattr(thing, attribute), Path("plots", name, attribute))
        elif not attribute.startswith("_"):
            _write_value(thing, attribute, Path("frames", name, attribute))
    _write(Path("notebook", f"{name}.html"), str(_tried(thing._repr_html_)))


def _tried(read: Callable[[], Any]) -> Any:
    """Return what is read, or the error in words: a difference to be seen, not the end of the comparison."""
    try:
        return read()
    except Exception as error:
        return _in_words(error)


def _write_value(thing: Any, attribute: str, path: Path) -> None:
    """Write data: a frame as CSV, anything plain as text. Methods and other objects are passed over."""
    value = _tried(lambda: getattr(thing, attribute))
    if attribute == "summary":
        value = _tried(value)
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        types = [f"# {column}: {dtype}\n" for column, dtype in value.dtypes.items()]
        _write(path.with_suffix(".csv"), "".join(types) + value.to_csv())
    elif isinstance(value, list | tuple):
        lines = [f"{one}\n" for one in value]
        _write(path.with_suffix(".txt"), "".join(lines))
    elif isinstance(value, str | bool | int | float):
        _write(path.with_suffix(".txt"), f"{value}\n")


def _write_plot(draw: Callable[[], Figure], path: Path) -> None:
    figure = _tried(draw)
    if isinstance(figure, str):  # most often: the set has nothing for this one
        _write(path.with_suffix(".txt"), f"{figure}\n")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    plt.close(figure)


# ---- the sets


def make(lrbench: ModuleType, golden) -> None:
    """Make one set in the current folder."""
    commands = Commands(lrbench.cli.main)
    for number, request in enumerate(golden.requests, start=1):
        request.prepare()
        _sweep(commands, f"sweep-{number}", request.words)
    commands.run_at_both_widths("list-results", ["list", "results"])
    folders = [str(manifest.parent) for manifest in sorted(Path("results").glob("*/manifest.json"))]
    for folder in folders:
        if Path(folder, "report.html").exists():  # the others are there only to be compared with
            write_offered(lrbench.load(folder), Path(folder).name)
    if golden.compared:
        for other in folders[1:]:
            _compare(lrbench, commands, folders[0], other)


def _sweep(commands: Commands, title: str, words: list[str]) -> None:
    """Run a request twice: the second time nothing is left to train, and the answer alone is printed anew."""
    code = commands.run(title, [*words, "report=false"], WIDE)
    if code == INTERRUPTED:
        # a second time it would go on to the end
        commands.run_at_both_widths(f"report-{title}", ["report"])
    else:
        commands.run(title, words, NARROW)


def _compare(lrbench: ModuleType, commands: Commands, a: str, b: str) -> None:
    """Compare two result sets; but for the wide terminal also where their tasks differ."""
    name = f"compare-{Path(b).name}"
    commands.run(name, ["compare", a, b], WIDE)
    commands.run(name, ["compare", a, b, "--anyway"], NARROW)
    write_offered(lrbench.compare(a, b, anyway=True), name)


def main() -> None:
    tree, out = (Path(argument).resolve() for argument in sys.argv[1:])
    make_deterministic()
    lrbench = import_lrbench(tree)
    from sets import SETS

    for number, golden in enumerate(SETS, start=1):
        begun = stopwatch()
        folder = out / f"{number:02}-{golden.name}"
        folder.mkdir(parents=True)
        os.chdir(folder)
        make(lrbench, golden)
        print(f"{out.name:6} {folder.name:18} {stopwatch() - begun:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
