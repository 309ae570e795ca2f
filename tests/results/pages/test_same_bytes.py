"""The same store gives the same bytes, whoever writes the report: another process, hash seed, folder, time zone and locale."""

import os
import subprocess
import sys
from pathlib import Path

from whole import whole

ELSEWHERE = {
    "PYTHONHASHSEED": "1",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "MPLBACKEND": "pdf",
}


def written(root: Path) -> dict[str, bytes]:
    """What a report writes, by its place in the store."""
    files = [
        root / "report.html",
        root / "summary.md",
        root / "summary.csv",
        *root.glob("figures/*"),
        *root.glob("tables/*"),
    ]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


def test_the_same_store_gives_the_same_bytes_everywhere(tmp_path):
    results = whole(tmp_path / "study", problems=1)
    results.report()
    here = written(results.store.root)
    assert {Path(name).suffix for name in here} == {".html", ".md", ".csv", ".svg", ".png", ".tex"}
    for name in here:
        (results.store.root / name).unlink()
    code = f"import lrbench; lrbench.load({str(results.store.root)!r}).report()"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, cwd="/", env=os.environ | ELSEWHERE
    )
    there = written(results.store.root)
    assert list(there) == list(here)
    assert [name for name in here if here[name] != there[name]] == []
