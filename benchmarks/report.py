"""Run all benchmarks, each in a process of its own, and write what they find to benchmarks/README.md.

python benchmarks/report.py            # about half an hour; the machine should do nothing else
python benchmarks/report.py --quick    # tiny sizes, to see that it works; prints the page
"""

import argparse
import ast
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from table import Table

HERE = Path(__file__).parent
SCRIPTS = ("engine", "sweep", "workers", "planning", "problem", "tables", "page")
PACKAGES = (
    "lrbench",
    "numba",
    "llvmlite",
    "numpy",
    "torch",
    "jax",
    "jaxlib",
    "optax",
    "hydra-core",
    "pyarrow",
    "seaborn",
    "matplotlib",
)
QUICK = ["--quick"]


def measured(script: str, options: list[str]) -> list[Table]:
    """Run a script and return its tables; it prints them as they come."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "tables.json"
        subprocess.run(
            [sys.executable, str(HERE / f"{script}.py"), *options, "--json", str(found)], check=True
        )
        return [Table(**table) for table in json.loads(found.read_text())]


def page(options: list[str]) -> str:
    command = " ".join(["python benchmarks/report.py", *options])
    head = [
        "# Benchmarks",
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}.",
        "\n".join(f"- {line}" for line in machine()),
    ]
    return "\n\n".join([*head, *(section(script, options) for script in SCRIPTS)]) + "\n"


def section(script: str, options: list[str]) -> str:
    """Write what a script says of itself and its tables; those of detail are folded."""
    about = ast.get_docstring(ast.parse((HERE / f"{script}.py").read_text()))
    *text, command = about.split("\n\n")
    tables = measured(script, options)
    parts = [f"## `{command}`", *text, *(table.markdown() for table in tables if not table.detail)]
    if details := [table.markdown() for table in tables if table.detail]:
        parts += ["<details><summary>The times themselves</summary>", *details, "</details>"]
    return "\n\n".join(parts)


def machine() -> list[str]:
    """Return what the numbers depend on: processor, operating system, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"Python {platform.python_version()}", *filter(None, map(version, PACKAGES)), *compiler()]
    return [
        f"{processor()}, {cores} of {os.cpu_count()} processors",
        platform.platform(),
        ", ".join(versions),
    ]


def processor() -> str:
    """Return the processor's name and, where the system tells, the widest vectors that it has."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    fields = dict(
        line.split(":", 1) for line in info.read_text().replace("\t", "").splitlines() if ":" in line
    )
    flags = fields.get("flags", "").split()
    vectors = next((flag for flag in ("avx512f", "avx2", "avx") if flag in flags), None)
    return ", ".join(filter(None, [fields.get("model name", platform.machine()).strip(), vectors]))


def version(package: str) -> str | None:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return None


def compiler() -> list[str]:
    if shutil.which("gcc") is None:
        return []
    return [
        "gcc "
        + subprocess.run(
            ["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True
        ).stdout.strip()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(*QUICK, action="store_true", help="tiny sizes: only to see that it works")
    options = QUICK if parser.parse_args().quick else []
    text = page(options)
    if options:
        print(text)
    else:
        (HERE / "README.md").write_text(text)
