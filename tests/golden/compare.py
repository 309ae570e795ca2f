"""Show that a rebuilding changed nothing that people see: python compare.py BASE.

The tree of BASE and the working tree make the same result sets (`make.py`), and everything that comes of them is compared.
Both sides are left under .golden/<commit>/, as before/ and after/, beside the tree of BASE and the kernels that it compiled.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from difflib import unified_diff
from fnmatch import fnmatch
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / ".golden"
SHOWN_LINES = 20
LONGEST_LINE = 200  # characters; of a difference in longer lines only the spot is shown
CONTEXT = 80  # characters on either side of such a spot
PAIRED_LINES = 400  # of each side, as difflib takes quadratic time

# what is compared -> where it lies in the folder of a set; the first that fits
KINDS = {
    "manifest": ("results/*/manifest.json",),
    "parquet": ("*.parquet",),
    "page": ("results/*.html",),
    "summary": ("results/*/summary.*",),
    "tables csv": ("results/*/tables/*.csv",),
    "tables tex": ("results/*/tables/*.tex",),
    "figures svg": ("results/*/figures/*.svg",),
    "figures png": ("results/*/figures/*.png",),
    "terminal": ("terminal/*",),
    "notebook": ("notebook/*",),
    "frames": ("frames/*",),
    "plots": ("plots/*",),
    "other files": ("*",),
}


class Difference(NamedTuple):
    """How one file differs: in how many lines, and how that is shown."""

    lines: int
    shown: list[str]


# ---- making both sides


def base_commit(name: str) -> str:
    asked = ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"golden: BASE={name} is no commit of this repository.")
    return answer.stdout.strip()


def checked_out(commit: str) -> Path:
    """Return the folder with the tree of a commit; it stays, as the kernels that it compiles lie in it."""
    tree = GOLDEN / commit[:12] / "tree"
    if not tree.exists():
        unfinished = tree.with_name(f"tree.{os.getpid()}")
        unfinished.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", unfinished], input=archive.stdout, check=True)
        unfinished.rename(tree)
    return tree


def start(tree: Path, out: Path) -> subprocess.Popen:
    """Begin to make all sets with the lrbench of a tree."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    fixed = {"PYTHONPATH": str(tree), "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    environment = os.environ | one_thread | fixed | {"MPLBACKEND": "Agg"}
    driver = Path(__file__).with_name("make.py")
    return subprocess.Popen([sys.executable, driver, tree, out], env=environment, cwd=out)


# ---- comparing them


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files of a set by their place. Parts have random names, so they are called after their order."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            place = path.relative_to(folder)
            if place.parent.name in ("runs", "curves"):
                number = sorted(path.parent.iterdir()).index(path) + 1
                place = place.with_name(f"part-{number:03}{path.suffix}")
            files[place.as_posix()] = path
    return files


def kind_of(place: str) -> str:
    return next(kind for kind, patterns in KINDS.items() if any(fnmatch(place, p) for p in patterns))


def compared(before: Path, after: Path) -> Difference | None:
    """Compare two files, None where they are the same."""
    if before.read_bytes() == after.read_bytes():
        return None
    by_suffix: dict[str, Callable[[Path, Path], Difference | None]] = {
        ".parquet": _parquet_files,
        ".png": _pictures,
    }
    return by_suffix.get(before.suffix, _texts)(before, after)


def _texts(before: Path, after: Path) -> Difference:
    return lines_compared(*(path.read_text(encoding="utf-8").splitlines() for path in (before, after)))


def _parquet_files(before: Path, after: Path) -> Difference:
    old, new = (_parquet_lines(path) for path in (before, after))
    if old == new:
        return Difference(1, ["the bytes differ, though schema and values are the same"])
    return lines_compared(old, new)


def _parquet_lines(path: Path) -> list[str]:
    """Write a file as a line a column of the schema and a line a value."""
    table = pq.read_table(path)
    schema = [f"{field.name}: {field.type}" for field in table.schema]
    values = [f"{row}, {name}: {value!r}" for row, cells in enumerate(table.to_pylist()) for name, value in cells.items()]
    return schema + values


def _pictures(before: Path, after: Path) -> Difference | None:
    with Image.open(before) as old, Image.open(after) as new:
        if old.size != new.size:
            return Difference(1, [f"{old.size} pixels became {new.size}"])
        box = ImageChops.difference(old.convert("RGBA"), new.convert("RGBA")).getbbox(alpha_only=False)
    return box and Difference(1, [f"the pixels in the box {box} (left, upper, right, lower) differ"])


def lines_compared(before: list[str], after: list[str]) -> Difference:
    """Count the lines that one side has and the other has not, and show the first of them."""
    gone, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    count = max(gone.total(), new.total(), 1)
    pairs = enumerate(zip_longest(before, after))
    first = next((number for number, (old, young) in pairs if old != young), 0)
    begin = max(first - 3, 0)
    old, young = (lines[begin : begin + PAIRED_LINES] for lines in (before, after))
    shown = list(islice(unified_diff(old, young, lineterm="", n=2), 2, 2 + SHOWN_LINES))
    if any(len(line) > LONGEST_LINE for line in shown):
        shown = _spot(first, *("".join(lines[first : first + 1]) for lines in (before, after)))
    return Difference(count, [f"first difference in line {first + 1}", *shown])


def _spot(number: int, before: str, after: str) -> list[str]:
    """Show where two long lines part."""
    column = len(os.path.commonprefix([before, after]))
    begin, end = max(column - CONTEXT, 0), column + CONTEXT
    return [f"- ...{before[begin:end]}...", f"+ ...{after[begin:end]}..."]


def set_differences(before: Path, after: Path) -> dict[str, dict[str, Difference | None]]:
    """Compare one set; kind -> place -> its difference."""
    old, new = files_of(before), files_of(after)
    found: dict[str, dict[str, Difference | None]] = {}
    for place in sorted(old.keys() | new.keys()):
        if place in old and place in new:
            difference = compared(old[place], new[place])
        else:
            difference = Difference(1, ["only before" if place in old else "only after"])
        found.setdefault(kind_of(place), {})[place] = difference
    return found


def tell(name: str, found: dict[str, dict[str, Difference | None]]) -> bool:
    """Print a line a kind, and below what differs; return whether something does."""
    differs = False
    for kind in KINDS:
        of_kind = found.get(kind, {})
        differing = {place: difference for place, difference in of_kind.items() if difference}
        if not of_kind:
            continue
        lines = sum(difference.lines for difference in differing.values())
        word = f"{lines} lines differ in {len(differing)} of {len(of_kind)} files" if differing else "same"
        print(f"{name:16}{kind:14}{len(of_kind):4}  {word}")
        for place, difference in differing.items():
            print(f"    {place}: {difference.lines}")
            print(*(f"      {line}" for line in difference.shown), sep="\n")
        differs |= bool(differing)
    return differs


def main(arguments: Iterable[str]) -> int:
    names = [name for name in arguments if name]
    if len(names) != 1:
        raise SystemExit("golden: BASE is missing. `make golden BASE=<commit>` compares the working tree with it.")
    commit = base_commit(names[0])
    base = checked_out(commit)
    sides = {base.with_name("before"): base, base.with_name("after"): ROOT}
    running = [start(tree, out) for out, tree in sides.items()]
    if any([process.wait() for process in running]):
        raise SystemExit("golden: the sets could not be made; see above.")
    before, after = sides
    differs = False
    for folder in sorted(before.iterdir()):
        differs |= tell(folder.name, set_differences(folder, after / folder.name))
    print(f"\n{before} and {after.name} beside it: {'they differ.' if differs else 'all is the same.'}")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
