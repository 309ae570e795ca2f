"""Compiled code is kept between processes, and never outlives the source it was made from.

In processes of their own, on a copy of the package.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from numba import config, float64
from numba.core import caching, event
from numba.types import FunctionType

import lrbench
from lrbench.config import CONF
from lrbench.engines import cache, compiled
from lrbench.engines.arguments import Task

CHILD = """
import json, sys
from numba.core import event
from lrbench.plan import plan
from lrbench.sweeper.request import read
from lrbench.train import train

with event.install_recorder("numba:compile") as compiled:
    request = read([f"optimizer={sys.argv[1]}", "steps=10", "init=zeros"])
    ((runs, curves),) = train(plan(request.blocks), request.options.training._replace(engine="fused"))
print(json.dumps({
    "package": sys.modules["lrbench"].__file__,
    "compiled": [str(x.data["dispatcher"]) for _, x in compiled.buffer if x.is_start],
    "gap": curves.to_pylist()[0]["gap"],
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """A folder with a copy of lrbench, and of what is compiled and kept only the program that all optimizers
    share.
    """
    root = tmp_path_factory.mktemp("package")
    shutil.copytree(
        Path(lrbench.__file__).parent, root / "lrbench", ignore=shutil.ignore_patterns("*.nbi", "*.nbc")
    )
    if CONF.parent != Path(lrbench.__file__).parent:
        shutil.copytree(CONF, root / "conf")
    (root / "lrbench/engines/__pycache__").mkdir(exist_ok=True)
    kept = compiled.train(Task(*[None] * 7)._replace(quadratic=True, R_T=True), "float64").stats.cache_path
    for path in Path(kept).glob("program.train_float64_*"):
        shutil.copy2(path, root / "lrbench/engines/__pycache__")
    return root


def run(package: Path, optimizer: str) -> dict:
    environment = os.environ | {
        "PYTHONPATH": str(package),
        "NUMBA_CACHE_DIR": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-W", "error", "-c", CHILD, optimizer]
    done = subprocess.run(command, env=environment, cwd=package, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["package"]).is_relative_to(package)
    return found


@pytest.fixture(scope="module")
def first(package) -> dict:
    return run(package, "sgd")


@pytest.fixture(scope="module")
def adam(package, first) -> dict:
    return run(package, "adam")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_second_process_compiles_nothing(package, first):
    assert len(first["compiled"]) > 2
    second = run(package, "sgd")
    assert second["compiled"] == []
    assert second["gap"] == first["gap"]


def test_another_optimizer_compiles_its_rule_alone(package, first, adam):
    shared = ("train", "multiply", "excess", "slopes")
    assert any("multiply" in name for name in first["compiled"])
    assert adam["compiled"]
    assert not any(part in name for part in shared for name in adam["compiled"])
    assert run(package, "adam")["compiled"] == []


def test_of_two_processes_one_compiles(package, first):
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run(package, "rmsprop"), range(2)))
    assert both[0]["gap"] == both[1]["gap"]
    assert sum("update" in name for found in both for name in found["compiled"]) == 1


def test_an_edited_rule_is_compiled_anew(package, first):
    edit(
        package / "lrbench/optimizers/sgd.py",
        "return w - lr * factor * g, state",
        "return w + lr * factor * g, state",
    )
    edited = run(package, "sgd")
    assert edited["compiled"]
    assert edited["gap"][1] > edited["gap"][0] == first["gap"][0] > first["gap"][1]


def test_an_edited_helper_is_compiled_anew(package, adam):
    """A function that rules call, in a file of its own: numba alone would not look there."""
    edit(
        package / "lrbench/optimizers/elementwise.py",
        "return near + factor * (b - a)",
        "return near + factor * (a - b)",
    )
    after = run(package, "adam")
    assert after["compiled"]
    assert adam["gap"][0] == after["gap"][0]
    assert adam["gap"][1] < adam["gap"][0] < after["gap"][1]


def half(x):
    return x / 2


@pytest.mark.parametrize("locators", [[], caching.CacheImpl._locator_classes[:1]])
def test_without_a_folder_to_write_to_it_is_compiled_each_time(locators, monkeypatch, tmp_path):
    """No place that numba would try; and a file where the cache folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", locators)
    for _ in range(2):
        with event.install_recorder("numba:compile") as compiled:
            assert cache.cached(FunctionType(float64(float64)), half, "half")(3.0) == 1.5
        assert compiled.buffer
    assert (tmp_path / "file").is_file()
