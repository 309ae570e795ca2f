"""What may be asked of a loss: the table by hand, its files, and the messages of what may not."""

import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from lrbench.config import CONF
from lrbench.errors import RequestError
from lrbench.losses import KINDS, REDUCTIONS, Loss, lookup

FILES = sorted((CONF / "loss").glob("*.yaml"))
MSE, HUBER, QUANTILE = "torch.nn.MSELoss", "torch.nn.HuberLoss", "lrbench.losses.criteria.QuantileLoss"
LOGISTIC, POISSON = "torch.nn.BCEWithLogitsLoss", "torch.nn.PoissonNLLLoss"


# ---- the settings


@pytest.mark.parametrize(("reduction", "c", "share"), [("mean", 0.25, 1.0), ("sum", 1.0, 0.75)])
def test_reduction(reduction, c, share):
    loss = lookup({"_target_": MSE, "reduction": reduction})
    assert loss == Loss(MSE, reduction)
    assert loss.factor(4) == c
    assert loss.penalty_share(3, 4) == share


@pytest.mark.parametrize("target", KINDS)
def test_what_is_not_given_has_torchs_default_and_no_penalty(target):
    own = KINDS[target].parameter
    k = inspect.signature(pkgutil.resolve_name(target)).parameters[own].default if own else 0.0
    assert lookup({"_target_": target}) == Loss(target, "mean", k, 0.0, False)


def test_what_is_given():
    settings = {"_target_": HUBER, "delta": 2, "reduction": "sum", "l2": 3, "penalize_intercept": True}
    assert lookup(settings) == Loss(HUBER, "sum", 2.0, 3.0, True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"_target_": "torch.nn.L2Loss"},
            r"loss\._target_: 'torch.nn.L2Loss' .* Did you mean 'torch.nn.L1Loss'\?",
        ),
        ({"_target_": ["x"]}, r"loss\._target_: .* There are: .*torch.nn.MSELoss"),
        ({}, r"loss\._target_: 'None' .* There are: .*torch.nn.MSELoss"),
        ({"_target_": MSE, "reduction": "none"}, r"loss\.reduction: 'none' .* There are: mean, sum"),
        ({"_target_": MSE, "reduction": "men"}, r"loss\.reduction: 'men' .* Did you mean 'mean'\?"),
        ({"_target_": MSE, "reducton": "sum"}, r"loss\.reducton: .* Did you mean 'reduction'\?"),
        (
            {"_target_": MSE, "delta": 1.0},
            (
                r"loss\.delta: torch.nn.MSELoss has no setting 'delta' here\. .*There are: l2, "
                r"penalize_intercept, reduction\."
            ),
        ),
        (
            {"_target_": HUBER, "dleta": 1.0},
            r"loss\.dleta: .* Did you mean 'delta'\? There are: delta, l2, penalize_intercept, reduction\.",
        ),
    ],
)
def test_unknown_is_a_wrong_request(settings, message):
    with pytest.raises(RequestError, match=message):
        lookup(settings)


@pytest.mark.parametrize(
    ("target", "key", "value", "message"),
    [
        (HUBER, "delta", value, "a finite number > 0 is allowed for torch.nn.HuberLoss")
        for value in (0, -1, float("nan"), float("inf"), "x", True, None)
    ]
    + [
        (QUANTILE, "quantile", value, f"a number > 0 and < 1 is allowed for {QUANTILE}")
        for value in (0, 1, -0.5, 1.5, float("nan"), "x")
    ]
    + [
        (MSE, "l2", value, "0 or a number from 1e-40 to 1e+40 is allowed")
        for value in (-1, float("nan"), float("inf"), "x", False, None)
    ]
    + [(MSE, "penalize_intercept", value, "true or false is allowed") for value in ("yes", 1, None)],
)
def test_a_value_out_of_range_is_a_wrong_request(target, key, value, message):
    with pytest.raises(RequestError) as error:
        lookup({"_target_": target, key: value})
    assert str(error.value) == f"loss.{key}: {message}, but {value!r} came."


# ---- the files


def test_every_loss_has_a_file():
    assert {yaml.safe_load(path.read_text())["_target_"] for path in FILES} == set(KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_every_setting_at_its_default(path):
    settings = yaml.safe_load(path.read_text())
    kind = KINDS[settings["_target_"]]
    assert list(settings) == [
        "_target_",
        *([kind.parameter] if kind.parameter else []),
        "reduction",
        "l2",
        "penalize_intercept",
    ]
    assert lookup(settings) == Loss(
        settings["_target_"], "sum" if path.stem == "mse_sum" else "mean", kind.default
    )
    assert path.read_text().startswith("# ")


# ---- what the table says


def test_shapes_and_targets():
    shape = {target: (loss.is_quadratic, loss.real_target) for target in KINDS for loss in [Loss(target)]}
    assert [target for target, (quadratic, _) in shape.items() if quadratic] == [MSE]
    assert [target for target, (_, real) in shape.items() if not real] == [LOGISTIC, POISSON]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("settings", "weights"),
    [({}, [0, 0, 0]), ({"l2": 0.5}, [0.5, 0.5, 0]), ({"l2": 0.5, "penalize_intercept": True}, [0.5] * 3)],
)
def test_penalties_of_two_features_and_an_intercept(reduction, settings, weights):
    loss = lookup({"_target_": MSE, "reduction": reduction, **settings})
    assert loss.penalties(2, 3).tolist() == weights
    assert loss.penalties(2, 2).tolist() == weights[:2]


@pytest.mark.parametrize(
    ("target", "y", "message"),
    [
        (
            MSE,
            [0.5, np.inf, np.nan],
            (
                r"torch.nn.MSELoss takes finite numbers as target, but column 'price' holds inf in row "
                r"2 \(2 of 3 rows do not fit\)"
            ),
        ),
        (
            LOGISTIC,
            [0, 1, 2],
            r"takes the labels 0 and 1 as target, but column 'price' holds 2 in row 3 \(1 of 3 ",
        ),
        (LOGISTIC, [-1, 1, 0.5], r"holds -1 in row 1 \(2 of 3 "),
        (LOGISTIC, [0, np.nan, 1], r"holds nan in row 2 "),
        (
            POISSON,
            [0, 1, 2.5, -3],
            (
                r"takes counts \(0 or more\) as target, but column 'price' holds -3 in row 4 \(1 of 4 "
                r"rows do not fit\)\. Choose another loss="
            ),
        ),
        (POISSON, [np.nan, 1], r"holds nan in row 1 "),
    ],
)
def test_a_target_that_does_not_fit_is_named_with_its_row(target, y, message):
    with pytest.raises(RequestError, match=message):
        Loss(target).check_target(np.array(y, dtype=float), "price")


@pytest.mark.parametrize(
    ("target", "y"),
    [
        (MSE, [-1.5, 2e300]),
        (QUANTILE, [-1.5, 0]),
        (LOGISTIC, [0, 1, 1]),
        (LOGISTIC, [0, 0]),
        (POISSON, [0, 2.5, 1e6]),
    ],
)
def test_a_target_that_fits_passes(target, y):
    Loss(target).check_target(np.array(y, dtype=float), "price")


# ---- what it costs


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("lrbench.losses", {"torch", "numba"}),
        ("lrbench.losses, lrbench.problems.solve", {"torch", "pandas", "sklearn", "pyarrow"}),
    ],
)
def test_torch_is_not_imported(modules, heavy):
    code = f"import sys, {modules}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
