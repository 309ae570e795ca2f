"""What is swept: override lines as axes.

Given optimizer.lr=0.01,0.1 it gives Axis(("optimizer.lr",), [("optimizer.lr=0.01",), ("optimizer.lr=0.1",)]).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override

from lrbench.errors import RequestError
from lrbench.sweeper.messages import twice

Lines = list[str]


@dataclass(frozen=True)
class Axis:
    """Keys that are swept together, and the override lines of each point."""

    keys: tuple[str, ...]
    points: list[tuple[str, ...]]


@dataclass(frozen=True)
class Variant:
    """What is fixed and what is swept; the product of its axes are the jobs."""

    fixed: Lines
    axes: list[Axis]

    def jobs(self) -> Iterator[Lines]:
        for points in combinations(self.axes):
            yield [*self.fixed, *points]


def read_axis(override: Override) -> Axis:
    """Print each value and read it again, as Hydra's own sweeper does."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return Axis((key,), [(line_of(override),)])
    if not override.is_discrete_sweep():
        advice = "use range(), choice() or a list, or hydra/sweeper=optuna"
        raise RequestError(f"{override.input_line}: an interval holds no values to try; {advice}.")
    texts = list(override.sweep_string_iterator())
    if not texts:
        raise RequestError(f"{override.input_line}: there is no value in it; give at least one.")
    text, count = Counter(texts).most_common(1)[0]
    if count > 1:  # as it is written; what is the same number in other words is found when it is read
        raise twice(key, text)
    return Axis((key,), [(f"{key}={text}",) for text in texts])


def name_of(axis: Axis) -> str:
    """Return the key of an axis as it was given, without Hydra's sign of addition."""
    return axis.keys[0].lstrip("+")


def combinations(axes: list[Axis]) -> Iterator[Lines]:
    for points in product(*[axis.points for axis in axes]):
        yield list(chain(*points))


def first_choices(parsed: list[Override], loader: ConfigLoaderImpl) -> Lines:
    """Return the first choice of each swept group but experiments.

    Lines that do not fit lrbench's own choice compose beside them.
    """
    lines = []
    for override in parsed:
        group = override.key_or_group
        if override.is_sweep_override() and group != "experiment" and loader.get_group_options(group):
            lines.append(read_axis(override).points[0][0])
    return lines


def line_of(override: Override) -> str:
    return override.input_line or ""
