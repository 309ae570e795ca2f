"""What was asked: override lines, composed and expanded."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.types import RunMode

from lrbench.config import REQUEST, Leaves
from lrbench.errors import RequestError
from lrbench.plan import Block
from lrbench.sweeper.compose import SWEEPER, choices, compose, hydra_session, leaves, parse
from lrbench.sweeper.expand import expand, into_block, is_plain
from lrbench.sweeper.messages import sweep_without_multirun, target_without_custom

BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@dataclass(frozen=True)
class Request:
    """A composed and expanded request, not yet planned.

    Attributes:
        overrides: the lines as they came.
        multirun: whether it is a sweep.
        blocks: what is to be run; empty where one of Hydra's own sweepers decides that.
        ask: how it is asked, the keys of `config.REQUEST`.
        native: whether lrbench trains the plan itself; false where a launcher or sweeper of Hydra's was picked.
        config_dir: the folder that was searched for configurations before lrbench's own.
    """

    overrides: list[str]
    multirun: bool
    blocks: list[Block]
    ask: Leaves
    native: bool = True
    config_dir: str | None = None


def read(overrides: Sequence[str], multirun: bool = False, config_dir: str | None = None) -> Request:
    """Read override lines such as ["optimizer=sgd,adam", "seed=range(10)"].

    Args:
        overrides: lines in Hydra's grammar.
        multirun: whether `-m` stood there; an experiment may say so itself (`hydra: {mode: MULTIRUN}`).
        config_dir: a folder that is searched for configurations before lrbench's own.

    Raises:
        RequestError: for anything that Hydra or lrbench cannot read, with what is allowed.
    """
    with hydra_session(config_dir) as loader:
        lines = [into_block(line) for line in overrides]
        parsed = parse(lines, loader)
        _refuse_target(parsed, loader)
        if multirun and is_plain(lines, loader):
            return _sweep(overrides, expand(lines, loader))
        config = compose(loader, [line for line, override in zip(lines, parsed, strict=True) if not override.is_sweep_override()])
        if not (multirun or config.hydra.mode == RunMode.MULTIRUN):
            swept = [line for override, line in zip(parsed, overrides, strict=True) if override.is_sweep_override() or line.startswith("sweep.")]
            if swept:
                raise sweep_without_multirun(swept[0], overrides)
            base = leaves(config)
            return Request(list(overrides), False, [Block(choices(config), base, [])], asking(base), config_dir=config_dir)
        if config.hydra.sweeper._target_ != SWEEPER:
            return Request(list(overrides), True, [], asking(leaves(config)), False, config_dir)
        native = config.hydra.launcher._target_ == BASIC_LAUNCHER
        return _sweep(overrides, expand(lines, loader), native, config_dir)


def _sweep(overrides: Sequence[str], blocks: list[Block], native: bool = True, config_dir: str | None = None) -> Request:
    for block in blocks:
        for key in (key for axis in block.axes for key in axis if key in REQUEST):
            raise RequestError(f"{key}: it says how a sweep is asked, so it has one value for all of it; {len(block.columns[key].values)} came.")
    return Request(list(overrides), True, blocks, asking(blocks[0].base), native, config_dir)


def asking(base: Leaves) -> Leaves:
    """Return how it is asked: the leaves that are no part of a run."""
    return {key: base[key] for key in REQUEST}


def _refuse_target(parsed: list[Override], loader: ConfigLoaderImpl) -> None:
    for override in parsed:
        if override.key_or_group == "optimizer._target_":
            others = [other.input_line or "" for other in parsed if not other.key_or_group.startswith("optimizer.")]
            choice = choices(compose(loader, others))["optimizer"]
            if choice != "custom":
                raise target_without_custom(override, choice)
