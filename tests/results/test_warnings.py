"""What to read before quoting: each warning stands exactly where its trigger holds. A clean sweep has none, so one change makes one sentence."""

import numpy as np
import pytest
from conftest import LECTURE, TUNE, run, tuned

from lrbench.results.warnings import warnings

OTHER = LECTURE | {"problem_id": "synthetic64", "problem": "synthetic"}
ELSEWHERE = {"problem_id": "synthetic64", "problem": "synthetic"}
TEN = [k * 1e-7 for k in range(1, 11)]
TRIALS = {0.01: [1e-5, 2e-5], 0.1: [1e-7, 2e-7], 1.0: [1e-5, 2e-5]}


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
    """said(adam, sgd, **manifest) -> the warnings of a tuned sweep of two on the lecture's problem, beside the clean second one."""

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
    found = said(competitor("adam"), competitor("sgd", best=[*TEN[:9], np.inf]))
    assert found[0] == "Even at its chosen setting an optimizer lost seeds, which makes its gap inf: sgd (lr=0.1) on lecture 1 of 10."
    assert found[1] == "2 of 104 runs (sgd 2 of 52) diverged."


def test_runs_that_diverge_in_the_search_alone_are_counted_as_such(said):
    found = said(competitor("adam"), competitor("sgd", trials=TRIALS | {1.0: [np.inf, np.inf]}))
    assert found == ["2 of 104 runs (sgd 2 of 52) diverged, all in the search."]


@pytest.mark.parametrize(
    ("reserve", "words"),
    [(2, "lies in the outer tenth of its box, even after growing twice, so"), (0, "lies in the outer tenth of its box, so")],
)
def test_the_chosen_lr_at_the_end_of_its_box(said, reserve, words):
    edge = {0.01: [1e-5, 2e-5], 0.1: [1e-5, 2e-5], 50.0: [1e-7, 2e-7]}  # the box is 1e-5 to 1e2: its outer tenth begins at 20
    (sentence,) = said(competitor("adam"), competitor("sgd", trials=edge), tune=TUNE | {"reserve": reserve})
    assert sentence == f"The chosen learning rate {words} that a wider one may do better: sgd on lecture (lr=50, highest end)."


def test_just_inside_the_box_is_no_edge(said):
    assert said(competitor("adam"), competitor("sgd", trials={0.01: [1e-5, 2e-5], 0.1: [1e-5, 2e-5], 19.0: [1e-7, 2e-7]})) == []


def test_other_numbers_of_trials(said):
    (sentence,) = said(competitor("adam"), competitor("sgd", trials=TRIALS | {10.0: [1.0, 2.0]}))
    assert sentence == "Not all were searched alike on lecture: 3 settings for adam; 4 settings for sgd."


def test_other_boxes(said):
    narrow = [(row, role | ({"lr_low": 1e-3, "lr_high": 1e1} if role["role"] == "trial" else {})) for row, role in competitor("sgd")]
    (sentence,) = said(competitor("adam"), narrow)
    assert sentence == "Not all were searched alike on lecture: 4 decades of lr for sgd; 7 decades of lr for adam."


def test_other_seeds(said):
    shifted = [run("sgd", gap, lr=0.1, seed=seed, hit=4) for seed, gap in enumerate(TEN, start=4)]
    evaluation = [(row, {"run_id": row["run_id"], "role": "evaluation", "optimizer": "sgd", "trial": 1}) for row in shifted]
    rest = [pair for pair in competitor("sgd") if pair[1]["role"] != "evaluation"]
    found = said(competitor("adam"), rest + evaluation)
    assert "Seeds are not the same for all optimizers; only those that all have are compared: 6 of 14 on lecture." in found


@pytest.mark.parametrize("many", [False, True])
def test_fewer_than_ten_seeds(said, many):
    gaps = TEN if many else TEN[:4]
    found = said(competitor("adam", best=gaps), competitor("sgd", best=[1.1e-7, 2e-7, 3.3e-7, 4e-7, *TEN[4:]][: len(gaps)]))
    logs = np.log([1.1, 1.0, 1.1, 1.0])
    half = np.exp(3.182446 * logs.std(ddof=1) / 2)  # t with 3 degrees of freedom, 4 seeds
    assert found == ([] if many else [f"Few seeds (4): differences under {half:.3g} times are not visible between adam and sgd on lecture."])


def test_at_the_floor(said):
    (sentence,) = said(competitor("adam", best=[0.0] * 10), competitor("sgd"))
    assert sentence == "At the gap floor, where differences are rounding and all are tied: adam on lecture (1.00e-20)."


@pytest.mark.parametrize(("hit", "easy"), [(0, True), (1, True), (2, False)])
def test_a_target_that_all_reach_at_once(said, hit, easy):
    found = said(competitor("adam", hit=1), competitor("sgd", 2.0, hit=hit))
    assert found == ["Every run reached the target within one step on lecture: it is too easy to tell optimizers apart."] * easy


@pytest.mark.parametrize(("ratio", "falls"), [(2.1, True), (1.9, False)])
def test_a_gap_that_still_falls(said, ratio, falls):
    fast, slow = competitor("adam"), competitor("sgd", 2.0, hit=None)
    for row, _ in (*fast, *slow):
        row["half_gap"] = ratio * row["last_epoch_gap"]
    found = said(fast, slow)
    assert found[0] == "Fewer than half of the seeds reached the target, a relative gap of 1e-6: sgd on lecture (0/10)."
    assert (
        found[1:]
        == ["Short of the target with the gap still falling at the last step, more than twofold in the second half: sgd on lecture."] * falls
    )


def test_a_target_below_the_noise_floor(said):
    batches = {"batch_size": 1, "batch_order": "shuffled"}
    noisy = competitor("sgd", 2.0, hit=None, **batches)
    for row, _ in noisy:
        row["half_gap"] = 1.5 * row["last_epoch_gap"]
    found = said(competitor("adam", **batches), noisy)
    assert "Short of the target with the gap no longer falling, at the noise floor of its lr: sgd on lecture." in found
    assert not any("still falling" in sentence for sentence in found)


@pytest.mark.parametrize("flipped", [False, True])
def test_an_order_that_turned(said, flipped):
    adam, sgd = competitor("adam"), competitor("sgd", 5.0)
    for row, _ in adam:
        row["half_gap"] = 1.0 if flipped else 1e-4
    for row, _ in sgd:
        row["half_gap"] = 1e-3
    assert said(adam, sgd) == ["At half of the steps the order was another: sgd before adam on lecture."] * flipped


def test_an_order_that_is_not_shown_at_the_end_cannot_turn(said):
    adam, sgd = competitor("adam"), competitor("sgd", 1.05)
    for row, _ in adam:
        row["half_gap"] = 1.0
    assert said(adam, sgd) == []


@pytest.mark.parametrize(
    "other", [{"versions": {"lrbench": "0.9", "python": "3.12"}}, {"machine": {"platform": "Linux", "processor": "x86_64", "cores": 4}}]
)
def test_sessions_that_differ(said, other):
    now = {"versions": {"lrbench": "1.0.0", "python": "3.12"}, "machine": {"platform": "Linux", "processor": "x86_64", "cores": 8}}
    (sentence,) = said(competitor("adam"), competitor("sgd", 2.0), earlier=[now | other])
    key = "lrbench" if "versions" in other else "cores"
    assert sentence == f"The runs were made in 2 sessions that differ in {key}: their numbers may differ for that reason alone."


def test_one_problem_only(write_tuned):
    assert warnings(write_tuned(competitor("adam"), competitor("sgd", 2.0))) == ["One problem only: no claim beyond it."]


@pytest.mark.parametrize(("rising", "oscillates"), [(0, False), (2, False), (3, True)])
def test_a_tail_that_goes_up_and_down(said, monkeypatch, rising, oscillates):
    """48 steps: the last quarter has the states 36 to 48, 12 steps; a fifth of them is 2.4."""
    import conftest

    straight = conftest.curve

    def curve(row):
        drawn = straight(row)
        if row["optimizer"] == "sgd" and row["problem"] == "lecture":
            gap = np.array(drawn["gap"])
            for place in range(38, 38 + 2 * rising, 2):
                gap[place] = 2 * gap[place - 1]
            drawn["gap"] = gap
        return drawn

    monkeypatch.setattr(conftest, "curve", curve)
    found = said(competitor("adam", steps=48), competitor("sgd", 2.0, steps=48))
    assert (
        found
        == ["The gap rises in more than a fifth of the last quarter's steps, so that 95 % intervals cover 84 to 90 %: sgd on lecture."] * oscillates
    )


# ---- of an untuned sweep


def test_settings_chosen_on_the_seeds_that_are_shown(words):
    sentence = "Settings were chosen on the very seeds that are shown"
    assert sentence in words(*seeds(), *seeds(lr=0.2, gaps=times(TEN, 3)))
    assert sentence not in words(*seeds(), folder="once")


def test_one_learning_rate_says_little_beside_others(words):
    sentence = "One learning rate only for sgd: what an optimizer reaches untuned says little about it."
    assert sentence in words(*seeds(), *seeds("adam"), *seeds("adam", lr=0.2))
    assert "One learning rate only" not in words(*seeds(), folder="alone")


def test_grids_of_other_sizes(words):
    found = words(*seeds(lr=0.1), *seeds(lr=1.0), *seeds("adam", lr=0.1), *seeds("adam", lr=1.0), *seeds("adam", lr=10.0))
    assert "Not all were searched alike: 2 settings for sgd; 3 settings for adam." in found
    assert "Not all were searched alike: 1 decade of lr for sgd; 2 decades of lr for adam." in found


@pytest.mark.parametrize(("state", "text"), [("interrupted", "was interrupted"), ("running", "is still running or was stopped")])
def test_an_unfinished_sweep_counts_what_is_stored(write, state, text):
    results = write(*seeds(), state=state, counts={"planned": 40, "completed": 10, "diverged": 0, "failed": 0})
    assert warnings(results)[0] == f"The sweep {text}: 10 of 40 planned runs are stored. The same request goes on from there."


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([run()], "One seed only: how much the gap varies from seed to seed is not known."),
        (seeds(gaps=(1e-3, 1e-3), start_loss=1.0, start_gap=1.0), "identical for sgd (up to 2 of one setting)"),
        (
            [run(gap=10.0**-lr, lr=float(lr)) for lr in (1, 2, 3)],
            "at the edge of its grid, so that a wider one may do better: sgd (lr=3, highest of 3).",
        ),
        (seeds(gaps=(0.0, 0.0)), "At the gap floor, where differences are rounding and all are tied: sgd (1.00e-20)."),
        (seeds(), "No optimizer reached the target, a relative gap of 1e-6, at its best setting."),
        ([run(hit=3), run(seed=1), run(seed=2)], "Fewer than half of the seeds reached the target, a relative gap of 1e-6: sgd (1/3)."),
        ([run(), run(seed=1, status="diverged")], "Even at its best setting an optimizer lost seeds, which makes its gap inf: sgd (lr=0.1) 1 of 2."),
        ([run(), run(seed=1, status="failed", reason="needs a closure.")], "1 of 2 runs failed: needs a closure.\n"),
        ([run(), run("adam", status="diverged"), run("adam", seed=1)], "1 of 3 runs (adam 1 of 2) diverged.\n"),
        ([*seeds(gaps=TEN[:4]), *seeds("adam", gaps=[*TEN[1:4], np.inf])], "Few seeds (4)"),
    ],
)
def test_each_of_an_untuned_sweep(words, rows, sentence):
    assert sentence in words(*rows) + "\n"


def test_a_sign_test_of_five_can_show_nothing(words):
    lost = [run("adam", seed=seed, status="diverged" if seed == 0 else "completed") for seed in range(5)]
    assert "Few seeds (5), not all with a gap above the floor: nothing can be shown between sgd and adam." in words(*seeds(gaps=TEN[:5]), *lost)
    lost = [run("adam", seed=seed, status="diverged" if seed == 0 else "completed") for seed in range(6)]
    assert "Few seeds (6), not all with a gap above the floor: no more than the order can be shown between sgd and adam." in words(
        *seeds(gaps=TEN[:6]), *lost, folder="six"
    )


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


def test_what_holds_on_several_problems_is_counted(write_tuned):
    slow = [competitor("sgd", 2.0, hit=None, **where) for where in ({}, ELSEWHERE)]
    found = warnings(write_tuned(competitor("adam"), competitor("adam", **ELSEWHERE), *slow, **BOTH))
    assert "Fewer than half of the seeds reached the target, a relative gap of 1e-6: sgd on 2 of 2 tasks." in found
