"""How a sweep was made: what the head of the report and its protocol tell."""

import pandas as pd
import pytest
from conftest import LECTURE, TUNE, run, tuned
from reports import texts_of

from lrbench.results.words.protocol import protocol, state, subtitle
from lrbench.results.words.tables import SPECS, tables

PROBLEMS = SPECS["problems"]


@pytest.mark.parametrize(
    ("ended", "word"), [("running", "Still running, or stopped"), ("complete", "Not complete")]
)
def test_what_lacks_runs_says_how_to_go_on(write, ended, word):
    results = write(run(), state=ended, counts={"planned": 2, "completed": 1, "diverged": 0, "failed": 0})
    assert state(results) == (
        f"{word}: 1 of 2 planned runs are stored. This goes on from there: python -m lrbench -m optimizer=sgd"
    )
    assert state(write(run(), folder="whole")) == ""


@pytest.mark.parametrize(
    ("intercept", "told"),
    [
        (True, "columns standardized: mean 0, standard deviation 1"),
        (False, "columns standardized: standard deviation 1"),
    ],
)
def test_the_head_names_file_and_target_of_a_table(write, intercept, told):
    settings = '{"path": "data/houses.csv", "target": "price"}'
    problem = LECTURE | {
        "settings": settings,
        "x_scale": [2.0],
        "x_mean": [1.0],
        "intercept": intercept,
        "problem": "csv",
    }
    rows = [run(problem="csv", seed=seed) for seed in (0, 1)]
    head = dict(subtitle(write(*rows, problems=(problem,))))
    assert head["Problem"] == f"csv: houses.csv, price (n = 3, d = 1, κ = 37.5, L = 30; {told})"


def test_the_protocol_of_a_tuned_sweep(two_tuned):
    told = dict(protocol(two_tuned))
    assert told["Tuned"] == "lr (tune=lr), from 3 trials an optimizer"
    assert told["Search"] == "a grid of 3, evenly in log over the box"
    assert told["Boxes"] == "lr [1e-5, 100]"
    assert told["Tuning seeds"] == "100, 101"
    assert told["Growth"] == "none"
    assert told["Selection"] == (
        "the trial with the fewest lost tuning seeds, then the least mean score over the others: "
        "log(evaluations until it arrives / budget), of a run that does not arrive log(level / target); "
        "one whose gap rises above 100 times where it began on any counts as lost on all; "
        "never the seeds that are shown"
    )
    assert told["Trials in the end"] == "3 an optimizer"
    assert told["Spent"] == "gradient evaluations: 96 on trials, 48 on evaluation, 48 on defaults"
    assert told["Start"] == "init = torch; a seed fixes the start, the same for every optimizer"
    assert dict(subtitle(two_tuned))["Runs"].endswith("; 3 seeds and 2 for tuning")
    assert "Settings tried" not in told


@pytest.mark.parametrize(
    ("policy", "search", "growth"),
    [
        (
            {},
            "a grid of 16, evenly in log over the box, then 8 and 8 between the neighbours of the best, "
            "evenly in log on either side",
            "where the best of the first 16 is the lowest or the highest lr, 8 trials in the decade beyond "
            "it, in place of a zoom",
        ),
        (
            {"sampler": "sobol", "keys": None, "trials": 29, "seed": 7},
            "17 scrambled Sobol points of seed 7 over the box, then 6 and 6 in a third of each side around "
            "the best and in a ninth",
            "where the lr of the best of the first 17 lies in the outer tenth (in log) of its box, 6 trials "
            "in the decade beyond it, in place of a zoom",
        ),
        (
            {"keys": ["momentum"]},
            "a grid of 16, evenly over the box, then 8 and 8 between the neighbours of the best, evenly on "
            "either side",
            "none",
        ),
        ({"trials": 7}, "a grid of 7, evenly in log over the box", "none"),
    ],
)
def test_the_protocol_tells_the_stages_of_a_search(write_tuned, policy, search, growth):
    tune = TUNE | {"trials": 32, "rise": None} | policy
    told = dict(protocol(write_tuned(tuned("sgd", {0.1: [1e-3]}, [1e-3]), tune=tune)))
    assert (told["Search"], told["Growth"]) == (search, growth)
    assert "rises" not in told["Selection"]


def test_the_protocol_names_the_boxes_that_were_tuned(write_tuned):
    box = {
        "unit": "gradient",
        "default": {"lr": 0.001},
        "momentum": {"one_minus": [0.001, 1]},
        "betas": [{"log": [1, 2]}, {"log": [3, 4]}],
    }
    tune = TUNE | {"keys": None, "choice": "all", "boxes": {"sgd": box, "other": box}, "units": "oracle"}
    told = dict(protocol(write_tuned(tuned("sgd", {0.1: [1e-3]}, [1e-3]), tune=tune)))
    assert told["Boxes"].endswith("sgd: momentum one_minus [0.001, 1], betas log [1, 2] and log [3, 4]")
    assert "times the box's unit" in told["Boxes"]


def test_the_protocol_of_tasks_that_were_not_searched_alike(write_tuned):
    other = {"problem_id": "p1", "problem": "p1"}
    few, many = {0.1: [1e-3]}, {0.1: [1e-3], 0.2: [1e-2], 0.3: [1e-2]}
    competitors = (
        tuned("sgd", few, [1e-3]),
        tuned("sgd", many, [1e-3], **other),
        tuned("adam", few, [1e-3]),
        tuned("adam", few, [1e-3], **other),
    )
    results = write_tuned(
        *competitors,
        problems=(LECTURE, LECTURE | other),
        tune=TUNE | {"sampler": "sobol", "seed": 7},
    )
    told = dict(protocol(results))
    assert told["Trials in the end"] == "adam 1 and sgd 1 to 3"
    assert told["Search"] == "3 scrambled Sobol points of seed 7 over the box"


def test_the_protocol_of_several_problems_is_a_table(write):
    names = ("p", "q", "r", "r")
    problems = [
        LECTURE | {"problem_id": f"p{k}", "problem": name, "kappa": 10.0**k, "digits": 15.0 + k}
        for k, name in enumerate(names)
    ]
    problems[1] |= {"settings": '{"noise": 0.25}', "dropped": 1200, "note": "by hand."}
    problems[2] |= {"attained": False, "dtype": "float32"}
    shared = [
        {name: one[name] for name in ("problem_id", "problem", "dtype")} | {"problem__kappa": one["kappa"]}
        for one in problems
    ]
    rows = [run(steps=steps, **one) for k, one in enumerate(shared) for steps in ((8, 16), (16, 8))[k % 2]]
    results = write(*rows, problems=tuple(problems))
    (table,) = tables(results, PROBLEMS)
    shown = (
        table.rows[["problem", "κ", "noise", "rows left out", "minimum", "digits", "source"]]
        .to_numpy()
        .tolist()
    )
    assert shown == [
        ["p", "1", "–", "0", "QR", "15", "–"],
        ["q", "10", "0.25", "1,200", "QR", "16", "by hand"],
        ["r kappa=100 dtype=float32", "100", "–", "0", "QR, attained by no weights", "7", "–"],
        ["r kappa=1000 dtype=float64", "1,000", "–", "0", "QR", "16", "–"],
    ]
    assert subtitle(results)[0] == (
        "Problems",
        (
            "p, q, r kappa=100 dtype=float32 and r kappa=1000 dtype=float64: n = 3, d = 1, κ = 1 to 1,000, "
            "L = 30"
        ),
    )
    assert dict(subtitle(results))["Budget"] == "8 steps, all rows a step and 16 steps, all rows a step"
    assert {"Minimum", "Source", "Gap floor", "Batches"} & set(dict(protocol(results))) == set()
    _, page, markdown, _ = texts_of(results)
    assert (
        page.index("<h2>Protocol</h2>")
        < page.index("<h3>Problems</h3>")
        < page.index("<h2>Run it again</h2>")
    )
    assert "## Problems" in markdown
    assert pd.read_csv(results.store.root / "tables" / "problems.csv")["kappa"].tolist() == [1, 10, 100, 1000]


def test_the_protocol_of_one_problem_and_one_setting_has_no_choice(write):
    problem = LECTURE | {"digits": 18.0, "note": "by hand."}
    results = write(run(init="zeros", batch_size=2), problems=(problem,))
    told = dict(protocol(results))
    assert told["Minimum"] == "QR, certain to 16 digits"
    assert told["Source"] == "by hand"
    assert told["Gap floor"].startswith("1.00e-20; ")
    assert told["Start"] == "init = zeros; nothing depends on the seed"
    assert told["Settings tried"] == "1 an optimizer"
    assert told["Compared"].startswith("one seed, by arrival at the target ")
    assert {"Selection", "Statistics"} & set(told) == set()
    assert tables(results, PROBLEMS) == []
    shuffled = write(run(batch_size=2, batch_order="shuffled"), folder="shuffled")
    assert dict(protocol(shuffled))["Start"].startswith(
        "init = torch; a seed fixes the start and the order of the minibatches, "
    )
