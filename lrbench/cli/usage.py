"""How each verb is written, its --help, and what a wrong use of it is told.

Given ["mine", "--open"], `read_verb("report", ...)` gives
Namespace(folder="mine", open=True, results_dir=None).
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from lrbench.errors import RequestError, did_you_mean

HELP_FLAGS = ("-h", "--help")
RESULTS_DIR = "results"  # where a folder's name is looked up when nothing is said
PREFIX = "results_dir="

FOLDER = "a folder by its path or, if it lies in DIR, its name alone"
KEY = "results_dir=DIR  where the result sets lie; without it, in results"
OPEN = "and show the page in the browser"
WRONG = "2  the request is wrong, nothing was written"


class Usage(NamedTuple):
    """What a verb's --help tells.

    Attributes:
        arguments: the verb and what may follow it.
        about: what it does.
        example: of its use.
        codes: its exit codes, a line each.
        add: adds its arguments to its parser.
        notes: what else may stand there.
    """

    arguments: str
    about: str
    example: str
    codes: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], object]
    notes: tuple[str, ...] = (KEY,)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help=f"{FOLDER}; the newest if none is named")
    parser.add_argument("--open", action="store_true", help=OPEN)


def _add_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=FOLDER)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help=f"what was: {FOLDER}")
    parser.add_argument("b", metavar="B", help="what is: likewise")
    parser.add_argument("--anyway", action="store_true", help="also where data or budget differ")
    parser.add_argument("--open", action="store_true", help=OPEN)


def _add_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overrides", metavar="KEY=VALUE", nargs="*", help="as in a request; a,b makes several"
    )
    parser.add_argument("--config-dir", metavar="DIR", help="a folder that adds your own choices")


def _add_list(parser: argparse.ArgumentParser) -> None:
    from lrbench.catalog import KINDS

    parser.add_argument("kind", metavar="KIND", help=" | ".join(KINDS))


USAGES = {
    "report": Usage(
        "report [FOLDER] [--open] [results_dir=DIR]",
        "Rebuild summary, figures and report.html of a stored sweep.",
        "report mine --open",
        ("0  done", WRONG),
        _add_report,
    ),
    "reproduce": Usage(
        "reproduce FOLDER [results_dir=DIR]",
        "Run a stored sweep again and compare its numbers bit for bit.",
        "reproduce results/mine",
        ("0  all runs gave the same numbers", "1  some differ", WRONG),
        _add_reproduce,
    ),
    "compare": Usage(
        "compare A B [--anyway] [--open] [results_dir=DIR]",
        "Is B worse than A? Two stored sweeps, setting by setting, in print and as a page\nbeside B.",
        "compare before after results_dir=nightly",
        ("0  no regression is shown", "1  a regression", WRONG),
        _add_compare,
    ),
    "time": Usage(
        "time KEY=VALUE ... [--config-dir DIR]",
        "Seconds a step and to the target, in torch's own loop. Nothing is stored.",
        "time optimizer=sgd,adam steps=50",
        ("0  done", "1  some runs failed", WRONG, "130  interrupted"),
        _add_time,
        notes=(),
    ),
    "list": Usage(
        "list KIND [results_dir=DIR]",
        "What there is of a kind, a line each.",
        "list results",
        ("0  done", WRONG),
        _add_list,
        notes=("results_dir=DIR  of list results: where they lie; without it, in results",),
    ),
}


def help_of(verb: str) -> str:
    """Return usage, arguments, an example and the exit codes of a verb."""
    return _parsers().choices[verb].format_help()


def read_verb(verb: str, arguments: list[str]) -> argparse.Namespace:
    """Read what follows a verb: its arguments and flags, and `results_dir`, None where it was not given.

    Raises:
        RequestError: with what is allowed, what came and what to type.
    """
    words = [word for word in arguments if not word.startswith(PREFIX)]
    parser = _parsers().choices[verb]
    try:
        given, unknown = parser.parse_known_args(words)
    except RequestError as error:
        raise _wrong_use(verb, f"{error}", arguments) from error
    if unknown:
        raise _wrong_use(verb, _unknown(unknown[0], parser), arguments)
    given.results_dir = _results_dir([word for word in arguments if word.startswith(PREFIX)])
    return given


class _Parser(argparse.ArgumentParser):
    """A parser that leaves it to the caller to print and exit."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(message)


def _parsers() -> "argparse._SubParsersAction[_Parser]":
    verbs = _Parser(prog="python -m lrbench").add_subparsers()
    for verb, usage in USAGES.items():
        parser = verbs.add_parser(
            verb,
            usage=f"python -m lrbench {usage.arguments}",
            description=usage.about,
            epilog=_epilog(usage),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,  # --op may come to mean something else one day
        )
        usage.add(parser)
    return verbs


def _epilog(usage: Usage) -> str:
    sections = {
        "keys": usage.notes,
        "example": (f"python -m lrbench {usage.example}",),
        "exit codes": usage.codes,
    }
    written = []
    for title, lines in sections.items():
        if lines:
            written.append("\n".join([f"{title}:", *[f"  {line}" for line in lines]]))
    return "\n\n".join(written)


def _wrong_use(verb: str, reason: str, arguments: list[str]) -> RequestError:
    usage = f"usage: python -m lrbench {USAGES[verb].arguments}; '{' '.join(arguments)}' came."
    return RequestError(f"{verb}: {reason}.\n{usage} `python -m lrbench {verb} --help` has an example.")


def _unknown(word: str, parser: argparse.ArgumentParser) -> str:
    if not word.startswith("-"):
        return f"'{word}' is a word too many"
    flags = [flag for flag in parser._option_string_actions if flag.startswith("--")]
    return f"there is no {word}. {did_you_mean(word, flags)}".removesuffix(".")


def _results_dir(words: list[str]) -> str | None:
    """Return the folder that was given last, as Hydra reads a key that stands twice; None without one."""
    if not words:
        return None
    folder = words[-1].removeprefix(PREFIX)
    advice = "Type results_dir=DIR with the folder that holds your result sets."
    if not folder:
        raise RequestError(f"results_dir: a folder's path is allowed, but nothing came. {advice}")
    if not Path(folder).is_dir():
        came = "is a file" if Path(folder).exists() else "is not there"
        raise RequestError(f"results_dir: a folder's path is allowed, but {folder} {came}. {advice}")
    return folder
