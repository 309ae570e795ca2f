"""What there is: the choices of each configuration group and the result sets, each in a line."""

from collections.abc import Iterator
from pathlib import Path

from lrbench.config import CONF
from lrbench.store import ResultStore

KINDS = ("optimizers", "problems", "losses", "schedules", "experiments", "results")


def catalog(kind: str, results_dir: str = "results") -> list[tuple[str, str]]:
    """Return (name, description) of all there is of one of KINDS.

    Raises:
        RequestError: a result set whose manifest cannot be read.
    """
    if kind == "results":
        return list(_result_sets(Path(results_dir)))
    group = "loss" if kind == "losses" else kind.removesuffix("s")
    return [(path.stem, _description(path)) for path in sorted((CONF / group).glob("*.yaml"))]


def _description(path: Path) -> str:
    """Return the first comment of a YAML file that says something to a reader."""
    comments = (line.removeprefix("#").strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    return next((comment for comment in comments if not comment.startswith("@package")), "")


def _result_sets(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the result sets of a folder, newest first."""
    manifests = {store.root: store.manifest() for store in ResultStore.all(root)}
    for folder, manifest in sorted(manifests.items(), key=lambda item: item[1]["created"], reverse=True):
        counts = manifest["counts"]
        done = sum(counts[word] for word in ("completed", "diverged", "failed"))
        yield str(folder), f"{manifest['created'][:16].replace('T', ' ')}  {manifest['state']}, {done} of {counts['planned']} runs"
