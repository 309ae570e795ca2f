"""What update rules need beside arithmetic and sqrt; each lets NaN and inf through as torch does."""

from numba.extending import register_jitable


@register_jitable
def larger(a, b):
    """The larger of two numbers; NaN if either is (torch.maximum)."""
    return a if a > b or a != a else b  # only NaN differs from itself


@register_jitable
def by_sign(a, positive, negative, otherwise):
    """One of three numbers: that for a > 0, for a < 0, or for an a of 0 or NaN."""
    if a > 0:
        return positive
    return negative if a < 0 else otherwise


@register_jitable
def clamp(a, low, high):
    """The number of [low, high] nearest to a; NaN if a is, high if low is larger (torch.clamp)."""
    # comparisons in this order: NaN passes both, and high wins where the two are crossed
    a = low if a < low else a
    return high if a > high else a


@register_jitable
def lerp(a, b, share, back):
    """a + share (b - a), reckoned from the nearer end (torch.lerp).

    If share >= 1/2 it is b + back (b - a) with back = share - 1.
    """
    from_a = share + back < 0  # share < 1/2, asked without a literal but 0
    near = a if from_a else b
    factor = share if from_a else back
    return near + factor * (b - a)
