"""What was asked: override lines, composed and expanded."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import OmegaConf

from lrbench.config import REQUEST, Leaves
from lrbench.errors import RequestError
from lrbench.plan import Block
from lrbench.sweeper.compose import SWEEPER, choices, compose, hydra_session, leaves, parse
from lrbench.sweeper.expand import expand, first_choices, into_block, is_plain
from lrbench.sweeper.messages import sweep_without_multirun, target_without_custom, tune_without_multirun
from lrbench.tuning.boxes import Tune, check_blocks
from lrbench.tuning.boxes import read as read_tune

BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@dataclass(frozen=True)
class Request:
    """A composed and expanded request, not yet planned.

    Attributes:
        overrides: the lines as they came.
        multirun: whether it is a sweep.
        blocks: what is to be run; empty where one of Hydra's own sweepers decides that.
        ask: how it is asked, the keys of `config.REQUEST`.
        tune: how settings are chosen on seeds of their own; None where all run as they are given.
        native: whether lrbench trains the plan itself; false where a launcher or sweeper of Hydra's was picked.
        config_dir: the folder that was searched for configurations before lrbench's own.
    """

    overrides: list[str]
    multirun: bool
    blocks: list[Block]
    ask: Leaves
    native: bool = True
    config_dir: str | None = None
    tune: Tune | None = None


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
        if multirun and is_plain(lines, loader) and not any(_of_tune(override) for override in parsed):
            return _sweep(overrides, expand(lines, loader))
        config = compose(loader, [*_fixed(parsed, lines), *first_choices(parsed, loader)])
        if not (multirun or config.hydra.mode == RunMode.MULTIRUN):
            swept = [
                line
                for override, line in zip(parsed, overrides, strict=True)
                if override.is_sweep_override() or line.startswith("sweep.")
            ]
            if swept:
                raise sweep_without_multirun(swept[0], overrides)
            if config.tune:
                raise tune_without_multirun(config.hydra.runtime.choices.tune, overrides)
            base = leaves(config)
            return Request(
                list(overrides),
                False,
                [Block(choices(config), base, [])],
                asking(base),
                config_dir=config_dir,
            )
        ours = config.hydra.sweeper._target_ == SWEEPER
        native = ours and config.hydra.launcher._target_ == BASIC_LAUNCHER
        tune = _tune(parsed, lines, loader)
        if tune and not native:
            raise RequestError(
                "tune: lrbench chooses and trains a tuned sweep itself. Leave hydra/launcher and hydra/sweeper out, or use tune=none."
            )
        if not ours:
            return Request(list(overrides), True, [], asking(leaves(config)), False, config_dir)
        blocks = expand(_without_tune(parsed, lines), loader)
        if tune:
            check_blocks(tune, blocks, (override.key_or_group for override in parsed))
        return _sweep(overrides, blocks, native, config_dir, tune)


def _fixed(parsed: list[Override], lines: list[str]) -> list[str]:
    return [line for line, override in zip(lines, parsed, strict=True) if not override.is_sweep_override()]


def _of_tune(override: Override) -> bool:
    return override.key_or_group.partition(".")[0] == "tune"


def _without_tune(parsed: list[Override], lines: list[str]) -> list[str]:
    """Return lines that say the same of every run: boxes would make each composition half as long again. Swept ones stay, for expand to refuse."""
    return [
        *(
            line
            for line, override in zip(lines, parsed, strict=True)
            if not _of_tune(override) or override.is_sweep_override()
        ),
        "tune=none",
    ]


def _tune(parsed: list[Override], lines: list[str], loader: ConfigLoaderImpl) -> Tune | None:
    """Read the group tune; where experiments are swept, theirs, which must be the same."""
    common = [*_fixed(parsed, lines), *first_choices(parsed, loader)]
    swept = [
        override
        for override in parsed
        if override.is_sweep_override() and override.key_or_group == "experiment"
    ]
    experiments = [
        f"+experiment={choice}" for override in swept for choice in override.sweep_string_iterator()
    ]
    configs = [compose(loader, [*common, line]) for line in experiments] or [compose(loader, common)]
    if any(config.tune != configs[0].tune for config in configs):
        raise RequestError(
            f"tune: it has one value for all of a sweep, but {' and '.join(experiments)} differ in it. Run them one by one."
        )
    node: dict = OmegaConf.to_container(configs[0].tune, resolve=True)  # type: ignore[assignment]
    return (
        read_tune(configs[0].hydra.runtime.choices.tune, node, loader.get_group_options("optimizer"))
        if node
        else None
    )


def _sweep(
    overrides: Sequence[str],
    blocks: list[Block],
    native: bool = True,
    config_dir: str | None = None,
    tune: Tune | None = None,
) -> Request:
    for block in blocks:
        for key in (key for axis in block.axes for key in axis if key in REQUEST):
            raise RequestError(
                f"{key}: it says how a sweep is asked, so it has one value for all of it; {len(block.columns[key].values)} came."
            )
    return Request(list(overrides), True, blocks, asking(blocks[0].base), native, config_dir, tune)


def asking(base: Leaves) -> Leaves:
    """Return how it is asked: the leaves that are no part of a run."""
    return {key: base[key] for key in REQUEST}


def _refuse_target(parsed: list[Override], loader: ConfigLoaderImpl) -> None:
    for override in parsed:
        if override.key_or_group == "optimizer._target_":
            others = [
                other.input_line or "" for other in parsed if not other.key_or_group.startswith("optimizer.")
            ]
            choice = choices(compose(loader, others))["optimizer"]
            if choice != "custom":
                raise target_without_custom(override, choice)
