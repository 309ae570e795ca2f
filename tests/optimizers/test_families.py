"""The table of families against their classes' signatures and refusals, and what lrbench offers."""

import inspect
import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from lrbench.optimizers import FAMILIES
from lrbench.optimizers.rule import PAIRS

IMPLEMENTATION = {
    "params",
    "foreach",
    "capturable",
    "differentiable",
    "fused",
}  # which code torch runs, not what it computes
FILES = sorted((Path(__file__).parents[2] / "conf" / "optimizer").glob("*.yaml"))

every_family = pytest.mark.parametrize("name", FAMILIES)


@every_family
def test_defaults_are_the_classes_own_in_their_order(name):
    parameters = inspect.signature(pkgutil.resolve_name(name)).parameters
    theirs = {key: parameter.default for key, parameter in parameters.items() if key not in IMPLEMENTATION}
    assert list(FAMILIES[name].defaults.items()) == list(theirs.items())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_option_of_lrbench_is_covered(file):
    options = yaml.safe_load(file.read_text())
    family = FAMILIES.get(options.pop("_target_"))
    if family:
        assert options.keys() <= family.defaults.keys()


def accepted(name, hyperparameters):
    try:
        pkgutil.resolve_name(name)([torch.nn.Parameter(torch.zeros(1))], **hyperparameters)
    except ValueError:
        return False
    return True


def arrays(family, hyperparameters, shape):
    numbers = {}
    for key, value in (family.defaults | family.fixed | hyperparameters).items():
        numbers |= dict(zip(PAIRS[key], value, strict=True)) if key in PAIRS else {key: value}
    return {key: np.full(shape, float(value)) for key, value in numbers.items()}


def covered(name, hyperparameters):
    return bool(np.all(FAMILIES[name].covers(SimpleNamespace(**arrays(FAMILIES[name], hyperparameters, 1)))))


@every_family
def test_a_rule_covers_what_its_class_accepts(name):
    lowest = 0.0 if name == "torch.optim.SGD" else -0.5
    for key, default in FAMILIES[name].defaults.items():
        for value in (lowest, 0.0, 0.7, 1.0, 1.5):
            for x in [value] if key not in PAIRS else [(value, default[1]), (default[0], value)]:
                assert covered(name, {key: x}) == accepted(name, {key: x}), (key, x)


def test_sgd_covers_the_combinations_that_torch_accepts():
    for nesterov in (False, True):
        for momentum in (0, 0.9):
            for dampening in (-0.1, 0, 0.1):
                case = {"momentum": momentum, "dampening": dampening, "nesterov": nesterov}
                assert covered("torch.optim.SGD", case) == accepted("torch.optim.SGD", case), case


@every_family
def test_docstrings_name_every_hyperparameter(name):
    family = FAMILIES[name]
    docs = [rule.update.__doc__ for rule in (family.rule, family.switched) if rule]
    assert all("Pitfall:" in doc for doc in docs)
    for key in family.defaults:
        assert re.search(rf"\b{key}\b", "\n".join(docs)), key


@every_family
@pytest.mark.parametrize("rows", [1, 7])
def test_numbers_of_many_runs(name, rows):
    """Columns do not mix: a run's numbers are the same beside others, whether they vary with steps or not."""
    family, t = FAMILIES[name], np.arange(1.0, 8)[:, None]
    rng = np.random.default_rng(rows)
    for rule in (family.rule, family.switched):
        if rule:
            assert all(np.shape(x) == (4,) for x in rule.run(SimpleNamespace(**arrays(family, {}, 4))))
            numbers = {
                key: x * rng.uniform(0.5, 1, x.shape)
                for key, x in arrays(family, {"factor": 1}, (rows, 3)).items()
                if key in (*rule.column, "factor")
            }
            together = [np.broadcast_to(x, (7, 3)) for x in rule.step(t, SimpleNamespace(**numbers))]
            for c in range(3):
                alone = rule.step(t, SimpleNamespace(**{key: x[:, c : c + 1] for key, x in numbers.items()}))
                assert all(
                    np.array_equal(x[:, c : c + 1], np.broadcast_to(y, (7, 1)))
                    for x, y in zip(together, alone, strict=True)
                )
