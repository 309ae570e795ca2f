"""What both engines read of a run, against the rule itself on the run's whole curve, and by hand."""

from fractions import Fraction

import numpy as np
import pytest
import rule
from hypothesis import given
from hypothesis import strategies as st

from lrbench.engines import readings
from lrbench.engines.curve import Curve, outcome
from lrbench.engines.outcome import TARGETS
from lrbench.losses import lookup
from lrbench.plan import plan
from lrbench.problems import synthetic
from lrbench.problems.solve import solve
from lrbench.sweeper.request import read
from lrbench.train import train

N = 30
PROBLEM = [
    "problem=synthetic",
    f"problem.n={N}",
    "problem.d=4",
    "problem.kappa=50",
    "problem.noise=0.3",
    "batch_order=shuffled",
]
RATES = "optimizer.lr=0.003,0.03,0.3,0.9,3,1e30"  # from hardly any step to what is not finite at once
NAMES = [f"1e-{k}" for k in range(1, 9)]
# of two sums of the same gaps in another order
ROUNDING = 1e-11


def trained(*lines: str, engine: str = "fused", record: str | int = "all") -> list[tuple]:
    """Return what is stored of each run, its curve and its problem."""
    request = read([*PROBLEM, *lines], multirun=True)
    todo = plan(request.blocks)
    options = request.options.training._replace(engine=engine, record=record)
    found = []
    for runs, curves in train(todo, options):
        rows = zip(runs.to_pylist(), curves.to_pylist(), strict=True)
        found += [(run, curve, todo.problems[run["problem_id"]]) for run, curve in rows]
    return found


def by_the_rule(run: dict, curve: dict, problem, target: float, share: float) -> rule.Reading:
    """Read a run within a share of its budget."""
    goal = target * problem.scale
    floor = problem.gap_floor(run["dtype"])
    budget = share * run["budget"]
    return rule.read(curve["gap"], curve["evaluations"], budget, goal, floor, problem.scale)


def check(run: dict, curve: dict, problem) -> None:
    for half, share in (("", 1.0), ("half_", 0.5)):
        wanted = by_the_rule(run, curve, problem, run["relative_target"], share)
        if run["status"] == "failed":
            continue
        assert run[f"{half}score"] == pytest.approx(wanted.score, rel=1e-9, abs=1e-9)
        floored = max(run[f"{half}level"], problem.gap_floor(run["dtype"]))
        assert floored == pytest.approx(wanted.level, rel=ROUNDING)
        for name, target in zip(NAMES, TARGETS, strict=True):
            wanted = by_the_rule(run, curve, problem, target, share)
            cost = run[f"{half}cost_{name}"]
            assert (cost is not None) == wanted.reached, (run["optimizer"], run["optimizer.lr"], name)
            assert (wanted.budget if cost is None else cost) == pytest.approx(wanted.cost, rel=1e-12)
    assert run["rise"] == pytest.approx(wanted_rise(run, curve, problem), rel=1e-6)


def wanted_rise(run, curve, problem) -> float:
    return by_the_rule(run, curve, problem, 0.1, 1.0).rise


KINDS = [
    ["batch_size=null"],
    ["batch_size=7"],
    ["batch_size=1", "steps=900"],
    ["batch_size=7", "batch_order=replacement"],
    ["batch_size=null", "dtype=float32"],
    ["batch_size=7", "dtype=float32"],
    ["batch_size=null", "loss=huber"],
    ["batch_size=7", "loss=huber", "dtype=float32"],
    ["batch_size=25", "steps=1,2,3,7"],
]


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_readings_of_two_thousand_runs(kind):
    """Nine times 240: all that is read of a run is what the rule reads of its curve."""
    seeds = "seed=range(2)" if "steps=900" in kind or "steps=1,2,3,7" in kind else "seed=range(8)"
    optimizers = "optimizer=sgd,sgd_momentum,adam,rmsprop,adagrad"
    lines = ["steps=150", optimizers, RATES, seeds, *kind]
    found = trained(*[line for line in lines if not any(line[:6] == own[:6] for own in kind if own != line)])
    for one in found:
        check(*one)
    assert {run["status"] for run, _, _ in found} == {"completed", "diverged"}
    assert any(run["score"] < 0 for run, _, _ in found) or kind == KINDS[-1]


@pytest.mark.parametrize("batch", ["null", "7"])
def test_the_reference_engine_reads_the_same_way(batch):
    optimizers = "optimizer=sgd,adam,lbfgs,adafactor"
    for one in trained(
        "steps=60", f"batch_size={batch}", optimizers, "optimizer.lr=0.03,1e30", engine="reference"
    ):
        check(*one)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", ["null", "7"])
def test_readings_do_not_depend_on_what_is_recorded(batch, dtype):
    lines = ["optimizer=sgd,adam", RATES, f"batch_size={batch}", "steps=61", f"dtype={dtype}"]
    every, some = (trained(*lines, record=record) for record in ("all", 2))
    assert [run for run, _, _ in every] == [run for run, _, _ in some]


def test_a_fingerprint_is_of_the_whole_curve():
    lines = ["optimizer=sgd,rmsprop", RATES, "seed=range(3)", "steps=50"]
    runs = trained(*lines)
    curves = {}
    for run, curve, _ in runs:
        curves.setdefault(run["fingerprint"], set()).add(tuple(curve["gap"]))
        if run["status"] == "completed":
            assert run["fingerprint"] == readings.fingerprint(np.array(curve["gap"]))
    assert all(len(same) == 1 for same in curves.values())
    assert len(curves) == len({tuple(curve["gap"]) for _, curve, _ in runs})


def test_a_fingerprint_tells_states_apart_wherever_they_differ():
    gap = np.geomspace(1, 1e-9, 200)
    marks = {readings.fingerprint(gap)}
    for place in range(200):
        other = gap.copy()
        other[place] = np.nextafter(other[place], 2)
        marks.add(readings.fingerprint(other))
        other[place] *= 2  # the exponent alone
        marks.add(readings.fingerprint(other))
    assert len(marks) == 401


def test_small_gaps_keep_their_digits_after_a_large_start():
    """A difference of running sums would give 0 for means of 1e-9 after a start of 1e10."""
    gap = np.concatenate([[1e10], np.geomspace(1e3, 1e-9, 999)])
    evaluations = np.arange(1000) / 10
    means = readings.pass_means(gap, evaluations)
    for state in (50, 400, 999):
        exact = sum(map(Fraction, gap[state - 9 : state + 1].tolist())) / 10
        assert means[state] == pytest.approx(float(exact), rel=1e-14)


@given(
    gap=st.lists(st.floats(1e-12, 1e3), min_size=2, max_size=60),
    rows=st.integers(1, 9),
    goal=st.floats(1e-10, 1e2),
)
def test_passes_and_arrivals_one_state_at_a_time(gap, rows, goal):
    evaluations = np.arange(len(gap)) / rows
    means = readings.pass_means(np.array(gap), evaluations)
    inside, state = False, -1
    for t in range(len(gap)):
        states = gap[max(t - rows + 1, 0) : t + 1]
        assert means[t] == pytest.approx(sum(states) / len(states), rel=1e-12)
        if means[t] > 2 * goal:
            inside, state = False, -1
        elif means[t] <= goal and not inside:
            inside, state = True, t
    assert readings.arrivals(means, np.array([goal])).tolist() == [state]


@pytest.mark.parametrize(
    ("steps", "rows", "half", "whole"),
    [
        (1, 1, (0, 0), (1, 1)),
        (2, 1, (1, 1), (2, 2)),
        (10, 1, (5, 5), (10, 10)),
        (500, 1, (226, 250), (451, 500)),
        (15, 1, (7, 7), (14, 15)),
        (40, 4, (17, 20), (37, 40)),  # a tenth of ten passes is one pass of four steps
        (3, 4, (1, 1), (1, 3)),  # less than a pass: never the start
    ],
)
def test_windows_by_hand(steps, rows, half, whole):
    evaluations = np.arange(steps + 1) / rows
    assert readings.windows(evaluations, evaluations[-1]).tolist() == [list(half), list(whole)]


def curve_of(gaps, evaluations, budget: float, failure: str | None = None):
    """Return what is known of a run with these gaps."""
    loss = lookup({"_target_": "torch.nn.MSELoss", "reduction": "mean"})
    problem = solve(synthetic(n=N, d=4, kappa=50, noise=0.3, intercept=True), loss)
    curve = Curve(len(gaps) - 1, budget, failure=failure)
    for step, (gap, spent) in enumerate(zip(gaps, evaluations, strict=True)):
        if not curve.add(step, gap, gap, spent, np.full(5, float(gap))):
            break
    return outcome(curve, problem, {"dtype": "float64"}, "all", [1e-3 / problem.scale])


def test_a_step_that_passes_the_budget_does_not_count():
    """LBFGS: 20 evaluations a step, of which 30 hold one; the last state stands until the budget's end."""
    known = curve_of([1.0, 1e-3, 1e-7, 1e-15], [0, 20, 40, 54], budget=30)
    assert known.steps_taken.tolist() == [1]
    assert known.step.tolist() == [0, 1]
    assert known.gap.tolist() == [[1.0, 1e-3]]
    assert known.level[0].tolist() == [1.0, 1e-3]
    assert known.arrivals[0, :, 0].tolist() == [np.inf, 20]
    assert known.all_evaluations.tolist() == [20]
    assert known.evaluations_per_step.tolist() == [20]


def test_a_run_that_fails_keeps_the_half_that_it_reached():
    """The optimizer raises in the fifth of six steps."""
    known = curve_of([9.0, 8, 4, 2, 1], range(5), budget=6, failure="RuntimeError: no more")
    assert known.level.tolist() == [[2, np.inf]]
    assert known.last_gap.tolist() == [[2, np.inf]]


@pytest.mark.parametrize("engine", ["fused", "reference"])
def test_a_run_that_stopped_by_itself_is_known_by_its_last_step(engine):
    """Adagrad's first step is its whole rate; a step of 1e-30 changes no bit of the weights."""
    runs = trained("optimizer=adagrad", "optimizer.lr=1e-30,0.1", "steps=5", engine=engine)
    stopped = {run["optimizer.lr"]: run["last_step_changed_nothing"] for run, _, _ in runs}
    assert stopped == {1e-30: True, 0.1: False}
