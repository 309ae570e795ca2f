"""One command line: a verb, or with anything else a request. Returns the exit code."""

import sys
from collections.abc import Sequence

from lrbench import __version__
from lrbench.cli.flags import read_flags
from lrbench.cli.request import run_request
from lrbench.cli.usage import HELP_FLAGS, USAGES, help_of
from lrbench.cli.verbs import ACTS
from lrbench.errors import RequestError, did_you_mean

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
  rerun FOLDER         ask a stored request again, as of an older lrbench, into a
                       new folder; name=NAME: of this name
  time KEY=VALUE ...   seconds a step and to the target, in torch's own loop
  list KIND            {kinds}
  A folder may be named by its path or, if it lies in results/, its name alone.
  results_dir=DIR, beside a folder or list results: DIR instead of results/.
  VERB --help tells all of a verb, with an example.

Groups, as group=choice: problem, loss, optimizer, schedule (their values as
optimizer.lr=0.1), tune=lr or tune=all, which choose settings on seeds of their
own, and +experiment=... for a study with its own grid.
-m, anywhere in the line, sweeps over a,b or range(10).
--config-dir DIR adds your own choices; --cfg job shows a configuration.

Keys, as key=value
{keys}"""

INTERRUPTED = (
    "Interrupted; all finished runs are kept. "
    "The same command goes on from there; `report` shows what there is so far."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _command(arguments)
    except RequestError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 130  # as shells report a program that Ctrl-C ended


def _command(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in (*HELP_FLAGS, "help"):
        print(_help())
        return 0
    if first == "--version":
        print(f"lrbench {__version__}")
        return 0
    if first in ACTS:
        return _verb(first, arguments[1:])
    # -m and --cfg are flags of a request, ~key deletes one: Hydra's grammar
    if first and "=" not in first and not first.startswith(("-", "~")):
        hint = did_you_mean(first, [*ACTS, "help"])
        raise RequestError(f"{first}: neither a verb nor key=value. {hint}")
    return _request(arguments)


def _verb(verb: str, arguments: list[str]) -> int:
    # before anything else is read, so that help comes whatever is wrong with the rest of the line
    if any(flag in arguments for flag in HELP_FLAGS):
        print(help_of(verb), end="")
        return 0
    return ACTS[verb](arguments)


def _request(arguments: list[str]) -> int:
    flags = read_flags(arguments)
    if flags.help:
        print(_help())
        return 0
    # Hydra would take a verb behind a key for a broken override
    for word in flags.overrides:
        if word in ACTS:
            usage = f"python -m lrbench {USAGES[word].arguments}"
            raise RequestError(f"{word}: a verb stands first, and no request beside it: {usage}")
    return run_request(arguments, flags)


def _help() -> str:
    from lrbench.catalog import KINDS
    from lrbench.config import CONF

    # the comments of the configuration are the help of its keys, so that the two cannot disagree
    text = (CONF / "config.yaml").read_text(encoding="utf-8")
    keys = text[text.index("# A run") : text.index("hydra:")].strip()
    indented = [f"  {line}".rstrip() for line in keys.splitlines()]
    return HELP.format(version=__version__, kinds=" | ".join(KINDS), keys="\n".join(indented))
