"""docs/problems.md lists every problem, and its numbers, losses and licences are those of the data."""

import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from lrbench.problems import load

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf" / "problem"
NAMES = sorted(path.stem for path in CONF.glob("*.yaml") if path.stem != "csv")
LINES = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if line.startswith("| `")]
TABLE = {row[0].strip("`"): row[1:] for row in ROWS if len(row) == 7}


def configuration(name):
    """Return the settings of a problem and the loss that its file selects."""
    file = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    return file.get("problem", file), next(
        (item["override /loss"] for item in file.get("defaults", [])), "mse"
    )


def kappa(data):
    """Return largest over smallest eigenvalue that is not 0, from the moments of the raw columns.

    Of the mean squared error on standardized ones.
    """
    A = data.design()
    moments = A.T @ A / len(A)
    if (
        data.standardize
    ):  # a Gram matrix squares: what is below 1e-12 of it counts as 0, and no kappa of the page comes near
        means, last = moments[-1, :-1], moments[-1:, -1:]
        covariance = moments[:-1, :-1] - np.outer(means, means)
        scales = np.sqrt(np.diagonal(covariance))
        scales[np.ptp(data.X, axis=0) == 0] = 1
        moments = np.block(
            [[covariance / np.outer(scales, scales), np.zeros((data.d, 1))], [np.zeros((1, data.d)), last]]
        )
    eigenvalues = np.linalg.eigvalsh(moments)
    return eigenvalues[-1] / eigenvalues[eigenvalues > 1e-12 * eigenvalues[-1]][0]


def test_every_problem_is_listed():
    assert sorted(TABLE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_the_table(name):
    settings, loss = configuration(name)
    data = load(settings)
    shown = [
        f"{data.n:,}",
        f"{data.d}",
        f"{kappa(data):.3g}",
        loss,
        data.note.removesuffix(".") or "made by lrbench",
    ]
    assert TABLE[name][:5] == shown


@pytest.mark.parametrize("name", NAMES)
def test_conf_writes_out_every_setting_with_its_default(name):
    settings = dict(configuration(name)[0])
    target = settings.pop("_target_")
    module, _, function = target.rpartition(".")
    assert module.startswith("lrbench.problems")
    assert function == name
    parameters = inspect.signature(pkgutil.resolve_name(f"{module}:{function}")).parameters
    assert settings == {key: parameter.default for key, parameter in parameters.items()}
