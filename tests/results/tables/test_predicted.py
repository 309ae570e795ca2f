"""Theory against stored runs: every curve, edge, floor and baseline that a report shows is held against what the engines did."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lrbench
from lrbench.results import expected, figures
from lrbench.results.text import number

DESCENT = ["optimizer=sgd,sgd_momentum,sgd_nesterov", "seed=range(5)", "steps=150", "report=false"]


def sweep(folder, *lines):
    return lrbench.sweep(*lines, f"results_dir={folder}")


@pytest.fixture(scope="module")
def descent(tmp_path_factory):
    return sweep(
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
    return sweep(
        tmp_path_factory.mktemp("drawn"),
        *lines,
        "batch_size=5",
        "batch_order=replacement",
        "loss.reduction=mean",
    )


# ---- curves


def test_the_curves_of_descent_are_those_of_the_runs(descent):
    theory = expected.curves(descent)
    assert set(theory["optimizer"]) == {"sgd", "sgd_momentum", "sgd_nesterov"}
    best = descent.entries[descent.entries["setting_id"].isin(descent.ranking["setting_id"])]
    curves = descent.curves_of(best["run_id"]).merge(best[["run_id", "name"]], on="run_id")
    measured = curves.groupby(["name", "evaluations"])["gap"].median()
    start = curves.loc[curves["step"] == 0, "gap"].max()
    for row in theory.itertuples():
        assert abs(row.gap - measured[row.optimizer, row.evaluations]) <= 1e-12 * start


@pytest.mark.parametrize(
    "changes",
    [["optimizer.weight_decay=0.1"], ["schedule=cosine"], ["batch_size=10"], ["loss=huber"]],
    ids=str,
)
def test_no_curve_where_no_theorem_holds(tmp_path, changes):
    results = sweep(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.1",
        "steps=20",
        "report=false",
        *changes,
    )
    assert expected.curves(results).empty
    assert expected.edges(results).empty or changes == ["schedule=cosine"]


def test_the_expected_gap_is_the_mean_over_many_draws(drawn):
    theory, runs = expected.curves(drawn), drawn.entries
    curves = drawn.curves_of(runs["run_id"])
    gaps = curves.pivot(index="evaluations", columns="run_id", values="gap")
    error = gaps.std(axis=1) / np.sqrt(gaps.shape[1])
    shown = theory.set_index("evaluations")["gap"].iloc[1:]
    # the theory averages over 100 of the 400 starts, so its own mean over starts varies too
    assert (
        np.abs(shown - gaps.mean(axis=1).reindex(shown.index)) < 5 * error.reindex(shown.index) + 0.1 * shown
    ).all()
    (floor,) = expected.noise_floors(drawn)["gap"]
    tail = gaps.iloc[-150:].to_numpy().mean(axis=0)
    assert abs(tail.mean() - floor) < 4 * tail.std() / np.sqrt(len(tail))


def test_the_median_is_over_all_starts_however_many(tmp_path):
    results = sweep(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.5",
        "seed=range(150)",
        "steps=20",
        "report=false",
    )
    measured = results.curves.groupby("evaluations")["gap"].median()
    for row in expected.curves(results).itertuples():
        assert row.gap == pytest.approx(measured[row.evaluations], rel=1e-9)


def test_a_class_given_without_its_defaults_has_them(tmp_path):
    lines = ["problem=synthetic", "init=zeros", "steps=20", "report=false"]
    own = ["optimizer=custom", "optimizer._target_=torch.optim.SGD", "+optimizer.lr=0.1"]
    named, custom = (
        sweep(tmp_path, *lines, *optimizer) for optimizer in (["optimizer=sgd", "optimizer.lr=0.1"], own)
    )
    for frame in (expected.curves, expected.edges):
        pd.testing.assert_frame_equal(
            frame(named).drop(columns="optimizer"), frame(custom).drop(columns="optimizer")
        )


def test_an_optimizer_that_failed_has_no_theory(tmp_path):
    results = sweep(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd_nesterov",
        "optimizer.momentum=0",
        "steps=5",
        "report=false",
    )
    assert (results.runs["status"] == "failed").all()
    assert expected.curves(results).empty
    assert expected.edges(results).empty
    assert expected.alarms(results) == []


# ---- edges


@pytest.mark.parametrize("optimizer", ["sgd", "sgd_momentum", "sgd_nesterov"])
def test_edges_are_bracketed_by_runs_within_one_percent(tmp_path, optimizer):
    lines = ["problem=synthetic", f"optimizer={optimizer}", "init=zeros", "report=false"]
    (edge,) = expected.edges(sweep(tmp_path, *lines, "optimizer.lr=0.1", "steps=10"))["lr"]
    runs = sweep(
        tmp_path, *lines, f"optimizer.lr={0.99 * edge},{1.01 * edge}", "steps=20000", "record=2"
    ).runs.sort_values("optimizer.lr")
    assert list(runs["status"]) == ["completed", "diverged"]
    assert runs["final_gap"].iloc[0] < runs["start_gap"].iloc[0] / 100


def test_the_mean_square_edge_is_bracketed_by_runs(drawn, tmp_path):
    (edge,) = expected.edges(drawn)["lr"]
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
    runs = sweep(tmp_path, *lines, lrs, "batch_size=5", "batch_order=replacement").runs
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
    assert expected.edges(sweep(tmp_path, *lines)).empty


# ---- conjugate gradients and the alarm


def test_nothing_is_below_conjugate_gradients(descent):
    least = expected.least_possible(descent).set_index("evaluations")["gap"]
    curves = descent.curves.merge(descent.entries[["run_id"]], on="run_id")
    medians = curves[curves["evaluations"] <= least.index.max()].groupby("evaluations")["gap"].min()
    assert (np.diff(least) <= 0).all()
    assert medians[1.0] < least[0.0]
    assert expected.alarms(descent) == []


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
    assert expected.alarms(sweep(tmp_path, "problem=synthetic", "steps=40", *HONEST, *changes)) == []


def test_the_alarm_is_silent_for_weight_decay(tmp_path):
    lines = [
        "problem=synthetic",
        "optimizer=sgd,adamw,lbfgs",
        "sweep.optimizer.sgd.weight_decay=0.5",
        "steps=50",
        "report=false",
    ]
    assert expected.alarms(sweep(tmp_path, *lines)) == []


def test_the_alarm_sees_every_run_however_many_are_read_at_once(tmp_path, monkeypatch):
    results = sweep(
        tmp_path,
        "problem=synthetic",
        "optimizer=sgd",
        "optimizer.lr=0.1,0.2,0.3",
        "seed=range(2)",
        "steps=10",
        "report=false",
    )
    monkeypatch.setattr(expected, "BELOW", np.inf)  # so that every honest run rings
    monkeypatch.setattr(expected, "MOST_READ", 2)
    (sentence,) = expected.alarms(results)
    assert sentence.startswith(
        "ALARM: 6 runs of sgd, on synthetic, came lower than any method of its kind can."
    )


def test_an_alarm_an_optimizer_names_its_worst_case(tmp_path, monkeypatch):
    """The worst is the state with the least ratio to what is possible at its step, of all tasks and settings."""
    lines = [
        "problem=synthetic",
        "problem.kappa=10,100",
        "optimizer=sgd,sgd_momentum",
        "optimizer.lr=0.1,0.2",
        "steps=10",
        "report=false",
    ]
    results = sweep(tmp_path, *lines)
    monkeypatch.setattr(expected, "BELOW", np.inf)
    first, second = expected.alarms(results)
    assert first.startswith("ALARM: 4 runs of sgd, on synthetic kappa=10 and synthetic kappa=100, ")
    assert second.startswith("ALARM: 4 runs of sgd_momentum, ")
    least = expected.least_possible(results).set_index(["task", "evaluations"])["gap"]
    runs = results.entries[results.entries["name"] == "sgd"]
    states = results.curves_of(runs["run_id"]).merge(runs[["run_id", "task", "setting"]], on="run_id")
    over = [row.gap / least[row.task, row.evaluations] for row in states.itertuples()]
    worst = states.iloc[int(np.argmin(over))]
    assert (
        f" sgd ({worst['setting']}) on {worst['task']}, seed 0, has gap {number(worst['gap'])} at step {worst['step']}, where "
        in first
    )


@pytest.mark.parametrize("factor", [0.9, 0.1])
def test_the_alarm_rings_for_a_curve_that_is_too_good(tmp_path, factor):
    results = sweep(
        tmp_path, "problem=synthetic", "optimizer=sgd,adam", "optimizer.lr=0.1", "steps=30", "report=false"
    )
    least = expected.least_possible(results).set_index("evaluations")["gap"]
    for path in (results.store.root / "curves").glob("*.parquet"):
        table = pq.read_table(path)
        gaps = [
            [factor * least[4.0] if step == 4 else gap for step, gap in enumerate(row)]
            for row in table["gap"].to_pylist()
        ]
        pq.write_table(table.set_column(table.schema.get_field_index("gap"), "gap", pa.array(gaps)), path)
    tampered = lrbench.load(results.store.root)
    (sentence,) = expected.alarms(tampered)
    assert sentence.startswith(
        "ALARM: 1 run of sgd, on synthetic, came lower than any method of its kind can. sgd (lr=0.1) on synthetic, seed 0, "
    )
    assert "at step 4" in sentence
    assert sentence in (tampered.store.summary("md").read_text() if tampered.report() else "").replace(
        "\\", ""
    )


# ---- baselines


def test_no_tuned_descent_beats_the_oracle(tmp_path):
    lines = ["problem=synthetic", "problem.kappa=1000", "steps=60", "report=false", "init=zeros"]
    grid = ",".join(f"{lr:.6g}" for lr in np.geomspace(0.3, 8, 600))
    momenta = ",".join(f"{m:.4g}" for m in np.linspace(0, 0.98, 50))
    descent = sweep(tmp_path, *lines, "optimizer=sgd", f"optimizer.lr={grid}", "record=2")
    found = expected.baselines(descent).set_index("method")
    best = descent.runs["final_gap"].min()
    oracle = found.loc["gradient descent, oracle at this budget"]
    assert oracle["gap"] <= best * (1 + 1e-6)
    assert best < 1.01 * oracle["gap"]
    coarse = ",".join(f"{lr:.6g}" for lr in np.geomspace(0.3, 4, 100))
    heavy = sweep(
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
    found = expected.baselines(sweep(tmp_path, *lines, "optimizer=sgd")).set_index("method")
    for method, row in found.drop("conjugate gradients").iterrows():
        run = sweep(
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
    rows = expected.limits(descent).set_index("method")
    L, mu = task["L"], task["mu"]
    assert rows.loc["gradient descent", "lr"] == pytest.approx(2 / (L + mu))
    assert rows.loc["heavy ball", "momentum"] == pytest.approx(
        ((np.sqrt(L / mu) - 1) / (np.sqrt(L / mu) + 1)) ** 2
    )
    assert rows.loc["gradient descent", "largest lr"] == pytest.approx(2 / L)
    steps = rows.loc["gradient descent", "steps to a tenth"]
    rate = (L - mu) / (L + mu)
    assert rate**steps <= 0.1 < rate ** (steps - 1)


def test_of_one_curvature_a_step_is_enough(tmp_path):
    """Of engel, standardized with one feature, L and mu differ in their last digit."""
    results = sweep(tmp_path, "problem=engel", "optimizer=sgd", "optimizer.lr=0.1", "steps=5", "report=false")
    rows = expected.limits(results)
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
    results = sweep(tmp_path, *lines)
    weights = results.runs.set_index("optimizer")[[f"w_{j}" for j in range(11)]].abs().max(axis=1)
    for row in expected.first_steps(results).itertuples():
        assert row[4] == pytest.approx(weights[row.optimizer], rel=1e-9)


def test_the_figure_holds_the_theory(descent):
    figure = figures.loss_curves(descent)
    (ax,) = figure.axes
    drawn = [
        line.get_ydata() for line in ax.lines if line.get_linestyle() == "--" and len(line.get_ydata()) > 2
    ]
    for _, rows in expected.curves(descent).groupby("optimizer"):
        assert any(np.array_equal(line, rows["gap"]) for line in drawn)


def test_frames_have_no_rows_without_theory(tmp_path):
    results = sweep(tmp_path, "problem=iris", "optimizer=sgd", "steps=5", "report=false")
    for frame in (
        expected.curves,
        expected.least_possible,
        expected.edges,
        expected.noise_floors,
        expected.limits,
        expected.baselines,
    ):
        assert isinstance(frame(results), pd.DataFrame)
        assert frame(results).empty
