"""How numbers, settings and lists are written: one place, so that terminal, Markdown, page and figures show
the same digits.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

MISSING = "–"
ROUNDING = 1e-12  # relative: what lies closer to a whole number is one
PLAIN_POWERS = range(-3, 6)  # of ten, between which a number is written without one
SMALLEST_P = 0.001


# ---- numbers


def number(x: float) -> str:
    """Write a number with three significant digits, whole numbers below a million whole.

    3.10e-12, 0.100, 12.3, 500, 79,459, 114,000, 1.19e6.
    """
    if pd.notna(x) and abs(x) < 1e6 and math.isclose(x, round(x), rel_tol=ROUNDING):
        return f"{round(x):,}"
    return _digits(x, 3)


def measured(x: float) -> str:
    """Write a number with three significant digits, whole ones too: 8.00, 0.100, 79,500."""
    return _digits(x, 3)


def factor(x: float) -> str:
    """Write how many times: two significant digits, three below 2: 1.04, 3.4, 12, 1,200, 1.2e6."""
    digits = 3 if round(x, 2) < 2 else 2
    return _digits(x, digits)


def cost(x: float) -> str:
    """Write a cost in whole gradient evaluations."""
    return number(round(x)) if x >= 1 else "< 1"


def _digits(x: float, digits: int) -> str:
    """Write so many significant digits: plain from 0.001 to below a million, with commas, else with a power
    of ten.
    """
    if pd.isna(x):
        return MISSING
    if math.isinf(x) or x == 0:
        return f"{x:.0f}"
    mantissa, power = f"{x:.{digits - 1}e}".split("e")
    if int(power) not in PLAIN_POWERS:
        return f"{mantissa}e{int(power)}"
    rounded = float(f"{x:.{digits}g}")
    decimals = max(digits - 1 - int(power), 0)
    return f"{rounded:,.{decimals}f}"


def interval(row: Mapping[Any, Any], value: str = "ratio", low: str = "low", high: str = "high") -> str:
    """Write how many times, with its interval: "1.8 (1.2–2.6)", "1.8".

    Without an interval also where its two ends print the same.
    """
    if pd.notna(row[low]) and factor(row[low]) != factor(row[high]):
        return f"{factor(row[value])} ({factor(row[low])}–{factor(row[high])})"
    return factor(row[value])


def p_value(p: float) -> str:
    """Write a p value: 0.003, < 0.001."""
    if pd.isna(p):
        return MISSING
    return f"< {SMALLEST_P:g}" if p < SMALLEST_P else f"{p:.2g}"


def decades(width: float, is_open: bool) -> str:
    """Write a width in decades: "2.5 decades", "≥ 2.5 decades" where it goes on."""
    if pd.isna(width):
        return MISSING
    sign = "≥ " if is_open else ""
    return f"{sign}{width:.1f} decades"


def tolerance(row: Mapping[Any, Any], is_open: bool) -> str:
    """Write a width in decades, "one rate of 3" where it is one of the `lrs` alone."""
    if row["tolerance"] == 0:
        return f"one rate of {row['lrs']}"
    return decades(row["tolerance"], is_open)


def reached(cost: float) -> str:
    """Write a cost until the target."""
    return "not reached" if cost == math.inf else number(cost)


# ---- settings


def setting_value(value: Any) -> str:
    """Write the value of a setting as Hydra reads it, floats to six significant digits: 0.1, 1e-5, true,
    null, [0.9,0.999].
    """
    if isinstance(value, tuple):
        return f"[{','.join(map(setting_value, value))}]"
    if value is None or pd.isna(value):
        return "null"
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def learning_rate(lr: float) -> str:
    """Write a computed learning rate to three significant digits, in the form of a setting: 0.041, 1e-5."""
    if pd.isna(lr):
        return MISSING
    return setting_value(float(f"{lr:.3g}"))


def named(optimizer: str, setting: str) -> str:
    """Write an optimizer with its setting: "sgd (lr=0.1)"."""
    return f"{optimizer} ({setting})" if setting else optimizer


# ---- counts and lists


def counted(count: int, word: str) -> str:
    """Write a count with its noun: "1 run", "1,740 runs"."""
    plural = "" if count == 1 else "s"
    return f"{count:,} {word}{plural}"


def ranged(values: Iterable[float]) -> str:
    """Write from where to where numbers go: "3 to 442", "3" where all are the same."""
    known = [value for value in values if pd.notna(value)] or [math.nan]
    ends = number(min(known)), number(max(known))
    return " to ".join(dict.fromkeys(ends))


def listed(words: Sequence[str], most: int = 6) -> str:
    """Write a list: "a", "a and b", "a, b and 9 others"."""
    words = list(words)
    if len(words) > most:
        others = len(words) - most + 1
        words = [*words[: most - 1], f"{others} others"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
