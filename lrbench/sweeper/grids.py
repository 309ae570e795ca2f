"""The sweep: block, joined with the command line: a grid for each choice of a group, keys that move together.

Hydra has one grid for all. Here each optimizer may have its own, all in Hydra's own grammar:

    sweep:
      seed: range(10)                  # text in Hydra's sweep grammar, or a list of values
      optimizer:                       # a config group with a mapping: each choice has its own grid
        sgd:  {lr: [0.01, 0.1], momentum: [0, 0.9]}
        adam: {lr: "0.001,0.01"}
      zip: [steps, batch_size]         # these move together

Of this block there is a variant for sgd, with axes for seed, lr and momentum, and one for adam, with axes for
seed and lr. The command line wins over the block; there, `sweep.optimizer.sgd.lr=0.1,1`
writes into it.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, product
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf

from lrbench.config import show
from lrbench.errors import RequestError, did_you_mean
from lrbench.sweeper.axes import Axis, Lines, Variant, line_of, name_of, read_axis
from lrbench.sweeper.compose import compose, parse

Grids = dict[
    str, dict[str, Any]
]  # by group, and there by choice: the settings that are swept, and their values


def is_plain(lines: Sequence[str], loader: ConfigLoaderImpl) -> bool:
    """Say whether lines can bring neither a sweep: block nor settings of Hydra's.

    Then nothing need be composed to see them (30 ms).
    """
    if any("command-line" in source.provider for source in loader.get_sources()):
        return False  # a folder of the user's may hold anything
    keys = [line.lstrip("+~") for line in lines]
    return not any(key.startswith(("experiment", "sweep", "hydra")) for key in keys)


def into_block(line: str) -> str:
    """Let `sweep.optimizer.sgd.lr=0.1,1` write its text into the sweep: block.

    No configuration holds the block unless an experiment brings one, so Hydra is told to add the key.
    """
    key, _, text = line.partition("=")
    if not key.startswith("sweep."):
        return line
    value = text if text.startswith("[") else _as_text(text)
    return f"++{key}={value}"


def sweep_block(fixed: Lines, loader: ConfigLoaderImpl) -> dict[str, Any]:
    if is_plain(fixed, loader):
        return {}
    block = compose(loader, fixed).get("sweep")
    return OmegaConf.to_container(block, resolve=True) if block else {}  # pyright: ignore[reportReturnType]


def join_with_command_line(
    block: dict[str, Any], fixed: Lines, swept: list[Axis], loader: ConfigLoaderImpl
) -> Iterator[Variant]:
    """Join the block with the command line, which wins.

    There is a variant for each combination of choices with grids of their own.
    """
    given = _given(fixed, swept, loader)
    grids: Grids = {group: grid for group, grid in block.items() if isinstance(grid, dict)}
    _check_grids(grids, loader)
    common = []
    for key, value in block.items():
        if key not in grids and key not in given:
            common.append(_block_axis(key, value, loader))
    others = [axis for axis in swept if axis.keys[0] not in grids]
    for chosen in product(*_choices_of(grids, given)):
        own = []
        for key, value in _own_settings(grids, chosen):
            if key not in given:
                own.append(_block_axis(key, value, loader))
        new = [line for line in chosen if line not in fixed]
        yield Variant([*fixed, *new], [*common, *own, *others])


def _given(fixed: Lines, swept: list[Axis], loader: ConfigLoaderImpl) -> dict[str, Lines]:
    """Return by key what stands on the command line, a line a value."""
    given = {override.key_or_group: [line_of(override)] for override in parse(fixed, loader)}
    for axis in swept:
        given[name_of(axis)] = [point[0] for point in axis.points]
    return given


def _choices_of(grids: Grids, given: dict[str, Lines]) -> list[Lines]:
    """Return for each group with grids the lines that choose in it.

    They are those of the command line, or else all that have a grid.
    """
    lines = []
    for group, grid in grids.items():
        lines.append(given.get(group) or [f"{group}={choice}" for choice in grid])
    return lines


def _own_settings(grids: Grids, chosen: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield what chosen lines, one a group such as optimizer=sgd, have in their grids: keys and values."""
    for (group, grid), line in zip(grids.items(), chosen, strict=True):
        choice = line.partition("=")[2]
        for key, value in (grid.get(choice) or {}).items():
            yield f"{group}.{key}", value


def _check_grids(grids: Grids, loader: ConfigLoaderImpl) -> None:
    for group, grid in grids.items():
        options = loader.get_group_options(group)
        for choice in grid:
            if not options:
                reason = f"{group} is no config group, so it has no choice '{choice}'"
                raise RequestError(f"sweep.{group}: {reason}.")
            if choice not in options:
                there_are = did_you_mean(choice, options)
                advice = f"{there_are} To sweep a key of every choice: {group}.key=a,b"
                raise RequestError(f"sweep.{group}: {group} has no choice '{choice}'. {advice}")


def _block_axis(key: str, value: Any, loader: ConfigLoaderImpl) -> Axis:
    if isinstance(value, list):
        value = ",".join(map(_as_text, value))
    text = value if isinstance(value, str) else show(value)
    [override] = parse([f"{key}={text}"], loader)
    return read_axis(override)


def _as_text(value: Any) -> str:
    """Write a value in Hydra's override grammar."""
    if isinstance(value, list):
        return f"[{','.join(map(_as_text, value))}]"
    if isinstance(value, str):
        return QuotedString(text=value, quote=Quote.single).with_quotes()
    return show(value)


def zip_axes(axes: list[Axis], keys: list[str]) -> list[Axis]:
    """Let the axes of these keys move together."""
    if not keys:
        return axes
    together = {axis.keys[0]: axis for axis in axes if axis.keys[0] in keys}
    _check_together(keys, together)
    side_by_side = zip(*[axis.points for axis in together.values()], strict=True)
    points = [tuple(chain(*point)) for point in side_by_side]
    apart = [axis for axis in axes if axis.keys[0] not in together]
    return [Axis(tuple(together), points), *apart]


def _check_together(keys: list[str], together: dict[str, Axis]) -> None:
    for key in keys:
        if key not in together:
            names = ", ".join(together) or "anything"
            reason = f"{key} is not swept here, so it cannot move together with {names}"
            raise RequestError(f"sweep.zip: {reason}.")
    lengths = {key: len(axis.points) for key, axis in together.items()}
    if len(set(lengths.values())) > 1:
        having = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        raise RequestError(f"sweep.zip: values that move together need lists of one length, but {having}.")
