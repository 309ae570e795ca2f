"""What there is: the choices of each configuration group and the result sets, each in a line; problems with their sizes and spectrum."""

import math
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lrbench.config import CONF
from lrbench.errors import RequestError
from lrbench.store import ResultStore

if TYPE_CHECKING:
    from lrbench.problems.solve import Problem

KINDS = ("optimizers", "problems", "losses", "schedules", "tune", "experiments", "results")
COLUMNS = f"{'':15}{'n':>8}{'d':>6}{'rank':>6}{'kappa':>9}{'L':>9}  loss"


def catalog(kind: str, results_dir: str = "results") -> list[tuple[str, str]]:
    """Return (name, description) of all there is of one of KINDS.

    Raises:
        RequestError: a result set whose manifest cannot be read.
    """
    if kind == "results":
        return list(_result_sets(Path(results_dir)))
    group = "loss" if kind == "losses" else kind.removesuffix("s")
    return [(path.stem, _description(path)) for path in sorted((CONF / group).glob("*.yaml"))]


def problems() -> Iterator[str]:
    """Yield a few lines a problem, made and solved as its YAML asks for: sizes and spectrum, what it is, its source."""
    yield COLUMNS
    for path in sorted((CONF / "problem").glob("*.yaml")):
        yield "\n".join(_problem_lines(path))


def _problem_lines(path: Path) -> Iterator[str]:
    from lrbench.losses import lookup  # these need scipy, and what else is listed does not
    from lrbench.problems import load
    from lrbench.problems.data import scaled
    from lrbench.problems.solve import solve

    content, choice = yaml.safe_load(path.read_text(encoding="utf-8")), "mse"
    for default in content.get("defaults", []):
        choice = default.get("override /loss", choice)
    settings = content.get("problem", content)
    if "???" in settings.values():
        yield f"{path.stem:15}{'':38}  {choice}"
    else:
        loss = lookup(yaml.safe_load((CONF / "loss" / f"{choice}.yaml").read_text(encoding="utf-8")))
        try:
            problem = solve(scaled(load(settings), target=loss.real_target), loss)
        except RequestError as error:
            yield f"{path.stem:15}  {error}"
        else:
            yield f"{path.stem:15}{_sizes(problem)}  {choice}"
            yield from _provenance(problem)
    yield f"    {_description(path)}"


def _sizes(problem: "Problem") -> str:
    L = problem.L if problem.rank else problem.smoothness
    kappa, L = (f"{value:.3g}" if value and math.isfinite(value) else "" for value in (problem.kappa, L))
    return f"{problem.data.n:8}{problem.data.d:6}{problem.rank:6}{kappa:>9}{L:>9}"


def _provenance(problem: "Problem") -> Iterator[str]:
    if problem.data.note:
        yield from textwrap.wrap(problem.data.note, 80, initial_indent="    ", subsequent_indent="    ")
    if problem.data.dropped:
        yield f"    {problem.data.dropped} rows are left out, since a value is missing."
    if not problem.optimum.attained:
        yield "    No weights attain the infimum."


def _description(path: Path) -> str:
    """Return the first comment of a YAML file that says something to a reader."""
    comments = (
        line.removeprefix("#").strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    )
    return next((comment for comment in comments if not comment.startswith("@package")), "")


def _result_sets(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the result sets of a folder, newest first."""
    manifests = {store.root: store.manifest() for store in ResultStore.all(root)}
    for folder, manifest in sorted(manifests.items(), key=lambda item: item[1]["created"], reverse=True):
        counts = manifest["counts"]
        done = sum(counts[word] for word in ("completed", "diverged", "failed"))
        yield (
            str(folder),
            f"{manifest['created'][:16].replace('T', ' ')}  {manifest['state']}, {done} of {counts['planned']} runs",
        )
