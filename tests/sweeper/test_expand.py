"""The sweep against Hydra's own composition: every job of Hydra's basic sweeper, and no other."""

import random

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from lrbench.config import show
from lrbench.errors import RequestError
from lrbench.sweeper.compose import hydra_session, leaves
from lrbench.sweeper.expand import expand, variants
from lrbench.sweeper.request import read


def ours(lines, loader) -> list[str]:
    runs = []
    for block in expand(lines, loader):
        columns = block.columns
        for i in range(block.size):
            swept = {path: column.values[column.codes[i]] for path, column in columns.items()}
            runs.append(block.base | swept)
    return sorted(map(_shown, runs))


def hydras(lines, loader) -> list[str]:
    configs = [loader.load_configuration("config", job, RunMode.RUN) for job in _jobs(lines, loader)]
    return sorted(_shown(leaves(config)) for config in configs)


def _shown(run) -> str:
    return show(sorted(run.items()))


def _jobs(lines, loader) -> list[list[str]]:
    """The override lines of each run, as Hydra's basic sweeper makes them."""
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(lines)
    return BasicSweeper.split_arguments(parsed, None)[0]


CHOICES = [
    [
        "optimizer=sgd",
        "optimizer=sgd,sgd_momentum",
        "optimizer=glob(sgd*)",
        "optimizer=choice(sgd,sgd_nesterov)",
        None,
    ],
    [
        "optimizer.lr=0.1",
        "optimizer.lr=0.1,1e-3",
        "optimizer.lr=range(1,3)",
        "optimizer.lr=choice(0.5,1.5)",
        "optimizer.lr=1,2.5",
        None,
    ],
    [
        "optimizer.momentum=0,0.9",
        "optimizer.momentum=0.5",
        "++optimizer.momentum=0.1,0.2",
        "++optimizer.extra=1,2",
        None,
    ],
    ["seed=range(3)", "seed=shuffle(range(3))", "seed=7", "seed=1,2", None],
    ["problem=lecture,diabetes", "problem=synthetic", "problem=diabetes", None],
    ["loss=mse", "loss=mse,mse_sum", None, None],
    ["init=zeros,[1,2]", "init=[0.5,-1]", "init=torch,'zeros'", None],
    [
        "batch_size=null,1",
        "batch_size=1",
        "dtype=float32,float64",
        "predict=[[1],[2]]",
        "++problem.note='a b','c,d'",
        None,
    ],
    ["steps='${epochs}'", "epochs=5,6", "name=null", "+note=1,2", None],
]


@pytest.mark.parametrize("seed", range(6))
def test_random_override_lists_give_hydras_own_jobs(seed):
    draw = random.Random(seed)
    lines = [line for line in (draw.choice(options) for options in CHOICES) if line]
    draw.shuffle(lines)
    with hydra_session() as loader:
        while len(_jobs(lines, loader)) > 24:
            lines.pop()
        assert ours(lines, loader) == hydras(lines, loader) != [], lines


def test_settings_are_columns_and_choices_are_composed():
    request = read(["optimizer=sgd,adam", "optimizer.lr=0.1,0.2", "seed=range(100)"], multirun=True)
    assert [(block.choices["optimizer"], block.axes, block.size) for block in request.blocks] == [
        (name, [{"optimizer.lr": [0.1, 0.2]}, {"seed": list(range(100))}], 200) for name in ("sgd", "adam")
    ]


def test_a_choice_may_change_the_defaults_of_another_group():
    losses = {
        block.choices["problem"]: block.choices["loss"]
        for block in read(["problem=lecture,synthetic"], multirun=True).blocks
    }
    assert losses == {"lecture": "mse_sum", "synthetic": "mse"}
    assert read(["loss=mse"]).blocks[0].choices["loss"] == "mse"


EXPERIMENT = """
# @package _global_
hydra: {mode: MULTIRUN}
sweep:
  seed: range(2)
  optimizer:
    sgd: {lr: [0.01, 0.1], momentum: [0, 0.9]}
    adam: {lr: "0.001,0.01", betas: [[0.9, 0.999], [0.8, 0.99]]}
    rmsprop: {}
"""


@pytest.fixture
def grid(tmp_path):
    folder = tmp_path / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "grid.yaml").write_text(EXPERIMENT)
    return str(tmp_path / "mine")


def sizes(*lines, config_dir=None):
    sizes = {}
    for block in read(lines, multirun=True, config_dir=config_dir).blocks:
        sizes[block.choices["optimizer"]] = sizes.get(block.choices["optimizer"], 0) + block.size
    return sizes


def test_each_optimizer_has_its_own_grid(grid):
    assert sizes("+experiment=grid", config_dir=grid) == {"sgd": 8, "adam": 8, "rmsprop": 2}
    assert read(["+experiment=grid"], config_dir=grid).multirun


def test_the_command_line_wins_over_the_block(grid):
    assert sizes("+experiment=grid", "optimizer=adam", config_dir=grid) == {"adam": 8}
    assert sizes("+experiment=grid", "optimizer=adam,adagrad", config_dir=grid) == {"adam": 8, "adagrad": 2}
    assert sizes("+experiment=grid", "seed=5", config_dir=grid) == {"sgd": 4, "adam": 4, "rmsprop": 1}
    assert sizes("+experiment=grid", "optimizer.lr=0.5", config_dir=grid) == {
        "sgd": 4,
        "adam": 4,
        "rmsprop": 2,
    }
    assert sizes("+experiment=grid", "sweep.optimizer.rmsprop.lr=1,2,3", config_dir=grid) == {
        "sgd": 8,
        "adam": 8,
        "rmsprop": 6,
    }


def test_the_block_can_come_from_the_command_line_alone():
    assert sizes("optimizer=sgd,adam", "sweep.optimizer.sgd.lr=0.1,1", "sweep.seed=range(3)") == {
        "sgd": 6,
        "adam": 3,
    }
    assert sizes("sweep.optimizer.sgd.lr=0.1,1", "sweep.optimizer.adam.lr=0.01") == {"sgd": 2, "adam": 1}


def test_zipped_keys_move_together():
    (block,) = read(
        ["optimizer.lr=0.1,0.2,0.3", "steps=10,20,30", "seed=0,1", "sweep.zip=[optimizer.lr,steps]"],
        multirun=True,
    ).blocks
    assert block.axes == [{"optimizer.lr": [0.1, 0.2, 0.3], "steps": [10, 20, 30]}, {"seed": [0, 1]}]
    assert block.size == 6


def test_jobs_for_hydras_launchers_are_the_same_sweep(grid):
    with hydra_session(grid) as loader:
        lines = ["+experiment=grid", "optimizer=sgd,adam"]
        jobs = [job for variant in variants(lines, loader) for job in variant.jobs()]
        composed = sorted(
            show(sorted(leaves(loader.load_configuration("config", job, RunMode.RUN)).items()))
            for job in jobs
        )
        assert composed == ours(lines, loader)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["optimizer=sdg"],
            r"optimizer: there is no optimizer=sdg\. Did you mean 'sgd'\? There are: adadelta,",
        ),
        (
            ["optimizer.momentun=0.9"],
            r"optimizer\.momentun: torch\.optim\.SGD has no hyperparameter 'momentun'\. "
            r"Did you mean 'momentum'\?",
        ),
        (["lr=3"], r"lr: lrbench has no key 'lr'\. Did you mean 'optimizer\.lr'\?"),
        (["epoch=3"], r"epoch: lrbench has no key 'epoch'\. Did you mean 'epochs'\?"),
        (
            ["problem=synthetic", "problem.kapa=3"],
            r"problem\.kapa: problem has no key 'kapa'\. Did you mean 'kappa'\?",
        ),
        (["optimizer.lr=0.1,1e-1"], r"optimizer\.lr: 0\.1 stands there twice"),
        (["seed=1,1"], r"seed: 1 stands there twice"),
        (
            ["optimizer=sgd,adam", "optimizer=rmsprop"],
            r"optimizer: .* 2 came: optimizer=sgd,adam and optimizer=rmsprop\. Keep",
        ),
        (
            ["seed=4", "seed=range(3)"],
            r"seed: a sweep follows one line for each key, but 2 came: seed=4 and seed=range\(3\)",
        ),
        (["optimizer.lr=1,2", "seed=0,1", "optimizer.lr=3,4"], r"optimizer\.lr: .* 2 came"),
        (
            ["optimizer=custom", "optimizer._target_=torch.optim.Adam", "optimizer.lr=0.1"],
            r"optimizer\.lr: this choice has only what is added to it\. Write \+optimizer\.lr=",
        ),
        (["seed=range(10"], r"An override is key=value"),
        (["seed=range(0)"], r"seed=range\(0\): there is no value in it"),
        (["optimizer.lr=interval(0,1)"], r"an interval holds no values to try"),
        (["optimizer=custom"], r"optimizer\._target_: nothing came, and a value is needed"),
        (
            ["optimizer._target_=a.B"],
            r"needs optimizer=custom:\n  optimizer=custom optimizer\._target_=a\.B \+optimizer\.lr=0\.01",
        ),
        (
            ["sweep.optimizer.sdg.lr=1,2"],
            r"sweep\.optimizer: optimizer has no choice 'sdg'\. Did you mean 'sgd'\?",
        ),
        (["sweep.problem.kappa=1,2"], r"problem has no choice 'kappa'.*problem\.key=a,b"),
        (["sweep.steps.a=1,2"], r"sweep\.steps: steps is no config group"),
        (
            ["optimizer.lr=1,2", "steps=1,2,3", "sweep.zip=[optimizer.lr,steps]"],
            r"lists of one length, but optimizer\.lr has 2, steps has 3",
        ),
        (["optimizer.lr=1,2", "sweep.zip=[optimizer.lr,steps]"], r"sweep\.zip: steps is not swept here"),
        (["record=2,3"], r"record: it says how a sweep is asked.*2 came"),
        (["problem=csv", "problem.target=y"], r"problem\.path: nothing came"),
    ],
)
def test_a_wrong_request_is_told_what_is_allowed(lines, message):
    with pytest.raises(RequestError, match=f"(?s){message}"):
        read(lines, multirun=True)


@pytest.mark.parametrize("line", ["optimizer=sgd,adam", "seed=range(3)", "sweep.optimizer.sgd.lr=1,2"])
def test_a_sweep_needs_multirun_and_shows_the_line(line):
    with pytest.raises(RequestError, match=r"(?s)a sweep needs -m:\n  python -m lrbench -m epochs=2 "):
        read(["epochs=2", line])


def test_a_list_is_no_sweep():
    assert read(["optimizer=adam", "optimizer.betas=[0.5,0.9]"]).blocks[0].base["optimizer.betas"] == [
        0.5,
        0.9,
    ]
