"""The command line as its users meet it: exit codes, messages, what is written and what is not."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from ctrl_c import hears_ctrl_c

from lrbench.cli import main
from lrbench.results.frames import read as frames
from lrbench.store import ResultStore

CSV = (
    "size,rooms,price\n"
    + "\n".join(f"{50 + 7 * k % 91},{1 + k % 5},{100 + 3 * k + (k * k) % 17}" for k in range(40))
    + "\n"
)


def lrbench(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "lrbench", *arguments], capture_output=True, text=True, **options
    )


def written() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_the_lecture(capsys):
    assert main(["report=false"]) == 0
    out = capsys.readouterr().out
    (prediction,) = re.findall(r"^4 +([\d.]+) +8$", out, flags=re.MULTILINE)
    assert abs(float(prediction) - 8) < 0.01
    assert re.search(r"^ 500 +\d", out, flags=re.MULTILINE)
    assert re.search(r"^x +2\.00", out, flags=re.MULTILINE)


def test_a_sweep_fits_80_columns_and_goes_where_it_says(capsys):
    assert main(["-m", "optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "seed=range(3)", "steps=20"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    (report,) = re.findall(r"Report: (\S+)", out)
    folder = Path(report).parent
    assert {
        "manifest.json",
        "problems.parquet",
        "report.html",
        "summary.csv",
        "summary.md",
        "paths.parquet",
    } <= set(os.listdir(folder))
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert {"loss_curves", "lr_sensitivity", "heat_map", "seeds", "pairs", "directions"} <= names
    assert {f"{name}.svg" for name in names} == set(os.listdir(folder / "figures"))
    assert {"ranking.csv", "ranking.tex", "pairwise.csv", "targets.csv"} <= set(os.listdir(folder / "tables"))
    assert all(path.startswith("results/") for path in written())


def test_diverged_is_a_result_and_failed_is_not(capsys):
    assert main(["-m", "optimizer=sgd", "optimizer.lr=0.01,100", "steps=300", "report=false"]) == 0
    assert "the next higher rate loses runs" in " ".join(capsys.readouterr().out.split())
    assert main(["-m", "optimizer=sgd,muon", "steps=3", "report=false"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "ValueError: Muon only supports 2D parameters" in out
    assert (
        main(
            [
                "-m",
                "optimizer=muon",
                "problem=synthetic",
                "problem.intercept=false",
                "steps=3",
                "report=false",
            ]
        )
        == 0
    )


def test_sparse_adam_refuses_in_its_own_words(capsys):
    assert (
        main(
            [
                "optimizer=custom",
                "optimizer._target_=torch.optim.SparseAdam",
                "+optimizer.lr=0.1",
                "steps=3",
                "report=false",
            ]
        )
        == 1
    )
    assert "does not support dense gradients" in " ".join(capsys.readouterr().out.split())


def test_a_third_party_optimizer_by_its_dotted_path():
    assert (
        main(
            [
                "optimizer=custom",
                "optimizer._target_=schedulefree.AdamWScheduleFree",
                "+optimizer.lr=0.1",
                "steps=5",
                "report=false",
            ]
        )
        == 0
    )


@pytest.fixture
def files(tmp_path):
    (tmp_path / "good.csv").write_text("a,b,y\n1,2,3\n2,1,4\n3,5,9\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,b,y\n")
    (tmp_path / "text.csv").write_text("a,b,y\n1,2,3\n2,red,4\n")
    (tmp_path / "nan.csv").write_text("a,b,y\n1,2,3\n2,nan,4\n")
    (tmp_path / "inf.csv").write_text("a,b,y\n1,2,3\n2,4,inf\n")
    (tmp_path / "twice.csv").write_text("a,a,y\n1,2,3\n")
    (tmp_path / "ragged.csv").write_text("a,b,y\n1,2,3\n1,2\n")
    (tmp_path / "file").write_text("")


def csv(name: str, target: str = "y") -> list[str]:
    return ["problem=csv", f"problem.path={name}.csv", f"problem.target={target}"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["optimizer=sdg"], ["optimizer", "sdg", "Did you mean 'sgd'?"]),
        (["optimizer.momentun=0.9"], ["optimizer.momentun", "torch.optim.SGD", "Did you mean 'momentum'?"]),
        (["+optimizer.momentun=0.9"], ["optimizer.momentun", "torch.optim.SGD", "Did you mean 'momentum'?"]),
        (["optimizer.lr=fast"], ["optimizer.lr", "a finite number >= 0", "torch.optim.SGD", '"fast"']),
        (["optimizer.lr=-1"], ["optimizer.lr", "a finite number >= 0", "-1"]),
        (["optimizer.lr=nan"], ["optimizer.lr", "a finite number >= 0"]),
        (["optimizer=sgd,adam"], ["optimizer=sgd,adam", "python -m lrbench -m optimizer=sgd,adam"]),
        (["steps=0"], ["steps", "a whole number >= 1", "0"]),
        (["batch_size=0"], ["batch_size", "a whole number >= 1", "0"]),
        (["batch_size=4"], ["batch_size", "from 1 to n = 3", "4"]),
        (["init=[1,2,3]"], ["init", "2 numbers", "3 came"]),
        (["predict=[[4,5]]"], ["predict", "rows of 1 numbers (x)", "a row of 2 came"]),
        (["results_dir=file"], ["results_dir", "cannot be written"]),
        (["name=a/b"], ["name", "a folder's name"]),
        (["reprot"], ["reprot", "Did you mean 'report'?"]),
        (["report", "nowhere"], ["nowhere", "no result set"]),
        (["reproduce"], ["usage: python -m lrbench reproduce FOLDER"]),
        (["list", "optimisers"], ["optimisers", "Did you mean 'optimizers'?"]),
        (["report"], ["results", "no result set"]),
        (csv("missing"), ["missing.csv", "No such file"]),
        (csv("empty"), ["empty.csv", "empty"]),
        (csv("header"), ["header.csv", "header"]),
        (csv("good", "z"), ["good.csv", "'z'", "There are: a, b, y"]),
        (csv("text"), ["text.csv", "'b'", "3", "red"]),
        (csv("nan"), ["nan.csv", "'b'", "3", "nan"]),
        (csv("inf"), ["inf.csv", "'y'", "3", "inf"]),
        (csv("twice"), ["twice.csv", "'a'"]),
        (csv("ragged"), ["ragged.csv", "3"]),
        (
            ["optimizer=custom", "optimizer._target_=torch.optim.Nothing"],
            ["optimizer._target_", "torch.optim.Nothing"],
        ),
        (["--config-dir", "nowhere"], ["--config-dir", "nowhere"]),
        (["--config-name", "mine"], ["--config-name", "--config-dir DIR"]),
    ],
    ids=lambda value: " ".join(value)[:50],
)
def test_a_wrong_request_exits_2_says_what_and_writes_nothing(arguments, words, capsys):
    before = written()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    for word in words:
        assert word in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert written() == before


def test_the_same_name_for_another_request_is_refused_unless_fresh(capsys):
    assert main(["name=mine", "steps=3", "report=false"]) == 0
    assert main(["name=mine", "steps=4", "report=false"]) == 2
    assert "holds the results of another request" in capsys.readouterr().err
    assert main(["name=mine", "steps=4", "report=false", "fresh=true"]) == 0
    assert Path("results/mine.1/manifest.json").exists()


def test_list_and_report_and_reproduce(capsys):
    assert main(["-m", "optimizer=sgd,lbfgs", "seed=0,1", "steps=5", "name=mine", "report=false"]) == 0
    capsys.readouterr()
    assert main(["list", "results"]) == 0
    assert "results/mine" in capsys.readouterr().out
    for kind, name in {
        "optimizers": "rmsprop_centered",
        "problems": "synthetic",
        "losses": "mse_sum",
        "experiments": "lecture",
    }.items():
        assert main(["list", kind]) == 0
        assert re.search(rf"^{name}  ", capsys.readouterr().out, flags=re.MULTILINE)
    assert main(["report"]) == 0
    assert capsys.readouterr().out.strip().endswith("results/mine/report.html")
    assert main(["reproduce", "results/mine"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^same ", out, flags=re.MULTILINE)) == 4
    assert "4 of 4 runs gave the same numbers, bit for bit." in out


def test_reproduce_finds_one_changed_bit(capsys):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert main(["steps=5", "name=mine", "report=false"]) == 0
    (path,) = Path("results/mine/curves").glob("*.parquet")
    table = pq.read_table(path)
    loss = np.array(table["loss"][0].as_py())
    loss[3] = np.nextafter(loss[3], np.inf)
    pq.write_table(table.set_column(table.column_names.index("loss"), "loss", pa.array([loss])), path)
    capsys.readouterr()
    assert main(["reproduce", "results/mine"]) == 1
    assert "loss at record 3" in capsys.readouterr().out


def test_help_and_version_are_fast_and_complete(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for word in ("report", "reproduce", "list", "epochs: 500", "optimizer=sgd,adam", "target: auto"):
        assert word in out
    assert main(["--version"]) == 0
    assert re.fullmatch(r"lrbench \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_finished_sweep_asked_for_again_leaves_its_report_alone(capsys):
    """Unless the report is another version's, older than a run, or gone."""
    sweep = ["-m", "optimizer=sgd,adam", "steps=5", "name=mine"]
    assert main(sweep) == 0
    assert "Nothing was missing" not in capsys.readouterr().out
    page, summary = Path("results/mine/report.html"), Path("results/mine/summary.md")

    def is_written_again() -> bool:
        summary.write_text("")
        assert main(sweep) == 0
        told = capsys.readouterr().out
        assert "\nNothing was missing.\n\nReport: results/mine/report.html\n" in told
        return summary.read_text() != ""

    assert not is_written_again()
    page.unlink()
    assert is_written_again()
    whole = page.read_text()
    store = ResultStore("results/mine")
    assert store.is_reported()
    page.write_text(whole.replace('content="lrbench ', 'content="lrbench 0.0.', 1))
    assert not store.is_reported()
    page.write_text(whole)
    assert store.is_reported()
    os.utime(page, (1, 1))
    assert not store.is_reported()
    page.write_bytes(b"\xff")
    assert not store.is_reported()


def test_the_command_lrbench_is_the_module(monkeypatch, capsys):
    """The command that is installed begins where `python -m lrbench` begins."""
    (script,) = entry_points(group="console_scripts", name="lrbench")
    monkeypatch.setattr("sys.argv", ["lrbench", "optimizer=sdg"])
    with pytest.raises(SystemExit) as ended:
        script.load()()
    assert ended.value.code == 2
    assert "Did you mean 'sgd'?" in capsys.readouterr().err


# a part a run, and not one every few seconds: an interruption need not wait for the first
STORING_EACH_RUN = """
import sys
from lrbench.bench import run
from lrbench.cli import main
run.FLUSH_SECONDS = 0
sys.exit(main())
"""


def test_interrupted_keeps_what_is_done_and_goes_on_from_there():
    sweep = ["-m", "optimizer=sgd", "seed=range(60)", "epochs=3000", "engine=reference"]
    line = [sys.executable, "-c", STORING_EACH_RUN, *sweep, "name=mine", "report=false"]
    runs = Path("results/mine/runs")
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, preexec_fn=hears_ctrl_c) as child:
        try:
            while not list(runs.glob("*.parquet")):
                time.sleep(0.05)
                assert child.poll() is None, child.stderr.read()
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
        finally:
            child.kill()  # which does nothing to one that has ended
    assert child.returncode == 130
    assert "all finished runs are kept" in err
    assert "Traceback" not in err

    import pyarrow.parquet as pq

    done = pq.read_table(runs, columns=["run_id"]).num_rows
    assert 0 < done < 60
    assert '"state": "interrupted"' in Path("results/mine/manifest.json").read_text()


@pytest.mark.parametrize("pick", [["-m", "hydra/launcher=joblib"], ["hydra/sweeper=basic", "-m"]])
def test_hydras_own_launchers_and_sweepers_fill_one_store(pick):
    """Wherever the flag of a sweep stands; what follows the budget of the chosen runs, too."""
    asked = ["optimizer=sgd_momentum,rmsprop", "optimizer.lr=0.01,0.03", "seed=0,1", "epochs=300"]
    done = lrbench(*pick, *asked, "name=theirs", "report=false")
    assert done.returncode == 0, done.stderr
    assert main(["-m", *asked, "name=ours", "report=false"]) == 0
    stores = [ResultStore(f"results/{name}") for name in ("theirs", "ours")]
    theirs, ours = (frames.runs(store).set_index("run_id")["final_gap"] for store in stores)
    assert theirs.sort_index().equals(ours.sort_index())
    theirs, ours = (frames.beyond(store).set_index("run_id")["beyond"] for store in stores)
    assert theirs.sort_index().equals(ours.sort_index())
    assert len(ours) > 0
    assert {path.split("/")[0] for path in written()} == {"results"}


def test_optuna_minimises_the_score():
    lines = [
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=4",
        "optimizer.lr=interval(0.001,0.05)",
        "steps=5",
        "name=optuna",
        "report=false",
    ]
    done = lrbench("-m", *lines, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    import lrbench as package

    runs = package.load("results/optuna").runs
    best = re.search(
        r"best_value: (\S+)", Path("results/optuna/hydra/optimization_results.yaml").read_text()
    )[1]
    assert len(runs) == 4
    assert float(best) == runs["score"].min()


def test_hydras_sweepers_leave_nothing_of_a_wrong_request():
    done = lrbench("-m", "hydra/sweeper=basic", "optimizer=sgd,sdg", "report=false")
    assert done.returncode == 2
    assert "sdg" in done.stderr
    assert written() == []


def test_a_sweep_that_hydra_stopped_half_way_is_not_called_done():
    done = lrbench(
        "-m", "hydra/sweeper=basic", "optimizer.lr=0.1,fast", "steps=3", "name=half", "report=false"
    )
    assert done.returncode == 1
    assert 'a finite number >= 0 is allowed for torch.optim.SGD, but "fast" came' in done.stderr
    assert '"state": "interrupted"' in Path("results/half/manifest.json").read_text()


def test_a_folder_without_runs_or_with_a_torn_manifest_is_told(capsys):
    Path("results").mkdir()
    begun = {"name": "begun", "created": "2026-01-01", "state": "running", "blocks": [], "versions": {}}
    ResultStore("results/begun").write_manifest(
        begun | {"counts": dict.fromkeys(("planned", "completed", "diverged", "failed"), 0)}
    )
    for verb in ("report", "reproduce"):
        assert main([verb, "results/begun"]) == 2
        assert "results/begun: no run is stored yet" in capsys.readouterr().err
    Path("results/begun/manifest.json").write_text("{")
    assert main(["list", "results"]) == 2
    assert "manifest.json: not valid JSON" in capsys.readouterr().err


def test_damaged_folders_are_told(capsys):
    assert main(["-m", "optimizer=sgd,adam", "steps=3", "name=whole", "report=false"]) == 0
    whole = Path("results/whole")
    part = next((whole / "runs").iterdir()).name
    damages = {
        f"runs/{part}: cannot be read as parquet": lambda folder: (folder / "runs" / part).write_bytes(
            b"PAR1"
        ),
        f"curves: the part {part} is not there": lambda folder: (folder / "curves" / part).unlink(),
        "problems.parquet: is not there": lambda folder: (folder / "problems.parquet").unlink(),
    }
    for number, (words, damage) in enumerate(damages.items()):
        damage(Path(shutil.copytree(whole, f"results/damaged{number}")))
        assert main(["report", f"damaged{number}"]) == 2
        err = capsys.readouterr().err
        assert f"results/damaged{number}/{words}" in err
        assert "Restore it, or run the sweep again with fresh=true." in err


def test_a_report_that_cannot_be_written_is_told(capsys):
    assert main(["steps=3", "name=kept", "report=false"]) == 0
    Path("results/kept/figures").write_text("in the way")
    assert main(["report", "kept"]) == 2
    assert "results/kept/figures: the report cannot be written" in capsys.readouterr().err


def test_a_wrong_flag_is_told(capsys):
    assert main(["--opne"]) == 2
    assert capsys.readouterr().err.startswith("unrecognized arguments: --opne. A sweep has -m")


VERBS = ("report", "reproduce", "compare", "rerun", "time", "list")


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_how_it_is_used(verb, flag, capsys):
    assert main([verb, flag]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: python -m lrbench {verb} ")
    assert f"\nexample:\n  python -m lrbench {verb} " in told
    assert "\nexit codes:\n  0  " in told
    assert "\n  2  the request is wrong, nothing was written\n" in told
    assert max(map(len, told.splitlines())) <= 80
    assert written() == []


def test_help_anywhere_in_a_request_trains_nothing(capsys):
    assert main(["steps=3", "--help"]) == 0
    assert capsys.readouterr().out.startswith("lrbench ")
    assert written() == []


USAGE = {
    "report": "python -m lrbench report [FOLDER] [--open] [results_dir=DIR]",
    "reproduce": "python -m lrbench reproduce FOLDER [results_dir=DIR]",
    "compare": "python -m lrbench compare A B [--anyway] [--open] [results_dir=DIR]",
    "rerun": "python -m lrbench rerun FOLDER [name=NAME] [results_dir=DIR]",
    "list": "python -m lrbench list KIND [results_dir=DIR]",
}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("report a b", "'b' is a word too many."),
        ("report --opne", "there is no --opne. Did you mean '--open'? There are: --help, --open."),
        ("report --op", "there is no --op. Did you mean '--open'? There are: --help, --open."),
        ("report --open=yes", "argument --open: ignored explicit argument 'yes'."),
        ("reproduce", "the following arguments are required: FOLDER."),
        ("reproduce a --open", "there is no --open. There are: --help."),
        ("reproduce a b", "'b' is a word too many."),
        ("compare", "the following arguments are required: A, B."),
        ("compare a", "the following arguments are required: B."),
        ("compare a b c", "'c' is a word too many."),
        ("compare a b --anywya", "there is no --anywya. Did you mean '--anyway'?"),
        ("rerun", "the following arguments are required: FOLDER."),
        ("rerun a b", "'b' is a word too many."),
        ("rerun a --open", "there is no --open. There are: --help."),
        ("rerun a steps=3", "'steps=3' is a word too many."),
        ("report a name=b", "'name=b' is a word too many."),
        ("list", "a KIND is missing; there are optimizers, problems, losses, "),
        ("list results mine", "'mine' is a word too many."),
        ("list results --open", "there is no --open. There are: --help."),
    ],
)
def test_a_wrong_use_of_a_verb_is_told_what_is_allowed_what_came_and_what_to_type(line, reason, capsys):
    verb, *came = line.split()
    assert main([verb, *came]) == 2
    captured = capsys.readouterr()
    given = f"'{' '.join(came)}'" if came else "nothing"
    assert captured.out == ""
    assert captured.err.startswith(f"{verb}: {reason}")
    assert captured.err.endswith(
        f"\nusage: {USAGE[verb]}; {given} came. `python -m lrbench {verb} --help` has an example.\n"
    )


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "report results_dir=",
            "results_dir: a folder's path is allowed, but nothing came. Type results_dir=DIR",
        ),
        ("report results_dir=file", "results_dir: a folder's path is allowed, but file is a file."),
        ("list results results_dir=no", "results_dir: a folder's path is allowed, but no is not there."),
        ("compare a b results_dir=no", "results_dir: a folder's path is allowed, but no is not there."),
        ("rerun a name=", "name: a folder's name is allowed, but nothing came."),
        ("list optimizers results_dir=.", "results_dir: it is for list results, but list optimizers came."),
        (
            "report a results_dir=.",
            "a: no result set (a folder with manifest.json). `lrbench list results results_dir=.`",
        ),
        ("report results_dir=.", ".: no result set in this folder yet."),
        ("optimizer=sgd report", f"report: a verb stands first, and no request beside it: {USAGE['report']}"),
        ("-m list results", f"list: a verb stands first, and no request beside it: {USAGE['list']}"),
        (
            "time --opne",
            "unrecognized arguments: --opne. time has --config-dir DIR; `python -m lrbench time --help`",
        ),
        ("-m --config-dir", "argument --config-dir/-cd: expected one argument. A sweep has -m"),
    ],
)
def test_what_is_wrong_beside_a_verb_is_told(line, told, capsys):
    before = written()
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(told)
    assert written() == before


def test_a_wrong_use_ends_the_process_with_2_and_no_traceback():
    done = lrbench("report", "--opne")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("report: there is no --opne.")
    assert "Traceback" not in done.stderr


def test_results_dir_says_where_a_name_lies(capsys):
    for name, seeds in {"old": "0,1", "new": "0,1,2"}.items():
        sweep = ["-m", "optimizer=sgd,lbfgs", f"seed={seeds}", "steps=5", "report=false"]
        assert main([*sweep, "results_dir=elsewhere", f"name={name}"]) == 0
    capsys.readouterr()
    assert main(["list", "results", "results_dir=elsewhere"]) == 0
    listed = capsys.readouterr().out
    assert {line.split()[0] for line in listed.splitlines()} == {"elsewhere/old", "elsewhere/new"}
    assert main(["report", "results_dir=elsewhere", "old"]) == 0
    assert capsys.readouterr().out == "elsewhere/old/report.html\n"
    assert (
        main(["report", "results_dir=elsewhere"]) == 0
    )  # the newest, of those finished in one second the first
    assert capsys.readouterr().out in ("elsewhere/new/report.html\n", "elsewhere/old/report.html\n")
    assert main(["compare", "old", "results_dir=elsewhere", "new"]) == 0
    assert "Page: elsewhere/old-against-new.html" in capsys.readouterr().out
    assert main(["reproduce", "old", "results_dir=elsewhere"]) == 0
    assert "4 of 4 runs gave the same numbers" in capsys.readouterr().out
    assert not Path("results").exists()


def test_a_path_wins_over_a_name(capsys):
    for folder in ("elsewhere", "."):
        assert main(["steps=3", "report=false", f"results_dir={folder}", "name=mine"]) == 0
    capsys.readouterr()
    assert main(["report", "mine", "results_dir=elsewhere"]) == 0
    assert capsys.readouterr().out == "mine/report.html\n"


def test_the_flag_of_a_sweep_may_stand_anywhere(capsys):
    words = ["optimizer=sgd,adam", "seed=0,1", "steps=3", "report=false"]
    for place in range(len(words) + 1):
        assert main([*words[:place], "-m", *words[place:]]) == 0
    assert main([*words, "-m", "--multirun"]) == 0
    (folder,) = Path("results").iterdir()  # the same request each time
    assert capsys.readouterr().out.count(f"Data: {folder}") == len(words) + 2


@pytest.mark.parametrize("line", ["-m --cfg job optimizer=adam steps=7", "optimizer=adam --cfg job steps=7"])
def test_hydras_questions_are_answered(line):
    """Wherever the flags stand, and on one run as on a sweep."""
    done = lrbench(*line.split())
    assert done.returncode == 0, done.stderr
    assert "torch.optim.Adam" in done.stdout
    assert "steps: 7" in done.stdout
    assert written() == []


README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    [
        line
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip() and not line.startswith(("#", "make ", "pip "))
    ]
    for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
]


def words_of(line: str) -> list[str]:
    """Return the words that `python` gets when bash runs the line."""
    done = subprocess.run(
        ["bash", "-c", f'python() {{ printf "%s\\0" "$@"; }}\n{line}'],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\0")[:-1]


def test_the_first_command_of_the_readme_is_a_process_that_runs():
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", BLOCKS[0][0]], capture_output=True, text=True, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_every_command_of_the_readme_runs_as_it_stands(block, capsys):
    """A block in a folder of its own, in their order. Bash makes the words, and this process runs them."""
    Path("houses.csv").write_text(CSV)
    assert any(
        "python -m lrbench +experiment=exercise" in lines for lines in BLOCKS
    )  # which no other test trains
    for line in BLOCKS[block][block == 0 :]:
        module, name, *arguments = words_of(line)
        assert (module, name) == ("-m", "lrbench")
        assert main(arguments) == 0, f"{line}\n{capsys.readouterr()}"
