"""What somebody who waits is told: never a pace of 0 while work goes on."""

from io import StringIO

import pytest
from rich.console import Console

from lrbench.bench.run import run_sweep
from lrbench.cli import progress
from lrbench.cli.progress import Tally, bar_of, progress_bar, write_lines
from lrbench.sweeper.request import read


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def minutes(self, events: list):
        """Return what a writer waits with: a minute passes, then an event happens; at the end it is over."""
        left = iter(events)

        def wait(seconds: float) -> bool:
            event = next(left, None)
            if event is None:
                return True
            self.now += seconds
            event()
            return False

        return wait


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tally(clock):
    return Tally(clock)


def test_the_pace_is_that_since_the_phase_began(tally, clock):
    tally.tell("search 1 of 2", 100, 1200)  # 100 were stored
    clock.now += 20
    assert tally.line() == "search 1 of 2: 100 of 1,200 runs, 0:00:20 so far"
    tally.tell("search 1 of 2", 340, 1200)
    assert tally.line() == "search 1 of 2: 340 of 1,200 runs, 12 a second"
    assert tally.words() == "340 of 1,200 runs, 12 a second, 0:01:12 left"
    clock.now += 20  # nothing new, and so slower, but not 0
    assert tally.line() == "search 1 of 2: 340 of 1,200 runs, 6 a second"
    tally.tell("evaluation", 1200, 1300)
    clock.now += 3600
    tally.tell("evaluation", 1201, 1300)
    assert tally.words() == "1,201 of 1,300 runs, 0.00028 a second, 99:00:00 left"


def test_a_line_a_minute_without_a_terminal(tally, clock, capsys):
    tally.tell("training", 0, 40)
    events = [lambda: None, lambda: tally.tell("training", 30, 40), lambda: tally.tell("training", 40, 40)]
    write_lines(tally, clock.minutes(events))
    assert capsys.readouterr().err.splitlines() == [
        "training: 0 of 40 runs, 0:01:00 so far",
        "training: 30 of 40 runs, 0.25 a second",
        "training: 40 of 40 runs, 0.22 a second",
    ]


def test_nothing_is_written_of_less_than_a_minute(capsys):
    for live in (True, False):
        with progress_bar(visible=False, live=live) as tell:
            tell("training", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_the_line_comes_from_a_thread_of_its_own(monkeypatch, capsys):
    """While a chunk is computed nobody tells anything."""
    monkeypatch.setattr(progress, "MINUTE", 0.01)
    with progress_bar(visible=False) as tell:
        tell("training", 0, 2)
        told = ""
        while "training: 0 of 2 runs, 0:00:0" not in told:
            told += capsys.readouterr().err


@pytest.mark.parametrize("done", [0, 340])
def test_the_bar_fits_80_columns_and_goes_on_while_nothing_is_told(tally, clock, done):
    console = Console(file=StringIO(), width=80)
    tally.tell("search 1 of 4", 0, 120_000)
    clock.now += 28
    tally.tell("search 1 of 4", done, 120_000)
    with bar_of(tally, live=False) as bar:
        bar.add_task(tally.phase, completed=done, total=120_000)
        first = drawn(bar, console)
        clock.now += 10
        assert drawn(bar, console) != first
    expected = {0: "0:00:28 so far; it compiles at first use"}
    assert first.endswith(expected.get(done, "340 of 120,000 runs, 12 a second, 2:44:14 left"))
    assert first.startswith("search 1 of 4 ")


def drawn(bar, console) -> str:
    with console.capture() as captured:
        console.print(bar.get_renderable())
    (line,) = captured.get().splitlines()
    return line.rstrip()


def test_a_sweep_names_its_phases():
    told = []
    run_sweep(
        read(["optimizer=sgd", "steps=3", "report=false"], multirun=True), lambda *now: told.append(now)
    )
    assert told == [("training", 0, 1), ("training", 1, 1)]
    told.clear()
    tuned = ["optimizer=sgd", "tune=lr", "steps=3", "report=false"]
    run_sweep(read(tuned, multirun=True), lambda *now: told.append(now))
    names = list(dict.fromkeys(phase for phase, _, _ in told))
    assert names[0].startswith("search 1 of ")
    assert names[-1] == "evaluation"
