"""What the report's words mean, a sentence each; docs/reading-results.md begins its entries with the same
sentences.
"""

import re
from collections.abc import Iterable

from lrbench.results.statistics import ALPHA
from lrbench.results.statistics.pairs import MARGIN

# in the order of the alphabet: a word, how the report writes it (a regular expression), what it means
GLOSSARY = (
    (
        "95 % interval",
        "95 % interval|times the leader",
        "Where the true ratio lies, as far as these starts can tell: about 95 of 100 such intervals hold it.",
    ),
    (
        "arrive",
        "arrives?|arrived|arrival",
        "A run arrives if its level is within the target; its cost is the gradient evaluations until its gap "
        "comes within the target to stay below twice the target.",
    ),
    (
        "as good",
        "as good",
        f"Too little apart to matter: the whole 95 % interval is within {MARGIN} times, or the two are fewer "
        "than two steps apart.",
    ),
    (
        "best fit",
        "best fit",
        "The least loss that the model can have, which is computed exactly; 0.3 % from it is a gap of 0.3 % "
        "of the gap that the best constant prediction has.",
    ),
    (
        "budget",
        "budget",
        "How many gradient evaluations a run may take, the same for every optimizer; epochs or steps set it.",
    ),
    (
        "clear",
        "clear|clearly",
        f"Better by more than {MARGIN} times, beyond what chance explains: p < {ALPHA:g} against a "
        "difference of just that much.",
    ),
    (
        "close",
        "close",
        f"Better, beyond what chance explains, but perhaps by so little, under {MARGIN} times, that it "
        "hardly matters.",
    ),
    (
        "edge",
        "edge",
        "The chosen learning rate lies at an end of what was searched, so that a better one may lie beyond.",
    ),
    ("gap", "gaps?", "The loss over all rows minus the least that it can be."),
    (
        "gap floor",
        "gap floor",
        "The gap that the rounding of numbers makes: below it nothing can be told apart.",
    ),
    (
        "gradient evaluation",
        "gradient evaluations?|evaluations",
        "One gradient over all rows: a minibatch counts its share of the rows, LBFGS every call of its "
        "closure.",
    ),
    (
        "Holm",
        "Holm",
        "Raises the p values of several tests so that the chance of any false finding among them stays at "
        f"{ALPHA:g}.",
    ),
    (
        "κ",
        "κ",
        "Kappa, how many times steeper the loss curves in its steepest direction than in its flattest that "
        "is not flat: the higher, the slower gradient descent is.",
    ),
    (
        "leader",
        "leader",
        "The optimizer with the best mean score on the tuning seeds, without tuning on the seeds that are "
        "shown.",
    ),
    (
        "level",
        "levels?",
        "The mean gap over the last tenth of the budget, at least one pass over the rows, so that no single "
        "step decides.",
    ),
    (
        "lost",
        "lost|diverged|failed",
        "A run that diverged (not finite at some step, or in the end above both its start and the best "
        "constant prediction) or failed (it ended with an error).",
    ),
    (
        "not settled",
        "not settled|cannot be told|not to be told",
        "These starts neither show who is better nor that the two are as good; more starts may.",
    ),
    ("p", "p", "How often chance alone would show at least so much if there were no difference."),
    (
        "passes through",
        "passes? through|passing through",
        "Most of its runs that arrive exceed twice the target again before twice the budget, so it stands "
        "behind all that stay.",
    ),
    (
        "rank",
        "rank",
        'One more than the number of optimizers that are shown better, by clear or close; "=" where several '
        "share it.",
    ),
    (
        "rates that work",
        "rates that work|works",
        "The tried learning rates around the best one at which no run is lost and the cost is at most twice "
        "the best one's.",
    ),
    (
        "score",
        "scores?",
        "What a run is judged by: the earlier it arrives the better, and of those that do not arrive, the "
        "nearer they end.",
    ),
    (
        "seed",
        "seeds?|starts?",
        "Fixes the start and the order of the minibatches, the same for every optimizer, so that runs are "
        "compared start by start.",
    ),
    (
        "target",
        "targets?",
        "The gap that counts as solved, as a share of the best constant prediction's: 1e-6, and 1e-2 on "
        "minibatches, unless another is asked for.",
    ),
    (
        "trial",
        "trials?",
        "One of the settings that an optimizer tried; with tuning, on other seeds than those that are shown.",
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
