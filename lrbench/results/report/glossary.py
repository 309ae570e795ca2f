"""What the report's words mean, a sentence each; docs/reading-results.md begins its entries with the same sentences."""

import re
from collections.abc import Iterable

from lrbench.results.statistics import ALPHA, MARGIN

# a word, how the report writes it (a regular expression), what it means
GLOSSARY = (
    ("task", "tasks?", "What all optimizers of a comparison share: problem, loss, dtype, steps, batches and init."),
    ("n, d", "n = [0-9].*, d = [0-9]", "How many rows and how many features the data have."),
    ("L", "L =|1/L", "The largest eigenvalue of the loss's Hessian at the minimum."),
    ("κ", "κ", "The condition number: L over the smallest eigenvalue of the Hessian that is not 0."),
    ("setting", "settings?", "The hyperparameters of an optimizer: what its runs with different seeds share."),
    ("seed", "seeds?", "Fixes the start and the order of the minibatches, the same for every optimizer, so that gaps are compared seed by seed."),
    ("trial", "trials?", "A setting that was tried, on all seeds of the search."),
    ("tuning seeds", "tuning seeds?", "The seeds that settings were chosen on; the chosen ones are compared on other seeds."),
    (
        "best setting",
        "best setting",
        "The one with the lowest geometric mean of the gap, or what else the protocol names, on the tuning seeds, without tuning on the seeds that "
        "are shown.",
    ),
    ("edge", "edge", "The chosen learning rate lies in the outer tenth, in log, of its box, or at an end of a grid of three rates or more."),
    ("gap", "gaps?", "The loss over all rows minus the least possible; of a run the mean over its last epoch, inf unless the run completed."),
    ("gap floor", "gap floor", "The gap that rounding makes: below it all count as tied."),
    ("geometric mean", "geometric means?|final gap", "The exponential of the mean of the logarithms, inf where one of the values is inf."),
    ("spread", "spread", "A factor over the seeds: the exponential of the standard deviation of the logarithms."),
    (
        "relative gap",
        "relative gaps?",
        "The gap over that of the constant model, which is the best intercept alone, or w = 0 where there is no intercept.",
    ),
    ("target", "targets?", "A relative gap: a run that completes reaches it at the first step with a relative gap no larger."),
    (
        "gradient evaluation",
        "gradient evaluations?|evaluations",
        "One gradient over all rows: a minibatch counts its share of the rows, LBFGS every call of its closure.",
    ),
    (
        "evaluations to target",
        "evaluations to target",
        "The number of gradient evaluations by which at least half of the seeds have reached the target.",
    ),
    ("decade", "decades?", "A factor of ten."),
    (
        "lr tolerance",
        "lr tolerance|tolerance",
        'Over how many decades of learning rate, in a row, at least half of the seeds reach the target and end at or below it; "≥" where the grid '
        "ends first.",
    ),
    ("default gap, gain", "gain", "The gap at the class's own defaults, and how many times lower the tuned setting ends, seed by seed."),
    (
        "diverged",
        "diverged",
        "The loss or the weights are not finite at some step, or the final gap is above both the start's and the constant model's.",
    ),
    ("failed", "failed", "The optimizer ended the run with an error."),
    (
        "shown better",
        "shown better|shown worse|is shown|are shown|not separable",
        f"With p < {ALPHA:g} after Holm, by a ratio that lies beyond {MARGIN:g} together with its interval or bound.",
    ),
    (
        "rank",
        "rank",
        '1 and the number of optimizers that are shown better, with one seed by the digits; "=" where several share it, none where a seed was lost.',
    ),
    ("mean rank", "mean ranks?", "The mean over the problems of an optimizer's place by its gap, 1 the lowest; equal gaps share their places."),
    ("leader", "leader", "The optimizer that was lowest on the tuning seeds, without tuning the first of the ranking."),
    ("leads", "leads", "An optimizer leads a task where it is the leader or not shown worse than the leader."),
    (
        "times the leader",
        "times the leader",
        "The optimizer's gap over the leader's, seed by seed, as a geometric mean with its 95 % interval; \"≥\" where runs were lost or ended at the "
        "floor, so that only the order is known.",
    ),
    (
        "95 % interval",
        "95 % interval|times the leader",
        "From a t test on the logarithms of the paired ratios: in 95 of 100 comparisons it holds the true ratio, as long as these scatter normally.",
    ),
    ("p", "p", "How often chance alone shows at least so much where there is no difference."),
    ("Holm", "Holm", f"Raises the p values of several tests so that the chance of any false one among them stays at {ALPHA:g}."),
)


def used(told: Iterable[str]) -> list[tuple[str, str]]:
    """Return the words that stand in these texts, each with its meaning."""
    texts = "\n".join({text[:1].lower() + text[1:] for text in told})
    return [(word, meaning) for word, written, meaning in GLOSSARY if re.search(rf"(?<!\w)(?:{written})(?!\w)", texts)]
