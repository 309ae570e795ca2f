"""Seconds are measured in the reference engine's rhythm, shown and not stored.

No test knows how fast this machine is: times are compared by ratio.
"""

import os
import re
from pathlib import Path
from time import perf_counter

import pytest
import torch
from rich.cells import cell_len

import lrbench
from lrbench import timing
from lrbench.cli import main
from lrbench.engines import reference
from lrbench.errors import RequestError
from lrbench.problems import synthetic
from lrbench.results.tables.timings import timings as frame_of
from lrbench.sweeper.request import read

THREE = [
    "optimizer=sgd,adam,lbfgs",
    "optimizer.lr=0.3",
    "problem=synthetic",
    "problem.kappa=2",
    "steps=20",
    "target=0.1",
]
SHOWN = [
    "optimizer=sgd,adam,lbfgs",
    "optimizer.lr=0.01",
    "problem=synthetic",
    "problem.kappa=10,1000",
    "seed=0,1",
    "steps=2",
]
FAILING = ["optimizer=sgd,adagrad", "schedule=onecycle", "schedule.max_lr=0.1", "steps=20"]


def measured(*overrides: str) -> timing.Timings:
    return timing.measure(read(overrides, multirun=True))


def rows_of(timings: timing.Timings) -> dict[str, dict]:
    return {row["optimizer"]: row for table in timings.runs for row in table.to_pylist()}


@pytest.fixture(scope="module")
def three() -> timing.Timings:
    return measured(*THREE)


def seconds_a_step(make, update) -> float:
    """Time a plain loop over all rows of the same problem; the fastest of three."""
    data = synthetic(n=100, d=10, kappa=2, noise=0.1)
    X, y = torch.tensor(data.X), torch.tensor(data.y).reshape(-1, 1)
    times = []
    for _ in range(3):
        model, criterion = torch.nn.Linear(data.d, 1, dtype=torch.float64), torch.nn.MSELoss()
        optimizer = make(model.parameters())
        began = perf_counter()
        for _ in range(20):
            update(model, criterion, optimizer, X, y)
        times.append((perf_counter() - began) / 20)
    return min(times)


@pytest.mark.parametrize(
    ("optimizer", "make", "update"),
    [
        ("sgd", lambda parameters: torch.optim.SGD(parameters, lr=0.3), reference.update),
        ("adam", lambda parameters: torch.optim.Adam(parameters, lr=0.3), reference.update),
        ("lbfgs", lambda parameters: torch.optim.LBFGS(parameters, lr=0.3), reference.update_with_closure),
    ],
)
def test_a_step_takes_what_it_takes_in_a_plain_loop(three, optimizer, make, update):
    row = rows_of(three)[optimizer]
    assert 0.1 < row["step_seconds"] / seconds_a_step(make, update) < 10
    assert row["step_spread"] >= 0
    assert row["repeat_steps"] == 20


def test_the_target_is_reached_where_a_stored_sweep_reaches_it(three):
    stored = lrbench.sweep(*THREE, "engine=reference", "report=false").runs.set_index("optimizer")
    for optimizer, row in rows_of(three).items():
        assert row["steps_to_target"] == stored.loc[optimizer, "steps_to_target"] > 0
        assert row["evaluations_to_target"] == stored.loc[optimizer, "evaluations_to_target"]


def test_seconds_to_the_target_are_those_of_its_steps(three):
    for optimizer, row in rows_of(three).items():
        assert row["seconds_to_target"] > 0
        if optimizer != "lbfgs":  # its steps are dear until the minimum and cheap afterwards
            assert 0.2 < row["seconds_to_target"] / (row["steps_to_target"] * row["step_seconds"]) < 5


def test_a_repeat_that_ends_before_the_target_counts_its_steps(monkeypatch):
    monkeypatch.setattr(timing, "MOST_SECONDS", 0.0)
    (row,) = rows_of(
        measured("optimizer.lr=0.01", "problem=synthetic", "problem.kappa=2", "steps=600", "target=0.1")
    ).values()
    assert row["repeat_steps"] == timing.LEAST_STEPS < row["steps_to_target"]
    assert row["seconds_to_target"] == row["steps_to_target"] * row["step_seconds"]


def test_runs_take_turns_after_one_warm_up_each(monkeypatch):
    took = []
    original = timing._Run._timed
    monkeypatch.setattr(
        timing._Run, "_timed", lambda run, rows: took.append(run.leaves["seed"]) or original(run, rows)
    )
    measured("seed=0,1,2", "steps=2")
    assert took == [0, 1, 2] * (1 + timing.REPEATS)


def test_a_schedule_that_looks_at_the_loss_gets_it():
    lines = [
        "schedule._target_=torch.optim.lr_scheduler.ReduceLROnPlateau",
        "schedule=constant",
        "~schedule.factor",
        "~schedule.total_iters",
    ]
    (row,) = rows_of(measured(*lines, "steps=30")).values()
    assert row["repeat_steps"] == 30


def test_diverged_runs_are_timed_and_never_at_the_target():
    timings = measured("optimizer.lr=0.001,100", "steps=30", "target=0.9")
    frame = frame_of(timings.runs, timings.problems)
    diverged = frame[frame["status"] == "diverged"].squeeze()
    assert diverged["step_seconds"] > 0
    assert diverged["seconds_to_target"] == diverged["hit"] == float("inf")


def test_what_fails_only_after_the_last_finite_state_is_a_row_with_its_reason(monkeypatch):
    class Picky(torch.optim.SGD):
        def step(self, closure=None):
            if not all(
                parameter.isfinite().all() for group in self.param_groups for parameter in group["params"]
            ):
                raise ArithmeticError("not with me")
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Picky", Picky, raising=False)
    (row,) = rows_of(
        measured("optimizer=custom", "optimizer._target_=torch.optim.Picky", "+optimizer.lr=1e9", "steps=40")
    ).values()
    assert (row["status"], row["reason"], row["step_seconds"]) == (
        "failed",
        "ArithmeticError: not with me",
        None,
    )


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1.09, 1.0, 0.2, 3.0, 4), []),
        ((1.5, 1.0, 0.0, 0.0, 4), ["wall time 50 % above this thread's CPU time"]),
        ((1.0, 1.0, 0.25, 0.0, 4), ["a spread of 25 %"]),
        ((1.0, 1.0, 0.0, 3.01, 4), ["a load average of 3.01 at the beginning, with 4 processors"]),
        ((1.0, 1.0, 0.0, 0.5, 1), ["a load average of 0.50 at the beginning, with 1 processor"]),
        ((2.0, 1.0, 0.5, 9.0, 2), ["wall time 100 %", "a spread of 50 %", "a load average of 9.00"]),
        ((0.0, 0.0, 0.0, 0.0, 2), []),
    ],
)
def test_what_speaks_for_other_work_on_the_machine(numbers, words):
    seen = timing.busy(*numbers)
    assert len(seen) == len(words)
    assert all(text.startswith(word) for text, word in zip(seen, words, strict=True))


@pytest.mark.parametrize("raised", [None, KeyboardInterrupt])
def test_threads_and_processors_are_given_back(monkeypatch, raised):
    affinity = getattr(os, "sched_getaffinity", lambda pid: set())
    during = []

    def repeat(run):
        during.append((torch.get_num_threads(), len(affinity(0))))
        if raised:
            raise raised

    monkeypatch.setattr(timing._Run, "repeat", repeat)
    monkeypatch.setattr(timing._Run, "row", lambda run: run.stored)
    monkeypatch.setattr(timing._Run, "spread", 0.0)
    threads, processors = torch.get_num_threads(), affinity(0)
    torch.set_num_threads(2)
    try:
        assert main(["time", "steps=2"]) == (130 if raised else 0) if raised else measured("steps=2")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert affinity(0) == processors
    assert {count for count, _ in during} == {1}
    assert {count for _, count in during} <= {0, 1, len(processors)}


def test_a_system_that_cannot_pin_is_told(monkeypatch):
    def forbidden(pid, processors):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden, raising=False)
    assert "on one thread, not pinned to a processor: " in measured("steps=2").conditions


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["seed=range(201)"], ["at most 200 runs", "but 201 came"]),
        (["engine=fused"], ["engine", "auto or reference is allowed", "fused came"]),
        (["hydra/launcher=joblib"], ["hydra/launcher", "Leave them out"]),
        (["optimizer=sdg"], ["sdg", "Did you mean 'sgd'?"]),
        (["optimizer.momentun=0.9"], ["optimizer.momentun", "Did you mean 'momentum'?"]),
        (["optimiser=sgd"], ["optimiser"]),
        (["optimizer.lr=0.1,fast"], ["a finite number >= 0", '"fast" came']),
        (["sgd"], ["sgd"]),
        (["--cfg", "job"], ["without time"]),
        (["--config-name", "mine"], ["--config-name"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_a_wrong_request_exits_2_and_measures_nothing(arguments, words, capsys, monkeypatch):
    monkeypatch.setattr(timing, "_trained", None)
    assert main(["time", *arguments]) == 2
    captured = capsys.readouterr()
    assert all(word in captured.err for word in words)
    assert captured.out == ""
    assert list(Path().iterdir()) == []


def test_what_is_shown(capsys):
    assert main(["time", *SHOWN]) == 0
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= 80
    assert re.findall(r"^synthetic kappa=\d+", out, flags=re.MULTILINE) == [
        "synthetic kappa=10",
        "synthetic kappa=1000",
    ]
    assert (
        len(
            re.findall(
                r"^(?:SGD|Adam|LBFGS) +lr=0\.01 seed=[01] +\d+\S* +\d+\.\d % +\S", out, flags=re.MULTILINE
            )
        )
        == 12
    )
    assert "not reached" in out
    words = " ".join(out.split())
    assert "Medians of 7 repeats of " in words
    assert f"torch {torch.__version__}." in words
    assert list(Path().iterdir()) == []


def test_a_failed_run_is_a_row_with_its_reason_and_exit_code_1(capsys):
    assert main(["time", *FAILING]) == 1
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= 80
    assert re.search(r"^Adagrad +lr=\S+ +failed +– +– +–$", out, flags=re.MULTILINE)
    assert re.search(r"^SGD +lr=\S+ +\d", out, flags=re.MULTILINE)
    assert re.search(r"! Adagrad \(lr=\S+\) failed: \w+Error: ", " ".join(out.split()))


def test_what_diverged_is_named_with_its_task(capsys):
    assert main(["time", "optimizer.lr=100", "problem=synthetic", "problem.kappa=2,20", "steps=5"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert (
        "! Diverged, and timed all the same: "
        "SGD (lr=100) on synthetic kappa=2 and SGD (lr=100) on synthetic kappa=20." in words
    )


def test_where_everything_fails_nothing_is_timed(capsys):
    assert main(["time", "optimizer=muon", "steps=3"]) == 1
    assert "Muon only supports 2D parameters" in " ".join(capsys.readouterr().out.split())


def test_too_many_runs_are_an_error_of_the_request():
    with pytest.raises(RequestError, match="but 300 came"):
        measured("seed=range(300)")
