"""The protocol of a fair comparison.

Against pandas on the stored runs, nets of points, torch's signatures and numbers by hand.
"""

import inspect
import pkgutil
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from omegaconf import OmegaConf

from lrbench.bench import manifest as manifests
from lrbench.bench.claim import folder_name
from lrbench.bench.run import run_sweep
from lrbench.cli import main
from lrbench.config import CONF, Leaves
from lrbench.errors import RequestError
from lrbench.optimizers import FAMILIES
from lrbench.plan import Block, plan
from lrbench.problems.lecture import lecture
from lrbench.reproduce import reproduce
from lrbench.results import load
from lrbench.results.words.verdict import headline
from lrbench.results.words.warnings import warnings
from lrbench.seeds import start, tuning_seeds
from lrbench.store import ResultStore
from lrbench.sweeper import compose
from lrbench.sweeper.request import Request, read
from lrbench.tuning import phases
from lrbench.tuning import read as read_tune
from lrbench.tuning.choice import choose
from lrbench.tuning.competitors import Competitor, Trial
from lrbench.tuning.policy import LrRange
from lrbench.tuning.sampling import grid, sobol

POLICY: dict = OmegaConf.to_container(OmegaConf.load(CONF / "tune" / "all.yaml"))  # pyright: ignore[reportAssignmentType]
CHOICES: dict = {
    path.stem: OmegaConf.to_container(OmegaConf.load(path))
    for path in sorted((CONF / "optimizer").glob("*.yaml"))
}
NAMES = [name for name in CHOICES if name != "custom"]
SMALL = {"trials": 5, "reserve": 4, "seeds": [11, 12]}


@cache
def requested(*lines: str) -> Request:
    return read(list(lines), multirun=True)


def ask(
    *optimizers: str,
    base: Leaves | None = None,
    axes: Sequence[dict] = (),
    folder: Path | str = "results",
    **policy,
) -> Request:
    """Ask for a small sweep with tune=lr. Read once: to compose three choices takes longer than training."""
    request = requested(
        "optimizer=sgd,sgd_momentum,adam", "tune=lr", "steps=6", "engine=reference", "seed=range(3)"
    )
    blocks = [
        replace(block, base=block.base | (base or {}), axes=[*axes, *block.axes]) for block in request.blocks
    ]
    chosen = [block for block in blocks if block.choices["optimizer"] in optimizers]
    assert request.tune
    return replace(
        request,
        blocks=chosen,
        options=request.options._replace(results_dir=str(folder)),
        tune=replace(request.tune, **SMALL | policy),
    )


def tuned(*optimizers: str, **options) -> ResultStore:
    return run_sweep(ask(*optimizers, **options))[0]


def trial_blocks(request: Request) -> list[Block]:
    assert request.tune
    return next(phases(request.blocks, request.tune, pa.Table)).blocks


def roles(store: ResultStore) -> pd.DataFrame:
    """Return the roles with what their runs are and reached beside."""
    found = store.roles()
    assert found is not None
    parts = [part.to_pandas().dropna(axis=1, how="all") for part in store.runs()]
    return found.to_pandas().merge(
        pd.concat(parts).drop(columns="optimizer"), on="run_id", how="left", validate="many_to_one"
    )


def chosen_by_pandas(rows: pd.DataFrame, floor: float) -> pd.Series:
    """Return the best trial of each optimizer: the lowest geometric mean over the seeds; an inf is last."""
    trials = rows[rows["role"] == "trial"]
    logs = np.log(trials["last_epoch_gap"].clip(lower=floor))
    return logs.groupby([trials["optimizer"], trials["trial"]]).mean().groupby("optimizer").idxmin().str[1]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory) -> ResultStore:
    return tuned("sgd", "adam", folder=tmp_path_factory.mktemp("tuned"))


@pytest.fixture(scope="module")
def everyone() -> Request:
    """Every choice in one request.

    Composed once, for a composition takes long, with the other choices' files in the place of its own.
    """
    request = requested("optimizer=sgd", "tune=all")
    [block] = request.blocks
    common = {path: value for path, value in block.base.items() if not path.startswith("optimizer.")}
    own = {name: {f"optimizer.{key}": value for key, value in CHOICES[name].items()} for name in NAMES}
    return replace(
        request,
        blocks=[
            Block(block.choices | {"optimizer": name}, common | own[name], [{"seed": [0]}]) for name in NAMES
        ],
    )


# ---- seeds, boxes, points


def test_tuning_seeds_are_a_stream_of_their_own():
    seeds = tuning_seeds(0, 500)
    assert len({*seeds}) == 500
    assert min(seeds) >= 10**6
    assert max(seeds) < 10**9
    assert tuning_seeds(0, 3) == seeds[:3] != tuning_seeds(1, 3)


def test_the_default_lr_is_the_classes_own(everyone):
    for block in everyone.blocks:
        optimizer = pkgutil.resolve_name(block.base["optimizer._target_"])
        signature = inspect.signature(optimizer).parameters
        default = everyone.tune.defaults(block.choices["optimizer"], block.base)
        assert default["optimizer.lr"] == signature["lr"].default


def test_every_choice_has_a_box_of_its_own_hyperparameters_that_holds_the_default():
    assert set(POLICY["boxes"]) == set(CHOICES)
    for optimizer, box in POLICY["boxes"].items():
        for name in set(box) - {"unit", "default"}:
            ranges, values = box[name], CHOICES[optimizer][name]
            for range_, value in zip(
                *([x] if not isinstance(x, list) else x for x in (ranges, values)), strict=True
            ):
                [(scale, (low, high))] = range_.items()
                if value != 0:  # no momentum and an empty accumulator lie beyond a logarithm
                    assert low <= (1 - value if scale == "one_minus" else value) <= high, (optimizer, name)


def test_a_grid_by_hand():
    [block] = trial_blocks(ask("sgd", lr=[0.001, 1.0], trials=4))
    assert block.axes == [{"optimizer.lr": [0.001, 0.01, 0.1, 1.0]}, {"seed": [11, 12]}]
    assert grid(1).tolist() == [[0.5]]


def test_sobol_points_are_a_net():
    """Of 32 points each coordinate has one in each 32nd, and two of them one in each box of 1/4 x 1/8."""
    points = sobol(32, 3, seed=5)
    assert (np.sort(np.floor(points * 32), axis=0) == np.arange(32)[:, None]).all()
    assert len({*map(tuple, np.floor(points[:, :2] * [4, 8]))}) == 32
    assert (sobol(8, 3, seed=5, skip=24) == points[24:]).all()
    assert (sobol(32, 3, seed=6) != points).any()


def test_trials_lie_in_their_boxes_and_are_as_many_for_all(everyone):
    blocks = trial_blocks(everyone)
    assert [block.choices["optimizer"] for block in blocks] == NAMES
    for block in blocks:
        box, axis = POLICY["boxes"][block.choices["optimizer"]], block.axes[0]
        assert set(axis) == {
            "optimizer.lr",
            *(f"optimizer.{name}" for name in set(box) - {"unit", "default"}),
        }
        for path, values in axis.items():
            assert len(values) == 32
            ranges = {"log": [1e-5, 1e2]} if path == "optimizer.lr" else box[path.removeprefix("optimizer.")]
            columns = (
                [(ranges, values)]
                if isinstance(ranges, dict)
                else zip(ranges, zip(*values, strict=True), strict=True)
            )
            for range_, column in columns:
                assert_one_in_each_part(range_, np.array(column))


def assert_one_in_each_part(range_: dict, values: np.ndarray) -> None:
    """32 points, one in each of 32 parts that are equal on the scale, but for rounding to three digits."""
    [(scale, ends)] = range_.items()
    low, high = ends
    places = np.sort(np.round(1 - values, 12) if scale == "one_minus" else values)
    assert low <= places[0] <= places[-1] <= high
    assert all(float(f"{place:.3g}") == place for place in places)
    rounding = 0.5 * 10.0 ** (np.floor(np.log10(np.abs(places))) - 2)
    if scale == "linear":
        u, slack = (places - low) / (high - low), rounding / (high - low)
    else:
        u, slack = np.log(places / low) / np.log(high / low), rounding / places / np.log(high / low)
    assert (np.abs(32 * u - (np.arange(32) + 0.5)) <= 0.5 + 33 * slack).all()


def test_oracle_units_by_hand(everyone):
    some = [
        replace(block, base=block.base | {"steps": 25})
        for block in everyone.blocks
        if block.choices["optimizer"] in ("sgd", "adam", "adadelta")
    ]
    policy = replace(
        everyone.tune, units="oracle", lr=[1e-3, 1e3], trials=2, seeds=[5, 6, 7], sampler="grid", keys=["lr"]
    )
    axes = {
        block.choices["optimizer"]: block.axes[0]["optimizer.lr"]
        for block in trial_blocks(replace(everyone, blocks=some, tune=policy))
    }
    data = lecture()
    A = np.column_stack([data.X, np.ones(data.n)])
    L = np.linalg.eigvalsh(2 * A.T @ A)[-1]  # of the sum of squares
    middle = np.median([start("torch", seed, 1, 2) for seed in (5, 6, 7)], axis=0)
    far = np.abs(middle - np.linalg.lstsq(A, data.y)[0]).max()
    assert axes["sgd"] == pytest.approx([1e-3 / L, 1e3 / L], rel=5e-3)
    assert axes["adam"] == pytest.approx([1e-3 * far / 5, 1e3 * far / 5], rel=5e-3)
    assert axes["adadelta"] == [1e-3, 1e3]


def test_where_no_weights_attain_the_infimum_there_is_no_oracle(capsys):
    Path("halves.csv").write_text(
        "x,y\n" + "".join(f"{x},{int(x > 3)}\n" for x in range(8)), encoding="utf-8"
    )
    lines = [
        "problem=csv",
        "problem.path=halves.csv",
        "problem.target=y",
        "loss=logistic",
        "optimizer=adam",
        "tune=lr",
        "tune.units=oracle",
        "seed=0",
    ]
    assert main(["-m", *lines]) == 2
    assert "tune.units: oracle needs a minimiser" in capsys.readouterr().err
    assert not Path("results").exists()


# ---- choice


def test_the_choice_is_the_lowest_geometric_mean_of_the_stored_trials(sweep):
    rows, [floor] = roles(sweep), sweep.problems()["gap_floor"].to_pylist()
    best = chosen_by_pandas(rows, floor)
    assert np.isinf(rows["last_epoch_gap"]).any()
    for optimizer in ("sgd", "adam"):
        own = rows[rows["optimizer"] == optimizer]
        evaluation = own[own["role"] == "evaluation"]
        assert (evaluation["trial"] == best[optimizer]).all()
        assert sorted(evaluation["seed"]) == [0, 1, 2]
        assert {*evaluation["optimizer.lr"]} == {
            *own[(own["role"] == "trial") & (own["trial"] == best[optimizer])]["optimizer.lr"]
        }
        default = own[own["role"] == "default"]
        assert sorted(default["seed"]) == [0, 1, 2]
        assert {*default["optimizer.lr"]} == {0.001}
        assert default["trial"].isna().all()


def test_every_role_has_its_run_and_seeds_of_its_own(sweep):
    rows, manifest = roles(sweep), sweep.manifest()
    assert rows["status"].notna().all()
    assert {*rows[rows["role"] == "trial"]["seed"]} == {*manifest["tune"]["seeds"]}
    assert not {*manifest["tune"]["seeds"]} & {0, 1, 2}
    trials = rows[rows["role"] == "trial"]
    assert (trials.groupby(["optimizer", "trial"]).size() == 2).all()
    assert manifest["counts"]["planned"] == rows["run_id"].nunique() == len(sweep.outcomes())
    assert manifest["state"] == "complete"
    assert {
        "choice",
        "keys",
        "trials",
        "reserve",
        "seeds",
        "seed",
        "sampler",
        "metric",
        "units",
        "lr",
        "boxes",
    } == set(manifest["tune"])


def outcomes(gaps: dict[str, list[float]], hits: dict[str, list[float]]) -> tuple[Competitor, pa.Table]:
    """A competitor with a trial a key and hand-written outcomes; a gap of inf is a lost run."""
    ids = {
        name: np.array([f"{name}{seed}".encode() for seed in range(len(values))], dtype="S32")
        for name, values in gaps.items()
    }
    table = pa.table(
        {
            "run_id": [run.decode() for runs in ids.values() for run in runs],
            "status": [
                "completed" if np.isfinite(gap) else "diverged" for values in gaps.values() for gap in values
            ],
            "last_epoch_gap": [gap for values in gaps.values() for gap in values],
            "evaluations_to_target": pa.array(
                [hit if np.isfinite(hit) else None for values in hits.values() for hit in values],
                pa.float64(),
            ),
        }
    )
    trials = [Trial(None, {}, None, runs) for runs in ids.values()]  # pyright: ignore[reportArgumentType]
    return Competitor("sgd", [], LrRange(1, 2), 1e-6, [], trials), table


INF = np.inf


@pytest.mark.parametrize(
    ("gaps", "hits", "metric", "best"),
    [
        ([[1.0, 4.0], [3.0, 1.0], [2.0, 2.0]], [[INF] * 2] * 3, "gap", 1),  # geometric means 2, sqrt 3, 2
        ([[1.0, 4.0], [2.0, 2.0]], [[INF] * 2] * 2, "gap", 0),  # the lowest number
        ([[1.0, 4.0], [2.0, 2.0]], [[INF] * 2, [INF, 5.0]], "gap", 1),  # reached by half of the seeds
        (
            [[1e-9, INF], [9.0, 9.0]],
            [[1.0, INF], [INF] * 2],
            "gap",
            1,
        ),  # a lost seed is last, whatever the others
        ([[INF, INF], [1.0, INF]], [[1.0, 1.0], [INF] * 2], "gap", 1),  # fewest lost
        ([[1e-9, 1e-9], [1e-7, 1e-8]], [[8.0, 8.0], [7.0, 7.0]], "gap", 1),  # both at the floor
        ([[1.0, 1.0], [2.0, 2.0]], [[8.0, 8.0], [7.0, 7.0]], "evaluations", 1),
        (
            [[1.0, INF], [2.0, 2.0]],
            [[6.0, 6.0], [7.0, 7.0]],
            "evaluations",
            0,
        ),  # half of the seeds suffice for a median
        (
            [[1.0, INF], [2.0, 2.0]],
            [[INF, 6.0], [7.0, 7.0]],
            "evaluations",
            1,
        ),  # what is lost has not reached it
        ([[3.0, 3.0], [2.0, 2.0]], [[INF] * 2] * 2, "evaluations", 1),  # none reaches it: the gap decides
    ],
)
def test_ties_and_losses(gaps, hits, metric, best):
    names = "abc"[: len(gaps)]
    one, table = outcomes(dict(zip(names, gaps, strict=True)), dict(zip(names, hits, strict=True)))
    assert choose(one, metric, table) == best


def test_metric_evaluations_chooses_the_first_at_the_target():
    request = ask("adam", base={"steps": 40}, metric="evaluations")
    store = run_sweep(replace(request, options=request.options._replace(target=0.5)))[0]
    rows = roles(store)
    trials = rows[rows["role"] == "trial"].assign(hit=lambda t: t["evaluations_to_target"].fillna(INF))
    medians = trials.groupby("trial")["hit"].quantile(0.5, interpolation="lower")
    assert medians[int(rows[rows["role"] == "evaluation"]["trial"].iloc[0])] == medians.min() < INF


# ---- growth


@pytest.mark.parametrize(
    ("optimizer", "base", "box", "grown", "trials"),
    [
        ("sgd", {"steps": 5}, [1e-6, 1e-5], [1e-6, 1e-3], 5 + 2 + 2),  # far too low: up, twice at most
        (
            "adam",
            {"steps": 2, "init": [2, 1e-4]},
            [0.1, 10.0],
            [1e-3, 10.0],
            5 + 2 + 2,
        ),  # from beside the minimum the least step is best: down
        ("sgd", {"steps": 5}, [1e-4, 10.0], [1e-4, 10.0], 5),
    ],
)
def test_a_box_grows_where_the_best_lr_is_at_its_end(optimizer, base, box, grown, trials):
    rows = roles(tuned(optimizer, base=base, lr=box))
    own = rows[rows["role"] == "trial"]
    assert own["trial"].nunique() == trials
    assert [own["lr_low"].min(), own["lr_high"].max()] == pytest.approx(grown)
    assert ((own["lr_low"] <= own["optimizer.lr"]) & (own["optimizer.lr"] <= own["lr_high"])).all()
    assert own.groupby("trial")["optimizer.lr"].first().is_unique


def test_a_scrambled_box_grows_by_points_of_the_new_decade():
    rows = roles(
        tuned(
            "sgd_momentum",
            base={"steps": 5},
            lr=[1e-6, 1e-5],
            sampler="sobol",
            keys=None,
            trials=8,
            reserve=16,
        )
    )
    trials = rows[rows["role"] == "trial"].groupby("trial").first()
    lr = trials["optimizer.lr"].to_numpy()
    assert ((lr[8:16] >= 1e-5) & (lr[8:16] <= 1e-4)).all()
    assert ((lr[16:] >= 1e-4) & (lr[16:] <= 1e-3)).all()
    assert len(lr) == 24
    assert trials["optimizer.momentum"].nunique() == 24  # no point of the sequence comes twice


def test_without_a_reserve_nothing_grows():
    rows = roles(tuned("sgd", base={"steps": 5}, lr=[1e-6, 1e-5], reserve=0))
    assert rows[rows["role"] == "trial"]["lr_high"].max() == 1e-5


# ---- the same runs, whatever else is asked


def test_a_trial_is_the_run_that_the_same_setting_gives_outside(sweep):
    trial = roles(sweep).query("role == 'trial' and optimizer == 'sgd' and status == 'completed'").iloc[0]
    setting = {"optimizer.lr": [trial["optimizer.lr"]]}
    untuned = ask("sgd")
    block = replace(untuned.blocks[0], axes=[setting, {"seed": [int(trial["seed"])]}])
    outside = run_sweep(replace(untuned, tune=None, blocks=[block]))[0]
    [alone], curve = outside.runs(), outside.curves()
    inside = [part for part in sweep.runs() if trial["run_id"] in part["run_id"].to_pylist()]
    for mine, other in ((inside[0], alone), (sweep.curves(), curve)):
        row = mine.filter(pa.array(mine["run_id"].to_numpy() == trial["run_id"])).select(other.column_names)
        assert repr(row.to_pylist()) == repr(other.to_pylist())


OWN = ["run_id", "role", "trial", "lr_low", "lr_high"]


def own_roles(store: ResultStore, query: str = "role != ''") -> pd.DataFrame:
    return roles(store).query(query)[OWN].reset_index(drop=True)


def test_another_optimizer_changes_nothing_of_the_first(sweep):
    pd.testing.assert_frame_equal(own_roles(tuned("sgd")), own_roles(sweep, "optimizer == 'sgd'"))


def test_a_task_is_tuned_as_it_would_be_alone():
    store = tuned("sgd", axes=[{"steps": [3, 6]}])
    for steps in (3, 6):
        pd.testing.assert_frame_equal(
            own_roles(tuned("sgd", base={"steps": steps})), own_roles(store, f"steps == {steps}")
        )


def test_what_else_is_swept_multiplies_the_trials_and_may_be_chosen():
    rows = roles(tuned("sgd", axes=[{"optimizer.weight_decay": [1.0, 0.0]}], lr=[0.001, 0.01], reserve=0))
    numbers = (
        rows[rows["role"] == "trial"]
        .groupby("optimizer.weight_decay")["trial"]
        .agg(["min", "max", "nunique"])
    )
    assert numbers.to_numpy().tolist() == [[5, 9, 5], [0, 4, 5]]
    assert {*rows[rows["role"] != "trial"]["optimizer.weight_decay"]} == {0.0}


def test_two_choices_that_are_the_same_run_have_a_role_each():
    store = tuned("sgd", "sgd_momentum", base={"optimizer.momentum": 0.9})
    pd.testing.assert_frame_equal(
        own_roles(store, "optimizer == 'sgd'"), own_roles(store, "optimizer == 'sgd_momentum'")
    )


def test_where_nothing_depends_on_the_seed_a_setting_runs_once():
    store = tuned("sgd", base={"init": "zeros"})
    rows = roles(store)
    assert rows.groupby(["role", "trial"], dropna=False).size().eq(1).all()
    assert rows["status"].notna().all()
    assert any("depends on the seed" in warning for warning in store.manifest()["warnings"])


def test_classes_of_custom_compete_apart():
    request = requested(
        "optimizer=custom",
        "optimizer._target_=torch.optim.SGD,torch.optim.Adam",
        "+optimizer.lr=0.05",
        "tune=lr",
        "seed=range(3)",
    )
    alike = ask("sgd")
    blocks = [replace(block, base=block.base | {"steps": 6}) for block in request.blocks]
    rows = roles(
        run_sweep(replace(request, blocks=blocks, options=alike.options, tune=alike.tune))[0]
    ).rename(columns={"optimizer._target_": "target"})
    assert {*rows["optimizer"]} == {"custom"}
    assert {*rows[rows["role"] == "default"]["optimizer.lr"]} == {0.05}
    assert rows.groupby(["target", "role"]).size().tolist() == [3, 3, 10] * 2
    ours, sgd = rows[rows["target"] == "torch.optim.SGD"], roles(tuned("sgd"))
    for role in ("trial", "evaluation"):
        one, other = ours[ours["role"] == role], sgd[sgd["role"] == role]
        assert (
            one[["trial", "optimizer.lr", "seed", "final_gap"]].to_numpy().tolist()
            == other[["trial", "optimizer.lr", "seed", "final_gap"]].to_numpy().tolist()
        )


# ---- interrupted, resumed, run again


def table(store: ResultStore) -> pd.DataFrame:
    found = store.roles()
    assert found is not None
    return found.to_pandas()


@pytest.mark.parametrize("moment", [5, 23], ids=["trials", "evaluation"])
def test_an_interrupted_sweep_goes_on(sweep, moment):
    request = ask("sgd", "adam")

    def interrupt(phase, done, planned):
        if done >= moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(request, interrupt)
    [store] = ResultStore.all("results")
    assert store.manifest()["state"] == "interrupted"
    assert len(store.outcomes()) > 0
    again, todo, _ = run_sweep(request)
    assert again.root == store.root
    assert again.name == sweep.name
    assert len(todo) == len(again.outcomes())
    pd.testing.assert_frame_equal(table(again), table(sweep))


def test_a_finished_sweep_that_is_stopped_when_it_starts_again_keeps_its_evaluation(sweep):
    store = tuned("sgd", "adam")
    roles, planned = table(store), store.manifest()["counts"]["planned"]

    def interrupt(phase, done, planned):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(ask("sgd", "adam"), interrupt)
    pd.testing.assert_frame_equal(table(store), roles)
    assert store.manifest()["counts"]["planned"] == planned


def test_a_search_without_an_evaluation_has_a_report_that_says_so():
    def interrupt(phase, done, planned):
        if done >= 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(ask("sgd", "adam"), interrupt)
    [store] = ResultStore.all("results")
    results = load(store.root)
    assert headline(results)[0] == "Nothing is evaluated on lecture yet."
    assert "Searched but not evaluated yet" in " ".join(warnings(results))
    assert "Nothing is evaluated" in results.report().read_text(encoding="utf-8")


def test_the_same_request_does_only_what_is_missing(sweep):
    store = tuned("sgd", "adam")
    next((store.root / "runs").glob("*.parquet")).unlink()
    (store.root / "roles.parquet").unlink()
    tuned("sgd", "adam")
    pd.testing.assert_frame_equal(table(store), table(sweep))
    before = {path: path.stat().st_mtime_ns for path in (store.root / "runs").iterdir()}
    tuned("sgd", "adam")
    assert before == {path: path.stat().st_mtime_ns for path in (store.root / "runs").iterdir()}


def test_the_name_tells_requests_apart(sweep):
    same = ask("sgd", "adam")
    boxes = same.tune.boxes | {"sgd": {"default": {"lr": 0.002}}}
    others = [
        replace(same, tune=replace(same.tune, **policy))
        for policy in ({"reserve": 2}, {"seed": 1}, {"boxes": boxes}, {"metric": "evaluations"})
    ]
    more_seeds = replace(
        same, blocks=[replace(block, axes=[{"seed": [0, 1, 2, 3]}]) for block in same.blocks]
    )
    names = [folder_name(request, plan(trial_blocks(request))) for request in (same, more_seeds, *others)]
    assert names[0] == sweep.name
    assert len({*names}) == 6


def test_a_tuned_sweep_reproduces(sweep):
    verdicts = list(reproduce(sweep))
    assert len(verdicts) == len(sweep.outcomes())
    assert not any(verdict.difference for verdict in verdicts)


def test_sessions_on_another_machine_are_remembered(monkeypatch):
    request = replace(ask("sgd", base={"steps": 2}), tune=None)
    here = {"versions": manifests.versions(), "machine": manifests.machine()}
    run_sweep(request)
    assert run_sweep(request)[0].manifest()["earlier"] == []
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(manifests, "machine", lambda: {"platform": "another"})
        assert run_sweep(request)[0].manifest()["earlier"] == [here]
        assert run_sweep(request)[0].manifest()["earlier"] == [here]
    manifest = run_sweep(request)[0].manifest()
    assert [session["machine"] for session in manifest["earlier"]] == [{"platform": "another"}]


# ---- asking


PAGE = (Path(__file__).parents[1] / "docs" / "tuning.md").read_text(encoding="utf-8")


COMMANDS = [
    line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
]


@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if "experiment" not in line]
)  # the exercise is asked for below
def test_the_page_asks_for_what_there_is(line):
    words = shlex.split(line.removeprefix("python -m lrbench "))
    request = read([word for word in words if word != "-m"], multirun="-m" in words)
    assert request.tune
    assert len(trial_blocks(request)) == len(request.blocks) > 0


def test_what_the_page_says_may_be_written_may_be():
    cells = re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)
    lines = [re.findall(r"`'?(\+?tune\..*?)'?`", cell) for cell in cells]
    assert len(lines) == 10
    for alternatives in ([first for first, *_ in lines], [others[-1] for others in lines if len(others) > 1]):
        request = requested("optimizer=sgd,sgd_momentum", "tune=all", *alternatives)
        assert request.tune
        assert len(trial_blocks(request)) == 2
    assert request.tune.seeds == [101, 102]


def test_a_request_without_tune_composes_each_choice_once_and_nothing_more(monkeypatch):
    composed = []
    monkeypatch.setattr(
        compose,
        "_compose",
        lambda loader, lines, real=compose._compose: composed.append(lines) or real(loader, lines),
    )
    request = read(["optimizer=sgd,adam", "seed=range(3)"], multirun=True)
    assert request.tune is None
    assert len(composed) == 2


def test_the_exercise_is_every_optimizer_of_torchs_in_the_fused_engine():
    optimizers = OmegaConf.load(CONF / "experiment" / "exercise.yaml").sweep.optimizer.split(",")
    torchs = {target for target in FAMILIES if pkgutil.resolve_name(target).__module__.startswith("torch.")}
    assert sorted(optimizers) == [name for name, choice in CHOICES.items() if choice["_target_"] in torchs]
    request = read(["+experiment=exercise", "optimizer=sgd"])
    [block] = request.blocks
    assert request.tune
    assert (request.options.name, request.tune.choice, request.tune.sampler, len(request.tune.seeds)) == (
        "exercise",
        "lr",
        "grid",
        3,
    )
    assert (block.choices["problem"], block.base["steps"], block.axes) == (
        "diabetes",
        500,
        [{"seed": list(range(10))}],
    )


def test_other_hyperparameters_may_be_given_where_the_first_choice_lacks_them():
    request = read(["optimizer=adam,nadam", "optimizer.eps=1e-6", "tune=lr"], multirun=True)
    assert [block.base["optimizer.eps"] for block in request.blocks] == [1e-6, 1e-6]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": 0}, r"tune\.trials: a whole number >= 1 is allowed, but 0 came"),
        ({"trials": True}, r"tune\.trials: .*but true came"),
        ({"reserve": -1}, r"tune\.reserve: a whole number >= 0"),
        ({"seeds": 0}, r"tune\.seeds: .*but 0 came"),
        ({"seeds": [3, 3]}, r"tune\.seeds: .*a list of distinct seeds is allowed"),
        ({"metric": "loss"}, r'tune\.metric: gap or evaluations is allowed, but "loss" came'),
        ({"sampler": "random"}, r"tune\.sampler: grid or sobol"),
        ({"units": "relative"}, r"tune\.units: absolute or oracle"),
        ({"keys": ["lr", "beta"]}, r"tune\.keys: no box holds 'beta'. Did you mean 'betas'"),
        ({"keys": []}, r"tune\.keys: .*but \[\] came"),
        ({"lr": {"absolute": [-1, 1]}}, r"tune\.lr\.absolute: .*> 0"),
        (
            {"lr": {"absolute": [1, 0.1]}},
            r"tune\.lr\.absolute: \[low, high\] with low < high.*but \[1, 0.1\] came",
        ),
        ({"lr": {"absolute": []}}, r"tune\.lr\.absolute: .*but \[\] came"),
        ({"lr": [1e-3, 1]}, r"tune\.lr: a mapping of absolute and oracle"),
        ({"boxes": None}, r"tune\.boxes: a mapping"),
        ({"boxes": {"sdg": {}}}, "there is no optimizer=sdg. Did you mean 'sgd'"),
        ({"boxes": {"sgd": 3}}, r"tune\.boxes\.sgd: a mapping is allowed, but 3 came"),
        ({"boxes": {"sgd": {"unit": "metre"}}}, r"tune\.boxes\.sgd\.unit: gradient or normalised or none"),
        ({"boxes": {"sgd": {"lr": {"log": [1, 2]}}}}, "the range of lr is the same for all optimizers"),
        ({"boxes": {"sgd": {"momentum": {"log": [0, 1]}}}}, r"tune\.boxes\.sgd\.momentum\.log: .*> 0"),
        ({"boxes": {"sgd": {"momentum": {"one_minus": [0.1, 2]}}}}, r"one_minus: .*<= 1"),
        ({"boxes": {"sgd": {"momentum": {"linear": [1, 0]}}}}, r"linear: \[low, high\] with low < high"),
        ({"boxes": {"sgd": {"momentum": {"even": [0, 1]}}}}, "log, linear, one_minus"),
        ({"boxes": {"sgd": {"betas": [0.9, 0.99]}}}, r"tune\.boxes\.sgd\.betas: log, linear, one_minus"),
    ],
)
def test_a_wrong_policy_names_the_key(wrong, message):
    right = {"lr": {"absolute": [1e-5, 1e2]}, "boxes": {"sgd": {"betas": [0.9, {"log": [0.1, 1]}]}}}
    assert read_tune("mine", POLICY | right, ["sgd"]).names("sgd") == ["lr", "betas"]
    with pytest.raises(RequestError, match=message):
        read_tune("mine", POLICY | right | wrong, ["sgd"])


SWEEP = ("-m", "optimizer=sgd", "seed=range(3)", "steps=5", "report=false")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["optimizer=sgd", "tune=lr"],
            r"tune=lr tries many settings.*-m:\n  python -m lrbench -m optimizer=sgd tune=lr",
        ),
        ([*SWEEP, "tune=lr,all"], "tune: how a sweep is tuned has one value"),
        ([*SWEEP, "tune=lr", "tune.trials=8,16"], r"tune\.trials: how a sweep is tuned has one value"),
        ([*SWEEP, "tune=lr", "tune.seeds=[7,2]"], r"tune\.seeds: 2 is also a seed of the evaluation"),
        (
            [*SWEEP, "optimizer=sgd_momentum", "tune=all", "tune.sampler=grid"],
            r"a grid is for one number, and sgd_momentum has 2 \(lr, momentum\)",
        ),
        ([*SWEEP, "tune=all", "tune.keys=[momentum]"], r"tune\.keys: nothing of sgd is tuned"),
        (
            [*SWEEP, "tune=all", "tune.boxes.adm.unit=none"],
            r"tune\.boxes has no key 'adm'. Did you mean 'adam'",
        ),
        (
            [*SWEEP, "tune=all", "+tune.boxes.sgd.momentm.log=[0.1,1]"],
            r"tune\.boxes\.sgd\.momentm: .*Did you mean 'momentum'",
        ),
        ([*SWEEP, "tune=lr", "tune.boxes.sgd.default.lr=-1"], r"optimizer\.lr: a finite number >= 0"),
        ([*SWEEP, "tune=lr", "+tune.boxes.sgd.default.momentm=0"], "no hyperparameter 'momentm'"),
        (
            [*SWEEP, "tune.trials=3"],
            "tune=none has no settings. Choose what is tuned with it: tune=lr or tune=all",
        ),
        ([*SWEEP, "tune=some"], "there is no tune=some"),
        (
            [*SWEEP, "tune=lr", "sweep.optimizer.sgd.lr=0.1,0.2"],
            r"optimizer\.lr: tune=lr tries values of its own for sgd",
        ),
        ([*SWEEP, "tune=lr", "optimizer.lr=0.1"], r"optimizer\.lr: tune=lr tries values of its own for sgd"),
        ([*SWEEP, "tune=lr", "hydra/launcher=joblib"], "lrbench chooses and trains a tuned sweep itself"),
        (
            ["-m", "tune=lr", "optimizer=custom", "optimizer._target_=torch.optim.SGD"],
            r"Add \+optimizer\.lr=<its default>",
        ),
        (
            [*SWEEP, "tune=lr", "sweep.zip=[seed,epochs]", "epochs=1,2,3"],
            r"sweep\.zip: seed moves together with epochs",
        ),
        (["time", "optimizer=sgd", "tune=lr"], "time measures settings as they are given"),
    ],
)
def test_a_wrong_request_says_what_to_do_and_writes_nothing(lines, message, capsys):
    assert main(lines) == 2
    assert re.search(message, capsys.readouterr().err, flags=re.DOTALL)
    assert not list(Path().iterdir())
