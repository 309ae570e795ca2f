"""From Python: sweep and load, in threads, inside another Hydra program; resuming; every configuration."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import lrbench
from lrbench.catalog import catalog
from lrbench.cli import main
from lrbench.config import CONF
from lrbench.store import SCHEMA, ResultStore

SMALL = ("steps=3", "report=false")


def test_sweep_and_load_are_the_same_results():
    swept = lrbench.sweep("optimizer=sgd,adam", "seed=range(2)", *SMALL)
    loaded = lrbench.load(swept.store.root)
    assert len(swept.runs) == 4
    assert swept.runs.equals(loaded.runs)
    assert sorted(loaded.summary()["optimizer"]) == ["adam", "sgd"]
    assert len(loaded.curves) == 4 * 4


def test_the_same_request_runs_only_what_is_missing(monkeypatch):
    from lrbench.bench import run

    lrbench.sweep("optimizer=sgd,adam", "seed=range(2)", "name=mine", *SMALL)
    whole = run.train
    missing = []

    def noted(plan, options):
        missing.append(len(plan))
        return whole(plan, options)

    monkeypatch.setattr(run, "train", noted)
    lrbench.sweep("seed=range(2)", "optimizer=adam,sgd", "name=mine", *SMALL)
    assert missing == [0]


@pytest.mark.parametrize("engine", ["reference", "fused"])
def test_an_interrupted_sweep_goes_on_where_it_stopped(monkeypatch, engine):
    from lrbench.bench import run

    whole = run.train
    again = []

    def until_half(plan, options):
        rows = whole(plan, options)
        yield next(rows)
        raise KeyboardInterrupt

    def noted(plan, options):
        again.extend(group.run_id for group in plan.groups)
        return whole(plan, options)

    request = ("optimizer=sgd,adam", "seed=range(4)", "name=mine", f"engine={engine}", *SMALL)
    monkeypatch.setattr(run, "train", until_half)
    with pytest.raises(KeyboardInterrupt):
        lrbench.sweep(*request)
    half = lrbench.load("results/mine")
    assert half.manifest["state"] == "interrupted"
    before = set(half.runs["run_id"])
    monkeypatch.setattr(run, "train", noted)
    results = lrbench.sweep(*request)
    assert {run_id.decode() for group in again for run_id in group} == set(results.runs["run_id"]) - before
    assert results.manifest["state"] == "complete"
    assert results.manifest["counts"] == {"planned": 8, "completed": 8, "diverged": 0, "failed": 0}
    assert results.manifest["engines"] == {engine: {"adam": 4, "sgd": 4}}


def test_sweeps_in_threads():
    with ThreadPoolExecutor(4) as pool:
        sweeps = list(
            pool.map(
                lambda lr: lrbench.sweep("optimizer=sgd,adam", f"optimizer.lr={lr}", *SMALL),
                (0.1, 0.2, 0.3, 0.4),
            )
        )
    assert [len(results.runs) for results in sweeps] == [2] * 4
    assert [set(results.runs["optimizer.lr"]) for results in sweeps] == [{0.1}, {0.2}, {0.3}, {0.4}]


def test_inside_another_hydra_program():
    Path("app.py").write_text(
        "import hydra, lrbench\n"
        "from hydra.core.hydra_config import HydraConfig\n"
        "@hydra.main(config_path=None, version_base='1.2')\n"
        "def app(cfg):\n"
        "    before = HydraConfig.get().job.name\n"
        "    results = lrbench.sweep('optimizer=sgd,adam', 'steps=3', 'report=false')\n"
        "    assert HydraConfig.get().job.name == before\n"
        "    print(len(results.runs), 'runs')\n"
        "app()\n"
    )
    done = subprocess.run([sys.executable, "app.py"], capture_output=True, text=True)
    assert "2 runs" in done.stdout, done.stderr


def test_a_store_with_another_schema_is_refused():
    store = lrbench.sweep(*SMALL).store
    text = store.root.joinpath("manifest.json").read_text()
    store.root.joinpath("manifest.json").write_text(text.replace(f'"schema": {SCHEMA}', '"schema": 99'))
    with pytest.raises(
        ValueError, match=rf"written with schema 99; this version of lrbench reads schema {SCHEMA}"
    ):
        ResultStore.open(store.root)


def test_ids_of_other_optimizers_stay_when_one_is_added():
    few, many = (
        lrbench.sweep(f"optimizer={names}", "seed=range(2)", *SMALL).runs.set_index("run_id")
        for names in ("sgd", "sgd,adam,rprop")
    )
    assert set(few.index) < set(many.index)
    assert few["final_loss"].equals(many.loc[few.index, "final_loss"])


def test_an_own_choice_from_an_own_folder():
    folder = Path("mine/optimizer")
    folder.mkdir(parents=True)
    (folder / "fast.yaml").write_text("_target_: torch.optim.SGD\nlr: 0.02\n")
    results = lrbench.sweep("optimizer=sgd,fast", *SMALL, config_dir="mine")
    assert sorted(results.summary()["optimizer"]) == ["fast", "sgd"]
    assert results.manifest["request"]["command"].startswith(
        "python -m lrbench -m --config-dir mine optimizer=sgd,fast "
    )


NEEDS = {
    ("optimizer", "custom"): ["optimizer._target_=torch.optim.SGD"],
    ("optimizer", "muon"): ["problem=synthetic"],
    ("loss", "logistic"): ["problem=iris"],
    ("problem", "csv"): ["problem.path=data.csv", "problem.target=y"],
    ("schedule", "onecycle"): ["schedule.max_lr=0.1"],
    ("schedule", "lambda"): ["schedule.lr_lambda=math.cos"],
}
CHOICES = [(path.parent.name, path.stem) for path in sorted(CONF.glob("*/*.yaml"))]
SWEPT = {
    group: [choice for each, choice in CHOICES if each == group and (group, choice) not in NEEDS]
    for group in ("optimizer", "schedule")
}
ALONE = [  # the exercise is a command of the README: test_cli.py
    (group, choice)
    for group, choice in CHOICES
    if choice not in SWEPT.get(group, []) and choice != "exercise"
]


@pytest.mark.parametrize("group", SWEPT)
def test_every_choice_runs_in_one_sweep(group):
    assert main(["-m", f"{group}={','.join(SWEPT[group])}", "name=mine", *SMALL]) == 0
    assert sorted(lrbench.load("results/mine").runs[group]) == SWEPT[group]


@pytest.mark.parametrize(("group", "choice"), ALONE)
def test_every_other_choice_runs_alone(group, choice):
    Path("data.csv").write_text("a,b,y\n1,2,3\n2,1,4\n3,5,9\n")
    line = f"+experiment={choice}" if group == "experiment" else f"{group}={choice}"
    is_tuned = group == "experiment" or (group == "tune" and choice != "none")
    tuned = ["-m", "tune.trials=2", "tune.seeds=1"] if is_tuned else []
    assert main([*tuned, line, *NEEDS.get((group, choice), []), "seed=0", *SMALL]) == 0


@pytest.mark.parametrize("kind", ["optimizers", "problems", "losses", "experiments"])
def test_every_choice_says_what_it_is(kind):
    assert all(name and len(description) > 20 for name, description in catalog(kind))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("x,y\n1,5\n2,5\n3,5\n", "x,y\n1,5\n"),  # a constant target; one row
        (
            "a,b,y\n1,7,2\n2,7,3\n3,7,5\n",
            "a,b,y\n1,1,2\n2,2,3\n3,3,5\n",
        ),  # a constant column; a duplicated one
        (
            "a,b,c,d,y\n1,2,3,4,5\n4,3,2,2,1\n",
            "a,b,y\n1e12,1e-12,1\n3e12,4e-12,2\n2e12,-1e-12,4\n",
        ),  # n < d; columns of unlike size
        ("\ufeffx,y\r\n1,2\r\n2,5\r\n3,5\r\n", None),  # a byte-order mark, CRLF; and one problem alone
    ],
    ids=[
        "constant target or one row",
        "constant or duplicated column",
        "n < d or unlike sizes",
        "mark and CRLF",
    ],
)
def test_what_is_odd_but_sound_works_from_command_to_report(text, other, capsys):
    tables = {f"{name}.csv": table for name, table in {"one": text, "two": other}.items() if table}
    for name, table in tables.items():
        Path(name).write_bytes(table.encode())
    problems = ["problem=csv", f"problem.path={','.join(tables)}", "problem.target=y"]
    assert main(["-m", *problems, "optimizer=sgd,adam", "seed=0,1", "steps=5", "name=mine"]) == 0
    assert "nan" not in capsys.readouterr().out
    assert len(lrbench.load("results/mine").tasks) == len(tables)


def test_weights_and_predictions_come_back_in_the_files_units(capsys):
    """y = 3 a - 2 b + 10 without noise: the minimiser is the file's own coefficients.

    LBFGS stops near it (tolerance_change).
    """
    rows = [(1, 20, -27), (2, 50, -84), (4, 30, -38), (7, 10, 11)]
    Path("data.csv").write_text("a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows))
    assert (
        main(
            [
                "problem=csv",
                "problem.path=data.csv",
                "problem.target=y",
                "optimizer=lbfgs",
                "steps=9",
                "predict=[[10,1]]",
                "name=mine",
            ]
        )
        == 0
    )
    results = lrbench.load("results/mine")
    weights, predictions = results.weights, results.predictions
    assert weights["exact, in units"].tolist() == pytest.approx([3, -2, 10], rel=1e-12)
    assert weights["run, in units"].tolist() == pytest.approx([3, -2, 10], rel=1e-3)
    assert predictions["exact"].tolist() == pytest.approx([38], rel=1e-12)
    assert predictions["run"].tolist() == pytest.approx([38], rel=1e-3)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
