"""Two stored sweeps with the verbs that one has too."""

import os
from pathlib import Path

from lrbench.errors import RequestError
from lrbench.results.results import Results, load
from lrbench.results.tables.difference import Difference
from lrbench.results.tables.pairing import pair_tasks, tasks_frame
from lrbench.results.words import changes
from lrbench.results.words.cells import changes_text


class Comparison(Difference):
    """What B is against A, and its page.

    Attributes:
        a, b: the two result sets, `Results` both.
    """

    @property
    def sentences(self) -> list[str]:
        """What may be said of it."""
        return changes.sentences(self)

    def report(self, path: str | os.PathLike | None = None) -> Path:
        """Write the page to `path` (beside B's folder, named after both, if None); return its path.

        Raises:
            RequestError: it cannot be written there; another path may do.
        """
        from lrbench.results.pages import comparison

        return comparison.write(self, comparison.place(self.a, self.b) if path is None else Path(path))

    def _repr_html_(self) -> str:
        """Show the sentences and the settings in a notebook."""
        from lrbench.results.pages.html import brief

        return brief(
            self.sentences, [("Setting by setting", changes_text(self.rows.head(changes.MOST_SETTINGS)))]
        )


def compare(
    a: "Results | str | os.PathLike", b: "Results | str | os.PathLike", anyway: bool = False
) -> Comparison:
    """Compare B with A. anyway: also where data or budget differ; tasks are paired by label then, else in
    order.

    Raises:
        RequestError: one is no result set, or the two share no task, no optimizer or no seed.
    """
    a = a if isinstance(a, Results) else load(a)
    b = b if isinstance(b, Results) else load(b)
    pairs = pair_tasks(a, b)
    something_is_paired = pairs.same or pairs.unlike
    if pairs.only_a and pairs.only_b and not (anyway and something_is_paired):
        raise RequestError(changes.tasks_differ(pairs))
    compared = Comparison(a, b, tasks_frame(pairs, anyway))
    if compared.settings.empty:
        raise RequestError(changes.no_optimizer_shared(*compared.compared))
    if compared.pairs.empty:
        raise RequestError(changes.NO_SEED_SHARED)
    return compared
