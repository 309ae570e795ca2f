"""The losses of one sample, as functions of numbers, for compiled code; `Loss` applies them to arrays.

z is the prediction, y what was to be predicted, k the loss's own number (0 where it has none). Each loss is four functions:

value(z, y, k)      the loss
slope(z, y, k)      its derivative by z; at a kink what torch's autograd gives
curvature(z, y, k)  its second derivative by z, at a kink of the slope that on the side of the target
excess(move, z, y, star, tangent, k)
                    how far the loss at z = star + move lies above its tangent at star, whose slope is `tangent`: the Bregman divergence. Summed over
                    the rows it is the gap, if star are the predictions of a minimiser. It is made of terms that are not negative, so that small gaps
                    keep their digits, where a difference of losses would have eps of the loss as its error. Where the infimum is not attained star
                    is the infinite prediction at which the loss ends, 0 there; the excess is then the loss itself.
"""

import math

from numba.extending import register_jitable

# ---- squares


def squared(z, y, k):
    return (z - y) * (z - y)


def squared_slope(z, y, k):
    return 2 * (z - y)


def squared_curvature(z, y, k):
    return 2.0


def squared_excess(move, z, y, star, tangent, k):
    return move * move


# ---- squares within k of the target, lines beyond


@register_jitable
def huber(z, y, k):
    """Half r^2 for |r| <= k, else k (|r| - k / 2)  (Huber 1964)."""
    r = abs(z - y)
    return 0.5 * r * r if r <= k else k * (r - 0.5 * k)


@register_jitable
def huber_slope(z, y, k):
    r = z - y
    if r > k:
        return k
    return -k if r < -k else r


@register_jitable
def huber_curvature(z, y, k):
    return 1.0 if abs(z - y) <= k else 0.0


@register_jitable
def huber_excess(move, z, y, star, tangent, k):
    r = star - y + move
    if abs(star - y) <= k and abs(r) <= k:
        return 0.5 * move * move
    before, after = huber_slope(star, y, k), huber_slope(r, 0.0, k)
    return (after - before) * (r - 0.5 * (before + after))


def smooth_l1(z, y, k):
    """Huber's loss over k: a slope of 1 beyond k."""
    return huber(z, y, k) / k


def smooth_l1_slope(z, y, k):
    return huber_slope(z, y, k) / k


def smooth_l1_curvature(z, y, k):
    return huber_curvature(z, y, k) / k


def smooth_l1_excess(move, z, y, star, tangent, k):
    return huber_excess(move, z, y, star, tangent, k) / k


# ---- lines


@register_jitable
def _sign(r):
    if r > 0:
        return 1.0
    return -1.0 if r < 0 else 0.0 * r


def quantile(z, y, k):
    """k (y - z) below the target, (1 - k) (z - y) above: its minimiser is the k-quantile (Koenker and Bassett 1978)."""
    return k * (y - z) if z < y else (1 - k) * (z - y)


@register_jitable
def quantile_slope(z, y, k):
    return -k if z < y else 1 - k + 0 * z


def quantile_curvature(z, y, k):
    return 0.0


def quantile_excess(move, z, y, star, tangent, k):
    r = star - y + move
    return (quantile_slope(r, 0.0, k) - tangent) * r


def l1(z, y, k):
    return abs(z - y)


def l1_slope(z, y, k):
    return _sign(z - y)


def l1_curvature(z, y, k):
    return 0.0


def l1_excess(move, z, y, star, tangent, k):
    r = star - y + move
    return (_sign(r) - tangent) * r


# ---- exponentials

_EXPM1 = tuple(1 / math.factorial(power) for power in range(17, 1, -1))  # of x^15 ... x^0
_LOG1P = tuple(1 / power for power in range(25, 2, -2))  # of s^22, s^20 ... s^0


@register_jitable
def _polynomial(x, coefficients):
    """Evaluate an even number of coefficients, highest power first: those of odd and of even powers side by side, which is twice as fast."""
    odd, even, square = 0.0, 0.0, x * x
    for place in range(0, len(coefficients), 2):
        odd = odd * square + coefficients[place]
        even = even * square + coefficients[place + 1]
    return odd * x + even


@register_jitable
def _expm1_minus(x):
    """e^x - 1 - x, to full relative accuracy."""
    if abs(x) >= 0.5:
        return math.expm1(x) - x
    return x * x * _polynomial(x, _EXPM1)


@register_jitable
def _log1p_minus(u):
    """log(1 + u) - u for |u| <= 0.4, to full relative accuracy: log(1 + u) = 2 artanh(s) with s = u / (2 + u)."""
    s = u / (2 + u)
    return -u * s + 2 * s * s * s * _polynomial(s * s, _LOG1P)


@register_jitable
def _softplus(z):
    """log(1 + e^z)."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


@register_jitable
def _sigmoid(z):
    e = math.exp(-abs(z))
    return 1 / (1 + e) if z >= 0 else e / (1 + e)


@register_jitable
def _softplus_excess(move, star):
    """The softplus above its tangent at star. It is the same at -star in the other direction, so p, the slope there, is at most 1/2."""
    if star > 0:
        move, star = -move, -star
    p = _sigmoid(star)
    if abs(move) < 0.5:
        curved = _expm1_minus(move)
        return _log1p_minus(p * (move + curved)) + p * curved
    if move < 30:
        return math.log1p(p * math.expm1(move)) - p * move
    return _softplus(star + move) - _softplus(star) - p * move


def log_cosh(z, y, k):
    """log cosh(r): half r^2 near the target, |r| - log 2 far from it."""
    return _softplus_excess(2 * (z - y), 0.0)


def log_cosh_slope(z, y, k):
    return math.tanh(z - y)


def log_cosh_curvature(z, y, k):
    return 4 * _sigmoid(2 * (z - y)) * _sigmoid(-2 * (z - y))


def log_cosh_excess(move, z, y, star, tangent, k):
    return _softplus_excess(2 * move, 2 * (star - y))


@register_jitable
def logistic(z, y, k):
    """Binary cross-entropy of a label 0 or 1 whose log odds are z: log(1 + e^-z) for 1, log(1 + e^z) for 0."""
    return _softplus(-z if y > 0.5 else z)


def logistic_slope(z, y, k):
    return -_sigmoid(-z) if y > 0.5 else _sigmoid(z)


def logistic_curvature(z, y, k):
    return _sigmoid(z) * _sigmoid(-z)


def logistic_excess(move, z, y, star, tangent, k):
    return logistic(z, y, k) if math.isinf(star) else _softplus_excess(move, star)


def poisson(z, y, k):
    """e^z - y z: the negative log likelihood of a count y whose mean is e^z, without what does not depend on z."""
    return math.exp(z) - y * z


def poisson_slope(z, y, k):
    return math.exp(z) - y


def poisson_curvature(z, y, k):
    return math.exp(z)


def poisson_excess(move, z, y, star, tangent, k):
    if math.isinf(star):
        return math.exp(z)
    return (
        math.exp(star) * _expm1_minus(move) if abs(move) < 0.5 else math.exp(z) - math.exp(star) * (1 + move)
    )
