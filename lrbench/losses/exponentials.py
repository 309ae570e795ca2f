"""Losses made of exponentials: they bend everywhere, and some only reach their infimum at infinity.

Differences of exponentials cancel where moves are small; so excesses are sums of terms that do not, each of
them exact to the last digits.
"""

import math

import numpy as np

from lrbench.losses.kind import ClippedSlope, Kind, SelfConcordant, Straight

# Taylor's coefficients, as many as leave out less than eps where the series below are used.
_EXPM1 = tuple(1 / math.factorial(power) for power in range(17, 1, -1))  # of x^15 ... x^0
_LOG1P = tuple(1 / power for power in range(25, 2, -2))  # of s^22, s^20 ... s^0


def _polynomial(x, coefficients):
    """Evaluate an even number of coefficients, highest power first.

    Those of odd and of even powers side by side, which is twice as fast.
    """
    odd, even, square = 0.0, 0.0, x * x
    for place in range(0, len(coefficients), 2):
        odd = odd * square + coefficients[place]
        even = even * square + coefficients[place + 1]
    return odd * x + even


def _expm1_minus(x):
    """e^x - 1 - x, to full relative accuracy."""
    if abs(x) >= 0.5:  # a fifth of expm1 is left, or more: the difference loses few bits
        return math.expm1(x) - x
    return x * x * _polynomial(x, _EXPM1)


def _log1p_minus(u):
    """log(1 + u) - u for |u| <= 0.4, to full relative accuracy: 2 artanh(s) - u with s = u / (2 + u)."""
    s = u / (2 + u)
    return -u * s + 2 * s * s * s * _polynomial(s * s, _LOG1P)


def _softplus(z):
    """log(1 + e^z)."""
    # e only to negative powers, which cannot overflow
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _sigmoid(z):
    e = math.exp(-abs(z))
    return 1 / (1 + e) if z >= 0 else e / (1 + e)


def _softplus_excess(move, star):
    """The softplus above its tangent at star.

    It is the same at -star in the other direction, so p, the slope there, is at most 1/2.
    """
    if star > 0:
        move, star = -move, -star
    p = _sigmoid(star)
    if abs(move) < 0.5:
        # log(1 + p (e^move - 1)) - p move, its straight parts cancelled by hand
        curved = _expm1_minus(move)
        return _log1p_minus(p * (move + curved)) + p * curved
    if move < 30:
        return math.log1p(p * math.expm1(move)) - p * move
    # far up the softplus is straight and steeper than its tangent: nothing cancels, but expm1 could overflow
    return _softplus(star + move) - _softplus(star) - p * move


def log_cosh(z, y, k):
    """log cosh(r): half r^2 near the target, |r| - log 2 far from it."""
    # log cosh r = softplus(2 r) - r - log 2: the softplus above its tangent at 0
    return _softplus_excess(2 * (z - y), 0.0)


def log_cosh_slope(z, y, k):
    return math.tanh(z - y)


def log_cosh_curvature(z, y, k):
    return 4 * _sigmoid(2 * (z - y)) * _sigmoid(-2 * (z - y))  # 1 - tanh^2 would cancel far from 0


def log_cosh_excess(move, z, y, star, tangent, k):
    return _softplus_excess(2 * move, 2 * (star - y))


def logistic(z, y, k):
    """Cross-entropy of a label 0 or 1 whose log odds are z: log(1 + e^-z) for 1, log(1 + e^z) for 0."""
    return _softplus(-z if y > 0.5 else z)


def logistic_slope(z, y, k):
    return -_sigmoid(-z) if y > 0.5 else _sigmoid(z)


def logistic_curvature(z, y, k):
    return _sigmoid(z) * _sigmoid(-z)  # p (1 - p), whose second factor would cancel


def logistic_excess(move, z, y, star, tangent, k):
    if math.isinf(star):  # the infimum is not attained: the loss is 0 there
        return logistic(z, y, k)
    return _softplus_excess(move, star)


def poisson(z, y, k):
    """e^z - y z: minus the log likelihood of a count y of mean e^z, without what does not depend on z."""
    return math.exp(z) - y * z


def poisson_slope(z, y, k):
    return math.exp(z) - y


def poisson_curvature(z, y, k):
    return math.exp(z)


def poisson_excess(move, z, y, star, tangent, k):
    if math.isinf(star):
        return math.exp(z)
    if abs(move) < 0.5:
        return math.exp(star) * _expm1_minus(move)
    # not as the product above: e^move may overflow where e^z does not
    return math.exp(z) - math.exp(star) * (1 + move)


# ---- the table

KINDS = {
    "torch.nn.BCEWithLogitsLoss": Kind(
        value=logistic,
        slope=logistic_slope,
        curvature=logistic_curvature,
        excess=logistic_excess,
        minimiser=lambda k: SelfConcordant(
            # a label's loss falls to 0 as its log odds go to infinity on its side
            bend=1.0,
            steepest=0.25,
            vanishes=lambda y: np.where(y > 0.5, 1.0, -1.0),
        ),
        targets="label",
    ),
    "torch.nn.PoissonNLLLoss": Kind(
        value=poisson,
        slope=poisson_slope,
        curvature=poisson_curvature,
        excess=poisson_excess,
        minimiser=lambda k: SelfConcordant(
            # a count of 0 is the likelier the lower its mean; any other has a best mean
            bend=1.0,
            steepest=math.inf,
            vanishes=lambda y: np.where(y > 0, 0.0, -1.0),
        ),
        targets="count",
    ),
    "lrbench.losses.criteria.LogCoshLoss": Kind(
        value=log_cosh,
        slope=log_cosh_slope,
        curvature=log_cosh_curvature,
        excess=log_cosh_excess,
        minimiser=lambda k: SelfConcordant(
            bend=2.0, steepest=1.0, straight=Straight(ClippedSlope(1.0, -1.0, 1.0), residual=np.arctanh)
        ),
    ),
}
