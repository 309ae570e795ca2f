"""The protocol of a fair comparison.

Against pandas on the stored runs, nets of points, torch's signatures and numbers by hand.
"""

import inspect
import pkgutil
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
from lrbench.tuning import evaluation_seeds, phases
from lrbench.tuning import read as read_tune
from lrbench.tuning.choice import choose
from lrbench.tuning.competitors import Cell, Trial
from lrbench.tuning.sampling import grid, grid_around, sobol

POLICY: dict = OmegaConf.to_container(OmegaConf.load(CONF / "tune" / "all.yaml"))  # pyright: ignore[reportAssignmentType]
CHOICES: dict = {
    path.stem: OmegaConf.to_container(OmegaConf.load(path))
    for path in sorted((CONF / "optimizer").glob("*.yaml"))
}
NAMES = [name for name in CHOICES if name != "custom"]
SMALL = {"trials": 8, "seeds": [11, 12]}  # 4 over the box, then 2 and 2


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


def chosen_by_pandas(rows: pd.DataFrame) -> dict[str, int]:
    """Return the best trial of each optimizer: fewest lost seeds, then least mean score, then lowest rate."""
    trials = rows[rows["role"] == "trial"].assign(lost=lambda t: np.isinf(t["score"]) | (t["rise"] > 100))
    trials["kept"] = trials["score"].mask(trials["lost"])
    of_each = trials.groupby(["optimizer", "trial"]).agg(
        {"lost": "sum", "kept": "mean", "optimizer.lr": "first"}
    )
    best = of_each.sort_values(["lost", "kept", "optimizer.lr"]).reset_index().drop_duplicates("optimizer")
    return dict(zip(best["optimizer"], best["trial"], strict=True))


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


def test_first_trials_lie_in_their_boxes_and_are_as_many_for_all(everyone):
    # 32 in the first stage: 64 in all
    blocks = trial_blocks(replace(everyone, tune=replace(everyone.tune, trials=64)))
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


def test_the_choice_is_the_best_of_the_stored_trials(sweep):
    rows = roles(sweep)
    best = chosen_by_pandas(rows)
    assert np.isinf(rows["score"]).any()
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
    keys = {"choice", "keys", "trials", "seeds", "seed", "sampler", "rise", "units", "lr", "boxes"}
    assert keys == set(manifest["tune"])


LOST = np.inf
RATES = [0.01, 0.1, 1.0]


def outcomes(scores: list[list[float]], rises: list[list[float]] | None = None) -> pa.Table:
    """Made-up outcomes of trials on each seed, in no order; a score of inf is a lost run."""
    names = [[f"{trial}{seed}" for seed in range(len(own))] for trial, own in enumerate(scores)]
    rows = pd.DataFrame({"run_id": np.ravel(names), "score": np.ravel(scores)})
    rows["rise"] = np.ravel(rises).astype(float) if rises else 1.0
    rows["status"] = np.where(np.isinf(rows["score"]), "diverged", "completed")
    shuffled = rows.sample(frac=1, random_state=0)
    return pa.Table.from_pandas(shuffled.assign(optimizer="sgd", engine="fused"), preserve_index=False)


def tried(rates: Sequence[float | None], seeds: int) -> list[Trial]:
    """Trials of these rates, as `outcomes` names their runs; None where no lr is tuned."""
    trials = []
    for number, rate in enumerate(rates):
        runs = np.array([f"{number}{seed}".encode() for seed in range(seeds)], dtype="S32")
        tuned = {} if rate is None else {"optimizer.lr": rate}
        trials.append(Trial(Cell(None, {}), tuned, None, runs))  # pyright: ignore[reportArgumentType]
    return trials


@pytest.mark.parametrize(
    ("scores", "rises", "limit", "best"),
    [
        ([[-0.5, 0.1], [-0.1, -0.5], [0.1, 0.1]], None, 100, 1),  # means -0.2, -0.3, 0.1
        ([[-0.5, -0.5], [-0.5, -0.5]], None, 100, 0),  # the smallest rate
        ([[-9.0, LOST], [5.0, 5.0]], None, 100, 1),  # a lost seed is last, whatever the others
        ([[LOST, LOST], [3.0, LOST], [2.0, LOST]], None, 100, 2),  # of the fewest lost, the seed that is kept
        ([[LOST, LOST], [LOST, LOST]], None, 100, 0),  # nothing works: the smallest rate
        ([[-0.5] * 2, [-3.2] * 2, [-0.4] * 2], [[1, 1], [8.3e4, 9], [1, 1]], 100, 0),  # it rose on one seed
        ([[-0.5] * 2, [-3.2] * 2, [-0.4] * 2], [[1, 1], [8.3e4, 9], [1, 1]], None, 1),  # off
        ([[-0.5] * 2, [-3.2] * 2], [[1, 1], [100, 100]], 100, 1),  # above, not at, the limit
        ([[-0.5] * 2, [-3.2] * 2], [[1, 1], [1, LOST]], 100, 0),  # a rise that is not finite
        ([[LOST, -0.1], [-3.2, -3.2]], [[1, 1], [101, 1]], 100, 0),  # what rose is lost on all seeds
    ],
)
def test_the_choice_by_hand(scores, rises, limit, best):
    trials = tried(RATES[: len(scores)], seeds=2)
    assert choose(trials, limit, outcomes(scores, rises)) == best


def test_of_equal_trials_the_smallest_rate_is_chosen_then_the_first():
    equal = outcomes([[-0.5, -0.5]] * 3)
    assert choose(tried([0.1, 0.01, 1.0], 2), 100, equal) == 1
    assert choose(tried([0.1, 0.1, 1.0], 2), 100, equal) == 0
    assert choose(tried([None] * 3, 2), 100, equal) == 0


def test_what_did_not_complete_is_lost_whatever_its_score():
    table = outcomes([[-0.5, -0.5], [-0.1, -0.1]])
    status = ["failed" if run.startswith("0") else "completed" for run in table["run_id"].to_pylist()]
    table = table.set_column(table.column_names.index("status"), "status", pa.array(status))
    assert choose(tried(RATES[:2], 2), 100, table) == 1
    unknown = pa.array([None if run == "00" else -0.5 for run in table["run_id"].to_pylist()])
    table = outcomes([[-0.5, -0.5], [-0.1, -0.1]])
    assert choose(tried(RATES[:2], 2), 100, table.set_column(1, "score", unknown)) == 1


SCORES = st.sampled_from([-2.0, -1.0, 0.5, LOST])
RISES = st.sampled_from([1.0, 99.0, 101.0, LOST])
TRIALS = st.tuples(
    st.sampled_from([0.01, 0.1, 1.0]), st.lists(st.tuples(SCORES, RISES), min_size=3, max_size=3)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TRIALS, min_size=1, max_size=6), st.sampled_from([None, 100.0]))
def test_the_choice_is_the_rules(trials, limit):
    def key(number):
        rate, seeds = trials[number]
        too_high = limit is not None and any(rise > limit for _, rise in seeds)
        kept = [score for score, _ in seeds if score < LOST and not too_high]
        return 3 - len(kept), sum(kept) / max(len(kept), 1), rate, number

    rates, seeds = [rate for rate, _ in trials], [seeds for _, seeds in trials]
    table = outcomes([[s for s, _ in own] for own in seeds], [[r for _, r in own] for own in seeds])
    assert choose(tried(rates, 3), limit, table) == min(range(len(trials)), key=key)


# ---- zooms


@pytest.mark.parametrize(
    ("trials", "stages"),
    [
        (32, [16, 8, 8]),
        (29, [17, 6, 6]),
        (256, [128, 64, 64]),
        (15, [11, 2, 2]),
        (8, [4, 2, 2]),
        (7, [7]),
        (1, [1]),
    ],
)
def test_stages_by_hand(trials, stages):
    assert replace(ask("sgd").tune, trials=trials).stages == stages


# of the rule: what the first trials are and where a zoom has its own, as logarithms
coarse = lambda low, high, count: np.linspace(np.log10(low), np.log10(high), count)  # noqa: E731
zoomed = lambda best, spacing, count: (  # noqa: E731
    best + spacing / (count // 2 + 1) * np.array([k for k in range(-count // 2, count // 2 + 1) if k])
)
ROUNDING = 0.5e-2 / np.log(10)  # of three digits, in decades


@pytest.mark.parametrize("count", [2, 6, 8, 64])
def test_a_zoom_of_a_grid_is_the_rules(count):
    """Between neighbours at 0 and 1, with the best in the middle: a spacing of one half."""
    np.testing.assert_allclose(grid_around(0.5, count)[:, 0], zoomed(0.5, 0.5, count), atol=1e-15)
    below, above = grid_around(0.2, count)[: count // 2, 0], grid_around(0.2, count)[count // 2 :, 0]
    assert np.diff([0, *below, 0.2]) == pytest.approx(0.2 / (count // 2 + 1))
    assert np.diff([0.2, *above, 1]) == pytest.approx(0.8 / (count // 2 + 1))
    for end in (0, 1):
        assert np.diff([0, *grid_around(end, count)[:, 0], 1]) == pytest.approx(1 / (count + 1))


class Search(NamedTuple):
    """A search that nobody trained: its phases, and a row a role with the settings and scores of its run."""

    names: list[str]
    rows: pd.DataFrame

    def trials(self, query: str = "optimizer == optimizer") -> pd.DataFrame:
        own = self.rows[self.rows["role"] == "trial"].query(query)
        return own.groupby("trial").first()

    def chosen(self) -> float:
        [rate] = self.rows[self.rows["role"] == "evaluation"]["optimizer.lr"].unique()
        return rate


def searched(request: Request, score: Callable[[pd.Series], float]) -> Search:
    """Go through the phases of a request with made-up scores: of a row with the settings of a run."""
    known: dict[str, dict] = {}

    def stored() -> pa.Table:
        columns = ["run_id", "optimizer", "status", "engine", "score", "rise"]
        return pa.Table.from_pylist([{name: row[name] for name in columns} for row in known.values()])

    names, found = [], pd.DataFrame()
    for phase in phases(request.blocks, request.tune, stored):
        names.append(phase.name)
        for group in plan(phase.blocks).groups:
            settings = group.shared | group.labels
            for place, run in enumerate(group.run_id):
                own = {path: column.value(place) for path, column in group.columns.items()}
                row = settings | own | {"run_id": run.decode(), "engine": "fused", "status": "completed"}
                row |= {"score": score(pd.Series(row)), "rise": 1.0}
                known.setdefault(row["run_id"], row)
        found = phase.roles.to_pandas()
    runs = pd.DataFrame(known.values()).drop(columns="optimizer")
    return Search(names, found.merge(runs, on="run_id", validate="many_to_one"))


def valley(lr: float) -> Callable[[pd.Series], float]:
    """Scores that are the least at one learning rate, and rise on both sides."""
    return lambda row: abs(np.log10(row["optimizer.lr"] / lr))


def test_the_trials_of_a_search_are_the_rules():
    found = searched(ask("sgd", trials=32, lr=[1e-5, 1e2]), valley(0.07))
    logs, spacing = coarse(1e-5, 1e2, 16), 7 / 15
    for _ in range(2):
        best = logs[np.abs(logs - np.log10(0.07)).argmin()]
        logs = np.concatenate([logs, zoomed(best, spacing, 8)])
        spacing /= 5
    rates = found.trials()["optimizer.lr"].to_numpy()
    # a zoom goes between rates that are rounded themselves
    np.testing.assert_allclose(np.log10(rates), logs, atol=2 * ROUNDING)
    np.testing.assert_allclose(np.log10(rates[:16]), logs[:16], atol=ROUNDING)
    assert all(float(f"{rate:.3g}") == rate for rate in rates)
    assert abs(np.log10(found.chosen() / 0.07)) <= spacing / 2 + 2 * ROUNDING
    assert found.names == ["search 1 of 3", "search 2 of 3", "search 3 of 3", "evaluation"]


def test_where_trials_are_few_nothing_zooms():
    found = searched(ask("sgd", trials=7, lr=[1e-3, 1e3]), valley(1e5))
    assert found.trials()["optimizer.lr"].tolist() == [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3]
    assert found.names == ["search 1 of 1", "evaluation"]


@pytest.mark.parametrize(
    ("best", "decade"), [(1e-9, [1e-6, 1e-5]), (3e-6, [1e-6, 1e-5]), (4e2, [1e2, 1e3]), (1e9, [1e2, 1e3])]
)
def test_at_an_end_the_last_zoom_is_spent_in_the_decade_beyond(best, decade):
    found = searched(ask("sgd", trials=32, lr=[1e-5, 1e2]), valley(best))
    trials = found.trials()
    rates, beyond = trials["optimizer.lr"].to_numpy(), np.linspace(*np.log10(decade), 9)
    inner = beyond[:-1] if best < 1 else beyond[1:]  # the shared end has been tried
    np.testing.assert_allclose(np.log10(rates[16:24]), inner, atol=ROUNDING)
    assert trials[["lr_low", "lr_high"]].to_numpy()[16:24] == pytest.approx(np.tile(decade, (8, 1)))
    # between the neighbours of the best, on one side of it where it still is at the end
    logs = np.sort(np.log10(rates[:24]))
    at = np.abs(logs - np.log10(best)).argmin()
    if at in (0, 23):
        ends = logs[[0, 1]] if at == 0 else logs[[-2, -1]]
        last = np.linspace(*ends, 10)[1:-1]
        assert found.chosen() == rates.min() if at == 0 else rates.max()
    else:
        below = np.linspace(logs[at - 1], logs[at], 6)[1:-1]
        last = np.concatenate([below, np.linspace(logs[at], logs[at + 1], 6)[1:-1]])
        assert not np.isclose(found.chosen(), [rates.min(), rates.max()]).any()
    np.testing.assert_allclose(np.log10(rates[24:]), last, atol=ROUNDING)
    assert len(rates) == 32


def test_beside_an_end_nothing_grows():
    """The second rate of a grid has neighbours on both sides."""
    second = 10 ** coarse(1e-5, 1e2, 16)[1]
    trials = searched(ask("sgd", trials=32, lr=[1e-5, 1e2]), valley(second)).trials()
    assert (trials["lr_low"].min(), trials["lr_high"].max(), len(trials)) == (1e-5, 1e2, 32)


def test_a_range_does_not_grow_beyond_what_a_number_holds():
    trials = searched(ask("sgd", trials=8, lr=[1e300, 1e308]), valley(1e308)).trials()
    assert (trials["lr_high"].max(), len(trials)) == (1e308, 8)


@pytest.mark.parametrize("box", [[0.5, 0.501], [1e-5, 1e2], [0.99, 1.01]])
@pytest.mark.parametrize("trials", [32, 256])
def test_a_zoom_has_as_many_digits_as_tell_its_rates_apart(box, trials):
    found = searched(ask("sgd", trials=trials, lr=box, seeds=[5]), valley(np.sqrt(box[0] * box[1])))
    assert found.trials()["optimizer.lr"].nunique() == trials


def scattered(row: pd.Series) -> float:
    """A score that is as good as random, the same for the same run; some are lost."""
    number = int(row["run_id"][:6], 16) / 16**6
    return number if number < 0.7 else LOST


def at_some_ends(row: pd.Series) -> float:
    """Scores that are the least at the low end, at the high end or in the middle, by the optimizer."""
    log = np.log10(row["optimizer.lr"])
    return [log, -log, abs(log + 1)][NAMES.index(row["optimizer"]) % 3]


@pytest.mark.parametrize("score", [scattered, at_some_ends])
@pytest.mark.parametrize("policy", [{"keys": ["lr"], "sampler": "grid"}, {}], ids=["lr", "all"])
def test_all_have_the_same_number_of_trials_at_an_end_too(everyone, policy, score):
    tune = replace(everyone.tune, seeds=[5], **policy)
    found = searched(replace(everyone, tune=tune), score)
    numbers = found.rows[found.rows["role"] == "trial"].groupby("optimizer")["trial"].agg(["nunique", "max"])
    assert (numbers.to_numpy() == [32, 31]).all()
    assert len(numbers) == len(NAMES)
    if score is at_some_ends:
        trials = found.rows[found.rows["role"] == "trial"].groupby("optimizer")
        grown = (trials["lr_low"].min() < 1e-5) | (trials["lr_high"].max() > 1e2)
        assert 0 < grown.sum() < len(NAMES)


def place(values: pd.Series, low: float, high: float) -> np.ndarray:
    return np.log(values.to_numpy() / low) / np.log(high / low)


def in_the_middle(row: pd.Series) -> float:
    return abs(np.log10(row["optimizer.lr"]) + 1.5) + abs(np.log10(1 - row["optimizer.momentum"]) + 1)


def test_sobol_points_go_on_in_a_third_and_a_ninth_of_each_side():
    request = ask("sgd_momentum", sampler="sobol", keys=None, trials=32, lr=[1e-5, 1e2])
    trials = searched(request, in_the_middle).trials()
    lr = place(trials["optimizer.lr"], 1e-5, 1e2)
    memory = place(1 - trials["optimizer.momentum"], 0.001, 1)
    points = np.column_stack([lr, memory])
    scores = trials["score"].to_numpy()
    for stage, side in (([16, 24], 1 / 3), ([24, 32], 1 / 9)):
        best = points[scores[: stage[0]].argmin()]
        off = np.abs(points[slice(*stage)] - best)
        assert (off <= side / 2 + 1e-3).all()  # three digits
        assert off.max() > side / 4  # and it is no smaller box
        whole = side if (np.abs(best - 0.5) < 0.5 - side / 2).all() else None
        assert whole is None or np.ptp(points[slice(*stage)], axis=0) == pytest.approx(whole, abs=whole / 2)
    lows, highs = place(trials["lr_low"], 1e-5, 1e2), place(trials["lr_high"], 1e-5, 1e2)
    assert (highs - lows)[[0, 16, 24]] == pytest.approx([1, 1 / 3, 1 / 9])
    assert ((lows - 1e-3 <= lr) & (lr <= highs + 1e-3)).all()


@pytest.mark.parametrize("high", np.geomspace(50, 200, 12).tolist())
def test_a_zoom_of_sobol_points_is_clipped_to_the_box_and_no_growth(high):
    """Beside the outer tenth a third of the box goes beyond its end."""
    best = 1e-5 * (high / 1e-5) ** 0.88
    request = ask("sgd_momentum", sampler="sobol", keys=None, trials=256, lr=[1e-5, high], seeds=[5])
    trials = searched(request, valley(best)).trials()
    lows, highs = place(trials["lr_low"], 1e-5, high), place(trials["lr_high"], 1e-5, high)
    assert (lows[[0, 128, 192]], highs[[0, 128, 192]]) == (
        pytest.approx([0, 0.88 - 1 / 6, 0.88 - 1 / 18], abs=0.01),
        pytest.approx([1, 1, 0.88 + 1 / 18], abs=0.01),
    )
    assert trials["lr_high"].max() == high


def test_sobol_points_of_a_stage_are_the_next_of_the_sequence():
    request = ask("sgd_momentum", sampler="sobol", keys=None, trials=32, lr=[1e-5, 1e2])
    trials = searched(request, in_the_middle).trials()
    lows, highs = np.log(trials["lr_low"]), np.log(trials["lr_high"])
    places = (np.log(trials["optimizer.lr"]) - lows) / (highs - lows)
    np.testing.assert_allclose(places, sobol(32, 2, request.tune.seed)[:, 0], atol=0.01)


@pytest.mark.parametrize(("best", "decade"), [(1e-9, [1e-6, 1e-5]), (1e9, [1e2, 1e3])])
def test_in_the_outer_tenth_a_scrambled_box_grows_out_of_its_last_zoom(best, decade):
    request = ask("sgd_momentum", sampler="sobol", keys=None, trials=32, lr=[1e-5, 1e2])
    found = searched(request, valley(best))
    trials = found.trials()
    rates, scores = trials["optimizer.lr"], trials["score"].to_numpy()
    assert trials[["lr_low", "lr_high"]].to_numpy()[16:24] == pytest.approx(np.tile(decade, (8, 1)))
    assert rates[16:24].between(*decade).all()
    assert np.ptp(place(1 - trials["optimizer.momentum"], 0.001, 1)[16:24]) > 0.5  # over its whole range
    # the zoom that is left goes over a third of the box as it has grown
    box = [min(1e-5, decade[0]), max(1e2, decade[1])]
    middle = place(rates, *box)[scores[:24].argmin()]
    low, high = max(middle - 1 / 6, 0), min(middle + 1 / 6, 1)
    last = np.column_stack([place(trials[end], *box)[24:] for end in ("lr_low", "lr_high")])
    np.testing.assert_allclose(last, np.tile([low, high], (8, 1)), atol=1e-6)
    assert len(trials) == rates.nunique() == 32


def test_a_scrambled_box_does_not_grow_where_the_best_is_inside():
    request = ask("sgd_momentum", sampler="sobol", keys=None, trials=32, lr=[1e-5, 1e2])
    trials = searched(request, in_the_middle).trials()
    assert (trials["lr_low"].min(), trials["lr_high"].max()) == (1e-5, 1e2)


@pytest.mark.parametrize("sampler", ["grid", "sobol"])
def test_a_hyperparameter_is_zoomed_without_the_learning_rate(sampler):
    def score(row):
        return abs(np.log10(1 - row["optimizer.momentum"]) + 1.2)

    request = ask("sgd_momentum", sampler=sampler, keys=["momentum"], trials=32)
    trials = searched(request, score).trials()
    memory = 1 - trials["optimizer.momentum"]
    assert trials["optimizer.momentum"].nunique() == 32
    assert trials["lr_low"].isna().all()
    assert np.abs(np.log10(memory[16:]) + 1.2).max() < 0.6
    assert trials["score"].min() < 0.02
    if sampler == "grid":
        np.testing.assert_allclose(np.log10(memory[:16]), np.linspace(0, -3, 16)[::-1], atol=ROUNDING)


def test_a_third_optimizer_changes_nothing_of_two():
    policy = {"trials": 32, "lr": [1e-5, 1e2]}
    two = searched(ask("sgd", "adam", **policy), scattered)
    three = searched(ask("sgd", "sgd_momentum", "adam", **policy), scattered)
    kept = three.rows[three.rows["optimizer"] != "sgd_momentum"].reset_index(drop=True)
    columns = ["run_id", "role", "optimizer", "trial", "lr_low", "lr_high"]
    pd.testing.assert_frame_equal(kept[columns], two.rows[columns])


def test_each_value_that_is_swept_beside_has_the_search_that_it_would_have_alone():
    """With a decay of 0 the best rate is low, with one of 1 at the high end."""

    def score(row):
        return valley(0.003 if row["optimizer.weight_decay"] == 0 else 1e9)(row)

    policy = {"trials": 32, "lr": [1e-5, 1e2]}
    both = searched(ask("sgd", axes=[{"optimizer.weight_decay": [1.0, 0.0]}], **policy), score).trials()
    assert len(both) == 64
    for decay in (0.0, 1.0):
        alone = searched(ask("sgd", base={"optimizer.weight_decay": decay}, **policy), score).trials()
        own = both[both["optimizer.weight_decay"] == decay]
        columns = ["run_id", "optimizer.lr", "lr_low", "lr_high"]
        pd.testing.assert_frame_equal(
            own[columns].reset_index(drop=True), alone[columns].reset_index(drop=True)
        )


@pytest.mark.parametrize(
    ("optimizer", "base", "box", "grown"),
    [
        ("sgd", {"steps": 5}, [1e-6, 1e-5], [1e-6, 1e-4]),  # far too low: up
        # from beside the minimum the least step is best: down
        ("adam", {"steps": 2, "init": [2, 1e-4]}, [0.1, 10.0], [1e-2, 10.0]),
        ("sgd", {"steps": 5}, [1e-4, 10.0], [1e-4, 10.0]),
    ],
)
def test_a_box_grows_where_the_best_lr_of_stored_runs_is_at_its_end(optimizer, base, box, grown):
    rows = roles(tuned(optimizer, base=base, lr=box))
    own = rows[rows["role"] == "trial"]
    assert own["trial"].nunique() == 8
    assert [own["lr_low"].min(), own["lr_high"].max()] == pytest.approx(grown)
    assert ((own["lr_low"] <= own["optimizer.lr"]) & (own["optimizer.lr"] <= own["lr_high"])).all()
    assert own.groupby("trial")["optimizer.lr"].first().is_unique


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
    rows = roles(tuned("sgd", axes=[{"optimizer.weight_decay": [1.0, 0.0]}], lr=[0.001, 0.01], trials=5))
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
    assert rows.groupby(["target", "role"]).size().tolist() == [3, 3, 16] * 2
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


@pytest.mark.parametrize("moment", [5, 20, 28, 33], ids=["first", "second", "third", "evaluation"])
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
    assert headline(results)[0] == "Nothing is evaluated yet."
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
        for policy in ({"trials": 9}, {"seed": 1}, {"boxes": boxes}, {"rise": None})
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
    lines = [re.findall(r"`'?(\+?(?:tune\.|target=).*?)'?`", cell) for cell in cells]
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


def evaluated(*lines: str, config_dir: str | None = None) -> list[int]:
    request = read([*lines, "optimizer=sgd,adam"], multirun=True, config_dir=config_dir)
    return evaluation_seeds(request.blocks)


def test_what_is_tuned_runs_on_ten_seeds_unless_one_is_given():
    assert evaluated("tune=lr") == evaluated("tune=all", "steps=10,20") == list(range(10))
    assert evaluated("tune=lr", "seed=0") == [0]
    assert evaluated("tune=lr", "seed=7") == [7]
    assert evaluated("tune=lr", "seed=3,4") == [3, 4]
    assert evaluated() == [0]  # nothing is tuned
    files = Path("my", "experiment")
    files.mkdir(parents=True)
    head = "# @package _global_\ndefaults:\n  - override /tune: lr\n"
    for name, seeds in (("swept", "sweep: {seed: [0]}"), ("one", "seed: 5"), ("none", "steps: 9")):
        files.joinpath(f"{name}.yaml").write_text(f"{head}{seeds}\n", encoding="utf-8")
    found = [evaluated(f"+experiment={name}", config_dir="my") for name in ("swept", "one", "none")]
    assert found == [[0], [5], list(range(10))]


def test_ten_seeds_are_the_same_request_whether_given_or_not():
    names = []
    for lines in ([], ["seed=range(10)"]):
        request = read(["optimizer=sgd,adam", "tune=lr", *lines], multirun=True)
        names.append(folder_name(request, plan(trial_blocks(request))))
    assert names[0] == names[1]


def test_a_tuning_seed_among_the_ten_is_refused():
    with pytest.raises(RequestError, match=r"tune\.seeds: 2 is also a seed of the evaluation"):
        read(["optimizer=sgd,adam", "tune=lr", "tune.seeds=[101,2]"], multirun=True)


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
        ({"rise": -1}, r"tune\.rise: null, or a finite number >= 1 is allowed, but -1 came"),
        ({"rise": "high"}, r'tune\.rise: null, or a finite number >= 1 is allowed, but "high" came'),
        ({"reserve": 16}, r"tune\.reserve: there is no such key any more\. A box grows within tune\.trials"),
        ({"seeds": 0}, r"tune\.seeds: .*but 0 came"),
        ({"seeds": [3, 3]}, r"tune\.seeds: .*a list of distinct seeds is allowed"),
        ({"metric": "gap"}, r"tune\.metric: there is no such key any more\. Settings are chosen by a score"),
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
            [*SWEEP, "tune=lr", "tune.metric=gap"],
            r"tune\.metric: .* no such key any more.* chosen by a score",
        ),
        (
            [*SWEEP, "tune=lr", "+tune.reserve=0"],
            r"tune\.reserve: .* no such key any more.* within tune\.trials",
        ),
        ([*SWEEP, "tune=lr", "tune.trials=0"], r"tune\.trials: a whole number >= 1 is allowed, but 0 came"),
        ([*SWEEP, "tune=lr", "tune.rise=-1"], r"tune\.rise: null, or a finite number >= 1 .* but -1 came"),
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
