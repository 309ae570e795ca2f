"""What the report's words mean, a sentence each; docs/reading-results.md begins its entries with the same
sentences.
"""

import re
from collections.abc import Iterable

from lrbench.results.statistics import ALPHA, MARGIN

# in the order of the alphabet: a word, how the report writes it (a regular expression), what it means
GLOSSARY = (
    (
        "1/L",
        "1/L|2/L",
        "A learning rate measured against the steepest curvature L: gradient descent is safe up to 1/L "
        "and diverges beyond 2/L.",
    ),
    (
        "95 % interval",
        "95 % interval|times the leader",
        "From a t test on the logarithms of the paired ratios: in 95 of 100 comparisons it holds the true "
        "ratio, as long as these scatter normally.",
    ),
    (
        "best setting",
        "best setting",
        "The one with the best score on the tuning seeds, without tuning the one with the lowest geometric "
        "mean of the gap on the seeds that are shown.",
    ),
    (
        "box",
        "box|boxes",
        "The range, from a lowest to a highest value, that a search may draw a hyperparameter from.",
    ),
    (
        "closure",
        "closure|lbfgs",
        "The function that LBFGS calls for the loss and its gradient, several times in one step.",
    ),
    (
        "conjugate gradients",
        "conjugate gradients",
        "The method that, of all that step along gradients, is lowest after each number of gradients; it "
        "has to know the whole problem.",
    ),
    ("decade", "decades?", "A factor of ten."),
    (
        "default",
        "defaults?|default gap",
        "The setting that the optimizer's class has where nobody chooses one; its runs are called defaults.",
    ),
    (
        "default gap, gain",
        "gain",
        "The gap at the class's own defaults, and how many times lower the tuned setting ends, seed by seed.",
    ),
    (
        "direct solver",
        "direct solver",
        "Solves the equations of the minimum at once, without steps: what one would take for least "
        "squares in practice.",
    ),
    (
        "diverged",
        "diverged",
        "The loss or the weights are not finite at some step, or the final gap is above both the start's "
        "and the constant model's.",
    ),
    (
        "diverges from lr",
        "diverges from lr",
        "By theory, the learning rate at which the optimizer stops converging, its momentum as it was: "
        "2/L for plain gradient descent.",
    ),
    (
        "edge",
        "edge",
        "The chosen learning rate is the lowest or the highest that was tried; where they were drawn at "
        "random, it lies in the outer tenth, in log, of its box.",
    ),
    (
        "evaluation",
        "on evaluation|for the evaluation|evaluation seeds",
        "The runs that compare the chosen settings, on seeds that had no part in the choice.",
    ),
    (
        "evaluations to target",
        "evaluations to target",
        "The number of gradient evaluations by which at least half of the seeds have reached the target.",
    ),
    (
        "exact sign test",
        "sign test",
        "Counts in how many pairs one side ends lower, and asks how often a fair coin would give as many "
        "or more.",
    ),
    (
        "expected running time",
        "expected running time",
        "How many gradient evaluations it takes on average until a run reaches the target, if one starts "
        "again after each miss.",
    ),
    ("failed", "failed", "The optimizer ended the run with an error."),
    ("FLOPs", "[Ff]LOPs", "Additions and multiplications of numbers, here those of the gradients."),
    ("fused", "fused", "The engine of lrbench that trains many runs at once, as one compiled program."),
    (
        "gap",
        "gaps?",
        "The loss over all rows minus the least possible; of a run the mean over its last epoch, inf "
        "unless the run completed.",
    ),
    ("gap floor", "gap floor", "The gap that rounding makes: below it all count as tied."),
    (
        "geometric mean",
        "geometric means?|final gap",
        "The mean of what varies by factors: of 1 and 100 it is 10, the exponential of the mean "
        "logarithm; inf where one of the values is inf.",
    ),
    (
        "gradient evaluation",
        "gradient evaluations?|evaluations",
        "One gradient over all rows: a minibatch counts its share of the rows, LBFGS every call of its "
        "closure.",
    ),
    ("grid", "grid", "Values in a row, such as 0.01, 0.1 and 1, each of which is tried."),
    (
        "growth",
        "growth",
        "Where the best learning rate of a search's first stage lies at an end of its box, the search goes "
        "on in the decade beyond instead of closer around it.",
    ),
    (
        "heavy ball",
        "heavy ball",
        "Gradient descent with momentum: each step also goes a part of the step before.",
    ),
    (
        "Holm",
        "Holm",
        "Raises the p values of several tests so that the chance of any false one among them stays at "
        f"{ALPHA:g}.",
    ),
    (
        "κ",
        "κ",
        "Kappa, how many times steeper the loss curves in its steepest direction than in its flattest "
        "that is not flat: the higher, the slower.",
    ),
    (
        "L",
        "L =|1/L|2/L",
        "The steepest curvature of the loss at its minimum; with squared errors gradient descent diverges "
        "from a learning rate of 2/L on.",
    ),
    (
        "leader",
        "leader",
        "The optimizer that was lowest on the tuning seeds, without tuning the first of the ranking.",
    ),
    (
        "leads",
        "leads",
        "An optimizer leads a task where it is the leader or not shown worse than the leader.",
    ),
    (
        "lost",
        "lost",
        "Of a run or seed: it did not complete, since it diverged or failed, so its gap counts as inf.",
    ),
    (
        "lr tolerance",
        "lr tolerance|tolerance",
        "Over how many decades of learning rate, in a row, at least half of the seeds reach the target "
        'and end at or below it; "≥" where the grid ends first.',
    ),
    (
        "mean rank",
        "mean ranks?",
        "The mean over the problems of an optimizer's place by its gap, 1 the lowest; equal gaps share "
        "their places.",
    ),
    ("minimiser", "minimiser", "The weights at which the loss is least."),
    (
        "minimum, infimum",
        "minimum|infimum",
        "The least loss that weights can have; where none have it but some come as near as one likes, it "
        "is called infimum.",
    ),
    ("n, d", "n = [0-9].*, d = [0-9,]+", "How many rows and how many features the data have."),
    (
        "Nesterov",
        "[Nn]esterov",
        "Momentum whose gradient is, in effect, taken where the momentum leads and not where the weights "
        "are.",
    ),
    (
        "one-sided",
        "one-sided",
        "Of a test: it asks only whether one side is lower, not whether the two differ.",
    ),
    ("oracle", "oracle", "Knows the problem's answer, which no optimizer may know in practice."),
    ("outer tenth", "outer tenth|edge", "Of a box, in log: the tenth of its width next to either end."),
    ("p", "p", "How often chance alone shows at least so much where there is no difference."),
    (
        "P(a lower)",
        r"[Pp]\(a lower\)",
        "How often a run of a ends below a run of b, if both are picked at random; a tie counts as half.",
    ),
    ("paired", "paired", "Compared seed by seed: both sides have the same start and the same minibatches."),
    (
        "rank",
        "rank",
        "One more than the number of optimizers shown better, so the best have 1; with one seed by the "
        'digits; "=" where several share it, none where a seed was lost.',
    ),
    (
        "relative gap",
        "relative gaps?",
        "The gap over that of the best constant prediction, or of w = 0 where there is no intercept: 1 is "
        "no better than it, 0 is the minimum.",
    ),
    (
        "score",
        "scores?",
        "How good a run is, for the choice of settings: the earlier it arrives at the target the better, "
        "then, of those that do not arrive, the nearer they end.",
    ),
    (
        "seed",
        "seeds?",
        "Fixes the start and the order of the minibatches, the same for every optimizer, so that gaps are "
        "compared seed by seed.",
    ),
    (
        "setting",
        "settings?",
        "The hyperparameters of an optimizer: what its runs with different seeds share.",
    ),
    (
        "shown better",
        "shown better|shown worse|is shown|are shown|not separable",
        f"Beyond what chance explains, p < {ALPHA:g} after Holm, and beyond what is small: {MARGIN:g} "
        "times lower or more, with the whole interval or bound.",
    ),
    (
        "spread",
        "spread",
        "How far seeds lie apart, as a factor: of 2, most gaps lie between half and twice the geometric "
        "mean. The exponential of the standard deviation of the logarithms.",
    ),
    (
        "start",
        "starts?",
        "The weights before the first step; each seed gives its own, unless init says otherwise.",
    ),
    (
        "t test",
        "t test",
        "Asks whether the mean of the differences, here of logarithms, is farther from 0 than their "
        "scatter explains.",
    ),
    (
        "target",
        "targets?",
        "A relative gap: a run that completes reaches it at the first step with a relative gap no larger.",
    ),
    (
        "task",
        "tasks?",
        "What all optimizers of a comparison share: problem, loss, dtype, steps, batches and init.",
    ),
    (
        "times the leader",
        "times the leader",
        "The optimizer's gap over the leader's, seed by seed, as a geometric mean with its 95 % "
        'interval; "≥" or "≤" where runs were lost or ended at the floor, so that only the order is known.',
    ),
    ("trial", "trials?", "A setting that was tried, on all seeds of the search."),
    (
        "tuning seeds",
        "tuning seeds?",
        "The seeds that settings were chosen on; the chosen ones are compared on other seeds.",
    ),
)


def used(shown: Iterable[str]) -> list[tuple[str, str]]:
    """Return the words that stand in these texts, each with its meaning."""
    texts = "\n".join({text[:1].lower() + text[1:] for text in shown})
    return [
        (word, meaning)
        for word, written, meaning in GLOSSARY
        if re.search(rf"(?<!\w)(?:{written})(?!\w)", texts)
    ]
