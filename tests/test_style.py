"""What neither the formatter nor the linter sees."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("lrbench", "tests", "benchmarks", "experiments")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
DEEPEST = 30  # spaces: the widest hanging indent of a list, in a method; a careless re-wrap goes beyond it


def docstring_lines(path: Path) -> list[str]:
    lines: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            lines += docstring.splitlines()
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_docstring_is_squeezed_into_a_column(path):
    """Tools that re-wrap a text sometimes take its first line for a hanging indent."""
    squeezed = []
    for line in docstring_lines(path):
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent > DEEPEST:
            squeezed.append(line)
    assert squeezed == []
