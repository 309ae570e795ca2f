"""Whatever a store can hold, a report is made: of tables with columns and targets of any size, all 0 or
constant, of one row, one step and rates at which all is lost.

`python tests/results/pages/test_extreme_reports.py FIRST COUNT` tries others than those of the suite.
"""

import random
import sys
from pathlib import Path

import pytest

import lrbench
from lrbench.errors import RequestError

LOSSES = ["mse", "mse_sum", "huber", "smooth_l1", "log_cosh", "l1", "quantile", "logistic", "poisson"]
OPTIMIZERS = ["sgd", "adam", "rmsprop", "sgd_momentum", "sgd_nesterov", "adagrad", "rprop", "lbfgs", "asgd"]
LABELS = {"logistic": [0.0, 1.0], "poisson": [0.0, 1.0, 2.0, 3.0]}


def magnitude(draw: random.Random) -> float:
    widest = draw.choice([12, 12, 30, 150])
    return 10.0 ** draw.choice([0, 12, -12, draw.uniform(-widest, widest)])


def column(draw: random.Random, n: int, before: list[list[float]]) -> list[float]:
    kind = draw.choice(["normal", "normal", "normal", "constant", "zero", "copy"])
    size = magnitude(draw)
    if kind == "normal":
        return [draw.gauss(0, 1) * size for _ in range(n)]
    if kind == "copy" and before:
        return before[-1]
    return [0.0 if kind == "zero" else size] * n


def target(draw: random.Random, n: int, loss: str) -> list[float]:
    if loss in LABELS:
        return draw.choices(LABELS[loss], k=n)
    if draw.random() < 0.2:
        return [0.0] * n
    size = magnitude(draw)
    return [draw.gauss(0, 1) * size for _ in range(n)]


def table(draw: random.Random, loss: str) -> str:
    n = draw.choice([1, 2, 3, 6, 20])
    columns: list[list[float]] = []
    for _ in range(draw.choice([1, 1, 2, 3])):
        columns.append(column(draw, n, columns))
    header = [f"x{place}" for place in range(len(columns))]
    rows = zip(*columns, target(draw, n, loss), strict=True)
    return "\n".join(",".join(map(str, row)) for row in [[*header, "y"], *rows]) + "\n"


def settings(draw: random.Random) -> list[str]:
    """How the optimizers are chosen: tuned, at their defaults, or at rates that may be absurd."""
    if draw.random() < 0.3:
        return ["tune=lr", "tune.trials=4", "tune.seeds=2", f"seed=range({draw.choice([1, 3])})"]
    lines = [f"seed=range({draw.choice([1, 2, 5])})"]
    if draw.random() < 0.6:
        rates = {f"{10.0 ** draw.uniform(-14, 14):.3g}" for _ in range(draw.choice([1, 2, 4]))}
        lines.append("optimizer.lr=" + ",".join(sorted(rates)))
    return lines


def request(draw: random.Random, loss: str) -> list[str]:
    lines = [
        f"loss={loss}",
        f"problem.standardize={str(draw.random() < 0.4).lower()}",
        f"problem.intercept={str(draw.random() < 0.7).lower()}",
        f"dtype={draw.choice(['float64', 'float64', 'float32'])}",
        f"steps={draw.choice([1, 2, 5, 30])}",
        f"batch_size={draw.choice(['null', 'null', '1'])}",
        f"init={draw.choice(['torch', 'torch', 'zeros'])}",
        f"record={draw.choice(['all', '2'])}",
        f"baselines={str(draw.random() < 0.2).lower()}",
        "optimizer=" + ",".join(draw.sample(OPTIMIZERS, draw.choice([1, 2, 3]))),
    ]
    return [*lines, *settings(draw)]


def reported(seed: int) -> bool:
    """Make a report, in all places, of what this seed draws; False where the data were refused."""
    draw = random.Random(seed)
    loss = draw.choice(LOSSES)
    Path("t.csv").write_text(table(draw, loss))
    data = ["problem=csv", "problem.path=t.csv", "problem.target=y"]
    try:
        results = lrbench.sweep(*data, *request(draw, loss), "report=false", f"name=drawn-{seed}")
    except RequestError:
        return False
    results.report()
    return "</html>" in results.store.report.read_text() and bool(results._repr_html_())


@pytest.mark.parametrize("seed", [2, 4, 49, 56, 72, 98, 397])
def test_a_report_is_made(seed):
    """Of those that once ended in a traceback or a raw warning."""
    assert reported(seed)


def test_a_run_that_failed_at_its_first_step_is_drawn():
    results = lrbench.sweep("optimizer=muon", "steps=5", "report=false")
    assert results.runs["status"].tolist() == ["failed"]
    results.report()


if __name__ == "__main__":
    first, count = map(int, sys.argv[1:])
    for seed in range(first, first + count):
        print(seed, "reported" if reported(seed) else "refused", flush=True)
