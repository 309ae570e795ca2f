"""The command line: a verb, or with anything else a request in Hydra's grammar.

Exit codes: 0 done (a diverged run is a result, not an error); 1 some runs failed, reproduce found a difference or compare a regression; 2 the request
is wrong, nothing was written; 130 interrupted, all finished runs kept.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from lrbench import __version__
from lrbench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from argparse import Namespace

    from lrbench.bench import Progress
    from lrbench.plan import Plan
    from lrbench.store import ResultStore
    from lrbench.sweeper.request import Request

HELP = """lrbench {version}: which optimizer is better for your problem?

  python -m lrbench                               the lecture: one run
  python -m lrbench -m optimizer=sgd,adam         a sweep: table, data, figures, report.html
  python -m lrbench -m problem=csv problem.path=houses.csv problem.target=price \\
      optimizer=sgd,adam tune=lr 'seed=range(10)'

Verbs
  report [FOLDER]      rebuild summary, figures and report.html (alone: of the
                       newest); --open: and show the page in the browser
  reproduce FOLDER     run a stored sweep again and compare bit for bit
  compare A B          is B worse than A? two folders, setting by setting, in
                       print and as a page beside B; exit code 1: a regression
                       --anyway: also where data or budget differ
                       --open: and show the page in the browser
  time KEY=VALUE ...   seconds a step and to the target, in torch's own loop
  list KIND            {kinds}
  A folder may be named by its path or, if it lies in results/, its name alone.

Groups, as group=choice: problem, loss, optimizer, schedule (their values as
optimizer.lr=0.1), tune=lr or tune=all, which choose settings on seeds of their
own, and +experiment=... for a study with its own grid.
-m sweeps over a,b or range(10).
--config-dir DIR adds your own choices; --cfg job shows a configuration.

Keys, as key=value
{keys}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _command(arguments)
    except RequestError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "Interrupted; all finished runs are kept. The same command goes on from there; `report` shows what there is so far.",
            file=sys.stderr,
        )
        return 130


def _command(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help", "help"):
        print(_help())
        return 0
    if first == "--version":
        print(f"lrbench {__version__}")
        return 0
    if first in VERBS:
        return VERBS[first](arguments[1:])
    words = [word for word in arguments if not word.startswith(("-", "~")) and "=" not in word]
    if words and words[0] == first:
        raise RequestError(f"{first}: neither a verb nor key=value. {did_you_mean(first, [*VERBS, 'help'])}")
    return _ask(arguments)


# ---- verbs


def _report(arguments: list[str]) -> int:
    import webbrowser

    from lrbench.results import load, newest

    folder = _one(
        [argument for argument in arguments if argument != "--open"],
        "report [FOLDER] [--open]",
        optional=True,
    )
    page = load(folder or newest("results")).report()
    print(page)
    if "--open" in arguments:
        webbrowser.open(page.resolve().as_uri())
    return 0


def _reproduce(arguments: list[str]) -> int:
    from lrbench.bench import versions
    from lrbench.reproduce import reproduce
    from lrbench.store import ResultStore

    store = ResultStore.open(_one(arguments, "reproduce FOLDER") or "")
    for package, then in store.manifest()["versions"].items():
        if (now := versions().get(package)) != then:
            print(f"note: stored with {package} {then}, now {now}")
    differing = total = 0
    for verdict in reproduce(store):
        total, differing = total + 1, differing + bool(verdict.difference)
        word = "differs" if verdict.difference else "same"
        print(
            f"{word:8}{verdict.run_id[:8]}  {verdict.optimizer}, seed {verdict.seed}  {verdict.difference}".rstrip()
        )
    print(f"{total - differing} of {total} runs gave the same numbers, bit for bit.")
    return 1 if differing else 0


def _compare(arguments: list[str]) -> int:
    import webbrowser

    from rich.console import Console

    from lrbench import compare
    from lrbench.results.compare_text import print_difference

    folders = [argument for argument in arguments if argument not in ("--anyway", "--open")]
    if len(folders) != 2 or any(folder.startswith("-") for folder in folders):
        raise RequestError(
            f"usage: python -m lrbench compare A B [--anyway] [--open]; '{' '.join(arguments)}' came."
        )
    difference = compare(*folders, anyway="--anyway" in arguments)
    print_difference(difference, Console(highlight=False))
    if os.path.samefile(difference.a.store.root, difference.b.store.root):
        print("\nA and B are the same folder, and so no page is written.")
        return 0
    try:
        page = difference.report()
    except RequestError as error:  # the answer stands without its page
        print(
            f"\n{error} It goes beside B: make that place writable, or copy B's folder to one that is.",
            file=sys.stderr,
        )
    else:
        print(f"\nPage: {os.path.relpath(page)}")
        if "--open" in arguments:
            webbrowser.open(page.as_uri())
    return 1 if difference.regression else 0


def _list(arguments: list[str]) -> int:
    from lrbench.catalog import KINDS, catalog, problems

    kind = _one(arguments, f"list {'|'.join(KINDS)}") or ""
    if kind not in KINDS:
        raise RequestError(f"list: '{kind}' is nothing to list. {did_you_mean(kind, KINDS)}")
    if kind == "problems":
        for lines in problems():
            print(lines, flush=True)
        return 0
    entries = catalog(kind)
    width = max((len(name) for name, _ in entries), default=0)
    for name, description in entries:
        print(f"{name:{width}}  {description}")
    if not entries:
        print(f"There are no {kind} yet.")
    return 0


def _time(arguments: list[str]) -> int:
    from rich.console import Console

    from lrbench.results.terminal import print_timings
    from lrbench.sweeper.request import read
    from lrbench.timing import measure

    flags = _flags(arguments)
    if flags.help or _asks_hydra(flags):
        raise RequestError(
            "time: it takes key=value and --config-dir DIR; what else Hydra or --help can tell is asked without time."
        )
    request = read(flags.overrides, True, flags.config_dir)
    try:
        with _progress_bar(sys.stderr.isatty(), live=False) as progress:
            timings = measure(request, progress)
    except KeyboardInterrupt:
        print("Interrupted; time stores nothing.", file=sys.stderr)
        return 130
    print_timings(timings, request.ask["target"], Console(highlight=False))
    return 1 if any(row["status"][0].as_py() == "failed" for row in timings.runs) else 0


VERBS: dict[str, Callable[[list[str]], int]] = {
    "report": _report,
    "reproduce": _reproduce,
    "compare": _compare,
    "time": _time,
    "list": _list,
}


def _one(arguments: list[str], usage: str, optional: bool = False) -> str | None:
    if (
        len(arguments) > 1
        or (not arguments and not optional)
        or any(argument.startswith("-") for argument in arguments)
    ):
        raise RequestError(f"usage: python -m lrbench {usage}; '{' '.join(arguments)}' came.")
    return arguments[0] if arguments else None


def _help() -> str:
    from lrbench.catalog import KINDS
    from lrbench.config import CONF

    text = (CONF / "config.yaml").read_text(encoding="utf-8")
    keys = text[text.index("# A run") : text.index("hydra:")].strip()
    return HELP.format(
        version=__version__,
        kinds=" | ".join(KINDS),
        keys="\n".join(f"  {line}".rstrip() for line in keys.splitlines()),
    )


# ---- requests


def _ask(arguments: list[str]) -> int:
    from lrbench.sweeper.request import read

    flags = _flags(arguments)
    if _asks_hydra(flags):
        return _hydra_itself([argument for argument in arguments if argument not in ("-m", "--multirun")])
    request = read(flags.overrides, flags.multirun, flags.config_dir)
    store, todo = _run(request) if request.native else (_run_jobs(arguments, request), None)
    return _answer(store, todo, request)


def _flags(arguments: list[str]) -> "Namespace":
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.error = _wrong_flag
    flags = parser.parse_args(arguments)
    if flags.config_name or flags.config_path or flags.experimental_rerun:
        raise RequestError(
            "--config-name, --config-path, --experimental-rerun: lrbench has one configuration; --config-dir DIR adds choices to it."
        )
    return flags


def _wrong_flag(message: str) -> NoReturn:
    raise RequestError(
        f"{message}. A sweep has -m, --config-dir DIR and --cfg job, a report and a comparison --open; `python -m lrbench help` tells all."
    )


def _asks_hydra(flags: "Namespace") -> bool:
    return bool(flags.cfg or flags.info or flags.hydra_help or flags.shell_completion)


def _run(request: "Request") -> "tuple[ResultStore, Plan]":
    from lrbench import bench

    with _progress_bar(sys.stderr.isatty()) as progress:
        return bench.run(request, progress)


def _run_jobs(arguments: list[str], request: "Request") -> "ResultStore":
    """Let Hydra's own launcher or sweeper run the jobs; a store that stayed empty is not left behind."""
    from lrbench import bench
    from lrbench.sweeper.jobs import run_jobs

    store = bench.open_for_jobs(request)
    try:
        run_jobs([*arguments, f"name={store.name}"], request.overrides, bench.run_job)
    except (SystemExit, KeyboardInterrupt) as stopped:
        if not store.outcomes():
            store.remove()
            raise RequestError("Nothing was run.") from stopped
        bench.close(store, "interrupted")
        if isinstance(stopped, KeyboardInterrupt):
            raise
    else:
        bench.close(store, "complete")
    return store


def _hydra_itself(arguments: list[str]) -> int:
    """Questions to Hydra, such as --cfg job or --info."""
    from lrbench import bench
    from lrbench.sweeper.jobs import run_jobs

    try:
        run_jobs(arguments, [], bench.run_job)
    except SystemExit as stopped:
        return 2 if stopped.code == 1 else int(stopped.code or 0)
    return 0


def _answer(store: "ResultStore", todo: "Plan | None", request: "Request") -> int:
    from rich.console import Console

    from lrbench import bench
    from lrbench.results import load
    from lrbench.results.terminal import print_ranking, print_run

    results, console = load(store.root), Console(highlight=False)
    (print_ranking if request.multirun else print_run)(results, console)
    if request.ask["report"]:
        if todo:
            bench.keep_paths(store, todo, results.shown_runs, request.ask)
        console.print(f"\nReport: {os.path.relpath(results.report())}", soft_wrap=True)
    else:
        console.print(f"\nData: {os.path.relpath(store.root)}", soft_wrap=True)
    return 1 if results.manifest["counts"]["failed"] or results.manifest["state"] != "complete" else 0


@contextmanager
def _progress_bar(visible: bool, live: bool = True) -> Iterator["Progress"]:
    """live: drawn by a thread of its own, ten times a second; else only when the progress is told, which leaves what is between undisturbed."""
    if not visible:
        yield lambda done, planned: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task) -> Text:
            return Text(f"{task.speed or 0:.3g} runs/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=live) as bar:
        task = bar.add_task("preparing; the first time it compiles, for half a minute")
        yield lambda done, planned: bar.update(
            task, completed=done, total=planned, description="runs" if done else None, refresh=not live
        )
