"""How far a verdict can be trusted, measured: `make simulate` fills the tables of docs/statistics.md.

Task by task they stand in experiments/simulate.md. Names of questions as arguments ask only these, and leave
the bars as they were. Sweeps are run by lrbench itself, into results/simulate, where those that are stored
are not run again. Draws are seeded: the same numbers come again. On two cores it takes about forty minutes.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import questions
from marked import filled
from numpy.random import Generator, Philox
from questions import Answer, Budgets, Intervals, Stops, chosen_runs
from tasks import TASKS, placed, write_counts
from trained import Dense, Place, searches, truth
from verdicts import Measured

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "statistics.md"
NOTEBOOK = ROOT / "experiments" / "simulate.md"  # has the tables task by task
FOLDER = ROOT / "results" / "simulate"
SEED = 20_260


class Size(NamedTuple):
    """How long it takes.

    Attributes:
        tasks: by name, None for all; optimizers: the first so many, None for all.
        searches: of each task, with other grids and tuning seeds.
        pool: evaluation seeds of each chosen setting; draws: of ten of them, for each search.
        copies: pairs of copies of each optimizer.
        drawn: draws of costs.
        trials, steps: of the demo.
    """

    tasks: tuple[str, ...] | None
    optimizers: int | None
    searches: int
    pool: int
    draws: int
    dense: Dense
    copies: int
    drawn: int
    stops: Stops
    budgets: Budgets
    trials: Sequence[int]
    steps: Sequence[int]
    intervals: Intervals


CHAINS = ((60, 120, 240, 480, 960), (75, 150, 300, 600), (100, 200, 400, 800), (125, 250, 500, 1000))
LONG = Size(
    tasks=None,
    optimizers=None,
    searches=16,
    pool=60,
    draws=8,
    dense=Dense(spacing=0.05, screen=8, fresh=200),
    copies=60,
    drawn=3_000,
    stops=Stops(searches=2, seeds=40, steps=(-5, -2, -1, 0, 1, 2, 5)),
    budgets=Budgets(CHAINS, searches=16, draws=4),
    trials=range(29, 41),
    steps=range(480, 521),
    intervals=Intervals(seeds=2_000, draws=500),
)
SHORT = Size(
    tasks=("lecture100",),
    optimizers=2,
    searches=2,
    pool=20,
    draws=2,
    dense=Dense(spacing=0.5, screen=2, fresh=10),
    copies=2,
    drawn=8,
    stops=Stops(searches=1, seeds=10, steps=(-5, 0)),
    budgets=Budgets(((60, 120, 240),), searches=1, draws=1),
    trials=(29, 32),
    steps=(500,),
    intervals=Intervals(seeds=50, draws=10),
)


class Study(NamedTuple):
    """What all questions are asked of.

    Attributes:
        places, tasks: the tasks, where they run and as they were measured; empty until one asks for them.
    """

    size: Size
    folder: Path
    places: list[Place]
    tasks: list[Measured]

    def measured(self) -> tuple[list[Place], list[Measured]]:
        """Measure all tasks, once."""
        if not self.tasks:
            write_counts(self.folder)
            for task in TASKS:
                if self.size.tasks is None or task.name in self.size.tasks:
                    own = task._replace(optimizers=task.optimizers[: self.size.optimizers])
                    place = Place(placed(own, self.folder), self.folder / task.name)
                    self.places.append(place)
                    self.tasks.append(_measured(place, self.size))
        return self.places, self.tasks


def _measured(place: Place, size: Size) -> Measured:
    began = time.monotonic()
    found = searches(place, size.searches)
    pool = chosen_runs(place, found, size.pool)
    best = truth(place, size.dense, pool)
    task = place.task
    print(f"{task.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return Measured(task.name, task.held_out, task.optimizers, found, pool, best)


# ---- the questions, with the bars that they are held to


class Bar(NamedTuple):
    """A number of an answer, and what it should at most, or at least, be."""

    said: str
    number: str
    limit: float
    at_least: bool = False

    def row(self, answer: Answer) -> dict[str, str]:
        value = answer.numbers[self.number]
        is_missed = value < self.limit if self.at_least else value > self.limit
        limit = f"{'at least' if self.at_least else 'at most'} {_number(self.limit)}"
        where = answer.where.get(self.number)
        told = f"{_number(value)} ({where})" if where and value else _number(value)
        return {"question": self.said, "bar": limit, "measured": f"**missed: {told}**" if is_missed else told}


class Question(NamedTuple):
    ask: Callable[[Study, Generator], Answer]
    bars: list[Bar]


def over_grids_and_seeds(study: Study, rng: Generator) -> Answer:
    return questions.over_grids_and_seeds(study.measured()[1], rng, study.size.draws)


def beside_the_truth(study: Study, rng: Generator) -> Answer:
    return questions.beside_the_truth(study.measured()[1], rng, study.size.draws)


def identical(study: Study, rng: Generator) -> Answer:
    return questions.identical(study.measured()[1], rng, study.size.copies)


def rivals_at_the_margin(study: Study, rng: Generator) -> Answer:
    return questions.rivals_at_the_margin(rng, study.size.drawn)


def across_problems(study: Study, rng: Generator) -> Answer:
    return questions.across_problems(rng, study.size.drawn)


def stopping_step(study: Study, rng: Generator) -> Answer:
    return questions.stopping_step(*study.measured(), study.size.stops)


def budgets(study: Study, rng: Generator) -> Answer:
    return questions.budgets(study.folder, rng, study.size.budgets)


def demo(study: Study, rng: Generator) -> Answer:
    return questions.demo(study.folder, study.size.trials, study.size.steps)


def coverage(study: Study, rng: Generator) -> Answer:
    return questions.coverage(*study.measured(), rng, study.size.intervals)


QUESTIONS = {
    "over grids and seeds": Question(
        over_grids_and_seeds,
        [
            Bar("sd of the log10 ratio, mean of the twelve", "sd of the twelve", 0.05),
            Bar("the same, mean of the five held out", "sd of the five", 0.08),
            Bar("the same, largest of all tasks", "largest sd", 0.2),
        ],
    ),
    "beside the truth": Question(
        beside_the_truth,
        [
            Bar("decided verdicts opposite to the truth, mean", "opposite, mean", 0.01),
            Bar("the same, worst task", "opposite, worst", 0.04),
            Bar("leader within 1.25 of the best there is, mean", "leader, mean", 0.99, at_least=True),
        ],
    ),
    "identical": Question(
        identical,
        [
            Bar("identical optimizers called clear, own evaluation seeds", "clear, own seeds", 0.05),
            Bar("the same, clear or close", "clear or close, own seeds", 0.05),
            Bar("called clear, the same evaluation seeds", "clear, same seeds", 0.05),
            Bar("the same, clear or close", "clear or close, same seeds", 0.05),
        ],
    ),
    "rivals at the margin": Question(
        rivals_at_the_margin, [Bar("a false clear among 25 rivals at exactly 1.25", "false clear", 0.05)]
    ),
    "stopping step": Question(
        stopping_step, [Bar("decided verdicts that flip within 5 steps, worst task", "flips", 0.0)]
    ),
    "budgets": Question(
        budgets,
        [
            Bar(
                "lecture, B/2, B, 2 B: draws in which clear verdicts of leaders contradict", "leader's", 0.01
            ),
            Bar("the same, share of all pairs", "all", 0.1),
        ],
    ),
    "demo": Question(
        demo,
        [
            Bar("leaders of the demo over trials and steps", "leaders", 1),
            Bar("largest ratio over the smallest", "apart", 1.25),
        ],
    ),
    "coverage": Question(
        coverage,
        [
            Bar("95 % intervals that hold the truth, from 10 seeds on, mean", "mean", 0.93, at_least=True),
            Bar("the same, worst task, 10 seeds", "worst", 0.93, at_least=True),
        ],
    ),
    "across problems": Question(
        across_problems, [Bar("anything shown over problems between copies", "wrong", 0.05)]
    ),
}


def answers(size: Size, folder: Path, names: Sequence[str] = ()) -> Iterator[tuple[str, Answer]]:
    """Ask the questions of these names, or all."""
    study = Study(size, folder, [], [])
    for name, question in QUESTIONS.items():
        if not names or name in names:
            began = time.monotonic()
            # a generator each, so that a question alone gives the numbers that it gives among others
            answer = question.ask(study, Generator(Philox(SEED)))
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            yield name, answer


# ---- the pages

# of columns whose worst number is the least one, how they begin
MORE_IS_BETTER = ("decided", "power", "leader", "5 seeds", "10 seeds", "20 seeds", "worst pair")
BY_TASK = " by task"  # what a marker of the notebook ends on


def blocks(found: dict[str, Answer]) -> dict[str, str]:
    """Return the text of each marker: of a question, of its tasks, and of all bars where all are asked."""
    texts = {}
    for name, answer in found.items():
        if "task" in answer.table:
            texts[name] = markdown(summary(answer.table))
            texts[name + BY_TASK] = markdown(answer.table)
        else:
            texts[name] = markdown(answer.table)
    if set(found) == set(QUESTIONS):
        rows = [bar.row(found[name]) for name, question in QUESTIONS.items() for bar in question.bars]
        texts["bars"] = markdown(pd.DataFrame(rows))
    return texts


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the means of a table of tasks, and the worst of each column with its task."""
    is_mean = table["task"].isin(questions.MEANS.values())
    tasks = table[~is_mean].set_index("task")
    worst: dict[str, object] = {"task": "worst task"}
    for column in tasks:
        least = str(column).startswith(MORE_IS_BETTER)
        number, task = questions.worst(tasks[column], least)
        is_told = task and number != (1 if least else 0)
        worst[str(column)] = f"{_number(number)} ({task})" if is_told else _number(number)
    return pd.DataFrame([*table[is_mean].to_dict("records"), worst]).rename(columns={"task": ""})


def markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * len(table.columns)]
    lines += [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return _number(float(value))  # pyright: ignore[reportArgumentType]


def _number(value: float) -> str:
    if np.isnan(value):
        return "-"
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3f}" if 0.0005 <= abs(value) < 10 else f"{value:.2g}"


def write(texts: dict[str, str]) -> None:
    for page in (PAGE, NOTEBOOK):
        page.write_text(filled(page.read_text(encoding="utf-8"), texts), encoding="utf-8")


def main() -> None:
    found = {}
    for name, answer in answers(LONG, FOLDER, sys.argv[1:]):
        found[name] = answer
        # after each question, so that what follows may be interrupted
        write(blocks(found))
        print(f"{name}\n\n{markdown(answer.table)}\n", flush=True)


if __name__ == "__main__":
    main()
