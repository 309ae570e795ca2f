"""The tasks on which the rule is measured: twelve on which it was made, and five that came afterwards."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

OPTIMIZERS = ("sgd", "sgd_momentum", "sgd_nesterov", "adam", "rmsprop", "adagrad")
COUNTS = "counts.csv"  # of the task pois, made by `write_counts`


class Task(NamedTuple):
    """A problem and a budget, and who competes there.

    Attributes:
        lines: that ask for the problem.
        further: by optimizer, lines that only its own settings have.
        held_out: whether it was made after the rule.
    """

    name: str
    lines: list[str]
    steps: int
    further: dict[str, list[str]]
    optimizers: tuple[str, ...] = OPTIMIZERS
    held_out: bool = False

    def groups(self) -> list[tuple[list[str], list[str]]]:
        """Return optimizers that one line may ask for, with the lines that only they have."""
        plain = [name for name in self.optimizers if name not in self.further]
        alone = [([name], self.further[name]) for name in self.optimizers if name in self.further]
        return [(plain, []), *alone]

    def asking(self) -> list[str]:
        """Return the lines that ask for the task, whoever competes."""
        return [*self.lines, f"steps={self.steps}"]


def _task(name: str, steps: int, *lines: str, **others: object) -> Task:
    return Task(name, list(lines), steps, **{"further": {}, **others})


MOMENTUM = ["optimizer.momentum=0.99"]
TASKS = (
    _task("lecture", 500, "problem=lecture"),
    _task("lecture100", 100, "problem=lecture"),
    _task("diab", 500, "problem=diabetes"),
    _task("diab32", 500, "problem=diabetes", "batch_size=32"),
    _task("syn10", 500, "problem=synthetic", "problem.kappa=10"),
    _task("syn1e3", 500, "problem=synthetic", "problem.kappa=1000", "problem.rotated=false"),
    _task("syn1e4", 500, "problem=synthetic", "problem.kappa=10000"),
    _task("bc", 300, "problem=breast_cancer", "loss=logistic", "loss.l2=0.01"),
    _task("pois", 400, "problem=csv", f"problem.path={COUNTS}", "problem.target=y", "loss=poisson"),
    _task(
        "heavy",
        500,
        "problem=synthetic",
        "problem.kappa=100",
        further={"sgd_momentum": MOMENTUM, "sgd_nesterov": MOMENTUM},
    ),
    _task("rms", 500, "problem=stackloss", further={"rmsprop": ["optimizer.alpha=0.9"]}),
    _task(
        "b1",
        1000,
        "problem=synthetic",
        "problem.kappa=10",
        "problem.n=50",
        "problem.noise=0.5",
        "batch_size=1",
    ),
    _task("ho_crime", 500, "problem=statecrime", held_out=True),
    _task("ho_grun16", 500, "problem=grunfeld", "batch_size=16", held_out=True),
    _task("ho_linn", 300, "problem=linnerud", held_out=True),
    _task(
        "ho_power",
        400,
        "problem=synthetic",
        "problem.kappa=300",
        "problem.n=200",
        "problem.d=20",
        "problem.spectrum=power",
        "problem.seed=3",
        held_out=True,
    ),
    _task("ho_longley", 500, "problem=longley", held_out=True),
)


def placed(task: Task, folder: Path) -> Task:
    """Return the task with its table, where it has one, in this folder."""
    lines = [line.replace(COUNTS, str(folder / COUNTS)) for line in task.lines]
    return task._replace(lines=lines)


def write_counts(folder: Path) -> None:
    """Write the table of the task pois, 120 rows of four features and a count."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(120, 4)) @ np.diag([1, 0.7, 0.4, 0.2])
    X[:, 1] += 0.6 * X[:, 0]
    y = rng.poisson(np.exp(0.5 + X @ [0.5, -0.4, 0.3, 0.6]))
    rows = ["x0,x1,x2,x3,y"]
    for features, count in zip(X.tolist(), y.tolist(), strict=True):
        rows.append(",".join(map(repr, [*features, count])))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COUNTS).write_text("\n".join(rows) + "\n", encoding="utf-8")
