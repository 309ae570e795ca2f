"""How chosen runs go on after their budget, against the rule itself on runs of twice the budget."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rule
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

import lrbench
from lrbench.bench import beyond
from lrbench.bench.run import run_sweep
from lrbench.config import CONF
from lrbench.engines import readings
from lrbench.options import TrainOptions
from lrbench.plan import Block, Plan, plan
from lrbench.results.frames import read as frames
from lrbench.store import ResultStore
from lrbench.sweeper.request import read
from lrbench.train import go_on, train
from lrbench.tuning.choice import RISE

SYNTHETIC = ["problem=synthetic", "problem.n=30", "problem.d=4", "problem.kappa=20", "problem.noise=0.3"]


def swept(*lines: str) -> ResultStore:
    return run_sweep(read([*lines, "report=false"], multirun=True)).store


def known(store: ResultStore) -> dict[str, float]:
    table = frames.beyond(store)
    assert table is not None
    return dict(zip(table["run_id"], table["beyond"], strict=True))


def curves_of(todo: Plan, engine: str = "auto") -> Iterator[tuple[dict, np.ndarray, np.ndarray]]:
    """Yield of each run its row, its gaps and the evaluations until each."""
    for runs, curves in train(todo, TrainOptions(engine, "all", "auto")):
        for run, curve in zip(runs.to_pylist(), curves.to_pylist(), strict=True):
            yield run, np.array(curve["gap"]), np.array(curve["evaluations"])


@cache
def composed(*lines: str) -> list[Block]:
    """Return the blocks of a request: to compose so many optimizers takes longer than to train them."""
    return read([*lines], multirun=True).blocks


def of_runs(
    *lines: str, engine: str = "auto", **changes: Any
) -> dict[tuple, tuple[dict, np.ndarray, np.ndarray]]:
    """Train runs, with these settings changed; return what `curves_of` yields by optimizer, rate and seed."""
    blocks = [replace(block, base=block.base | changes) for block in composed(*lines)]
    found = curves_of(plan(blocks), engine)
    return {(run["optimizer"], run["optimizer.lr"], run["seed"]): (run, *curve) for run, *curve in found}


# ---- what is read


@given(
    gap=st.lists(st.floats(1e-12, 1e3), min_size=4, max_size=60),
    rows=st.integers(1, 9),
    share=st.floats(0.1, 0.9),
)
def test_passes_after_a_budget_one_state_at_a_time(gap, rows, share):
    """Also of two runs at once, and of the states alone that are kept for it."""
    evaluations = np.arange(len(gap)) / rows
    budget = evaluations[int(share * (len(gap) - 1))]
    means = rule.pass_means(np.array(gap), evaluations)
    wanted = max(means[evaluations > budget + 1e-9])
    both = np.array([gap, gap[::-1]])
    states = readings.going_on(evaluations, budget)
    found = readings.highest_beyond(both[:, states], evaluations[states], budget)
    assert found[0] == pytest.approx(wanted, rel=1e-9)
    assert found[0] == pytest.approx(readings.highest_beyond(both[0], evaluations, budget), rel=1e-12)


@given(gap=st.lists(st.floats(1e-12, 1e3), min_size=2, max_size=40), data=st.data())
def test_pass_means_of_uneven_steps(gap, data):
    """As a closure makes them: some passes hold more states than others."""
    costs = data.draw(st.lists(st.sampled_from([0.1, 0.3, 1, 7]), min_size=len(gap) - 1, max_size=len(gap)))
    evaluations = np.concatenate([[0], np.cumsum(costs)])[: len(gap)]
    found = readings.pass_means(np.array(gap), evaluations)
    assert found == pytest.approx(rule.pass_means(np.array(gap), evaluations), rel=1e-9, abs=1e-12)


def test_a_pass_of_many_states_takes_no_longer():
    """A thousand states a pass, a million states: in rounds over the ages it took ten seconds."""
    gap = np.abs(np.sin(np.arange(2_000_000)))
    means = readings.pass_means(gap, np.arange(2_000_000) / 1000)
    assert means[-1] == pytest.approx(gap[-1000:].mean(), rel=1e-12)


# ---- the same run until its budget


EVERY = sorted({path.stem for path in (CONF / "optimizer").glob("*.yaml")} - {"custom", "muon"})
HOW = [
    ["batch_size=null"],
    ["batch_size=null", "dtype=float32"],
    ["batch_size=7", "batch_order=shuffled"],
    ["batch_size=7", "batch_order=sequential", "loss=huber"],
    ["batch_size=7", "batch_order=replacement"],
]


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("how", HOW, ids=" ".join)
def test_twice_the_budget_begins_with_the_run_itself(how, engine):
    """Order of the rows, numbers of the steps and states: bit for bit, of every optimizer."""
    lines = [*SYNTHETIC, f"optimizer={','.join(EVERY)}", "optimizer.lr=0.05", "seed=3", *how]
    once = of_runs(*lines, engine=engine, steps=11)
    twice = of_runs(*lines, engine=engine, steps=22)
    assert once.keys() == twice.keys()
    for key, (run, gap, evaluations) in once.items():
        longer = twice[key][1:]
        assert run["engine"] == twice[key][0]["engine"]
        assert gap.tolist() == longer[0][: len(gap)].tolist(), key
        assert evaluations.tolist() == longer[1][: len(gap)].tolist(), key


@pytest.mark.parametrize("n", [21, 24, 30])
@pytest.mark.parametrize("size", [1, 4, 5, 20])
def test_twice_the_steps_are_all_that_twice_the_budget_holds(n, size):
    """A short last batch makes some steps cheaper than others."""
    from lrbench.seeds import evaluations

    for order in ("shuffled", "replacement"):
        for steps in range(1, 40):
            until = evaluations(n, size, order, 2 * steps + 1)
            twice = 2 * until[steps]
            assert until[2 * steps] <= twice + 1e-9 < until[2 * steps + 1]


# ---- against the rule


def check(store: ResultStore, *lines: str, engine: str = "auto") -> set[bool]:
    """Compare all that is stored with curves of twice the budget; return who left, by the rule."""
    problems = {row["problem_id"]: row for row in store.problems().to_pylist()}
    runs = {row["run_id"]: row for part in store.runs() for row in part.to_pylist()}
    longer = of_runs(*lines, engine=engine)
    left = set()
    found = known(store)
    assert found
    for run_id, highest in found.items():
        run = runs[run_id]
        problem = problems[run["problem_id"]]
        _, gap, evaluations = longer[run["optimizer"], run["optimizer.lr"], run["seed"]]
        target = run["relative_target"] * problem["scale"]
        floor = problem["gap_floor"]
        wanted = rule.read(gap, evaluations, run["budget"], target, floor, problem["scale"])
        assert wanted.reached
        assert (highest > 2 * max(target, floor)) == wanted.left
        later = evaluations > run["budget"] + 1e-9
        assert highest == pytest.approx(rule.pass_means(gap, evaluations)[later].max(), rel=1e-9)
        left.add(wanted.left)
    return left


RATES = "optimizer.lr=0.01,0.03,0.1"


@pytest.mark.parametrize("budget", [120, 200, 330, 500])
def test_rmsprop_passes_through_on_the_lecture(budget):
    lines = ["optimizer=rmsprop,sgd_momentum", RATES, "seed=range(6)"]
    store = swept(*lines, f"epochs={budget}")
    assert True in check(store, *lines, f"epochs={2 * budget}")


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("how", HOW, ids=" ".join)
def test_beyond_is_what_the_rule_reads(how, engine):
    lines = [*SYNTHETIC, "optimizer=adam,sgd_momentum", "optimizer.lr=0.1", *how]
    lines += ["seed=range(3)" if engine == "auto" else "seed=0", "target=0.1"]
    budget = 90 if engine == "auto" else 40
    store = swept(*lines, f"epochs={budget}", f"engine={engine}")
    check(store, *lines, f"epochs={2 * budget}", engine=engine)


def test_a_closure_that_takes_many_gradients():
    """Of LBFGS, as of all, whatever a step costs: the states within twice the budget, and no others."""
    lines = [*SYNTHETIC, "optimizer=lbfgs", "optimizer.lr=0.3", "optimizer.max_iter=3", "seed=range(4)"]
    for budget, batch in ((31, "null"), (20, "7")):
        how = [f"batch_size={batch}", "target=0.3"]
        store = swept(*lines, *how, f"epochs={budget}")
        check(store, *lines, *how, f"epochs={2 * budget}")


# ---- whose runs go on


def chosen_by_the_rule(runs: pd.DataFrame) -> set[str]:
    """Return the runs at the best setting of each optimizer in each task, by `rule.choose`."""
    task = ["problem_id", "steps", "batch_size", "batch_order", "init", "optimizer"]
    chosen = set()
    for _, own in runs.groupby(task, dropna=False):
        settings = [one for _, one in own.sort_values("seed").groupby(["optimizer.lr", "setting_id"])]
        scores = [one["score"].tolist() for one in settings]
        best = rule.choose(scores, [one["rise"].tolist() for one in settings])
        chosen |= set(settings[best]["run_id"])
    return chosen


def test_the_best_setting_of_each_optimizer_in_each_task_goes_on():
    store = swept(
        "optimizer=sgd,adam,adagrad",
        "optimizer.lr=0.001,0.01,0.1,1,100",
        "seed=range(3)",
        "steps=60,150",
        "init=torch,zeros",
        "target=1e-3",
    )
    runs = frames.runs(store)
    wanted = chosen_by_the_rule(runs)
    arrived = set(runs.loc[runs["cost_target"].notna(), "run_id"])
    assert set(known(store)) == wanted & arrived
    assert 0 < len(wanted & arrived) < len(wanted)
    reported = lrbench.load(store.root).reported
    assert set(known(store)) == set(reported.loc[reported["cost_target"].notna(), "run_id"])


def test_settings_that_tie_all_go_on():
    """Which of them is compared is decided by their names, of which nothing is known here."""
    lines = ["optimizer=sgd", "optimizer.lr=0.02", "optimizer.momentum=0.5,0.501,0.502,0.9", "target=0.1"]
    store = swept(*lines, "epochs=30")
    runs = frames.runs(store)
    best = set(runs.loc[runs["score"] == runs["score"].min(), "run_id"])
    assert 1 < len(best) < len(runs)
    assert set(known(store)) == best
    assert set(lrbench.load(store.root).reported["run_id"]) < best


def test_of_very_many_that_tie_few_go_on():
    """As where all start at the minimum."""
    rates = [k / 10_000 for k in range(1, 60)]
    asked = ",".join(map(str, rates))
    store = swept("optimizer=sgd", f"optimizer.lr={asked}", "init=[2,0]", "steps=5")
    runs = frames.runs(store).set_index("run_id")
    assert runs["score"].nunique() == 1
    assert sorted(runs.loc[list(known(store)), "optimizer.lr"]) == rates[:20]


def test_of_a_tuned_sweep_its_evaluations_go_on():
    store = swept("optimizer=sgd,rmsprop", "tune=lr", "tune.trials=8", "epochs=150")
    roles = frames.roles(store)
    runs = frames.runs(store)
    arrived = set(runs.loc[runs["cost_target"].notna(), "run_id"])
    evaluated = set(roles.loc[roles["role"] == "evaluation", "run_id"])
    assert set(known(store)) == evaluated & arrived
    assert len(known(store)) >= 10


def test_what_follows_a_schedule_does_not_go_on():
    store = swept("optimizer=sgd_momentum", "schedule=none,cosine", "seed=0,1", "epochs=400")
    runs = frames.runs(store)
    assert (runs["cost_target"].notna()).all()
    best = runs[runs["run_id"].isin(chosen_by_the_rule(runs))]
    plain = set(best.loc[best["schedule"] == "none", "run_id"])
    assert set(known(store)) == plain


def test_nobody_arrives():
    store = swept("optimizer=sgd", "optimizer.lr=1e-6", "steps=5")
    assert known(store) == {}
    assert frames.beyond(store)["beyond"].dtype.kind == "f"


def test_the_limit_is_the_default_of_a_tuned_sweep():
    assert yaml.safe_load((CONF / "tune" / "all.yaml").read_text())["rise"] == RISE


# ---- what is not finite, and what is not there


class Later(torch.optim.SGD):
    """Do what SGD does, and after 40 steps something else."""

    steps = 0

    def step(self, closure=None):
        super().step(closure)
        self.steps += 1
        if self.steps > 40:
            self.fail()

    def fail(self):
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.fill_(float("nan"))


class Refusing(Later):
    def fail(self):
        raise RuntimeError("enough")


@pytest.mark.parametrize("name", ["Later", "Refusing"])
def test_a_run_that_does_not_go_on_is_inf(name):
    custom = ["optimizer=custom", f"optimizer._target_={__name__}.{name}", "+optimizer.lr=0.05"]
    for steps, wanted in ((38, [np.inf]), (19, [])):
        store = swept(*custom, f"steps={steps}", "target=0.9")
        assert frames.runs(store)["cost_target"].notna().all()
        found = [value for value in known(store).values() if np.isinf(value)]
        assert found == wanted


def test_a_fused_run_that_does_not_go_on_is_inf():
    """Started at the minimiser, but for a rounding that grows by 10 a step."""
    lines = ["optimizer=sgd", "optimizer.lr=0.165", "init=[2.0000000001,0]", "seed=0"]
    (run,) = of_runs(*lines, "steps=8").values()
    assert run[0]["cost_target"] is not None
    growing = plan(read([*lines, "steps=8"], multirun=True).blocks)
    (table,) = go_on(growing, TrainOptions("auto", "all", "auto"))
    first = table["beyond"][0].as_py()
    long = plan(read([*lines, "steps=800"], multirun=True).blocks)
    (table,) = go_on(long, TrainOptions("auto", "all", "auto"))
    assert run[0]["level"] < first < np.inf
    assert table["beyond"][0].as_py() == np.inf


def test_no_step_ends_between_the_budget_and_twice_of_it():
    """It starts within the target, and its first step takes more than twice the budget."""
    lines = ["optimizer=lbfgs", "init=[2.1,0]", "target=0.9", "steps=1"]
    store = swept(*lines)
    (run,) = frames.runs(store).to_dict("records")
    assert (run["steps_taken"], run["cost_target"]) == (0, 1)
    assert store.beyond()["beyond"].to_pylist() == [None]
    assert np.isnan(frames.beyond(store)["beyond"].item())


# ---- the store


SWEEP = ["optimizer=rmsprop,sgd_momentum", "optimizer.lr=0.01,0.03", "seed=range(5)", "epochs=300"]


def test_a_sweep_asked_for_again_completes_what_is_missing_and_nothing_else(monkeypatch):
    request = read([*SWEEP, "report=false", "name=mine"], multirun=True)
    finished = run_sweep(request)
    store, whole = finished.store, known(finished.store)
    assert finished.trained == 20 + len(whole)
    path = store.root / "beyond.parquet"
    before = path.stat().st_mtime_ns
    assert run_sweep(request).trained == 0
    assert path.stat().st_mtime_ns == before

    asked: list[int] = []

    def counting(todo, options):
        asked.append(len(todo))
        return go_on(todo, options)

    monkeypatch.setattr(beyond, "go_on", counting)
    store.write_beyond(store.beyond().slice(2))
    assert run_sweep(request).trained == 2
    path.unlink()
    assert run_sweep(request).trained == len(whole)
    assert known(store) == whole
    assert asked == [2, len(whole)]


def test_interrupted_it_keeps_what_is_done_and_goes_on_from_there(monkeypatch):
    request = read([*SWEEP, "report=false", "name=mine", "engine=reference"], multirun=True)

    def interrupted(todo, options):
        rows = go_on(todo, options)
        yield next(rows)
        yield next(rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(beyond, "go_on", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(request)
    store = ResultStore("results/mine")
    half = known(store)
    assert len(half) == 2
    assert json.loads(Path("results/mine/manifest.json").read_text())["state"] == "interrupted"
    finished = run_sweep(request)
    whole = known(store)
    assert half.items() <= whole.items()
    assert finished.trained == len(whole) - 2
    assert store.manifest()["state"] == "complete"


def test_a_report_is_made_anew_where_it_was_missing():
    lrbench.sweep(*SWEEP, "name=mine")
    store = ResultStore("results/mine")
    assert store.is_reported()
    (store.root / "beyond.parquet").unlink()
    run_sweep(read([*SWEEP, "name=mine"], multirun=True))
    assert not store.is_reported()


def test_who_waits_is_told_the_phase():
    told: list[tuple[str, int, int]] = []
    request = read(["optimizer=sgd_momentum", "tune=lr", "tune.trials=8", "report=false"], multirun=True)
    store = run_sweep(request, lambda *now: told.append(now)).store
    names = dict.fromkeys(name for name, _, _ in told)
    assert list(names) == ["search 1 of 3", "search 2 of 3", "search 3 of 3", "evaluation", beyond.PHASE]
    count = len(known(store))
    assert told[-1] == ("beyond the budget", count, count)


def test_a_large_store_keeps_little_in_memory():
    """Chunks: of a thousand runs that go on, none is handed in alone, and none all at once."""
    lines = ["optimizer=sgd", "optimizer.lr=0.02", "seed=range(1000)", "steps=3000"]
    todo = plan(read(lines, multirun=True).blocks)
    sizes = [len(table) for table in go_on(todo, TrainOptions("auto", "all", "auto"))]
    assert sum(sizes) == 1000
    assert 1 < len(sizes) < 100
