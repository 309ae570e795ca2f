"""The bar while it trains, on stderr, so that what is printed may go into a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from lrbench.bench.progress import Progress

PREPARING = "preparing; the first time it compiles, for half a minute"


@contextmanager
def progress_bar(visible: bool, live: bool = True) -> Iterator["Progress"]:
    """Yield what is told how many runs of a phase are done.

    live: drawn by a thread of its own, ten times a second; else only when it is told, which leaves what is
    between undisturbed.
    """
    if not visible:
        yield lambda phase, done, planned: None
        return
    # rich is imported only where there is somebody to look
    with _bar(live) as bar:
        task = bar.add_task(PREPARING)

        def show(phase: str, done: int, planned: int) -> None:
            description = phase if done else None  # None leaves it: compiling comes before the first run
            bar.update(task, completed=done, total=planned, description=description, refresh=not live)

        yield show


def _bar(live: bool) -> "Bar":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task) -> Text:
            return Text(f"{task.speed or 0:.3g} runs/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=live)
