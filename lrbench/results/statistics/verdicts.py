"""The word for a pair: what is said of two optimizers, once p is adjusted for the family of their pair.

clear            shown beyond the margin
close            shown, perhaps within the margin: who is ahead is said
as good          the whole interval within the margin, or fewer than two steps apart
not settled      the interval holds 1 and leaves the margin
cannot be told   too few seeds
the same         equal bit for bit
all lost         no run of either completed
passes through   of one optimizer: it arrives, and leaves again before twice the budget
"""

from collections.abc import Sequence

import numpy as np

from lrbench.results.statistics.pairs import MARGIN, ROUNDING, Pair, Pairs, columns_of, seeds_needed
from lrbench.results.statistics.pvalues import ALPHA

CLEAR = "clear"
CLOSE = "close"
AS_GOOD = "as good"
OPEN = "not settled"
UNTOLD = "cannot be told"
SAME = "the same"
NOBODY = "all lost"
PASSES = "passes through"

BETTER = (CLEAR, CLOSE)  # one of the two is shown better
ALIKE = (AS_GOOD, SAME)
UNDECIDED = (OPEN, UNTOLD)


def word(pair: Pair, p: float, beyond: float, family: int) -> tuple[str, int]:
    """Return what is said of a pair, and who is better: 1 for a, -1 for b, 0 for neither.

    p, beyond: the pair's, adjusted for its family of so many pairs.
    """
    said, side = words(columns_of([pair]), np.array([p]), np.array([beyond]), family)
    return str(said[0]), int(side[0])


def words(pairs: Pairs, p: np.ndarray, beyond: np.ndarray, family: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the word of each of G pairs, and who is better, (G,) each; p and beyond (G,) are adjusted."""
    by_order = pairs.test != "t"
    inside = (pairs.low > 1 / MARGIN + ROUNDING) & (pairs.high < MARGIN - ROUNDING)
    outside = (pairs.low > MARGIN) | (pairs.high < 1 / MARGIN)
    nobody_ahead = by_order & (pairs.wins + pairs.losses == 0)
    too_few = by_order & (pairs.n < seeds_needed(family))
    # the first that holds; `clear` never contradicts the interval that stands beside it
    conditions = [
        (SAME, pairs.test == "same"),
        (NOBODY, pairs.test == "lost"),
        (UNTOLD, pairs.test == "none"),
        (AS_GOOD, pairs.few_steps | inside | nobody_ahead),
        (CLEAR, (by_order | outside) & (beyond < ALPHA)),
        (CLOSE, p < ALPHA),
        (UNTOLD, too_few),
    ]
    names = [name for name, _ in conditions]
    holds = [condition for _, condition in conditions]
    said = np.select(holds, names, default=OPEN).astype(object)
    side = np.where(np.isin(said, BETTER), pairs.side, 0)
    return said, side


def behind_who_stays(
    word: np.ndarray,
    side: np.ndarray,
    passing: Sequence[np.ndarray],
    stays: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the words and sides (G,) of pairs, where who passes through is put behind who stays.

    passing, stays: of a, and of b, whether it passes through, and whether it completes a run and does not;
    (G,) each. Who passes through is neither as good as who stays, nor better: unless it is clearly behind
    already, that is the word.
    """
    behind = (stays[0] & passing[1]).astype(int) - (stays[1] & passing[0])
    clearly = (word == CLEAR) & (side == behind)
    put_behind = (behind != 0) & ~clearly
    return np.where(put_behind, PASSES, word), np.where(put_behind, behind, side)
