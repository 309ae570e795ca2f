"""Schedules: torch's own numbers, the same in both engines."""

import math
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from lrbench.cli import main
from lrbench.config import CONF
from lrbench.options import TrainOptions
from lrbench.plan import Block, Plan, plan
from lrbench.schedules import Refused, trajectory
from lrbench.sweeper.request import read
from lrbench.train import train

STEPS = 60
GIVEN = {
    "none": {},
    "step": {"step_size": 7, "gamma": 0.5},
    "multistep": {"milestones": [5, 5, 30], "gamma": 0.3},
    "exponential": {"gamma": 0.95},
    "cosine": {},
    "linear": {"total_iters": 20},
    "constant": {"factor": 0.1, "total_iters": 9},
    "polynomial": {"total_iters": 50, "power": 2.0},
    "warm_restarts": {"T_0": 8, "T_mult": 2, "eta_min": 1e-3},
    "onecycle": {"max_lr": 0.2},
    "lambda": {"lr_lambda": "math.cos"},
}
MOVED = ["sgd", "sgd_momentum", "adam", "rmsprop", "asgd", "rprop"]
BAR = {
    "float64": 1e-10,
    "float32": 1000 * 1.2e-7,
}  # of the largest gap so far; RMSprop and Adam leap about the minimum and multiply what is rounded


def test_each_choice_is_tested():
    assert {path.stem for path in (CONF / "schedule").glob("*.yaml")} == GIVEN.keys()


@cache
def composed(optimizer, schedule) -> Block:
    given = {"onecycle": ["schedule.max_lr=0.2"], "lambda": ["schedule.lr_lambda=math.cos"]}.get(schedule, [])
    lines = [
        f"optimizer={optimizer}",
        f"schedule={schedule}",
        "problem=synthetic",
        "problem.n=30",
        "problem.d=4",
        "problem.kappa=20",
        *given,
    ]
    (block,) = read(lines).blocks
    return block


def base(optimizer, schedule) -> Block:
    """Put a schedule beside an optimizer: to compose each of the pairs takes longer than to train them."""
    one, other = composed(optimizer, "none"), composed("sgd", schedule)
    leaves = {key: value for key, value in other.base.items() if key.startswith("schedule.")}
    return Block(one.choices | {"schedule": other.choices["schedule"]}, one.base | leaves, [])


def block(optimizer, schedule, *axes, **settings) -> Block:
    one, steps = base(optimizer, schedule), settings.pop("steps", STEPS)
    given = {f"schedule.{key}": value for key, value in (GIVEN[schedule] | settings).items()}
    return Block(one.choices, one.base | {"steps": steps} | given, list(axes))


def trained(todo: Plan, engine: str) -> dict[str, dict]:
    parts = [
        (runs.to_pylist(), curves.to_pylist())
        for runs, curves in train(todo, TrainOptions(engine, "all", 1e-6))
    ]
    return {
        run["run_id"]: run | {"gap": curve["gap"]}
        for runs, curves in parts
        for run, curve in zip(runs, curves, strict=True)
    }


def compare(blocks, dtype="float64"):
    """Train with both engines, for which all is the same but roundings.

    Return the runs of the reference engine.
    """
    todo = plan([Block(one.choices, one.base | {"dtype": dtype}, one.axes) for one in blocks])
    here, there = trained(todo, "fused"), trained(todo, "reference")
    assert here.keys() == there.keys()
    for run_id, run in there.items():
        ours, gap = here[run_id], np.array(run["gap"])
        assert (ours["engine"], run["engine"]) == ("fused", "reference")
        for key in ("status", "reason", "first_bad_step", "steps_to_1e-2"):
            assert ours[key] == run[key], (run["optimizer"], run["schedule"], key)
        finite = np.isfinite(gap)
        off = np.abs(np.array(ours["gap"])[finite] - gap[finite]) / np.maximum.accumulate(gap[finite])
        assert off.max() <= BAR[dtype], (run["optimizer"], run["schedule"], off.max())
    return list(there.values())


# ---- both engines


@pytest.mark.parametrize("schedule", GIVEN)
def test_both_engines_follow_it(schedule):
    no_momentum = {name: {"cycle_momentum": False} for name in ("asgd", "rprop") if schedule == "onecycle"}
    compare(
        block(name, schedule, {"optimizer.lr": [0.01, 0.3]}, **no_momentum.get(name, {})) for name in MOVED
    )


def test_both_engines_in_float32():
    compare(
        [block(name, schedule) for name in ("sgd_momentum", "adam") for schedule in ("cosine", "onecycle")],
        "float32",
    )


@pytest.mark.parametrize(
    ("schedule", "swept"),
    [
        ("step", {"gamma": [0.1, 0.5], "step_size": [3, 10]}),
        (
            "onecycle",
            {"max_lr": [0.05, 0.3], "cycle_momentum": [True, False], "anneal_strategy": ["cos", "linear"]},
        ),
        ("cosine", {"eta_min": [0, 0.01], "T_max": [None, 20]}),
        ("multistep", {"milestones": [[3, 9], [20]]}),
        ("lambda", {"lr_lambda": ["math.cos", "math.sqrt"]}),
    ],
)
def test_swept_settings_beside_a_swept_lr_and_betas(schedule, swept):
    """In one group, so from tables that runs share: each run as the reference engine trains it alone."""
    axes = [{f"schedule.{key}": values} for key, values in swept.items()] + [{"optimizer.lr": [0.02, 0.1]}]
    betas = {"optimizer.betas": [[0.9, 0.999], [0.5, 0.9]]}
    momentum = {"optimizer.momentum": [0, 0.8]}
    blocks = [block("adam", schedule, *axes, betas), block("sgd", schedule, *axes, momentum)]
    todo = plan(blocks)
    assert len(todo.groups) == 2
    compare(blocks)


# ---- torch's numbers


def stepped(optimizer, scheduler):
    """(lr, momentum or beta1) at each step of a scheduler that is stepped by hand."""
    (group,), seen = optimizer.param_groups, []
    for step in range(STEPS):
        if step:
            optimizer.step()
            scheduler.step()
        seen.append((group["lr"], group["betas"][0] if "betas" in group else group.get("momentum", np.nan)))
    return np.array(seen).T


CLASSES = {
    "step": partial(lr_scheduler.StepLR, step_size=7, gamma=0.5),
    "multistep": partial(lr_scheduler.MultiStepLR, milestones=[5, 5, 30], gamma=0.3),
    "exponential": partial(lr_scheduler.ExponentialLR, gamma=0.95),
    "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=STEPS),
    "linear": partial(lr_scheduler.LinearLR, total_iters=20),
    "constant": partial(lr_scheduler.ConstantLR, factor=0.1, total_iters=9),
    "polynomial": partial(lr_scheduler.PolynomialLR, total_iters=50, power=2.0),
    "warm_restarts": partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=8, T_mult=2, eta_min=1e-3),
    "onecycle": partial(lr_scheduler.OneCycleLR, max_lr=0.2, total_steps=STEPS),
    "lambda": partial(lr_scheduler.LambdaLR, lr_lambda=math.cos),
}


@pytest.mark.parametrize(
    ("name", "settings"),
    [("SGD", {}), ("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {"momentum": 0.5}), ("Rprop", {})],
)
@pytest.mark.parametrize("schedule", CLASSES)
def test_the_trajectory_is_that_of_torchs_scheduler(schedule, name, settings):
    """Bit for bit, for several learning rates at once.

    Momentum where one has it (the trajectory of a class starts from its default).
    """
    leaves = {
        key.removeprefix("schedule."): value
        for key, value in block("sgd", schedule).base.items()
        if key.startswith("schedule.")
    }
    lrs = (0.01, 0.3, 0.02)
    if (schedule, name) == ("onecycle", "Rprop"):
        with pytest.raises(Refused, match="ValueError: optimizer must support momentum"):
            trajectory(leaves, "torch.optim.Rprop", lrs, STEPS)
        return
    path = trajectory(leaves, f"torch.optim.{name}", lrs, STEPS)
    for place, lr in enumerate(lrs):
        optimizer = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))], lr=lr, **settings)
        expected, momentum = stepped(optimizer, CLASSES[schedule](optimizer))
        assert path.lr[:, place].tolist() == expected.tolist()
        if schedule == "onecycle":
            assert path.momentum.tolist() == momentum.tolist()
        else:
            assert path.momentum is None


@pytest.mark.parametrize(("schedule", "key"), [("cosine", "T_max"), ("onecycle", "total_steps")])
def test_null_is_the_runs_own_length(schedule, key):
    for steps in (20, 50):
        null, given = (
            trained(plan([block("sgd", schedule, steps=steps, **{key: value})]), "auto")
            for value in (None, steps)
        )
        ((null,), (given,)) = null.values(), given.values()
        assert null["gap"] == given["gap"]


# ---- what torch refuses, and what only the reference engine trains


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize(
    ("optimizer", "settings", "words"),
    [
        (
            "adagrad",
            {},
            "ValueError: optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
        ),
        (
            "sgd",
            {"total_steps": 30},
            "ValueError: Tried to step 31 times. The specified number of total steps is 30",
        ),
    ],
)
def test_runs_that_torch_refuses_are_failed_rows_with_its_words(optimizer, settings, words, engine):
    rows = trained(plan([block(optimizer, "onecycle", {"optimizer.lr": [0.1, 0.2]}, **settings)]), engine)
    assert [(row["status"], row["reason"], row["engine"]) for row in rows.values()] == [
        ("failed", words, "reference")
    ] * 2


def test_a_refused_run_takes_no_other_with_it():
    """Cycling the momentum that Adagrad has not.

    Without it all is well, and it is trained in the same group.
    """
    rows = trained(plan([block("adagrad", "onecycle", {"schedule.cycle_momentum": [True, False]})]), "auto")
    assert sorted((row["status"], row["engine"]) for row in rows.values()) == [
        ("completed", "fused"),
        ("failed", "reference"),
    ]


@pytest.mark.parametrize(
    ("optimizer", "schedule", "swept"),
    [
        ("sgd", "cosine", {"schedule.eta_min": [0.0, 0.01]}),
        ("adam", "step", {"schedule.gamma": [0.1, 0.9]}),
        ("asgd", "exponential", {"schedule.gamma": [0.9, 0.99]}),
        ("rmsprop", "onecycle", {"schedule.cycle_momentum": [True, False]}),
    ],
)
def test_a_run_under_a_schedule_has_the_same_bits_in_any_company(optimizer, schedule, swept):
    todo = plan([block(optimizer, schedule, swept, {"optimizer.lr": [0.003, 0.01, 0.3]})])
    together, (group,) = trained(todo, "fused"), todo.groups
    for row in range(len(group)):
        (alone,) = trained(Plan([group.take(np.array([row]))], todo.problems, []), "fused").values()
        assert alone["gap"] == together[alone["run_id"]]["gap"]


@pytest.mark.parametrize(
    ("optimizer", "momentum"), [("sgd", 0.0), ("sgd_momentum", 0.9), ("rmsprop", 0.0), ("adam", 0.5)]
)
@pytest.mark.parametrize("ends", [(0.9, 0.9), (0.0, 0.9)])
def test_one_cycle_sets_the_momentum_whatever_the_runs_own(optimizer, momentum, ends):
    """Also where it stays at torch's default, or is 0 at times."""
    own = {"optimizer.betas": [momentum, 0.999]} if optimizer == "adam" else {"optimizer.momentum": momentum}
    one = block(optimizer, "onecycle", base_momentum=ends[0], max_momentum=ends[1])
    todo = plan([Block(one.choices, one.base | own, [])])
    (auto,), (reference,) = (trained(todo, engine).values() for engine in ("auto", "reference"))
    assert np.abs(np.array(auto["gap"]) - reference["gap"]).max() <= BAR["float64"] * max(reference["gap"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_reduce_on_plateau_watches_the_loss(optimizer):
    """In the reference engine, as the loss decides; a plain loop of torch's is the same."""
    one = base(optimizer, "none")
    leaves = {
        "schedule._target_": "torch.optim.lr_scheduler.ReduceLROnPlateau",
        "schedule.patience": 2,
        "optimizer.lr": 0.9,
        "init": "zeros",
    }
    todo = plan([Block(one.choices, one.base | leaves | {"steps": STEPS}, [])])
    (row,) = trained(todo, "auto").values()
    assert (row["engine"], row["status"]) == ("reference", "completed")

    (problem,) = todo.problems.values()
    X, y = torch.tensor(problem.data.X), torch.tensor(problem.data.y)[:, None]
    w = torch.nn.Parameter(torch.zeros(4, 1, dtype=torch.float64))
    steps = getattr(torch.optim, {"sgd": "SGD", "adam": "Adam"}[optimizer])([w], lr=0.9)
    scheduler = lr_scheduler.ReduceLROnPlateau(steps, patience=2)
    for _ in range(STEPS):
        steps.zero_grad()
        ((X @ w - y) ** 2).mean().backward()
        steps.step()
        scheduler.step(((X @ w - y) ** 2).mean().item())
    assert row["weights"] == pytest.approx(w.detach().ravel().tolist(), rel=1e-9)
    assert optimizer == "sgd" or steps.param_groups[0]["lr"] < 0.9


def test_it_can_be_given_on_the_command_line():
    request = read(["+schedule._target_=torch.optim.lr_scheduler.ReduceLROnPlateau", "steps=5"])
    (row,) = trained(plan(request.blocks), "auto").values()
    assert row["engine"] == "reference"


# ---- how long it is, where a step takes several gradients


class Asking(torch.optim.SGD):
    """Wants a closure, and calls it twice a step."""

    def step(self, closure):
        closure()
        return super().step(closure)


def make_asking(parameters, lr=0.1):
    return Asking(parameters, lr=lr)


CLOSURES = {
    "lbfgs": ["optimizer=lbfgs"],
    "one's own": ["optimizer=custom", f"optimizer._target_={__name__}.Asking", "+optimizer.lr=0.1"],
    "among others": ["optimizer=sgd,lbfgs,adam"],
}


@pytest.mark.parametrize("tuned", [[], ["tune=lr"]], ids=["as given", "tuned"])
@pytest.mark.parametrize("schedule", ["cosine", "none,cosine", "lambda"])
@pytest.mark.parametrize("asked", CLOSURES)
def test_a_closure_and_a_schedule_are_refused_before_anything_is_written(asked, schedule, tuned, capsys):
    given = [f"schedule={schedule}", "schedule.lr_lambda=math.cos" if schedule == "lambda" else "steps=5"]
    assert main(["-m", *CLOSURES[asked], *given, *tuned]) == 2
    told = capsys.readouterr()
    choice = schedule.removeprefix("none,")
    assert told.err.startswith(f"schedule: schedule={choice} came for optimizer=")
    assert "as many gradients as it asks of its closure" in told.err
    assert told.err.endswith("Type schedule=none for it.\n")
    assert told.out == ""
    assert list(Path().iterdir()) == []


def test_a_closure_without_a_schedule_is_no_matter():
    for lines in CLOSURES.values():
        assert main(["-m", *lines, "steps=3", "report=false"]) == 0


def test_an_optimizer_that_a_function_makes_is_refused_when_it_is_made():
    """Nobody knows before what it makes: its runs fail, with the same words."""
    lines = [
        "optimizer=custom",
        f"optimizer._target_={__name__}.make_asking",
        "+optimizer.lr=0.01",
        "steps=5",
    ]
    (row,) = trained(plan(read([*lines, "schedule=cosine"]).blocks), "auto").values()
    assert row["status"] == "failed"
    assert row["reason"].startswith("ValueError: A schedule counts the optimizer's own steps")
    (row,) = trained(plan(read(lines).blocks), "auto").values()
    assert (row["status"], row["evaluations_per_step"]) == ("completed", 2)


def test_of_one_gradient_a_step_a_schedule_ends_with_the_budget():
    """Cosine goes down to 0 in as many steps as the budget has."""
    for engine in ("auto", "reference"):
        todo = plan([block("sgd", "cosine", steps=20)])
        (row,) = trained(todo, engine).values()
        assert row["steps_taken"] == row["evaluations"] == row["budget"] == 20
    cosine = {"_target_": "torch.optim.lr_scheduler.CosineAnnealingLR", "T_max": 20}
    rates = trajectory(cosine, "torch.optim.SGD", (1.0,), 21).lr[:, 0]
    assert rates[19] > rates[20] == pytest.approx(0, abs=1e-15)
