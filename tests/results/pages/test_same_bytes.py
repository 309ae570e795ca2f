"""The same store gives the same bytes, whoever writes the report: another process, hash seed, folder, time
zone and locale. It loads neither torch nor Hydra.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = {
    "PYTHONHASHSEED": "1",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "MPLBACKEND": "pdf",
}
CODE = """
import sys
from lrbench.cli import main
main(["report", sys.argv[1]])
print(sorted({"torch", "hydra"} & set(sys.modules)))
"""


def written(root: Path) -> dict[str, bytes]:
    """What a report writes, by its place in the store, with `ROOT` for where that lies."""
    files = [
        root / "report.html",
        root / "summary.md",
        root / "summary.csv",
        *root.glob("figures/*"),
        *root.glob("tables/*"),
    ]
    texts = {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}
    return {name: text.replace(bytes(root), b"ROOT") for name, text in texts.items()}


@pytest.fixture(scope="module")
def elsewhere(whole_report, tmp_path_factory) -> tuple[dict[str, bytes], dict[str, bytes], str]:
    """What was written here and by another process, and what this printed last."""
    here = written(whole_report.results.store.root)
    root = tmp_path_factory.mktemp("elsewhere") / "study"
    shutil.copytree(whole_report.results.store.root, root)
    for name in here:
        (root / name).unlink()
    line = [sys.executable, "-W", "error", "-c", CODE, str(root)]
    done = subprocess.run(
        line, check=True, cwd="/", env=os.environ | ELSEWHERE, capture_output=True, text=True
    )
    return here, written(root), done.stdout.splitlines()[-1]


def test_the_same_store_gives_the_same_bytes_everywhere(elsewhere):
    here, there, _ = elsewhere
    assert {Path(name).suffix for name in here} == {".html", ".md", ".csv", ".svg", ".tex"}
    assert list(there) == list(here)
    assert [name for name in here if here[name] != there[name]] == []


def test_a_report_needs_neither_torch_nor_hydra(elsewhere):
    assert elsewhere[2] == "[]"
