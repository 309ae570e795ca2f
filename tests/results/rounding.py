"""An oracle of rounding: decimal arithmetic on the exact value of a float, half to even.

In a test module: `from rounding import rounds`.
"""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal


def rounds(text: str, value: float, digits: int) -> bool:
    """Say whether a text is the value to as many significant digits as it shows, `digits` at least.

    To as many decimals where `digits` is 0.
    """
    if math.isinf(value):
        return text == "inf"
    shown, exact = Decimal(text.replace(",", "")), Decimal(value)
    if not digits:
        return exact.quantize(Decimal((0, (1,), int(shown.as_tuple().exponent))), ROUND_HALF_EVEN) == shown
    whole = shown == shown.to_integral_value() and "." not in text
    significant = len("".join(map(str, shown.as_tuple().digits)).rstrip("0" if whole else ""))
    return Context(max(digits, significant), ROUND_HALF_EVEN).create_decimal(exact) == shown
