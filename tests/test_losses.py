"""The loss table against hand-computed values and its messages."""

import subprocess
import sys
from pathlib import Path

import pytest

from lrbench.errors import RequestError
from lrbench.losses import Loss, lookup

MSE = "torch.nn.MSELoss"


@pytest.mark.parametrize(("reduction", "c"), [("mean", 0.25), ("sum", 1.0)])
def test_factor(reduction, c):
    assert lookup({"_target_": MSE, "reduction": reduction}) == Loss(MSE, reduction)
    assert lookup({"_target_": MSE, "reduction": reduction}).factor(4) == c


def test_the_default_reduction_is_torchs():
    assert lookup({"_target_": MSE}).reduction == "mean"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"_target_": "torch.nn.L2Loss"}, r"loss\._target_: 'torch.nn.L2Loss' .* Did you mean 'torch.nn.L1Loss'\?"),
        ({"_target_": ["x"]}, r"loss\._target_: .* There are: .*torch.nn.MSELoss"),
        ({}, r"loss\._target_: 'None' .* There are: .*torch.nn.MSELoss"),
        ({"_target_": MSE, "reduction": "none"}, r"loss\.reduction: 'none' .* There are: mean, sum"),
        ({"_target_": MSE, "reducton": "sum"}, r"loss\.reducton: .* Did you mean 'reduction'\?"),
    ],
)
def test_unknown_is_a_wrong_request(settings, message):
    with pytest.raises(RequestError, match=message):
        lookup(settings)


def test_torch_is_not_imported():
    code = "import sys, lrbench.losses, lrbench.problems.solve; sys.exit(bool({'torch', 'pandas', 'sklearn', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0
