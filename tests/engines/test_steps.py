"""Which numbers a rule is given: shared where they are the same, torch's own in any case."""

from functools import cache

import numpy as np
import pytest

from lrbench.engines import fused
from lrbench.engines.steps import numbers, step_table
from lrbench.optimizers import FAMILIES
from lrbench.options import TrainOptions
from lrbench.plan import Block, plan
from lrbench.sweeper.request import read
from lrbench.train import train

LRS = [0.001, 0.01, 0.03, 0.1, 0.7]


@cache
def base(optimizer, schedule) -> Block:
    given = {"onecycle": ["schedule.max_lr=0.5"], "lambda": ["schedule.lr_lambda=math.cos"]}.get(schedule, [])
    (block,) = read([f"optimizer={optimizer}", f"schedule={schedule}", *given]).blocks
    return block


def group(optimizer, schedule="none", *axes, **changes):
    one = base(optimizer, schedule)
    (group,) = plan([Block(one.choices, one.base | {"steps": 40} | changes, list(axes))]).groups
    return group


@cache
def lecture():
    (problem,) = plan(read([]).blocks).problems.values()
    return problem


def table(group):
    ((rule, chunk),) = fused.chunks(group, lecture(), 41)
    return step_table(chunk, FAMILIES[chunk.shared["optimizer._target_"]], rule)


@pytest.mark.parametrize(
    ("schedule", "columns"),
    [
        ("none", 1),
        ("step", 1),
        ("multistep", 1),
        ("exponential", 1),
        ("constant", 1),
        ("linear", 1),
        ("polynomial", 1),
        ("lambda", 1),
        ("cosine", 1),
    ]
    + [("warm_restarts", 1), ("onecycle", 5)],
)
def test_learning_rates_in_proportion_share_a_column(schedule, columns):
    """Not those of OneCycleLR, which are all max_lr's."""
    of = table(group("sgd", schedule, {"optimizer.lr": LRS}))
    assert of.coefficients.shape[::2] == (40, columns)
    assert len(of.column) == 5


def test_an_eta_min_takes_a_column_for_each_learning_rate():
    of = table(group("sgd", "cosine", {"optimizer.lr": LRS}, **{"schedule.eta_min": 1e-4}))
    assert of.coefficients.shape == (40, 1, 5)
    assert sorted(of.column.tolist()) == [0, 1, 2, 3, 4]
    assert of.run.lr.tolist() == [1] * 5


def test_a_learning_rate_of_zero_is_no_factor_of_its_own():
    of = table(group("sgd", "step", {"optimizer.lr": [0.0, 0.1]}))
    assert of.first_lr.tolist() == [0.0, 0.1]
    assert (of.run.lr[0] * of.coefficients[:, 0, of.column[0]] == 0).all()


@pytest.mark.parametrize(
    ("optimizer", "axis", "columns"),
    [
        ("sgd", {"optimizer.weight_decay": [0, 0.1, 0.2]}, 1),
        ("adam", {"optimizer.eps": [1e-8, 1e-4]}, 1),
        ("adam", {"optimizer.betas": [[0.9, 0.99], [0.8, 0.99], [0.9, 0.99]]}, 2),
        ("asgd", {"optimizer.lr": [0.1, 0.2, 0.3]}, 3),
        ("asgd", {"optimizer.weight_decay": [0.1, 0.2, 0.3]}, 1),
        ("rprop", {"optimizer.etas": [[0.5, 1.2], [0.6, 1.3]]}, 1),
    ],
)
def test_runs_share_a_column_unless_their_steps_differ(optimizer, axis, columns):
    of = table(group(optimizer, "none", axis, {"init": ["zeros", [0.5, 0.5]]}))
    assert of.coefficients.shape[2] == columns


def test_numbers_are_torchs_defaults_where_nothing_is_given():
    one = base("adam", "none")
    bare = {
        path: value
        for path, value in one.base.items()
        if not path.startswith("optimizer.") or path.endswith("_target_")
    }
    (group,) = plan([Block(one.choices, bare, [])]).groups
    found = numbers(group, FAMILIES["torch.optim.Adam"])
    assert (found.lr, found.beta1, found.beta2, found.eps, found.amsgrad) == (0.001, 0.9, 0.999, 1e-8, 0)


def trained(*groups_of) -> dict:
    return {
        run["run_id"]: (curve["gap"], run["weights"])
        for todo in groups_of
        for runs, curves in train(todo, TrainOptions("fused", "all", 1e-6))
        for run, curve in zip(runs.to_pylist(), curves.to_pylist(), strict=True)
    }


def test_128_betas_in_one_group_are_those_trained_alone():
    one = base("adam", "none")
    betas = [
        [float(beta1), float(beta2)]
        for beta1 in np.linspace(0.1, 0.95, 16)
        for beta2 in np.linspace(0.5, 0.999, 8)
    ]
    todo = plan([Block(one.choices, one.base | {"steps": 20}, [{"optimizer.betas": betas}])])
    assert table(todo.groups[0]).coefficients.shape[2] == 128
    alone = [
        plan([Block(one.choices, one.base | {"steps": 20, "optimizer.betas": pair}, [])]) for pair in betas
    ]
    together = trained(todo)
    assert together == trained(*alone)
    assert len({str(run) for run in together.values()}) == 128
