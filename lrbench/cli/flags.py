"""What stands in a request beside key=value: the flags of Hydra's own command line, anywhere in the line.

Given ["optimizer=sgd,adam", "-m", "seed=0,1"], it gives
Namespace(multirun=True, overrides=["optimizer=sgd,adam", "seed=0,1"], config_dir=None, cfg=None, ...).
"""

from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from lrbench.errors import RequestError

OF_A_REQUEST = (
    "A sweep has -m, --config-dir DIR and --cfg job, a report and a comparison --open; "
    "`python -m lrbench help` tells all."
)


def read_flags(arguments: Sequence[str], allowed: str = OF_A_REQUEST) -> Namespace:
    """Read a request with Hydra's own parser: its flags, and its override lines as `overrides`.

    allowed: the sentence that follows on a wrong flag.

    Raises:
        RequestError: for a flag that there is not, and for another configuration than lrbench's.
    """
    # private, but the only way to take the very flags that Hydra's program takes
    from hydra._internal.utils import get_args_parser

    def refuse(message: str) -> NoReturn:
        raise RequestError(f"{message}. {allowed}")

    parser = get_args_parser()
    parser.error = refuse  # argparse's own would print its usage and exit
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
    # Hydra's own parser does not let flags and overrides alternate
    in_front = list(arguments)
    for override in flags.overrides:
        in_front.remove(override)
    return [*in_front, *flags.overrides]
