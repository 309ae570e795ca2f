"""The line to paste, built by torch: what it makes holds the stored settings."""

import pkgutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

import lrbench.optimizers.classes
from lrbench.config import CONF
from lrbench.results.words.paste import class_defaults, line

CHOICES = sorted(path for path in (CONF / "optimizer").glob("*.yaml") if path.stem != "custom")
SCHEDULES = sorted(path for path in (CONF / "schedule").glob("*.yaml") if path.stem not in ("none", "lambda"))
ASKED = {"T_max": 500, "total_steps": 500, "max_lr": 0.3}  # what these files leave to the request
SPECIAL = {  # a value of each kind that is not the default
    **{
        "momentum": 0.5,
        "betas": [0.0, 0.99],
        "alpha": 0.9,
        "rho": 0.5,
        "etas": [0.25, 1.5],
        "eps": 0.001,
        "lambd": 0.0,
        "ns_steps": 3,
    },
    **{
        "max_iter": 4,
        "history_size": 7,
        "line_search_fn": "strong_wolfe",
        "beta2_decay": -0.5,
        "momentum_decay": 0.0,
        "t0": 10.0,
    },
    **{
        "weight_decay": 1.0,
        "adjust_lr_fn": "original",
        "initial_accumulator_value": 1.0,
        "step_sizes": [0.001, 1.0],
        "ns_coefficients": [3.0, -4.0, 2.0],
    },
}


def settings(path: Path) -> dict[str, Any]:
    loaded = OmegaConf.load(path)
    return {key: ASKED[key] if key in ASKED else loaded[key] for key in loaded} | {}


def stored(group: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The columns of a run: numbers as double, lists as tuples of them."""
    double = {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in settings.items()
    }
    lists = {
        key: tuple(None if x is None else float(x) for x in value)
        for key, value in double.items()
        if OmegaConf.is_list(value) or isinstance(value, list)
    }
    return {f"{group}.{key}": value for key, value in (double | lists).items()}


def made(text: str, shape: tuple[int, ...] = (2, 3)) -> Any:
    """Run a pasted line beside a model; return the optimizer, or the scheduler of two statements."""
    model = torch.nn.Linear(shape[1], shape[0], bias=False)
    names: dict[str, Any] = {"torch": torch, "lrbench": lrbench, "model": model}
    if text.startswith("optimizer = "):
        exec(text, names)
        return names["scheduler"]
    return eval(text, names)


def same(group: dict[str, Any], settings: dict[str, Any]) -> bool:
    plain = {
        key: tuple(value) if OmegaConf.is_list(value) or isinstance(value, list) else value
        for key, value in settings.items()
        if key != "_target_"
    }
    return all(
        (tuple(group[key]) if isinstance(value, tuple) else group[key]) == value
        for key, value in plain.items()
    )


def unlike(path: Path) -> dict[str, Any]:
    """The choice with another lr, and with every other number changed that has an entry in SPECIAL."""
    own = settings(path)
    changed = {
        key: value
        for key, value in SPECIAL.items()
        if key in own and not (path.stem == "adafactor" and key == "eps")
    }
    return own | changed | {"lr": 0.037} | ({"eps": [0.5, 0.25]} if path.stem == "adafactor" else {})


@pytest.mark.parametrize("change", [settings, unlike], ids=["as configured", "all else"])
@pytest.mark.parametrize("path", CHOICES, ids=lambda path: path.stem)
def test_the_class_makes_the_stored_settings_of_every_choice(path, change):
    asked = change(path)
    optimizer = made(line(pd.Series(stored("optimizer", asked))))
    assert type(optimizer) is pkgutil.resolve_name(asked["_target_"])
    expected = {key: value for key, value in asked.items() if not (key == "max_eval" and value is None)}
    assert same(optimizer.param_groups[0], expected)


@pytest.mark.parametrize("path", CHOICES, ids=lambda path: path.stem)
def test_what_counts_as_default_is_the_classes_own(path):
    target = settings(path)["_target_"]
    optimizer = made(f"{target}(model.parameters(), lr=1.0)")
    defaults = {key: value for key, value in class_defaults(target).items() if key != "max_eval"}
    assert same(optimizer.param_groups[0], defaults)
    assert class_defaults(target)


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: path.stem)
def test_a_schedule_is_a_second_statement(path):
    asked = settings(path)
    sgd = {"_target_": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9}
    scheduler = made(line(pd.Series(stored("optimizer", sgd) | stored("schedule", asked))))
    assert f"torch.optim.lr_scheduler.{type(scheduler).__name__}" == asked["_target_"]
    kept = {key: value for key, value in asked.items() if hasattr(scheduler, key) and key != "milestones"}
    assert {key: getattr(scheduler, key) for key in kept if key not in ("_target_", "anneal_strategy")} == {
        key: value for key, value in kept.items() if key not in ("_target_", "anneal_strategy")
    }


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            {"_target_": "torch.optim.Adam", "lr": 0.03, "betas": (0.9, 0.999), "eps": 1e-8},
            "torch.optim.Adam(model.parameters(), lr=0.03)",
        ),
        (
            {"_target_": "torch.optim.SGD", "momentum": 0.9, "lr": 1.0, "nesterov": True},
            "torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, nesterov=True)",
        ),
        (
            {"_target_": "torch.optim.LBFGS", "lr": 1.0, "max_iter": 5.0},
            "torch.optim.LBFGS(model.parameters(), lr=1.0, max_iter=5)",
        ),
        (
            {"_target_": "pack.Lion", "lr": 1e-4, "betas": (0.9, 0.99), "k": 6.0, "mode": "x"},
            "pack.Lion(model.parameters(), lr=0.0001, betas=(0.9, 0.99), k=6, mode='x')",
        ),
        (
            {"_target_": "pack.Lion", "lr": None, "clip": "[1, null]", "on": "true"},
            "pack.Lion(model.parameters(), clip=(1, None), on=True)",
        ),
        (
            {"_target_": "torch.optim.Lion", "lr": 0.1, "rho": float("nan")},
            "torch.optim.Lion(model.parameters(), lr=0.1)",
        ),
    ],
)
def test_lines_by_hand(columns, text):
    assert line(pd.Series({f"optimizer.{key}": value for key, value in columns.items()})) == text


def test_a_function_of_the_step_is_named_and_lists_of_steps_are_whole():
    sgd = {"optimizer._target_": "torch.optim.SGD", "optimizer.lr": 0.1}
    by_hand = {"schedule._target_": "torch.optim.lr_scheduler.LambdaLR", "schedule.lr_lambda": "pack.warm_up"}
    assert line(pd.Series(sgd | by_hand)).endswith(
        "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=pack.warm_up)"
    )
    steps = {
        "schedule._target_": "torch.optim.lr_scheduler.MultiStepLR",
        "schedule.milestones": (250.0, 375.0),
        "schedule.gamma": 0.1,
    }
    assert "milestones=(250, 375), gamma=0.1" in line(pd.Series(sgd | steps))
