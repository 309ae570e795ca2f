"""What was asked: override lines, composed and expanded.

Given ["optimizer=sgd,adam", "seed=range(10)"], it gives a Request with a block for sgd and one for adam, each
with an axis of ten seeds, and the options that hold for all of the sweep.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from lrbench.config import REQUEST
from lrbench.errors import RequestError
from lrbench.options import SweepOptions, sweep_options
from lrbench.plan import Block
from lrbench.sweeper.axes import first_choices, line_of
from lrbench.sweeper.compose import SWEEPER, choices, compose, hydra_session, leaves, parse
from lrbench.sweeper.expand import expand
from lrbench.sweeper.grids import into_block, is_plain
from lrbench.sweeper.messages import (
    given_again,
    sweep_without_multirun,
    target_without_custom,
    tune_without_multirun,
)
from lrbench.tuning.boxes import Tune, check_blocks, refuse_gone
from lrbench.tuning.boxes import read as read_tune

SEED_OF_A_RUN = 0  # as conf/config.yaml has it
EVALUATION_SEEDS = list(range(10))  # of a tuned sweep that says none: with five, little is shown against many
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@dataclass(frozen=True)
class Request:
    """A composed and expanded request, not yet planned.

    Attributes:
        overrides: the lines as they came.
        multirun: whether it is a sweep.
        blocks: what is to be run; empty where one of Hydra's own sweepers decides that.
        options: what has one value for all of it.
        native: whether lrbench trains the plan itself, without a launcher or sweeper of Hydra's.
        config_dir: the folder that was searched for configurations after lrbench's own.
        tune: how settings are chosen on seeds of their own; None where all run as they are given.
    """

    overrides: list[str]
    multirun: bool
    blocks: list[Block]
    options: SweepOptions
    native: bool = True
    config_dir: str | None = None
    tune: Tune | None = None


class _Lines(NamedTuple):
    """Override lines on their way to a request.

    Attributes:
        given: as they came.
        for_hydra: the same, with `sweep.` keys written into the sweep: block.
        parsed: those for Hydra, read with its grammar.
        config_dir: as in `Request`.
    """

    given: list[str]
    for_hydra: list[str]
    parsed: list[Override]
    config_dir: str | None


def read(overrides: Sequence[str], multirun: bool = False, config_dir: str | None = None) -> Request:
    """Read override lines such as ["optimizer=sgd,adam", "seed=range(10)"].

    Args:
        overrides: lines in Hydra's grammar.
        multirun: whether `-m` stood there; an experiment may say so itself (`hydra: {mode: MULTIRUN}`).
        config_dir: a folder that is searched for configurations after lrbench's own.

    Raises:
        RequestError: for anything that Hydra or lrbench cannot read, with what is allowed.
    """
    with hydra_session(config_dir) as loader:
        for_hydra = [into_block(line) for line in overrides]
        lines = _Lines(list(overrides), for_hydra, parse(for_hydra, loader), config_dir)
        _refuse_target(lines.parsed, loader)
        refuse_gone(override.key_or_group for override in lines.parsed)
        tunes = any(map(_is_of_tune, lines.parsed))
        if multirun and not tunes and is_plain(for_hydra, loader):
            # nothing need be composed to know what kind of request it is
            _refuse_given_again(lines.parsed)
            blocks = expand(for_hydra, loader)
            return _one_value(Request(lines.given, True, blocks, _options_of(blocks)))
        config = compose(loader, _first_lines(lines, loader))
        if multirun or config.hydra.mode == RunMode.MULTIRUN:
            return _sweep(lines, config, loader)
        return _single_run(lines, config)


def _single_run(lines: _Lines, config: DictConfig) -> Request:
    for override, line in zip(lines.parsed, lines.given, strict=True):
        if override.is_sweep_override() or line.startswith("sweep."):
            raise sweep_without_multirun(line, lines.given)
    if config.tune:
        raise tune_without_multirun(config.hydra.runtime.choices.tune, lines.given)
    base = leaves(config)
    block = Block(choices(config), base, [])
    return Request(lines.given, False, [block], sweep_options(base), config_dir=lines.config_dir)


def _sweep(lines: _Lines, config: DictConfig, loader: ConfigLoaderImpl) -> Request:
    is_ours = config.hydra.sweeper._target_ == SWEEPER
    native = is_ours and config.hydra.launcher._target_ == BASIC_LAUNCHER
    tune = _tune(lines, loader)
    if tune and not native:
        advice = "Leave hydra/launcher and hydra/sweeper out, or use tune=none."
        raise RequestError(f"tune: lrbench chooses and trains a tuned sweep itself. {advice}")
    if not is_ours:
        options = sweep_options(leaves(config))
        return Request(lines.given, True, [], options, native=False, config_dir=lines.config_dir)
    _refuse_given_again(lines.parsed)
    blocks = expand(_without_tune(lines), loader)
    if tune:
        given = [override.key_or_group for override in lines.parsed]
        blocks = _with_seeds(blocks, given)
        check_blocks(tune, blocks, given)
    options = _options_of(blocks)
    return _one_value(Request(lines.given, True, blocks, options, native, lines.config_dir, tune))


def _refuse_given_again(parsed: list[Override]) -> None:
    """Refuse a swept key with another line: of two single values the last counts, as in Hydra, but here
    either could be meant.
    """
    for key in [override.key_or_group for override in parsed if override.is_sweep_override()]:
        lines = [str(override.input_line) for override in parsed if override.key_or_group == key]
        if len(lines) > 1:
            raise given_again(key, lines)


def _options_of(blocks: list[Block]) -> SweepOptions:
    """Read them off the first block: they have one value for all."""
    return sweep_options(blocks[0].base)


def _one_value(request: Request) -> Request:
    """Refuse a sweep over what has one value for all of it."""
    reason = "it says how a sweep is asked, so it has one value for all of it"
    for axis in chain(*[block.axes for block in request.blocks]):
        for key, values in axis.items():
            if key in REQUEST:
                raise RequestError(f"{key}: {reason}; {len(values)} came.")
    return request


def _first_lines(lines: _Lines, loader: ConfigLoaderImpl) -> list[str]:
    """Return what is fixed, and the first choice of each swept group: lines that compose."""
    return [*map(line_of, _fixed(lines.parsed)), *first_choices(lines.parsed, loader)]


def _fixed(parsed: list[Override]) -> list[Override]:
    return [override for override in parsed if not override.is_sweep_override()]


# ---- how a sweep is tuned


def _is_of_tune(override: Override) -> bool:
    return override.key_or_group.partition(".")[0] == "tune"


def _without_tune(lines: _Lines) -> list[str]:
    """Leave out what says the same of every run: boxes would make each composition half as long again."""
    kept = []
    for override, line in zip(lines.parsed, lines.for_hydra, strict=True):
        # swept ones stay, for expand to refuse
        if not _is_of_tune(override) or override.is_sweep_override():
            kept.append(line)
    return [*kept, "tune=none"]


def _tune(lines: _Lines, loader: ConfigLoaderImpl) -> Tune | None:
    """Read the group tune; where experiments are swept, theirs, which must be the same."""
    common = _first_lines(lines, loader)
    experiments = _swept_experiments(lines.parsed)
    configs = [compose(loader, [*common, line]) for line in experiments] or [compose(loader, common)]
    if any(config.tune != configs[0].tune for config in configs):
        differ = f"{' and '.join(experiments)} differ in it"
        raise RequestError(f"tune: it has one value for all of a sweep, but {differ}. Run them one by one.")
    config = configs[0]
    node: dict[str, Any] = OmegaConf.to_container(config.tune, resolve=True)  # pyright: ignore[reportAssignmentType]
    if not node:
        return None
    optimizers = loader.get_group_options("optimizer")
    return read_tune(config.hydra.runtime.choices.tune, node, optimizers)


def _with_seeds(blocks: list[Block], given: list[str]) -> list[Block]:
    """Let what is chosen run on ten seeds, where neither a line nor a file says on which."""
    says_more = any("seed" in axis for block in blocks for axis in block.axes)
    says_another = any(block.base["seed"] != SEED_OF_A_RUN for block in blocks)
    if "seed" in given or says_more or says_another:
        return blocks
    return [replace(block, axes=[*block.axes, {"seed": EVALUATION_SEEDS}]) for block in blocks]


def _swept_experiments(parsed: list[Override]) -> list[str]:
    experiments = []
    for override in parsed:
        if override.is_sweep_override() and override.key_or_group == "experiment":
            experiments += [f"+experiment={choice}" for choice in override.sweep_string_iterator()]
    return experiments


# ---- a class of one's own


def _refuse_target(parsed: list[Override], loader: ConfigLoaderImpl) -> None:
    """Refuse another class under the hyperparameters of a choice that was made for its own."""
    for override in parsed:
        if override.key_or_group == "optimizer._target_":
            others = [line_of(other) for other in parsed if not other.key_or_group.startswith("optimizer.")]
            choice = choices(compose(loader, others))["optimizer"]
            if choice != "custom":
                raise target_without_custom(override, choice)
