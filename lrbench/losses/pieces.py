"""Losses in pieces, lines and squares: the slope of each is a residual that is clipped to an interval."""

from lrbench.losses.kind import ClippedSlope, Kind

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


def huber(z, y, k):
    """Half r^2 for |r| <= k, else k (|r| - k / 2)  (Huber 1964)."""
    r = abs(z - y)
    return 0.5 * r * r if r <= k else k * (r - 0.5 * k)


def huber_slope(z, y, k):
    r = z - y
    if r > k:
        return k
    return -k if r < -k else r


def huber_curvature(z, y, k):
    return 1.0 if abs(z - y) <= k else 0.0


def huber_excess(move, z, y, star, tangent, k):
    r = star - y + move
    # products instead of a difference of losses, which would cancel; so in the excesses below
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


def _sign(r):
    if r > 0:
        return 1.0
    return -1.0 if r < 0 else 0.0 * r  # NaN stays NaN


def quantile(z, y, k):
    """k (y - z) below the target, (1 - k) (z - y) above, for the k-quantile (Koenker and Bassett 1978)."""
    return k * (y - z) if z < y else (1 - k) * (z - y)


def quantile_slope(z, y, k):
    return -k if z < y else 1 - k + 0 * z  # NaN stays NaN


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


# ---- the table


def _above_zero(value: float) -> bool:
    return value > 0


KINDS = {
    "torch.nn.MSELoss": Kind(
        value=squared,
        slope=squared_slope,
        curvature=squared_curvature,
        excess=squared_excess,
        minimiser=lambda k: ClippedSlope(0.5),  # a slope of 2 r, never clipped
    ),
    "torch.nn.HuberLoss": Kind(
        value=huber,
        slope=huber_slope,
        curvature=huber_curvature,
        excess=huber_excess,
        minimiser=lambda k: ClippedSlope(1.0, -k, k),
        parameter="delta",
        default=1.0,
        allowed="a finite number > 0",
        accepts=_above_zero,
    ),
    "torch.nn.SmoothL1Loss": Kind(
        value=smooth_l1,
        slope=smooth_l1_slope,
        curvature=smooth_l1_curvature,
        excess=smooth_l1_excess,
        minimiser=lambda k: ClippedSlope(k, -1.0, 1.0),
        parameter="beta",
        default=1.0,
        allowed="a finite number > 0",
        accepts=_above_zero,
    ),
    "torch.nn.L1Loss": Kind(
        value=l1,
        slope=l1_slope,
        curvature=l1_curvature,
        excess=l1_excess,
        minimiser=lambda k: ClippedSlope(0.0, -1.0, 1.0),
    ),
    "lrbench.losses.criteria.QuantileLoss": Kind(
        value=quantile,
        slope=quantile_slope,
        curvature=quantile_curvature,
        excess=quantile_excess,
        minimiser=lambda k: ClippedSlope(0.0, -k, 1 - k),
        parameter="quantile",
        default=0.5,
        allowed="a number > 0 and < 1",
        accepts=lambda value: 0 < value < 1,
    ),
}
