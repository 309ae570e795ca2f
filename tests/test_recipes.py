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
# what `lrbench list KIND` has more
LISTED = {
    "optimizers": "lion",
    "problems": "hilbert",
    "losses": "quantile_huber",
    "schedules": "linear_decay",
    "experiments": "falling_rate",
}
USE = """
import json, sys
sys.path.insert(0, "experiments")
import build
import lrbench
from lrbench.catalog import catalog
from lrbench.sweeper.request import read

def trained(engine):
    asked = ["problem=hilbert", "loss=mse,quantile_huber", "optimizer=lion,sgd", "optimizer.lr=0.03"]
    asked += ["schedule=linear_decay", "steps=60", "report=false"]
    results = lrbench.sweep(*asked, f"engine={engine}", f"name={engine}")
    runs = results.runs[["run_id", "status", "engine"]].merge(results.curves, on="run_id")
    return {key: own[["status", "engine", "gap"]].to_dict("list") for key, own in runs.groupby("run_id")}

kinds, sys.argv[1:] = sys.argv[1:], ["falling_rate"]
build.main()
study = lrbench.load("results/falling_rate")
print(json.dumps({
    "package": lrbench.__file__,
    "listed": {kind: dict(catalog(kind)) for kind in kinds},
    "tuned": read(["optimizer=lion", "tune=all"], multirun=True).tune.names("lion"),
    "study": study.runs[["optimizer", "schedule", "status", "engine"]].drop_duplicates().to_numpy().tolist(),
    "verbs": dir(study),
    "label": study.plot_second_half().axes[0].get_xlabel(),
    "table": study.second_half.to_dict("list"),
    "fused": trained("fused"),
    "reference": trained("reference"),
}))
"""
# the project's own tests that go over all there is, and cost little
FILES = (
    "tests/optimizers",
    "tests/losses",
    "tests/problems/test_page.py",
    "tests/test_config.py",
    "tests/test_layers.py",
    "tests/test_schedules.py",
    "tests/results/figures/test_figures.py",
    "tests/results/frames/test_columns.py",
    "tests/results/pages/test_registries.py",
)
# what of them concerns the new: by what it is called, or as a whole
CHOSEN = (
    *("lion", "hilbert", "quantile_huber", "quantilehuber", "second_half"),
    *("test_every_loss_has_a_file", "test_every_problem_is_listed", "test_each_choice_is_tested"),
    *("test_no_file_reaches_itself", "test_every_file_with_a_figure_is_registered_once"),
    *("test_no_two_figures", "test_every_table_has_one_place", "test_columns_are_named_once"),
)
# a report of many runs, and five sweeps: the study stands for them
TOO_LONG = ("test_a_registered_", "registered_columns")


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
    facts = json.loads(in_the_tree(tree, "-c", USE, *LISTED).splitlines()[-1])
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
    within = [count <= aim for count, aim in zip(found, AIMS[name], strict=True)]
    assert all(within), found


def test_every_recipe_has_an_aim():
    assert list(RECIPES) == list(AIMS)


def test_the_code_of_the_recipes_keeps_the_house_rules(tree):
    """But for the order of imports, which ruff mends."""
    paths = {block.path for blocks in RECIPES.values() for block in blocks if block.path.endswith(".py")}
    in_the_tree(tree, "-m", "ruff", "check", "--no-cache", "--extend-ignore", "I001", *paths)
    in_the_tree(tree, "-m", "ruff", "format", "--no-cache", "--check", *paths)


def test_what_is_new_is_listed(used):
    for kind, name in LISTED.items():
        assert len(used["listed"][kind][name]) > 20, kind


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
    for file in ("figures/second_half.svg", "tables/second_half.tex"):
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
    assert " 5 starts" in page
    assert "| lion | " in page
    assert (tree / "experiments" / "figures" / "falling_rate-second_half.svg").exists()


def test_the_projects_own_tests_accept_it(tree, used):
    """Those that go over all there is; no line of theirs is changed but those of the recipes."""
    chosen = f"({' or '.join(CHOSEN)}) and not ({' or '.join(TOO_LONG)})"
    options = ("-vv", "-n", "0", "-p", "no:cacheprovider", "-k", chosen)
    printed = in_the_tree(tree, "-m", "pytest", *options, *FILES)
    assert [words for words in CHOSEN if words not in printed.lower()] == []
    assert "FAILED" not in printed
