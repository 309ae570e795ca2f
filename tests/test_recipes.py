"""Who does what CONTRIBUTING.md says, and nothing else, has something that trains, is listed, drawn and told.

All recipes are done to one copy of the tree, which is then used and tested in processes of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from recipes import NEW, Block, copied, follow, recipes

RECIPES = recipes()


class Cost(NamedTuple):
    """What a recipe asks for, its tests and docs aside."""

    new_files: int
    other_files: int  # that get lines
    lines: int  # that these get


AIMS = {
    "An optimizer": Cost(2, 3, 35),  # its class is most of it
    "A problem": Cost(2, 0, 0),
    "A loss": Cost(1, 2, 50),  # its formulas and its criterion
    "A schedule": Cost(1, 0, 0),
    "A table": Cost(1, 3, 18),
    "A figure": Cost(1, 1, 1),
    "A study": Cost(2, 0, 0),
}
USE = """
import contextlib, io, json
import lrbench
from lrbench import cli
from lrbench.sweeper.request import read

def listed(kind):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        cli.main(["list", kind])
    return out.getvalue()

def trained(engine):
    asked = ["problem=hilbert", "loss=mse,quantile_huber", "optimizer=lion,sgd", "optimizer.lr=0.03"]
    asked += ["schedule=linear_decay", "steps=60", "report=false"]
    results = lrbench.sweep(*asked, f"engine={engine}", f"name={engine}")
    runs = results.runs[["run_id", "status", "engine"]].merge(results.curves, on="run_id")
    return {key: own[["status", "engine", "gap"]].to_dict("list") for key, own in runs.groupby("run_id")}

study = lrbench.load("results/falling_rate")
print(json.dumps({
    "package": lrbench.__file__,
    "listed": {kind: listed(kind) for kind in ("optimizers", "problems", "losses", "schedules", "experiments")},
    "tuned": read(["-m", "optimizer=lion", "tune=all"][1:], multirun=True).tune.names("lion"),
    "study": study.runs[["optimizer", "schedule", "status", "engine"]].drop_duplicates().to_numpy().tolist(),
    "verbs": dir(study),
    "label": study.plot_second_half().axes[0].get_xlabel(),
    "table": study.second_half.to_dict("list"),
    "fused": trained("fused"),
    "reference": trained("reference"),
}))
"""
# tests of the project that go over what there is, and what of them concerns the new
GENERAL = {
    "tests/optimizers": "Lion or lion",
    "tests/losses": "quantile_huber or QuantileHuber or every_loss",
    "tests/problems/test_page.py": "hilbert or listed",
    "tests/test_config.py": "lion",
    "tests/test_layers.py": "lion or hilbert or second_half or cycle or itself or room_of_results",
    "tests/test_schedules.py": "each_choice",
    "tests/test_tuning.py": "has_a_box",
    "tests/results/figures/test_figures.py": "registered or no_two",
    "tests/results/frames/test_columns.py": "named_once",
    "tests/results/pages/test_registries.py": "second_half or one_place or nothing_but",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the tree with all that the recipes say."""
    root = copied(tmp_path_factory.mktemp("recipes"))
    for blocks in RECIPES.values():
        for block in blocks:
            follow(block, root)
    return root


@pytest.fixture(scope="module")
def used(tree) -> dict:
    """What comes of the new things: the study is run and told by experiments/build.py."""
    in_the_tree(tree, "experiments/build.py", "falling_rate")
    facts = json.loads(in_the_tree(tree, "-c", USE).splitlines()[-1])
    assert Path(facts["package"]).is_relative_to(tree)
    return facts


def in_the_tree(tree: Path, *arguments: str) -> str:
    """Run Python in the copy, with its lrbench, and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cost(blocks: list[Block]) -> Cost:
    own = [block for block in blocks if block.path.partition("/")[0] not in ("tests", "docs")]
    new = [block for block in own if block.place == NEW]
    added = [block for block in own if block.place != NEW]
    lines = [line for block in added for line in block.text.splitlines() if line]
    return Cost(len(new), len({block.path for block in added}), len(lines))


@pytest.mark.parametrize("name", AIMS)
def test_what_a_recipe_asks_for(name):
    """A new file or two, and few lines elsewhere."""
    found = cost(RECIPES[name])
    print(name, found)
    assert all(is_one <= aim for is_one, aim in zip(found, AIMS[name], strict=True)), found


def test_every_recipe_has_an_aim():
    assert list(RECIPES) == list(AIMS)


def test_what_is_new_is_listed(used):
    for kind, name in {
        "optimizers": "lion",
        "problems": "hilbert",
        "losses": "quantile_huber",
        "schedules": "linear_decay",
        "experiments": "falling_rate",
    }.items():
        assert any(line.split()[:1] == [name] for line in used["listed"][kind].splitlines()), kind


def test_the_fused_engine_trains_what_is_new(used):
    competitors = [
        (optimizer, schedule) for optimizer in ("lion", "adam") for schedule in ("none", "linear_decay")
    ]
    assert sorted(used["study"]) == sorted([*pair, "completed", "fused"] for pair in competitors)
    assert used["tuned"] == ["lr", "betas"]


def test_both_engines_train_it_alike(used):
    """Lion's steps have a sign, of a mean of gradients that is near 0 in no step of these."""
    fused, reference = used["fused"], used["reference"]
    assert fused.keys() == reference.keys()
    assert len(fused) == 4
    for run_id, there in reference.items():
        here = fused[run_id]
        assert (here["engine"][0], there["engine"][0]) == ("fused", "reference")
        assert set(here["status"] + there["status"]) == {"completed"}
        gaps = np.array(there["gap"])
        assert np.ptp(gaps) > 0.1 * gaps[0]
        assert np.abs(np.array(here["gap"]) - gaps).max() <= 1e-10 * gaps[0]


def test_the_table_and_the_figure_are_on_the_page_in_markdown_as_files_and_in_the_api(tree, used):
    folder = tree / "results" / "falling_rate"
    for file in ("figures/second_half.svg", "figures/second_half.png", "tables/second_half.tex"):
        assert (folder / file).stat().st_size > 0, file
    page, markdown = (folder / "report.html").read_text(), (folder / "summary.md").read_text()
    assert 'id="second_half"' in page
    assert 'data-name="second_half"' in page
    assert "![The second half](figures/second_half.svg)" in markdown
    assert "| lion | " in markdown.partition("## The second half")[2]
    assert {"plot_second_half", "second_half"} <= set(used["verbs"])
    assert used["label"] == "gap at half of the steps, and at the end (dot)"
    assert used["table"]["optimizer"] == ["adam", "lion"]


def test_the_study_is_told(tree, used):
    page = (tree / "experiments" / "falling_rate.md").read_text(encoding="utf-8")
    assert "Over 5 starts of this one problem" in page
    assert "| lion | " in page
    assert (tree / "experiments" / "figures" / "falling_rate-second_half.svg").exists()


def test_the_projects_own_tests_accept_it(tree, used):
    """Those that go over all there is; no line of theirs is changed but those of the recipes."""
    chosen = " or ".join(f"({words})" for words in GENERAL.values())
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-k", chosen]
    told = in_the_tree(tree, "-m", "pytest", *options, *GENERAL)
    assert " passed" in told
    assert " failed" not in told
