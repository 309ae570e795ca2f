"""The fused engine against the reference engine, and against itself: a run has the same bits in whatever
company it is trained.
"""

import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrbench.engines import fused
from lrbench.engines.curve import Curve
from lrbench.engines.outcome import TARGETS, recorded_steps
from lrbench.engines.readings import pass_means
from lrbench.engines.reference import train as train_reference
from lrbench.options import TrainOptions
from lrbench.plan import Block, Plan, plan
from lrbench.problems.solve import Problem
from lrbench.seeds import evaluations, start
from lrbench.sweeper.request import read
from lrbench.train import train

RULES = [
    "sgd",
    "sgd_momentum",
    "sgd_nesterov",
    "adam",
    "adam_amsgrad",
    "adamw",
    "adamax",
    "nadam",
    "radam",
    "rmsprop",
    "rmsprop_centered",
]
RULES += ["adagrad", "adadelta", "rprop", "asgd"]
SYNTHETIC = {
    "_target_": "lrbench.problems.synthetic",
    "n": 30,
    "d": 4,
    "kappa": 50.0,
    "noise": 0.3,
    "intercept": True,
}
LECTURE = {"_target_": "lrbench.problems.lecture", "intercept": True}
PROBLEMS = {"synthetic": SYNTHETIC, "lecture": LECTURE}
HOW = {
    "full": {"batch_size": None},
    "shuffled": {
        "batch_size": {"synthetic": 7, "lecture": 2},
        "batch_order": "shuffled",
    },  # both with a short last batch
    "sequential": {"batch_size": {"synthetic": 7, "lecture": 2}, "batch_order": "sequential"},
    "replacement": {"batch_size": {"synthetic": 7, "lecture": 2}, "batch_order": "replacement"},
}
ALL_STATES = TrainOptions("fused", record="all", target=1e-6)
# what is read of each run's own curve, and differs wildly where two curves differ a little: test_readings.py
READ = ("level", "half_level", "score", "half_score", "cost_", "half_cost_", "fingerprint", "last_step_")
STEPS = 60
ROUNDINGS = 1000  # by which two correct runs may differ: up to 20 a step


@cache
def bases() -> dict[str, Block]:
    return {
        block.choices["optimizer"]: block
        for block in read([f"optimizer={','.join(RULES)}"], multirun=True).blocks
    }


def block(optimizer, problem, axes=(), **changes) -> Block:
    base = {path: value for path, value in bases()[optimizer].base.items() if not path.startswith("problem.")}
    base |= {f"problem.{key}": value for key, value in problem.items()}
    base |= {"steps": STEPS, "predict": None, "loss.reduction": "sum" if problem is LECTURE else "mean"}
    return Block(bases()[optimizer].choices, base | changes, list(axes))


def blocks(problem, how, lrs, optimizers=RULES, **changes) -> list[Block]:
    settings = HOW[how] | {"batch_size": HOW[how]["batch_size"] and HOW[how]["batch_size"][problem]}
    return [
        block(name, PROBLEMS[problem], [{"optimizer.lr": list(lrs)}], **settings | changes)
        for name in optimizers
    ]


def trained(todo: Plan, engine: str, **options) -> dict[str, dict]:
    """run_id -> everything that is stored of the run."""
    rows = train(todo, ALL_STATES._replace(engine=engine, **options))
    parts = [(runs.to_pylist(), curves.to_pylist()) for runs, curves in rows]
    return {
        run["run_id"]: run | {"all_evaluations": run["evaluations"]} | curve
        for runs, curves in parts
        for run, curve in zip(runs, curves, strict=True)
    }


def deviation(here, there, weights_size) -> float:
    """The largest difference of two gaps, as a share of the largest so far (the start's, where a run does not
    climb), or of the last weights.
    """
    (gap, w), (reference, w_reference) = (
        (np.array(run["gap"]), np.array(run["weights"], float)) for run in (here, there)
    )
    both = np.isfinite(gap) & np.isfinite(reference)
    if not both.any():
        return 0.0
    size = np.maximum.accumulate(reference[both])
    of_gap = np.max(np.abs(gap[both] - reference[both]) / np.where(size > 0, size, 1))
    return float(max(of_gap, np.abs(w - w_reference).max() / max(weights_size, np.abs(w_reference).max())))


def sensitivity(problem, run, weights_size) -> float:
    """What the reference engine itself makes of data that are one rounding off: the most of three draws."""
    data, eps, rng = problem.data, np.finfo(run["dtype"]).eps, np.random.default_rng(0)

    def curve(problem) -> dict:
        how = (problem.data.n, run["batch_size"], run["batch_order"], run["steps"])
        one = Curve(run["steps"], evaluations(*how)[-1])
        with np.errstate(all="ignore"):
            train_reference(problem, run, one)
        return vars(one)

    def rounded(values):
        return values * (1 + eps * rng.choice([-1, 0, 1], values.shape))

    draws = [replace(problem, data=replace(data, X=rounded(data.X), y=rounded(data.y))) for _ in range(3)]
    return max(deviation(curve(draw), curve(problem), weights_size) for draw in draws)


def differences(todo: Plan) -> tuple[list, set]:
    """Train a plan with both engines: what differs without reason, and (optimizer, lr) of the runs that are
    chaotic.

    A run may deviate by ROUNDINGS (of weights that may be much larger than what is left of them, w - w*), or
    by 10 times what one rounding of its data does to the reference engine. Where that one rounding does more
    than ROUNDINGS^2 there is nothing to compare.
    """
    ours, theirs, wrong, chaotic = trained(todo, "fused"), trained(todo, "reference"), [], set()
    assert ours.keys() == theirs.keys()
    for group, row in ((one, row) for one in todo.groups for row in range(len(one))):
        run, problem, run_id = group.run(row), todo.problems[group.problem_id], group.run_id[row].decode()
        here, there, eps = ours[run_id], theirs[run_id], float(np.finfo(run["dtype"]).eps)
        assert (here.pop("engine"), there.pop("engine")) == ("fused", "reference")
        bar = (
            ROUNDINGS
            * eps
            * max(1, np.sqrt(problem.L / 2) * np.linalg.norm(problem.w_star) / np.sqrt(there["gap"][0] or 1))
        )
        size = np.abs(
            [*problem.w_star, *start(run["init"], run["seed"], problem.data.d, problem.data.p)]
        ).max()
        if deviation(here, there, size) > bar:
            if (one := sensitivity(problem, run, size)) > ROUNDINGS**2 * eps:
                chaotic.add((there["optimizer"], run["optimizer.lr"]))
                continue
            bar = max(bar, 10 * one)
        for key in [key for key in there if key.startswith(READ)]:
            del here[key], there[key]
        same = Same(bar, run["dtype"] == "float64", problem, there, size)
        wrong += [
            (there["optimizer"], run["optimizer.lr"], key, here[key], value)
            for key, value in there.items()
            if not same(key, here[key], value)
        ]
    return wrong, chaotic


@dataclass
class Same:
    """Says whether the engines agree on a column of the store: floats within `bar` of the largest so far, all
    else exactly.

    In float32 the step at which a gap passes a level may differ, too: by one for the largest float32, as it
    grows by more than `bar` a step; for a target as far as the gap is within `bar` of it.
    """

    bar: float
    exact: bool
    problem: Problem
    run: dict
    weights_size: float

    def __call__(self, key, here, there) -> bool:
        if here is None or there is None:
            return here is there
        gap, finite = np.array(self.run["gap"]), np.isfinite(self.run["gap"])
        so_far = np.maximum.accumulate(np.where(finite, gap, 0)) + self.problem.loss_star
        if key in ("gap", "loss"):
            both = finite & np.isfinite(here)
            off = np.abs(np.array(here)[both] - np.array(there)[both])
            return (finite != np.isfinite(here)).sum() <= (not self.exact) and bool(
                (off <= 2 * self.bar * so_far[both]).all()
            )
        if key == "weights":
            return np.abs(np.subtract(here, there)).max() <= self.bar * max(
                self.weights_size, np.abs(there).max()
            )
        if isinstance(there, float) and key.startswith(("start_", "final_", "last_", "rise")):
            size = 1 + there if key == "rise" else so_far[-1]
            return np.array_equal(here, there, equal_nan=True) or abs(here - there) <= 2 * self.bar * size
        if key == "evaluations":
            return np.array_equal(np.array(here)[finite], np.array(there)[finite])
        if self.exact:
            return here == there
        if key == "first_bad_step":
            return abs(here - there) <= 1
        if key == "reason":
            return here.rpartition(" ")[0] == there.rpartition(" ")[0]
        if key.startswith(("steps_to_", "evaluations_to_")):
            level = self.problem.scale * (
                ALL_STATES.target if key.endswith("target") else float(key.rpartition("_")[2])
            )
            steps = self.run["evaluations"] if key.startswith("eval") else self.run["step"]
            means = pass_means(gap, np.array(self.run["evaluations"]))
            early, late = (
                steps[np.argmax(means <= level + sign * 2 * self.bar * so_far[-1])] for sign in (1, -1)
            )
            return early <= here and (here <= late or not (means <= level - 2 * self.bar * so_far[-1]).any())
        return here == there


# ---- against the reference engine

LRS = {"full": (0.03, 1, 100), "shuffled": (1e-3, 100), "sequential": (0.3, 10), "replacement": (0.01, 30)}
# From these rates on they leap over the minimum, and divide what is rounded there by the root of a tiny mean:
# 500 and 100 times their defaults. Which runs are chaotic then is a matter of the machine's own rounding.
CHAOTIC = {"nadam": 1, "adadelta": 100}


def beyond_reason(chaotic: set) -> list:
    """Return the chaotic runs whose rate does not explain it."""
    return [(optimizer, lr) for optimizer, lr in chaotic if lr < CHAOTIC.get(optimizer, np.inf)]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_rule_float64(problem, how):
    wrong, chaotic = differences(plan(blocks(problem, how, LRS[how], seed=3)))
    assert not wrong
    assert not beyond_reason(chaotic)


@pytest.mark.parametrize("how", ["full", "shuffled"])
def test_every_rule_float32(how):
    wrong, chaotic = differences(plan(blocks("synthetic", how, (0.03, 10), dtype="float32", seed=3)))
    assert not wrong
    assert not beyond_reason(chaotic)


def table(path, X, y, **settings):
    np.savetxt(
        path,
        np.column_stack([X, y]),
        fmt="%.17g",
        delimiter=",",
        comments="",
        header=",".join([f"x{j}" for j in range(X.shape[1])] + ["y"]),
    )
    return {
        "_target_": "lrbench.problems.csv",
        "path": str(path),
        "target": "y",
        "standardize": False,
        "intercept": True,
    } | settings


def normal(n, d, copies=(), **settings):
    rng = np.random.default_rng(n + d)
    X = rng.normal(size=(n, d))
    for one, other in copies:
        X[:, other] = X[:, one]
    return X, X @ rng.normal(size=d) + 0.5 + 0.1 * rng.normal(size=n), settings


ODD = {
    "a column twice": normal(20, 4, [(1, 3)]),
    "two columns twice, no intercept": normal(20, 5, [(0, 4), (1, 2)], intercept=False),
    "a zero column": (*normal(12, 2)[:2], {}),
    "n < p": normal(3, 7),
    "n = 1": normal(1, 2),
    **{f"p = {p}": normal(20, p, intercept=False) for p in (1, 2, 3, 5)},
    "p = 13": normal(40, 12),
}
ODD["a zero column"][0][:, 1] = 0


@pytest.mark.parametrize("how", ["full", "shuffled"])
@pytest.mark.parametrize("name", [*ODD, "kappa = 1e10"])
def test_problems_of_every_shape(name, how, tmp_path):
    X, y, settings = ODD.get(name, normal(20, 6))
    problem = table(tmp_path / "data.csv", X, y, **settings)
    if name == "kappa = 1e10":
        problem = SYNTHETIC | {"kappa": 1e10, "intercept": False, "d": 6}
    batch = {
        "batch_size": None if how == "full" or len(y) == 1 else min(7, len(y) - 1),
        "batch_order": "shuffled",
    }
    inits = {"init": ["torch", "zeros", [0.25 * (-1) ** j for j in range(X.shape[1] + problem["intercept"])]]}
    todo = plan(
        block(one, problem, [inits], steps=40, **batch, **{"optimizer.lr": 0.05})
        for one in ("sgd_momentum", "adam", "adagrad")
    )
    wrong, chaotic = differences(todo)
    assert not wrong
    assert not chaotic


def test_a_start_at_the_minimum_and_beyond_the_range():
    """No step to make; a start whose loss overflows at once; one that float32 does not hold."""
    changes = {"steps": 5, "optimizer.lr": 0.01}
    double = {"init": [[2, 0], [1e200, 0], [1e308, 1e308]]}
    single = {"init": [[2, 0], [1e20, 0], [1e39, 0]]}
    of_double = block("sgd", LECTURE, [double], **changes)
    of_single = block("sgd", LECTURE, [single], dtype="float32", **changes)
    todo = plan([of_double, of_single])
    wrong, _ = differences(todo)
    assert not wrong


def test_evaluations_stand_still_where_a_run_ends():
    todo = plan(blocks("synthetic", "full", [100], ["sgd"]))
    ((ours,), (theirs,)) = (trained(todo, engine).values() for engine in ("fused", "reference"))
    assert ours["evaluations"] == theirs["evaluations"]


# ---- the same run, the same bits


def bits(run: dict) -> dict:
    """All that is stored of a run, floats by their bits."""
    return {
        key: np.array(value, dtype=float).tobytes() if isinstance(value, float | list) else value
        for key, value in run.items()
    }


def of(optimizer, how, dtype, lrs, seeds) -> Plan:
    (one,) = blocks("synthetic", how, lrs, [optimizer], dtype=dtype, steps=30)
    return plan([Block(one.choices, one.base, [*one.axes, {"seed": list(seeds)}])])


LADDER = [
    1e-3,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    10.0,
    100.0,
    1e6,
]  # in the same sweep, runs that diverge at every step


@cache
def in_a_big_sweep(optimizer, how, dtype) -> dict[str, dict]:
    return {
        run_id: bits(run)
        for run_id, run in trained(of(optimizer, how, dtype, LADDER, range(6)), "fused").items()
    }


def differing(some, whole) -> list:
    """The columns of runs that are not bit for bit those of the same runs in another sweep."""
    return [
        (run_id, key)
        for run_id, run in some.items()
        for key, value in bits(run).items()
        if value != whole[run_id][key]
    ]


# how chunks and tiles are cut, and by how many threads they are worked on
PACKING = st.fixed_dictionaries(
    {
        "WIDTHS": st.sampled_from([(8,), (64,), (8, 64, 256)]),
        "CHUNK": st.sampled_from([1, 3, 16384]),
        "CHUNK_BYTES": st.sampled_from([1, 2**26]),
        "processors": st.sampled_from([lambda: 1, lambda: 2, lambda: 3]),
    }
)


@given(
    rule=st.sampled_from(
        [("sgd", "float64"), ("adam_amsgrad", "float64"), ("adam_amsgrad", "float32"), ("rprop", "float64")]
    ),
    how=st.sampled_from([*HOW]),
    lrs=st.lists(st.sampled_from(LADDER), min_size=1, max_size=4, unique=True),
    seeds=st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True),
    packing=PACKING,
    shuffle=st.randoms(),
)
@settings(max_examples=25, deadline=None)
def test_a_run_has_the_same_bits_in_any_company(rule, how, lrs, seeds, packing, shuffle):
    whole = in_a_big_sweep(rule[0], how, rule[1])
    todo = of(rule[0], how, rule[1], lrs, seeds)
    (group,) = todo.groups
    rows = shuffle.sample(range(len(group)), shuffle.randint(1, len(group)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in packing.items():
            patch.setattr(fused, name, value)
        some = trained(Plan([group.take(np.array(rows))], todo.problems, []), "fused")
    assert len(some) == len(rows)
    assert not differing(some, whole)


@pytest.mark.parametrize("rule", RULES)
def test_a_run_alone_has_the_bits_it_has_in_a_big_sweep(rule):
    """72 runs side by side, some of which are long inf; and a few of them, in a tile of another width, for
    which the rule is compiled anew.
    """
    whole = in_a_big_sweep(rule, "full", "float64")
    assert len(whole) == 72
    for lr, seed in product((0.01, 1.0, 1e6), (0, 5)):
        assert not differing(trained(of(rule, "full", "float64", [lr], [seed]), "fused"), whole)


# ---- what is recorded, and when work ends


@pytest.mark.parametrize("record", [2, 7, 100, 101, 5000])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sparse_records_are_those_of_all_steps(record, dtype):
    """The states that are kept, and hits, peak and first bad step as they are counted at every step."""
    todo = plan(blocks("synthetic", "full", [0.5, 30], ["sgd", "adam"], dtype=dtype))
    every, some = trained(todo, "fused"), trained(todo, "fused", record=record)
    step = recorded_steps(STEPS, record)
    for run_id, run in some.items():
        assert run["step"] == step.tolist()
        lists = ("step", "gap", "loss", "evaluations")
        assert [run[key] for key in lists[1:3]] == [
            np.array(every[run_id][key])[step].tolist() for key in lists[1:3]
        ]
        assert {key: value for key, value in run.items() if key not in lists} == {
            key: every[run_id][key] for key in run if key not in lists
        }


def test_targets_in_any_order_and_often():
    (group,) = plan(blocks("synthetic", "full", [0.3, 0.9], ["sgd"], steps=2000)).groups
    problem = plan(blocks("synthetic", "full", [0.3], ["sgd"])).problems[group.problem_id]
    ((rule, chunk),) = fused.chunks(group, problem, 101)

    def hits_of(targets):
        kept = fused.Kept(np.arange(2001), targets)
        return fused.train(rule, chunk, problem, kept, stop=np.zeros(1, np.int64)).hits

    hits = hits_of(TARGETS)
    order = [3, 0, 7, 3, 5]
    assert np.array_equal(hits_of([TARGETS[i] for i in order]), hits[:, order])
    assert (hits[:, :3] > 0).all()


def test_stop_ends_a_long_run_at_once():
    todo = plan(blocks("synthetic", "full", [0.3], ["sgd"], steps=2_000_000))
    ((rule, chunk),) = fused.chunks(todo.groups[0], *todo.problems.values(), 2)
    kept = fused.Kept(np.array([0, 1, 2_000_000]), TARGETS)
    outcome = fused.train(rule, chunk, *todo.problems.values(), kept, stop=np.ones(1, np.int64))
    assert np.isfinite(outcome.gap[:, 0]).all()
    assert np.isinf(outcome.gap[:, 1:]).all()


def test_a_sweep_that_is_given_up_stops_its_threads():
    lrs = np.linspace(0.1, 0.9, 40).tolist()
    rows = train(plan(blocks("synthetic", "full", [0.3], ["sgd"], steps=1)), ALL_STATES)
    next(rows)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WIDTHS": (8,), "CHUNK": 8, "CHUNK_BYTES": 1}.items():
            patch.setattr(fused, name, value)
        calls, whole = [], fused.train
        patch.setattr(fused, "train", lambda *arguments: calls.append(arguments[-1]) or whole(*arguments))
        rows = train(plan(blocks("synthetic", "full", lrs, ["sgd"], steps=1000)), ALL_STATES)
        next(rows)
        rows.close()
    assert calls
    assert all(stop[0] == 1 for stop in calls)


def test_no_torch_where_all_runs_are_fused(tmp_path):
    program = """
import sys
from lrbench.cli import main
code = main(["-m", "optimizer=sgd,adam", "optimizer.lr=0.01,0.1", "steps=20", "report=false", "name=x"])
assert code == 0, code
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
