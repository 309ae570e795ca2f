"""Whether the typical gap of one optimizer lies below a number."""

import math

import numpy as np

from lrbench.results.statistics.location import at_least_floor
from lrbench.results.statistics.pvalues import binomial_tail, standard_error, t_value

TESTED = ["t", "sign", "ranks"]  # of Pair.test, where a difference can be shown


def below_target(gaps: np.ndarray, target: float, floor: float) -> float:
    """Return the one-sided p of the typical gap not being below the target, gaps (n,).

    NaN for fewer than two distinct gaps; of those at the floor or failed, runs may look alike and differ. t
    test of log(gap / target) where all of them are finite and above the floor, else the exact sign test; a
    gap on the target is a tie there.
    """
    from scipy.special import stdtr

    ordered = np.sort(gaps)
    known = (ordered > floor) & np.isfinite(ordered)
    repeated = np.append(False, ordered[1:] == ordered[:-1])
    kept = ordered[~(repeated & known)]
    n = len(kept)
    if n < 2:
        return math.nan
    if known.all():
        logs = np.log(kept) - math.log(target)
        t = t_value(logs.mean(), standard_error(logs))
        return float(stdtr(n - 1, t))
    floored = at_least_floor(kept, floor)
    below = int((floored < target).sum())
    above = int((floored > target).sum())
    return binomial_tail(below + above, above)
