"""What an older lrbench wrote: left out and refused in words that help, and asked again."""

import json
import os
import re
from pathlib import Path

import pytest

import lrbench
from lrbench.bench.again import ask_again
from lrbench.cli import main
from lrbench.store import SCHEMA, ResultStore

# as lrbench of schemas 3 and 4 wrote them
OLD = {
    "created": "2026-11-24T18:01:27+00:00",
    "finished": "2026-11-24T18:01:50+00:00",
    "state": "complete",
    "request_hash": "6a154f5f1c1c8a3c5b2e8f0f7a9d3e21",
    "target": 1e-06,
    "counts": {"planned": 2, "completed": 2, "diverged": 0, "failed": 0},
}


def old(name: str, *lines: str, schema: int | None = 4, flags: str = "-m ", folder: str = "results") -> Path:
    """Write a set of an older lrbench, as far as anybody may read it; return its folder."""
    quoted = [f"'{line}'" if re.search(r"[()\[\] ]", line) else line for line in lines]
    command = f"python -m lrbench {flags}{' '.join(quoted)}"
    root = Path(folder) / name
    root.mkdir(parents=True)
    manifest = {"schema": schema, "name": name, **OLD, "request": {"overrides": lines, "command": command}}
    (root / "manifest.json").write_text(json.dumps(manifest))
    (root / "runs").mkdir()
    (root / "runs" / "a.parquet").write_bytes(b"of another schema")
    return root


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def folders(results: str = "results") -> set[str]:
    return set(os.listdir(results))


SMALL = ("optimizer=sgd,adam", "steps=5", "report=false")


# ---- asked again


@pytest.mark.parametrize("schema", [1, 3, 4])
def test_the_request_of_an_older_set_is_run_into_a_new_folder(schema, capsys):
    root = old("mine", *SMALL, "name=mine", "seed=range(2)", "fresh=true", schema=schema)
    before = files(root)
    assert main(["rerun", "mine"]) == 0
    assert files(root) == before
    (new,) = folders() - {"mine"}
    out = capsys.readouterr().out
    asked = "python -m lrbench -m optimizer=sgd,adam steps=5 report=false 'seed=range(2)'"
    assert out.startswith(f"Asks again: {asked}\n")
    assert out.endswith(f"\nData: results/{new}\n")
    results = lrbench.load(f"results/{new}")
    assert results.manifest["request"]["command"] == asked
    assert (results.manifest["schema"], len(results.runs)) == (SCHEMA, 4)
    # the line that it says finds what it made, and so does the verb
    assert main(["-m", *SMALL, "seed=range(2)"]) == 0
    assert main(["rerun", "results/mine"]) == 0
    assert capsys.readouterr().out.count("Nothing was missing.") == 2
    assert folders() == {"mine", new}


def test_it_gets_a_name_where_one_is_given(capsys):
    old("mine", *SMALL, "name=mine")
    assert main(["rerun", "name=again", "mine"]) == 0
    assert folders() == {"mine", "again"}
    assert capsys.readouterr().out.endswith("\nData: results/again\n")
    assert main(["rerun", "mine", "name=mine"]) == 2
    assert "name: results/mine: written with schema 4" in capsys.readouterr().err
    assert main(["rerun", "mine", "name=a/b"]) == 2
    assert "a folder's name" in capsys.readouterr().err
    assert folders() == {"mine", "again"}


def test_a_single_run_stays_one(capsys):
    old("one", "steps=5", "report=false", flags="")
    assert main(["rerun", "one"]) == 0
    assert capsys.readouterr().out.startswith("Asks again: python -m lrbench steps=5 report=false\n")


def test_keys_that_are_gone_are_left_out_with_a_line_that_says_so(capsys):
    tuned = ["tune=lr", "tune.trials=4", "tune.seeds=2", "seed=0,1"]
    old("mine", *SMALL, *tuned, "tune.metric=evaluations", "++tune.reserve=0")
    assert main(["rerun", "mine"]) == 0
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("tune.metric=evaluations is left out: Settings are chosen by a score")
    assert second.startswith("++tune.reserve=0 is left out: A box grows within tune.trials")
    assert third == f"Asks again: python -m lrbench -m {' '.join([*SMALL, *tuned])}"


def test_a_study_that_names_its_own_folder_gets_another(capsys):
    root = old("batches", "+experiment=batches", "seed=0", "steps=2", "report=false")
    assert main(["rerun", "batches"]) == 0
    assert "report=false name=null\n" in capsys.readouterr().out
    assert len(folders()) == 2
    assert len(files(root)) == 2


def test_own_configurations_are_found_again():
    folder = Path("mine/optimizer")
    folder.mkdir(parents=True)
    (folder / "fast.yaml").write_text("_target_: torch.optim.SGD\nlr: 0.02\n")
    flags = "-m --config-dir mine "
    old("fast", "optimizer=fast,sgd", "steps=5", "report=false", flags=flags)
    assert main(["rerun", "fast"]) == 0


@pytest.mark.parametrize("folder", ["nightly", "with space", "it's, (odd)=1", "."])
def test_the_new_folder_lies_beside_the_old_one(folder):
    """Wherever its request once put it, and whatever that place is called."""
    old("mine", *SMALL, "results_dir=elsewhere", folder=folder)
    before = folders(folder)
    assert main(["rerun", "mine", f"results_dir={folder}"]) == 0
    (new,) = folders(folder) - before
    assert ResultStore.open(Path(folder) / new).manifest()["state"] == "complete"
    assert main(["rerun", f"{folder}/mine", "name=again"]) == 0
    assert folders(folder) == before | {new, "again"}
    assert not Path("elsewhere").exists()


def test_hydras_own_jobs_are_asked_again():
    words = ask_again(ResultStore(old("theirs", "hydra/sweeper=basic", "optimizer=sgd,adam"))).words
    assert words == ["-m", "hydra/sweeper=basic", "optimizer=sgd,adam"]


# ---- what cannot be asked again


def broken(text: str) -> None:
    Path("results/broken").mkdir(parents=True)
    Path("results/broken/manifest.json").write_text(text)


@pytest.mark.parametrize(
    "request_of_old",
    [None, {}, [], "optimizer=sgd", {"command": "python -m lrbench"}, {"overrides": []}],
    ids=str,
)
def test_a_manifest_without_a_request_is_told(request_of_old, capsys):
    broken(json.dumps({"schema": 4, "request": request_of_old}))
    assert main(["rerun", "broken"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("results/broken/manifest.json: its `request` has no `overrides` and `command`")
    assert told.out == ""
    assert folders() == {"broken"}


@pytest.mark.parametrize(
    ("text", "words"), [("{", "not valid JSON"), ("[]", "holds no mapping"), ("{}", "its `request` has no")]
)
def test_a_torn_manifest_is_told(text, words, capsys):
    broken(text)
    assert main(["rerun", "broken"]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_that_is_none(capsys):
    Path("empty").mkdir()
    for folder in ("nowhere", "empty"):
        assert main(["rerun", folder]) == 2
        assert capsys.readouterr().err.startswith(f"{folder}: no result set (a folder with manifest.json).")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["problem=csv", "problem.path=gone.csv", "problem.target=y"], ["gone.csv", "No such file"]),
        (["optimizer=gone"], ["optimizer", "gone"]),
        (["optimizer=lbfgs", "schedule=cosine"], ["schedule=cosine", "Type schedule=none"]),
        (["seed=1", "no.such.key=1"], ["no"]),
    ],
    ids=lambda value: value[0],
)
def test_a_request_that_cannot_be_asked_any_more(lines, words, capsys):
    root = old("mine", *lines)
    before = files(Path())
    assert main(["rerun", "mine"]) == 2
    told = capsys.readouterr()
    assert told.out == f"Asks again: python -m lrbench -m {' '.join(lines)}\n"
    assert all(word in told.err for word in words)
    assert "Traceback" not in told.err
    assert files(Path()) == before != {}
    assert root.exists()


def test_a_set_of_this_lrbench_goes_on_by_its_own_command(capsys):
    assert main(["-m", *SMALL, "name=mine"]) == 0
    capsys.readouterr()
    assert main(["rerun", "mine"]) == 2
    told = capsys.readouterr().err
    assert "  python -m lrbench -m optimizer=sgd,adam steps=5 report=false name=mine\n" in told
    assert main(["rerun", "mine", "name=again"]) == 0
    assert folders() == {"mine", "again"}


def test_a_set_of_a_newer_lrbench_is_not_asked_again(capsys):
    old("later", *SMALL, schema=SCHEMA + 1)
    assert main(["rerun", "later"]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"results/later: written with schema {SCHEMA + 1}; this version of lrbench reads schema {SCHEMA}. "
        "The lrbench that wrote it is newer.\n"
    )


# ---- left out, and refused


def test_a_default_name_is_another_one_with_another_schema(monkeypatch):
    names = set()
    for schema in (SCHEMA, SCHEMA + 1):
        for module in ("lrbench.store", "lrbench.bench.claim"):
            monkeypatch.setattr(f"{module}.SCHEMA", schema)
        names.add(lrbench.sweep(*SMALL).store.name)
    assert len(names) == 2
    assert {re.sub(r"[0-9a-f]{8}$", "", name) for name in names} == {"lecture-adam+sgd-"}


def test_a_named_folder_of_an_older_schema_is_refused_unless_fresh(capsys):
    root = old("mine", *SMALL)
    before = files(root)
    assert main(["-m", *SMALL, "name=mine"]) == 2
    told = capsys.readouterr().err
    assert "results/mine: written with schema 4; this version of lrbench reads schema 5." in told
    assert "`lrbench rerun results/mine`" in told
    assert "fresh=true" in told
    assert files(root) == before
    assert main(["-m", *SMALL, "name=mine", "fresh=true"]) == 0
    assert folders() == {"mine", "mine.1"}


def test_lists_leave_older_sets_out_and_say_which(capsys):
    assert main(["-m", *SMALL, "name=mine"]) == 0
    old("a", *SMALL, schema=3)
    capsys.readouterr()
    one = "1 set of an older lrbench is left out: a; `lrbench rerun a` asks a set's request again.\n"
    for verb in (["list", "results"], ["report"]):
        assert main(verb) == 0
        told = capsys.readouterr()
        assert len(told.out.splitlines()) == 1
        assert "results/mine" in told.out
        assert told.err == one
    for name in "bcd":
        old(name, *SMALL)
    old("later", *SMALL, schema=SCHEMA + 1)
    assert main(["list", "results"]) == 0
    assert capsys.readouterr().err == (
        "4 sets of an older lrbench are left out: a, b, c and 1 more; `lrbench rerun a` asks a set's "
        "request again.\n1 set of a newer lrbench is left out: later.\n"
    )


def test_the_command_that_is_told_works_wherever_the_sets_lie(capsys):
    old("an old one", *SMALL, folder="nightly")
    assert main(["list", "results", "results_dir=nightly"]) == 0
    told = capsys.readouterr()
    assert told.out == "There are no results yet.\n"
    assert "`lrbench rerun 'an old one' results_dir=nightly`" in told.err
    assert main(["rerun", "an old one", "results_dir=nightly"]) == 0


def test_where_all_are_older_there_is_nothing_to_report(capsys):
    old("a", *SMALL)
    assert main(["report"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("results: no result set in this folder yet.")
    assert "1 set of an older lrbench is left out: a; `lrbench rerun a`" in told


def test_verbs_on_an_older_set_say_what_to_type(capsys):
    assert main(["-m", *SMALL, "name=mine"]) == 0
    old("a", *SMALL)
    for line in (["report", "a"], ["compare", "mine", "a"], ["compare", "a", "mine"], ["reproduce", "a"]):
        assert main(line) == 2
        told = capsys.readouterr().err
        assert told == (
            f"results/a: written with schema 4; this version of lrbench reads schema {SCHEMA}. "
            "`lrbench rerun results/a` asks its request again.\n"
        )
    with pytest.raises(ValueError, match="`lrbench rerun results/a`"):
        lrbench.load("results/a")
