"""One stored sweep with its verbs: what a notebook or a script is given."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lrbench.errors import RequestError
from lrbench.results.tables.sweep import Sweep
from lrbench.store import ResultStore

if TYPE_CHECKING:  # of a library that is loaded only where something is drawn
    from matplotlib.figure import Figure


def load(path: str | os.PathLike | None = None, results_dir: str | os.PathLike = "results") -> "Results":
    """Return the result set in a folder, or the newest of `results_dir` where no folder is named.

    Raises:
        RequestError: the folder is no result set, or none is stored there.
    """
    return Results(ResultStore.open(newest(results_dir) if path is None else path))


def newest(results_dir: str | os.PathLike = "results") -> Path:
    """Return the folder of the result set in `results_dir` that was finished last, or begun last where it has
    no end.

    Raises:
        RequestError: there is none.
    """
    stores = ResultStore.all(results_dir)
    if not stores:
        advice = "`python -m lrbench -m optimizer=sgd,adam` makes one."
        told = [f"{results_dir}: no result set in this folder yet. {advice}"]
        raise RequestError("\n".join([*told, *ResultStore.left_out(results_dir)]))
    return max(stores, key=_written).root


def _written(store: ResultStore) -> str:
    manifest = store.manifest()
    return manifest.get("finished") or manifest["created"]


class Results(Sweep):
    """A stored sweep, its figures and its report.

    A figure is drawn by `plot_` and its name, such as `plot_curves()`: those of `figures.FIGURES`.
    """

    def summary(self) -> pd.DataFrame:
        """Return the ranking: each optimizer at its best setting, a row a task and optimizer, best first."""
        return self.ranking.copy()

    @property
    def alarms(self) -> list[str]:
        """Sentences on runs that are better than possible; none as a rule."""
        from lrbench.results.words.warnings import alarms

        return list(alarms(self))

    def report(self, path: str | os.PathLike | None = None) -> Path:
        """Write summary and figures into the store and the page to `path` (the store's report.html if None).

        Returns the page's path.

        Raises:
            RequestError: it cannot be written there.
        """
        from lrbench.results.pages.report import write

        try:
            return write(self, self.store.report if path is None else Path(path))
        except OSError as error:
            raise RequestError(
                f"{error.filename}: the report cannot be written ({error.strerror}). Make it writable, or "
                "copy the folder."
            ) from error

    def __getattr__(self, name: str) -> "Callable[[], Figure]":
        """Return the verb that draws a figure; matplotlib is loaded when one is asked for."""
        if name.startswith("plot_"):
            from lrbench.results.figures import FIGURES

            for spec in FIGURES:
                if spec.method == name:
                    return spec.verb(self)
        # of a property that failed this raises what it raised, of any other name what Python says
        return object.__getattribute__(self, name)

    def __dir__(self) -> list[str]:
        from lrbench.results.figures import FIGURES

        return [*super().__dir__(), *(spec.method for spec in FIGURES)]

    def _repr_html_(self) -> str:
        """Show the verdict, the rankings and what the models answer in a notebook."""
        from lrbench.results.pages.html import brief
        from lrbench.results.words.cells import RELATIVE_NOTE, ranking_text
        from lrbench.results.words.tables import SPECS, tables
        from lrbench.results.words.verdict import headline

        groups = self.ranking.groupby("task", sort=False)
        rankings = [(str(task), ranking_text(rows)) for task, rows in groups]
        answers = tables(self, SPECS["answers"])
        shown = [*rankings, *((table.heading, table.rows) for table in answers)]
        said = [*headline(self), *(table.sentence for table in answers), f"{RELATIVE_NOTE}."]
        return brief(said, shown)
