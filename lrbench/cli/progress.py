"""How far it is while it trains, on stderr, so that what is printed may go into a file.

In a terminal a bar, elsewhere a line a minute:

    search 1 of 2: 340 of 1,200 runs, 12 a second
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from lrbench.bench.progress import Progress

PREPARING = "preparing"
COMPILES = "it compiles at first use"
MINUTE = 60.0
BAR_WIDTH = 10  # so that all of it fits 80 columns


@dataclass
class Tally:
    """What is known of the phase under way. Its `tell` is the progress that a sweep calls.

    Attributes:
        clock: gives the seconds since whenever.
        found: runs that were done when the phase began.
        began: the clock then.
    """

    clock: Callable[[], float] = time.monotonic
    phase: str = PREPARING
    done: int = 0
    planned: int = 0
    found: int = 0
    began: float = 0.0

    def tell(self, phase: str, done: int, planned: int) -> None:
        if phase != self.phase:
            self.found, self.began = done, self.clock()
        self.phase, self.done, self.planned = phase, done, planned

    @property
    def pace(self) -> float:
        """Runs a second since the phase began; 0 before the first is done."""
        seconds = self.clock() - self.began
        return (self.done - self.found) / seconds if seconds else 0.0

    def line(self) -> str:
        """Write "search 1 of 2: 340 of 1,200 runs, 12 a second"."""
        if not self.planned:
            return self.phase
        return f"{self.phase}: {self._count()}, {self._speed(self.pace)}"

    def words(self) -> str:
        """Write what stands beside the bar: "340 of 1,200 runs, 12 a second, 0:01:12 left"."""
        if not self.planned:
            return COMPILES
        pace = self.pace  # once: another thread draws than the one that tells
        if not pace:
            return f"{self._speed(pace)}; {COMPILES}"
        left = (self.planned - self.done) / pace
        return f"{self._count()}, {self._speed(pace)}, {_clock_face(left)} left"

    def _count(self) -> str:
        return f"{self.done:,} of {self.planned:,} runs"

    def _speed(self, pace: float) -> str:
        """Write the pace, and before the first run is done the time that it has taken so far."""
        return f"{_short(pace)} a second" if pace else f"{_clock_face(self.clock() - self.began)} so far"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _clock_face(seconds: float) -> str:
    """Write 3725 seconds as 1:02:05."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


@contextmanager
def progress_bar(visible: bool, live: bool = True) -> Iterator["Progress"]:
    """Yield what is told how many runs of a phase are done.

    Args:
        visible: whether there is a terminal to draw a bar in.
        live: threads of its own draw and write; else the bar is drawn when it is told and no line is written,
            which leaves what is between undisturbed.
    """
    tally = Tally()
    if visible:
        with _drawn(tally, live) as tell:
            yield tell
    elif live:
        with _written(tally):
            yield tally.tell
    else:
        yield tally.tell


# ---- where there is no terminal


@contextmanager
def _written(tally: Tally) -> Iterator[None]:
    """Write a line a minute meanwhile."""
    over = Event()
    writer = Thread(target=write_lines, args=(tally, over.wait), daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def write_lines(tally: Tally, wait: Callable[[float], bool]) -> None:
    """Write a line a minute, until `wait`, given the seconds, says that it is over."""
    while not wait(MINUTE):
        print(tally.line(), file=sys.stderr, flush=True)


# ---- in a terminal


@contextmanager
def _drawn(tally: Tally, live: bool) -> Iterator["Progress"]:
    # rich is imported only where there is somebody to look
    with bar_of(tally, live) as bar:
        task = bar.add_task(PREPARING, total=None)

        def tell(phase: str, done: int, planned: int) -> None:
            tally.tell(phase, done, planned)
            bar.update(task, completed=done, total=planned, description=phase, refresh=not live)

        yield tell


def bar_of(tally: Tally, live: bool) -> "Bar":
    """Return a bar beside which stands what the tally knows at the moment it is drawn."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Words(ProgressColumn):
        def render(self, task) -> Text:
            return Text(tally.words())

    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), Words())
    return Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=live)
