import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrbench.errors import RequestError
from lrbench.plan import Block, plan
from lrbench.sweeper.request import read

BASE = {
    block.choices["optimizer"]: block
    for block in read(["optimizer=sgd,sgd_momentum,adam"], multirun=True).blocks
}


def block(optimizer="sgd", *axes, **changes) -> Block:
    one = BASE[optimizer]
    return Block(one.choices, one.base | changes, list(axes))


def ids(*blocks) -> list[str]:
    return sorted(run_id for group in plan(blocks).groups for run_id in group.run_id)


LRS = st.lists(st.sampled_from([0.001, 0.01, 0.1, 1]), min_size=1, max_size=4, unique=True)
SEEDS = st.lists(st.integers(0, 50), min_size=1, max_size=5, unique=True)


@given(LRS, SEEDS, st.randoms())
@settings(max_examples=30, deadline=None)
def test_planning_does_not_depend_on_order(lrs, seeds, draw):
    def shuffled(values):
        return draw.sample(values, len(values))

    one = [block("sgd", {"optimizer.lr": lrs}, {"seed": seeds}), block("adam", {"seed": seeds})]
    other = [
        block("adam", {"seed": shuffled(seeds)}),
        block("sgd", {"seed": shuffled(seeds)}, {"optimizer.lr": shuffled(lrs)}),
    ]
    assert ids(*one) == ids(*other)


@given(LRS, SEEDS)
@settings(max_examples=20, deadline=None)
def test_an_id_does_not_depend_on_how_a_value_was_given(lrs, seeds):
    swept = ids(block("sgd", {"optimizer.lr": lrs}, {"seed": seeds}))
    given_ = sorted(
        run_id
        for lr in lrs
        for seed in seeds
        for run_id in ids(block("sgd", **{"optimizer.lr": lr, "seed": seed}))
    )
    assert swept == given_


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_adding_an_optimizer_changes_no_others_runs(seeds):
    alone = set(ids(block("sgd", {"seed": seeds})))
    assert alone < set(ids(block("sgd", {"seed": seeds}), block("adam", {"seed": seeds})))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"epochs": 7}, {"steps": 7}),
        ({"epochs": 4, "batch_size": 2}, {"steps": 8, "batch_size": 2}),
        ({"batch_size": 3}, {"batch_size": None}),
        ({"batch_size": 3, "batch_order": "shuffled"}, {"batch_order": "sequential"}),
        ({"optimizer.momentum": 0}, {"optimizer.momentum": 0.0}),
        ({"name": "a", "report": False}, {}),
    ],
)
def test_one_run_has_one_spelling(one, other):
    assert ids(block("sgd", **one)) == ids(block("sgd", **other))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"init": "zeros"},
        {"dtype": "float32"},
        {"epochs": 3},
        {"batch_size": 1},
        {"optimizer.lr": 0.5},
    ],
)
def test_a_run_is_all_its_settings(change):
    assert ids(block("sgd")) != ids(block("sgd", **change))


def test_a_setting_is_a_run_without_its_seed():
    (group,) = plan([block("sgd", {"optimizer.lr": [0.1, 0.2]}, {"seed": [0, 1, 2]})]).groups
    assert len(set(group.run_id)) == 6
    assert len(set(group.setting_id)) == 2


def test_the_id_is_the_datas_content_not_its_path(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text("x,y\n1,2\n2,5\n3,7\n")
    one, other = (
        ids(*read(["problem=csv", f"problem.path={path}", "problem.target=y"]).blocks) for path in paths
    )
    assert one == other
    paths[1].write_text("x,y\n1,2\n2,5\n3,8\n")
    assert ids(*read(["problem=csv", f"problem.path={paths[1]}", "problem.target=y"]).blocks) != one


def test_what_a_group_shares_is_the_same_for_all_its_runs():
    groups = plan(
        [block("sgd", {"steps": [5, 6]}, {"optimizer.lr": [0.1, 0.2]}, {"batch_size": [1, None]})]
    ).groups
    assert sorted(
        (group.shared["steps"], str(group.shared["batch_size"]), len(group)) for group in groups
    ) == [
        (5, "1", 2),
        (5, "None", 2),
        (6, "1", 2),
        (6, "None", 2),
    ]


@pytest.mark.parametrize(
    ("changes", "kept"), [({"init": "zeros"}, 1), ({"init": [1, 2]}, 1), ({"init": "torch"}, 3)]
)
def test_copies_are_not_seeds(changes, kept):
    todo = plan([block("sgd", {"seed": [4, 2, 9]}, **changes)])
    assert len(todo) == kept
    assert bool(todo.warnings) == (kept == 1)
    if kept == 1:
        assert todo.groups[0].run(0)["seed"] == 2
        assert "copies are not seeds" in todo.warnings[0]


def test_shuffled_minibatches_depend_on_the_seed():
    assert (
        len(plan([block("sgd", {"seed": [0, 1]}, init="zeros", batch_size=1, batch_order="shuffled")])) == 2
    )


def test_the_same_run_under_two_names_is_kept_once_and_said():
    todo = plan([block("sgd", **{"optimizer.momentum": 0.9}), block("sgd_momentum")])
    assert len(todo) == 1
    assert "sgd_momentum: some runs equal those of optimizer=sgd" in todo.warnings[0]


def test_the_length_of_a_schedule_has_one_spelling():
    lines = ["schedule=cosine", "steps=50"]
    todo = plan([*read(lines).blocks, *read([*lines, "schedule.T_max=50"]).blocks])
    assert len(todo) == 1
    assert todo.groups[0].shared["schedule.T_max"] == 50


def test_without_what_is_finished():
    todo = plan([block("sgd", {"seed": [0, 1, 2]})])
    first = todo.groups[0].run_id[0]
    rest = todo.without(np.array([first]))
    assert len(rest) == 2
    assert first not in rest.groups[0].run_id
    assert len(todo.without(todo.groups[0].run_id).groups) == 0
    assert todo.only(np.array([first])).groups[0].run_id.tolist() == [first]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 4}, r"batch_size: a whole number from 1 to n = 3 .* but 4 came"),
        ({"init": [1, 2, 3]}, r"init: problem=lecture takes 2 numbers .* but 3 came"),
        ({"steps": 0}, r"steps: "),
        (
            {"problem._target_": "lrbench.problems.lectur"},
            r"problem\._target_: no function at 'lrbench\.problems\.lectur'",
        ),
    ],
)
def test_what_the_problem_does_not_allow(changes, message):
    with pytest.raises(RequestError, match=message):
        plan([block("sgd", **changes)])


def test_ten_thousand_runs_take_no_more_compositions_than_eight(monkeypatch):
    """What makes planning fast: settings are never composed. benchmarks/planning.py has the times."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    compose, compositions = ConfigLoaderImpl.load_configuration, []
    monkeypatch.setattr(
        ConfigLoaderImpl, "load_configuration", lambda *lines: compositions.append(lines) or compose(*lines)
    )

    def planned(lrs, seeds):
        compositions.clear()
        todo = plan(
            read(
                ["optimizer=sgd,adam", f"optimizer.lr=range(1,{lrs + 1})", f"seed=range({seeds})"],
                multirun=True,
            ).blocks
        )
        return len({run_id for group in todo.groups for run_id in group.run_id}), len(compositions)

    assert planned(2, 2) == (8, planned(50, 100)[1])
    assert planned(50, 100)[0] == 10_000


def test_runs_are_columns():
    (group,) = plan([block("sgd", {"optimizer.lr": [0.1, 0.2]}, {"seed": [3, 4]})]).groups
    assert [(group.run(i)["optimizer.lr"], group.run(i)["seed"]) for i in range(4)] == [
        (0.1, 3),
        (0.1, 4),
        (0.2, 3),
        (0.2, 4),
    ]
    taken = group.take(np.array([2]))
    assert taken.run(0) == group.run(2)
    assert taken.run_id[0] == group.run_id[2]
