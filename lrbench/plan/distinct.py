"""Each run once, and once a setting where nothing depends on the seed."""

from collections.abc import Iterable

import numpy as np

from lrbench.config import identifiers
from lrbench.plan.groups import Group
from lrbench.plan.warnings import COPIES, each_once, twins_of_another
from lrbench.seeds import is_fixed


def distinct(groups: Iterable[Group]) -> tuple[list[Group], list[str]]:
    """Keep each run once; return the groups that have runs left, and in sentences what was left out."""
    warnings: list[str] = []
    kept: list[Group] = []
    # by label, so that of two equal runs the same one stays in whatever order they are asked for
    for group in sorted(groups, key=_label_order):
        seeded = _without_idle_seeds(group)
        if len(seeded) < len(group):
            warnings.append(COPIES)
        new = seeded.take(first_places(seeded.runs))
        for earlier in kept:
            twins = _found_in(new.runs, earlier.runs)
            if twins.any() and _optimizer(new) != _optimizer(earlier):
                warnings.append(twins_of_another(_optimizer(new), _optimizer(earlier)))
            new = new.take(np.flatnonzero(~twins))
        kept.append(new)
    return [group for group in kept if len(group)], each_once(warnings)


def _label_order(group: Group) -> list[tuple[str, str]]:
    return sorted(group.labels.items())


def _optimizer(group: Group) -> str:
    return group.labels["optimizer"]


def _without_idle_seeds(group: Group) -> Group:
    """Keep the smallest seed of each setting that neither draws its start nor the order of its rows."""
    same_rows = is_fixed(group.shared["batch_size"], group.shared["batch_order"])
    if "seed" not in group.columns or not same_rows:
        return group
    keeps = _draws_its_start(group)
    keeps[_places_of_smallest_seeds(group)] = True
    return group.take(np.flatnonzero(keeps))


def _draws_its_start(group: Group) -> np.ndarray:
    """Say which runs start where their seed says, (R,) bool."""
    init = group.column("init")
    is_drawn = np.array([value == "torch" for value in init.values])
    return is_drawn[init.codes]


def _places_of_smallest_seeds(group: Group) -> np.ndarray:
    """Return where each setting stands with its smallest seed."""
    seed = group.column("seed")
    seeds = np.array(seed.values)[seed.codes]  # (R,)
    ascending = np.argsort(seeds, kind="stable")
    first_of_settings = first_places(group.settings[ascending])
    return ascending[first_of_settings]


def first_places(fingerprints: np.ndarray) -> np.ndarray:
    """Return where each of (R, 2) fingerprints stands first, ascending."""
    first_halves = np.unique(fingerprints[:, 0])
    if len(first_halves) == len(fingerprints):  # the rule, and ten times faster to see
        return np.arange(len(fingerprints))
    _, places = np.unique(fingerprints, axis=0, return_index=True)
    return np.sort(places)


def _found_in(fingerprints: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Say which of (R, 2) fingerprints are among (S, 2) others."""
    alike = np.isin(fingerprints[:, 0], others[:, 0])
    if not alike.any():  # the rule, and no ids need to be written
        return alike
    return np.isin(identifiers(fingerprints), identifiers(others))
