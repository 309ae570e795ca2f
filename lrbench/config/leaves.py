"""A configuration as a flat dict of leaves: {"optimizer": {"lr": 0.01}} is {"optimizer.lr": 0.01}."""

import json
from typing import Any

Leaves = dict[str, Any]


def flatten(tree: dict, prefix: str = "") -> Leaves:
    """Turn nested mappings into leaves; lists are leaves, and so are empty mappings."""
    leaves: Leaves = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            leaves |= flatten(value, prefix=f"{path}.")
        else:
            leaves[path] = value
    return leaves


def under(leaves: Leaves, group: str) -> Leaves:
    """Return the leaves of one group without its prefix."""
    prefix = f"{group}."
    own = {}
    for path, value in leaves.items():
        if path.startswith(prefix):
            own[path.removeprefix(prefix)] = value
    return own


def show(value: Any) -> str:
    """Write a value as it would stand in YAML."""
    return json.dumps(value, ensure_ascii=False, default=str)
