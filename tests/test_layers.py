"""Imports run one way. A new edge is a decision: write it down here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lrbench"

# module (or package) -> what of lrbench it may import. Lower lines stand on higher ones.
ALLOWED = {
    "errors": set(),
    "seeds": set(),
    "losses": {"errors"},
    "config": {"errors"},
    "store": {"errors"},
    "problems": {"errors", "losses", "seeds"},
    "options": {"config"},
    "schedules": {"config"},
    "plan": {"config", "errors", "losses", "problems", "schedules", "seeds"},
    "optimizers": set(),
    "engines": {"config", "losses", "optimizers", "plan", "problems", "schedules", "seeds"},
    "records": {"config", "engines", "plan", "problems"},
    "train": {
        "config",
        "engines",
        "errors",
        "optimizers",
        "options",
        "plan",
        "problems",
        "records",
        "schedules",
        "seeds",
    },
    "tuning": {"config", "errors", "plan", "problems", "seeds"},
    "sweeper": {"config", "errors", "options", "plan", "tuning"},
    "bench": {
        "__init__",
        "config",
        "errors",
        "options",
        "plan",
        "records",
        "store",
        "sweeper",
        "train",
        "tuning",
    },
    "reproduce": {"bench", "options", "plan", "store", "train"},
    "timing": {
        "bench",
        "config",
        "engines",
        "errors",
        "options",
        "plan",
        "problems",
        "records",
        "schedules",
        "seeds",
        "sweeper",
        "train",
    },
    "catalog": {"config", "errors", "losses", "problems", "store"},
    "results": {"__init__", "config", "errors", "seeds", "store"},
    "__init__": {"bench", "errors", "results", "sweeper"},
    "cli": {
        "__init__",
        "bench",
        "catalog",
        "config",
        "errors",
        "reproduce",
        "results",
        "store",
        "sweeper",
        "timing",
    },
    "__main__": {"cli"},
}

# What only some rooms, or single modules of a room, may know. Of losses and optimizers the classes that torch
# lacks need it, and nothing else: listing, planning and the fused engine do without, as torch takes seconds.
FOREIGN = {
    "torch": {"engines", "losses.criteria", "optimizers.classes", "schedules", "timing", "train"},
    "numba": {"engines", "losses", "optimizers"},
    "hydra": {"sweeper", "cli"},
    "omegaconf": {"sweeper"},
    "pandas": {"results"},
    "seaborn": {"results"},
    "matplotlib": {"results"},
    "sklearn": {"problems"},
    "statsmodels": {"problems"},
    "rich": {"results", "cli"},
    "jinja2": {"results"},
}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, at the top or inside functions; not those for types alone."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "lrbench":
            found |= {
                f"lrbench.{alias.name}" if _is_module(alias.name) else "lrbench" for alias in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def _is_module(name: str) -> bool:
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    own = room(module)
    modules = imports(path)
    inside = {room(module) for module in modules if module.split(".")[0] == "lrbench"} - {own}
    assert inside <= ALLOWED[own], f"new edge {own} -> {sorted(inside - ALLOWED[own])}"
    for package, rooms in FOREIGN.items():
        if any(module.split(".")[0] == package for module in modules):
            assert {own, module.removeprefix("lrbench.")} & rooms, f"{path.name} imports {package}"


def test_the_table_has_no_cycle():
    settled = set()
    while left := {name for name in ALLOWED if name not in settled}:
        ready = {name for name in left if ALLOWED[name] - {"__init__"} <= settled}
        assert ready, f"a cycle among {sorted(left)}"
        settled |= ready


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import lrbench", {"torch", "hydra", "numpy", "pandas"}),
        ("from lrbench import cli; cli.main(['--help'])", {"torch", "hydra", "pandas", "pyarrow"}),
        ("from lrbench import cli; cli.main(['report', '--help'])", {"torch", "hydra", "pandas", "pyarrow"}),
        ("from lrbench import cli; cli.main(['time', '--help'])", {"torch", "hydra", "pandas", "pyarrow"}),
        ("from lrbench import cli; cli.main(['list', 'optimizers'])", {"torch", "hydra", "pandas"}),
        ("from lrbench.sweeper.request import read; read(['optimizer=adam'])", {"torch", "pandas"}),
        ("from lrbench.optimizers import FAMILIES", {"torch", "pandas"}),
        ("from lrbench.losses import KINDS", {"torch", "numba"}),
    ],
)
def test_what_is_not_needed_is_not_imported(code, absent):
    check = f"{code}\nimport sys; print('loaded:', *sorted({absent!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "loaded:"
