"""The losses of one sample, elementwise: numpy arrays or numbers of compiled code, both by the same lines.

z is the prediction, y what was to be predicted, k the loss's own number (0 where it has none). Each loss is four functions:

value(z, y, k)      the loss
slope(z, y, k)      its derivative by z; at a kink what torch's autograd gives
curvature(z, y, k)  its second derivative by z, 0 at a kink
excess(move, z, y, star, tangent, k)
                    how far the loss at z = star + move lies above its tangent at star, whose slope is `tangent`: the Bregman divergence. Summed over the
                    rows it is the gap, if star are the predictions of a minimiser. It is made of terms that are not negative, so that small gaps keep
                    their digits, where a difference of losses would have eps of the loss as its error. Where the infimum is not attained star is the
                    infinite prediction at which the loss ends, 0 there; the excess is then the loss itself.
"""

import numpy as np
from numba.extending import register_jitable


# ---- squares


def squared(z, y, k):
    return (z - y) * (z - y)


def squared_slope(z, y, k):
    return 2 * (z - y)


def squared_curvature(z, y, k):
    return 2.0 + 0 * z


def squared_excess(move, z, y, star, tangent, k):
    return move * move


# ---- squares within k of the target, lines beyond


@register_jitable
def _clipped(r, k):
    return np.minimum(np.maximum(r, -k), k)


@register_jitable
def huber(z, y, k):
    """Half r^2 for |r| <= k, else k (|r| - k / 2)  (Huber 1964)."""
    b = _clipped(z - y, k)
    return b * (z - y - 0.5 * b)


@register_jitable
def huber_slope(z, y, k):
    return _clipped(z - y, k)


@register_jitable
def huber_curvature(z, y, k):
    return np.where(np.abs(z - y) <= k, 1.0, 0.0)


@register_jitable
def huber_excess(move, z, y, star, tangent, k):
    from_r, r = star - y, star - y + move
    b = _clipped(r, k)
    inside = (np.abs(from_r) <= k) & (np.abs(r) <= k)
    return np.where(inside, 0.5 * move * move, (b - tangent) * (r - 0.5 * (tangent + b)))


def smooth_l1(z, y, k):
    """Huber's loss over k: a slope of 1 beyond k."""
    return huber(z, y, k) / k


def smooth_l1_slope(z, y, k):
    return huber_slope(z, y, k) / k


def smooth_l1_curvature(z, y, k):
    return huber_curvature(z, y, k) / k


def smooth_l1_excess(move, z, y, star, tangent, k):
    return huber_excess(move, z, y, star, tangent * k, k) / k


# ---- lines


def quantile(z, y, k):
    """k (y - z) below the target, (1 - k) (z - y) above: its minimiser is the k-quantile (Koenker and Bassett 1978)."""
    return (0.5 - k) * (z - y) + 0.5 * np.abs(z - y)


def quantile_slope(z, y, k):
    return (0.5 - k) + 0.5 * np.sign(z - y)


def quantile_curvature(z, y, k):
    return 0.0 * z


def quantile_excess(move, z, y, star, tangent, k):
    r = star - y + move
    return ((0.5 - k) + 0.5 * np.sign(r) - tangent) * r


def l1(z, y, k):
    return np.abs(z - y)


def l1_slope(z, y, k):
    return np.sign(z - y)


def l1_curvature(z, y, k):
    return 0.0 * z


def l1_excess(move, z, y, star, tangent, k):
    r = star - y + move
    return (np.sign(r) - tangent) * r


# ---- exponentials


@register_jitable
def _expm1_minus(x):
    """e^x - 1 - x, to full relative accuracy."""
    series = 1.0 + 0 * x
    for power in range(17, 2, -1):
        series = 1 + series * x / power
    return np.where(np.abs(x) < 0.5, 0.5 * x * x * series, np.expm1(x) - x)


@register_jitable
def _log1p_minus(u):
    """log(1 + u) - u for |u| <= 0.4, to full relative accuracy: log(1 + u) = 2 artanh(s) with s = u / (2 + u)."""
    s = u / (2 + u)
    series = 0 * u
    for power in range(25, 1, -2):
        series = 1.0 / power + series * s * s
    return -u * s + 2 * s * s * s * series


@register_jitable
def _softplus(z):
    """log(1 + e^z)."""
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


@register_jitable
def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


@register_jitable
def _softplus_excess(move, star):
    """The softplus above its tangent at star. It is the same at -star in the other direction, so p, the slope there, is at most 1/2."""
    move = np.where(star > 0, -move, move)
    star = -np.abs(star)
    p = _sigmoid(star)
    near = np.minimum(np.maximum(move, -0.5), 0.5)
    middle = np.minimum(move, 30.0)
    u = p * np.expm1(near)
    within = _log1p_minus(u) + p * _expm1_minus(near)
    between = np.log1p(p * np.expm1(middle)) - p * middle
    beyond = _softplus(star + move) - _softplus(star) - p * move
    return np.where(np.abs(move) < 0.5, within, np.where(move < 30, between, beyond))


def log_cosh(z, y, k):
    """log cosh(r): half r^2 near the target, |r| - log 2 far from it."""
    return _softplus_excess(2 * (z - y), 0 * z)


def log_cosh_slope(z, y, k):
    return np.tanh(z - y)


def log_cosh_curvature(z, y, k):
    return 4 * _sigmoid(2 * (z - y)) * _sigmoid(-2 * (z - y))


def log_cosh_excess(move, z, y, star, tangent, k):
    return _softplus_excess(2 * move, 2 * (star - y))


@register_jitable
def logistic(z, y, k):
    """Binary cross-entropy of a label 0 or 1 whose log odds are z: log(1 + e^-z) for 1, log(1 + e^z) for 0."""
    return _softplus(np.where(y > 0.5, -z, z))


def logistic_slope(z, y, k):
    return np.where(y > 0.5, -_sigmoid(-z), _sigmoid(z))


def logistic_curvature(z, y, k):
    return _sigmoid(z) * _sigmoid(-z)


def logistic_excess(move, z, y, star, tangent, k):
    ends = np.isinf(star)
    return np.where(ends, logistic(z, y, k), _softplus_excess(move, np.where(ends, 0.0, star)))


def poisson(z, y, k):
    """e^z - y z: the negative log likelihood of a count y whose mean is e^z, without what does not depend on z."""
    return np.exp(z) - y * z


def poisson_slope(z, y, k):
    return np.exp(z) - y


def poisson_curvature(z, y, k):
    return np.exp(z)


def poisson_excess(move, z, y, star, tangent, k):
    return np.where(np.isinf(star), np.exp(z), np.exp(star) * _expm1_minus(move))
