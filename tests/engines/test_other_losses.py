"""Losses that are sums over the rows, and penalties: the fused engine against the reference engine, whose
gradients are torch's own.
"""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

import lrbench.problems
from lrbench.losses import KINDS
from lrbench.plan import plan
from lrbench.problems import Data
from lrbench.sweeper.request import read
from lrbench.train import trace, train

ROUNDINGS = 1000  # by which two correct runs may differ: about 16 a step, over 60 steps
HOW = {"full": [], "shuffled": ["batch_size=32"], "replacement": ["batch_size=20", "batch_order=replacement"]}


def sample(target: str = "real", n: int = 300) -> Data:
    """n is more than a block of rows and not a multiple of it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    z = X @ [0.5, -1.0, 0.3, 0.2] + 0.1
    draws = {
        "real": z + rng.standard_t(2, size=n),
        "label": rng.random(n) < 1 / (1 + np.exp(-z)),
        "count": rng.poisson(np.exp(z)),
    }
    return Data(X, draws[target].astype(float), True, tuple("abcd"), "y")


@pytest.fixture(autouse=True)
def _sample(monkeypatch):
    monkeypatch.setattr(lrbench.problems, "sample", sample, raising=False)


@cache
def asked(*lines):
    own = ["problem=lecture", "problem._target_=lrbench.problems.sample", "~problem.intercept", "loss=mse"]
    return read([*own, "predict=null", "batch_order=shuffled", "steps=60", *lines], multirun=True)


@cache
def planned(target, *lines):
    """Plan for a loss.

    Lines are composed once for all losses, which differ in two leaves: composing takes longer than training.
    """
    request = asked(*lines)
    leaves = {"loss._target_": target, "problem.target": KINDS[target].targets}
    return plan(
        [replace(block, base=block.base | leaves) for block in request.blocks]
    ), request.options.training


def trained(target, engine, *lines):
    """run_id -> what is stored of the run."""
    todo, options = planned(target, *lines)
    rows = train(todo, options._replace(engine=engine))
    parts = [(runs.to_pylist(), curves.to_pylist()) for runs, curves in rows]
    return {
        run["run_id"]: run | curve for runs, curves in parts for run, curve in zip(runs, curves, strict=True)
    }


BENT = [target for target, kind in KINDS.items() if kind.shape != "linear"]
CASES = [
    *((target, how, 0, "mean", "float64") for target, how in product(KINDS, HOW)),
    *((target, how, 0.3, "sum", "float64") for target, how in product(BENT, ["full", "shuffled"])),
    *(
        (target, how, 0.3, "mean", "float32")
        for target, how in product(["torch.nn.HuberLoss", "torch.nn.BCEWithLogitsLoss"], HOW)
    ),
]


@pytest.mark.parametrize(("target", "how", "l2", "reduction", "dtype"), CASES)
def test_both_engines_agree(target, how, l2, reduction, dtype):
    lr = 0.1 if reduction == "mean" else 0.001
    lines = [
        f"loss.reduction={reduction}",
        f"loss.l2={l2}",
        f"dtype={dtype}",
        "optimizer=sgd,adam",
        f"optimizer.lr={lr}",
        *HOW[how],
    ]
    fused, reference = (trained(target, engine, *lines) for engine in ("fused", "reference"))
    assert fused.keys() == reference.keys()
    for run_id, here in fused.items():
        there, eps = reference[run_id], np.finfo(dtype).eps
        gap, other = np.array(here["gap"]), np.array(there["gap"])
        assert np.max(np.abs(gap - other) / np.maximum.accumulate(other)) < ROUNDINGS * eps
        np.testing.assert_allclose(
            here["loss"], there["loss"], rtol=0, atol=ROUNDINGS * eps * (other[0] + abs(there["loss"][0]))
        )
        np.testing.assert_allclose(here["weights"], there["weights"], rtol=0, atol=ROUNDINGS * eps)
        assert [here[name] for name in ("status", "evaluations")] == [
            there[name] for name in ("status", "evaluations")
        ]
        if dtype == "float64":
            assert here["steps_to_1e-1"] == there["steps_to_1e-1"]


def test_a_penalised_quadratic_agrees_on_all_rows_and_on_batches():
    lines = ["loss.l2=0.3", "loss.penalize_intercept=true,false", "optimizer=sgd", "optimizer.lr=0.1"]
    for how in HOW.values():
        fused, reference = (
            trained("torch.nn.MSELoss", engine, *lines, *how) for engine in ("fused", "reference")
        )
        for run_id, here in fused.items():
            np.testing.assert_allclose(
                here["gap"], reference[run_id]["gap"], rtol=0, atol=1e-13 * here["gap"][0]
            )


@pytest.mark.parametrize("target", KINDS)
def test_gap_and_infimum_make_the_loss_that_torch_prints(target):
    for run in trained(target, "reference", "optimizer=adam", "optimizer.lr=0.1", "loss.l2=0").values():
        ((_, problem),) = planned(target)[0].problems.items()
        np.testing.assert_allclose(
            np.array(run["gap"]) + problem.loss_star, run["loss"], rtol=1e-13, atol=1e-14
        )
        assert run["gap"][-1] < run["gap"][0] / 2


@pytest.mark.parametrize("target", ["torch.nn.HuberLoss", "torch.nn.BCEWithLogitsLoss"])
def test_bits_do_not_depend_on_the_neighbours(target):
    many = trained(target, "fused", "optimizer=adam", "optimizer.lr=0.01,0.1,1", "seed=range(60)")
    for run_id, run in trained(target, "fused", "optimizer=adam", "optimizer.lr=0.1", "seed=3,59").items():
        assert (run["gap"], run["weights"]) == (many[run_id]["gap"], many[run_id]["weights"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_poisson_that_overflows_diverges_at_the_same_step(dtype):
    lines = ["optimizer=sgd", "optimizer.lr=1,3,10,100", f"dtype={dtype}"]
    fused, reference = (
        trained("torch.nn.PoissonNLLLoss", engine, *lines) for engine in ("fused", "reference")
    )
    assert any(run["first_bad_step"] is not None for run in fused.values())
    for run_id, run in fused.items():
        assert (run["status"], run["first_bad_step"]) == (
            reference[run_id]["status"],
            reference[run_id]["first_bad_step"],
        )


@pytest.mark.parametrize("engine", ["fused", "reference"])
@pytest.mark.parametrize("target", ["torch.nn.MSELoss", "torch.nn.HuberLoss"])
def test_the_weights_on_the_way(target, engine):
    lines = ["optimizer=sgd,adam", "optimizer.lr=0.1"]
    todo, options = planned(target, *lines)
    ((_, problem),) = todo.problems.items()
    runs = trained(target, engine, *lines)
    for table in trace(todo, options._replace(engine=engine)):
        (row,) = table.to_pylist()
        run, path = runs[row["run_id"]], np.array(row["weights"]).reshape(len(row["step"]), -1)
        assert path[-1].tolist() == run["weights"]
        np.testing.assert_allclose(
            problem.gap(path), np.array(run["gap"])[row["step"]], rtol=1e-12, atol=1e-16
        )


def test_a_path_ends_where_the_run_did():
    todo, options = planned("torch.nn.MSELoss", "optimizer=sgd", "optimizer.lr=1e300")
    paths = [
        np.array(row["weights"]).reshape(len(row["step"]), -1)
        for engine in ("fused", "reference")
        for row in _rows(todo, options, engine)
    ]
    for path in paths:
        assert np.isfinite(path[0]).all()
        assert np.isnan(path[-1]).all()


def _rows(todo, options, engine):
    return [row for table in trace(todo, options._replace(engine=engine)) for row in table.to_pylist()]
