"""Shares as true steps: of (seed, target) pairs against evaluations, and of tasks in the performance
profile.
"""

import numpy as np
import pytest
from conftest import LECTURE, run
from drawn import ADAM, colours_of, draw, finding, lines, over_tasks, tasks, texts

from lrbench.errors import RequestError


def test_the_share_solved_counts_every_pair_of_seed_and_target(write):
    """Against a loop over the runs; the run that diverged arrives nowhere."""
    rows = [run(gap=gap, seed=seed) for seed, gap in enumerate((1e-3, 1e-6, 5.0))] + [
        run(seed=3, status="diverged")
    ]
    frame = write(*rows).solved
    costs = [row[f"cost_1e-{k}"] for row in rows for k in range(1, 9)]
    for cost, share in frame[["evaluations", "share"]].itertuples(index=False):
        assert share == sum(c is not None and c <= cost for c in costs) / 32
    assert frame["evaluations"].iloc[[0, -1]].tolist() == [0, 8]
    assert set(frame["pairs"]) == {32}
    assert 0 < frame["share"].iloc[-1] < 0.75


def test_the_target_view_holds_the_shares_as_steps(write):
    results = write(
        *[run(gap=10.0 ** -(2 + 3 * seed), seed=seed) for seed in range(2)],
        run("adam", status="diverged", **ADAM),
    )
    (ax,) = draw("targets", results).axes
    colours, frame = colours_of(results), results.solved
    for name, rows in frame.groupby("optimizer"):
        np.testing.assert_allclose(lines(ax)[colours[name]], rows[["evaluations", "share"]])
    of_shares = [line for line in ax.lines if not line.get_gid().startswith("key")]
    assert {line.get_drawstyle() for line in of_shares} == {"steps-post"}
    assert "0/8" in texts(ax)
    arrived = results.reported.set_index("optimizer").filter(regex="^cost_1e").notna()
    counts = {name: int(own.to_numpy().sum()) for name, own in arrived.groupby(level=0)}
    told = finding("targets", results)
    assert f"SGD {counts['sgd']} of 16" in told
    assert f"Adam {counts['adam']} of 8" in told
    with pytest.raises(RequestError, match="undefined"):
        draw("targets", write(run(), problems=(LECTURE | {"scale": None},), folder="flat"))


def test_the_profile_by_hand(write):
    """Costs 10, 20 | 40, 20 | not reached, 30 | nobody: within 1: a 1/4, b 2/4; within 2: a 2/4, b 3/4."""
    hits = {"a": [10, 40, None, None], "b": [20, 20, 30, None]}
    gaps = {name: [1e-3 if hit is None else 1e-9 for hit in own] for name, own in hits.items()}
    results = write(*over_tasks(gaps, hits, steps=50, budget=50.0), problems=tasks(4))
    frame = results.profile
    at = {
        (name, ratio): share
        for name, ratio, share in frame[["optimizer", "ratio", "share"]].itertuples(index=False)
    }
    assert (at["a", 1.0], at["b", 1.0], at["a", 2.0], at["b", 2.0]) == (0.25, 0.5, 0.5, 0.75)
    (ax,) = draw("profile", results).axes
    colours = colours_of(results)
    for name, rows in frame.groupby("optimizer"):
        np.testing.assert_allclose(lines(ax)[colours[name]], rows[["ratio", "share"]])
    assert {"2 of 4 tasks", "3 of 4 tasks"} <= set(texts(ax))
    told = "all tasks: tasks on which half of the seeds arrive: a 2 of 4 and b 3 of 4."
    assert finding("profile", results) == told


def test_a_profile_leaves_out_optimizers_that_missed_tasks(write):
    rows = over_tasks({"a": [1e-9] * 4, "b": [1e-9] * 4}, {"a": [1, 2, 3, 4], "b": [2, 2, 2, 2]})
    rows += over_tasks({"c": [1e-9]}, {"c": [1]})
    frame = write(*rows, problems=tasks(4)).profile
    assert set(frame["optimizer"]) == {"a", "b"}
    assert set(frame["tasks"]) == {4}


def test_two_tasks_are_no_profile(write):
    with pytest.raises(RequestError, match="three tasks"):
        draw("profile", write(*over_tasks({"a": [1e-3] * 2, "b": [1e-3] * 2}), problems=tasks(2)))
