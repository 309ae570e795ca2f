"""How an optimizer looks, in every figure and on every page: its colour, its mark, the dashes of its line.

    looks(["sgd", "adam", "Mine"])["adam"]  ->  colour #ed550a, night #fdb69d, mark "D", dashes "-"

The mark tells the family, the dashes which of the family it is, so that print without colour can be read. All
colours were chosen at once, by annealing in OKLab, far apart under normal, deuteranope and protanope sight,
and with a contrast of 3 or more on their paper (WCAG 2.2, non-text contrast).
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any, NamedTuple


class Look(NamedTuple):
    """Attributes:
    colour: on light paper, as "#rrggbb".
    night: the same on dark paper.
    mark: a marker of matplotlib's.
    dashes: a line style of matplotlib's.
    """

    colour: str
    night: str
    mark: str
    dashes: Any


# mark of a family -> its optimizers, in the order of their dashes, each with its colours by day and by night
FAMILIES: dict[str, dict[str, tuple[str, str]]] = {
    "o": {  # descent along the gradient, with or without momentum
        "sgd": ("#2c7fcb", "#86c0fc"),
        "sgd_momentum": ("#1a129a", "#5472fe"),
        "sgd_nesterov": ("#502f58", "#a178ab"),
        "asgd": ("#1d5a92", "#60a3e6"),
        "lars": ("#577a7c", "#93bdbf"),
    },
    "D": {  # momentum over a running scale
        "adam": ("#ed550a", "#fdb69d"),
        "adamw": ("#770c04", "#d65f4e"),
        "adam_amsgrad": ("#590915", "#b95b5d"),
        "adamax": ("#364371", "#7b8ec7"),
        "nadam": ("#91425e", "#e384a2"),
        "radam": ("#8a6ea0", "#ccace6"),
        "adan": ("#270a7f", "#6a67e6"),
        "adabelief": ("#589475", "#8fd4af"),
        "lamb": ("#855235", "#d39573"),
    },
    "^": {  # a running scale alone
        "adagrad": ("#915c09", "#dd9e50"),
        "adadelta": ("#243386", "#6681e6"),
        "rmsprop": ("#2c924c", "#68d684"),
        "rmsprop_centered": ("#471b3a", "#9f678c"),
        "adafactor": ("#1b5f7b", "#60a9cb"),
    },
    "v": {  # the sign of the gradient
        "rprop": ("#6d8a99", "#a6c8da"),
        "lion": ("#7b9115", "#b6d052"),
    },
    "s": {  # a matrix, or an estimate of curvature
        "lbfgs": ("#7536be", "#b789ff"),
        "muon": ("#76674f", "#bbaa8e"),
        "sophia": ("#602a34", "#b8737d"),
        "shampoo": ("#0f326d", "#5682cb"),
        "soap": ("#803328", "#d7796a"),
    },
    "P": {  # without a learning rate to choose
        "prodigy": ("#4a0358", "#a359b4"),
        "schedulefree": ("#476670", "#87acb9"),
    },
}
DASHES = (
    "-",
    (0, (6, 2)),
    (0, (2, 1.5)),
    (0, (7, 2, 1.5, 2)),
    (0, (4, 1, 1, 1, 1, 1)),
    (0, (1, 1.2)),
    (0, (10, 3)),
    (0, (10, 2, 2, 2, 2, 2)),
    (0, (3, 3)),
)
# of optimizers that are none of these
OTHER_MARKS = ("p", "*", "h")
OTHER_COLOURS = (
    ("#85284d", "#dd6f94"),
    ("#2838a1", "#6887fd"),
    ("#72510d", "#bf9853"),
    ("#834243", "#d58585"),
    ("#2f6dd3", "#86b4ff"),
    ("#ab7649", "#f0b27e"),
    ("#284002", "#70904f"),
    ("#536b85", "#92afce"),
    ("#541860", "#a965b9"),
    ("#703a5f", "#c180ab"),
    ("#5c8476", "#97c6b4"),
    ("#92318d", "#e474dc"),
    ("#986438", "#e2a471"),
    ("#718516", "#aec755"),
    ("#826299", "#c6a1e2"),
    ("#c66897", "#ffaad2"),
)


def _of_families() -> Iterator[tuple[str, Look]]:
    for mark, members in FAMILIES.items():
        for (optimizer, colours), dashes in zip(members.items(), DASHES, strict=False):
            yield optimizer, Look(*colours, mark, dashes)


KNOWN = dict(_of_families())
NIGHTS = {look.colour: look.night for look in KNOWN.values()} | dict(OTHER_COLOURS)


def looks(optimizers: Iterable[str]) -> dict[str, Look]:
    """Return the look of each of some optimizers that stand side by side, no two of them alike.

    An optimizer of the table looks the same wherever it stands; a class of one's own, "Lion", as the one of
    its name there. Any other gets its look from its name, and another colour where a neighbour has that: with
    more than are left, colours come again with other marks or dashes.
    """
    names = sorted(set(optimizers))
    found = {name: KNOWN[name] for name in names if name in KNOWN}
    for name in names:
        alike = KNOWN.get(name.lower())
        if name not in found and alike and alike not in found.values():
            found[name] = alike
    for name in names:
        if name not in found:
            found[name] = _from_its_name(name, list(found.values()))
    return found


def _from_its_name(name: str, neighbours: list[Look]) -> Look:
    """Return the first look that no neighbour has a colour of, from a place on that the name gives."""
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    own_marks = _from(place, [(mark, dashes) for dashes in DASHES for mark in OTHER_MARKS])
    taken = {look.colour for look in neighbours}
    colours = [*_from(place, OTHER_COLOURS), *((look.colour, look.night) for look in KNOWN.values())]
    free = [pair for pair in colours if pair[0] not in taken]
    for (colour, night), (mark, dashes) in zip(cycle(free or colours), own_marks, strict=False):
        look = Look(colour, night, mark, dashes)
        if look not in neighbours:
            return look
    return Look(*colours[0], *own_marks[0])


def _from(place: int, choices: Any) -> list[Any]:
    """Return the choices from a place on, once round."""
    first = place % len(choices)
    return [*choices[first:], *choices[:first]]
