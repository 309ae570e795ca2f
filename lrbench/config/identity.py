"""Hashes of leaves, and the ids that are their sums.

A run's id is the sum of the hashes of its leaves (mod 2^64 in each half): it does not depend on their
order, nor on whether a value was swept, given or a default.

    "optimizer.lr=0.1"    the bytes that are hashed; 1 and 1.0 are one number, true and "1" are others
    (2,) uint64           its hash of 128 bits
    b"3aece4c0...1fc2"    an id: the sum of such hashes as 32 hexadecimal digits
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np

_HASH_BYTES = 16
_ID = f"S{2 * _HASH_BYTES}"  # two hexadecimal digits a byte


def fingerprint(path: str, values: Iterable[Any]) -> np.ndarray:
    """Return the hashes of "path = value", shape (len(values), 2), uint64."""
    digests = b"".join(_hash(f"{path}={_canonical(value)}") for value in values)
    # big-endian, so that a sum of one hash reads like the hash
    halves = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)
    return halves.astype(np.uint64)


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_HASH_BYTES).digest()


def _canonical(value: Any) -> str:
    """Write a value so that one value has one spelling: numbers as float64, tuples as lists."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))
    return json.dumps(value, default=str)


def identifiers(sums: np.ndarray) -> np.ndarray:
    """Write sums of fingerprints, (R, 2) uint64, as (R,) bytes of 32 hexadecimal digits."""
    big_endian = np.ascontiguousarray(sums.astype(">u8"))
    digits = big_endian.tobytes().hex().encode()
    return np.frombuffer(digits, dtype=_ID)
