"""docs/design.md tells of the tree as it is: its arrows are the tested ones, its row is a real one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walk():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "experiments")
        import walk

        return walk


def test_the_page_is_what_the_walk_writes(walk):
    """`make docs` writes it anew."""
    told = dict(re.findall(r"<!-- ([\w ]+) -->\n(.*?)\n<!-- end -->", PAGE, flags=re.DOTALL))
    assert told == walk.blocks()


def test_every_file_that_the_page_names_is_there():
    rooms = PAGE[PAGE.index("## The rooms") : PAGE.index("## The arrows")]
    names = set(re.findall(r"\b(\w+\.py)\b", rooms))
    there = {
        path.name for folder in ("lrbench", "experiments", "tests") for path in (ROOT / folder).rglob("*.py")
    }
    assert names <= there, f"docs/design.md names {sorted(names - there)}, which are no files"
