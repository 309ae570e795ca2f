"""Show that a rebuilding changed nothing that people see: compare.py BASE, as `make golden BASE=<commit>`.

The tree of BASE and the working tree make the same result sets (`make.py`), and all that comes of them is
compared. A line a set and kind says how much differs, such as

    02-lecture-tuned   summary       DIFFERENT     files: 1 of 2, lines: 7

and below it stands where; the exit code is 1 where anything differs. Both sides are left under
.golden/<commit>/, as before/ and after/, beside the tree of BASE and its kernels.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from difflib import unified_diff
from fnmatch import fnmatch
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / ".golden"
DRIVER = Path(__file__).with_name("make.py")
USAGE = "golden: BASE is missing. `make golden BASE=<commit>` compares the working tree with that commit."

# What must not vary between the sides, and is read before Python or its libraries start
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}

# kind -> where it lies in the folder of a set; the first that fits, and the last fits always
KINDS = {
    "manifest": "results/*/manifest.json",
    "parquet": "results/*.parquet",
    "page": "results/*.html",
    "summary": "results/*/summary.*",
    "tables, csv": "results/*/tables/*.csv",
    "tables, tex": "results/*/tables/*.tex",
    "figures, svg": "results/*/figures/*.svg",
    "terminal": "terminal/*",
    "notebook": "notebook/*",
    "frames": "frames/*",
    "plots": "plots/*",
    "other files": "*",
}

SHOWN_LINES = 20  # of a difference
LINES_BEFORE = 3  # that are alike
LONGEST_LINE = 200  # characters; of longer lines only the spot is shown
SPOT = 80  # characters on either side of it
DIFFED_LINES = 400  # of each side, since difflib takes quadratic time


class Difference(NamedTuple):
    """How the two files at one place differ: in how many lines, and how that is shown."""

    lines: int
    shown: list[str]


# ---- making both sides


def commit_of(base: str) -> str:
    """Return the full hash of what BASE names."""
    asked = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"golden: BASE={base} is no commit of this repository.")
    return answer.stdout.strip()


def tree_of(commit: str) -> Path:
    """Return a folder with the tree of a commit. It stays, since the kernels that it compiles lie in it."""
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
    # what stands here is found before the installed package
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": str(tree)}
    return subprocess.Popen([sys.executable, DRIVER, tree, out], env=environment, cwd=out)


def make_both(commit: str) -> tuple[Path, Path]:
    """Make the sets with both trees at once, each on one processor; return the two folders."""
    tree = tree_of(commit)
    before, after = (tree.with_name(name) for name in ("before", "after"))
    makers = [start(tree, before), start(ROOT, after)]
    codes = [maker.wait() for maker in makers]
    if any(codes):
        raise SystemExit("golden: a tree could not make the sets; its error stands above.")
    return before, after


# ---- two files


def compared(before: Path, after: Path) -> Difference | None:
    """Compare the files at one place; None where they are the same."""
    if before.read_bytes() == after.read_bytes():
        return None
    compare = COMPARE.get(before.suffix, _compared_texts)
    return compare(before, after)


def _compared_texts(before: Path, after: Path) -> Difference:
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    return _compared_lines(old, new)


def _compared_parquet(before: Path, after: Path) -> Difference:
    old, new = _parquet_lines(before), _parquet_lines(after)
    if old == new:
        return Difference(1, ["The bytes differ, schema and values do not."])
    return _compared_lines(old, new)


def _parquet_lines(path: Path) -> list[str]:
    """Write a table as a line a column of its schema and a line a value, so that every bit is told."""
    table = pq.read_table(path)
    lines = [f"{field.name}: {field.type}" for field in table.schema]
    for number, row in enumerate(table.to_pylist()):
        lines += [f"row {number}, {name}: {value!r}" for name, value in row.items()]
    return lines


def _compared_pictures(before: Path, after: Path) -> Difference | None:
    with Image.open(before) as old, Image.open(after) as new:
        if old.size != new.size:
            return Difference(1, [f"{old.size} pixels became {new.size}."])
        pixels = ImageChops.difference(old.convert("RGBA"), new.convert("RGBA"))
    box = pixels.getbbox(alpha_only=False)  # None where all pixels are the same
    return box and Difference(1, [f"Pixels differ from (left, upper) {box[:2]} to (right, lower) {box[2:]}."])


COMPARE = {".parquet": _compared_parquet, ".png": _compared_pictures}


def _compared_lines(before: list[str], after: list[str]) -> Difference:
    """Count the lines that one side has and the other lacks, and show the first of them."""
    gone, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    lines = max(gone.total(), new.total(), 1)  # 1: the same lines in another order
    pairs = enumerate(zip_longest(before, after))
    first = next((number for number, (old, young) in pairs if old != young), 0)
    return Difference(lines, [f"first in line {first + 1}:", *_shown(first, before, after)])


def _shown(first: int, before: list[str], after: list[str]) -> list[str]:
    """Show a unified diff, or where its lines are long the spot where the first two part."""
    begin = max(first - LINES_BEFORE, 0)
    end = begin + DIFFED_LINES
    diff = unified_diff(before[begin:end], after[begin:end], lineterm="")
    # its first three lines name the files, which have none here, and count lines from `begin`
    shown = list(islice(diff, 3, 3 + SHOWN_LINES))
    if all(len(line) <= LONGEST_LINE for line in shown):
        return shown
    old, new = ("".join(lines[first : first + 1]) for lines in (before, after))
    column = len(os.path.commonprefix([old, new]))
    spot = slice(max(column - SPOT, 0), column + SPOT)
    return [f"-...{old[spot]}...", f"+...{new[spot]}..."]


# ---- two folders


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files of a set by place. Names of parts are random, so a part is called by its number."""
    files = {}
    for path in sorted(folder.rglob("*.*")):
        place = path.relative_to(folder)
        if place.parent.name in ("runs", "curves"):
            siblings = sorted(path.parent.iterdir())
            place = place.with_name(f"part {siblings.index(path) + 1}{path.suffix}")
        if path.is_file():
            files[place.as_posix()] = path
    return files


def kind_of(place: str) -> str:
    return next(kind for kind, pattern in KINDS.items() if fnmatch(place, pattern))


def compared_sets(before: Path, after: Path) -> dict[str, Difference | None]:
    """Compare all files of one set; their places -> how they differ."""
    old, new = files_of(before), files_of(after)
    differences: dict[str, Difference | None] = {}
    for place in sorted(old.keys() | new.keys()):
        if place not in new:
            differences[place] = Difference(1, ["only before"])
        elif place not in old:
            differences[place] = Difference(1, ["only after"])
        else:
            differences[place] = compared(old[place], new[place])
    return differences


def tell(name: str, differences: dict[str, Difference | None]) -> None:
    """Print a line a kind, and below it what differs and how."""
    for kind in KINDS:
        places = [place for place in differences if kind_of(place) == kind]
        if not places:
            continue
        differing = {place: found for place in places if (found := differences[place])}
        print(f"{name:18} {kind:13} {_count(differing, len(places))}")
        for place, difference in differing.items():
            print(f"    {place}")
            for line in difference.shown:
                print(f"      {line}")


def _count(differing: dict[str, Difference], files: int) -> str:
    if not differing:
        return f"same          files: {files}"
    lines = sum(difference.lines for difference in differing.values())
    return f"DIFFERENT     files: {len(differing)} of {files}, lines: {lines}"


def main(arguments: Sequence[str]) -> int:
    """Make and compare both sides; return the exit code."""
    if len(arguments) != 1 or not arguments[0].strip():
        raise SystemExit(USAGE)
    before, after = make_both(commit_of(arguments[0]))
    differ = False
    for folder in sorted(before.iterdir()):
        differences = compared_sets(folder, after / folder.name)
        tell(folder.name, differences)
        differ |= any(differences.values())
    print(f"\n{'They differ' if differ else 'All is the same'}: {before} and, beside it, {after.name}/")
    return int(differ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
