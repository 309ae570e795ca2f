"""The verbs. Each is given what follows it on the command line, and returns the exit code.

What a verb needs is imported when it runs and its arguments are read: `list optimizers` needs no torch,
`report` no Hydra, and a wrong use is told at once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lrbench.cli.flags import asks_hydra, read_flags
from lrbench.cli.progress import progress_bar
from lrbench.cli.request import run_request
from lrbench.cli.usage import read_verb, wrong_use
from lrbench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from lrbench.results import Comparison
    from lrbench.store import ResultStore


def _stored(folder: str, results_dir: str | None) -> "ResultStore":
    """Open a folder, named by its path or by its name in `results_dir`."""
    from lrbench.store import RESULTS_DIR, ResultStore

    return ResultStore.open(folder, results_dir or RESULTS_DIR)


def _show_in_browser(page: Path) -> None:
    import webbrowser

    webbrowser.open(page.resolve().as_uri())


def _report(arguments: list[str]) -> int:
    given = read_verb("report", arguments)

    from lrbench.results import load, newest
    from lrbench.store import RESULTS_DIR

    if given.folder:
        root = _stored(given.folder, given.results_dir).root
    else:
        root = newest(given.results_dir or RESULTS_DIR)
        _note_left_out(given.results_dir)
    page = load(root).report()
    print(page)
    if given.open:
        _show_in_browser(page)
    return 0


def _note_left_out(results_dir: str | None) -> None:
    """Say which sets of a folder this lrbench does not read, beside what is printed."""
    from lrbench.store import RESULTS_DIR, ResultStore

    for sentence in ResultStore.left_out(results_dir or RESULTS_DIR):
        print(sentence, file=sys.stderr)


def _reproduce(arguments: list[str]) -> int:
    given = read_verb("reproduce", arguments)
    store = _stored(given.folder, given.results_dir)
    _note_other_versions(store)

    from lrbench.reproduce import reproduce

    total = differing = 0
    for verdict in reproduce(store):
        total += 1
        differing += bool(verdict.difference)
        word = "differs" if verdict.difference else "same"
        run = f"{verdict.run_id[:8]}  {verdict.optimizer}, seed {verdict.seed}"
        print(f"{word:8}{run}  {verdict.difference}".rstrip())
    print(f"{total - differing} of {total} runs gave the same numbers, bit for bit.")
    return 1 if differing else 0


def _note_other_versions(store: "ResultStore") -> None:
    from lrbench.bench.manifest import versions

    for package, then in store.manifest()["versions"].items():
        now = versions().get(package)
        if now != then:
            print(f"note: stored with {package} {then}, now {now}")


def _compare(arguments: list[str]) -> int:
    given = read_verb("compare", arguments)
    a = _stored(given.a, given.results_dir).root
    b = _stored(given.b, given.results_dir).root

    from rich.console import Console

    from lrbench import compare
    from lrbench.results.terminal.comparison import print_difference

    difference = compare(a, b, anyway=given.anyway)
    print_difference(difference, Console(highlight=False))  # else rich colours whatever looks like a number
    page = _page_of(difference)  # after the answer, which stands whatever becomes of the page
    if page and given.open:
        _show_in_browser(page)
    return 1 if difference.regression else 0


def _page_of(difference: "Comparison") -> Path | None:
    """Write the page of a comparison. The answer stands without it, so it is no error if there is none."""
    if os.path.samefile(difference.a.store.root, difference.b.store.root):
        print("\nA and B are the same folder, and so no page is written.")
        return None
    try:
        page = difference.report()
    except RequestError as error:
        advice = "It goes beside B: make that place writable, or copy B's folder to one that is."
        print(f"\n{error} {advice}", file=sys.stderr)
        return None
    print(f"\nPage: {os.path.relpath(page)}")
    return page


def _list(arguments: list[str]) -> int:
    from lrbench.catalog import KINDS, catalog, problems

    given = read_verb("list", arguments)
    if given.kind is None:
        raise wrong_use("list", f"a KIND is missing; there are {', '.join(KINDS)}", arguments)
    if given.kind not in KINDS:
        raise RequestError(f"list: '{given.kind}' is nothing to list. {did_you_mean(given.kind, KINDS)}")
    if given.results_dir and given.kind != "results":
        reason = f"it is for list results, but list {given.kind} came"
        raise RequestError(f"results_dir: {reason}. Leave it out, or type list results.")
    if given.kind == "problems":
        for lines in problems():
            print(lines, flush=True)  # each takes a while to solve
        return 0
    entries = catalog(given.kind, given.results_dir)
    width = max((len(name) for name, _ in entries), default=0)
    for name, description in entries:
        print(f"{name:{width}}  {description}")
    if not entries:
        print(f"There are no {given.kind} yet.")
    if given.kind == "results":
        _note_left_out(given.results_dir)
    return 0


def _rerun(arguments: list[str]) -> int:
    given = read_verb("rerun", arguments)

    from lrbench.bench.again import ask_again
    from lrbench.store import RESULTS_DIR, ResultStore

    store = ResultStore.find(given.folder, given.results_dir or RESULTS_DIR)
    again = ask_again(store, given.name)
    for sentence in again.left_out:
        print(sentence)
    print(f"Asks again: {again.command}")
    return run_request(again.words, read_flags(again.words))


def _time(arguments: list[str]) -> int:
    flags = read_flags(
        arguments, allowed="time has --config-dir DIR; `python -m lrbench time --help` tells all."
    )
    if asks_hydra(flags):
        advice = "what else Hydra can tell is asked without time"
        raise RequestError(f"time: it takes key=value and --config-dir DIR; {advice}.")

    from rich.console import Console

    from lrbench.results.terminal.sweep import print_timings
    from lrbench.sweeper.request import read
    from lrbench.timing import measure

    request = read(flags.overrides, multirun=True, config_dir=flags.config_dir)
    try:
        # a bar that is drawn by a thread would take time from what is timed
        with progress_bar(sys.stderr.isatty(), live=False) as progress:
            timings = measure(request, progress)
    except KeyboardInterrupt:
        print("Interrupted; time stores nothing.", file=sys.stderr)
        return 130  # as shells report a program that Ctrl-C ended
    print_timings(timings, Console(highlight=False))
    statuses = [run["status"][0].as_py() for run in timings.runs]
    return 1 if "failed" in statuses else 0


ACTS: dict[str, Callable[[list[str]], int]] = {
    "report": _report,
    "reproduce": _reproduce,
    "compare": _compare,
    "rerun": _rerun,
    "time": _time,
    "list": _list,
}
