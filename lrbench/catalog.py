"""What there is: the choices of each configuration group and the result sets, each in a line.

Problems are made and solved for it, to show their sizes and spectrum. An entry is (name, description):

    ("adam", "Adaptive moments (Kingma and Ba 2015)")
    ("results/mine", "2026-01-01 12:00  complete, 4 of 4 runs")
"""

import math
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrbench.config import CONF
from lrbench.errors import RequestError

if TYPE_CHECKING:
    from lrbench.problems.solve import Problem

KINDS = ("optimizers", "problems", "losses", "schedules", "tune", "experiments", "results")
WIDTH = 80  # of a note
COLUMNS = "                      n     d  rank    kappa        L  loss"  # as wide as in _problem_lines


def catalog(kind: str, results_dir: str | None = None) -> list[tuple[str, str]]:
    """Return (name, description) of all there is of one of KINDS.

    results_dir: where the result sets lie; None where nothing was said.

    Raises:
        RequestError: a result set whose manifest cannot be read.
    """
    if kind == "results":
        return list(_result_sets(results_dir))
    group = "loss" if kind == "losses" else kind.removesuffix("s")
    files = sorted((CONF / group).glob("*.yaml"))
    return [(path.stem, _description(path)) for path in files]


def problems() -> Iterator[str]:
    """Yield a few lines a problem: sizes and spectrum, what it is, its source."""
    yield COLUMNS
    for path in sorted((CONF / "problem").glob("*.yaml")):
        yield "\n".join(_problem_lines(path))


def _problem_lines(path: Path) -> Iterator[str]:
    """Make and solve a problem as its YAML asks for."""
    # these need scipy, and what else is listed does not
    from lrbench.losses import lookup
    from lrbench.problems import load
    from lrbench.problems.data import scaled
    from lrbench.problems.solve import solve

    content = _read_yaml(path)
    choice = _loss_of(content)
    settings = content.get("problem", content)
    if "???" in settings.values():  # a file of the user's is to be named first
        yield f"{path.stem:15}{'':38}  {choice}"
    else:
        loss = lookup(_read_yaml(CONF / "loss" / f"{choice}.yaml"))
        try:
            problem = solve(scaled(load(settings), target=loss.real_target), loss)
        except RequestError as error:
            yield f"{path.stem:15}  {error}"
        else:
            yield f"{path.stem:15}{_sizes(problem)}  {choice}"
            yield from _provenance(problem)
    yield f"    {_description(path)}"


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _loss_of(problem: dict[str, Any]) -> str:
    """Return the loss that a problem is made for."""
    choice = "mse"
    for default in problem.get("defaults", []):
        choice = default.get("override /loss", choice)
    return choice


def _sizes(problem: "Problem") -> str:
    # where no weights attain the infimum there is no Hessian to have a rank
    L = problem.L if problem.rank else problem.smoothness
    data = problem.data
    size = f"{data.n:8}{data.d:6}{problem.rank or '':6}"
    return f"{size}{_short(problem.kappa):>9}{_short(L):>9}"


def _short(value: float | None) -> str:
    return f"{value:.3g}" if value and math.isfinite(value) else ""


def _provenance(problem: "Problem") -> Iterator[str]:
    data = problem.data
    if data.note:
        yield from textwrap.wrap(data.note, WIDTH, initial_indent="    ", subsequent_indent="    ")
    if data.dropped:
        yield f"    {data.dropped} rows are left out, since a value is missing."
    if not problem.optimum.attained:
        yield "    No weights attain the infimum."


def _description(path: Path) -> str:
    """Return the first comment of a YAML file that says something to a reader."""
    for line in path.read_text(encoding="utf-8").splitlines():
        comment = line.removeprefix("#").strip()
        if line.startswith("#") and not comment.startswith("@package"):
            return comment
    return ""


def _result_sets(results_dir: str | None) -> Iterator[tuple[str, str]]:
    """Yield the result sets of a folder, newest first."""
    # it needs pyarrow, and what else is listed does not
    from lrbench.store import RESULTS_DIR, ResultStore

    stores = ResultStore.all(results_dir or RESULTS_DIR)
    stored = [(store.root, store.manifest()) for store in stores]
    for folder, manifest in sorted(stored, key=lambda entry: entry[1]["created"], reverse=True):
        counts = manifest["counts"]
        done = counts["completed"] + counts["diverged"] + counts["failed"]
        created = manifest["created"][:16].replace("T", " ")  # to the minute
        state = f"{manifest['state']}, {done} of {counts['planned']} runs"
        yield str(folder), f"{created}  {state}"
