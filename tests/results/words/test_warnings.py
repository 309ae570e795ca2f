"""What to read before quoting: each warning stands exactly where its trigger holds. A clean sweep has none,
so one change makes one sentence.
"""

from functools import partial

import conftest
import numpy as np
import pytest
from conftest import LECTURE, TUNE, run, tuned

from lrbench.results.words.warnings import warnings

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}
ELSEWHERE = {"problem_id": "synthetic64", "problem": "synthetic"}
INF = float("inf")
TEN = [k * 1e-7 for k in range(1, 11)]
TRIALS = {0.01: [1e-5, 2e-5], 0.1: [1e-7, 2e-7], 1.0: [1e-5, 2e-5]}


def at(problem):
    return {"problem_id": problem, "problem": problem}


def times(gaps, factor):
    return [gap * factor for gap in gaps]


def competitor(name, factor=1.0, *, trials=TRIALS, best=TEN, **changes):
    return tuned(name, trials, times(best, factor), times(best, 1e3), **{"hit": 4, **changes})


def field(*competitors):
    """The competitors beside adam and sgd of a second problem that nothing is wrong with."""
    return [*competitors, competitor("adam", **ELSEWHERE), competitor("sgd", 2.0, **ELSEWHERE)]


BOTH = {"problems": (LECTURE, OTHER)}


@pytest.fixture
def said(write_tuned):
    """said(adam, sgd, **manifest) -> the warnings of a tuned sweep of two on the lecture's problem, beside
    the clean second one.
    """

    def written(*competitors, **options):
        return warnings(write_tuned(*field(*competitors), **{**BOTH, **options}))

    return written


@pytest.fixture
def words(write):
    """words(*rows, **manifest) -> the warnings of an untuned sweep in one text."""
    return lambda *rows, **options: "\n".join(warnings(write(*rows, **options)))


def seeds(name="sgd", gaps=TEN, **changes):
    return [run(name, gap, seed=seed, **changes) for seed, gap in enumerate(gaps)]


def test_a_clean_sweep_has_none(said):
    assert said(competitor("adam"), competitor("sgd", 2.0)) == []


# ---- of a tuned sweep: one change, one sentence


def test_a_chosen_setting_that_lost_a_seed_is_said_first_and_louder(said):
    found = said(competitor("adam"), competitor("sgd", best=[*TEN[:9], INF]))
    assert found[0] == (
        "Even at its chosen setting an optimizer lost seeds, which makes its gap inf: sgd (lr=0.1) on "
        "lecture 1 of 10."
    )
    assert found[1] == "2 of 104 runs (sgd 2 of 52) diverged."


def test_runs_that_diverge_in_the_search_alone_are_counted_as_such(said):
    found = said(competitor("adam"), competitor("sgd", trials=TRIALS | {1.0: [INF, INF]}))
    assert found == [
        "2 of 104 runs (sgd 2 of 52) diverged, all in the search.",
        (
            "The next learning rate above the chosen one loses runs, and between the two the gap may end far "
            "lower: sgd on lecture (0.1, 1)."
        ),
    ]


def with_halves(competitor, half):
    """Set the gap at half of the steps: a number, or so many times the last one as a text says."""
    for row, _ in competitor:
        row["half_level"] = float(half) * row["level"] if isinstance(half, str) else half
    return competitor


def in_box(competitor, low, high):
    return [
        (row, role | ({"lr_low": low, "lr_high": high} if role["role"] == "trial" else {}))
        for row, role in competitor
    ]


def best_at(lr):
    return {0.01: [1e-5, 2e-5], 0.1: [1e-5, 2e-5], lr: [1e-7, 2e-7]}


def faults():
    """Return problem -> adam and sgd on it: one fault each, or what is just none."""

    def adam(problem, **changes):
        return competitor("adam", **at(problem), **changes)

    def sgd(problem, factor=2.0, **changes):
        return competitor("sgd", factor, **at(problem), **changes)

    batches = {"batch_size": 1, "batch_order": "shuffled"}
    return {
        "clean": (adam("clean"), sgd("clean")),
        "edge": (
            adam("edge"),
            sgd("edge", trials=best_at(50.0)),
        ),
        "no edge": (adam("no edge"), sgd("no edge", trials=best_at(0.03))),
        "trials": (adam("trials"), sgd("trials", trials=TRIALS | {10.0: [1.0, 2.0]})),
        "boxes": (adam("boxes"), in_box(sgd("boxes"), 1e-3, 1e1)),
        "floor": (adam("floor", best=[0.0] * 10), sgd("floor")),
        "easy": (adam("easy", hit=1), sgd("easy", hit=0)),
        "hard": (adam("hard", hit=1), sgd("hard", hit=2)),
        "falls": (with_halves(adam("falls"), "2.1"), with_halves(sgd("falls", hit=None), "2.1")),
        "stalls": (with_halves(adam("stalls"), "1.9"), with_halves(sgd("stalls", hit=None), "1.9")),
        "noise": (
            with_halves(adam("noise", **batches), "1.2"),
            with_halves(sgd("noise", hit=None, **batches), "1.2"),
        ),
        "turned": (with_halves(adam("turned"), 1.0), with_halves(sgd("turned", 5.0), 1e-3)),
        "kept": (with_halves(adam("kept"), 1e-4), with_halves(sgd("kept", 5.0), 1e-3)),
        "close": (
            with_halves(adam("close"), 1.0),
            with_halves(sgd("close", 1.05), 1e-3),
        ),  # an order that is not shown cannot turn
        "restless": (adam("restless", steps=48), sgd("restless", steps=48)),
        "resting": (adam("resting", steps=48), sgd("resting", steps=48)),
    }


RISES = {"restless": 3, "resting": 2}  # of the 12 steps of the last quarter of 48; a fifth of them is 2.4


def up_and_down(straight, row):
    drawn = straight(row)
    gap = np.array(drawn["gap"])
    for place in range(38, 38 + 2 * (row["optimizer"] == "sgd") * RISES.get(row["problem"], 0), 2):
        gap[place] = 2 * gap[place - 1]
    return drawn | {"gap": gap}


def test_each_fault_is_said_where_it_is(write_tuned, monkeypatch):
    monkeypatch.setattr(conftest, "curve", partial(up_and_down, conftest.curve))
    cases = faults()
    results = write_tuned(
        *(each for pair in cases.values() for each in pair),
        problems=tuple(LECTURE | at(problem) for problem in cases),
    )
    target = "the target, a relative gap of 1e-6"
    assert warnings(results) == [
        "The chosen learning rate lies at an end of its box, so that a wider one may do better: "
        "sgd on edge (lr=50, highest end).",
        "Not all were searched alike on trials: 3 settings for adam; 4 settings for sgd.",
        "Not all were searched alike on boxes: 4 decades of lr for sgd; 7 decades of lr for adam.",
        "At the gap floor, where differences are rounding and all are tied: adam on floor (1.00e-20).",
        "Every run reached the target within one step on easy: it is too easy to tell optimizers apart.",
        f"Fewer than half of the seeds reached {target}: sgd on 3 of 16 tasks.",
        (
            "Short of the target with the gap still falling at the last step, more than twofold in the "
            "second half: sgd on falls."
        ),
        (
            "Short of the target with the gap level in the second half, as at the noise floor of a learning "
            "rate: sgd on noise."
        ),
        "At half of the steps the order was another: sgd before adam on turned.",
        (
            "The gap still goes up and down in the last quarter of the steps; read a 95 % interval as one of "
            "84 to 90 %: sgd on restless."
        ),
    ]


@pytest.mark.parametrize(
    ("best", "policy", "where"),
    [
        (50.0, {"trials": 7}, "at an end of its box"),
        (50.0, {"trials": 8}, "at an end of its box, even after growing by a decade"),
        # the box is 1e-5 to 1e2: its outer tenth begins at 20
        (20.1, {"sampler": "sobol"}, "in the outer tenth of its box"),
        (19.9, {"sampler": "sobol"}, None),
    ],
)
def test_where_a_search_ended_at_an_edge(said, best, policy, where):
    found = said(competitor("adam"), competitor("sgd", trials=best_at(best)), tune=TUNE | policy)
    case = f"sgd on lecture (lr={best:g}, highest end)"
    wanted = f"The chosen learning rate lies {where}, so that a wider one may do better: {case}."
    assert found == ([wanted] if where else [])


def test_other_seeds(said):
    shifted = [run("sgd", gap, lr=0.1, seed=seed, hit=4) for seed, gap in enumerate(TEN, start=4)]
    evaluation = [
        (row, {"run_id": row["run_id"], "role": "evaluation", "optimizer": "sgd", "trial": 1})
        for row in shifted
    ]
    rest = [pair for pair in competitor("sgd") if pair[1]["role"] != "evaluation"]
    found = said(competitor("adam"), rest + evaluation)
    assert (
        "Seeds are not the same for all optimizers; only those that all have are compared: 6 of 14 on "
        "lecture."
    ) in found


def test_fewer_than_ten_seeds(said):
    logs = np.log([1.1, 1.0, 1.1, 1.0])
    half = 1.25 * np.exp(3.182446 * logs.std(ddof=1) / 2)  # t with 3 degrees of freedom, 4 seeds
    found = said(competitor("adam", best=TEN[:4]), competitor("sgd", best=[1.1e-7, 2e-7, 3.3e-7, 4e-7]))
    assert found == [
        f"Few seeds (4): differences under {half:.3g} times are not visible between adam and sgd on lecture."
    ]


@pytest.mark.parametrize(
    ("other", "key"),
    [
        ({"versions": {"lrbench": "0.9", "python": "3.12"}}, "lrbench"),
        ({"machine": {"platform": "Linux", "processor": "x86_64", "cores": 4}}, "cores"),
    ],
)
def test_sessions_that_differ(words, other, key):
    now = {
        "versions": {"lrbench": "1.0.0", "python": "3.12"},
        "machine": {"platform": "Linux", "processor": "x86_64", "cores": 8},
    }
    text = words(run(), earlier=[now | other])
    assert (
        f"The runs were made in 2 sessions that differ in {key}: their numbers may differ for that "
        "reason alone."
    ) in text


def test_one_problem_only(write_tuned):
    assert warnings(write_tuned(competitor("adam"), competitor("sgd", 2.0))) == [
        "One problem only: no claim beyond it."
    ]


@pytest.mark.parametrize(("times_lower", "shown"), [(100.0, True), (1.1, False)])
def test_a_default_that_ends_lower_than_the_chosen_setting(said, times_lower, shown):
    gaps = [gap * 1e-2 for gap in TEN]
    sgd = tuned(
        "sgd", {0.01: [1e-3], 0.1: [1e-6], 1.0: [1e-3]}, gaps, [gap / times_lower for gap in gaps], hit=3
    )
    sentence = (
        "At its default setting an optimizer is shown to end lower than at the chosen one: sgd on lecture "
        "(100 times)."
    )
    assert (sentence in said(sgd)) == shown


# ---- of an untuned sweep


@pytest.mark.parametrize(
    ("momentum", "ended", "said"),
    [(0.5, "completed", True), (0.9, "completed", False), (0.5, "diverged", False)],
)
def test_a_rate_beside_a_cliff(words, momentum, ended, said):
    """At another momentum the next rate is no neighbour; a rate that lost runs itself stands on no cliff."""
    text = words(run(lr=0.1, momentum=0.5, status=ended), run(lr=0.2, momentum=momentum, status="diverged"))
    assert ("between the two the gap may end far lower: sgd (0.1, 0.2)." in text) == said


def test_settings_chosen_on_the_seeds_that_are_shown(words):
    sentence = "Settings were chosen on the very seeds that are shown"
    assert sentence in words(*seeds(), *seeds(lr=0.2, gaps=times(TEN, 3)))
    assert sentence not in words(*seeds(), folder="once")


def test_one_learning_rate_says_little_beside_others(words):
    sentence = (
        "One learning rate only for sgd: what an optimizer reaches untuned says little about it; tune=lr "
        "tries 32."
    )
    assert sentence in words(*seeds(), *seeds("adam"), *seeds("adam", lr=0.2))
    assert "One learning rate only" not in words(*seeds(), folder="alone")


def test_grids_of_other_sizes(words):
    found = words(
        *seeds(lr=0.1),
        *seeds(lr=1.0),
        *seeds("adam", lr=0.1),
        *seeds("adam", lr=1.0),
        *seeds("adam", lr=10.0),
    )
    assert "Not all were searched alike: 2 settings for sgd; 3 settings for adam." in found
    assert "Not all were searched alike: 1 decade of lr for sgd; 2 decades of lr for adam." in found


@pytest.mark.parametrize(
    ("state", "text"), [("interrupted", "was interrupted"), ("running", "is still running or was stopped")]
)
def test_an_unfinished_sweep_counts_what_is_stored(write, state, text):
    results = write(
        *seeds(), state=state, counts={"planned": 40, "completed": 10, "diverged": 0, "failed": 0}
    )
    assert (
        warnings(results)[0]
        == f"The sweep {text}: 10 of 40 planned runs are stored. The same request goes on from there."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([run()], "One seed only: how much the gap varies from seed to seed is not known."),
        (
            seeds(gaps=(1e-3, 1e-3), start_loss=1.0, start_gap=1.0),
            "identical for sgd (up to 2 of one setting)",
        ),
        (
            [run(gap=10.0**-lr, lr=float(lr)) for lr in (1, 2, 3)],
            "at the edge of its grid, so that a wider one may do better: sgd (lr=3, highest of 3).",
        ),
        (
            seeds(gaps=(0.0, 0.0)),
            "At the gap floor, where differences are rounding and all are tied: sgd (1.00e-20).",
        ),
        (seeds(), "No optimizer reached the target, a relative gap of 1e-6, at its best setting."),
        (
            [run(hit=3), run(seed=1), run(seed=2)],
            "Fewer than half of the seeds reached the target, a relative gap of 1e-6: sgd (1/3).",
        ),
        (
            [run(), run(seed=1, status="diverged")],
            "Even at its best setting an optimizer lost seeds, which makes its gap inf: sgd (lr=0.1) 1 of 2.",
        ),
        (
            [run(), run(seed=1, status="failed", reason="needs a closure.")],
            "1 of 2 runs failed: needs a closure.\n",
        ),
        (
            [run(), run("adam", status="diverged"), run("adam", seed=1)],
            "1 of 3 runs (adam 1 of 2) diverged.\n",
        ),
        ([*seeds(gaps=TEN[:4]), *seeds("adam", gaps=[*TEN[1:4], INF])], "Few seeds (4)"),
    ],
)
def test_each_of_an_untuned_sweep(words, rows, sentence):
    assert sentence in words(*rows) + "\n"


def test_a_sign_test_of_five_can_show_nothing(words):
    lost = [run("adam", seed=seed, status="diverged" if seed == 0 else "completed") for seed in range(5)]
    assert (
        "Few seeds (5), not all with a gap above the floor: nothing can be shown between sgd and adam."
        in words(*seeds(gaps=TEN[:5]), *lost)
    )
    lost = [run("adam", seed=seed, status="diverged" if seed == 0 else "completed") for seed in range(6)]
    assert (
        "Few seeds (6), not all with a gap above the floor: no more than the order can be shown between "
        "sgd and adam."
    ) in words(*seeds(gaps=TEN[:6]), *lost, folder="six")


def test_half_of_the_seeds_is_enough_for_the_target(words):
    assert "reached the target" not in words(run(hit=3), run(seed=1))


def test_undefined_targets_are_said_once_and_not_called_missed(words):
    text = words(*seeds(), problems=(LECTURE | {"scale": None},))
    assert text.count("undefined on lecture") == 1
    assert "reached" not in text


def test_one_seed_of_some_is_named(words):
    assert "One seed only for adam" in words(*seeds(), run("adam"))


def test_the_plans_own_warnings_come_last(write):
    assert warnings(write(run(), warnings=["sgd: lr is not used."]))[-1] == "sgd: lr is not used."
