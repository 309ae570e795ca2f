"""How each verb is written, its --help, and what a wrong use of it is told.

Given ["mine", "--open"], `read_verb("report", ...)` gives
Namespace(folder="mine", open=True, results_dir=None).  # of rerun, name=None too
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from lrbench.errors import RequestError, did_you_mean

HELP_FLAGS = ("-h", "--help")

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
        keys: what may stand there as key=value, and what that is.
    """

    arguments: str
    about: str
    example: str
    codes: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], object]
    keys: tuple[str, ...] = (KEY,)


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


def _add_rerun(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=f"{FOLDER}; it is left alone")


def _add_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overrides", metavar="KEY=VALUE", nargs="*", help="as in a request; a,b makes several"
    )
    parser.add_argument("--config-dir", metavar="DIR", help="a folder that adds your own choices")


def _add_list(parser: argparse.ArgumentParser) -> None:
    from lrbench.catalog import KINDS

    parser.add_argument("kind", metavar="KIND", nargs="?", help=" | ".join(KINDS))


USAGES = {
    "report": Usage(
        arguments="report [FOLDER] [--open] [results_dir=DIR]",
        about="Rebuild summary, figures and report.html of a stored sweep.",
        example="report mine --open",
        codes=("0  done", WRONG),
        add=_add_report,
    ),
    "reproduce": Usage(
        arguments="reproduce FOLDER [results_dir=DIR]",
        about="Run a stored sweep again and compare its numbers bit for bit.",
        example="reproduce results/mine",
        codes=("0  all runs gave the same numbers", "1  some differ", WRONG),
        add=_add_reproduce,
    ),
    "compare": Usage(
        arguments="compare A B [--anyway] [--open] [results_dir=DIR]",
        about="Is B worse than A? Two stored sweeps, setting by setting, in print and as a page\nbeside B.",
        example="compare before after results_dir=nightly",
        codes=("0  no regression is shown", "1  a regression", WRONG),
        add=_add_compare,
    ),
    "rerun": Usage(
        arguments="rerun FOLDER [name=NAME] [results_dir=DIR]",
        about="Ask a stored sweep's request again, into a new folder beside it: as of an older\n"
        "lrbench, whose sets are not read any more.",
        example="rerun results/mine",
        codes=("0  done", "1  some runs failed", WRONG, "130  interrupted, all finished runs kept"),
        add=_add_rerun,
        keys=("name=NAME  the new folder's name; without it, made from the request", KEY),
    ),
    "time": Usage(
        arguments="time KEY=VALUE ... [--config-dir DIR]",
        about="Seconds a step and to the target, in torch's own loop. Nothing is stored.",
        example="time optimizer=sgd,adam steps=50",
        codes=("0  done", "1  some runs failed", WRONG, "130  interrupted"),
        add=_add_time,
        keys=(),
    ),
    "list": Usage(
        arguments="list KIND [results_dir=DIR]",
        about="What there is of a kind, a line each.",
        example="list results",
        codes=("0  done", WRONG),
        add=_add_list,
        keys=("results_dir=DIR  of list results: where they lie; without it, in results",),
    ),
}


def help_of(verb: str) -> str:
    """Return usage, arguments, an example and the exit codes of a verb."""
    return _parser_of(verb).format_help()


def read_verb(verb: str, arguments: list[str]) -> argparse.Namespace:
    """Read what follows a verb: its arguments and flags, and its keys, None where one was not given.

    Raises:
        RequestError: with what is allowed, what came and what to type.
    """
    # results_dir=DIR is written as a key of a request is; argparse would take it for a folder
    keys = [line.partition("=")[0] for line in USAGES[verb].keys]
    values = {key: [word for word in arguments if word.startswith(f"{key}=")] for key in keys}
    words = [word for word in arguments if word.partition("=")[0] not in keys]
    parser = _parser_of(verb)
    try:
        given, unknown = parser.parse_known_args(words)
    except RequestError as error:
        raise wrong_use(verb, f"{error}", arguments) from error
    if unknown:
        raise wrong_use(verb, _unknown(unknown[0], parser), arguments)
    for key, words_of_key in values.items():
        setattr(given, key, READ[key](words_of_key))
    return given


class _Parser(argparse.ArgumentParser):
    """A parser that leaves it to the caller to print and exit."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(message)


def _parser_of(verb: str) -> _Parser:
    usage = USAGES[verb]
    parser = _Parser(
        prog=f"python -m lrbench {verb}",
        usage=f"python -m lrbench {usage.arguments}",
        description=usage.about,
        epilog=_epilog(usage),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # what --op stands for today may become ambiguous
    )
    usage.add(parser)
    return parser


def _epilog(usage: Usage) -> str:
    example = f"python -m lrbench {usage.example}"
    sections = [("keys", usage.keys), ("example", (example,)), ("exit codes", usage.codes)]
    return "\n\n".join(_section(title, lines) for title, lines in sections if lines)


def _section(title: str, lines: tuple[str, ...]) -> str:
    indented = [f"  {line}" for line in lines]
    return "\n".join([f"{title}:", *indented])


def wrong_use(verb: str, reason: str, arguments: list[str]) -> RequestError:
    """Say what is wrong, what is allowed, what came and where there is more."""
    came = f"'{' '.join(arguments)}'" if arguments else "nothing"
    usage = f"usage: python -m lrbench {USAGES[verb].arguments}; {came} came."
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
    folder = words[-1].removeprefix("results_dir=")
    advice = "Type results_dir=DIR with the folder that holds your result sets."
    if not folder:
        raise RequestError(f"results_dir: a folder's path is allowed, but nothing came. {advice}")
    if not Path(folder).is_dir():
        came = "is a file" if Path(folder).exists() else "is not there"
        raise RequestError(f"results_dir: a folder's path is allowed, but {folder} {came}. {advice}")
    return folder


def _name(words: list[str]) -> str | None:
    """Return the name that was given last; None without one."""
    name = words[-1].removeprefix("name=") if words else None
    if name == "":
        raise RequestError("name: a folder's name is allowed, but nothing came. Leave it out, or type one.")
    return name


READ: dict[str, Callable[[list[str]], str | None]] = {"results_dir": _results_dir, "name": _name}
