"""Statistics of gaps, arrivals and scores: arrays in, arrays out, inf-aware.

    location    typical values and spreads
    ranks       order instead of size
    pvalues     tests of differences, and their adjustment
    groups      many groups of values at once
    readings    what runs are worth, and which trial is chosen by it
    pairs       two optimizers on the same seeds, and many groups of such pairs
    verdicts    the word for a pair
    order       who leads, who is as good, who is shown better; on one problem and over several
    targets     arrivals as costs
    tuning      what a search costs, and which of its learning rates work

A run that is lost has the gap and the score inf; a target that was never reached has the first hit inf. inf
is the largest value, never a missing one: leaving it out would flatter the optimizer. NaN is expected
nowhere, except where a function says what it means.

n values (seeds, runs)   k optimizers   P problems   R rows of G groups   T trials   S seeds, or settings
"""

from lrbench.results.statistics.groups import by_group
from lrbench.results.statistics.location import (
    at_least_floor,
    geometric_mean,
    geometric_spread,
    interquartile_mean,
    quantile,
)
from lrbench.results.statistics.order import Standings, over_problems, standings, turns, worst_ratios
from lrbench.results.statistics.pairs import (
    MARGIN,
    STEPS,
    Pair,
    Pairs,
    compare,
    compare_groups,
    seeds_needed,
    starts_needed,
)
from lrbench.results.statistics.pvalues import ALPHA, FEWEST_SIGNS, holm, paired_t, sign_test, wilcoxon
from lrbench.results.statistics.ranks import friedman_ranks, midranks, probability_of_improvement
from lrbench.results.statistics.readings import LOST_SCORE, RISE, Readings, choose
from lrbench.results.statistics.targets import (
    expected_running_time,
    median_first_hit,
    performance_profile,
    solved_share,
)
from lrbench.results.statistics.tuning import best_of_subsets, stretch_around
from lrbench.results.statistics.verdicts import (
    ALIKE,
    AS_GOOD,
    BETTER,
    CLEAR,
    CLOSE,
    NOBODY,
    OPEN,
    PASSES,
    SAME,
    UNDECIDED,
    UNTOLD,
    word,
    words,
)

__all__ = [
    "ALIKE",
    "ALPHA",
    "AS_GOOD",
    "BETTER",
    "CLEAR",
    "CLOSE",
    "FEWEST_SIGNS",
    "LOST_SCORE",
    "MARGIN",
    "NOBODY",
    "OPEN",
    "PASSES",
    "RISE",
    "SAME",
    "STEPS",
    "UNDECIDED",
    "UNTOLD",
    "Pair",
    "Pairs",
    "Readings",
    "Standings",
    "at_least_floor",
    "best_of_subsets",
    "by_group",
    "choose",
    "compare",
    "compare_groups",
    "expected_running_time",
    "friedman_ranks",
    "geometric_mean",
    "geometric_spread",
    "holm",
    "interquartile_mean",
    "median_first_hit",
    "midranks",
    "over_problems",
    "paired_t",
    "performance_profile",
    "probability_of_improvement",
    "quantile",
    "seeds_needed",
    "sign_test",
    "solved_share",
    "standings",
    "starts_needed",
    "stretch_around",
    "turns",
    "wilcoxon",
    "word",
    "words",
    "worst_ratios",
]
