"""The recipes of CONTRIBUTING.md: read, and done to a copy of the tree.

A recipe is a section "### ...". The first line of each of its blocks says where the rest goes:

    # lrbench/optimizers/lion.py: a new file
    # lrbench/optimizers/__init__.py, among the imports
    # lrbench/optimizers/__init__.py, in FAMILIES
"""

import ast
import re
import shutil
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COPIED = ("lrbench", "conf", "docs", "experiments", "tests")
BESIDE = ("README.md", "pyproject.toml")
NEW = "a new file"
BLOCK = re.compile(r"^```\w+\n# ([\w./]+)(?:, |: )(.+?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """What goes where."""

    path: str
    place: str  # "a new file", "among the imports", "at the end", "in the table", "in NAME" or "above NAME"
    text: str


def recipes() -> dict[str, list[Block]]:
    """Return the blocks of each recipe by its heading, in order."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        heading, _, content = section.partition("\n")
        found[heading] = [Block(*match.groups()) for match in BLOCK.finditer(content)]
    return found


def copied(root: Path) -> Path:
    """Copy what recipes add to, with the times of its files: compiled code that is kept there stays valid."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder)
    for file in BESIDE:
        shutil.copy2(ROOT / file, root / file)
    return root


def follow(block: Block, root: Path) -> None:
    """Do what a block says to the tree below `root`."""
    path = root / block.path
    if block.place == NEW:
        assert not path.exists(), f"{block.path} is there already"
        path.write_text(block.text, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    line, text = _where(block, lines)
    lines.insert(line, text)
    path.write_text("".join(lines), encoding="utf-8")


def _where(block: Block, lines: list[str]) -> tuple[int, str]:
    """Return before which line, counted from 0, a block goes, and its text as it stands there."""
    word, _, name = block.place.partition(" ")
    if block.place == "at the end":
        return len(lines), f"\n\n{block.text}"
    if block.place == "in the table":
        return _last(lines, lambda line: line.startswith("| `") and line.count("|") == 8), block.text
    if block.path.endswith(".yaml"):
        return _end_of_mapping(lines, name), indent(block.text, "  ")
    tree = ast.parse("".join(lines))
    if block.place == "among the imports":
        return _after_imports(tree, block.text)
    statement = _named(tree, name)
    if word == "above":
        return statement.lineno - 1, f"{block.text}\n\n"
    assert word == "in", block
    if isinstance(statement, ast.ClassDef):
        return _end(statement), "\n" + indent(block.text, "    ")
    return _end(statement) - 1, indent(block.text, "    ")  # before the bracket that closes it


def _last(lines: list[str], is_one) -> int:
    return 1 + max(number for number, line in enumerate(lines) if is_one(line))


def _end_of_mapping(lines: list[str], key: str) -> int:
    """Return the line after a mapping of the outermost level of a YAML file."""
    first = lines.index(f"{key}:\n") + 1
    return first + _last(lines[first:], lambda line: line.startswith("  "))


def _after_imports(tree: ast.Module, text: str) -> tuple[int, str]:
    """Return the line after the imports of a file, or after its docstring where it has none, and a text."""
    imports = [statement for statement in tree.body if isinstance(statement, ast.Import | ast.ImportFrom)]
    if imports:
        return _end(imports[-1]), text
    return _end(tree.body[0]), f"\n{text}"


def _named(tree: ast.Module, name: str) -> ast.stmt:
    """Return the statement that makes a name."""
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement]
        names = [ast.unparse(getattr(target, "target", target)) for target in targets[:1]]
        if getattr(statement, "name", None) == name or names == [name]:
            return statement
    raise AssertionError(f"there is no {name}")


def _end(statement: ast.stmt) -> int:
    assert statement.end_lineno is not None
    return statement.end_lineno
