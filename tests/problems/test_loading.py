"""From settings to data, and conf/problem/ against the functions it names."""

import inspect
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import lrbench.problems
from lrbench.errors import RequestError
from lrbench.problems import load

CONF = Path(__file__).parents[2] / "conf" / "problem"


def test_the_settings_name_the_function():
    assert load({"_target_": "lrbench.problems.lecture", "intercept": False}).p == 1
    assert load({"_target_": "lrbench.problems.synthetic", "n": 30, "d": 3}).X.shape == (30, 3)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "my_problems.py").write_text(
        "from lrbench.problems import Data\n"
        "def line(slope, **rest): return Data([[1], [2]], [slope, 2 * slope], True, ('x',), 'y')\n"
        "def nothing(): return 4\n"
    )
    (tmp_path / "my_broken.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("my_problems", "my_broken"):
        sys.modules.pop(name, None)


def test_a_function_of_ones_own(mine):
    assert load({"_target_": "my_problems.line", "slope": 3, "colour": "red"}).y.tolist() == [3, 6]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"problem\._target_: no function at ''"),
        ({"_target_": "???"}, r"problem\._target_: no function at ''"),
        ({"_target_": "lecture"}, r"problem\._target_: no function at 'lecture'"),
        (
            {"_target_": "lrbench.problems.lectur"},
            r"no function at 'lrbench\.problems\.lectur' \(module .* has no attribute 'lectur'\)",
        ),
        ({"_target_": "no_such_module.f"}, r"No module named 'no_such_module'"),
        ({"_target_": "my_broken.f"}, r"No module named 'no_such_library'"),
        ({"_target_": "my_problems.__name__"}, r"is not a callable object"),
        (
            {"_target_": "my_problems.nothing"},
            r"problem\._target_: my_problems\.nothing must return lrbench\.problems\.Data, but returned int",
        ),
        ({"_target_": "my_problems.line"}, r"problem\.slope: my_problems\.line needs a value"),
        (
            {"_target_": "lrbench.problems.synthetic", "kapa": 3},
            r"problem\.kapa: .* no setting 'kapa'. Did you mean 'kappa'\?",
        ),
        (
            {"_target_": "lrbench.problems.csv", "path": "???", "target": "y"},
            r"problem\.path: .* needs a value here. Give it as problem\.path=",
        ),
    ],
)
def test_wrong_settings(mine, settings, message):
    with pytest.raises(RequestError, match=message):
        load(settings)


@pytest.mark.parametrize("name", ["lecture", "synthetic", "diabetes", "csv"])
def test_conf_writes_out_every_setting_with_its_default(name):
    settings = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    settings = settings.get("problem", settings)
    assert settings.pop("_target_") == f"lrbench.problems.{name}"
    parameters = inspect.signature(getattr(lrbench.problems, name)).parameters
    assert settings == {key: "???" if p.default is p.empty else p.default for key, p in parameters.items()}


def test_every_problem_has_a_description_and_an_intercept():
    for path in CONF.glob("*.yaml"):
        package, *lines = path.read_text().splitlines()
        description = lines[0] if package == "# @package _global_" else package
        assert description.startswith("# ")
        assert "intercept: " in path.read_text()
