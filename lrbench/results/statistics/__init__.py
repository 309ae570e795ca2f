"""Statistics of gaps and first hits: arrays in, arrays out, inf-aware.

    location    typical values and spreads
    ranks       order instead of size
    pvalues     tests of paired differences, and their adjustment
    paired      two optimizers on the same seeds
    groups      many groups of values or of pairs at once
    contest     all optimizers against each other
    targets     first hits as costs
    tuning      what a search costs, and how sensitive its outcome is

By when runs arrive, instead of by their gaps; these are imported from their modules:

    readings    what runs are worth, and which trial is chosen by it
    pairs       two optimizers on the same seeds, and many groups of such pairs
    verdicts    the word for a pair
    order       who leads, who is as good, who is shown better; on one problem and over several

A run that diverged or failed has the gap inf; a target that was never reached has the first hit inf. inf is
the largest value, never a missing one: leaving it out would flatter the optimizer. NaN is expected nowhere,
except where a function says what it means.

n values (seeds, runs)   k optimizers   P problems   R rows of G groups   T trials
"""

from lrbench.results.statistics.contest import MARGIN, Contest, across, contest, shown
from lrbench.results.statistics.groups import GroupComparisons, by_group, compare_groups
from lrbench.results.statistics.location import (
    at_least_floor,
    geometric_mean,
    geometric_spread,
    interquartile_mean,
    quantile,
)
from lrbench.results.statistics.paired import (
    TESTED,
    PairedComparison,
    below_target,
    compare,
)
from lrbench.results.statistics.pvalues import ALPHA, FEWEST_SIGNS, holm, paired_t, sign_test, wilcoxon
from lrbench.results.statistics.ranks import friedman_ranks, midranks, probability_of_improvement
from lrbench.results.statistics.targets import (
    at_least_half,
    expected_running_time,
    median_first_hit,
    performance_profile,
    solved_share,
)
from lrbench.results.statistics.tuning import best_of_subsets, flips, stretch_around

__all__ = [
    "ALPHA",
    "FEWEST_SIGNS",
    "MARGIN",
    "TESTED",
    "Contest",
    "GroupComparisons",
    "PairedComparison",
    "across",
    "at_least_floor",
    "at_least_half",
    "below_target",
    "best_of_subsets",
    "by_group",
    "compare",
    "compare_groups",
    "contest",
    "expected_running_time",
    "flips",
    "friedman_ranks",
    "geometric_mean",
    "geometric_spread",
    "holm",
    "interquartile_mean",
    "median_first_hit",
    "midranks",
    "paired_t",
    "performance_profile",
    "probability_of_improvement",
    "quantile",
    "shown",
    "sign_test",
    "solved_share",
    "stretch_around",
    "wilcoxon",
]
