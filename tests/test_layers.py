"""Imports run one way. A new edge is a decision: write it down here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lrbench.results import HOMES
from lrbench.results.figures import FILES as FIGURE_FILES

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
    "workers": {"errors"},
    "batches": {"plan", "problems"},
    "engines": {"config", "losses", "optimizers", "plan", "problems", "schedules", "seeds", "workers"},
    "records": {"config", "engines", "plan", "problems"},
    "train": {
        "batches",
        "config",
        "engines",
        "errors",
        "optimizers",
        "options",
        "plan",
        "problems",
        "records",
        "seeds",
        "workers",
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
    "loky": {"workers"},
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


def packages(path: Path) -> set[str]:
    """Return the other packages that a file imports, anywhere; not those for types alone."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    own = room(module)
    inside = {room(target) for target in arrows(module)} - {own}
    assert inside <= ALLOWED[own], f"new edge {own} -> {sorted(inside - ALLOWED[own])}"
    for package in packages(path) & set(FOREIGN):
        knows = {own, module.removeprefix("lrbench.")} & FOREIGN[package]
        assert knows, f"{path.name} imports {package}"


def test_every_arrow_of_the_table_is_there():
    there: dict[str, set[str]] = {name: set() for name in ALLOWED}
    for module in MODULES:
        there[room(module)] |= {room(target) for target in arrows(module)} - {room(module)}
    unused = {name: ALLOWED[name] - used - {"__init__"} for name, used in there.items()}
    assert {name: edges for name, edges in unused.items() if edges} == {}


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
        ("from lrbench import workers, batches", {"torch", "numba", "pandas", "loky"}),
        ("from lrbench.sweeper.request import read; read(['optimizer=adam'])", {"torch", "pandas"}),
        ("from lrbench.optimizers import FAMILIES", {"torch", "pandas"}),
        ("from lrbench.losses import KINDS", {"torch", "numba"}),
    ],
)
def test_what_is_not_needed_is_not_imported(code, absent):
    check = f"{code}\nimport sys; print('loaded:', *sorted({absent!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "loaded:"


# ---- the rooms of results/, and every file of the package: hints of types and imports inside functions count

# room (or file) of results/ -> what of results/ it may import, and what of lrbench beside it
ROOMS = {
    "notation": (set(), set()),
    "statistics": (set(), set()),
    "theory": (set(), set()),
    "frames": ({"notation"}, {"store"}),
    "tables": ({"notation", "frames", "statistics", "theory"}, {"config", "seeds", "store"}),
    "words": ({"notation", "frames", "statistics", "theory", "tables"}, {"config", "errors"}),
    "figures": ({"notation", "frames", "statistics", "theory", "tables", "words"}, {"errors"}),
    "pages": ({"notation", "frames", "statistics", "theory", "tables", "words", "figures"}, {"errors"}),
    "terminal": ({"notation", "frames", "statistics", "theory", "tables", "words", "figures"}, {"errors"}),
    "results": ({"tables", "words", "figures", "pages", "terminal"}, {"errors", "store"}),
    "comparison": ({"tables", "words", "figures", "pages", "terminal", "results"}, {"errors"}),
    "__init__": ({"results", "comparison"}, set()),
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES
}


# modules that a package imports by their names
NAMED = {"lrbench.results": set(HOMES.values()), "lrbench.results.figures": set(FIGURE_FILES)}


def arrows(module: str) -> set[str]:
    """Return the modules of lrbench that a module imports anywhere, for types too.

    The version is a constant of the front door: who reads it knows nothing of what lies behind.
    """
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if (node.module, alias.name) != ("lrbench", "__version__"):
                    found.add(inner if inner in MODULES else node.module)
    by_name = {f"{module}.{name}" for name in NAMED.get(module, ())}
    return found | by_name - {module}


def room_of_results(module: str) -> str:
    """Return the room, or the file beside the rooms, that a module of results/ stands in."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 else "__init__"


RESULTS = [module for module in MODULES if room(module) == "results"]


@pytest.mark.parametrize("module", RESULTS)
def test_rooms_of_results_import_those_before_them(module):
    own = room_of_results(module)
    inside, beside = ROOMS[own]
    arrows_of_results = {target for target in arrows(module) if room(target) == "results"}
    rooms = {room_of_results(target) for target in arrows_of_results} - {own}
    assert rooms <= inside, f"new edge {own} -> {sorted(rooms - inside)}"
    others = {room(target) for target in arrows(module) - arrows_of_results}
    assert others <= beside, f"new edge {own} -> {sorted(others - beside)}"


def test_every_room_of_results_is_in_the_table_and_arrows_run_down_it():
    """Later rooms know earlier ones, never the other way."""
    assert {room_of_results(module) for module in RESULTS} == set(ROOMS)
    earlier: set[str] = set()
    for name, (inside, _) in ROOMS.items():
        assert inside <= earlier, f"{name} knows {sorted(inside - earlier)}, which stand behind it"
        earlier.add(name)


def types_alone(path: Path) -> set[str]:
    """Return what a file imports for a type checker alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    found.add(inner.module or "")
                elif isinstance(inner, ast.Import):
                    found |= {alias.name for alias in inner.names}
    return found


@pytest.mark.parametrize("module", [module for module in RESULTS if module != "lrbench.results"])
def test_results_hides_no_arrow_of_its_own_from_python(module):
    """An import for types alone is of another library; the lazy names of results/__init__.py are the
    exception.
    """
    own = {name for name in types_alone(MODULES[module]) if name.split(".")[0] in ("lrbench", "")}
    assert own == set()


def test_no_file_reaches_itself():
    """Of whatever length a circle is; the way is told that closes it."""
    settled: set[str] = set()

    def visit(module: str, way: list[str]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module not in settled:
            for target in sorted(arrows(module)):
                visit(target, [*way, module])
            settled.add(module)

    for module in MODULES:
        visit(module, [])
