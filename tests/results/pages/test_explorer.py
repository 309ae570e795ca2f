"""The block of all runs: read back here by plain loops, as its docstring says, and compared with what was
stored.
"""

import base64
import json
import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import curve, run

from lrbench.results.figures import ink
from lrbench.results.pages import explorer

DECADES = 1 / 1200  # the error that explorer.py promises


def unpacked(block: dict) -> tuple[list[dict], list[list[float]]]:
    """Read `numbers` number by number: the grids, and the gaps of each run."""
    planes = zlib.decompress(base64.b64decode(block["numbers"]))
    count, total, numbers = len(planes) // 4, 0, []
    for i in range(count):
        zigzag = sum(planes[i + plane * count] << (8 * plane) for plane in range(4))
        total += zigzag // 2 if zigzag % 2 == 0 else -(zigzag // 2) - 1
        numbers.append(total)
    rest = iter(numbers)
    grids = [
        {
            "steps": [next(rest) for _ in range(g["length"])],
            "evaluations": [next(rest) * g["unit"] for _ in range(g["length"])],
        }
        for g in block["grids"]
    ]
    special = {block["zero"]: 0.0, block["lost"]: np.inf}
    codes = [[next(rest) for _ in range(block["grids"][grid]["length"])] for grid in block["runs"]["grid"]]
    assert next(rest, None) is None
    return grids, [
        [special[code] if code in special else 10.0 ** (code / block["levels"]) for code in row]
        for row in codes
    ]


def results(
    entries: pd.DataFrame, curves: pd.DataFrame | None = None, chosen: tuple[str, ...] = ()
) -> SimpleNamespace:
    """What `block` asks of a result set; every run goes from 1 to its gap in one step unless curves are
    given. Remembers whose curves were read.
    """
    read: list[str] = []

    def curves_of(run_ids: pd.Series) -> pd.DataFrame:
        read.extend(run_ids)
        if curves is not None:
            return curves[curves["run_id"].isin(run_ids)]
        last = entries.drop_duplicates("run_id").set_index("run_id")["gap"][list(run_ids)]
        gap = np.column_stack([np.ones(len(last)), last]).ravel()
        step = np.tile([0, 1], len(last))
        return pd.DataFrame(
            {
                "run_id": np.repeat(last.index.to_numpy(), 2),
                "step": step,
                "evaluations": step.astype(float),
                "loss": gap,
                "gap": gap,
            }
        )

    ranking = entries.drop_duplicates(["task", "optimizer"])[["task", "optimizer"]]
    ranking["setting_id"] = [*chosen, *["none"] * (len(ranking) - len(chosen))]
    tasks = pd.DataFrame({"task": entries["task"].unique()})
    return SimpleNamespace(entries=entries, ranking=ranking, tasks=tasks, curves_of=curves_of, read=read)


def rows(count: int, optimizers: int = 4, tasks: int = 2, seed: int = 0) -> pd.DataFrame:
    """Entries with gaps drawn at random, a tenth of the settings diverged, five seeds a setting."""
    rng = np.random.default_rng(seed)
    i = np.arange(count)
    setting = i // 5
    name, task = [f"o{k}" for k in setting % optimizers], [f"t{k}" for k in setting // optimizers % tasks]
    status = np.where(setting % 10 == 3, "diverged", "completed")
    gap = np.where(status == "diverged", np.inf, 10.0 ** rng.uniform(-12, 0, count))
    ids = {"setting_id": [f"s{k}" for k in setting], "run_id": [f"r{k}" for k in i]}
    more = {"setting": [f"lr={k}" for k in setting], "lr": setting / 7, "seed": i % 5, "role": "grid"}
    return pd.DataFrame({"task": task, "optimizer": name, **ids, **more, "status": status, "gap": gap})


def one(
    gap: list[float], step: list[int] | None = None, evaluations: list[float] | None = None
) -> SimpleNamespace:
    """A result set of one run."""
    step = list(range(len(gap))) if step is None else step
    columns = {
        "run_id": "r0",
        "step": step,
        "evaluations": np.array(step if evaluations is None else evaluations, float),
        "gap": gap,
    }
    return results(rows(1), pd.DataFrame(columns))


# ---- numbers


def test_what_is_stored_comes_back_within_the_promised_error(write):
    stored = [
        run("sgd", 1e-3, lr=0.1),
        run("sgd", lr=9.0, status="diverged"),
        run("adam", 1e-19, lr=1e-5, target_="torch.optim.Adam", seed=7),
    ]
    found = write(*stored, run("sgd", lr=7.0, status="failed", reason="no"))
    block = explorer.block(found)
    grids, gaps = unpacked(block)
    names, columns = list(ink.palette(found.ranking)), block["runs"]
    told = {
        (names[o], lr, seed): i
        for i, (o, lr, seed) in enumerate(
            zip(columns["optimizer"], columns["lr"], columns["seed"], strict=True)
        )
    }
    assert sorted(told) == [("adam", 1e-5, 7), ("sgd", 0.1, 0), ("sgd", 9.0, 0)]
    for row in stored:
        i = told[row["optimizer"], row["optimizer.lr"], row["seed"]]
        expected = curve(row)["gap"]
        lost = np.isinf(expected)
        assert np.isinf(gaps[i]).tolist() == lost.tolist()
        assert (
            np.abs(np.log10(np.array(gaps[i])[~lost]) - np.log10(expected[~lost])).max() <= DECADES * 1.0001
        )
        assert (
            grids[columns["grid"][i]]["steps"] == grids[columns["grid"][i]]["evaluations"] == list(range(9))
        )
        assert block["statuses"][columns["status"][i]] == row["status"]
    assert [block["settings"][columns["setting"][told["sgd", lr, 0]]] for lr in (0.1, 9.0)] == [
        "lr=0.1",
        "lr=9",
    ]
    assert (block["shown"], block["total"], block["tasks"]) == (3, 3, found.tasks["task"].tolist())
    assert block["note"] == "3 runs; 1 run failed and left no curve"
    json.dumps(block, allow_nan=False)


@pytest.mark.parametrize("gap", [5e-324, 2.2e-308, 1e-30, 0.99999, 1.0, 3.0, 1.7e308])
def test_no_gap_is_too_small_or_too_large(gap):
    _, ((start, last),) = unpacked(explorer.block(one([1.0, gap])))
    assert start == 1.0
    with np.errstate(over="ignore"):
        assert abs(np.log10(last) - np.log10(gap)) <= DECADES * 1.0001


def test_zero_stays_zero_and_what_is_no_number_is_lost():
    assert unpacked(explorer.block(one([1.0, 0.0, 10.0, np.inf, np.nan, 0.0])))[1] == [
        [1.0, 0.0, 10.0, np.inf, np.inf, 0.0]
    ]


def test_evaluations_of_minibatches_keep_their_fractions():
    evaluations = np.arange(401) * 32 / 1000
    grids, _ = unpacked(explorer.block(one([1.0] * 401, evaluations=evaluations.tolist())))
    np.testing.assert_allclose(grids[0]["evaluations"], evaluations, rtol=1e-6)


def test_runs_on_the_same_steps_share_a_grid():
    entries = rows(3)
    steps = {"r0": [0, 1, 2], "r1": [0, 1, 2], "r2": [0, 1, 2]}
    evaluations = {"r0": [0, 1, 2], "r1": [0, 1, 2], "r2": [0, 20, 25]}
    parts = [
        pd.DataFrame(
            {"run_id": r, "step": steps[r], "evaluations": np.array(evaluations[r], float), "gap": 1.0}
        )
        for r in steps
    ]
    block = explorer.block(results(entries, pd.concat(parts, ignore_index=True)))
    assert block["runs"]["grid"] == [0, 0, 1]
    assert [grid["evaluations"] for grid in unpacked(block)[0]] == [[0, 1, 2], [0, 20, 25]]


# ---- steps


@pytest.mark.parametrize("last", [0, 1, 499, 500])
def test_so_few_steps_are_all_kept(last):
    assert explorer.log_spaced(last).tolist() == list(range(last + 1))


@pytest.mark.parametrize("last", [501, 502, 777, 10_000, 1_000_000])
def test_more_steps_are_thinned_to_a_geometric_series(last):
    steps = explorer.log_spaced(last)
    assert len(steps) == 501
    assert [*steps[:3], steps[-1]] == [0, 1, 2, last]
    assert (np.diff(steps) > 0).all()
    assert (np.diff(np.diff(steps)) >= -1).all()  # never denser again, but for rounding
    far = steps[steps > 100]
    ratios = far[1:] / far[:-1]
    assert ratios.max() - ratios.min() <= 2 / 100


def test_a_long_curve_is_thinned_with_its_gaps():
    steps = np.arange(5001)
    grids, (gaps,) = unpacked(explorer.block(one(10.0 ** (-steps / 1000), step=steps.tolist())))
    kept = np.array(grids[0]["steps"])
    assert len(kept) == 501
    assert kept[-1] == 5000
    np.testing.assert_allclose(np.log10(gaps), -kept / 1000, atol=DECADES)


def test_a_curve_recorded_at_log_spaced_steps_keeps_its_own():
    steps = np.unique(np.geomspace(1, 1e6, 900).round().astype(int))
    grids, _ = unpacked(explorer.block(one([1.0] * (len(steps) + 1), step=[0, *steps.tolist()])))
    assert set(grids[0]["steps"]) <= {0, *steps.tolist()}
    assert {0, 10**6} < set(grids[0]["steps"])


# ---- which runs


def test_a_sample_keeps_all_extremes_and_reads_only_its_curves():
    entries = rows(12_000)
    chosen = ("s8", "s0", "s1", "s2")
    found = results(entries, chosen=chosen)
    block = explorer.block(found)
    assert (block["shown"], block["total"]) == (2_000, 12_000)
    assert block["note"] == "2,000 of 12,000 runs, all extremes kept"
    kept = set(found.read)
    assert len(found.read) == len(kept) == 2_000
    for _, group in entries.groupby(["task", "optimizer"]):
        for extreme in (group["gap"].min(), group["gap"].max()):
            assert kept & set(group["run_id"][group["gap"] == extreme])
    assert set(entries["run_id"][entries["setting_id"].isin(chosen)]) <= kept
    for _, group in entries[entries["status"] == "diverged"].groupby("setting_id"):
        assert kept & set(group["run_id"])


def test_the_rest_of_a_sample_is_even_over_optimizers_tasks_and_seeds():
    entries = rows(12_000).assign(status="completed", gap=np.arange(12_000) + 1.0)
    entries = entries[
        (entries["optimizer"] != "o0") | (entries.index // 40 % 2 == 0)
    ]  # o0 has half as many settings as each other
    kept, _ = explorer.sampled(entries, pd.Series(["none"]))
    shares = kept.groupby(["task", "optimizer"]).size() / entries.groupby(["task", "optimizer"]).size()
    assert len(shares) == 8
    assert shares.between(2_000 / 10_500 - 0.004, 2_000 / 10_500 + 0.004).all()
    assert kept["seed"].value_counts().between(330, 470).all()  # 400 each, sd 18
    assert kept.index.is_monotonic_increasing
    pd.testing.assert_frame_equal(kept, explorer.sampled(entries, pd.Series(["none"]))[0])


def test_more_extremes_than_there_is_room_for_are_not_called_all():
    entries = rows(12_000, optimizers=120, tasks=10)
    found = results(entries)
    assert explorer.block(found)["note"] == "2,000 of 12,000 runs, not all extremes among them"


def test_a_run_with_several_roles_is_one_run():
    entries = pd.concat(
        [rows(2).assign(role="evaluation"), rows(1).assign(role="default")], ignore_index=True
    )
    block = explorer.block(results(entries))
    assert [block["roles"][role] for role in block["runs"]["role"]] == ["evaluation, default", "evaluation"]
    assert block["note"] == "2 runs"


def test_nothing_but_failures_makes_no_block(write):
    assert explorer.block(write(run("sgd", status="failed", reason="no"))) is None


def test_an_optimizer_without_a_learning_rate_has_none():
    assert explorer.block(results(rows(1).assign(lr=np.nan)))["runs"]["lr"] == [None]


def test_a_thousand_noisy_runs_of_500_steps_fit_the_page():
    rng = np.random.default_rng(0)
    steps = np.tile(np.arange(501), 1000)
    gap = 10.0 ** (-steps / 100 + rng.normal(0, 0.05, len(steps)))
    curves = pd.DataFrame(
        {
            "run_id": np.repeat([f"r{i}" for i in range(1000)], 501),
            "step": steps,
            "evaluations": steps.astype(float),
            "gap": gap,
        }
    )
    assert len(json.dumps(explorer.block(results(rows(1000), curves)))) <= 750_000
