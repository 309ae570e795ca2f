"""The notebook's pages: every command is a request, every marker is one that build.py fills."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from lrbench.results.figures import FIGURES
from lrbench.sweeper.request import read

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "experiments"))
import build  # noqa: E402
import marked  # noqa: E402

STUDIES = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))
PAGES = {name: (ROOT / "experiments" / f"{name}.md").read_text(encoding="utf-8") for name in STUDIES}
COMMANDS = [
    line
    for page in PAGES.values()
    for line in re.findall(r"^    python -m lrbench (.*)$", page, flags=re.MULTILINE)
]
FILLED = ("answer", "more", "ranking", "prediction", "warnings")
MOST_FIGURES = 2


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_a_page_asks_for_something(line):
    words = shlex.split(line)
    request = read([word for word in words if word != "-m"], multirun="-m" in words)
    assert request.blocks


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_has_a_page_that_is_filled_and_says_how_it_was_made(study):
    page = PAGES[study]
    assert f"python -m lrbench +experiment={study}\n" in page
    assert marked.regions(page) <= {f"{what} {study}" for what in FILLED}
    assert f"answer {study}" in marked.regions(page)
    assert "-->\n<!-- end -->" not in page, "`make experiments` fills it"
    headings = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert headings == ["Answer", "Table", "Why", "What to try next", "How it was made"]


@pytest.mark.parametrize("study", STUDIES)
def test_the_figures_of_a_page_are_few_and_there_are_such(study):
    shown = re.findall(rf"\(figures/{study}-(\w+)\.svg\)", PAGES[study])
    assert 0 < len(shown) <= MOST_FIGURES
    assert set(shown) <= {figure.name for figure in FIGURES}
    for name in shown:
        assert (build.FIGURES / f"{study}-{name}.svg").exists()


def test_the_lecture_tries_every_optimizer_that_takes_two_weights():
    choices = {path.stem for path in (ROOT / "conf" / "optimizer").glob("*.yaml")} - {"muon", "custom"}
    asked = OmegaConf.load(ROOT / "conf" / "experiment" / "lecture.yaml").sweep.optimizer.split(",")
    assert sorted(asked) == sorted(choices)
    request = read(["+experiment=lecture"])
    assert request.tune
    assert (request.tune.choice, request.tune.trials) == ("lr", 32)
    for block in request.blocks:
        assert (block.choices["problem"], block.base["epochs"], block.base["predict"]) == (
            "lecture",
            500,
            [[4]],
        )
        assert block.axes == [{"seed": list(range(10))}]


def test_both_kinds_of_batches_have_the_same_passes_and_target():
    request = read(["+experiment=batches"])
    assert request.options.target == 1e-6
    for block in request.blocks:
        assert (block.base["epochs"], block.base["steps"]) == (500, None)
        assert {"batch_size": [None, 1]} in block.axes


@pytest.mark.parametrize("study", STUDIES)
def test_what_build_fills_comes_from_the_run(study, tmp_path):
    """Of a study made small: the answer is in it once, with no sentence in two places."""
    import lrbench

    few = ["optimizer=sgd,adam", "tune.trials=4", "seed=range(2)", "report=false", f"results_dir={tmp_path}"]
    results = lrbench.sweep(f"+experiment={study}", *few, "epochs=20", "name=small")
    texts = build.blocks(study, results)
    assert set(texts) == {f"{what} {study}" for what in FILLED}
    assert ("For x = 4" in texts[f"answer {study}"]) == (study == "lecture")
    told = "\n".join(texts[f"{what} {study}"] for what in ("answer", "more"))
    assert told.count("To paste") == len(results.tasks)
    assert texts[f"ranking {study}"].count("| SGD |") == len(results.tasks)
