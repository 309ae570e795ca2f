"""Arrow arrays from numpy, without an object for each of R rows."""

from typing import Any

import numpy as np
import pyarrow as pa


def strings(ids: np.ndarray) -> pa.Array:
    """Turn (R,) bytes of one length into strings."""
    width = ids.dtype.itemsize
    ends = np.arange(len(ids) + 1, dtype=np.int32) * width
    characters = np.ascontiguousarray(ids)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(ends), pa.py_buffer(characters))


def lists(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Turn (R, k) into R lists, null where `missing` (R,) says so."""
    rows, length = values.shape
    ends = pa.array(np.arange(rows + 1, dtype=np.int32) * length)
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(ends, pa.array(values.ravel()), mask=mask)


def repeated(value: Any, count: int, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), count)
