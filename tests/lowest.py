"""Prints the lowest versions that pyproject.toml promises, as constraints for pip: `make lowest`.

One row: numpy==2.0.1. torch keeps its pin, so that its floor is not tested. What these need in turn is left
to pip.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# gigabytes a release
PINNED = {"torch"}
REQUIREMENT = re.compile(r"(?P<name>[\w-]+)(?:\[\w+\])?(?:>=(?P<floor>[\d.]+))?")


def constraints() -> list[str]:
    """Return a line a requirement: its floor, or its pin of constraints.txt where it has none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    requirements = project["dependencies"] + project["optional-dependencies"]["dev"]
    return [_constraint(requirement, pins) for requirement in requirements]


def _constraint(requirement: str, pins: dict[str, str]) -> str:
    name, floor = REQUIREMENT.match(requirement).group("name", "floor")
    is_pinned = floor is None or name in PINNED
    return f"{name}=={pins[name] if is_pinned else floor}"


if __name__ == "__main__":
    print("\n".join(constraints()))
