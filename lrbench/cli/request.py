"""A request: run what is missing of it, and show what came out."""

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from lrbench.cli.flags import asks_hydra, flags_first
from lrbench.cli.progress import progress_bar

if TYPE_CHECKING:
    from lrbench.results import Results
    from lrbench.sweeper.request import Request


def run_request(arguments: list[str], flags: Namespace) -> int:
    """Run a line in Hydra's grammar; return the exit code."""
    if asks_hydra(flags):
        return _ask_hydra(flags_first(arguments, flags))
    from lrbench.sweeper.request import read

    request = read(flags.overrides, flags.multirun, flags.config_dir)
    results = _run(request) if request.native else _run_with_hydra(flags_first(arguments, flags), request)
    done = results.complete and not results.manifest["counts"]["failed"]
    return 0 if done else 1


def _run(request: "Request") -> "Results":
    """Let lrbench train the whole plan."""
    from lrbench.bench.run import keep_paths, run_sweep
    from lrbench.results import load

    with progress_bar(sys.stderr.isatty()) as progress:
        finished = run_sweep(request, progress)
    results = load(finished.store.root)
    _print_results(results, request)
    # once the answer is printed: the paths are trained again, of the few runs that the report draws
    if request.options.report and not results.store.is_reported():
        keep_paths(finished, results.shown_runs, request.options.training)
        results.report()
    if not finished.trained:
        print("\nNothing was missing.")
    _print_place(results, request)
    return results


def _run_with_hydra(arguments: list[str], request: "Request") -> "Results":
    """Let a launcher or sweeper of Hydra's run the jobs."""
    from lrbench.bench.jobs import run_with_hydra
    from lrbench.results import load

    results = load(run_with_hydra(arguments, request).root)
    _print_results(results, request)
    if request.options.report:
        results.report()
    _print_place(results, request)
    return results


def _ask_hydra(arguments: list[str]) -> int:
    from lrbench.bench.jobs import run_job
    from lrbench.sweeper.jobs import run_jobs

    # Hydra answers for one run, and would take a question with -m for a sweep
    of_one_run = [argument for argument in arguments if argument not in ("-m", "--multirun")]
    try:
        run_jobs(of_one_run, [], run_job)
    except SystemExit as stopped:  # Hydra ends the program with 1 where a request is wrong, lrbench with 2
        return 2 if stopped.code == 1 else int(stopped.code or 0)
    return 0


def _print_results(results: "Results", request: "Request") -> None:
    from rich.console import Console

    from lrbench.results.terminal.sweep import print_ranking, print_run

    console = Console(highlight=False)
    if request.multirun:
        print_ranking(results, console, is_reported=request.options.report)
    else:
        print_run(results, console)


def _print_place(results: "Results", request: "Request") -> None:
    """Say where the results lie, in a line that is not broken, so that it can be copied."""
    from rich.console import Console

    place = f"Data: {os.path.relpath(results.store.root)}"
    if request.options.report:
        place = f"Report: {os.path.relpath(results.store.report)}"
    Console(highlight=False).print(f"\n{place}", soft_wrap=True)
