"""What is tuned, and where it may lie.

A policy is the same for every optimizer; a box holds what is an optimizer's own: the unit of its learning
rate, its other hyperparameters and their ranges. conf/tune/all.yaml says why they are as they are.

    adam: {unit: normalised, betas: [{one_minus: [0.001, 1]}, {one_minus: [0.0001, 0.1]}]}

is a box of three dimensions, with the learning rate, whose range is the policy's:

    path               place   scale       low      high
    optimizer.lr       None    log         0.00001  100
    optimizer.betas    0       one_minus   0.001    1
    optimizer.betas    1       one_minus   0.0001   0.1
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lrbench.config import Leaves

LR = "optimizer.lr"
UNITS = ("gradient", "normalised", "none")
SCALES = ("log", "linear", "one_minus")
NOT_HYPERPARAMETERS = ("unit", "default")  # what else a box holds
DECADE = 10.0
# A search goes over the box, then twice closer around the best. Of its trials each of these zooms gets two of
# eight, an even number, half of it on either side of the best; tables/tuning.py of results/ has the same.
ZOOMS = 2
EIGHTH = 8

Box = dict[str, Any]  # ranges by hyperparameter, and what NOT_HYPERPARAMETERS names
ScaledRange = dict[str, list[float]]  # {"log": [0.001, 1]}: one of SCALES, and its ends
Lists = dict[str, list[Any]]  # hyperparameters that are lists, by path


class LrRange(NamedTuple):
    """Learning rates from low to high."""

    low: float
    high: float

    def place(self, lr: float) -> float:
        """Return where a learning rate lies, evenly in the logarithm: 0 is low, 1 is high."""
        width = np.log(self.high / self.low)
        return np.log(lr / self.low) / width

    def decade_below(self) -> "LrRange":
        return LrRange(self.low / DECADE, self.low)

    def decade_above(self) -> "LrRange":
        return LrRange(self.high, self.high * DECADE)

    def is_usable(self) -> bool:
        """Say whether both ends are numbers of float64 above 0."""
        return self.low > 0 and math.isfinite(self.high)

    def and_all(self, others: Iterable["LrRange"]) -> "LrRange":
        """Return the range from the lowest low to the highest high of this one and others."""
        lows, highs = zip(self, *others, strict=True)
        return LrRange(min(lows), max(highs))


@dataclass(frozen=True)
class Tune:
    """The policy of a tuned sweep, as the manifest keeps it.

    Attributes:
        choice: of the group tune.
        keys: the hyperparameters that are tuned; None for all of each box.
        trials: settings that an optimizer tries.
        seeds: those of the trials.
        seed: of the stream that `seeds` came from, and of the sampler.
        rise: a setting whose gap rises above so many times where it began is not chosen; None: any may be.
        lr: the range of the learning rate in `units`.
        boxes: by optimizer, as configured.
    """

    choice: str
    keys: list[str] | None
    trials: int
    seeds: list[int]
    seed: int
    sampler: str
    rise: float | None
    units: str
    lr: list[float]
    boxes: dict[str, Box]

    @property
    def stages(self) -> list[int]:
        """Return how many trials each stage of a search has: over the box, then a zoom after the other."""
        return stages(self.trials)

    def box(self, optimizer: str) -> Box:
        """Return the box of an optimizer, empty where none is configured: its lr alone is tuned then."""
        return self.boxes.get(optimizer, {})

    def names(self, optimizer: str) -> list[str]:
        """Return the hyperparameters of an optimizer that are tuned, lr first."""
        possible = self.possible_names(optimizer)
        if self.keys is None:
            return possible
        return [name for name in possible if name in self.keys]

    def possible_names(self, optimizer: str) -> list[str]:
        """Return what `keys` may choose from, lr first."""
        return ["lr", *hyperparameters(self.box(optimizer))]

    def tunes_lr(self, optimizer: str) -> bool:
        return "lr" in self.names(optimizer)

    def unit(self, optimizer: str) -> str:
        """Return one of UNITS: what a learning rate of 1 means with units: oracle."""
        return self.box(optimizer).get("unit", "none")

    def defaults(self, optimizer: str, base: Leaves) -> Leaves:
        """Return the tuned leaves as the class has them: the box's `default`, else what is configured."""
        by_class = self.class_defaults(optimizer)
        leaves = {}
        for name in self.names(optimizer):
            path = f"optimizer.{name}"
            leaves[path] = by_class.get(name, base[path])
        return leaves

    def class_defaults(self, optimizer: str) -> dict[str, Any]:
        """Return the class's own values, where its configuration holds others."""
        return self.box(optimizer).get("default", {})


def stages(trials: int) -> list[int]:
    """Share out the trials of a search; of fewer than eight no zoom gets any."""
    zoom = 2 * (trials // EIGHTH)
    zooms = [zoom] * ZOOMS if zoom else []
    return [trials - sum(zooms), *zooms]


def hyperparameters(box: Box) -> list[str]:
    """Return the hyperparameters that a box has ranges of."""
    return [name for name in box if name not in NOT_HYPERPARAMETERS]


@dataclass(frozen=True)
class Dimension:
    """A number that is tuned: the hyperparameter at `path`, or where that is a list, its number at `place`.

    It is drawn evenly on a scale of SCALES between low and high.
    """

    path: str
    place: int | None
    scale: str
    low: float
    high: float


def dimensions(tune: Tune, optimizer: str, lr_range: LrRange) -> list[Dimension]:
    """Return the numbers of an optimizer that are tuned, with lr in its range."""
    found = []
    for name in tune.names(optimizer):
        if name == "lr":
            found.append(Dimension(LR, None, "log", *lr_range))
        else:
            ranges = tune.boxes[optimizer][name]
            found += _dimensions_of(f"optimizer.{name}", ranges)
    return found


def _dimensions_of(path: str, ranges: ScaledRange | list[Any]) -> list[Dimension]:
    """Read what a box holds of a hyperparameter: a range, or a list with one for each tuned number."""
    if isinstance(ranges, dict):
        return [_dimension(path, None, ranges)]
    found = []
    for place, part in enumerate(ranges):
        if isinstance(part, dict):
            found.append(_dimension(path, place, part))
    return found


def _dimension(path: str, place: int | None, scaled_range: ScaledRange) -> Dimension:
    [(scale, (low, high))] = scaled_range.items()
    return Dimension(path, place, scale, low, high)


def lists(tune: Tune, optimizer: str) -> Lists:
    """Return, by path, the boxes that are lists: what is no range in them is the value, of a beta2 say."""
    found = {}
    for name in tune.names(optimizer):
        box = tune.box(optimizer).get(name)
        if isinstance(box, list):
            found[f"optimizer.{name}"] = box
    return found
