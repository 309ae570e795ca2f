"""Theory against stored runs: every curve, edge, floor and baseline that a report shows is held against what
the engines did.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import opened, swept

from lrbench.results.frames import read
from lrbench.results.tables import attainable, predicted

DESCENT = ["optimizer=sgd,sgd_momentum,sgd_nesterov", "seed=range(5)", "steps=150", "report=false"]


@pytest.fixture(scope="module")
def descent(tmp_path_factory):
    return swept(
        tmp_path_factory.mktemp("descent"),
        "problem=synthetic",
        "problem.kappa=1e4",
        "optimizer.lr=0.01,0.1,1",
        *DESCENT,
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    lines = [
        "problem=synthetic",
        "problem.d=3",
        "problem.kappa=10",
        "optimizer=sgd",
        "optimizer.lr=0.3",
        "seed=range(400)",
        "steps=300",
        "report=false",
    ]
    return swept(
        tmp_path_factory.mktemp("drawn"),
        *lines,
        "batch_size=5",
        "batch_order=replacement",
        "loss.reduction=mean",
    )


# ---- curves


def test_the_curves_of_descent_are_those_of_the_runs(descent):
    theory = descent.predicted_curves
    assert set(theory["optimizer"]) == {"sgd", "sgd_momentum", "sgd_nesterov"}
    best = descent.entries[descent.entries["setting_id"].isin(descent.ranking["setting_id"])]
    curves = descent.curves_of(best["run_id"]).merge(best[["run_id", "optimizer"]], on="run_id")
    measured = curves.groupby(["optimizer", "evaluations"])["gap"].median()
    start = curves.loc[curves["step"] == 0, "gap"].max()
    for row in theory.itertuples():
        assert abs(row.gap - measured[row.optimizer, row.evaluations]) <= 1e-12 * start


@pytest.mark.parametrize(
    "changes",
    [["optimizer.weight_decay=0.1"], ["schedule=cosine"], ["batch_size=10"], ["loss=huber"]],
    ids=str,
)
def test_no_curve_where_no_theorem_holds(tmp_path, changes):
    results = swept(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.1",
        "steps=20",
        "report=false",
        *changes,
    )
    assert results.predicted_curves.empty
    assert results.stability_edges.empty or changes == ["schedule=cosine"]


def test_the_expected_gap_is_the_mean_over_many_draws(drawn):
    theory, runs = drawn.predicted_curves, drawn.entries
    curves = drawn.curves_of(runs["run_id"])
    gaps = curves.pivot(index="evaluations", columns="run_id", values="gap")
    error = gaps.std(axis=1) / np.sqrt(gaps.shape[1])
    shown = theory.set_index("evaluations")["gap"].iloc[1:]
    # the theory averages over 100 of the 400 starts, so its own mean over starts varies too
    off = np.abs(shown - gaps.mean(axis=1).reindex(shown.index))
    assert (off < 5 * error.reindex(shown.index) + 0.1 * shown).all()
    (floor,) = drawn.noise_floors["gap"]
    tail = gaps.iloc[-150:].to_numpy().mean(axis=0)
    assert abs(tail.mean() - floor) < 4 * tail.std() / np.sqrt(len(tail))


def test_the_median_is_over_all_starts_however_many(tmp_path):
    results = swept(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.5",
        "seed=range(150)",
        "steps=20",
        "report=false",
    )
    measured = results.curves.groupby("evaluations")["gap"].median()
    for row in results.predicted_curves.itertuples():
        assert row.gap == pytest.approx(measured[row.evaluations], rel=1e-9)


def test_a_class_given_without_its_defaults_has_them(tmp_path):
    lines = ["problem=synthetic", "init=zeros", "steps=20", "report=false"]
    own = ["optimizer=custom", "optimizer._target_=torch.optim.SGD", "+optimizer.lr=0.1"]
    named = swept(tmp_path, *lines, "optimizer=sgd", "optimizer.lr=0.1")
    custom = swept(tmp_path, *lines, *own)
    for frame in ("predicted_curves", "stability_edges"):
        of_named, of_custom = (getattr(one, frame).drop(columns="optimizer") for one in (named, custom))
        pd.testing.assert_frame_equal(of_named, of_custom)


def test_an_optimizer_that_failed_has_no_theory(tmp_path):
    results = swept(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd_nesterov",
        "optimizer.momentum=0",
        "steps=5",
        "report=false",
    )
    assert (results.runs["status"] == "failed").all()
    assert results.predicted_curves.empty
    assert results.stability_edges.empty
    assert results.impossible.empty


# ---- edges


@pytest.mark.parametrize("optimizer", ["sgd", "sgd_momentum", "sgd_nesterov"])
def test_edges_are_bracketed_by_runs_within_one_percent(tmp_path, optimizer):
    lines = ["problem=synthetic", f"optimizer={optimizer}", "init=zeros", "report=false"]
    (edge,) = swept(tmp_path, *lines, "optimizer.lr=0.1", "steps=10").stability_edges["lr"]
    runs = swept(
        tmp_path, *lines, f"optimizer.lr={0.99 * edge},{1.01 * edge}", "steps=20000", "record=2"
    ).runs.sort_values("optimizer.lr")
    assert list(runs["status"]) == ["completed", "diverged"]
    assert runs["final_gap"].iloc[0] < runs["start_gap"].iloc[0] / 100


def test_the_mean_square_edge_is_bracketed_by_runs(drawn, tmp_path):
    (edge,) = drawn.stability_edges["lr"]
    lines = [
        "problem=synthetic",
        "problem.d=3",
        "problem.kappa=10",
        "optimizer=sgd",
        "seed=range(200)",
        "steps=2000",
        "report=false",
        "record=2",
    ]
    lrs = f"optimizer.lr={0.8 * edge},{1.5 * edge}"
    runs = swept(tmp_path, *lines, lrs, "batch_size=5", "batch_order=replacement").runs
    means = runs.groupby("optimizer.lr")["final_gap"].mean()
    assert means.iloc[0] < 10
    assert means.iloc[1] > 1e6


def test_momentum_of_1_has_no_edge(tmp_path):
    lines = [
        "problem=synthetic",
        "optimizer=sgd_momentum",
        "optimizer.lr=0.1",
        "optimizer.momentum=1",
        "steps=5",
        "report=false",
    ]
    assert swept(tmp_path, *lines).stability_edges.empty


# ---- conjugate gradients and the alarm


def test_nothing_is_below_conjugate_gradients(descent):
    least = descent.least_possible.set_index("evaluations")["gap"]
    curves = descent.curves.merge(descent.entries[["run_id"]], on="run_id")
    medians = curves[curves["evaluations"] <= least.index.max()].groupby("evaluations")["gap"].min()
    assert (np.diff(least) <= 0).all()
    assert medians[1.0] < least[0.0]
    assert descent.impossible.empty


HONEST = [
    "optimizer=sgd,sgd_momentum,sgd_nesterov,adam,rprop,lbfgs",
    "optimizer.lr=0.1,1",
    "seed=range(2)",
    "report=false",
]


@pytest.mark.parametrize(
    "changes",
    [
        [],
        ["batch_size=1"],
        ["dtype=float32"],
        ["problem.kappa=1e8", "problem.duplicates=2"],
        ["loss.l2=0.1", "problem.intercept=true"],
    ],
    ids=str,
)
def test_the_alarm_is_silent_for_honest_runs(tmp_path, changes):
    assert swept(tmp_path, "problem=synthetic", "steps=40", *HONEST, *changes).impossible.empty


def test_the_alarm_is_silent_for_weight_decay(tmp_path):
    lines = [
        "problem=synthetic",
        "optimizer=sgd,adamw,lbfgs",
        "sweep.optimizer.sgd.weight_decay=0.5",
        "steps=50",
        "report=false",
    ]
    assert swept(tmp_path, *lines).impossible.empty


def test_the_alarm_sees_every_run_however_many_are_read_at_once(tmp_path, monkeypatch):
    results = swept(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.1,0.2,0.3",
        "seed=range(2)",
        "steps=10",
        "report=false",
    )
    monkeypatch.setattr(attainable, "BELOW", np.inf)  # so that every honest run rings
    monkeypatch.setattr(read, "MOST_READ", 2)
    states = results.impossible
    assert set(states["run_id"]) == set(results.runs["run_id"])
    assert set(states["optimizer"]) == {"sgd"}


@pytest.mark.parametrize("factor", [0.9, 0.1])
def test_the_alarm_rings_for_a_curve_that_is_too_good(tmp_path, factor):
    results = swept(
        tmp_path, "problem=synthetic", "optimizer=sgd,adam", "optimizer.lr=0.1", "steps=30", "report=false"
    )
    least = results.least_possible.set_index("evaluations")["gap"]
    for path in (results.store.root / "curves").glob("*.parquet"):
        table = pq.read_table(path)
        gaps = table["gap"].to_pylist()
        for curve in gaps:
            curve[4] = factor * least[4.0]
        column = table.schema.get_field_index("gap")
        pq.write_table(table.set_column(column, "gap", pa.array(gaps)), path)
    (state,) = opened(results.store.root).impossible.to_dict("records")
    assert (state["task"], state["optimizer"], state["setting"]) == ("synthetic", "sgd", "lr=0.1")
    assert (state["seed"], state["step"]) == (0, 4)
    assert state["gap"] == factor * state["least"] == factor * least[4.0]


# ---- baselines


def test_no_tuned_descent_beats_the_oracle(tmp_path):
    lines = ["problem=synthetic", "problem.kappa=1000", "steps=60", "report=false", "init=zeros"]
    grid = ",".join(f"{lr:.6g}" for lr in np.geomspace(0.3, 8, 600))
    momenta = ",".join(f"{m:.4g}" for m in np.linspace(0, 0.98, 50))
    descent = swept(tmp_path, *lines, "optimizer=sgd", f"optimizer.lr={grid}", "record=2")
    found = descent.baselines.set_index("method")
    best = descent.runs["final_gap"].min()
    oracle = found.loc["gradient descent, oracle at this budget"]
    assert oracle["gap"] <= best * (1 + 1e-6)
    assert best < 1.01 * oracle["gap"]
    coarse = ",".join(f"{lr:.6g}" for lr in np.geomspace(0.3, 4, 100))
    heavy = swept(
        tmp_path,
        *lines,
        "optimizer=sgd_momentum",
        f"optimizer.lr={coarse}",
        f"optimizer.momentum={momenta}",
        "record=2",
    )
    assert found.loc["heavy ball, oracle at this budget", "gap"] <= heavy.runs["final_gap"].min() * (1 + 1e-6)
    least = found.loc["conjugate gradients", "gap"]
    assert (found["gap"] >= least * (1 - 1e-9)).all()


def test_the_oracle_is_what_a_run_with_its_constants_reaches(tmp_path):
    lines = ["problem=synthetic", "steps=40", "report=false", "init=zeros"]
    found = swept(tmp_path, *lines, "optimizer=sgd").baselines.set_index("method")
    for method, row in found.drop("conjugate gradients").iterrows():
        run = swept(
            tmp_path,
            *lines,
            "optimizer=sgd_momentum",
            f"optimizer.lr={row['lr']!r}",
            f"optimizer.momentum={row['momentum']!r}",
        ).runs.iloc[0]
        assert run["final_gap"] == pytest.approx(row["gap"], rel=1e-9), method


# ---- tables and figures


def test_limits_are_the_formulas(descent):
    (task,) = descent.tasks.to_dict("records")
    rows = descent.limits.set_index("method")
    L, mu = task["L"], task["mu"]
    assert rows.loc["gradient descent", "lr"] == pytest.approx(2 / (L + mu))
    assert rows.loc["heavy ball", "momentum"] == pytest.approx(
        ((np.sqrt(L / mu) - 1) / (np.sqrt(L / mu) + 1)) ** 2
    )
    assert rows.loc["gradient descent", "largest lr"] == pytest.approx(2 / L)
    steps = rows.loc["gradient descent", "steps to a tenth"]
    rate = (L - mu) / (L + mu)
    assert rate**steps <= 0.1 < rate ** (steps - 1)


@pytest.mark.parametrize("kappa", [1e18, 1e48])
def test_a_rate_that_rounds_to_1_has_its_steps(kappa):
    """An error that shrinks by 1 - h a step is a tenth after ln 10 / h steps, for small h."""
    task = {"task": "t", "L": 1.0, "mu": 1 / kappa, "quadratic": True, "eigenvectors": (), "batch_size": None}
    rows = predicted.limits(pd.DataFrame([task])).set_index("method")
    lags = {
        "gradient descent": 2 / kappa,
        "heavy ball": 2 / np.sqrt(kappa),
        "Nesterov": 2 / np.sqrt(3 * kappa),
    }
    for method, lag in lags.items():
        assert rows.loc[method, "steps to a tenth"] == pytest.approx(np.log(10) / lag, rel=1e-6)


def test_of_one_curvature_a_step_is_enough(tmp_path):
    """Of engel, standardized with one feature, L and mu differ in their last digit."""
    results = swept(tmp_path, "problem=engel", "optimizer=sgd", "optimizer.lr=0.1", "steps=5", "report=false")
    rows = results.limits
    assert rows["steps to a tenth"].tolist() == [1, 1, 1]
    assert rows["momentum"].tolist() == [0, 0, 0]


def test_first_steps_are_those_of_the_runs(tmp_path):
    lines = [
        "problem=diabetes",
        "optimizer=sgd,adam,rmsprop,adagrad,adadelta,rprop,radam",
        "steps=1",
        "init=zeros",
        "report=false",
    ]
    results = swept(tmp_path, *lines)
    weights = results.runs.set_index("optimizer")[[f"w_{j}" for j in range(11)]].abs().max(axis=1)
    for row in results.first_steps.itertuples():
        assert row[4] == pytest.approx(weights[row.optimizer], rel=1e-9)


def test_frames_have_no_rows_without_theory(tmp_path):
    results = swept(tmp_path, "problem=iris", "optimizer=sgd", "steps=5", "report=false")
    for frame in (
        results.predicted_curves,
        results.least_possible,
        results.stability_edges,
        results.noise_floors,
        results.limits,
        results.baselines,
    ):
        assert isinstance(frame, pd.DataFrame)
        assert frame.empty
