"""What stands in a request beside key=value: the flags of Hydra's own command line, wherever they stand in the line."""

from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from lrbench.errors import RequestError


def read_flags(arguments: Sequence[str]) -> Namespace:
    """Read a request with Hydra's own parser: its flags, and its override lines as `overrides`.

    Raises:
        RequestError: for a flag that there is not, and for another configuration than lrbench's.
    """
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.error = _wrong_flag
    flags = parser.parse_intermixed_args(arguments)
    if flags.config_name or flags.config_path or flags.experimental_rerun:
        advice = "lrbench has one configuration; --config-dir DIR adds choices to it"
        raise RequestError(f"--config-name, --config-path, --experimental-rerun: {advice}.")
    return flags


def asks_hydra(flags: Namespace) -> bool:
    """Say whether it is a question that Hydra answers, such as --cfg job or --info."""
    return bool(flags.cfg or flags.info or flags.hydra_help or flags.shell_completion)


def flags_first(arguments: Sequence[str], flags: Namespace) -> list[str]:
    """Return the line with its flags in front, as Hydra's program wants it."""
    in_front = list(arguments)
    for override in flags.overrides:
        in_front.remove(override)
    return [*in_front, *flags.overrides]


def _wrong_flag(message: str) -> NoReturn:
    allowed = "A sweep has -m, --config-dir DIR and --cfg job, a report and a comparison --open"
    raise RequestError(f"{message}. {allowed}; `python -m lrbench help` tells all.")
