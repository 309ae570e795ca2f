"""The values that a field may take: in words, for the message that refuses others, and as a test."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST_WHOLE = 2**53  # up to which float64 tells whole numbers apart
LONGEST_NAME = 200  # of a folder, in letters; most file systems allow 255 bytes


@dataclass(frozen=True)
class Rule:
    """The values a field takes: in words for the message, and as a test."""

    allowed: str
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # of whole numbers too: 10**400 is no float64


def number(
    low: float = -math.inf, high: float = math.inf, *, above: bool = False, below: bool = False
) -> Rule:
    """Finite numbers in [low, high]; `above` and `below` exclude the ends."""
    bounds = []
    if math.isfinite(low):
        bounds.append(f"> {low:g}" if above else f">= {low:g}")
    if math.isfinite(high):
        bounds.append(f"< {high:g}" if below else f"<= {high:g}")

    def accepts(value: Any) -> bool:
        if not _is_number(value):
            return False
        is_above = low < value if above else low <= value
        is_below = value < high if below else value <= high
        return is_above and is_below

    allowed = f"a finite number {' and '.join(bounds)}"
    return Rule(allowed.strip(), accepts)


def whole(low: int, high: float = math.inf) -> Rule:
    """Whole numbers in [low, high]."""
    allowed = f"a whole number >= {low}"
    if math.isfinite(high):
        allowed += f" and <= {high}"

    def accepts(value: Any) -> bool:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and low <= value <= high

    return Rule(allowed, accepts)


def one_of(*choices: str) -> Rule:
    return Rule(" or ".join(choices), lambda value: isinstance(value, str) and value in choices)


def text(allowed: str) -> Rule:
    """Words that are not empty."""
    return Rule(allowed, lambda value: isinstance(value, str) and value != "")


def sequence(*rules: Rule) -> Rule:
    """Lists of as many values as there are rules, each by its own."""

    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or len(value) != len(rules):
            return False
        return all(rule.accepts(part) for rule, part in zip(rules, value, strict=True))

    parts = ", ".join(rule.allowed for rule in rules)
    return Rule(f"[{parts}]", accepts)


def list_of(rule: Rule, allowed: str) -> Rule:
    """Lists that are not empty, every value by one rule."""
    return Rule(
        allowed, lambda value: isinstance(value, list) and value != [] and all(map(rule.accepts, value))
    )


def either(*rules: Rule) -> Rule:
    allowed = ", or ".join(rule.allowed for rule in rules)
    return Rule(allowed, lambda value: any(rule.accepts(value) for rule in rules))


def _is_folder_name(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        return False
    separators = set("/\\\0")
    return value not in (".", "..") and separators.isdisjoint(value)


NULL = Rule("null", lambda value: value is None)
BOOLEAN = Rule("true or false", lambda value: isinstance(value, bool))
NUMBERS = list_of(number(), "a list of finite numbers")
ROWS = list_of(NUMBERS, "a list of rows of numbers such as [[4]]")
FOLDER = Rule(f"a folder's name: no / or \\, not . or .., at most {LONGEST_NAME} characters", _is_folder_name)
