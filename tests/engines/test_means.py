"""The mean gap of the last epoch, and of the one before half the budget: both engines against a loop over the
whole curve.
"""

from math import ceil

import numpy as np
import pytest

from lrbench.engines.curve import Curve, outcome
from lrbench.engines.outcome import spans
from lrbench.plan import plan
from lrbench.problems import synthetic
from lrbench.problems.solve import solve
from lrbench.sweeper.request import read
from lrbench.train import train

N = 30
PROBLEM = [
    "problem=synthetic",
    f"problem.n={N}",
    "problem.d=4",
    "problem.kappa=50",
    "problem.noise=0.3",
    "batch_order=shuffled",
]
STEPS = [1, 2, 3, 6, 12, 61]
# As a learning rate: some runs of a few steps stay finite and climb, longer ones become inf, before half of
# them or after.
DIVERGES = 1e30


def trained(engine, *lines, record="all"):
    """Return what is stored of each run."""
    request = read([*PROBLEM, *lines], multirun=True)
    options = request.options.training._replace(engine=engine, record=record)
    parts = train(plan(request.blocks), options)
    return [
        run | {"gaps": curve["gap"]}
        for rows in parts
        for run, curve in zip(*(table.to_pylist() for table in rows), strict=True)
    ]


def mean_until(last, gaps, batch):
    """The states of an epoch that ends at state `last`, one by one; never the start, unless there is nothing
    else.
    """
    states = [t for t in range(1, last + 1) if t > last - ceil(N / (batch or N))] or [last]
    return sum(gaps[t] for t in states) / len(states)


def wanted(run):
    end = mean_until(run["steps"], run["gaps"], run["batch_size"]) if run["status"] == "completed" else np.inf
    return [mean_until(run["steps"] // 2, run["gaps"], run["batch_size"]), end]


def check(runs):
    for run in runs:
        np.testing.assert_allclose(
            [run["half_gap"], run["last_epoch_gap"]], wanted(run), rtol=1e-13, err_msg=str(run["run_id"])
        )


@pytest.mark.parametrize(  # an epoch of 5 or 2 steps whose last batch is short, and one longer than most runs
    ("engine", "batch", "dtype"),
    [
        *(
            ("fused", 7, "float64"),
            ("fused", 25, "float32"),
            ("fused", 7, "float32"),
            ("fused", 1, "float64"),
        ),
        *(("reference", 7, "float64"), ("reference", 1, "float32")),
    ],
)
def test_minibatches(engine, batch, dtype):
    lines = [
        f"steps={','.join(map(str, STEPS))}",
        f"batch_size={batch}",
        f"dtype={dtype}",
        f"optimizer.lr=0.01,0.3,{DIVERGES}",
    ]
    runs = trained(engine, "optimizer=sgd,adam", *lines)
    check(runs)
    assert {"completed", "diverged"} == {run["status"] for run in runs}
    assert any(np.isfinite(run["half_gap"]) and run["first_bad_step"] for run in runs)
    assert any(np.isinf(run["half_gap"]) for run in runs)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("engine", ["fused", "reference"])
def test_on_all_rows_they_are_single_states_bit_for_bit(engine, dtype):
    for run in trained(
        engine,
        f"steps={','.join(map(str, STEPS))}",
        "optimizer=sgd,adam",
        f"optimizer.lr=0.3,{DIVERGES}",
        f"dtype={dtype}",
    ):
        assert run["last_epoch_gap"] == run["final_gap"]
        assert run["half_gap"] == run["gaps"][run["steps"] // 2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_that_is_a_sum_over_the_rows(dtype):
    check(
        trained(
            "fused",
            "loss=huber",
            "batch_size=7",
            "steps=3,61",
            "optimizer=sgd",
            "optimizer.lr=0.1,0.3",
            f"dtype={dtype}",
        )
    )


@pytest.mark.parametrize("batch", ["null", "7"])
def test_lbfgs_counts_states_not_gradients(batch):
    check(trained("reference", "optimizer=lbfgs", f"batch_size={batch}", "steps=1,12"))


def test_replacement_has_epochs_of_full_batches():
    check(trained("fused", "batch_size=7,30", "batch_order=replacement", "optimizer=sgd", "steps=3,61"))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_they_do_not_depend_on_what_is_recorded(dtype):
    lines = ["optimizer=sgd,adam", "optimizer.lr=0.01,0.3", "batch_size=7", "steps=61", f"dtype={dtype}"]
    every, some = (trained("fused", *lines, record=record) for record in ("all", 2))
    assert [(run["half_gap"], run["last_epoch_gap"]) for run in every] == [
        (run["half_gap"], run["last_epoch_gap"]) for run in some
    ]


@pytest.mark.parametrize(
    ("steps", "epoch", "half", "end"),
    [
        (1, 1, (0, 0), (1, 1)),
        (1, 9, (0, 0), (1, 1)),
        (2, 9, (1, 1), (1, 2)),
        (9, 1, (4, 4), (9, 9)),
        (10, 4, (2, 5), (7, 10)),
        (9, 7, (1, 4), (3, 9)),
    ],
)
def test_spans_by_hand(steps, epoch, half, end):
    assert spans(steps, epoch).tolist() == [list(half), list(end)]


def test_a_run_that_fails_keeps_the_half_that_it_reached():
    """Six steps of two an epoch; the optimizer raises in the fifth."""
    problem = solve(
        synthetic(n=N, d=4, kappa=50, noise=0.3, intercept=True),
        plan(read(PROBLEM).blocks).problems.popitem()[1].loss,
    )
    curve = Curve(6, failure="RuntimeError: no more")
    for step, gap in enumerate([9.0, 8, 4, 2, 1]):
        curve.add(step, gap, gap, step, np.zeros(5))
    known = outcome([curve], problem, np.arange(7), [0.1], epoch=2)
    assert (known.half_gap.item(), known.last_epoch_gap.item()) == (3, np.inf)
