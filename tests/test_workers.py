"""Where runs are trained changes nothing of them: on threads or in processes, on few or on many."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from ctrl_c import hears_ctrl_c

import lrbench
from lrbench import batches, train, workers
from lrbench.cli import main
from lrbench.errors import RequestError
from lrbench.plan import plan
from lrbench.sweeper.request import read
from lrbench.workers import Task, as_done

MINE = """
import os
import torch

class Fine(torch.optim.SGD):
    def __init__(self, params, lr=0.01):
        super().__init__(params, lr=lr)

class Raising(Fine):
    def step(self, closure=None):
        raise RuntimeError("I do not want to")

class Dying(Fine):
    def step(self, closure=None):
        os._exit(3)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a module of a user's: one for all tests, so that they find each other's workers."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(MINE)
    return folder


@pytest.fixture
def mine(monkeypatch, folder):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend("")  # as in a prompt of Python
    yield
    sys.modules.pop("mine", None)


def custom(name: str, *lines: str) -> list[str]:
    return ["optimizer=custom", f"optimizer._target_=mine.{name}", "steps=5", "report=false", *lines]


def stored(executor: str, *lines: str) -> dict[str, str]:
    """Sweep, and return every column of each run, its curve and what follows its budget, where it goes on.

    repr() of a float64 is exact.
    """
    request = (*lines, "steps=4", "target=0.9", "report=false", "fresh=true", f"executor={executor}")
    store = lrbench.sweep(*request).store
    curves = {row["run_id"]: row for row in store.curves().to_pylist()}
    runs = [row for table in store.runs() for row in table.to_pylist()]
    beyond = {row["run_id"]: row for row in store.beyond().to_pylist()}
    assert beyond
    return {row["run_id"]: repr((row, curves[row["run_id"]], beyond.get(row["run_id"]))) for row in runs}


def only(processors: int, patch: pytest.MonkeyPatch) -> None:
    """A worker costs seconds to start."""
    for module in (train, workers):
        patch.setattr(module, "processors", lambda: processors)


@pytest.mark.usefixtures("mine")
def test_the_same_bits_wherever_runs_are_trained(monkeypatch):
    """Compiled ones, and those of torch's own loop."""
    lines = ("optimizer=sgd,lbfgs", "optimizer.lr=0.01,0.1", "seed=0,1,2")
    here = stored("local", *lines)
    only(1, monkeypatch)
    assert stored("processes", *lines) == here
    only(2, monkeypatch)
    assert stored("processes", *lines) == here


@pytest.mark.usefixtures("mine")
def test_workers_import_a_module_from_the_folder_where_they_are_asked(monkeypatch, capsys):
    """And what it raises is a failed row, as in this process."""
    only(2, monkeypatch)
    fine = lrbench.sweep(*custom("Fine", "seed=0,1", "executor=processes"))
    assert fine.runs["status"].tolist() == ["completed"] * 2
    raising = lrbench.sweep(*custom("Raising", "seed=0,1", "executor=processes"))
    assert raising.runs["reason"].tolist() == ["RuntimeError: I do not want to"] * 2

    dying = ["-m", *custom("Dying", "seed=0,1", "executor=processes", "name=dying")]
    assert main(dying) == 2
    told = capsys.readouterr().err
    assert "executor: a worker process died under runs of optimizer=custom (mine.Dying)" in told
    assert "executor=local" in told
    assert '"state": "interrupted"' in Path("results/dying/manifest.json").read_text()


def test_a_class_that_no_worker_can_import_is_trained_here_unless_workers_are_asked_for(monkeypatch):
    only(2, monkeypatch)

    class Mine(train.pkgutil.resolve_name("torch.optim.SGD")):
        pass

    monkeypatch.setattr(sys.modules["__main__"], "Mine", Mine, raising=False)
    monkeypatch.setitem(train.WORKERS_FROM, "auto", -1.0)
    line = [
        "optimizer=custom",
        "optimizer._target_=__main__.Mine",
        "+optimizer.lr=0.01",
        "report=false",
        "steps=5",
    ]
    assert lrbench.sweep(*line).runs["status"].tolist() == ["completed"]
    with pytest.raises(
        RequestError, match=r"executor: __main__\.Mine cannot be had .* Type executor=local\."
    ):
        lrbench.sweep(*line, "executor=processes", "fresh=true")


# a part a run, and not one every few seconds
STORING_EACH_RUN = """
import sys
from lrbench import train, workers
from lrbench.bench import run
from lrbench.cli import main
run.FLUSH_SECONDS = 0
train.BATCH_RUNS = 1
train.processors = workers.processors = lambda: 1
sys.exit(main())
"""


def test_interrupted_workers_end_and_what_is_done_is_stored():
    """Ctrl-C goes to all processes of a terminal."""
    sweep = ["-m", "optimizer=sgd", "seed=range(60)", "epochs=2000", "engine=reference", "executor=processes"]
    line = [sys.executable, "-c", STORING_EACH_RUN, *sweep, "name=mine", "report=false"]
    runs = Path("results/mine/runs")
    with subprocess.Popen(
        line, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hears_ctrl_c
    ) as child:
        try:
            while not list(runs.glob("[!.]*.parquet")):
                time.sleep(0.05)
                assert child.poll() is None, child.stderr.read()
            os.killpg(child.pid, signal.SIGINT)
            _, err = child.communicate(timeout=60)
        finally:
            child.kill()  # which does nothing to one that has ended
    assert child.returncode == 130
    assert err.startswith("Interrupted; all finished runs are kept.")
    assert "Traceback" not in err
    assert 0 < pq.read_table(runs, columns=["run_id"]).num_rows < 60
    assert '"state": "interrupted"' in Path("results/mine/manifest.json").read_text()
    assert not list(Path("results/mine").rglob(".*.parquet*"))


def test_a_wrong_executor_is_told(capsys):
    assert main(["executor=threads"]) == 2
    assert 'executor: auto or local or processes is allowed, but "threads" came.' in capsys.readouterr().err
    assert main(["-m", "executor=local,processes"]) == 2
    assert "executor: it says how a sweep is asked" in capsys.readouterr().err


def test_the_same_request_finds_its_folder_whatever_the_executor(capsys):
    sweep = ["-m", "optimizer=sgd,lbfgs", "steps=3", "report=false"]
    assert main([*sweep, "executor=local"]) == 0
    capsys.readouterr()
    assert main(sweep) == 0
    assert "Nothing was missing." in capsys.readouterr().out


# ---- where workers are started


@pytest.mark.parametrize(
    ("executor", "processors", "least", "started"),
    [
        ("auto", 2, -1.0, True),
        ("auto", 2, 1e9, False),
        ("auto", 1, -1.0, False),
        ("local", 2, -1.0, False),
    ],
)
def test_workers_are_started_where_they_pay(monkeypatch, executor, processors, least, started):
    asked = []
    only(processors, monkeypatch)
    monkeypatch.setitem(train.WORKERS_FROM, "auto", least)
    monkeypatch.setattr(train, "_train_in_workers", lambda *arguments: asked.append(arguments) or iter(()))
    planned = plan(read(["optimizer=lbfgs", "seed=range(3)", "steps=2"], multirun=True).blocks)
    rows = list(train.train(planned, train.TrainOptions("auto", "all", 1e-6, executor)))
    assert bool(asked) == started
    assert len(rows) == (0 if started else 3)


def batch(runs: int, most: int = 100) -> batches.Batch:
    planned = plan(read([f"seed=range({runs})", "steps=10"], multirun=True).blocks)
    (group,) = planned.groups
    return batches.Batch(group, planned.problems[group.problem_id], 0, runs, most)


def test_batches_get_smaller_and_what_is_given_back_is_next():
    left = batches.Left([batch(1000), batch(20)])
    first, second = left.take(2), left.take(2)
    assert [(each.start, each.stop) for each in (first, second)] == [(0, 100), (100, 200)]
    left.note(first, done=30, seconds=1.0)
    handed_out = [second.after(0)]
    while part := left.take(2):
        handed_out.append(part)
    assert (handed_out[1].start, handed_out[1].stop) == (30, 100)
    sizes = [part.size for part in handed_out]
    assert sum(sizes) == 1020 - 30
    assert sizes[-1] == 1
    done = [first.first(30), *[part for part in handed_out if part.group is first.group]]
    ids = np.concatenate([part.runs().run_id for part in done])
    assert sorted(ids) == sorted(first.group.run_id)  # each once


def test_what_is_left_takes_as_long_as_what_is_done():
    left = batches.Left([batch(10)])
    left.note(left.take_one(), done=1, seconds=0.9)
    assert left.seconds == 0.0  # too little to tell
    left.note(left.take_one(), done=1, seconds=0.9)
    assert left.seconds == pytest.approx(8 * 0.9)
    for _ in range(7):
        left.note(left.take_one(), done=1, seconds=0.9)
    assert left.seconds == 0.0  # a worker would take as long for the last one


# ---- tasks


def tasks_of(numbers, act=lambda number: number):
    tasks = (Task(f"task {number}", act, (number,)) for number in numbers)
    return partial(next, tasks, None)


def test_tasks_are_asked_for_as_results_are_taken():
    asked = []
    numbers = (asked.append(number) or number for number in range(1_000_000))
    results = as_done("local", tasks_of(numbers), most=3)
    for _ in range(5):
        task, number = next(results)
        assert task.name == f"task {number}"
    results.close()
    assert len(asked) <= 5 + 3


class Broken(Executor):
    """Do two tasks, then break as loky does when a worker dies: the next are never done."""

    def __init__(self, error: BaseException):
        self.error = error
        self.done = 0

    def submit(self, act, /, *arguments):
        future = Future()
        self.done += 1
        if self.done > 2:
            future.set_exception(self.error)
        else:
            future.set_result(act(*arguments))
        return future


@pytest.mark.parametrize(
    ("error", "raised", "told"),
    [
        (BrokenExecutor("SIGSEGV"), RequestError, "under runs of task 2:"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_what_is_done_is_given_before_the_end_is_told(monkeypatch, error, raised, told):
    broken = workers._EXECUTORS["processes"]._replace(begin=lambda: nullcontext(Broken(error)))
    monkeypatch.setitem(workers._EXECUTORS, "processes", broken)
    came = []
    with pytest.raises(raised, match=told):
        came.extend(number for _, number in as_done("processes", tasks_of(range(3)), most=3))
    assert sorted(came) == [0, 1]
