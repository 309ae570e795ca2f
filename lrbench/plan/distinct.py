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
    if "seed" not in group.columns or not is_fixed(group.shared["batch_size"], group.shared["batch_order"]):
        return group
    init, seed = group.column("init"), group.column("seed")
    draws_its_start = np.array([value == "torch" for value in init.values])[init.codes]  # (R,)
    by_seed = np.argsort(np.array(seed.values)[seed.codes], kind="stable")
    smallest = np.zeros(len(group), dtype=bool)
    smallest[by_seed[first_places(group.settings[by_seed])]] = True
    return group.take(np.flatnonzero(smallest | draws_its_start))


def first_places(fingerprints: np.ndarray) -> np.ndarray:
    """Return where each of (R, 2) fingerprints stands first, ascending."""
    first_halves = np.unique(fingerprints[:, 0])
    if len(first_halves) == len(fingerprints):  # the rule, and ten times faster to see
        return np.arange(len(fingerprints))
    _, places = np.unique(fingerprints, axis=0, return_index=True)
    return np.sort(places)


def _found_in(fingerprints: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Say which of (R, 2) fingerprints are among (S, 2) others."""
    if not np.isin(fingerprints[:, 0], others[:, 0]).any():  # the rule, and no ids need to be written
        return np.zeros(len(fingerprints), dtype=bool)
    return np.isin(identifiers(fingerprints), identifiers(others))
