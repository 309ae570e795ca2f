"""Checks of a problem's settings.

Each returns the value in its own type, or says which setting is wrong and what it may be.
"""

import math
from numbers import Real
from typing import Any

from lrbench.errors import RequestError


def boolean(key: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise _wrong(key, "true or false", value)
    return value


def whole(key: str, value: Any, at_least: int) -> int:
    """Return a whole number; 1e4 is one."""
    if not _is_number(value) or value != int(value) or value < at_least:
        raise _wrong(key, f"a whole number of at least {at_least}", value)
    return int(value)


def number(key: str, value: Any, at_least: float) -> float:
    """Return a finite number of at least so much."""
    if not _is_number(value) or value < at_least:
        raise _wrong(key, f"a finite number of at least {at_least:g}", value)
    return float(value)


def positive(key: str, value: Any) -> float:
    """Return a finite number above 0."""
    if not _is_number(value) or value <= 0:
        raise _wrong(key, "a finite number above 0", value)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(key: str, allowed: str, value: Any) -> RequestError:
    return RequestError(f"problem.{key}: must be {allowed}, but {value!r} was given.")
