"""Phrases: over which seeds, what these vary, and how optimizers are named."""

import pytest
from conftest import run

from lrbench.results.words.phrases import alternatives, names
from lrbench.results.words.phrases import seeds_compared as over


def test_unequal_seeds_are_a_range_in_captions(write):
    results = write(*[run("a", 1e-3 + seed, seed=seed) for seed in range(3)], run("b"))
    assert over(results) == "1 to 3 seeds (what varies: start)"


@pytest.mark.parametrize(
    ("changes", "varies"),
    [
        ({}, "start"),
        ({"init": "zeros"}, "nothing"),
        ({"init": "zeros", "batch_size": 2, "batch_order": "shuffled"}, "minibatches"),
        ({"batch_size": 2, "batch_order": "replacement"}, "start and minibatches"),
        ({"batch_size": 2}, "start"),
    ],
)
def test_what_a_seed_varies(write, changes, varies):
    assert over(write(*[run(seed=seed, **changes) for seed in (0, 1)])) == f"2 seeds (what varies: {varies})"


@pytest.mark.parametrize(
    ("optimizers", "named"),
    [
        (["sgd"], "SGD"),
        (["sgd", "adam"], "SGD and Adam"),
        (["sgd", "adam", "mine", "lbfgs"], "SGD, Adam, mine and LBFGS"),
        (["sgd", "adam", "rmsprop", "lbfgs", "rprop"], "SGD, Adam, RMSprop and 2 more"),
    ],
)
def test_three_names_or_four_rather_than_one_more(optimizers, named):
    assert names(optimizers) == named
    assert alternatives(optimizers) == named.replace(" and ", " or ")
